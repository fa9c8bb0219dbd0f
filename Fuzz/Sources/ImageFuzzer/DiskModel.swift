import BlockIO

@testable import DiskImages

/// What a disk must read as, what its snapshots hold, and what it held when each of its bitmaps was empty.
///
/// Its `fatalError`s are findings: a crash is how a fuzz target reports what must not happen.
struct DiskModel {
    private var content = PagedBytes()
    /// By id.
    private var snapshots: [String: PagedBytes] = [:]
    /// The content since which a bitmap has noted every change, by name.
    private var bases: [String: PagedBytes] = [:]

    /// Takes what an image holds that nobody has changed yet. False when it cannot be read: then there is no model of it.
    mutating func start(_ device: any BlockDevice) -> Bool {
        guard let read = Self.content(of: device) else { return false }
        content = read
        if let keeper = device as? any SnapshotKeeper {
            let all = (try? keeper.snapshots()) ?? []
            for snapshot in all where snapshot.diskSize <= 4 << 20 {
                // Which of two with one id is meant changes when one goes.
                if all.count(where: { $0.id == snapshot.id }) > 1 { continue }
                guard let view = try? keeper.openSnapshot(snapshot.id) else { continue }
                if let read = Self.content(of: view) { snapshots[snapshot.id] = read }
                try? view.close()
            }
        }
        noteBitmaps(of: device, new: true)
        return true
    }

    /// Nil when something of it cannot be read.
    static func content(of device: any BlockDevice) -> PagedBytes? {
        var bytes = PagedBytes()
        bytes.resize(to: Int(device.size))
        let buffer = AlignedBuffer(count: 65536)
        var position: UInt64 = 0
        while position < device.size {
            let part = UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[..<Int(min(65536, device.size - position))])
            guard (try? device.read(into: part, at: position)) != nil else { return nil }
            if part.contains(where: { $0 != 0 }) { bytes.write(UnsafeRawBufferPointer(part), at: Int(position)) }
            position += UInt64(part.count)
        }
        return bytes
    }

    private func require(_ device: any BlockDevice, except unknown: Range<UInt64>, _ when: String) -> PagedBytes {
        guard let read = Self.content(of: device) else { fatalError("\(when): the disk cannot be read any more") }
        guard read.count == content.count else {
            fatalError("\(when): the disk has \(read.count) bytes, \(content.count) are expected")
        }
        if let place = read.firstDifference(from: content, except: unknown) {
            fatalError("\(when): byte \(place) differs from what was written")
        }
        return read
    }

    /// Carries out an operation on the disk and on the model. False when no model can be kept of what is there now.
    mutating func apply(_ operation: ChangeOperation, to device: any BlockDevice) -> Bool {
        let before = (device as? any SnapshotKeeper).flatMap { try? $0.snapshots() } ?? []
        let range =
            operation.kind == .writeCompressed
            ? operation.range(in: device.size, unit: (device as? any CompressingDestination)?.compressionUnit ?? 512)
            : operation.range(in: device.size)
        var failure: BlockError?
        do throws(BlockError) { try operation.attempt(on: device) } catch { failure = error }
        switch operation.kind {
        case .write, .write2, .zero, .zeroAllocated:
            if failure == nil { change(operation, range) }
            content = require(device, except: failure == nil ? 0..<0 : range, "after \(operation)")
        case .discard, .writeCompressed: content = require(device, except: range, "after \(operation)")
        case .resize, .applySnapshot:
            // A failure may leave the old size or the new one.
            if device.size > 4 << 20 { return false }
            guard let read = Self.content(of: device) else { fatalError("after \(operation): the disk cannot be read") }
            if operation.kind == .resize {
                let common = min(read.count, content.count)
                if failure == nil {
                    content.resize(to: Int(operation.newSize))
                    _ = require(device, except: 0..<0, "after \(operation)")
                } else if let place = read.firstDifference(
                    from: content, except: min(operation.newSize, UInt64(common))..<UInt64.max), place < common
                {
                    fatalError("a resize that failed changed byte \(place)")
                }
            } else if failure == nil, let id = operation.choice(before)?.id, let kept = snapshots[id],
                let place = read.firstDifference(from: kept, except: 0..<0)
            {
                fatalError("the disk differs at byte \(place) from the snapshot that was applied")
            }
            content = read
            for name in bases.keys { bases[name]?.resize(to: read.count) }
        case .createSnapshot:
            if failure == nil, let keeper = device as? any SnapshotKeeper,
                let made = try? keeper.snapshots().first(where: { known in !before.contains { $0.id == known.id } })
            {
                snapshots[made.id] = content
            }
            content = require(device, except: 0..<0, "after \(operation)")
        case .deleteSnapshot:
            if let id = operation.choice(before)?.id, failure == nil { snapshots[id] = nil }
            content = require(device, except: 0..<0, "after \(operation)")
        case .createBitmap: noteBitmaps(of: device, new: true)
        case .clearBitmap, .deleteBitmap, .switchBitmap:
            // Which one was meant is known by what is there: a bitmap that misses nothing shows more, never less.
            if let keeper = device as? any BitmapKeeper, let all = try? keeper.bitmaps(),
                operation.kind == .clearBitmap, failure == nil, let name = operation.choice(all)?.name,
                bases[name] != nil
            {
                bases[name] = content
            }
            noteBitmaps(of: device, new: false)
        default: break
        }
        compareBitmaps(of: device)
        return true
    }

    private mutating func change(_ operation: ChangeOperation, _ range: Range<UInt64>) {
        if range.isEmpty { return }
        if operation.kind == .write || operation.kind == .write2 {
            let buffer = operation.content(range.count)
            content.write(
                UnsafeRawBufferPointer(rebasing: buffer.bytes[..<range.count]), at: Int(range.lowerBound))
        } else {
            content.zero(Int(range.lowerBound)..<Int(range.upperBound))
        }
    }

    /// The image was opened anew; `isKept`: all that was done before is there.
    mutating func settle(with device: any BlockDevice, isKept: Bool) {
        if isKept {
            content = require(device, except: 0..<0, "after it was opened anew")
            noteBitmaps(of: device, new: false)
            return compareBitmaps(of: device)
        }
        guard device.size <= 4 << 20, let read = Self.content(of: device) else {
            fatalError("after a crash the disk cannot be read any more")
        }
        content = read
        for name in bases.keys { bases[name]?.resize(to: read.count) }
        noteBitmaps(of: device, new: false)
        compareBitmaps(of: device)
        // Which of the last snapshots there are is open.
        let known = Set(((device as? any SnapshotKeeper).flatMap { try? $0.snapshots() } ?? []).map(\.id))
        for id in snapshots.keys where !known.contains(id) { snapshots[id] = nil }
    }

    // MARK: Bitmaps

    /// Forgets bitmaps that do not note changes any more, and begins with those that are `new`.
    private mutating func noteBitmaps(of device: any BlockDevice, new: Bool) {
        guard let keeper = device as? any BitmapKeeper, let all = try? keeper.bitmaps() else {
            bases = [:]
            return
        }
        let noting = all.filter { $0.isEnabled && !$0.isInconsistent }
        for name in bases.keys where !noting.contains(where: { $0.name == name }) { bases[name] = nil }
        if !new { return }
        for bitmap in noting where bases[bitmap.name] == nil { bases[bitmap.name] = content }
    }

    private func compareBitmaps(of device: any BlockDevice) {
        guard let keeper = device as? any BitmapKeeper, !bases.isEmpty else { return }
        for (name, base) in bases {
            guard let ranges = try? keeper.dirtyRanges(ofBitmap: name) else { continue }
            var position: UInt64 = 0
            for range in ranges + [UInt64(content.count)..<UInt64(content.count)] {
                if position < range.lowerBound,
                    let place = content.firstDifference(from: base, in: Int(position)..<Int(range.lowerBound))
                {
                    fatalError("the bitmap \(name) says that byte \(place) has not changed")
                }
                position = range.upperBound
            }
        }
    }

    // MARK: Snapshots

    func compareSnapshots(of device: any BlockDevice) {
        guard let keeper = device as? any SnapshotKeeper else { return }
        let all = (try? keeper.snapshots()) ?? []
        for (id, kept) in snapshots {
            guard all.contains(where: { $0.id == id }), let view = try? keeper.openSnapshot(id) else {
                fatalError("the snapshot \(id) is gone, or cannot be opened")
            }
            guard let read = Self.content(of: view) else { fatalError("the snapshot \(id) cannot be read any more") }
            if let place = read.firstDifference(from: kept, except: 0..<0) {
                fatalError("the snapshot \(id) differs at byte \(place) from what it held")
            }
            try? view.close()
        }
    }
}
