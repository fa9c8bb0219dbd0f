import APITypes
import Foundation
import Logging
import PoolDatabase
import RPCCodec
import TestSupport

@testable import Toolstack

/// A whole toolstack in this process, with folders as SRs, and no guests.
struct OperationHost {
    let folder: ScratchFolder
    let toolstack: Toolstack
    let session: String
    let host: String
    let domain: String

    var database: PoolDatabase { toolstack.database }
    var admission: OperationAdmission { OperationAdmission(database: database) }

    init(in folder: ScratchFolder? = nil, shutdownLimit: Int = 1200) async throws {
        let folder = try folder ?? ScratchFolder("ops")
        self.folder = folder
        toolstack = try await Toolstack.start(
            configuration: ToolstackConfiguration(
                stateDirectory: folder.file("s"), runDirectory: folder.file("r"), acceleration: "tcg",
                shutdownLimit: shutdownLimit,
                logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })))
        session = try await toolstack.dispatcher.sessions.login(
            user: "root", password: "", originator: "", client: ClientInfo(isLocalSocket: true)
        ).opaque
        let row = try toolstack.database.read { reader in
            guard let row = reader.rows(APITypes.Host.self).first else { throw APIError.internalError("no host") }
            return row
        }
        host = row.ref
        domain = row[APITypes.Host.controlDomain].opaque
    }

    func call(_ method: String, _ params: WireValue...) async throws -> APIValue {
        try await toolstack.dispatcher.call(method: method, params: [.string(session)] + params).get()
    }

    func ref(_ method: String, _ params: WireValue...) async throws -> String {
        let value = try await toolstack.dispatcher.call(method: method, params: [.string(session)] + params).get()
        guard case .ref(let ref) = value else { throw APIError.internalError("no reference") }
        return ref
    }

    /// The error's code and parameters; `["accepted"]` when there is none.
    func refused(_ method: String, _ params: WireValue...) async -> [String] {
        switch await toolstack.dispatcher.call(method: method, params: [.string(session)] + params) {
        case .success: ["accepted"]
        case .failure(let error): error.wire
        }
    }

    /// The names in a set of operations, or the operations in a map of those in progress.
    func operations(_ className: String, _ ref: String, _ field: String = "allowed_operations") async throws -> [String]
    {
        switch try await call("\(className).get_\(field)", .string(ref)) {
        case .set(let values): values.compactMap { String(api: $0) }
        case .map(let entries): entries.values.compactMap { String(api: $0) }
        default: throw APIError.internalError("no operations")
        }
    }

    // MARK: Objects

    /// `allocation`: of its `device_config`.
    func makeRepository(_ name: String, allocation: String? = nil) async throws -> (sr: String, pbd: String) {
        let path = folder.file(name)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        let sr = try await ref(
            "SR.create", .string(host),
            .structure(
                [WireMember("location", .string(path))]
                    + (allocation.map { [WireMember("allocation", .string($0))] } ?? [])),
            .string("0"), .string(name),
            .string(""), .string("file"), .string("user"), .bool(false), .structure([]))
        let pbd = database.read { $0.rows(PBD.self) { $0[PBD.sr].opaque == sr }.first?.ref }
        return (sr, pbd ?? "")
    }

    func makeDisk(in sr: String, bytes: Int = 1 << 20, format: String = "raw") async throws -> String {
        try await ref(
            "VDI.create",
            .structure([
                WireMember("name_label", .string("disk")), WireMember("SR", .string(sr)),
                WireMember("virtual_size", .string(String(bytes))), WireMember("type", .string("user")),
                WireMember("sharable", .bool(false)), WireMember("read_only", .bool(false)),
                WireMember("other_config", .structure([])),
                WireMember("sm_config", .structure([WireMember("image-format", .string(format))])),
            ]))
    }

    func makeVBD(
        _ vdi: String, in vm: String, type: String = "Disk", mode: String = "RW"
    ) async throws -> String {
        try await ref(
            "VBD.create",
            .structure([
                WireMember("VM", .string(vm)), WireMember("VDI", .string(vdi)),
                WireMember("userdevice", .string("autodetect")), WireMember("bootable", .bool(true)),
                WireMember("mode", .string(mode)), WireMember("type", .string(type)), WireMember("empty", .bool(false)),
                WireMember("other_config", .structure([])), WireMember("qos_algorithm_type", .string("")),
                WireMember("qos_algorithm_params", .structure([])),
            ]))
    }

    /// A halted VM with one processor. No guest is started here: tests write its power state.
    func makeMachine() async throws -> String {
        let ref = Ref<VM>.new()
        try await database.transaction { tx in
            tx.insert(VM.self, ref: ref) { row in
                row[VM.powerState] = .halted
                row[VM.domid] = -1
                (row[VM.vcpusMax], row[VM.vcpusAtStartup]) = (2, 1)
            }
        }
        return ref.opaque
    }
}
