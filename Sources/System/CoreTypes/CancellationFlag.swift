import Synchronization

/// A one-way flag that asks a long operation to stop. Set from any thread or task, polled by the worker.
public final class CancellationFlag: Sendable {
    private let flag = Atomic<Bool>(false)

    public init() {}

    /// True once `cancel()` was called; it never becomes false again.
    public var isCancelled: Bool { flag.load(ordering: .acquiring) }

    public func cancel() { flag.store(true, ordering: .releasing) }
}
