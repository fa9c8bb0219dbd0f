import APITypes
import CLinux
import Foundation
import Logging
import PoolDatabase
import StoragePlugins
import TestSupport
import Testing

@testable import Toolstack

/// What a killed toolstack and its drivers leave to the next.
@Suite("Leftovers of storage drivers") struct DriverLeftoverTests {
    private let scratch: ScratchFolder

    init() throws { scratch = try ScratchFolder("leftovers") }

    private func leave(_ script: String) throws -> (pid: Int32, startTime: UInt64) {
        let child = try ChildProcess.start(
            ["/bin/sh", "-c", script], logPath: scratch.file("log"), detached: true)
        let boot = try String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)
        let startTime = gantry_process_start_time(child.pid)
        try "\(startTime) \(boot.trimmingCharacters(in: .whitespacesAndNewlines))".write(
            toFile: scratch.file("\(child.pid)"), atomically: false, encoding: .utf8)
        return (child.pid, startTime)
    }

    private func end(limit: Duration) async {
        await DriverLeftovers(
            folder: scratch.path, timeLimit: limit,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        ).end()
    }

    @Test("a driver's run is waited for") func aRunOfAKilledToolstackIsWaitedFor() async throws {
        // Not before it is noted when it began: a busy machine may let it end before that.
        let noted = "until [ -e \(scratch.path)/$$ ]; do sleep 0.01; done"
        let run = try leave("\(noted); sleep 0.2; touch \(scratch.file("done"))")
        await end(limit: .seconds(60))
        #expect(FileManager.default.fileExists(atPath: scratch.file("done")))
        #expect(gantry_process_start_time(run.pid) != run.startTime)
        #expect(!FileManager.default.fileExists(atPath: scratch.file("\(run.pid)")))
    }

    @Test("a driver's run that has had its time is killed, with its children")
    func aRunOfAKilledToolstackThatHasHadItsTimeIsKilled() async throws {
        let run = try leave("sleep 1000 & echo $! > \(scratch.file("child")); wait")
        var text = ""
        while !text.hasSuffix("\n") {
            text = (try? String(contentsOfFile: scratch.file("child"), encoding: .utf8)) ?? ""
            try await Task.sleep(for: .milliseconds(2))
        }
        let child = try #require(Int32(text.dropLast()))
        await end(limit: .zero)
        #expect(gantry_process_start_time(run.pid) != run.startTime)
        while gantry_process_start_time(child) != 0 { try await Task.sleep(for: .milliseconds(2)) }
        #expect(!FileManager.default.fileExists(atPath: scratch.file("\(run.pid)")))
    }

    @Test("no driver and no plugin works before what is left is over")
    func nobodyWorksBeforeWhatIsLeftIsOver() async throws {
        let bench = try await StorageBench([])
        let home = DriverHome(database: bench.database, host: bench.context.host)
        let rows = PluginRows(database: bench.database, home: home)
        home.open(
            Sessions(
                database: bench.database, host: bench.context.host,
                authenticator: Authenticator(database: bench.database, pam: nil, failureDelay: .zero)))
        let waits: [@Sendable () async throws -> Void] = [
            { try await home.untilAPIAnswers() }, { try await rows.untilLeftoversAreGone() },
        ]
        for wait in waits {
            let task = Task { try await wait() }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
        }
        #expect(!home.isOpen)
        home.leftoversAreGone()
        for wait in waits { try await wait() }
    }

    @Test("a driver is told the task that its call is part of while that runs")
    func aDriverIsToldItsTask() async throws {
        let bench = try await StorageBench([])
        let home = DriverHome(database: bench.database, host: bench.context.host)
        #expect(home.task == nil && home.localCache == nil)
        let task = Fresh.ref(XenTask.self)
        try await bench.database.transaction { tx in
            tx.insert(XenTask.self, ref: task) { $0[XenTask.status] = .pending }
        }
        #expect(CurrentTask.$ref.withValue(task) { home.task } == task.opaque)
        try await bench.database.transaction { tx in try tx.set(task, XenTask.status, .success) }
        #expect(CurrentTask.$ref.withValue(task) { home.task } == nil)
    }

    @Test("a round that hangs does not keep the next from beginning")
    func aRoundThatHangsDoesNotStopTheNext() async throws {
        let (patient, hasty) = (ResumeRounds(patience: .seconds(3600)), ResumeRounds(patience: .zero))
        let (first, second) = (AsyncStream.makeStream(of: Void.self), AsyncStream.makeStream(of: Void.self))
        #expect(await patient.begin { for await _ in first.stream {} })
        #expect(await !patient.begin {})
        first.continuation.finish()
        while await !patient.begin({}) { try await Task.sleep(for: .milliseconds(2)) }
        for _ in 0..<16 { #expect(await hasty.begin { for await _ in second.stream {} }) }
        // Never without bound.
        #expect(await !hasty.begin {})
        second.continuation.finish()
        while await !hasty.begin({}) { try await Task.sleep(for: .milliseconds(2)) }
    }
}
