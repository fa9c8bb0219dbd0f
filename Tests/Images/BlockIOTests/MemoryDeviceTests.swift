import BlockIO
import Synchronization
import TestSupport
import Testing

@Suite struct MemoryDeviceTests {
    @Test func randomRequestsAgreeWithAnArray() throws {
        var random = SeededRandom.printed()
        var model = random.bytes(300_032)
        let device = MemoryDevice(content: model)
        let buffer = AlignedBuffer(count: 200_000)
        for _ in 0..<200 {
            let start = Int.random(in: 0..<model.count, using: &random)
            let count = Int.random(in: 0...min(model.count - start, 200_000), using: &random)
            switch Int.random(in: 0..<3, using: &random) {
            case 0:
                let bytes = random.bytes(count)
                unsafe buffer.bytes.copyBytes(from: bytes)
                try unsafe device.write(UnsafeRawBufferPointer(rebasing: buffer.bytes[..<count]), at: UInt64(start))
                model.replaceSubrange(start..<start + count, with: bytes)
            case 1:
                try device.writeZeroes(at: UInt64(start), length: UInt64(count), mayUnmap: true)
                model.replaceSubrange(start..<start + count, with: [UInt8](repeating: 0, count: count))
            default:
                let target = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[..<count])
                try unsafe device.read(into: target, at: UInt64(start))
                #expect(unsafe Array(target) == Array(model[start..<start + count]))
            }
        }
        for extent in try device.extents(at: 0, length: device.size) where extent.kind == .hole {
            #expect(model[Int(extent.offset)..<Int(extent.end)].allSatisfy { $0 == 0 })
        }
        try device.close()
        #expect(throws: BlockError.self) { try device.flush() }
    }

    @Test func hugeDevicesCostNothingUntilWritten() throws {
        let device = MemoryDevice(size: 1 << 50)
        let buffer = AlignedBuffer(count: 512)
        try unsafe device.write(UnsafeRawBufferPointer(buffer.bytes), at: 1 << 49)
        try device.writeZeroes(at: 0, length: 1 << 50, mayUnmap: true)
        #expect(try device.extents(at: 0, length: 1 << 50) == [Extent(offset: 0, length: 1 << 50, kind: .hole)])
    }

    @Test func manyThreadsShareFlushes() throws {
        let gate = FlushGate()
        let counter = MemoryDevice(size: 512)
        let threads = (0..<8).map { _ in
            WorkerThread("flush") {
                for _ in 0..<200 {
                    do {
                        try gate.flush { () throws(BlockError) in try counter.flush() }
                    } catch { Issue.record(error) }
                }
            }
        }
        for thread in threads { thread.join() }
        #expect(throws: BlockError.self) {
            try gate.flush { () throws(BlockError) in throw BlockError(.io, "no") }
        }
        try gate.flush { () throws(BlockError) in }
    }

    /// What is done between flushes is beside none, and is taken for none.
    @Test func noFlushRunsBesideWhatIsDoneBetweenFlushes() throws {
        let gate = FlushGate()
        let inside = Atomic<Int>(0)
        let flushes = Atomic<Int>(0)
        let enter: @Sendable () -> Void = {
            #expect(inside.add(1, ordering: .relaxed).newValue == 1)
            inside.subtract(1, ordering: .relaxed)
        }
        let threads = (0..<4).map { index in
            WorkerThread("between") {
                for _ in 0..<200 {
                    if index % 2 == 0 {
                        gate.betweenFlushes(enter)
                        continue
                    }
                    do {
                        try gate.flush {
                            enter()
                            flushes.add(1, ordering: .relaxed)
                        }
                    } catch { Issue.record(error) }
                }
            }
        }
        for thread in threads { thread.join() }
        #expect(flushes.load(ordering: .relaxed) >= 200)
        #expect(throws: BlockError.self) {
            try gate.betweenFlushes { () throws(BlockError) in throw BlockError(.io, "no") }
        }
        gate.betweenFlushes {}
    }
}
