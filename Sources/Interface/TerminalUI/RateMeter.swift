/// Bytes a second over the last few seconds: samples older than the window are forgotten, so that a stall shows.
struct RateMeter {
    private struct Sample {
        let bytes: UInt64
        let time: ContinuousClock.Instant
    }

    private var samples: [Sample] = []
    private let window = Duration.seconds(5)

    /// Samples nearer than a tenth of a second to the one before replace nothing and are skipped.
    mutating func sample(bytes: UInt64, at time: ContinuousClock.Instant) {
        if let last = samples.last {
            guard bytes >= last.bytes else {
                samples = [Sample(bytes: bytes, time: time)]
                return
            }
            guard time - last.time >= .milliseconds(100) else { return }
        }
        samples.append(Sample(bytes: bytes, time: time))
        while samples.count > 2, let second = samples.dropFirst().first, time - second.time >= window {
            samples.removeFirst()
        }
    }

    /// Nil until there are two samples.
    var bytesPerSecond: Double? {
        guard let first = samples.first, let last = samples.last else { return nil }
        let seconds = (last.time - first.time).inSeconds
        return seconds > 0 ? Double(last.bytes - first.bytes) / seconds : nil
    }
}
