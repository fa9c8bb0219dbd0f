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

    public init(name: String, device: any BlockDevice, readOnly: Bool = false) {
        precondition(name.utf8.count <= NBDLimits.name, "an export name of more than \(NBDLimits.name) bytes")
        self.name = name
        self.device = device
        self.readOnly = readOnly
    }

    /// What clients are told. The device's own flush covers writes from all connections, hence CAN_MULTI_CONN.
    var described: ExportDescription {
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
