import APITypes
import PoolDatabase
import RPCCodec
import StorageInterface

/// What toolstacks do themselves with the disks that they make here: leaf, parent and dummy of a mirror, or a copy.
extension ReceivedDisks {
    /// A copy; the leaf of a mirror, when its mark is new; or its parent, for whoever made the leaf.
    func create(
        _ wanted: StorageLayerDisk, in attached: AttachedRepository, session: String
    ) async throws -> StorageLayerDisk {
        guard let mirror = wanted.smConfig["base_mirror"] else {
            let copy = try await make(wanted, choice: wanted.formatWord, in: attached, session: session) { _ in }
            return try disk(at: copy.location, in: attached)
        }
        if let leaf = records().first(where: {
            // One that nobody has active is left of an earlier try.
            $0.isOpen && $0.mirror == mirror && $0.sr == attached.ref.opaque && self.sessions(of: $0).contains(session)
                && $0.dummy != nil && $0.parent == nil && $0.links.values.contains(where: \.isActive)
        }) {
            let parent = "\(Fresh.uuid()).parent"
            try await working(on: leaf.id) { record in
                guard wanted.virtualSize <= record.size else {
                    throw StorageLayerError.internalError("the parent is larger than the leaf \(record.location)")
                }
                try await change(&record) { $0.parent = parent }
            }
            return try disk(at: parent, in: attached)
        }
        try await replace(mirror)
        let leaf = try await make(wanted, choice: wanted.formatWord, in: attached, session: session) { record in
            record.mirror = mirror
        }
        return try disk(at: leaf.location, in: attached)
    }

    /// The dummy of a leaf; of a copy, itself as it is, which the other side destroys next.
    func snapshot(_ place: String, in attached: AttachedRepository) async throws -> StorageLayerDisk {
        let found = try record(at: place, in: attached)
        var made = place
        try await working(on: found.id) { record in
            guard place == record.location else {
                throw StorageLayerError.notAllowed("no snapshot is made of the parent or the dummy of a mirror")
            }
            if record.mirror != nil {
                let dummy = record.dummy ?? "\(Fresh.uuid()).dummy"
                made = dummy
                return try await change(&record) { $0.dummy = dummy }
            }
            guard record.links.isEmpty else {
                throw StorageLayerError.internalError("the copy \(place) is still being filled")
            }
            guard record.contentID != nil else {
                throw StorageLayerError.internalError(
                    "nobody has said that all of the copy \(place) has come (VDI.set_content_id): it is no whole disk")
            }
            try await change(&record) { $0.isKept = true }
        }
        return try disk(at: made, in: attached)
    }

    func destroy(_ place: String, in attached: AttachedRepository) async throws {
        let found = try record(at: place, in: attached)
        do { try await destroy(place, of: found.id) } catch {
            // The other side does not ask again.
            let isThere = records().contains { $0.id == found.id }
            if isThere, place == found.location, !found.isKept { unwanted.insert(found.id) }
            throw error
        }
    }

    private func destroy(_ place: String, of id: String) async throws {
        try await working(on: id) { record in
            switch place {
            case record.dummy: try await change(&record) { $0.dummy = nil }
            case record.parent:
                try await change(&record) { record in
                    // Upon which the leaf is by now, it is only a name.
                    record.isSpoiled = !record.isComposed
                    record.parent = nil
                    record.links = record.links.filter { $0.value.place != place }
                }
            default:
                if record.isKept { return try await finish(&record) }
                await giveUp(&record)
            }
        }
    }

    /// The leaf gets all that it lacks from the parent: it has that already.
    func compose(_ parent: String, _ leaf: String, in attached: AttachedRepository) async throws {
        let found = try record(at: leaf, in: attached)
        try await working(on: found.id) { record in
            guard leaf == record.location, parent == record.parent else {
                throw StorageLayerError.notAllowed(
                    "\(leaf.prefix(200)) and \(parent.prefix(200)) are not the leaf and the parent of one mirror")
            }
            if record.links.values.contains(where: { $0.place == parent && $0.isActive }) {
                throw StorageLayerError.internalError("the parent \(parent) is still being filled")
            }
            try Self.requireFilled(record)
            try await requireFlushed(record)
            try await change(&record) { $0.isComposed = true }
            if record.isComplete { try await finish(&record) }
        }
    }

    /// Whose content a copy, or a parent, has: it is whole. And durable, or the call fails, and with it the copy.
    func setContent(_ content: String, of place: String, in attached: AttachedRepository) async throws {
        let found = try record(at: place, in: attached)
        try await working(on: found.id) { record in
            if place == record.dummy || place == record.location && record.parent != nil { return }
            try await requireFlushed(record)
            try await change(&record) { $0.contentID = content }
        }
    }

    /// `value` nil: the entry goes. The mirror's mark says that the disk is one of a mirror; without it, it is not.
    func setConfiguration(
        _ key: String, _ value: String?, of place: String, in attached: AttachedRepository
    ) async throws {
        let found: ReceivedDisk
        do { found = try record(at: place, in: attached) } catch {
            // What `receive_finalize2` has ended has no mark any more.
            if key == "base_mirror", value == nil, (try? disk(at: place, in: attached)) != nil { return }
            throw error
        }
        let isKept = ["image-format", "type", "vhd-parent"].contains(key)
        try await working(on: found.id) { record in
            guard place == record.location else { return }
            if key == "base_mirror" {
                guard value == nil else { return }
                try await change(&record) { $0.isUnmarked = true }
                if record.isComplete { try await finish(&record) }
                return
            }
            if isKept { return }
            let vdi = Ref<VDI>(record.ref)
            try await context.database.transaction { tx in
                var config = try tx.require(vdi)[VDI.smConfig]
                config[key] = value
                if config.count > StorageLayerDisk.mostKeys {
                    throw StorageLayerError.internalError("the disk \(place) has too many keys in its sm_config")
                }
                try tx.set(vdi, VDI.smConfig, config)
            }
        }
    }

    /// At least as large; the answer is how large.
    func resize(_ place: String, to size: Int64, in attached: AttachedRepository) async throws -> Int64 {
        let found = try record(at: place, in: attached)
        // It is made of the size of its source, which does not change meanwhile.
        guard size <= found.size else { throw StorageLayerError.unimplemented("VDI.resize") }
        return found.size
    }

    /// What snapshots are of. Only those that came by these calls and whose content is the one that the other side has are changed.
    func relate(
        _ snapshots: [(place: String, disk: StorageLayerDisk)], to place: String, in attached: AttachedRepository
    ) async throws {
        let sr = attached.ref
        try await context.database.transaction { tx in
            let rows = tx.rows(VDI.self, where: VDI.sr, is: sr)
            guard let origin = rows.first(where: { $0[VDI.location] == place }) else {
                throw StorageLayerError.noDisk(place)
            }
            let contents = tx.privateRecords(kind: Self.contentKind)
            for (location, disk) in snapshots {
                guard let row = rows.first(where: { $0[VDI.location] == location }) else {
                    throw StorageLayerError.noDisk(location)
                }
                guard location != place else {
                    throw StorageLayerError.notAllowed("the disk \(place.prefix(200)) is no snapshot of itself")
                }
                // Nothing is known of the content of a disk that did not come by these calls.
                guard let content = contents[row[VDI.uuid]], content == disk.contentID else {
                    throw StorageLayerError.contentsDiffer(contents[row[VDI.uuid]] ?? "", disk.contentID)
                }
                let snapshot = row.typedRef(VDI.self)
                try tx.set(snapshot, VDI.isASnapshot, true)
                try tx.set(snapshot, VDI.snapshotOf, origin.typedRef(VDI.self))
                if let time = DateTimeText.parse(disk.snapshotTime) {
                    try tx.set(snapshot, VDI.snapshotTime, APIDate(seconds: time))
                }
            }
        }
    }
}
