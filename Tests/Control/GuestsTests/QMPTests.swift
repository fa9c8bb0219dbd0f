import TestSupport
import Testing

@testable import Guests

@Suite struct QMPTests {
    @Test func linesAreCutTheSameHoweverTheStreamIsSplit() throws {
        var random = SeededRandom.printed()
        let lines: [[UInt8]] = (0..<40).map { _ in
            random.bytes(Int.random(in: 1...300, using: &random)).map { $0 == 10 || $0 == 13 ? 65 : $0 }
        }
        let stream: [UInt8] = lines.flatMap { line -> [UInt8] in line + (Bool.random(using: &random) ? [10] : [13, 10])
        }
        for _ in 0..<50 {
            var splitter = QMPLineSplitter()
            var found: [[UInt8]] = []
            var rest = stream[...]
            while !rest.isEmpty {
                let count = Int.random(in: 1...min(rest.count, 500), using: &random)
                found += try splitter.feed(rest.prefix(count))
                rest = rest.dropFirst(count)
            }
            #expect(found == lines)
        }
    }

    @Test func aLineWithoutEndIsRefusedAtTheLimit() throws {
        var splitter = QMPLineSplitter(limit: 1000)
        #expect(try splitter.feed([UInt8](repeating: 65, count: 1000)).isEmpty)
        #expect(throws: GuestError.self) { try splitter.feed([65]) }
    }

    @Test func everyKindOfMessageIsRead() throws {
        func read(_ text: String) throws -> QMPMessage { try QMPMessage(line: text.utf8) }
        #expect(try read(#"{"QMP": {"version": {"qemu": {"major": 7}}, "capabilities": ["oob"]}}"#) == .greeting)
        #expect(
            try read(#"{"return": {"running": true}, "id": 9007199254740993}"#)
                == .result(id: 9_007_199_254_740_993, ["running": true]))
        #expect(
            try read(#"{"id": 4, "error": {"class": "GenericError", "desc": "no"}}"#)
                == .failure(id: 4, kind: "GenericError", message: "no"))
        #expect(try read(#"{"timestamp": {"seconds": 1}, "event": "STOP"}"#) == .event(name: "STOP", data: .null))
        #expect(try read(#"{"error": 7}"#) == .failure(id: nil, kind: "GenericError", message: "no reason given"))
    }

    @Test func whatIsNotQMPIsAnError() {
        let lines = [
            "", "{", "[]", "null", "7", "{}", #"{"id": 1}"#, #"{"event": 5}"#, "\u{0}", "{\"return\":",
            String(repeating: "[", count: 100_000), String(repeating: #"{"return":"#, count: 50_000),
        ]
        for text in lines {
            #expect("\(text.prefix(20)) was accepted") { try QMPMessage(line: text.utf8) } throws: {
                ($0 as? GuestError)?.code == .protocolViolation
            }
        }
    }

    @Test func damagedMessagesNeverTrap() {
        var random = SeededRandom.printed()
        let good = Array(
            #"{"event": "BLOCK_IO_ERROR", "data": {"device": "disk3", "n": [1, 2.5, -3e9, true]}, "id": 1}"#.utf8)
        for _ in 0..<2000 {
            var bytes = good
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            if Bool.random(using: &random) { bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random)) }
            _ = try? QMPMessage(line: bytes)
        }
    }

    @Test func commandsAreOneLineOfJSON() throws {
        let path = "/a\"b\\c\n\u{1}é,'d"
        let line = QMPMessage.command("blockdev-add", arguments: ["path": .string(path)], id: 3)
        #expect(line.last == 10 && line.count { $0 == 10 } == 1)
        let value = try #require(try? QMPMessageReader.value(line.dropLast()))
        #expect(value["execute"]?.text == "blockdev-add" && value["id"]?.integer == 3)
        #expect(value["arguments"]?["path"]?.text == path)
    }
}

private enum QMPMessageReader {
    /// The arguments of a command line of ours, read back as if it were an answer.
    static func value(_ line: some Collection<UInt8>) throws -> QMPValue {
        guard case .result(_, let value) = try QMPMessage(line: Array(#"{"return":"#.utf8) + Array(line) + [125])
        else { return .null }
        return value
    }
}
