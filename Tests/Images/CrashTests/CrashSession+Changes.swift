import BlockIO
import CoreTypes
import TestSupport

@testable import DiskImages

/// What is more than requests: snapshots, sizes, bitmaps, compressed clusters.
extension CrashSession {
    /// Makes, applies or deletes a snapshot; each is durable when it returns.
    mutating func snapshot(_ number: UInt64, _ random: inout SeededRandom) throws {
        guard let keeper = device as? any SnapshotKeeper else { return try write(number, &random) }
        let known = history.current.snapshots
        let choice = Int.random(in: 0..<4, using: &random)
        let effect: DiskHistory.Effect
        let (first, count) = (now, history.current.numbers.count)
        // Sorted: the order of a dictionary is not that of the seed.
        if let name = known.keys.sorted().randomElement(using: &random), choice < 2 || known.count > 4 {
            let isApplied = choice == 0
            effect = isApplied ? .disk(known[name] ?? []) : .snapshotDeleted(name)
            history.begin(effect, events: now)
            if isApplied { try keeper.applySnapshot(name) } else { try keeper.deleteSnapshot(name) }
        } else {
            let name = "snapshot \(number)"
            effect = .snapshotMade(name, history.current.numbers)
            history.begin(effect, events: now)
            // Refcounts of one bit cannot count a second reference.
            if try !Self.isDone({ _ = try keeper.createSnapshot(name: name) }) { return }
        }
        history.complete(effect)
        history.checkpoint(events: now)
        let size = history.current.numbers.count
        if size != count { history.bitmaps.resized(to: size, first: first, done: now) }
    }

    /// Gives the disk another size, with some preallocation, or none; durable when it returns.
    mutating func resize(_ number: UInt64, _ random: inout SeededRandom) throws {
        guard let resizable = device as? any ResizableDevice else { return try write(number, &random) }
        let count = history.current.numbers.count
        let unit = shape.size / 512 / 8
        let wanted = Bool.random(using: &random) ? count + Int.random(in: 1...unit, using: &random) : count - unit / 2
        // Around the size it began with: the disk is read whole after each crash.
        guard wanted > shape.size / 1024, wanted < shape.size / 512 * 2 else { return }
        let all = CreateOptions.Preallocation.allCases
        let preallocation = Bool.random(using: &random) ? .off : all.randomElement(using: &random) ?? .off
        let effect = DiskHistory.Effect.size(wanted)
        let first = now
        history.begin(effect, events: now)
        if try !Self.isDone({ try resizable.resize(to: UInt64(wanted) * 512, preallocation: preallocation) }) { return }
        history.complete(effect)
        history.checkpoint(events: now)
        history.bitmaps.resized(to: wanted, first: first, done: now)
    }

    /// Stores whole clusters compressed, where nothing was stored before.
    mutating func writeCompressed(_ number: UInt64, _ random: inout SeededRandom) throws {
        guard let destination = device as? any CompressingDestination else { return try write(number, &random) }
        let unit = Int(destination.compressionUnit / 512)
        let count = history.current.numbers.count
        let first = Int.random(in: 0..<count, using: &random) / unit * unit
        let sectors = first..<min(count, first + unit * Int.random(in: 1...9, using: &random))
        let effect = DiskHistory.Effect.sectors(sectors, number)
        history.begin(effect, events: now)
        let words = [UInt64](repeating: number, count: sectors.count * 64)
        try unsafe words.withUnsafeBytes { try unsafe destination.writeCompressed($0, at: UInt64(first) * 512) }
        history.complete(effect)
    }

    /// Makes, clears or deletes a bitmap.
    mutating func bitmap(_ number: UInt64, _ random: inout SeededRandom) throws {
        guard let keeper = device as? any BitmapKeeper else { return try write(number, &random) }
        let first = now
        let name = history.bitmaps.names.randomElement(using: &random)
        guard let name, history.bitmaps.names.count > 3 || Bool.random(using: &random) else {
            let granularity = UInt64(512) << UInt64.random(in: 0...8, using: &random)
            let name = "bitmap \(number)"
            if try !Self.isDone({ try keeper.createBitmap(name: name, granularity: granularity) }) { return }
            return history.bitmaps.began(name, history.current.numbers, first: first, done: now)
        }
        if history.bitmaps.usable.contains(name), Bool.random(using: &random) {
            try keeper.clearBitmap(name)
            history.bitmaps.began(name, history.current.numbers, first: first, done: now)
        } else {
            try keeper.deleteBitmap(name)
            history.bitmaps.deleted(name, first: first, done: now)
        }
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
