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

    /// For each question, and for all blobs together.
    private static let patience = (question: Duration.seconds(15), blobs: Duration.seconds(600))
    /// Between tries to reach the other side.
    private static let pauses: [Duration] = [.milliseconds(500), .seconds(2), .seconds(5), .seconds(10)]

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
        guard await note("messages", &delivered, { try await sendMessages(of: machine, owners, link, &$0) }),
            await note("numbers", &delivered, { _ in try await sendNumbers(of: machine, link) })
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
            return !Self.isUnreachable(error)
        }
    }

    private static func isUnreachable(_ error: any Error) -> Bool {
        if error is Late { return true }
        if case .status? = error as? ConnectionError { return false }
        return error is ConnectionError || (error as? APIError)?.code == "CANNOT_CONTACT_HOST"
    }

    /// Also: it does something else with the machine just now.
    private static func isPassing(_ error: any Error) -> Bool {
        if (error as? APIError)?.code == "OTHER_OPERATION_IN_PROGRESS" { return true }
        return isUnreachable(error) && !(error is Late)
    }

    /// Tries again where the other side cannot be reached for a moment. What is sent may have arrived: it changes nothing the second time.
    private static func patiently<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
        for pause in pauses {
            do { return try await body() } catch  where isPassing(error) {
                try await Task.sleep(for: pause)
            }
        }
        return try await body()
    }

    // MARK: - By the move's own questions

    private func sendMessages(
        of machine: DepartingMachine, _ owners: [Row], _ link: PeerLink, _ delivered: inout DeliveredBelongings
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
            try await Self.patiently {
                let _: MoveStanding = try await link.ask("messages", piece, limit: Self.patience.question)
            }
            let taken = rows[sent..<sent + piece.messages.count]
            delivered.messages.formUnion(taken.map { $0.typedRef(XenMessage.self) })
            sent += piece.messages.count
        }
    }

    private func sendNumbers(of machine: DepartingMachine, _ link: PeerLink) async throws {
        guard let archive = await metrics.archive(.vm(machine.uuid)) else { return }
        let bytes = archive.encoded
        try await Self.patiently {
            let _: MoveStanding = try await link.send(
                "numbers", bytes, session: nil, limit: Self.patience.question)
        }
    }

    // MARK: - By the API

    private func sendBlobs(
        of machine: DepartingMachine, _ owners: [Row], _ link: PeerLink, _ delivered: inout DeliveredBelongings
    ) async throws {
        let owned = database.read { reader in
            owners.map { (owner: $0, blobs: BlobStore.owned(by: VM.className, $0.ref, reader)) }
        }.filter { !$0.blobs.isEmpty }
        if owned.isEmpty { return }
        let deadline = ContinuousClock.now + Self.patience.blobs
        let peer = link.connection.session(machine.session)
        do {
            for (owner, blobs) in owned {
                let there = try await Self.patiently {
                    try await Self.within(Self.patience.question) { () -> String in
                        if owner.ref == machine.vm, let vm = machine.remoteVM { return vm }
                        return try await peer.call("VM.get_by_uuid", [.string(owner[VM.uuid])]).text ?? ""
                    }
                }
                for blob in blobs {
                    try await Self.patiently { try await send(blob, to: there, peer, until: deadline) }
                    delivered.blobs[blob.blob.ref] = blob.updated
                }
            }
            await peer.close()
        } catch {
            await peer.close()
            throw error
        }
    }

    /// A blob that is there already, with as many bytes, was sent by an earlier try. Throws MAP_DUPLICATE_KEY where another one has
    /// its name.
    private func send(
        _ owned: BlobStore.Owned, to vm: String, _ peer: XenAPISession, until deadline: ContinuousClock.Instant
    ) async throws {
        let blob = owned.blob
        let known = try await Self.within(Self.patience.question) { () -> (ref: String, size: String)? in
            let all = try await peer.call("VM.get_blobs", [.string(vm)]).members ?? []
            guard let ref = all.first(where: { $0.name == owned.name })?.value.text else { return nil }
            return (ref, try await peer.call("blob.get_size", [.string(ref)]).text ?? "")
        }
        if let known, known.size == String(owned.size) { return }
        if let known, known.size != "0" {
            throw APIError("MAP_DUPLICATE_KEY", VM.className, "blobs", vm, owned.name)
        }
        let ref = try await Self.within(Self.patience.question) { () -> String in
            if let known { return known.ref }
            let answer = try await peer.call(
                "VM.create_new_blob",
                [.string(vm), .string(owned.name), .string(blob.mimeType), .bool(blob.isPublic)])
            return answer.text ?? ""
        }
        let path = blobs.path(blob)
        guard owned.size > 0 else { return }
        try await Self.within(deadline - ContinuousClock.now) {
            try await peer.upload(file: path, to: "/blob", query: [(name: "ref", value: ref)]) { _, _ in }
        }
    }

    private struct Late: Error, CustomStringConvertible {
        let description = "the other pool does not take it in time"
    }

    @discardableResult
    private static func within<Value: Sendable>(
        _ limit: Duration, _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        try await withThrowingTaskGroup(of: Value.self) { group in
            group.addTask { try await body() }
            group.addTask {
                try await Task.sleep(for: limit)
                throw Late()
            }
            defer { group.cancelAll() }
            guard let value = try await group.next() else { throw Late() }
            return value
        }
    }
}
