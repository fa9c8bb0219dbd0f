import APITypes
import DatapathControl
import Foundation
import PoolDatabase
import StorageInterface
import StorageMotion

/// A disk that another maker's toolstack fills by the storage layer's calls: one of the toolstack's own records, kind `received`, from
/// before the disk is made until it is one of the pool's like any other.
///
/// These toolstacks know three disks where there is one here: a leaf, which gets what the guest writes; a parent, which gets what the
/// disk held; and a dummy, a snapshot of the empty leaf. In the end they put the leaf upon the parent. Here leaf and parent are two
/// ways to the same image (`DatapathExport.newer`, `.older`), the dummy is a name, and to put one upon the other is a note: it goes
/// with images of every format, needs no room twice, and takes no time while the guest stands. A value.
struct ReceivedDisk: Codable, Hashable, Sendable {
    static let kind = "received"

    /// Somebody of the other side who reads or writes the disk, or is about to: a datapath of the interface.
    struct Link: Codable, Hashable, Sendable {
        /// The leaf's place, or the parent's.
        var place: String
        var isActive = false
    }

    /// The VDI's uuid.
    let id: String
    let ref: String
    let sr: String
    /// VDI.location; the leaf's place, and that of a disk without a mirror.
    let location: String
    let format: String
    /// Bytes; that of the image may be more.
    let size: Int64
    /// Bytes that the image takes at least.
    let room: UInt64
    /// Whose call made it. Sessions end with the toolstack.
    let session: String
    /// When the last call came that changed it, seconds of the epoch.
    var lastCall: Int64
    /// What the other side calls the mirror, `<its SR>/<its disk>`; nil: a disk that is only copied.
    var mirror: String?
    /// Names of what there is none of here.
    var parent: String?
    var dummy: String?
    /// The datapath that `receive_start` has made.
    var leafDatapath: String?
    /// Whose content the copy has, as the other side says once it is whole; nil: it is not.
    var contentID: String?
    /// By their names.
    var links: [String: Link] = [:]
    /// The process of the data path that the first of them was connected with. What has come before is in its memory.
    var process: Int32?
    /// The image and its row are there.
    var isMade = false
    /// The leaf is upon the parent.
    var isComposed = false
    /// The other side has said that the mirror is over …
    var isFinalized = false
    /// … or has taken the mirror's mark off the disk.
    var isUnmarked = false
    /// It is a snapshot now, and goes on as one when the disk that it is of is destroyed.
    var isKept = false
    /// The parent was destroyed: the leaf alone is no disk.
    var isSpoiled = false
    /// All that was written is durable, and its data path is over or about to be.
    var isDurable = false
    /// What was made of it is to be removed.
    var isCancelled = false
    /// Why it may not be whole although a machine has it.
    var doubt: String?

    var isOpen: Bool { !isCancelled }

    /// Nothing more comes for it.
    var isComplete: Bool {
        isMade && !isCancelled && !isSpoiled && links.isEmpty && (parent == nil || isComposed)
            && (isFinalized || isUnmarked)
    }

    /// Whether the place is one of its own, and how its data path calls the way to it.
    func export(at place: String) -> String? {
        // Which sectors are newer counts where there is a parent, or may be one.
        if place == location { return parent == nil && dummy == nil ? DatapathExport.disk : DatapathExport.newer }
        return place == parent ? DatapathExport.older : nil
    }

    /// What it held and what is written come by one connection with the leaf, whose client asks for the export by its name.
    func isWhole(at place: String) -> Bool { place == location && mirror != nil && parent == nil && dummy == nil }

    func has(_ place: String) -> Bool { [location, parent, dummy].contains(place) }

    /// A data path that has its writes in memory stays until it is complete.
    func keepsDatapath(of vdiUUID: String) -> Bool { vdiUUID == id && !isCancelled && !isDurable }

    /// What nobody else may use meanwhile.
    var hold: OperationAdmission.Admitted {
        OperationAdmission.Admitted(
            entries: [
                .init(className: VDI.className, ref: ref, operation: VDIOperations.blocked.rawValue),
                .init(className: SR.className, ref: sr, operation: StorageOperations.vdiMirror.rawValue),
            ], key: "OpaqueRef:" + id)
    }

    /// Seconds without a call, and without a connection, after which nobody is expected to go on: where the session is there, and
    /// where it is over. Sessions end with the toolstack, and whoever has another one may still go on with its disks. A connection counts
    /// while the session is there, which ends after a day without calls: tapdisk keeps its own when all else of a source is gone.
    static let patience: (withSession: Int64, without: Int64) = (86_400, 600)

    func isAbandoned(at now: Int64, lastSeen: Int64, hasSession: Bool, isConnected: Bool) -> Bool {
        if isCancelled { return true }
        if isConnected && hasSession { return false }
        if !isMade && !hasSession { return true }
        return now - max(lastCall, lastSeen) > (hasSession ? Self.patience.withSession : Self.patience.without)
    }

    func roomClaim(in repository: String) -> RoomClaim? {
        guard repository == sr else { return nil }
        var claim = RoomClaim(id: id)
        let image = VolumeID(location: location, uuid: id, ref: ref)
        if isCancelled { claim.leaving = [image] } else { (claim.least, claim.images) = (room, [image]) }
        return claim
    }

    /// The row's disk at one of its places, as the other side is to see it. It has the size that was asked for, and a content of its
    /// own: who sees one that it knows begins its next copy with a clone of that.
    func described(_ row: StorageLayerDisk, at place: String) -> StorageLayerDisk {
        var disk = row
        disk.place = place
        disk.virtualSize = size
        if let mirror, !isUnmarked { disk.smConfig["base_mirror"] = mirror }
        disk.contentID = place
        if place == location {
            if isKept { (disk.isSnapshot, disk.isReadOnly) = (true, true) }
            return disk
        }
        disk.uuid = nil
        disk.isSnapshot = place == dummy
        return disk
    }
}

extension DatabaseReader {
    func receivedDisks() -> [ReceivedDisk] {
        privateRecords(kind: ReceivedDisk.kind).sorted { $0.key < $1.key }
            .compactMap { try? JSONDecoder().decode(ReceivedDisk.self, from: Data($0.value.utf8)) }
    }
}

extension Transaction {
    func store(_ record: ReceivedDisk) throws { try store(record, kind: ReceivedDisk.kind, id: record.id) }

    func forget(_ record: ReceivedDisk) { setPrivate(kind: ReceivedDisk.kind, key: record.id, value: nil) }
}
