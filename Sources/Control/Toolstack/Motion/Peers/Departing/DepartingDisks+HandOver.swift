import APITypes
import CoreTypes
import DatapathControl
import StorageMotion

/// The last part of a machine's way to another pool, as its disks have it: both images of each are compared, while the guest runs
/// or while it stands, and made alike for good.
extension DepartingDisks {
    /// A guest would stand for longer than it may: it is to go on here, and what it waited for is done while it runs.
    struct Outlasted: Error {
        let index: Int
        let cause: String

        init(_ index: Int, _ cause: String) { (self.index, self.cause) = (index, cause) }
    }

    static let late = "the other side was not in sync while the guest stood"
    private static let notCompared = "both images could not be compared while the guest stood"
    private static let notDurable = "the other side was not made durable while the guest stood"

    /// What a look at a comparison has found.
    private struct Look: Sendable {
        var follower: MirrorFollower
        var compared: UInt64?
    }

    /// Tests make a wait longer than a guest may stand.
    func outlast(at phase: String) async throws {
        do { try await FailurePoint.pass("departure-outlasts-\(phase)") } catch {
            throw Outlasted(mirrored.first ?? 0, "a test lets it last")
        }
    }

    /// Why the move ends when the guest does not go on here to be handed over anew.
    func failed(_ outlasted: Outlasted, _ progress: any TaskProgress) -> APIError {
        failed(outlasted.index, outlasted.cause, progress)
    }

    /// The guest stands: returns when what it wrote last is at the other side, whose failure is still nobody's but the mirrors', and
    /// both images of each disk are known to be alike. Throws `Outlasted` where that takes longer than `patience`, or to compare
    /// them longer than `limit`; nothing is different then.
    ///
    /// They are compared here only where a connection, or a data path, was lost since they were (`verify`). `isLast`: nothing else is looked
    /// at before the images are made alike for good, so that the other side is asked whether it is there.
    func settle(
        _ compared: inout ComparedMirrors, within limit: Duration, isLast: Bool, _ progress: any TaskProgress
    ) async throws {
        let inSync = ContinuousClock.now + patience
        try await Self.together(mirrored) { index in
            try await awaitSynchronised(index, silent(index, progress), until: inSync)
        }
        let deadline = ContinuousClock.now + limit
        let before = compared
        let found = try await Self.gathered(mirrored) { index in
            var known = before.of(index)
            try await compare(index, &known, silent(index, progress), until: deadline, isAsked: isLast)
            return known
        }
        compared.add(found)
    }

    /// Compares both images of each disk where that is wished and was not done when it was copied, and where a connection was
    /// replaced since: while the guest runs, since it may take hours, and every write goes to both. `compared`: what need not be
    /// compared again.
    func verify(_ compared: inout ComparedMirrors, _ progress: any TaskProgress) async throws {
        for index in mirrored { try await compare(index, &compared, silent(index, progress), until: nil) }
    }

    /// While the guest's memory is sent: a connection that is lost meanwhile is noticed, also where nobody writes, and the images are
    /// compared by the new one, so that the guest need not stand for that. Returns when whoever waits for this is cancelled, or at the
    /// first failure, which is the move's; with what need not be compared again.
    func keepAlike(
        _ compared: ComparedMirrors, _ progress: any TaskProgress
    ) async -> (compared: ComparedMirrors, failure: (any Error)?) {
        var compared = compared
        let beside = BesideProgress(progress)
        do {
            while true {
                for index in mirrored { try await compare(index, &compared, beside, until: nil) }
                try await Task.sleep(for: lookPeriod)
            }
        } catch {
            let isOver = error is CancellationError || Task.isCancelled
            return (compared, isOver ? nil : error)
        }
    }

    /// The guest stands no longer: what is wished of its mirrors holds for them again. Nobody was asked while it stood.
    func holdBackAgain(_ progress: any TaskProgress) async throws {
        var wished = settings.overlaid(by: MirrorWishes.standing(progress.entries))
        wished.bytesPerSecond = wished.bytesPerSecond ?? bytesPerSecond
        wished.isPaused = wished.isPaused ?? false
        for index in mirrored {
            guard let client = await context.disks.active(machine.disks[index].uuid)?.client else { continue }
            do {
                try await LongRequest.call(
                    .mirrorSet(settings: wished), of: client, cancellation: progress.cancellation,
                    until: ContinuousClock.now + patience)
            } catch is DatapathClient.Failure {
                // It has ended, and its mirror begins again with what is wished.
            } catch is LongRequest.Late {
                // One that hangs is waited for by whoever compares.
            }
        }
    }

    /// Until they are alike by the connection that there is. `isAsked`: and it was seen to be there. A data path that dies meanwhile comes back, its mirror goes on, and it
    /// compares from the beginning.
    func compare(
        _ index: Int, _ compared: inout ComparedMirrors, _ progress: any TaskProgress,
        until deadline: ContinuousClock.Instant?, there: TurnOfDisk? = nil, isAsked: Bool = true
    ) async throws {
        var rounds = 0
        while rounds <= Self.mostRestarts {
            try await awaitSynchronised(index, SilentProgress(progress, progress), until: deadline, there: there)
            switch try await isAsked ? probe(index, progress, until: deadline) : .there {
            case .there: break
            // Its connection ends one that says nothing for too long.
            case .silent: continue
            case .lost:
                rounds += 1
                continue
            }
            rounds += 1
            guard let before = try await statusIfThere(index, progress, until: deadline), before.mirror != nil else {
                continue
            }
            if compared.mustCompare(index, before, isWished: isVerified),
                try await !verify(index, before.virtualSize, progress, until: deadline, there: there)
            {
                continue
            }
            // It may have been replaced meanwhile.
            guard let after = try await statusIfThere(index, progress, until: deadline),
                after.mirror?.details?.isCompared != false || !isVerified
            else { continue }
            if ComparedMirrors.Connection(before) == ComparedMirrors.Connection(after) {
                return compared.note(index, after)
            }
        }
        throw failed(index, "the connection to the other side was replaced again and again", progress)
    }

    /// Nil: its data path has ended just now.
    private func statusIfThere(
        _ index: Int, _ progress: any TaskProgress, until deadline: ContinuousClock.Instant?
    ) async throws -> DatapathStatus? {
        do {
            let client = try await source(index, progress, until: deadline).client
            return try await LongRequest.status(of: client, cancellation: progress.cancellation, until: deadline)
        } catch is LongRequest.Late {
            throw Outlasted(index, Self.late)
        } catch let failure as DatapathClient.Failure where failure.isUnreachable {
            try await Task.sleep(for: .milliseconds(100))
            return nil
        } catch let failure as DatapathClient.Failure {
            throw ErrorMapping.api(failure, sr: Ref(machine.disks[index].sr), vdi: Ref(machine.disks[index].vdi))
        }
    }

    /// False: the data path has ended, or the mirror is not in sync any more; it is to be waited for.
    private func verify(
        _ index: Int, _ size: UInt64, _ progress: any TaskProgress, until deadline: ContinuousClock.Instant?,
        there: TurnOfDisk?
    ) async throws -> Bool {
        let client = try await source(index, progress, until: deadline).client
        let started = ContinuousClock.now
        MotionReport.tell(compared: 0, of: size, since: started, isVerified: isVerified, to: progress)
        var follower = self.follower(progress)
        do {
            if deadline == nil {
                follower = await tell(client, follower, index, there, progress)
            } else {
                // A guest stands meanwhile: nothing holds it back, and this is not waited for longer than it may stand.
                try await LongRequest.call(
                    .mirrorSet(settings: MirrorSettings(bytesPerSecond: 0, isPaused: false)), of: client,
                    cancellation: progress.cancellation, until: deadline)
            }
            try await LongRequest.call(
                .mirrorVerify, of: client, cancellation: progress.cancellation, until: deadline
            ) {
                try await FailurePoint.pass("departure-comparing")
                let follower = follower
                return {
                    var look = Look(follower: follower)
                    if deadline == nil { look.follower = await tell(client, follower, index, there, progress) }
                    look.compared = try? await client.status().mirror?.details?.comparedBytes
                    return look
                }
            } seen: { (look: Look) in
                follower = look.follower
                guard let compared = look.compared else { return }
                MotionReport.tell(compared: compared, of: size, since: started, isVerified: isVerified, to: progress)
            }
            MotionReport.tellCompared(all: size, isVerified: isVerified, to: progress)
            return true
        } catch is LongRequest.Late {
            // It goes on, and is joined by whoever asks next.
            throw Outlasted(index, Self.notCompared)
        } catch let failure as DatapathClient.Failure {
            if failure.isUnreachable || ["notFound", "busy", "cancelled"].contains(failure.code) {
                try await Task.sleep(for: .milliseconds(100))
                return false
            }
            let cause = try? await client.status().mirror?.error
            throw failed(index, cause ?? failure.message, progress)
        }
    }

    /// A request that may take long: not longer than until `deadline`, nor than somebody wants it. The move fails then, and the
    /// end of its mirror ends the request, too.
    private func call(
        _ request: DatapathRequest, _ index: Int, _ progress: any TaskProgress,
        until deadline: ContinuousClock.Instant?
    ) async throws {
        do {
            _ = try await mapped(index) {
                let client = try await source(index, progress, until: deadline).client
                return try await LongRequest.call(
                    request, of: client, cancellation: progress.cancellation, until: deadline)
            }
        } catch is LongRequest.Late {
            throw Outlasted(index, Self.notDurable)
        } catch let outlasted as Outlasted {
            throw outlasted
        } catch {
            throw told(error, index, progress)
        }
    }

    /// Nobody writes the disks any more: everything is made durable at the other side. When this returns both are the same. A guest
    /// stands meanwhile, for `patience` at most.
    func drain(_ compared: ComparedMirrors, _ progress: any TaskProgress) async throws {
        let deadline = machine.isLive ? ContinuousClock.now + patience : nil
        do {
            try await Self.together(mirrored) { index in
                var compared = compared
                // Of a guest it was asked a moment ago; where none stands, this takes as long as it does.
                try await compare(index, &compared, silent(index, progress), until: deadline, isAsked: false)
                try await call(.pivotPrepare, index, progress, until: deadline)
            }
            // The last look, when all of them are: a side may have failed while another disk had its turn.
            try await Self.together(mirrored) { index in try await requirePrepared(index, progress, until: deadline) }
        } catch let outlasted as Outlasted {
            throw failed(outlasted, progress)
        }
    }

    func requirePrepared(
        _ index: Int, _ progress: any TaskProgress, until deadline: ContinuousClock.Instant?
    ) async throws {
        let status: DatapathStatus
        do {
            status = try await mapped(index) {
                let client = try await source(index, progress, until: deadline).client
                return try await LongRequest.status(of: client, cancellation: progress.cancellation, until: deadline)
            }
        } catch is LongRequest.Late {
            throw Outlasted(index, Self.notDurable)
        }
        guard let mirror = status.mirror, mirror.phase == .dual else {
            throw failed(index, status.mirror?.error ?? "a side has failed in the hand-over", progress)
        }
    }

    /// All at once: a guest that stands waits for the slowest disk, not for one after the other. The first failure ends the others.
    static func together(_ indices: [Int], _ body: @escaping @Sendable (Int) async throws -> Void) async throws {
        _ = try await gathered(indices) { index in
            try await body(index)
            return ComparedMirrors()
        }
    }

    /// The same, with what each has found out.
    private static func gathered(
        _ indices: [Int], _ body: @escaping @Sendable (Int) async throws -> ComparedMirrors
    ) async throws -> ComparedMirrors {
        try await withThrowingTaskGroup(of: ComparedMirrors.self) { tasks in
            for index in indices { tasks.addTask { try await body(index) } }
            var all = ComparedMirrors()
            while let known = try await tasks.next() { all.add(known) }
            return all
        }
    }
}
