import BlockIO
import Foundation
import TestSupport
import Testing

@testable import DiskImages

/// Files that lie or are damaged. They open or throw; they never trap, and nothing else is opened.
@Suite struct VMDKHostileTests {
    private func small() -> VMDKBuilder {
        var builder = VMDKBuilder(capacity: 16 * 8, grain: 16)
        for index in [0, 3, 7] as [UInt64] {
            builder.grains[index] = [UInt8](repeating: UInt8(index + 1), count: 8192)
        }
        return builder
    }

    /// What opening and reading everything says; nil when it works.
    private func found(_ bytes: [UInt8]) -> BlockError.Code? {
        code {
            let device = try openVMDK(bytes)
            _ = try device.bytes(at: 0, count: Int(min(device.size, 1 << 22)))
            _ = try device.extents(at: 0, length: device.size)
        }
    }

    /// Opens and maps it, and reads its beginning and its end; any error will do.
    private func exercise(_ bytes: [UInt8]) {
        guard let device = try? openVMDK(bytes) else { return }
        let count = min(device.size, 6000)
        _ = try? device.bytes(at: 0, count: Int(count))
        _ = try? device.bytes(at: device.size - count, count: Int(count))
        _ = try? device.extents(at: 0, length: device.size)
    }

    private func changed(_ bytes: [UInt8], _ at: Int, _ value: [UInt8]) -> [UInt8] {
        var bytes = bytes
        bytes.replaceSubrange(at..<at + value.count, with: value)
        return bytes
    }

    /// Case 5.7.
    @Test("headers are checked (cases 5.7, 5.11)")
    func headersAreChecked() throws {
        let sparse = small().sparse()
        #expect(found(sparse) == nil)
        for grain in [0, 1, 3, 7, 24, 1 << 22, 1 << 40, .max] as [UInt64] {
            #expect(found(changed(sparse, 20, grain.bytes)) == .invalidImage, "\(grain)")
        }
        for entries in [0, 1, 511, 513, .max] as [UInt32] {
            #expect(found(changed(sparse, 44, entries.bytes)) == .unsupported, "\(entries)")
        }
        for version in [0, 4, .max] as [UInt32] {
            #expect(found(changed(sparse, 4, version.bytes)) == .unsupported, "\(version)")
        }
        // Case 5.11: transferred as text.
        #expect(found(changed(sparse, 73, [0x0A, 0x20, 0x0A, 0x0A])) == .corrupt)
        #expect(found(changed(changed(sparse, 73, [0, 0, 0, 0]), 8, UInt32(2).bytes)) == nil)
        #expect(found(changed(sparse, 77, [1, 0])) == .invalidImage)
        #expect(found(changed(sparse, 77, [2, 0])) == .unsupported)
        #expect(found(changed(sparse, 8, UInt32(0x10003).bytes)) == .invalidImage)
        #expect(found(changed(small().stream(.footer), 8, UInt32(0x10001).bytes)) == .unsupported)
        #expect(found(changed(sparse, 0, Array("COWD".utf8))) == .unsupported)
        #expect(found(changed(sparse, 0, UInt64(0xCAFE_BABE).bytes)) == .unsupported)
        #expect(found(changed(sparse, 0, Array("XXXX".utf8))) == .invalidImage)
        // One extent of a larger disk.
        var part = small()
        part.descriptorSectors = 0
        #expect(found(part.sparse()) == .invalidImage)
        #expect(found(changed(sparse, 28, UInt64(1 << 50).bytes)) == .corrupt)
        #expect(found(changed(sparse, 28, UInt64.max.bytes)) == .limitExceeded)
        #expect(found(changed(sparse, 36, UInt64(2049).bytes)) == .limitExceeded)
        #expect(found(changed(sparse, 12, UInt64(127).bytes)) == .invalidImage)
    }

    /// Case 5.7, 5.11: directories, tables and grains where none can be; the redundant directory.
    @Test("directories and tables lie in the file (cases 5.7, 5.11)")
    func directoriesAndTablesLieInTheFile() throws {
        let builder = small()
        let sparse = builder.sparse()
        // Header, 20 sectors of descriptor; then both directories of one sector, each with its table of four.
        let redundant = 21 * 512
        let directory = 26 * 512
        for sector in [0, 1 << 20, 1 << 55, .max - 1] as [UInt64] {
            #expect(found(changed(sparse, 56, sector.bytes)) == nil, "\(sector)")
            let alone = changed(sparse, 8, UInt32(1).bytes)
            #expect(found(changed(alone, 56, sector.bytes)) == .corrupt, "\(sector)")
        }
        for bad in [0, 1 << 30, .max] as [UInt32] {
            let damaged = changed(sparse, directory, bad.bytes)
            let device = try openVMDK(damaged)
            #expect(try device.bytes(at: 0, count: builder.content.count) == builder.content, "\(bad)")
            #expect(found(changed(damaged, 8, UInt32(1).bytes)) == (bad == 0 ? nil : .corrupt), "\(bad)")
            #expect(found(changed(damaged, redundant, UInt32.max.bytes)) == (bad == 0 ? nil : .corrupt), "\(bad)")
        }
        // A table in the header, the descriptor or the directory; a grain there, or at 1 without the flag, or outside.
        for sector in [1, 5, 26] as [UInt32] { #expect(found(changed(sparse, directory, sector.bytes)) == .corrupt) }
        for sector in [1, 2, 21, 26, 1 << 24, .max] as [UInt32] {
            #expect(found(changed(sparse, directory + 512, sector.bytes)) == .corrupt, "\(sector)")
            let device = try openVMDK(changed(sparse, directory + 512, sector.bytes))
            #expect(try device.bytes(at: 3 * 8192, count: 8192).allSatisfy { $0 == 4 })
        }
        let flagged = changed(changed(sparse, directory + 512, UInt32(1).bytes), 8, UInt32(7).bytes)
        #expect(try openVMDK(flagged).bytes(at: 0, count: 8192).allSatisfy { $0 == 0 })
    }

    /// Case 5.8, read at random (where there are tables) and by the markers.
    @Test("damaged streams are refused (case 5.8)")
    func damagedStreamsAreRefused() throws {
        let builder = small()
        #expect(found(builder.stream(.footer)) == nil && found(builder.stream(.none)) == nil)
        func stream(_ edit: @escaping VMDKBuilder.Edit) -> [BlockError.Code?] {
            [.footer, .none].map { found(builder.stream($0, edit: edit)) }
        }
        func grain3(_ change: @escaping (inout [UInt8]) -> Void) -> [BlockError.Code?] {
            stream { index, marker in if index == 3 { change(&marker) } }
        }
        let refused: [BlockError.Code?] = [.corrupt, .corrupt]
        #expect(grain3 { $0.replaceSubrange(8..<12, with: [0, 0, 0, 0]) } == refused)
        #expect(grain3 { $0.replaceSubrange(8..<12, with: UInt32(2 * 8192 + 5000).bytes) } == refused)
        #expect(grain3 { $0.replaceSubrange(8..<12, with: UInt32.max.bytes) } == refused)
        #expect(grain3 { $0[100] ^= 1 } == refused)
        // A sector of another grain, between grains, behind the end.
        for sector in [0, 7, 32, 112, 128, 1 << 60] as [UInt64] {
            let codes = grain3 { $0.replaceSubrange(0..<8, with: sector.bytes) }
            #expect(codes[0] == .corrupt, "\(sector)")
            // Without tables a marker is the only witness of where a grain belongs.
            #expect(codes[1] == (sector == 32 ? nil : .corrupt), "\(sector)")
        }
        for size in [0, 8191, 8193, 8704] {
            let packed = VMDKBuilder.zlib([UInt8](repeating: 1, count: size))
            #expect(
                grain3 { $0.replaceSubrange(8..., with: UInt32(packed.count).bytes + packed) } == refused, "\(size)")
        }
        // Raw deflate, as the published text has it and nobody writes it.
        #expect(grain3 { $0.replaceSubrange(8..., with: UInt32(8197).bytes + $0[14..<14 + 8197]) } == refused)
        // The same place twice, and places out of order.
        #expect(found(builder.stream(.none, order: [0, 3, 3, 7])) == .corrupt)
        #expect(found(builder.stream(.none, order: [3, 0, 7])) == .corrupt)
        #expect(found(builder.stream(.footer, order: [3, 0, 7])) == nil)
        for place in [VMDKBuilder.Directory.footer, .none] {
            let whole = builder.stream(place)
            // No end marker, something behind it, zeroes behind it.
            #expect(found(Array(whole.dropLast(512))) == .corrupt)
            #expect(found(whole + [UInt8](repeating: 1, count: 512)) == .corrupt)
            #expect(found(whole + [UInt8](repeating: 0, count: 512)) == nil)
            #expect(found(Array(whole.dropLast(2048))) == .corrupt)
        }
        // A footer of another disk.
        let footer = builder.stream(.footer)
        #expect(found(changed(footer, footer.count - 1024 + 12, UInt64(256).bytes)) == .corrupt)
        #expect(found(changed(footer, footer.count - 1024 + 56, UInt64.max.bytes)) == .corrupt)
        #expect(found(changed(footer, footer.count - 1024 + 56, UInt64(1 << 40).bytes)) == .corrupt)
        // Markers of metadata that claim more than there can be, or a kind that is not known.
        for (at, value) in [(0, UInt64(1 << 40).bytes), (0, UInt64.max.bytes), (12, UInt32(9).bytes)] {
            let stream = builder.stream(.none)
            let marker = VMDKBuilder.marker(4, 1)
            let start = 21 * 512
            let bytes = Array(stream[..<start]) + changed(marker, at, value) + stream[start...]
            #expect(found(bytes) == .corrupt)
        }
    }

    /// Case 5.9: files that a descriptor must not have.
    @Test("descriptors open only what they may (case 5.9)")
    func descriptorsOpenOnlyWhatTheyMay() throws {
        let folder = try ScratchFolder("vmdk")
        try Tool.check("mkdir", [folder.file("in"), folder.file("in/below")])
        for name in ["outside.bin", "in/a.bin", "in/below/c.bin"] {
            try Data([UInt8](repeating: 1, count: 8192)).write(to: URL(fileURLWithPath: folder.file(name)))
        }
        try Tool.check("ln", ["-s", folder.file("outside.bin"), folder.file("in/link.bin")])
        try Tool.check("mkfifo", [folder.file("in/fifo")])
        let path = folder.file("in/disk.vmdk")
        func open(_ lines: [String], type: String = "custom", _ extents: ImportPolicy.Extents) -> BlockError.Code? {
            code {
                try Data(VMDKBuilder.text(type, lines).utf8).write(to: URL(fileURLWithPath: path))
                _ = try? DiskImage.importInfo(path: path, format: .vmdk)
                try DiskImage.openImport(path: path, format: .vmdk, policy: ImportPolicy(extents: extents)).close()
            }
        }
        let beside = ImportPolicy.Extents.besideDescriptor
        #expect(open(["RW 16 FLAT \"a.bin\" 0"], beside) == nil)
        #expect(open(["RW 16 FLAT \"below/c.bin\" 0"], beside) == nil)
        #expect(open(["RW 16 FLAT \"a.bin\" 0"], .refused) == .denied)
        let outside = folder.file("outside.bin")
        let names = [
            outside, "../outside.bin", "below/../../outside.bin", "link.bin", "/etc/passwd", "/dev/sda", "..",
            "a\u{7}b",
        ]
        for name in names { #expect(open(["RW 16 FLAT \"\(name)\" 0"], beside) == .denied, "\(name)") }
        #expect(open(["RW 16 FLAT \"gone.bin\" 0"], beside) == .notFound)
        #expect(open(["RW 16 FLAT \"fifo\" 0"], beside) == .unsupported)
        #expect(open(["RW 16 FLAT \"below\" 0"], beside) == .unsupported)
        #expect(open(["RW 16 FLAT \"nbd:unix:/x\" 0"], beside) == .notFound)
        // What is given is meant by its last part, and nothing else.
        #expect(open(["RW 16 FLAT \"outside.bin\" 0"], .given([outside])) == nil)
        for name in [outside, "../outside.bin", "a.bin", "x/outside.bin"] {
            #expect(open(["RW 16 FLAT \"\(name)\" 0"], .given([outside])) == .denied, "\(name)")
        }
        // Twice the same; longer than the file; the descriptor itself; of another kind.
        #expect(open(["RW 8 FLAT \"a.bin\" 0", "RW 8 FLAT \"a.bin\" 8"], beside) == .corrupt)
        #expect(open(["RW 17 FLAT \"a.bin\" 0"], beside) == .invalidImage)
        #expect(open(["RW 16 FLAT \"a.bin\" 1"], beside) == .invalidImage)
        #expect(open(["RW 1 FLAT \"a.bin\" 36028797018963967"], beside) == .invalidImage)
        #expect(open(["RW 1 FLAT \"disk.vmdk\" 0"], beside) == .corrupt)
        #expect(open(["RW 16 SPARSE \"a.bin\""], beside) == .invalidImage)
        #expect(open(["NOACCESS 16 FLAT \"a.bin\" 0"], beside) == .denied)
        #expect(open(["RW 16 VMFSSPARSE \"a.bin\""], beside) == .unsupported)
        #expect(open(["RW 16 SESPARSE \"a.bin\""], beside) == .unsupported)
        #expect(open(["RW 16 VMFSRDM \"a.bin\""], beside) == .denied)
        #expect(open(["RW 16 PIPE \"a.bin\""], beside) == .unsupported)
        for type in ["fullDevice", "partitionedDevice", "vmfsRaw", "vmfsRDM", "VMFSRDMP"] {
            #expect(open(["RW 16 FLAT \"a.bin\" 0"], type: type, beside) == .denied, "\(type)")
        }
        // Sizes that do not fit, and very many extents.
        let invalid = [
            "RW 99999999999999999999 ZERO", "RW -1 ZERO", "RW 18014398509481984 ZERO", "RW 16 FLAT", "RW 16 FLAT \"",
            "RW 16 FLAT \"\"", "RW", "RW 16", "nonsense", "RW 16 FLAT \"a.bin\" x",
        ]
        for line in invalid { #expect(open([line], beside) == .invalidImage, "\(line)") }
        #expect(open([], beside) == .invalidImage)
        #expect(open([String](repeating: "RW 1 ZERO", count: 10_000), beside) == nil)
        #expect(open([String](repeating: "RW 9007199254740992 ZERO", count: 3), beside) == .invalidImage)
        #expect(open([String](repeating: "RW 1 ZERO", count: 110_000), beside) == .limitExceeded)
        let many = (0..<10_000).map { "RW 1 FLAT \"\($0).bin\"" }
        #expect(open(many, beside) == .notFound)
        #expect(open(["RW 16 ZERO", "CID=99"], beside) == .invalidImage)
        #expect(open(["RW 16 ZERO", "parentCID=xyz"], beside) == .invalidImage)
    }

    /// Case 5.10.
    @Test("parents are given and identified (case 5.10)")
    func parentsAreGivenAndIdentified() throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("vmdk")
        var base = VMDKBuilder(capacity: 128)
        for index in 0..<6 as Range<UInt64> { base.grains[index] = random.bytes(8192) }
        base.descriptor = VMDKBuilder.text("monolithicSparse", ["RW 128 SPARSE \"base.vmdk\""], cid: "0000abcd")
        try Data(base.sparse()).write(to: URL(fileURLWithPath: folder.file("base.vmdk")))
        var child = VMDKBuilder(capacity: 144)
        for index in [1, 8] as [UInt64] { child.grains[index] = random.bytes(8192) }
        child.zeroed = [2]
        func write(parent: String) throws {
            child.descriptor = VMDKBuilder.text(
                "monolithicSparse", ["RW 144 SPARSE \"child.vmdk\""], parent: parent,
                more: ["parentFileNameHint=\"/vmfs/a \"quoted\" name.vmdk\""])
            try Data(child.sparse()).write(to: URL(fileURLWithPath: folder.file("child.vmdk")))
        }
        func open(_ parents: ImportPolicy.Parents) throws -> any BlockDevice {
            try DiskImage.openImport(
                path: folder.file("child.vmdk"), format: .vmdk, policy: ImportPolicy(parents: parents))
        }
        try write(parent: "0000ABCD")
        let device = try open(.given([folder.file("base.vmdk")]))
        var content = base.content + [UInt8](repeating: 0, count: 8192)
        for (index, bytes) in child.grains {
            content.replaceSubrange(Int(index) * 8192..<Int(index + 1) * 8192, with: bytes)
        }
        content.replaceSubrange(2 * 8192..<3 * 8192, with: [UInt8](repeating: 0, count: 8192))
        #expect(try device.bytes(at: 0, count: content.count) == content)
        let map = try device.extents(at: 0, length: device.size)
        #expect(map.map(\.depth) == [1, 0, 0, 1, 0, 0])
        #expect(map.map(\.kind) == [.data, .data, .zero, .data, .hole, .data])
        try device.close()
        let info = try DiskImage.importInfo(path: folder.file("child.vmdk"), format: .vmdk)
        #expect(info.parentName == "/vmfs/a \"quoted\" name.vmdk" && info.parentContentIdentifier == "0000abcd")
        #expect(code { _ = try open(.refused) } == .denied)
        #expect(code { _ = try open(.given([])) } == .denied)
        #expect(code { _ = try open(.within(folder: folder.path)) } == .denied)
        #expect(code { _ = try open(.given([folder.file("gone.vmdk")])) } == .notFound)
        #expect(code { _ = try open(.given([folder.file("child.vmdk")])) } == .corrupt)
        try write(parent: "0000abce")
        #expect(code { _ = try open(.given([folder.file("base.vmdk")])) } == .invalidImage)
        try write(parent: "FFFFFFFF")
        try open(.refused).close()
    }

    /// Every sector's end, and every field with every awkward value, of a sparse extent and of both kinds of stream.
    @Test func mutatedAndTruncatedFilesNeverTrap() throws {
        var random = SeededRandom.printed()
        var builder = VMDKBuilder(capacity: 8 * 600, grain: 8)
        builder.descriptorSectors = 2
        for index in [0, 5, 511, 512, 599] as [UInt64] { builder.grains[index] = random.bytes(4096) }
        builder.zeroed = [7]
        let values: [UInt64] = [
            0, 1, 2, 7, 511, 513, 2048, 2049, 1 << 31, UInt64(UInt32.max), 1 << 55, 1 << 63, .max,
        ]
        for form in [builder.sparse(), builder.stream(.footer), builder.stream(.none), builder.stream(.front)] {
            for length in stride(from: 0, to: form.count, by: 512) { exercise(Array(form[..<length])) }
            for length in [1, 3, 4, 78, 79, 511, form.count - 1] { exercise(Array(form[..<length])) }
            var fields = [4, 8, 12, 20, 28, 36, 44, 48, 56, 64, 72, 77]
            // Descriptor, directories, tables, markers; the footer's fields.
            fields += [512, 520, 600]
            for sector in 3..<9 { for at in [0, 8, 12, 16] { fields.append(sector * 512 + at) } }
            fields += [-1536, -1528, -1524, -1024 + 12, -1024 + 20, -1024 + 56, -512, -504, -500].map { (back: Int) in
                form.count + back
            }
            for field in fields where field + 8 <= form.count {
                for value in values + [random.next()] {
                    var bytes = form
                    let width = field < 512 && [4, 8, 44].contains(field) ? 4 : 8
                    bytes.replaceSubrange(field..<field + width, with: value.bytes[..<width])
                    exercise(bytes)
                }
            }
        }
    }
}
