public import APITypes
public import PoolDatabase

/// What an export of machines' rows is asked for.
public struct MachineExportRequest: Sendable {
    /// References or uuids of machines; nil: all of the pool but the templates that it came with.
    public var machines: [String]?
    public var includesControlDomains: Bool
    public var includesSnapshots: Bool
    public var includesBases: Bool
    /// Kinds of devices to leave out, with commas between them: `vbd`, `vif`.
    public var leftOut: String

    public init(
        machines: [String]?, includesControlDomains: Bool = true, includesSnapshots: Bool = true,
        includesBases: Bool = false, leftOut: String = ""
    ) {
        self.machines = machines
        self.includesControlDomains = includesControlDomains
        self.includesSnapshots = includesSnapshots
        self.includesBases = includesBases
        self.leftOut = leftOut
    }
}

/// What an import of machines' rows is asked for: see `MachineImport.Options`.
public struct MachineImportRequest: Sendable {
    public var keepsIdentity: Bool
    public var isForced: Bool
    public var isDryRun: Bool
    public var isLive: Bool

    public init(keepsIdentity: Bool = false, isForced: Bool = false, isDryRun: Bool = false, isLive: Bool = false) {
        self.keepsIdentity = keepsIdentity
        self.isForced = isForced
        self.isDryRun = isDryRun
        self.isLive = isLive
    }
}

/// Machines' rows, out of this database and into it, as the archives that XenAPI's clients keep. Disks are left where they
/// are. An export reads one state of the database, and an import is one transaction: a toolstack that dies during either
/// leaves nothing half done.
public struct MachineDocuments: Sendable {
    private let database: PoolDatabase
    private let host: Ref<Host>
    fileprivate let room = DocumentRoom()

    public init(database: PoolDatabase, host: Ref<Host>) {
        self.database = database
        self.host = host
    }

    // MARK: - For other parts of the toolstack

    /// The archive of one machine.
    func archive(of vm: Ref<VM>, _ options: MachineExport.Options) throws -> [UInt8] {
        try archive(options) { _ in [vm] }
    }

    /// Brings the machines of an archive in, or says what would fail.
    func take(_ archive: [UInt8], _ options: MachineImport.Options) async throws -> MachineImport.Outcome {
        let document = try MachineDocument(try MachineArchive.unwrap(archive))
        return try await take(document, options)
    }

    func take(_ document: MachineDocument, _ options: MachineImport.Options) async throws -> MachineImport.Outcome {
        let work = MachineImport(document: document, options: options, host: host)
        do {
            return try await database.transaction { tx in
                let outcome = try work.run(in: tx)
                if options.isDryRun { throw DryRun(outcome: outcome) }
                return outcome
            }
        } catch let done as DryRun {
            return done.outcome
        }
    }

    /// Undoes the transaction of an import that was only to say what would fail.
    private struct DryRun: Error { let outcome: MachineImport.Outcome }

    // MARK: - For clients

    /// HANDLE_INVALID, UUID_INVALID, INVALID_VALUE [field, value], and OPERATION_NOT_ALLOWED [text] for a snapshot: those
    /// go with their machines.
    public func beginExport(_ request: MachineExportRequest) throws -> any DiskExportSource {
        var options = MachineExport.Options()
        options.includesSnapshots = request.includesSnapshots
        options.includesBases = request.includesBases
        for name in request.leftOut.split(separator: ",") {
            guard let device = MachineExport.Device(rawValue: name.lowercased()) else {
                throw APIError("INVALID_VALUE", "excluded_device_types", String(name.prefix(64)))
            }
            options.leavesOut.insert(device)
        }
        return ArchiveSource(try archive(options) { try Self.machines(request, $0) })
    }

    private func archive(
        _ options: MachineExport.Options, of machines: (any DatabaseReader) throws -> [Ref<VM>]
    ) throws -> [UInt8] {
        let document = try database.read { reader in
            try MachineExport.document(of: try machines(reader), options, host: host, in: reader)
        }
        return MachineArchive.wrap(document.encode(), time: WallClock.seconds)
    }

    private static func machines(
        _ request: MachineExportRequest, _ reader: any DatabaseReader
    ) throws(APIError) -> [Ref<VM>] {
        guard let named = request.machines else {
            return reader.rows(VM.self).filter { row in
                if row[VM.isControlDomain] && !request.includesControlDomains { return false }
                let isBrought = row[VM.isATemplate] && row[VM.otherConfig]["default_template"] == "true"
                return !row[VM.isDefaultTemplate] && !isBrought
            }.map { $0.typedRef(VM.self) }
        }
        var machines: [Ref<VM>] = []
        for text in named {
            guard let row = reader.row(Ref<VM>(text)) ?? reader.find(VM.self, uuid: text) else {
                throw text.hasPrefix("OpaqueRef:")
                    ? APIError.handleInvalid("VM", text) : APIError("UUID_INVALID", "VM", String(text.prefix(64)))
            }
            if row[VM.isASnapshot] {
                throw APIError("OPERATION_NOT_ALLOWED", "the VM is a snapshot, which is exported with its VM")
            }
            let vm = row.typedRef(VM.self)
            try OperationClaim.vm(vm, .metadataExport).check(reader)
            machines.append(vm)
        }
        return machines
    }

    /// `length`: bytes that will come. TOO_BUSY, before any of them, when there is no room for them.
    public func beginImport(
        _ request: MachineImportRequest, length: Int64, task: Ref<XenTask>
    ) throws(APIError) -> any DiskImportSink {
        let options = MachineImport.Options(
            keepsIdentity: request.keepsIdentity, isForced: request.isForced, isDryRun: request.isDryRun,
            isLive: request.isLive, task: task)
        let user = database.read { reader in
            reader.row(task).flatMap { reader.row($0[XenTask.session]) }?[Session.authUserSid] ?? ""
        }
        let bytes = Int(clamping: min(max(0, length), Int64(MachineArchive.longest + MachineArchive.block)))
        try room.take(bytes, for: user)
        return ArchiveSink(documents: self, options: options, room: bytes, user: user)
    }
}

/// Gives an archive.
private final class ArchiveSource: DiskExportSource {
    private let archive: PendingBytes
    let fileName = "export.xva"
    let contentType = "application/octet-stream"

    init(_ archive: [UInt8]) { self.archive = PendingBytes(archive) }

    func next() async throws -> [UInt8]? { await archive.next() }
    func close() async {}

    private actor PendingBytes {
        private static let piece = 256 << 10
        private var rest: ArraySlice<UInt8>

        init(_ bytes: [UInt8]) { rest = bytes[...] }

        func next() -> [UInt8]? {
            if rest.isEmpty { return nil }
            defer { rest = rest.dropFirst(Self.piece) }
            return Array(rest.prefix(Self.piece))
        }
    }
}

/// Takes an archive, and brings in what it holds when it is whole.
private actor ArchiveSink: DiskImportSink {
    private let documents: MachineDocuments
    private let options: MachineImport.Options
    private var archive: [UInt8] = []
    /// Of the memory that all documents may take together, bytes, and whose part it is.
    private var taken: Int
    private let user: String

    init(documents: MachineDocuments, options: MachineImport.Options, room: Int, user: String) {
        self.documents = documents
        self.options = options
        taken = room
        self.user = user
    }

    func write(_ chunk: [UInt8]) async throws {
        // What follows the document is not kept.
        guard archive.count <= MachineArchive.longest + MachineArchive.block else { return }
        archive += chunk
    }

    func finish() async throws -> APIValue {
        let whole = archive
        archive = []
        defer { giveBack() }
        let outcome = try await documents.room.inTurn { [documents, options] in
            try await documents.take(whole, options)
        }
        return .set(outcome.machines.map { .ref($0.opaque) })
    }

    func abort() async {
        archive = []
        giveBack()
    }

    private func giveBack() {
        documents.room.giveBack(taken, of: user)
        taken = 0
    }
}
