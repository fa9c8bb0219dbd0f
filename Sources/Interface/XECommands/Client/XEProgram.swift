import Foundation
import TerminalUI
public import XenAPIClient

/// The `xe` program: options, connection, one command.
public enum XEProgram {
    /// Runs the command line `arguments` (without the program's name) and returns the exit code.
    public static func run(_ arguments: [String], environment: [String: String]) async -> Int32 {
        if let problem = ProgramWords.problem {
            ProcessOutput().printError("Error: \(problem)\n")
            return 1
        }
        let code = await perform(arguments, environment)
        // Half a list would pass for a whole one.
        guard code == 0, let failure = TerminalOutput.standardOutput.failure else { return code }
        // Who stopped reading on purpose knows it.
        if failure != EPIPE {
            // SAFETY: a C string that lives until the next call of strerror.
            let reason = unsafe String(cString: strerror(failure))
            ProcessOutput().printError("Error: cannot write all of the output: \(reason)\n")
        }
        return 1
    }

    private static func perform(_ arguments: [String], _ environment: [String: String]) async -> Int32 {
        let output = ProcessOutput()
        do {
            let home = environment["HOME"].map { $0 + "/.xe" }
            var options = try ClientOptions(
                arguments: arguments, environment: environment, file: home.flatMap { text(of: $0) })
            if options.wantsVersion {
                output.printLine("ThinCLI protocol: 0.2")
                return 0
            }
            if options.wantsUsage || options.words.isEmpty {
                output.printError(CommandRunner.usage + "\n")
                return 0
            }
            if let file = options.passwordFile { try options.readPasswordFile(text(of: file)) }
            let ready = options
            let session = SessionHolder()
            let code = await CommandRunner(output: output).run(options.words) {
                let opened = try await login(ready)
                await session.hold(opened)
                return opened
            }
            await session.end()
            return code
        } catch {
            output.printError(await ErrorReport.text(of: error, caller: nil))
            return 1
        }
    }

    /// Logs in at the first address where somebody listens.
    public static func login(_ options: ClientOptions) async throws -> XenAPISession {
        var failure: (any Error)?
        // At the server that was named, which may be started anew meanwhile.
        var behaviour = XenAPISession.Options()
        behaviour.originator = "cli"
        behaviour.userAgent = "xe-cli/Unix/0.2"
        behaviour.followsCoordinator = false
        for address in options.addresses {
            do {
                // Scripts rely on it that no certificate has to be installed first.
                return try await XenAPISession.login(
                    at: address, user: options.user, password: options.password, certificates: .unchecked,
                    options: behaviour)
            } catch let error as ConnectionError {
                if case .lost = error, case .tcp("127.0.0.1", let port, tls: false) = address {
                    throw CommandLineError.failed(
                        "\(error); without TLS nothing answers at port \(port) of 127.0.0.1: for TLS name the host, as in"
                            + " -s localhost -p \(port)")
                }
                guard case .unreachable = error else { throw error }
                failure = failure ?? error
            }
        }
        throw failure ?? CommandLineError.failed("no server to connect to")
    }

    private static func text(of path: String) -> String? { try? String(contentsOfFile: path, encoding: .utf8) }
}

/// The session of the command under way, to be ended after it.
private actor SessionHolder {
    private var session: XenAPISession?

    func hold(_ session: XenAPISession) { self.session = session }

    func end() async { await session?.logout() }
}

/// The process's own streams.
struct ProcessOutput: CommandOutput {
    private let terminal = TerminalOutput.standardError

    func printLine(_ text: String) { TerminalOutput.standardOutput.write(text + "\n") }
    func printError(_ text: String) { TerminalOutput.write(text, to: 2) }
    var errorIsTerminal: Bool { terminal.isTerminal }
    var errorColumns: Int { terminal.columns }

    func ask(_ question: String) -> String? {
        printError(question + "\n")
        return readLine()
    }
}
