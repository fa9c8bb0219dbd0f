import APITypes
import Foundation
import Logging
import MetricArchives
import PoolDatabase
import XenAPIClient

/// What a machine has besides its disks and takes along to another pool, as XenAPI has it: its blobs and those of its snapshots,
/// the messages about them, and the archive of its numbers. It goes once the machine is the other side's for good, and before its rows
/// here go: blobs by the API's own calls, with the session that the move has there, the rest by the move's.
///
/// All of it may be sent again: a crash before the rows have gone leaves both, and the next try finds what is there. What cannot be sent
/// keeps nobody waiting for long. It stays here (`DeliveredBelongings`).
struct DepartingBelongings: Sendable {
    let database: PoolDatabase
    let blobs: BlobStore
    let metrics: MetricsService
    let logger: Logger

    /// The machine and its snapshots, as far as they are here.
    private func owners(_ machine: DepartingMachine) -> [Row] {
        database.read { reader in
            ([machine.vm] + (machine.snapshots ?? [])).compactMap { reader.row(Ref<VM>($0)) }
        }
    }

    /// A copy takes none: its machine has them here.
    func send(_ machine: DepartingMachine, through link: PeerLink) async -> DeliveredBelongings {
        var delivered = DeliveredBelongings()
        let owners = owners(machine)
        if owners.isEmpty { return delivered }
        // Nobody who cannot be reached is waited for three times.
        let patience = BelongingsPatience(from: .now)
        guard await note("messages", &delivered, { try await sendMessages(of: machine, owners, link, patience, &$0) }),
            await note("numbers", &delivered, { _ in try await sendNumbers(of: machine, link, patience) })
        else { return delivered }
        _ = await note("blobs", &delivered) { try await sendBlobs(of: machine, owners, link, &$0) }
        return delivered
    }

    /// False: the other side cannot be reached.
    private func note(
        _ what: String, _ delivered: inout DeliveredBelongings,
        _ body: (inout DeliveredBelongings) async throws -> Void
    ) async -> Bool {
        do {
            try await body(&delivered)
            return true
        } catch {
            logger.warning(
                "something of a VM does not go to the other pool", metadata: ["what": "\(what)", "error": "\(error)"])
            delivered.failures.append("\(error)")
            return !BelongingsPatience.isUnreachable(error)
        }
    }

    // MARK: - By the move's own questions

    private func sendMessages(
        of machine: DepartingMachine, _ owners: [Row], _ link: PeerLink, _ patience: BelongingsPatience,
        _ delivered: inout DeliveredBelongings
    ) async throws {
        let references = Dictionary(owners.map { ($0[VM.uuid], $0.ref) }) { first, _ in first }
        let rows = database.read { reader in
            reader.rows(XenMessage.self) { $0[XenMessage.cls] == .vm && references[$0[XenMessage.objUUID]] != nil }
        }
        let all = rows.map { row in
            let about = references[row[XenMessage.objUUID]]
            return OfferedMessage(
                uuid: row[XenMessage.uuid], snapshot: about == machine.vm ? nil : about, name: row[XenMessage.name],
                priority: row[XenMessage.priority], time: row[XenMessage.timestamp].seconds,
                body: row[XenMessage.body])
        }
        var sent = 0
        for piece in OfferedMessages.pieces(all) {
            try await patience.ask { limit in
                let _: MoveStanding = try await link.ask("messages", piece, limit: limit)
            }
            let taken = rows[sent..<sent + piece.messages.count]
            delivered.messages.formUnion(taken.map { $0.typedRef(XenMessage.self) })
            sent += piece.messages.count
        }
    }

    private func sendNumbers(
        of machine: DepartingMachine, _ link: PeerLink, _ patience: BelongingsPatience
    ) async throws {
        guard let archive = await metrics.archive(.vm(machine.uuid)) else { return }
        guard let bytes = archive.encoded(within: Arrivals.longestBody) else {
            throw APIError.internalError("\(archive.names.count) series are more than another pool takes")
        }
        try await patience.ask { limit in
            let _: MoveStanding = try await link.send("numbers", bytes, session: nil, limit: limit)
        }
    }

    // MARK: - By the API

    private func sendBlobs(
        of machine: DepartingMachine, _ owners: [Row], _ link: PeerLink, _ delivered: inout DeliveredBelongings
    ) async throws {
        let owned = database.read { reader in
            owners.map { owner in
                BlobDelivery.Owner(
                    uuid: owner[VM.uuid], isSnapshot: owner.ref != machine.vm,
                    blobs: BlobStore.owned(by: VM.className, owner.ref, reader))
            }
        }.filter { !$0.blobs.isEmpty }
        if owned.isEmpty { return }
        let peer = link.connection.session(machine.session)
        let delivery = BlobDelivery(
            machine: machine.remoteVM ?? "", call: { try await peer.call($0, $1) },
            upload: { [blobs] blob, ref in
                try await peer.upload(file: blobs.path(blob), to: "/blob", query: [(name: "ref", value: ref)]) { _, _ in
                }
            }, logger: logger)
        do {
            try await delivery.send(owned, &delivered)
            await peer.close()
        } catch {
            await peer.close()
            throw error
        }
    }
}
