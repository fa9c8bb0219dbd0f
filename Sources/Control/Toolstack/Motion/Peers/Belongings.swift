import APITypes
import PoolDatabase

/// A message about a machine that goes to another pool, or about one of its snapshots, as it goes there.
struct OfferedMessage: Codable, Hashable, Sendable {
    /// Which it keeps.
    var uuid: String
    /// The snapshot that it is about, by the reference that it has where it comes from; nil: the machine itself.
    var snapshot: String?
    var name: String
    var priority: Int64
    /// Seconds of the epoch.
    var time: Int64
    var body: String
}

/// Some of them.
struct OfferedMessages: Codable, Hashable, Sendable {
    /// In one question.
    static let most = 500
    /// Bytes of text in one question, which JSON may write six times as long.
    static let longest = 512 << 10

    var messages: [OfferedMessage]

    /// All, oldest first, in pieces that one question each takes.
    static func pieces(_ all: [OfferedMessage]) -> [OfferedMessages] {
        var pieces: [OfferedMessages] = []
        var bytes = 0
        for message in all {
            let own = message.name.utf8.count + message.body.utf8.count
            if bytes + own > longest || (pieces.last?.messages.count ?? most) >= most {
                pieces.append(OfferedMessages(messages: []))
                bytes = 0
            }
            pieces[pieces.count - 1].messages.append(message)
            bytes += own
        }
        return pieces
    }

    /// Adds those that are not here yet. `objects`: the uuids of the snapshots here, by the references that they were offered with;
    /// `machine`: that of the machine. What is about others, or longer than a message may be, is left out. Returns how many were added.
    @discardableResult
    func insert(machine: String, snapshots objects: [String: String], in tx: Transaction) -> Int {
        var count = 0
        for message in messages.prefix(Self.most) {
            let about = message.snapshot.map { objects[$0] } ?? machine
            guard let about, Fresh.isUUID(message.uuid), tx.find(XenMessage.self, uuid: message.uuid) == nil,
                message.name.utf8.count <= Alerts.longestName, message.body.utf8.count <= Alerts.longestBody
            else { continue }
            let kind = Alerts.Kind(name: message.name, priority: message.priority)
            Alerts.post(
                kind, about: .vm, uuid: about, body: message.body, in: tx,
                as: (uuid: message.uuid, time: APIDate(seconds: message.time)))
            count += 1
        }
        return count
    }
}

/// What of a machine's belongings is at the other pool.
struct DeliveredBelongings: Sendable {
    /// What of them was sent.
    var blobs: [Ref<Blob>: BlobStore.Version] = [:]
    var messages: Set<Ref<XenMessage>> = []
    /// Why something is not.
    var failures: [String] = []

    /// Takes what was delivered away, in the transaction in which the rows of these machines go, and lets go of the other blobs, which
    /// would go with their owners. Returns the uuids of the blobs whose contents are nobody's any more. `uuid`: of the machine;
    /// `place`: where it has gone.
    func leave(
        _ machines: [Ref<VM>], uuid: String, to place: String, from host: Ref<APITypes.Host>, in tx: Transaction
    ) throws -> [String] {
        var (gone, staying): ([String], [String]) = ([], [])
        for vm in machines {
            for owned in BlobStore.owned(by: VM.className, vm.opaque, tx) {
                if blobs[owned.blob.ref] == owned.version {
                    BlobStore.remove(owned.blob.ref, in: tx)
                    gone.append(owned.blob.uuid)
                } else {
                    // It belongs to nobody from here on, and stays.
                    BlobStore.release(owned.blob.ref, in: tx)
                    staying.append("\(owned.name.prefix(100)) (\(owned.blob.uuid))")
                }
            }
        }
        for message in messages where tx.row(message) != nil { tx.delete(message) }
        if staying.isEmpty { return gone }
        let shown = staying.prefix(100).joined(separator: ", ")
        let more = staying.count > 100 ? ", and \(staying.count - 100) more" : ""
        let why = failures.first.map { ": \($0.prefix(500))" } ?? ""
        Alerts.post(
            Alerts.Kind(name: "VM_BLOBS_NOT_MIGRATED", priority: 3), about: .host,
            uuid: try tx.require(host)[APITypes.Host.uuid],
            body:
                "The VM \(uuid) went to the pool at \(place) without these blobs\(why). They are kept here and belong to no object "
                + "any more; read them (/blob?uuid=…), and destroy them (blob.destroy): \(shown)\(more)", in: tx)
        return gone
    }
}
