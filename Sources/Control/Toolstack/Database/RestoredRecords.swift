import APITypes
import Foundation
import PoolDatabase
import StorageInterface
import StorageMotion

/// What a database that is brought back says of work that was going on when its dump was made. At a start such a record means
/// that something half made is to be destroyed; but days may lie between the dump and its return, and what was half made then may
/// be whole by now, and all that there is of a disk. So none of these records comes back as it was: nothing is destroyed or gone on
/// with for them, and a message tells administrators of each.
///
/// A volume that a copy or a move was filling, which may be half a disk as well, is held by a record of its own (kind `restored`:
/// the volume's uuid → its SR and location): no scan takes it for a disk, and VDI.introduce, which says so, ends that.
///
/// The other records stay as they are: they destroy nothing that could have come into use (a move that was decided, a machine
/// that was refused), or are decided by whoever is at the other end, or by an administrator. Of moves between pools, whose other
/// side was not brought back with this one, messages tell as well.
enum RestoredRecords {
    static let kind = "restored"

    private static let alert = Alerts.Kind(name: "RESTORED_WORK_SET_ASIDE", priority: 3)

    static func setAside(in tx: Transaction) {
        for (uuid, text) in sorted(RepositoryCreations.kind, tx) {
            tell(
                "An SR (\(uuid), type '\(RepositoryCreations.type(in: text))') was being made. Where it is, xe sr-probe finds "
                    + "it, and xe sr-introduce brings it back.", in: tx)
            tx.setPrivate(kind: RepositoryCreations.kind, key: uuid, value: nil)
        }
        for (uuid, text) in sorted(DiskCopy.kind, tx) {
            let place = Place(text)
            hold(uuid, place, in: tx)
            tell("A disk was being copied to \(place.text(uuid, tx)). \(Self.advice)", in: tx)
            tx.setPrivate(kind: DiskCopy.kind, key: uuid, value: nil)
        }
        for (key, text) in sorted(MotionStore.kind, tx) {
            guard let motion = MotionStore.read(text), !motion.isDecided else { continue }
            let volumes = [MotionDriver.destination(motion)] + motion.snapshots.map { MotionDriver.destination($0) }
            for volume in volumes {
                hold(volume.uuid, Place(sr: motion.destinationSR, location: volume.location), in: tx)
            }
            let places = volumes.map { volume in
                Place(sr: motion.destinationSR, location: volume.location).text(volume.uuid, tx)
            }
            tell(
                "The disk \(motion.sourceUUID) was being moved to \(places.joined(separator: ", ")). \(Self.advice) Where the "
                    + "move has ended since, the VDI \(motion.sourceUUID) has no image any more.", in: tx)
            tx.setPrivate(kind: MotionStore.kind, key: key, value: nil)
        }
        for (key, text) in sorted(MachineDisks.kind, tx) {
            let disks = MachineDisks.disks(in: text).compactMap { tx.row($0)?[VDI.uuid] }
            if !disks.isEmpty {
                tell(
                    "A VM was being made or taken away with the disks \(disks.joined(separator: ", ")). Those that no VM has "
                        + "may be destroyed.", in: tx)
            }
            tx.setPrivate(kind: MachineDisks.kind, key: key, value: nil)
        }
        for (key, _) in sorted(UnfinishedImports.kind, tx) {
            if let row = tx.row(Ref<VDI>(key)) {
                tell(
                    "The disk \(row[VDI.uuid]) was being imported. It is whole only if that has ended well since; look into it "
                        + "before it is used.", in: tx)
            }
            UnfinishedImports.end(Ref(key), in: tx)
        }
        for (vdi, note) in SuspensionNote.all(tx) where note.leavesNoImage {
            if let row = tx.row(vdi) {
                tell(
                    "The VM \(note.vm) was being suspended or resumed. The VDI \(row[VDI.uuid]) may hold its memory of then, "
                        + "and may be destroyed when it is of no use.", in: tx)
            }
            SuspensionNote.remove(of: vdi, in: tx)
        }
        for disk in tx.receivedDisks() {
            if tx.row(Ref<VDI>(disk.ref)) == nil {
                hold(disk.id, Place(sr: disk.sr, location: disk.location), in: tx)
            }
            tell(
                "The disk \(disk.id) was coming from another maker's toolstack. It is whole only if that has ended well since; "
                    + "look into it before it is used.", in: tx)
            tx.forget(disk)
        }
        // One that stays, or is gone from here, is as its rows say.
        let undecided: [MachineDeparture.Phase] = [.planned, .copying, .preparing, .committed, .delivered]
        for machine in tx.departures() where undecided.contains(machine.state.phase) { tell(text(machine), in: tx) }
        let coming: [MachineArrival.Phase] = [.receiving, .prepared]
        for machine in tx.arrivals() where coming.contains(machine.state.phase) { tell(text(machine), in: tx) }
    }

    private static func text(_ machine: DepartingMachine) -> String {
        let what = machine.isCopy ? "A copy of the VM \(machine.uuid)" : "The VM \(machine.uuid)"
        let place = "the pool at \(machine.place.host):\(machine.place.port)"
        let told = "\(what) was on its way to \(place) (move \(machine.id), \(machine.state.phase.rawValue))."
        if machine.isCopy { return "\(told) The VM is here; whether the copy came about, that pool knows." }
        return "\(told) If it has arrived there since, it runs there and its disks here have no images any more: look "
            + "there before it is started here. \(hint)"
    }

    private static func text(_ machine: ArrivingMachine) -> String {
        let (from, disks) = (machine.offer?.origin.prefix(100) ?? "", machine.disks.map(\.uuid).joined(separator: ", "))
        let way = machine.state.phase == .receiving ? ", and become ordinary disks by 'forget'" : ""
        return "The VM \(machine.uuid) was coming from another pool (its host there: '\(from)'; move \(machine.id), "
            + "\(machine.state.phase.rawValue)). If it has arrived since, its disks \(disks) are all that there is of it: "
            + "they are kept as long as nobody says 'there'\(way). \(hint)"
    }

    private static let hint =
        "xe vm-peer-move-list shows the move; xe vm-peer-move-settle says whose the VM is, where the other side does not."

    private static let advice =
        "It is whole only if that has ended well since. It is kept, and is no disk of the pool until it is introduced "
        + "(xe vdi-introduce with this uuid and location); look into it before it is used, or destroy it then."

    /// The uuids of the volumes that are held.
    static func held(_ reader: any DatabaseReader) -> Set<String> { Set(reader.privateRecords(kind: kind).keys) }

    /// Somebody has said that the volume is a disk.
    static func release(_ uuid: String, in tx: Transaction) { tx.setPrivate(kind: kind, key: uuid, value: nil) }

    /// Of an SR that is gone.
    static func forget(_ sr: Ref<SR>, in tx: Transaction) {
        for (uuid, text) in tx.privateRecords(kind: kind) where Place(text).sr == sr.opaque { release(uuid, in: tx) }
    }

    private static func hold(_ uuid: String, _ place: Place, in tx: Transaction) {
        // It is a disk already.
        if tx.find(VDI.self, uuid: uuid) != nil { return }
        tx.setPrivate(kind: kind, key: uuid, value: "\(place.sr) \(place.location)")
    }

    private static func tell(_ text: String, in tx: Transaction) {
        let pool = tx.rows(Pool.self).first?[Pool.uuid] ?? ""
        Alerts.post(
            alert, about: .pool, uuid: pool,
            body: "The database was brought back from a dump. While that was made: \(text)", in: tx)
    }

    private static func sorted(_ kind: String, _ tx: Transaction) -> [(key: String, value: String)] {
        tx.privateRecords(kind: kind).sorted { $0.key < $1.key }
    }

    /// `SR location`, as records have it.
    private struct Place {
        var sr: String
        var location: String

        init(sr: String, location: String) {
            self.sr = sr
            self.location = location
        }

        init(_ text: String) {
            let parts = text.split(separator: " ", maxSplits: 1).map(String.init)
            sr = parts.first ?? ""
            location = parts.count == 2 ? parts[1] : ""
        }

        func text(_ uuid: String, _ reader: any DatabaseReader) -> String {
            let known = reader.row(Ref<SR>(sr)).map { "the SR \($0[SR.uuid])" } ?? "an SR that is not known"
            return "\(known), as volume \(uuid)" + (location.isEmpty ? "" : " at '\(location)'")
        }
    }
}
