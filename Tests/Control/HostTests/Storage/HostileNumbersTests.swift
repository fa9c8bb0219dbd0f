import DatapathControl
import Foundation
import TestSupport
import Testing

@testable import Toolstack

/// What processes say that are in strangers' hands.
@Suite struct HostileNumbersTests {
    @Test func aDataPathMayHaveWrittenAnyNumberOfBytes() {
        var meter = WriteMeter()
        let start = ContinuousClock.now
        var counters = DatapathCounters()
        let told: [(bytes: UInt64, rate: UInt64)] = [
            (0, 0), (.max, 1_000_000_000_000_000_000), (0, 0), (10 << 20, 20 << 20),
        ]
        for (index, sample) in told.enumerated() {
            counters.writtenBytes = sample.bytes
            meter.read(counters, at: start + .milliseconds(500 * index))
            #expect(meter.bytesPerSecond == sample.rate)
        }
    }

    /// The log is as long as its writer wants, and what it said last is told.
    @Test func aGatesLogMayHaveAnyLength() throws {
        let folder = try ScratchFolder("gate")
        let log = folder.file("log")
        #expect(ExportGate.lastWords(in: log) == "it said nothing")
        _ = FileManager.default.createFile(atPath: log, contents: nil)
        let file = try #require(FileHandle(forWritingAtPath: log))
        try file.truncate(atOffset: 1 << 42)
        try file.seekToEnd()
        try file.write(contentsOf: Data((String(repeating: "x", count: 5000) + "the end").utf8))
        try file.close()
        let words = ExportGate.lastWords(in: log)
        #expect(words.count == 500 && words.hasSuffix("xthe end"))
    }
}
