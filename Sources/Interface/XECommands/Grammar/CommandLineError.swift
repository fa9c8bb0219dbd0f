/// A command that cannot be carried out as it was written; nothing of it has been done.
public enum CommandLineError: Error, Hashable, Sendable {
    /// The words do not form a command.
    case syntax(String)
    case unknownCommand(String)
    case missingParameter(String)
    case unknownSwitch(String)
    /// Anything else, in a sentence; printed after `Error: `.
    case failed(String)

    /// Whether the hint to run `xe help` follows.
    var isAboutUsage: Bool {
        if case .failed = self { false } else { true }
    }

    var text: String {
        switch self {
        case .syntax(let text): "Syntax error: \(text)"
        case .unknownCommand(let name): "Unknown command: \(name)"
        case .missingParameter(let name): "Required parameter not found: \(name)"
        case .unknownSwitch(let name): "Unknown switch: \(name)"
        case .failed(let text): "Error: \(text)"
        }
    }
}

/// The command failed and has printed why.
struct SilentFailure: Error {}
