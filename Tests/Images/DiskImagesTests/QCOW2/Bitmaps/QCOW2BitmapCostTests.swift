import BlockIO
import CoreTypes
import Synchronization
import TestSupport
import Testing

@testable import DiskImages

/// What it costs to keep bitmaps: looking at the whole mapping only where something is to be given back, and then once.
@Suite struct QCOW2BitmapCostTests {
    private static let tables = 40
    private static let span = 2 << 20

    /// A disk with many L2 tables of 4 KiB.
    private func sample() throws -> StoreInMemory {
        let store = StoreInMemory()
        try QCOW2Image.create(storage: store, size: UInt64(Self.tables * Self.span), clusterBits: 12)
        let image = try QCOW2Image.open(storage: store, readOnly: false)
        for table in 0..<Self.tables { try image.store([1], table * Self.span) }
        try image.close()
        return store
    }

    /// Opens the image, does the work, and counts how often closing reads an L2 table.
    private func tablesRead(_ store: StoreInMemory, _ work: (QCOW2Image) throws -> Void) throws -> Int {
        let image = try QCOW2Image.open(storage: store, readOnly: false)
        try work(image)
        try image.flush()
        let all = Set((0..<image.l1.count).map { Int(image.l1[$0] & QCOW2Entry.offsetMask) })
        let count = Mutex(0)
        store.reading = { range in if all.contains(range.lowerBound) { count.withLock { $0 += 1 } } }
        try image.close()
        store.reading = nil
        #expect(try ImageUnderKnife(store.bytes).check().isClean)
        return count.withLock { $0 }
    }

    private func dirty(_ store: StoreInMemory) throws -> [Range<UInt64>] {
        let image = try QCOW2Image.open(storage: StoreInMemory(store.bytes, readOnly: true), readOnly: true)
        #expect(try image.bitmaps().map(\.isInconsistent) == [false])
        return try image.dirtyRanges(ofBitmap: "marks")
    }

    @Test func closingReadsNoTablesWhereNothingIsGivenBack() throws {
        let store = try sample()
        // What this session made is known to be its own.
        var read = try tablesRead(store) { image in
            try image.createBitmap(name: "marks", granularity: 65536)
            try image.setBitmap("marks", isEnabled: false)
            try image.setBitmap("marks", isEnabled: true)
            try image.store([2], 0)
        }
        #expect(read == 0)
        #expect(try dirty(store) == [0..<65536])
        // The file has these bits: only the mark goes.
        read = try tablesRead(store) { image in try image.store([3], 4096) }
        #expect(read == 0)
        #expect(try dirty(store) == [0..<65536])
        // Others take the place of those in the file, which are given back after one look.
        read = try tablesRead(store) { image in try image.store([4], Self.span) }
        #expect((1...Self.tables).contains(read))
        #expect(try dirty(store) == [0..<65536, UInt64(Self.span)..<UInt64(Self.span) + 65536])
    }

    /// Bits that another has put where the bitmap's were are no bits.
    @Test func whatTheFileHasIsReadAgainBeforeItIsCalledValid() throws {
        let store = try sample()
        _ = try tablesRead(store) { image in
            try image.createBitmap(name: "marks", granularity: 65536)
            try image.store([2], 0)
        }
        _ = try tablesRead(store) { image in
            try image.store([3], 4096)
            let table = image.bitmapStore.directory.entries[0].tableOffset
            let bits = try store.words(at: table, count: 1)[0]
            try store.store([0], at: bits)
        }
        #expect(try dirty(store) == [0..<65536])
    }

    /// As many bitmaps as an image can have, which all name one table and are not valid: who changes one looks once.
    @Test func manyBitmapsAreLookedAtOnce() throws {
        let store = try sample()
        let end = (try store.size() + 4095) & ~4095
        var entry = QCOW2BitmapEntry(
            tableOffset: end, tableEntries: 1, flags: QCOW2BitmapEntry.auto, granularityBits: 16, name: [])
        var directory = QCOW2BitmapDirectory()
        for number in 0..<QCOW2BitmapDirectory.most {
            entry.name = Array("b\(number)".utf8)
            directory.entries.append(entry)
        }
        let bytes = try directory.encoded()
        try store.store([UInt8](repeating: 0, count: 4096) + bytes, at: end)
        var header = try QCOW2Image.readHeader(store, fileSize: store.size())
        header.extensions.bitmapDirectory = (end + 4096, UInt64(bytes.count))
        header.extensions.bitmapCount = UInt32(directory.entries.count)
        header.autoclear = 0
        try header.rewrite(on: store)
        let image = try QCOW2Image.open(storage: store, readOnly: false)
        #expect(try image.bitmaps().count == QCOW2BitmapDirectory.most)
        let before = store.readCount
        try image.createBitmap(name: "new", granularity: 65536)
        let read = store.readCount - before
        #expect(read < QCOW2BitmapDirectory.most + 1000, "\(read)")
        // What nobody can call its own is no bitmap any more.
        #expect(try image.bitmaps().map(\.name) == ["new"])
        try image.close()
        #expect(try ImageUnderKnife(store.bytes).check().corruptions == 0)
    }
}
