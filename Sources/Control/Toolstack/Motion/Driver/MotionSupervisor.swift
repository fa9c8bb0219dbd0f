import APITypes
import CoreTypes
import Logging
import PoolDatabase
import StorageMotion

/// Takes up the moves that a restart interrupted, and those whose cleaning up could not be done when they ended.
actor MotionSupervisor {
    private let context: StorageContext
    private let admission: OperationAdmission

    init(context: StorageContext, admission: OperationAdmission) {
        self.context = context
        self.admission = admission
    }

    /// An undecided move, as an earlier toolstack has left it.
    private struct Interrupted: Sendable {
        let motion: DiskMotion
        /// The destination's SR is plugged.
        let isThere: Bool
    }

    /// The moves of one call, or one of a call that nobody knows any more.
    private struct Group: Sendable {
        let call: MoveCall?
        var moves: [Interrupted]
        let held: OperationAdmission.Admitted?
        /// Why another disk of the call has not moved, which was decided before.
        var failure: APIError?
    }

    private var groups: [Group] = []
    /// The calls whose moves were decided, and how they have ended.
    private var decided: [(call: MoveCall, outcome: Result<String, APIError>)] = []

    /// How long the start waits for what is left to do of decided moves; it goes on beside the calls then.
    private static let patience = Duration.seconds(5)

    /// Called once, before any call is served. Decided moves are finished here, side by side: little is left to do for them. Of
    /// one whose image cannot be destroyed nobody waits for that. The others hold what they held, and go on with `takeUp`.
    func resume() async {
        let store = MotionStore(database: context.database)
        let motions = store.all().sorted(by: Self.cameFirst)
        let driver = MotionDriver(context: context)
        var own: [DiskMotion] = []
        for motion in motions where motion.isDecided {
            note(motion)
            // Until its old image is gone, or only that is left.
            if motion.phase == .committed, !motion.isReleased { await driver.holdAgain(motion) }
            // A third-party driver can only be asked once calls are served.
            if context.isForeign(Ref(motion.sourceSR)) || context.isForeign(Ref(motion.destinationSR)) {
                Task { await driver.recover(motion) }
            } else {
                own.append(motion)
            }
        }
        let work = Task { [own] in await driver.recover(own) }
        await BoundedWait.wait(for: work, atMost: Self.patience)
        var left = motions.filter { !$0.isDecided }
        while let first = left.first {
            let members = left.filter { $0.id == first.id || (first.call != nil && $0.call?.task == first.call?.task) }
            left.removeAll { motion in members.contains { $0.id == motion.id } }
            groups.append(await hold(members))
        }
    }

    /// Those that were called first, and of a call in its order.
    private static func cameFirst(_ one: DiskMotion, _ other: DiskMotion) -> Bool {
        guard let a = one.call, let b = other.call else { return one.call == nil && other.call != nil }
        return (a.time, a.task, a.index) < (b.time, b.task, b.index)
    }

    private func note(_ motion: DiskMotion) {
        guard let call = motion.call else { return }
        let outcome: Result<String, APIError> =
            if motion.phase == .committed {
                .success(call.machine ?? motion.destinationRef)
            } else {
                .failure(MotionDriver(context: context).failure(of: motion, UnwatchedProgress()))
            }
        guard let index = decided.firstIndex(where: { $0.call.task == call.task }) else {
            return decided.append((call: call, outcome: outcome))
        }
        // A call with several disks has failed when one of them has.
        if case .failure = outcome, case .success = decided[index].outcome { decided[index].outcome = outcome }
    }

    /// Enters the operations of moves that were admitted when they began. An SR that is not there is not held: it is to be
    /// plugged. Their places in the line, and their parts of its limits, are theirs again.
    private func hold(_ motions: [DiskMotion]) async -> Group {
        var moves: [Interrupted] = []
        var claims: [OperationClaim] = motions[0].call?.machine.map { [OperationClaim.vm(Ref($0), .migrateSend)] } ?? []
        for motion in motions {
            let isThere = !context.isUnplugged(Ref(motion.destinationSR))
            moves.append(Interrupted(motion: motion, isThere: isThere))
            let disks = [motion.sourceRef] + motion.snapshots.map(\.sourceRef)
            claims += disks.map { .vdi(Ref($0), .mirror) }
            if isThere { claims.append(.sr(Ref(motion.destinationSR), .vdiMirror)) }
            if context.isForeign(Ref(motion.destinationSR)) {
                await MotionDriver(context: context).holdDestinationAgain(motion)
            }
            let isCopying = motion.phase != .planned && motion.phase != .created
            // One that waits for an SR, for ever perhaps, keeps nobody else from copying; nor does one that waits for room, which
            // others may be about to give back.
            let isInLine = missing(motion) == nil && motion.waitsForRoom != true
            if isCopying ? isThere : isInLine {
                await context.moves.keep(MotionDriver.places(motion), for: motion.id, isCopying: isCopying)
            }
        }
        let call = motions[0].call
        let held = try? await admission.enter(claims, task: call.map { Ref($0.task) } ?? Fresh.ref())
        return Group(call: call, moves: moves, held: held)
    }

    /// Lets the undecided moves go on, beside the calls, for as long as their copies take. Each is seen, followed and
    /// cancelled by the task of the call that began it; the tasks of those that were decided say how.
    func takeUp(_ tasks: Tasks) async {
        for (call, outcome) in decided {
            // Another disk of the call may not be decided yet.
            if let index = groups.firstIndex(where: { $0.call?.task == call.task }) {
                if case .failure(let error) = outcome { groups[index].failure = error }
                continue
            }
            guard let task = await restore(call, isCancellable: false, in: tasks) else { continue }
            await tasks.finish(task, outcome.map { .ref($0) }, keep: true)
        }
        decided = []
        for group in groups {
            var task: RunningTask?
            if let call = group.call {
                let wishes = group.moves.first?.motion.settings.map(MirrorWishes.entries) ?? [:]
                task = await restore(call, isCancellable: true, entries: wishes, in: tasks)
            }
            Task { [task] in
                let progress: any TaskProgress = if let task { task } else { UnwatchedProgress() }
                let outcome = await self.finish(group, progress)
                if let held = group.held { await self.admission.end(held) }
                if let task { await tasks.finish(task, outcome.map { .ref($0) }, keep: true) }
            }
        }
        groups = []
    }

    private func restore(
        _ call: MoveCall, isCancellable: Bool, entries: [String: String] = [:], in tasks: Tasks
    ) async -> RunningTask? {
        do {
            return try await tasks.restore(call, isCancellable: isCancellable, entries: entries)
        } catch {
            context.logger.error(
                "the task of an interrupted move cannot be shown",
                metadata: ["task": "\(call.task)", "error": "\(error)"])
            return nil
        }
    }

    /// Disks that all wait for their turns begin together, as they would have. The others go on each by itself. What the
    /// call answers, or why the first of them has not moved.
    private nonisolated func finish(_ group: Group, _ progress: any TaskProgress) async -> Result<String, APIError> {
        let driver = MotionDriver(context: context)
        let motions = group.moves.map(\.motion)
        let task = Ref<XenTask>(group.call?.task ?? Ref<XenTask>.null.opaque)
        var refs = motions.map(\.destinationRef)
        var failure: (any Error)? = group.failure
        if motions.allSatisfy({ $0.phase == .planned && $0.call != nil }) {
            await awaitRepositories(motions, progress)
            let late = group.moves.filter { !$0.isThere }.map { Ref<SR>($0.motion.destinationSR) }
            let held = try? await admission.enter(late.map { .sr($0, .vdiMirror) })
            do {
                refs = try await driver.run(motions, progress: progress).map(\.destinationRef)
            } catch {
                failure = failure ?? error
            }
            for motion in motions { await context.moves.drop(motion.id) }
            if let held { await admission.end(held) }
        } else {
            let shared = SharedProgress(motions.map(\.size), of: progress)
            await withTaskGroup(of: (Int, Result<String, any Error>).self) { each in
                for (index, move) in group.moves.enumerated() {
                    let part = shared.part(index, cancellation: progress.cancellation)
                    each.addTask { (index, await self.finish(move, task, part)) }
                }
                for await (index, outcome) in each {
                    switch outcome {
                    case .success(let ref): refs[index] = ref
                    case .failure(let error): failure = failure ?? error
                    }
                }
            }
        }
        if let failure { return .failure(APIError(failure, task: task)) }
        return .success(group.call?.machine ?? refs.first ?? "")
    }

    private nonisolated func finish(
        _ move: Interrupted, _ task: Ref<XenTask>, _ progress: any TaskProgress
    ) async -> Result<String, any Error> {
        // Nothing of it is begun, or it begins again.
        if [.planned, .created].contains(move.motion.phase), move.motion.call != nil {
            await awaitRepositories([move.motion], progress)
        }
        await Self.awaitDestination(move.motion, context, progress)
        let late =
            move.isThere ? nil : try? await admission.enter([.sr(Ref(move.motion.destinationSR), .vdiMirror)])
        let outcome = await MotionDriver(context: context).takeUp(move.motion, progress)
        await context.moves.drop(move.motion.id)
        if let late { await admission.end(late) }
        return outcome
    }

    /// One of the SRs of the move that this host has a PBD for, which is not plugged.
    private nonisolated func missing(_ motion: DiskMotion) -> Ref<SR>? {
        MotionDriver.places(motion).sorted().map { Ref<SR>($0) }.first { context.isUnplugged($0) }
    }

    private nonisolated func missing(_ motions: [DiskMotion]) -> (DiskMotion, Ref<SR>)? {
        for motion in motions { if let sr = missing(motion) { return (motion, sr) } }
        return nil
    }

    /// Moves that waited in the line wait for SRs, too, that come late: returns when all are there, or the move is cancelled.
    private nonisolated func awaitRepositories(_ motions: [DiskMotion], _ progress: any TaskProgress) async {
        var told: Set<Ref<SR>> = []
        while !Task.isCancelled, !progress.cancellation.isCancelled,
            let (motion, sr) = missing(motions)
        {
            if told.insert(sr).inserted {
                progress.annotate(["phase": "waiting for an SR"])
                await Self.tell(motion, of: sr, context)
            }
            try? await Task.sleep(for: .milliseconds(500))
        }
    }

    /// A data path that mirrors, or has ended the copy, goes on: from the copy's end on the destination may be the only whole
    /// image, and nothing is decided about it before its SR is there, which may come late. Where no data path knows of the
    /// move, or its mirror is broken, the source is the disk, and nothing is waited for. Nor is it for an SR that this host
    /// has no PBD for any more: then the move is given up, in favour of the source.
    private static func awaitDestination(
        _ motion: DiskMotion, _ context: StorageContext, _ progress: any TaskProgress
    ) async {
        guard motion.phase == .mirroring || motion.phase == .pivoting else { return }
        var isTold = false
        while context.isUnplugged(Ref(motion.destinationSR)), !Task.isCancelled {
            switch await MotionDriver(context: context).observe(motion) {
            case .absent, .sourceOnly, .broken, .undecided(destinationFailed: true): return
            // Whoever cancels it has the source, which is whole.
            case .mirroring where progress.cancellation.isCancelled: return
            case .mirroring, .dual, .undecided(destinationFailed: false), .destinationOnly: break
            }
            if !isTold {
                await tell(motion, of: Ref(motion.destinationSR), context)
            }
            isTold = true
            try? await Task.sleep(for: .seconds(1))
        }
    }

    /// Says what is waited for to whoever finds the disk in an operation that does not end.
    private static func tell(_ motion: DiskMotion, of place: Ref<SR>, _ context: StorageContext) async {
        context.logger.warning(
            "an interrupted move of a disk waits for an SR to be plugged",
            metadata: ["vdi": "\(motion.sourceUUID)", "sr": "\(place.opaque)"])
        let direction = place.opaque == motion.destinationSR ? "to" : "from"
        try? await context.database.transaction { tx in
            guard let sr = tx.row(place) else { return }
            let kind = Alerts.Kind(name: "VDI_MOVE_WAITS_FOR_SR", priority: 3)
            Alerts.post(
                kind, about: .vdi, uuid: motion.sourceUUID,
                body:
                    "The interrupted move of the disk \(direction) the SR '\(sr[SR.nameLabel])' (\(sr[SR.uuid])) waits until "
                    + "the SR is plugged. Plug its PBD, or destroy the PBD to give the move up: the disk stays where it "
                    + "is then.",
                in: tx)
        }
    }

    /// The record as it is now.
    private func current(_ motion: DiskMotion) -> DiskMotion? {
        MotionStore(database: context.database).all().first { $0.id == motion.id }
    }

    /// What could not be cleaned up, because a driver or an SR was not there, is tried again every few seconds. Decided
    /// moves that are being cleaned up just now are left to whoever does it.
    func retryForEver() async {
        var seen: Set<String> = []
        while !Task.isCancelled {
            try? await Task.sleep(for: .seconds(15))
            let decided = MotionStore(database: context.database).all().filter(\.isDecided)
            for motion in decided where seen.contains(motion.id) {
                // What is left lies where nobody can get at it; it is not asked for again and again.
                let sr = Ref<SR>(motion.remainsSR)
                if motion.isReleased, context.database.read({ $0.row(sr) }) != nil,
                    (try? context.attached(sr)) == nil
                {
                    continue
                }
                // Whoever was at it may have finished while an earlier one was tried.
                if let motion = current(motion) { await MotionDriver(context: context).recover(motion) }
            }
            seen = Set(decided.map(\.id))
        }
    }
}
