import APITypes
import CCrypt
import Dispatch
import Glibc
import Synchronization

/// Passwords as crypt(3) keeps them, hashed with yescrypt. Hashing takes tens of milliseconds of a processor on purpose:
/// one at a time, on a thread of its own, and only so many may wait.
enum PasswordHash {
    /// Longest password, bytes: what crypt(3) takes.
    static let longest = 511
    /// How many log-ins may wait for their password to be looked at.
    static let mostWaiting = 64

    private static let queue = DispatchQueue(label: "password-hashing")
    private static let waiting = Mutex(0)
    /// Stands in for accounts that there are not: they take as long as the others. Nothing hashes to it.
    private static let nobody = Mutex<String?>(nil)

    /// A new hash. Throws CHANGE_PASSWORD_REJECTED [text] for a password that cannot be one.
    static func make(_ password: String) async throws -> String {
        let length = password.utf8.count
        guard length > 0, length <= longest, !password.utf8.contains(0) else {
            throw APIError(
                "CHANGE_PASSWORD_REJECTED", "a password has 1 to \(longest) bytes, and none of them is zero")
        }
        guard let hash = await onQueue({ crypt(password, setting: nil) }) else { throw CredentialError.hashingFailed }
        return hash
    }

    /// Whether the hash is of the password; for nil never, after the same time. Throws TOO_BUSY when too many wait.
    static func matches(_ password: String, _ hash: String?) async throws -> Bool {
        let isAdmitted = waiting.withLock { count in
            guard count < mostWaiting else { return false }
            count += 1
            return true
        }
        guard isAdmitted else { throw APIError("TOO_BUSY") }
        defer { waiting.withLock { $0 -= 1 } }
        return await onQueue {
            guard let setting = hash ?? standIn(), let given = crypt(password, setting: setting) else { return false }
            return isSame(Array(given.utf8), Array(setting.utf8)) && hash != nil
        }
    }

    private static func standIn() -> String? {
        nobody.withLock { kept in
            if kept == nil { kept = crypt("\(UInt64.random(in: 0...UInt64.max))", setting: nil) }
            return kept
        }
    }

    /// Compares in a time that depends on the lengths only.
    static func isSame(_ left: [UInt8], _ right: [UInt8]) -> Bool {
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
