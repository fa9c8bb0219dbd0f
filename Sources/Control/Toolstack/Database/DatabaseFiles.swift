import APITypes
import Foundation
import Glibc
public import PoolDatabase
import Synchronization

/// The database as a file that is taken away or brought back: as the XML text that XenAPI's administrators know, or as an
/// SQLite file. Each is complete in itself; what it holds includes password hashes, so it is for pool administrators only.
///
/// A file that is brought back is checked whole. It takes the place of the database when the toolstack is started next,
/// never before: objects must not change under guests and data paths that run.
public struct DatabaseFiles: Sendable {
    private let database: PoolDatabase

    /// The longest file that is taken, bytes.
    static let longest: Int64 = 4 << 30

    public init(database: PoolDatabase) { self.database = database }

    public enum Format: String, Sendable {
        case xml
        case sqlite
    }

    /// The database as it is now. Throws `StoreError`.
    public func beginDump(_ format: Format) async throws -> any DiskExportSource {
        if format == .xml { return TextSource(database) }
        let draft = try place() + Self.dumped + UUID().uuidString
        try await database.backUp(to: draft)
        defer { try? FileManager.default.removeItem(atPath: draft) }
        return DumpSource(file: try FileHandle(forReadingFrom: URL(fileURLWithPath: draft)))
    }

    /// Takes a dump of either form. `dryRun`: only says whether it could be used.
    public func beginRestore(dryRun: Bool) throws -> any DiskImportSink {
        let place = try place()
        let draft = place + Self.received + UUID().uuidString
        guard FileManager.default.createFile(atPath: draft, contents: nil, attributes: [.posixPermissions: 0o600])
        else {
            throw APIError.internalError("cannot write \(draft)")
        }
        return RestoreSink(
            draft: draft, place: dryRun ? nil : place + Self.restored, generation: database.generation,
            file: try FileHandle(forWritingTo: URL(fileURLWithPath: draft)))
    }

    private func place() throws(APIError) -> String {
        guard let path = database.path else { throw .internalError("the database is in memory only") }
        return path
    }

    // MARK: - The next start

    private static let dumped = ".dump-"
    private static let received = ".received-"
    private static let restored = ".restored"
    private static let replaced = ".before-restore"

    /// Removes what dumps and uploads left beside the database that was at `path` when its toolstack ended. To be called
    /// by whoever has the folder to itself.
    static func sweep(beside path: String) throws {
        let place = URL(fileURLWithPath: path)
        let folder = place.deletingLastPathComponent()
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
            guard [dumped, received].contains(where: { name.hasPrefix(place.lastPathComponent + $0) }) else { continue }
            try FileManager.default.removeItem(at: folder.appendingPathComponent(name))
        }
    }

    /// Puts a database that was brought back into its place; the one before is kept beside it. Does nothing when there is
    /// none. After a crash at any point it goes on where it was. To be called before the database is opened.
    static func adoptRestored(at path: String) throws {
        let files = FileManager.default
        guard files.fileExists(atPath: path + restored) else { return }
        if files.fileExists(atPath: path) {
            for suffix in ["", "-wal"] { try? files.removeItem(atPath: path + replaced + suffix) }
        }
        for suffix in ["", "-wal"] where files.fileExists(atPath: path + suffix) {
            try files.moveItem(atPath: path + suffix, toPath: path + replaced + suffix)
        }
        try DurableFile.publish(path + restored, as: path)
    }
}

/// Gives a file that has no name any more.
private final class DumpSource: DiskExportSource {
    private let file: FileHandle
    let fileName = "pool.db"
    let contentType = "application/octet-stream"

    init(file: FileHandle) { self.file = file }

    func next() async throws -> [UInt8]? { try file.read(upToCount: 256 << 10).map { [UInt8]($0) } }
    func close() async { try? file.close() }
}

/// Gives the text of the database.
private final class TextSource: DiskExportSource {
    private let writer: Mutex<DatabaseXMLWriter>
    let fileName = "pool.xml"
    let contentType = "application/xml"

    init(_ database: PoolDatabase) { writer = Mutex(DatabaseXMLWriter(database)) }

    func next() async throws -> [UInt8]? { writer.withLock { $0.next() } }
    func close() async {}
}

/// Takes a file, opens it as a database would be opened, and leaves it where the next start finds it.
private actor RestoreSink: DiskImportSink {
    private let draft: String
    /// Nil: it is only looked at.
    private let place: String?
    /// The generation that the database in use has reached: the one that replaces it must go on from there.
    private let generation: Int64
    private let file: FileHandle
    private var received: Int64 = 0
    /// Of the database that a text becomes.
    private static let converted = ".sqlite"

    init(draft: String, place: String?, generation: Int64, file: FileHandle) {
        self.draft = draft
        self.place = place
        self.generation = generation
        self.file = file
    }

    func write(_ chunk: [UInt8]) async throws {
        received += Int64(chunk.count)
        guard received <= DatabaseFiles.longest else {
            throw APIError.internalError("a dump has at most \(DatabaseFiles.longest) bytes")
        }
        try file.write(contentsOf: Data(chunk))
    }

    func finish() async throws -> APIValue {
        var leftOut: [String] = []
        do {
            try file.close()
            let isText = try DatabaseXMLReader.recognizes(draft)
            let made = isText ? draft + Self.converted : draft
            if isText { try PrivateFile.prepare(made) }
            let database = try await Self.open(made, after: generation)
            leftOut = database.replacedValues
            do {
                if isText { leftOut += try await DatabaseXMLReader.fill(database, from: draft) }
                try await database.transaction { tx in RestoredRecords.setAside(in: tx) }
            } catch {
                try? await database.close()
                throw error
            }
            let isWhole = database.read { reader in
                reader.rows(Pool.self).first.map { reader.row($0[Pool.master]) != nil } ?? false
            }
            try await database.close()
            guard isWhole else { throw APIError.internalError("the dump holds no pool with a host") }
            if let place { try Self.publish(made, as: place) }
        } catch {
            await abort()
            throw error
        }
        await abort()
        return leftOut.isEmpty ? .void : .string(Self.text(leftOut))
    }

    /// What somebody sent is no damage of ours, and its name here means nothing to them.
    private static func open(_ path: String, after generation: Int64) async throws -> PoolDatabase {
        do {
            return try await PoolDatabase.open(path: path, after: generation)
        } catch let error as StoreError where error.kind == .damaged {
            throw APIError.internalError(
                "what was sent is no copy of a database, or a damaged one; nothing was changed")
        }
    }

    /// As a start would go on without them, the file is taken without them.
    private static func text(_ leftOut: [String]) -> String {
        "values that this version does not know are left out: " + leftOut.joined(separator: ", ")
    }

    /// What is not known to be on disk does not take the database's place on the next start.
    private static func publish(_ draft: String, as place: String) throws {
        do {
            try DurableFile.publish(draft, as: place)
        } catch {
            // Renamed already, or it would still be there: a database that was brought back before is not touched.
            if unsafe access(draft, F_OK) != 0 { try? FileManager.default.removeItem(atPath: place) }
            throw error
        }
    }

    func abort() async {
        try? file.close()
        for suffix in ["", "-wal", "-shm", "-journal"] {
            for path in [draft, draft + Self.converted] { try? FileManager.default.removeItem(atPath: path + suffix) }
        }
    }
}
