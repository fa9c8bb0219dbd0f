import Foundation
import TestSupport
import Testing

@testable import Toolstack

@Suite struct FileEndsTests {
    /// What a process has made longer than memory costs its ends only.
    @Test func noMoreIsReadThanWasAskedFor() throws {
        let folder = try ScratchFolder("ends")
        let path = folder.file("log")
        try Data("the first words".utf8).write(to: URL(fileURLWithPath: path))
        #expect(FileEnds.first(3, of: path) == Data("the".utf8))
        #expect(FileEnds.last(5, of: path) == Data("words".utf8))
        #expect(FileEnds.first(100, of: path) == FileEnds.last(100, of: path))
        let handle = try #require(FileHandle(forWritingAtPath: path))
        try handle.truncate(atOffset: 1 << 40)
        try handle.seekToEnd()
        try handle.write(contentsOf: Data("the last words".utf8))
        try handle.close()
        #expect(FileEnds.first(3, of: path) == Data("the".utf8))
        #expect(FileEnds.last(5, of: path) == Data("words".utf8))
        #expect(FileEnds.last(64 << 10, of: path)?.count == 64 << 10)
        #expect(FileEnds.first(1, of: folder.file("none")) == nil)
        #expect(FileEnds.last(1, of: folder.file("none")) == nil)
    }
}
