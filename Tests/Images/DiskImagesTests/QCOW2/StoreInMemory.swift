import BlockIO
import Foundation
import TestSupport

@testable import DiskImages

/// A file in memory that records every write and barrier, and can fail on demand.
@safe
final class StoreInMemory: QCOW2Storage, @unchecked Sendable {
    enum Event {
        case write(offset: Int, bytes: [UInt8])
        case truncate(Int)
        case sync
    }

    let path = "memory"
    let isBlockDevice = false
    private let lock = Monitor()
    private var content: [UInt8]
    private(set) var events: [Event] = []
    var recording = false
    /// Writes that succeed before the store is full; nil: all.
    var writesLeft: Int?
    /// Barriers that succeed before they fail for ever; nil: all.
    var syncsLeft: Int?
    private(set) var syncCount = 0
    private(set) var writeCount = 0
    private(set) var readCount = 0

    init(_ content: [UInt8] = []) { self.content = content }

    var bytes: [UInt8] { lock.locked { content } }
    var eventCount: Int { lock.locked { events.count } }

    func save(_ path: String) throws { try Data(bytes).write(to: URL(fileURLWithPath: path)) }

    func size() throws(BlockError) -> UInt64 { lock.locked { UInt64(content.count) } }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        lock.lock()
        defer { lock.unlock() }
        readCount += 1
        let available = offset >= UInt64(content.count) ? 0 : min(buffer.count, content.count - Int(offset))
        unsafe content.withUnsafeBytes { source in
            if available > 0 {
                unsafe buffer.baseAddress?.copyMemory(
                    from: source.baseAddress.unsafelyUnwrapped + Int(offset), byteCount: available)
            }
        }
        if available < buffer.count {
            unsafe _ = UnsafeMutableRawBufferPointer(rebasing: buffer[available...])
                .initializeMemory(as: UInt8.self, repeating: 0)
        }
    }

    func write(_ data: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {
        lock.lock()
        defer { lock.unlock() }
        if let left = writesLeft {
            if left == 0 { throw BlockError(.noSpace, "injected", path: path, offset: offset, systemError: ENOSPC) }
            writesLeft = left - 1
        }
        writeCount += 1
        if recording { events.append(.write(offset: Int(offset), bytes: unsafe [UInt8](data))) }
        unsafe StoreInMemory.apply(data, at: Int(offset), to: &content)
    }

    func writeZeroes(at offset: UInt64, length: UInt64) throws(BlockError) {
        try store([UInt8](repeating: 0, count: Int(length)), at: offset)
    }

    func punch(at offset: UInt64, length: UInt64) throws(BlockError) -> Bool {
        lock.lock()
        defer { lock.unlock() }
        let end = min(Int(offset + length), content.count)
        if Int(offset) >= end { return true }
        let zeroes = [UInt8](repeating: 0, count: end - Int(offset))
        if recording { events.append(.write(offset: Int(offset), bytes: zeroes)) }
        unsafe zeroes.withUnsafeBytes { unsafe StoreInMemory.apply($0, at: Int(offset), to: &content) }
        return true
    }

    func truncate(to length: UInt64) throws(BlockError) {
        lock.locked {
            if recording { events.append(.truncate(Int(length))) }
            StoreInMemory.resize(&content, Int(length))
        }
    }

    func sync() throws(BlockError) {
        lock.lock()
        defer { lock.unlock() }
        if let left = syncsLeft {
            if left == 0 { throw BlockError(.io, "injected", path: path, systemError: EIO) }
            syncsLeft = left - 1
        }
        syncCount += 1
        if recording { events.append(.sync) }
    }

    func close() {}

    static func resize(_ content: inout [UInt8], _ length: Int) {
        if length < content.count {
            content.removeLast(content.count - length)
        } else {
            content.append(contentsOf: repeatElement(0, count: length - content.count))
        }
    }

    static func apply(_ data: UnsafeRawBufferPointer, at offset: Int, to content: inout [UInt8]) {
        if offset + data.count > content.count { resize(&content, offset + data.count) }
        guard let source = data.baseAddress else { return }
        unsafe content.withUnsafeMutableBytes {
            unsafe $0.baseAddress.unsafelyUnwrapped.advanced(by: offset).copyMemory(
                from: source, byteCount: data.count)
        }
    }

    /// The content after a crash just before event `cut`: everything up to the last barrier, and of what came after it
    /// a random choice, whole writes or single sectors of them.
    static func crashed(
        _ start: [UInt8], _ events: ArraySlice<Event>, _ random: inout SeededRandom
    ) -> [UInt8] {
        var content = start
        let barrier = events.lastIndex { if case .sync = $0 { true } else { false } } ?? events.startIndex
        let style = Int.random(in: 0..<4, using: &random)
        for (index, event) in zip(events.indices, events) {
            switch event {
            case .sync: break
            case .truncate(let length):
                if index < barrier || Bool.random(using: &random) { resize(&content, length) }
            case .write(let offset, let bytes):
                unsafe bytes.withUnsafeBytes { data in
                    if index < barrier || style == 0 {
                        unsafe apply(data, at: offset, to: &content)
                    } else if style == 1 {
                        if Bool.random(using: &random) { unsafe apply(data, at: offset, to: &content) }
                    } else if style == 2 {
                        // Sectors of 512 bytes of the file, each old or new.
                        var at = 0
                        while at < data.count {
                            let count = min(data.count - at, 512 - (offset + at) % 512)
                            if Bool.random(using: &random) {
                                unsafe apply(
                                    UnsafeRawBufferPointer(rebasing: data[at..<at + count]), at: offset + at,
                                    to: &content)
                            }
                            at += count
                        }
                    }
                }
            }
        }
        return content
    }
}

extension BlockDevice {
    /// For tests: bytes of a range.
    func bytes(_ offset: Int, _ count: Int) throws -> [UInt8] {
        var all = [UInt8](repeating: 0xEE, count: count)
        try unsafe all.withUnsafeMutableBytes { try unsafe read(into: $0, at: UInt64(offset)) }
        return all
    }

    func store(_ bytes: [UInt8], _ offset: Int) throws {
        try unsafe bytes.withUnsafeBytes { try unsafe write($0, at: UInt64(offset)) }
    }
}

struct QemuVerdict: Error, CustomStringConvertible {
    let description: String
}

/// The judgement of qemu-img on an image: throws with everything it printed unless `check` ends with one of `statuses`
/// (0 clean, 3 leaked clusters only).
func qemuCheck(_ path: String, allowing statuses: [Int32] = [0]) throws {
    let outcome = try Tool.run("qemu-img", ["check", "-f", "qcow2", path])
    guard statuses.contains(outcome.status) else {
        throw QemuVerdict(description: "qemu-img check: \(outcome.status)\n\(outcome.output)\(outcome.errors)")
    }
}
