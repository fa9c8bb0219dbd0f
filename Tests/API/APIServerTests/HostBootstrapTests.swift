import APITypes
import Foundation
import PoolDatabase
import RPCCodec
import TestSupport
import Testing
import Toolstack

@Suite struct HostBootstrapTests {
    private func start(_ folder: ScratchFolder, passwordFile: String? = nil) async throws -> (PoolDatabase, Dispatcher)
    {
        let database = try await PoolDatabase.open(path: folder.file("pool.db"))
        let identity = try await HostBootstrap.run(
            database: database, stateDirectory: folder.path, initialPasswordFile: passwordFile)
        return (database, Dispatcher(database: database, host: identity.host, loginFailureDelay: .zero))
    }

    private func login(_ dispatcher: Dispatcher, _ password: String) async -> String? {
        let answer = await dispatcher.call(
            method: "session.login_with_password", params: ["root", .string(password)])
        guard case .success(.ref(let session)) = answer else { return nil }
        return session
    }

    @Test func theFirstStartMakesThePoolAndLaterOnesKeepIt() async throws {
        let folder = try ScratchFolder("bootstrap")
        let (database, dispatcher) = try await start(folder)
        let file = folder.file("initial-password")
        let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        let password = try String(contentsOfFile: file, encoding: .utf8).trimmingCharacters(in: .newlines)
        let session = try #require(await login(dispatcher, password))
        let host = try #require(database.read { $0.rows(Host.self).first })
        let domain = try #require(database.read { $0.row(host[Host.controlDomain]) })
        #expect(
            domain[VM.isControlDomain] && domain[VM.powerState] == .running && domain[VM.residentOn].opaque == host.ref)
        #expect(database.read { $0.row(host[Host.metrics])?[HostMetrics.memoryTotal] ?? 0 } > 0)
        let changed = await dispatcher.call(
            method: "session.change_password", params: [.string(session), .string(password), "a new one"])
        #expect(changed == .success(.void))
        try await database.close()

        let (again, other) = try await start(folder)
        for name in ["pool", "host", "network", "PIF", "VM"] {
            #expect(
                again.read { $0.rows(className: name).map(\.ref) }
                    == database.read { $0.rows(className: name).map(\.ref) })
        }
        #expect(await login(other, password) == nil)
        #expect(await login(other, "a new one") != nil)
        #expect(
            await other.call(method: "pool.get_all", params: [.string(session)])
                == .failure(APIError("SESSION_INVALID", session)), "sessions end with the daemon")
        try await again.close()
    }

    @Test func theFirstPasswordMayBeGiven() async throws {
        let folder = try ScratchFolder("bootstrap")
        let file = folder.file("given")
        try "a secret\n".write(toFile: file, atomically: true, encoding: .utf8)
        let (database, dispatcher) = try await start(folder, passwordFile: file)
        #expect(await login(dispatcher, "a secret") != nil)
        #expect(!FileManager.default.fileExists(atPath: folder.file("initial-password")))
        try await database.close()
        let empty = try ScratchFolder("bootstrap")
        await #expect(throws: (any Error).self) { try await start(empty, passwordFile: "/nonexistent") }
    }
}
