import APITypes
import CoreTypes
import Foundation
import Logging
import PoolDatabase
public import RPCCodec
import Synchronization
import TestSupport
import Toolstack

@testable import APIServer

/// A host without storage or guests: the database, the dispatcher with a few messages of its own, and disks in memory.
struct TestHost {
    let folder: ScratchFolder
    let database: PoolDatabase
    let dispatcher: Dispatcher
    let identity: HostIdentity
    let disks = MemoryDisks()
    let password: String
    let gate: Gate

    init(
        loginFailureDelay: Duration = .milliseconds(10), audit: AuditLog? = nil, pam: PAMService? = nil
    ) async throws {
        folder = try ScratchFolder("api")
        database = try await PoolDatabase.open(path: nil)
        identity = try await HostBootstrap.run(database: database, stateDirectory: folder.path)
        password = try String(contentsOfFile: folder.file("initial-password"), encoding: .utf8)
            .trimmingCharacters(in: .newlines)
        let gate = Gate()
        self.gate = gate
        var messages = MessageTable()
        messages.on("VDI.set_name_label") { [database] _, arguments in
            let (ref, name): (Ref<VDI>, String) = (try arguments.get(0), try arguments.get(1))
            if name == "broken" { throw Gate.Broken() }
            try await database.transaction { try $0.set(ref, VDI.nameLabel, name) }
            return .void
        }
        messages.on("VDI.create") { [database] _, arguments in
            let record = arguments.values[0]
            let ref = Ref<VDI>.new()
            try await database.transaction { transaction in
                transaction.insert(VDI.self, ref: ref) { row in
                    for field in ["name_label", "virtual_size", "type", "sm_config"] {
                        row[field: field] = record[field] ?? .void
                    }
                }
            }
            return ref.apiValue
        }
        // Runs until the test lets it end, reporting all the time.
        messages.on("VDI.pool_migrate", cancellable: true) { context, arguments in
            for step in 1... {
                if context.progress.cancellation.isCancelled { throw CancellationError() }
                context.progress.report(min(0.9, Double(step) / 1000))
                context.progress.annotate(["phase": "copy", "step": String(step)])
                if gate.isOpen { break }
                try await Task.sleep(for: .milliseconds(1))
            }
            return arguments.values[0]
        }
        messages.on("VDI.update") { [disks] _, _ in
            disks.room.open()
            return .void
        }
        messages.on("VDI.forget") { _, arguments in
            throw APIError("VDI_IN_USE", try arguments.get(0, as: Ref<VDI>.self).opaque, "forget")
        }
        dispatcher = Dispatcher(
            database: database, host: identity.host, messages: messages, loginFailureDelay: loginFailureDelay,
            audit: audit, pam: pam)
    }

    /// Opens once.
    final class Gate: Sendable {
        struct Broken: Error {}
        private let state = Atomic<Bool>(false)
        var isOpen: Bool { state.load(ordering: .acquiring) }
        func open() { state.store(true, ordering: .releasing) }
    }

    func serve(limits: HTTPLimits = HTTPLimits()) async throws -> APIService {
        try await APIService.start(
            dispatcher: dispatcher, transfers: disks,
            on: APIListeners(
                http: HTTPAddress(host: "127.0.0.1", port: 0), https: HTTPAddress(host: "127.0.0.1", port: 0),
                certificateFolder: folder.file("tls"), socket: folder.file("run/api.sock")),
            limits: limits, logger: Logger(label: "test"))
    }

    func login() async throws -> String {
        let answer = try await call("session.login_with_password", ["root", .string(password)], session: nil).get()
        guard case .ref(let ref) = answer else { throw APIError.internalError("no session") }
        return ref
    }

    func call(
        _ method: String, _ params: [WireValue] = [], session: String?
    ) async -> Result<APIValue, APIError> {
        await dispatcher.call(method: method, params: (session.map { [.string($0)] } ?? []) + params)
    }
}

extension WireValue: ExpressibleByStringLiteral {
    public init(stringLiteral value: String) { self = .string(value) }
}

/// Disks as arrays of bytes, by any name.
final class MemoryDisks: DiskTransfers {
    private let content = Mutex<[String: [UInt8]]>([:])
    private let failing = Mutex<Set<String>>([])
    private let aborted = Mutex<[String]>([])

    subscript(name: String) -> [UInt8]? {
        get { content.withLock { $0[name] } }
        set { content.withLock { $0[name] = newValue } }
    }

    /// The disk `gated` takes nothing before it is open.
    let room = TestHost.Gate()

    /// How much of the endless disk was read.
    var endlessBytes: Int { endless.withLock { $0 } }
    private let endless = Mutex(0)

    /// Writes to this disk fail, and reads after its first chunk.
    func breakDisk(_ name: String) { _ = failing.withLock { $0.insert(name) } }
    var abortedImports: [String] { aborted.withLock { $0 } }
    /// The disks whose imports came in frames, which are in them as they came.
    var framedImports: [String] { framed.withLock { $0 } }
    private let framed = Mutex<[String]>([])

    func beginImport(_ request: DiskTransferRequest, context: CallContext) async throws -> any DiskImportSink {
        let name = request.vdi ?? request.sr ?? ""
        if name == "missing" { throw APIError.handleInvalid("VDI", name) }
        return Sink(disks: self, name: name, isFramed: request.isFramed)
    }

    func beginExport(_ request: DiskTransferRequest, context: CallContext) async throws -> any DiskExportSource {
        let name = request.vdi ?? ""
        if name == "endless" { return EndlessSource(disks: self) }
        guard let bytes = self[name] else { throw APIError.handleInvalid("VDI", name) }
        let fails = failing.withLock { $0.contains(name) }
        return Source(name: name, format: request.format, bytes: bytes, fails: fails)
    }

    private final class Sink: DiskImportSink {
        let disks: MemoryDisks
        let name: String
        let isFramed: Bool
        let bytes = Mutex<[UInt8]>([])

        init(disks: MemoryDisks, name: String, isFramed: Bool) {
            self.disks = disks
            self.name = name
            self.isFramed = isFramed
        }

        func write(_ chunk: [UInt8]) async throws {
            if disks.failing.withLock({ $0.contains(name) }) { throw APIError("SR_FULL", "1", "0") }
            while name == "gated", !disks.room.isOpen { try await Task.sleep(for: .milliseconds(1)) }
            bytes.withLock { $0 += chunk }
        }

        func finish() async throws -> APIValue {
            disks[name] = bytes.withLock { $0 }
            if isFramed { disks.framed.withLock { $0.append(name) } }
            return .ref(name)
        }

        func abort() async { disks.aborted.withLock { $0.append(name) } }
    }

    private final class Source: DiskExportSource {
        let fileName: String
        let contentType = "application/octet-stream"
        let bytes: [UInt8]
        let fails: Bool
        let position = Mutex(0)

        init(name: String, format: String, bytes: [UInt8], fails: Bool) {
            fileName = "\(name).\(format)"
            self.bytes = bytes
            self.fails = fails
        }

        func next() async throws -> [UInt8]? {
            let start = position.withLock { position in
                defer { position += 65536 }
                return position
            }
            if fails && start > 0 { throw APIError("VDI_IO_ERROR", fileName) }
            return start < bytes.count ? Array(bytes[start..<min(start + 65536, bytes.count)]) : nil
        }

        func close() async {}
    }

    private struct EndlessSource: DiskExportSource {
        let disks: MemoryDisks
        let fileName = "endless.raw"
        let contentType = "application/octet-stream"

        func next() async throws -> [UInt8]? {
            disks.endless.withLock { $0 += 65536 }
            return [UInt8](repeating: 7, count: 65536)
        }

        func close() async {}
    }
}
