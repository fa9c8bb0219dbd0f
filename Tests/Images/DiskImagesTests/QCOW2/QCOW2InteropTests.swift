import BlockIO
import Foundation
import TestSupport
import Testing

@testable import DiskImages

/// Images that qemu-img and qemu-io make are read byte for byte, written to, and accepted by qemu-img again.
@Suite struct QCOW2InteropTests {
    static let options = [
        "cluster_size=512", "cluster_size=512,refcount_bits=64", "cluster_size=4096,refcount_bits=1",
        "cluster_size=4096,refcount_bits=2", "cluster_size=16384,refcount_bits=4", "cluster_size=65536,refcount_bits=8",
        "cluster_size=65536", "cluster_size=65536,refcount_bits=32", "cluster_size=2097152,refcount_bits=16",
        "compat=0.10", "compat=0.10,cluster_size=4096", "preallocation=metadata", "preallocation=falloc",
        "preallocation=full,cluster_size=4096", "preallocation=metadata,cluster_size=512", "lazy_refcounts=on",
    ]

    @Test(arguments: options)
    func whatQemuConvertsIsReadAndWrittenOn(_ options: String) throws {
        var random = SeededRandom.printed("\(#function) \(options)")
        let folder = try ScratchFolder("qcow2-interop")
        let size = (5 << 20) + 3 * 512
        let model = GrowingBytes()
        model.resize(size)
        for _ in 0..<12 {
            let start = Int.random(in: 0..<size - 60_000, using: &random)
            model.write(random.bytes(Int.random(in: 1...60_000, using: &random)), at: start)
        }
        let raw = folder.file("a.raw")
        let path = folder.file("a.qcow2")
        try Data(model.array).write(to: URL(fileURLWithPath: raw))
        try Tool.check("qemu-img", ["convert", "-f", "raw", "-O", "qcow2", "-o", options, raw, path])
        let reader = try QCOW2Image.open(file: ImageFile(path: path, access: .readOnly), readOnly: true)
        let isRead = try reader.bytes(0, size) == model.array
        #expect(isRead)
        try reader.close()

        // Zero and discard as qemu-io does them, then again as we do.
        try qemuIO(
            path,
            [
                "write -P 17 1000 200000", "write -z 65536 131072", "write -z -u 1048576 262144",
                "discard 2097152 1048576", "write -P 18 70000 10",
            ])
        model.write([UInt8](repeating: 17, count: 200_000), at: 1000)
        model.write([UInt8](repeating: 0, count: 131_072), at: 65536)
        model.write([UInt8](repeating: 0, count: 262_144), at: 1_048_576)
        model.write([UInt8](repeating: 18, count: 10), at: 70000)
        let image = try QCOW2Image.open(file: ImageFile(path: path, access: .readWrite), readOnly: false)
        model.write(try image.bytes(2_097_152, 1_048_576), at: 2_097_152)
        let isReadAgain = try image.bytes(0, size) == model.array
        #expect(isReadAgain)
        for _ in 0..<30 {
            let start = Int.random(in: 0..<size - 100_000, using: &random)
            let count = Int.random(in: 1...100_000, using: &random)
            if Int.random(in: 0..<3, using: &random) == 0 {
                try image.writeZeroes(
                    at: UInt64(start), length: UInt64(count), mayUnmap: Bool.random(using: &random))
                model.write([UInt8](repeating: 0, count: count), at: start)
            } else {
                let data = random.bytes(count)
                try image.store(data, start)
                model.write(data, at: start)
            }
        }
        try image.discard(at: 0, length: 70_000)
        model.write(try image.bytes(0, 70_000), at: 0)
        try image.close()
        try Data(model.array).write(to: URL(fileURLWithPath: raw))
        try qemuCheck(path)
        try Tool.check("qemu-img", ["compare", "-f", "qcow2", "-F", "raw", path, raw])
    }

    private func qemuIO(_ path: String, _ commands: [String]) throws {
        try Tool.check("qemu-io", ["-f", "qcow2", "-d", "unmap"] + commands.flatMap { ["-c", $0] } + [path])
    }

    @Test("the empty unpadded image of qemu is writable (case 3.11)")
    func theEmptyUnpaddedImageOfQemuIsWritable() throws {
        let folder = try ScratchFolder("qcow2-empty")
        let path = folder.file("a.qcow2")
        try Tool.check("qemu-img", ["create", "-f", "qcow2", path, "64M"])
        let length = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int
        #expect(length == 196_616)
        let image = try QCOW2Image.open(file: ImageFile(path: path, access: .readWrite), readOnly: false)
        #expect(try image.extents(at: 0, length: image.size) == [Extent(offset: 0, length: 64 << 20, kind: .hole)])
        try image.store([1, 2, 3], (64 << 20) - 3)
        try image.close()
        try qemuCheck(path)
        try Tool.check("qemu-io", ["-r", "-f", "qcow2", "-c", "read -P 3 67108863 1", path])
    }

    @Test func extentsAreThoseOfQemuMap() throws {
        let folder = try ScratchFolder("qcow2-map")
        let path = folder.file("a.qcow2")
        try Tool.check("qemu-img", ["create", "-f", "qcow2", path, "3G"])
        try qemuIO(path, ["write 0 128k", "write -z 64k 64k", "write 1G 64k", "write 2G 192k", "discard 2G 64k"])
        let image = try QCOW2Image.open(file: ImageFile(path: path, access: .readOnly), readOnly: true)
        let gib: UInt64 = 1 << 30
        let k: UInt64 = 64 << 10
        #expect(
            try image.extents(at: 0, length: image.size) == [
                Extent(offset: 0, length: k, kind: .data), Extent(offset: k, length: k, kind: .zero),
                Extent(offset: 2 * k, length: gib - 2 * k, kind: .hole), Extent(offset: gib, length: k, kind: .data),
                Extent(offset: gib + k, length: gib - k, kind: .hole), Extent(offset: 2 * gib, length: k, kind: .zero),
                Extent(offset: 2 * gib + k, length: 2 * k, kind: .data),
                Extent(offset: 2 * gib + 3 * k, length: gib - 3 * k, kind: .hole),
            ])
    }

    @Test func whatIsNotFollowedIsNamed() throws {
        let folder = try ScratchFolder("qcow2-refused")
        let base = folder.file("base.raw")
        try Data(count: 1 << 20).write(to: URL(fileURLWithPath: base))
        func make(_ name: String, _ arguments: [String]) throws -> ImageFile {
            let path = folder.file(name)
            try Tool.check("qemu-img", ["create", "-f", "qcow2"] + arguments + [path, "1M"])
            return try ImageFile(path: path, access: .readOnly)
        }
        func refusal(_ file: ImageFile) -> String {
            let error = #expect(throws: BlockError.self) { _ = try QCOW2Image.open(file: file, readOnly: true) }
            #expect(error?.code == .denied)
            return error?.message ?? ""
        }
        #expect(refusal(try make("overlay", ["-b", base, "-F", "raw"])).contains(base))
        #expect(refusal(try make("data", ["-o", "data_file=\(folder.file("d.raw"))"])).contains("another file"))

        let overlay: QCOW2Info = try QCOW2Image.info(file: ImageFile(path: folder.file("overlay"), access: .readOnly))
        #expect(overlay.backingFile == base && overlay.backingFormat == "raw" && overlay.virtualSize == 1 << 20)
    }

    @Test func aWriteLeavesTheSnapshotsOfQemuAsTheyAre() throws {
        let folder = try ScratchFolder("qcow2-snapshot")
        let path = folder.file("a.qcow2")
        try Tool.check("qemu-img", ["create", "-f", "qcow2", path, "1M"])
        try qemuIO(path, ["write -P 4 0 256k"])
        try Tool.check("qemu-img", ["snapshot", "-c", "one", path])
        let image = try QCOW2Image.open(file: ImageFile(path: path, access: .readWrite), readOnly: false)
        #expect(try image.bytes(262143, 2) == [4, 0])
        try image.store([UInt8](repeating: 9, count: 1000), 65000)
        try image.discard(at: 131072, length: 65536)
        try image.close()
        try qemuCheck(path)
        try qemuIO(path, ["read -P 9 65000 1000", "read -P 4 66000 512", "read -P 0 128k 64k"])
        try Tool.check("qemu-img", ["snapshot", "-a", "one", path])
        try qemuIO(path, ["read -P 4 0 256k"])
        try qemuCheck(path)
    }

    @Test(
        "new images of any size are accepted (case 1.2)",
        arguments: [0, 1, 511, 512, 513, 65537, 2 << 40 | 512, (16 << 40) - 512])
    func newImagesOfAnySizeAreAccepted(_ size: UInt64) throws {
        for bits in [9, 12, 16, 21] {
            let folder = try ScratchFolder("qcow2-new")
            let path = folder.file("a.qcow2")
            let file = try ImageFile(path: path, access: .create)
            if size > QCOW2Limits.virtualSize(clusterBits: bits) {
                let error = #expect(throws: BlockError.self) {
                    try QCOW2Image.create(file: file, size: size, clusterBits: bits)
                }
                #expect(error?.code == .limitExceeded)
                continue
            }
            try QCOW2Image.create(file: file, size: size, clusterBits: bits)
            let image = try QCOW2Image.open(file: file, readOnly: false)
            #expect(image.size == (size + 511) & ~511)
            if image.size > 0 { try image.store([9], Int(image.size) - 1) }
            try image.close()
            try qemuCheck(path)
            let text = try Tool.check("qemu-img", ["info", "--output=json", path])
            #expect(text.contains("\"virtual-size\": \((size + 511) & ~511),"))
        }
    }
}
