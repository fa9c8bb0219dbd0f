import APITypes
import CoreTypes
import Logging
import PoolDatabase
import StorageInterface
import StorageManagers
import StorageMotion

/// Shortens the chains of this host's SRs in the background, one worker for each SR that has something to do.
///
/// It is told when something changed (`StorageContext.chainsChanged`), looks by itself every minute for what it had to leave,
/// and begins anew after each step from what the SR holds then.
actor SpaceReclaimer {
    private let context: StorageContext
    private var working: Set<String> = []
    /// Told of while its worker was at it.
    private var again: Set<String> = []
    /// The waits before the first look, by SR: a change of its settings ends one.
    private var waits: [String: Task<Void, Never>] = [:]
    /// Seconds between looks at SRs that nobody told of.
    private static let period: Double = 60

    init(context: StorageContext) { self.context = context }

    /// Until the task is cancelled; then its workers end, too, and the step that they are at.
    func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { [self] in
                while !Task.isCancelled {
                    for sr in repositories() { context.chainsChanged.tell(sr) }
                    try? await Task.sleep(for: .seconds(Self.period))
                }
            }
            group.addTask { [self] in await followSettings() }
            for await sr in context.chainsChanged.changes {
                if Task.isCancelled { break }
                guard working.insert(sr.opaque).inserted else {
                    again.insert(sr.opaque)
                    continue
                }
                group.addTask { [self] in await work(on: sr) }
            }
            group.cancelAll()
        }
    }

    /// The SRs of this host with hidden images, or of which nothing is known yet.
    private nonisolated func repositories() -> [Ref<SR>] {
        context.database.read { reader in
            reader.rows(SR.self).map { $0.typedRef(SR.self) }.filter { ReclaimPass.hasChains($0, reader) }
        }
    }

    /// Stops merges that go on by settings that are not the SR's any more, and looks at the SR by the new ones.
    private nonisolated func followSettings() async {
        let watch = context.database.watch(ChangeFilter(classes: [SR.className]))
        defer { watch.end() }
        var known = settings()
        while !Task.isCancelled {
            watch.arm()
            let present = settings()
            for (sr, new) in present {
                // What is made now has the settings that are meant unless others are given.
                guard known[sr] ?? ReclaimSettings() != new else { continue }
                context.reclaimGate.stopMerges(of: sr)
                context.chainsChanged.tell(sr)
                await endWait(sr)
            }
            known = present
            await watch.wait()
        }
    }

    private nonisolated func settings() -> [Ref<SR>: ReclaimSettings] {
        context.database.read { reader in
            Dictionary(
                reader.rows(SR.self).map { ($0.typedRef(SR.self), ReclaimSettings($0[SR.otherConfig])) }
            ) { first, _ in first }
        }
    }

    private func work(on sr: Ref<SR>) async {
        repeat {
            again.remove(sr.opaque)
            do {
                guard try await waitIsOver(sr) else { break }
                try await ReclaimPass(context: context, sr: sr).run()
            } catch is CancellationError {
                break
            } catch {
                context.logger.warning(
                    "the space of an SR is not reclaimed for now",
                    metadata: ["sr": "\(sr.opaque)", "error": "\(error)"])
            }
        } while again.contains(sr.opaque) && !Task.isCancelled
        working.remove(sr.opaque)
    }

    /// Waits as long as the SR's settings say by then; false when its chains are to be left alone.
    private func waitIsOver(_ sr: Ref<SR>) async throws -> Bool {
        let begin = ContinuousClock.now
        while true {
            try Task.checkCancellation()
            let settings = context.database.read { $0.row(sr) }.map { ReclaimSettings($0[SR.otherConfig]) }
            guard let settings, settings.isOn else { return false }
            let end = begin + .seconds(settings.delay)
            if ContinuousClock.now >= end { return true }
            let wait = Task { _ = try? await Task.sleep(until: end, clock: .continuous) }
            waits[sr.opaque] = wait
            await withTaskCancellationHandler {
                await wait.value
            } onCancel: {
                wait.cancel()
            }
            waits[sr.opaque] = nil
        }
    }

    private func endWait(_ sr: Ref<SR>) { waits[sr.opaque]?.cancel() }
}

/// Tells the space reclaimer that images of an SR came or went.
struct ChainChanges: Sendable {
    let changes: AsyncStream<Ref<SR>>
    private let continuation: AsyncStream<Ref<SR>>.Continuation

    init() { (changes, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(4096)) }

    func tell(_ sr: Ref<SR>) { continuation.yield(sr) }
}
