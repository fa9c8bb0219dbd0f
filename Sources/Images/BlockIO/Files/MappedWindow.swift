import CLinux
import Glibc

/// A part of a file seen in place, in the page cache: its bytes can be searched for zeroes and written elsewhere without
/// a copy of one's own. One thread uses it; it moves to where the next bytes are wanted.
///
/// Bytes of a mapping may vanish: the file is cut short, or its storage fails. What `bytes` gives must be touched by
/// `forEachRun` only, and by system calls, which answer EFAULT then.
@safe
public final class MappedWindow {
    // SAFETY (whole type): `start` and `length` are those of the one mapping that this object owns, nil without.
    private var start: UnsafeRawPointer?
    private var length = 0
    private var file: ImageFile?
    /// Offset of the first mapped byte in the file, and how long the file was.
    private var offset: UInt64 = 0
    private var fileSize: UInt64 = 0
    private var isInMemory = false
    private let largest: UInt64
    private static let page = UInt64(max(4096, getpagesize()))

    /// `largest`: most bytes that are mapped at a time, and so count as this process's memory; a power of two.
    public init(largest: UInt64) { self.largest = max(largest, Self.page) }

    deinit { release() }

    /// Bytes of a file, brought into memory. Nil where they should be read instead: not of a regular file, not (all)
    /// inside it, more than a window, not in the page cache already, or no mapping is to be had.
    public func bytes(of wanted: ImageFile, at position: UInt64, count: Int) -> UnsafeRawBufferPointer? {
        if wanted.isBlockDevice || count <= 0 { return nil }
        let (end, overflow) = position.addingReportingOverflow(UInt64(count))
        if overflow { return nil }
        let isHere = file === wanted && position >= offset && end <= offset + UInt64(length)
        if !isHere, !move(to: wanted, at: position, end: end) { return nil }
        guard end <= fileSize, let start = unsafe start else { return nil }
        if !isInMemory, !isCached(wanted, at: position) { return nil }
        let within = Int(position - offset)
        let low = within & ~Int(Self.page - 1)
        // A file on a disk is read in here where it is not cached; the piece is.
        if unsafe gantry_populate(start + low, within + count - low) < 0 { return nil }
        return unsafe UnsafeRawBufferPointer(start: start + within, count: count)
    }

    /// Gives the mapping back.
    public func release() {
        if let start = unsafe start { unsafe gantry_unmap(start, length) }
        unsafe start = nil
        length = 0
        file = nil
    }

    /// The file has become shorter than it was when this window came to where it is.
    public var isCutShort: Bool {
        guard let file, let size = try? file.size() else { return false }
        return size < fileSize
    }

    private func move(to wanted: ImageFile, at position: UInt64, end: UInt64) -> Bool {
        if file !== wanted { isInMemory = gantry_is_in_memory(wanted.descriptor) }
        release()
        guard let size = try? wanted.size(), end <= size, gantry_watch_mappings() else { return false }
        let low = position & ~(Self.page - 1)
        let most = min(low + largest, (size + Self.page - 1) & ~(Self.page - 1))
        if end > most { return false }
        var mapped: UnsafeRawPointer?
        if unsafe gantry_map(wanted.descriptor, low, Int(most - low), &mapped) < 0 { return false }
        unsafe start = mapped
        length = Int(most - low)
        file = wanted
        offset = low
        fileSize = size
        return true
    }

    /// The first byte is in the page cache. What is not should be read, with the reading ahead that goes with it.
    private func isCached(_ wanted: ImageFile, at position: UInt64) -> Bool {
        var byte: UInt8 = 0
        // SAFETY: one byte, for the call.
        return unsafe gantry_read_cached(wanted.descriptor, &byte, 1, position) == 1
    }
}
