/// What a guest's QEMU was started with and another one must offer the same of, for a guest that is moved there.
public struct GuestHardware: Codable, Sendable, Hashable {
    /// QEMU's machine type with its version ("pc-q35-7.2"): a newer QEMU goes on offering it as it was.
    public var machine: String
    /// QEMU's processor model ("Nehalem"; "host" with KVM).
    public var processor: String
    /// KVM executes the guest's instructions.
    public var isAccelerated: Bool
    /// What the guest has seen of this machine's processor, when KVM executes it (`ProcessorTraits`); nil when it is emulated.
    public var traits: String?
    /// It has a graphics card.
    public var hasScreen: Bool
    /// Bytes of memory that it has beyond what its specification says; nil, as of earlier versions: none.
    public var extraMemory: UInt64?

    /// QEMU gives memory in these steps, bytes.
    private static let memoryStep: UInt64 = 8192
    /// As many pages as one word has marks for, bytes.
    private static let block: UInt64 = 64 * 4096
    private static let mostExtraMemory: UInt64 = 1 << 20

    public init(
        machine: String, processor: String, isAccelerated: Bool, traits: String? = nil, hasScreen: Bool,
        extraMemory: UInt64? = nil
    ) {
        self.machine = machine
        self.processor = processor
        self.isAccelerated = isAccelerated
        self.traits = traits
        self.hasScreen = hasScreen
        self.extraMemory = extraMemory
    }

    /// A guest with `memoryBytes` that is started here, on the newest machine of this QEMU.
    static func fresh(isAccelerated: Bool, hasScreen: Bool, memoryBytes: UInt64) -> GuestHardware {
        GuestHardware(
            machine: "q35", processor: isAccelerated ? "host" : "Nehalem", isAccelerated: isAccelerated,
            hasScreen: hasScreen, extraMemory: isAccelerated ? nil : extraMemory(beyond: memoryBytes))
    }

    /// The least with which a guest's memory is no whole number of blocks; nil: it is none as it is.
    ///
    /// QEMU before 9.0 loses pages of a guest that it emulates itself when that is sent while it runs: where the memory is whole
    /// blocks of 64 pages it clears the marks of changed pages a word at a time, and its translation cache, which does not hear of it,
    /// writes on without setting them. Memory of another length it goes through page by page, which tells the cache (QEMU's commit
    /// 03bfc2188f06, "physmem: Fix migration dirty bitmap coherency with TCG memory access").
    private static func extraMemory(beyond bytes: UInt64) -> UInt64? {
        let whole = bytes % memoryStep == 0 ? bytes : bytes - bytes % memoryStep + memoryStep
        let extra = whole - bytes + (whole % block == 0 ? memoryStep : 0)
        return extra == 0 ? nil : extra
    }

    /// Throws `.invalidSpecification` for names that QEMU must not be told: a peer may have sent them.
    func check() throws(GuestError) {
        func isName(_ text: String) -> Bool { GuestFolder.isPlain(text.filter { $0 != "." && $0 != "_" }) }
        guard isName(machine), isName(processor), machine.utf8.count <= 64, processor.utf8.count <= 64 else {
            throw GuestError(
                .invalidSpecification, "a machine or a processor is named by letters, digits, '.', '-' and '_'")
        }
        guard (extraMemory ?? 0) <= Self.mostExtraMemory else {
            throw GuestError(.invalidSpecification, "a guest has a few pages of memory more than it is given, not more")
        }
        // Devices have their places on this chipset.
        guard machine.hasPrefix("pc-q35-") else {
            throw GuestError(.incompatible, "the guest's machine is a \(machine), and only pc-q35 ones run here")
        }
    }
}

/// A guest as another QEMU can take it over: what it has, where each of its disks sits, and its hardware.
///
/// The one who receives it puts other disks into the places of these: `replace`.
public struct GuestPassport: Codable, Sendable {
    public private(set) var specification: GuestSpecification
    /// The root port of each disk, by disk id.
    public private(set) var ports: [String: Int]
    public var hardware: GuestHardware
    /// Its processors are held, and are to be so afterwards.
    public var isPaused: Bool

    init(specification: GuestSpecification, ports: [String: Int], hardware: GuestHardware, isPaused: Bool) {
        self.ports = ports
        self.hardware = hardware
        self.isPaused = isPaused
        self.specification = specification
        // What the guest sees of a disk's identity stays with it.
        for index in specification.disks.indices {
            self.specification.disks[index].serial = specification.disks[index].visibleSerial
        }
        for index in (specification.drives ?? []).indices {
            self.specification.drives?[index].serial = specification.drives?[index].visibleSerial
        }
    }

    /// Names the guest anew, and what the kernel that it boots from is here; nil leaves each as it is.
    public mutating func rename(uuid: String? = nil, name: String? = nil, boot: GuestSpecification.Boot? = nil) {
        if let uuid { specification.uuid = uuid }
        if let name { specification.name = name }
        if let boot { specification.boot = boot }
    }

    /// The disk `id` is `newID` on the host that receives, and is there on `socket`. Throws `.invalidSpecification` when the guest
    /// has none of that name.
    public mutating func replace(
        disk id: String, with newID: String, socket: String, exportName: String
    ) throws(GuestError) {
        guard let index = specification.disks.firstIndex(where: { $0.id == id }), let port = ports[id] else {
            throw GuestError(.invalidSpecification, "the guest has no disk \(id.prefix(64))")
        }
        specification.disks[index].id = newID
        specification.disks[index].nbdSocket = socket
        specification.disks[index].exportName = exportName
        ports[id] = nil
        ports[newID] = port
    }

    /// The drive `id` is `newID` on the host that receives, with that disc in it; nil: it is empty there.
    public mutating func replace(drive id: String, with newID: String, disc: GuestDisc?) throws(GuestError) {
        guard let index = specification.drives?.firstIndex(where: { $0.id == id }) else {
            throw GuestError(.invalidSpecification, "the guest has no drive \(id.prefix(64))")
        }
        specification.drives?[index].id = newID
        specification.drives?[index].disc = disc
    }

    /// Throws `.invalidSpecification` for what cannot be: a peer may have sent it.
    func check() throws(GuestError) {
        try specification.check()
        try hardware.check()
        let ids = Set(specification.disks.map(\.id))
        let places = Set(ports.values)
        guard ids == Set(ports.keys), places.count == ports.count,
            places.allSatisfy({ (0..<RootPorts.count).contains($0) })
        else {
            throw GuestError(
                .invalidSpecification, "each disk has one root port of its own, 0 to \(RootPorts.count - 1)")
        }
    }
}
