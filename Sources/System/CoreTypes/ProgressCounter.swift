import Synchronization

/// Bytes done out of bytes to do, written by a worker thread and sampled by whoever shows or reports progress.
/// Both are monotonic hints, not an account: a sample may see `done` of a moment later than `total`.
public final class ProgressCounter: Sendable {
    private let doneBytes = Atomic<UInt64>(0)
    private let totalBytes = Atomic<UInt64>(0)

    public init() {}

    /// Bytes finished so far.
    public var done: UInt64 { doneBytes.load(ordering: .relaxed) }
    /// Bytes to do in all; 0 while unknown.
    public var total: UInt64 { totalBytes.load(ordering: .relaxed) }
    /// 0…1; 0 while the total is unknown.
    public var fraction: Double { total == 0 ? 0 : min(1, Double(done) / Double(total)) }

    public func add(_ bytes: UInt64) { doneBytes.wrappingAdd(bytes, ordering: .relaxed) }
    public func expect(_ bytes: UInt64) { totalBytes.store(bytes, ordering: .relaxed) }
    public func expectMore(_ bytes: UInt64) { totalBytes.wrappingAdd(bytes, ordering: .relaxed) }
}
