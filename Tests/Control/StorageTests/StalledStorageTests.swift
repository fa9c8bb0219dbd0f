import Foundation
import StorageInterface
import Synchronization
import TestSupport
import Testing

@testable import StorageManagers

/// Programs and servers that do not answer.
@Suite struct StalledStorageTests {
    private func script(_ text: String, in folder: ScratchFolder) throws -> String {
        let path = folder.file("program")
        try Data("#!/bin/sh\n\(text)\n".utf8).write(to: URL(fileURLWithPath: path))
        try Tool.check("chmod", ["+x", path])
        return path
    }

    /// Nil: it has not got so far.
    private func child(in folder: ScratchFolder) -> Int32? {
        let text = try? String(contentsOfFile: folder.file("pid"), encoding: .utf8)
        return text.flatMap { Int32($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
    }

    /// Neither gone nor a zombie that nobody reaps.
    private func lives(_ pid: Int32) -> Bool {
        let status = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)
        return status.map { !$0.contains(") Z ") } ?? false
    }

    @Test func aProgramThatHangsIsKilledWithAllThatItStarted() async throws {
        let folder = try ScratchFolder("command")
        let program = try script("sleep 1000 & echo $! >\(folder.file("pid")); wait", in: folder)
        var started: Int32?
        // One that a busy machine did not let begin in time is run again.
        for _ in 0..<20 where started == nil {
            let error = #expect(throws: StorageError.self) { try HostCommand.run(program, [], seconds: 1) }
            #expect(error?.fault == .general && error?.message.contains("did not end within 1 s") == true)
            started = child(in: folder)
        }
        let pid = try #require(started)
        while lives(pid) { try await Task.sleep(for: .milliseconds(2)) }
    }

    /// As mount.nfs leaves rpc.statd, which has its pipe.
    @Test func aProgramIsOverWhenItHasEndedWhateverItLeavesRunning() throws {
        let folder = try ScratchFolder("command")
        let program = try script("sleep 1000 & echo $! >\(folder.file("pid")); echo said; exit 3", in: folder)
        let outcome = try HostCommand.run(program, [], seconds: 1000)
        #expect(outcome.status == 3 && outcome.output == "said")
        let pid = try #require(child(in: folder))
        #expect(lives(pid))
        kill(pid, SIGKILL)
        let loud = try HostCommand.run(try script("yes | head -c 300000; kill -9 $$", in: folder), [], seconds: 1000)
        #expect(loud.status == 137 && loud.output.utf8.count == 64 << 10 - 1)
        #expect(throws: StorageError.self) { try HostCommand.run(folder.file("none"), [], seconds: 1) }
    }

    private func fault(_ body: () async throws(StorageError) -> Void) async -> Int {
        do throws(StorageError) {
            try await body()
            return 0
        } catch { return error.fault.number }
    }

    @Test func storageThatDoesNotAnswerHoldsUpNobodyElse() async throws {
        let name = UUID().uuidString
        let gate = DispatchSemaphore(value: 0)
        let look = { @Sendable () throws(StorageError) in gate.wait() }
        #expect(
            await fault { () throws(StorageError) in
                try await RepositoryThreads.run(on: name, within: .milliseconds(500), look)
            } == 47)
        // Refused at once, and not begun.
        let isBegun = Mutex(false)
        #expect(
            await fault { () throws(StorageError) in
                try await RepositoryThreads.run(on: name) { isBegun.withLock { $0 = true } }
            } == 47)
        #expect(isBegun.withLock { $0 } == false)
        #expect(try await RepositoryThreads.run(on: name + "2") { 2 } == 2)
        gate.signal()
        while (try? await RepositoryThreads.run(on: name) { true }) == nil { await Task.yield() }
    }

    private final class Running: Sendable {
        let counts = Mutex((now: 0, most: 0))
    }

    @Test func aRepositoryHasNoMoreThanItsThreads() async throws {
        let name = UUID().uuidString
        let gate = DispatchSemaphore(value: 0)
        let running = Running()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<3 * RepositoryThreads.width {
                group.addTask {
                    try await RepositoryThreads.run(on: name) {
                        running.counts.withLock { $0 = ($0.now + 1, max($0.most, $0.now + 1)) }
                        gate.wait()
                        running.counts.withLock { $0.now -= 1 }
                    }
                }
            }
            while running.counts.withLock({ $0.now }) < RepositoryThreads.width { await Task.yield() }
            // What comes now waits, and is not begun after it has been given up.
            let late = Mutex(false)
            #expect(
                await fault { () throws(StorageError) in
                    try await RepositoryThreads.run(on: name, patience: .milliseconds(20)) {
                        late.withLock { $0 = true }
                    }
                } == 47)
            for _ in 0..<3 * RepositoryThreads.width { gate.signal() }
            try await group.waitForAll()
            #expect(running.counts.withLock { $0.most } == RepositoryThreads.width)
            #expect(late.withLock { $0 } == false)
        }
    }
}
