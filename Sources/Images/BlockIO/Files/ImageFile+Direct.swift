import CLinux
import Glibc
import Synchronization

/// A device whose owner is about to write much that nobody will read soon: a new image that is being filled.
public protocol BulkDestination: BlockDevice {
    /// Large aligned writes may go to the disk at once from here on, past the page cache, and reads of the file are no
    /// longer read ahead. What is stored and when it is durable does not change.
    func bypassCache()
    /// They do: several requests at a time are worth their threads.
    var bypassesCache: Bool { get }
}

// SAFETY (whole file): the pointer and counts are those of the caller's buffer.

/// What O_DIRECT asks of addresses, offsets and lengths: at most a page, whatever the disk's sectors are.
private let alignment = 4096
/// Smaller writes gain nothing.
private let smallest = 64 << 10

extension ImageFile {
    /// From here on large aligned writes go to the disk at once, without a copy in the page cache and without the
    /// writeback that a later `sync` would wait for. They are durable no sooner: `sync` is needed as before. Does
    /// nothing where the file system does not offer that.
    public func bypassCache() {
        if isReadOnly || closed.load(ordering: .relaxed) || direct.load(ordering: .relaxed) >= 0 { return }
        // Its page cache is the storage.
        if gantry_is_in_memory(descriptor) { return }
        let opened = gantry_reopen_direct(descriptor)
        if opened < 0 { return }
        let (exchanged, _) = direct.compareExchange(expected: -1, desired: opened, ordering: .acquiringAndReleasing)
        if !exchanged { Glibc.close(opened) }
    }

    public var bypassesCache: Bool {
        direct.load(ordering: .relaxed) >= 0 && !prefersCache.load(ordering: .relaxed)
    }

    /// Takes `bypassCache` back: few and small writes are left, which one flush writes sooner than each by itself.
    public func useCache() { prefersCache.store(true, ordering: .relaxed) }

    /// Writes what can be written directly of the beginning of a range; returns how many bytes. The kernel keeps page
    /// cache and disk alike. What it does not take is the caller's to write, and to report.
    func writeDirectly(_ source: UnsafeRawPointer, _ count: Int, at offset: Int) -> Int {
        let number = direct.load(ordering: .acquiring)
        let whole = count & ~(alignment - 1)
        if number < 0 || prefersCache.load(ordering: .relaxed) { return 0 }
        if whole < smallest || offset % alignment != 0 { return 0 }
        if Int(bitPattern: source) % alignment != 0 { return 0 }
        return max(0, unsafe pwrite(number, source, whole, offset))
    }
}
