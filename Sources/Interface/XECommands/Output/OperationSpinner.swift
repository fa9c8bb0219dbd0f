import Synchronization

/// The plain progress of `vm-start --progress` and its like on standard error: ` 42% | ####`, redrawn in place;
/// 70 columns of `#` are 100 %.
final class OperationSpinner: Sendable {
    private let output: any CommandOutput
    private let turns = Mutex(0)

    init(_ output: any CommandOutput) { self.output = output }

    /// `fraction` is 0…1.
    func update(_ fraction: Double) {
        let bounded = fraction.isFinite ? min(1, max(0, fraction)) : 0
        let turn = turns.withLock { turns in
            defer { turns += 1 }
            return turns
        }
        let spin = ["|", "/", "-", "\\"][turn % 4]
        let percent = String(Int(bounded * 100))
        let padding = String(repeating: " ", count: max(0, 3 - percent.count))
        output.printError("\r \(padding)\(percent)% \(spin) \(String(repeating: "#", count: Int(bounded * 70)))")
    }

    /// Ends the line.
    func finish() { output.printError("\n") }
}
