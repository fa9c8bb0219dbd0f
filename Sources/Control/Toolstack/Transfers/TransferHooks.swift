public import APITypes

/// What an import or export of a disk's content is asked for, as the client wrote it.
public struct DiskTransferRequest: Sendable {
    /// Reference or uuid of the disk.
    public let vdi: String?
    /// Reference or uuid of the repository that an import makes a new disk in.
    public let sr: String?
    /// Lowercase: `raw`, `vhd`, `qcow2`.
    public let format: String
    /// Length of the request body in bytes, when the client said it.
    public let length: Int64?
    /// Reference or uuid of the disk that an export is the difference to.
    public let base: String?
    /// The body of a raw import comes in frames that name their offsets, and what it does not name stays as it is.
    public let isFramed: Bool

    public init(
        vdi: String?, sr: String?, format: String, length: Int64?, base: String?, isFramed: Bool = false
    ) {
        self.vdi = vdi
        self.sr = sr
        self.format = format
        self.length = length
        self.base = base
        self.isFramed = isFramed
    }
}

/// The content of disks, in and out. Errors are `APIError`s; anything else becomes INTERNAL_ERROR.
public protocol DiskTransfers: Sendable {
    func beginImport(_ request: DiskTransferRequest, context: CallContext) async throws -> any DiskImportSink
    func beginExport(_ request: DiskTransferRequest, context: CallContext) async throws -> any DiskExportSource
}

/// Takes the bytes of an image in order. Ends with exactly one of `finish` and `abort`.
public protocol DiskImportSink: Sendable {
    /// The stream says itself where it ends, and `finish` fails when it has not come to that: how long it is need not be known.
    var endsItself: Bool { get }
    func write(_ chunk: [UInt8]) async throws
    /// Everything is there. Returns the task's result: a reference to the disk.
    func finish() async throws -> APIValue
    /// The transfer failed or was given up.
    func abort() async
}

extension DiskImportSink {
    public var endsItself: Bool { false }
}

/// Gives the bytes of an image in order. Ends with `close`, whatever happened.
public protocol DiskExportSource: Sendable {
    /// What the client should call the file.
    var fileName: String { get }
    var contentType: String { get }
    /// The next bytes; nil at the end.
    func next() async throws -> [UInt8]?
    func close() async
}
