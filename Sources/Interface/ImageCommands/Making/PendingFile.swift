import BlockIO
import CoreTypes
import DiskImages
import Glibc

/// A new file under a temporary name beside its destination. Nobody finds a half-written image under the name they
/// asked for: it appears there, complete and durable, by one rename, or not at all. An external data file, which must
/// be new, gets its name just before, by a link that replaces nothing: an image that is there has all its data.
///
/// A block device has no other name: the image is made on it, and a failure leaves no image there.
final class PendingFile {
    // SAFETY (whole type): C strings live for the call they are given to; `stat` is a local variable.

    /// Where to write.
    let path: String
    /// Where it will be; symbolic links are followed.
    let destination: String
    /// Nothing may be there when it gets its name.
    private let isExclusive: Bool
    /// A block device, on which the image is made at once.
    private let isDevice: Bool
    /// It holds a new image that may not be complete.
    private var isDeviceChanged = false
    /// The file that will be replaced, kept locked until then so that it is in nobody's use.
    private let replaced: ImageFile?
    /// The new file once more, from before anything was written until it is durable: a descriptor that is open all the
    /// time learns of every failure to write.
    private var unsynced: ImageFile?
    private var isNamed = false
    private var isSettled = false
    /// The external data file: where it is written, and where it will be.
    private var dataFile: (path: String, destination: String)?
    private var isDataFileNamed = false
    /// Opens what `create` made, until it is published.
    private(set) var policy = OpenPolicy.standalone

    /// `destination` may be a regular file, which the new one replaces in the end, or a block device that may be used so; a
    /// symbolic link is followed to one. Throws when it is something else, a link to nothing above all, when it is in use,
    /// or when it is one of the files `sources`.
    init(
        for destination: String, besides sources: [String] = [], device: DeviceUse? = nil
    ) throws(CommandFailure) {
        let found = RealPath.of(destination)
        let number = errno
        let real = found ?? destination
        let what = "cannot write \(destination)"
        // What it should lead to may be on a disk that is not mounted now, or be anybody's choice.
        if found == nil, RealPath.isLink(destination), number != ENOENT {
            try doing(what) { () throws(BlockError) in
                throw BlockError(call: "realpath", errno: number, path: destination)
            }
        }
        guard found != nil || !RealPath.isLink(destination) else {
            throw CommandFailure(
                what, why: "it is a symbolic link that leads to nothing",
                advice: "the name of the file itself, or removing the link")
        }
        self.destination = real
        isExclusive = false
        isDevice = RealPath.kind(real) == S_IFBLK
        if isDevice {
            for source in sources { try RealPath.refuseSame(source, real, what) }
            try DeviceUse.check(real, device, what)
            replaced = nil
            path = real
            return
        }
        var status = stat()
        if unsafe stat(real, &status) == 0 {
            guard status.st_mode & S_IFMT == S_IFREG else {
                throw CommandFailure(
                    what, why: "it exists and is neither a regular file nor a block device", advice: "another name")
            }
            for source in sources { try RealPath.refuseSame(source, real, what) }
            replaced = try doing(what) { () throws(BlockError) in try ImageFile(path: real, access: .readWrite) }
        } else {
            replaced = nil
        }
        path = Self.temporaryName(beside: real)
    }

    /// A file that replaces nothing: fails when there is anything at the path, a symbolic link too, now or when the file
    /// gets its name. A block device may be there that may be used so.
    init(exclusive destination: String, device: DeviceUse) throws(CommandFailure) {
        let what = "cannot create \(destination)"
        try doing(what) { () throws(BlockError) in try DiskImage.checkNewName(destination) }
        replaced = nil
        isExclusive = true
        let kind = RealPath.kind(destination)
        isDevice = kind == S_IFBLK
        if isDevice {
            let real = RealPath.of(destination) ?? destination
            try DeviceUse.check(real, device, what)
            (path, self.destination) = (real, real)
            return
        }
        var status = stat()
        if unsafe lstat(destination, &status) == 0 {
            guard kind == nil || kind == S_IFREG else {
                throw CommandFailure(
                    what, why: "it exists and is neither a regular file nor a block device", advice: "another name")
            }
            try doing(what) { () throws(BlockError) in
                throw BlockError(call: "open", errno: EEXIST, path: destination)
            }
        }
        self.destination = destination
        path = Self.temporaryName(beside: destination)
    }

    /// A name of its own, not the other's with something added: that could become too long.
    private static func temporaryName(beside path: String) -> String {
        "\(RealPath.folder(of: path))/.gantry-\(String(UInt64.random(in: 0...UInt64.max), radix: 16)).partial"
    }

    /// Makes an image here that syncs nothing while it is written: `publish` makes all of it durable at once.
    /// - Parameter policy: finds the ancestors of an image with a parent.
    func create(
        format: ImageFormat, size: UInt64, options: CreateOptions, policy: OpenPolicy = .standalone
    ) throws(BlockError) -> any BlockDevice {
        do throws(BlockError) { return try make(format, size, options, policy) } catch { throw named(error) }
    }

    private func make(
        _ format: ImageFormat, _ size: UInt64, _ options: CreateOptions, _ policy: OpenPolicy
    ) throws(BlockError) -> any BlockDevice {
        self.policy = policy
        self.policy.follow(options.parent, of: path)
        if isDevice {
            guard options.dataFile == nil else {
                throw BlockError(.unsupported, "an image on a block device has its data there: leave data_file out")
            }
            // Before anything is written: a parent that is not there is no reason to lose what the device holds.
            if case .given(let parents) = self.policy.parents {
                let nearest = parents.first.map { ParentReference.image($0) }
                if let parent = nearest ?? self.policy.foundation.map({ .imported($0) }) {
                    if RealPath.isSame(parent.path, path) {
                        throw BlockError(.corrupt, "the image would be among its own parents", path: path)
                    }
                    _ = try DiskImage.virtualSize(of: parent)
                }
            }
            let before = DeviceUse.firstSector(path)
            do {
                let device = try DiskImage.format(
                    path: path, format: format, size: size, options: options, policy: self.policy)
                isDeviceChanged = true
                return device
            } catch {
                isDeviceChanged = DeviceUse.firstSector(path) != before
                throw error
            }
        }
        TemporaryFiles.add(path)
        if let named = options.dataFile(beside: path) {
            var status = stat()
            guard unsafe lstat(named, &status) != 0 else {
                throw BlockError(.exists, "the data file exists already; another name, or remove it", path: named)
            }
            let temporary = Self.temporaryName(beside: named)
            TemporaryFiles.add(temporary)
            dataFile = (temporary, named)
            self.policy.dataFile = temporary
        }
        let device = try DiskImage.create(
            path: path, format: format, size: size, options: options, policy: policy, isUnpublished: true,
            dataFile: dataFile?.path)
        do throws(BlockError) {
            let file = try ImageFile(path: path, access: .readWrite, locking: false)
            unsynced = file
            // Before there is any data: what was private stays so.
            if let replaced {
                try file.takeAccess(of: replaced)
                if let dataFile {
                    let data = try ImageFile(path: dataFile.path, access: .readWrite, locking: false)
                    defer { data.close() }
                    try data.takeAccess(of: replaced)
                }
            }
            return device
        } catch {
            try? device.close()
            throw error
        }
    }

    /// The error with the name that was asked for, not the one that is written to.
    private func named(_ error: BlockError) -> BlockError {
        guard error.path == path || error.path == dataFile?.path else { return error }
        return BlockError(
            error.code, error.message, path: error.path == path ? destination : dataFile?.destination,
            offset: error.offset, systemError: error.systemError)
    }

    /// Gives the file its name, durably. What `create` made must be closed, anything else flushed. May be asked again
    /// after a failure.
    func publish() throws(BlockError) {
        if isDevice {
            isSettled = true
            return
        }
        if !isNamed {
            // Before the rename: a crash must not leave the name with a file that is not complete.
            try unsynced?.sync()
            unsynced?.close()
            unsynced = nil
            try publishDataFile()
            try TemporaryFiles.keeping(dataFile?.destination) { () throws(BlockError) in try takeName() }
            isNamed = true
            replaced?.close()
        }
        // Opened for its folder only: whoever wrote it may have it open, and locked.
        let file = try ImageFile(path: destination, access: .readOnly, locking: false)
        defer { file.close() }
        try file.syncFolder()
        isSettled = true
        forget()
    }

    private func forget() {
        TemporaryFiles.remove(path)
        for name in [dataFile?.path, dataFile?.destination] { name.map(TemporaryFiles.remove) }
    }

    private func takeName() throws(BlockError) {
        if !isExclusive {
            guard unsafe rename(path, destination) == 0 else {
                throw BlockError(call: "rename", errno: errno, path: destination)
            }
            return
        }
        if unsafe link(path, destination) == 0 {
            _ = unsafe unlink(path)
            return
        }
        try Self.claim(path, as: destination)
    }

    /// Where `link` failed just now because the file system has no links: the name is taken first, and then replaced by the
    /// file that is complete.
    private static func claim(_ path: String, as destination: String) throws(BlockError) {
        guard [EPERM, EOPNOTSUPP, ENOSYS].contains(errno) else {
            throw BlockError(call: "link", errno: errno, path: destination)
        }
        let claim = unsafe open(destination, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard claim >= 0 else { throw BlockError(call: "open", errno: errno, path: destination) }
        _ = close(claim)
        guard unsafe rename(path, destination) == 0 else {
            let number = errno
            _ = unsafe unlink(destination)
            throw BlockError(call: "rename", errno: number, path: destination)
        }
    }

    /// The data file is durable as a whole; its name is before the image's rename.
    private func publishDataFile() throws(BlockError) {
        guard let dataFile, !isDataFileNamed else { return }
        let file = try ImageFile(path: dataFile.path, access: .readWrite, locking: false)
        defer { file.close() }
        try file.sync()
        if unsafe link(dataFile.path, dataFile.destination) == 0 {
            _ = unsafe unlink(dataFile.path)
        } else {
            try Self.claim(dataFile.path, as: dataFile.destination)
        }
        isDataFileNamed = true
        // As long as no image names it, an end that comes now takes it along.
        TemporaryFiles.add(dataFile.destination)
        var (image, data) = (stat(), stat())
        if unsafe stat(destination, &image) == 0, unsafe stat(dataFile.destination, &data) == 0,
            image.st_dev == data.st_dev, image.st_ino == data.st_ino
        {
            throw BlockError(.exists, "the data file has the name of the image", path: dataFile.destination)
        }
        try file.syncFolder()
    }

    /// Removes what was written, unless it has replaced another file. Nothing happens after `publish`.
    func discard() {
        if isSettled { return }
        isSettled = true
        if isDevice {
            if isDeviceChanged { DeviceUse.clear(path) }
            return
        }
        if !isNamed {
            _ = unsafe unlink(path)
        } else if replaced == nil {
            _ = unsafe unlink(destination)
        }
        if let dataFile, !isNamed || replaced == nil {
            _ = unsafe unlink(isDataFileNamed ? dataFile.destination : dataFile.path)
        }
        forget()
        replaced?.close()
    }

    deinit { discard() }
}
