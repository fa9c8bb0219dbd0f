import APITypes
import Guests
import Logging
import PoolDatabase

/// What a crash has left of suspensions and resumptions (`SuspensionNote`).
extension MachineSuspension {
    /// What the start of the toolstack has to know of them.
    struct Settlement: Sendable {
        /// The uuids of VMs whose memory is in their images: whatever QEMU there is of one, its guest does not run.
        var suspended: Set<String> = []
        /// Images whose guests were told to run and have not answered yet.
        var undecided: [Ref<VDI>: SuspensionNote] = [:]
    }

    /// Decides what becomes of the guests that a suspension or resumption had in hand. Before any row is believed but this: a VM that is
    /// Suspended is in its image.
    func settleGuests() async -> Settlement {
        var settlement = Settlement()
        for (vdi, note) in SuspensionNote.deciding(context.database.read(SuspensionNote.all)) {
            let uuid = note.vm
            switch SuspensionNote.fate(note.phase, isOnItsWay: isHeld(uuid)) {
            case .nothing, .end: break
            case .letGo: await goOn(uuid)
            case .takeOver: if await !takeOver(uuid, from: vdi) { settlement.undecided[vdi] = note }
            }
        }
        for row in context.database.read({ $0.rows(VM.self, where: { $0[VM.powerState] == .suspended }) }) {
            let uuid = row[VM.uuid]
            guard let passage = guests.passage(of: uuid, owner: nil), passage != .beginning else { continue }
            do throws(GuestError) {
                try await guests.endAbandoned(uuid)
            } catch {
                settlement.suspended.insert(uuid)
                context.logger.error(
                    "the QEMU of a suspended VM stays", metadata: ["vm": "\(uuid)", "error": "\(error)"])
            }
        }
        return settlement
    }

    /// Lets a guest run whose resumption was committed. False: nobody knows whether it does. One that is refused is in its image again.
    private func takeOver(_ uuid: String, from image: Ref<VDI>) async -> Bool {
        do throws(GuestError) {
            try await guests.takeOver(uuid)
            return true
        } catch {
            context.logger.error("a resumed guest does not run", metadata: ["vm": "\(uuid)", "error": "\(error)"])
            // Nothing is left of it.
            if guests.state(uuid) == nil { return true }
            guard error.code == .refused, let row = context.database.read({ $0.find(VM.self, uuid: uuid) }) else {
                return false
            }
            let vm = row.typedRef(VM.self)
            return
                (try? await lifecycle.unresume(
                    vm, image: image, domain: row[VM.domid], cutOffs: lifecycle.cutOffCount(vm))) ?? false
        }
    }

    /// Goes on, when calls are taken, with what `settleGuests` could not decide.
    func finish(_ settlement: Settlement) async {
        await withDiscardingTaskGroup { group in
            for (image, note) in settlement.undecided {
                guard let row = context.database.read({ $0.find(VM.self, uuid: note.vm) }) else { continue }
                group.addTask {
                    await finishRun(row.typedRef(VM.self), note.vm, image: image, domain: row[VM.domid])
                }
            }
        }
    }

    /// Destroys the images that are no VM's memory, once storage is there. Returns those that third-party drivers have, which can be
    /// asked later only.
    func sweep(besides undecided: [Ref<VDI>: SuspensionNote]) async -> Set<Ref<VDI>> {
        var left: Set<Ref<VDI>> = []
        for (vdi, note) in context.database.read(SuspensionNote.all) where undecided[vdi] == nil {
            if !note.leavesNoImage {
                await forget(vdi)
            } else if note.phase == .saving, isHeld(note.vm) {
                await takeBack(vdi, of: note.vm)
            } else if let row = context.database.read({ $0.row(vdi) }), context.isForeign(row[VDI.sr]) {
                try? await self.note(.spent, vdi, note.vm)
                left.insert(vdi)
            } else {
                await discard(vdi, of: note.vm)
            }
        }
        return left
    }

    func sweep(_ left: Set<Ref<VDI>>) async {
        for (vdi, note) in context.database.read(SuspensionNote.all) where left.contains(vdi) && note.phase == .spent {
            await discard(vdi, of: note.vm)
        }
    }
}
