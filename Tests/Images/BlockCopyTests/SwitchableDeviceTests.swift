import BlockCopy
import BlockIO
import Synchronization
import TestSupport
import Testing

@Suite struct SwitchableDeviceTests {
    private static let size: UInt64 = 8 << 20

    /// A memory device with random data in about half of its 64 KiB granules.
    private func filled(_ random: inout SeededRandom, size: UInt64 = size) throws -> MemoryDevice {
        let device = MemoryDevice(size: size)
        for granule in stride(from: 0, to: size, by: 65536) where Bool.random(using: &random) {
            try device.store(random.bytes(Int(min(65536, size - granule))), at: granule)
        }
        return device
    }

    /// Writers on four threads keep their own quarter of the device changing while it is mirrored and pivots; what they
    /// wrote last must be what the destination holds.
    @Test func losesNoWriteWhileMirroringAndPivoting() throws {
        var random = SeededRandom.printed()
        for round in 0..<8 {
            let size = Self.size + UInt64(round) * 512
            let source = try filled(&random, size: size)
            let destination = MemoryDevice(size: size + UInt64(round % 3) * 4096)
            let device = SwitchableDevice(source)
            var before = try source.bytes(0, Int(size))
            let stop = CancelSwitch()
            let quarter = size / 4
            let models = (0..<4).map { _ in WriteLog() }
            let writers = (0..<4).map { index in
                let seed = random.next()
                return WorkerThread("writer-\(index)") {
                    var random = SeededRandom(seed: seed)
                    var failures = 0
                    while !stop.isOn {
                        let offset = UInt64(index) * quarter + UInt64.random(in: 0..<quarter - 70000, using: &random)
                        let data = random.bytes(Int.random(in: 1...70000, using: &random))
                        if Int.random(in: 0..<5, using: &random) == 0 {
                            let zeroes = [UInt8](repeating: 0, count: data.count)
                            if (try? device.writeZeroes(at: offset, length: UInt64(data.count), mayUnmap: true)) == nil
                            {
                                failures += 1
                            }
                            models[index].append((offset, zeroes))
                        } else {
                            if (try? device.store(data, at: offset)) == nil { failures += 1 }
                            models[index].append((offset, data))
                        }
                    }
                    #expect(failures == 0)
                }
            }
            try device.startMirror(to: destination, bytesPerSecond: 0)
            awaitPhase(device, .synchronised)
            try prepare(device)
            #expect(device.mirrorProgress?.phase == .dual)
            try device.commitPivot()
            stop.turnOn()
            for writer in writers { writer.join() }
            for model in models {
                for (offset, data) in model.all {
                    before.replaceSubrange(Int(offset)..<Int(offset) + data.count, with: data)
                }
            }
            #expect(try device.bytes(0, Int(size)) == before, "through the device, round \(round)")
            #expect(try destination.bytes(0, Int(size)) == before, "on the destination, round \(round)")
            try device.close()
        }
    }

    @Test(arguments: [0, 1, 5, 40])
    func aFailingDestinationNeverReachesTheClient(writes: Int) throws {
        var random = SeededRandom.printed()
        let source = try filled(&random)
        let device = SwitchableDevice(source)
        let destination = FailingDevice(MemoryDevice(size: Self.size), writes: writes)
        try device.startMirror(to: destination, bytesPerSecond: 0)
        for offset in stride(from: UInt64(0), to: Self.size, by: 65536) {
            try device.store(random.bytes(4096), at: offset)
        }
        // The copier may need few large writes: the client goes on until the destination has refused one.
        while device.mirrorProgress?.phase != .broken { try device.store(random.bytes(512), at: 0) }
        #expect(device.mirrorProgress?.error?.code == .noSpace)
        #expect(throws: BlockError.self) { try device.preparePivot() }
        try device.store([1, 2, 3], at: 77)
        try device.cancelMirror()
        #expect(device.mirrorProgress == nil)
        #expect(try device.bytes(77, 3) == [1, 2, 3])
        #expect(try source.bytes(77, 3) == [1, 2, 3])
    }

    /// A destination that fails between the pivot's halves holds the writer until the decision, which then has the write.
    @Test(arguments: [true, false])
    func aWriteThatOneSideRefusedWaitsForTheDecision(commit: Bool) throws {
        let source = MemoryDevice(size: Self.size)
        let target = MemoryDevice(size: Self.size)
        let destination = FailingDevice(target, writes: .max)
        let failing = FailingDevice(source, writes: .max)
        let device = SwitchableDevice(failing)
        try device.startMirror(to: destination, bytesPerSecond: 0)
        awaitPhase(device, .synchronised)
        try prepare(device)
        // The loser refuses; the winner must end with the write.
        (commit ? failing : destination).failNow()
        let answered = CancelSwitch()
        let writer = WorkerThread("writer") {
            #expect(throws: Never.self) { try device.store([9, 8, 7], at: 4096) }
            answered.turnOn()
        }
        while device.mirrorProgress?.phase != .undecided {}
        #expect(!answered.isOn)
        #expect(device.mirrorProgress?.failedSide == (commit ? .source : .destination))
        if commit { try device.commitPivot() } else { try device.cancelMirror() }
        writer.join()
        #expect(answered.isOn)
        #expect(try (commit ? target : source).bytes(4096, 3) == [9, 8, 7])
        #expect(try device.bytes(4096, 3) == [9, 8, 7])
    }

    /// Without a decision to come the waiting request fails, and neither image has it.
    @Test func anAbandonedDecisionFailsTheWaitingWrite() throws {
        let source = MemoryDevice(size: Self.size)
        let target = MemoryDevice(size: Self.size)
        let failing = FailingDevice(source, writes: .max)
        let device = SwitchableDevice(failing)
        try device.startMirror(to: target, bytesPerSecond: 0)
        awaitPhase(device, .synchronised)
        try prepare(device)
        failing.failNow()
        let writer = WorkerThread("writer") {
            let error = #expect(throws: BlockError.self) { try device.store([9, 8, 7], at: 4096) }
            #expect(error?.code == .cancelled)
        }
        while device.mirrorProgress?.phase != .undecided {}
        device.abandonUndecided()
        writer.join()
        #expect(throws: BlockError.self) { try device.flush() }
        #expect(try source.bytes(4096, 3) == [0, 0, 0])
        #expect(try target.bytes(4096, 3) == [0, 0, 0])
        try device.close()
    }

    @Test func refusesWhatCannotBeMirroredTo() throws {
        let device = SwitchableDevice(MemoryDevice(size: Self.size))
        #expect(throws: BlockError.self) {
            try device.startMirror(to: MemoryDevice(size: Self.size - 512), bytesPerSecond: 0)
        }
        try device.startMirror(to: MemoryDevice(size: Self.size), bytesPerSecond: 0)
        #expect(throws: BlockError.self) {
            try device.startMirror(to: MemoryDevice(size: Self.size), bytesPerSecond: 0)
        }
        try device.cancelMirror()
        #expect(throws: BlockError.self) { try device.commitPivot() }
    }
}

/// A flag between threads.
final class CancelSwitch: Sendable {
    private let state = Atomic<Bool>(false)
    var isOn: Bool { state.load(ordering: .acquiring) }
    func turnOn() { state.store(true, ordering: .releasing) }
}

/// A list that one thread appends to and another reads later.
final class WriteLog: Sendable {
    private let entries = Mutex<[(offset: UInt64, data: [UInt8])]>([])
    func append(_ entry: (offset: UInt64, data: [UInt8])) { entries.withLock { $0.append(entry) } }
    var all: [(offset: UInt64, data: [UInt8])] { entries.withLock { $0 } }
}
