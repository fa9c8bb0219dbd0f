import BlockIO
import CoreTypes
import TestSupport

@testable import DiskImages

/// A random session on one image, recorded: requests, flushes, closing and opening again, and what else the format can.
struct CrashSession {
    let shape: CrashShape
    let stores: [RecordingStore]
    var history: DiskHistory
    var device: any BlockDevice
    /// Events of all files so far.
    var now: Int { stores[0].clock.now }

    /// Opens what `files` hold; what the disk holds then counts as durable.
    init(_ shape: CrashShape, _ files: CrashFiles) throws {
        self.shape = shape
        stores = files.stores()
        device = try shape.open(stores)
        history = DiskHistory(try Self.contents(device))
        history.cutsIntoOldBytes = device is FixedVHD
    }

    /// Everything that a device shows: the disk and its snapshots in numbers of sectors, and its bitmaps.
    static func contents(_ device: any BlockDevice) throws -> DiskHistory.State {
        var state = DiskHistory.State(numbers: try numbers(device, 0, Int(device.size) / 512))
        if let keeper = device as? any SnapshotKeeper {
            for snapshot in try keeper.snapshots() {
                let view = try keeper.openSnapshot(snapshot.id)
                state.snapshots[snapshot.name] = try numbers(view, 0, Int(view.size) / 512)
                try view.close()
            }
        }
        if let keeper = device as? any BitmapKeeper {
            for bitmap in try keeper.bitmaps() {
                state.bitmaps[bitmap.name] =
                    bitmap.isInconsistent
                    ? .useless
                    : .changed(
                        try keeper.dirtyRanges(ofBitmap: bitmap.name).map {
                            Int($0.lowerBound / 512)..<Int(($0.upperBound + 511) / 512)
                        })
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
            if let favourite = shape.favourite, Int.random(in: 0..<4, using: &random) == 0 {
                switch favourite {
                case .compression: try writeCompressed(number, &random)
                case .bitmaps: try bitmap(number, &random)
                case .sizes: try resize(number, &random)
                case .snapshots: try snapshot(number, &random)
                }
                continue
            }
            switch Int.random(in: 0..<100, using: &random) {
            case 0..<52: try write(number, &random)
            case 52..<58: try zero(mayUnmap: false, &random)
            case 58..<66: try zero(mayUnmap: true, &random)
            case 66..<74: try discard(&random)
            case 74..<88:
                try device.flush()
                history.checkpoint(events: now)
            case 88..<92: try reopen()
            case 92..<96: try snapshot(number, &random)
            default: try resize(number, &random)
            }
        }
    }

    mutating func close() throws {
        try device.close()
        history.checkpoint(events: now)
    }

    /// Lets go of the image and its parents, when the log has been taken.
    func abandon() { try? device.close() }

    /// Closes the image in order and opens it again: nothing may be lost, the bitmaps are of use.
    private mutating func reopen() throws {
        try close()
        device = try shape.open(stores)
        if shape.favourite != .bitmaps { return }
        let found = try Self.contents(device)
        if let text = history.contradiction(found, cut: now) { throw CrashTrial.Verdict(description: text) }
        for name in history.bitmaps.usable {
            guard case .changed = found.bitmaps[name] else {
                throw CrashTrial.Verdict(description: "the bitmap \(name) is of no use after the image was closed")
            }
        }
    }

    private func place(_ random: inout SeededRandom) -> Range<Int> {
        let count = history.current.numbers.count
        let first = Int.random(in: 0..<count, using: &random)
        // Short requests are as frequent as long ones.
        let most = Bool.random(using: &random) ? 8 : shape.longest
        return first..<min(count, first + Int.random(in: 1...most, using: &random))
    }

    mutating func write(_ number: UInt64, _ random: inout SeededRandom) throws {
        let sectors = place(&random)
        let effect = DiskHistory.Effect.sectors(sectors, number)
        history.begin(effect, events: now)
        let words = [UInt64](repeating: number, count: sectors.count * 64)
        try unsafe words.withUnsafeBytes { try unsafe device.write($0, at: UInt64(sectors.lowerBound) * 512) }
        history.complete(effect)
    }

    private mutating func zero(mayUnmap: Bool, _ random: inout SeededRandom) throws {
        let sectors = place(&random)
        let effect = DiskHistory.Effect.sectors(sectors, 0)
        history.begin(effect, events: now)
        try device.writeZeroes(
            at: UInt64(sectors.lowerBound) * 512, length: UInt64(sectors.count) * 512, mayUnmap: mayUnmap)
        history.complete(effect)
    }

    private mutating func discard(_ random: inout SeededRandom) throws {
        let sectors = place(&random)
        history.begin(.sectors(sectors, 0), events: now)
        try device.discard(at: UInt64(sectors.lowerBound) * 512, length: UInt64(sectors.count) * 512)
        history.observe(try Self.numbers(device, sectors.lowerBound, sectors.count), at: sectors.lowerBound)
    }
}
