import BlockIO
import CoreTypes

/// Copying without looking at every page. The kernel copies from one page cache into the other; who wants to see all of
/// the bytes first pays for addresses of every page, an eighth of the copy. So a few bytes at both ends of each piece are
/// looked at, and only where they are zero all bytes are, up to the first page that is not.
///
/// What is left out so: all zeroes that fill a whole aligned piece, and those that begin or end one, page by page. What is
/// not left out takes the space that it takes in the source.
///
/// Looking costs a call and two lines of the processor's cache for each piece, 3 to 6 % of a copy. Where a mebibyte has shown
/// no zero, pieces are joined to stretches of four, and looked at singly again from the first zero at the end of one:
/// what escapes then are zeroes that lie inside a stretch and touch neither of its ends.
extension CopyJob {
    /// Ends at multiples of it on the device: the cluster size that most images have.
    private static let pieceBytes: UInt64 = 64 << 10
    /// What is looked at as one piece after `calmBytes` without a zero.
    private static let stretchBytes: UInt64 = 256 << 10
    private static let calmBytes: UInt64 = 1 << 20
    /// Bytes looked at, on each side of where two pieces meet.
    private static let sampleBytes: UInt64 = 64
    private static let page: UInt64 = 4096

    /// Copies adjoining parts that all lie in files, by the kernel or from a mapping. False when not all were, and all are
    /// to be copied through a buffer.
    func moveBetweenFiles(_ parts: [HostExtent], with hands: inout CopyHands) throws(BlockError) -> Bool {
        switch manner.zeroes {
        case .sample where hands.copiesRanges:
            for part in parts { try moveSampled(part, with: &hands) }
            return true
        case .keep:
            guard hands.copiesRanges else { return false }
            for part in parts { try copyUnseen(part, with: &hands) }
            return true
        case .sample, .search:
            guard let window = hands.window else { return false }
            var places = true
            if try moveMapped(parts, from: window, &places) { return true }
            if !places { hands.window = nil }
            return false
        }
    }

    private func moveSampled(_ part: HostExtent, with hands: inout CopyHands) throws(BlockError) {
        let file = files[Int(part.file)]
        let isInMemory = hands.isInMemory(file)
        // Pages that the part fills only in part are searched: sources whose data is not on pages have other bytes'
        // zeroes around what they hold, which would take a page more at each end.
        var position = min(part.end, part.offset.roundedUp(to: Self.page) ?? part.end)
        let end = max(position, part.end & ~(Self.page - 1))
        if position > part.offset { try move([part.from(part.offset, to: position)], through: hands.buffer) }

        var unseen = position
        var atPosition = try file.sample(
            at: part.host(of: position), before: 0, after: min(Self.sampleBytes, end - position),
            isInMemory: isInMemory)
        while position < end {
            let step = hands.calm < Self.calmBytes ? Self.pieceBytes : Self.stretchBytes
            let next = min(end, (position & ~(step - 1)) + step)
            let atNext = try file.sample(
                at: part.host(of: next), before: Self.sampleBytes, after: min(Self.sampleBytes, end - next),
                isInMemory: isInMemory)
            guard let here = atPosition, let there = atNext else { break }
            if here.isZeroAfter || there.isZeroBefore {
                hands.calm = 0
                // A stretch: its pieces one by one.
                if step > Self.pieceBytes { continue }
                let data = try dataRange(in: part.from(position, to: next), here, there, with: &hands)
                if data.lowerBound > position {
                    try copyUnseen(part.from(unseen, to: position), with: &hands)
                    try leaveOut(position..<data.lowerBound)
                    unseen = data.lowerBound
                }
                if data.upperBound < next {
                    try copyUnseen(part.from(unseen, to: data.upperBound), with: &hands)
                    try leaveOut(data.upperBound..<next)
                    unseen = next
                }
            } else {
                hands.calm += next - position
            }
            position = next
            atPosition = atNext
        }
        try copyUnseen(part.from(unseen, to: position), with: &hands)
        // What is not in the page cache, or no longer in the file, and the last page.
        if position < part.end { try move([part.from(position, to: part.end)], through: hands.buffer) }
    }

    /// A piece without the pages of zeroes that it begins with, and without those that it ends with: as far as the samples
    /// make them worth looking for. Empty at the end of the piece when all of it is zero.
    private func dataRange(
        in piece: HostExtent, _ first: ImageFile.Sample, _ last: ImageFile.Sample, with hands: inout CopyHands
    ) throws(BlockError) -> Range<UInt64> {
        let file = files[Int(piece.file)]
        let buffer = hands.buffer
        var (low, high) = (piece.offset, piece.end)
        if first.isZeroAfter {
            while low < high {
                let count = min(Self.page, high - low)
                if try !isZero(file, piece.host(of: low), count, buffer) { break }
                low += count
            }
        }
        if last.isZeroBefore {
            while high > low {
                let start = max(low, (high - 1) & ~(Self.page - 1))
                if try !isZero(file, piece.host(of: start), high - start, buffer) { break }
                high = start
            }
        }
        // All zero: what was found from the beginning.
        return low..<max(low, high)
    }

    private func isZero(
        _ file: ImageFile, _ host: UInt64, _ count: UInt64, _ buffer: AlignedBuffer
    ) throws(BlockError) -> Bool {
        // SAFETY: a page at most, which every buffer of a copy holds.
        let bytes = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[..<Int(count)])
        try unsafe file.read(into: bytes, at: host)
        return unsafe BlockIO.isZero(UnsafeRawBufferPointer(bytes))
    }

    /// Zeroes that the source stores.
    private func leaveOut(_ range: Range<UInt64>) throws(BlockError) {
        if destinationIsZero { return }
        try destination.writeZeroes(
            at: range.lowerBound, length: range.upperBound - range.lowerBound, mayUnmap: true)
    }

    /// Copies a part, which may be empty, as it is.
    private func copyUnseen(_ part: HostExtent, with hands: inout CopyHands) throws(BlockError) {
        guard part.length > 0, let target else { return }
        let file = files[Int(part.file)]
        var done: UInt64 = 0
        while done < part.length {
            let placed = try target.place(at: part.offset + done, length: part.length - done) {
                (to, host, length) throws(BlockError) in
                let from = part.host + done
                let copied = hands.copiesRanges ? try to.copyRange(from: file, at: from, length: length, to: host) : 0
                if copied == length { return }
                // Not between these files, perhaps not between any.
                if copied == 0 { hands.copiesRanges = false }
                // The place is ours, so the content goes there now.
                try copyBetween(file, from + copied, to, host + copied, length - copied)
            }
            if placed == 0 { break }
            done += placed
        }
        if done < part.length {
            try move([part.from(part.offset + done, to: part.end)], through: hands.buffer)
        }
    }
}

/// What one thread of a copy works with.
struct CopyHands {
    /// Nil where nothing may be mapped, or it is of no use.
    var window: MappedWindow?
    /// The kernel copies between the files, for all that is known.
    var copiesRanges: Bool
    /// Bytes of data since samples last met a zero.
    var calm: UInt64 = 0
    private var own: AlignedBuffer?
    private let bufferBytes: UInt64
    private var knownFile: ImageFile?
    private var knownIsInMemory = false

    init(window: MappedWindow?, copiesRanges: Bool, bufferBytes: UInt64) {
        self.window = window
        self.copiesRanges = copiesRanges
        self.bufferBytes = bufferBytes
    }

    /// Made for the first bytes that go through it: where all is cloned, touching it would cost more than the clones.
    var buffer: AlignedBuffer {
        mutating get {
            let buffer = own ?? AlignedBuffer(count: Int(bufferBytes))
            own = buffer
            return buffer
        }
    }

    mutating func isInMemory(_ file: ImageFile) -> Bool {
        if knownFile !== file {
            knownFile = file
            knownIsInMemory = file.isInMemory
        }
        return knownIsInMemory
    }
}

extension HostExtent {
    /// The piece from `start` to `end`, offsets on the device inside the extent.
    func from(_ start: UInt64, to end: UInt64) -> HostExtent {
        var part = self
        part.offset = start
        part.length = end - start
        part.host = host(of: start)
        return part
    }

    /// Where the byte at `position` lies in the file.
    func host(of position: UInt64) -> UInt64 { host &+ (position - offset) }
}
