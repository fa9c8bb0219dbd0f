import APITypes
import Foundation
import PoolDatabase
import StorageInterface
import StoragePlugins

/// Volumes that SMAPIv3 plugins were told to make: noted before the call, and no longer from the transaction on that inserts
/// the row. A plugin gives a volume its key by itself, so that what a killed toolstack or plugin left cannot be told from what
/// somebody else has made in the SR: it gets a row, a name and an alert that say so, and is never destroyed unasked.
enum PluginMakings {
    private static let kind = "plugin-making"

    private struct Note: Codable {
        let repository: String
        let making: UnfinishedVolume
    }

    /// Notes of one SR: a plugin that fails and is never scanned is not to fill the database.
    private static let most = 256

    static func begin(_ making: UnfinishedVolume, _ sr: Ref<SR>, in tx: Transaction) throws {
        let present = tx.privateRecords(kind: kind)
        if present.count >= most, present.values.count(where: { read($0)?.repository == sr.opaque }) >= most {
            throw StorageError(
                .general, "\(most) volumes of the SR may have been made unheard; SR.scan finds out, then try again")
        }
        let data = try JSONEncoder().encode(Note(repository: sr.opaque, making: making))
        tx.setPrivate(kind: kind, key: making.id, value: String(decoding: data, as: UTF8.self))
    }

    private static func read(_ text: String) -> Note? { try? JSONDecoder().decode(Note.self, from: Data(text.utf8)) }

    static func end(_ making: UnfinishedVolume, in tx: Transaction) {
        tx.setPrivate(kind: kind, key: making.id, value: nil)
    }

    /// Those of an SR, which are settled with this; those of SRs that are gone go, too.
    static func take(_ sr: Ref<SR>, in tx: Transaction) -> [UnfinishedVolume] {
        var found: [UnfinishedVolume] = []
        for (id, text) in tx.privateRecords(kind: kind).sorted(by: { $0.key < $1.key }) {
            let note = read(text)
            if let note, note.repository == sr.opaque {
                found.append(note.making)
            } else if let note, tx.row(Ref<SR>(note.repository)) != nil {
                continue
            }
            tx.setPrivate(kind: kind, key: id, value: nil)
        }
        return found
    }

    private struct Candidate {
        let row: Row
        let volume: PluginVolume
        let title: String
        let isUnnamed: Bool
    }

    /// In one alert.
    private static let mostListed = 20

    /// - Parameter found: the VDIs that a scan has made for volumes that nobody knew. What a move or a copy was making is
    ///   theirs, and not told of. A VDI is called anew only when its name does not say whose it is; its volume keeps its own. When
    ///   more have appeared than were to be made, some are somebody else's, and all keep their names.
    static func tell(
        _ found: [(vdi: Ref<VDI>, volume: PluginVolume)], _ makings: [UnfinishedVolume], _ sr: Ref<SR>,
        in tx: Transaction
    ) throws {
        let candidates = try found.compactMap { vdi, volume -> Candidate? in
            let possible = makings.filter { $0.mayBe(volume) }
            let titles = Set(possible.map(\.title)).sorted()
            let row = try tx.require(vdi)
            guard !titles.isEmpty, row[VDI.managed] else { return nil }
            return Candidate(
                row: row, volume: volume,
                title: titles.prefix(3).joined(separator: " or ") + (titles.count > 3 ? " or another" : ""),
                isUnnamed: possible.contains { $0.isUnnamed(volume) })
        }
        guard let first = candidates.first else { return }
        let kind = Alerts.Kind(name: "VDI_CREATION_CUT_OFF", priority: 3)
        let what = "The storage plugin or the toolstack was cut off while the plugin made a volume"
        let possible = makings.count { making in candidates.contains { making.mayBe($0.volume) } }
        if candidates.count > possible {
            let listed = candidates.prefix(mostListed).map(\.row.uuid).joined(separator: ", ")
            let more = candidates.count > mostListed ? " and others" : ""
            Alerts.post(
                kind, about: .sr, uuid: try tx.require(sr).uuid,
                body: """
                    \(what), and \(candidates.count) have appeared since, the VDIs \(listed)\(more): one of them may be the \
                    \(first.title). Destroy it unless somebody else has made it.
                    """, in: tx)
            return
        }
        for candidate in candidates {
            if candidate.isUnnamed {
                try tx.set(candidate.row.typedRef(VDI.self), VDI.nameLabel, candidate.title)
            }
            Alerts.post(
                kind, about: .vdi, uuid: candidate.row.uuid,
                body: """
                    \(what), and this one, which it calls '\(candidate.volume.name.prefix(256))', has appeared since: it may \
                    be the \(candidate.title). Destroy it unless somebody else has made it.
                    """, in: tx)
        }
    }
}
