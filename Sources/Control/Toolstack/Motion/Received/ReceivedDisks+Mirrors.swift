import APITypes
import PoolDatabase
import RPCCodec

/// The mirrors of toolstacks that leave it to this side to make leaf, parent and dummy: `DATA.MIRROR.receive_…`.
extension ReceivedDisks {
    /// The three of them, and the leaf's datapath, which is active.
    func start(
        _ wanted: StorageLayerDisk, mirror: String, in attached: AttachedRepository, session: String
    ) async throws -> WireValue {
        try await replace(mirror)
        let (leaf, parent) = (Fresh.uuid(), Fresh.uuid())
        let record = try await make(wanted, choice: "", in: attached, session: session) { record in
            record.mirror = mirror
            record.parent = "\(parent).parent"
            record.dummy = "\(parent).dummy"
            record.leafDatapath = leaf
            record.links[leaf] = ReceivedDisk.Link(place: record.location, isActive: true)
        }
        return .array([
            .string("Vhd_mirror"),
            .structure([
                WireMember("mirror_vdi", try disk(at: record.location, in: attached).wire),
                WireMember("mirror_datapath", .string(leaf)),
                WireMember("copy_diffs_to", .string(record.parent ?? "")),
                WireMember("dummy_vdi", .string(record.dummy ?? "")),
            ]),
        ])
    }

    /// Fine when there is none: it is over.
    func finalize(_ mirror: String, composing: Bool) async throws {
        for found in records() where found.isOpen && found.mirror == mirror {
            try await working(on: found.id) { record in
                if composing { try Self.requireFilled(record) }
                try await change(&record) { record in
                    record.isFinalized = true
                    record.leafDatapath.map { record.links[$0] = nil }
                    if composing { record.isComposed = true }
                }
                if composing {
                    // Whoever has this call's answer lets the guest run here.
                    try await change(&record) { $0.links = [:] }
                }
                if record.isComplete { try await finish(&record) }
            }
        }
    }

    /// What the disk held has come as a whole.
    static func requireFilled(_ record: ReceivedDisk) throws(StorageLayerError) {
        if record.parent != nil, record.contentID == nil {
            throw .internalError(
                "what the disk \(record.id) held has not been copied to \(record.parent ?? ""), or nobody has said so "
                    + "(VDI.set_content_id): it is no whole disk")
        }
        if record.isSpoiled { throw .internalError("the parent of the disk \(record.id) has been destroyed") }
    }

    func cancel(_ mirror: String) async throws {
        var failure: (any Error)?
        for found in records() where found.isOpen && found.mirror == mirror {
            do { try await cancel(disk: found.id) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    /// What cannot be given up now is, once what is being done with it is over: the other side does not ask again.
    func cancel(disk id: String) async throws {
        do {
            try await working(on: id) { record in await giveUp(&record) }
        } catch {
            if records().contains(where: { $0.id == id }) { unwanted.insert(id) }
            throw error
        }
    }

    /// A mirror that was begun before under the same name is over: the name is its disk's, and that has one. But what a machine here has by
    /// now is not the new one's to remove: it loses the name only.
    func replace(_ mirror: String) async throws {
        for found in records() where found.isOpen && found.mirror == mirror {
            if !hasMachine(found) {
                try await cancel(disk: found.id)
                continue
            }
            try await working(on: found.id) { record in
                if record.isComplete { return try await finish(&record) }
                let name = "\(mirror) before \(record.id)"
                try await change(&record) { $0.mirror = name }
            }
        }
    }
}
