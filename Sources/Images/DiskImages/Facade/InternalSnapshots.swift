public import BlockIO

/// A state of the disk that is kept inside the image (qcow2).
public struct SnapshotInfo: Hashable, Sendable {
    public var id: String
    public var name: String
    /// Seconds since 1970 and nanoseconds of that second.
    public var seconds: UInt32
    public var nanoseconds: UInt32
    /// Nanoseconds that the guest had run.
    public var guestClock: UInt64
    /// Bytes of saved machine state; 0 for a disk-only snapshot.
    public var stateSize: UInt64
    /// Virtual size of the disk then, bytes.
    public var diskSize: UInt64

    public init(
        id: String, name: String, seconds: UInt32, nanoseconds: UInt32 = 0, guestClock: UInt64 = 0,
        stateSize: UInt64 = 0, diskSize: UInt64
    ) {
        self.id = id
        self.name = name
        self.seconds = seconds
        self.nanoseconds = nanoseconds
        self.guestClock = guestClock
        self.stateSize = stateSize
        self.diskSize = diskSize
    }
}

/// A device that keeps earlier states of itself. A snapshot is named by its id, or else by its name when only one has
/// it; `.notFound` otherwise.
public protocol SnapshotKeeper: BlockDevice {
    func snapshots() throws(BlockError) -> [SnapshotInfo]
    /// Keeps the present state; durable when this returns. Requests may go on meanwhile.
    func createSnapshot(name: String) throws(BlockError) -> SnapshotInfo
    /// Makes the disk what it was; its present state is lost. Nobody else may use the device.
    func applySnapshot(_ name: String) throws(BlockError)
    func deleteSnapshot(_ name: String) throws(BlockError)
    /// A read-only view of a snapshot, valid until this device is closed.
    func openSnapshot(_ name: String) throws(BlockError) -> any BlockDevice
}
