import BlockIO
import Synchronization
import Testing

/// What may be believed of a server's flushes.
@Suite struct FlushLedgerTests {
    private static let io = BlockError(.io, "injected")

    @Test func aGoodFlushCoversWhatHadEndedWhenItBegan() throws {
        let ledger = FlushLedger()
        #expect(!ledger.isVolatile)
        try ledger.change {}
        #expect(ledger.isVolatile)
        ledger.begin()
        try ledger.flush {}
        #expect(ledger.isVolatile, "one is under way")
        ledger.end()
        try ledger.flush { () throws(BlockError) in try ledger.change {} }
        #expect(ledger.isVolatile, "one came beside the flush")
        try ledger.flush {}
        #expect(!ledger.isVolatile)
        // One that failed may have changed something.
        #expect(throws: BlockError.self) { try ledger.change { () throws(BlockError) in throw Self.io } }
        #expect(ledger.isVolatile)
    }

    @Test func aRefusedFlushIsNeverTakenBack() throws {
        let ledger = FlushLedger()
        try ledger.change {}
        #expect(throws: BlockError.self) { try ledger.flush { () throws(BlockError) in throw Self.io } }
        var isAsked = false
        let error = #expect(throws: BlockError.self) { try ledger.flush { isAsked = true } }
        #expect(error?.code == .io && !isAsked && ledger.isVolatile)
    }

    /// What becomes of the changes of a lost connection is its owner's to know.
    @Test func aLostConnectionIsNoRefusal() throws {
        let ledger = FlushLedger()
        try ledger.change {}
        #expect(throws: BlockError.self) {
            try ledger.flush { () throws(BlockError) in throw BlockError(.disconnected, "injected") }
        }
        #expect(ledger.isVolatile)
        try ledger.flush {}
        #expect(!ledger.isVolatile)
    }

    /// A server that does not flush has not tried, and lost nothing by that.
    @Test(arguments: [BlockError.Code.unsupported, .readOnly, .denied])
    func aFlushThatIsNotDoneAtAllIsAskedForAgain(_ code: BlockError.Code) throws {
        let ledger = FlushLedger()
        try ledger.change {}
        #expect(throws: BlockError.self) {
            try ledger.flush { () throws(BlockError) in throw BlockError(code, "injected") }
        }
        #expect(ledger.isVolatile)
        try ledger.flush {}
        #expect(!ledger.isVolatile)
    }

    /// Of several flushes at once none succeeds beside or after the one that is refused.
    @Test func noFlushSucceedsBesideOneThatIsRefused() throws {
        let ledger = FlushLedger()
        try ledger.change {}
        let asked = Atomic<Int>(0)
        let good = Atomic<Int>(0)
        let threads = (0..<4).map { index in
            WorkerThread("flush-\(index)") {
                let isGood =
                    (try? ledger.flush { () throws(BlockError) in
                        // As a kernel does: it tells one.
                        if asked.add(1, ordering: .relaxed).newValue == 1 { throw Self.io }
                    }) != nil
                if isGood { good.add(1, ordering: .relaxed) }
            }
        }
        for thread in threads { thread.join() }
        let (goodCount, askedCount) = (good.load(ordering: .relaxed), asked.load(ordering: .relaxed))
        #expect(goodCount == 0 && askedCount == 1)
    }
}
