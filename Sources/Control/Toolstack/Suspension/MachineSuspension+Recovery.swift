import APITypes
import Guests
import Logging
import PoolDatabase

/// What a crash has left of suspensions and resumptions (`SuspensionNote`).
extension MachineSuspension {
    /// Decides what becomes of the guests that a suspension or resumption had in hand. Before any row is believed.
    func settleGuests() async {
        for note in context.database.read(SuspensionNote.all).values {
            let uuid = note.vm
            let passage = guests.passage(of: uuid)
            do throws(GuestError) {
                switch SuspensionNote.fate(note.phase, isOnItsWay: passage != nil) {
                case .nothing: break
                case .letGo: await letGoOn(uuid)
                case .takeOver: try await guests.takeOver(uuid)
                case .end:
                    if passage == .held { try await guests.endHeld(uuid) } else { try await guests.dismiss(uuid) }
                }
            } catch {
                context.logger.error(
                    "a suspension cannot be finished", metadata: ["vm": "\(uuid)", "error": "\(error)"])
            }
        }
    }

    /// Destroys the images that are no VM's memory, once storage is there. Returns those that third-party drivers have, which can be
    /// asked later only.
    func sweep() async -> Set<Ref<VDI>> {
        var left: Set<Ref<VDI>> = []
        for (vdi, note) in context.database.read(SuspensionNote.all) {
            if !note.leavesNoImage {
                await forget(vdi)
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
