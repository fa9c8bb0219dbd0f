import BlockIO
import CLinux
import NBDProtocol
import Synchronization

/// A rate, and what may pass at once after a rest: operations, or bytes.
public struct RateLimit: Hashable, Sendable {
    public var perSecond: UInt64
    public var burst: UInt64

    /// `burst` nil: what a tenth of a second lets pass.
    public init(perSecond: UInt64, burst: UInt64? = nil) {
        self.perSecond = perSecond
        self.burst = burst ?? max(perSecond / 10, 1)
    }
}

/// What one disk's clients may do, together. Nil: no limit. Operations are reads, writes, trims and zeroings; bytes are those
/// that are moved. Flushes are free: a limit must not make a guest's data less safe.
public struct DiskLimits: Hashable, Sendable {
    public var operations: RateLimit?
    public var readOperations: RateLimit?
    public var writeOperations: RateLimit?
    public var bytes: RateLimit?
    public var readBytes: RateLimit?
    public var writeBytes: RateLimit?

    public init() {}
}

/// Holds one disk's requests to its limits, over all connections. While there are none it costs each request one relaxed
/// load. All methods may be called from any thread.
public final class DiskThrottle: @unchecked Sendable {
    // @unchecked: `buckets` and `changes` are touched with `monitor` held.

    private struct Buckets {
        var operations: TokenBucket?
        var readOperations: TokenBucket?
        var writeOperations: TokenBucket?
        var bytes: TokenBucket?
        var readBytes: TokenBucket?
        var writeBytes: TokenBucket?
    }

    private let isOn = Atomic<Bool>(false)
    private let monitor = Monitor()
    private var buckets = Buckets()
    /// Counts the changes: who waits by old limits goes on when there are new ones.
    private var changes: UInt64 = 0

    public init() {}

    /// In force from the next request on; requests that wait go on.
    public func set(_ limits: DiskLimits) {
        let now = gantry_now()
        let bucket = { (limit: RateLimit?) in
            limit.map { TokenBucket(perSecond: $0.perSecond, burst: $0.burst, at: now) }
        }
        monitor.locked {
            buckets = Buckets(
                operations: bucket(limits.operations), readOperations: bucket(limits.readOperations),
                writeOperations: bucket(limits.writeOperations), bytes: bucket(limits.bytes),
                readBytes: bucket(limits.readBytes), writeBytes: bucket(limits.writeBytes))
            changes += 1
        }
        isOn.store(limits != DiskLimits(), ordering: .relaxed)
        monitor.wakeAll()
    }

    @inline(__always)
    var isActive: Bool { isOn.load(ordering: .relaxed) }

    /// Takes what a request costs: how long it has to wait, in nanoseconds.
    func take(_ request: NBDRequest) -> UInt64 {
        // To bring data into the cache is to read it.
        let isRead = request.command == NBDCommand.read || request.command == NBDCommand.cache
        guard isRead || [NBDCommand.write, NBDCommand.trim, NBDCommand.writeZeroes].contains(request.command) else {
            return 0
        }
        let moved = isRead || request.command == NBDCommand.write ? UInt64(request.length) : 0
        let now = gantry_now()
        monitor.lock()
        defer { monitor.unlock() }
        var wait = buckets.operations?.take(1, at: now) ?? 0
        wait = max(wait, buckets.bytes?.take(moved, at: now) ?? 0)
        if isRead {
            wait = max(wait, buckets.readOperations?.take(1, at: now) ?? 0)
            wait = max(wait, buckets.readBytes?.take(moved, at: now) ?? 0)
        } else {
            wait = max(wait, buckets.writeOperations?.take(1, at: now) ?? 0)
            wait = max(wait, buckets.writeBytes?.take(moved, at: now) ?? 0)
        }
        return wait
    }

    /// Returns when the time is over, the limits have changed, or `isCut`, which `wake` makes it look at, says so.
    func wait(_ nanoseconds: UInt64, unless isCut: () -> Bool) {
        let end = gantry_now() &+ nanoseconds
        monitor.lock()
        let before = changes
        while changes == before, !isCut(), case let now = gantry_now(), now < end {
            monitor.wait(nanoseconds: end - now)
        }
        monitor.unlock()
    }

    func wake() {
        monitor.lock()
        monitor.unlock()
        monitor.wakeAll()
    }
}
