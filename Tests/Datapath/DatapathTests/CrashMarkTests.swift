import BlockCopy
import BlockIO
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Datapath

@Suite struct CrashMarkTests {
    /// A change that is answered while a flush ends is not covered by it: the mark stays.
    @Test(arguments: [false, true])
    func theMarkStaysForAChangeBesideTheFlush(changes: Bool) throws {
        let folder = try ScratchFolder("mark")
        let device = VolatileDevice()
        let mark = try CrashMark(device, path: folder.file("mark"))
        var saved: Data? { FileManager.default.contents(atPath: folder.file("mark")) }
        #expect(saved == Data([0]))
        try mark.writeZeroes(at: 0, length: 512, mayUnmap: false)
        #expect(saved == Data([1]))
        if changes {
            device.setBesideFlush { () throws(BlockError) in try mark.writeZeroes(at: 0, length: 512, mayUnmap: false) }
        }
        try mark.flush()
        #expect(saved == Data([changes ? 1 : 0]))
        device.setBesideFlush(nil)
        try mark.flush()
        #expect(saved == Data([0]))
        try mark.discard(at: 0, length: 512)
        #expect(saved == Data([1]))
        try mark.close()
        #expect(saved == Data([0]))
    }

    /// What a kernel tells once, and an image that was opened anew knows nothing of, the next process's clients hear, too. A
    /// flush that a later one makes up for is no loss, and one that ended with its process is none.
    @Test(arguments: ["killed", "made up for", "given up"])
    func aFailedFlushIsToldByTheNextProcess(end: String) throws {
        let folder = try ScratchFolder("mark")
        let device = VolatileDevice()
        let first = try CrashMark(device, path: folder.file("mark"))
        let code: BlockError.Code = end == "given up" ? .cancelled : .io
        device.setBesideFlush { () throws(BlockError) in throw BlockError(code, "injected") }
        #expect(throws: BlockError.self) { try first.flush() }
        device.setBesideFlush(nil)
        if end == "made up for" { try first.flush() }
        let next = try CrashMark(VolatileDevice(), path: folder.file("mark"))
        if end == "killed" { #expect(throws: BlockError.self) { try next.flush() } }
        try next.flush()
        #expect(FileManager.default.contents(atPath: folder.file("mark")) == Data([0]))
    }

    /// An image that could not be closed: what it was to make durable may be lost, and nobody has this one any more.
    @Test(arguments: [BlockError.Code.io, .cancelled])
    func whatTheEndCouldNotFlushIsToldByTheNextProcess(code: BlockError.Code) throws {
        let folder = try ScratchFolder("mark")
        let device = VolatileDevice(alwaysClean: true)
        let first = try CrashMark(device, path: folder.file("mark"))
        try first.writeZeroes(at: 0, length: 512, mayUnmap: false)
        #expect(FileManager.default.contents(atPath: folder.file("mark")) == Data([0]))
        device.setBesideFlush { () throws(BlockError) in throw BlockError(code, "injected") }
        #expect(throws: BlockError.self) { try first.close() }
        let next = try CrashMark(VolatileDevice(), path: folder.file("mark"))
        if code == .io { #expect(throws: BlockError.self) { try next.flush() } }
        try next.flush()
        try next.close()
        #expect(FileManager.default.contents(atPath: folder.file("mark")) == Data([0]))
    }

    /// Flushes that no client asks for: of a pause, of a mirror that prepares its pivot and of one whose client waits for the
    /// decision. A process that is killed behind them has told nobody.
    @Test(arguments: ["pause", "prepare", "look"])
    func aFlushThatNobodyHearsOfIsToldByTheNextProcess(whose: String) throws {
        let folder = try ScratchFolder("mark")
        let device = VolatileDevice(alwaysClean: true)
        let disk = SwitchableDevice(device)
        let first = try CrashMark(disk, path: folder.file("mark"))
        disk.watchFlushes { [weak first] in try? first?.noteFailure($0) }
        try first.writeZeroes(at: 0, length: 512, mayUnmap: false)
        if whose != "pause" { try disk.startMirror(to: MemoryDevice(size: disk.size), bytesPerSecond: 0) }
        while whose != "pause", disk.mirrorProgress?.phase != .synchronised { usleep(1000) }
        if whose == "look" { try disk.preparePivot() }
        device.setBesideFlush { () throws(BlockError) in throw BlockError(.io, "injected") }
        #expect(throws: BlockError.self) { if whose == "pause" { try disk.pause() } else { try disk.preparePivot() } }
        #expect(FileManager.default.contents(atPath: folder.file("mark")) == Data([1]))
        device.setBesideFlush(nil)
        if whose != "pause" { try disk.cancelMirror() }
        let next = try CrashMark(VolatileDevice(), path: folder.file("mark"))
        #expect(throws: BlockError.self) { try next.flush() }
        // Here a later flush has covered all of it.
        try first.flush()
        #expect(FileManager.default.contents(atPath: folder.file("mark")) == Data([0]))
    }

    /// What closing alone writes may be missing, and nobody has that image any more: neither a pause of what is paused nor the end
    /// makes up for it. Only a flush of the image that the disk goes on with does.
    @Test(arguments: ["killed", "paused again", "ended", "gone on"])
    func anImageThatAPauseCouldNotCloseIsToldByTheNextProcess(then: String) throws {
        let folder = try ScratchFolder("mark")
        let device = VolatileDevice()
        let disk = SwitchableDevice(device)
        let mark = try CrashMark(disk, path: folder.file("mark"))
        disk.watchFlushes { [weak mark] in try? mark?.noteFailure($0) }
        try mark.writeZeroes(at: 0, length: 512, mayUnmap: false)
        device.cannotClose.store(true, ordering: .releasing)
        #expect(throws: BlockError.self) {
            try mark.settling { () throws(BlockError) in try disk.pause() }
        }
        #expect(disk.isHeld)
        switch then {
        case "paused again": try mark.settling { () throws(BlockError) in try disk.pause() }
        case "ended": #expect(throws: BlockError.self) { try mark.close() }
        case "gone on":
            try disk.resume(on: VolatileDevice())
            #expect(FileManager.default.contents(atPath: folder.file("mark")) == Data([1]))
            try mark.flush()
            try mark.close()
        default: break
        }
        #expect(FileManager.default.contents(atPath: folder.file("mark")) == Data([then == "gone on" ? 0 : 1]))
    }

    /// A good flush vouches for nothing that one beside it, which began later, could not make durable.
    @Test func aFailureBesideAFlushIsNotForgottenByIt() throws {
        let folder = try ScratchFolder("mark")
        let device = VolatileDevice()
        let mark = try CrashMark(device, path: folder.file("mark"))
        try mark.writeZeroes(at: 0, length: 512, mayUnmap: false)
        device.setBesideFlush { () throws(BlockError) in try mark.noteFailure(BlockError(.io, "injected")) }
        try mark.flush()
        #expect(FileManager.default.contents(atPath: folder.file("mark")) == Data([1]))
        device.setBesideFlush(nil)
        try mark.settling { () throws(BlockError) in
            try device.flush()
            return true
        }
        #expect(FileManager.default.contents(atPath: folder.file("mark")) == Data([0]))
    }

    /// A flush that fails covers nothing, and does not count as having told of a loss.
    @Test func aFailedFlushChangesNothing() throws {
        let folder = try ScratchFolder("mark")
        try Data([1]).write(to: URL(fileURLWithPath: folder.file("mark")))
        let device = VolatileDevice()
        let mark = try CrashMark(device, path: folder.file("mark"))
        device.setBesideFlush { () throws(BlockError) in throw BlockError(.noSpace, "injected") }
        #expect(throws: BlockError.self) { try mark.flush() }
        device.setBesideFlush(nil)
        let told = #expect(throws: BlockError.self) { try mark.flush() }
        #expect(told?.code == .io)
        try mark.flush()
        #expect(FileManager.default.contents(atPath: folder.file("mark")) == Data([0]))
    }
}

/// A device whose every change is volatile until a flush, with a hook at the end of the flush.
private final class VolatileDevice: BlockDevice {
    typealias Hook = @Sendable () throws(BlockError) -> Void
    /// As a raw image: what is volatile is the kernel's.
    private let alwaysClean: Bool

    init(alwaysClean: Bool = false) { self.alwaysClean = alwaysClean }

    let cannotClose = Atomic<Bool>(false)
    private let isVolatile = Atomic<Bool>(false)
    private let besideFlush = Mutex<Hook?>(nil)

    func setBesideFlush(_ hook: Hook?) { besideFlush.withLock { $0 = hook } }

    var size: UInt64 { 4096 }
    var isReadOnly: Bool { false }
    var preferredAlignment: UInt64 { 512 }
    var hasVolatileMetadata: Bool { isVolatile.load(ordering: .acquiring) }
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {}
    func write(_ data: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) { change() }
    func writeZeroes(at offset: UInt64, length: UInt64, mayUnmap: Bool) throws(BlockError) { change() }
    func discard(at offset: UInt64, length: UInt64) throws(BlockError) { change() }
    private func change() { isVolatile.store(!alwaysClean, ordering: .releasing) }
    func flush() throws(BlockError) {
        isVolatile.store(false, ordering: .releasing)
        let hook = besideFlush.withLock { $0 }
        try hook?()
    }
    func appendExtents(to extents: inout [Extent], at offset: UInt64, length: UInt64) throws(BlockError) {
        extents.append(Extent(offset: offset, length: length, kind: .data))
    }
    func close() throws(BlockError) {
        if cannotClose.load(ordering: .acquiring) { throw BlockError(.io, "injected") }
        try flush()
    }
}
