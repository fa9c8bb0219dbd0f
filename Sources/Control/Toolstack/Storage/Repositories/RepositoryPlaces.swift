import APITypes
import Logging
import PoolDatabase

/// SRs that have had their place: SR.create made it, or they were attached there once. A place that does not say whose it is
/// is then another than theirs: what shows where their file system is not mounted, or an empty folder of the same name.
/// The note lives as long as the SR's row, so also while the SR is unplugged, has no PBD and no disks.
enum RepositoryPlaces {
    private static let kind = "sr-place"

    static func note(_ uuid: String, in tx: Transaction) { tx.setPrivate(kind: kind, key: uuid, value: "") }

    /// With the SR's row.
    static func forget(_ uuid: String, in tx: Transaction) { tx.setPrivate(kind: kind, key: uuid, value: nil) }

    static func isNoted(_ uuid: String, _ reader: any DatabaseReader) -> Bool {
        reader.privateRecord(kind: kind, key: uuid) != nil
    }

    /// Databases of before there were notes: an SR that is plugged, has disks or has ever told its size was attached.
    static func noteKnown(_ context: StorageContext) async {
        let known = context.database.read { reader in
            let noted = reader.privateRecords(kind: kind)
            let plugged = Set(reader.rows(PBD.self) { $0[PBD.currentlyAttached] }.map { $0[PBD.sr] })
            return reader.rows(SR.self) { sr in
                let ref = sr.typedRef(SR.self)
                return noted[sr[SR.uuid]] == nil && !context.isForeign(type: sr[SR.type])
                    && (plugged.contains(ref) || sr[SR.physicalSize] > 0
                        || !reader.rows(VDI.self, where: VDI.sr, is: ref).isEmpty)
            }.map { $0[SR.uuid] }
        }
        if known.isEmpty { return }
        do {
            try await context.database.transaction { tx in
                for uuid in known where tx.find(SR.self, uuid: uuid) != nil { note(uuid, in: tx) }
            }
        } catch {
            context.logger.warning(
                "it cannot be noted which SRs were attached before; the next start tries again",
                metadata: ["error": "\(error)"])
        }
    }
}
