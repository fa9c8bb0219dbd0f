import CoreTypes
import Synchronization

/// Which granules of a device may differ between the two sides of a mirror: one bit each, set = dirty.
/// All calls are atomic by themselves; who decides by a bit and then acts holds the range in a `RangeLocks`.
public final class DirtyMap: Sendable {
    private struct State {
        var words: [UInt64]
        var dirtyGranules: UInt64
        /// Of dirty granules; what is known here of a clean one counts for nothing.
        var marks: PageMarks
    }

    /// Bytes that one bit stands for; a power of two.
    public let granule: UInt64
    /// Bytes of the device.
    public let size: UInt64
    /// Number of bits in use.
    public let granuleCount: UInt64
    private let state: Mutex<State>

    /// A map for `size` bytes with every bit set to `dirty`.
    public init(size: UInt64, granule: UInt64 = 65536, dirty: Bool) {
        precondition(granule > 0 && granule & (granule - 1) == 0, "the granule is a power of two")
        self.size = size
        self.granule = granule
        granuleCount = size.dividedRoundingUp(by: granule)
        var words = [UInt64](repeating: dirty ? .max : 0, count: Int(granuleCount.dividedRoundingUp(by: 64)))
        let tail = granuleCount % 64
        if dirty, tail != 0 { words[words.count - 1] = (1 << tail) - 1 }
        state = Mutex(
            State(
                words: words, dirtyGranules: dirty ? granuleCount : 0,
                marks: PageMarks(granules: granule == PageMarks.granule ? granuleCount : 0)))
    }

    /// Bytes in dirty granules, the last granule counted whole.
    public var dirtyBytes: UInt64 { state.withLock { $0.dirtyGranules } * granule }
    public var isClean: Bool { state.withLock { $0.dirtyGranules == 0 } }

    /// Marks every granule that the range touches.
    public func mark(_ offset: UInt64, _ length: UInt64) {
        guard length > 0 else { return }
        set(first: offset / granule, last: (offset + length - 1) / granule, dirty: true)
    }

    /// Marks every granule that the range touches; of one that was clean, or is marked so already, only the pages that it touches: the
    /// rest of it is the same as before on both sides.
    public func markPages(_ offset: UInt64, _ length: UInt64) {
        guard length > 0 else { return }
        if granule != PageMarks.granule { return mark(offset, length) }
        let (first, last) = (offset / granule, (offset + length - 1) / granule)
        state.withLock { state in
            for index in first...last {
                let base = index * granule
                let begin = (max(offset, base) - base) / PageMarks.page
                let end = (min(offset + length, base + granule) - base).dividedRoundingUp(by: PageMarks.page)
                let pages = UInt16.max << begin & UInt16.max >> (16 - end)
                if !Self.bit(state.words, index) {
                    state.words[Int(index / 64)] |= 1 << (index % 64)
                    state.dirtyGranules += 1
                    state.marks.add(pages, to: index)
                } else if state.marks.pages(of: index) != 0 {
                    state.marks.add(pages, to: index)
                }
            }
        }
    }

    /// The first part of `position ..< end` that is to be copied, where all granules are dirty: whole granules that follow each other, or
    /// pages of one that do; nil when there is none. `position` is the beginning of a granule, or the end of such a part.
    func nextPart(from position: UInt64, to end: UInt64) -> Range<UInt64>? {
        // The device's last granule may be short.
        if position >= end { return nil }
        return state.withLock { state -> Range<UInt64>? in
            var index = position / granule
            while index * granule < end {
                let (base, pages) = (index * granule, state.marks.pages(of: index))
                if pages == 0 {
                    repeat { index += 1 } while index * granule < end && state.marks.pages(of: index) == 0
                    return max(position, base)..<min(end, index * granule)
                }
                let from = (max(position, base) - base) / PageMarks.page
                let first = from + UInt64((pages >> from).trailingZeroBitCount)
                let start = base + first * PageMarks.page
                if first < 16, start < end {
                    let count = UInt64((~(pages >> first)).trailingZeroBitCount)
                    return start..<min(end, start + count * PageMarks.page)
                }
                index += 1
            }
            return nil
        }
    }

    /// Clears every granule that lies wholly inside the range; the last granule of the device counts as whole when the
    /// range reaches the device's end.
    public func clear(_ offset: UInt64, _ length: UInt64) {
        let first = offset.dividedRoundingUp(by: granule)
        let end = offset + length >= size ? granuleCount : (offset + length) / granule
        if end > first { set(first: first, last: end - 1, dirty: false) }
    }

    private func set(first: UInt64, last: UInt64, dirty: Bool) {
        state.withLock { state in
            var index = first
            while index <= last {
                let word = Int(index / 64)
                let from = index % 64
                let upTo = min(63, from + (last - index))
                let mask = (UInt64.max << from) & (UInt64.max >> (63 - upTo))
                let before = state.words[word]
                state.words[word] = dirty ? before | mask : before & ~mask
                let changed = UInt64((state.words[word] ^ before).nonzeroBitCount)
                state.dirtyGranules = dirty ? state.dirtyGranules + changed : state.dirtyGranules - changed
                index += upTo - from + 1
            }
            if first <= last { state.marks.forget(first...last) }
        }
    }

    /// Word `index` of the map, inverted: set = clean. Bits behind the last granule are 0.
    func cleanWord(_ index: Int) -> UInt64 {
        state.withLock { ~$0.words[index] } & usedBits(index)
    }

    /// Marks the granules whose bits are set in `bits`, for word `index`.
    func markWord(_ index: Int, _ bits: UInt64) {
        let wanted = bits & usedBits(index)
        if wanted == 0 { return }
        state.withLock { state in
            state.dirtyGranules += UInt64((wanted & ~state.words[index]).nonzeroBitCount)
            state.words[index] |= wanted
            if state.marks.isEmpty { return }
            for bit in 0..<64 as Range<UInt64> where wanted >> bit & 1 == 1 {
                state.marks.forget(UInt64(index) * 64 + bit...UInt64(index) * 64 + bit)
            }
        }
    }

    private func usedBits(_ index: Int) -> UInt64 {
        let rest = granuleCount - UInt64(index) * 64
        return rest >= 64 ? .max : (1 << rest) - 1
    }

    /// The run of equal granules that begins at `offset`, cut to `offset ..< end`: whether it is dirty and where it ends.
    public func run(at offset: UInt64, end: UInt64) -> (dirty: Bool, end: UInt64) {
        state.withLock { state in
            let first = offset / granule
            let dirty = Self.bit(state.words, first)
            let limit = end.dividedRoundingUp(by: granule)
            let stop = Self.firstIndex(where: !dirty, in: state.words, from: first + 1, limit: limit)
            return (dirty, min(end, stop * granule))
        }
    }

    /// The first dirty run at or after `offset`, searching round from the start once; at most `maximum` bytes, cut to
    /// the device's size. Nil when all is clean.
    public func nextDirty(from offset: UInt64, maximum: UInt64) -> Range<UInt64>? {
        state.withLock { state -> Range<UInt64>? in
            if state.dirtyGranules == 0 { return nil }
            let start = offset / granule
            var first = Self.firstIndex(where: true, in: state.words, from: start, limit: granuleCount)
            if first >= granuleCount {
                first = Self.firstIndex(where: true, in: state.words, from: 0, limit: granuleCount)
            }
            guard first < granuleCount else { return nil }
            let limit = min(granuleCount, first + max(1, maximum / granule))
            let stop = Self.firstIndex(where: false, in: state.words, from: first, limit: limit)
            return first * granule..<min(size, stop * granule)
        }
    }

    private static func bit(_ words: [UInt64], _ index: UInt64) -> Bool {
        words[Int(index / 64)] >> (index % 64) & 1 == 1
    }

    /// The first index in `from ..< limit` whose bit is `wanted`, else `limit`.
    private static func firstIndex(where wanted: Bool, in words: [UInt64], from: UInt64, limit: UInt64) -> UInt64 {
        var index = from
        while index < limit {
            let word = wanted ? words[Int(index / 64)] : ~words[Int(index / 64)]
            let rest = word >> (index % 64)
            if rest != 0 { return min(limit, index + UInt64(rest.trailingZeroBitCount)) }
            index = (index / 64 + 1) * 64
        }
        return limit
    }
}
