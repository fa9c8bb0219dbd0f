import APITypes
import Dispatch
import Foundation
import ImageCommands
import RPCCodec
import Synchronization
import XenAPIClient

/// The pool's own users over the API: an account (class `user`) and, by the same name, what it may do (class `subject`).
struct UserDirectory: Sendable {
    let session: XenAPISession

    struct Entry: Sendable {
        let name: String
        let fullName: String
        let roles: [String]
        let user: String
        let subject: String
        let roleReferences: [String]
    }

    /// The entry of a subject's `other_config` that names the account.
    private static let userKey = "user-uuid"

    /// Opens a session over the socket and runs `body` in it. The calling thread waits.
    static func run<T: Sendable>(
        _ what: String, socket: String, _ body: @escaping @Sendable (UserDirectory) async throws -> T
    ) throws -> T {
        let done = DispatchSemaphore(value: 0)
        let outcome = Mutex<Result<T, any Error>?>(nil)
        Task {
            let result: Result<T, any Error>
            do {
                var options = XenAPISession.Options()
                options.originator = "gantry"
                let session = try await XenAPISession.login(
                    at: .unixSocket(path: socket), user: "root", password: "", options: options)
                do {
                    result = .success(try await body(UserDirectory(session: session)))
                } catch {
                    result = .failure(error)
                }
                await session.logout()
            } catch {
                result = .failure(error)
            }
            outcome.withLock { $0 = result }
            done.signal()
        }
        done.wait()
        switch outcome.withLock({ $0 }) {
        case .success(let value)?: return value
        case .failure(let failure as CommandFailure)?: throw failure
        case .failure(let error as APIError)?:
            throw CommandFailure(what, why: "the toolstack says: \(error)", advice: advice(error))
        case .failure(let error)?:
            throw CommandFailure(what, why: "\(error)", advice: "--socket PATH, or starting gantryd")
        case nil: throw CommandFailure(what, why: "the call did not end")
        }
    }

    func add(_ name: String, fullName: String, role: String, password: String) async throws {
        let roleReference = try await reference(ofRole: role)
        let user = try await text(
            "user.create",
            [
                .members([
                    ("short_name", .string(name)), ("fullname", .string(fullName)),
                    ("other_config", .members([("password", .string(password))])),
                ])
            ])
        do {
            let uuid = try await text("user.get_uuid", [.string(user)])
            let subject = try await text(
                "subject.create",
                [
                    .members([
                        ("subject_identifier", .string(name)),
                        (
                            "other_config",
                            .members([("subject-name", .string(name)), (Self.userKey, .string(uuid))])
                        ),
                    ])
                ])
            do {
                _ = try await session.call("subject.add_to_roles", [.string(subject), .string(roleReference)])
            } catch {
                _ = try? await session.call("subject.destroy", [.string(subject)])
                throw error
            }
        } catch {
            // Nothing is left of a user that could not be made whole.
            _ = try? await session.call("user.destroy", [.string(user)])
            throw error
        }
    }

    func list() async throws -> [Entry] {
        var entries: [Entry] = []
        let records = try await session.call("subject.get_all_records", []).members ?? []
        for record in records {
            guard let uuid = record.value["other_config"]?[Self.userKey]?.text,
                let name = record.value["subject_identifier"]?.text,
                let user = try? await text("user.get_by_uuid", [.string(uuid)])
            else { continue }
            let references = record.value["roles"]?.items?.compactMap(\.text) ?? []
            var roles: [String] = []
            for reference in references { roles.append(try await text("role.get_name_label", [.string(reference)])) }
            entries.append(
                Entry(
                    name: name, fullName: try await text("user.get_fullname", [.string(user)]), roles: roles,
                    user: user, subject: record.name, roleReferences: references))
        }
        return entries.sorted { $0.name < $1.name }
    }

    func setRole(_ name: String, _ role: String) async throws {
        let (entry, wanted) = (try await find(name), try await reference(ofRole: role))
        if !entry.roleReferences.contains(wanted) {
            _ = try await session.call("subject.add_to_roles", [.string(entry.subject), .string(wanted)])
        }
        for other in entry.roleReferences where other != wanted {
            _ = try await session.call("subject.remove_from_roles", [.string(entry.subject), .string(other)])
        }
    }

    func setPassword(_ name: String, _ password: String) async throws {
        let entry = try await find(name)
        _ = try await session.call(
            "user.add_to_other_config", [.string(entry.user), .string("password"), .string(password)])
    }

    func remove(_ name: String) async throws {
        let entry = try await find(name)
        _ = try await session.call("user.destroy", [.string(entry.user)])
        _ = try await session.call("subject.destroy", [.string(entry.subject)])
    }

    private func find(_ name: String) async throws -> Entry {
        guard let entry = try await list().first(where: { $0.name == name }) else {
            throw CommandFailure(
                "there is no user \(name)", why: "the pool has no account of its own by that name",
                advice: "gantry host user list")
        }
        return entry
    }

    private func reference(ofRole name: String) async throws -> String {
        let found = try await session.call("role.get_by_name_label", [.string(name)]).items?.first?.text
        guard let found, !name.contains("."), !name.contains("/"), name != "client-cert" else {
            throw CommandFailure(
                "there is no role \(name)", why: "the roles are fixed",
                advice: "read-only, vm-operator, vm-admin, vm-power-admin, pool-operator or pool-admin",
                status: CommandFailure.Status.usage)
        }
        return found
    }

    private func text(_ method: String, _ parameters: [WireValue]) async throws -> String {
        guard let text = try await session.call(method, parameters).text else {
            throw ConnectionError.malformed(session.address, reason: "\(method) returned no text")
        }
        return text
    }

    private static func advice(_ error: APIError) -> String? {
        switch error.code {
        case "DB_UNIQUENESS_CONSTRAINT_VIOLATION", "SUBJECT_ALREADY_EXISTS":
            "another name, or gantry host user role and password for the one that exists"
        case "INVALID_VALUE": "a name of letters, digits, dots, dashes and underscores"
        default: nil
        }
    }
}
