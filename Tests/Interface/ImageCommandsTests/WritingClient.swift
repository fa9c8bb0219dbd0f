import BlockIO
import TestSupport

/// Writes, zeroes, flushes and reads back at random places of a device, on a thread of its own, and knows what it must hold.
final class WritingClient: @unchecked Sendable {
    // @unchecked: all but the device is touched with the monitor held.
    private let device: any BlockDevice
    private let monitor = Monitor()
    private var content: [UInt8]
    private var random: SeededRandom
    private var writes = 0
    private var isStopping = false
    private var failure: String?
    private var thread: WorkerThread?

    init(device: any BlockDevice, content: [UInt8], random: SeededRandom) {
        self.device = device
        self.content = content
        self.random = random
    }

    func start() { thread = WorkerThread("writer") { [self] in while step() {} } }

    /// Returns when that many more writes have been answered.
    func awaitMoreWrites(_ count: Int) throws {
        let failed = monitor.locked {
            let goal = writes + count
            while writes < goal, failure == nil { monitor.wait() }
            return failure
        }
        if let failed { throw Unexpected(failed) }
    }

    /// Ends the thread; what the device must hold.
    func stop() throws -> [UInt8] {
        monitor.locked { isStopping = true }
        thread?.join()
        if let failure { throw Unexpected(failure) }
        return content
    }

    /// One write, and at times a flush and a reading of what is there.
    private func step() -> Bool {
        let (offset, bytes, kind, stopping) = monitor.locked {
            let length = Int.random(in: 1...100_000, using: &random)
            let offset = Int.random(in: 0...content.count - length, using: &random)
            let kind = Int.random(in: 0..<8, using: &random)
            let bytes = kind == 0 ? [UInt8](repeating: 0, count: length) : random.bytes(length)
            return (offset, bytes, kind, isStopping)
        }
        if stopping { return false }
        var problem: String?
        do {
            if kind == 0 {
                try device.writeZeroes(at: UInt64(offset), length: UInt64(bytes.count), mayUnmap: true)
            } else {
                // SAFETY: the array lives for the call.
                try unsafe bytes.withUnsafeBytes { try unsafe device.write($0, at: UInt64(offset)) }
            }
            if kind == 1 { try device.flush() }
            if kind == 2 {
                let buffer = AlignedBuffer(count: bytes.count)
                try unsafe device.read(into: buffer.bytes, at: UInt64(offset))
                if unsafe !bytes.elementsEqual(buffer.bytes[..<bytes.count]) {
                    problem = "read other bytes than were written at \(offset)"
                }
            }
        } catch {
            problem = "\(error)"
        }
        return monitor.locked {
            content.replaceSubrange(offset..<offset + bytes.count, with: bytes)
            writes += 1
            failure = problem
            monitor.wakeAll()
            return problem == nil
        }
    }
}
