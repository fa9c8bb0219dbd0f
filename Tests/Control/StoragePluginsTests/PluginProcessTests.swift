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
        var started: Int32?
        // One that a busy machine did not let begin in time is run again.
        for _ in 0..<20 where started == nil {
            let outcome = await run("sleep 1000 & echo $! > \(scratch.file("pid")); wait", limits: limits)
            #expect(outcome.ending == .timedOut)
            let text = try? String(contentsOfFile: scratch.file("pid"), encoding: .utf8)
            started = text.flatMap { Int32($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
        }
        let child = try #require(started)
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

    /// What a program in the sandbox says, a line for each question.
    private func inside(_ sandbox: PluginSandbox, socket: String? = nil, _ script: String) async -> [String] {
        let settings = PluginSettings(socket: socket, records: nil, sandbox: sandbox)
        let command = settings.command("/bin/sh", ["-c", script], callsBack: socket != nil, isRecorded: true)
        let outcome = await PluginProcess.run(command, limits: PluginLimits(time: .seconds(60)))
        #expect(outcome.ending == .exited(0), "\(String(decoding: outcome.errors, as: UTF8.self))")
        return String(decoding: outcome.output, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
            .map(String.init)
    }

    private static let questions = """
        id -u; id -G; ulimit -n; ulimit -v; ulimit -c; ls -A /tmp | wc -l; cat /proc/sys/kernel/shmmni >/dev/null
        sed -n 's/^NoNewPrivs:[[:space:]]*//p; s/^CapEff:[[:space:]]*//p; s/^CapBnd:[[:space:]]*//p' /proc/self/status
        ls /proc/self/fd | wc -l; (echo x > /tmp/own && echo wrote); printf end
        """

    @Test("a sandbox takes the host's /tmp, privileges and limits from a program") func sandboxed() async throws {
        let scratch = try ScratchFolder("sandbox")
        let nobody = try #require(PluginSandbox.Identity(name: "nobody"))
        let sandbox = PluginSandbox(isOn: true, user: nobody)
        let said = await inside(sandbox, Self.questions)
        let none = String(repeating: "0", count: 16)
        #expect(
            said == [
                String(nobody.user), String(nobody.group), "1024", String(sandbox.memory / 1024), "0", "0", none, none,
                "1", "4", "wrote", "end",
            ])
        // A driver that calls back stays root and finds the socket, and nothing else of /tmp.
        let socket = scratch.file("api")
        let descriptor = unsafe gantry_unix_listen(socket, 1)
        defer { close(descriptor) }
        let driver = await inside(
            sandbox, socket: socket,
            """
            id -u; test -S /var/lib/xcp/xapi && echo there; ls -A /tmp | wc -l; grep NoNewPrivs /proc/self/status
            printf end
            """)
        #expect(driver == ["0", "there", "0", "NoNewPrivs:\t1", "end"])
        #expect(FileManager.default.fileExists(atPath: socket))
    }

    @Test("a user alone is no namespace") func ofAUser() async throws {
        let nobody = try #require(PluginSandbox.Identity(name: "nobody"))
        let said = await inside(PluginSandbox(user: nobody), "id -u; ls -A /tmp | wc -l; printf end")
        #expect(said.first == String(nobody.user) && said.count == 3 && said[1] != "0")
        #expect(PluginSandbox.Identity(name: "no such user") == nil)
    }

    @Test("without a sandbox a program runs as it is") func notSandboxed() {
        let command = PluginSettings().command("/bin/true", ["a"], callsBack: true, isRecorded: true)
        #expect(command.program == "/bin/true" && command.arguments == ["a"])
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
