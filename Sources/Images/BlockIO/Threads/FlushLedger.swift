import Synchronization

/// What is known of the changes that a server has answered and may hold in its memory only: which of them a flush has covered,
/// and whether one was lost.
///
/// Changes are counted when they begin and when they end, and a good flush covers those that had ended when it began.
///
/// A flush that the server refused is never taken back. Whatever lies behind the server, its kernel tells of a failed
/// write-back once, takes the pages for clean and answers the next flush with success; the data are gone. So from the first
/// refusal on every flush fails, on whichever connection and for whoever asks, until the export is opened anew and somebody
/// who knows what is lost (a mirror that copies it again, a guest that was told) begins again. A connection that was lost
/// decides nothing: what becomes of the changes then is its owner's to know. Nor does a server that says that it does not flush,
/// for this client or at all: it has not tried.
public final class FlushLedger: Sendable {
    private let begun = Atomic<UInt64>(0)
    private let completed = Atomic<UInt64>(0)
    private let covered = Atomic<UInt64>(0)
    private let gate = FlushGate()
    private let refusal = Mutex<BlockError?>(nil)

    public init() {}

    /// Never false while a change is under way, or was when the last good flush began.
    public var isVolatile: Bool { begun.load(ordering: .acquiring) != covered.load(ordering: .acquiring) }

    /// Runs a change.
    @inlinable
    public func change(_ body: () throws(BlockError) -> Void) throws(BlockError) {
        begin()
        // One that failed may have changed something all the same.
        defer { end() }
        try body()
    }

    public func begin() { begun.add(1, ordering: .acquiringAndReleasing) }
    public func end() { completed.add(1, ordering: .acquiringAndReleasing) }

    /// Runs a flush, for all who ask meanwhile: no two at once, so that of several none succeeds beside one that is refused.
    public func flush(_ body: () throws(BlockError) -> Void) throws(BlockError) {
        try gate.flush { () throws(BlockError) in
            if let refused = refusal.withLock({ $0 }) {
                throw BlockError(
                    refused.code,
                    "an earlier flush was refused, and what it was to make durable may be lost: \(refused)")
            }
            let before = completed.load(ordering: .acquiring)
            do throws(BlockError) {
                try body()
            } catch {
                if error.code.mayHaveLostChanges { refusal.withLock { $0 = error } }
                throw error
            }
            covered.max(before, ordering: .acquiringAndReleasing)
        }
    }
}

extension BlockError.Code {
    /// Of a flush: whether it may have been tried, so that another one's success proves nothing.
    fileprivate var mayHaveLostChanges: Bool { ![.disconnected, .unsupported, .readOnly, .denied].contains(self) }
}
