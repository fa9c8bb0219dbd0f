import Glibc

/// What a check knows of the host clusters in one window of the file: how many references it has counted, whether the
/// stored refcount is exactly 1, whether a structure of the image lies there, and whether a snapshot refers to it. A file of more clusters than a window
/// has is examined in several passes, so the memory is bounded whatever the size of the image.
///
/// Concurrency: one thread.
@safe
final class QCOW2CheckWindow {
    /// Clusters in a window, a multiple of what any refcount block counts: 76 MiB at most, touched as far as used.
    static let most: UInt64 = 1 << 25

    /// First cluster of the window.
    private(set) var base: UInt64 = 0
    /// Clusters in the window.
    private(set) var count: UInt64 = 0
    // SAFETY: `cells` has `capacity` elements, the bit sets have one bit for each of them, rounded up to whole words,
    // from init to deinit; every index is below `count`, which is at most `capacity`.
    private let capacity: Int
    private let cells: UnsafeMutablePointer<UInt16>
    private let once: UnsafeMutablePointer<UInt64>
    private let structures: UnsafeMutablePointer<UInt64>
    private let kept: UnsafeMutablePointer<UInt64>
    /// References of the clusters whose cell is full.
    private var overflow: [UInt64: UInt64] = [:]
    private var isUsed = false

    /// For a file of `clusters` clusters.
    init(clusters: UInt64) {
        capacity = Int(min(clusters, Self.most))
        // Zero pages of the system: what is never touched costs nothing.
        unsafe cells = Self.zeroed(capacity)
        unsafe once = Self.zeroed(capacity / 64 + 1)
        unsafe structures = Self.zeroed(capacity / 64 + 1)
        unsafe kept = Self.zeroed(capacity / 64 + 1)
    }

    private static func zeroed<T>(_ count: Int) -> UnsafeMutablePointer<T> {
        guard let memory = unsafe calloc(max(1, count), MemoryLayout<T>.stride) else {
            preconditionFailure("out of memory")
        }
        return unsafe memory.assumingMemoryBound(to: T.self)
    }

    deinit {
        unsafe free(cells)
        unsafe free(once)
        unsafe free(structures)
        unsafe free(kept)
    }

    /// Begins anew at cluster `base`, for `count` clusters.
    func move(to base: UInt64, count: UInt64) {
        precondition(count <= UInt64(capacity))
        if isUsed {
            unsafe memset(cells, 0, capacity * 2)
            unsafe memset(once, 0, (capacity / 64 + 1) * 8)
            unsafe memset(structures, 0, (capacity / 64 + 1) * 8)
            unsafe memset(kept, 0, (capacity / 64 + 1) * 8)
            overflow.removeAll()
        }
        isUsed = true
        self.base = base
        self.count = count
    }

    @inline(__always) func contains(_ cluster: UInt64) -> Bool { cluster &- base < count }

    /// Counts `weight` references to a cluster; nothing happens outside the window.
    @inline(__always)
    func add(_ cluster: UInt64, _ weight: UInt64) {
        let slot = cluster &- base
        guard slot < count else { return }
        let sum = unsafe UInt64(cells[Int(slot)]) &+ weight
        if sum < 65535 && weight < 65535 {
            unsafe cells[Int(slot)] = UInt16(truncatingIfNeeded: sum)
        } else {
            addSlowly(cluster, Int(slot), weight)
        }
    }

    private func addSlowly(_ cluster: UInt64, _ slot: Int, _ weight: UInt64) {
        let (sum, tooMany) = references(cluster).addingReportingOverflow(weight)
        unsafe cells[slot] = 65535
        overflow[cluster] = tooMany ? .max : sum
    }

    /// Takes back references that were counted.
    func subtract(_ run: ClusterRun) {
        for cluster in run.start..<run.end where contains(cluster) {
            let now = references(cluster)
            if now == 0 { continue }
            let slot = Int(cluster - base)
            if now - 1 < 65535 {
                overflow[cluster] = nil
                unsafe cells[slot] = UInt16(now - 1)
            } else {
                overflow[cluster] = now - 1
            }
        }
    }

    /// The references counted to a cluster; 0 outside the window.
    @inline(__always)
    func references(_ cluster: UInt64) -> UInt64 {
        let slot = cluster &- base
        guard slot < count else { return 0 }
        let cell = unsafe cells[Int(slot)]
        return cell == 65535 ? overflow[cluster] ?? 65535 : UInt64(cell)
    }

    /// The stored refcount of a cluster in the window is exactly 1.
    func setOnce(_ cluster: UInt64) {
        let slot = Int(cluster - base)
        unsafe once[slot >> 6] |= 1 << UInt64(slot & 63)
    }

    @inline(__always)
    func isOnce(_ cluster: UInt64) -> Bool {
        let slot = cluster &- base
        guard slot < count else { return false }
        return unsafe once[Int(slot >> 6)] >> (slot & 63) & 1 != 0
    }

    /// A snapshot refers to the cluster; nothing happens outside the window.
    @inline(__always)
    func setKept(_ cluster: UInt64) {
        let slot = cluster &- base
        guard slot < count else { return }
        unsafe kept[Int(slot >> 6)] |= 1 << (slot & 63)
    }

    @inline(__always)
    func isKept(_ cluster: UInt64) -> Bool {
        let slot = cluster &- base
        guard slot < count else { return false }
        return unsafe kept[Int(slot >> 6)] >> (slot & 63) & 1 != 0
    }

    /// Structures of the image lie in these clusters.
    func setStructure(_ run: ClusterRun) {
        let low = max(run.start, base)
        let high = min(run.end, base + count)
        for cluster in low..<max(low, high) {
            let slot = Int(cluster - base)
            unsafe structures[slot >> 6] |= 1 << UInt64(slot & 63)
        }
    }

    @inline(__always)
    func isStructure(_ cluster: UInt64) -> Bool {
        let slot = cluster &- base
        guard slot < count else { return false }
        return unsafe structures[Int(slot >> 6)] >> (slot & 63) & 1 != 0
    }
}
