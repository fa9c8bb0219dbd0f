import APITypes
import CoreTypes
import Logging
import PoolDatabase
import StorageInterface
import StorageManagers
import StorageMotion

/// Shortens the chains of one SR as far as that can be done now.
struct ReclaimPass: Sendable {
    let context: StorageContext
    let sr: Ref<SR>

    /// Times that one disk's image is frozen in a pass: a guest that writes faster than its data are merged is left alone.
    private static let mostFreezes = 5

    /// Running disks that one step may keep waiting: they are paused one after the other.
    private static let mostPaused = 16

    /// There are hidden images, as the rows say.
    static func hasChains(_ sr: Ref<SR>, _ reader: any DatabaseReader) -> Bool {
        reader.rows(VDI.self, where: VDI.sr, is: sr).contains { !$0[VDI.managed] }
    }

    func run() async throws {
        // Images that are in use, moved or could not be worked on.
        var excluded: Set<String> = []
        var freezes: [String: Int] = [:]
        var isTidied = false
        while true {
            try Task.checkCancellation()
            guard let settings, settings.isOn, context.database.read({ Self.hasChains(sr, $0) }),
                let (attached, manager, seen) = try await look()
            else { return }
            var survey = seen
            if isTidied { survey.isUntidy = false }
            let plan = ReclaimPlan(survey, policy: .init(mergesLeaves: settings.mergesLeaves))
            guard let step = plan.next(excluding: excluded) else { return }
            if case .freeze(let leaf) = step {
                freezes[leaf, default: 0] += 1
                if freezes[leaf, default: 0] > Self.mostFreezes {
                    excluded.insert(leaf)
                    continue
                }
            }
            isTidied = step == .tidy
            do {
                let isDone = try await perform(
                    step, disks: plan.disks(of: step), survey: survey, manager, attached)
                if !isDone { excluded.formUnion(Self.subject(step)) }
            } catch let error as CancellationError {
                throw error
            } catch {
                context.logger.notice(
                    "a step of reclaiming space is left for later",
                    metadata: ["sr": "\(attached.uuid)", "step": "\(step)", "error": "\(error)"])
                excluded.formUnion(Self.subject(step))
            }
        }
    }

    /// As they are now.
    private var settings: ReclaimSettings? {
        context.database.read { $0.row(sr) }.map { ReclaimSettings($0[SR.otherConfig]) }
    }

    /// What the SR holds, and its rows say it too; nil where there is nothing to look at, or the SR is being taken away: who
    /// does that waits for a look that has begun, as for a step.
    private func look() async throws -> (AttachedRepository, any ChainedStorageManager, ChainSurvey)? {
        let id = context.reclaimGate.enter(sr, disks: [], isLong: false, cancellation: CancellationFlag())
        defer { context.reclaimGate.leave(id) }
        try Task.checkCancellation()
        guard !context.database.read(isTakenAway), let attached = try? context.attached(sr),
            let manager = attached.manager as? any ChainedStorageManager
        else { return nil }
        let generation = context.database.read { $0.generation }
        let survey = try await manager.surveyChains(attached.repository)
        try await agree(survey, since: generation, attached)
        return (attached, manager, survey)
    }

    private func isTakenAway(_ reader: any DatabaseReader) -> Bool {
        reader.row(sr)?[SR.currentOperations].values.contains(where: ReclaimGate.takesAway) ?? true
    }

    /// What is left alone when a step cannot be done.
    private static func subject(_ step: ReclaimStep) -> Set<String> {
        switch step {
        case .tidy: []
        case .end(let child, _): [child]
        default: step.top.map { [$0] } ?? []
        }
    }

    // MARK: One step

    /// False when somebody works on one of the disks.
    private func perform(
        _ step: ReclaimStep, disks: [String], survey: ChainSurvey, _ manager: any ChainedStorageManager,
        _ attached: AttachedRepository
    ) async throws -> Bool {
        let uuids = Set(survey.nodes.filter { disks.contains($0.location) }.map(\.volume.uuid))
        let rows = context.database.read { reader in uuids.compactMap { reader.find(VDI.self, uuid: $0) } }
        // One without a row is being made, or is not known yet.
        guard rows.count == uuids.count else { return false }
        let cancellation = CancellationFlag()
        let id = context.reclaimGate.enter(
            sr, disks: Set(rows.map(\.ref)), isLong: !step.needsQuiet, cancellation: cancellation)
        defer { context.reclaimGate.leave(id) }
        // Whoever changes them from here on stops the step.
        guard let settings, settings.isOn else { return false }
        let pace = ReclaimPace(bytesPerSecond: settings.bytesPerSecond, cancellation: cancellation)
        // Whoever ends the toolstack waits for what has entered by now.
        try Task.checkCancellation()
        guard isIdle(uuids, rows) else { return false }
        if step.needsQuiet {
            let running = context.database.privateRecords(kind: DiskActivation.recordKind)
            guard uuids.count(where: { running[$0] != nil }) <= Self.mostPaused else { return false }
        }
        FailurePoint.reached("reclaim-before-step")
        let result: ReclaimResult
        do {
            result = try await withTaskCancellationHandler {
                let work = { try await manager.reclaim(step, in: attached.repository, pace: pace) }
                // In one order, so that no two wait for each other's.
                return step.needsQuiet
                    ? try await quietly(rows.sorted { $0[VDI.uuid] < $1[VDI.uuid] }[...], work) : try await work()
            } onCancel: {
                pace.cancellation.cancel()
            }
        } catch {
            if Task.isCancelled { throw CancellationError() }
            if pace.cancellation.isCancelled { return false }
            throw error
        }
        FailurePoint.reached("reclaim-before-rows")
        try await record(result, attached)
        context.logger.info(
            "reclaimed space", metadata: ["sr": "\(attached.uuid)", "step": "\(step)", "gone": "\(result.gone)"])
        return true
    }

    /// Nobody works on the disks, moves them, or takes the SR away. What begins from here on waits for the step.
    private func isIdle(_ uuids: Set<String>, _ rows: [Row]) -> Bool {
        let (context, sr) = (context, sr)
        return context.database.read { reader in
            guard !isTakenAway(reader), (try? context.attached(sr)) != nil else { return false }
            let isBusy = rows.contains { row in
                reader.row(row.typedRef(VDI.self)).map { !$0[VDI.currentOperations].isEmpty } ?? true
            }
            let motions = reader.privateRecords(kind: MotionStore.kind).values.compactMap(MotionStore.read)
                .filter { !$0.isReleased }
            let isMoved = motions.contains { !$0.volumes.isDisjoint(with: uuids) }
            let isCopied = reader.privateRecords(kind: DiskCopy.kind).keys.contains { uuids.contains($0) }
            // What a guest writes to a disk that is reset stands on the disk's image by its name.
            let isInEpoch = reader.privateRecords(kind: StorageContext.epochKind).keys.contains { uuids.contains($0) }
            return !isBusy && !isMoved && !isCopied && !isInEpoch
        }
    }

    /// Runs `body` while nobody has the disks open: their data paths wait, for as long as a step takes.
    private func quietly<T: Sendable>(_ rows: ArraySlice<Row>, _ body: () async throws -> T) async throws -> T {
        guard let first = rows.first else { return try await body() }
        return try await PausedDisk(context: context).working(on: first) {
            try await quietly(rows.dropFirst(), body)
        }
    }

    // MARK: Rows

    private func record(_ result: ReclaimResult, _ attached: AttachedRepository) async throws {
        let space = try? await attached.manager.space(attached.repository)
        try await context.database.transaction { tx in
            for volume in result.changed { try Self.record(volume, sr: sr, in: tx) }
            for uuid in result.gone {
                if let row = tx.find(VDI.self, uuid: uuid), !row[VDI.managed] { tx.delete(row.typedRef(VDI.self)) }
            }
            if let space { try StorageContext.store(space, of: sr, in: tx) }
        }
    }

    private static func record(_ volume: Volume, sr: Ref<SR>, in tx: Transaction) throws {
        if let row = tx.find(VDI.self, uuid: volume.uuid) {
            try VDIRow.refresh(row.typedRef(VDI.self), volume, in: tx)
        } else if volume.isHidden {
            tx.insert(VDI.self, ref: Fresh.ref(VDI.self)) { row in VDIRow.fill(&row, volume, sr: sr) }
        }
    }

    /// Makes the rows of hidden images and of disks say what the SR holds: a step may have been cut off before it
    /// was recorded. Rows that changed since `generation` are not for this survey to judge.
    private func agree(
        _ survey: ChainSurvey, since generation: Int64, _ attached: AttachedRepository
    ) async throws {
        guard survey.isComplete else { return }
        let known = Set(survey.nodes.map(\.volume.uuid))
        let (sr, nodes) = (sr, survey.nodes)
        let find = { @Sendable (reader: any DatabaseReader) -> (changed: [Volume], gone: [Row]) in
            let changed = nodes.filter { node in
                guard let row = reader.find(VDI.self, uuid: node.volume.uuid) else { return node.isBase }
                return row.lastModified <= generation && row[VDI.sr] == sr
                    && (row[VDI.location] != node.location || row[VDI.smConfig]["vhd-parent"] != node.volume.parentUUID)
            }
            let gone = reader.rows(VDI.self, where: VDI.sr, is: sr).filter {
                !$0[VDI.managed] && !known.contains($0[VDI.uuid]) && $0.lastModified <= generation
            }
            return (changed.map(\.volume), gone)
        }
        let stale = context.database.read { find($0) }
        if stale.changed.isEmpty && stale.gone.isEmpty { return }
        try await context.database.transaction { tx in
            let stale = find(tx)
            for volume in stale.changed { try Self.record(volume, sr: sr, in: tx) }
            for row in stale.gone { tx.delete(row.typedRef(VDI.self)) }
        }
        await context.refreshSpace(attached, tellingReclaimer: false)
    }
}
