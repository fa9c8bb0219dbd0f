import Foundation
import TestSupport
import Testing

/// Copies on a file system that shares blocks.
@Suite struct ReflinkTests {
    /// XFS on a loop device, which the test takes down again.
    private struct SharingFileSystem {
        let path: String
        private let device: String

        init(in folder: ScratchFolder) throws {
            path = folder.file("xfs")
            try Tool.check("truncate", ["-s", "320M", folder.file("device")])
            device = try Tool.check("losetup", ["--find", "--show", folder.file("device")])
                .trimmingCharacters(in: .whitespacesAndNewlines)
            try Tool.check("mkfs.xfs", ["-q", "-m", "reflink=1", device])
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
            try Tool.check("mount", [device, path])
        }

        /// Bytes.
        func free() throws -> Int {
            try Tool.check("sync", ["-f", path])
            let numbers = try Tool.check("stat", ["-f", "-c", "%f %S", path]).split(whereSeparator: \.isWhitespace)
                .compactMap { Int($0) }
            return numbers[0] * numbers[1]
        }

        func remove() {
            _ = try? Tool.run("umount", ["-l", path])
            _ = try? Tool.run("losetup", ["--detach", device])
        }
    }

    /// Every pair of formats: the copy takes next to no space, its blocks are the source's, and it holds the same.
    @Test func convertSharesBlocksBetweenAllFormats() throws {
        var random = SeededRandom.printed("reflinks")
        let folder = try ScratchFolder("reflink")
        let system = try SharingFileSystem(in: folder)
        defer { system.remove() }
        // Data with holes between.
        let raw = system.path + "/source.raw"
        try Tool.check("truncate", ["-s", "64M", raw])
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: raw))
        for piece in 0..<3 {
            try file.seek(toOffset: UInt64(piece) * 20 << 20)
            let bytes = Data((0..<64 << 10).map { _ in UInt8(truncatingIfNeeded: random.next() >> 17) })
            for _ in 0..<128 { try file.write(contentsOf: bytes) }
        }
        try file.close()
        var sources = ["raw": raw]
        for format in ["vhd", "qcow2"] {
            sources[format] = "\(system.path)/source.\(format)"
            try Tool.check(
                "gantry", ["image", "convert", "-f", "raw", "-O", format, raw, "\(system.path)/source.\(format)"])
        }
        for (from, source) in sources.sorted(by: { $0.key < $1.key }) {
            for to in sources.keys.sorted() {
                let target = "\(system.path)/\(from).\(to)"
                let before = try system.free()
                try Tool.check("gantry", ["image", "convert", "-f", from, "-O", to, source, target])
                let taken = before - (try system.free())
                #expect(taken < 3 << 20, "\(from) to \(to) took \(taken) bytes for 24 MiB")
                #expect(try Tool.check("filefrag", ["-v", target]).contains("shared"), "\(from) to \(to)")
                let name = to == "vhd" ? "vpc" : to
                try Tool.check("qemu-img", ["compare", "-f", "raw", "-F", name, raw, target])
                if to != "raw" { try Tool.check("gantry", ["image", "check", "-f", to, target]) }
                if to == "vhd" { try expectFullBitmaps(target) }
                try FileManager.default.removeItem(atPath: target)
            }
        }
    }

    /// Every block of a dynamic VHD says that all its sectors count, and the page in front of it nothing else: the bitmaps
    /// share one page, but for the first.
    private func expectFullBitmaps(_ path: String) throws {
        let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        defer { try? file.close() }
        func bytes(_ offset: UInt64, _ count: Int) throws -> [UInt8] {
            try file.seek(toOffset: offset)
            return Array(try file.read(upToCount: count) ?? Data())
        }
        func number(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reduce(UInt64(0)) { $0 << 8 | UInt64($1) } }
        let header = try bytes(512, 1024)
        let table = try bytes(number(header[16..<24]), Int(number(header[28..<32])) * 4)
        var blocks: [UInt64] = []
        for index in stride(from: 0, to: table.count, by: 4) {
            let sector = number(table[index..<index + 4])
            if sector != 0xFFFF_FFFF { blocks.append(sector * 512) }
        }
        blocks.sort()
        #expect(blocks.count >= 12)
        for start in blocks {
            #expect(try bytes(start, 512) == [UInt8](repeating: 0xFF, count: 512))
            if start == blocks[0] { continue }
            #expect(try bytes(start - 3584, 3584) == [UInt8](repeating: 0, count: 3584))
        }
        // Where in the file system single pages lie: number, logical and physical range, length, flags.
        var pages: [String] = []
        for line in try Tool.check("filefrag", ["-v", "-b4096", path]).split(separator: "\n") {
            let fields = line.split(separator: ":").map { $0.trimmingCharacters(in: .whitespaces) }
            if fields.count > 3, fields[3] == "1" { pages.append(String(fields[2].prefix { $0 != "." })) }
        }
        #expect(pages.count >= blocks.count - 1 && Set(pages).count < 4, "single pages: \(pages)")
    }
}
