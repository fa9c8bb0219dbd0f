import BlockIO
import Foundation
import Glibc
import TestSupport

@testable import DiskImages

/// Growing memory that is quick in unoptimised builds too. Past the end it reads as zeroes.
@safe
final class GrowingBytes {
    // SAFETY: `memory` is owned, zeroed past `count`, and every access below is clipped to its size.
    private var memory: UnsafeMutableRawBufferPointer
    private(set) var count: Int

    init(_ start: [UInt8] = []) {
        count = start.count
        unsafe memory = .allocate(byteCount: max(4096, start.count), alignment: 16)
        unsafe memset(memory.baseAddress.unsafelyUnwrapped, 0, memory.count)
        unsafe start.withUnsafeBytes { unsafe memory.copyMemory(from: $0) }
    }

    deinit { unsafe memory.deallocate() }

    var array: [UInt8] { unsafe [UInt8](UnsafeRawBufferPointer(rebasing: memory[..<count])) }

    func resize(_ length: Int) {
        if unsafe length > memory.count {
            let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: length * 2, alignment: 16)
            unsafe memset(larger.baseAddress.unsafelyUnwrapped, 0, larger.count)
            unsafe larger.copyMemory(from: UnsafeRawBufferPointer(memory))
            unsafe memory.deallocate()
            unsafe memory = unsafe larger
        }
        if length < count { unsafe memset(memory.baseAddress.unsafelyUnwrapped + length, 0, count - length) }
        count = length
    }

    func write(_ data: UnsafeRawBufferPointer, at offset: Int) {
        if offset + data.count > count { resize(offset + data.count) }
        unsafe UnsafeMutableRawBufferPointer(rebasing: memory[offset...]).copyMemory(from: data)
    }

    func write(_ data: [UInt8], at offset: Int) { unsafe data.withUnsafeBytes { unsafe write($0, at: offset) } }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) {
        let available = max(0, min(buffer.count, count - offset))
        if available > 0 {
            unsafe buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: memory[offset..<offset + available]))
        }
        if available < buffer.count, let base = buffer.baseAddress {
            unsafe memset(base + available, 0, buffer.count - available)
        }
    }

    func slice(_ range: Range<Int>) -> [UInt8] { unsafe [UInt8](UnsafeRawBufferPointer(rebasing: memory[range])) }

    func isZero(_ range: Range<Int>) -> Bool {
        unsafe BlockIO.isZero(UnsafeRawBufferPointer(rebasing: memory[range]))
    }
}

/// Counts changes and barriers, and makes one of them fail. A barrier that failed fails for ever.
final class OneFault: @unchecked Sendable {
    // @unchecked: used by one thread at a time.
    private(set) var count = 0
    private var place: Int?
    private var hasLostBarrier = false
    /// What the one that failed was.
    private(set) var failed: String?

    /// `place`: the number of the one that fails, from 0; nil: none does.
    init(_ place: Int?) { self.place = place }

    /// What comes from here on succeeds.
    func end() {
        place = nil
        hasLostBarrier = false
    }

    fileprivate func pass(_ offset: UInt64?) throws(BlockError) {
        defer { count += 1 }
        guard count == place || (hasLostBarrier && offset == nil) else { return }
        if offset == nil { hasLostBarrier = true }
        failed = failed ?? offset.map { "change \(count) at \($0)" } ?? "barrier \(count)"
        throw BlockError(.io, "injected", path: "memory", offset: offset, systemError: EIO)
    }
}

/// A file in memory that records every write and barrier, and can fail on demand.
final class StoreInMemory: ImageStorage, @unchecked Sendable {
    enum Event {
        case write(offset: Int, bytes: [UInt8])
        case truncate(Int)
        case sync
    }

    let path = "memory"
    /// Plays a block device: its length does not change.
    var isBlockDevice = false
    let isReadOnly: Bool
    private let lock = Monitor()
    private let content: GrowingBytes
    private(set) var events: [Event] = []
    var recording = false
    /// Writes that succeed before the store is full; nil: all.
    var writesLeft: Int?
    /// The file may not become longer than this; nil: as long as it likes. What is there may be written over.
    var longest: Int?
    /// A system error for a write to a range; nil: it succeeds. Called with no lock held.
    var refuses: ((Range<Int>) -> Int32?)?
    /// Lets one change or barrier fail; may be shared by the files of an image.
    var fault: OneFault?
    /// Told of every read. Called with no lock held.
    var reading: ((Range<Int>) -> Void)?
    /// Barriers that succeed before they fail for ever; nil: all.
    var syncsLeft: Int?
    private(set) var syncCount = 0
    private(set) var readCount = 0
    private(set) var runCount = 0
    /// Reads that succeed before they fail; nil: all.
    var readsLeft: Int?

    init(_ content: [UInt8] = [], readOnly: Bool = false) {
        self.content = GrowingBytes(content)
        isReadOnly = readOnly
    }

    var bytes: [UInt8] { lock.locked { content.array } }
    var eventCount: Int { lock.locked { events.count } }

    func save(_ path: String) throws { try Data(bytes).write(to: URL(fileURLWithPath: path)) }

    func size() throws(BlockError) -> UInt64 { lock.locked { UInt64(content.count) } }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        reading?(Int(clamping: offset)..<Int(clamping: offset) + buffer.count)
        lock.lock()
        defer { lock.unlock() }
        readCount += 1
        if let left = readsLeft {
            guard left > 0 else { throw BlockError(.io, "a read was made to fail", path: path, systemError: EIO) }
            readsLeft = left - 1
        }
        unsafe content.read(into: buffer, at: Int(clamping: offset))
    }

    func allocatedSize() throws(BlockError) -> UInt64 { try size() }

    func readExactly(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        guard try size() >= offset + UInt64(buffer.count) else {
            throw BlockError(.invalidImage, "the file ends inside a structure", path: path, offset: offset)
        }
        try unsafe read(into: buffer, at: offset)
    }

    func zero(at offset: UInt64, length: UInt64, mayUnmap: Bool) throws(BlockError) {
        try writeZeroes(at: offset, length: length)
    }

    func preallocate(at offset: UInt64, length: UInt64) throws(BlockError) -> Bool {
        try fault?.pass(offset)
        try checkLength(Int(offset + length))
        if try size() < offset + length { try truncate(to: offset + length) }
        return true
    }

    /// Every sector that holds a byte other than zero is data.
    func run(at offset: UInt64, end: UInt64) throws(BlockError) -> (isData: Bool, end: UInt64) {
        lock.locked {
            runCount += 1
            func isData(_ sector: UInt64) -> Bool {
                let start = Int(sector * 512)
                return start < content.count && !content.isZero(start..<min(start + 512, content.count))
            }
            let kind = isData(offset / 512)
            var position = (offset / 512 + 1) * 512
            while position < end, isData(position / 512) == kind { position += 512 }
            return (kind, min(position, end))
        }
    }

    func write(_ data: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try fault?.pass(offset)
        try checkLength(Int(offset) + data.count)
        if let code = refuses?(Int(offset)..<Int(offset) + data.count) {
            throw BlockError(
                code == ENOSPC ? .noSpace : .io, "injected", path: path, offset: offset, systemError: code)
        }
        lock.lock()
        defer { lock.unlock() }
        if let left = writesLeft {
            if left == 0 { throw BlockError(.noSpace, "injected", path: path, offset: offset, systemError: ENOSPC) }
            writesLeft = left - 1
        }
        if isBlockDevice, Int(offset) + data.count > content.count {
            throw BlockError(.noSpace, "past the end of the device", path: path, offset: offset, systemError: ENOSPC)
        }
        if recording { events.append(.write(offset: Int(offset), bytes: unsafe [UInt8](data))) }
        unsafe content.write(data, at: Int(offset))
    }

    func writeZeroes(at offset: UInt64, length: UInt64) throws(BlockError) {
        try store([UInt8](repeating: 0, count: Int(length)), at: offset)
    }

    func punch(at offset: UInt64, length: UInt64) throws(BlockError) -> Bool {
        try fault?.pass(offset)
        lock.lock()
        defer { lock.unlock() }
        let end = min(Int(offset + length), content.count)
        if Int(offset) >= end { return true }
        let zeroes = [UInt8](repeating: 0, count: end - Int(offset))
        if recording { events.append(.write(offset: Int(offset), bytes: zeroes)) }
        content.write(zeroes, at: Int(offset))
        return true
    }

    private func checkLength(_ end: Int) throws(BlockError) {
        guard let longest, end > longest else { return }
        throw BlockError(.noSpace, "the file may not become so long", path: path, systemError: EFBIG)
    }

    func truncate(to length: UInt64) throws(BlockError) {
        try fault?.pass(length)
        try checkLength(Int(length))
        lock.locked {
            if recording { events.append(.truncate(Int(length))) }
            content.resize(Int(length))
        }
    }

    func sync() throws(BlockError) {
        try fault?.pass(nil)
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

    /// The content after a crash just before event `cut`: everything up to the last barrier, and of what came after it
    /// a random choice, whole writes or single sectors of them.
    static func crashed(_ start: [UInt8], _ events: ArraySlice<Event>, _ random: inout SeededRandom) -> [UInt8] {
        let content = GrowingBytes(start)
        let barrier = events.lastIndex { if case .sync = $0 { true } else { false } } ?? events.startIndex
        let style = Int.random(in: 0..<4, using: &random)
        for (index, event) in zip(events.indices, events) {
            switch event {
            case .sync: break
            case .truncate(let length):
                if index < barrier || Bool.random(using: &random) { content.resize(length) }
            case .write(let offset, let bytes) where index < barrier || style == 0: content.write(bytes, at: offset)
            case .write(let offset, let bytes) where style == 1:
                if Bool.random(using: &random) { content.write(bytes, at: offset) }
            case .write(let offset, let bytes) where style == 2:
                // Sectors of 512 bytes of the file, each old or new.
                var at = 0
                while at < bytes.count {
                    let count = min(bytes.count - at, 512 - (offset + at) % 512)
                    if Bool.random(using: &random) { content.write(Array(bytes[at..<at + count]), at: offset + at) }
                    at += count
                }
            case .write: break
            }
        }
        return content.array
    }
}

extension BlockDevice {
    /// For tests: bytes of a range.
    func bytes(_ offset: Int, _ count: Int) throws -> [UInt8] {
        try bytes(at: UInt64(offset), count: count)
    }

    func store(_ bytes: [UInt8], _ offset: Int) throws {
        try store(bytes, at: UInt64(offset))
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
