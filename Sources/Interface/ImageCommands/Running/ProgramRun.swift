public import ArgumentParser
import Glibc
import TerminalUI

/// One run of a command line: parse, run, report, and the exit code.
public enum ProgramRun {
    /// Runs `root` on `arguments` (without the program's name). Failures go to standard error. Returns 0 when done, 2 for
    /// a command line that is not understood, else what the failure says (1 for most); a command may have other codes.
    /// - Parameter confines: a command on images has the process, which has no threads yet, give up what it does not need.
    public static func run(
        _ root: any ParsableCommand.Type, _ arguments: [String], confines: Bool = false
    ) -> Int32 {
        signal(SIGPIPE, SIG_IGN)
        // A file that may not become so long (RLIMIT_FSIZE) is an error, not the end without a word.
        signal(SIGXFSZ, SIG_IGN)
        let named = named(root, by: arguments)
        let codes = named?.type as? any KnownExitCodes.Type
        let (failed, wrongUsage) = (
            codes?.failed ?? CommandFailure.Status.failed, codes?.wrongUsage ?? CommandFailure.Status.usage
        )
        do {
            var command = try named?.parsed() ?? root.parseAsRoot(arguments)
            if confines { (command as? any ConfinedCommand)?.footprint.confine() }
            try command.run()
            return toldAll() ? 0 : failed
        } catch let failure as CommandFailure {
            TerminalOutput.standardError.write(failure.description + "\n")
            return failure.status == CommandFailure.Status.usage ? wrongUsage : failure.status
        } catch let exit as ExitCode {
            return exit.rawValue
        } catch {
            let code = root.exitCode(for: error)
            let text = root.fullMessage(for: error)
            if code == .success {
                TerminalOutput.standardOutput.write(text + "\n")
                return toldAll() ? 0 : failed
            }
            TerminalOutput.standardError.write(text + "\n")
            return code == .validationFailure ? wrongUsage : failed
        }
    }

    /// Whether all that the command printed got where it should: half a list would pass for a whole one. Who stopped reading
    /// on purpose is told by the exit code alone.
    private static func toldAll() -> Bool {
        guard let failure = TerminalOutput.standardOutput.failure else { return true }
        if failure != EPIPE {
            // SAFETY: a C string that lives until the next call of strerror.
            let failure = CommandFailure(
                "cannot write all of the output", why: unsafe String(cString: strerror(failure)),
                advice: "another place for it, or freeing space there")
            TerminalOutput.standardError.write(failure.description + "\n")
        }
        return false
    }

    /// A command that the first words of a command line name, and the words behind.
    private struct Named {
        let type: any ParsableCommand.Type
        let rest: [String]

        /// Parsed alone: half the time of a short command on an image is the parser's, which otherwise looks at all that
        /// stands above that command, too. Nil where there is anything to be said about the words, help included: that is
        /// told with the names of all commands.
        func parsed() -> (any ParsableCommand)? {
            guard let command = try? type.parseAsRoot(rest), Swift.type(of: command) == type else { return nil }
            return command
        }
    }

    /// The exit code of wrong usage, of the command that the words name.
    static func wrongUsage(of root: any ParsableCommand.Type, _ words: [String]) -> Int32 {
        (named(root, by: words)?.type as? any KnownExitCodes.Type)?.wrongUsage ?? CommandFailure.Status.usage
    }

    private static func named(_ root: any ParsableCommand.Type, by arguments: [String]) -> Named? {
        var type = root
        var rest = arguments[...]
        while !type.configuration.subcommands.isEmpty {
            guard let word = rest.popFirst(),
                let next = type.configuration.subcommands.first(where: { $0.configuration.commandName == word })
            else { return nil }
            type = next
        }
        return Named(type: type, rest: Array(rest))
    }
}

/// A command with the exit codes of a program that scripts know.
protocol KnownExitCodes {
    static var failed: Int32 { get }
    static var wrongUsage: Int32 { get }
}
