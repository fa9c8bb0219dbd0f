import CLinux
import Foundation
import TestSupport
import Testing

@testable import StoragePlugins

/// Programs that end badly, or do not end.
@Suite("Third-party programs") struct PluginProcessTests {
    private func run(
        _ script: String, input: String = "", limits: PluginLimits = PluginLimits(time: .seconds(60))
    ) async -> PluginOutcome {
        gantry_ignore_sigpipe()
        return await PluginProcess.run(
            PluginCommand(
                program: "/bin/sh", arguments: ["-c", script], environment: ["PATH": "/usr/bin:/bin"],
                input: Array(input.utf8)), limits: limits)
    }

    @Test("a program's output, errors and status are told") func plain() async {
        let outcome = await run("cat; echo no >&2; exit 3", input: "yes")
        #expect(outcome.ending == .exited(3))
        #expect(String(decoding: outcome.output, as: UTF8.self) == "yes")
        #expect(String(decoding: outcome.errors, as: UTF8.self) == "no\n")
    }

    @Test("a program that does not read a long input does not hold us up") func deaf() async {
        let outcome = await run("exec 0<&-; echo done", input: String(repeating: "x", count: 1 << 20))
        #expect(outcome.ending == .exited(0))
        #expect(String(decoding: outcome.output, as: UTF8.self) == "done\n")
    }

    @Test("a signal that ends a program is told") func crash() async {
        #expect(await run("kill -SEGV $$").ending == .signalled(SIGSEGV))
    }

    @Test("a program that hangs is killed with all that it started")
    func programThatHangsIsKilledWithItsChildren() async throws {
        let scratch = try ScratchFolder("hang")
        let limits = PluginLimits(time: .milliseconds(300))
        let outcome = await run("sleep 1000 & echo $! > \(scratch.file("pid")); wait", limits: limits)
        #expect(outcome.ending == .timedOut)
        let text = try String(contentsOfFile: scratch.file("pid"), encoding: .utf8)
        let child = try #require(Int32(text.trimmingCharacters(in: .whitespacesAndNewlines)))
        // A killed process is a zombie until somebody reaps it: it has no start time then.
        while gantry_process_start_time(child) != 0 { try await Task.sleep(for: .milliseconds(5)) }
    }

    @Test("endless output is cut, and the program killed") func endlessOutputIsCut() async {
        let outcome = await run("exec yes", limits: PluginLimits(time: .seconds(60), output: 100_000))
        #expect(outcome.ending == .flooded)
        #expect(outcome.output.count == 100_000)
    }

    @Test("endless errors are read, bounded, and end nothing") func complaints() async {
        let outcome = await run(
            "head -c 3000000 /dev/zero >&2; echo fine", limits: PluginLimits(time: .seconds(60), errors: 1000))
        #expect(outcome.ending == .exited(0))
        #expect(outcome.errors.count == 1000)
        #expect(String(decoding: outcome.output, as: UTF8.self) == "fine\n")
    }

    @Test("a server that a program leaves behind is not waited for")
    func aServerLeftBehindIsNotWaitedFor() async throws {
        let outcome = await run("echo first; setsid sleep 1000 & echo $!")
        #expect(outcome.ending == .exited(0))
        let words = String(decoding: outcome.output, as: UTF8.self).split(separator: "\n")
        #expect(words.first == "first")
        let server = try #require(words.last.flatMap { Int32($0) })
        #expect(gantry_process_start_time(server) != 0)
        kill(server, SIGKILL)
    }

    @Test("what cannot be started says why") func missing() async {
        let limits = PluginLimits()
        let absent = PluginCommand(program: "/nonexistent/EXTSR", arguments: [], environment: [:])
        #expect(await PluginProcess.run(absent, limits: limits).ending == .notStarted(ENOENT))
        let long = PluginCommand(
            program: "/bin/true", arguments: [String(repeating: "x", count: 200_000)], environment: [:])
        #expect(await PluginProcess.run(long, limits: limits).ending == .notStarted(E2BIG))
        let cut = PluginCommand(program: "/bin/true", arguments: ["a\0b"], environment: [:])
        #expect(await PluginProcess.run(cut, limits: limits).ending == .notStarted(EINVAL))
    }

    @Test("no descriptor stays open after many runs") func descriptors() async throws {
        func count() throws -> Int { try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count }
        _ = await run("true")
        let before = try count()
        for _ in 0..<20 { _ = await run("echo x; echo y >&2") }
        // Other suites may run beside this one and open a few: twenty runs would have left sixty.
        #expect(try count() < before + 20)
    }
}
