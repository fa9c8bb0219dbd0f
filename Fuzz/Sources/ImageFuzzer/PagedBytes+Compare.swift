import BlockIO
import Glibc

extension PagedBytes {
    /// The first byte in which two files differ, their lengths included; nil when there is none outside of `unknown`.
    func firstDifference(from other: PagedBytes, except unknown: Range<UInt64>) -> Int? {
        let common = min(count, other.count)
        let low = Int(min(UInt64(common), unknown.lowerBound))
        let high = max(low, Int(min(UInt64(common), unknown.upperBound)))
        if let place = firstDifference(from: other, in: 0..<low) ?? firstDifference(from: other, in: high..<common) {
            return place
        }
        return count == other.count || unknown.upperBound > UInt64(common) ? nil : common
    }

    /// The same of a range; what lies past the end of one of them counts as equal.
    func firstDifference(from other: PagedBytes, in range: Range<Int>) -> Int? {
        let end = min(range.upperBound, count, other.count)
        var position = range.lowerBound
        let (mine, theirs) = (AlignedBuffer(count: 4096), AlignedBuffer(count: 4096))
        while position < end {
            let length = min(4096 - position % 4096, end - position)
            if isStored(position) || other.isStored(position) {
                let here = UnsafeMutableRawBufferPointer(rebasing: mine.bytes[..<length])
                let there = UnsafeMutableRawBufferPointer(rebasing: theirs.bytes[..<length])
                read(into: here, at: position)
                other.read(into: there, at: position)
                for index in 0..<length where here[index] != there[index] { return position + index }
            }
            position += length
        }
        return nil
    }
}
