import ArgumentParser
import Dispatch
import Foundation
import TerminalUI
import XenAPIClient

/// The program `quicktest`.
public enum QuickTestProgram {
    /// Runs the command line `arguments` (without the program's name). Returns 0 when nothing failed, 1 when something
    /// did, 2 for a command line that is not understood.
    public static func run(_ arguments: [String]) async -> Int32 {
        let options: QuickTestOptions
        do {
            options = try QuickTestOptions.reading(arguments)
        } catch {
            let isHelp = QuickTestOptions.exitCode(for: error) == .success
            TerminalOutput.write(QuickTestOptions.fullMessage(for: error) + "\n", to: isHelp ? 1 : 2)
            return isHelp ? 0 : 2
        }
        let work = Task { await outcome(of: options) }
        // What was made is removed before the program ends.
        let signals = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { work.cancel() }
            source.resume()
            return source
        }
        let status = await work.value
        signals.forEach { $0.cancel() }
        return status
    }

    private static func outcome(of options: QuickTestOptions) async -> Int32 {
        do {
            var behaviour = XenAPISession.Options()
            behaviour.originator = "quicktest"
            behaviour.userAgent = "quicktest"
            behaviour.callTimeout = .seconds(options.timeout)
            return try await XenAPISession.with(
                at: try options.address, user: options.user, password: try options.secret,
                certificates: try options.certificates, options: behaviour
            ) { try await carryOut(options, $0) }
        } catch {
            TerminalOutput.write("quicktest: \(error)\n", to: 2)
            return 1
        }
    }

    private static func carryOut(_ options: QuickTestOptions, _ session: XenAPISession) async throws -> Int32 {
        if options.clean { return try await clean(session) }
        let repositories = try await RepositoryFacts.read(from: session)
        let unknown = options.repositories.unknownNames(among: repositories)
        if !unknown.isEmpty {
            let known = repositories.map(\.name).sorted().joined(separator: ", ")
            throw Mismatch("the server has no SR \(unknown.joined(separator: ", ")); it has \(known)")
        }
        let plan = try CasePlan.make(repositories, filter: options.repositories, matching: options.filter)
        if options.list {
            for planned in plan { say(planned.skip.map { "skip \(planned.test.name): \($0)" } ?? planned.test.name) }
            return 0
        }
        // A run without cases must not look like one that went well.
        guard plan.contains(where: { $0.skip == nil }) else {
            throw Mismatch(
                "none of the \(plan.count) cases for the \(repositories.count) repositories can run;"
                    + " --list says why, --sr and the like may ask for too much")
        }
        let seed = options.seed ?? UInt64.random(in: 1...0xFFFF_FFFF)
        say("\(plan.count) cases; --seed \(seed) makes the same contents again")
        let folder = try ImageFolder()
        defer { folder.remove() }
        let settings = BenchSettings(
            mark: RunMark(run: UUID().uuidString), diskSize: options.size << 20, seed: seed, folder: folder)
        let run = QuickRun(session: session, settings: settings, limit: .seconds(options.timeout)) { say($0) }
        let report = await run.carryOut(plan)
        TerminalOutput.write(report.closing, to: 1)
        if let file = options.junit { try Data(report.junit.utf8).write(to: URL(fileURLWithPath: file)) }
        return report.failed == 0 ? 0 : 1
    }

    private static func clean(_ session: XenAPISession) async throws -> Int32 {
        let swept = try await Removal.sweep(RunMark(run: ""), session)
        for reason in swept.reasons { TerminalOutput.write("quicktest: \(reason)\n", to: 2) }
        say("\(swept.removed) disks removed")
        return swept.reasons.isEmpty ? 0 : 1
    }

    private static func say(_ line: String) { TerminalOutput.write(line + "\n", to: 1) }
}
