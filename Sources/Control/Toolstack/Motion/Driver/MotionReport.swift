import CoreTypes
import DatapathControl
import Synchronization

/// What a task says of a move, in its progress and in `other_config`: `phase`, `bytes_total`, `bytes_copied`,
/// `bytes_dirty`, `bytes_per_second`, `dirty_bytes_per_second`, `seconds_left`, while it waits `queue_position` and `waits_for`, and while
/// both images are compared `bytes_compared` of `bytes_to_compare`. The rate and the time are of the phase.
enum MotionReport {
    /// The last hundredth is for the pivot and the clean-up.
    private static let end = 0.99

    /// Of a task's progress, what the copy is where a comparison follows it, and where none does.
    static func copyShare(isVerified: Bool) -> Double { isVerified ? 0.7 : end }

    static func tell(_ mirror: MirrorStatus, dirtied: UInt64, isVerified: Bool, to progress: any TaskProgress) {
        let part = min(1, Double(mirror.copiedBytes) / Double(max(mirror.totalBytes, 1)))
        progress.report(copyShare(isVerified: isVerified) * part)
        progress.annotate(mirror.notes.merging(["dirty_bytes_per_second": String(dirtied)]) { $1 })
    }

    /// A comparison of a disk of `size` bytes that began at `started`.
    static func tell(
        compared: UInt64, of size: UInt64, since started: ContinuousClock.Instant, isVerified: Bool,
        to progress: any TaskProgress
    ) {
        // A data path says what it likes.
        let done = min(compared, size)
        let copied = copyShare(isVerified: isVerified)
        progress.report(copied + (end - copied) * Double(done) / Double(max(size, 1)))
        let elapsed = (ContinuousClock.now - started) / Duration.seconds(1)
        let left = done == 0 ? "" : String(UInt64(min(1e15, elapsed * Double(size - done) / Double(done))))
        let rate = elapsed > 0 ? UInt64(min(1e15, Double(done) / elapsed)) : 0
        progress.annotate([
            "phase": "verifying", "bytes_compared": String(done), "bytes_to_compare": String(size),
            "bytes_per_second": String(rate), "seconds_left": left,
        ])
    }
}

extension MotionReport {
    /// A comparison has found both images alike: the last look at it may have been before its end.
    static func tellCompared(all size: UInt64, isVerified: Bool, to progress: any TaskProgress) {
        tell(compared: size, of: size, since: .now, isVerified: isVerified, to: progress)
        // Of several disks the others' phase and time count now.
        progress.annotate(["phase": "synchronised", "seconds_left": "0", "bytes_per_second": "0"])
    }
}

/// How fast a guest writes, from what its data path counts.
struct WriteMeter {
    private var last: (time: ContinuousClock.Instant, bytes: UInt64)?
    private(set) var bytesPerSecond: UInt64 = 0

    /// What no disk can do, and a number that fits: a data path says what it likes.
    private static let most = 1e18

    mutating func read(_ counters: DatapathCounters?, at now: ContinuousClock.Instant = .now) {
        guard let bytes = counters?.writtenBytes else { return }
        guard let last else {
            self.last = (now, bytes)
            return
        }
        let elapsed = (now - last.time) / Duration.seconds(1)
        if elapsed < 0.5 { return }
        // The counters of a data path that was restarted begin again.
        bytesPerSecond = bytes >= last.bytes ? UInt64(min(Double(bytes - last.bytes) / elapsed, Self.most)) : 0
        self.last = (now, bytes)
    }
}

/// A part of a task's progress that has its place in the whole.
struct ProgressShare: TaskProgress {
    private let whole: any TaskProgress
    private let from, to: Double

    init(of whole: any TaskProgress, from: Double, to: Double) { (self.whole, self.from, self.to) = (whole, from, to) }

    var cancellation: CancellationFlag { whole.cancellation }
    var entries: [String: String] { whole.entries }
    func report(_ fraction: Double) { whole.report(from + (to - from) * fraction) }
    func annotate(_ entries: [String: String]) { whole.annotate(entries) }
    func passPointOfNoReturn() async throws { try await whole.passPointOfNoReturn() }
}

/// One task's progress, made up of those of disks that move side by side. Cancelling stops all.
final class SharedProgress: Sendable {
    private struct Part: Sendable {
        let weight: Double
        var notes: [String: String]
        let expected: UInt64?
        var fraction = 0.0
        /// It cannot be cancelled any more.
        var isPast = false
    }

    /// Of the parts; the task's own is to be watched beside.
    let cancellation = CancellationFlag()
    private let whole: any TaskProgress
    private let parts: Mutex<[Part]>

    /// `isExpected`: the sizes are what is to be copied, as far as that can be said: a part counts so many bytes until it says more.
    init(_ sizes: [UInt64], of whole: any TaskProgress, isExpected: Bool = false) {
        self.whole = whole
        let total = sizes.reduce(0.0) { $0 + max(1, Double($1)) }
        parts = Mutex(
            sizes.map { size in
                let notes = isExpected ? ["bytes_total": String(size), "bytes_copied": "0"] : [:]
                return Part(weight: max(1, Double(size)) / total, notes: notes, expected: isExpected ? size : nil)
            })
    }

    /// What the part was expected to have, bytes; nil: nothing was.
    func expected(_ index: Int) -> UInt64? { parts.withLock { $0[index].expected } }

    /// What is wished of the moves, which is the same for all.
    fileprivate var entries: [String: String] { whole.entries }

    /// `cancellation`: whose cancelling stops the part, where that is not one for all parts.
    func part(_ index: Int, cancellation: CancellationFlag? = nil) -> any TaskProgress {
        PartProgress(shared: self, index: index, cancellation: cancellation ?? self.cancellation)
    }

    /// Of one part. The whole can be cancelled as long as another part can.
    fileprivate func passPointOfNoReturn(_ index: Int, _ cancellation: CancellationFlag) async throws {
        if cancellation.isCancelled { throw CancellationError() }
        let isLast = parts.withLock { parts in
            parts[index].isPast = true
            return parts.allSatisfy(\.isPast)
        }
        if isLast { try await whole.passPointOfNoReturn() }
    }

    fileprivate func change(_ index: Int, fraction: Double? = nil, notes: [String: String] = [:]) {
        let (fraction, notes) = parts.withLock { parts -> (Double, [String: String]) in
            if let fraction { parts[index].fraction = max(parts[index].fraction, fraction) }
            parts[index].notes.merge(notes) { $1 }
            return (parts.reduce(0) { $0 + $1.weight * $1.fraction }, Self.sum(parts.map(\.notes)))
        }
        whole.report(fraction)
        if !notes.isEmpty { whole.annotate(notes) }
    }

    private static let counted = [
        "bytes_total", "bytes_copied", "bytes_dirty", "bytes_per_second", "dirty_bytes_per_second", "bytes_compared",
        "bytes_to_compare",
    ]
    /// What is said of several disks is what most is left to do of.
    private static let phases = [
        "copying", "snapshots", "starting", "queued", "broken", "undecided", "verifying", "synchronised",
    ]

    /// What is said of all together.
    static func sum(_ notes: [[String: String]]) -> [String: String] {
        var all = notes.count == 1 ? notes[0] : notes.reduce(into: [:]) { $0.merge($1) { first, _ in first } }
        let present = Set(notes.compactMap { $0["phase"] })
        if let phase = phases.first(where: present.contains) { all["phase"] = phase }
        // While one is copied, how fast another one is compared says nothing of it.
        let paced = all["phase"] == "verifying" ? notes : notes.filter { $0["phase"] != "verifying" }
        for key in counted where all[key] != nil {
            let parts = key == "bytes_per_second" ? paced : notes
            all[key] = String(parts.reduce(UInt64(0)) { $0 &+ ($1[key].flatMap { UInt64($0) } ?? 0) })
        }
        if notes.count > 1, all["queue_position"] != nil {
            let waiting = notes.filter { $0["phase"] == "queued" }
            func place(_ part: [String: String]) -> UInt64 { part["queue_position"].flatMap { UInt64($0) } ?? 0 }
            // That of whoever is last of them.
            let last = waiting.max { place($0) < place($1) }
            all["queue_position"] = String(last.map(place) ?? 0)
            if all["waits_for"] != nil { all["waits_for"] = last?["waits_for"] ?? "" }
        }
        func number(_ key: String) -> UInt64? { all[key].flatMap { UInt64($0) } }
        if all["phase"] == "verifying" {
            let left = notes.filter { $0["phase"] == "verifying" }.map { $0["seconds_left"].flatMap { UInt64($0) } }
            all["seconds_left"] = left.contains(nil) ? "" : left.compactMap { $0 }.max().map { String($0) } ?? ""
        } else if let total = number("bytes_total"), let done = number("bytes_copied"),
            let rate = number("bytes_per_second")
        {
            let left = total > done ? total - done : 0
            all["seconds_left"] = left == 0 ? "0" : rate == 0 ? "" : String(left / rate)
        }
        return all
    }
}

private struct PartProgress: TaskProgress {
    let shared: SharedProgress
    let index: Int
    let cancellation: CancellationFlag
    var entries: [String: String] { shared.entries }
    func report(_ fraction: Double) { shared.change(index, fraction: fraction) }
    func annotate(_ entries: [String: String]) { shared.change(index, notes: entries) }
    func passPointOfNoReturn() async throws { try await shared.passPointOfNoReturn(index, cancellation) }
}
