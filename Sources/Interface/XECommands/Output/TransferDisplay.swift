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
        bar?.update(Self.reading(status.otherConfig, progress: status.progress, isFinished: status.isFinished))
    }

    /// What a move's task says of the phase that it is in: what is copied, what is compared, or a guest's memory.
    static func reading(_ notes: [String: String], progress: Double, isFinished: Bool) -> ProgressReading {
        func number(_ key: String) -> UInt64? { notes[key].flatMap { UInt64($0) } }
        var (done, total) = (number("bytes_copied"), number("bytes_total"))
        switch isFinished ? "" : notes["phase"] {
        case "verifying": (done, total) = (number("bytes_compared"), number("bytes_to_compare"))
        case "memory":
            // What is sent again is sent more often than there is of it.
            total = number("memory_bytes_total")
            done = total.map { $0 - min($0, number("memory_bytes_remaining") ?? $0) }
        default: break
        }
        // A total of 0 is one that is not known yet.
        if total == 0 { total = nil }
        var reading = ProgressReading(
            fraction: progress, doneBytes: total == nil ? nil : done, totalBytes: total,
            bytesPerSecond: notes["bytes_per_second"].flatMap { Double($0) },
            phase: isFinished ? "" : phase(notes), dirtyBytes: number("bytes_dirty"))
        if !isFinished, let left = notes["seconds_left"] { reading.timeLeft = .said(UInt64(left).map { Double($0) }) }
        return reading
    }

    /// What the server says it does, and what is waited for.
    static func phase(_ notes: [String: String]) -> String {
        let phase = notes["phase"] ?? ""
        guard phase == "queued" else { return phase }
        let cause = notes["waits_for"] ?? ""
        guard let place = notes["queue_position"].flatMap({ UInt64($0) }), place > 0 else {
            return cause.isEmpty ? phase : "\(phase), waits for \(cause)"
        }
        return "\(phase), place \(place) " + (cause.isEmpty ? "in the line" : "of those that wait for \(cause)")
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
