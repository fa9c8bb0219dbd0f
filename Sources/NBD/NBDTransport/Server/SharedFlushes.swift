import BlockIO
import Synchronization

/// Failed flushes of one export as its connections hear of them: each connection that there is when a flush fails hears of it,
/// whichever asked. A value.
///
/// Clients are told that a flush on one connection covers the writes of all (CAN_MULTI_CONN). So they may write on one
/// and flush on another, and a device that says once that something was lost says it to all of them.
struct FlushFailures {
    private(set) var count: UInt64 = 0
    private(set) var last: BlockError?

    mutating func add(_ error: BlockError) {
        count += 1
        last = error
    }

    /// What a connection that knows of the first `seen` failures has to be told instead of success; it knows of all then.
    func owed(to seen: inout UInt64) -> BlockError? {
        if seen == count { return nil }
        seen = count
        return last
    }
}

/// The flushes of one export, for all its connections that write: as few as are needed, and none beside one that fails.
final class SharedFlushes: Sendable {
    /// What one connection knows of.
    struct Reader: ~Copyable {
        fileprivate let seen: Mutex<UInt64>
    }

    private let gate = FlushGate()
    private let failures = Mutex(FlushFailures())

    /// For a connection that begins now.
    func makeReader() -> Reader { Reader(seen: Mutex(failures.withLock { $0.count })) }

    /// Flushes the device; throws its error, or one that another connection's flush has met since this one's last.
    func flush(_ device: any BlockDevice, _ reader: borrowing Reader) throws(BlockError) {
        var failure: BlockError?
        do throws(BlockError) {
            try gate.flush { () throws(BlockError) in
                do throws(BlockError) {
                    try device.flush()
                } catch {
                    failures.withLock { $0.add(error) }
                    throw error
                }
            }
        } catch { failure = error }
        let owed = reader.seen.withLock { seen in failures.withLock { $0.owed(to: &seen) } }
        if let failure = failure ?? owed { throw failure }
    }
}
