import BlockIO
import Glibc
import Synchronization
import TestSupport
import Testing

@testable import BlockCopy

/// Destinations without a peer that hang in the kernel: those who come later than that are answered by the source alone.
@Suite struct MirrorStallTests {
    @Test func aStallIsTimeWithoutAnEnd() {
        var watch = StallWatch()
        func look(_ begun: UInt64, _ ended: UInt64, at now: UInt64) -> Bool {
            watch.isStalled(begun: begun, ended: ended, at: now, patience: 100)
        }
        #expect(!look(0, 0, at: 0) && !look(0, 0, at: 1000))
        // It began at some time since the last look.
        #expect(!look(1, 0, at: 2000) && !look(2, 0, at: 2100) && look(3, 0, at: 2101) && look(9, 0, at: 9000))
        // One has ended.
        #expect(!look(9, 1, at: 9001) && !look(9, 1, at: 9101) && look(9, 1, at: 9102))
        #expect(
            !look(9, 9, at: 9103) && !look(9, 9, at: 20_000) && !look(10, 9, at: 20_001) && !look(10, 9, at: 20_101))
        #expect(look(10, 9, at: 20_102))
        // Counted while one ended.
        #expect(!look(10, 11, at: 30_000))
    }

    @Test func aDestinationThatHangsIsLeftToThoseWhoHangInIt() async throws {
        let size: UInt64 = 2 << 20
        let source = MemoryDevice(size: size)
        try source.store([UInt8](repeating: 1, count: Int(size)), at: 0)
        let destination = HangingDevice(MemoryDevice(size: size))
        let device = SwitchableDevice(source)
        var options = MirrorOptions()
        options.mode = .active
        // A tenth of a second.
        options.latencyBudget = 1
        try device.startMirror(to: destination, options: options)
        awaitPhase(device, .synchronised)
        defer { destination.letGo() }
        destination.hangs.store(true, ordering: .releasing)
        let first = WorkerThread("first") { try? device.store([2], at: 0) }
        try await reach("the destination is left out") { device.mirrorProgress?.isSilent == true }
        #expect(destination.hanging.load(ordering: .acquiring) == 1)
        // Longer than the destination hangs for one request; a flush, too.
        try await answered("what comes later, in the granule of the one that hangs, too") {
            for value in 3...50 as ClosedRange<UInt8> {
                for place in [8192, 1 << 20] as [UInt64] { try device.store([value], at: place) }
                // The copier looks for what is dirty meanwhile.
                usleep(1000)
            }
            try device.writeZeroes(at: (1 << 20) + 100, length: 10, mayUnmap: true)
            try device.flush()
        }
        #expect(try device.bytes(8192, 1) == [50] && destination.base.bytes(8192, 1) == [1])
        #expect(try device.bytes(1 << 20, 1) == [50] && destination.base.bytes(1 << 20, 1) == [1])
        #expect(device.mirrorProgress?.isActive == false && device.mirrorProgress?.dirtyBytes == 2 * 65536)
        #expect(throws: BlockError.self) { try device.preparePivot() }
        destination.letGo()
        first.join()
        try await reach("the destination is used again") { device.mirrorProgress?.isSilent == false }
        awaitPhase(device, .synchronised)
        try device.store([7], at: 300)
        #expect(try destination.base.bytes(300, 1) == [7])
        #expect(try device.verifyMirror() == size)
        try prepare(device)
        let expected = try source.bytes(0, Int(size))
        try device.commitPivot()
        #expect(try device.bytes(0, Int(size)) == expected)
    }

    /// A mirror in sync to a file that hangs, with a granule of each byte beside another. What is done with it at the end is let go.
    private func hanging(
        retryFor: UInt64 = 0, _ body: (SwitchableDevice, MirrorDevice, HangingDevice) async throws -> Void
    ) async throws {
        let source = MemoryDevice(size: Self.size)
        try source.store([UInt8](repeating: 1, count: Int(Self.size)), at: 0)
        let destination = HangingDevice(MemoryDevice(size: Self.size))
        let device = SwitchableDevice(source)
        var options = MirrorOptions()
        options.mode = .active
        options.latencyBudget = 1
        options.retryFor = retryFor
        try device.startMirror(to: destination, options: options)
        awaitPhase(device, .synchronised)
        defer { destination.letGo() }
        try await body(device, try #require(device.mirror), destination)
    }

    private static let size: UInt64 = 2 << 20

    /// Runs what guests do, and expects that it comes to its end while the destination hangs.
    private func answered(_ what: String, _ guest: @escaping @Sendable () throws -> Void) async throws {
        let isDone = Flag()
        let thread = WorkerThread("guest") {
            do { try guest() } catch { Issue.record(error) }
            isDone.set()
        }
        try await reach(what, atMost: .seconds(30)) { isDone.isSet }
        thread.join()
    }

    /// The copier waited behind the write that hangs before anybody could know that it does.
    @Test func theCopierDoesNotQueueBehindWhoHangs() async throws {
        try await hanging { (device, mirror, destination) in
            try device.changeMirror { ($0.mode, $0.isPaused) = (.background, true) }
            try device.store([2], at: 65536 + 4096)
            try device.changeMirror { $0.mode = .active }
            destination.hangs.store(true, ordering: .releasing)
            // Of a clean granule and a dirty one.
            let first = WorkerThread("first") { try? device.store([UInt8](repeating: 3, count: 200), at: 65536 - 100) }
            try await reach("it hangs") { destination.hanging.load(ordering: .acquiring) == 1 }
            try device.changeMirror { $0.isPaused = false }
            try await reach("the copier waits, or knows better") { mirror.locks.waitingCount > 0 || mirror.isStalled }
            try await answered("what overlaps the piece alone") {
                for value in 4...9 as ClosedRange<UInt8> { try device.store([value], at: 65536 + 8192) }
            }
            destination.letGo()
            first.join()
            awaitPhase(device, .synchronised)
            #expect(try device.verifyMirror() == Self.size)
            try device.cancelMirror()
        }
    }

    /// Whoever is in the destination when the mirror is cancelled: guests go on, and the cancel waits for him.
    @Test(arguments: ["copier", "guest", "comparison"])
    func aCancelKeepsNobodyWaiting(_ who: String) async throws {
        try await hanging { (device, mirror, destination) in
            if who == "copier" {
                try device.changeMirror { $0.mode = .background }
                destination.hangs.store(true, ordering: .releasing)
                try device.store([2], at: 0)
            } else if who == "comparison" {
                destination.hangsReads.store(true, ordering: .releasing)
            } else {
                destination.hangs.store(true, ordering: .releasing)
            }
            let hung = WorkerThread(who) {
                if who == "guest" { try? device.store([2], at: 0) }
                if who == "comparison" { _ = try? device.verifyMirror() }
            }
            try await reach("it hangs") { destination.hanging.load(ordering: .acquiring) == 1 }
            if who == "copier" { try device.changeMirror { $0.mode = .active } }
            let isOver = Flag()
            let cancel = WorkerThread("cancel") {
                try? device.cancelMirror()
                isOver.set()
            }
            try await reach("it is given up") { mirror.isLeftAlone && !mirror.use.isOpen }
            try await answered("writes, reads and flushes") {
                for value in 3...30 as ClosedRange<UInt8> {
                    try device.store([value], at: 1 << 20)
                    guard try device.bytes(1 << 20, 1) == [value] else { throw BlockError(.corrupt, "not written") }
                    try device.flush()
                    usleep(1000)
                }
            }
            #expect(!isOver.isSet)
            destination.letGo()
            hung.join()
            cancel.join()
            #expect(device.mirrorProgress == nil)
            #expect(try device.bytes(1 << 20, 2) == [30, 1])
            if who != "comparison" { #expect(try device.bytes(0, 2) == [2, 1]) }
        }
    }

    /// One write fails while another hangs: the destination is tried again when nobody is in it, and guests do not wait for that.
    @Test func whoMendsLetsThoseEndWhoHang() async throws {
        try await hanging(retryFor: 3600 * 1_000_000_000) { (device, mirror, destination) in
            destination.hangs.store(true, ordering: .releasing)
            let first = WorkerThread("first") { try? device.store([2], at: 0) }
            try await reach("it hangs") { destination.hanging.load(ordering: .acquiring) == 1 }
            mirror.handle(.destinationFailed, because: BlockError(.io, "injected"))
            try await answered("whoever comes while it is to be tried again") {
                for value in 3...50 as ClosedRange<UInt8> {
                    try device.store([value], at: 1 << 20)
                    usleep(5000)
                }
            }
            #expect(device.mirrorProgress?.phase == .broken && device.mirrorProgress?.retries == 0)
            destination.letGo()
            first.join()
            awaitPhase(device, .synchronised)
            #expect(device.mirrorProgress?.retries == 1)
            #expect(try device.verifyMirror() == Self.size)
            try device.cancelMirror()
        }
    }

    @Test func whoHasClosedADestinationKnowsWhoIsInIt() {
        let use = DestinationUse()
        let first = use.enter()
        #expect(use.isOpen && first != nil && !use.isEmpty)
        use.close()
        use.close()
        #expect(!use.isOpen && use.enter() == nil && !use.isEmpty)
        if let first { use.leave(first) }
        #expect(use.isEmpty && use.counts.begun == 2)
        use.open()
        #expect(use.enter() == nil && use.isEmpty)
        use.open()
        #expect(use.enter() != nil && !use.isEmpty)
    }
}
