import APITypes
import CoreTypes
import PoolDatabase
import StorageMotion

/// What a plan says of others: moves that are under way, and disks that share blocks with those that move.
extension PlanMessages {
    /// Notes what moves under way take of the destination's room, where the disk, which may take `peak` bytes, would not fit beside
    /// that.
    func tellRoom(_ disk: inout MovePlan.Disk, _ peak: UInt64, in sr: Ref<SR>, waits: Bool) async {
        guard !context.isUnplugged(sr), let attached = try? context.attached(sr),
            let facts = try? await RoomSurvey(context: context).facts(attached, withFreed: false),
            let free = facts.free
        else { return }
        let reserved = facts.claims.reserved
        if reserved > 0, peak > free - min(free, reserved) {
            disk.notes.append("moves under way take \(reserved) of the \(free) bytes that are free there")
        }
        if waits { disk.notes.append(Self.waiting) }
    }

    static let waiting = "it waits until moves under way have given room back there"

    /// What is read again once all is copied: where the new images do not say where they have data, all of the `count` that are made whole.
    func tellComparison(_ disk: inout MovePlan.Disk, of count: Int, in sr: Ref<SR>, format: ImageFormat?) {
        guard let attached = try? context.attached(sr, evenUnplugged: true),
            !context.facts(attached, free: nil).showsContent(format)
        else { return }
        disk.compareAll(of: count)
    }

    /// What is to be said of a disk whose blocks others have, too, that stay. Nil: nothing, or its driver does not say what its disks
    /// stand on.
    /// - Parameters:
    ///   - moving: the disks that move with it.
    ///   - withSnapshots: their snapshots do, too, without being named.
    func sharing(of row: Row, with moving: [Ref<VDI>], withSnapshots: Bool) -> String? {
        let others = context.database.read { reader in
            let rows = reader.rows(VDI.self, where: VDI.sr, is: row[VDI.sr])
            let going = Set(moving.map(\.opaque))
            let leaving = rows.filter {
                going.contains($0.ref) || withSnapshots && going.contains($0[VDI.snapshotOf].opaque)
            }
            return Self.sharers(of: row, leaving: Set(leaving.map(\.ref)).union([row.ref]), among: rows)
        }
        guard let first = others.first else { return nil }
        let which = others.count == 1 ? "the disk \(first)" : "\(others.count) disks, \(first) among them"
        return
            "it shares blocks with \(which), which stay: what they share is not freed at the source, and is no longer shared"
    }

    /// The uuids of the disks that stand on an image which one of those that leave stands on, and that stay; sorted.
    static func sharers(of row: Row, leaving: Set<String>, among rows: [Row]) -> [String] {
        let disks = rows.filter { $0[VDI.managed] }
        let parents = Dictionary(rows.map { ($0[VDI.uuid], $0[VDI.smConfig]["vhd-parent"]) }) { first, _ in first }
        let family = Set(
            disks.filter { leaving.contains($0.ref) && ($0.ref == row.ref || $0[VDI.snapshotOf].opaque == row.ref) }
                .flatMap { Ancestry.images(of: $0[VDI.uuid], parents) })
        return disks.filter { disk in
            !leaving.contains(disk.ref) && Ancestry.images(of: disk[VDI.uuid], parents).contains(where: family.contains)
        }.map { $0[VDI.uuid] }.sorted()
    }
}

/// What disks stand on, as their rows tell.
enum Ancestry {
    /// The disk's own image and those below it, by uuid. Drivers may write what they like: a circle ends.
    static func images(of uuid: String, _ parents: [String: String?]) -> [String] {
        var chain: [String] = []
        var seen: Set<String> = []
        var next: String? = uuid
        while let current = next, seen.insert(current).inserted {
            chain.append(current)
            next = parents[current] ?? nil
        }
        return chain
    }

    /// The images, by uuid, of an SR's disks that stay when these leave it, with all that they stand on. `rows`: of its VDIs.
    static func ofThoseThatStay(_ rows: [Row], leaving: Set<String>) -> Set<String> {
        let parents = Dictionary(rows.map { ($0[VDI.uuid], $0[VDI.smConfig]["vhd-parent"]) }) { first, _ in first }
        let staying = rows.filter { $0[VDI.managed] && !leaving.contains($0[VDI.uuid]) }
        return Set(staying.flatMap { images(of: $0[VDI.uuid], parents) })
    }
}
