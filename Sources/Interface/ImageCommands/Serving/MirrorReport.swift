import BlockCopy

/// What `gantry image mirror` says after each of its words.
struct MirrorReport: Encodable {
    let copiedBytes: UInt64
    let totalBytes: UInt64
    let dirtyBytes: UInt64
    let bytesPerSecond: UInt64
    /// `copying`, `synchronised`, `broken`, ….
    let phase: String?
    let isActive: Bool
    let isConverging: Bool
    let isPaused: Bool
    let retries: UInt64
    let secondsLeft: UInt64?
    let delayedWrites: UInt64
    /// Milliseconds that writes of clients waited for the destination, on average and at most.
    let meanDelay: Double
    let longestDelay: Double
    /// Since `start`.
    let seconds: Double
    /// The longest time for which requests were held up by a change of the stack; with `pivoted` only.
    var pauseMilliseconds: Double?
    /// From `pivot`, or from being in sync when that came later, to the answer.
    var pivotMilliseconds: Double?
    /// How long writes of clients took; with `pivoted` only.
    var writes: Writes?

    struct Writes: Encodable {
        /// Until `start`, until the pivot began, and during the pivot.
        var before: LatencyHistogram.Snapshot?
        var mirroring: LatencyHistogram.Snapshot?
        var pivoting: LatencyHistogram.Snapshot?

        enum Keys: String, CodingKey { case before, mirroring, pivoting }
        enum Figures: String, CodingKey {
            case count
            case median = "p50_ms"
            case most = "p99_ms"
            case nearlyAll = "p999_ms"
            case longest = "longest_ms"
        }

        func encode(to encoder: any Encoder) throws {
            var all = encoder.container(keyedBy: Keys.self)
            for (key, snapshot) in [(Keys.before, before), (.mirroring, mirroring), (.pivoting, pivoting)] {
                guard let snapshot else { continue }
                var figures = all.nestedContainer(keyedBy: Figures.self, forKey: key)
                try figures.encode(snapshot.count, forKey: .count)
                try figures.encode(Double(snapshot.quantile(0.5)) / 1e6, forKey: .median)
                try figures.encode(Double(snapshot.quantile(0.99)) / 1e6, forKey: .most)
                try figures.encode(Double(snapshot.quantile(0.999)) / 1e6, forKey: .nearlyAll)
                try figures.encode(Double(snapshot.longest) / 1e6, forKey: .longest)
            }
        }
    }

    enum CodingKeys: String, CodingKey {
        case copiedBytes = "copied_bytes"
        case totalBytes = "total_bytes"
        case dirtyBytes = "dirty_bytes"
        case bytesPerSecond = "bytes_per_second"
        case phase
        case isActive = "active"
        case isConverging = "converging"
        case isPaused = "paused"
        case retries
        case secondsLeft = "seconds_left"
        case delayedWrites = "delayed_writes"
        case meanDelay = "delay_mean_ms"
        case longestDelay = "delay_longest_ms"
        case seconds
        case pauseMilliseconds = "pause_ms"
        case pivotMilliseconds = "pivot_ms"
        case writes
    }

    init(_ progress: MirrorProgress?, seconds: Double) {
        copiedBytes = progress?.copiedBytes ?? 0
        totalBytes = progress?.totalBytes ?? 0
        dirtyBytes = progress?.dirtyBytes ?? 0
        bytesPerSecond = progress?.bytesPerSecond ?? 0
        phase = progress.map { "\($0.phase)" }
        isActive = progress?.isActive ?? false
        isConverging = progress?.isConverging ?? true
        isPaused = progress?.options.isPaused ?? false
        retries = progress?.retries ?? 0
        secondsLeft = progress?.remainingSeconds
        delayedWrites = progress?.delayedWrites ?? 0
        meanDelay = Double(progress?.delayNanoseconds ?? 0) / Double(max(1, delayedWrites)) / 1e6
        longestDelay = Double(progress?.longestDelayNanoseconds ?? 0) / 1e6
        self.seconds = seconds
    }
}

/// The lines that change a running mirror.
enum MirrorLine {
    /// Nil for a line that is none of them.
    static func parse(_ line: String) -> ((inout MirrorOptions) -> Void)? {
        let words = line.split(separator: " ").map(String.init)
        switch (words.first, words.count) {
        case ("pause", 1): return { $0.isPaused = true }
        case ("resume", 1): return { $0.isPaused = false }
        case ("rate", 2):
            guard let rate = UInt64(words[1]) else { return nil }
            return { $0.bytesPerSecond = rate }
        case ("latency", 2):
            guard let budget = UInt64(words[1]), budget <= 3_600_000_000 else { return nil }
            return { $0.latencyBudget = budget * 1000 }
        case ("mode", 2):
            guard let mode = MirrorOptions.Mode(rawValue: words[1]) else { return nil }
            return { $0.mode = mode }
        case ("delay", 2):
            guard ["yes", "no"].contains(words[1]) else { return nil }
            return { $0.mayDelay = words[1] == "yes" }
        case ("retry", 2):
            guard let seconds = UInt64(words[1]), seconds <= 1_000_000 else { return nil }
            return { $0.retryFor = seconds * 1_000_000_000 }
        default: return nil
        }
    }
}
