public import APITypes
import CLinux
import Foundation
import Glibc
import Logging
import PoolDatabase

/// What is known of a blob without its content.
public struct StoredBlob: Sendable {
    public let ref: Ref<Blob>
    public let uuid: String
    public let mimeType: String
    /// Everybody may read it.
    public let isPublic: Bool

    init(_ row: Row) {
        ref = row.typedRef(Blob.self)
        uuid = row[Blob.uuid]
        mimeType = row[Blob.mimeType]
        isPublic = row[Blob.public]
    }
}

/// Binary objects that clients keep beside other objects (pictures, notes): a row of class `blob` and a file each in
/// `STATE/blobs`. What belongs to an object goes when the object does.
public final class BlobStore: Sendable {
    /// Bytes of one blob.
    public static let largest = 100 << 20
    /// Blobs in all: beyond it no new one is made.
    static let most = 1000
    /// Private records: reference of a blob → `class/ref` of what it belongs to.
    static let ownerKind = "blob-owner"

    private let database: PoolDatabase
    private let folder: String
    private let logger: Logger

    init(database: PoolDatabase, folder: String, logger: Logger) throws {
        self.database = database
        self.folder = folder
        self.logger = logger
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    }

    /// The blob by reference or uuid; HANDLE_INVALID or UUID_INVALID otherwise.
    public func find(ref: String?, uuid: String?) throws(APIError) -> StoredBlob {
        if let ref {
            guard let row = database.read({ $0.row(Ref<Blob>(ref)) }) else {
                throw .handleInvalid(Blob.className, ref)
            }
            return StoredBlob(row)
        }
        guard let row = database.read({ $0.find(Blob.self, uuid: uuid ?? "") }) else {
            throw .uuidInvalid(Blob.className, uuid ?? "")
        }
        return StoredBlob(row)
    }

    /// Where the content of a blob is; the file is there once something was put.
    public func path(_ blob: StoredBlob) -> String { path(uuid: blob.uuid) }

    private func path(uuid: String) -> String { "\(folder)/\(uuid)" }

    /// Takes new content. Nothing changes before `finish`.
    public func begin(_ blob: StoredBlob) throws -> BlobUpload {
        try BlobUpload(folder: folder, target: path(blob))
    }

    /// Puts the content in its place and says so in the row.
    public func finish(_ upload: BlobUpload, for blob: StoredBlob) async throws {
        let ref = blob.ref
        let size = try upload.commit()
        do {
            try await database.transaction { tx in
                try tx.set(ref, Blob.size, size)
                try tx.set(ref, Blob.lastUpdated, APIDate(seconds: WallClock.seconds))
            }
        } catch {
            // Destroyed meanwhile: the file would belong to nobody.
            if database.read({ $0.row(ref) }) == nil { try? FileManager.default.removeItem(atPath: path(blob)) }
            throw error
        }
    }

    // MARK: Rows

    static func insert(
        mimeType: String, name: String = "", isPublic: Bool, in tx: Transaction
    ) throws(APIError) -> Ref<Blob> {
        guard tx.count(className: Blob.className) < most else {
            throw .internalError("there are \(most) blobs already: destroy some first")
        }
        let ref = Ref<Blob>.new()
        tx.insert(Blob.self, ref: ref) { row in
            row[Blob.nameLabel] = name
            row[Blob.mimeType] = mimeType.isEmpty ? "application/octet-stream" : mimeType
            row[Blob.public] = isPublic
        }
        return ref
    }

    func destroy(_ ref: Ref<Blob>) async throws {
        let uuid = try await database.transaction { tx -> String in
            let uuid = try tx.require(ref)[Blob.uuid]
            try Self.detach(ref, in: tx)
            tx.delete(ref)
            return uuid
        }
        try? FileManager.default.removeItem(atPath: path(uuid: uuid))
    }

    /// Takes the blob out of its owner's map.
    private static func detach(_ ref: Ref<Blob>, in tx: Transaction) throws {
        guard let owner = tx.privateRecords(kind: ownerKind)[ref.opaque] else { return }
        tx.setPrivate(kind: ownerKind, key: ref.opaque, value: nil)
        guard let (className, object) = split(owner), let row = tx.row(className: className, ref: object),
            let blobs = [String: Ref<Blob>](api: row[field: "blobs"])
        else { return }
        try tx.update(
            className: className, ref: object, field: "blobs", blobs.filter { $0.value != ref }.apiValue)
    }

    private static func split(_ owner: String) -> (className: String, ref: String)? {
        let parts = owner.split(separator: "/", maxSplits: 1).map(String.init)
        return parts.count == 2 ? (parts[0], parts[1]) : nil
    }

    // MARK: Owners that go

    /// A blob of some object.
    struct Owned: Sendable {
        let blob: StoredBlob
        /// By which its owner calls it.
        let name: String
        let version: Version
    }

    /// Which content it has, as far as its row tells.
    struct Version: Hashable, Sendable {
        /// Bytes; 0: nothing was put yet.
        let size: Int64
        let updated: APIDate
    }

    /// Those of an object, by their names.
    static func owned(by className: String, _ ref: String, _ reader: any DatabaseReader) -> [Owned] {
        let map = reader.row(className: className, ref: ref).flatMap { [String: Ref<Blob>](api: $0[field: "blobs"]) }
        return (map ?? [:]).sorted { $0.key < $1.key }.compactMap { name, blob in
            reader.row(blob).map { row in
                Owned(
                    blob: StoredBlob(row), name: name,
                    version: Version(size: row[Blob.size], updated: row[Blob.lastUpdated]))
            }
        }
    }

    /// It does not go with its owner.
    static func release(_ ref: Ref<Blob>, in tx: Transaction) {
        tx.setPrivate(kind: ownerKind, key: ref.opaque, value: nil)
    }

    /// The row, of a blob whose owner goes in the same transaction.
    static func remove(_ ref: Ref<Blob>, in tx: Transaction) {
        release(ref, in: tx)
        tx.delete(ref)
    }

    /// Of blobs that have no rows any more. What cannot be removed goes with the next sweep.
    func removeContents(_ uuids: [String]) {
        for uuid in uuids { try? FileManager.default.removeItem(atPath: path(uuid: uuid)) }
    }

    // MARK: Upkeep

    /// Removes the blobs whose owners are gone, and files that no row knows.
    func sweep() async {
        let orphans = database.read { reader -> [String] in
            reader.privateRecords(kind: Self.ownerKind).compactMap { blob, owner in
                guard let (className, ref) = Self.split(owner) else { return blob }
                return reader.row(className: className, ref: ref) == nil ? blob : nil
            }
        }
        if !orphans.isEmpty {
            do {
                try await database.transaction { tx in
                    for blob in orphans {
                        tx.setPrivate(kind: Self.ownerKind, key: blob, value: nil)
                        tx.delete(Ref<Blob>(blob))
                    }
                }
            } catch {
                logger.warning("blobs without owners stay", metadata: ["error": "\(error)"])
            }
        }
        // The files first: a row that is made meanwhile has no file yet.
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        let known = Set(database.read { $0.rows(Blob.self).map { $0[Blob.uuid] } })
        for file in files where !known.contains(file) && !BlobUpload.isUnfinished(file) {
            try? FileManager.default.removeItem(atPath: path(uuid: file))
        }
    }

    /// What uploads that were broken off by the daemon's end left behind.
    func removeUnfinished() {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        for file in files where BlobUpload.isUnfinished(file) {
            try? FileManager.default.removeItem(atPath: path(uuid: file))
        }
    }
}

/// New content of a blob on its way: a file of its own until it is complete. Used by one task.
public final class BlobUpload: Sendable {
    private static let prefix = ".new-"
    private let temporary: String
    private let target: String
    private let descriptor: Int32

    static func isUnfinished(_ name: String) -> Bool { name.hasPrefix(prefix) }

    init(folder: String, target: String) throws {
        temporary = "\(folder)/\(Self.prefix)\(Fresh.uuid())"
        self.target = target
        descriptor = unsafe open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw APIError.internalError("cannot write a blob: \(Self.reason())") }
    }

    deinit {
        close(descriptor)
        // Gone already when it was committed.
        unsafe unlink(temporary)
    }

    /// Throws when the blob would be too large or the disk is full.
    public func write(_ bytes: [UInt8]) throws {
        guard lseek(descriptor, 0, SEEK_CUR) + bytes.count <= BlobStore.largest else {
            throw APIError("INVALID_VALUE", "size", "a blob has at most \(BlobStore.largest) bytes")
        }
        var done = 0
        while done < bytes.count {
            // SAFETY: writes from within the array.
            let count = unsafe bytes.withUnsafeBytes { buffer in
                unsafe Glibc.write(descriptor, buffer.baseAddress.map { unsafe $0 + done }, buffer.count - done)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw APIError.internalError("cannot write a blob: \(Self.reason())") }
            done += count
        }
    }

    /// Makes the content durable and puts it in place of the old. Returns its size.
    func commit() throws -> Int64 {
        let size = lseek(descriptor, 0, SEEK_CUR)
        do {
            try DurableFile.publish(temporary, as: target)
        } catch {
            throw APIError.internalError("cannot store a blob: \(error.localizedDescription)")
        }
        return Int64(size)
    }

    private static func reason() -> String { unsafe String(cString: strerror(errno)) }
}
