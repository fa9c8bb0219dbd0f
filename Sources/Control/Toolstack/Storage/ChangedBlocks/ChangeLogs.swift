import APITypes
import DatapathControl
import Foundation
import Logging
import PoolDatabase
import StorageInterface
import StorageMotion

/// The logs of changed blocks of a pool's disks and snapshots, as a tree across SRs: each log names the one that it is relative
/// to by the uuid of its VDI.
///
/// What holds at each moment: the marks of a log cover all blocks in which its disk differs from the parent that it names. So
/// the marks of the logs on the way from a disk up to a snapshot cover all in which the two differ.
struct ChangeLogs: Sendable {
    let context: StorageContext

    /// More logs in a row are a circle, or of no use.
    private static let longestWay = 4096

    /// The manager, where it keeps logs that can be read.
    static func keeper(_ attached: AttachedRepository) -> (any ChangeLogKeeper)? {
        guard attached.manager.info.features["VDI_CONFIG_CBT"] != nil else { return nil }
        return attached.manager as? any ChangeLogKeeper
    }

    // MARK: VDI.list_changed_blocks

    /// The bitmap of the blocks that may differ, in base64, the first block in the highest bit of the first byte.
    /// SR_BACKEND_FAILURE_460 for disks that are not of one set of logs, or in the wrong order; SR_BACKEND_FAILURE_459 for logs
    /// whose sizes contradict each other.
    func list(from: Ref<VDI>, to: Ref<VDI>) async throws -> String {
        let (earlier, later) = (try context.row(from), try context.row(to))
        let attached = try context.attached(earlier[VDI.sr])
        if Self.keeper(attached) == nil {
            // Logs of a driver's own do not leave its SR.
            guard earlier[VDI.sr] == later[VDI.sr] else { throw Self.unrelated }
            return try await reported(attached, from) { () async throws(StorageError) in
                try await attached.manager.changedBlocks(
                    attached.repository, from: StorageContext.volume(earlier), to: StorageContext.volume(later))
            }
        }
        if from == to { throw Self.failure(460, "Source and target VDI are same") }
        guard try await changes(of: earlier, bitmap: false) != nil else { throw Self.unrelated }
        var bitmap: [UInt8] = []
        var row = later
        var size = UInt64.max
        for _ in 0..<Self.longestWay {
            guard let log = try await changes(of: row, bitmap: true), let parent = log.parent else {
                throw Self.unrelated
            }
            if bitmap.isEmpty { bitmap = [UInt8](repeating: 0, count: log.bitmap.count) }
            guard log.size <= size, log.bitmap.count <= bitmap.count else {
                throw Self.failure(459, "Inconsistent bitmaps")
            }
            size = log.size
            for (index, byte) in log.bitmap.enumerated() { bitmap[index] |= byte }
            if parent == earlier[VDI.uuid] { return Self.text(bitmap) }
            guard let next = context.database.read({ $0.find(VDI.self, uuid: parent) }) else { throw Self.unrelated }
            row = next
        }
        throw Self.unrelated
    }

    private static func text(_ bitmap: [UInt8]) -> String {
        Data(bitmap.map(reversed)).base64EncodedString()
    }

    /// The bits the other way round.
    private static func reversed(_ byte: UInt8) -> UInt8 {
        var (left, result): (UInt8, UInt8) = (byte, 0)
        for _ in 0..<8 {
            result = result << 1 | left & 1
            left >>= 1
        }
        return result
    }

    private static let unrelated = failure(460, "Source and target VDI are unrelated")

    private static func failure(_ number: Int, _ cause: String) -> APIError {
        let text =
            number == 460
            ? "Failed to calculate changed blocks for given VDIs"
            : "Changed block tracking log is in an inconsistent state"
        return APIError("SR_BACKEND_FAILURE_\(number)", "", "\(text) [opterr=\(cause)]", "")
    }

    /// Nil where there is no log, or none that can be read.
    private func changes(of row: Row, bitmap: Bool) async throws -> VolumeChanges? {
        let attached = try context.attached(row[VDI.sr])
        guard let keeper = Self.keeper(attached) else { return nil }
        return try await reported(attached, row.typedRef(VDI.self)) { () async throws(StorageError) in
            try await keeper.changes(attached.repository, StorageContext.volume(row), bitmap: bitmap)
        }
    }

    private func reported<T>(
        _ attached: AttachedRepository, _ vdi: Ref<VDI>, _ body: () async throws(StorageError) -> T
    ) async throws(APIError) -> T {
        do {
            return try await body()
        } catch {
            throw ErrorMapping.api(error, sr: attached.ref, vdi: vdi)
        }
    }

    // MARK: Snapshots that go, and that move

    /// Takes the log of a volume that is about to go out of its tree: first its data go, then each log that was relative to it
    /// gets its marks and its parent. Returns what is left to be destroyed. Nothing is lost at any step: until its log goes, a
    /// scan shows what is left of it, and to do this again is harmless.
    func takeOut(_ row: Row, in attached: AttachedRepository) async throws -> VolumeID {
        var volume = StorageContext.volume(row)
        guard let keeper = Self.keeper(attached), row[VDI.cbtEnabled] else { return volume }
        let children = try await children(of: row[VDI.uuid])
        if children.isEmpty { return volume }
        let vdi = row.typedRef(VDI.self)
        guard let log = try await readable(volume, keeper, attached, vdi) else {
            // Nobody can say any more what lies between them and its parent: what they are relative to ends with them.
            for child in children { try await merge(nil, into: child, parent: nil) }
            return volume
        }
        if row[VDI.type] != .cbtMetadata {
            let left = try await reported(attached, vdi) { () async throws(StorageError) in
                try await keeper.destroyVolumeData(attached.repository, volume)
            }
            try await context.database.transaction { tx in try VDIRow.refresh(vdi, left, in: tx) }
            volume.location = left.location
        }
        for child in children { try await merge(log, into: child, parent: log.parent) }
        return volume
    }

    /// The volume's log as a whole; nil when there is none or it cannot be read, which is no reason to keep a snapshot for ever.
    private func readable(
        _ volume: VolumeID, _ keeper: any ChangeLogKeeper, _ attached: AttachedRepository, _ vdi: Ref<VDI>
    ) async throws(APIError) -> VolumeChanges? {
        do {
            return try await keeper.changes(attached.repository, volume, bitmap: true)
        } catch {
            // Damaged or gone. Storage that is not there says nothing about it.
            let faults: [StorageError.Fault] = [.trackingInconsistent, .volumeUnavailable, .volumeMissing, .volumeSize]
            guard faults.contains(error.fault) else { throw ErrorMapping.api(error, sr: attached.ref, vdi: vdi) }
            context.logger.warning(
                "a log of changed blocks cannot be read; what was relative to it begins there",
                metadata: ["sr": "\(attached.uuid)", "location": "\(volume.location)", "error": "\(error.message)"])
            return nil
        }
    }

    /// A volume is another one now: what was relative to it is so to that.
    func repoint(from old: String, to new: String) async throws {
        for child in try await children(of: old) { try await merge(nil, into: child, parent: new) }
    }

    /// The tracked VDIs whose logs are relative to `uuid`. Those of SRs that are not attached cannot be seen: they lose the
    /// connection, and a list of changed blocks across it is refused.
    private func children(of uuid: String) async throws -> [Row] {
        let tracked = context.database.read { reader in reader.rows(VDI.self) { $0[VDI.cbtEnabled] } }
        var children: [Row] = []
        for row in tracked where row[VDI.uuid] != uuid {
            guard let attached = try? context.attached(row[VDI.sr]), let keeper = Self.keeper(attached) else {
                continue
            }
            let log: VolumeChanges?
            do {
                log = try await keeper.changes(attached.repository, StorageContext.volume(row), bitmap: false)
            } catch {
                context.logger.warning(
                    "a log of changed blocks cannot be read",
                    metadata: ["vdi": "\(row[VDI.uuid])", "error": "\(error)"])
                continue
            }
            if log?.parent == uuid { children.append(row) }
        }
        return children
    }

    /// By the disk's data path where it writes the log, by its manager otherwise.
    private func merge(_ log: VolumeChanges?, into child: Row, parent: String?) async throws {
        let vdi = child.typedRef(VDI.self)
        for attempt in 0... {
            let row = try context.row(vdi)
            let attached = try context.attached(row[VDI.sr])
            guard let keeper = Self.keeper(attached) else { return }
            if let handle = await context.disks.active(row[VDI.uuid]) {
                do {
                    _ = try await handle.client.call(.mergeChanges(log: log?.file, parent: parent))
                    return
                } catch let failure as DatapathClient.Failure {
                    // It reads only, or is paused or gone: its log is nobody's then.
                    if failure.code != "notFound", !failure.isUnreachable {
                        throw ErrorMapping.api(failure, sr: row[VDI.sr], vdi: vdi)
                    }
                }
            }
            do {
                return try await keeper.mergeChanges(
                    attached.repository, StorageContext.volume(row), with: log, parent: parent)
            } catch {
                // A data path has started, or goes on, meanwhile.
                if error.fault == .volumeInUse, attempt < 50 {
                    try await Task.sleep(for: .milliseconds(100))
                    continue
                }
                throw ErrorMapping.api(error, sr: attached.ref, vdi: vdi)
            }
        }
    }

    // MARK: Moves

    /// The log of a tracked snapshot, to the image that is to be the snapshot. Nobody has that yet: what a failure leaves of
    /// the log goes with it. The parent is the one that will be there when the disk and its snapshots have moved.
    func carry(_ snapshot: MovingSnapshot, of motion: DiskMotion, to attached: AttachedRepository) async throws {
        let row = try context.row(Ref<VDI>(snapshot.sourceRef))
        guard row[VDI.cbtEnabled], let log = try await changes(of: row, bitmap: true) else { return }
        guard let keeper = Self.keeper(attached) else { throw APIError("VDI_CBT_ENABLED", row.ref) }
        let moved = motion.snapshots.first { $0.sourceUUID == log.parent }
        let destination = MotionDriver.destination(snapshot)
        try await reported(attached, Ref(snapshot.sourceRef)) { () async throws(StorageError) in
            try await attached.manager.enableChangeTracking(attached.repository, destination)
            try await keeper.mergeChanges(
                attached.repository, destination, with: log, parent: moved?.destinationUUID ?? log.parent)
        }
    }
}

extension StorageContext {
    /// A disk whose log was lost or damaged is not tracked any more: its row says so, and its administrators are told.
    func noteTracking(of vdi: Row, _ image: ImageSpecification, in attached: AttachedRepository) async {
        let ref = vdi.typedRef(VDI.self)
        guard let row = database.read({ $0.row(ref) }), ChangeLogs.keeper(attached) != nil,
            !presentVolume(vdi).isInEpoch, row[VDI.cbtEnabled] != (image.changeLog != nil)
        else { return }
        try? await database.transaction { tx in
            try tx.set(ref, VDI.cbtEnabled, image.changeLog != nil)
            if image.changeLog != nil { return }
            Alerts.post(
                .trackingLost, about: .vdi, uuid: row[VDI.uuid],
                body: "The log of the disk's changed blocks is missing or damaged. Tracking is off; the next backup "
                    + "has to be a full one.",
                in: tx)
        }
    }
}
