public import APITypes
import CLinux
import CoreTypes
import DatapathControl
import PoolDatabase
import RPCCodec
import StorageInterface

/// A connection with a disk that is being filled, for the one who has asked for it.
public struct ReceivedStream: Sendable {
    /// Of the disk's NBD export, connected; whoever has the stream owns it.
    public let descriptor: Int32
    /// What the client is to be sent before anything of that.
    public let greeting: [UInt8]
    let disk: String
}

/// The datapaths of the interface: the other side names one, attaches a disk with it, activates it, and connects. One that ends is
/// forgotten; there is nothing behind it here but the disk's data path, which all of them have.
extension ReceivedDisks {
    func attach(_ datapath: String, _ place: String, in attached: AttachedRepository) async throws -> WireValue {
        let found = try record(at: place, in: attached)
        try await working(on: found.id) { record in
            guard record.export(at: place) != nil else {
                throw StorageLayerError.notAllowed("the dummy of a mirror is neither read nor written")
            }
            guard !record.isKept else {
                throw StorageLayerError.notAllowed("the disk \(place) is a snapshot: nothing is written to it any more")
            }
            if let known = record.links[datapath] {
                guard known.place == place else {
                    throw StorageLayerError.internalError("the datapath \(datapath.prefix(200)) has another disk")
                }
                return
            }
            guard record.links.count < Self.mostLinks else {
                throw StorageLayerError.internalError("the disk \(place) has \(Self.mostLinks) datapaths already")
            }
            try await change(&record) { $0.links[datapath] = ReceivedDisk.Link(place: place) }
        }
        return try access(to: place, in: attached)
    }

    private static let mostLinks = 16

    /// How the disk is reached, as the interface says it: by NBD. The socket is none of this host; the name is what the export is
    /// called for who connects by `nbdproxy`.
    func access(to place: String, in attached: AttachedRepository) throws -> WireValue {
        let record = try record(at: place, in: attached)
        let address = NBDAddress(socket: "/services/SM/\(record.id)", export: record.export(at: place) ?? "")
        return .structure([
            // Earlier versions have this member, and later ones do not look at it.
            WireMember("domain_uuid", .string("0")),
            WireMember(
                "implementations",
                .array([.array([.string("Nbd"), .structure([WireMember("uri", .string(address.text))])])])),
        ])
    }

    func setActive(
        _ isActive: Bool, _ datapath: String, _ place: String, in attached: AttachedRepository
    ) async throws {
        let found = try record(at: place, in: attached)
        try await working(on: found.id) { record in
            guard record.links[datapath]?.place == place else {
                if !isActive { return }
                throw StorageLayerError.internalError(
                    "the datapath \(datapath.prefix(200)) does not have the disk \(place) attached")
            }
            if record.links[datapath]?.isActive == isActive { return }
            try await change(&record) { $0.links[datapath]?.isActive = isActive }
        }
    }

    /// Fine when there is none of that name.
    func detach(_ datapath: String) async throws {
        for found in records() where found.isOpen && found.links[datapath] != nil {
            try await working(on: found.id) { record in
                try await change(&record) { $0.links[datapath] = nil }
                if record.isComplete { try await finish(&record) }
            }
        }
    }

    func isAttached(_ datapath: String, _ place: String) -> Bool {
        records().contains { $0.isOpen && $0.links[datapath]?.place == place }
    }

    // MARK: - Connections

    /// For `PUT /services/SM/nbd/…` and `…/nbdproxy/…` (`isProxy`): the disk at the place, which the datapath has active. To be given
    /// to `ended`. Throws `StorageLayerError`.
    ///
    /// The handshake is the one of the first NBD servers, which send all that there is to say and ask nothing: tapdisk knows no other,
    /// and sparse_dd takes either. Only what mirrors a leaf through `nbdproxy` is QEMU, which asks for the export by its name.
    ///
    /// The connection counts as long as the session is there, or the one that made the disk.
    public func connect(
        srUUID: String, place: String, datapath: String, isProxy: Bool, session: Ref<Session>
    ) async throws -> ReceivedStream {
        do {
            let attached = try repository(srUUID)
            let found = try record(at: place, in: attached)
            hear(found, from: session.opaque)
            return try await working(on: found.id) { record in
                try await connect(&record, place, datapath, isProxy: isProxy)
            }
        } catch {
            throw StorageLayerError(error, srUUID: srUUID)
        }
    }

    private func connect(
        _ record: inout ReceivedDisk, _ place: String, _ datapath: String, isProxy: Bool
    ) async throws -> ReceivedStream {
        guard let export = record.export(at: place), record.isOpen, record.isMade, !record.isDurable else {
            throw StorageLayerError.noDisk(place)
        }
        guard let link = record.links[datapath], link.place == place, link.isActive else {
            throw StorageLayerError.internalError(
                "the datapath \(datapath.prefix(200)) does not have the disk \(place) active")
        }
        let (context, vdi) = (context, Ref<VDI>(record.ref))
        // One that was there and is gone is not begun again: it knew what had come by which way.
        if record.process != nil, await context.disks.active(record.id) == nil { throw Self.lost(record) }
        let handle = try await context.disks.activate(record.id) {
            try await context.image(of: try context.row(vdi), readOnly: false)
        }
        guard let process = try? await handle.client.status().pid else { throw Self.lost(record) }
        if let known = record.process {
            guard known == process else { throw Self.lost(record) }
        } else {
            try await change(&record) { $0.process = process }
        }
        let isPassedOn = isProxy && record.isWhole(at: place)
        // Tapdisk takes no disk of another size than its own, and the image may be larger.
        let opened = try await ExportHandshake.open(
            handle.nbdSocket, export: isPassedOn ? nil : export, size: UInt64(record.size))
        connections[record.id, default: 0] += 1
        return ReceivedStream(descriptor: opened.descriptor, greeting: opened.greeting, disk: record.id)
    }

    public func ended(_ stream: ReceivedStream) {
        guard let count = connections[stream.disk] else { return }
        connections[stream.disk] = count > 1 ? count - 1 : nil
        lastSeen[stream.disk] = WallClock.seconds
    }
}
