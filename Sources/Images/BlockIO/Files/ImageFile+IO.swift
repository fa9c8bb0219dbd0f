import CLinux
import Glibc
import Synchronization

// SAFETY (whole file): pointers stay inside the caller's buffers: every advance is by a count the kernel returned,
// never more than what was asked for.

/// Linux moves at most this many bytes in one call.
private let largestTransfer = 0x7fff_f000

extension ImageFile {
    /// Lets the kernel begin to bring a range into the page cache.
    public func willRead(at offset: UInt64, length: UInt64) {
        guard (try? checkOpen()) != nil, let start = try? fileOffset(offset, Int(clamping: length)) else { return }
        posix_fadvise(descriptor, start, Int(clamping: length), POSIX_FADV_WILLNEED)
    }

    /// As `BlockDevice.putPages`.
    public func putPages(at offset: UInt64, length: Int, into pipe: Int32) -> Int {
        guard (try? checkOpen()) != nil, !bypassesCache, let start = try? fileOffset(offset, length) else { return 0 }
        var done = 0
        while done < length {
            let count = gantry_pages_from_file(descriptor, Int64(start + done), pipe, length - done)
            guard count > 0 else { break }
            done += Int(count)
        }
        return done
    }

    /// Fills `buffer` from `offset`; what lies past the end of the file reads as zeroes.
    public func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        let count = try unsafe readAvailable(into: buffer, at: offset)
        if count < buffer.count {
            unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[count...])
                .initializeMemory(as: UInt8.self, repeating: 0)
        }
    }

    /// Fills `buffer` from `offset`; `.invalidImage` when the file ends before.
    public func readExactly(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        let count = try unsafe readAvailable(into: buffer, at: offset)
        if count < buffer.count {
            throw BlockError(
                .invalidImage,
                "the file ends \(buffer.count - count) bytes before the end of a structure it should hold",
                path: path, offset: offset)
        }
    }

    /// Reads as much as the file holds, up to the buffer's count; returns how many bytes.
    public func readAvailable(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(BlockError) -> Int {
        try checkOpen()
        guard var target = buffer.baseAddress else { return 0 }
        let start = try fileOffset(offset, buffer.count)
        var done = 0
        while done < buffer.count {
            let n = unsafe pread(descriptor, target, min(buffer.count - done, largestTransfer), start + done)
            if n > 0 {
                done += n
                unsafe target += n
            } else if n == 0 {
                break
            } else if errno != EINTR {
                throw failure("pread", errno, at: offset + UInt64(done))
            }
        }
        return done
    }

    /// `count` bytes at `offset`, zeroes past the end. For metadata of bounded size, not for the data path.
    public func bytes(at offset: UInt64, count: Int) throws(BlockError) -> [UInt8] {
        var all = [UInt8](repeating: 0, count: count)
        let failure = unsafe all.withUnsafeMutableBytes { buffer -> BlockError? in
            do throws(BlockError) {
                try unsafe read(into: buffer, at: offset)
                return nil
            } catch { return error }
        }
        if let failure { throw failure }
        return all
    }

    /// Stores all of `data` at `offset`, growing the file when needed.
    public func write(_ data: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try checkWritable()
        guard var source = data.baseAddress else { return }
        let start = try fileOffset(offset, data.count)
        var done = unsafe writeDirectly(source, data.count, at: start)
        unsafe source += done
        while done < data.count {
            let n = unsafe pwrite(descriptor, source, min(data.count - done, largestTransfer), start + done)
            if n > 0 {
                done += n
                unsafe source += n
            } else if n == 0 {
                throw failure("pwrite", ENOSPC, at: offset + UInt64(done))
            } else if errno != EINTR {
                throw failure("pwrite", errno, at: offset + UInt64(done))
            }
        }
    }

    /// Stores an array. For metadata, not for the data path.
    public func write(bytes: [UInt8], at offset: UInt64) throws(BlockError) {
        let failure = unsafe bytes.withUnsafeBytes { buffer -> BlockError? in
            do throws(BlockError) {
                try unsafe write(buffer, at: offset)
                return nil
            } catch { return error }
        }
        if let failure { throw failure }
    }

    /// Makes the length exactly `length` bytes; new space reads as zeroes. Regular files only.
    public func truncate(to length: UInt64) throws(BlockError) {
        try checkWritable()
        let length = try fileOffset(length, 0)
        while ftruncate(descriptor, length) < 0 {
            if errno != EINTR { throw failure("ftruncate", errno) }
        }
    }

    /// Makes data and length durable, unless the file is unpublished. Once it has failed it fails for ever: the kernel may have dropped the data.
    public func sync() throws(BlockError) {
        try checkOpen()
        try checkSynced()
        if isReadOnly || isUnpublished { return }
        try syncing.flush { () throws(BlockError) in
            try checkSynced()
            while fdatasync(descriptor) < 0 {
                let number = errno
                if number == EINTR { continue }
                syncFailure.store(number, ordering: .relaxed)
                throw failure("fdatasync", number)
            }
        }
    }

    func checkSynced() throws(BlockError) {
        let before = syncFailure.load(ordering: .relaxed)
        if before != 0 { throw failure("an earlier fdatasync", before) }
    }

    /// Makes the file's name durable (after a creation), unless the file is unpublished.
    public func syncFolder() throws(BlockError) {
        if isUnpublished { return }
        let slash = path.utf8.lastIndex(of: UInt8(ascii: "/"))
        let folder = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let opened = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if opened < 0 { throw BlockError(call: "open", errno: errno, path: folder) }
        defer { Glibc.close(opened) }
        if fsync(opened) < 0 { throw BlockError(call: "fsync", errno: errno, path: folder) }
    }

    func checkWritable() throws(BlockError) {
        try checkOpen()
        if isReadOnly { throw BlockError(.readOnly, "the image was opened read-only", path: path) }
    }

    /// `offset` as the system wants it; throws unless the whole request is representable.
    func fileOffset(_ offset: UInt64, _ count: Int) throws(BlockError) -> Int {
        let (end, overflow) = offset.addingReportingOverflow(UInt64(count))
        if overflow || end > UInt64(Int.max) {
            throw BlockError(.outOfRange, "request of \(count) bytes past 2^63", path: path, offset: offset)
        }
        return Int(offset)
    }
}
