public import APITypes
import Logging
import PoolDatabase
public import RPCCodec
import StorageInterface

/// The calls by their names. What is not here is answered with Unimplemented [call], before anything is made.
extension ReceivedDisks {
    /// The answer's XML. `session`: whose call it is, who may make it.
    public func answer(_ call: RPCCall, session: Ref<Session>) async -> [UInt8] {
        let call = StorageLayerCall(call)
        do {
            return XMLRPC.encode(.success(try await value(of: call, session.opaque)))
        } catch {
            let failure = StorageLayerError(error, srUUID: call.text("sr", default: ""))
            context.logger.info(
                "a call of another maker's toolstack is refused",
                metadata: ["call": "\(call.method.prefix(100))", "error": "\(failure)"])
            return failure.reply
        }
    }

    /// Whoever asks for what changes a disk goes on with it, by a session that may be another than the one that made it.
    private func hear(_ call: StorageLayerCall, _ session: String) {
        var places = Set(["vdi", "vdi1", "vdi2", "name"].map { call.text($0, default: "") })
        if let disk = try? call.disk("vdi_info") { places.insert(disk.place) }
        let (mirror, datapath) = (call.text("id", default: ""), call.text("dp", default: ""))
        for record in records()
        where record.isOpen
            && (places.contains(where: record.has) || record.mirror == mirror || record.links[datapath] != nil)
        {
            hear(record, from: Self.looks.contains(call.method) ? nil : session)
        }
    }

    /// Of these nothing changes. Anybody may look.
    private static let looks: Set<String> = ["VDI.stat", "VDI.get_by_name", "VDI.similar_content", "DP.attach_info"]

    private func value(of call: StorageLayerCall, _ session: String) async throws -> WireValue {
        hear(call, session)
        if call.method.hasPrefix("DATA.MIRROR.") { return try await mirror(call, session) }
        switch call.method {
        case "Query.query": return Self.description
        case "SR.list": return .array(attachedRepositories.map(WireValue.string))
        case "DP.create":
            let name = call.text("id", default: "")
            return .string(name.isEmpty ? Fresh.uuid() : name)
        case "DP.destroy", "DP.destroy2":
            try await detach(try call.text("dp"))
            return .null
        default: break
        }
        guard Self.ofDisks.contains(call.method) else { throw StorageLayerError.unimplemented(call.method) }
        let attached = try repository(try call.text("sr"))
        if call.method.hasPrefix("SR.") { return try await repositoryValue(call, attached) }
        switch call.method {
        case "VDI.create": return try await create(try call.disk("vdi_info"), in: attached, session: session).wire
        case "VDI.snapshot": return try await snapshot(try call.disk("vdi_info").place, in: attached).wire
        case "VDI.compose":
            try await compose(try call.text("vdi1"), try call.text("vdi2"), in: attached)
            return .null
        case "VDI.get_by_name": return try disk(named: try call.text("name"), in: attached).wire
        default: return try await diskValue(call, try call.text("vdi"), attached)
        }
    }

    private static let ofDisks: Set<String> = [
        "SR.scan", "SR.scan2", "SR.stat", "SR.update_snapshot_info_dest", "VDI.create", "VDI.snapshot", "VDI.compose",
        "VDI.get_by_name", "VDI.stat", "VDI.destroy", "VDI.similar_content", "VDI.set_content_id", "VDI.resize",
        "VDI.set_persistent", "VDI.add_to_sm_config", "VDI.remove_from_sm_config", "VDI.attach", "VDI.attach2",
        "VDI.attach3", "VDI.activate", "VDI.activate3", "VDI.deactivate", "VDI.detach", "DP.attach_info",
    ]

    private func mirror(_ call: StorageLayerCall, _ session: String) async throws -> WireValue {
        switch call.method {
        case "DATA.MIRROR.receive_start", "DATA.MIRROR.receive_start2":
            // Which disks are like it is not asked here: the copy is a whole one.
            return try await start(
                try call.disk("vdi_info"), mirror: try call.text("id"), in: try repository(try call.text("sr")),
                session: session)
        case "DATA.MIRROR.receive_finalize", "DATA.MIRROR.receive_finalize2":
            try await finalize(try call.text("id"), composing: call.method.hasSuffix("2"))
        case "DATA.MIRROR.receive_cancel": try await cancel(try call.text("id"))
        default: throw StorageLayerError.unimplemented(call.method)
        }
        return .null
    }

    private func repositoryValue(_ call: StorageLayerCall, _ attached: AttachedRepository) async throws -> WireValue {
        switch call.method {
        case "SR.scan": return .array(disks(of: attached).map(\.wire))
        case "SR.scan2": return .array([.array(disks(of: attached).map(\.wire)), try await standing(of: attached)])
        case "SR.stat": return try await standing(of: attached)
        default:
            try await relate(try call.disksByPlace("snapshot_pairs"), to: try call.text("vdi"), in: attached)
            return .null
        }
    }

    private func diskValue(
        _ call: StorageLayerCall, _ place: String, _ attached: AttachedRepository
    ) async throws -> WireValue {
        switch call.method {
        case "VDI.stat": return try disk(at: place, in: attached).wire
        case "VDI.similar_content":
            _ = try disk(at: place, in: attached)
            return .array([])
        case "VDI.resize": return .int(try await resize(place, to: try call.number("new_size"), in: attached))
        case "VDI.attach":
            let access = try await attach(try call.text("dp"), place, in: attached)
            return .structure([
                WireMember("domain_uuid", .string("0")), WireMember("params", .string(Self.address(in: access))),
                WireMember("o_direct", .bool(true)), WireMember("o_direct_reason", .string("")),
                WireMember("xenstore_data", .structure([])),
            ])
        case "VDI.attach2", "VDI.attach3": return try await attach(try call.text("dp"), place, in: attached)
        case "DP.attach_info":
            let datapath = try call.text("dp")
            guard isAttached(datapath, place) else { throw StorageLayerError.missing("dp", datapath) }
            return try access(to: place, in: attached)
        case "VDI.destroy": try await destroy(place, in: attached)
        case "VDI.set_content_id": try await setContent(try call.text("content_id"), of: place, in: attached)
        case "VDI.set_persistent":
            _ = try record(at: place, in: attached)
            if !call.flag("persistent", default: true) { throw StorageLayerError.unimplemented(call.method) }
        case "VDI.add_to_sm_config":
            try await setConfiguration(try call.text("key"), try call.text("value"), of: place, in: attached)
        case "VDI.remove_from_sm_config":
            try await setConfiguration(try call.text("key"), nil, of: place, in: attached)
        case "VDI.activate", "VDI.activate3": try await setActive(true, try call.text("dp"), place, in: attached)
        case "VDI.deactivate": try await setActive(false, try call.text("dp"), place, in: attached)
        case "VDI.detach": try await detach(try call.text("dp"))
        default: throw StorageLayerError.unimplemented(call.method)
        }
        return .null
    }

    private static func address(in access: WireValue) -> String {
        guard case .array(let ways)? = access["implementations"], case .array(let way)? = ways.first else { return "" }
        return way.last?["uri"]?.storageText ?? ""
    }

    private func disk(named name: String, in attached: AttachedRepository) throws -> StorageLayerDisk {
        let all = disks(of: attached)
        guard let found = all.first(where: { $0.place == name || $0.uuid == name || $0.nameLabel == name }) else {
            throw StorageLayerError.noDisk(name)
        }
        return found
    }

    private var attachedRepositories: [String] {
        context.database.read { reader in
            reader.rows(PBD.self) { $0[PBD.host] == self.context.host && $0[PBD.currentlyAttached] }
                .compactMap { reader.row($0[PBD.sr])?[SR.uuid] }.sorted()
        }
    }

    private func standing(of attached: AttachedRepository) async throws -> WireValue {
        let space: RepositorySpace
        do { space = try await attached.manager.space(attached.repository) } catch {
            throw ErrorMapping.api(error, sr: attached.ref)
        }
        let row = try context.row(attached.ref)
        return .structure([
            WireMember("sr_uuid", .string(attached.uuid)), WireMember("name_label", .string(row[SR.nameLabel])),
            WireMember("name_description", .string(row[SR.nameDescription])),
            WireMember("total_space", .int(Int64(clamping: space.total))),
            WireMember("free_space", .int(Int64(clamping: space.free))), WireMember("clustered", .bool(false)),
            WireMember("health", .string("Healthy")),
        ])
    }

    private static let description = WireValue.structure([
        WireMember("driver", .string("mux")), WireMember("name", .string("storage multiplexor")),
        WireMember("description", .string("receives disks of other pools")), WireMember("vendor", .string("Gantry")),
        WireMember("copyright", .string("")), WireMember("version", .string("2.0")),
        WireMember("required_api_version", .string("2.0")), WireMember("features", .array([])),
        WireMember("configuration", .structure([])), WireMember("required_cluster_stack", .array([])),
        WireMember("smapi_version", .string("SMAPIv2")),
    ])
}
