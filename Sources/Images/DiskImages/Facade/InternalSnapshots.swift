public import BlockIO
public import CoreTypes

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

/// Which snapshot of an image is meant.
public enum SnapshotSelector: Hashable, Sendable {
    case id(String)
    /// A name that only one has.
    case name(String)
    /// An id or else such a name.
    case either(String)
}

/// A device that keeps earlier states of itself. A snapshot is named by its id, or else by its name when only one has
/// it; `.notFound` otherwise.
public protocol SnapshotKeeper: BlockDevice {
    func snapshots() throws(BlockError) -> [SnapshotInfo]
    /// Keeps the present state; durable when this returns. Requests may go on meanwhile.
    @discardableResult
    func createSnapshot(name: String) throws(BlockError) -> SnapshotInfo
    /// Makes the disk what it was; its present state is lost. Nobody else may use the device.
    func applySnapshot(_ name: String) throws(BlockError)
    func deleteSnapshot(_ name: String) throws(BlockError)
    /// `.exists` when another snapshot has the new name.
    func renameSnapshot(_ name: String, to newName: String) throws(BlockError)
    /// A read-only view of a snapshot, valid until this device is closed.
    func openSnapshot(_ name: String) throws(BlockError) -> any BlockDevice
}

/// Work on the snapshots of images that nobody else has open (reading goes along with other readers). `.unsupported` for
/// formats that have none. The parents of the image are not opened.
extension DiskImage {
    /// The snapshots that the image names, in its order.
    public static func snapshots(path: String, format: ImageFormat) throws(BlockError) -> [SnapshotInfo] {
        let keeper = try snapshotKeeper(path, format, readOnly: true)
        defer { try? keeper.close() }
        do throws(BlockError) { return try keeper.snapshots() } catch { throw error.at(path: path) }
    }

    /// Keeps the present state; durable when this returns. `.busy` when somebody has the image open.
    @discardableResult
    public static func createSnapshot(
        path: String, format: ImageFormat, name: String
    ) throws(BlockError) -> SnapshotInfo {
        var made: SnapshotInfo?
        try withSnapshotKeeper(path, format) { (keeper) throws(BlockError) in
            made = try keeper.createSnapshot(name: name)
        }
        guard let made else { throw BlockError(.io, "the snapshot was not made", path: path) }
        return made
    }

    /// Makes the disk what it was; its present state is lost. `.notFound` when no snapshot, or more than one, is so named.
    public static func applySnapshot(path: String, format: ImageFormat, _ name: String) throws(BlockError) {
        try withSnapshotKeeper(path, format) { (keeper) throws(BlockError) in try keeper.applySnapshot(name) }
    }

    /// Gives back what only this snapshot has. `.notFound` as for `applySnapshot`.
    public static func deleteSnapshot(path: String, format: ImageFormat, _ name: String) throws(BlockError) {
        try withSnapshotKeeper(path, format) { (keeper) throws(BlockError) in try keeper.deleteSnapshot(name) }
    }

    /// Gives a snapshot another name; `.exists` when one has that already.
    public static func renameSnapshot(
        path: String, format: ImageFormat, _ name: String, to newName: String
    ) throws(BlockError) {
        try withSnapshotKeeper(path, format) { (keeper) throws(BlockError) in
            try keeper.renameSnapshot(name, to: newName)
        }
    }

    /// A snapshot as a read-only device of its own; closing it closes the image.
    public static func open(
        path: String, format: ImageFormat, policy: OpenPolicy = .standalone, snapshot: SnapshotSelector
    ) throws(BlockError) -> any BlockDevice {
        let device = try open(path: path, format: format, readOnly: true, policy: policy)
        do throws(BlockError) {
            guard let image = device as? QCOW2Image else { throw withoutSnapshots(format) }
            return try image.viewSnapshot(snapshot, closesImage: true)
        } catch {
            try? device.close()
            throw error.at(path: path)
        }
    }

    private static func withSnapshotKeeper(
        _ path: String, _ format: ImageFormat, _ body: (any SnapshotKeeper) throws(BlockError) -> Void
    ) throws(BlockError) {
        let keeper = try snapshotKeeper(path, format, readOnly: false)
        do throws(BlockError) {
            try body(keeper)
        } catch {
            try? keeper.close()
            throw error.at(path: path)
        }
        try keeper.close()
    }

    private static func snapshotKeeper(
        _ path: String, _ format: ImageFormat, readOnly: Bool
    ) throws(BlockError) -> any SnapshotKeeper {
        let device = try open(
            path: path, format: format, readOnly: readOnly, policy: OpenPolicy(parents: .ignored))
        guard let keeper = device as? any SnapshotKeeper else {
            try? device.close()
            throw withoutSnapshots(format).at(path: path)
        }
        return keeper
    }

    private static func withoutSnapshots(_ format: ImageFormat) -> BlockError {
        BlockError(.unsupported, "\(format.rawValue) images have no internal snapshots")
    }
}
