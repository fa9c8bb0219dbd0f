import DatapathControl
import Synchronization

/// What holds the copy of a snapshot back that moves, as it does a mirror: what is wished of the move, at its start and
/// meanwhile in its task's `other_config`, and what the rates of SRs, hosts and links leave to it.
final class CopyLimits: Sendable {
    private struct State: Sendable {
        var follower: MirrorFollower
        var wishes: MirrorSettings
        /// What the process that copies knows by now; nil: there was none yet.
        var said: MirrorSettings?
    }

    private let state: Mutex<State>
    private let own: UInt64
    private let retrySeconds: UInt64?
    private let share: @Sendable () async -> UInt64?
    private let keep: @Sendable (MirrorSettings) async -> Void

    /// `settings`, `bytesPerSecond` (0: no limit): of the move so far; `keep`: is told what is wished of it, so that a toolstack
    /// that is started meanwhile knows; `share`: what is left to it now, bytes per second; nil: no limit.
    init(
        _ settings: MirrorSettings, bytesPerSecond: UInt64,
        keep: @escaping @Sendable (MirrorSettings) async -> Void = { _ in },
        share: @escaping @Sendable () async -> UInt64?
    ) {
        own = settings.bytesPerSecond ?? bytesPerSecond
        retrySeconds = settings.retrySeconds
        (self.keep, self.share) = (keep, share)
        state = Mutex(
            State(
                follower: MirrorFollower(told: settings, bytesPerSecond: bytesPerSecond), wishes: MirrorSettings()))
    }

    /// What was wished of the move meanwhile, which holds for what follows. A wish to pause that stands is asked for again
    /// there: only so it is seen when it is taken back.
    var wishes: MirrorSettings {
        var wishes = state.withLock { $0.wishes }
        if wishes.isPaused == true { wishes.isPaused = nil }
        return wishes
    }

    /// For how long a side that is lost is tried again, as it is with a mirror: by what is wished now, else by the move's options, else a
    /// minute for exports.
    func patience(isExport: Bool, _ progress: any TaskProgress) -> Duration {
        let wished = MirrorWishes.standing(progress.entries).retrySeconds ?? retrySeconds
        return wished == nil && !isExport ? .zero : TurnOfDisk.patience(wished)
    }

    /// What the copy begins with, and begins again with.
    func atStart(_ progress: any TaskProgress) async -> MirrorSettings {
        let first = state.withLock { state in
            state.said ?? MirrorSettings(bytesPerSecond: own, isPaused: state.follower.isPaused)
        }
        let now = first.overlaid(by: await change(progress) ?? MirrorSettings())
        state.withLock { $0.said = now }
        return now
    }

    /// What the copy is to be told now; nil: nothing new.
    func change(_ progress: any TaskProgress) async -> MirrorSettings? {
        let (share, entries) = (await share(), progress.entries)
        let change = state.withLock { state -> MirrorFollower.Change? in
            guard let change = state.follower.change(entries, share: share, progress) else { return nil }
            state.wishes = state.wishes.overlaid(by: change.wished)
            state.said = state.said?.overlaid(by: change.told)
            return change
        }
        guard let change else { return nil }
        if let isPaused = change.told.isPaused { progress.annotate(["mirror_paused": String(isPaused)]) }
        await keep(change.wished)
        return change.told
    }
}
