import APITypes
import CoreTypes
import DatapathControl
import Foundation
import Logging
import PoolDatabase
import StorageMotion
import XenAPIClient

extension DepartingMachine {
    /// The part of it that is no disk, which has a number.
    static let memory = "m"

    /// The Unix socket by which a part of it gets to the other side.
    func socket(of part: String, in context: StorageContext) -> String {
        "\(context.disks.host.transferFolder)/\(id.prefix(8))-\(part)"
    }
}

/// Fills the disks of the other side with those of a machine that goes there: each is mirrored by its data path, which
/// follows what is written meanwhile, to an NBD export at the other side.
///
/// The source is authoritative all the time: nothing here changes it. A mirror that fails leaves it as it is, and so does
/// the end of this process.
struct DepartingDisks: Sendable {
    let context: StorageContext
    let machine: DepartingMachine
    let settings: MirrorSettings
    let bytesPerSecond: UInt64
    let isVerified: Bool
    /// Where the disks stand in line at the other side; nil: it has no line.
    var line: PeerLine?
    /// What each disk has of the task's progress, by its index.
    var shared: SharedProgress?

    /// How long a guest that stands, or is held, is made to wait for a mirror that has lost its other side.
    var patience = Duration.seconds(10)
    /// How often its other side is asked whether it is there, while the guest's memory is sent.
    var lookPeriod = Duration.seconds(1)

    static let mostRestarts = 10

    private func socket(_ index: Int) -> String { machine.socket(of: String(index), in: context) }

    func image(_ index: Int) -> ImageSpecification {
        var image = ImageSpecification(
            path: "nbd+unix:///disk?socket=\(socket(index))", format: ImageSpecification.remote)
        image.isFilled = machine.disks[index].isClone
        return image
    }

    /// `sizes`: as they were offered.
    static func shares(
        _ machine: DepartingMachine, sizes: [UInt64], of progress: any TaskProgress, _ context: StorageContext
    ) async -> SharedProgress {
        let hasSnapshots = machine.disks.contains { $0.isSnapshot == true }
        if !hasSnapshots { return SharedProgress(sizes, of: progress) }
        var bytes: [UInt64] = []
        var known: Set<String> = []
        for disk in machine.disks {
            // A mirror reads all that its disk has.
            let isClone = disk.isClone == true && disk.isSnapshot == true
            bytes.append(await context.bytesToCopy(of: Ref(disk.vdi), isClone: isClone, &known))
        }
        return SharedProgress(bytes, of: progress, isExpected: true)
    }

    private func part(_ index: Int, _ progress: any TaskProgress) -> any TaskProgress {
        shared?.part(index) ?? progress
    }

    /// Of a disk whose share is over.
    func silent(_ index: Int, _ progress: any TaskProgress) -> SilentProgress {
        SilentProgress(part(index, progress), progress)
    }

    /// Those that are mirrored: the machine's own. Its snapshots' are copied, which nobody writes.
    var mirrored: [Int] { machine.disks.indices.filter { machine.disks[$0].isSnapshot != true } }

    /// Returns when every disk is the same on both sides; guests' writes go to both from there on. When one fails the others
    /// are stopped. The relays are the caller's to close. With what need not be compared again.
    func fill(
        through link: PeerLink, _ progress: any TaskProgress
    ) async throws -> (relays: [PeerRelay], compared: ComparedMirrors) {
        try FileManager.default.createDirectory(
            atPath: context.disks.host.transferFolder, withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700])
        let snapshots = machine.disks.indices.filter { machine.disks[$0].isSnapshot == true }
        for (place, index) in snapshots.enumerated() {
            if progress.cancellation.isCancelled { throw CancellationError() }
            try await carry(index, "\(place + 1) of \(snapshots.count)", through: link, progress)
        }
        if !snapshots.isEmpty { progress.annotate(["snapshot": ""]) }
        try await FailurePoint.pass("departure-snapshots-copied")
        var relays: [PeerRelay] = []
        do {
            for index in mirrored { relays.append(try await relay(index, through: link)) }
            return (relays, try await mirrorAll(progress))
        } catch {
            for relay in relays { await relay.close() }
            throw error
        }
    }

    /// The way to a disk of the other side, which is there from now on.
    private func relay(_ index: Int, through link: PeerLink) async throws -> PeerRelay {
        let disk = machine.disks[index]
        guard let remote = disk.remote else { throw APIError.internalError("no disk at the other side") }
        if disk.isClone == true {
            let answer = try await link.tell("clone", ClonedDisk(vdi: disk.vdi), limit: .seconds(600))
            guard answer == .unfinished else {
                throw APIError(
                    "VM_MIGRATE_FAILED", machine.vm, context.host.opaque, machine.place.host,
                    "the destination answered '\(answer.rawValue)' instead of making a disk")
            }
        }
        return try await link.relay(disk: remote, onUnixSocket: socket(index))
    }

    /// Copies a snapshot's disk: of one that is made as a clone there, what differs.
    /// `place`: which of how many it is.
    private func carry(
        _ index: Int, _ place: String, through link: PeerLink, _ progress: any TaskProgress
    ) async throws {
        let disk = machine.disks[index]
        try await FailurePoint.pass("departure-snapshot")
        try await inTurn(index, progress) { there in
            progress.annotate(["phase": "snapshots", "snapshot": place])
            let limits = CopyLimits(settings, bytesPerSecond: bytesPerSecond) { await share(index, there) }
            let own = SnapshotProgress(part(index, progress), of: progress, bytes: shared?.expected(index) ?? 0)
            let relay = try await relay(index, through: link)
            do {
                let base = disk.isClone == true ? disk.base.map { Ref<VDI>($0) } : nil
                try await CopyInto(context: context).copy(
                    Ref(disk.vdi), base: base ?? .null, to: image(index), of: (Ref(disk.sr), Ref(disk.vdi)),
                    limits: limits, isVerified: isVerified, progress: own)
                own.finish()
            } catch {
                await relay.close()
                throw told(error, index, progress)
            }
            await relay.close()
        }
    }

    private func mirrorAll(_ progress: any TaskProgress) async throws -> ComparedMirrors {
        let shared = shared ?? SharedProgress(machine.disks.map { _ in 1 }, of: progress)
        let watch = Task {
            while !progress.cancellation.isCancelled { try await Task.sleep(for: .milliseconds(50)) }
            shared.cancellation.cancel()
        }
        defer { watch.cancel() }
        return try await withThrowingTaskGroup(of: ComparedMirrors.self) { tasks in
            for index in mirrored { tasks.addTask { try await copy(index, shared.part(index)) } }
            var compared = ComparedMirrors()
            var failure: (any Error)?
            while let outcome = await tasks.nextResult() {
                switch outcome {
                case .success(let known): compared.add(known)
                case .failure(let error):
                    shared.cancellation.cancel()
                    // Those that were stopped because of another say nothing of why.
                    if failure == nil || failure is CancellationError { failure = error }
                }
            }
            if let failure { throw failure }
            return compared
        }
    }

    private func copy(_ index: Int, _ progress: any TaskProgress) async throws -> ComparedMirrors {
        var compared = ComparedMirrors()
        try await inTurn(index, progress) { there in
            do { try await start(index, progress, resume: false) } catch { throw told(error, index, progress) }
            try await awaitSynchronised(index, progress, there: there)
            try await FailurePoint.pass("departure-in-sync")
            try await compare(index, &compared, progress, until: nil, there: there)
        }
        return compared
    }

    /// When it is the disk's turn in the lines here and in that of the SR at the other side, where there is one.
    private func inTurn(
        _ index: Int, _ progress: any TaskProgress, _ body: (TurnOfDisk?) async throws -> Void
    ) async throws {
        let there = line?.turn(of: machine.disks[index].vdi, retrySeconds: settings.retrySeconds)
        let isFirst = line?.isFirst == true
        let places: Set<String> = [
            machine.disks[index].sr, context.host.opaque, MoveTurns.link(to: machine.place.host),
        ]
        var here: Int?
        do {
            if isFirst { try await there?.enter(progress) }
            here = try await context.moves.enter(
                places, of: turn(index), called: machine.call?.time, database: context.database, progress: progress)
            if !isFirst { try await there?.enter(progress) }
            try await body(there)
        } catch {
            if let here { await context.moves.leave(here) }
            await there?.leave()
            throw error
        }
        if let here { await context.moves.leave(here) }
        await there?.leave()
    }

    /// By which its part of the limits is known.
    private func turn(_ index: Int) -> String { "\(machine.id)/\(index)" }

    func follower(_ progress: any TaskProgress) -> MirrorFollower {
        let entries = progress.entries
        return MirrorFollower(
            told: settings.overlaid(by: MirrorWishes.standing(entries)), bytesPerSecond: bytesPerSecond,
            entries: entries)
    }

    /// `there`: its turn at the other side, while it has one. Throws `Outlasted` at `deadline`; up to that a guest stands, whom no
    /// wish that somebody has for the copy holds back.
    func awaitSynchronised(
        _ index: Int, _ progress: any TaskProgress, until deadline: ContinuousClock.Instant? = nil,
        there: TurnOfDisk? = nil
    ) async throws {
        var follower = self.follower(progress)
        var meter = WriteMeter()
        var restarts = 0
        while true {
            if progress.cancellation.isCancelled { throw CancellationError() }
            if let deadline, ContinuousClock.now > deadline { throw Outlasted(index, Self.late) }
            let status: DatapathStatus
            do {
                let client = try await source(index, progress, until: deadline).client
                status = try await LongRequest.status(of: client, cancellation: progress.cancellation, until: deadline)
            } catch is LongRequest.Late {
                throw Outlasted(index, Self.late)
            } catch let failure as DatapathClient.Failure {
                guard failure.isUnreachable, restarts < Self.mostRestarts else {
                    throw ErrorMapping.api(
                        failure, sr: Ref(machine.disks[index].sr), vdi: Ref(machine.disks[index].vdi))
                }
                restarts += 1
                try await Task.sleep(for: .milliseconds(100))
                continue
            }
            guard let mirror = status.mirror else {
                // The data path was killed and came back; its map tells how far the mirror was.
                restarts += 1
                guard restarts <= Self.mostRestarts else {
                    throw failed(index, "the data path was restarted", progress)
                }
                progress.annotate(["mirror_restarts": String(restarts)])
                try await start(index, progress, resume: true, until: deadline)
                follower = self.follower(progress)
                continue
            }
            meter.read(status.counters)
            MotionReport.tell(mirror, dirtied: meter.bytesPerSecond, isVerified: isVerified, to: progress)
            switch mirror.phase {
            case .synchronised, .dual: return
            case .broken where mirror.details?.isRetrying == true, .copying:
                // Where none answers any more the next one is told.
                if deadline == nil, let client = await context.disks.active(machine.disks[index].uuid)?.client {
                    follower = await tell(client, follower, index, there, progress)
                }
                try await Task.sleep(for: .milliseconds(50))
            case .broken, .undecided: throw failed(index, mirror.error ?? "unknown cause", progress)
            }
        }
    }

    /// What is wished of the mirror meanwhile, in the task's `other_config`, and what the SR, the host, the link and the other
    /// side's SR (`there`) leave to it. Returns what it knows by now.
    func tell(
        _ client: DatapathClient, _ follower: MirrorFollower, _ index: Int, _ there: TurnOfDisk?,
        _ progress: any TaskProgress
    ) async -> MirrorFollower {
        var follower = follower
        let share = await share(index, there)
        guard !Task.isCancelled, let change = follower.change(progress.entries, share: share, progress) else {
            return follower
        }
        do {
            try await LongRequest.call(
                .mirrorSet(settings: change.told), of: client, cancellation: progress.cancellation)
        } catch let failure as DatapathClient.Failure where failure.isUnreachable {
            // The next process is told.
            follower.tellAgain()
        } catch let failure as DatapathClient.Failure {
            progress.annotate(["mirror_refused": failure.message])
        } catch {
            // Whoever follows it is cancelled, and sees that.
        }
        return follower
    }

    /// Bytes per second; nil: no limit.
    func share(_ index: Int, _ there: TurnOfDisk?) async -> UInt64? {
        let here = await context.moves.share(of: turn(index), database: context.database)
        let other = await there?.bytesPerSecond
        return [here, other].compactMap { $0 }.min()
    }

    /// Ends what may be left of the mirrors, in favour of the sources. False: one may not have ended, and whoever writes or
    /// reads its disk may get no answer until it has; to be called again then.
    @discardableResult
    func release() async -> Bool {
        unsafe unlink(machine.socket(of: DepartingMachine.memory, in: context))
        var haveEnded = true
        for index in machine.disks.indices {
            let disk = machine.disks[index]
            unsafe unlink(socket(index))
            if disk.isSnapshot == true { continue }
            var hasEnded = await endMirror(index)
            await context.disks.deactivateIfUnused(disk.uuid)
            if !hasEnded, await context.disks.active(disk.uuid) == nil {
                // It has ended with its data path. The next one does not take it up.
                await context.disks.forgetMirror(of: disk.uuid)
                hasEnded = true
            }
            haveEnded = haveEnded && hasEnded
        }
        return haveEnded
    }

    /// False: the data path has not said that there is no mirror of this move any more.
    private func endMirror(_ index: Int) async -> Bool {
        let disk = machine.disks[index]
        await context.disks.forgetMirror(of: disk.uuid)
        guard let handle = await context.disks.active(disk.uuid) else { return true }
        do {
            let mirror = try await handle.client.status().mirror
            if let mirror, mirror.destination.path != image(index).path { return true }
            // One that is about to begin, which nobody has waited for, does not either.
            _ = try await handle.client.call(.mirrorCancel)
            return true
        } catch let failure as DatapathClient.Failure where failure.code == "notFound" {
            // Nor is there one since.
            return true
        } catch {
            context.logger.error(
                "a mirror to another pool does not end", metadata: ["vdi": "\(disk.uuid)", "error": "\(error)"])
            return false
        }
    }

    func failed(_ index: Int, _ cause: String, _ progress: any TaskProgress) -> APIError {
        context.logger.error(
            "a mirror to another pool has failed",
            metadata: ["vdi": "\(machine.disks[index].uuid)", "cause": "\(cause)"])
        progress.annotate(["mirror_error": cause])
        if ErrorMapping.saysFull(cause) { return ErrorMapping.full(cause) }
        return APIError("MIRROR_FAILED", machine.disks[index].vdi)
    }

    /// Of an error of the storage nobody knows on which side it was: the way to the other one may be cut.
    func told(_ error: any Error, _ index: Int, _ progress: any TaskProgress) -> any Error {
        guard let known = error as? APIError, known.code == "SR_BACKEND_FAILURE_46" else { return error }
        return failed(index, known.parameters.dropFirst().first ?? known.code, progress)
    }

    func mapped<T: Sendable>(_ index: Int, _ body: () async throws -> T) async throws -> T {
        do {
            return try await body()
        } catch let failure as DatapathClient.Failure {
            let disk = machine.disks[index]
            throw ErrorMapping.api(failure, sr: Ref(disk.sr), vdi: Ref(disk.vdi))
        }
    }
}
