import APITypes
import PoolDatabase

/// The accounts that this pool keeps itself: rows of class `user`, and their passwords, hashed, among the private records.
/// An account says who somebody is; what they may do is said by the subject of the same name.
struct LocalUsers: Sendable {
    let database: PoolDatabase

    /// The entry of `other_config` that takes a password in. It is never stored there.
    static let passwordKey = "password"
    /// Longest name, bytes.
    private static let longestName = 255

    /// The account of this name and the hash of its password; nil when there is no account.
    func find(_ name: String) -> (user: Ref<User>, hash: String?)? {
        database.read { reader in
            guard let row = reader.rows(User.self, where: { $0[User.shortName] == name }).first else { return nil }
            return (row.typedRef(User.self), reader.privateRecords(kind: RootCredentials.kind)[row.ref])
        }
    }

    /// A new account, without rights. INVALID_VALUE [short_name, text]; DB_UNIQUENESS_CONSTRAINT_VIOLATION [user,
    /// short_name, name]; CHANGE_PASSWORD_REJECTED [text].
    func create(name: String, fullName: String, configuration: [String: String]) async throws -> Ref<User> {
        guard Self.isName(name) else {
            throw APIError("INVALID_VALUE", "short_name", String(name.prefix(Self.longestName)))
        }
        var configuration = configuration
        let hash = try await Self.hash(configuration.removeValue(forKey: Self.passwordKey))
        let ref = Ref<User>.new()
        try await database.transaction { transaction in
            guard transaction.rows(User.self, where: { $0[User.shortName] == name }).isEmpty else {
                throw APIError("DB_UNIQUENESS_CONSTRAINT_VIOLATION", User.className, "short_name", name)
            }
            transaction.insert(User.self, ref: ref) { row in
                row[User.shortName] = name
                row[User.fullname] = fullName
                row[User.otherConfig] = configuration
            }
            transaction.setPrivate(kind: RootCredentials.kind, key: ref.opaque, value: hash)
        }
        return ref
    }

    /// Replaces `other_config`; a password in it becomes the account's.
    func configure(_ ref: Ref<User>, _ configuration: [String: String]) async throws {
        var configuration = configuration
        let hash = try await Self.hash(configuration.removeValue(forKey: Self.passwordKey))
        try await database.transaction { transaction in
            _ = try transaction.require(ref)
            try transaction.set(ref, User.otherConfig, configuration)
            if let hash { transaction.setPrivate(kind: RootCredentials.kind, key: ref.opaque, value: hash) }
        }
    }

    /// A new password; nil: nobody can log in as this user until there is one.
    func setPassword(_ ref: Ref<User>, _ password: String?) async throws {
        _ = try database.read { try $0.require(ref) }
        let hash = try await Self.hash(password)
        try await database.transaction { transaction in
            _ = try transaction.require(ref)
            transaction.setPrivate(kind: RootCredentials.kind, key: ref.opaque, value: hash)
        }
    }

    func destroy(_ ref: Ref<User>) async throws {
        try await database.transaction { transaction in
            _ = try transaction.require(ref)
            transaction.delete(ref)
            transaction.setPrivate(kind: RootCredentials.kind, key: ref.opaque, value: nil)
        }
    }

    private static func hash(_ password: String?) async throws -> String? {
        guard let password else { return nil }
        return try await PasswordHash.make(password)
    }

    /// Printable, without blanks and what PAM, URLs and command lines trip over; not the superuser's.
    private static func isName(_ name: String) -> Bool {
        let forbidden = Set(":/\\\"'`$&;|<>*?()[]{}!#,".unicodeScalars)
        return !name.isEmpty && name != "root" && !name.hasPrefix("-") && name.utf8.count <= longestName
            && name.unicodeScalars.allSatisfy {
                !forbidden.contains($0) && !$0.properties.isWhitespace && $0.properties.generalCategory != .control
            }
    }
}
