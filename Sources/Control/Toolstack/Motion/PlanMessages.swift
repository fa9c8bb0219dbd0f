import APITypes
import CoreTypes
import Foundation
import Guests
import PoolDatabase
import StorageInterface
import StorageMotion

/// VDI.plan_pool_migrate and VM.plan_migrate_send: what the messages of these names would do. Ours; no other server has
/// them. The answer is a JSON object, `MovePlan`. Nothing is changed, and nothing but the arguments' own mistakes is an
/// error: what speaks against the move is in the plan.
struct PlanMessages: Sendable {
    let context: StorageContext
    let guests: GuestHost

    func register(in table: inout MessageTable) {
        table.on("VDI.plan_pool_migrate") { _, arguments in
            let (vdi, sr): (Ref<VDI>, Ref<SR>) = (try arguments.get(0), try arguments.get(1))
            let options: [String: String] = try arguments.get(2)
            try context.database.read { reader in
                _ = try reader.require(vdi)
                _ = try reader.require(sr)
            }
            let wanted = WantedMove(vdi: vdi, destination: sr, choice: DiskMoves.choice(options))
            return .string(try await plan([wanted], of: nil, options))
        }
        table.on("VM.plan_migrate_send") { _, arguments in
            let move = try MachineMove(arguments)
            if context.database.read({ DepartureSurvey.isMeant(move, $0) }) {
                return .string(try Self.text(try await planDeparture(move, rate: try DiskMoves.rate(move.options))))
            }
            do {
                let wanted = try context.database.read { try move.wanted($0, host: context.host) }
                return .string(try await plan(wanted, of: move.vm, move.options))
            } catch let error as APIError where error.code != "HANDLE_INVALID" {
                // The move as a whole is refused: the plan says so, and what would become of the disks.
                let wanted = context.database.read { reader in
                    MachineMove.disks(of: move.vm, reader).map { vdi, isWritten in
                        WantedMove(
                            vdi: vdi, role: isWritten ? .disk : .readOnly, destination: move.disks[vdi],
                            choice: move.formats[vdi] ?? "")
                    }
                }
                return .string(try await plan(wanted, of: move.vm, move.options, refusal: error))
            }
        }
    }

    private func plan(
        _ wanted: [WantedMove], of vm: Ref<VM>?, _ options: [String: String], refusal: APIError? = nil
    ) async throws -> String {
        try DiskMoves.check(options)
        let survey = MoveSurvey(context: context, mayBeUnplugged: true)
        let rate = try DiskMoves.rate(options)
        var plan = MovePlan(disks: [])
        plan.isVerified = try context.database.read { try MirrorWishes.wantsVerification(options, $0) }
        if let refusal { plan.blockers.append(MovePlan.Blocker(vdi: nil, error: refusal.wire)) }
        var speed: UInt64?
        let moving = wanted.map(\.vdi)
        for move in wanted {
            let row = try context.row(move.vdi)
            var disk = MovePlan.Disk(
                vdi: row[VDI.uuid], name: row[VDI.nameLabel], role: move.role.rawValue,
                source: await place(row[VDI.sr], format: StorageContext.declaredFormat(row)),
                virtualSize: UInt64(clamping: row[VDI.virtualSize]))
            do {
                guard let surveyed = try await survey.decide([move]).first else { continue }
                await describe(&disk, surveyed, isVerified: plan.isVerified)
                if !surveyed.decision.stays, let note = sharing(of: row, with: moving, withSnapshots: true) {
                    disk.notes.append(note)
                }
                if !surveyed.decision.stays {
                    try context.database.read { try DiskMoves.requireFree([surveyed], $0) }
                    let probed = try? await probe(row)
                    speed = [speed, probed].compactMap { $0 }.min()
                }
            } catch let error as APIError {
                if let sr = move.destination {
                    // What was decided stays decided where something else is in the way.
                    if disk.reason == nil { disk.destination = await place(sr, format: nil) }
                    if error.code == "SR_BACKEND_FAILURE_44" { await tellRoom(&disk, .max, in: sr, waits: false) }
                }
                plan.blockers.append(MovePlan.Blocker(vdi: disk.vdi, error: error.wire))
            }
            plan.disks.append(disk)
        }
        if plan.blockers.isEmpty {
            // Each alone may be well, and all together too much.
            do {
                _ = try await survey.decide(wanted)
            } catch let error as APIError {
                plan.blockers.append(MovePlan.Blocker(vdi: nil, error: error.wire))
            }
        }
        plan.tellSharedRoom()
        let isLimited = rate > 0 && rate < speed ?? .max
        plan.estimate(
            bytesPerSecond: isLimited ? rate : speed,
            basis: isLimited ? "the rate limit" : "what the source's storage delivered just now")
        return try Self.text(plan)
    }

    private static func text(_ plan: MovePlan) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(plan), as: UTF8.self)
    }

    func place(_ sr: Ref<SR>, format: ImageFormat?) async -> MovePlan.Place {
        let row = context.database.read { $0.row(sr) }
        var free: UInt64?
        if let attached = try? context.attached(sr),
            let space = try? await attached.manager.space(attached.repository)
        {
            free = space.total == 0 ? nil : space.free
        }
        return MovePlan.Place(
            sr: row?[SR.uuid] ?? "", name: row?[SR.nameLabel] ?? "", format: format?.rawValue ?? "", free: free)
    }

    private func describe(_ disk: inout MovePlan.Disk, _ surveyed: SurveyedMove, isVerified: Bool) async {
        let (decision, motion) = (surveyed.decision, surveyed.motion)
        var destination = await place(Ref(decision.destination), format: decision.outcome.format)
        if decision.outcome.format == nil { destination.format = "" }
        disk.reason = decision.outcome.reason.rawValue
        disk.stays = decision.stays
        if decision.stays {
            disk.destination = destination
            disk.notes.append("the disk is where and what it is to be: nothing is done")
            return
        }
        let snapshots = motion.snapshots
        let isShared = motion.base != nil
        let images = surveyed.images.values.reduce(UInt64(0)) { $0 &+ $1 }
        disk.snapshots = snapshots.count
        disk.newVirtualSize = decision.outcome.size
        let copies = isShared ? 1 : snapshots.count + 1
        disk.take(
            images &* UInt64(copies), room: motion.room ?? 0,
            inPlace: decision.destination == decision.disk.source)
        if isVerified {
            tellComparison(&disk, of: copies, in: Ref(decision.destination), format: decision.outcome.format)
        }
        disk.destination = destination
        if decision.outcome.size > disk.virtualSize {
            disk.notes.append("the disk grows to \(decision.outcome.size) bytes: the new format has sizes of its own")
        }
        if context.isUnplugged(Ref(decision.destination)) {
            disk.notes.append(
                "the destination is not plugged: it is before the move begins, and its space is not known yet")
        }
        if !snapshots.isEmpty, !isShared {
            disk.risks.append(
                "the \(snapshots.count) snapshots are copied whole: images of the destination share nothing")
        }
        if let free = destination.free, disk.peakAtDestination > free {
            disk.risks.append(
                "the copy may take up to \(disk.peakAtDestination) bytes, and the destination has \(free) free")
        }
        await tellRoom(&disk, disk.peakAtDestination, in: Ref(decision.destination), waits: decision.waits)
        if await context.disks.active(disk.vdi) != nil {
            disk.notes.append("the disk is in use: its users go on and do not notice")
        }
        for sr in Set([decision.disk.source, decision.destination]).sorted() {
            disk.notes += MoveTurns.limit(of: sr, context.database).notes
        }
    }

    /// How fast the disk's image can be read just now, bytes per second: for a tenth of a second, past what is cached where
    /// the file system lets that be. Nil where there is no file to read.
    func probe(_ row: Row) async throws -> UInt64? {
        let attached = try context.attached(row[VDI.sr])
        if attached.manager.info.writesRows { return nil }
        let path: String
        switch try await attached.manager.attachVolume(
            attached.repository, StorageContext.volume(row), writable: false)
        {
        case .image(let file, _): path = file
        case .chain(let image, let parents): path = parents.first?.path ?? image.path
        case .nbd: return nil
        }
        return await ReadProbe.bytesPerSecond(of: path)
    }
}
