import APITypes
import CoreTypes
import DatapathControl
import Logging
import PoolDatabase
import StorageMotion

/// What a mirror to another pool needs before it runs: the data path of its source, and a connection to the other side. Both may be
/// long in coming, and a guest that stands waits for neither longer than for all else.
extension DepartingDisks {
    /// The data path that serves the source, started when it does not run. One that ends just now, or is being replaced, has
    /// its image for a moment yet. Throws `Outlasted` at `deadline`, `CancellationError`, and `DatapathClient.Failure`.
    func source(
        _ index: Int, _ progress: any TaskProgress, until deadline: ContinuousClock.Instant?
    ) async throws -> DatapathHandle {
        let disk = machine.disks[index]
        let activate: @Sendable () async throws -> DatapathHandle = { [context] in
            try await context.disks.activatePatiently(disk.uuid) {
                let row = try context.row(Ref<VDI>(disk.vdi))
                return try await context.image(of: row, readOnly: row[VDI.readOnly])
            }
        }
        // One that is started when nobody waits for it any more has a user only where there is a guest.
        if !machine.isLive { return try await activate() }
        do {
            return try await LongRequest.answer(
                cancellation: progress.cancellation, until: deadline, to: activate)
        } catch is LongRequest.Late {
            throw Outlasted(index, Self.late)
        }
    }

    /// Begins the mirror of a disk, or, with `resume`, lets it go on where it was; more than once where the other side is lost
    /// (`MirrorStart`). What is wished by now holds from the first byte on; up to `deadline`, at which `Outlasted` is thrown, a guest
    /// stands, whom no wish holds back.
    func start(
        _ index: Int, _ progress: any TaskProgress, resume: Bool, until deadline: ContinuousClock.Instant? = nil
    ) async throws {
        let disk = machine.disks[index]
        var start = MirrorStart(resumes: resume)
        var tries = 0
        while true {
            if progress.cancellation.isCancelled { throw CancellationError() }
            if let deadline, ContinuousClock.now > deadline { throw Outlasted(index, Self.late) }
            do {
                return try await begin(index, progress, resume: resume, until: deadline)
            } catch is LongRequest.Late {
                // It may begin yet, and is found then.
                throw Outlasted(index, Self.late)
            } catch let failure as DatapathClient.Failure {
                let wished = MirrorWishes.standing(progress.entries).retrySeconds ?? settings.retrySeconds
                switch start.failed(failure, at: .now, patience: TurnOfDisk.patience(wished)) {
                case .begun: return
                case .over: throw ErrorMapping.api(failure, sr: Ref(disk.sr), vdi: Ref(disk.vdi))
                case .again(let pause):
                    tries += 1
                    progress.annotate(["mirror_retries": String(tries)])
                    context.logger.warning(
                        "a mirror to another pool could not be begun, and is tried again",
                        metadata: ["vdi": "\(disk.uuid)", "error": "\(failure)"])
                    try await Task.sleep(for: pause)
                }
            }
        }
    }

    private func begin(
        _ index: Int, _ progress: any TaskProgress, resume: Bool, until deadline: ContinuousClock.Instant?
    ) async throws {
        var settings = settings.overlaid(by: MirrorWishes.standing(progress.entries))
        if deadline != nil { (settings.bytesPerSecond, settings.isPaused) = (0, false) }
        let client = try await source(index, progress, until: deadline).client
        try await LongRequest.call(
            .mirrorStart(
                destination: image(index), bytesPerSecond: deadline == nil ? bytesPerSecond : 0, settings: settings,
                resume: resume),
            of: client, cancellation: progress.cancellation, until: deadline)
    }

    enum Probed { case there, silent, lost }

    /// Asks the other side whether it is there, by every connection: one that was lost while nobody wrote shows here, and not only when
    /// everything is made durable. Where it is not there the mirror is to be waited for. Throws `Outlasted` at `deadline`.
    func probe(
        _ index: Int, _ progress: any TaskProgress, until deadline: ContinuousClock.Instant?
    ) async throws -> Probed {
        let left = deadline.map { ContinuousClock.now.duration(to: $0) } ?? Self.longestProbe
        let milliseconds = UInt64(max(1, min(left, Self.longestProbe) / .milliseconds(1)))
        do {
            let client = try await source(index, progress, until: deadline).client
            try await LongRequest.call(
                .mirrorProbe(milliseconds: milliseconds), of: client, cancellation: progress.cancellation,
                until: deadline)
            return .there
        } catch is LongRequest.Late {
            throw Outlasted(index, Self.late)
        } catch let failure as DatapathClient.Failure {
            // One of before there were probes.
            if failure.code == "unsupported" { return .there }
            try await Task.sleep(for: .milliseconds(50))
            return failure.code == "busy" ? .silent : .lost
        }
    }

    private static let longestProbe = Duration.seconds(2)
}
