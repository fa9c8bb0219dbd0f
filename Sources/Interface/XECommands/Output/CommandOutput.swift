/// Where a command's words go: the two streams of the client. May be called from any thread.
public protocol CommandOutput: Sendable {
    /// `text` and a newline on standard output.
    func printLine(_ text: String)
    /// `text` as it is on standard error.
    func printError(_ text: String)
    /// Whether standard error is a terminal, where progress may be drawn.
    var errorIsTerminal: Bool { get }
    /// How wide that terminal is.
    var errorColumns: Int { get }
    /// Asks whoever runs the command; nil when nobody answers.
    func ask(_ question: String) -> String?
}

extension CommandOutput {
    public func ask(_ question: String) -> String? { nil }
}
