import BlockIO

/// Which sectors of a disk have their newest content already, while older content is still being brought: what is written by the
/// one way stays, whenever the other one comes to it.
///
/// One bit for each sector of 512 bytes, in regions of 4 MiB that are there once something was written to them: at most 1/4096 of the
/// disk's size.
///
/// SAFETY of the Sendable conformance: the variables are used with the monitor held.
final class NewerWrites: @unchecked Sendable {
    static let sectorSize: UInt64 = 512
    private static let regionSectors: UInt64 = 8192

    private let monitor = Monitor()
    private var regions: [UInt64: [UInt64]] = [:]
    /// Where older content is being written just now.
    private var filling: [Range<UInt64>] = []

    /// Before newer content is written to these sectors. Returns when no older content is on its way to them: what comes from here
    /// on leaves them alone.
    func mark(_ sectors: Range<UInt64>) {
        if sectors.isEmpty { return }
        monitor.locked {
            set(sectors)
            while filling.contains(where: { $0.overlaps(sectors) }) { monitor.wait() }
        }
    }

    /// Runs `body` for the parts of `sectors` that have no newer content, in order; whoever marks them meanwhile waits.
    func fill<E: Error>(_ sectors: Range<UInt64>, _ body: (Range<UInt64>) throws(E) -> Void) throws(E) {
        if sectors.isEmpty { return }
        let gaps = monitor.locked {
            let gaps = unmarked(sectors)
            filling += gaps
            return gaps
        }
        defer {
            monitor.locked {
                for gap in gaps {
                    if let index = filling.firstIndex(of: gap) { filling.remove(at: index) }
                }
                monitor.wakeAll()
            }
        }
        for gap in gaps { try body(gap) }
    }

    // MARK: - With the monitor held

    private func set(_ sectors: Range<UInt64>) {
        forEachWord(sectors) { region, word, mask, _ in
            regions[region, default: Self.empty][word] |= mask
        }
    }

    private func unmarked(_ sectors: Range<UInt64>) -> [Range<UInt64>] {
        var gaps: [Range<UInt64>] = []
        forEachWord(sectors) { region, word, mask, first in
            let free = ~(regions[region]?[word] ?? 0) & mask
            var bit = mask.trailingZeroBitCount
            let end = 64 - mask.leadingZeroBitCount
            while bit < end {
                // The next run of free sectors.
                let rest = free >> UInt64(bit)
                if rest == 0 { break }
                let start = bit + rest.trailingZeroBitCount
                let length = min((~(free >> UInt64(start))).trailingZeroBitCount, end - start)
                let base = first - UInt64(mask.trailingZeroBitCount)
                let run = base + UInt64(start)..<base + UInt64(start + length)
                if let last = gaps.last, last.upperBound == run.lowerBound {
                    gaps[gaps.count - 1] = last.lowerBound..<run.upperBound
                } else {
                    gaps.append(run)
                }
                bit = start + length
            }
        }
        return gaps
    }

    private static let empty = [UInt64](repeating: 0, count: Int(regionSectors / 64))

    /// `body` gets a region, the word in it, the bits of that which belong to `sectors`, and the sector of the lowest of these.
    private func forEachWord(
        _ sectors: Range<UInt64>, _ body: (_ region: UInt64, _ word: Int, _ mask: UInt64, _ first: UInt64) -> Void
    ) {
        var sector = sectors.lowerBound
        while sector < sectors.upperBound {
            let bit = sector % 64
            let count = min(64 - bit, sectors.upperBound - sector)
            let mask = (count == 64 ? UInt64.max : (1 << count) - 1) << bit
            body(sector / Self.regionSectors, Int(sector % Self.regionSectors / 64), mask, sector)
            sector += count
        }
    }
}
