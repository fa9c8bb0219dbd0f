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
                if motion.phase == .committed { await MotionDriver(context: context).holdAgain(motion) }
                Task { [context] in await MotionDriver(context: context).recover(motion) }
                continue
            }
            await MotionDriver(context: context).recover(motion)
            if motion.phase == .committed, current(motion) != nil {
                await MotionDriver(context: context).holdAgain(motion)
            }
        }
        for motion in motions where !motion.isDecided {
            // It was admitted when it began.
            let claims: [OperationClaim] =
                [.vdi(Ref(motion.sourceRef), .mirror), .sr(Ref(motion.destinationSR), .vdiMirror)]
                + motion.snapshots.map { .vdi(Ref($0.sourceRef), .mirror) }
            let held = try? await admission.enter(claims)
            if context.isForeign(Ref(motion.destinationSR)) {
                await MotionDriver(context: context).holdDestinationAgain(motion)
            }
            Task { [context, admission] in
                await Self.awaitDestination(motion, context)
                await MotionDriver(context: context).recover(motion)
                if let held { await admission.end(held) }
            }
        }
    }

    /// From the copy's end on the destination may be the only whole image: nothing is decided about it before its SR is
    /// there, which may come late.
    private static func awaitDestination(_ motion: DiskMotion, _ context: StorageContext) async {
        guard motion.phase == .mirroring || motion.phase == .pivoting else { return }
        var isTold = false
        while context.isUnplugged(Ref(motion.destinationSR)), !Task.isCancelled {
            if !isTold {
                context.logger.warning(
                    "an interrupted move of a disk waits for its destination's SR to be plugged",
                    metadata: ["vdi": "\(motion.sourceUUID)", "sr": "\(motion.destinationSR)"])
            }
            isTold = true
            try? await Task.sleep(for: .seconds(1))
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
                // Whoever was at it may have finished while an earlier one was tried.
                if let motion = current(motion) { await MotionDriver(context: context).recover(motion) }
            }
            seen = Set(decided.map(\.id))
        }
    }
}
