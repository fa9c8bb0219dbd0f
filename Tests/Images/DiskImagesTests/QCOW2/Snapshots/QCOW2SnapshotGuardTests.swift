import BlockIO
import CoreTypes
import TestSupport
import Testing

@testable import DiskImages

/// Refcounts that do not count what a snapshot has (3.16, 4.14): a check says so and raises them, and until then nothing is written,
/// because a cluster of the snapshot seems to be the disk's alone, or free.
@Suite struct QCOW2SnapshotGuardTests {
    /// What is counted too low.
    enum Damage: String, CaseIterable {
        /// A cluster that the disk and the snapshot share has a count of 1, and the disk's entry says that it is its own.
        case shared
        /// The same of an L2 table.
        case table
        /// A cluster that only the snapshot has is free.
        case own
        /// The snapshot's L2 table is.
        case ownTable
        /// A compressed cluster that both share.
        case compressed
        /// A cluster of two snapshots has a count of 1: it would be free when one of them goes.
        case twoSnapshots
    }

    private static let size = 256 << 10
    private static let cluster = 4096

    /// A disk of which the snapshot “kept” shares one half, and has another half of its own, on the surgeon's table.
    private func damaged(_ damage: Damage) throws -> ImageUnderKnife {
        let store = StoreInMemory()
        try QCOW2Image.create(storage: store, size: UInt64(Self.size), clusterBits: 12)
        let image = try QCOW2Image.open(storage: store, readOnly: false)
        let half = Self.size / 2
        try image.store([UInt8](repeating: 1, count: half), 0)
        if damage == .compressed {
            let bytes = (0..<Self.cluster).map { UInt8(truncatingIfNeeded: $0 / 64) }
            try image.flush()
            try unsafe bytes.withUnsafeBytes { bytes in
                try unsafe image.writeCompressed(bytes, at: UInt64(Self.size - Self.cluster))
            }
        }
        try image.createSnapshot(name: "kept")
        if damage == .twoSnapshots { try image.createSnapshot(name: "later") }
        if damage != .table {
            let from = damage == .compressed ? half / 2 : 0
            try image.store([UInt8](repeating: 2, count: half / 2), from)
        }
        try image.close()
        let knife = try ImageUnderKnife(store.bytes)
        let snapshotL1 = try knife.word(knife.header.snapshotsOffset)
        let snapshotTable = try knife.word(snapshotL1) & QCOW2Entry.offsetMask
        func host(_ table: UInt64, _ index: Int) throws -> UInt64 {
            try knife.word(table + UInt64(index) * 8) & QCOW2Entry.offsetMask
        }
        switch damage {
        case .shared:
            let place = try knife.l2(0) + UInt64(half / Self.cluster - 1) * 8
            let shared = try knife.word(place) & QCOW2Entry.offsetMask
            #expect(try shared == host(snapshotTable, half / Self.cluster - 1))
            try knife.setCount(shared, 1)
            try knife.set(place, knife.word(place) | QCOW2Entry.copied)
        case .table:
            #expect(try knife.l2(0) == snapshotTable)
            try knife.setCount(snapshotTable, 1)
            try knife.set(knife.l1Place(0), knife.word(knife.l1Place(0)) | QCOW2Entry.copied)
        case .own: try knife.setCount(host(snapshotTable, 0), 0)
        case .ownTable:
            #expect(try knife.l2(0) != snapshotTable)
            try knife.setCount(snapshotTable, 0)
        case .compressed:
            let entry = try knife.word(snapshotTable + UInt64(Self.size / Self.cluster - 1) * 8)
            #expect(entry & QCOW2Entry.compressed != 0)
            let geometry = QCOW2Geometry(knife.header)
            try knife.setCount(QCOW2CompressedBlob(entry: entry, geometry).clusters(geometry).start << 12, 1)
        case .twoSnapshots: try knife.setCount(host(snapshotTable, 0), 1)
        }
        return knife
    }

    private func kept(_ store: StoreInMemory) throws -> [UInt8] {
        let image = try QCOW2Image.open(storage: StoreInMemory(store.bytes, readOnly: true), readOnly: true)
        return try image.openSnapshot("kept").bytes(0, Self.size)
    }

    @Test("no write reaches a snapshot whose clusters are not counted (cases 3.16, 4.14)", arguments: Damage.allCases)
    func noWriteReachesASnapshotThatIsNotCounted(_ damage: Damage) throws {
        let knife = try damaged(damage)
        let expected = try kept(knife.store)
        let image = try QCOW2Image.open(storage: knife.store, readOnly: false)
        let before = knife.store.bytes
        let works: [() throws -> Void] = [
            { try image.store([UInt8](repeating: 9, count: 4096), Self.size / 2 - 4096) },
            { try image.store([UInt8](repeating: 9, count: 60_000), Self.size / 2 + 4096) },
            { try image.discard(at: 0, length: UInt64(Self.size)) },
            { try image.createSnapshot(name: "another") }, { try image.deleteSnapshot("kept") },
        ]
        for work in works {
            let error = #expect(throws: BlockError.self) { try work() }
            #expect(error?.code == .corrupt)
        }
        // It can be read, and says for everybody that it is to be repaired.
        #expect(try image.bytes(0, 100).count == 100)
        try? image.close()
        var marked = before
        marked[79] = 2
        let isAllElseUnchanged = knife.store.bytes == marked
        #expect(isAllElseUnchanged)
        #expect(throws: BlockError.self) { try QCOW2Image.open(storage: knife.store, readOnly: false) }
        let isKept = try kept(knife.store) == expected
        #expect(isKept)
    }

    @Test("a repair counts what snapshots have (cases 3.16, 4.14)", arguments: Damage.allCases)
    func aRepairCountsWhatSnapshotsHave(_ damage: Damage) throws {
        let knife = try damaged(damage)
        let expected = try kept(knife.store)
        let found = try knife.check()
        #expect(found.corruptions > 0 && found.findings.contains { $0.message.contains("refcount") })
        let after = try knife.check(.all)
        #expect(after.isClean, "\(after.findings.prefix(3))")
        let image = try QCOW2Image.open(storage: knife.store, readOnly: false)
        try image.store([UInt8](repeating: 9, count: Self.size), 0)
        if damage == .twoSnapshots { try image.deleteSnapshot("later") }
        try image.store([UInt8](repeating: 8, count: Self.size), 0)
        try image.close()
        let isKept = try kept(knife.store) == expected
        #expect(isKept)
        let folder = try ScratchFolder("snapshot-guard")
        let verdict = try knife.qemu(folder)
        #expect(verdict.status == 0, "\(verdict.output)\(verdict.errors)")
    }
}
