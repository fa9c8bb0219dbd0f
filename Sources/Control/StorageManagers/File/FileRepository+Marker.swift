import BlockIO
import Foundation
import StorageInterface

// Whose the folder is: a file in it says so, and is locked by who works on the images.
extension FileRepository {
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
    func writeMarker() throws(StorageError) {
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
}
