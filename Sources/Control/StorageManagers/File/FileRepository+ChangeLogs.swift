import BlockIO
import CoreTypes
import DiskImages
import Foundation
import StorageInterface

/// Logs of changed blocks: `<uuid>.cbtlog` beside the image (`ChangeLog` has the layout). The file is the truth of whether a
/// disk is tracked; rows follow it.
///
/// A snapshot takes the disk's log, whose marks are what changed since the snapshot before, and the disk gets an empty one that
/// is relative to the snapshot's. At each moment each log's marks cover what differs between its disk and its parent:
///
/// 1. `.gantry-log-<disk>`, the new log, is made, durable;
/// 2. the log gets a second name, the snapshot's;
/// 3. the snapshot's image is made;
/// 4. the new log takes the disk's log's name in one rename.
///
/// After a crash between 2 and 4 both names are one file. Without the snapshot's image its name is taken away (`finishLogs`);
/// with it the new log gets a copy of the marks, as the disk may have been written since, and takes its place. Until then
/// marks of the disk count for the snapshot, too, and the disk's log is relative to what it was: more than needed, never less.
extension FileRepository {
    private static let suffix = ".cbtlog"
    private static let next = ".gantry-log-"

    /// The uuid of a log by its name in the folder.
    static func logUUID(_ location: String) -> String? {
        guard location.hasSuffix(suffix) else { return nil }
        let uuid = String(location.dropLast(suffix.count))
        return DiskID(uuid)?.text == uuid ? uuid : nil
    }

    func logPath(_ uuid: String) -> String { path + "/" + uuid + Self.suffix }
    private func nextLog(_ uuid: String) -> String { path + "/" + Self.next + uuid }

    func hasLog(_ uuid: String) -> Bool {
        var facts = Glibc.stat()
        return unsafe lstat(logPath(uuid), &facts) == 0 && facts.st_mode & S_IFMT == S_IFREG
    }

    private func hasImage(_ uuid: String) -> Bool {
        ImageFormat.allCases.contains { format in
            (try? VolumeName(uuid: uuid, format: format)).map(exists) ?? false
        }
    }

    /// What is left of a snapshot without data, as a volume.
    func logVolume(_ uuid: String) throws(StorageError) -> Volume {
        let file = logPath(uuid)
        let header = try reporting(.volumeUnavailable) { () throws(BlockError) in
            try ChangeLogFile.readHeader(path: file)
        }
        var facts = Glibc.stat()
        let taken = unsafe lstat(file, &facts) == 0 ? UInt64(clamping: facts.st_blocks) &* 512 : 0
        var volume = Volume(
            uuid: uuid, location: uuid + Self.suffix, format: nil, virtualSize: header.size, physicalSize: taken,
            isReadOnly: true)
        volume.isTracked = true
        volume.isChangeLog = true
        return volume
    }

    /// Logs without an image are volumes, too. One whose image cannot be read, or that an operation under way has named a
    /// second time, is none.
    func addLogs(to scan: inout RepositoryScan) throws(StorageError) {
        for name in try names(hidden: true) {
            // No snapshot is being made now: one was cut off, and could not be finished when the SR was attached.
            if name.hasPrefix(Self.next) {
                scan.problems[name] = "a snapshot's log of changed blocks is not finished; the next attach tries again"
            }
            guard let uuid = Self.logUUID(name), !hasImage(uuid), links(name) == 1 else { continue }
            do throws(StorageError) {
                scan.volumes.append(try logVolume(uuid))
            } catch {
                scan.problems[name] = error.message
            }
        }
    }

    private func links(_ name: String) -> UInt64 {
        var facts = Glibc.stat()
        return unsafe lstat(path + "/" + name, &facts) == 0 ? UInt64(facts.st_nlink) : 0
    }

    /// The disk's log for whoever is about to write the disk; nil when there is none. A damaged one goes: a disk is not kept
    /// from its guest by it, and what is written without marks makes it worthless for good.
    func usableLog(_ uuid: String) throws(StorageError) -> String? {
        guard hasLog(uuid) else { return nil }
        let file = logPath(uuid)
        do throws(BlockError) {
            try ChangeLogFile.check(path: file)
            return file
        } catch {
            guard error.code == .invalidImage || error.code == .limitExceeded else {
                throw StorageError(error, otherwise: .trackingInconsistent)
            }
            try removeLog(uuid)
            return nil
        }
    }

    // MARK: On and off

    func startLog(_ location: String) throws(StorageError) {
        let name = try find(location)
        if name.isBase { throw StorageError(.volumeType, "\(location) is not a disk") }
        if hasLog(name.uuid) { return }
        let size = try info(name).virtualSize
        let temporary = path + "/" + Self.unfinished + name.uuid + Self.suffix
        unsafe unlink(temporary)
        try reporting(.trackingStart) { () throws(BlockError) in
            try ChangeLogFile.create(path: temporary, ChangeLog(size: size))
        }
        try publish(temporary, as: logPath(name.uuid))
    }

    /// Fine when there is none.
    func removeLog(_ uuid: String) throws(StorageError) {
        if unsafe unlink(nextLog(uuid)) != 0, errno != ENOENT {
            throw StorageError(
                BlockError(call: "unlink", errno: errno, path: nextLog(uuid)), otherwise: .volumeDeletion)
        }
        if unsafe unlink(logPath(uuid)) != 0 {
            if errno == ENOENT { return }
            throw StorageError(
                BlockError(call: "unlink", errno: errno, path: logPath(uuid)), otherwise: .trackingEnd)
        }
        try syncFolder()
    }

    /// The image goes, and the log is the volume from then on.
    func removeData(_ location: String) throws(StorageError) -> Volume {
        if let uuid = Self.logUUID(location) { return try logVolume(uuid) }
        let name = try find(location)
        guard hasLog(name.uuid) else {
            throw StorageError(.trackingInconsistent, "\(location) has no log of changed blocks to keep")
        }
        // A log that cannot be read is none to keep the snapshot's place with.
        _ = try logVolume(name.uuid)
        try remove(location, keepingLog: true)
        return try logVolume(name.uuid)
    }

    func growLog(_ uuid: String, to size: UInt64) throws(StorageError) {
        guard hasLog(uuid) else { return }
        // A disk of that size is not tracked.
        if size > ChangeLog.largestDisk { return try removeLog(uuid) }
        // A crash before this leaves a log that grows when it is opened next.
        try reporting(.trackingInconsistent) { () throws(BlockError) in
            let log = try ChangeLogFile(path: logPath(uuid))
            defer { log.close() }
            try log.change { $0.grow(to: size) }
        }
    }

    // MARK: What logs say

    /// The uuid of the volume, which its log is called by.
    private func owner(of location: String) throws(StorageError) -> String {
        if let uuid = Self.logUUID(location) { return uuid }
        return try find(location).uuid
    }

    func changes(_ location: String, bitmap: Bool) throws(StorageError) -> VolumeChanges? {
        let uuid = try owner(of: location)
        guard hasLog(uuid) else { return nil }
        let file = logPath(uuid)
        let log = try reporting(.trackingInconsistent) { () throws(BlockError) in
            bitmap ? try ChangeLogFile.read(path: file) : try ChangeLogFile.readHeader(path: file)
        }
        return VolumeChanges(parent: log.parent?.text, size: log.size, bitmap: log.bitmap, file: file)
    }

    func merge(_ other: VolumeChanges?, into location: String, parent: String?) throws(StorageError) {
        let uuid = try owner(of: location)
        let file = logPath(uuid)
        try reporting(.trackingInconsistent) { () throws(BlockError) in
            let log = try ChangeLogFile(path: file)
            defer { log.close() }
            try log.change { log in
                log.merge(other?.bitmap ?? [])
                log.parent = parent.flatMap { DiskID($0) }
            }
        }
        if let parent { setChild(of: parent, uuid) }
    }

    /// For others who read logs; nobody here relies on it.
    private func setChild(of parent: String, _ child: String) {
        guard hasLog(parent), let log = try? ChangeLogFile(path: logPath(parent)) else { return }
        defer { log.close() }
        try? log.change { $0.child = DiskID(child) }
    }

    // MARK: Snapshots and reverts

    /// Runs `body`, which makes the snapshot's image, and gives the disk's log to the snapshot. Nobody writes the disk.
    func handLog(
        of disk: String, to snapshot: String, _ body: () throws(StorageError) -> DerivedVolume
    ) throws(StorageError) -> DerivedVolume {
        try finishLogs(of: disk)
        // What was cut off may have ended the tracking.
        guard hasLog(disk) else { return try body() }
        let (old, new, further) = (logPath(disk), logPath(snapshot), nextLog(disk))
        guard !hasLog(snapshot) else { throw StorageError(.volumeExists, "\(new) exists already") }
        // Read as a whole: what the snapshot takes over must be of worth.
        let log = try reporting(.trackingInconsistent) { () throws(BlockError) in
            let file = try ChangeLogFile(path: old)
            defer { file.close() }
            try file.change { $0.child = DiskID(disk) }
            let log = try ChangeLogFile.read(path: old)
            try ChangeLogFile.create(path: further, ChangeLog(size: log.size, parent: DiskID(snapshot)))
            return log
        }
        guard unsafe link(old, new) == 0 else {
            let error = BlockError(call: "link", errno: errno, path: new)
            unsafe unlink(further)
            throw StorageError(error, otherwise: .trackingInconsistent)
        }
        var made: DerivedVolume
        do throws(StorageError) {
            try syncFolder()
            made = try body()
        } catch {
            unsafe unlink(new)
            unsafe unlink(further)
            throw error
        }
        guard unsafe rename(further, old) == 0 else {
            // Both are whole, and their logs one: the next attach or snapshot goes on from here.
            throw StorageError(BlockError(call: "rename", errno: errno, path: old), otherwise: .trackingInconsistent)
        }
        try syncFolder()
        if let parent = log.parent { setChild(of: parent.text, snapshot) }
        made.volume.isTracked = true
        made.origin.isTracked = true
        return made
    }

    /// The disk gets the content of `snapshot` by `body`. Its log has all blocks marked meanwhile, which is right whatever the
    /// disk holds; then it begins anew, relative to the snapshot. Nobody writes the disk. The marks stay when `body` fails: it
    /// may have done so after the disk got its new content.
    func restartLog(
        of disk: String, at snapshot: VolumeName, _ body: () throws(StorageError) -> Volume
    ) throws(StorageError) -> Volume {
        try finishLogs(of: disk)
        // What was cut off may have ended the tracking.
        guard hasLog(disk) else { return try body() }
        let file = try reporting(.trackingInconsistent) { () throws(BlockError) in
            try ChangeLogFile(path: logPath(disk))
        }
        defer { file.close() }
        try reporting(.trackingInconsistent) { () throws(BlockError) in
            _ = try ChangeLogFile.read(path: logPath(disk))
            try file.change { $0.markAll() }
        }
        let volume = try body()
        let next = ChangeLog(size: volume.virtualSize, parent: hasLog(snapshot.uuid) ? DiskID(snapshot.uuid) : nil)
        let temporary = path + "/" + Self.unfinished + disk + Self.suffix
        unsafe unlink(temporary)
        try reporting(.trackingInconsistent) { () throws(BlockError) in
            try ChangeLogFile.create(path: temporary, next)
        }
        try publish(temporary, as: logPath(disk))
        return volume
    }

    // MARK: What was cut off

    /// Takes up the snapshots of logs that were cut off. A log that a data path writes is left to the next time, and so is
    /// one that cannot be finished now, as without room: both names stay one file, which is right, and one disk's log keeps
    /// the SR's other disks from nobody.
    func finishLogs() throws(StorageError) {
        for name in try names(hidden: true) where name.hasPrefix(Self.next) {
            let disk = String(name.dropFirst(Self.next.count))
            do throws(StorageError) {
                try finishLogs(of: disk)
            } catch {
                // `addLogs` tells of it.
                continue
            }
        }
    }

    private func finishLogs(of disk: String) throws(StorageError) {
        guard DiskID(disk)?.text == disk else { return }
        let further = nextLog(disk)
        guard unsafe access(further, F_OK) == 0 else { return }
        let header = try? ChangeLogFile.readHeader(path: further)
        guard let snapshot = header?.parent?.text, areOne(logPath(disk), logPath(snapshot)) else {
            // It had not been named yet, or was not durable.
            unsafe unlink(further)
            return
        }
        guard hasImage(snapshot) else {
            unsafe unlink(logPath(snapshot))
            unsafe unlink(further)
            return try syncFolder()
        }
        do throws(BlockError) {
            let old = try ChangeLogFile(path: logPath(disk))
            defer { old.close() }
            let marks = try ChangeLogFile.read(path: logPath(disk)).bitmap
            let file = try ChangeLogFile(path: further)
            defer { file.close() }
            try file.change { $0.merge(marks) }
            guard unsafe rename(further, logPath(disk)) == 0 else {
                throw BlockError(call: "rename", errno: errno, path: logPath(disk))
            }
        } catch {
            if error.code == .busy { return }
            guard error.code == .invalidImage || error.code == .limitExceeded else {
                throw StorageError(error, otherwise: .trackingInconsistent)
            }
            // Damaged, and nobody's: tracking has ended. The note of it last: a crash in between is taken up here again, or
            // leaves the snapshot a log that cannot be read.
            for file in [logPath(disk), logPath(snapshot), further] { unsafe unlink(file) }
        }
        try syncFolder()
    }

    private func areOne(_ one: String, _ other: String) -> Bool {
        var (first, second) = (Glibc.stat(), Glibc.stat())
        guard unsafe lstat(one, &first) == 0, unsafe lstat(other, &second) == 0 else { return false }
        return first.st_dev == second.st_dev && first.st_ino == second.st_ino
    }
}
