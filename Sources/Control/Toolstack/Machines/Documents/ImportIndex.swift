import APITypes
import PoolDatabase

/// What an import looks up again and again, read from the database once. The work of an import is then proportional to what
/// the database has and to what the document has, not to the product of both: all other transactions wait for it.
struct ImportIndex {
    /// By SR and location.
    private var disks: [String: [String: [Row]]] = [:]
    /// Images of CDs in the SRs of such, the physical drives left aside, by location.
    private var images: [String: [Row]]?
    /// Networks by bridge.
    private var bridges: [String: String]?
    /// The number of the next bridge that may be free.
    private var nextBridge = 0
    /// The images of suspended machines.
    private var suspended: Set<String>?
    /// Templates by name; nil: there is none.
    private var templates: [String: Ref<VM>?] = [:]
    /// Bytes of memory that no guest was promised, when the import began.
    private var memory: Int64?

    mutating func disks(at location: String, in sr: Ref<SR>, _ reader: any DatabaseReader) -> [Row] {
        if disks[sr.opaque] == nil {
            disks[sr.opaque] = Dictionary(grouping: reader.rows(VDI.self, where: VDI.sr, is: sr)) { $0[VDI.location] }
        }
        return disks[sr.opaque]?[location] ?? []
    }

    mutating func images(at location: String, _ reader: any DatabaseReader) -> [Row] {
        let known =
            images
            ?? Dictionary(
                grouping: reader.rows(SR.self) { $0[SR.contentType] == "iso" && $0[SR.type] != "udev" }
                    .flatMap { reader.rows(VDI.self, where: VDI.sr, is: $0.typedRef(SR.self)) }
            ) { $0[VDI.location] }
        images = known
        return known[location] ?? []
    }

    mutating func network(of bridge: String, _ reader: any DatabaseReader) -> Ref<Network>? {
        readBridges(reader)
        return bridges?[bridge].map { Ref($0) }
    }

    /// A bridge that no network has, and takes it for `network`.
    mutating func takeBridge(for network: Ref<Network>, _ reader: any DatabaseReader) -> String {
        readBridges(reader)
        while true {
            let bridge = "\(NetworkMessages.bridgePrefix)\(nextBridge)"
            nextBridge += 1
            if bridges?[bridge] == nil {
                bridges?[bridge] = network.opaque
                return bridge
            }
        }
    }

    private mutating func readBridges(_ reader: any DatabaseReader) {
        if bridges != nil { return }
        bridges = Dictionary(reader.rows(Network.self).map { ($0[Network.bridge], $0.ref) }) { first, _ in first }
    }

    /// Whether a suspended machine has its memory there, another of this import too: whoever asks takes it.
    mutating func takeSuspendImage(_ disk: Ref<VDI>, _ reader: any DatabaseReader) -> Bool {
        if suspended == nil {
            suspended = Set(reader.rows(VM.self).map { $0[VM.suspendVDI] }.filter { !$0.isNull }.map(\.opaque))
        }
        return suspended?.insert(disk.opaque).inserted ?? false
    }

    mutating func template(named name: String, _ reader: any DatabaseReader) -> Ref<VM>? {
        if let known = templates[name] { return known }
        let found = reader.find(VM.self, nameLabel: name).first { $0[VM.isATemplate] }?.typedRef(VM.self)
        templates[name] = .some(found)
        return found
    }

    mutating func freeMemory(_ reader: any DatabaseReader) -> Int64 {
        if let memory { return memory }
        let (total, available) = HostMemory.read()
        let free = HostMemory.free(total: total, available: available, promised: HostMemory.promised(reader))
        memory = free
        return free
    }
}
