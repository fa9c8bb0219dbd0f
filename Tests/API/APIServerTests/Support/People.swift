import APITypes
import PoolDatabase
import RPCCodec
import Toolstack

extension TestHost {
    /// One of the pool's own users, with these roles. Returns the references of the user and of the subject.
    @discardableResult
    func person(
        _ name: String, password: String, roles: [BasicRoleName]
    ) async throws -> (user: String, subject: String) {
        let root = try await login()
        let user = try await ref(
            "user.create",
            [
                .structure([
                    WireMember("short_name", .string(name)), WireMember("fullname", .string("\(name) the tester")),
                    WireMember(
                        "other_config",
                        .structure([WireMember("password", .string(password)), WireMember("room", "12")])),
                ])
            ], session: root)
        let subject = try await subject(name, roles: roles, session: root)
        return (user, subject)
    }

    /// A subject with these roles.
    func subject(_ identifier: String, roles: [BasicRoleName], session: String) async throws -> String {
        let subject = try await ref(
            "subject.create",
            [
                .structure([
                    WireMember("subject_identifier", .string(identifier)),
                    WireMember("other_config", .structure([WireMember("subject-name", .string(identifier))])),
                ])
            ], session: session)
        for role in roles {
            let added = await call(
                "subject.add_to_roles", [.string(subject), .string(try await self.role(role, session: session))],
                session: session)
            _ = try added.get()
        }
        return subject
    }

    typealias BasicRoleName = String

    /// The reference of a role.
    func role(_ name: String, session: String) async throws -> String {
        guard case .set(let found) = try await call("role.get_by_name_label", [.string(name)], session: session).get(),
            case .ref(let ref)? = found.first
        else { throw APIError.internalError("no role \(name)") }
        return ref
    }

    func login(_ user: String, _ password: String, originator: String = "") async -> Result<String, APIError> {
        let answer = await call(
            "session.login_with_password", [.string(user), .string(password), "1.0", .string(originator)], session: nil)
        return answer.flatMap { value in
            guard case .ref(let ref) = value else { return .failure(.internalError("no session")) }
            return .success(ref)
        }
    }

    private func ref(_ method: String, _ params: [WireValue], session: String) async throws -> String {
        guard case .ref(let ref) = try await call(method, params, session: session).get() else {
            throw APIError.internalError("\(method) returned no reference")
        }
        return ref
    }
}
