import BlockIO
import Foundation
import TestSupport
import Testing

@testable import QuickTests

@Suite struct QuickContentTests {
    @Test func aWrongByteIsFoundWhereverPiecesEnd() throws {
        var random = SeededRandom.printed()
        let pattern = ContentPattern(seed: random.next(), size: 3 * 65536 + 512)
        #expect(pattern.blocks == 4 && pattern.holdsData(0) && pattern.holdsData(3) && !pattern.holdsData(4))
        let size = 5 * 65536
        var content = (0..<5).flatMap { pattern.bytes(ofBlock: $0) }
        #expect(content[(3 * 65536 + 512)...].allSatisfy { $0 == 0 } && content[0..<64].contains { $0 != 0 })
        func compare(_ bytes: [UInt8]) throws {
            var comparison = ContentComparison(pattern)
            var rest = bytes[...]
            while !rest.isEmpty {
                let piece = rest.prefix(Int.random(in: 1...100_000, using: &random))
                try comparison.take(Array(piece))
                rest = rest.dropFirst(piece.count)
            }
            try comparison.finish(size: UInt64(size))
        }
        try compare(content)
        #expect(throws: Mismatch.self) { try compare(Array(content.dropLast())) }
        let place = Int.random(in: 0..<size, using: &random)
        content[place] ^= 1
        let error = #expect(throws: Mismatch.self) { try compare(content) }
        #expect(error?.description.contains("the byte at \(place) ") == true)
    }

    @Test func theFileHoldsThePatternAndADeviceIsComparedWithIt() throws {
        let folder = try ImageFolder()
        defer { folder.remove() }
        let pattern = ContentPattern(seed: 7, size: 1 << 20)
        let file = try folder.write(pattern, size: 2 << 20)
        let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: file)))
        let device = MemoryDevice(content: bytes)
        try NetworkExport.compare(device, with: pattern, size: 2 << 20)
        #expect(throws: Mismatch.self) {
            try NetworkExport.compare(device, with: ContentPattern(seed: 8, size: 1 << 20), size: 2 << 20)
        }
        #expect(throws: Mismatch.self) { try NetworkExport.compare(device, with: pattern, size: 1 << 20) }
        folder.remove()
        #expect(!FileManager.default.fileExists(atPath: folder.path))
    }

    @Test func changedBlocksThatAreNotToldAreFound() {
        let (before, after) = (ContentPattern(seed: 1, size: 1 << 20), ContentPattern(seed: 2, size: 1 << 20))
        let all = ChangedBlocks(bitmap: [0xFF, 0xFF])
        #expect(all.firstMissing(before, after) == nil)
        #expect(ChangedBlocks(bitmap: [0x7F, 0xFF]).firstMissing(before, after) == 0)
        #expect(ChangedBlocks(bitmap: [0xFF, 0xFE]).firstMissing(before, after) == 15)
        #expect(ChangedBlocks(bitmap: []).firstMissing(before, before) == nil)
        #expect(all.contains(15) && !all.contains(16))
    }
}

@Suite struct QuickReportTests {
    private let report = RunReport(results: [
        CaseResult(name: "a [x -> y]", outcome: .passed, seconds: 1.25),
        CaseResult(name: "b", outcome: .failed("\"<&>\"\n\u{1}\u{1F600}"), seconds: 0.0004),
        CaseResult(name: "c", outcome: .skipped("no feature"), seconds: 0),
    ])

    @Test func theLastLineCountsWhatPassedAndFailed() {
        #expect(report.closing == "1 skipped\n1 passed, 1 failed\n")
        #expect(RunReport().closing == "0 passed, 0 failed\n")
        #expect(report.results[2].line == "skipped c: no feature")
    }

    /// Another program reads what was written.
    @Test func theReportIsXMLWhateverACaseSays() throws {
        let program = """
            import sys, xml.etree.ElementTree as tree
            root = tree.fromstring(sys.stdin.buffer.read())
            assert root.get("tests") == "3" and root.get("failures") == "1" and root[0].get("skipped") == "1"
            cases = root[0].findall("testcase")
            assert [case.get("name") for case in cases] == ["a [x -> y]", "b", "c"]
            assert cases[0].get("time") == "1.250" and len(cases[0]) == 0
            assert cases[1][0].get("message") == '"<&>"' + chr(10) + chr(0xFFFD) + chr(0x1F600)
            assert cases[2][0].tag == "skipped"
            """
        try Tool.check("python3", ["-c", program], input: report.junit)
    }
}
