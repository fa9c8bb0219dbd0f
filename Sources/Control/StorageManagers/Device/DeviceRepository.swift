import BlockIO
import Foundation
import StorageInterface

/// A kind of file system that an SR on a block device has.
struct DeviceFileSystem: Sendable {
    /// The kernel's and blkid's name of it.
    let type: String
    let program: String
    /// What makes one with the uuid on the device.
    let arguments: @Sendable (_ uuid: String, _ label: String, _ device: String) -> [String]
}

/// An SR that is a file system on a block device. The file system's uuid is the SR's: whatever is on the device is known
/// for this SR's, or for another's, before it is touched. Blocking.
struct DeviceRepository {
    /// Says that the file system is an SR.
    private static let label = "gantry-sr"
    /// In sm_config: "true" lets SR.create take a device that holds something.
    private static let overwrite = "overwrite"
    /// mkfs of the largest devices takes minutes.
    private static let patience = 3600

    let repository: StorageRepository
    let device: BlockDevice
    let system: DeviceFileSystem
    let mounts: MountFolder

    init(
        _ repository: StorageRepository, _ system: DeviceFileSystem, _ mounts: MountFolder
    ) throws(StorageError) {
        self.repository = repository
        self.system = system
        self.mounts = mounts
        device = try BlockDevice(repository.deviceConfig)
    }

    var point: String { mounts.point(repository.uuid) }

    /// Makes the file system. It begins on a device without content, so that whatever is there after a failure, be it half
    /// a file system, is mkfs's: it is wiped.
    func create() throws(StorageError) {
        try device.requireFree()
        if let content = try device.content() {
            guard repository.smConfig[Self.overwrite] == "true" else {
                throw StorageError(
                    .repositoryExists,
                    "\(device.path) holds \(content.text); wipe it, or say sm-config:\(Self.overwrite)=true to lose that"
                )
            }
            try device.wipe()
        }
        do throws(StorageError) {
            let outcome = try HostCommand.run(
                system.program, system.arguments(repository.uuid, Self.label, device.path), seconds: Self.patience)
            guard outcome.status == 0 else {
                throw StorageError(
                    .repositoryCreation, "\(system.program) failed on \(device.path): \(outcome.output.prefix(2000))")
            }
        } catch {
            throw afterwards(error)
        }
    }

    /// Wipes what a failed mkfs left; the error says so when that fails too, as while one that was killed still runs.
    private func afterwards(_ error: StorageError) -> StorageError {
        do throws(StorageError) {
            try device.requireFree()
            try device.wipe()
            return error
        } catch let second {
            var both = StorageError(error.fault, "\(error.message); what it left cannot be wiped: \(second.message)")
            both.leavesSomething = true
            return both
        }
    }

    /// Only a file system with this SR's uuid is wiped, half made or whole, mounted nowhere. One that was made to its end, as by a
    /// toolstack whose database is older, and holds files is left as it is: throws `.repositoryNotEmpty`.
    func undoCreation() throws(StorageError) {
        if mounts.isMounted(repository.uuid) {
            try requireMounted()
            try requireEmpty()
            try mounts.unmount(repository.uuid)
        }
        try device.requireFree()
        guard try device.content()?.uuid == repository.uuid else { return }
        // One that is half made cannot be mounted.
        if (try? attach()) != nil {
            do throws(StorageError) { try requireEmpty() } catch {
                try? detach()
                throw error
            }
            try detach()
        }
        try device.wipe()
    }

    /// Mounts it; one that is mounted already is adopted.
    func attach() throws(StorageError) {
        if mounts.isMounted(repository.uuid) {
            try requireMounted()
            return try mounts.note(repository.uuid)
        }
        try requireOwn()
        let (source, type) = (device.path, system.type)
        try mounts.mount(repository.uuid) { (point) throws(StorageError) in
            let flags = UInt(MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME)
            guard unsafe mount(source, point, type, flags, nil) == 0 else {
                let error = BlockError(call: "mount", errno: errno, path: source)
                throw StorageError(error.code == .busy ? .deviceInUse : .mount, error.description)
            }
        }
        try mounts.note(repository.uuid)
    }

    /// Returns when all is written and the device is free.
    func detach() throws(StorageError) { try mounts.unmount(repository.uuid) }

    /// Wipes the file system when it holds no file. Fine when it is wiped already.
    func destroy() throws(StorageError) {
        if !mounts.isMounted(repository.uuid) {
            try device.requireFree()
            if try device.content() == nil { return }
        }
        try attach()
        let names: [String]
        do throws(StorageError) { names = try self.names() } catch {
            try? detach()
            throw error
        }
        try detach()
        try requireEmpty(names)
        try device.wipe()
    }

    /// What is in the file system, which is mounted.
    private func names() throws(StorageError) -> [String] {
        do {
            return try FileManager.default.contentsOfDirectory(atPath: point)
        } catch {
            throw StorageError(.repositoryUnavailable, "cannot read \(point): \(error.localizedDescription)")
        }
    }

    private func requireEmpty() throws(StorageError) { try requireEmpty(try names()) }

    private func requireEmpty(_ names: [String]) throws(StorageError) {
        let files = names.filter { $0 != "lost+found" && !$0.hasPrefix(".gantry-") }.sorted()
        guard files.isEmpty else {
            throw StorageError(
                .repositoryNotEmpty,
                "\(device.path) still holds \(files.count) files (\(files.prefix(3).joined(separator: ", "))); destroy its "
                    + "disks and take away what is none")
        }
    }

    func probe() throws(StorageError) -> RepositoryProbe {
        let content = try device.content()
        var extra = ["size": String(try device.size())]
        guard let content else { return RepositoryProbe(configuration: [:], isComplete: true, extra: extra) }
        extra["content"] = content.text
        let isOurs = content.type == system.type && content.label == Self.label
        return RepositoryProbe(
            configuration: [:], isComplete: isOurs, uuid: isOurs ? content.uuid : nil, extra: extra)
    }

    /// The device must hold this SR.
    private func requireOwn() throws(StorageError) {
        guard let content = try device.content() else {
            throw StorageError(
                .repositoryUnavailable, "\(device.path) is empty; the SR \(repository.uuid) is not on it")
        }
        guard content.type == system.type, content.uuid == repository.uuid else {
            throw StorageError(
                .repositoryUnavailable,
                "\(device.path) holds \(content.text), not the \(system.type) of the SR \(repository.uuid)")
        }
    }

    /// What is mounted there must be the device.
    private func requireMounted() throws(StorageError) {
        var facts = Glibc.stat()
        guard unsafe stat(point, &facts) == 0 else {
            throw StorageError(.mount, BlockError(call: "stat", errno: errno, path: point).description)
        }
        guard UInt(facts.st_dev) == device.number else {
            throw StorageError(
                .mount, "another device than \(device.path) is mounted at \(point); unplug the PBD and plug it again")
        }
    }
}
