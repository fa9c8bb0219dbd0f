import Synchronization

/// The pieces of a device that a mirror's copier is copying just now without holding them, and which of their granules
/// were written to meanwhile. Few at a time.
///
/// A piece is added with its range held: every write that overlaps it has ended before, or sees it. It is taken out with
/// the range held again: what overlapped it has ended, and has been noted.
final class CopyPieces: Sendable {
    struct Piece {
        let range: Range<UInt64>
        /// Where of it was written to, as one range.
        var touched: Range<UInt64>?
    }

    private struct State {
        var pieces: [Piece] = []
        /// The destination is being exchanged.
        var isClosed = false
    }

    private let state = Mutex(State())
    private let count = Atomic<Int>(0)

    /// False when it overlaps another: two copies of one place would come to the destination in any order. And while
    /// these are closed. Who has added a piece may use the destination until it is taken out.
    func add(_ range: Range<UInt64>) -> Bool {
        state.withLock { state in
            if state.isClosed || state.pieces.contains(where: { $0.range.overlaps(range) }) { return false }
            state.pieces.append(Piece(range: range))
            count.add(1, ordering: .sequentiallyConsistent)
            return true
        }
    }

    /// Lets nobody add a piece until `open`. False, and no change, while there is one.
    func close() -> Bool {
        state.withLock { state in
            if state.pieces.isEmpty { state.isClosed = true }
            return state.isClosed
        }
    }

    func open() { state.withLock { $0.isClosed = false } }

    /// A write to dirty granules, with its range held.
    @inline(__always)
    func touch(_ range: Range<UInt64>) {
        if count.load(ordering: .sequentiallyConsistent) > 0 { note(range) }
    }

    private func note(_ range: Range<UInt64>) {
        state.withLock { state in
            for index in state.pieces.indices where state.pieces[index].range.overlaps(range) {
                let part = range.clamped(to: state.pieces[index].range)
                let before = state.pieces[index].touched ?? part
                state.pieces[index].touched =
                    min(before.lowerBound, part.lowerBound)..<max(before.upperBound, part.upperBound)
            }
        }
    }

    /// Everything has changed in all pieces that there are, by `body`, which none of them comes between (`finish`).
    func touchAll(_ body: () -> Void) {
        state.withLock { state in
            body()
            for index in state.pieces.indices { state.pieces[index].touched = state.pieces[index].range }
        }
    }

    /// Takes the piece out, with its range held, behind `body`, which is told what was written to of it since it was added.
    func finish(_ range: Range<UInt64>, _ body: (Range<UInt64>?) -> Void) {
        state.withLock { state in
            guard let index = state.pieces.firstIndex(where: { $0.range == range }) else { return }
            body(state.pieces[index].touched)
            state.pieces.remove(at: index)
        }
        count.subtract(1, ordering: .sequentiallyConsistent)
    }

    /// Takes the piece out; what was written to meanwhile.
    func remove(_ range: Range<UInt64>) -> Range<UInt64>? {
        count.subtract(1, ordering: .sequentiallyConsistent)
        return state.withLock { state in
            guard let index = state.pieces.firstIndex(where: { $0.range == range }) else { return nil }
            return state.pieces.remove(at: index).touched
        }
    }
}
