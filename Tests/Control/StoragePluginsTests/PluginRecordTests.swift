import CLinux
import Foundation
import TestSupport
import Testing

@testable import StoragePlugins

/// What tells the process after ours which programs still run.
@Suite("Records of third-party programs") struct PluginRecordTests {
    private let scratch: ScratchFolder
    private var folder: String { scratch.file("drivers") }

    init() throws { scratch = try ScratchFolder("records") }

    private func run(_ script: String) async -> PluginOutcome {
        await PluginProcess.run(
            PluginCommand(
                program: "/bin/sh", arguments: ["-c", script], environment: ["PATH": "/usr/bin:/bin"], records: folder),
            limits: PluginLimits(time: .seconds(60)))
    }

    @Test("a program is on record while it runs") func recorded() async throws {
        let gate = scratch.file("gate")
        #expect(unsafe mkfifo(gate, 0o600) == 0)
        async let outcome = run("read x < \(gate)")
        while PluginRecord.left(in: folder).isEmpty { try await Task.sleep(for: .milliseconds(2)) }
        let record = try #require(PluginRecord.left(in: folder).first)
        #expect(record.isAlive && record.startTime == gantry_process_start_time(record.pid))
        #expect(record.age < .seconds(60))
        try "go\n".write(to: URL(fileURLWithPath: gate), atomically: false, encoding: .utf8)
        #expect(await outcome.ending == .exited(0))
        #expect(!record.isAlive)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == [])
    }

    @Test("what is no record of a running program is removed") func stale() throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let own = getpid()
        let start = gantry_process_start_time(own)
        for (name, text) in [
            ("\(own)", "\(start) another-boot"), ("1", "0 x"), ("-1", "\(start) x"), ("word", ""), ("99999999", "7 x"),
        ] {
            try text.write(toFile: "\(folder)/\(name)", atomically: false, encoding: .utf8)
            #expect(PluginRecord.left(in: folder).isEmpty)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == [])
        }
    }

    @Test("a program that cannot be recorded does not go on") func unrecorded() async throws {
        try "no folder".write(toFile: folder, atomically: true, encoding: .utf8)
        #expect(await run("sleep 1000").ending == .notStarted(ENOTDIR))
    }
}

@Suite("Turns of calls") struct CallQueueTests {
    @Test("a caller that hangs is waited for only so long, and then ends nobody else's turn")
    func aCallerThatHangsIsWaitedForOnlySoLong() async {
        let queue = CallQueue(longestTurn: .milliseconds(30))
        let hung = await queue.enter()
        let second = await queue.enter()
        #expect(second == hung + 1)
        queue.leave(hung)
        async let third = queue.enter()
        #expect(await third == second + 1)
    }

    @Test("where turns have no limit, callers come one after the other") func strict() async {
        let queue = CallQueue()
        let first = await queue.enter()
        async let second = queue.enter()
        queue.leave()
        #expect(await second == first + 1)
        queue.leave(first)
        async let third = queue.enter()
        queue.leave()
        #expect(await third == first + 2)
    }
}
