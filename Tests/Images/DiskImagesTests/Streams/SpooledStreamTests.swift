import BlockIO
import CoreTypes
import Foundation
import TestSupport
import Testing

@testable import DiskImages

/// Streams that must be read out of order wait in a file without a name.
@Suite struct SpooledStreamTests {
    private func sample(
        _ format: String, _ options: String, _ folder: ScratchFolder
    ) throws -> (disk: MemoryDevice, bytes: [UInt8]) {
        var random = SeededRandom.printed(format + options)
        let disk = try randomDisk(size: (6 << 20) + 512, pieces: 20, longest: 200_000, random: &random)
        try save(folder.file("raw"), disk.bytes(at: 0, count: Int(disk.size)))
        try Tool.check(
            "qemu-img",
            ["convert", "-f", "raw", "-O", format, "-o", "subformat=\(options)", folder.file("raw"), folder.file("a")])
        return (disk, try content(folder.file("a")))
    }

    @Test(arguments: [
        ("vhdx", "dynamic"), ("vhdx", "fixed"), ("vmdk", "monolithicSparse"), ("vmdk", "streamOptimized"),
    ])
    func whatQemuWritesIsReadFromAStream(_ format: String, _ subformat: String) throws {
        let folder = try ScratchFolder("spooled")
        let (disk, bytes) = try sample(format, subformat, folder)
        let kind = try #require(StreamFormat(rawValue: format))
        var options = StreamReadOptions()
        options.spillFolder = folder.path
        let names = try folder.contents()
        for piece in [Int.max, 70_001] {
            #expect(try equalContent(readBack(bytes, kind, options: options, piece: piece), disk))
        }
        // Over what is there, and not behind the disk's end.
        let there = MemoryDevice(size: 8 << 20)
        try there.store([UInt8](repeating: 5, count: 8 << 20), at: 0)
        try DiskImage.readStream(
            from: ArraySource(bytes), as: kind, options: options, into: .device(there, isFresh: false))
        #expect(try there.bytes(at: 0, count: Int(disk.size)) == disk.bytes(at: 0, count: Int(disk.size)))
        #expect(try there.bytes(at: disk.size, count: 100) == [UInt8](repeating: 5, count: 100))
        // Cut off, too large, no place, no room: nothing is left.
        let small = try ScratchMount("tmpfs", size: "64k", in: folder)
        func failure(_ bytes: [UInt8], _ change: (inout StreamReadOptions) -> Void) -> BlockError.Code? {
            var options = options
            change(&options)
            return code { _ = try readBack(bytes, kind, options: options) }
        }
        if subformat != "streamOptimized" {
            #expect([.invalidImage, .corrupt].contains(failure(Array(bytes[..<(bytes.count / 3)])) { _ in }))
            #expect(failure(bytes) { $0.spillFolder = nil } == .unsupported)
            #expect(failure(bytes) { $0.largestSpill = 100_000 } == .limitExceeded)
            #expect(failure(bytes) { $0.spillFolder = small.path } == .noSpace)
        }
        #expect(failure(bytes) { $0.largestVirtualSize = 1 << 20 } == .limitExceeded)
        #expect(try folder.contents().filter { !$0.hasPrefix("mounted") } == names)
    }

    /// For who reads it more than once, or in another order; and no more than was allowed.
    @Test(arguments: ImageFormat.allCases)
    func whatIsUnpackedIsADiskForReading(_ format: ImageFormat) throws {
        let folder = try ScratchFolder("unpacked")
        var random = SeededRandom.printed("\(format)")
        let disk = try randomDisk(size: (6 << 20) + 512, pieces: 20, longest: 200_000, random: &random)
        let bytes = try streamBytes(disk, format)
        func unpack(_ change: (inout StreamReadOptions) -> Void = { _ in }) throws -> any BlockDevice {
            var options = StreamReadOptions()
            options.spillFolder = folder.path
            change(&options)
            return try DiskImage.unpackStream(
                from: ArraySource(bytes, largestPiece: 100_001), as: StreamFormat(format), options: options)
        }
        let device = try unpack()
        #expect(device.size == disk.size && device.isReadOnly)
        #expect(try folder.contents() == [])
        #expect(try equalContent(device, disk))
        var extents: [Extent] = []
        try device.appendExtents(to: &extents, at: 0, length: device.size)
        #expect(extents.contains { $0.kind == .hole })
        try device.close()
        #expect(code { _ = try unpack { $0.largestVirtualSize = 1 << 20 } } == .limitExceeded)
        #expect(code { _ = try unpack { $0.spillFolder = nil } } == .unsupported)
        let small = try ScratchMount("tmpfs", size: "64k", in: folder)
        #expect(code { _ = try unpack { $0.spillFolder = small.path } } == .noSpace)
    }

    /// The table's first page is in the log only.
    @Test func aLogIsAppliedInMemory() throws {
        let folder = try ScratchFolder("spooled")
        var builder = VHDXBuilder(size: 4 << 20)
        builder.logID = "0A0B0C0D-0102-0304-0506-0708090A0B0C"
        builder.blocks[1] = VHDXBuilder.Block(state: 6, data: [UInt8](repeating: 0x22, count: 1 << 20))
        let store = try builder.store()
        let page = try store.array(at: VHDXBuilder.tableOffset, count: 4096)
        try store.store([UInt8](repeating: 0, count: 8), at: builder.entryPlace(1))
        try store.store(
            builder.logEntry(1, tail: 0, [.page(VHDXBuilder.tableOffset, page)]), at: VHDXBuilder.logOffset)
        var options = StreamReadOptions()
        options.spillFolder = folder.path
        let found = try readBack(store.bytes, .vhdx, options: options)
        #expect(try found.size == 4 << 20 && found.bytes(at: (1 << 20) - 1, count: 2) == [0, 0x22])
        #expect(try folder.contents() == [])
        // Who opens an image on it is told.
        try save(folder.file("base"), store.bytes)
        var made = CreateOptions()
        made.parent = CreateOptions.Parent(name: "base", format: .imported(.vhdx))
        let policy = OpenPolicy(parents: .within(folder: folder.path))
        let child = try DiskImage.create(
            path: folder.file("child"), format: .qcow2, size: 4 << 20, options: made, policy: policy)
        #expect(DiskImage.notes(of: child).contains { $0.contains("its parent: ") && $0.contains("1 entries") })
        try child.close()
    }

    /// Parents are files, and are judged as those of a file are.
    @Test func aDifferenceNeedsItsParent() throws {
        let folder = try ScratchFolder("spooled")
        var base = VHDXBuilder(size: 4 << 20)
        base.dataWriteID = "AAAAAAAA-2222-3333-4444-555555555555"
        base.blocks[0] = VHDXBuilder.Block(state: 6, data: [UInt8](repeating: 1, count: 1 << 20))
        try base.make(folder.file("base"))
        var child = VHDXBuilder(size: 4 << 20)
        child.locator = [
            ("parent_linkage", "{aaaaaaaa-2222-3333-4444-555555555555}"), ("relative_path", #".\base"#),
        ]
        child.blocks[1] = VHDXBuilder.Block(state: 6, data: [UInt8](repeating: 2, count: 1 << 20))
        let bytes = try child.store().bytes
        var options = StreamReadOptions()
        options.spillFolder = folder.path
        #expect(code { _ = try readBack(bytes, .vhdx, options: options) } == .denied)
        options.imports.parents = .given([folder.file("base")])
        let found = try readBack(bytes, .vhdx, options: options)
        #expect(try found.bytes(at: (1 << 20) - 1, count: 2) == [1, 2])
        base.dataWriteID = "BBBBBBBB-2222-3333-4444-555555555555"
        try base.make(folder.file("other"))
        options.imports.parents = .given([folder.file("other")])
        #expect(code { _ = try readBack(bytes, .vhdx, options: options) } == .invalidImage)
        #expect(try folder.contents().sorted() == ["base", "other"])
    }

    @Test func whatIsNotOneFileIsRefused() throws {
        let folder = try ScratchFolder("spooled")
        var options = StreamReadOptions()
        options.spillFolder = folder.path
        let (_, flat) = try sample("vmdk", "monolithicFlat", folder)
        let failure = #expect(throws: BlockError.self) { try readBack(flat, .vmdk, options: options) }
        #expect(failure?.code == .denied && failure?.message.contains("other files") == true)
        for bytes in [[], [1, 2, 3], [UInt8](repeating: 0, count: 70_000), Array("COWD".utf8)] as [[UInt8]] {
            for format in [StreamFormat.vhdx, .vmdk] {
                let refusal = code { _ = try readBack(bytes, format, options: options) }
                #expect(refusal == .invalidImage || refusal == .unsupported)
            }
        }
    }
}
