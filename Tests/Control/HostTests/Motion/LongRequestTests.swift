import APITypes
import CLinux
import CoreTypes
import Dispatch
import Foundation
import PoolDatabase
import TestSupport
import Testing

@testable import DatapathControl
@testable import Toolstack

/// Requests of data paths that may take hours, and who waits for them.
@Suite struct LongRequestTests {
    /// A look is begun when the last one is over, however long that took, and every 200 ms at most; to give up waits for none.
    @Test func oneLookAtATime() {
        var wait = LongRequest.Wait()
        func step(isCancelled: Bool = false, isLate: Bool = false) -> LongRequest.Wait.Step {
            wait.pass(isCancelled: isCancelled, isLate: isLate)
        }
        func pass(_ count: Int) -> Set<LongRequest.Wait.Step> { Set((0..<count).map { _ in step() }) }
        // The first one lasts.
        #expect(pass(100) == [.goOn])
        #expect(step(isLate: true) == .late)
        #expect(step(isCancelled: true, isLate: true) == .cancelled)
        wait.looked()
        #expect(step() == .look)
        #expect(pass(100) == [.goOn])
        wait.looked()
        #expect(step() == .look)
        wait.looked()
        // This one was short.
        #expect(pass(3) == [.goOn])
        #expect(step() == .look)
    }

    /// On the socket of a data path: it says nothing before `answer`.
    private final class Silent: Sendable {
        let folder: ScratchFolder
        let client: DatapathClient
        private let listener: Int32

        init() throws {
            folder = try ScratchFolder("requests")
            let path = folder.file("control")
            client = DatapathClient(socketPath: path)
            listener = unsafe path.withCString { unsafe gantry_unix_listen($0, 16) }
            guard listener >= 0 else { throw APIError.internalError("no socket: \(listener)") }
        }

        func answer() {
            Thread.detachNewThread { [listener] in
                let channel = ControlChannel(descriptor: gantry_accept(listener))
                if (try? channel.receive(DatapathRequest.self)) != nil { try? channel.send(DatapathReply.ok) }
            }
        }

        deinit { close(listener) }
    }

    /// A data path that does not say how far it is keeps nobody from its answer, from the deadline or from cancelling.
    @Test(arguments: ["answered", "late", "cancelled"])
    func aLookThatLastsIsWaitedForByNobody(_ end: String) async throws {
        let silent = try Silent()
        defer { withExtendedLifetime(silent) {} }
        let flag = CancellationFlag()
        var looks = 0
        var outcome = "answered"
        if end == "answered" { silent.answer() }
        do {
            try await LongRequest.call(
                .mirrorVerify, of: silent.client, cancellation: flag,
                until: end == "late" ? ContinuousClock.now + .milliseconds(600) : nil
            ) {
                looks += 1
                if end == "cancelled" { flag.cancel() }
                return { try await Task.sleep(for: .seconds(3600)) }
            } seen: { (_: Void) in
                Issue.record("it was not over")
            }
        } catch is LongRequest.Late {
            outcome = "late"
        } catch is CancellationError {
            outcome = "cancelled"
        }
        #expect(outcome == end && looks == 1)
    }

    /// The same of a question to anybody: to cancel it, or its time's end, waits for no answer, and it hears that nobody wants it.
    @Test(arguments: ["answered", "late", "cancelled"])
    func aQuestionIsNotWaitedForLongerThanItIsWanted(_ end: String) async throws {
        let flag = CancellationFlag()
        let (given, giveUp) = AsyncStream.makeStream(of: Void.self)
        var outcome = ""
        do {
            outcome = try await LongRequest.answer(
                cancellation: flag, until: end == "late" ? ContinuousClock.now + .milliseconds(20) : nil
            ) {
                if end == "answered" { return "answered" }
                if end == "cancelled" { flag.cancel() }
                defer { giveUp.finish() }
                try await Task.sleep(for: .seconds(3600))
                return "slept"
            }
        } catch is LongRequest.Late {
            outcome = "late"
        } catch is CancellationError {
            outcome = "cancelled"
        }
        #expect(outcome == end)
        if end != "answered" { for await _ in given {} }
    }

    /// What a look finds is told, and its failure is the wait's.
    @Test func whatALookFindsIsTold() async throws {
        struct Enough: Error {}
        let silent = try Silent()
        defer { withExtendedLifetime(silent) {} }
        var (begun, seen): (Int, [Int]) = (0, [])
        await #expect(throws: Enough.self) {
            try await LongRequest.call(.mirrorVerify, of: silent.client, cancellation: CancellationFlag()) {
                begun += 1
                let number = begun
                return {
                    if number == 3 { throw Enough() }
                    return number
                }
            } seen: { (number: Int) in
                seen.append(number)
            }
        }
        #expect(seen == [1, 2])
    }

    /// All disks may be compared at once, for hours: none of that takes a thread from what others ask.
    @Test func requestsHaveThreadsOfTheirOwn() async throws {
        let queues = (0..<2).map { _ in DatapathClient.ownThread() }
        #expect(queues[0] !== queues[1] && !queues.contains { $0 === DispatchQueue.global() })
        let count = 4 * ProcessInfo.processInfo.activeProcessorCount
        let (arrived, all) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for _ in 0..<count {
                tasks.addTask {
                    try await DatapathClient.onOwnThread {
                        arrived.signal()
                        all.wait()
                    }
                }
            }
            try await DatapathClient.onOwnThread {
                for _ in 0..<count { arrived.wait() }
                for _ in 0..<count { all.signal() }
            }
            try await tasks.waitForAll()
        }
    }
}
