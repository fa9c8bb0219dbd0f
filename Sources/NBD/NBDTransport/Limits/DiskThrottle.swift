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

/// What one disk's clients may do, together. Nil: no limit. `RequestPrice` says what counts for how much.
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

        /// Takes as much of what is owed as may be taken at a time: how long the taker has to wait, in nanoseconds.
        mutating func take(_ price: inout RequestPrice, at now: UInt64) -> UInt64 {
            var (count, moved) = (price.operations, price.bytes)
            count = operations?.portion(of: count, at: now) ?? count
            moved = bytes?.portion(of: moved, at: now) ?? moved
            if price.isRead {
                count = readOperations?.portion(of: count, at: now) ?? count
                moved = readBytes?.portion(of: moved, at: now) ?? moved
            } else {
                count = writeOperations?.portion(of: count, at: now) ?? count
                moved = writeBytes?.portion(of: moved, at: now) ?? moved
            }
            price.operations -= count
            price.bytes -= moved
            var wait = operations?.take(count, at: now) ?? 0
            wait = max(wait, bytes?.take(moved, at: now) ?? 0)
            if price.isRead {
                wait = max(wait, readOperations?.take(count, at: now) ?? 0)
                wait = max(wait, readBytes?.take(moved, at: now) ?? 0)
            } else {
                wait = max(wait, writeOperations?.take(count, at: now) ?? 0)
                wait = max(wait, writeBytes?.take(moved, at: now) ?? 0)
            }
            return wait
        }
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

    /// Holds a request until it has paid. One that costs much pays in parts, so that those of other connections come between.
    /// Returns early when the limits have changed, or when `isCut`, which `wake` makes it look at, says so. `beforeWaiting`:
    /// once, before it waits.
    func pay(_ price: RequestPrice, unless isCut: () -> Bool, beforeWaiting: () -> Void) {
        var price = price
        var isFirst = true
        monitor.lock()
        let before = changes
        while !price.isPaid, changes == before, !isCut() {
            let now = gantry_now()
            let wait = buckets.take(&price, at: now)
            if wait == 0 { continue }
            if isFirst {
                isFirst = false
                monitor.unlock()
                beforeWaiting()
                monitor.lock()
            }
            let end = now &+ wait
            while changes == before, !isCut(), case let now = gantry_now(), now < end {
                monitor.wait(nanoseconds: end - now)
            }
        }
        monitor.unlock()
    }

    func wake() {
        monitor.lock()
        monitor.unlock()
        monitor.wakeAll()
    }
}
