import BlockIO
import CoreTypes
import Synchronization
import TerminalUI

/// A number of equal requests to a device, from several threads, timed.
final class RequestBench: Sendable {
    struct Result: Encodable {
        let requests: UInt64
        let seconds: Double
        let requestsPerSecond: Double
        let bytesPerSecond: Double
        /// Microseconds of one request: median, 99th of a hundred, longest.
        let median: Double
        let percentile99: Double
        let longest: Double

        enum CodingKeys: String, CodingKey {
            case requests, seconds
            case requestsPerSecond = "requests-per-second"
            case bytesPerSecond = "bytes-per-second"
            case median = "latency-us-median"
            case percentile99 = "latency-us-99"
            case longest = "latency-us-max"
        }

        var text: String {
            func short(_ value: Double) -> String { String(Int(value.rounded())) }
            let rate = ByteCount(UInt64(max(0, bytesPerSecond)))
            return "\(requests) requests in \(String((seconds * 1000).rounded() / 1000)) s: "
                + "\(short(requestsPerSecond)) a second, \(rate)/s; latency \(short(median)) µs median, "
                + "\(short(percentile99)) µs 99 %, \(short(longest)) µs longest"
        }
    }

    private let device: any BlockDevice
    private let count: UInt64
    private let size: Int
    private let step: UInt64
    private let start: UInt64
    private let random: Bool
    /// The byte to write; nil: read.
    private let pattern: UInt8?
    private let flushInterval: UInt64
    private let next = Atomic<UInt64>(0)
    private let failure = Mutex<BlockError?>(nil)
    /// Latencies are counted in buckets of an eighth of a power of two.
    private let buckets = Mutex([UInt64](repeating: 0, count: 512))
    private let slowest = Mutex<UInt64>(0)

    init(
        device: any BlockDevice, count: UInt64, size: Int, step: UInt64, start: UInt64, random: Bool, pattern: UInt8?,
        flushInterval: UInt64
    ) {
        self.device = device
        self.count = count
        self.size = size
        self.step = step
        self.start = start
        self.random = random
        self.pattern = pattern
        self.flushInterval = flushInterval
    }

    func run(threads: Int) throws(BlockError) -> Result {
        let begun = ContinuousClock.now
        let others = (1..<max(1, threads)).map { index in WorkerThread("bench-\(index)") { [self] in work() } }
        work()
        for thread in others { thread.join() }
        if let error = failure.withLock({ $0 }) { throw error }
        if pattern != nil { try device.flush() }
        let seconds = max(1e-9, (ContinuousClock.now - begun).inSeconds)
        let longest = Double(slowest.withLock { $0 }) / 1000
        return Result(
            requests: count, seconds: seconds, requestsPerSecond: Double(count) / seconds,
            bytesPerSecond: Double(count) * Double(size) / seconds, median: min(latency(0.5), longest),
            percentile99: min(latency(0.99), longest), longest: longest)
    }

    private func work() {
        let buffer = AlignedBuffer(count: size)
        if let pattern { unsafe _ = buffer.bytes.initializeMemory(as: UInt8.self, repeating: pattern) }
        var counts = [UInt64](repeating: 0, count: 512)
        var longest: UInt64 = 0
        do throws(BlockError) {
            while true {
                let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
                if index >= count { break }
                let place = place(of: index)
                let begun = ContinuousClock.now
                // SAFETY: the thread's own buffer of the size of a request.
                if pattern != nil {
                    try unsafe device.write(UnsafeRawBufferPointer(rebasing: buffer.bytes[0..<size]), at: place)
                    if flushInterval > 0, (index + 1) % flushInterval == 0 { try device.flush() }
                } else {
                    try unsafe device.read(
                        into: UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[0..<size]), at: place)
                }
                let taken = UInt64(max(0, (ContinuousClock.now - begun).inSeconds * 1e9))
                longest = max(longest, taken)
                counts[Self.bucket(taken)] += 1
            }
        } catch {
            failure.withLock { if $0 == nil { $0 = error } }
            next.store(count, ordering: .relaxed)
        }
        buckets.withLock { all in
            for index in counts.indices { all[index] += counts[index] }
        }
        slowest.withLock { $0 = max($0, longest) }
    }

    /// Where a request goes: whole requests inside the device.
    private func place(of index: UInt64) -> UInt64 {
        let places = (device.size - UInt64(size)) / UInt64(size) + 1
        if random {
            // A step of SplitMix64: spread, and the same in each run.
            var mixed = index &* 0x9E37_79B9_7F4A_7C15
            mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
            mixed ^= mixed >> 27
            return mixed % places * UInt64(size)
        }
        return (start &+ index &* step) % (device.size - UInt64(size) + 1)
    }

    private static func bucket(_ nanoseconds: UInt64) -> Int {
        let value = max(8, nanoseconds)
        let power = 63 - value.leadingZeroBitCount
        return power * 8 + Int(value >> UInt64(power - 3) & 7)
    }

    /// Microseconds that `share` of all requests stayed below, within an eighth: where a bucket ends, which may be above the
    /// slowest request.
    private func latency(_ share: Double) -> Double {
        buckets.withLock { all in
            var left = Double(all.reduce(0, +)) * share
            for (index, count) in all.enumerated() {
                left -= Double(count)
                if left <= 0, count > 0 {
                    let upper = (UInt64(8 + index % 8) + 1) << UInt64(index / 8)
                    return Double(upper >> 3) / 1000
                }
            }
            return 0
        }
    }
}
