import CCrypt
import Dispatch
import Glibc
import PoolDatabase

/// The password of `root`, kept as a yescrypt hash among the private records of the database.
struct RootCredentials {
    let database: PoolDatabase

    private static let kind = "credentials"
    private static let key = "root"
    /// Hashing takes tens of milliseconds of CPU: one at a time, and never on a thread that tasks need.
    private static let queue = DispatchQueue(label: "password-hashing")

    var isSet: Bool { hash != nil }

    private var hash: String? { database.read { $0.privateRecords(kind: Self.kind)[Self.key] } }

    func set(_ password: String) async throws {
        let hash = await Self.onQueue { Self.crypt(password, setting: nil) }
        guard let hash else { throw CredentialError.hashingFailed }
        try await database.transaction { $0.setPrivate(kind: Self.kind, key: Self.key, value: hash) }
    }

    /// Whether these are root's name and password. Takes as long for an unknown name as for a wrong password.
    func admit(user: String, password: String) async -> Bool {
        guard let hash else { return false }
        let matches = await Self.onQueue {
            guard let given = Self.crypt(password, setting: hash) else { return false }
            return Self.isSame(Array(given.utf8), Array(hash.utf8))
        }
        return matches && user == "root"
    }

    /// Compares in a time that depends on the lengths only.
    private static func isSame(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        guard left.count == right.count else { return false }
        var difference: UInt8 = 0
        for index in left.indices { difference |= left[index] ^ right[index] }
        return difference == 0
    }

    /// crypt(3) with the method and salt of `setting`; nil makes new ones. Nil when the library refuses.
    private static func crypt(_ password: String, setting: String?) -> String? {
        // SAFETY: crypt_ra and crypt_gensalt_ra allocate what they return; each pointer is freed once, after its text
        // was copied. The strings live as long as the calls.
        guard !password.utf8.contains(0) else { return nil }
        var room: UnsafeMutableRawPointer?
        var size: Int32 = 0
        defer { unsafe free(room) }
        if let setting {
            return unsafe crypt_ra(password, setting, &room, &size).map { unsafe String(cString: $0) }
        }
        guard let fresh = unsafe crypt_gensalt_ra("$y$", 0, nil, 0) else { return nil }
        defer { unsafe free(fresh) }
        return unsafe crypt_ra(password, fresh, &room, &size).map { unsafe String(cString: $0) }
    }

    private static func onQueue<T: Sendable>(_ work: @escaping @Sendable () -> T) async -> T {
        await withCheckedContinuation { continuation in
            queue.async { continuation.resume(returning: work()) }
        }
    }
}

enum CredentialError: Error, CustomStringConvertible {
    case hashingFailed
    case unreadable(String)

    var description: String {
        switch self {
        case .hashingFailed: "the system's crypt(3) has no yescrypt, or the password cannot be hashed"
        case .unreadable(let text): text
        }
    }
}
