import APITypes
import CoreTypes
import DatapathControl
import PoolDatabase
import StorageMotion

/// What the one who moves a disk wants of the mirror: in the options of `VDI.pool_migrate`, and while it runs in the task's
/// `other_config`, under the same names. Names of ours, which other toolstacks ignore.
enum MirrorWishes {
    static let rate = "bytes-per-second"
    static let latency = "guest-latency-us"
    static let mode = "mirror-mode"
    static let mayDelay = "may-delay"
    static let retry = "retry-seconds"
    static let paused = "paused"
    /// Whether both images are compared before the pivot; an option only.
    static let verify = "verify"
    /// The same for all moves that do not say, in the pool's `other_config`: `false`, or `0`, for those that are not compared.
    static let verifiesMoves = "verify-moves"

    /// The words that XenAPI's options take, in any case.
    static func boolean(_ text: String) -> Bool? {
        switch text.lowercased() {
        case "true", "on", "1": true
        case "false", "off", "0": false
        default: nil
        }
    }

    /// Throws INVALID_VALUE with the name and the value that is none.
    static func settings(_ entries: [String: String]) throws(APIError) -> MirrorSettings {
        var settings = MirrorSettings()
        settings.bytesPerSecond = try read(rate, entries) { ByteCount(parsing: $0)?.bytes }
        settings.latencyBudget = try read(latency, entries) { UInt64($0) }
        settings.mode = try read(mode, entries) { ["automatic", "active", "background"].contains($0) ? $0 : nil }
        settings.mayDelay = try read(mayDelay, entries) { boolean($0) }
        settings.retrySeconds = try read(retry, entries) { UInt64($0) }
        settings.isPaused = try read(paused, entries) { boolean($0) }
        return settings
    }

    /// What stands in a task's entries when its mirror begins. One that makes no sense is named when the mirror is followed.
    static func standing(_ entries: [String: String]) -> MirrorSettings {
        (try? settings(entries)) ?? MirrorSettings()
    }

    /// By the options of a call, else by the pool's word, else it is.
    static func wantsVerification(
        _ entries: [String: String], _ reader: any DatabaseReader
    ) throws(APIError) -> Bool {
        try wantsVerification(entries, pool: reader.rows(Pool.self).first?[Pool.otherConfig] ?? [:])
    }

    /// `pool`: its `other_config`, in which what makes no sense says nothing.
    static func wantsVerification(
        _ entries: [String: String], pool: [String: String]
    ) throws(APIError) -> Bool {
        try checkedVerification(entries) ?? pool[verifiesMoves].flatMap { boolean($0) } ?? true
    }

    /// INVALID_VALUE [verify, text] for what is neither true nor false; nil: nothing is said.
    @discardableResult
    static func checkedVerification(_ entries: [String: String]) throws(APIError) -> Bool? {
        try read(verify, entries) { boolean($0) }
    }

    /// The same words for what is wished already.
    static func entries(_ settings: MirrorSettings) -> [String: String] {
        var entries: [String: String] = [:]
        entries[rate] = settings.bytesPerSecond.map { String($0) }
        entries[latency] = settings.latencyBudget.map { String($0) }
        entries[mode] = settings.mode
        entries[mayDelay] = settings.mayDelay.map { String($0) }
        entries[retry] = settings.retrySeconds.map { String($0) }
        entries[paused] = settings.isPaused.map { String($0) }
        return entries
    }

    private static func read<T>(
        _ name: String, _ entries: [String: String], _ parse: (String) -> T?
    ) throws(APIError) -> T? {
        guard let text = entries[name], !text.isEmpty else { return nil }
        guard let value = parse(text) else { throw APIError("INVALID_VALUE", name, text) }
        return value
    }
}

/// Follows what is wished of one mirror, and what its SRs leave to it, so that the data path is told of changes only.
struct MirrorFollower {
    /// What is new: what to tell the data path, and what of it was wished of this move and holds for later ones.
    struct Change: Equatable {
        var told: MirrorSettings
        var wished: MirrorSettings
    }

    private var told: MirrorSettings?
    private var refused: [String: String] = [:]
    /// It was wished to pause.
    private var hasPaused = false
    /// The move's own limit, bytes per second; 0: none.
    private var own: UInt64
    /// Its SRs had limits.
    private var hasShared = false

    /// `told`: what the mirror was started with; `bytesPerSecond`: the move's own limit, 0: none; `entries`: the task's, whose
    /// wish to pause may be among what was told.
    init(told: MirrorSettings, bytesPerSecond: UInt64 = 0, entries: [String: String] = [:]) {
        self.told = told
        own = told.bytesPerSecond ?? bytesPerSecond
        hasPaused = MirrorWishes.standing(entries).isPaused == true
    }

    /// As it was told last.
    var isPaused: Bool { told?.isPaused ?? false }

    /// What was told has not arrived.
    mutating func tellAgain() { told = nil }

    /// What is to be told now; nil when nothing has changed. A wish that makes no sense changes nothing and is named in the
    /// task's `other_config:mirror_refused`. Who takes the wish to pause back wants it to go on.
    /// - Parameter share: what the SRs leave to it, bytes per second; nil: no limit.
    mutating func change(
        _ entries: [String: String], share: UInt64? = nil, _ progress: any TaskProgress
    ) -> Change? {
        do {
            var wanted = try MirrorWishes.settings(entries)
            if let isPaused = wanted.isPaused {
                hasPaused = hasPaused || isPaused
            } else if hasPaused {
                wanted.isPaused = false
            }
            if !refused.isEmpty { progress.annotate(["mirror_refused": ""]) }
            refused = [:]
            let wished = wanted
            own = wanted.bytesPerSecond ?? own
            hasShared = hasShared || share != nil
            if hasShared { wanted.bytesPerSecond = [own == 0 ? nil : own, share].compactMap { $0 }.min() ?? 0 }
            if wanted == told || wanted == MirrorSettings() { return nil }
            told = wanted
            return Change(told: wanted, wished: wished)
        } catch {
            let text = ["mirror_refused": error.parameters.joined(separator: "=")]
            if text != refused { progress.annotate(text) }
            refused = text
            return nil
        }
    }
}

extension MirrorSettings {
    /// These, where `later` says nothing else.
    func overlaid(by later: MirrorSettings) -> MirrorSettings {
        MirrorSettings(
            bytesPerSecond: later.bytesPerSecond ?? bytesPerSecond, latencyBudget: later.latencyBudget ?? latencyBudget,
            mode: later.mode ?? mode, mayDelay: later.mayDelay ?? mayDelay,
            retrySeconds: later.retrySeconds ?? retrySeconds, isPaused: later.isPaused ?? isPaused)
    }
}

extension DiskMotion {
    /// What holds for it from now on. Returns whether that is new.
    @discardableResult mutating func wish(_ later: MirrorSettings) -> Bool {
        let now = settings ?? MirrorSettings()
        let wishes = now.overlaid(by: later)
        if wishes == now { return false }
        settings = wishes
        return true
    }
}

extension MirrorStatus {
    /// The task's `other_config`.
    var notes: [String: String] {
        // What there is to copy is estimated while it is copied, and may count a piece twice: in the end it is what was copied.
        let total = phase == .synchronised || phase == .dual ? copiedBytes : totalBytes
        var notes = [
            "bytes_total": String(total), "bytes_copied": String(copiedBytes),
            "bytes_dirty": String(dirtyBytes), "bytes_per_second": String(bytesPerSecond), "phase": phase.rawValue,
        ]
        guard let details else { return notes }
        notes["seconds_left"] = details.remainingSeconds.map(String.init) ?? ""
        notes["mirror_active"] = String(details.isActive)
        notes["mirror_paused"] = String(details.settings.isPaused ?? false)
        notes["mirror_converging"] = String(details.isConverging)
        notes["mirror_retries"] = String(details.retries)
        notes["bytes_resumed"] = String(details.resumedBytes)
        notes["mirror_late_writes"] = String(details.lateWrites ?? 0)
        notes["guest_writes_delayed"] = String(details.delayedWrites)
        notes["guest_delay_us_mean"] = String(details.delayMicroseconds / max(1, details.delayedWrites))
        notes["guest_delay_us_longest"] = String(details.longestDelayMicroseconds)
        return notes
    }
}
