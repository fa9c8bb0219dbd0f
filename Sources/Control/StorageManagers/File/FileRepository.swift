import BlockIO
import CoreTypes
import DiskImages
import Foundation
import StorageInterface

/// The folder of one file SR. Blocking; new images appear under their name only when they are whole and durable.
struct FileRepository: Sendable {
    /// Names the SR that owns the folder, so that two SRs cannot share one by mistake.
    static let marker = ".gantry-sr"
    /// Begins the names of images that are being made.
    static let unfinished = ".gantry-new-"

    /// In device_config: `thin` or `thick`.
    static let allocationKey = "allocation"

    let uuid: String
    let path: String
    /// Raw images take all their space when they are made.
    let isThick: Bool
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
    func removeUnfinished() {
        for name in (try? names(hidden: true)) ?? [] where name.hasPrefix(Self.unfinished) {
            unsafe unlink(path + "/" + name)
        }
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
}
