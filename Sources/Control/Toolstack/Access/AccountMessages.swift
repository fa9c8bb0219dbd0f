import APITypes
import Dispatch
import Glibc
import PoolDatabase

/// The messages of class `auth`: what is known of an account that could become a subject. The identifier of an account is
/// its name, and nobody here belongs to groups. SUBJECT_CANNOT_BE_RESOLVED for whoever has no account.
struct AccountMessages: Sendable {
    let database: PoolDatabase
    /// The system's accounts are asked about too, as when somebody logs in.
    let hasSystemAccounts: Bool
    /// The system may ask servers about its accounts, and wait for them: that holds up nobody but the next who asks.
    private static let lookups = DispatchQueue(label: "system-accounts")

    func register(in messages: inout MessageTable) {
        messages.on("auth.get_subject_identifier") { _, arguments in
            let name: String = try arguments.get(0)
            _ = try await fullName(of: name)
            return .string(name)
        }
        messages.on("auth.get_subject_information_from_identifier") { _, arguments in
            let name: String = try arguments.get(0)
            let fullName = try await fullName(of: name)
            return .map([
                "subject-name": .string(name), "subject-displayname": .string(fullName.isEmpty ? name : fullName),
                "subject-is-group": .string("false"),
            ])
        }
        messages.on("auth.get_group_membership") { _, arguments in
            _ = try await fullName(of: try arguments.get(0))
            return .set([])
        }
    }

    private func fullName(of name: String) async throws(APIError) -> String {
        let user = database.read { reader in reader.rows(User.self) { $0[User.shortName] == name }.first }
        if let user { return user[User.fullname] }
        // The superuser is nobody's subject.
        if name != "root", hasSystemAccounts {
            let found = await withCheckedContinuation { done in
                Self.lookups.async { done.resume(returning: Self.systemAccount(name)) }
            }
            if let found { return found }
        }
        throw APIError("SUBJECT_CANNOT_BE_RESOLVED")
    }

    /// The full name of an account of the machine; nil when there is none. Source: getpwnam_r(3).
    private static func systemAccount(_ name: String) -> String? {
        if name.utf8.contains(0) { return nil }
        var buffer = [CChar](repeating: 0, count: 16384)
        // SAFETY: what the entry points to lies in the buffer, which outlives it here; both are whole.
        return unsafe buffer.withUnsafeMutableBufferPointer { space -> String? in
            guard let room = space.baseAddress else { return nil }
            var entry = unsafe passwd()
            var found: UnsafeMutablePointer<passwd>?
            guard unsafe getpwnam_r(name, &entry, room, space.count, &found) == 0, unsafe found != nil else {
                return nil
            }
            guard let comment = unsafe entry.pw_gecos else { return "" }
            return unsafe String(cString: comment).split(separator: ",", maxSplits: 1).first.map(String.init) ?? ""
        }
    }
}
