public import ArgumentParser
import Glibc
import TerminalUI

/// One run of a command line: parse, run, report, and the exit code.
public enum ProgramRun {
    /// Runs `root` on `arguments` (without the program's name). Failures go to standard error. Returns 0 when done, 2 for
    /// a command line that is not understood, else what the failure says (1 for most).
    /// - Parameter confines: a command on images has the process, which has no threads yet, give up what it does not need.
    public static func run(
        _ root: any ParsableCommand.Type, _ arguments: [String], confines: Bool = false
    ) -> Int32 {
        signal(SIGPIPE, SIG_IGN)
        do {
            var command = try named(root, by: arguments) ?? root.parseAsRoot(arguments)
            if confines { (command as? any ConfinedCommand)?.footprint.confine() }
            try command.run()
            return 0
        } catch let failure as CommandFailure {
            TerminalOutput.standardError.write(failure.description + "\n")
            return failure.status
        } catch let exit as ExitCode {
            return exit.rawValue
        } catch {
            let code = root.exitCode(for: error)
            let text = root.fullMessage(for: error)
            if code == .success {
                TerminalOutput.standardOutput.write(text + "\n")
                return 0
            }
            TerminalOutput.standardError.write(text + "\n")
            return code == .validationFailure ? CommandFailure.Status.usage : CommandFailure.Status.failed
        }
    }

    /// The command that the first words name, parsed alone: half the time of a short command on an image is the parser's,
    /// which otherwise looks at all that stands above that command, too. Nil where there is anything to be said about the
    /// words, help included: that is told with the names of all commands.
    private static func named(_ root: any ParsableCommand.Type, by arguments: [String]) -> (any ParsableCommand)? {
        var type = root
        var rest = arguments[...]
        while !type.configuration.subcommands.isEmpty {
            guard let word = rest.popFirst(),
                let next = type.configuration.subcommands.first(where: { $0.configuration.commandName == word })
            else { return nil }
            type = next
        }
        guard let command = try? type.parseAsRoot(Array(rest)), Swift.type(of: command) == type else { return nil }
        return command
    }
}
