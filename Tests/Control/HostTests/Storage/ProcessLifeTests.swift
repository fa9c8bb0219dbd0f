import CLinux
import DatapathControl
import Foundation
import Logging
import Synchronization
import TestSupport
import Testing

@testable import Guests
@testable import Toolstack

/// Processes that records name, on a host that cannot always look at them.
@Suite struct ProcessLifeTests {
    private static func quiet() -> Logger { Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }) }

    private static func sleeper(_ folder: ScratchFolder) throws -> (child: ChildProcess, startTime: UInt64) {
        let child = try ChildProcess.start(["/usr/bin/sleep", "3600"], logPath: folder.file("log"), detached: true)
        return (child, gantry_process_start_time(child.pid))
    }

    /// While `body` runs this process gets no further descriptor.
    private static func withoutDescriptors(_ body: () async -> Void) async {
        // Those of who sleeps are there before.
        try? await Task.sleep(for: .milliseconds(20))
        var limit = rlimit()
        _ = unsafe getrlimit(__rlimit_resource_t(7), &limit)
        var none = rlimit(rlim_cur: 0, rlim_max: limit.rlim_max)
        _ = unsafe setrlimit(__rlimit_resource_t(7), &none)
        await body()
        _ = unsafe setrlimit(__rlimit_resource_t(7), &limit)
    }

    @Test func aProcessIsKnownByItsNumberAndStart() async throws {
        let (child, startTime) = try Self.sleeper(try ScratchFolder("life"))
        #expect(ProcessLife(of: child.pid, startedAt: startTime) == .lives)
        #expect(ProcessLife(of: child.pid, startedAt: startTime + 1) == .over)
        #expect(ProcessLife(of: child.pid, startedAt: 0) == .over)
        kill(child.pid, SIGKILL)
        await child.awaitExit()
        // Nobody has waited for it yet.
        #expect(ProcessLife(of: child.pid, startedAt: startTime) == .over)
        await child.reap()
        #expect(ProcessLife(of: child.pid, startedAt: startTime) == .over)
    }

    /// A data path that cannot be looked at is not given up: another one would be started beside it.
    @Test func aDataPathThatCannotBeLookedAtIsNotTakenForDead() async {
        await #expect(processExitsWith: .success) {
            let folder = try ScratchFolder("life")
            let (child, startTime) = try Self.sleeper(folder)
            let home = folder.file("dp/one")
            try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
            let record = DatapathRecord(
                id: "one", pid: child.pid, startTime: startTime, image: ImageSpecification(path: "/a", format: "raw"))
            try JSONEncoder().encode(record).write(to: URL(fileURLWithPath: home + "/record.json"))
            let host = DatapathHost(folder: folder.file("dp"), program: "/bin/false", logger: Self.quiet())
            let adoption = Mutex<Task<[String], Never>?>(nil)
            await Self.withoutDescriptors {
                adoption.withLock { $0 = Task { await host.adoptAll() } }
                try? await Task.sleep(for: .milliseconds(50))
            }
            try #require(await adoption.withLock { $0 }?.value == ["one"])
            var (found, ids, hasEnded): (DatapathHandle?, [String], Bool) = (nil, [], true)
            await Self.withoutDescriptors {
                found = await host.handle("one")
                ids = await host.ids
                hasEnded = await ChildProcess.awaitEnd(of: child.pid, startedAt: startTime, seconds: 0)
            }
            #expect(found != nil && ids == ["one"] && !hasEnded)
            #expect(FileManager.default.fileExists(atPath: home + "/record.json"))
            kill(child.pid, SIGKILL)
            await child.awaitExit()
            #expect(await host.handle("one") == nil)
        }
    }

    /// Nor is a guest that a toolstack finds when it starts.
    @Test func aGuestThatCannotBeLookedAtIsTakenOverLater() async {
        await #expect(processExitsWith: .success) {
            let folder = try ScratchFolder("life")
            let uuid = "5b0a55b4-7d05-4f1e-8a0e-6a5ee4b6e6a1"
            let guest = try StubbornGuest(uuid, runDirectory: folder.file("r"))
            let guests = GuestHost(runDirectory: folder.file("r"), acceleration: .tcg, logger: Self.quiet())
            let adoption = Mutex<Task<[String: GuestState], Never>?>(nil)
            await Self.withoutDescriptors {
                adoption.withLock { $0 = Task { await guests.adoptAll() } }
                try? await Task.sleep(for: .milliseconds(300))
            }
            #expect(await adoption.withLock { $0 }?.value == [uuid: .running])
            guest.kill()
        }
    }

    /// Storage that does not let an image be opened keeps nobody waiting for ever.
    @Test func aDataPathThatIsNotReadyIsKilled() async throws {
        gantry_ignore_sigpipe()
        let folder = try ScratchFolder("life")
        let program = folder.file("program")
        try Data("#!/bin/sh\nread line\necho $$ > \(folder.file("pid"))\nexec sleep 3600\n".utf8)
            .write(to: URL(fileURLWithPath: program))
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program)
        let host = DatapathHost(
            folder: folder.file("dp"), program: program, patience: .seconds(3), logger: Self.quiet())
        let failure = await #expect(throws: DatapathClient.Failure.self) {
            _ = try await host.start("one", image: ImageSpecification(path: "/slow", format: "raw"))
        }
        #expect(failure?.code == "io" && failure?.message.contains("the storage of /slow does not answer") == true)
        let pid = try Int32(
            #require(Int32(String(contentsOfFile: folder.file("pid"), encoding: .utf8).filter { $0.isNumber })))
        #expect(kill(pid, 0) == -1 && errno == ESRCH)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.file("dp")) == [])
        #expect(await host.handle("one") == nil)
    }
}
