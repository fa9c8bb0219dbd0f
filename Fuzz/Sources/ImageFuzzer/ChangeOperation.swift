import BlockIO

@testable import DiskImages

/// A change of an image, of four bytes of the input: what, and three numbers for it.
struct ChangeOperation {
    enum Kind: UInt8, CaseIterable {
        case write, zero, zeroAllocated, discard, flush, reopen, crash
        case createSnapshot, applySnapshot, deleteSnapshot, renameSnapshot
        case createBitmap, clearBitmap, deleteBitmap, switchBitmap
        case resize, writeCompressed, failChanges, failBarriers, write2
    }

    static let length = 4

    let kind: Kind
    let first: UInt8
    let second: UInt8
    let third: UInt8

    init?(_ bytes: inout ArraySlice<UInt8>) {
        guard bytes.count >= Self.length, let code = bytes.popFirst(), let first = bytes.popFirst(),
            let second = bytes.popFirst(), let third = bytes.popFirst(),
            let kind = Kind(rawValue: code % UInt8(Kind.allCases.count))
        else { return nil }
        self.kind = kind
        self.first = first
        self.second = second
        self.third = third
    }

    /// A place and a length inside a disk, of any alignment.
    func range(in size: UInt64) -> Range<UInt64> {
        let number = UInt64(first) << 8 | UInt64(second)
        let place = number * (size / 65536) + number % 1024
        let start = min(place, size)
        let length = (UInt64(third & 63) + 1) << (UInt64(third >> 6) * 4)
        return start..<min(start + length, size)
    }

    /// The same in whole units.
    func range(in size: UInt64, unit: UInt64) -> Range<UInt64> {
        let range = range(in: size)
        let start = range.lowerBound / unit * unit
        return start..<min(start + max(unit, UInt64(range.count) / unit * unit), max(size, start))
    }

    /// Up to a mebibyte, and seldom up to 255 of them.
    var newSize: UInt64 { third == 255 ? UInt64(first) << 20 : UInt64(second) << UInt64(9 + first % 4) }
    var preallocation: CreateOptions.Preallocation { CreateOptions.Preallocation.allCases[Int(third >> 2) % 4] }
    var name: String { "f\(first % 4)" }

    /// What is written: each operation something of its own, zeroes among it.
    func content(_ count: Int) -> AlignedBuffer {
        let buffer = AlignedBuffer(count: count)
        let value = first &+ second &* 3 &+ third &* 7
        for index in 0..<count where value % 4 != 0 || index % 1024 < 512 {
            buffer.bytes[index] = value &+ UInt8(truncatingIfNeeded: index >> 6)
        }
        return buffer
    }

    /// The snapshot or bitmap that is meant, of those there are.
    func choice<Element>(_ all: [Element]) -> Element? { all.isEmpty ? nil : all[Int(first) % all.count] }

    /// On an image that nobody keeps a model of.
    func perform(on device: any BlockDevice) { try? attempt(on: device) }

    func attempt(on device: any BlockDevice) throws(BlockError) {
        let range = range(in: device.size)
        let length = range.upperBound - range.lowerBound
        switch kind {
        case .write, .write2:
            let buffer = content(Int(length))
            try device.write(UnsafeRawBufferPointer(rebasing: buffer.bytes[..<Int(length)]), at: range.lowerBound)
        case .zero: try device.writeZeroes(at: range.lowerBound, length: length, mayUnmap: true)
        case .zeroAllocated: try device.writeZeroes(at: range.lowerBound, length: length, mayUnmap: false)
        case .discard: try device.discard(at: range.lowerBound, length: length)
        case .writeCompressed:
            guard let device = device as? any CompressingDestination else { return }
            let range = self.range(in: device.size, unit: device.compressionUnit)
            if range.count > 1 << 20 || range.isEmpty { return }
            let buffer = content(range.count)
            try device.writeCompressed(
                UnsafeRawBufferPointer(rebasing: buffer.bytes[..<range.count]), at: range.lowerBound)
        case .resize:
            guard let device = device as? any ResizableDevice else {
                throw BlockError(.unsupported, "the image cannot be resized")
            }
            try device.resize(to: newSize, preallocation: preallocation)
        case .createSnapshot: _ = try (device as? any SnapshotKeeper)?.createSnapshot(name: name)
        case .applySnapshot, .deleteSnapshot, .renameSnapshot:
            guard let keeper = device as? any SnapshotKeeper, let snapshot = choice(try keeper.snapshots()) else {
                return
            }
            if kind == .applySnapshot { try keeper.applySnapshot(snapshot.id) }
            if kind == .deleteSnapshot { try keeper.deleteSnapshot(snapshot.id) }
            if kind == .renameSnapshot { try keeper.renameSnapshot(snapshot.id, to: "g\(second % 4)") }
        case .createBitmap:
            try (device as? any BitmapKeeper)?.createBitmap(name: name, granularity: 512 << UInt64(second % 8))
        case .clearBitmap, .deleteBitmap, .switchBitmap:
            guard let keeper = device as? any BitmapKeeper, let bitmap = choice(try keeper.bitmaps()) else { return }
            if kind == .clearBitmap { try keeper.clearBitmap(bitmap.name) }
            if kind == .deleteBitmap { try keeper.deleteBitmap(bitmap.name) }
            if kind == .switchBitmap { try keeper.setBitmap(bitmap.name, isEnabled: second & 1 == 0) }
        case .flush: try device.flush()
        case .reopen, .crash, .failChanges, .failBarriers: return
        }
    }
}
