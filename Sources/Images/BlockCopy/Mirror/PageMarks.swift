/// Which pages of a granule may differ, where the rest of it is known to be the same: what is written to after it was copied is little of
/// each granule, and only that has to be copied again. Sixteen bits a granule, kept for parts of the device in which there are any;
/// of what does not find room there, whole granules are meant. A value.
struct PageMarks {
    static let page: UInt64 = 4096
    /// Bytes of a granule of sixteen pages.
    static let granule: UInt64 = 16 * page
    /// Granules of a part, whose marks take 8 KiB, and the most parts.
    private static let partLength = 4096
    private static let mostParts = 512

    private var parts: [[UInt16]]
    /// Granules of each part that have marks; where none has, the part takes no room.
    private var marked: [Int]
    private var count = 0
    /// One that was given up last, all zeroes: what goes and comes all the time is not made anew.
    private var spare: [UInt16] = []

    init(granules: UInt64) {
        parts = [[UInt16]](repeating: [], count: (Int(granules) + Self.partLength - 1) / Self.partLength)
        marked = [Int](repeating: 0, count: parts.count)
    }

    /// Nothing is known of any granule's pages.
    var isEmpty: Bool { count == 0 }

    /// 0: nothing is known of the granule's pages.
    func pages(of granule: UInt64) -> UInt16 {
        if count == 0 { return 0 }
        let (part, index) = Int(granule).quotientAndRemainder(dividingBy: Self.partLength)
        return parts[part].isEmpty ? 0 : parts[part][index]
    }

    /// Some of the granule's pages may differ, too, or are the first of it that may. Where all do, or there is no room, nothing is
    /// known of it from here on.
    mutating func add(_ pages: UInt16, to granule: UInt64) {
        let (part, index) = Int(granule).quotientAndRemainder(dividingBy: Self.partLength)
        if parts[part].isEmpty {
            if count == Self.mostParts || pages == 0 || pages == .max { return }
            count += 1
            if spare.isEmpty { spare = [UInt16](repeating: 0, count: Self.partLength) }
            swap(&parts[part], &spare)
        }
        let all = parts[part][index] | pages
        set(part, index, all == .max ? 0 : all)
        giveUpIfEmpty(part)
    }

    private mutating func set(_ part: Int, _ index: Int, _ pages: UInt16) {
        let before = parts[part][index]
        if before == pages { return }
        if before == 0 { marked[part] += 1 }
        if pages == 0 { marked[part] -= 1 }
        parts[part][index] = pages
    }

    private mutating func giveUpIfEmpty(_ part: Int) {
        if marked[part] > 0 { return }
        swap(&spare, &parts[part])
        parts[part] = []
        count -= 1
    }

    mutating func forget(_ granules: ClosedRange<UInt64>) {
        if count == 0 { return }
        for part in Int(granules.lowerBound) / Self.partLength...Int(granules.upperBound) / Self.partLength
        where !parts[part].isEmpty {
            let first = max(0, Int(granules.lowerBound) - part * Self.partLength)
            let last = min(Self.partLength - 1, Int(granules.upperBound) - part * Self.partLength)
            for index in first...last { set(part, index, 0) }
            giveUpIfEmpty(part)
        }
    }
}
