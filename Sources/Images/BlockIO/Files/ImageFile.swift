import CLinux
import Glibc
import Synchronization

/// An open regular file or block device that holds an image: positional I/O, sparse space, durability, one lock.
///
/// Any thread may call anything at any time; nothing here uses the file position. After `close` every call throws. The
/// descriptor's number stays reserved until the object goes, so a call that races `close` can never reach another file.
public final class ImageFile: Sendable {
    public enum Access: Sendable {
        case readOnly
        case readWrite
        /// Makes a new empty file, open for reading and writing; `.exists` when there is anything at the path.
        case create
    }

    /// The path it was opened by, for errors.
    public let path: String
    public let isReadOnly: Bool
    public let isBlockDevice: Bool
    /// Nobody knows the file yet, and who makes it syncs it through another descriptor before anybody does: until then
    /// the order in which writes become durable means nothing, so `sync` and `syncFolder` do nothing here.
    public let isUnpublished: Bool
    let descriptor: Int32
    let closed = Atomic<Bool>(false)
    private let ownsLock: Bool
    /// errno of the first failed fdatasync. The kernel drops dirty pages then, so no later success may be believed.
    let syncFailure = Atomic<Int32>(0)
    /// Of several fdatasyncs at once the kernel tells one of a failure, and the others of success.
    let syncing = FlushGate()
    let cannotPunch = Atomic<Bool>(false)
    let cannotZero = Atomic<Bool>(false)
    /// The same file opened for O_DIRECT, -1 without (ImageFile+Direct).
    let direct = Atomic<Int32>(-1)
    /// `direct` is not to be used any more.
    let prefersCache = Atomic<Bool>(false)

    /// Opens or makes `path` and takes the image lock: exclusive when writable, shared when read-only, for as long as
    /// the file is open. `.busy` when another process (or another opener in this one) holds a lock that conflicts, or
    /// QEMU does. `.unsupported` for anything but regular files and block devices. Without `followsLinks` a symbolic link in
    /// the place of the file is `.denied`; the folders before it are the caller's.
    public convenience init(
        path: String, access: Access, locking: Bool = true, isUnpublished: Bool = false, followsLinks: Bool = true
    ) throws(BlockError) {
        var flags = O_CLOEXEC | O_NONBLOCK | O_NOCTTY
        if !followsLinks { flags |= O_NOFOLLOW }
        switch access {
        case .readOnly: flags |= O_RDONLY
        case .readWrite: flags |= O_RDWR
        case .create: flags |= O_RDWR | O_CREAT | O_EXCL
        }
        let opened = HandedFiles.open(path, flags)
        if opened < 0 {
            let number = errno
            // Sockets, devices that are not there, folders opened for writing.
            if [ENXIO, ENODEV, EISDIR].contains(number) {
                throw BlockError(
                    .unsupported, "neither a regular file nor a block device", path: path, systemError: number)
            }
            if number == ELOOP, !followsLinks {
                throw BlockError(
                    .denied, "a symbolic link is in the place of an image, and is not followed", path: path,
                    systemError: number)
            }
            throw BlockError(call: "open", errno: number, path: path)
        }
        do {
            try self.init(
                descriptor: opened, path: path, isReadOnly: access == .readOnly, locking: locking,
                isUnpublished: isUnpublished)
        } catch {
            if access == .create { _ = unsafe unlink(path) }
            throw error
        }
    }

    /// Takes over an open descriptor, which is closed with this object, also when this throws. `path` is for errors.
    public init(
        descriptor: Int32, path: String, isReadOnly: Bool, locking: Bool = true, isUnpublished: Bool = false
    ) throws(BlockError) {
        var status = stat()
        // SAFETY: a local variable, filled by the call.
        let result = unsafe fstat(descriptor, &status)
        if result < 0 {
            let number = errno
            Glibc.close(descriptor)
            throw BlockError(call: "fstat", errno: number, path: path)
        }
        let kind = status.st_mode & S_IFMT
        guard kind == S_IFREG || kind == S_IFBLK else {
            Glibc.close(descriptor)
            throw BlockError(.unsupported, "neither a regular file nor a block device", path: path)
        }
        self.descriptor = descriptor
        self.path = path
        self.isReadOnly = isReadOnly
        isBlockDevice = kind == S_IFBLK
        self.isUnpublished = isUnpublished && kind == S_IFREG
        ownsLock = locking
        // From here on deinit closes the descriptor.
        if locking { try lock() }
    }

    deinit {
        if !closed.load(ordering: .relaxed) { unlock() }
        Glibc.close(descriptor)
        let other = direct.load(ordering: .relaxed)
        if other >= 0 { Glibc.close(other) }
    }

    private func lock() throws(BlockError) {
        let result = gantry_lock_file(descriptor, !isReadOnly)
        if result == -EAGAIN || result == -EACCES {
            throw BlockError(
                .busy, "the image is in use by another process; stop what uses it first", path: path,
                systemError: -result)
        }
        if result < 0 { throw BlockError(call: "fcntl(F_OFD_SETLK)", errno: -result, path: path) }
    }

    /// Closing alone is not enough: a child process between its fork and exec shares the lock.
    private func unlock() {
        if ownsLock { _ = gantry_unlock_file(descriptor) }
    }

    /// Length in bytes of the file, or of the block device.
    public func size() throws(BlockError) -> UInt64 {
        try checkOpen()
        if isBlockDevice {
            let result = gantry_block_device_size(descriptor)
            if result < 0 { throw BlockError(call: "ioctl(BLKGETSIZE64)", errno: Int32(-result), path: path) }
            return UInt64(result)
        }
        return UInt64(clamping: try status().st_size)
    }

    /// Bytes of storage the file occupies; for a block device its size.
    public func allocatedSize() throws(BlockError) -> UInt64 {
        if isBlockDevice { return try size() }
        return UInt64(clamping: try status().st_blocks) &* 512
    }

    /// What tells this file from all others of the machine, whatever its names; a block device, whatever its nodes.
    public func identity() throws(BlockError) -> (device: UInt64, inode: UInt64) {
        let status = try status()
        // No file system has this number.
        if isBlockDevice { return (.max, UInt64(status.st_rdev)) }
        return (UInt64(status.st_dev), UInt64(status.st_ino))
    }

    private func status() throws(BlockError) -> stat {
        try checkOpen()
        var status = stat()
        // SAFETY: a local variable, filled by the call.
        if unsafe fstat(descriptor, &status) < 0 { throw BlockError(call: "fstat", errno: errno, path: path) }
        return status
    }

    /// Gives up the descriptor's file and the lock. Does not flush. Later calls do nothing.
    public func close() {
        if closed.exchange(true, ordering: .acquiringAndReleasing) { return }
        unlock()
        // The number is kept, over a file that allows no I/O, until deinit.
        // O_PATH, which Swift's Glibc does not have: a place only, which also a process may take that may open nothing.
        let place: Int32 = 0o10_000_000
        // SAFETY: Swift's own temporary C string.
        let stub = unsafe open("/", place | O_DIRECTORY | O_CLOEXEC)
        if stub < 0 { return }
        for number in [descriptor, direct.load(ordering: .acquiring)] where number >= 0 {
            dup2(stub, number)
            _ = fcntl(number, F_SETFD, FD_CLOEXEC)
        }
        Glibc.close(stub)
    }

    @inline(__always)
    func checkOpen() throws(BlockError) {
        if closed.load(ordering: .relaxed) { throw BlockError(.io, "the image was closed", path: path) }
    }

    func failure(_ call: StaticString, _ number: Int32, at offset: UInt64? = nil) -> BlockError {
        BlockError(call: call, errno: number, path: path, offset: offset)
    }
}
