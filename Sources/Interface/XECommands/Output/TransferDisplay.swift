import APITypes
import RPCCodec
import Synchronization
import TerminalUI
import XenAPIClient

/// The progress of one operation on standard error, if it is to be shown: asked for with `--progress`, or unasked on a
/// terminal where the command says so (`progress=false` prevents it). With `--minimal` never unasked.
final class TransferDisplay: Sendable {
    private let bar: ProgressBar?
    /// The uuid of the task that is shown; empty: none has been seen.
    private let task = Mutex("")
    private let isOpen = Mutex(false)

    /// The operation of `showing` was asked for, and nobody has seen its end: it may go on.
    var mayGoOn: Bool { isOpen.withLock { $0 } }

    init(_ context: CommandContext, label: String, onTerminal: Bool) throws(CommandLineError) {
        let output = context.printer.output
        let unasked = onTerminal && output.errorIsTerminal && !context.printer.isMinimal
        guard try context.arguments.flag("progress", else: unasked) else {
            bar = nil
            return
        }
        let terminal = TerminalOutput(
            isTerminal: output.errorIsTerminal, columns: { output.errorColumns }, write: { output.printError($0) })
        bar = ProgressBar(label: label, output: terminal)
    }

    func update(done: UInt64, total: UInt64) { bar?.update(ProgressReading(done: done, total: total)) }

    /// From a task: its progress and what the server wrote into its other-config.
    func update(_ status: TaskStatus) {
        task.withLock { $0 = status.uuid }
        func number(_ key: String) -> UInt64? { status.otherConfig[key].flatMap { UInt64($0) } }
        // A total of 0 is one that is not known yet.
        let total = number("bytes_total").flatMap { $0 == 0 ? nil : $0 }
        bar?.update(
            ProgressReading(
                fraction: status.progress, doneBytes: total == nil ? nil : number("bytes_copied"), totalBytes: total,
                bytesPerSecond: status.otherConfig["bytes_per_second"].flatMap { Double($0) },
                phase: status.isFinished ? "" : Self.phase(status.otherConfig),
                dirtyBytes: number("bytes_dirty")))
    }

    /// What the server says it does, and what is waited for.
    static func phase(_ notes: [String: String]) -> String {
        let phase = notes["phase"] ?? ""
        guard let place = notes["queue_position"].flatMap({ UInt64($0) }), place > 0 else { return phase }
        guard let cause = notes["waits_for"], !cause.isEmpty else { return "\(phase), place \(place) in the line" }
        return "\(phase), place \(place) of those that wait for \(cause)"
    }

    /// Runs an operation that outlives its server's restarts, and shows its task. Returns its value.
    func showing(_ method: String, _ parameters: [WireValue], _ caller: any XenAPICaller) async throws -> String {
        try await showing {
            do {
                return try await self.run(method, parameters, caller)
            } catch let error as ConnectionError {
                let uuid = self.task.withLock { $0 }
                if uuid.isEmpty { throw error }
                throw CommandLineError.failed(
                    "\(error); the operation may go on: xe task-list uuid=\(uuid) params=all shows what becomes of it")
            }
        }
    }

    private func run(
        _ method: String, _ parameters: [WireValue], _ caller: any XenAPICaller
    ) async throws -> String {
        isOpen.withLock { $0 = true }
        let answer: WireValue
        do { answer = try await caller.call("Async.\(method)", parameters) } catch let refusal as APIError {
            isOpen.withLock { $0 = false }
            throw refusal
        }
        guard let task = answer.text else {
            throw APIError.internalError("Async.\(method) did not answer with a task")
        }
        let status = try await caller.waitForTask(task, patience: .seconds(60)) { self.update($0) }
        isOpen.withLock { $0 = false }
        _ = try? await caller.call("task.destroy", [.string(task)])
        return try status.value()
    }

    /// Runs `body` and ends the line whichever way it ends.
    func showing<Result: Sendable>(_ body: @Sendable () async throws -> Result) async throws -> Result {
        do {
            let result = try await body()
            bar?.finish()
            return result
        } catch {
            bar?.finish(completed: false)
            throw error
        }
    }
}
