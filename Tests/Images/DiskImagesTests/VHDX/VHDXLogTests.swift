import BlockIO
import TestSupport
import Testing

@testable import DiskImages

/// Case 5.1: headers, and logs that are applied in memory.
@Suite struct VHDXLogTests {
    private static let id = "0A0B0C0D-0102-0304-0506-0708090A0B0C"
    private static let old = [UInt8](repeating: 0x11, count: 1 << 20)
    private static let new = [UInt8](repeating: 0x22, count: 1 << 20)

    /// Block 0 and, once the log is applied, block 1 of an 8 MiB disk; with the table's first page as the log has it.
    private func pending() throws -> (builder: VHDXBuilder, store: StoreInMemory, page: [UInt8]) {
        var builder = VHDXBuilder(size: 8 << 20)
        builder.logID = Self.id
        builder.blocks[0] = VHDXBuilder.Block(state: 6, data: Self.old)
        builder.blocks[1] = VHDXBuilder.Block(state: 6, data: Self.new)
        let store = try builder.store()
        let page = try store.array(at: VHDXBuilder.tableOffset, count: 4096)
        try store.store([UInt8](repeating: 0, count: 8), at: builder.entryPlace(1))
        return (builder, store, page)
    }

    private func place(_ bytes: [UInt8], at position: Int, in store: StoreInMemory) throws {
        let first = min(bytes.count, (1 << 20) - position)
        try store.store(Array(bytes[..<first]), at: VHDXBuilder.logOffset + UInt64(position))
        if first < bytes.count { try store.store(Array(bytes[first...]), at: VHDXBuilder.logOffset) }
    }

    /// The first bytes of the first two blocks.
    private func heads(_ store: any ImageStorage) throws -> [UInt8] {
        let device = try openVHDX(store)
        return try device.bytes(at: 0, count: 1) + device.bytes(at: 1 << 20, count: 1)
    }

    @Test("the newer of two whole headers counts (case 5.1)")
    func theNewerOfTwoWholeHeadersCounts() throws {
        var builder = VHDXBuilder(size: 1 << 20)
        builder.sequences = [4, 9]
        let store = try builder.store()
        var other = builder
        other.dataWriteID = "22222222-2222-3333-4444-555555555555"
        func set(_ first: [UInt8], _ second: [UInt8]) throws {
            try store.store(first, at: 64 << 10)
            try store.store(second, at: 128 << 10)
        }
        func chosen() throws -> String { try openVHDX(store).dataWriteID.text.uppercased() }
        let zeroes = [UInt8](repeating: 0, count: 4096)
        try set(builder.header(4), other.header(9))
        #expect(try chosen() == other.dataWriteID)
        try set(builder.header(10), other.header(9))
        #expect(try chosen() == builder.dataWriteID)
        try set(zeroes, other.header(9))
        #expect(try chosen() == other.dataWriteID)
        #expect(try VHDXImage.info(storage: store).notes.count == 1)
        try set(builder.header(9), zeroes)
        #expect(try chosen() == builder.dataWriteID)
        try set(builder.header(9), builder.header(9))
        #expect(try chosen() == builder.dataWriteID)
        try set(builder.header(9), other.header(9))
        #expect(code { _ = try chosen() } == .corrupt)
        try set(zeroes, zeroes)
        #expect(code { _ = try chosen() } == .corrupt)
        // The first table damaged: its copy.
        try set(builder.header(4), other.header(9))
        try store.store([0xFF], at: 192 << 10)
        #expect(try chosen() == other.dataWriteID)
        try store.store([0xFF], at: 256 << 10)
        #expect(code { _ = try chosen() } == .corrupt)
        try store.store([0x56], at: 0)
        #expect(code { _ = try chosen() } == .invalidImage)
    }

    @Test func theLogIsAppliedInMemoryOnly() throws {
        let folder = try ScratchFolder("vhdx")
        let (builder, store, page) = try pending()
        try place(builder.logEntry(1, tail: 0, [.page(VHDXBuilder.tableOffset, page)]), at: 0, in: store)
        let path = folder.file("a.vhdx")
        try store.save(path)
        let before = try Tool.check("sha256sum", [path])
        let device = try DiskImage.openImport(path: path, format: .vhdx)
        #expect(try device.bytes(at: 0, count: 2 << 20) == Self.old + Self.new)
        #expect(try device.extents(at: 0, length: 8 << 20).map(\.length) == [2 << 20, 6 << 20])
        #expect(code { try device.store([1], at: 0) } == .readOnly)
        try device.flush()
        try device.close()
        let info = try DiskImage.importInfo(path: path, format: .vhdx)
        #expect(info.notes.contains { $0.contains("1 entries") })
        #expect(try Tool.check("sha256sum", [path]) == before)
        // QEMU applies it to the file; the content is the same.
        try Tool.check("qemu-img", ["check", "-r", "all", "-f", "vhdx", path])
        try Tool.check("qemu-img", ["convert", "-f", "vhdx", "-O", "raw", path, folder.file("raw")])
        #expect(try Array(content(folder.file("raw"))[..<(2 << 20)]) == Self.old + Self.new)
    }

    @Test("only whole entries of the session count (case 5.1)")
    func onlyWholeEntriesOfTheSessionCount() throws {
        let (builder, store, page) = try pending()
        let entry = builder.logEntry(5, tail: 8192, [.page(VHDXBuilder.tableOffset, page)])
        // Of another session: nothing was logged in this one.
        let foreign = builder.logEntry(
            5, tail: 8192, [.page(VHDXBuilder.tableOffset, page)], id: "FFFFFFFF-0102-0304-0506-0708090A0B0C")
        try place(foreign, at: 8192, in: store)
        #expect(try heads(store) == [0x11, 0])
        #expect(try VHDXImage.info(storage: store).notes.count == 1)
        // Torn, and the only one: what it should have changed is unknown.
        var torn = entry
        torn[5000] ^= 1
        try place(torn, at: 8192, in: store)
        #expect(code { _ = try heads(store) } == .corrupt)
        // Torn behind a whole one, which alone counts then.
        try place(entry, at: 8192, in: store)
        var next = builder.logEntry(6, tail: 8192, [.zeroes(VHDXBuilder.tableOffset, 4096)])
        next[100] ^= 1
        try place(next, at: 16384, in: store)
        #expect(try heads(store) == [0x11, 0x22])
        next[100] ^= 1
        try place(next, at: 16384, in: store)
        #expect(try heads(store) == [0, 0])
        // A gap in the numbers ends the run: the later run counts, if it has its tail.
        let gap = builder.logEntry(8, tail: 8192, [.page(VHDXBuilder.tableOffset, page)])
        try place(gap, at: 16384, in: store)
        #expect(try heads(store) == [0x11, 0x22])
        try place(builder.logEntry(8, tail: 16384, []), at: 16384, in: store)
        #expect(try heads(store) == [0x11, 0])
    }

    /// An entry, or a run of entries, that goes past the end of the ring; with the tail in the middle of the run.
    @Test(
        "entries wrap around the end of the ring (case 5.1)",
        arguments: [(1 << 20) - 4096, (1 << 20) - 8192, (1 << 20) - 12288, 0])
    func entriesWrapAroundTheEndOfTheRing(position: Int) throws {
        let (builder, store, page) = try pending()
        let zeroed = VHDXBuilder.Change.zeroes(VHDXBuilder.tableOffset, 4096)
        let first = builder.logEntry(.max - 2, tail: UInt32(position), [zeroed])
        let second = UInt32((position + 4096) % (1 << 20))
        let entries = [
            first, builder.logEntry(.max - 1, tail: second, [.page(VHDXBuilder.tableOffset, page)]),
            builder.logEntry(.max, tail: second, []),
        ]
        try place(entries.flatMap { $0 }, at: position, in: store)
        #expect(try heads(store) == [0x11, 0x22])
        // What lies before the tail was done long ago.
        try store.store(page, at: VHDXBuilder.tableOffset)
        try place(builder.logEntry(.max - 1, tail: second, []) + entries[2], at: Int(second), in: store)
        #expect(try heads(store) == [0x11, 0x22])
    }

    @Test func theLogMayChangeEveryTable() throws {
        let (builder, store, page) = try pending()
        var larger = builder
        larger.size = 16 << 20
        var changes = [VHDXBuilder.Change.page(VHDXBuilder.tableOffset, page)]
        let metadata = larger.metadata()
        for start in stride(from: 0, to: metadata.count, by: 4096) {
            let part = Array(metadata[start..<min(start + 4096, metadata.count)])
            changes.append(
                .page(
                    VHDXBuilder.metadataOffset + UInt64(start), part + [UInt8](repeating: 0, count: 4096 - part.count)))
        }
        let table = builder.regionTable()
        try store.store([UInt8](repeating: 0xEE, count: table.count), at: 192 << 10)
        try store.store([UInt8](repeating: 0xEE, count: table.count), at: 256 << 10)
        for start in stride(from: 0, to: table.count, by: 4096) {
            changes.append(.page(UInt64(192 << 10) + UInt64(start), Array(table[start..<start + 4096])))
        }
        #expect(code { _ = try heads(store) } == .corrupt)
        try place(builder.logEntry(3, tail: 4096, changes), at: 4096, in: store)
        #expect(try heads(store) == [0x11, 0x22])
        #expect(try openVHDX(store).size == 16 << 20)
    }

    @Test func theFileMustHaveTheLengthThatTheLogKnows() throws {
        let (builder, store, page) = try pending()
        let length = try store.size()
        let change = VHDXBuilder.Change.page(VHDXBuilder.tableOffset, page)
        try place(builder.logEntry(1, tail: 0, [change], flushed: length), at: 0, in: store)
        #expect(try heads(store) == [0x11, 0x22])
        try place(builder.logEntry(1, tail: 0, [change], flushed: length + 1), at: 0, in: store)
        #expect(code { _ = try heads(store) } == .corrupt)
        // The last block was not written yet: the log brings the file to its length, of zeroes.
        try place(builder.logEntry(1, tail: 0, [change], flushed: length - (1 << 20), last: length), at: 0, in: store)
        try store.truncate(to: length - (1 << 20))
        #expect(try heads(store) == [0x11, 0])
        try place(builder.logEntry(1, tail: 0, [change]), at: 0, in: store)
        let device = try openVHDX(store)
        #expect(code { _ = try device.bytes(at: 1 << 20, count: 1) } == .corrupt)
    }

    @Test func aLogMustLieInTheFile() throws {
        var builder = VHDXBuilder(size: 1 << 20)
        builder.logLength = 0
        _ = try openVHDX(builder.store())
        builder.logID = Self.id
        #expect(code { _ = try openVHDX(builder.store()) } == .corrupt)
        builder.logLength = 1 << 30
        #expect(code { _ = try openVHDX(builder.store()) } == .corrupt)
        builder.logLength = 4096
        #expect(code { _ = try openVHDX(builder.store()) } == .corrupt)
        builder.logLength = 1 << 20
        let store = try builder.store()
        for offset in [0, 1 << 19, (1 << 20) + 512, UInt64(1) << 63, .max - 0xF_FFFF] as [UInt64] {
            for copy in [64 << 10, 128 << 10] as [UInt64] {
                try store.store(builder.header(9, logOffset: offset), at: copy)
            }
            #expect(code { _ = try openVHDX(store) } == .corrupt, "\(offset)")
        }
    }

    /// Entries that claim to be long at every sector would cost the square of the log's length.
    @Test func madeUpLogsCostNoMoreThanTheirLength() throws {
        let (builder, store, _) = try pending()
        var header = Array(builder.logEntry(1, tail: 0, [])[..<64])
        header.replaceSubrange(8..<12, with: UInt32(1 << 20).bytes)
        for sector in 0..<256 { try place(header, at: sector * 4096, in: store) }
        #expect(code { _ = try heads(store) } == .corrupt)
    }

    /// Random logs against a model: pages and zeroes over each other, at a random place of the ring, torn at the end.
    @Test func randomLogsLeaveWhatTheirOrderSays() throws {
        var random = SeededRandom.printed()
        for _ in 0..<12 {
            var builder = VHDXBuilder(size: 3 << 20)
            builder.logID = Self.id
            for block in 0..<3 as Range<UInt64> {
                builder.blocks[block] = VHDXBuilder.Block(
                    state: 6, data: [UInt8](repeating: UInt8(0xA0 + block), count: 1 << 20))
            }
            let store = try builder.store()
            let model = GrowingBytes(try store.array(at: builder.dataOffset, count: 3 << 20))
            let sequence = random.next() >> 1
            let start = Int.random(in: 0..<256, using: &random) * 4096
            var position = start
            var pages = Set<Int>()
            for entry in 0..<UInt64.random(in: 1...6, using: &random) {
                var changes: [VHDXBuilder.Change] = []
                for _ in 0..<Int.random(in: 0...9, using: &random) {
                    let page = Int.random(in: 0..<24, using: &random) * 32
                    if Bool.random(using: &random) {
                        let bytes = random.bytes(4096)
                        changes.append(.page(builder.dataOffset + UInt64(page * 4096), bytes))
                        model.write(bytes, at: page * 4096)
                        pages.insert(page)
                    } else {
                        let count = min(Int.random(in: 0...90, using: &random), 768 - page)
                        changes.append(.zeroes(builder.dataOffset + UInt64(page * 4096), UInt64(count * 4096)))
                        model.write([UInt8](repeating: 0, count: count * 4096), at: page * 4096)
                    }
                }
                let bytes = builder.logEntry(sequence + entry, tail: UInt32(start), changes)
                try place(bytes, at: position, in: store)
                position = (position + bytes.count) % (1 << 20)
            }
            let device = try openVHDX(store)
            #expect(try device.bytes(at: 0, count: 3 << 20) == model.array)
            for page in pages {
                let offset = max(page * 4096 - 5, 0)
                #expect(try device.bytes(at: UInt64(offset), count: 4110) == model.slice(offset..<offset + 4110))
            }
            for extent in try device.extents(at: 0, length: 3 << 20) where extent.kind != .data {
                #expect(model.isZero(Int(extent.offset)..<Int(extent.end)))
            }
        }
    }
}
