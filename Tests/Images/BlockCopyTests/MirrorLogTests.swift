import BlockIO
import Foundation
import TestSupport
import Testing

@testable import BlockCopy

@Suite struct MirrorLogTests {
    private static let size: UInt64 = 100 * 65536 + 512

    private func dirty(_ log: MirrorLog) -> UInt64 {
        let map = DirtyMap(size: Self.size, dirty: false)
        log.markDifferent(in: map)
        return map.dirtyBytes / 65536
    }

    @Test func anotherProcessFindsWhatWasTheSameAndNothingElse() throws {
        let folder = try ScratchFolder("log")
        let path = folder.file("map")
        do {
            let log = try MirrorLog(size: Self.size, path: path, identity: "a b")
            #expect(dirty(log) == 101)
            log.markSame(0, Self.size, sourceIsWritten: true)
            #expect(dirty(log) == 0)
            log.touch(65536 * 3 + 5, 65536)
            #expect(dirty(log) == 2)
        }
        #expect(MirrorLog.identity(at: path) == "a b")
        let again = try #require(try MirrorLog.resume(path: path, size: Self.size, identity: "a b"))
        #expect(again.isResumed && dirty(again) == 2 && again.sameBytes == 99 * 65536)
    }

    /// Anything that does not fit means that everything is copied again.
    @Test(arguments: ["identity", "size", "boot", "length", "empty", "folder"])
    func aMapThatCannotBeTrustedIsNotTakenUp(what: String) throws {
        let folder = try ScratchFolder("log")
        let path = folder.file("map")
        do {
            let log = try MirrorLog(size: Self.size, path: path, identity: "a b")
            log.markSame(0, Self.size, sourceIsWritten: true)
        }
        var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        switch what {
        case "boot": bytes[30] ^= 1
        case "length": bytes.removeLast(8)
        case "empty": bytes = []
        default: break
        }
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        let identity = what == "identity" ? "a c" : "a b"
        let size = what == "size" ? Self.size + 512 : Self.size
        if what == "folder" {
            try FileManager.default.removeItem(atPath: path)
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
            #expect(throws: BlockError.self) { try MirrorLog.resume(path: path, size: size, identity: identity) }
            return
        }
        #expect(try MirrorLog.resume(path: path, size: size, identity: identity) == nil)
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    /// What is touched after `rotate` may not be covered by the flush.
    @Test func aFlushVouchesForWhatWasDoneBeforeItOnly() throws {
        let log = try MirrorLog(size: Self.size)
        let map = DirtyMap(size: Self.size, dirty: false)
        log.touch(0, 65536 * 10)
        log.rotate(forFlush: true)
        log.touch(65536 * 4, 1)
        map.mark(65536 * 7, 1)
        log.sourceIsWritten()
        log.settle(clean: map)
        #expect(dirty(log) == 2)
        let found = DirtyMap(size: Self.size, dirty: false)
        log.markDifferent(in: found)
        let first: UInt64 = 65536 * 4
        let second: UInt64 = 65536 * 7
        #expect(found.nextDirty(from: 0, maximum: 1 << 20) == first..<first + 65536)
        #expect(found.nextDirty(from: first + 65536, maximum: 1 << 20) == second..<second + 65536)
        log.forgetAll()
        #expect(dirty(log) == 101)
    }

    /// The destination may hold what the source loses with its process: what a guest has written is not the same before the
    /// source has it in its file, whatever the copier and the destination say.
    @Test func whatOnlyMemoryHoldsOfTheSourceIsNotTheSame() throws {
        let log = try MirrorLog(size: Self.size)
        let clean = DirtyMap(size: Self.size, dirty: false)
        log.touch(65536, 1)
        log.copied(0, Self.size)
        log.markSame(0, Self.size, sourceIsWritten: false)
        #expect(dirty(log) == 1)
        log.rotate(forFlush: false)
        log.settle(clean: clean)
        #expect(dirty(log) == 1)
        // A flush that fails covers nothing, nor does it what is written after it has begun.
        log.rotate(forFlush: true)
        log.settle(clean: clean)
        #expect(dirty(log) == 1)
        log.rotate(forFlush: true)
        log.touch(0, 1)
        log.sourceIsWritten()
        log.settle(clean: clean)
        #expect(dirty(log) == 1)
        log.markSame(0, Self.size, sourceIsWritten: true)
        #expect(dirty(log) == 0)
        log.copied(0, 65536)
        log.doubtSource()
        log.markSame(0, Self.size, sourceIsWritten: false)
        #expect(dirty(log) == 1)
    }
}
