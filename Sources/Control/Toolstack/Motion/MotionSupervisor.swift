import APITypes
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

    /// Called once, before any call is served. Decided moves are finished here: little is left to do for them. A move that
    /// goes on holds its VDI and goes on beside the calls, for as long as a copy takes.
    func resume() async {
        let store = MotionStore(database: context.database)
        for key in store.damaged() {
            context.logger.error("the record of a move cannot be read and is kept", metadata: ["motion": "\(key)"])
        }
        let motions = store.all()
        for motion in motions where motion.isDecided {
            // A third-party driver can only be asked once calls are served.
            if context.isForeign(Ref(motion.sourceSR)) || context.isForeign(Ref(motion.destinationSR)) {
                if motion.phase == .committed, !motion.isReleased {
                    await MotionDriver(context: context).holdAgain(motion)
                }
                Task { [context] in await MotionDriver(context: context).recover(motion) }
                continue
            }
            await MotionDriver(context: context).recover(motion)
            if let left = current(motion), left.phase == .committed, !left.isReleased {
                await MotionDriver(context: context).holdAgain(motion)
            }
        }
        for motion in motions where !motion.isDecided {
            // It was admitted when it began. An SR that is not there is not held: it is to be plugged.
            let disks = [motion.sourceRef] + motion.snapshots.map(\.sourceRef)
            let destination = OperationClaim.sr(Ref(motion.destinationSR), .vdiMirror)
            let isThere = !context.isUnplugged(Ref(motion.destinationSR))
            let claims = disks.map { OperationClaim.vdi(Ref($0), .mirror) } + (isThere ? [destination] : [])
            let held = try? await admission.enter(claims)
            if context.isForeign(Ref(motion.destinationSR)) {
                await MotionDriver(context: context).holdDestinationAgain(motion)
            }
            Task { [context, admission] in
                await Self.awaitDestination(motion, context)
                let late = isThere ? nil : try? await admission.enter([destination])
                await MotionDriver(context: context).recover(motion)
                for admitted in [held, late] { if let admitted { await admission.end(admitted) } }
            }
        }
    }

    /// A data path that mirrors, or has ended the copy, goes on: from the copy's end on the destination may be the only whole
    /// image, and nothing is decided about it before its SR is there, which may come late. Where no data path knows of the
    /// move, or its mirror is broken, the source is the disk, and nothing is waited for. Nor is it for an SR that this host
    /// has no PBD for any more: then the move is given up, in favour of the source.
    private static func awaitDestination(_ motion: DiskMotion, _ context: StorageContext) async {
        guard motion.phase == .mirroring || motion.phase == .pivoting else { return }
        var isTold = false
        while context.isUnplugged(Ref(motion.destinationSR)), !Task.isCancelled {
            switch await MotionDriver(context: context).observe(motion) {
            case .absent, .sourceOnly, .broken, .undecided(destinationFailed: true): return
            case .mirroring, .dual, .undecided(destinationFailed: false), .destinationOnly: break
            }
            if !isTold {
                await tell(motion, context)
                context.logger.warning(
                    "an interrupted move of a disk waits for its destination's SR to be plugged",
                    metadata: ["vdi": "\(motion.sourceUUID)", "sr": "\(motion.destinationSR)"])
            }
            isTold = true
            try? await Task.sleep(for: .seconds(1))
        }
    }

    /// Says what is waited for to whoever finds the disk in an operation that does not end.
    private static func tell(_ motion: DiskMotion, _ context: StorageContext) async {
        try? await context.database.transaction { tx in
            guard let sr = tx.row(Ref<SR>(motion.destinationSR)) else { return }
            let kind = Alerts.Kind(name: "VDI_MOVE_WAITS_FOR_SR", priority: 3)
            Alerts.post(
                kind, about: .vdi, uuid: motion.sourceUUID,
                body: "The interrupted move of the disk to the SR '\(sr[SR.nameLabel])' (\(sr[SR.uuid])) waits until "
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
