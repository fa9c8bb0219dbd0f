import BlockIO
import CoreTypes
import Glibc

@testable import DiskImages

/// A file in memory that notes, in order, every change of its bytes and every barrier.
final class RecordingStore: ImageStorage, @unchecked Sendable {
    // @unchecked: everything below is used with `lock` held.
    enum Event {
        case write(offset: Int, bytes: [UInt8])
        /// A range that reads as zeroes from then on; the length of the file stays.
        case zero(Range<Int>)
        case truncate(Int)
        case sync
    }

    /// What happened, and the content at each barrier.
    struct Log {
        var start: PagedBytes
        var events: [Event] = []
        /// The number of each event among those of all files.
        var times: [Int] = []
        /// The event that is the barrier, and the content at that moment.
        var barriers: [(event: Int, content: PagedBytes)] = []

        /// Events before the one with number `time`.
        func count(before time: Int) -> Int {
            var range = 0..<times.count
            while !range.isEmpty {
                let middle = (range.lowerBound + range.upperBound) / 2
                range = times[middle] < time ? middle + 1..<range.upperBound : range.lowerBound..<middle
            }
            return range.lowerBound
        }
    }

    let path: String
    let isBlockDevice: Bool
    let isReadOnly: Bool
    let clock: EventClock
    private let lock = Monitor()
    private var content: PagedBytes
    private var recorded: Log

    init(
        _ content: PagedBytes, path: String, readOnly: Bool = false, isBlockDevice: Bool = false,
        clock: EventClock = EventClock()
    ) {
        self.content = content
        self.path = path
        self.isBlockDevice = isBlockDevice
        self.clock = clock
        isReadOnly = readOnly
        recorded = Log(start: content)
    }

    var log: Log { lock.locked { recorded } }
    var bytes: PagedBytes { lock.locked { content } }

    func size() throws(BlockError) -> UInt64 { lock.locked { UInt64(content.count) } }
    func allocatedSize() throws(BlockError) -> UInt64 { try size() }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        lock.lock()
        defer { lock.unlock() }
        unsafe content.read(into: buffer, at: Int(clamping: offset))
    }

    func readExactly(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        guard try size() >= offset + UInt64(buffer.count) else {
            throw BlockError(.invalidImage, "the file ends inside a structure", path: path, offset: offset)
        }
        try unsafe read(into: buffer, at: offset)
    }

    func write(_ data: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {
        precondition(!isReadOnly, "a read-only image was written")
        guard let source = data.baseAddress else { return }
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: data.count) { buffer, filled in
            // SAFETY: both have `data.count` bytes.
            unsafe memcpy(buffer.baseAddress.unsafelyUnwrapped, source, data.count)
            filled = data.count
        }
        lock.lock()
        defer { lock.unlock() }
        if isBlockDevice, Int(offset) + data.count > content.count {
            throw BlockError(.noSpace, "past the end of the device", path: path, offset: offset)
        }
        note(.write(offset: Int(offset), bytes: bytes))
        unsafe content.write(data, at: Int(offset))
    }

    /// With the lock held.
    private func note(_ event: Event) {
        recorded.events.append(event)
        recorded.times.append(clock.tick())
    }

    func writeZeroes(at offset: UInt64, length: UInt64) throws(BlockError) {
        let end = offset + length
        if try size() < end { try truncate(to: end) }
        try zero(at: offset, length: length, mayUnmap: false)
    }

    func zero(at offset: UInt64, length: UInt64, mayUnmap: Bool) throws(BlockError) {
        precondition(!isReadOnly, "a read-only image was written")
        lock.locked {
            let end = min(Int(offset + length), content.count)
            if Int(offset) >= end { return }
            note(.zero(Int(offset)..<end))
            content.zero(Int(offset)..<end)
        }
    }

    func punch(at offset: UInt64, length: UInt64) throws(BlockError) -> Bool {
        try zero(at: offset, length: length, mayUnmap: true)
        return true
    }

    func preallocate(at offset: UInt64, length: UInt64) throws(BlockError) -> Bool {
        if try size() < offset + length { try truncate(to: offset + length) }
        return true
    }

    func truncate(to length: UInt64) throws(BlockError) {
        precondition(!isReadOnly, "a read-only image was written")
        if isBlockDevice { throw BlockError(.io, "a block device has one length", path: path) }
        lock.locked {
            note(.truncate(Int(length)))
            content.resize(to: Int(length))
        }
    }

    func sync() throws(BlockError) {
        lock.locked {
            recorded.barriers.append((recorded.events.count, content))
            note(.sync)
        }
    }

    /// Pages that were written are data.
    func run(at offset: UInt64, end: UInt64) throws(BlockError) -> (isData: Bool, end: UInt64) {
        lock.locked {
            let kind = content.isStored(Int(offset))
            let page = UInt64(PagedBytes.pageSize)
            var position = (offset / page + 1) * page
            while position < end, content.isStored(Int(position)) == kind { position += page }
            return (kind, min(position, end))
        }
    }

    func close() {}
}
