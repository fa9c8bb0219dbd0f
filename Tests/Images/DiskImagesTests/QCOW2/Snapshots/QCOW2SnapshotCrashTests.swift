import BlockIO
import Foundation
import TestSupport
import Testing

@testable import DiskImages

/// Crashes while snapshots are made, applied and deleted: the disk and every snapshot that the table then names hold
/// what they held, further work harms nobody, and a check finds nothing but leaks.
@Suite struct QCOW2SnapshotCrashTests {
    /// What there may be after an operation has begun: before it, or after it.
    private struct State {
        var disk: [UInt8]
        var kept: [String: [UInt8]]
    }

    @Test(arguments: [(9, 6), (12, 4), (16, 4)])
    func leavesTheStateBeforeOrAfter(_ clusterBits: Int, _ refcountOrder: Int) throws {
        var random = SeededRandom.printed("\(#function) \(clusterBits)")
        let size = 144 << 10
        let store = StoreInMemory()
        try QCOW2Image.create(
            storage: store, size: UInt64(size), clusterBits: clusterBits, refcountOrder: refcountOrder)
        let start = store.bytes
        store.recording = true
        let image = try QCOW2Image.open(storage: store, readOnly: false)
        // Everything is flushed between operations, so that there are two states at most.
        var states: [(event: Int, state: State)] = []
        var state = State(disk: [UInt8](repeating: 0, count: size), kept: [:])
        states.append((0, state))
        for step in 1...36 {
            switch step % 6 {
            case 0, 2, 4:
                let from = Int.random(in: 0..<size - 1, using: &random) / 512 * 512
                let count = min(size - from, Int.random(in: 1...120, using: &random) * 512)
                // Sectors may be old or new, so writes are steps of their own with states between them.
                let content = [UInt8](repeating: UInt8(step), count: count)
                try image.store(content, from)
                state.disk.replaceSubrange(from..<from + count, with: content)
                states.append((-store.eventCount, state))
            case 1, 5:
                try image.createSnapshot(name: "s\(step)")
                state.kept["s\(step)"] = state.disk
            default:
                guard let name = state.kept.keys.sorted().randomElement(using: &random) else { continue }
                if step % 2 == 1, Bool.random(using: &random), state.kept.count > 2 {
                    try image.deleteSnapshot(name)
                    state.kept[name] = nil
                } else {
                    try image.applySnapshot(name)
                    state.disk = state.kept[name] ?? []
                }
            }
            try image.flush()
            states.append((store.eventCount, state))
        }
        try image.close()
        states.append((store.eventCount, state))

        let events = store.events
        let barriers = events.indices.filter { if case .sync = events[$0] { true } else { false } }
        let folder = try ScratchFolder("qcow2-snapshot-crash")
        for number in 0..<100 {
            let cut =
                number % 3 == 0
                ? Int.random(in: 0...events.count, using: &random) : barriers.randomElement(using: &random) ?? 0
            let crashed = StoreInMemory(StoreInMemory.crashed(start, events[..<cut], &random))
            do {
                let image = try QCOW2Image.open(storage: crashed, readOnly: false)
                let last = states.lastIndex { $0.event >= 0 && $0.event <= cut } ?? 0
                try verify(image, states[last...].prefix(3).map(\.state))
                let report = try ImageUnderKnife(crashed.bytes).check()
                #expect(report.corruptions == 0, "\(report.findings.prefix(3))")
                if number % 3 == 1 {
                    let kept = try contents(image)
                    try image.store([UInt8](repeating: 0xEE, count: 100_000), 3000)
                    try image.flush()
                    #expect(try contents(image) == kept, "a write reached a snapshot")
                    try image.close()
                    try crashed.save(folder.file("a.qcow2"))
                    // 3: leaks.
                    try qemuCheck(folder.file("a.qcow2"), allowing: [0, 3])
                }
            } catch {
                Issue.record("crash before event \(cut) of \(events.count): \(error)")
                return
            }
        }
    }

    /// The dirty bit is durable before anything else changes, and goes when everything else is durable.
    @Test func aChangeOfSnapshotsLiesBetweenTwoWritesOfTheDirtyBit() throws {
        let store = StoreInMemory()
        try QCOW2Image.create(storage: store, size: 1 << 20, clusterBits: 12, refcountOrder: 4)
        let image = try QCOW2Image.open(storage: store, readOnly: false)
        try image.store([UInt8](repeating: 3, count: 90_000), 0)
        try image.flush()
        let changes: [(String, () throws -> Void)] = [
            ("create", { try image.createSnapshot(name: "one") }),
            ("apply", { try image.applySnapshot("one") }),
            ("delete", { try image.deleteSnapshot("one") }),
        ]
        for (name, change) in changes {
            store.recording = true
            let first = store.eventCount
            try change()
            let events = Array(store.events[first...])
            // The last byte of the incompatible features.
            let bits = events.indices.filter {
                if case .write(72, _) = events[$0] { true } else { false }
            }
            let values = bits.map { (index) -> UInt8? in
                if case .write(_, let bytes) = events[index] { bytes.last } else { nil }
            }
            #expect(values == [1, 0], "\(name)")
            guard bits.count == 2 else { continue }
            let barriers = events.indices.filter { if case .sync = events[$0] { true } else { false } }
            let isFirst = events[..<bits[0]].allSatisfy { if case .sync = $0 { true } else { false } }
            #expect(isFirst, "\(name)")
            #expect(barriers.contains(bits[0] + 1) && barriers.contains(bits[1] - 1), "\(name)")
            #expect(bits[1] == events.count - 2 && barriers.contains(events.count - 1), "\(name)")
        }
        try image.close()
    }

    private func contents(_ image: QCOW2Image) throws -> [String: [UInt8]] {
        var all: [String: [UInt8]] = [:]
        for info in try image.snapshots() {
            let view = try image.openSnapshot(info.name)
            all[info.name] = try view.bytes(0, Int(view.size))
            try view.close()
        }
        return all
    }

    private func verify(_ image: QCOW2Image, _ possible: [State]) throws {
        let disk = try image.bytes(0, Int(image.size))
        let kept = try contents(image)
        let isKept = possible.contains { $0.kept == kept }
        #expect(isKept, "the snapshots \(kept.keys.sorted())")
        // Each sector as in one of the states.
        for sector in stride(from: 0, to: disk.count, by: 512) {
            let found = disk[sector..<sector + 512]
            guard possible.contains(where: { $0.disk[sector..<sector + 512] == found }) else {
                Issue.record("sector \(sector / 512) holds \(found.first ?? 0)")
                return
            }
        }
    }

    @Test func aFullFileSystemLeavesNoHalfSnapshot() throws {
        let folder = try ScratchFolder("qcow2-snapshot-full")
        for writes in 0..<14 {
            let store = StoreInMemory()
            try QCOW2Image.create(storage: store, size: 1 << 20, clusterBits: 9, refcountOrder: 6)
            let image = try QCOW2Image.open(storage: store, readOnly: false)
            try image.store([UInt8](repeating: 3, count: 90_000), 0)
            try image.createSnapshot(name: "one")
            try image.store([UInt8](repeating: 4, count: 50_000), 0)
            try image.flush()
            store.writesLeft = writes
            var isMade = false
            do throws(BlockError) {
                try image.createSnapshot(name: "two")
                isMade = true
            } catch { #expect(error.code == .noSpace) }
            store.writesLeft = nil
            #expect(try image.snapshots().count == (isMade ? 2 : 1))
            #expect(try image.bytes(40_000, 1) == [4])
            // The write that switches over may have failed halfway: then the image is not written any more.
            let isUsable = (try? image.store([UInt8](repeating: 5, count: 60_000), 20_000)) != nil
            try? image.close()
            try store.save(folder.file("a.qcow2"))
            if isUsable { try qemuCheck(folder.file("a.qcow2"), allowing: [0]) }
            let again = try QCOW2Image.open(storage: store, readOnly: true)
            let view = try again.openSnapshot("one")
            let isEqual = try view.bytes(0, 90_000) == [UInt8](repeating: 3, count: 90_000)
            #expect(isEqual)
        }
    }
}
