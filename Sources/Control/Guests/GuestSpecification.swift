/// Everything QEMU needs to know about a guest. Texts may come from an API client; none of them can add QEMU options.
public struct GuestSpecification: Codable, Sendable {
    public enum Boot: Codable, Sendable, Hashable {
        /// QEMU loads these files of the host. `arguments` is the kernel's command line.
        case kernel(kernel: String, initrd: String?, arguments: String)
        /// The firmware starts what the bootable disks hold.
        case disk
    }

    /// Letters, digits and `-`: also the name of the guest's folder.
    public var uuid: String
    /// For people; any text.
    public var name: String
    public var memoryBytes: UInt64
    public var vcpus: Int
    public var boot: Boot
    public var disks: [GuestDisk]
    /// What the firmware says of the machine: texts by XenAPI's names for them, `FirmwareText.names`. Nil, as in records of
    /// earlier versions: what QEMU says.
    public var firmwareTexts: [String: String]?
    /// Its CD drives. Nil, as in records of earlier versions: none.
    public var drives: [GuestDrive]?
    /// A reboot from inside ends the guest, for whoever started it to start it again. Nil: it reboots by itself.
    public var endsOnReboot: Bool?

    public init(
        uuid: String, name: String, memoryBytes: UInt64, vcpus: Int, boot: Boot, disks: [GuestDisk],
        firmwareTexts: [String: String]? = nil, drives: [GuestDrive]? = nil,
        endsOnReboot: Bool? = nil
    ) {
        self.endsOnReboot = endsOnReboot
        self.drives = drives
        self.firmwareTexts = firmwareTexts
        self.uuid = uuid
        self.name = name
        self.memoryBytes = memoryBytes
        self.vcpus = vcpus
        self.boot = boot
        self.disks = disks
    }
}

/// One disk of a guest: an export of an NBD server on a Unix socket, usually a data-path process.
public struct GuestDisk: Codable, Sendable, Hashable {
    /// The VBD's uuid; unique within the guest.
    public var id: String
    /// At most 107 bytes: the kernel's limit for the address of a Unix socket.
    public var nbdSocket: String
    public var exportName: String
    public var readOnly: Bool
    /// XenAPI's `userdevice`: 0 is the first disk.
    public var position: Int
    public var bootable: Bool
    /// As the guest sees it, at most 20 letters and digits; nil, as in records of earlier versions: made from `id`.
    public var serial: String?

    public init(
        id: String, nbdSocket: String, exportName: String, readOnly: Bool = false, position: Int,
        bootable: Bool = false, serial: String? = nil
    ) {
        self.serial = serial
        self.id = id
        self.nbdSocket = nbdSocket
        self.exportName = exportName
        self.readOnly = readOnly
        self.position = position
        self.bootable = bootable
    }
}

/// How guests' instructions are executed. `auto` is KVM once it has proved to boot a kernel here, else emulation.
public enum Acceleration: String, Codable, Sendable, CaseIterable {
    case auto, kvm, tcg
}
