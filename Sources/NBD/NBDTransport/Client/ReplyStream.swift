import CLinux
import Glibc

/// Buffered receiving: many small replies come with one receive, large payloads go straight to their place.
/// Used by one thread.
@safe
final class ReplyStream {
    // SAFETY: `begin...end` stays within the buffer; destinations are their callers'.
    private static let capacity = 64 << 10
    private let channel: Channel
    private let buffer: UnsafeMutableRawPointer
    private var begin = 0
    private var end = 0
    /// Nanoseconds after which somebody asks whether to go on, although something comes; nil: nobody does.
    private let lookPeriod: UInt64?
    /// When bytes came last, where that matters, and when somebody was asked.
    private var arrival: UInt64 = 0
    private var lastLook: UInt64 = 0
    /// Asked from time to time: whether to go on waiting.
    private let isPatient: (_ lastArrival: UInt64) -> Bool

    init(
        _ channel: Channel, first: [UInt8], lookPeriod: UInt64?,
        isPatient: @escaping (_ lastArrival: UInt64) -> Bool
    ) {
        self.channel = channel
        self.lookPeriod = lookPeriod
        self.isPatient = isPatient
        unsafe buffer = .allocate(byteCount: Self.capacity, alignment: 16)
        for byte in first.prefix(Self.capacity) {
            unsafe buffer.storeBytes(of: byte, toByteOffset: end, as: UInt8.self)
            end += 1
        }
    }

    deinit { unsafe buffer.deallocate() }

    /// Makes `count` (at most 64 KiB) bytes available at `front`. False at the end of the stream.
    func need(_ count: Int) -> Bool {
        if end - begin >= count { return true }
        if begin > 0 {
            unsafe memmove(buffer, buffer + begin, end - begin)
            end -= begin
            begin = 0
        }
        while end < count {
            let part = unsafe receive(buffer + end, Self.capacity - end)
            guard part > 0 else { return false }
            end += part
        }
        return true
    }

    var front: UnsafeRawPointer { unsafe UnsafeRawPointer(buffer + begin) }

    func skip(_ count: Int) { begin += count }

    /// Moves the next `count` bytes to `destination`.
    func take(_ count: Int, to destination: UnsafeMutableRawPointer) -> Bool {
        let ready = min(count, end - begin)
        unsafe destination.copyMemory(from: front, byteCount: ready)
        begin += ready
        if count - ready < Self.capacity / 2 {
            // A short rest: let the same receive bring what follows it.
            guard need(count - ready) else { return false }
            unsafe (destination + ready).copyMemory(from: front, byteCount: count - ready)
            begin += count - ready
            return true
        }
        var have = ready
        while have < count {
            let part = unsafe receive(destination + have, count - have)
            guard part > 0 else { return false }
            have += part
        }
        return true
    }

    private func receive(_ bytes: UnsafeMutableRawPointer, _ count: Int) -> Int {
        while true {
            let result = unsafe channel.receive(bytes, count)
            if result == -Int(EAGAIN), isPatient(arrival) { continue }
            if let lookPeriod {
                arrival = gantry_now()
                if arrival &- lastLook >= lookPeriod {
                    lastLook = arrival
                    if !isPatient(arrival) { return -Int(ETIMEDOUT) }
                }
            }
            return result
        }
    }

    /// Reads past `count` bytes.
    func drop(_ count: Int) -> Bool {
        var rest = count
        while rest > 0 {
            let part = min(rest, Self.capacity)
            guard need(part) else { return false }
            begin += part
            rest -= part
        }
        return true
    }
}
