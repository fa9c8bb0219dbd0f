import APITypes
import DataModel
import PoolDatabase
import Synchronization

/// Who somebody proved to be.
enum Account: Sendable {
    /// `root`, or whoever came over the local socket.
    case superuser(name: String)
    case user(UserAccount)
}

struct UserAccount: Sendable {
    let name: String
    let role: BasicRole
    let subject: Ref<Subject>
    let subjectIdentifier: String
    /// Null when the account is the system's (PAM).
    let user: Ref<User>
}

/// Checks names and passwords: `root`, then the pool's own users, then the system's if it is told to ask PAM. A wrong one is
/// answered late; that keeps nobody else waiting, and the number of those under way is bounded: so is how many can be tried
/// in a second, also where the check itself is quick.
final class Authenticator: Sendable {
    private let database: PoolDatabase
    private let pam: PAMService?
    private let failureDelay: Duration
    private let attempts = Mutex(0)

    /// How many attempts may be under way, those that wait for their late answer included.
    static let mostAttempts = 512

    init(database: PoolDatabase, pam: PAMService?, failureDelay: Duration) {
        self.database = database
        self.pam = pam
        self.failureDelay = failureDelay
    }

    /// SESSION_AUTHENTICATION_FAILED [name, text] after a pause; SESSION_AUTHORIZATION_FAILED [name, text] for a right
    /// password of somebody without a role here; TOO_BUSY when too many ask at once.
    func admit(user name: String, password: String) async throws -> Account {
        if name == "root" {
            try await check(name) { try await RootCredentials(database: self.database).admit(password: password) }
            return .superuser(name: name)
        }
        let local = LocalUsers(database: database).find(name)
        try await check(name) {
            if let local { return try await PasswordHash.matches(password, local.hash) }
            if let pam = self.pam { return try await pam.admits(user: name, password: password) }
            return try await PasswordHash.matches(password, nil)
        }
        return .user(try authorize(name, user: local?.user ?? .null))
    }

    /// Whether it is root's password; the same pause after a wrong one.
    func admitRoot(user name: String, password: String) async throws {
        try await check(name) {
            let matches = try await RootCredentials(database: self.database).admit(password: password)
            return matches && name == "root"
        }
    }

    /// For credentials that cannot be right.
    func refuse(_ name: String, _ text: String) async throws -> Never {
        try await check(name, text) { false }
        throw APIError("SESSION_AUTHENTICATION_FAILED", name, text)
    }

    private func check(
        _ name: String, _ text: String = "the user name or the password is wrong",
        _ isRight: @Sendable () async throws -> Bool
    ) async throws {
        let isAdmitted = attempts.withLock { count in
            guard count < Self.mostAttempts else { return false }
            count += 1
            return true
        }
        guard isAdmitted else { throw APIError("TOO_BUSY") }
        do {
            guard try await !isRight() else { return end() }
        } catch {
            end()
            throw error
        }
        // The attempt takes its time also when the client hangs up: who does not wait for the answer tries no faster.
        Task {
            try? await Task.sleep(for: failureDelay)
            end()
        }
        try? await Task.sleep(for: failureDelay)
        throw APIError("SESSION_AUTHENTICATION_FAILED", name, text)
    }

    private func end() { attempts.withLock { $0 -= 1 } }

    /// What the account may do.
    private func authorize(_ name: String, user: Ref<User>) throws -> UserAccount {
        let subject = database.read { SubjectMessages.find(name, in: $0) }
        guard let subject else {
            throw APIError("SESSION_AUTHORIZATION_FAILED", name, "no subject of this pool has this identifier")
        }
        guard let role = RoleTable.shared.strongest(subject[Subject.roles]) else {
            throw APIError("SESSION_AUTHORIZATION_FAILED", name, "the subject has no role")
        }
        return UserAccount(
            name: name, role: role, subject: subject.typedRef(Subject.self),
            subjectIdentifier: subject[Subject.subjectIdentifier], user: user)
    }
}
