import APITypes
import CoreTypes
import PoolDatabase
import StorageInterface
import StorageMotion

extension PlanMessages {
    /// What VM.migrate_send to another pool would do, which is asked as it would ask: nothing is changed on either side.
    func planDeparture(_ move: MachineMove, rate: UInt64) async throws -> MovePlan {
        var plan = MovePlan(disks: [])
        var surveyed: SurveyedDeparture?
        do {
            surveyed = try await DepartureSurvey(context: context, guests: guests, move: move).run()
        } catch let error as APIError where error.code != "HANDLE_INVALID" {
            plan.blockers.append(MovePlan.Blocker(vdi: nil, error: error.wire))
        }
        var speed: UInt64?
        let disks = context.database.read { MachineMove.disks(of: move.vm, $0) }
        for (index, (vdi, isWritten)) in disks.enumerated() {
            let row = try context.row(vdi)
            var disk = MovePlan.Disk(
                vdi: row[VDI.uuid], name: row[VDI.nameLabel],
                role: (isWritten ? DiskToMove.Role.disk : .readOnly).rawValue,
                source: await place(row[VDI.sr], format: StorageContext.declaredFormat(row)),
                virtualSize: UInt64(clamping: row[VDI.virtualSize]))
            if let surveyed, surveyed.decisions.indices.contains(index) {
                let (decision, offered) = (surveyed.decisions[index], surveyed.offer.disks[index])
                disk.destination = surveyed.repositories[offered.sr]
                disk.destination?.format = decision.format
                disk.reason = decision.reason
                disk.newVirtualSize = decision.size
                disk.bytesToMove = try await bytes(of: row)
                disk.peakAtDestination = disk.bytesToMove
                if decision.size > disk.virtualSize {
                    disk.notes.append("the disk grows to \(decision.size) bytes: the new format has sizes of its own")
                }
                if let free = disk.destination?.free, disk.peakAtDestination > free {
                    disk.risks.append(
                        "the copy may take up to \(disk.peakAtDestination) bytes, and the destination has \(free) free")
                }
                let probed = try? await probe(row)
                speed = [speed, probed].compactMap { $0 }.min()
            }
            plan.disks.append(disk)
        }
        let isLimited = rate > 0 && rate < speed ?? .max
        plan.estimate(
            bytesPerSecond: isLimited ? rate : speed,
            basis: isLimited
                ? "the rate limit" : "what the source's storage delivered just now; the network is not measured")
        return plan
    }

    /// What all images that the disk stands on take.
    private func bytes(of row: Row) async throws -> UInt64 {
        let attached = try context.attached(row[VDI.sr])
        do {
            let chain = try await attached.manager.chain(attached.repository, StorageContext.volume(row))
            return chain.reduce(0) { $0 &+ min($1.physicalSize, $1.virtualSize) }
        } catch {
            throw ErrorMapping.api(error, sr: attached.ref, vdi: row.typedRef(VDI.self))
        }
    }
}
