import CoreTypes
import Foundation
import Logging
import RPCCodec
public import StorageInterface

extension SMAPIv3Plugin {
    private func arguments(_ sr: String, _ key: String) -> [WireMember] {
        [Self.text("sr", sr), Self.text("key", key)]
    }

    /// Rows are the toolstack's word for what there is; a listing makes them so.
    public func present(
        _ repository: StorageRepository, locations: [String]
    ) async throws(StorageError) -> Set<String> {
        Set(host.rows.volumeRows(repository: repository.ref).map(\.key)).intersection(locations)
    }

    public func createVolume(
        _ repository: StorageRepository, _ volume: NewVolume
    ) async throws(StorageError) -> Volume {
        if let format = volume.format, !takesFormat, info.supportedImageFormats != [format] {
            throw StorageError(
                .volumeType,
                "Unsupported VDI type [opterr=the storage plugin \(info.type) cannot be told the image format \(format.rawValue)]"
            )
        }
        guard let size = Int64(exactly: volume.size) else {
            throw StorageError(.volumeSize, "VDI Invalid size [opterr=\(volume.size) bytes]")
        }
        return try await inTurn(repository) { (sr) async throws(StorageError) in
            let known = Set(host.rows.volumeRows(repository: repository.ref).map(\.key))
            var call = [
                Self.text("sr", sr), Self.text("name", volume.nameLabel),
                Self.text("description", volume.nameDescription), WireMember("size", .int(size)),
                WireMember("sharable", .bool(false)),
            ]
            if let format = volume.format, takesFormat { call.append(Self.text("image_format", format.rawValue)) }
            let making = UnfinishedVolume(.disk, name: volume.nameLabel)
            var made = try await make("Volume.create", call, making, repository)
            try requireNew(made, "Volume.create", known)
            return try await keep(made, making, sr) { () async throws(StorageError) in
                // A disk that is smaller than it should be would lose what is written behind its end.
                guard made.virtualSize >= volume.size else {
                    throw MisshapenRecord(description: "\(made.virtualSize) bytes are less than \(volume.size)")
                        .error("Volume.create")
                }
                var keys: [String: String] = [PluginVolume.Key.type: volume.type]
                for (key, value) in volume.smConfig { keys[PluginVolume.Key.config + key] = value }
                if let format = volume.format { keys[PluginVolume.Key.config + "image-format"] = format.rawValue }
                try await set(keys, of: &made, sr)
                let uuid = made.uuid ?? volume.uuid
                let found = made
                try await write {
                    try await host.rows.introduce(
                        found, uuid: uuid, label: volume.nameLabel, description: volume.nameDescription,
                        repository: repository.ref, ending: making)
                }
                return made.volume(uuid: uuid)
            }
        }
    }

    public func destroyVolume(_ repository: StorageRepository, _ volume: VolumeID) async throws(StorageError) {
        guard !volume.location.isEmpty else { return }
        try await inTurn(repository) { (sr) async throws(StorageError) in
            try await release(volume.location, in: repository)
            try await closeTransient(volume.location, in: repository)
            do throws(StorageError) {
                try await call("Volume.destroy", arguments(sr, volume.location))
            } catch  where error.fault == .volumeMissing {
                // Gone already.
            }
            try await write { try await host.rows.forget(key: volume.location, repository: repository.ref) }
        }
    }

    public func resizeVolume(
        _ repository: StorageRepository, _ volume: VolumeID, size: UInt64
    ) async throws(StorageError) -> Volume {
        guard let wanted = Int64(exactly: size) else {
            throw StorageError(.volumeSize, "VDI Invalid size [opterr=\(size) bytes]")
        }
        return try await inTurn(repository) { (sr) async throws(StorageError) in
            // What is behind a new end would be lost.
            let present = try await self.volume("Volume.stat", arguments(sr, volume.location)).virtualSize
            guard size >= present else {
                throw StorageError(
                    .volumeSize, "VDI Invalid size [opterr=shrinking not allowed: \(present) to \(size) bytes]")
            }
            try await call(
                "Volume.resize", arguments(sr, volume.location) + [WireMember("new_size", .int(wanted))])
            let found = try await refresh(repository, sr, volume)
            guard found.virtualSize >= size else {
                throw MisshapenRecord(description: "the volume has \(found.virtualSize) bytes now, not \(size)")
                    .error("Volume.resize")
            }
            return found
        }
    }

    public func stat(_ repository: StorageRepository, _ volume: VolumeID) async throws(StorageError) -> Volume {
        let sr = try await sr(repository)
        return try await refresh(repository, sr, volume)
    }

    private func refresh(
        _ repository: StorageRepository, _ sr: String, _ volume: VolumeID
    ) async throws(StorageError) -> Volume {
        let found = try await self.volume("Volume.stat", arguments(sr, volume.location))
        guard found.key == volume.location else {
            throw MisshapenRecord(description: "it tells of the key \(found.key.prefix(100))").error("Volume.stat")
        }
        try await write { try await host.rows.refresh(found, repository: repository.ref) }
        return found.volume(uuid: volume.uuid)
    }

    public func snapshotVolume(
        _ repository: StorageRepository, _ volume: VolumeID, as new: NewVolume
    ) async throws(StorageError) -> DerivedVolume {
        try await derive(
            .snapshot, repository, volume, new,
            [
                PluginVolume.Key.isSnapshot: "true", PluginVolume.Key.snapshotOf: volume.uuid,
                PluginVolume.Key.snapshotTime: DateTimeText.format(Int64(time(nil))),
            ])
    }

    public func cloneVolume(
        _ repository: StorageRepository, _ volume: VolumeID, as new: NewVolume
    ) async throws(StorageError) -> DerivedVolume {
        try await derive(.clone, repository, volume, new, [PluginVolume.Key.isSnapshot: "false"])
    }

    private func derive(
        _ kind: UnfinishedVolume.Kind, _ repository: StorageRepository, _ volume: VolumeID, _ new: NewVolume,
        _ facts: [String: String]
    ) async throws(StorageError) -> DerivedVolume {
        try await inTurn(repository) { (sr) async throws(StorageError) in
            let method = "Volume.\(kind.rawValue)"
            let rows = host.rows.volumeRows(repository: repository.ref)
            let origin = rows.first { $0.key == volume.location }
            let making = UnfinishedVolume(kind, name: origin?.name ?? volume.location)
            var made = try await make(method, arguments(sr, volume.location), making, repository)
            try requireNew(made, method, Set(rows.map(\.key)).union([volume.location]))
            return try await keep(made, making, sr) { () async throws(StorageError) in
                var keys = facts
                keys[PluginVolume.Key.type] = new.type
                if let base = new.smConfig["base_mirror"] { keys[PluginVolume.Key.config + "base_mirror"] = base }
                if let format = new.format, info.supportedImageFormats.contains(format) {
                    keys[PluginVolume.Key.config + "image-format"] = format.rawValue
                }
                try await set(keys, of: &made, sr)
                try await name(made.key, sr, new.nameLabel, new.nameDescription)
                // The row comes last: what fails before it leaves none.
                let origin = try await refresh(repository, sr, volume)
                let uuid = made.uuid ?? new.uuid
                let found = made
                try await write {
                    try await host.rows.introduce(
                        found, uuid: uuid, label: new.nameLabel, description: new.nameDescription,
                        repository: repository.ref, ending: making)
                }
                return DerivedVolume(volume: made.volume(uuid: uuid), origin: origin)
            }
        }
    }

    public func revertVolume(
        _ repository: StorageRepository, _ volume: VolumeID, to snapshot: VolumeID
    ) async throws(StorageError) -> Volume {
        try await inTurn(repository) { (sr) async throws(StorageError) in
            try await call(
                "Volume.revert", arguments(sr, volume.location) + [Self.text("snapshot", snapshot.location)])
            return try await refresh(repository, sr, volume)
        }
    }

    /// A row for a volume that is there.
    public func introduceVolume(
        _ repository: StorageRepository, uuid: String, location: String, smConfig: [String: String]
    ) async throws(StorageError) -> Volume {
        try await inTurn(repository) { (sr) async throws(StorageError) in
            let found = try await self.volume("Volume.stat", arguments(sr, location))
            guard found.key == location else {
                throw MisshapenRecord(description: "it tells of the key \(found.key.prefix(100))").error("Volume.stat")
            }
            try await write {
                try await host.rows.introduce(
                    found, uuid: uuid, label: found.name, description: found.text, repository: repository.ref,
                    ending: nil)
            }
            return found.volume(uuid: uuid)
        }
    }

    public func renameVolume(
        _ repository: StorageRepository, _ volume: VolumeID, label: String, description: String
    ) async throws(StorageError) {
        try await name(volume.location, try await sr(repository), label, description)
    }

    /// A plugin without these scripts keeps nothing.
    public func storeConfiguration(
        _ repository: StorageRepository, _ volume: VolumeID, _ present: @Sendable () -> [String: String?]
    ) async throws(StorageError) {
        try await inTurn(repository) { (sr) async throws(StorageError) in
            let arguments = arguments(sr, volume.location)
            for (key, value) in present().sorted(by: { $0.key < $1.key }) {
                let key = Self.text("k", PluginVolume.Key.config + key)
                if let value {
                    guard folder.has("Volume.set") else { continue }
                    try await call("Volume.set", arguments + [key, Self.text("v", value)])
                } else if folder.has("Volume.unset") {
                    try await call("Volume.unset", arguments + [key])
                }
            }
        }
    }

    // MARK: New volumes

    /// Runs a call that makes a volume. When nobody hears of its end, the next scan looks for what it has made; but a plugin
    /// that says why it failed has made nothing.
    func make(
        _ method: String, _ arguments: [WireMember], _ making: UnfinishedVolume, _ repository: StorageRepository
    ) async throws(StorageError) -> PluginVolume {
        try await write { try await host.rows.begin(making, repository: repository.ref) }
        do throws(StorageError) {
            return try await volume(method, arguments)
        } catch {
            if error.apiError?.first != "SCRIPT_FAILED", error.apiError?.first != "SCRIPT_RETURNED_RPC_ERROR" {
                await forget(making)
            }
            throw error
        }
    }

    /// A note too many makes a scan look for nothing.
    func forget(_ making: UnfinishedVolume) async {
        do {
            try await host.rows.end(making)
        } catch {
            host.logger.warning(
                "the note of a volume that was to be made stays",
                metadata: ["plugin": "\(info.type)", "error": "\(error)"])
        }
    }

    /// A disk that was there before must not pass for a new one, and be overwritten.
    private func requireNew(_ made: PluginVolume, _ method: String, _ known: Set<String>) throws(StorageError) {
        guard !known.contains(made.key) else {
            throw MisshapenRecord(description: "the key \(made.key.prefix(100)) was there before").error(method)
        }
    }

    /// What the toolstack keeps with the volume. Plugins of version 3.0 need not be able to.
    private func set(_ keys: [String: String], of volume: inout PluginVolume, _ sr: String) async throws(StorageError) {
        if isLegacy, !folder.has("Volume.set") {
            volume.keys.merge(keys) { $1 }
            return
        }
        for (key, value) in keys.sorted(by: { $0.key < $1.key }) {
            try await call("Volume.set", arguments(sr, volume.key) + [Self.text("k", key), Self.text("v", value)])
            volume.keys[key] = value
        }
    }

    /// A volume that was just made goes again when `body` fails: nobody knows of it yet.
    private func keep<T: Sendable>(
        _ made: PluginVolume, _ making: UnfinishedVolume, _ sr: String, _ body: () async throws(StorageError) -> T
    ) async throws(StorageError) -> T {
        do throws(StorageError) {
            return try await body()
        } catch {
            do throws(StorageError) {
                try await call("Volume.destroy", arguments(sr, made.key))
                await forget(making)
            } catch let failure {
                host.logger.error(
                    "a volume that was half made is left over",
                    metadata: ["plugin": "\(info.type)", "key": "\(made.key)", "error": "\(failure)"])
            }
            throw error
        }
    }
}
