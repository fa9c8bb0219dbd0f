public import APITypes
import RPCCodec
import Synchronization

/// An operation that a server carries out in a task of its own. Every message that can run so has an `async…` form that
/// answers with one.
///
/// Await `value`: it waits for the end, removes the task from the server and returns what the operation returned, or
/// throws why it failed. A Swift task that is cancelled meanwhile cancels the operation. Handles that are let go without
/// it leave the task to the server, which forgets finished ones after about an hour.
public final class XenTaskHandle<Value: WireReadable>: Sendable {
    public let ref: Ref<XenTask>
    public let caller: any XenAPICaller
    private let last = Mutex<TaskStatus?>(nil)

    public init(_ ref: Ref<XenTask>, of caller: any XenAPICaller) {
        self.ref = ref
        self.caller = caller
    }

    /// Waits for the end and returns the operation's value. Throws the operation's failure, `TASK_CANCELLED` when it was
    /// cancelled by somebody else, `CancellationError` when it was by this Swift task.
    public var value: Value {
        get async throws { try Self.decode(try await finished()) }
    }

    /// Waits for the end as `value` does and hands on each state on the way.
    @discardableResult
    public func finish(onProgress: @escaping @Sendable (TaskStatus) -> Void = { _ in }) async throws -> Value {
        try Self.decode(try await finished(onProgress))
    }

    /// What becomes of the task, from its state now to its end, at the pace of the reader. Reading it neither cancels nor
    /// removes the task: that is `value`'s matter.
    public var progress: TaskProgress { TaskProgress(ref: ref, caller: caller) }

    /// Asks the server to give up. The task ends a while later, as `value` tells.
    public func cancel() async throws { try await caller.perform("task.cancel", [ref.wire]) }

    /// Removes the task: at once when it is finished, else at its end.
    public func destroy() async throws { try await caller.perform("task.destroy", [ref.wire]) }

    private func finished(_ onProgress: @escaping @Sendable (TaskStatus) -> Void = { _ in }) async throws -> TaskStatus
    {
        // It can be awaited again after it has been removed.
        if let status = last.withLock({ $0 }) { return status }
        do {
            var final: TaskStatus?
            for try await status in progress {
                onProgress(status)
                final = status
            }
            guard let final else { throw APIError.handleInvalid("task", ref.opaque) }
            last.withLock { $0 = final }
            await shielded { try await self.destroy() }
            return final
        } catch let error where error is CancellationError || Task.isCancelled {
            // The calls of a cancelled Swift task go nowhere: these are made by another one.
            await giveUp()
            throw CancellationError()
        } catch {
            // Two may wait: the other one has removed it.
            if let status = last.withLock({ $0 }) { return status }
            throw error
        }
    }

    /// Whether somebody has waited for the end here.
    var hasEnded: Bool { last.withLock { $0 != nil } }

    /// Cancels the task and removes it, though the Swift task may be cancelled. One that is over, or that cannot be
    /// cancelled, is removed all the same.
    func giveUp() async {
        await shielded {
            try? await self.cancel()
            try await self.destroy()
        }
    }

    private static func decode(_ status: TaskStatus) throws -> Value {
        do { return try Value(wire: try status.wireValue()) } catch let error as WireMismatch {
            throw error.inside("the result of \(status.ref)")
        }
    }
}

/// Runs what must be done though the Swift task may be cancelled, and waits for it, but not longer than `limit`: a server
/// that is silent must not hold who gives up. That it fails is no news: the server is gone, or what was to be cleared up is.
func shielded(
    atMost limit: Duration = .seconds(10), _ work: @escaping @Sendable () async throws -> Void
) async {
    await Task {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { try? await work() }
            group.addTask { try? await Task.sleep(for: limit) }
            _ = await group.next()
            group.cancelAll()
        }
    }.value
}

/// The states of a task up to its last.
public struct TaskProgress: AsyncSequence, Sendable {
    public typealias Element = TaskStatus
    let ref: Ref<XenTask>
    let caller: any XenAPICaller

    public func makeAsyncIterator() -> Iterator { Iterator(watch: TaskWatch(ref: ref.opaque, caller: caller)) }

    public struct Iterator: AsyncIteratorProtocol {
        var watch: TaskWatch
        var isOver = false

        /// The next state; nil after the last. Throws what the calls throw; `HANDLE_INVALID` when the task disappears.
        public mutating func next() async throws -> TaskStatus? {
            guard !isOver else { return nil }
            let status = try await watch.next()
            isOver = status.isFinished
            return status
        }
    }
}
