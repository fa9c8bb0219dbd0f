import BlockIO
import CoreTypes
import TestSupport

@testable import DiskImages

/// A random session on one image, recorded: requests, flushes, closing and opening again, and what else the format can.
struct CrashSession {
    let shape: CrashShape
    let store: RecordingStore
    private(set) var history: DiskHistory
    private var device: any BlockDevice

    /// Opens `content`; what the disk holds then counts as durable. `expected` judges it first.
    init(_ shape: CrashShape, _ content: PagedBytes, path: String) throws {
        self.shape = shape
        store = RecordingStore(content, path: path)
        device = try shape.open(store)
        history = DiskHistory(try Self.contents(device))
        history.growsOverOldBytes = device is FixedVHD
    }

    /// Everything that a device shows: the disk and its snapshots, in numbers of sectors.
    static func contents(_ device: any BlockDevice) throws -> DiskHistory.State {
        var state = DiskHistory.State(numbers: try numbers(device, 0, Int(device.size) / 512))
        if let keeper = device as? any SnapshotKeeper {
            for snapshot in try keeper.snapshots() {
                let view = try keeper.openSnapshot(snapshot.id)
                state.snapshots[snapshot.name] = try numbers(view, 0, Int(view.size) / 512)
                try view.close()
            }
        }
        return state
    }

    static func numbers(_ device: any BlockDevice, _ first: Int, _ count: Int) throws -> [UInt64] {
        let buffer = AlignedBuffer(count: max(count, 1) * 512)
        // SAFETY: the buffer has at least that many bytes.
        let target = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[..<(count * 512)])
        try unsafe device.read(into: target, at: UInt64(first) * 512)
        return unsafe DiskHistory.numbers(UnsafeRawBufferPointer(target))
    }

    /// Runs `count` operations. `number` is the last number written to a sector so far.
    mutating func run(_ count: Int, number: inout UInt64, _ random: inout SeededRandom) throws {
        for _ in 0..<count {
            number += 1
            switch Int.random(in: 0..<100, using: &random) {
            case 0..<52: try write(number, &random)
            case 52..<58: try zero(mayUnmap: false, &random)
            case 58..<66: try zero(mayUnmap: true, &random)
            case 66..<74: try discard(&random)
            case 74..<88:
                try device.flush()
                history.checkpoint(events: store.eventCount)
            case 88..<92: try reopen()
            case 92..<96: try snapshot(number, &random)
            default: try resize(number, &random)
            }
        }
    }

    mutating func close() throws {
        try device.close()
        history.checkpoint(events: store.eventCount)
    }

    /// Lets go of the image and its parents, when the log has been taken.
    func abandon() { try? device.close() }

    private mutating func reopen() throws {
        try close()
        device = try shape.open(store)
    }

    private func place(_ random: inout SeededRandom) -> Range<Int> {
        let count = history.current.numbers.count
        let first = Int.random(in: 0..<count, using: &random)
        // Short requests are as frequent as long ones.
        let most = Bool.random(using: &random) ? 8 : shape.longest
        return first..<min(count, first + Int.random(in: 1...most, using: &random))
    }

    private mutating func write(_ number: UInt64, _ random: inout SeededRandom) throws {
        let sectors = place(&random)
        let effect = DiskHistory.Effect.sectors(sectors, number)
        history.begin(effect, events: store.eventCount)
        let words = [UInt64](repeating: number, count: sectors.count * 64)
        try unsafe words.withUnsafeBytes { try unsafe device.write($0, at: UInt64(sectors.lowerBound) * 512) }
        history.complete(effect)
    }

    private mutating func zero(mayUnmap: Bool, _ random: inout SeededRandom) throws {
        let sectors = place(&random)
        let effect = DiskHistory.Effect.sectors(sectors, 0)
        history.begin(effect, events: store.eventCount)
        try device.writeZeroes(
            at: UInt64(sectors.lowerBound) * 512, length: UInt64(sectors.count) * 512, mayUnmap: mayUnmap)
        history.complete(effect)
    }

    private mutating func discard(_ random: inout SeededRandom) throws {
        let sectors = place(&random)
        history.begin(.sectors(sectors, 0), events: store.eventCount)
        try device.discard(at: UInt64(sectors.lowerBound) * 512, length: UInt64(sectors.count) * 512)
        history.observe(try Self.numbers(device, sectors.lowerBound, sectors.count), at: sectors.lowerBound)
    }

    /// Makes, applies or deletes a snapshot; each is durable when it returns.
    private mutating func snapshot(_ number: UInt64, _ random: inout SeededRandom) throws {
        guard let keeper = device as? any SnapshotKeeper else { return try write(number, &random) }
        let known = history.current.snapshots
        let choice = Int.random(in: 0..<4, using: &random)
        let effect: DiskHistory.Effect
        // Sorted: the order of a dictionary is not that of the seed.
        if let name = known.keys.sorted().randomElement(using: &random), choice < 2 || known.count > 4 {
            let isApplied = choice == 0
            effect = isApplied ? .disk(known[name] ?? []) : .snapshotDeleted(name)
            history.begin(effect, events: store.eventCount)
            if isApplied { try keeper.applySnapshot(name) } else { try keeper.deleteSnapshot(name) }
        } else {
            let name = "snapshot \(number)"
            effect = .snapshotMade(name, history.current.numbers)
            history.begin(effect, events: store.eventCount)
            // Refcounts of one bit cannot count a second reference.
            if try !Self.isDone({ _ = try keeper.createSnapshot(name: name) }) { return }
        }
        history.complete(effect)
        history.checkpoint(events: store.eventCount)
    }

    private mutating func resize(_ number: UInt64, _ random: inout SeededRandom) throws {
        guard let resizable = device as? any ResizableDevice else { return try write(number, &random) }
        let now = history.current.numbers.count
        let unit = shape.size / 512 / 8
        let wanted = Bool.random(using: &random) ? now + Int.random(in: 1...unit, using: &random) : now - unit / 2
        // Around the size it began with: the disk is read whole after each crash.
        guard wanted > shape.size / 1024, wanted < shape.size / 512 * 2 else { return }
        let effect = DiskHistory.Effect.size(wanted)
        history.begin(effect, events: store.eventCount)
        if try !Self.isDone({ try resizable.resize(to: UInt64(wanted) * 512, preallocation: .off) }) { return }
        history.complete(effect)
    }

    /// False when the image refuses what it cannot do.
    private static func isDone(_ body: () throws -> Void) throws -> Bool {
        do {
            try body()
            return true
        } catch let error as BlockError {
            let refusals: [BlockError.Code] = [.unsupported, .denied, .limitExceeded]
            if refusals.contains(error.code) { return false }
            throw error
        }
    }
}
