import TerminalUI
import XenAPIClient

/// The progress of one operation on standard error, if it is to be shown: asked for with `--progress`, or unasked on a
/// terminal where the command says so (`progress=false` prevents it). With `--minimal` never unasked.
final class TransferDisplay: Sendable {
    private let bar: ProgressBar?

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
        func number(_ key: String) -> UInt64? { status.otherConfig[key].flatMap { UInt64($0) } }
        // A total of 0 is one that is not known yet.
        let total = number("bytes_total").flatMap { $0 == 0 ? nil : $0 }
        let place = number("queue_position").flatMap { $0 == 0 ? nil : ", place \($0) in the line" } ?? ""
        bar?.update(
            ProgressReading(
                fraction: status.progress, doneBytes: total == nil ? nil : number("bytes_copied"), totalBytes: total,
                bytesPerSecond: status.otherConfig["bytes_per_second"].flatMap { Double($0) },
                phase: status.isFinished ? "" : (status.otherConfig["phase"] ?? "") + place,
                dirtyBytes: number("bytes_dirty")))
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
