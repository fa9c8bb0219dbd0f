import PoolDatabase

/// The password of `root`, kept hashed among the private records of the database.
struct RootCredentials {
    let database: PoolDatabase

    static let kind = "credentials"
    private static let key = "root"

    var isSet: Bool { hash != nil }

    private var hash: String? { database.read { $0.privateRecords(kind: Self.kind)[Self.key] } }

    func set(_ password: String) async throws {
        let hash = try await PasswordHash.make(password)
        try await database.transaction { $0.setPrivate(kind: Self.kind, key: Self.key, value: hash) }
    }

    /// Whether it is root's password.
    func admit(password: String) async throws -> Bool { try await PasswordHash.matches(password, hash) }
}
