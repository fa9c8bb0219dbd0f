import APITypes
import CoreTypes
import PoolDatabase
import RPCCodec
import Synchronization
import TestSupport
import Testing

@testable import Toolstack

/// Short operations that wait for each other, and the order in which they do.
@Suite struct OperationTurnTests {
    private static func inTheWay(_ name: String, _ operation: String) -> APIError {
        APIError("OTHER_OPERATION_IN_PROGRESS", name, "r", operation, "t")
    }

    @Test func whoComesFirstIsFirstAtAllThatItWants() {
        var queue = TurnQueue()
        let (a, b, both, c) = (queue.join(["a"]), queue.join(["b"]), queue.join(["a", "b"]), queue.join(["b"]))
        #expect(queue.isFirst(a) && queue.isFirst(b) && !queue.isFirst(both) && !queue.isFirst(c))
        queue.leave(a)
        #expect(!queue.isFirst(both))
        // Whoever gives up in the middle holds nobody up.
        let late = queue.join(["a"])
        queue.leave(b)
        #expect(queue.isFirst(both) && !queue.isFirst(c) && !queue.isFirst(late))
        queue.leave(both)
        #expect(queue.isFirst(c) && queue.isFirst(late))
        queue.leave(c)
        queue.leave(late)
        #expect(queue.isEmpty && queue.isFirst(queue.join([])))
    }

    @Test func onlyShortOperationsAreWaitedFor() {
        for name in ["VDI", "VM"] {
            for operation in ["clone", "snapshot"] {
                #expect(OperationTurns.isWorthWaiting(Self.inTheWay(name, operation)))
            }
            for operation in ["mirror", "copy", "update", "migrate_send", "resize", "destroy", "export"] {
                #expect(!OperationTurns.isWorthWaiting(Self.inTheWay(name, operation)))
            }
        }
        #expect(!OperationTurns.isWorthWaiting(Self.inTheWay("SR", "snapshot")))
        #expect(!OperationTurns.isWorthWaiting(APIError("VDI_IN_USE", "VDI", "r", "clone")))
    }

    @Test func aTurnIsTakenGivenUpOrLost() async throws {
        let turns = OperationTurns()
        let tries = Mutex(0)
        func take(
            refusals: Int, _ error: APIError, _ flag: CancellationFlag = CancellationFlag(),
            limit: Duration = .seconds(60)
        ) async throws -> Int {
            tries.withLock { $0 = 0 }
            return try await turns.take(["a"], cancellation: flag, limit: limit) {
                let number = tries.withLock { tries in
                    tries += 1
                    return tries
                }
                if number <= refusals { throw error }
                return number
            }
        }
        #expect(try await take(refusals: 3, Self.inTheWay("VDI", "clone")) == 4)
        await #expect(throws: Self.inTheWay("VDI", "mirror")) {
            try await take(refusals: 1, Self.inTheWay("VDI", "mirror"))
        }
        // When the time is over the refusal is passed on, and the next one is not held up.
        await #expect(throws: Self.inTheWay("VDI", "clone")) {
            try await take(refusals: 9, Self.inTheWay("VDI", "clone"), limit: .zero)
        }
        let flag = CancellationFlag()
        flag.cancel()
        await #expect(throws: CancellationError.self) {
            try await take(refusals: 0, Self.inTheWay("VDI", "clone"), flag)
        }
        #expect(try await take(refusals: 0, Self.inTheWay("VDI", "clone")) == 1)
    }

    /// As a provisioning tool has it: many at once, of which none is refused; one that is cancelled while it waits is not made.
    @Test func clonesOfOneDiskAreMadeOneAfterTheOther() async throws {
        let host = try await OperationHost()
        let (sr, _) = try await host.makeRepository("a")
        let vdi = try await host.makeDisk(in: sr)
        let held = try await host.admission.begin([.vdi(Ref(vdi), .clone)], task: Ref("OpaqueRef:t"))
        let none = WireValue.structure([])
        let waiting = try await host.ref("Async.VDI.clone", .string(vdi), none)
        let cancelled = try await host.ref("Async.VDI.snapshot", .string(vdi), none)
        while try await host.operations("task", cancelled).isEmpty { await Task.yield() }
        _ = try await host.call("task.cancel", .string(cancelled))
        func status(_ task: String) async throws -> APIValue {
            while true {
                let status = try await host.call("task.get_status", .string(task))
                if status != .string("pending") && status != .string("cancelling") { return status }
                try await Task.sleep(for: .milliseconds(5))
            }
        }
        #expect(try await status(cancelled) == .string("cancelled"))
        #expect(try await host.call("task.get_status", .string(waiting)) == .string("pending"))
        await host.admission.end(held)
        #expect(try await status(waiting) == .string("success"))
        let outcomes = await withTaskGroup(of: [String].self) { group in
            for _ in 0..<5 { group.addTask { await host.refused("VDI.clone", .string(vdi), none) } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(outcomes == Array(repeating: ["accepted"], count: 5))
        // What takes long is refused at once, as ever.
        let long = try await host.admission.begin([.vdi(Ref(vdi), .resize)], task: Ref("OpaqueRef:t"))
        #expect(
            await host.refused("VDI.clone", .string(vdi), none)
                == ["OTHER_OPERATION_IN_PROGRESS", "VDI", vdi, "resize", "OpaqueRef:t"])
        await host.admission.end(long)
        await host.toolstack.stop()
    }
}
