import BlockIO
import CoreTypes
import DiskImages
import Glibc
import Synchronization
import TestSupport
import Testing

@testable import BlockCopy

/// What is left where tables of an image are lost, and not only data.
@Suite struct SalvagedTablesTests {
    /// A disk whose first bytes are mapped by a table on a sector that cannot be read.
    private final class BadTable: BlockDevice, DamagedImage {
        let base: MemoryDevice
        let mapped: Range<UInt64>
        let tries = Atomic<Int>(0)

        init(_ base: MemoryDevice, mapped: Range<UInt64>) { (self.base, self.mapped) = (base, mapped) }

        var size: UInt64 { base.size }
        var isReadOnly: Bool { true }
        var preferredAlignment: UInt64 { 65536 }
        var ownFile: ImageFile? { nil }

        private func failure() -> BlockError {
            tries.add(1, ordering: .relaxed)
            return BlockError(call: "pread", errno: EIO, path: "image", offset: 65536)
        }
        func lostRun(at offset: UInt64) -> (range: Range<UInt64>, error: BlockError)? {
            mapped.contains(offset) ? (mapped, failure()) : nil
        }
        func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
            if mapped.overlaps(offset..<offset + UInt64(buffer.count)) { throw failure() }
            try unsafe base.read(into: buffer, at: offset)
        }
        func appendExtents(to extents: inout [Extent], at offset: UInt64, length: UInt64) throws(BlockError) {
            if mapped.overlaps(offset..<offset + length) { throw failure() }
            try base.appendExtents(to: &extents, at: offset, length: length)
        }
        func write(_ data: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) { throw failure() }
        func writeZeroes(at offset: UInt64, length: UInt64, mayUnmap: Bool) throws(BlockError) { throw failure() }
        func discard(at offset: UInt64, length: UInt64) throws(BlockError) { throw failure() }
        func flush() throws(BlockError) {}
        func close() throws(BlockError) {}
    }

    @Test("each try of a bad table takes seconds, so there are few (case 6.7)", arguments: [0, 5 << 20] as [UInt64])
    func aTableThatCannotBeReadCostsAFewTries(_ start: UInt64) throws {
        let size = 32 << 20
        let lost = start..<start + (16 << 20)
        let disk = BadTable(MemoryDevice(content: [UInt8](repeating: 7, count: size)), mapped: lost)
        let salvaged = try SalvagedDevice(disk)
        let target = MemoryDevice(content: [UInt8](repeating: 5, count: size))
        var options = CopyEngine.Options()
        options.destinationIsZero = false
        try CopyEngine.copy(from: salvaged, to: target, options: options)
        #expect(salvaged.lost.ranges == [lost] && salvaged.firstError?.systemError == EIO)
        let tries = disk.tries.load(ordering: .relaxed)
        #expect(tries < 60, "\(tries)")
        let content = try target.bytes(0, size)
        var expected = [UInt8](repeating: 7, count: size)
        expected.replaceSubrange(Int(start)..<Int(start) + (16 << 20), with: [UInt8](repeating: 0, count: 16 << 20))
        let isRight = content == expected
        #expect(isRight)
        // Who reads without a look at the map is no slower.
        let again = try SalvagedDevice(disk)
        let isSame = try again.bytes(0, size) == content
        #expect(isSame && again.lost.ranges == [lost])
        #expect(disk.tries.load(ordering: .relaxed) < tries + 60)
    }

    private func opened(_ path: String, _ format: ImageFormat, _ change: (inout OpenPolicy) -> Void = { _ in }) throws
        -> any BlockDevice
    {
        var policy = OpenPolicy()
        change(&policy)
        return try DiskImage.open(path: path, format: format, readOnly: true, policy: policy)
    }

    private func changing(_ path: String, _ change: (ImageFile) throws -> Void) throws {
        let file = try ImageFile(path: path, access: .readWrite, locking: false)
        defer { file.close() }
        try change(file)
    }

    private func word(_ file: ImageFile, _ offset: UInt64) throws -> UInt64 {
        try file.bytes(at: offset, count: 8).reduce(0) { $0 << 8 | UInt64($1) }
    }

    private func set(_ file: ImageFile, _ offset: UInt64, _ value: UInt64) throws {
        try file.write(bytes: (0..<8).map { UInt8(truncatingIfNeeded: value >> (56 - 8 * $0)) }, at: offset)
    }

    private static let offsets: UInt64 = 0x00FF_FFFF_FFFF_FE00

    /// Copies, and compares with what was there, zeroes where something is lost: the ranges that are.
    private func left(of disk: any BlockDevice, _ content: [UInt8]) throws -> [Range<UInt64>] {
        let salvaged = try SalvagedDevice(disk)
        let target = MemoryDevice(content: [UInt8](repeating: 5, count: content.count))
        var options = CopyEngine.Options()
        options.destinationIsZero = false
        try CopyEngine.copy(from: salvaged, to: target, options: options)
        try salvaged.checkLengths()
        try disk.close()
        var expected = content
        for range in salvaged.lost.ranges {
            expected.replaceSubrange(
                Int(range.lowerBound)..<Int(range.upperBound), with: repeatElement(0, count: range.count))
        }
        let isSame = try target.bytes(0, content.count) == expected
        #expect(isSame)
        return salvaged.lost.ranges
    }

    @Test("terabytes below damaged entries are told in no time (case 6.7)")
    func everyTableLostIsTold() throws {
        let folder = try ScratchFolder("salvage-tables")
        let path = folder.file("image")
        try DiskImage.create(path: path, format: .qcow2, size: 8 << 40).close()
        try changing(path) { file in
            let table = try word(file, 40)
            for index in stride(from: 1 as UInt64, to: 16384, by: 2) { try set(file, table + index * 8, index) }
        }
        let disk = try opened(path, .qcow2)
        let salvaged = try SalvagedDevice(disk)
        var walk = HostExtentWalk(salvaged)
        while let extent = try walk.next() { #expect(extent.kind != .data) }
        let span: UInt64 = 512 << 20
        let expected: [Range<UInt64>] = (0..<8192 as Range<UInt64>).map { number in
            let start = (number * 2 + 1) * span
            return start..<start + span
        }
        #expect(salvaged.lost.ranges == expected)
        try disk.close()
    }

    @Test("below a child only what shows of the damaged image is lost (case 6.7)")
    func aLostTableHidesWhatShowsOfItsImageOnly() throws {
        let folder = try ScratchFolder("salvage-chain")
        var content = [UInt8](repeating: 7, count: 4 << 20)
        let base = try DiskImage.create(path: folder.file("base"), format: .qcow2, size: 4 << 20)
        try base.store(content, at: 0)
        try base.close()
        var options = CreateOptions()
        options.parent = CreateOptions.Parent(name: "base", format: .qcow2)
        let parents = OpenPolicy.Parents.given([ImageReference(path: folder.file("base"), format: .qcow2)])
        let child = try DiskImage.create(
            path: folder.file("child"), format: .qcow2, size: 4 << 20, options: options,
            policy: OpenPolicy(parents: parents))
        content.replaceSubrange(1 << 20..<(1 << 20) + 65536, with: repeatElement(9, count: 65536))
        try child.store([UInt8](repeating: 9, count: 65536), at: 1 << 20)
        try child.close()
        try changing(folder.file("base")) { try set($0, word($0, 40), 2) }
        let lost = try left(of: opened(folder.file("child"), .qcow2) { $0.parents = parents }, content)
        let expected: [Range<UInt64>] = [0..<1_048_576, 1_114_112..<4_194_304]
        #expect(lost == expected)
    }

    @Test("a VHD that lost its end opens for who saves what is left (case 6.7)")
    func aVHDThatWasCutIsSavedAsFarAsItGoes() throws {
        let folder = try ScratchFolder("salvage-vhd")
        let path = folder.file("image")
        let content = [UInt8](repeating: 7, count: 8 << 20)
        let image = try DiskImage.create(path: path, format: .vhd, size: 8 << 20)
        try image.store(content, at: 0)
        try image.close()
        try changing(path) { try $0.truncate(to: 3 << 20) }
        let error = #expect(throws: BlockError.self) { _ = try opened(path, .vhd) }
        #expect(error?.code == .corrupt)
        let lost = try left(of: opened(path, .vhd) { $0.salvages = true }, content)
        let bytes: Int = lost.reduce(0) { $0 + $1.count }
        let isRight = lost.count == 1 && bytes > 5_242_880 && bytes < 6_291_456
        #expect(isRight, "\(lost)")
        // Nobody writes to it.
        var policy = OpenPolicy()
        policy.salvages = true
        #expect(throws: BlockError.self) {
            try DiskImage.open(path: path, format: .vhd, readOnly: false, policy: policy).close()
        }
    }

    @Test("sectors that a child's bits name behind the end are lost (case 6.7)")
    func whatTheBitsSayBehindTheEndIsLost() throws {
        let folder = try ScratchFolder("salvage-bits")
        let (base, path) = (folder.file("base"), folder.file("child"))
        try DiskImage.create(path: base, format: .raw, size: 8 << 20).close()
        var options = CreateOptions()
        options.parent = CreateOptions.Parent(name: "base", format: .raw)
        let parents = OpenPolicy.Parents.given([ImageReference(path: base, format: .raw)])
        let child = try DiskImage.create(
            path: path, format: .vhd, size: 8 << 20, options: options, policy: OpenPolicy(parents: parents))
        var content = [UInt8](repeating: 0, count: 8 << 20)
        for start in [6 << 20, (7 << 20) + 512] {
            content.replaceSubrange(start..<start + 1 << 19, with: repeatElement(7, count: 1 << 19))
            try child.store([UInt8](repeating: 7, count: 1 << 19), at: UInt64(start))
        }
        try child.close()
        try changing(path) { try $0.truncate(to: $0.size() - 512 - (2 << 20) + (256 << 10)) }
        let lost = try left(of: opened(path, .vhd) { $0.parents = parents }, content)
        // 256 KiB of the block are there.
        let expected: [Range<UInt64>] = [6_553_600..<6_815_744, 7_340_544..<7_864_832]
        #expect(lost == expected)
    }

    @Test("of a table that the file ends in the rest is lost, and no hole (case 6.7)", arguments: [false, true])
    func aTableThatTheFileEndsInIsLostFromThere(_ isChild: Bool) throws {
        let folder = try ScratchFolder("salvage-cut-table")
        let (base, path) = (folder.file("base"), folder.file("image"))
        var options = CreateOptions()
        var parents = OpenPolicy.Parents.refused
        if isChild {
            let parent = try DiskImage.create(path: base, format: .raw, size: 4 << 20)
            try parent.store([UInt8](repeating: 3, count: 4 << 20), at: 0)
            try parent.close()
            options.parent = CreateOptions.Parent(name: "base", format: .raw)
            parents = .given([ImageReference(path: base, format: .raw)])
        }
        let image = try DiskImage.create(
            path: path, format: .qcow2, size: 4 << 20, options: options, policy: OpenPolicy(parents: parents))
        let content = [UInt8](repeating: 7, count: 4 << 20)
        try image.store(content, at: 0)
        try image.close()
        try changing(path) { file in
            let entry = try word(file, 40)
            let table = try file.bytes(at: word(file, entry) & Self.offsets, count: 65536)
            let end = (try file.size() + 65535) / 65536 * 65536
            try file.write(bytes: table, at: end)
            try set(file, entry, end)
            try file.truncate(to: end + 20 * 8)
        }
        let lost = try left(of: opened(path, .qcow2) { $0.parents = parents }, content)
        let expected: [Range<UInt64>] = [1_310_720..<4_194_304]
        #expect(lost == expected)
    }

    @Test("what a snapshot has behind the end is lost (case 6.7)")
    func aSnapshotBehindTheEndIsLost() throws {
        let folder = try ScratchFolder("salvage-snapshot")
        let path = folder.file("image")
        let content = [UInt8](repeating: 7, count: 2 << 20)
        let image = try DiskImage.create(path: path, format: .qcow2, size: 2 << 20)
        try image.store(content, at: 0)
        try image.close()
        try Tool.check("qemu-img", ["snapshot", "-c", "one", path])
        try changing(path) { file in
            let entry = (try word(file, word(file, 40)) & Self.offsets) + 3 * 8
            let cluster = try file.bytes(at: word(file, entry) & Self.offsets, count: 65536)
            let end = (try file.size() + 65535) / 65536 * 65536
            try file.write(bytes: cluster, at: end)
            try set(file, entry, end)
            try file.truncate(to: end + 32768)
        }
        let disk = try DiskImage.open(path: path, format: .qcow2, policy: OpenPolicy(), snapshot: .name("one"))
        let expected: [Range<UInt64>] = [229_376..<262_144]
        #expect(try left(of: disk, content) == expected)
    }

    @Test("what a file does not store is not read (case 6.7)")
    func whatAFileDoesNotStoreIsNotRead() throws {
        let folder = try ScratchFolder("salvage-holes")
        let path = folder.file("image")
        var options = CreateOptions()
        options.preallocation = .metadata
        let image = try DiskImage.create(path: path, format: .qcow2, size: 4 << 20, options: options)
        try image.store([UInt8](repeating: 7, count: 65536), at: 1 << 20)
        try image.close()
        let disk = try opened(path, .qcow2)
        let salvaged = try SalvagedDevice(disk)
        let data = try salvaged.extents(at: 0, length: 4 << 20).filter { $0.kind == .data }
        let bytes: UInt64 = data.reduce(0) { $0 + $1.length }
        #expect(bytes < 1_048_576, "\(data)")
        let isThere = data.contains { $0.offset <= 1_048_576 && $0.end >= 1_114_112 }
        #expect(isThere && salvaged.lost.ranges.isEmpty)
        try disk.close()
    }
}
