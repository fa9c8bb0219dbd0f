import APITypes
import CoreTypes
import Foundation
import Logging
import PoolDatabase
import StorageInterface
import StorageManagers
import Synchronization
import TestSupport

@testable import Toolstack

/// The storage messages over a database of their own, with managers of the test's and no server.
struct StorageBench {
    let folder: ScratchFolder
    let database: PoolDatabase
    let context: StorageContext
    let repositories: RepositoryMessages
    private let messages: MessageTable

    /// `program`: of the data paths.
    init(_ managers: [any StorageManager], program: String = "/bin/false") async throws {
        let folder = try ScratchFolder("bench")
        try await self.init(
            managers,
            on: try await PoolDatabase.open(path: folder.file("pool.db"), deriving: AllowedOperations.derivation),
            folder, program: program)
    }

    /// As a start goes on with a database.
    init(
        _ managers: [any StorageManager], on database: PoolDatabase, _ folder: ScratchFolder,
        program: String = "/bin/false"
    ) async throws {
        let identity = try await HostBootstrap.run(database: database, stateDirectory: folder.path)
        self.init(managers, on: database, folder, host: identity.host, program: program)
        try await StorageManagerRows.register(context)
    }

    init(
        _ managers: [any StorageManager], on database: PoolDatabase, _ folder: ScratchFolder, host: Ref<APITypes.Host>,
        program: String = "/bin/false"
    ) {
        self.folder = folder
        self.database = database
        let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        context = StorageContext(
            database: database, host: host, managers: managers,
            disks: DiskActivation(
                database: database, host: DatapathHost(folder: folder.file("dp"), program: program, logger: logger)),
            logger: logger)
        let admission = OperationAdmission(database: database)
        repositories = RepositoryMessages(context: context, admission: admission)
        var table = MessageTable()
        repositories.register(in: &table)
        DiskMessages(context: context, admission: admission).register(in: &table)
        SnapshotMessages(context: context, admission: admission).register(in: &table)
        IntroductionMessages(context: context, admission: admission).register(in: &table)
        messages = table
    }

    @discardableResult
    func call(_ message: String, _ values: APIValue..., session: Ref<Session> = .null) async throws -> APIValue {
        guard let handler = messages.handlers[message] else { throw APIError.internalError(message) }
        return try await handler(
            CallContext(session: session, task: .null, progress: UnwatchedProgress()), Arguments(values))
    }

    func refused(_ message: String, _ values: APIValue...) async -> [String] {
        guard let handler = messages.handlers[message] else { return ["no such message"] }
        do {
            _ = try await handler(
                CallContext(session: .null, task: .null, progress: UnwatchedProgress()), Arguments(values))
            return ["accepted"]
        } catch let error as APIError {
            return error.wire
        } catch {
            return ["\(error)"]
        }
    }

    func create(_ type: String, _ config: [String: String]) async throws -> Ref<SR> {
        let made = try await call(
            "SR.create", .ref(context.host.opaque), .map(config.mapValues { .string($0) }), .int(0), .string("a"),
            .string(""), .string(type), .string("user"), .bool(false), .map([:]))
        guard let ref = Ref<SR>(api: made) else { throw APIError.internalError("no reference") }
        return ref
    }

    /// A folder as an SR of the type `file`.
    func makeFolder(_ name: String) async throws -> Ref<SR> {
        try FileManager.default.createDirectory(
            atPath: folder.file(name), withIntermediateDirectories: true)
        return try await create("file", ["location": folder.file(name)])
    }

    func pbds() -> [Row] { database.read { $0.rows(PBD.self) } }
    func disks() -> [Row] { database.read { $0.rows(VDI.self) } }
}

/// A manager whose SRs are nowhere; attaching waits for the test, or fails. It notes what it is asked for.
final class GatedManager: StorageManager {
    private struct State {
        var isOpen = false
        var failures = 0
        var waiting: [CheckedContinuation<Void, Never>] = []
        var calls: [String] = []
        var looks = 0
    }
    private let state = Mutex(State())
    let type: String
    let formats: [ImageFormat]
    let unknownFormats: [String]
    let writesRows: Bool

    /// Called while an SR is made.
    private let creating: @Sendable () async -> Void

    init(
        _ type: String = "gated", formats: [ImageFormat] = [.vhd, .qcow2, .raw], unknownFormats: [String] = [],
        writesRows: Bool = false, creating: @escaping @Sendable () async -> Void = {}
    ) {
        self.formats = formats
        self.creating = creating
        self.writesRows = writesRows
        self.type = type
        self.unknownFormats = unknownFormats
    }

    var calls: [String] { state.withLock { $0.calls } }
    /// How often it was asked for its space.
    var looks: Int { state.withLock { $0.looks } }
    var waiting: Int { state.withLock { $0.waiting.count } }

    private func note(_ call: String) { state.withLock { $0.calls.append(call) } }

    /// The next attach that is let through fails.
    func failNext() { state.withLock { $0.failures += 1 } }
    func close() { state.withLock { $0.isOpen = false } }
    func open() {
        let waiting = state.withLock { state in
            state.isOpen = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    var info: StorageManagerInfo {
        var info = FileStorageManager().info
        info.type = type
        info.supportedImageFormats = formats
        info.unknownImageFormats = unknownFormats
        info.writesRows = writesRows
        return info
    }
    func roundedSize(_ size: UInt64, format: ImageFormat) throws(StorageError) -> UInt64 { size }
    func largestSize(_ format: ImageFormat) -> UInt64 { 1 << 40 }
    func preferredFormats(_ configuration: [String: String]) -> [ImageFormat] { [.raw] }
    func createRepository(_ repository: StorageRepository) async throws(StorageError) {
        note("create")
        await creating()
    }
    func destroyRepository(_ repository: StorageRepository) async throws(StorageError) { note("destroy") }
    func attach(_ repository: StorageRepository) async throws(StorageError) {
        note("attach")
        await withCheckedContinuation { continuation in
            let isOpen = state.withLock { state -> Bool in
                if !state.isOpen { state.waiting.append(continuation) }
                return state.isOpen
            }
            if isOpen { continuation.resume() }
        }
        let fails = state.withLock { state -> Bool in
            defer { state.failures = max(0, state.failures - 1) }
            return state.failures > 0
        }
        if fails { throw StorageError(.mount, "as the test wants") }
    }
    func detach(_ repository: StorageRepository) async throws(StorageError) { note("detach") }
    func space(_ repository: StorageRepository) async throws(StorageError) -> RepositorySpace {
        state.withLock { $0.looks += 1 }
        return RepositorySpace(total: 1 << 30, free: 1 << 30, used: 0)
    }
    func scan(_ repository: StorageRepository) async throws(StorageError) -> RepositoryScan {
        RepositoryScan(volumes: [], problems: [:])
    }
    func createVolume(_ repository: StorageRepository, _ volume: NewVolume) async throws(StorageError) -> Volume {
        throw StorageError(.unimplemented, "not here")
    }
    func destroyVolume(_ repository: StorageRepository, _ volume: VolumeID) async throws(StorageError) {}
    /// The volume has another location afterwards.
    func snapshotVolume(
        _ repository: StorageRepository, _ volume: VolumeID, as wanted: NewVolume
    ) async throws(StorageError) -> DerivedVolume {
        note("snapshot \(volume.location)")
        func image(_ uuid: String, _ location: String) -> Volume {
            Volume(uuid: uuid, location: location, format: .raw, virtualSize: 1, physicalSize: 1)
        }
        return DerivedVolume(
            volume: image(wanted.uuid, wanted.uuid), origin: image(volume.uuid, volume.location + "+"))
    }
    func resizeVolume(
        _ repository: StorageRepository, _ volume: VolumeID, size: UInt64
    ) async throws(StorageError) -> Volume { throw StorageError(.unimplemented, "not here") }
    func stat(_ repository: StorageRepository, _ volume: VolumeID) async throws(StorageError) -> Volume {
        throw StorageError(.volumeMissing, "not here")
    }
    func attachVolume(
        _ repository: StorageRepository, _ volume: VolumeID, writable: Bool
    ) async throws(StorageError) -> VolumeAccess { throw StorageError(.volumeMissing, "not here") }
}
