import APITypes
import DatapathControl
import PoolDatabase
import StorageInterface
import StorageMotion

/// What third-party drivers call while they work: they write the rows of their SR and its VDIs. Only a session that the
/// toolstack made for a driver of that SR may; PERMISSION_DENIED otherwise.
struct DriverCallbacks: Sendable {
    /// In a session's `other_config`: the SR whose rows it may change.
    static let sessionKey = "_sm_session"
    /// The uuids of the VDIs that nobody has open for as long as the driver's call takes, by commas.
    static let heldKey = "_sm_held"

    let context: StorageContext
    let pauses: DriverPauses

    func register(in table: inout MessageTable) {
        table.on("VDI.db_introduce") { call, arguments in .ref(try await introduce(arguments, call).opaque) }
        table.on("VDI.db_forget") { call, arguments in
            let vdi: Ref<VDI> = try arguments.get(0)
            try await context.database.transaction { tx in
                let sr = try tx.require(vdi)[VDI.sr]
                try Self.require(call, sr, tx)
                tx.delete(vdi)
            }
            return .void
        }
        disk("set_managed", VDI.managed, in: &table)
        disk("set_missing", VDI.missing, in: &table)
        disk("set_virtual_size", VDI.virtualSize, in: &table)
        disk("set_physical_utilisation", VDI.physicalUtilisation, in: &table)
        disk("set_is_a_snapshot", VDI.isASnapshot, in: &table)
        disk("set_snapshot_of", VDI.snapshotOf, in: &table)
        disk("set_snapshot_time", VDI.snapshotTime, in: &table)
        disk("set_metadata_of_pool", VDI.metadataOfPool, in: &table)
        disk("set_cbt_enabled", VDI.cbtEnabled, in: &table)
        repository("set_physical_size", SR.physicalSize, in: &table)
        repository("set_physical_utilisation", SR.physicalUtilisation, in: &table)
        repository("set_virtual_allocation", SR.virtualAllocation, in: &table)
        table.on("host.call_plugin") { call, arguments in
            .string(
                try await callPlugin(
                    host: arguments.get(0), name: arguments.get(1), function: arguments.get(2),
                    arguments: arguments.get(3), session: call.session))
        }
    }

    /// Throws PERMISSION_DENIED unless the call comes from a driver of the SR.
    private static func require(_ call: CallContext, _ sr: Ref<SR>, _ reader: any DatabaseReader) throws(APIError) {
        let held = reader.row(call.session)?[Session.otherConfig][sessionKey]
        guard held == sr.opaque else {
            throw APIError("PERMISSION_DENIED", "only a storage driver of the SR \(sr.opaque) may do this")
        }
    }

    private func disk<V: APIConvertible & Sendable>(
        _ name: String, _ key: FieldKey<VDI, V>, in table: inout MessageTable
    ) {
        table.on("VDI.\(name)") { call, arguments in
            let vdi: Ref<VDI> = try arguments.get(0)
            let value: V = try arguments.get(1)
            try await context.database.transaction { tx in
                try Self.require(call, try tx.require(vdi)[VDI.sr], tx)
                try tx.set(vdi, key, value)
            }
            return .void
        }
    }

    private func repository<V: APIConvertible & Sendable>(
        _ name: String, _ key: FieldKey<SR, V>, in table: inout MessageTable
    ) {
        table.on("SR.\(name)") { call, arguments in
            let sr: Ref<SR> = try arguments.get(0)
            let value: V = try arguments.get(1)
            try await context.database.transaction { tx in
                _ = try tx.require(sr)
                try Self.require(call, sr, tx)
                try tx.set(sr, key, value)
            }
            return .void
        }
    }

    /// In the order of the message's parameters.
    private func introduce(_ arguments: Arguments, _ call: CallContext) async throws -> Ref<VDI> {
        let uuid: String = try arguments.get(0)
        let sr: Ref<SR> = try arguments.get(3)
        let location: String = try arguments.get(8)
        let vdi = Fresh.ref(VDI.self)
        try await context.database.transaction { tx in
            _ = try tx.require(sr)
            try Self.require(call, sr, tx)
            if let known = tx.rows(VDI.self, where: VDI.sr, is: sr).first(where: { $0[VDI.location] == location }) {
                throw APIError("LOCATION_NOT_UNIQUE", sr.opaque, known[VDI.location])
            }
            let fields: [(String, Int)] = [
                ("uuid", 0), ("name_label", 1), ("name_description", 2), ("SR", 3), ("type", 4), ("sharable", 5),
                ("read_only", 6), ("other_config", 7), ("location", 8), ("xenstore_data", 9), ("sm_config", 10),
                ("managed", 11), ("virtual_size", 12), ("physical_utilisation", 13), ("metadata_of_pool", 14),
                ("is_a_snapshot", 15), ("snapshot_time", 16), ("snapshot_of", 17), ("cbt_enabled", 18),
            ]
            guard !uuid.isEmpty else { throw APIError("INVALID_VALUE", "uuid", uuid) }
            tx.insert(VDI.self, ref: vdi) { row in
                for (name, index) in fields where index < arguments.values.count {
                    row[field: name] = arguments.values[index]
                }
            }
            try Self.claim(vdi, in: tx)
        }
        return vdi
    }

    /// A row that is made for a move or a copy belongs to it from the first moment, and its record names it: whatever is
    /// killed then, the record leads to the volume. All are known by the label that the driver was given.
    static func claim(_ vdi: Ref<VDI>, in tx: Transaction) throws {
        let row = try tx.require(vdi)
        let label = row[VDI.nameLabel]
        for (key, text) in tx.privateRecords(kind: MotionStore.kind) {
            guard var motion = MotionStore.read(text), motion.phase == .created,
                motion.destinationSR == row[VDI.sr].opaque,
                motion.claim(label: label, uuid: row[VDI.uuid], ref: vdi.opaque, location: row[VDI.location])
            else { continue }
            tx.setPrivate(kind: MotionStore.kind, key: key, value: try MotionStore.text(motion))
            return try DriverRows.reserve(vdi, label: label, in: tx)
        }
        for machine in tx.arrivals() {
            var machine = machine
            let claim = machine.claim(
                label: label, sr: row[VDI.sr].opaque, uuid: row[VDI.uuid], ref: vdi.opaque, location: row[VDI.location])
            guard let claim else { continue }
            try tx.store(machine)
            try claim.former.map { try DriverRows.release($0, from: machine.hold().key, in: tx) }
            try OperationAdmission.enter(machine.hold(), in: tx)
            return try DriverRows.reserve(vdi, label: label, in: tx)
        }
        if DiskCopy.claim(label: label, of: row[VDI.sr], location: row[VDI.location], in: tx) {
            try DriverRows.reserve(vdi, label: label, in: tx)
        }
    }

    /// The one plugin there is: what drivers ask of the process that serves a disk.
    private func callPlugin(
        host: Ref<Host>, name: String, function: String, arguments: [String: String], session: Ref<Session>
    ) async throws -> String {
        _ = try context.row(host)
        guard name == "tapdisk-pause" else { throw APIError("XENAPI_MISSING_PLUGIN", name) }
        guard ["pause", "unpause", "refresh"].contains(function) else {
            throw APIError("XENAPI_PLUGIN_FAILURE", function, "UnknownFunction", "tapdisk-pause has no \(function)")
        }
        let uuid = arguments["vdi_uuid"] ?? arguments["vdi"] ?? ""
        // Drivers ask so about what they have just made or removed, too.
        guard let vdi = context.database.read({ $0.find(VDI.self, uuid: uuid) }) else { return "True" }
        let config = context.database.read { $0.row(session)?[Session.otherConfig] } ?? [:]
        let own = config[Self.sessionKey]
        if let own, own != vdi[VDI.sr].opaque {
            throw DriverPauses.refusal(function, "the VDI \(uuid) is in an SR of another driver")
        }
        guard context.isForeign(vdi[VDI.sr]) else {
            throw DriverPauses.refusal(function, "the VDI \(uuid) is in an SR of Gantry's own, which no driver changes")
        }
        // A snapshot or clone that this driver makes just now: nothing is open, everything is flushed. A disk that is held
        // for something else is refused below.
        let isForThis = config[Self.heldKey]?.split(separator: ",").contains { $0 == uuid } ?? false
        if own != nil, isForThis, await isPausedByUs(uuid) { return "True" }
        switch function {
        case "pause": try await pauses.pause(vdi, for: session)
        case "unpause": try await pauses.unpause(uuid, for: session)
        default:
            // A disk that is not in use is opened as it is then.
            if await context.disks.active(uuid) == nil { return "True" }
            try await pauses.pause(vdi, for: session)
            try await pauses.unpause(uuid, for: session)
        }
        return "True"
    }

    private func isPausedByUs(_ uuid: String) async -> Bool {
        if await pauses.isPaused(uuid) { return false }
        guard await context.disks.isHeld(uuid) else { return false }
        guard let handle = await context.disks.active(uuid) else { return true }
        return (try? await handle.client.status().isPaused) == true
    }
}
