import BlockIO
import CoreTypes
import Synchronization

/// What is left of a comparison, handed out in order to several threads, and why it cannot go on.
final class ComparedPieces: Sendable {
    private struct State {
        /// Up to here both maps were looked at.
        var looked: UInt64 = 0
        /// Where there is data in either, last first.
        var runs: [Range<UInt64>] = []
        /// Bytes to look at next.
        var window = ComparedPieces.firstWindow
        var error: BlockError?
    }

    private static let firstWindow: UInt64 = 16 << 20
    private static let longestWindow: UInt64 = 1 << 30
    /// Less than this between two runs is read with them.
    private static let gap: UInt64 = 64 << 10
    private static let alignment: UInt64 = 4096

    let pace = ComparisonPace()
    /// The destination's map tells less at a time than the source's.
    let isDestinationTerse = Atomic<Bool>(false)
    private let size: UInt64
    private let chunk: UInt64
    private let state = Mutex(State())

    private let round: ComparisonRound
    /// Of what is left in the round; nil: all is looked at.
    private let pass: Int?

    init(size: UInt64, chunk: UInt64, round: ComparisonRound, pass: Int? = nil) {
        (self.size, self.chunk, self.round, self.pass) = (size, chunk, round, pass)
    }

    /// Something was looked at: to begin anew would cost that.
    var hasBegun: Bool { pass != nil || state.withLock { $0.looked > 0 } }
    /// What a guest writes to all the time was put aside often enough.
    var mayHold: Bool { pass ?? 0 >= Self.mostAside }
    private static let mostAside = 8

    /// So many bytes are alike.
    func passed(_ bytes: UInt64) { if pass == nil { round.add(bytes) } }

    func putAside(_ part: Range<UInt64>) {
        round.left.mark(part.lowerBound, part.upperBound - part.lowerBound)
    }

    /// Takes what is left in the range from the round, where nothing else is looked at. It is to be in sync after that, and not
    /// before: what is left again then is not taken.
    func takeLeft(in range: Range<UInt64>, to extents: inout [Extent]) -> Bool {
        if pass == nil { return false }
        var position = range.lowerBound
        while position < range.upperBound {
            let run = round.left.run(at: position, end: range.upperBound)
            if run.dirty {
                round.left.clear(position, run.end - position)
                extents.append(Extent(offset: position, length: run.end - position, kind: .data))
            }
            position = run.end
        }
        return true
    }

    var error: BlockError? { state.withLock { $0.error } }
    func fail(_ error: BlockError) { state.withLock { if $0.error == nil { $0.error = error } } }

    /// The next piece; nil behind the last. `look` appends the extents of both images in a range, others wait for it, and
    /// returns how far they go: it may be before the range's end.
    func next(
        _ look: (inout [Extent], Range<UInt64>) throws(BlockError) -> UInt64
    ) throws(BlockError) -> Range<UInt64>? {
        try state.withLock { state throws(BlockError) in
            while state.runs.isEmpty, state.looked < size {
                let window = state.looked..<min(size, state.looked + state.window)
                var extents: [Extent] = []
                let range = window.lowerBound..<(try look(&extents, window))
                state.runs = Self.merge(extents, in: range).reversed()
                passed(
                    state.runs.reduce(range.upperBound - range.lowerBound) { $0 - ($1.upperBound - $1.lowerBound) })
                state.looked = range.upperBound
                // What is empty goes by in large steps.
                state.window = state.runs.isEmpty ? min(Self.longestWindow, state.window * 4) : Self.firstWindow
            }
            guard let run = state.runs.popLast() else { return nil }
            let piece = run.lowerBound..<min(run.upperBound, run.lowerBound + chunk)
            if piece.upperBound < run.upperBound { state.runs.append(piece.upperBound..<run.upperBound) }
            return piece
        }
    }

    /// Where there is data in any of the extents, in order.
    private static func merge(_ extents: [Extent], in range: Range<UInt64>) -> [Range<UInt64>] {
        var runs: [Range<UInt64>] = []
        for extent in extents.lazy.filter({ $0.kind == .data }).sorted(by: { $0.offset < $1.offset }) {
            let end = extent.end.roundedUp(to: alignment) ?? range.upperBound
            let run = (extent.offset.roundedDown(to: alignment)..<end).clamped(to: range)
            if run.isEmpty { continue }
            if let last = runs.last, run.lowerBound <= last.upperBound + gap {
                runs[runs.count - 1] = last.lowerBound..<max(last.upperBound, run.upperBound)
            } else {
                runs.append(run)
            }
        }
        return runs
    }
}
