import APIServer
import APITypes
import DataModel
import Foundation
import Logging
import PoolDatabase
import RPCCodec
import TestSupport
import Testing
import Toolstack
import XenAPIClient

private let model = Datamodel.all

/// Calls that nobody planned: every answer is a value of the declared type or an error that the API has.
@Suite struct RandomCallTests {
    /// Codes that are raised without being declared.
    private static let undeclared: Set<String> = [
        "Fault", "VBD_MISSING", "VDI_CONTENT_ID_MISSING", "VDI_IO_ERROR", "VDI_IS_SHARABLE", "VM_IS_SNAPSHOT",
        "REVERT_ONLY_ALLOWED_ON_SNAPSHOT", "SR_ATTACHED", "SR_NOT_SHARED", "HOST_CANNOT_SEE_SR",
        "SUSPEND_VDI_REPLACEMENT_IS_NOT_IDENTICAL", "VM_SNAPSHOT_FAILED", "VM_MEMORY_TARGET_WAIT_TIMEOUT",
        "NO_LOCAL_STORAGE", "CLIENT_ERROR", "BALLOONING_DISABLED",
    ]

    private static func isKnown(_ code: String) -> Bool {
        model.error(code) != nil || undeclared.contains(code) || code.hasPrefix("SR_BACKEND_FAILURE_")
    }

    /// Left out: what waits for events, what starts guests, and what would change this machine.
    private static func isExcluded(_ message: MessageDeclaration) -> Bool {
        switch message.wireName {
        case "event.next", "event.from", "event.register", "VM.start", "VM.start_on", "VM.resume", "VM.resume_on": true
        case "session.login_with_password", "session.slave_login", "session.slave_local_login",
            "session.slave_local_login_with_password":
            // Wrong passwords are answered late.
            true
        default:
            ["host", "pool", "PIF", "network", "Bond", "VLAN", "tunnel", "SR", "PBD"].contains(message.className)
                && message.origin == .custom && !message.name.hasPrefix("get_")
        }
    }

    private static func toolstack(_ folder: ScratchFolder) async throws -> Toolstack {
        try await Toolstack.start(
            configuration: ToolstackConfiguration(
                stateDirectory: folder.file("s"), runDirectory: folder.file("r"), acceleration: "tcg",
                logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })))
    }

    private static func login(_ dispatcher: Dispatcher) async throws -> String {
        let answer = await dispatcher.call(
            method: "session.login_with_password", params: ["root", ""], client: ClientInfo(isLocalSocket: true))
        guard case .ref(let session) = try answer.get() else { throw APIError.internalError("no session") }
        return session
    }

    private static func objects(_ database: PoolDatabase) -> (references: [String: [String]], uuids: [String]) {
        database.read { reader in
            var references: [String: [String]] = [:]
            var uuids: [String] = []
            for declared in model.classes where declared.inDatabase && declared.name != "session" {
                let rows = reader.rows(className: declared.name).prefix(20)
                references[declared.name] = rows.map(\.ref)
                uuids += rows.prefix(5).map(\.uuid)
            }
            return (references, uuids)
        }
    }

    @Test func randomCallsAreAnsweredByTheDeclaration() async throws {
        let folder = try ScratchFolder("rnd")
        let toolstack = try await Self.toolstack(folder)
        let dispatcher = toolstack.dispatcher
        var calls = RandomCalls(.printed(), excluding: Self.isExcluded)
        var session = try await Self.login(dispatcher)
        var seen: [String: Int] = [:]
        for step in 0..<3000 {
            if step % 500 == 0 { (calls.references, calls.uuids) = Self.objects(toolstack.database) }
            let call = calls.next(session: session)
            let answer = await dispatcher.call(method: call.method, params: call.params)
            let reply: RPCReply
            switch answer {
            case .success(let value):
                seen["ok", default: 0] += 1
                let type = call.method.hasPrefix("Async.") ? .ref("task") : call.message?.result ?? .void
                #expect(type.admits(value, in: model), "\(call.method) \(call.params) -> \(value)")
                reply = .success(value.wire)
            case .failure(let error):
                seen[error.code, default: 0] += 1
                #expect(Self.isKnown(error.code), "\(call.method) \(call.params): \(error)")
                if error.code == "INTERNAL_ERROR" {
                    let isDue = !call.isWellTyped || call.message?.isPoolInternal ?? true
                    #expect(isDue, "\(call.method) \(call.params): \(error)")
                }
                reply = .failure(error.wire)
            }
            // Whatever it is, clients can read it.
            #expect((try? XMLRPC.decodeReply(XMLRPC.encode(reply))) != nil, "\(call.method)")
            if !dispatcher.sessions.exists(Ref(session)) { session = try await Self.login(dispatcher) }
        }
        print("randomCallsAreAnsweredByTheDeclaration: \(seen.sorted { $0.value > $1.value })")
        #expect(seen["ok", default: 0] > 250 && seen.count > 8)
        await toolstack.stop()
    }

    @Test func randomCallsOverTheSocketAreAnsweredInTheEnvelope() async throws {
        let folder = try ScratchFolder("rnd")
        let toolstack = try await Self.toolstack(folder)
        let socket = folder.file("api/s")
        let service = try await APIService.start(
            dispatcher: toolstack.dispatcher, transfers: toolstack.transfers, services: toolstack.services,
            on: APIListeners(socket: socket),
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
        var calls = RandomCalls(.printed()) { Self.isExcluded($0) || $0.className == "session" || !$0.needsSession }
        (calls.references, calls.uuids) = Self.objects(toolstack.database)
        let client = try await XenAPISession.login(at: .unixSocket(path: socket), user: "root", password: "")
        for _ in 0..<400 {
            let call = calls.next(session: client.ref)
            do {
                // What is not the API's error is no answer at all.
                _ = try await client.call(call.method, Array(call.params.dropFirst()))
            } catch let error as APIError {
                #expect(Self.isKnown(error.code), "\(call.method): \(error)")
            }
        }
        await client.logout()
        await service.stop(patience: .zero)
        await toolstack.stop()
    }

    @Test func everyRoleGetsAnAnswerToRandomCalls() async throws {
        let host = try await TestHost()
        var calls = RandomCalls(.printed()) { Self.isExcluded($0) || $0.wireName == "VDI.pool_migrate" }
        (calls.references, calls.uuids) = Self.objects(host.database)
        for role in BasicRole.allCases {
            try await host.person("r-\(role.rawValue)", password: "p", roles: [role.rawValue])
            var session = try await host.login("r-\(role.rawValue)", "p").get()
            for _ in 0..<500 {
                let call = calls.next(session: session)
                let code = await host.dispatcher.call(method: call.method, params: call.params).failureCode
                if let code { #expect(Self.isKnown(code), "\(call.method) \(code)") }
                guard let message = call.message, message.needsSession, code == nil || code == "NOT_IMPLEMENTED" else {
                    continue
                }
                let isKeyed = !message.mapKeyRoles.isEmpty
                #expect(message.role.permits(role) || isKeyed, "\(role) was let into \(call.method)")
                if !host.dispatcher.sessions.exists(Ref(session)) {
                    session = try await host.login("r-\(role.rawValue)", "p").get()
                }
            }
        }
    }
}
