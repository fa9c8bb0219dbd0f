import Synchronization

/// How many requests took how long, in buckets that double: bucket `n` counts times below `2^n` microseconds that the one
/// before does not; the last counts all that are longer. Times are those of `RequestCounts`.
public struct LatencyHistogram: Hashable, Sendable {
    public static let bucketCount = 28

    public var buckets = [UInt64](repeating: 0, count: LatencyHistogram.bucketCount)

    public init() {}

    /// The bucket of a time.
    static func bucket(of nanoseconds: UInt64) -> Int {
        let microseconds = nanoseconds / 1000
        return min(64 - microseconds.leadingZeroBitCount, bucketCount - 1)
    }

    static func + (left: LatencyHistogram, right: LatencyHistogram) -> LatencyHistogram {
        var sum = left
        for index in sum.buckets.indices { sum.buckets[index] &+= right.buckets[index] }
        return sum
    }
}

/// One connection's histograms. Its threads add; whoever asks reads them meanwhile, each number by itself.
@safe
final class LatencyCounts: Sendable {
    enum Kind: Int, CaseIterable {
        case read
        case write
        case flush
    }

    // SAFETY: allocated and initialised by init for as long as the object lives; only used atomically.
    private nonisolated(unsafe) let counts: UnsafeMutablePointer<Atomic<UInt64>>
    private static let size = Kind.allCases.count * LatencyHistogram.bucketCount

    init() {
        unsafe counts = .allocate(capacity: Self.size)
        for index in 0..<Self.size { unsafe (counts + index).initialize(to: Atomic(0)) }
    }

    deinit {
        unsafe counts.deinitialize(count: Self.size)
        unsafe counts.deallocate()
    }

    /// `requests` of them took `nanoseconds` each.
    func add(_ requests: UInt64, _ kind: Kind, _ nanoseconds: UInt64) {
        if requests == 0 { return }
        let index = kind.rawValue * LatencyHistogram.bucketCount + LatencyHistogram.bucket(of: nanoseconds)
        unsafe counts[index].wrappingAdd(requests, ordering: .relaxed)
    }

    func histogram(_ kind: Kind) -> LatencyHistogram {
        var histogram = LatencyHistogram()
        for index in 0..<LatencyHistogram.bucketCount {
            histogram.buckets[index] = unsafe counts[kind.rawValue * LatencyHistogram.bucketCount + index]
                .load(ordering: .relaxed)
        }
        return histogram
    }
}
