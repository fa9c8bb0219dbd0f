import APITypes
import RPCCodec

/// The task that a transfer runs in: its outcome, not the HTTP status, says whether the transfer succeeded.
struct TransferTask: Sendable {
    let handle: XenTaskHandle<WireValue>

    var ref: Ref<XenTask> { handle.ref }

    static func make(_ label: String, in caller: any XenAPICaller) async throws -> TransferTask {
        let ref: Ref<XenTask> = try await caller.invoke("task.create", [.string(label), .string("")])
        return TransferTask(handle: XenTaskHandle(ref, of: caller))
    }

    /// Waits for the end and removes the task. Throws its failure.
    func finish() async throws { try await handle.finish() }

    /// What to throw after the connection broke or the server refused: the task knows why, at the latest a moment later.
    /// Removes the task.
    func reason(of error: any Error) async -> any Error {
        guard error is ConnectionError, !Task.isCancelled else {
            await abandon()
            return error
        }
        for _ in 0..<20 {
            guard let record = try? await handle.caller.call("task.get_record", [.string(ref.opaque)]) else { break }
            let status = TaskStatus(ref: ref.opaque, record: record)
            if status.isFinished {
                await abandon()
                do { _ = try status.value() } catch { return error }
                return error
            }
            guard (try? await Task.sleep(for: .milliseconds(100))) != nil else { break }
        }
        await abandon()
        return error
    }

    /// Gives the transfer up, unless its end was seen and it was removed. A failure says that there is nothing left to give
    /// up.
    func abandon() async {
        if !handle.hasEnded { await handle.giveUp() }
    }
}
