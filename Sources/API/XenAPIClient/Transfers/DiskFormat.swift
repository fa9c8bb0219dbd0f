/// The format of a disk's image on its way: what `/import_raw_vdi` and `/export_raw_vdi` call `format`.
public struct DiskFormat: RawRepresentable, Hashable, Sendable {
    public let rawValue: String

    /// A format that a server may know beside those named here.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// The bytes of the disk, as long as it.
    public static let raw = DiskFormat(rawValue: "raw")
    public static let vhd = DiskFormat(rawValue: "vhd")
    public static let qcow2 = DiskFormat(rawValue: "qcow2")
}

/// How far a transfer is.
public struct TransferProgress: Hashable, Sendable {
    /// Bytes sent or received.
    public let done: UInt64
    /// Bytes in all; nil when it shows at the end only.
    public let total: UInt64?
}
