/// A CD drive of a guest. It stays while its guest runs; discs come and go.
public struct GuestDrive: Codable, Sendable, Hashable {
    /// The VBD's uuid; unique within the guest, disks included.
    public var id: String
    /// XenAPI's `userdevice`; unique within the guest, disks included.
    public var position: Int
    public var bootable: Bool
    /// Nil: the drive is empty.
    public var disc: GuestDisc?
    /// As the guest sees it; nil: made from `id`.
    public var serial: String?

    public init(id: String, position: Int, bootable: Bool = false, disc: GuestDisc? = nil) {
        self.id = id
        self.position = position
        self.bootable = bootable
        self.disc = disc
    }
}

/// What is in a drive: an export of an NBD server on a Unix socket. It is only read.
public struct GuestDisc: Codable, Sendable, Hashable {
    /// At most 107 bytes: the kernel's limit for the address of a Unix socket.
    public var nbdSocket: String
    public var exportName: String

    public init(nbdSocket: String, exportName: String) {
        self.nbdSocket = nbdSocket
        self.exportName = exportName
    }
}

extension GuestDrive {
    /// QEMU's names of the drive and of the block node of its disc.
    var device: String { "cd\(position)" }
    var node: String { "disc\(position)" }

    /// The start of the uuid, as with disks.
    var visibleSerial: String { serial ?? String(id.filter { $0 != "-" }.prefix(GuestDisk.longestSerial)) }

    /// The bus that all drives of a guest are on, and the controller that it belongs to. A guest without drives has none.
    static let controller = "scsi"
    static let bus = "scsi.0"

    func check() throws(GuestError) {
        // A drive has the identity of a disk, and its disc the address of one.
        try GuestDisk(
            id: id, nbdSocket: disc?.nbdSocket ?? "/", exportName: disc?.exportName ?? "", position: position,
            serial: serial
        ).check()
    }
}
