public import BlockIO
import CoreTypes
import NBDProtocol

/// A device offered under a name.
public struct NBDExport: Sendable {
    /// Up to 4096 bytes of UTF-8; the first export of a server also answers to the empty name.
    public let name: String
    public let device: any BlockDevice
    /// Refuses writes even where the device takes them.
    public let readOnly: Bool
    /// Holds its clients to its limits.
    public let throttle: DiskThrottle
    let flushes: SharedFlushes
    /// Its dirty bitmaps, asked for when a client connects.
    let changes: @Sendable () -> [any ChangedExtentSource]

    /// `changes`: what is offered as `qemu:dirty-bitmap:NAME`; bitmaps that come later are there for clients that come later.
    public init(
        name: String, device: any BlockDevice, readOnly: Bool = false, throttle: DiskThrottle = DiskThrottle(),
        changes: @escaping @Sendable () -> [any ChangedExtentSource] = { [] }
    ) {
        self.init(name, device, readOnly, throttle, SharedFlushes(), changes)
    }

    private init(
        _ name: String, _ device: any BlockDevice, _ readOnly: Bool, _ throttle: DiskThrottle, _ flushes: SharedFlushes,
        _ changes: @escaping @Sendable () -> [any ChangedExtentSource]
    ) {
        precondition(name.utf8.count <= NBDLimits.name, "an export name of more than \(NBDLimits.name) bytes")
        self.name = name
        self.device = device
        self.readOnly = readOnly
        self.throttle = throttle
        self.flushes = flushes
        self.changes = changes
    }

    /// The same for clients that only read, under another name. Their flushes succeed and do nothing: what was lost is told to
    /// who writes, also to one that comes later.
    public func readOnly(named name: String) -> NBDExport { NBDExport(name, device, true, throttle, flushes, changes) }

    /// The export as one client is to see it from its connection on.
    struct Offer {
        let description: ExportDescription
        let bitmaps: [any ChangedExtentSource]
    }

    var offer: Offer {
        let bitmaps = changes().filter { 1...MetaContext.longestBitmapName ~= $0.name.utf8.count }
        var description = described
        description.bitmaps = bitmaps.prefix(NBDLimits.bitmaps).map(\.name)
        return Offer(description: description, bitmaps: bitmaps)
    }

    /// What clients are told. The device's own flush covers writes from all connections, hence CAN_MULTI_CONN.
    private var described: ExportDescription {
        var flags: TransmissionFlags = [.hasFlags, .flush, .multipleConnections, .cache]
        if refusesWrites {
            flags.insert(.readOnly)
        } else {
            flags.formUnion([.forceUnitAccess, .trim, .writeZeroes, .fastZero])
        }
        // A power of two between 4 KiB and the largest request, whatever the device says.
        var preferred: UInt32 = 4096
        while preferred < NBDLimits.payload, UInt64(preferred) < device.preferredAlignment { preferred <<= 1 }
        return ExportDescription(name: name, size: device.size, flags: flags, preferredBlock: preferred)
    }

    var refusesWrites: Bool { readOnly || device.isReadOnly }
}
