import APITypes
import PoolDatabase

/// blob.create and blob.destroy, and `create_new_blob` of the classes that have blobs.
struct BlobMessages: Sendable {
    let database: PoolDatabase
    let store: BlobStore

    private static let owners = [Host.className, Network.className, Pool.className, SR.className, VM.className]
    private static let longestName = 1024

    func register(in table: inout MessageTable) {
        table.on("blob.create") { _, arguments in
            let (mimeType, isPublic): (String, Bool) = (try arguments.get(0), try arguments.get(1))
            try Self.check(mimeType)
            return try await database.transaction { tx in
                try BlobStore.insert(mimeType: mimeType, isPublic: isPublic, in: tx).apiValue
            }
        }
        table.on("blob.destroy") { _, arguments in
            try await store.destroy(try arguments.get(0))
            return .void
        }
        for className in Self.owners {
            table.on("\(className).create_new_blob") { _, arguments in
                guard case .ref(let owner) = arguments.values[0] else { throw APIError.internalError("no reference") }
                return try await create(of: className, owner, arguments).apiValue
            }
        }
    }

    private func create(of className: String, _ owner: String, _ arguments: Arguments) async throws -> Ref<Blob> {
        let (name, mimeType): (String, String) = (try arguments.get(1), try arguments.get(2))
        let isPublic: Bool = try arguments.get(3)
        try Self.check(mimeType)
        guard name.utf8.count <= Self.longestName else {
            throw APIError("INVALID_VALUE", "name", "more than \(Self.longestName) bytes")
        }
        return try await database.transaction { tx in
            guard let row = tx.row(className: className, ref: owner) else {
                throw APIError.handleInvalid(className, owner)
            }
            var blobs = [String: Ref<Blob>](api: row[field: "blobs"]) ?? [:]
            guard blobs[name] == nil else { throw APIError("MAP_DUPLICATE_KEY", className, "blobs", owner, name) }
            let ref = try BlobStore.insert(mimeType: mimeType, name: name, isPublic: isPublic, in: tx)
            blobs[name] = ref
            try tx.update(className: className, ref: owner, field: "blobs", blobs.apiValue)
            tx.setPrivate(kind: BlobStore.ownerKind, key: ref.opaque, value: "\(className)/\(owner)")
            return ref
        }
    }

    /// It becomes a header: no more than a MIME type may be.
    private static func check(_ mimeType: String) throws(APIError) {
        let isPlain = mimeType.utf8.allSatisfy { (33...126).contains($0) || $0 == UInt8(ascii: " ") }
        guard isPlain, mimeType.utf8.count <= 200 else { throw APIError("INVALID_VALUE", "mime_type", mimeType) }
    }
}
