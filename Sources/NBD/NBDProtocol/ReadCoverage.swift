/// Which bytes of one READ the chunks of its structured reply have brought so far.
///
/// A server may send them in any order and in pieces of any size, and every byte once ("Structured reply message": chunks
/// must not overlap, and must cover the request unless it failed). Counting bytes is not enough: a server that sends one half
/// twice would pass, and the reader be given what its buffer held before.
///
/// A value without I/O. What it keeps is bounded; chunks that come in order cost nothing.
public struct ReadCoverage: Sendable, Equatable {
    /// Most separate runs that are kept: what pieces of 4 KiB in the worst order make of the longest request.
    public static let mostRuns = Int(NBDLimits.payload) / 4096 / 2 + 1

    public enum Verdict: Sendable, Equatable {
        case taken
        /// It brings nothing: such a reply would never end.
        case empty
        case outside
        case overlapping
        /// More runs than are kept.
        case scattered
    }

    /// Bytes of the request.
    private let length: UInt32
    /// All before this has come.
    private var prefix: UInt32 = 0
    /// What has come behind that: in order, neither overlapping nor adjoining.
    private var runs: [Range<UInt32>] = []

    /// Nothing of `length` bytes has come.
    public init(length: UInt32) { self.length = length }

    public var isComplete: Bool { prefix == length }

    /// Takes a chunk of `count` bytes, `offset` bytes behind the request's start. Nothing changes unless it is `.taken`.
    public mutating func add(_ offset: UInt64, _ count: UInt64) -> Verdict {
        if count == 0 { return .empty }
        guard offset <= UInt64(length), count <= UInt64(length) - offset else { return .outside }
        let new = UInt32(offset)..<UInt32(offset + count)
        if new.lowerBound < prefix { return .overlapping }
        let index = place(of: new.lowerBound)
        if index < runs.count, runs[index].lowerBound < new.upperBound { return .overlapping }
        if new.lowerBound == prefix {
            prefix = new.upperBound
            if let next = runs.first, next.lowerBound == prefix {
                prefix = next.upperBound
                runs.removeFirst()
            }
            return .taken
        }
        let joinsBefore = index > 0 && runs[index - 1].upperBound == new.lowerBound
        let joinsBehind = index < runs.count && runs[index].lowerBound == new.upperBound
        if joinsBefore {
            runs[index - 1] = runs[index - 1].lowerBound..<(joinsBehind ? runs[index].upperBound : new.upperBound)
            if joinsBehind { runs.remove(at: index) }
        } else if joinsBehind {
            runs[index] = new.lowerBound..<runs[index].upperBound
        } else {
            if runs.count >= Self.mostRuns { return .scattered }
            runs.insert(new, at: index)
        }
        return .taken
    }

    /// The first run that ends behind `position`.
    private func place(of position: UInt32) -> Int {
        var (low, high) = (0, runs.count)
        while low < high {
            let middle = (low + high) / 2
            if runs[middle].upperBound <= position { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
