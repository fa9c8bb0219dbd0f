import APITypes
import CoreTypes
import Logging
import PoolDatabase
import StorageInterface
import StorageMotion

// SR.scan: the rows of an SR follow what its driver lists.
extension RepositoryMessages {
    /// Introduces the volumes that are there, updates the known ones, drops the rows of those that are gone. Destinations
    /// of running moves are the moves' own.
    func scan(_ sr: Ref<SR>, task: Ref<XenTask>) async throws {
        try await admission.run([.sr(sr, .scan)], task: task) { try await scan(sr) }
    }

    /// Those SRs are scanned in which a killed toolstack was making a snapshot or clone.
    func adoptDerivations() async {
        for sr in context.database.read({ VolumeDerivation.repositories($0) }) {
            do {
                try await scan(sr)
            } catch {
                context.logger.warning(
                    "a snapshot that was not finished waits for a scan",
                    metadata: ["sr": "\(sr.opaque)", "error": "\(error)"])
            }
        }
    }

    func scan(_ sr: Ref<SR>) async throws {
        let attached = try context.attached(sr)
        if attached.manager.info.writesRows {
            do {
                _ = try await attached.manager.scan(attached.repository)
            } catch {
                throw ErrorMapping.api(error, sr: sr)
            }
            return await context.refreshSpace(attached)
        }
        // The listing tells about this moment and later; rows that come after it are not for it to judge.
        let before = context.database.read { reader in
            ScanStart(
                generation: reader.generation,
                locations: Dictionary(
                    reader.rows(VDI.self, where: VDI.sr, is: sr).map { ($0[VDI.uuid], $0[VDI.location]) }
                ) { first, _ in first },
                moving: Self.moving(reader), creating: context.volumesBeingMade.all)
        }
        let found: RepositoryScan
        do {
            found = try await attached.manager.scan(attached.repository)
        } catch {
            throw ErrorMapping.api(error, sr: sr)
        }
        for (name, problem) in found.problems {
            context.logger.warning(
                "not a disk image", metadata: ["sr": "\(attached.uuid)", "file": "\(name)", "problem": "\(problem)"])
        }
        // What seems new must still be there: it may have been the volume of a VDI that is gone by now.
        let fresh = found.volumes.filter { before.locations[$0.uuid] == nil }
        let present: Set<String>
        do {
            present = try await attached.manager.present(attached.repository, locations: fresh.map(\.location))
        } catch {
            throw ErrorMapping.api(error, sr: sr)
        }
        FailurePoint.reached("scanned")
        let insertable = present.intersection(fresh.map(\.location))
        try await context.database.transaction { tx in
            let reserved = before.moving.union(Self.moving(tx))
            let skipped = before.creating.union(context.volumesBeingMade.all)
            var known: [String: Row] = [:]
            var places: [String: String] = [:]
            // What a snapshot has put elsewhere since the listing is not for it to judge either.
            for row in tx.rows(VDI.self, where: VDI.sr, is: sr)
            where before.locations[row[VDI.uuid]] == row[VDI.location] {
                known[row[VDI.location]] = row
                places[row[VDI.uuid]] = row[VDI.location]
            }
            for volume in found.volumes where !reserved.contains(volume.uuid) {
                // A disk whose snapshot was cut off may have its image under another name.
                let place = known[volume.location] == nil ? places[volume.uuid] ?? volume.location : volume.location
                if let row = known.removeValue(forKey: place) {
                    let ref = row.typedRef(VDI.self)
                    try VDIRow.refresh(ref, volume, in: tx)
                    try VDIRow.show(ref, volume, in: tx)
                    try tx.set(ref, VDI.missing, false)
                } else if insertable.contains(volume.location), !skipped.contains(volume.uuid),
                    tx.find(VDI.self, uuid: volume.uuid) == nil
                {
                    if VolumeDerivation.adopt(volume, sr: sr, in: tx) { continue }
                    tx.insert(VDI.self, ref: Fresh.ref(VDI.self)) { row in VDIRow.fill(&row, volume, sr: sr) }
                }
            }
            // An image that cannot be read now may be one that was being made.
            let unread = found.problems.keys.map { String($0.prefix(36)) }
            VolumeDerivation.settle(sr, except: skipped.union(unread), in: tx)
            // A damaged image is there, and its VDI with it.
            for name in found.problems.keys { known[name] = nil }
            for (_, row) in known where !reserved.contains(row[VDI.uuid]) && row.created <= before.generation {
                let ref = row.typedRef(VDI.self)
                if tx.rows(VBD.self, where: VBD.vdi, is: ref).isEmpty {
                    tx.delete(ref)
                } else {
                    try tx.set(ref, VDI.missing, true)
                }
            }
        }
        await context.refreshSpace(attached)
    }

    /// What the database said before a listing of the SR.
    private struct ScanStart: Sendable {
        let generation: Int64
        /// VDI uuid → location.
        let locations: [String: String]
        let moving: Set<String>
        let creating: Set<String>
    }

    static func motions(_ reader: any DatabaseReader) -> [DiskMotion] {
        reader.privateRecords(kind: MotionStore.kind).values.compactMap(MotionStore.read)
    }

    /// The volumes that moves and copies look after, or did when a dump was made that was brought back since.
    static func moving(_ reader: any DatabaseReader) -> Set<String> {
        Set(motions(reader).flatMap(\.volumes))
            .union(reader.privateRecords(kind: DiskCopy.kind).keys)
            .union(RestoredRecords.held(reader))
    }
}
