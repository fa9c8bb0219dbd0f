import APITypes
import PoolDatabase
import StorageInterface

// PBD.set_device_config: changes without unplugging.
extension RepositoryMessages {
    /// What names the place stays while the SR is attached: its disks would be looked for elsewhere. The rest counts from
    /// the next operation on.
    func setDeviceConfig(_ pbd: Ref<PBD>, _ config: [String: String], _ call: CallContext) async throws {
        let present = try context.row(pbd)
        if try await keepForDriver(pbd, of: present[PBD.sr], config, call) { return }
        if present[PBD.currentlyAttached], let attached = try? context.attached(present[PBD.sr]) {
            // What the driver cannot use would keep its disks from being opened again.
            var changed = attached.repository
            changed.deviceConfig = config
            do {
                _ = try await attached.manager.space(changed)
            } catch {
                throw ErrorMapping.api(error, sr: attached.ref)
            }
        }
        try await context.database.transaction { tx in
            let row = try tx.require(pbd)
            // Whoever plugs it has read the configuration already.
            if let sr = tx.row(row[PBD.sr]) {
                let current = OperationFacts(tx).sr(sr).current
                let changing = current.first { $0.operation == .plug || $0.operation == .unplug }
                if let changing { throw changing.inTheWay(of: SR.className, sr.ref) }
            }
            if row[PBD.currentlyAttached], let type = tx.row(row[PBD.sr])?[SR.type],
                let manager = context.managers.manager(ofType: type)
            {
                let old = row[PBD.deviceConfig]
                if let key = manager.fixedConfiguration.sorted().first(where: { old[$0] != config[$0] }) {
                    throw APIError(
                        "OPERATION_NOT_ALLOWED",
                        "device_config:\(key) cannot change while the PBD is plugged; unplug it")
                }
            }
            try tx.set(pbd, PBD.deviceConfig, config)
        }
    }

    /// A third-party driver changes what it wants to be called with: what it has found out while it attaches its SR, say. It
    /// does so within a call of its own, and knows what it can use; to ask it now would wait for that call. False: the
    /// message does not come from a driver of the SR.
    private func keepForDriver(
        _ pbd: Ref<PBD>, of sr: Ref<SR>, _ config: [String: String], _ call: CallContext
    ) async throws -> Bool {
        guard context.isForeign(sr) else { return false }
        return try await context.database.transaction { tx in
            let own = tx.row(call.session)?[Session.otherConfig][DriverCallbacks.sessionKey]
            guard own == sr.opaque else { return false }
            try tx.set(pbd, PBD.deviceConfig, config)
            return true
        }
    }
}
