internal import BlockIO

/// A bounded write-back cache of tables of one cluster each (L2 tables, or refcount blocks), by a small dense key: the
/// index of the entry that points to the table.
///
/// Concurrency: `lock` guards the directory, the slots and their eviction. Bytes of a table may be read with the lock
/// held, or while the table is pinned or dirty, because then it stays. Changing bytes is the business of the owner, who
/// makes sure that no reader is at work. A dirty table is never evicted; the owner writes it back, in the right order,
/// and early enough that half of the slots are clean.
@safe
final class QCOW2TableCache: @unchecked Sendable {
    @unsafe
    private struct Slot {
        var base: UnsafeMutableRawPointer?
        /// -1: free.
        var key = -1
        var pins = 0
        var recentlyUsed = false
        /// Bytes that differ from the file; empty when clean.
        var dirtyLow = Int.max
        var dirtyHigh = 0
        var isDirty: Bool { unsafe dirtyHigh > dirtyLow }
    }

    let lock = Monitor()
    let tableBytes: Int
    let capacity: Int
    /// Number of dirty tables; their slots are the first ones of `dirty`.
    private(set) var dirtyCount = 0
    // SAFETY: `slots` and `dirty` have `capacity` elements and `directory` `keyCount`, from init (or `growKeys`) to
    // deinit; every index into them is checked against those counts or comes from the directory itself. A slot's base
    // is allocated with `tableBytes` on first use and lives until deinit.
    private let slots: UnsafeMutablePointer<Slot>
    private var directory: UnsafeMutablePointer<Int32>
    private var keyCount: Int
    private let dirty: UnsafeMutablePointer<Int32>
    private var hand = 0
    private var waiting = 0

    /// Tables of `tableBytes`, with keys below `keyCount`, at most about `memory` bytes of them.
    init(tableBytes: Int, keyCount: Int, memory: Int, most: Int) {
        self.tableBytes = tableBytes
        self.keyCount = keyCount
        capacity = max(8, min(most, memory / tableBytes))
        unsafe slots = .allocate(capacity: capacity)
        unsafe slots.initialize(repeating: Slot(), count: capacity)
        unsafe dirty = .allocate(capacity: capacity)
        unsafe dirty.initialize(repeating: -1, count: capacity)
        unsafe directory = .allocate(capacity: max(1, keyCount))
        unsafe directory.initialize(repeating: -1, count: max(1, keyCount))
    }

    deinit {
        for index in 0..<capacity { unsafe slots[index].base?.deallocate() }
        unsafe slots.deallocate()
        unsafe dirty.deallocate()
        unsafe directory.deallocate()
    }

    /// Allows keys up to `count`.
    func growKeys(to count: Int) {
        guard count > keyCount else { return }
        let larger = UnsafeMutablePointer<Int32>.allocate(capacity: count)
        unsafe larger.initialize(repeating: -1, count: count)
        unsafe larger.update(from: directory, count: keyCount)
        unsafe directory.deallocate()
        unsafe directory = unsafe larger
        keyCount = count
    }

    /// Forgets all tables, none of which may be dirty or pinned, and allows other keys, below `count`.
    func reset(keyCount count: Int) {
        lock.locked {
            for index in 0..<capacity {
                precondition(unsafe slots[index].pins == 0 && !slots[index].isDirty, "a table in use")
                unsafe slots[index].key = -1
                unsafe slots[index].recentlyUsed = false
            }
            unsafe directory.deallocate()
            unsafe directory = .allocate(capacity: max(1, count))
            unsafe directory.initialize(repeating: -1, count: max(1, count))
            keyCount = count
        }
    }

    /// With the lock held: the bytes of a table, if it is here.
    @inline(__always)
    func find(_ key: Int) -> UnsafeMutableRawPointer? {
        precondition(key >= 0 && key < keyCount)
        let index = Int(unsafe directory[key])
        if index < 0 { return nil }
        unsafe slots[index].recentlyUsed = true
        return unsafe slots[index].base
    }

    /// Makes sure that a table is here, filling it with `load` when it is not, and pins it: it stays until `unpin`.
    func pin(
        _ key: Int, load: (UnsafeMutableRawBufferPointer) throws(BlockError) -> Void
    ) throws(BlockError) -> UnsafeMutableRawBufferPointer {
        lock.lock()
        if let base = unsafe find(key) {
            unsafe slots[Int(directory[key])].pins += 1
            lock.unlock()
            return unsafe UnsafeMutableRawBufferPointer(start: base, count: tableBytes)
        }
        var reserved = reserve()
        while reserved == nil {
            // All clean tables are pinned by loads and lookups under way, which wait for nobody.
            waiting += 1
            lock.wait()
            waiting -= 1
            reserved = reserve()
        }
        guard let index = reserved else { preconditionFailure("a reserved slot") }
        let base = unsafe slots[index].base
        lock.unlock()
        // The slot is free and pinned: nobody else touches it while its bytes come in, without the lock.
        let table = unsafe UnsafeMutableRawBufferPointer(start: base, count: tableBytes)
        do throws(BlockError) {
            try unsafe load(table)
        } catch {
            lock.locked {
                unsafe slots[index].pins = 0
                wakeWaiting()
            }
            throw error
        }
        return unsafe lock.locked {
            let other = Int(unsafe directory[key])
            if other >= 0 {
                // Another reader was faster; its copy stays.
                unsafe slots[index].pins = 0
                unsafe slots[other].pins += 1
                wakeWaiting()
                return unsafe UnsafeMutableRawBufferPointer(start: slots[other].base, count: tableBytes)
            }
            unsafe directory[key] = Int32(index)
            unsafe slots[index].key = key
            unsafe slots[index].recentlyUsed = true
            return unsafe table
        }
    }

    func unpin(_ key: Int) {
        lock.locked {
            let index = Int(unsafe directory[key])
            if index >= 0 { unsafe slots[index].pins -= 1 }
            wakeWaiting()
        }
    }

    private func wakeWaiting() { if waiting > 0 { lock.wakeAll() } }

    /// Notes that bytes of a table that is here were changed.
    func markDirty(_ key: Int, _ bytes: Range<Int>) {
        lock.locked {
            let index = Int(unsafe directory[key])
            precondition(index >= 0, "a changed table must be in the cache")
            if unsafe !slots[index].isDirty {
                unsafe dirty[dirtyCount] = Int32(index)
                dirtyCount += 1
            }
            unsafe slots[index].dirtyLow = min(slots[index].dirtyLow, bytes.lowerBound)
            unsafe slots[index].dirtyHigh = max(slots[index].dirtyHigh, bytes.upperBound)
        }
    }

    /// Writes every dirty table with `write` (key, bytes, offset of the bytes in the table), whole sectors of 512
    /// bytes. What fails stays dirty. Only the owner calls this, and nothing becomes dirty meanwhile.
    func writeBack(
        _ write: (Int, UnsafeRawBufferPointer, Int) throws(BlockError) -> Void
    ) throws(BlockError) {
        while dirtyCount > 0 {
            let index = Int(unsafe dirty[dirtyCount - 1])
            let slot = unsafe lock.locked { unsafe slots[index] }
            let low = unsafe slot.dirtyLow & ~511
            let high = min(unsafe (slot.dirtyHigh + 511) & ~511, tableBytes)
            let table = unsafe UnsafeRawBufferPointer(start: slot.base, count: tableBytes)
            try unsafe write(slot.key, UnsafeRawBufferPointer(rebasing: table[low..<high]), low)
            lock.locked {
                unsafe slots[index].dirtyLow = Int.max
                unsafe slots[index].dirtyHigh = 0
                dirtyCount -= 1
            }
        }
    }

    /// A free slot, pinned, by the clock algorithm; nil when all are pinned or dirty.
    private func reserve() -> Int? {
        for _ in 0..<2 * capacity + 1 {
            let index = hand
            hand = hand + 1 == capacity ? 0 : hand + 1
            if unsafe slots[index].pins > 0 || slots[index].isDirty { continue }
            if unsafe slots[index].key >= 0 {
                if unsafe slots[index].recentlyUsed {
                    unsafe slots[index].recentlyUsed = false
                    continue
                }
                unsafe directory[slots[index].key] = -1
                unsafe slots[index].key = -1
            }
            if unsafe slots[index].base == nil {
                unsafe slots[index].base = .allocate(byteCount: tableBytes, alignment: 4096)
            }
            unsafe slots[index].pins = 1
            return index
        }
        return nil
    }
}
