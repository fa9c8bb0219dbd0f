import Synchronization

/// How long requests took, as counts by duration: eight steps for each doubling, from 1 µs to over an hour. Adding is one
/// atomic addition; reading takes a snapshot.
public final class LatencyHistogram: Sendable {
    private static let steps = 8
    private static let doublings = 32
    private let slots: [Slot]
    private let most = Atomic<UInt64>(0)

    private final class Slot: Sendable { let count = Atomic<UInt64>(0) }

    public init() { slots = (0..<Self.steps * Self.doublings).map { _ in Slot() } }

    public func add(_ nanoseconds: UInt64) {
        slots[Self.slot(nanoseconds)].count.wrappingAdd(1, ordering: .relaxed)
        if nanoseconds > most.load(ordering: .relaxed) { most.max(nanoseconds, ordering: .relaxed) }
    }

    private static func slot(_ nanoseconds: UInt64) -> Int {
        let units = max(1, nanoseconds / 1000)
        let doubling = min(doublings - 1, 63 - units.leadingZeroBitCount)
        let step = doubling >= 3 ? Int(units >> UInt64(doubling - 3)) & 7 : Int(units << UInt64(3 - doubling)) & 7
        return doubling * steps + min(7, step)
    }

    /// What was added since the last call.
    public func take() -> Snapshot {
        Snapshot(
            counts: slots.map { $0.count.exchange(0, ordering: .relaxed) },
            longest: most.exchange(0, ordering: .relaxed))
    }

    public struct Snapshot: Sendable {
        let counts: [UInt64]
        /// Nanoseconds.
        public let longest: UInt64

        public var count: UInt64 { counts.reduce(0, +) }

        /// Nanoseconds that `part` (0 to 1) of the requests did not exceed, within an eighth; 0 without requests.
        public func quantile(_ part: Double) -> UInt64 {
            let total = count
            if total == 0 { return 0 }
            var left = Double(total) * part
            for (index, count) in counts.enumerated() where count > 0 {
                left -= Double(count)
                if left <= 0 {
                    let doubling = UInt64(index / LatencyHistogram.steps)
                    let step = UInt64(index % LatencyHistogram.steps)
                    let upper = ((9 + step) << doubling) / 8
                    return min(longest, upper * 1000)
                }
            }
            return longest
        }
    }
}
