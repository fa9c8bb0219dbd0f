import APITypes
import PoolDatabase

/// What a machine's devices are connected with, and the devices.
extension MachineImportWork {
    // MARK: - Disks

    /// The disk that stands for the document's; nil when there is none and none is needed. VDI_LOCATION_MISSING
    /// [sr, location] where its SR is known, else VDI_CONTENT_ID_MISSING; VDI_NOT_MANAGED [vdi].
    mutating func disk(_ object: ImportedObject) throws(APIError) -> String? {
        let id = try object.reference("SR")
        let repository = try self.object(id, "SR")
        if try repository.text("content_type") == "iso" { return try image(object) }
        if let row = try known(object, in: reference(id, SR.self)) {
            guard row[VDI.managed] else { throw APIError("VDI_NOT_MANAGED", row.ref) }
            if row[VDI.type] == .cbtMetadata { throw APIError("VDI_INCOMPATIBLE_TYPE", row.ref, "CBT metadata") }
            return row.ref
        }
        // Those that others stand on are said for completeness only.
        if options.isForced || object.isHidden { return nil }
        // It is about to be made.
        if options.isDryRun, options.isLive { return Fresh.ref(VDI.self).opaque }
        if let sr = reference(id, SR.self) {
            throw APIError("VDI_LOCATION_MISSING", sr.opaque, String(try object.text("location").prefix(256)))
        }
        throw APIError("VDI_CONTENT_ID_MISSING")
    }

    private mutating func known(_ object: ImportedObject, in sr: Ref<SR>?) throws(APIError) -> Row? {
        if let mapped = try object.entries("other_config")[MachineExport.mapKey] {
            return tx.row(Ref<VDI>(mapped))
        }
        let (location, uuid) = (try object.text("location"), try object.text("uuid"))
        if let sr {
            let there = index.disks(at: location, in: sr, tx)
            if let row = there.first(where: { $0[VDI.uuid] == uuid }) ?? there.first { return row }
        }
        return tx.find(VDI.self, uuid: uuid)
    }

    /// A CD: whatever has its location in an SR of images, the physical drives left aside.
    private mutating func image(_ object: ImportedObject) throws(APIError) -> String? {
        let (location, uuid) = (try object.text("location"), try object.text("uuid"))
        let found = index.images(at: location, tx)
        return (found.first { $0[VDI.uuid] == uuid } ?? found.first)?.ref
    }

    private static let notTakenOfDrives: Set<String> = [
        "uuid", "allowed_operations", "current_operations", "device", "userdevice", "empty", "reserved",
        "currently_attached", "storage_lock", "status_code", "status_detail", "runtime_properties",
        "qos_supported_algorithms",
    ]

    /// IMPORT_ERROR_ATTACHED_DISKS_NOT_FOUND, VBD_CDS_MUST_BE_READONLY, INVALID_DEVICE, DEVICE_ALREADY_EXISTS.
    mutating func drive(_ object: ImportedObject) throws(APIError) {
        guard let (machine, vm) = try self.machine(of: object) else { return }
        let id = try object.reference("VDI")
        let isEmpty = try object.flag("empty")
        if !isEmpty, id != ImportedObject.null { _ = try self.object(id, "VDI") }
        let disk: Ref<VDI>? = isEmpty ? nil : reference(id)
        let isCD = try object.text("type") == VBDType.cd.rawValue
        let isAttached = try object.flag("currently_attached")
        if disk == nil, !isCD {
            if isAttached, !options.isForced { throw APIError("IMPORT_ERROR_ATTACHED_DISKS_NOT_FOUND") }
            // There are no empty disks.
            return
        }
        if isCD, try object.text("mode") == VBDMode.rw.rawValue { throw APIError("VBD_CDS_MUST_BE_READONLY") }
        let position = try occupy(try object.text("userdevice"), of: object, vm)
        let values = try object.values(except: Self.notTakenOfDrives)
        let uuid = try identity(of: object, VBD.self)
        let isSuspended = try machine.text("power_state").lowercased() == "suspended"
        let device = try object.text("device")
        tx.insert(VBD.self, ref: Fresh.ref(VBD.self)) { row in
            for (name, value) in values { row[field: name] = value }
            row[VBD.uuid] = uuid
            row[VBD.vm] = vm
            row[VBD.vdi] = disk ?? .null
            row[VBD.empty] = disk == nil
            row[VBD.userdevice] = position
            row[VBD.device] = device
            row[VBD.reserved] = false
            row[VBD.currentlyAttached] = false
            row[VBD.currentOperations] = [:]
            row[VBD.runtimeProperties] = [:]
            row[VBD.qosSupportedAlgorithms] = [ThrottleParameters.algorithm]
        }
        // Whoever resumes it finds what it had.
        if isSuspended, isAttached {
            var guest = SuspendedGuest.of(vm, tx) ?? SuspendedGuest(vbds: [])
            guest.vbds.insert(uuid)
            do { try guest.write(of: vm, in: tx) } catch { throw APIError.internalError("\(error)") }
        }
    }

    /// The device's uuid where identities are kept and nobody else has it; a new one otherwise.
    private func identity<C: XenClass>(of object: ImportedObject, _ type: C.Type) throws(APIError) -> String {
        guard options.keepsIdentity else { return Fresh.uuid() }
        let uuid = try object.identity("uuid")
        return tx.find(type, uuid: uuid) == nil ? uuid : Fresh.uuid()
    }

    // MARK: - Networks

    mutating func network(_ object: ImportedObject) throws(APIError) -> Ref<Network> {
        let (name, uuid, bridge) = (
            try object.text("name_label"), try object.text("uuid"), try object.text("bridge")
        )
        let named = tx.find(Network.self, nameLabel: name)
        if let row = named.first(where: { $0[Network.uuid] == uuid }) ?? named.first {
            return row.typedRef(Network.self)
        }
        if !bridge.isEmpty, let network = index.network(of: bridge, tx) { return network }
        let description = try object.text("name_description")
        var config = try object.entries("other_config")
        config["import_task"] = options.task.isNull ? nil : options.task.opaque
        let mtu = try object.number("MTU")
        let ref = Fresh.ref(Network.self)
        let free = index.takeBridge(for: ref, tx)
        tx.insert(Network.self, ref: ref) { row in
            row[Network.uuid] = Fresh.uuid()
            row[Network.nameLabel] = name
            row[Network.nameDescription] = description
            row[Network.otherConfig] = config
            row[Network.bridge] = free
            row[Network.managed] = true
            row[Network.mtu] = NetworkMessages.sizes.contains(mtu) ? mtu : NetworkMessages.usualMTU
            row[Network.allowedOperations] = []
            row[Network.currentOperations] = [:]
        }
        return ref
    }

    private static let notTakenOfInterfaces: Set<String> = [
        "uuid", "allowed_operations", "current_operations", "device", "MAC", "MAC_autogenerated", "reserved",
        "currently_attached", "status_code", "status_detail", "runtime_properties", "qos_supported_algorithms",
        "other_config",
    ]

    /// MAC_INVALID [address], INVALID_DEVICE, DEVICE_ALREADY_EXISTS, IMPORT_ERROR_FAILED_TO_FIND_OBJECT [id].
    mutating func interface(_ object: ImportedObject) throws(APIError) {
        guard let (_, vm) = try machine(of: object) else { return }
        var config = try object.entries("other_config")
        let network: Ref<Network>
        if let mapped = config.removeValue(forKey: MachineExport.mapKey) {
            network = Ref(mapped)
            guard tx.row(network) != nil else { throw Self.missing(mapped) }
        } else {
            let id = try object.reference("network")
            guard let known = reference(id, Network.self) else { throw Self.missing(id) }
            network = known
        }
        let device = try occupy(try object.text("device"), of: object, vm)
        let seed = tx.row(vm)?[VM.otherConfig][MachineRows.addressSeed] ?? vm.opaque
        var address = options.keepsIdentity ? try object.text("MAC") : ""
        let isMade = address.isEmpty ? true : try object.flag("MAC_autogenerated")
        if address.isEmpty { address = MachineRows.address(seed: seed, device: device) }
        guard MachineRows.isAddress(address) else { throw APIError("MAC_INVALID", String(address.prefix(64))) }
        let values = try object.values(except: Self.notTakenOfInterfaces)
        let uuid = try identity(of: object, VIF.self)
        tx.insert(VIF.self, ref: Fresh.ref(VIF.self)) { row in
            for (name, value) in values { row[field: name] = value }
            row[VIF.uuid] = uuid
            row[VIF.vm] = vm
            row[VIF.network] = network
            row[VIF.device] = device
            row[VIF.mac] = address
            row[VIF.macAutogenerated] = isMade
            row[VIF.otherConfig] = config
            row[VIF.currentlyAttached] = false
            row[VIF.currentOperations] = [:]
            row[VIF.runtimeProperties] = [:]
        }
    }
}

extension ImportedObject {
    /// A disk that is none of any machine, but what others stand on.
    var isHidden: Bool { (try? flag("managed")) != true }
}
