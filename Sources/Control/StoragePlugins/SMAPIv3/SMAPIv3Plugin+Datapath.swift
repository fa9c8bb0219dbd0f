import CoreTypes
import Foundation
import Logging
import RPCCodec
public import StorageInterface

/// How a datapath offers an attached volume.
struct PluginAttachment: Hashable {
    let place: DriverAttachment

    /// Of what the datapath offers: NBD first, which its own server serves, then a block device, then a file. XenDisk is a
    /// promise to a guest of another hypervisor.
    init(_ value: WireValue) throws(MisshapenRecord) {
        guard case .array(let items)? = value["implementations"] else {
            throw MisshapenRecord(description: "implementations is missing or no array")
        }
        var found: [String: DriverAttachment] = [:]
        var tags: [String] = []
        for item in items {
            guard case .array(let parts) = item, parts.count == 2, case .string(let tag) = parts[0] else {
                throw MisshapenRecord(description: "an implementation is no [name, value]")
            }
            tags.append(tag)
            switch tag {
            case "Nbd":
                let uri = try RecordReader(parts[1]).text("uri")
                guard !uri.isEmpty, let place = DriverAttachment(export: uri, path: "") else {
                    throw MisshapenRecord(
                        description: "'\(uri.prefix(200))' is no nbd:unix:<socket>:exportname=<name>")
                }
                found[tag] = place
            case "BlockDevice", "File":
                let path = try RecordReader(parts[1]).text("path")
                guard let place = DriverAttachment(export: "", path: path) else {
                    throw MisshapenRecord(description: "'\(path.prefix(200))' is no absolute path")
                }
                found[tag] = place
            default: break
            }
        }
        guard let place = found["Nbd"] ?? found["BlockDevice"] ?? found["File"] else {
            throw MisshapenRecord(
                description: "no Nbd, BlockDevice or File among the implementations '\(tags.joined(separator: ", "))'")
        }
        self.place = place
    }
}

extension SMAPIv3Plugin {
    /// The datapath's word for who uses the volume; the same after a restart of the toolstack. Ours is always this host.
    static func domain(_ key: String) -> String {
        String("u0-gantry/\(key)".map { $0 == "/" || $0 == "-" ? "_" : $0 })
    }

    static func scheme(of uri: String) -> String? { uri.firstIndex(of: ":").map { uri[..<$0].lowercased() } }

    /// The volume's first URI whose scheme has a datapath.
    private func choose(_ uris: [String], _ volume: VolumeID) throws(StorageError) -> (uri: String, scheme: String) {
        if uris.isEmpty {
            throw StorageError(
                .volumeUnavailable, "the storage plugin gives no URI of the volume \(volume.location)",
                apiError: ["MISSING_URI", volume.location])
        }
        for uri in uris {
            if let scheme = Self.scheme(of: uri), host.datapath(scheme) != nil { return (uri, scheme) }
        }
        throw StorageError(
            .volumeUnavailable,
            "no datapath plugin takes one of the URIs \(uris.joined(separator: ", ").prefix(500)); install one")
    }

    public func attachVolume(
        _ repository: StorageRepository, _ volume: VolumeID, writable: Bool
    ) async throws(StorageError) -> VolumeAccess {
        let key = volume.location
        let transient = try transient(volume, in: repository)
        let clone = volume.isInEpoch && transient == nil ? try await epochClone(repository, volume) : nil
        if let known = host.table.volume(key, in: repository.uuid) {
            // A reader of what is attached for writing reads the same content.
            if known.isWritable || !writable, known.clone == clone, (known.isTransient ?? false) == (transient != nil),
                let place = known.place.flatMap(DriverAttachment.init(text:)), place.isThere || !known.isActive
            {
                return place.access
            }
            try await release(key, in: repository)
        }
        let uri: String
        let scheme: String
        if let transient {
            (uri, scheme) = (transient.uri, transient.scheme)
        } else {
            let sr = try await sr(repository)
            let found = try await self.volume(
                "Volume.stat", [Self.text("sr", sr), Self.text("key", clone ?? key)])
            (uri, scheme) = try choose(found.uris, volume)
        }
        var attached = AttachmentTable.Attached(
            uri: uri, scheme: scheme, domain: Self.domain(volume.uuid.isEmpty ? key : volume.uuid),
            isWritable: writable, clone: clone, isTransient: transient == nil ? nil : true)
        try host.table.set(attached, key, in: repository.uuid)
        do {
            if transient == nil, try datapath(scheme).has("Datapath.open") {
                try await call(
                    "Datapath.open", scheme, [Self.text("uri", uri), WireMember("persistent", .bool(true))])
            }
            let value = try await call("Datapath.attach", scheme, Self.ends(attached))
            let place = try read("Datapath.attach") { () throws(MisshapenRecord) in
                try PluginAttachment(value).place
            }
            attached.place = place.text
            try host.table.set(attached, key, in: repository.uuid)
            return place.access
        } catch {
            // The entry stays where this fails too: the next attempt begins with it.
            try? await release(key, in: repository)
            throw error
        }
    }

    public func activateVolume(
        _ repository: StorageRepository, _ volume: VolumeID, writable: Bool
    ) async throws(StorageError) {
        guard var attached = host.table.volume(volume.location, in: repository.uuid) else {
            throw StorageError(.volumeUnavailable, "the volume \(volume.location) is not attached")
        }
        if attached.isActive, attached.isConfirmed { return }
        // Before the call: whatever happens then, it is to be deactivated.
        attached.isActive = true
        try host.table.set(attached, volume.location, in: repository.uuid)
        let folder = try datapath(attached.scheme)
        let isReader =
            !attached.isWritable && info.features["VDI_ACTIVATE_READONLY"] != nil
            && folder.has("Datapath.activate_readonly")
        try await call(
            isReader ? "Datapath.activate_readonly" : "Datapath.activate", attached.scheme, Self.ends(attached))
        attached.isConfirmed = true
        try host.table.set(attached, volume.location, in: repository.uuid)
    }

    public func deactivateVolume(_ repository: StorageRepository, _ volume: VolumeID) async throws(StorageError) {
        try await deactivate(volume.location, in: repository)
    }

    public func detachVolume(_ repository: StorageRepository, _ volume: VolumeID) async throws(StorageError) {
        try await release(volume.location, in: repository)
    }

    private func deactivate(_ key: String, in repository: StorageRepository) async throws(StorageError) {
        guard var attached = host.table.volume(key, in: repository.uuid), attached.isActive else { return }
        try await call("Datapath.deactivate", attached.scheme, Self.ends(attached))
        attached.isActive = false
        attached.isConfirmed = false
        try host.table.set(attached, key, in: repository.uuid)
    }

    /// Undoes what the table knows of the volume.
    func release(_ key: String, in repository: StorageRepository) async throws(StorageError) {
        try await deactivate(key, in: repository)
        guard let attached = host.table.volume(key, in: repository.uuid) else { return }
        try await call("Datapath.detach", attached.scheme, Self.ends(attached))
        if attached.isTransient != true, try datapath(attached.scheme).has("Datapath.close") {
            try await call("Datapath.close", attached.scheme, [Self.text("uri", attached.uri)])
        }
        try host.table.set(nil, key, in: repository.uuid)
    }

    private static func ends(_ attached: AttachmentTable.Attached) -> [WireMember] {
        [text("uri", attached.uri), text("domain", attached.domain)]
    }

    private func datapath(_ scheme: String) throws(StorageError) -> ScriptFolder {
        guard let plugin = host.datapath(scheme) else {
            throw StorageError(.volumeUnavailable, "the datapath plugin '\(scheme)' is gone; install it again")
        }
        return plugin.folder
    }

    @discardableResult func call(
        _ method: String, _ scheme: String, _ arguments: [WireMember]
    ) async throws(StorageError) -> WireValue {
        try await host.runner.call(method, in: try datapath(scheme), arguments)
    }
}

extension DriverAttachment {
    /// As `text` wrote it.
    init?(text: String) {
        if text.hasPrefix("/") { self.init(export: "", path: text) } else { self.init(export: text, path: "") }
    }

    var text: String {
        switch self {
        case .nbd(let address): address.text
        case .path(let path): path
        }
    }
}
