import APITypes
import Crypto
import DataModel
import Dispatch
import Foundation
import FoundationXML
import PoolDatabase
import Synchronization

/// Reads the text that `DatabaseXMLWriter` writes, or a toolstack of the same schema, into a new database: libxml2 takes it
/// apart, and a few rows at a time go on. What this schema does not know is left out.
///
/// SAFETY of the Sendable conformance: used by the thread that `fill` starts only.
final class DatabaseXMLReader: NSObject, XMLParserDelegate, @unchecked Sendable {
    private struct Entry: Sendable {
        let className: String
        let ref: String
        let values: [(field: String, value: APIValue)]
    }

    private struct Record: Sendable {
        let kind: String
        let key: String
        let value: String
    }

    private let database: PoolDatabase
    private var depth = 0
    private var table: String?
    /// Fields of the table by column, those that are stored.
    private var columns: [String: FieldDeclaration] = [:]
    private var entries: [Entry] = []
    private var records: [Record] = []
    /// What sets and maps held that their fields do not know, as `class.field of reference`: the first hundred.
    private var leftOut: [String] = []
    private var isComplete = false
    /// The text ends with a seal, which holds.
    private var isSealed = false
    private var failure: APIError?

    /// Rows that are stored at a time.
    private static let batch = 256
    private static let mostLeftOut = 100

    private init(_ database: PoolDatabase) { self.database = database }

    /// Whether the file is XML, and not SQLite's.
    static func recognizes(_ path: String) throws -> Bool {
        let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        defer { try? file.close() }
        let start = try file.read(upToCount: 64) ?? Data()
        let bytes = start.starts(with: [0xEF, 0xBB, 0xBF]) ? start.dropFirst(3) : start
        return bytes.first { $0 > 0x20 } == UInt8(ascii: "<")
    }

    /// Throws INTERNAL_ERROR when the file is damaged, not a dump, or one of another schema.
    /// Returns what was left out of sets and maps, as `class.field of reference`; the first hundred.
    @discardableResult
    static func fill(_ database: PoolDatabase, from path: String) async throws -> [String] {
        try await withCheckedThrowingContinuation { (done: CheckedContinuation<[String], any Error>) in
            // The parser waits for the database, which a thread of the pool must not.
            Thread.detachNewThread {
                done.resume(
                    with: Result {
                        let reader = DatabaseXMLReader(database)
                        reader.isSealed = try checkSeal(path)
                        try reader.read(path)
                        return reader.leftOut
                    })
            }
        }
    }

    // MARK: - The text

    private func read(_ path: String) throws {
        guard let stream = InputStream(fileAtPath: path) else { throw Self.unusable("it cannot be opened") }
        let parser = XMLParser(stream: stream)
        parser.shouldResolveExternalEntities = false
        parser.delegate = self
        let isWellFormed = parser.parse()
        if let failure { throw failure }
        // The parser says of a text that ends too early that it went well, and has an error.
        guard isWellFormed, parser.parserError == nil, isComplete else {
            throw Self.unusable("it is not well-formed XML (line \(parser.lineNumber))")
        }
        try store()
    }

    private static func unusable(_ reason: String) -> APIError {
        .internalError("the dump cannot be used: \(reason)")
    }

    private func fail(_ parser: XMLParser, _ error: APIError) {
        if failure == nil { failure = error }
        parser.abortParsing()
    }

    func parser(_ parser: XMLParser, foundProcessingInstructionWithTarget target: String, data: String?) {
        guard target == DatabaseXML.seal, !isSealed else { return }
        fail(parser, Self.unusable("its digest is not at its end: it was changed after it was written"))
    }

    func parser(
        _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
        attributes: [String: String]
    ) {
        depth += 1
        guard failure == nil else { return }
        switch (depth, name) {
        case (1, "database"), (2, "manifest"): break
        case (1, _): fail(parser, Self.unusable("it is not the text of a database"))
        case (3, "pair"):
            guard attributes["key"] == "schema_major_vsn", attributes["value"] != DatabaseXML.majorVersion else {
                return
            }
            fail(parser, Self.unusable("its schema is version \(attributes["value"] ?? "")"))
        case (2, "table"):
            let name = attributes["name"] ?? ""
            table = name
            columns = [:]
            guard let schema = database.schema[name], schema.isPersistent else { return }
            for field in Datamodel.all.classNamed(name)?.fields ?? [] {
                guard let known = schema.field(field.name), known.isPersistent, known.source == nil else { continue }
                columns[known.column] = field
            }
        case (3, "row"):
            guard let table else { return }
            do throws(APIError) {
                try take(attributes, of: table)
                if entries.count + records.count >= Self.batch { try store() }
            } catch { fail(parser, error) }
        default: break
        }
    }

    func parser(_ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?) {
        depth -= 1
        if depth == 1 { table = nil }
        if depth == 0 { isComplete = true }
    }

    private func take(_ attributes: [String: String], of table: String) throws(APIError) {
        guard let ref = attributes["ref"].map(DatabaseXML.unprotect) else {
            throw Self.unusable("a row of \(table) has no ref")
        }
        if table == DatabaseXML.privateTable {
            let parts = ref.split(separator: "/", maxSplits: 1).map(String.init)
            // One of a kind that is not known here is kept, as in SQLite's form: whoever knows it goes by it.
            guard parts.count == 2, let value = attributes["value"] else {
                throw Self.unusable("a row of \(table) is none")
            }
            records.append(Record(kind: parts[0], key: parts[1], value: DatabaseXML.unprotect(value)))
            return
        }
        guard !columns.isEmpty else { return }
        var values: [(field: String, value: APIValue)] = []
        for (column, field) in columns {
            guard let text = attributes[column].map(DatabaseXML.unprotect) else { continue }
            guard let found = APIValue(column: text, type: field.type),
                let value = field.type.admitted(found, in: .all)
            else {
                throw Self.unusable("\(column) of the \(table) \(ref) is not of type \(field.type)")
            }
            if value != found, leftOut.count < Self.mostLeftOut { leftOut.append("\(table).\(field.name) of \(ref)") }
            values.append((field.name, value))
        }
        entries.append(Entry(className: table, ref: ref, values: values))
    }

    /// Waits until what was read is stored.
    private func store() throws(APIError) {
        let (entries, records, database) = (entries, records, database)
        self.entries = []
        self.records = []
        let isDone = DispatchSemaphore(value: 0)
        let stored = Outcome()
        Task {
            do {
                try await database.transaction { transaction in
                    for entry in entries {
                        transaction.insert(className: entry.className, ref: entry.ref) { row in
                            for (field, value) in entry.values { row[field: field] = value }
                        }
                    }
                    for record in records {
                        transaction.setPrivate(kind: record.kind, key: record.key, value: record.value)
                    }
                }
            } catch {
                stored.failure.withLock { $0 = APIError(error, task: .null) }
            }
            isDone.signal()
        }
        isDone.wait()
        if let failure = stored.failure.withLock({ $0 }) { throw failure }
    }

    private final class Outcome: Sendable {
        let failure = Mutex<APIError?>(nil)
    }

    // MARK: - The seal

    /// A text that ends with a seal has the digest that it says: true. One without was written elsewhere.
    private static func checkSeal(_ path: String) throws -> Bool {
        let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        defer { try? file.close() }
        let length = Int64(try file.seekToEnd())
        let start = length - Int64(DatabaseXML.sealedEndLength)
        guard start > 0 else { return false }
        try file.seek(toOffset: UInt64(start))
        let end = String(decoding: try file.readToEnd() ?? Data(), as: UTF8.self)
        guard end.hasPrefix("<?\(DatabaseXML.seal) ") else { return false }
        try file.seek(toOffset: 0)
        var (left, digest) = (start, SHA256())
        while left > 0, let piece = try file.read(upToCount: Int(min(left, 1 << 20))), !piece.isEmpty {
            digest.update(data: piece)
            left -= Int64(piece.count)
        }
        let sum = digest.finalize().map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        guard end.contains(sum) else { throw unusable("it is damaged: its digest is another") }
        return true
    }
}
