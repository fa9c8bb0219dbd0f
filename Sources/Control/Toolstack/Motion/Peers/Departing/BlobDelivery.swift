import APITypes
import Logging
import RPCCodec
import XenAPIClient

/// Takes the blobs of a machine and of its snapshots to another pool, by the calls of XenAPI, which every pool knows.
///
/// Each blob for itself: one that cannot be sent, as there is another of its name, keeps none of the others. Only where nobody answers
/// any more, or the session is over, nothing more is tried.
struct BlobDelivery: Sendable {
    /// The machine, or a snapshot of it, as it is here.
    struct Owner: Sendable {
        let uuid: String
        let isSnapshot: Bool
        let blobs: [BlobStore.Owned]
    }

    /// Of all blobs together.
    private static let patience = Duration.seconds(600)

    /// The machine's reference at the other side.
    let machine: String
    /// A call there, without its session.
    let call: @Sendable (_ method: String, _ parameters: [WireValue]) async throws -> WireValue
    /// Puts what a blob holds into the one of that reference there.
    let upload: @Sendable (_ blob: StoredBlob, _ ref: String) async throws -> Void
    let logger: Logger

    /// Throws where another blob would not get there, either: the other side cannot be reached, or SESSION_INVALID.
    func send(_ owners: [Owner], _ delivered: inout DeliveredBelongings) async throws {
        let patience = BelongingsPatience(from: .now, lasting: Self.patience)
        for owner in owners {
            guard let there = try await noting(owner.uuid, &delivered, { try await find(owner, patience) }) else {
                continue
            }
            for owned in owner.blobs {
                let isThere: Void? = try await noting(owned.name, &delivered) {
                    try await patience.ask { _ in try await send(owned, to: there, until: patience.end) }
                }
                if isThere != nil { delivered.blobs[owned.blob.ref] = owned.version }
            }
        }
    }

    /// Nil: it does not go, as is noted.
    private func noting<Value>(
        _ name: String, _ delivered: inout DeliveredBelongings, _ body: () async throws -> Value
    ) async throws -> Value? {
        do {
            return try await body()
        } catch {
            if BelongingsPatience.isUnreachable(error) || (error as? APIError)?.code == "SESSION_INVALID" {
                throw error
            }
            logger.warning(
                "a blob does not go to the other pool", metadata: ["of": "\(name)", "error": "\(error)"])
            delivered.failures.append("\(name): \(error)")
            return nil
        }
    }

    /// The owner's reference there. A snapshot whose uuid was taken there has another one, and its own is a stranger's: UUID_INVALID.
    private func find(_ owner: Owner, _ patience: BelongingsPatience) async throws -> String {
        if !owner.isSnapshot, !machine.isEmpty { return machine }
        return try await patience.ask { limit in
            try await BelongingsPatience.within(limit) {
                let found = try await call("VM.get_by_uuid", [.string(owner.uuid)]).text ?? ""
                guard owner.isSnapshot else { return found }
                guard try await call("VM.get_snapshot_of", [.string(found)]).text == machine else {
                    throw APIError.uuidInvalid(VM.className, owner.uuid)
                }
                return found
            }
        }
    }

    /// What there is of its name there.
    private struct Known: Sendable {
        let ref: String
        let size: String
        var updated: Int64?
    }

    /// A blob that is there already, with as many bytes that were put since it was written here, was sent by an earlier try. Throws
    /// MAP_DUPLICATE_KEY where another one has its name.
    private func send(_ owned: BlobStore.Owned, to vm: String, until deadline: ContinuousClock.Instant) async throws {
        let (blob, size) = (owned.blob, owned.version.size)
        let known = try await BelongingsPatience.within(BelongingsPatience.question) { () -> Known? in
            let all = try await call("VM.get_blobs", [.string(vm)]).members ?? []
            guard let ref = all.first(where: { $0.name == owned.name })?.value.text else { return nil }
            var known = Known(ref: ref, size: try await call("blob.get_size", [.string(ref)]).text ?? "")
            if known.size == "0" { return known }
            known.updated = try await call("blob.get_last_updated", [.string(ref)]).text.flatMap(DateTimeText.parse)
            return known
        }
        if let known, known.size != "0" {
            if known.size == String(size), let updated = known.updated, updated >= owned.version.updated.seconds {
                return
            }
            throw APIError("MAP_DUPLICATE_KEY", VM.className, "blobs", vm, owned.name)
        }
        let ref = try await BelongingsPatience.within(BelongingsPatience.question) { () -> String in
            if let known { return known.ref }
            let answer = try await call(
                "VM.create_new_blob",
                [.string(vm), .string(owned.name), .string(blob.mimeType), .bool(blob.isPublic)])
            return answer.text ?? ""
        }
        guard size > 0 else { return }
        try await BelongingsPatience.within(ContinuousClock.now.duration(to: deadline)) { try await upload(blob, ref) }
    }
}
