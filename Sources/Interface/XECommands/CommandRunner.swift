public import XenAPIClient

/// One command from its words to its exit code: understood first, then logged in, run, and reported.
/// The `xe` program runs it against a remote server; the daemon can run it for thin clients.
public struct CommandRunner: Sendable {
    private let output: any CommandOutput

    public init(output: any CommandOutput) { self.output = output }

    /// Runs the command that `words` spell. `login` is called only for a command that is complete and asks the server.
    /// Returns the exit code: 0, or 1 after any failure, which has been printed.
    public func run(_ words: [String], login: () async throws -> any XenAPICaller) async -> Int32 {
        var caller: (any XenAPICaller)?
        do {
            let arguments = try CommandArguments(words)
            let printer = Printer(minimal: try arguments.flag("minimal"), output: output)
            guard let command = Command.named(arguments.command) else {
                throw CommandLineError.unknownCommand(arguments.command)
            }
            if Command.sessionless.contains(where: { $0.name == command.name }) {
                Command.help(arguments, printer)
                printer.flush()
                return 0
            }
            for name in command.required where arguments[name] == nil { throw CommandLineError.missingParameter(name) }
            let session = try await login()
            caller = session
            do {
                try await command.run(CommandContext(arguments, caller: session, printer: printer))
            } catch is SilentFailure {
                printer.flush()
                return 1
            }
            printer.flush()
            return 0
        } catch {
            output.printError(await ErrorReport.text(of: error, caller: caller))
            return 1
        }
    }

    /// The commands' usage in a few lines.
    public static var usage: String { Command.usage }
}
