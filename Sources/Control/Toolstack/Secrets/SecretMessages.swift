import APITypes
import PoolDatabase

/// The messages of class `secret` that make and remove objects; the readers are implied. A secret's value is stored in the
/// database file, which only its owner can read, and is in no event and no log.
struct SecretMessages: Sendable {
    let database: PoolDatabase
    /// Bytes of a value.
    private static let longest = 64 << 10

    func register(in table: inout MessageTable) {
        table.on("secret.create") { _, arguments in
            let record = arguments.values[0]
            let value = record["value"].flatMap { String(api: $0) } ?? ""
            let config = record["other_config"].flatMap { [String: String](api: $0) } ?? [:]
            return try await add(uuid: Fresh.uuid(), value, config).apiValue
        }
        table.on("secret.introduce") { _, arguments in
            let uuid: String = try arguments.get(0)
            guard !uuid.isEmpty else { throw APIError("INVALID_VALUE", "uuid", uuid) }
            return try await add(uuid: uuid, try arguments.get(1), try arguments.get(2)).apiValue
        }
        table.on("secret.destroy") { _, arguments in
            let ref: Ref<Secret> = try arguments.get(0)
            try await database.transaction { tx in
                _ = try tx.require(ref)
                tx.delete(ref)
            }
            return .void
        }
    }

    private func add(uuid: String, _ value: String, _ config: [String: String]) async throws -> Ref<Secret> {
        guard value.utf8.count <= Self.longest else {
            throw APIError("INVALID_VALUE", "value", "more than \(Self.longest) bytes")
        }
        let ref = Ref<Secret>.new()
        try await database.transaction { tx in
            tx.insert(Secret.self, ref: ref) { row in
                row[Secret.uuid] = uuid
                row[Secret.value] = value
                row[Secret.otherConfig] = config
            }
        }
        return ref
    }
}
