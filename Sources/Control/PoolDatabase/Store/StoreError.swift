import GRDB

/// The database file cannot be used, or a change could not be written to it.
public struct StoreError: Error, CustomStringConvertible, Sendable {
    public enum Kind: Sendable {
        /// Not a database of ours, or its content contradicts itself.
        case damaged
        /// Made by a later version of this program.
        case laterVersion
        /// Another process has it open.
        case inUse
        /// The system refused: disk full, no permission, I/O error.
        case failed
    }

    public let kind: Kind
    public let description: String

    static func damaged(_ path: String, _ what: String) -> StoreError {
        StoreError(
            kind: .damaged,
            description: "the database \(path) is damaged (\(what)); nothing was loaded. Restore it from a backup, "
                + "or move it away to start with an empty pool")
    }

    static func laterVersion(_ path: String, _ step: String) -> StoreError {
        StoreError(
            kind: .laterVersion,
            description: "the database \(path) was written by a later version (step \(step)); use that version")
    }

    static var notInAFile: StoreError {
        StoreError(kind: .failed, description: "the database is in memory only and cannot be backed up")
    }

    private init(kind: Kind, description: String) {
        self.kind = kind
        self.description = description
    }

    /// Any error of the store; SQLite's result codes are sorted into kinds.
    init(_ error: any Error, _ path: String) {
        if let error = error as? StoreError {
            self = error
            return
        }
        guard let error = error as? DatabaseError else {
            if error is RowDecodingError {
                // A column holds what it cannot hold.
                self = .damaged(path, String(describing: error))
            } else {
                self.init(kind: .failed, description: "the database \(path) failed: \(error)")
            }
            return
        }
        switch error.resultCode {
        case .SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_SCHEMA, .SQLITE_MISMATCH, .SQLITE_ERROR:
            self = .damaged(path, error.message ?? "\(error.resultCode)")
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            self.init(kind: .inUse, description: "the database \(path) is in use by another process")
        default:
            self.init(
                kind: .failed,
                description: "the database \(path) failed: \(error.message ?? "code \(error.resultCode.rawValue)")")
        }
    }
}
