import Glibc

/// Address space for one connection, backed by memory only where it is used. Page-aligned.
@safe
final class MappedBuffer {
    // SAFETY: mapped by init, unmapped by deinit, used by one thread at a time.
    let base: UnsafeMutableRawPointer
    let capacity: Int

    /// Nil when the system has no room.
    init?(capacity: Int) {
        let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
        guard let base = unsafe mmap(nil, capacity, PROT_READ | PROT_WRITE, flags, -1, 0), unsafe base != MAP_FAILED
        else { return nil }
        unsafe self.base = base
        self.capacity = capacity
    }

    deinit { unsafe munmap(base, capacity) }

    /// Gives the memory from `offset` (a multiple of 4096) on back to the system; it reads as zeroes again.
    func release(from offset: Int) { unsafe madvise(base + offset, capacity - offset, MADV_DONTNEED) }
}
