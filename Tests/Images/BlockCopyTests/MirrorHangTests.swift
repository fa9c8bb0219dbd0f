import BlockIO
import Glibc
import Synchronization
import TestSupport
import Testing

@testable import BlockCopy

/// Commands while a mirror's destination hangs: neither they nor guests wait for it longer than is said.
@Suite struct MirrorHangTests {
    private static let size: UInt64 = 2 << 20

    /// A mirror in sync, to a file that hangs when it is told to; with a patience of a tenth of a second.
    private func hanging(
        trust: MirrorTrust = MirrorTrust(), _ body: (SwitchableDevice, MirrorDevice, HangingDevice) async throws -> Void
    ) async throws {
        let source = MemoryDevice(size: Self.size)
        try source.store([UInt8](repeating: 1, count: Int(Self.size)), at: 0)
        let destination = HangingDevice(MemoryDevice(size: Self.size))
        let device = SwitchableDevice(source)
        device.cancelPatience = 100_000_000
        var options = MirrorOptions()
        options.mode = .active
        options.latencyBudget = 1
        try device.startMirror(to: destination, options: options, trust: trust)
        awaitPhase(device, .synchronised)
        defer { destination.letGo() }
        try await body(device, try #require(device.mirror), destination)
    }

    /// Runs it, and expects that it comes to its end although the destination hangs.
    private func ends(_ what: String, _ body: @escaping @Sendable () throws -> Void) async throws {
        let isDone = Flag()
        let thread = WorkerThread("guest") {
            do { try body() } catch { Issue.record(error, "\(what)") }
            isDone.set()
        }
        try await reach(what, atMost: .seconds(60)) { isDone.isSet }
        thread.join()
    }

    /// What guests do meanwhile: writes, reads and flushes, elsewhere than at 0.
    private func guestsGoOn(_ device: SwitchableDevice) async throws {
        try await ends("guests go on") {
            for value in 3...30 as ClosedRange<UInt8> {
                try device.store([value], at: 1 << 20)
                guard try device.bytes(1 << 20, 1) == [value] else { throw BlockError(.corrupt, "not written") }
                try device.flush()
                _ = device.mirrorProgress
            }
        }
    }

    private func code(_ body: () throws(BlockError) -> Void) -> BlockError.Code? {
        do throws(BlockError) { try body() } catch { return error.code }
        return nil
    }

    /// A guest's write has begun to hang a moment before the pivot, so that nobody knows it yet.
    @Test func aPivotKeepsNobodyWaitingForAWriteThatHangs() async throws {
        try await hanging { (device, mirror, destination) in
            destination.hangs.store(true, ordering: .releasing)
            let first = WorkerThread("first") { try? device.store([2], at: 0) }
            try await reach("it hangs") { destination.hanging.load(ordering: .acquiring) == 1 }
            try await ends("the pivot is refused") {
                guard self.code({ () throws(BlockError) in try device.preparePivot() }) == .busy else {
                    throw BlockError(.corrupt, "prepared")
                }
            }
            try await guestsGoOn(device)
            #expect(device.mirrorProgress?.isSilent == true && device.mirrorProgress?.isActive == false)
            destination.letGo()
            first.join()
            try prepare(device)
            try device.store([9], at: 4096)
            #expect(try destination.base.bytes(4096, 1) == [9])
            let all = try device.bytes(0, Int(Self.size))
            try device.commitPivot()
            #expect(try device.bytes(0, Int(Self.size)) == all && all[0] == 2 && all[1 << 20] == 30)
        }
    }

    /// A comparison's read hangs: the pivot gives way to it while guests go on, and whoever cancels is answered.
    @Test func aPivotGivesWayToAComparisonThatHangs() async throws {
        try await hanging { (device, mirror, destination) in
            destination.hangsReads.store(true, ordering: .releasing)
            let comparison = Mutex<BlockError.Code?>(nil)
            let comparer = WorkerThread("comparer") {
                do throws(BlockError) { _ = try device.verifyMirror() } catch {
                    comparison.withLock { $0 = error.code }
                }
            }
            try await reach("it hangs") { destination.hanging.load(ordering: .acquiring) == 1 }
            try await ends("the pivot is refused") {
                guard self.code({ () throws(BlockError) in try device.preparePivot() }) == .busy else {
                    throw BlockError(.corrupt, "prepared")
                }
            }
            try await guestsGoOn(device)
            // What a thread without a processor was too slow for comes by the copier.
            try await reach("it reached both") {
                (try? destination.base.bytes(1 << 20, 1)) == [30] && device.mirrorProgress?.phase == .synchronised
            }
            #expect(code { () throws(BlockError) in try device.cancelMirror() } == .busy)
            // Its asker is told at once; it is a thread of the comparison that hangs.
            comparer.join()
            #expect(comparison.withLock { $0 } == .cancelled)
            try await guestsGoOn(device)
            #expect(device.mirrorProgress != nil && destination.hanging.load(ordering: .acquiring) == 1)
            #expect(code { () throws(BlockError) in try device.cancelMirror() } == .busy)
            destination.letGo()
            try await reach("it ends by itself") { device.mirrorProgress == nil }
            // Its destination is perhaps being closed still.
            try await reach("nothing is left of it") {
                code { () throws(BlockError) in try device.cancelMirror() } == .notFound
            }
        }
    }

    /// What a pivot does before guests stand still, and hangs: whoever cancels ends it, and the end is told when it has come.
    @Test(arguments: ["comparison", "flush"]) func whoCancelsEndsAPivotThatHangs(_ what: String) async throws {
        let trust = MirrorTrust(isDoubtful: what == "comparison")
        try await hanging(trust: trust) { (device, mirror, destination) in
            if what == "flush" { destination.hangsFlushes.store(true, ordering: .releasing) }
            if what == "comparison" { destination.hangsReads.store(true, ordering: .releasing) }
            let outcome = Mutex<BlockError.Code?>(nil)
            let pivot = WorkerThread("pivot") {
                do throws(BlockError) { try device.preparePivot() } catch { outcome.withLock { $0 = error.code } }
            }
            try await reach("it hangs") { destination.hanging.load(ordering: .acquiring) == 1 }
            try await guestsGoOn(device)
            let isTold = Flag()
            #expect(code { () throws(BlockError) in try device.cancelMirror { isTold.set() } } == .busy)
            pivot.join()
            #expect(outcome.withLock { $0 } == .cancelled && !isTold.isSet)
            try await guestsGoOn(device)
            destination.letGo()
            try await reach("it ends by itself") { isTold.isSet && device.mirrorProgress == nil }
            #expect(try device.bytes(1 << 20, 1) == [30])
            // Nothing is left of it.
            try device.startMirror(to: MemoryDevice(size: Self.size), bytesPerSecond: 0)
            try prepare(device)
            try device.commitPivot()
        }
    }

    /// A flush that an earlier attempt to pivot has left, as a write was late meanwhile, is waited for, and refuses no other attempt.
    @Test func aFlushThatWasLeftIsWaitedFor() async throws {
        try await hanging { (device, mirror, destination) in
            destination.hangsFlushes.store(true, ordering: .releasing)
            let outcomes = Mutex<[BlockError.Code?]>([])
            let pivot: @Sendable () -> Void = {
                do throws(BlockError) {
                    try device.preparePivot()
                    outcomes.withLock { $0.append(nil) }
                } catch {
                    outcomes.withLock { $0.append(error.code) }
                }
            }
            let first = WorkerThread("first", pivot)
            try await reach("it hangs") { destination.hanging.load(ordering: .acquiring) == 1 }
            // Not in sync until it has been seen.
            try device.changeMirror { $0.isPaused = true }
            try await reach("it is given up") {
                mirror.handle(.fellBehind)
                return outcomes.withLock { $0.count } == 1
            }
            first.join()
            #expect(outcomes.withLock { $0 } == [.busy])
            try device.changeMirror { $0.isPaused = false }
            awaitPhase(device, .synchronised)
            let second = WorkerThread("second", pivot)
            // In which it would have been refused.
            usleep(50_000)
            #expect(outcomes.withLock { $0.count } == 1)
            destination.letGo()
            second.join()
            #expect(outcomes.withLock { $0 } == [.busy, nil])
            try device.commitPivot()
        }
    }

    /// Who cancels while another command is under way for longer than that is waited for is told so, and the mirror ends behind it.
    @Test func aCancelThatWaitsForItsTurnEndsTheMirror() async throws {
        try await hanging { (device, mirror, destination) in
            #expect(device.control.take())
            let told = Atomic<Int>(0)
            for _ in 0..<2 {
                #expect(
                    code { () throws(BlockError) in
                        try device.cancelMirror { told.add(1, ordering: .acquiringAndReleasing) }
                    } == .busy)
            }
            #expect(device.mirrorProgress != nil && told.load(ordering: .acquiring) == 0)
            device.control.give()
            try await reach("it ends") {
                device.mirrorProgress == nil && told.load(ordering: .acquiring) == 1
            }
        }
    }

    /// Who keeps something for the mirror gives it up before there can be another, however long the destination's close takes.
    @Test func itsEndIsToldBeforeThereCanBeAnother() async throws {
        try await hanging { (device, mirror, destination) in
            destination.hangsClose.store(true, ordering: .releasing)
            let isTold = Flag()
            #expect(code { () throws(BlockError) in try device.cancelMirror { isTold.set() } } == .busy)
            try await reach("there is none") { device.mirrorProgress == nil }
            #expect(isTold.isSet)
        }
    }

    /// What lies beside the destination is closed while guests go on, and before there can be another mirror.
    @Test func noGuestWaitsForWhatIsClosedBesideTheDestination() async throws {
        try await hanging { (device, mirror, destination) in
            let (isTold, isClosing, mayEnd) = (Flag(), Flag(), Flag())
            defer { mayEnd.set() }
            let canceller = WorkerThread("canceller") {
                try? device.cancelMirror {
                    isTold.set()
                } closing: {
                    isClosing.set()
                    while !mayEnd.isSet { usleep(500) }
                }
            }
            try await reach("it is being closed") { isClosing.isSet }
            #expect(isTold.isSet && device.mirrorProgress == nil && !device.control.take(within: 1_000_000))
            try await guestsGoOn(device)
            mayEnd.set()
            canceller.join()
            #expect(device.control.take())
            device.control.give()
        }
    }

    /// The copier hangs with a granule held that guests write to: they wait until its time is over, and it is copied again, unless the
    /// mirror was cancelled meanwhile.
    @Test(arguments: [false, true]) func aGranuleThatTheCopierHangsInIsGivenBack(isCancelled: Bool) async throws {
        try await hanging { (device, mirror, destination) in
            try device.changeMirror { $0.mode = .background }
            destination.hangs.store(true, ordering: .releasing)
            try device.store([2], at: 0)
            try await reach("the copier hangs") { destination.hanging.load(ordering: .acquiring) == 1 }
            // Touched while it is copied: held the next time.
            try device.store([3], at: 0)
            try await reach("it is known") { mirror.isLeftOut }
            #expect(!mirror.isStalled)
            try device.changeMirror { $0.mode = .active }
            let before = mirror.copying.counts.begun
            destination.passes.store(1, ordering: .releasing)
            try await reach("it hangs with the granule held") {
                mirror.copying.counts.begun > before && destination.hanging.load(ordering: .acquiring) == 1
            }
            if isCancelled { #expect(code { () throws(BlockError) in try device.cancelMirror() } == .busy) }
            try await ends("who writes there") {
                for value in 4...9 as ClosedRange<UInt8> { try device.store([value], at: 0) }
            }
            #expect(mirror.dirty.run(at: 0, end: 65536).dirty)
            destination.letGo()
            if isCancelled {
                try await reach("it ends by itself") { device.mirrorProgress == nil }
                #expect(try device.bytes(0, 2) == [9, 1])
                return
            }
            awaitPhase(device, .synchronised)
            #expect(try device.verifyMirror() == Self.size)
            #expect(try destination.base.bytes(0, 2) == [9, 1])
            try device.cancelMirror()
        }
    }

    @Test func aGateIsWaitedForAsLongAsNobodyHangsInTheDestination() {
        var wait = GateWait()
        func goesOn(_ writesHang: Bool, _ flushesHang: Bool) -> Bool {
            wait.goesOn(writesHang: writesHang, flushesHang: flushesHang)
        }
        for _ in 0..<1000 { #expect(goesOn(false, false)) }
        for _ in 0..<5 { #expect(goesOn(false, true)) }
        #expect(goesOn(false, false))
        for _ in 0..<5 { #expect(goesOn(false, true)) }
        #expect(!goesOn(false, true))
        wait = GateWait()
        #expect(!goesOn(true, false))
    }

    @Test func whoWasInAtAMarkIsToldFromNewcomers() {
        let use = DestinationUse()
        #expect(!use.isHeldSinceMark)
        guard let first = use.enter() else { return }
        use.mark()
        let second = use.enter()
        #expect(use.isHeldSinceMark)
        // While the first is in, a new mark is about him.
        use.mark()
        use.leave(first)
        #expect(!use.isHeldSinceMark && !use.isEmpty)
        use.mark()
        #expect(use.isHeldSinceMark)
        if let second { use.leave(second) }
        #expect(!use.isHeldSinceMark && use.isEmpty)
    }

    @Test func aHeldCopyIsGivenBackOnce() {
        let held = HeldCopies()
        held.begin(0..<10, at: 100)
        held.begin(20..<30, at: 150)
        #expect(held.takeOverdue(at: 200, patience: 100).isEmpty)
        #expect(held.takeOverdue(at: 201, patience: 100) == [0..<10])
        #expect(!held.end(0..<10) && held.end(20..<30) && !held.end(20..<30))
        #expect(held.takeOverdue(at: 1000, patience: 100).isEmpty)
        // Who watches has looked at the clock before who begins.
        held.begin(0..<10, at: 150)
        #expect(held.takeOverdue(at: 100, patience: 10).isEmpty && held.takeOverdue(at: 161, patience: 10) == [0..<10])
    }

    @Test func aCommandWaitsForAnotherOnlySoLong() async throws {
        let turn = CommandTurn()
        try turn.run { () throws(BlockError) in
            #expect(
                code { () throws(BlockError) in try turn.run(within: 1_000_000) { () throws(BlockError) in } } == .busy)
        }
        #expect(
            code { () throws(BlockError) in try turn.run { () throws(BlockError) in throw BlockError(.io, "x") } }
                == .io)
        #expect(try turn.run(within: 0) { () throws(BlockError) in 7 } == 7)
        #expect(turn.take())
        let isOver = Flag()
        let waiter = WorkerThread("waiter") { if turn.take() { isOver.set() } }
        #expect(!isOver.isSet)
        turn.give()
        waiter.join()
        #expect(isOver.isSet)
    }

    @Test func whatIsAbandonedGoesOn() async throws {
        #expect(try Abandonable.run("x", unless: { false }) { () throws(BlockError) in 7 } == 7)
        #expect(throws: BlockError.self) {
            try Abandonable.run("x", unless: { false }) { () throws(BlockError) -> Int in throw BlockError(.io, "x") }
        }
        let (mayEnd, isOver) = (Flag(), Flag())
        let left = try Abandonable.run("x", unless: { true }) { () throws(BlockError) -> Int in
            while !mayEnd.isSet { usleep(500) }
            isOver.set()
            return 1
        }
        #expect(left == nil && !isOver.isSet)
        mayEnd.set()
        try await reach("its end") { isOver.isSet }
    }
}
