import BlockIO
import CoreTypes
import TestSupport
import Testing

@testable import DiskImages

/// The file system has no more room, or does not let the file become longer.
@Suite struct QCOW2FullFileTests {
    /// Wherever the limit lies, at data, a table or a refcount block: the write fails, and nothing else does.
    @Test(
        "a write for which there is no room leaves no cluster behind (case 4.20)",
        arguments: [(9, 6), (9, 4), (12, 5), (16, 4)])
    func aWriteForWhichThereIsNoRoomLeavesNoClusterBehind(_ clusterBits: Int, _ order: Int) throws {
        let seed = SeededRandom.printed("\(#function) \(clusterBits) \(order)").seed
        let size = 4 << 20
        var failed = 0
        for limit in 0..<24 {
            var random = SeededRandom(seed: seed &+ UInt64(limit))
            let store = StoreInMemory()
            try QCOW2Image.create(storage: store, size: UInt64(size), clusterBits: clusterBits, refcountOrder: order)
            let image = try QCOW2Image.open(storage: store, readOnly: false)
            let model = GrowingBytes()
            model.resize(size)
            store.longest = store.bytes.count + limit * 1800 << max(0, clusterBits - 10)
            for step in 0..<30 {
                let start = Int.random(in: 0..<size, using: &random)
                let count = min(size - start, Int.random(in: 1...30_000, using: &random))
                do {
                    let byte = step % 5 == 3 ? 0 : UInt8(step + 1)
                    if byte == 0 {
                        try image.writeZeroes(at: UInt64(start), length: UInt64(count), mayUnmap: step % 2 == 0)
                    } else {
                        try image.store([UInt8](repeating: byte, count: count), start)
                    }
                    model.write([UInt8](repeating: byte, count: count), at: start)
                } catch let error as BlockError {
                    #expect(error.code == .noSpace)
                    failed += 1
                    // A part of it may be there.
                    model.write(try image.bytes(start, count), at: start)
                }
                // What was written becomes durable, whatever there was no room for.
                if step % 4 == 0 { try image.flush() }
            }
            try image.close()
            let report = try ImageUnderKnife(store.bytes).check()
            #expect(report.isClean, "limit \(limit): \(report.findings.prefix(3))")
            let again = try QCOW2Image.open(storage: store, readOnly: true)
            let isEqual = try again.bytes(0, size) == model.array
            #expect(isEqual, "limit \(limit)")
        }
        #expect(failed > 20)
    }

    /// Neither clusters nor mapped zeroes behind the end of the disk.
    @Test(
        "a growth for which there is no room gives back what it took (case 4.25)",
        arguments: [CreateOptions.Preallocation.metadata, .falloc, .full], [false, true])
    func aGrowthForWhichThereIsNoRoomGivesBackWhatItTook(
        _ preallocation: CreateOptions.Preallocation, _ hasSnapshot: Bool
    ) throws {
        for room in [0, 3000, 20_000, 300_000, 700_000] {
            let store = StoreInMemory()
            try QCOW2Image.create(storage: store, size: 100 << 10, clusterBits: 9)
            let image = try QCOW2Image.open(storage: store, readOnly: false)
            let content = [UInt8](repeating: 1, count: 30_000)
            try image.store(content, 60_000)
            if hasSnapshot { try image.createSnapshot(name: "one") }
            try image.flush()
            let before = try ImageUnderKnife(store.bytes).check()
            store.longest = store.bytes.count + room
            #expect(throws: BlockError.self) { try image.resize(to: 4 << 20, preallocation: preallocation) }
            #expect(image.size == 100 << 10)
            // What the snapshot shares is copied.
            if hasSnapshot { store.longest = nil }
            try image.store([2], 60_000)
            try image.close()
            let after = try ImageUnderKnife(store.bytes).check()
            #expect(after.isClean, "\(room): \(after.findings.prefix(3))")
            #expect(after.allocatedClusters == before.allocatedClusters, "\(room)")
            let again = try QCOW2Image.open(storage: store, readOnly: false)
            #expect(try again.bytes(60_000, content.count) == [2] + content.dropFirst())
            store.longest = nil
            try again.resize(to: 4 << 20, preallocation: preallocation)
            #expect(try again.bytes(90_000, 100_000).allSatisfy { $0 == 0 })
            try again.close()
            #expect(try ImageUnderKnife(store.bytes).check().isClean)
        }
    }

    /// The copy of a table that a snapshot shares needs room, too.
    @Test func aSharedTableForWhoseCopyThereIsNoRoomStaysShared() throws {
        let store = StoreInMemory()
        try QCOW2Image.create(storage: store, size: 1 << 20, clusterBits: 9)
        let image = try QCOW2Image.open(storage: store, readOnly: false)
        try image.store([UInt8](repeating: 1, count: 3000), 0)
        try image.createSnapshot(name: "one")
        store.longest = store.bytes.count
        #expect(throws: BlockError.self) { try image.store([2], 100_000) }
        #expect(throws: BlockError.self) { try image.store([2], 5) }
        try image.flush()
        store.longest = nil
        try image.store([3], 7)
        try image.close()
        #expect(try ImageUnderKnife(store.bytes).check().isClean)
        let again = try QCOW2Image.open(storage: store, readOnly: true)
        #expect(try again.bytes(4, 5) == [1, 1, 1, 3, 1])
        #expect(try again.openSnapshot("one").bytes(at: 4, count: 5) == [1, 1, 1, 1, 1])
    }
}
