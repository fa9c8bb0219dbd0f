import BlockIO
import CoreTypes

@testable import DiskImages

/// What every input of a format that can be written goes through. Errors are welcome; traps, and contradictions between
/// what was written and what is read, are not.
struct ImageTrial {
    let open: (FuzzStore) throws(BlockError) -> any BlockDevice
    let info: (FuzzStore) throws(BlockError) -> Void
    let check: (FuzzStore, RepairChoice?) throws(BlockError) -> CheckReport

    func run(_ content: PagedBytes) {
        try? info(FuzzStore(content, readOnly: true))
        let report = try? check(FuzzStore(content, readOnly: true), nil)
        if let device = try? open(FuzzStore(content, readOnly: true)) {
            Self.look(device)
            try? device.close()
        }
        write(content, wasSound: report?.corruptions == 0)
        repair(content)
    }

    /// Reads here and there, and all that a device tells of itself.
    static func look(_ device: any BlockDevice) {
        let size = device.size
        let buffer = AlignedBuffer(count: 65536)
        func read(_ offset: UInt64) {
            let count = Int(min(UInt64(buffer.bytes.count), size - min(offset, size)))
            try? device.read(
                into: UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[..<count]), at: min(offset, size))
        }
        for offset in [0, size / 3 & ~511, size / 2, size - min(size, 65536)] { read(offset) }
        var position: UInt64 = 0
        var extents: [Extent] = []
        for _ in 0..<20 where position < size {
            extents.removeAll()
            guard (try? device.appendExtents(to: &extents, at: position, length: size - position)) != nil,
                let last = extents.last
            else { break }
            precondition(last.end > position && last.end <= size, "the extent map leaves the disk or stands still")
            for extent in extents.prefix(6) where extent.kind == .data { read(extent.offset) }
            position = last.end
        }
        if let keeper = device as? any SnapshotKeeper {
            for snapshot in ((try? keeper.snapshots()) ?? []).prefix(4) {
                guard let view = try? keeper.openSnapshot(snapshot.id) else { continue }
                let count = Int(min(UInt64(buffer.bytes.count), view.size))
                try? view.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[..<count]), at: 0)
                try? view.close()
            }
        }
        if let keeper = device as? any BitmapKeeper {
            for bitmap in ((try? keeper.bitmaps()) ?? []).prefix(4) {
                _ = try? keeper.dirtyRanges(ofBitmap: bitmap.name)
            }
        }
    }

    /// Writes, closes, opens: what a write took must be there, and an image without damage stays so.
    private func write(_ content: PagedBytes, wasSound: Bool) {
        let store = FuzzStore(content, readOnly: false)
        guard let device = try? open(store) else { return }
        let size = device.size
        guard size >= 8192 else { return (try? device.close()) ?? () }
        let pattern = AlignedBuffer(count: 3072)
        pattern.bytes.initializeMemory(as: UInt8.self, repeating: 0xA5)
        // Apart from each other, and not aligned.
        let places = [1024, size / 2 & ~511, size - 3072]
        var taken: [UInt64] = []
        if size >= 65536 {
            for place in places where (try? device.write(UnsafeRawBufferPointer(pattern.bytes), at: place)) != nil {
                taken.append(place)
            }
            try? device.writeZeroes(at: size / 2 + 4096, length: min(8192, size / 4), mayUnmap: true)
        }
        try? device.discard(at: 4608, length: 3000)
        guard (try? device.flush()) != nil, (try? device.close()) != nil, wasSound else { return }
        let again: any BlockDevice
        do {
            again = try open(FuzzStore(store.content, readOnly: true))
        } catch {
            fatalError("an image that was sound cannot be opened after it was written: \(error)")
        }
        let found = AlignedBuffer(count: 3072)
        for place in taken {
            guard
                (try? again.read(into: UnsafeMutableRawBufferPointer(rebasing: found.bytes[..<3072]), at: place))
                    != nil,
                found.bytes[..<3072].elementsEqual(pattern.bytes[..<3072])
            else { fatalError("what was written at \(place) is not there") }
        }
        try? again.close()
        if let report = try? check(FuzzStore(store.content, readOnly: true), nil), report.corruptions > 0 {
            fatalError("writing damaged a sound image: \(report.findings.first?.message ?? "")")
        }
    }

    private func repair(_ content: PagedBytes) {
        for choice in [RepairChoice.leaks, .all] {
            let store = FuzzStore(content, readOnly: false)
            guard let report = try? check(store, choice), report.corruptions == 0 else { continue }
            if let again = try? check(FuzzStore(store.content, readOnly: true), nil), again.corruptions > 0 {
                fatalError("damage is left after a repair that left none: \(again.findings.first?.message ?? "")")
            }
        }
    }
}
