import APITypes
import PoolDatabase
import RPCCodec
import TestSupport
import Testing

@testable import APIServer

/// Records made of a template and a row's own values, beside records that are written field by field.
@Suite struct RecordTemplateTests {
    @Test func recordsOfATemplateAreThoseWrittenFieldByField() async throws {
        var random = SeededRandom.printed()
        let database = try await PoolDatabase.open(path: nil)
        // References in all the forms that a hostile database may have, few enough to meet.
        let refs = (0..<8).map { "OpaqueRef:\(random.hostileText())\($0)" }
        for declared in database.schema.classes {
            let rows = refs.prefix(Int.random(in: 2...8, using: &random)).map { ref in
                (ref, declared.fields.map { random.next() % 3 == 0 ? nil : random.value(like: $0.initial, refs) })
            }
            try await database.transaction { transaction in
                for (ref, values) in rows {
                    transaction.insert(className: declared.name, ref: ref) { row in
                        for (field, value) in zip(declared.fields, values) {
                            // Their own, so that no two are the same.
                            guard field.name != "uuid", let value else { continue }
                            row[field: field.name] = value
                        }
                    }
                }
            }
        }
        for declared in database.schema.classes {
            let rows = try #require(database.read { $0.list(className: declared.name) })
            #expect(rows.count >= 2)
            Self.compare(rows, XMLRPCWriter())
            Self.compare(rows, JSONWriter())
        }
    }

    private static func compare<W: ValueWriter>(_ rows: RowList, _ empty: W) {
        let template = RecordTemplate(rows.schema, like: empty)
        var scratch = empty
        for (index, row) in rows.enumerated() {
            var (plain, templated) = (empty, empty)
            plain.write(row.record)
            template.write(rows, index, to: &templated)
            #expect(
                String(decoding: templated.bytes, as: UTF8.self) == String(decoding: plain.bytes, as: UTF8.self),
                "\(rows.schema.name)")
            #expect(template.length(rows, index, by: &scratch) == plain.bytes.count)
            #expect(scratch.bytes.isEmpty)
        }
    }
}

extension SeededRandom {
    /// Texts with everything that encodings have to look at, of lengths around those they look at together.
    fileprivate mutating func hostileText() -> String {
        let parts = [
            "a", "bc", "<", "&", ">", "\"", "\\", "\r", "\n", "\t", "\u{1}", "é", "\u{FFFE}", "\u{F000}", "😀", "]]>",
            "\u{0}", "\u{7F}",
        ]
        let isPlain = next() % 2 == 0
        return (0..<Int.random(in: 0...20, using: &self)).map { _ in
            isPlain ? "a" : parts.randomElement(using: &self) ?? "a"
        }.joined()
    }

    /// A value of the same kind.
    fileprivate mutating func value(like other: APIValue, _ refs: [String]) -> APIValue {
        let count = Int.random(in: 0...3, using: &self)
        switch other {
        case .string: return .string(hostileText())
        case .int: return .int(Int64(bitPattern: next()))
        case .bool: return .bool(next() % 2 == 0)
        case .float: return .float(Double(Int64(bitPattern: next())) / 1000)
        case .datetime: return .datetime(Int64(next() % 5_000_000_000) - 1_000_000_000)
        case .ref: return .ref(refs.randomElement(using: &self) ?? "")
        case .set: return .set((0..<count).map { _ in value(like: next() % 2 == 0 ? .nullRef : .int(0), refs) })
        case .map: return .map(Dictionary((0..<count).map { _ in (hostileText(), .string(hostileText())) }) { $1 })
        case .record: return .record((0..<count).map { _ in APIMember(hostileText(), .string(hostileText())) })
        case .void: return .void
        }
    }
}
