import RPCCodec
import StorageInterface

/// One call of a SMAPIv1 driver, as the struct that is its only parameter. All scalars are strings on the wire.
struct DriverCall {
    let command: String
    var arguments: [String] = []
    var repository: StorageRepository?
    /// False for `sr_probe`, which asks about an SR that is not there yet.
    var namesRepository = true
    var volume: VolumeID?
    /// What only some commands have.
    var extra: [WireMember] = []

    /// The whole methodCall document.
    func document(host: String, session: String?, task: String? = nil, localCache: String? = nil) -> String {
        var members = [
            WireMember("command", .string(command)),
            WireMember("args", .array(arguments.map(WireValue.string))),
            WireMember("host_ref", .string(host)),
            WireMember("device_config", .structure(deviceConfig)),
        ]
        if let session { members.append(WireMember("session_ref", .string(session))) }
        if let task { members.append(WireMember("subtask_of", .string(task))) }
        if let localCache { members.append(WireMember("local_cache_sr", .string(localCache))) }
        if let repository, namesRepository {
            members.append(WireMember("sr_ref", .string(repository.ref)))
            members.append(WireMember("sr_uuid", .string(repository.uuid)))
        }
        if let volume {
            // One that is to be made has no row yet, and no place.
            if !volume.ref.isEmpty { members.append(WireMember("vdi_ref", .string(volume.ref))) }
            if !volume.location.isEmpty { members.append(WireMember("vdi_location", .string(volume.location))) }
            if !volume.uuid.isEmpty { members.append(WireMember("vdi_uuid", .string(volume.uuid))) }
            members.append(WireMember("vdi_on_boot", .string(volume.resetsOnBoot ? "reset" : "persist")))
            members.append(WireMember("vdi_allow_caching", .string(String(volume.allowsCaching))))
        }
        let call = RPCCall(command, [.structure(members + extra)])
        return String(decoding: XMLRPC.encode(call), as: UTF8.self)
    }

    private var deviceConfig: [WireMember] {
        guard let repository else { return [] }
        var config = repository.deviceConfig
        config["SRmaster"] = String(repository.isMaster)
        return Self.members(config)
    }

    static func members(_ map: [String: String]) -> [WireMember] {
        map.sorted { $0.key < $1.key }.map { WireMember($0.key, .string($0.value)) }
    }
}
