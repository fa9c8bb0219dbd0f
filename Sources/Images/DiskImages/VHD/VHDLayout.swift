import BlockIO
import CoreTypes

/// What the footers and the header of a VHD file say, checked and reconciled; no table is read.
struct VHDLayout {
    let footer: VHDFooter
    /// Nil for fixed images.
    let header: VHDHeader?
    /// Bytes the guest sees; never more than the image can hold.
    let virtualSize: UInt64
    let fileLength: UInt64
    /// Where the trailing footer starts when it is valid, else the file's length: data end here.
    let contentEnd: UInt64
    /// Both copies of the footer are there and equal (fixed: the only one is).
    let footersAgree: Bool
    /// The trailing footer is valid: blocks must end before it.
    let hasTail: Bool
    let notes: [String]
    /// The image can be read, and must not be written.
    let mustNotWrite: Bool
    /// A fixed image was being enlarged: the size from which, which it has.
    let interruptedGrowth: UInt64?

    /// - Parameters:
    ///   - opensDisabled: takes an image that was disabled on purpose; refused otherwise.
    ///   - sizeChoice: which size of the footer counts. One whose enlargement was cut short has its size from before all the same.
    init(
        file: any ImageStorage, opensDisabled: Bool = false, size sizeChoice: OpenPolicy.VHDSize = .creator
    ) throws(BlockError) {
        let length = try file.size()
        var notes: [String] = []
        var mustNotWrite = false
        let copies = try Self.footers(file, length)

        let stranded = copies.endsInZeroes ? try Self.strandedFooter(file, length) : nil
        if stranded != nil, copies.isHeadMarked { throw Self.undecided(file, isEndLost: true) }

        // Fixed or not: a fixed image has its only footer at the end, and at the beginning what its guest wrote there,
        // which may be the beginning of another VHD. Any other has a copy at the beginning, and at the end its own footer
        // or, after a crash, what a guest wrote there; on a device or in a longer file perhaps an old image's footer.
        // A footer at the end that says exactly where it lies is that of a fixed image. One that says less may be, or may
        // be old, and nothing that a guest could not have written tells which: then nobody guesses. One that says more
        // than there is room for is old.
        var chosen: VHDFooter
        let contradicting: VHDFooter?
        if let tail = copies.tail, tail.kind == .fixed, copies.head == nil || tail.currentSize == copies.tailStart {
            (chosen, contradicting) = (tail, nil)
        } else if let head = copies.head {
            if let tail = copies.tail, tail.kind == .fixed, tail.currentSize < copies.tailStart {
                throw Self.undecided(file)
            }
            (chosen, contradicting) = (head, copies.tail == head ? nil : copies.tail)
            if copies.tail == nil {
                notes.append("the footer at the end is missing; the copy at the beginning is used")
            }
        } else if let tail = copies.tail {
            (chosen, contradicting) = (tail, nil)
            notes.append("the copy of the footer at the beginning is missing")
        } else if let stranded {
            (chosen, contradicting) = (stranded, nil)
        } else {
            throw copies.failure
        }
        if VHDFooter.isPoisoned(chosen.bytes) || (chosen.kind != .fixed && copies.isPoisoned) {
            guard opensDisabled else { throw Self.disabled }
            notes.append("the VHD was disabled on purpose (footer cookie v_poison)")
            // Who writes both copies anew leaves it disabled.
            chosen = chosen.disabled
        }
        if contradicting != nil {
            notes.append("the two copies of the footer differ; the one at the beginning is used")
        }
        var size = chosen.size(by: sizeChoice)
        interruptedGrowth = chosen.growsFrom ?? (stranded != nil ? chosen.virtualSize : nil)
        if let interruptedGrowth {
            notes.append("an enlargement of the disk was cut short; it has its size from before")
            size = interruptedGrowth
        } else if size != chosen.currentSize {
            notes.append("the size follows the geometry (\(size) bytes), not the size field (\(chosen.currentSize))")
        }
        let header: VHDHeader?
        let capacity: UInt64
        if chosen.kind == .fixed {
            header = nil
            capacity = copies.tailStart.roundedDown(to: 512)
        } else {
            let known = try VHDHeader(file: file, offset: chosen.headerOffset, length: length)
            header = known
            capacity = known.entryCount * known.blockSize
        }
        if size > capacity {
            notes.append("the image can hold only \(capacity) of its \(size) bytes; it opens read-only and shortened")
            mustNotWrite = true
            size = capacity
        }
        guard size <= FormatCapabilities.largestVHD else {
            throw FormatCapabilities.tooLarge(size, .vhd, limit: FormatCapabilities.largestVHD)
        }
        footer = chosen
        self.header = header
        virtualSize = size
        fileLength = length
        contentEnd = copies.tail == nil ? length : copies.tailStart
        footersAgree = chosen.kind == .fixed || copies.head == copies.tail
        hasTail = copies.tail != nil
        self.notes = notes
        self.mustNotWrite = mustNotWrite
    }

    /// File ranges of all metadata but the trailing footer, locators that lie in front of `contentEnd` included.
    static func reservedRanges(
        footer: VHDFooter, header: VHDHeader, batmap: VHDBatmap?, contentEnd: UInt64
    ) throws(BlockError) -> [Range<UInt64>] {
        let headerOffset = footer.headerOffset
        var ranges = [
            0..<UInt64(VHDFooter.size), headerOffset..<headerOffset + UInt64(VHDHeader.size),
            header.tableOffset..<header.batmapOffset,
        ]
        if ranges[1].overlaps(ranges[2]) {
            throw BlockError(.corrupt, "the VHD header and block table lie over each other", offset: headerOffset)
        }
        if let batmap { ranges += [batmap.headOffset..<batmap.mapOffset + batmap.mapSize] }
        if footer.kind == .differencing {
            // Hyper-V reserves more than the path needs, and only that may be relied on.
            ranges += header.locators.compactMap { locator in
                locator.range(fileLength: contentEnd).map {
                    $0.lowerBound..<$0.lowerBound + ((locator.length + 511) / 512 * 512)
                }
            }.filter { !$0.isEmpty }
        }
        return ranges
    }

    /// The copies of the footer that are valid: `head` only when it is not of a fixed image, which has none.
    private struct Copies {
        var head: VHDFooter?
        var tail: VHDFooter?
        var tailStart: UInt64 = 0
        /// The beginning is marked as that of an image that is not fixed, valid or not.
        var isHeadMarked = false
        /// One of them was made invalid on purpose.
        var isPoisoned = false
        /// The last sector is zeroes.
        var endsInZeroes = false
        var failure = BlockError(.invalidImage, "not a VHD: no footer at the beginning or the end")
    }

    private static let disabled = BlockError(
        .invalidImage,
        "the VHD was disabled on purpose (footer cookie v_poison); ask for a disabled image to look at it nevertheless")

    /// `isEndLost`: the file ends in zeroes, and what says fixed lies in front of them.
    private static func undecided(_ file: any ImageStorage, isEndLost: Bool = false) -> BlockError {
        let end = file.isBlockDevice ? "device" : "file"
        let other = isEndLost ? "append a copy of its first 512 bytes to it" : "clear the footer at the end"
        return BlockError(
            .corrupt,
            "the end of the \(end) says that the VHD is fixed, and its beginning, which a guest may have written, that it is "
                + "not: if it is fixed, copy its disk, the first bytes of the \(end), as raw; if not, \(other)")
    }

    private static func footers(_ file: any ImageStorage, _ length: UInt64) throws(BlockError) -> Copies {
        var copies = Copies()
        if length < 511 { return copies }
        // Virtual PC before 2004 wrote footers of 511 bytes.
        copies.tailStart = length % 512 == 511 ? length - 511 : length - min(length, 512)
        let headBytes = try file.array(at: 0, count: VHDFooter.size)
        let tailBytes = try file.array(at: copies.tailStart, count: VHDFooter.size)
        if VHDFooter.isMarked(headBytes) || VHDFooter.isPoisoned(headBytes) {
            do { copies.head = try VHDFooter(checking: headBytes, allowsPoison: true) } catch { copies.failure = error }
            copies.isHeadMarked = copies.head?.kind != .fixed
            if copies.head?.kind == .fixed { copies.head = nil }
        }
        if VHDFooter.isMarked(tailBytes) || VHDFooter.isPoisoned(tailBytes) {
            do { copies.tail = try VHDFooter(checking: tailBytes, allowsPoison: true) } catch { copies.failure = error }
        }
        // Of the end only a whole footer counts: after a crash a guest's data may lie there.
        copies.isPoisoned =
            VHDFooter.isPoisoned(headBytes) || copies.tail.map { VHDFooter.isPoisoned($0.bytes) } ?? false
        if copies.isPoisoned { copies.failure = disabled }
        copies.endsInZeroes = tailBytes.allSatisfy { $0 == 0 }
        return copies
    }
}
