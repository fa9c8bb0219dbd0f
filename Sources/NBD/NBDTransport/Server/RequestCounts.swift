import Synchronization

/// What a server has done for its clients since it was started.
///
/// The time of a request runs from when the batch it came with was taken up until that batch's replies were handed to the
/// socket: a client waits at least so long. A batch's time counts once for each request in it.
public struct RequestCounts: Hashable, Sendable {
    public var reads: UInt64 = 0
    public var readBytes: UInt64 = 0
    public var readNanoseconds: UInt64 = 0
    public var writes: UInt64 = 0
    public var writtenBytes: UInt64 = 0
    public var writeNanoseconds: UInt64 = 0
    public var flushes: UInt64 = 0
    public var flushNanoseconds: UInt64 = 0
    /// Trims and zeroings.
    public var discards: UInt64 = 0
    public var discardedBytes: UInt64 = 0
    /// How the times were spread. Only in what a server tells, not in what a batch adds.
    public var readLatency: LatencyHistogram?
    public var writeLatency: LatencyHistogram?
    public var flushLatency: LatencyHistogram?

    public init() {}

    var isEmpty: Bool { reads == 0 && writes == 0 && flushes == 0 && discards == 0 }

    static func + (left: RequestCounts, right: RequestCounts) -> RequestCounts {
        var sum = RequestCounts()
        sum.reads = left.reads &+ right.reads
        sum.readBytes = left.readBytes &+ right.readBytes
        sum.readNanoseconds = left.readNanoseconds &+ right.readNanoseconds
        sum.writes = left.writes &+ right.writes
        sum.writtenBytes = left.writtenBytes &+ right.writtenBytes
        sum.writeNanoseconds = left.writeNanoseconds &+ right.writeNanoseconds
        sum.flushes = left.flushes &+ right.flushes
        sum.flushNanoseconds = left.flushNanoseconds &+ right.flushNanoseconds
        sum.discards = left.discards &+ right.discards
        sum.discardedBytes = left.discardedBytes &+ right.discardedBytes
        sum.readLatency = joined(left.readLatency, right.readLatency)
        sum.writeLatency = joined(left.writeLatency, right.writeLatency)
        sum.flushLatency = joined(left.flushLatency, right.flushLatency)
        return sum
    }
}

private func joined(_ left: LatencyHistogram?, _ right: LatencyHistogram?) -> LatencyHistogram? {
    guard let left, let right else { return left ?? right }
    return left + right
}

/// One connection's counts. Its threads add, a batch at a time; whoever asks reads them meanwhile, each number by itself.
final class ConnectionCounts: Sendable {
    private let reads = Atomic<UInt64>(0)
    private let readBytes = Atomic<UInt64>(0)
    private let readNanoseconds = Atomic<UInt64>(0)
    private let writes = Atomic<UInt64>(0)
    private let writtenBytes = Atomic<UInt64>(0)
    private let writeNanoseconds = Atomic<UInt64>(0)
    private let flushes = Atomic<UInt64>(0)
    private let flushNanoseconds = Atomic<UInt64>(0)
    private let discards = Atomic<UInt64>(0)
    private let discardedBytes = Atomic<UInt64>(0)
    private let latencies = LatencyCounts()

    /// A batch with these requests took this long; a flush has a time of its own.
    func addTimes(of more: RequestCounts, _ nanoseconds: UInt64) {
        latencies.add(more.reads, .read, nanoseconds)
        latencies.add(more.writes, .write, nanoseconds)
        latencies.add(more.flushes, .flush, more.flushNanoseconds)
    }

    func add(_ more: RequestCounts) {
        if more.reads > 0 {
            reads.wrappingAdd(more.reads, ordering: .relaxed)
            readBytes.wrappingAdd(more.readBytes, ordering: .relaxed)
            readNanoseconds.wrappingAdd(more.readNanoseconds, ordering: .relaxed)
        }
        if more.writes > 0 {
            writes.wrappingAdd(more.writes, ordering: .relaxed)
            writtenBytes.wrappingAdd(more.writtenBytes, ordering: .relaxed)
            writeNanoseconds.wrappingAdd(more.writeNanoseconds, ordering: .relaxed)
        }
        if more.flushes > 0 {
            flushes.wrappingAdd(more.flushes, ordering: .relaxed)
            flushNanoseconds.wrappingAdd(more.flushNanoseconds, ordering: .relaxed)
        }
        if more.discards > 0 {
            discards.wrappingAdd(more.discards, ordering: .relaxed)
            discardedBytes.wrappingAdd(more.discardedBytes, ordering: .relaxed)
        }
    }

    var counts: RequestCounts {
        var all = RequestCounts()
        all.reads = reads.load(ordering: .relaxed)
        all.readBytes = readBytes.load(ordering: .relaxed)
        all.readNanoseconds = readNanoseconds.load(ordering: .relaxed)
        all.writes = writes.load(ordering: .relaxed)
        all.writtenBytes = writtenBytes.load(ordering: .relaxed)
        all.writeNanoseconds = writeNanoseconds.load(ordering: .relaxed)
        all.flushes = flushes.load(ordering: .relaxed)
        all.flushNanoseconds = flushNanoseconds.load(ordering: .relaxed)
        all.discards = discards.load(ordering: .relaxed)
        all.discardedBytes = discardedBytes.load(ordering: .relaxed)
        all.readLatency = latencies.histogram(.read)
        all.writeLatency = latencies.histogram(.write)
        all.flushLatency = latencies.histogram(.flush)
        return all
    }
}
