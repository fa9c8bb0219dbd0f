import BlockIO
import Foundation
import NBDTransport
import Synchronization
import TestSupport

/// An NBD client that keeps writing to a disk and knows what every byte must be.
final class DiskWriter: Sendable {
    private struct State {
        var model: [UInt8]
        var writes = 0
        var failure: String?
        var longestWriteNanoseconds: UInt64 = 0
    }

    let client: NBDClient
    private let state: Mutex<State>
    private let stopping = Atomic<Bool>(false)
    private let thread = Mutex<WorkerThread?>(nil)

    /// Connects and fills about `filled` bytes at random places of a disk that reads as zeroes.
    init(socket: String, filled: Int, seed: UInt64) throws {
        client = try NBDClient.connect(unixSocket: socket, exportName: "disk", readOnly: false)
        state = Mutex(State(model: [UInt8](repeating: 0, count: Int(client.size))))
        var random = SeededRandom(seed: seed)
        var done = 0
        while done < filled {
            let piece = random.bytes(1 << 20)
            let offset = Int.random(in: 0...(Int(client.size) - piece.count), using: &random)
            try store(piece, at: offset)
            done += piece.count
        }
        try client.flush()
    }

    /// Connects to a disk that holds `model`.
    init(socket: String, model: [UInt8]) throws {
        client = try NBDClient.connect(unixSocket: socket, exportName: "disk", readOnly: false)
        state = Mutex(State(model: model))
    }

    /// Writes `count` random pieces of `length` bytes at random places below `end`, and flushes.
    func write(_ count: Int, of length: Int, below end: Int, _ random: inout SeededRandom) throws {
        for _ in 0..<count {
            let offset = Int.random(in: 0...(end - length), using: &random)
            try store(random.bytes(length), at: offset)
        }
        try client.flush()
    }

    /// Writes `count` pieces of `length` bytes one behind the other, and flushes.
    func write(_ count: Int, of length: Int, from offset: Int) throws {
        for index in 0..<count {
            let piece = [UInt8](repeating: UInt8(truncatingIfNeeded: index + 1), count: length)
            try store(piece, at: offset + index * length)
        }
        try client.flush()
    }

    /// Starts writing; ends with `stop`.
    func start(seed: UInt64) {
        let worker = WorkerThread("disk-writer") { [self] in
            var random = SeededRandom(seed: seed)
            while !stopping.load(ordering: .acquiring) {
                let length = Int.random(in: 1...100_000, using: &random)
                let offset = Int.random(in: 0...(Int(client.size) - length), using: &random)
                do {
                    let start = DispatchTime.now().uptimeNanoseconds
                    try store(random.bytes(length), at: offset)
                    if Int.random(in: 0..<16, using: &random) == 0 { try client.flush() }
                    let taken = DispatchTime.now().uptimeNanoseconds - start
                    state.withLock { $0.longestWriteNanoseconds = max($0.longestWriteNanoseconds, taken) }
                } catch {
                    state.withLock { $0.failure = "write at \(offset): \(error)" }
                    return
                }
            }
        }
        thread.withLock { $0 = worker }
    }

    /// Ends the writing until the next `start`; what failed, nil when nothing did.
    func pause() -> String? {
        let failure = stop()
        stopping.store(false, ordering: .releasing)
        return failure
    }

    /// Ends the writing; what failed, nil when nothing did.
    func stop() -> String? {
        stopping.store(true, ordering: .releasing)
        thread.withLock { $0 }?.join()
        return state.withLock { $0.failure }
    }

    var writes: Int { state.withLock { $0.writes } }
    var model: [UInt8] { state.withLock { $0.model } }

    /// The offset of the first byte on the disk that is not what it must be.
    func firstWrongByte() throws -> Int? {
        let model = self.model
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        var offset = 0
        while offset < model.count {
            let count = min(buffer.count, model.count - offset)
            // SAFETY: reads into the array's own storage, at most its count.
            try unsafe buffer.withUnsafeMutableBytes { bytes in
                try unsafe client.read(
                    into: UnsafeMutableRawBufferPointer(rebasing: bytes[0..<count]), at: UInt64(offset))
            }
            if let place = Bytes.firstDifference(buffer, in: 0..<count, from: model, at: offset) {
                return offset + place
            }
            offset += count
        }
        return nil
    }

    private func store(_ data: [UInt8], at offset: Int) throws {
        // SAFETY: writes from the array's own storage.
        try unsafe data.withUnsafeBytes { try unsafe client.write($0, at: UInt64(offset)) }
        state.withLock {
            Bytes.replace(&$0.model, at: offset, with: data)
            $0.writes += 1
        }
    }

    /// Writes the model to a raw file, for qemu-img to compare with.
    func saveModel(to path: String) throws { try Data(model).write(to: URL(fileURLWithPath: path)) }
}
