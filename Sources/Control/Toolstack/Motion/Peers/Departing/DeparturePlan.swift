import APITypes
import CoreTypes
import PoolDatabase
import StorageInterface
import StorageMotion

extension PlanMessages {
    /// What VM.migrate_send to another pool would do, which is asked as it would ask: nothing is changed on either side.
    func planDeparture(_ move: MachineMove, rate: UInt64) async throws -> MovePlan {
        var plan = MovePlan(disks: [])
        plan.isVerified = try context.database.read { try MirrorWishes.wantsVerification(move.options, $0) }
        plan.isCopy = move.isCopy
        var surveyed: SurveyedDeparture?
        do {
            let found = try await DepartureSurvey(context: context, guests: guests, move: move).run()
            surveyed = found
            try context.database.read { try Departures.requireFree(found, vm: move.vm, $0) }
        } catch let error as APIError where error.code != "HANDLE_INVALID" {
            plan.blockers.append(MovePlan.Blocker(vdi: nil, error: error.wire))
        }
        var speed: UInt64?
        let offered = surveyed?.offer.disks.map { (Ref<VDI>($0.vdi), DiskToMove.Role(rawValue: $0.role) ?? .disk) }
        let disks =
            offered
            ?? context.database.read { reader in
                MachineMove.disks(of: move.vm, reader).map {
                    ($0.vdi, $0.isWritten ? DiskToMove.Role.disk : .readOnly)
                }
            }
        for (index, (vdi, role)) in disks.enumerated() {
            let row = try context.row(vdi)
            var disk = MovePlan.Disk(
                vdi: row[VDI.uuid], name: row[VDI.nameLabel],
                role: role.rawValue,
                source: await place(row[VDI.sr], format: StorageContext.declaredFormat(row)),
                virtualSize: UInt64(clamping: row[VDI.virtualSize]))
            if !move.isCopy, let note = sharing(of: row, with: disks.map(\.0), withSnapshots: false) {
                disk.notes.append(note)
            }
            if let surveyed, surveyed.decisions.indices.contains(index) {
                let (decision, offered) = (surveyed.decisions[index], surveyed.offer.disks[index])
                disk.destination = surveyed.repositories[offered.sr]
                disk.destination?.format = decision.format
                disk.reason = decision.reason
                disk.newVirtualSize = decision.size
                // Of one that is made as a clone what its own image has goes, as far as that can be said before it is read.
                disk.take(
                    try await bytes(of: row, isClone: offered.base != nil && decision.format != "raw"),
                    room: decision.room ?? 0)
                // Whether the images of the other pool tell what was written to them is not known.
                disk.bytesToCompare = disk.bytesToMove
                if decision.size > disk.virtualSize {
                    disk.notes.append("the disk grows to \(decision.size) bytes: the new format has sizes of its own")
                }
                if let free = disk.destination?.free, disk.peakAtDestination > free {
                    disk.risks.append(
                        "the copy may take up to \(disk.peakAtDestination) bytes, and the destination has \(free) free")
                }
                if let waits = surveyed.waitsFor, waits == disk.destination?.sr { disk.notes.append(Self.waiting) }
                let probed = try? await probe(row)
                speed = [speed, probed].compactMap { $0 }.min()
            }
            plan.disks.append(disk)
        }
        plan.tellSharedRoom()
        var link: UInt64?
        if let surveyed { link = await Self.measured(surveyed) }
        let pace = Self.pace(storage: speed, link: link, limit: rate)
        plan.estimate(bytesPerSecond: pace.bytesPerSecond, basis: pace.basis)
        return plan
    }

    private static func measured(_ surveyed: SurveyedDeparture) async -> UInt64? {
        guard let link = try? PeerLink(surveyed.place, id: Fresh.uuid(), secret: DepartureSurvey.secret()) else {
            return nil
        }
        let speed = await link.measure(session: surveyed.session)
        await link.close()
        return speed
    }

    /// The slowest of what is known, bytes per second, and which it is. `limit`: 0 for none.
    static func pace(storage: UInt64?, link: UInt64?, limit: UInt64) -> (bytesPerSecond: UInt64?, basis: String) {
        let known = [storage, link].compactMap { $0 }.min()
        if limit > 0, limit < known ?? .max { return (limit, "the rate limit") }
        guard let link else {
            return (storage, "what the source's storage delivered just now; the network is not measured")
        }
        if let storage, storage <= link {
            return (storage, "what the source's storage delivered just now; the network takes more")
        }
        return (link, "what the network to the other pool took just now")
    }

    /// What all images that the disk stands on take; of a clone only its own.
    private func bytes(of row: Row, isClone: Bool) async throws -> UInt64 {
        let attached = try context.attached(row[VDI.sr])
        do {
            let chain = try await attached.manager.chain(attached.repository, StorageContext.volume(row))
            return (isClone ? Array(chain.prefix(1)) : chain).reduce(0) { $0 &+ min($1.physicalSize, $1.virtualSize) }
        } catch {
            throw ErrorMapping.api(error, sr: attached.ref, vdi: row.typedRef(VDI.self))
        }
    }
}
