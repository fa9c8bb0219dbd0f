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
        if let problem = ProgramWords.problem {
            TerminalOutput.write("quicktest: \(problem)\n", to: 2)
            return 2
        }
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
            ) { [behaviour] session in
                guard let there = try options.otherAddress else { return try await carryOut(options, session, nil) }
                return try await XenAPISession.with(
                    at: there, user: options.toUser, password: try options.otherSecret,
                    certificates: try options.otherCertificates, options: behaviour
                ) { other in
                    try await requireApart(session, other)
                    return try await carryOut(options, session, other)
                }
            }
        } catch {
            TerminalOutput.write("quicktest: \(error)\n", to: 2)
            return 1
        }
    }

    /// A VM that moves between servers of one pool goes to no other.
    private static func requireApart(_ session: XenAPISession, _ other: XenAPISession) async throws {
        let here = try await session.pool.getAllRecords().values.map(\.uuid)
        let there = try await other.pool.getAllRecords().values.map(\.uuid)
        if here == there { throw Mismatch("--to names a server of the same pool") }
    }

    /// `other`: of another pool.
    private static func carryOut(
        _ options: QuickTestOptions, _ session: XenAPISession, _ other: XenAPISession?
    ) async throws -> Int32 {
        if options.clean {
            let status = try await clean(session)
            guard let other else { return status }
            return max(status, try await clean(other))
        }
        let repositories = try await known(to: session, options.repositories, "the server")
        var there: OtherPool?
        if let other {
            there = OtherPool(
                repositories: try await known(to: other, options.otherRepositories, "the other pool's server"),
                filter: options.otherRepositories)
        }
        let plan = try CasePlan.make(
            repositories, filter: options.repositories, matching: options.filter, other: there)
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
        let run = QuickRun(session: session, other: other, settings: settings, limit: .seconds(options.timeout)) {
            say($0)
        }
        let report = await run.carryOut(plan)
        TerminalOutput.write(report.closing, to: 1)
        if let file = options.junit { try Data(report.junit.utf8).write(to: URL(fileURLWithPath: file)) }
        return report.failed == 0 ? 0 : 1
    }

    /// All repositories of the endpoint, among which those that are asked for must be.
    private static func known(
        to session: XenAPISession, _ filter: RepositoryFilter, _ server: String
    ) async throws -> [RepositoryFacts] {
        let repositories = try await RepositoryFacts.read(from: session)
        let unknown = filter.unknownNames(among: repositories)
        if unknown.isEmpty { return repositories }
        let known = repositories.map(\.name).sorted().joined(separator: ", ")
        throw Mismatch("\(server) has no SR \(unknown.joined(separator: ", ")); it has \(known)")
    }

    private static func clean(_ session: XenAPISession) async throws -> Int32 {
        let swept = try await Removal.sweep(RunMark(run: ""), session)
        for reason in swept.reasons { TerminalOutput.write("quicktest: \(reason)\n", to: 2) }
        say("\(swept.removed) disks removed")
        return swept.reasons.isEmpty ? 0 : 1
    }

    private static func say(_ line: String) { TerminalOutput.write(line + "\n", to: 1) }
}
