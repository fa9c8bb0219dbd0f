import APITypes
import Crypto
import DataModel
import Foundation
import PoolDatabase
import RPCCodec

/// The database as the text that XenAPI's administrators and their programs know as a pool's dump:
///
///     <database><manifest><pair key="…" value="…"/>…</manifest>
///     <table name="VM"><row ref="OpaqueRef:…" name__label="…" …/>…</table>…
///
/// A table for each class, an attribute for each column of the query language, values as queries see them. Blanks are
/// written as `%.`, `%t`, `%n`, `%r`, a percent sign as two; characters that XML cannot hold, as `%x` and four digits.
/// What belongs to no class (hashes of passwords) is in a table of its own, and a processing instruction at the end holds
/// the SHA-256 of everything before it: damage is noticed when the dump is brought back.
enum DatabaseXML {
    /// Of the schema that `host.software_version` names as `db_schema`.
    static let majorVersion = "5"
    static let minorVersion = "909"

    /// The table of the toolstack's own records, of all kinds: `ref` is kind and key, with a slash between. What keeps a thing
    /// that is half made, or on its way, from being used is one of them.
    static let privateTable = "gantry_private"

    /// Target of the instruction that holds the digest.
    static let seal = "gantry-sha256"
    /// Bytes of the seal with the end of the text.
    static let sealedEndLength = "<?\(seal) ?></database>\n".utf8.count + 64

    static func protect(_ text: String) -> String {
        var all = ""
        all.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            switch scalar {
            case " ": all += "%."
            case "\t": all += "%t"
            case "\n": all += "%n"
            case "\r": all += "%r"
            case "%": all += "%%"
            case "&": all += "&amp;"
            case "<": all += "&lt;"
            case ">": all += "&gt;"
            case "\"": all += "&quot;"
            case "\u{0}"..."\u{1F}", "\u{FFFE}", "\u{FFFF}":
                let digits = String(scalar.value, radix: 16, uppercase: true)
                all += "%x" + String(repeating: "0", count: 4 - digits.count) + digits
            default: all.unicodeScalars.append(scalar)
            }
        }
        return all
    }

    /// The text of an attribute, whose entities have been resolved.
    static func unprotect(_ text: String) -> String {
        guard text.utf8.contains(UInt8(ascii: "%")) else { return text }
        var all = ""
        var rest = text.unicodeScalars[...]
        while let scalar = rest.popFirst() {
            guard scalar == "%", let kind = rest.first else {
                all.unicodeScalars.append(scalar)
                continue
            }
            switch kind {
            case ".": all += " "
            // Of toolstacks before this form: two of them.
            case "_": all += "  "
            case "t": all += "\t"
            case "n": all += "\n"
            case "r": all += "\r"
            case "%": all += "%"
            case "x":
                let digits = String(String.UnicodeScalarView(rest.dropFirst().prefix(4)))
                guard digits.utf8.count == 4, let named = UInt32(digits, radix: 16).flatMap(Unicode.Scalar.init) else {
                    fallthrough
                }
                all.unicodeScalars.append(named)
                rest = rest.dropFirst(5)
                continue
            default:
                // Not of this form: it stands for itself.
                all += "%"
                continue
            }
            rest.removeFirst()
        }
        return all
    }
}

/// Writes the text piece by piece, of the state that the database had when it began.
struct DatabaseXMLWriter: Sendable {
    private let tables: [(schema: ClassSchema, rows: [Row])]
    private let records: [(kind: String, key: String, value: String)]
    private let generation: Int64
    private var table = 0
    private var row = 0
    private var step = Step.beginning
    private var digest = SHA256()

    private enum Step: Sendable {
        case beginning, rows, records, done
    }

    /// A piece is complete at this length, bytes.
    private static let pieceLength = 64 << 10

    init(_ database: PoolDatabase) {
        (tables, records, generation) = database.read { reader in
            let tables = reader.schema.classes.filter(\.isPersistent).map { ($0, reader.rows(className: $0.name)) }
            let records = reader.privateKinds.flatMap { kind in
                reader.privateRecords(kind: kind).sorted { $0.key < $1.key }.map { (kind, $0.key, $0.value) }
            }
            return (tables, records, reader.generation)
        }
    }

    /// Nil at the end.
    mutating func next() -> [UInt8]? {
        guard step != .done else { return nil }
        var text = ""
        while step != .done, text.utf8.count < Self.pieceLength { advance(&text) }
        var bytes = Array(text.utf8)
        digest.update(data: bytes)
        if step == .done {
            let sum = digest.finalize().map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
            bytes += Array("<?\(DatabaseXML.seal) \(sum)?></database>\n".utf8)
        }
        return bytes
    }

    private mutating func advance(_ text: inout String) {
        switch step {
        case .beginning:
            text += "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<database><manifest>"
            for (key, value) in [
                ("schema_major_vsn", DatabaseXML.majorVersion), ("schema_minor_vsn", DatabaseXML.minorVersion),
                ("generation_count", String(generation)),
            ] {
                text += "<pair key=\"\(key)\" value=\"\(value)\"/>"
            }
            text += "</manifest>\n"
            step = .rows
        case .rows:
            guard table < tables.count else {
                step = .records
                return
            }
            let (schema, rows) = tables[table]
            if rows.isEmpty {
                text += "<table name=\"\(schema.name)\"/>\n"
                table += 1
            } else if row == rows.count {
                text += "</table>\n"
                (table, row) = (table + 1, 0)
            } else {
                if row == 0 { text += "<table name=\"\(schema.name)\">\n" }
                write(rows[row], &text)
                row += 1
            }
        case .records:
            text += "<table name=\"\(DatabaseXML.privateTable)\">\n"
            for (kind, key, value) in records {
                text += "<row ref=\"\(DatabaseXML.protect(kind))/\(DatabaseXML.protect(key))\""
                text += " value=\"\(DatabaseXML.protect(value))\"/>\n"
            }
            text += "</table>\n"
            step = .done
        case .done: break
        }
    }

    private func write(_ row: Row, _ text: inout String) {
        let ref = DatabaseXML.protect(row.ref)
        text += "<row ref=\"\(ref)\" __ctime=\"\(row.created)\" __mtime=\"\(row.lastModified)\" _ref=\"\(ref)\""
        for (position, field) in row.schema.fields.enumerated() where field.isPersistent && field.column != "_ref" {
            text += " \(field.column)=\"\(DatabaseXML.protect(ColumnText.format(row.value(at: position))))\""
        }
        text += "/>\n"
    }
}
