import APITypes
import TestSupport
import Testing

@testable import PoolDatabase

@Suite struct CrowdTests {
    @Test func nobodyWaitsBeforeOthersWereSeen() {
        var crowd = Crowd()
        #expect(crowd.isHere(1))
        crowd.wrote(1, whileWaiting: 0, in: .milliseconds(8))
        #expect(crowd.isHere(1))
    }

    @Test func aGroupIsHeldOpenForAsManyAsCameLately() {
        var crowd = Crowd()
        crowd.wrote(1, whileWaiting: 3, in: .milliseconds(4))
        #expect(!crowd.isHere(3) && crowd.isHere(4))
        #expect(crowd.pause == .milliseconds(1))
        // Two of them went: next time nobody waits for them.
        crowd.wrote(2, whileWaiting: 0, in: .seconds(1))
        #expect(!crowd.isHere(1) && crowd.isHere(2))
        #expect(crowd.pause == Crowd.longestPause)
    }

    @Test func waitingEndsOnceHoweverItEnds() {
        var crowd = Crowd()
        var ends = [crowd.endWaiting()]
        let first = crowd.startWaiting()
        ends += [crowd.endWaiting(), crowd.endWaiting(), crowd.isOver(first)]
        #expect(ends == [false, true, false, false], "ended by those who came")
        let second = crowd.startWaiting()
        ends = [crowd.isOver(first), crowd.isOver(second), crowd.isOver(second), crowd.endWaiting()]
        #expect(ends == [false, true, false, false], "ended by its own alarm, not by an earlier one")
    }

    /// Callers that come again and again, with pauses of their own, changes of memory only and failures among them.
    @Test func everyCallerOfACrowdIsAnswered() async throws {
        let folder = try ScratchFolder("crowd")
        let database = try await PoolDatabase.open(path: folder.file("pool.db"))
        let refs = (0..<8).map { _ in Ref<VDI>.new() }
        try await database.transaction { transaction in
            for ref in refs { transaction.insert(VDI.self, ref: ref) { _ in } }
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (caller, ref) in refs.enumerated() {
                group.addTask {
                    for step in 1...12 {
                        try await database.transaction { try $0.set(ref, VDI.virtualSize, Int64(step)) }
                        if step % 4 == caller % 4 { try await Task.sleep(for: .milliseconds(1)) }
                        try await database.transaction { $0.insert(XenTask.self, ref: .new()) { _ in } }
                        await #expect(throws: APIError.self) {
                            try await database.transaction { try $0.set(Ref<VDI>("gone"), VDI.virtualSize, 1) }
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        try await database.close()
        let again = try await PoolDatabase.open(path: folder.file("pool.db"))
        #expect(again.read { $0.rows(VDI.self).map { $0[VDI.virtualSize] } } == refs.map { _ in 12 })
        try await again.close()
    }
}
