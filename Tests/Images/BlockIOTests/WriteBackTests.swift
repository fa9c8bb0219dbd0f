import Glibc
import Synchronization
import TestSupport
import Testing

@testable import BlockIO

/// Writing back a little at a time, ahead of a flush.
@Suite struct WriteBackTests {
    private func filled(_ folder: ScratchFolder, parts: Int) throws -> (file: ImageFile, bytes: [UInt8]) {
        let file = try ImageFile(path: folder.file("a"), access: .create)
        var random = SeededRandom.printed()
        let bytes = random.bytes(parts << 20 | 1234)
        try file.write(bytes: bytes, at: 4096)
        return (file, bytes)
    }

    /// Nothing is left to a flush, in files that end anywhere and have nothing for long stretches.
    @Test func whatIsDirtyIsWritten() throws {
        let folder = try ScratchFolder("write-back")
        let (file, bytes) = try filled(folder, parts: 3)
        try file.write(bytes: [7], at: 300 << 20)
        try file.writeBack { false }
        // Negative: the kernel does not tell.
        #expect(file.dirtyPages(at: 0, length: 1 << 30) <= 0)
        #expect(try file.bytes(at: 4096, count: bytes.count) == bytes)
        #expect(try file.bytes(at: 300 << 20, count: 1) == [7])
        try file.sync()
        file.close()
        #expect(throws: BlockError.self) { try file.writeBack { false } }
    }

    @Test func itEndsWhenItIsOver() throws {
        let folder = try ScratchFolder("write-back")
        let (file, _) = try filled(folder, parts: 8)
        let isTold = file.dirtyPages(at: 0, length: 1 << 30) > 0
        var asked = 0
        try file.writeBack {
            asked += 1
            return asked > 2
        }
        #expect(asked == 3)
        #expect(!isTold || file.dirtyPages(at: 0, length: 1 << 30) > 0)
    }

    @Test func whatCannotBeWrittenIsLeftAlone() throws {
        let folder = try ScratchFolder("write-back")
        let (file, _) = try filled(folder, parts: 1)
        file.close()
        let reader = try ImageFile(path: folder.file("a"), access: .readOnly)
        try reader.writeBack { false }
    }

    /// What was lost once is not found again by a later flush.
    @Test func whatWasLostStaysLost() throws {
        let folder = try ScratchFolder("write-back")
        let (file, _) = try filled(folder, parts: 1)
        file.syncFailure.store(EIO, ordering: .relaxed)
        let error = #expect(throws: BlockError.self) { try file.writeBack { false } }
        #expect(error?.systemError == EIO)
    }
}
