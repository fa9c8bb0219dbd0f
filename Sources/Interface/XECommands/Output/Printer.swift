import Synchronization

/// What a command prints: whole records, single values, messages. With `--minimal` nothing is written before `flush()`,
/// which then writes one line of all values.
final class Printer: Sendable {
    let isMinimal: Bool
    let output: any CommandOutput
    private let collected = Mutex<[String]>([])

    init(minimal: Bool, output: any CommandOutput) {
        isMinimal = minimal
        self.output = output
    }

    /// A table of one record. Of it, `--minimal` shows the first value.
    func record(_ lines: [(label: String, value: String)]) {
        guard isMinimal else {
            output.printLine(RecordLayout.block(lines))
            return
        }
        if let first = lines.first { collect(first.value) }
    }

    /// A result of its own, such as the uuid of what was made.
    func value(_ text: String) {
        if isMinimal { collect(text) } else { output.printLine(text) }
    }

    /// Something to read; not part of the result.
    func message(_ text: String) {
        if !isMinimal { output.printLine(text) }
    }

    /// A line on standard error that is no failure.
    func note(_ text: String) {
        if !isMinimal { output.printError(text + "\n") }
    }

    func flush() {
        guard isMinimal else { return }
        output.printLine(RecordLayout.minimal(collected.withLock { $0 }))
    }

    private func collect(_ text: String) { collected.withLock { $0.append(text) } }
}
