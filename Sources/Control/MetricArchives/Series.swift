/// The history of one source at every level.
struct Series: Sendable {
    var source: MetricSource
    /// The newest sample and its time, which the next value of a counter needs.
    private(set) var lastSample = Double.nan
    private(set) var lastTime = 0.0
    /// The newest value; NaN when it is not known.
    private(set) var value = Double.nan
    /// By level, then by consolidation.
    private(set) var rings: [[Ring]]
    private(set) var progress: [RowInProgress]

    /// A new series in an archive whose newest point is number `point`: what came before is unknown.
    init(_ source: MetricSource, after point: Int64) {
        self.source = source
        rings = ArchiveLevel.all.map { level in level.consolidations.map { _ in Ring(capacity: level.rows) } }
        progress = ArchiveLevel.all.map { level in
            RowInProgress(unknown: Int(point % Int64(level.points)))
        }
    }

    /// As it was kept.
    init(
        _ source: MetricSource, lastSample: Double, lastTime: Double, value: Double, rings: [[Ring]],
        progress: [RowInProgress]
    ) {
        self.source = source
        self.lastSample = lastSample
        self.lastTime = lastTime
        self.value = value
        self.rings = rings
        self.progress = progress
    }

    /// Numbers of the past that it holds.
    var count: Int { rings.reduce(0) { $0 + $1.reduce(0) { $0 + $1.count } } }

    /// Keeps the newest `share` of `whole` parts of each ring, rounded down.
    mutating func keep(_ share: Int, of whole: Int) {
        for (level, row) in rings.enumerated() {
            for (place, ring) in row.enumerated() {
                let kept = ring.oldestFirst.suffix(ring.count * share / whole)
                rings[level][place] = Ring(capacity: ring.capacity, oldestFirst: Array(kept))
            }
        }
    }

    /// Takes a sample; nil when there was none. Returns the value that it gives.
    mutating func take(_ sample: Double?, at time: Double) -> Double {
        let before = (sample: lastSample, time: lastTime)
        lastSample = sample ?? .nan
        lastTime = time
        value = Self.value(source, sample ?? .nan, time, before)
        return value
    }

    private static func value(
        _ source: MetricSource, _ sample: Double, _ time: Double, _ before: (sample: Double, time: Double)
    ) -> Double {
        var result = sample
        if source.kind == .counter {
            // A counter that went back has been started anew: nobody knows what it had come to.
            guard sample >= before.sample, time > before.time else { return .nan }
            result = (sample - before.sample) / (time - before.time)
        }
        return result >= source.minimum && result <= source.maximum ? result : .nan
    }

    mutating func push(_ value: Double) {
        for (index, level) in ArchiveLevel.all.enumerated() {
            progress[index].add(value)
            if progress[index].points >= level.points { close(index, level) }
        }
    }

    /// As `push` of NaN, `count` times, at a cost that does not grow with `count`.
    mutating func pushUnknown(_ count: Int64) {
        for (index, level) in ArchiveLevel.all.enumerated() {
            let missing = Int64(level.points - progress[index].points)
            guard count >= missing else {
                progress[index].unknown += Int(count)
                continue
            }
            progress[index].unknown += Int(missing)
            close(index, level)
            let whole = (count - missing) / Int64(level.points)
            for place in rings[index].indices {
                rings[index][place].append(repeating: .nan, count: Int(min(whole, Int64(level.rows))))
            }
            progress[index].unknown = Int((count - missing) % Int64(level.points))
        }
    }

    private mutating func close(_ index: Int, _ level: ArchiveLevel) {
        for (place, consolidation) in level.consolidations.enumerated() {
            rings[index][place].append(progress[index].value(consolidation))
        }
        progress[index] = RowInProgress()
    }
}
