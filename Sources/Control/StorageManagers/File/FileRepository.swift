import BlockIO
import CoreTypes
import DiskImages
import Foundation
import StorageInterface

/// The folder of one file SR. Blocking; new images appear under their name only when they are whole and durable.
struct FileRepository: Sendable {
    /// Names the SR that owns the folder, so that two SRs cannot share one by mistake.
    private static let marker = ".gantry-sr"
    /// Begins the names of images that are being made.
    static let unfinished = ".gantry-new-"

    /// In device_config: `thin` or `thick`.
    static let allocationKey = "allocation"

    let uuid: String
    let path: String
    /// Raw images take all their space when they are made.
    private let isThick: Bool
    /// A folder without a marker becomes this SR's.
    private let mayBeUnmarked: Bool
    /// What the reclaimer leaves free.
    var room = ReclaimRoom()

    /// `device`: what must be mounted at the folder; without it nothing is looked for or put there.
    init(_ repository: StorageRepository, device: UInt? = nil) throws(StorageError) {
        let allocation = repository.deviceConfig[Self.allocationKey] ?? "thin"
        guard allocation == "thin" || allocation == "thick" else {
            throw StorageError(
                .invalidArgument, "device-config:\(Self.allocationKey) is thin or thick, not '\(allocation)'")
        }
        isThick = allocation == "thick"
        try FormatLimits.check(repository.deviceConfig)
        guard let location = repository.deviceConfig["location"], !location.isEmpty else {
            throw StorageError(.locationMissing, "device-config:location is missing: the folder for the disk images")
        }
        guard location.hasPrefix("/"), !location.contains("\0") else {
            throw StorageError(.invalidArgument, "device-config:location must be an absolute path, not '\(location)'")
        }
        uuid = repository.uuid
        mayBeUnmarked = repository.mayBeUnmarked
        path = location.count > 1 && location.hasSuffix("/") ? String(location.dropLast()) : location
        if let device { try MountFolder.require(device, at: path) }
    }

    // MARK: The repository

    /// Makes the folder the SR's. It must hold nothing that matters (`lost+found` does not).
    func prepare() throws(StorageError) {
        if !FileManager.default.fileExists(atPath: path) {
            do {
                try FileManager.default.createDirectory(
                    atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
            } catch {
                throw StorageError(.repositoryCreation, "cannot make the folder \(path): \(error.localizedDescription)")
            }
        }
        if let owner = try owner() {
            throw StorageError(
                .repositoryExists, "\(path) belongs to the SR \(owner); use another folder or introduce that SR")
        }
        guard try names().isEmpty else {
            throw StorageError(
                .repositoryExists, "\(path) is not empty; use an empty folder, or sr-introduce to keep its images")
        }
        try writeMarker()
    }

    /// Checks that the folder is there and the SR's own, and removes what an interrupted creation left. A folder without
    /// a marker becomes the SR's when that is introduced. An SR that was attached there before has a marker: a folder
    /// without one is what shows where its file system is not mounted, and nothing is put there.
    func check() throws(StorageError) {
        switch try owner() {
        case .some(uuid): break
        case .some(let other):
            throw StorageError(.repositoryUnavailable, "\(path) belongs to the SR \(other), not to \(uuid)")
        case .none where mayBeUnmarked: try writeMarker()
        case .none:
            throw StorageError(
                .repositoryUnavailable,
                "\(path) does not say that it is the SR \(uuid), which has had its folder before; mount what holds it there and "
                    + "plug the PBD. If \(path) is that folder, write the SR's uuid into \(path)/\(Self.marker); to begin "
                    + "anew there, forget the SR and introduce it again")
        }
        try holding { () throws(StorageError) in
            removeUnfinished()
            try finishLogs()
            try removeLeftovers()
            try dropStaleMerges()
            try removeEpochs()
        }
    }

    /// Takes the marker away when it is this SR's and there is no image.
    func undoCreation() throws(StorageError) {
        guard FileManager.default.fileExists(atPath: path) else { return }
        guard let owner = try owner() else { return removeUnfinished() }
        guard owner == uuid else { return }
        guard try scan().volumes.isEmpty else {
            throw StorageError(
                .repositoryNotEmpty, "\(path) holds disk images; introduce the SR \(uuid), or take them away")
        }
        try removeMarker()
    }

    /// What only this program makes, and nobody refers to.
    private func removeUnfinished() {
        for name in (try? names(hidden: true)) ?? [] where name.hasPrefix(Self.unfinished) {
            unsafe unlink(path + "/" + name)
        }
    }

    func removeMarker() throws(StorageError) {
        removeUnfinished()
        for name in [MergeNotes.name, Self.reclaimerLock] { unsafe unlink(path + "/" + name) }
        // There are no disks any more that they could belong to.
        try removeEpochs()
        unsafe unlink(path + "/" + Self.marker)
        try syncFolder()
    }

    /// Throws when the folder is another SR's.
    func requireOwn() throws(StorageError) {
        if let other = try owner(), other != uuid {
            throw StorageError(.repositoryUnavailable, "\(path) belongs to the SR \(other), not to \(uuid)")
        }
    }

    /// Throws unless the folder says that it is this SR's: what it is on may have been unmounted, and the folder below it is
    /// another.
    func requireMarked() throws(StorageError) {
        guard try owner() == uuid else {
            throw StorageError(
                .repositoryUnavailable,
                "\(path) does not say any more that it is the SR \(uuid); what was mounted there may be gone: unplug the PBD, "
                    + "mount it and plug the PBD")
        }
    }

    /// The SR that the folder is; nil when it is none's.
    func owner() throws(StorageError) -> String? {
        guard FileManager.default.fileExists(atPath: path) else {
            throw StorageError(.repositoryUnavailable, "the folder \(path) does not exist on this host")
        }
        // Others may write to the folder, too: no links, no pipes, and only as much as belongs there.
        let descriptor = unsafe open(path + "/" + Self.marker, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw StorageError(
                BlockError(call: "open", errno: errno, path: path + "/" + Self.marker),
                otherwise: .repositoryUnavailable)
        }
        defer { close(descriptor) }
        var facts = Glibc.stat()
        guard unsafe fstat(descriptor, &facts) == 0, facts.st_mode & S_IFMT == S_IFREG else {
            throw StorageError(.repositoryUnavailable, "\(path)/\(Self.marker) is no regular file")
        }
        var bytes = [UInt8](repeating: 0, count: 64)
        // SAFETY: reads into the array's own storage, at most its count.
        let count = unsafe read(descriptor, &bytes, bytes.count)
        let text = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
            .trimmingCharacters(in: .whitespacesAndNewlines)
        // A power failure may have left one without content.
        return text.isEmpty ? nil : text
    }

    /// Durable, and whole or not there.
    private func writeMarker() throws(StorageError) {
        let final = path + "/" + Self.marker
        let temporary = path + "/" + Self.unfinished + "marker"
        unsafe unlink(temporary)
        try reporting(.repositoryCreation) { () throws(BlockError) in
            let descriptor = unsafe open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o644)
            guard descriptor >= 0 else { throw BlockError(call: "open", errno: errno, path: temporary) }
            defer { close(descriptor) }
            let text = Array((uuid + "\n").utf8)
            // SAFETY: the array's own bytes.
            guard unsafe write(descriptor, text, text.count) == text.count, fsync(descriptor) == 0,
                unsafe rename(temporary, final) == 0
            else {
                let error = BlockError(call: "write", errno: errno, path: temporary)
                unsafe unlink(temporary)
                throw error
            }
        }
        try syncFolder()
    }

    /// Runs `body` while nobody else changes which images there are and who stands on whom: no other thread, toolstack or
    /// host. `shared`: while nobody does, but beside others who only look.
    func holding<T>(shared: Bool = false, _ body: () throws(StorageError) -> T) throws(StorageError) -> T {
        let marker = path + "/" + Self.marker
        // Over NFS such a lock is one of bytes, which excludes others only through a descriptor that may write.
        let flags = O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC
        var descriptor = unsafe open(marker, flags | (shared ? O_RDONLY : O_RDWR))
        // Where nothing can be written a folder can be used as it is.
        if descriptor < 0, !shared, errno == EROFS { descriptor = unsafe open(marker, flags | O_RDONLY) }
        guard descriptor >= 0 else {
            throw StorageError(BlockError(call: "open", errno: errno, path: marker), otherwise: .repositoryUnavailable)
        }
        defer { Self.unlock(descriptor) }
        while flock(descriptor, shared ? LOCK_SH : LOCK_EX) != 0 {
            if errno == EINTR { continue }
            throw StorageError(BlockError(call: "flock", errno: errno, path: marker), otherwise: .repositoryUnavailable)
        }
        return try body()
    }

    /// Closing alone is not enough: a child process between its fork and exec shares the lock.
    static func unlock(_ descriptor: Int32) {
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }

    func names(hidden: Bool = false) throws(StorageError) -> [String] {
        do {
            return try FileManager.default.contentsOfDirectory(atPath: path)
                .filter { $0 != "lost+found" && (hidden || !$0.hasPrefix(".gantry-")) }
        } catch {
            throw StorageError(.repositoryUnavailable, "cannot read the folder \(path): \(error.localizedDescription)")
        }
    }

    /// Makes created, renamed and removed names durable.
    func syncFolder() throws(StorageError) {
        let descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw StorageError(BlockError(call: "open", errno: errno, path: path), otherwise: .repositoryUnavailable)
        }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else {
            throw StorageError(BlockError(call: "fsync", errno: errno, path: path), otherwise: .general)
        }
    }

    func space() throws(StorageError) -> RepositorySpace {
        var facts = statvfs()
        guard unsafe statvfs(path, &facts) == 0 else {
            throw StorageError(BlockError(call: "statvfs", errno: errno, path: path), otherwise: .repositoryUnavailable)
        }
        let unit = UInt64(facts.f_frsize)
        let total = UInt64(facts.f_blocks) * unit
        let free = UInt64(facts.f_bavail) * unit
        return RepositorySpace(total: total, free: free, used: total - min(total, free))
    }

    func scan() throws(StorageError) -> RepositoryScan {
        var result = RepositoryScan(volumes: [], problems: [:])
        for name in try names().sorted() where Self.logUUID(name) == nil {
            do throws(StorageError) {
                let volume = try VolumeName(location: name)
                result.volumes.append(try volume.isBase ? stat(volume) : described(volume))
            } catch {
                result.problems[name] = error.message
            }
        }
        try settleDoubles(&result)
        // What others are differences to is no disk of its own, whatever it says.
        let parents = Set(result.volumes.compactMap(\.parentUUID))
        let isKnown = result.problems.keys.allSatisfy { (try? VolumeName(location: $0)) == nil }
        let notes = MergeNotes.read(path)
        for index in result.volumes.indices {
            let volume = result.volumes[index]
            if parents.contains(volume.uuid) {
                result.volumes[index].isHidden = true
            } else if volume.isHidden, let name = try? VolumeName(location: volume.location), !name.isBase {
                result.volumes[index].isHidden = !isKnown || notes.concerns(name)
            }
        }
        try addLogs(to: &result)
        return result
    }

    // MARK: Volumes

    /// Whether there is something under the name of a volume.
    func holds(_ location: String) -> Bool {
        if let uuid = Self.logUUID(location) { return hasLog(uuid) }
        guard let name = try? VolumeName(location: location) else { return false }
        return unsafe access(path + "/" + name.location, F_OK) == 0
    }

    func stat(_ location: String) throws(StorageError) -> Volume {
        if let uuid = Self.logUUID(location) { return try logVolume(uuid) }
        return try stat(try find(location))
    }

    /// The volume of exactly this name. A mark that hides it counts only while something may stand on it: what others left
    /// marked and alone is shown, so that somebody can look at it and destroy it.
    func stat(_ name: VolumeName) throws(StorageError) -> Volume {
        var volume = try described(name)
        if volume.isHidden, !name.isBase, !MergeNotes.read(path).concerns(name), let counts = try children() {
            volume.isHidden = counts[name, default: 0] > 0
        }
        return volume
    }

    /// What the image says of itself.
    func described(_ name: VolumeName) throws(StorageError) -> Volume {
        let info = try info(name)
        var volume = Volume(
            uuid: name.uuid, location: name.location, format: name.format, virtualSize: info.virtualSize,
            physicalSize: info.actualSize, isHidden: name.isBase || info.isHidden, parentUUID: try parent(info)?.uuid)
        volume.isTracked = !name.isBase && hasLog(name.uuid)
        return volume
    }

    func create(uuid: String, size: UInt64, format: ImageFormat) throws(StorageError) -> Volume {
        let name = try VolumeName(uuid: uuid, format: format)
        let final = path + "/" + name.location
        guard !FileManager.default.fileExists(atPath: final) else {
            throw StorageError(.volumeExists, "\(final) exists already")
        }
        let temporary = path + "/" + Self.unfinished + name.location
        var options = CreateOptions()
        if isThick && format == .raw {
            try requireRoom(size)
            options.preallocation = .falloc
        }
        try reporting(.volumeCreation) { [options] () throws(BlockError) in
            try Self.make(temporary, format, size: size, options, .standalone)
        }
        do throws(StorageError) {
            try publish(temporary, as: final)
            return try stat(name)
        } catch {
            // Under either name it is this call's own: nothing was there.
            unsafe unlink(temporary)
            unsafe unlink(final)
            throw error
        }
    }

    /// Throws SRNoSpace when the SR has less than `size` bytes left: before anything is made.
    private func requireRoom(_ size: UInt64) throws(StorageError) {
        let space = try space()
        guard size <= space.free else {
            throw StorageError(
                .noSpace,
                "There is insufficient space [opterr=\(size) bytes are wanted at once and \(space.free) are free]")
        }
    }

    /// Takes the space of that part of a file; gives back what it took when there is not enough.
    private func reserve(_ file: String, from start: UInt64, to end: UInt64) throws(BlockError) {
        let descriptor = unsafe open(file, O_RDWR | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { throw BlockError(call: "open", errno: errno, path: file) }
        defer { close(descriptor) }
        let failure = posix_fallocate(descriptor, off_t(start), off_t(end - start))
        guard failure == 0 else {
            ftruncate(descriptor, off_t(start))
            throw BlockError(call: "posix_fallocate", errno: failure, path: file)
        }
    }

    /// Gives a finished image its name.
    func publish(_ temporary: String, as final: String) throws(StorageError) {
        FolderPoint.reached("image-made")
        guard unsafe rename(temporary, final) == 0 else {
            let error = BlockError(call: "rename", errno: errno, path: final)
            unsafe unlink(temporary)
            throw StorageError(error, otherwise: .volumeCreation)
        }
        try syncFolder()
        FolderPoint.reached("image-named")
    }

    /// Only with the image's lock: `.volumeInUse` while anybody has it open. An image that is gone is fine. Its log of changed
    /// blocks goes after it, unless that is to stay.
    func remove(_ location: String, keepingLog: Bool = false) throws(StorageError) {
        if let uuid = Self.logUUID(location) { return try removeLog(uuid) }
        let name = try find(location)
        let final = path + "/" + name.location
        try requireChildless(name)
        let below = try? parents(of: name)
        // Before the disk's own: what they show would come back as a disk.
        let further = try furtherNames(of: name, parent: below?.first)
        do throws(BlockError) {
            let file = try ImageFile(path: final, access: .readWrite, followsLinks: false)
            defer { file.close() }
            for other in further where unsafe unlink(path + "/" + other.location) != 0 {
                throw BlockError(call: "unlink", errno: errno, path: path + "/" + other.location)
            }
            if unsafe unlink(final) != 0 { throw BlockError(call: "unlink", errno: errno, path: final) }
        } catch {
            guard error.code == .notFound else { throw StorageError(error, otherwise: .volumeDeletion) }
        }
        try syncFolder()
        FolderPoint.reached("image-gone")
        if !keepingLog, !name.isBase { try removeLog(name.uuid) }
        try endEpoch(name.location)
        try removeUnneeded(below ?? [])
    }

    private func requireGrowth(from present: UInt64, to size: UInt64) throws(StorageError) {
        guard size >= present else {
            throw StorageError(
                .volumeSize, "VDI Invalid size [opterr=shrinking not allowed: \(present) to \(size) bytes]")
        }
    }

    /// Grows the image where it is, whatever it holds, in time that does not depend on it. Only with the image's lock. A
    /// crash leaves one size or the other, and the content either way.
    func growInPlace(_ location: String, to size: UInt64) throws(StorageError) -> Volume {
        let name = try find(location)
        let present = try stat(name)
        try requireGrowth(from: present.virtualSize, to: size)
        if size == present.virtualSize { return present }
        let final = path + "/" + name.location
        if name.format == .raw {
            if isThick { try requireRoom(size - present.virtualSize) }
            try reporting(.volumeResize) { () throws(BlockError) in
                let file = try ImageFile(path: final, access: .readWrite, followsLinks: false)
                defer { file.close() }
                if isThick { try reserve(final, from: present.virtualSize, to: size) }
                try file.truncate(to: size)
                try file.sync()
            }
        } else {
            let parents = try parents(of: name)
            try reporting(.volumeResize) { () throws(BlockError) in
                try DiskImage.resize(path: final, format: name.format, to: size, policy: policy(parents))
            }
        }
        FolderPoint.reached("image-grown")
        try growLog(name.uuid, to: size)
        return try stat(name)
    }
}
