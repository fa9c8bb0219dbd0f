import CoreTypes
import Foundation
import RPCCodec
public import StorageInterface

/// A member is missing or of another type than the interface says.
struct MisshapenRecord: Error, CustomStringConvertible {
    let description: String

    /// The error of the call that answered it.
    func error(_ method: String) -> StorageError {
        StorageError(
            .general, "the storage plugin's answer to \(method) is wrong: \(description)",
            apiError: ["SCRIPT_RETURNED_RPC_ERROR", method, description])
    }
}

/// Typed members of a JSON value.
struct RecordReader {
    let value: WireValue

    init(_ value: WireValue) throws(MisshapenRecord) {
        guard case .structure = value else { throw MisshapenRecord(description: "an object is due") }
        self.value = value
    }

    /// Nil when it is absent or null.
    private func member(_ name: String) -> WireValue? {
        let found = value[name]
        return found == .null ? nil : found
    }

    func text(_ name: String) throws(MisshapenRecord) -> String {
        guard let text = try optionalText(name) else { throw MisshapenRecord(description: "\(name) is missing") }
        return text
    }

    func optionalText(_ name: String) throws(MisshapenRecord) -> String? {
        switch member(name) {
        case nil: return nil
        case .string(let text)?: return text
        default: throw MisshapenRecord(description: "\(name) is no string")
        }
    }

    func flag(_ name: String, default missing: Bool? = nil) throws(MisshapenRecord) -> Bool {
        switch member(name) {
        case .bool(let flag)?: return flag
        case nil:
            if let missing { return missing }
            throw MisshapenRecord(description: "\(name) is missing")
        default: throw MisshapenRecord(description: "\(name) is neither true nor false")
        }
    }

    /// Bytes.
    func size(_ name: String) throws(MisshapenRecord) -> UInt64 {
        switch member(name) {
        case .int(let number)? where number >= 0: return UInt64(number)
        case nil: throw MisshapenRecord(description: "\(name) is missing")
        default: throw MisshapenRecord(description: "\(name) is no number of bytes")
        }
    }

    func texts(_ name: String, default missing: [String]? = nil) throws(MisshapenRecord) -> [String] {
        guard let found = member(name) else {
            if let missing { return missing }
            throw MisshapenRecord(description: "\(name) is missing")
        }
        guard case .array(let items) = found else { throw MisshapenRecord(description: "\(name) is no array") }
        var texts: [String] = []
        for item in items {
            guard case .string(let text) = item else {
                throw MisshapenRecord(description: "\(name) holds more than strings")
            }
            texts.append(text)
        }
        return texts
    }

    func map(_ name: String, default missing: [String: String]? = nil) throws(MisshapenRecord) -> [String: String] {
        guard let found = member(name) else {
            if let missing { return missing }
            throw MisshapenRecord(description: "\(name) is missing")
        }
        return try Self.map(found, name)
    }

    static func map(_ value: WireValue, _ name: String) throws(MisshapenRecord) -> [String: String] {
        guard case .structure(let members) = value else {
            throw MisshapenRecord(description: "\(name) is no object")
        }
        var map: [String: String] = [:]
        for member in members {
            guard case .string(let text) = member.value else {
                throw MisshapenRecord(description: "\(name) holds more than strings")
            }
            map[member.name] = text
        }
        return map
    }
}

/// A volume as an SMAPIv3 plugin tells of it.
public struct PluginVolume: Sendable, Hashable {
    /// What the plugin finds it by; VDI.location.
    public var key: String
    /// The plugin's own; nil when it has none or what it has is none.
    public var uuid: String?
    public var name: String
    public var text: String
    public var isWritable: Bool
    public var isSharable: Bool
    /// Bytes.
    public var virtualSize: UInt64
    public var physicalSize: UInt64
    /// How datapaths reach it, best first.
    public var uris: [String]
    /// What was kept by `Volume.set`.
    public var keys: [String: String]
    /// It is the map of changed blocks of another volume, no disk.
    public var isChangedBlockMap: Bool
    public var tracksChangedBlocks: Bool

    /// Longest key, in bytes of UTF-8.
    static let longestKey = 4096

    /// - Parameter isLegacy: version 3.0, whose volumes do not say `sharable`.
    init(_ value: WireValue, isLegacy: Bool = false) throws(MisshapenRecord) {
        let record = try RecordReader(value)
        key = try record.text("key")
        guard !key.isEmpty, key.utf8.count <= Self.longestKey else {
            throw MisshapenRecord(description: "key is empty or longer than \(Self.longestKey) bytes")
        }
        uuid = try record.optionalText("uuid").flatMap { UUID(uuidString: $0)?.uuidString.lowercased() }
        name = try record.text("name")
        text = try record.text("description")
        isWritable = try record.flag("read_write")
        isSharable = try record.flag("sharable", default: isLegacy ? false : nil)
        virtualSize = try record.size("virtual_size")
        physicalSize = try record.size("physical_utilisation")
        uris = try record.texts("uri")
        keys = try record.map("keys")
        isChangedBlockMap = false
        switch value["volume_type"] {
        case nil, .null?: break
        case .string(let tag)?: isChangedBlockMap = tag == "CBT_Metadata"
        case .array(let parts)?: isChangedBlockMap = parts.first == .string("CBT_Metadata")
        default: throw MisshapenRecord(description: "volume_type is no variant")
        }
        tracksChangedBlocks = try record.flag("cbt_enabled", default: false)
    }

    /// The names of keys that the toolstack keeps in the plugin.
    enum Key {
        static let type = "vdi-type"
        static let isSnapshot = "is_a_snapshot"
        static let snapshotOf = "snapshot_of"
        static let snapshotTime = "snapshot_time"
        static let config = "_sm_config_"
        /// The key of the clone that a guest has of a disk that is reset when it boots.
        static let epochClone = "clone-on-boot"
    }

    /// VDI.type, as the API spells it.
    public var type: String { isChangedBlockMap ? "cbt_metadata" : keys[Key.type] ?? "user" }
    public var isSnapshot: Bool { keys[Key.isSnapshot] == "true" }
    /// The uuid of the VDI that it is a snapshot of.
    public var snapshotOf: String? { isSnapshot ? keys[Key.snapshotOf] : nil }
    /// `YYYYMMDDThh:mm:ssZ`.
    public var snapshotTime: String? { isSnapshot ? keys[Key.snapshotTime] : nil }
    var epochClone: String? { keys[Key.epochClone].flatMap { $0.isEmpty ? nil : $0 } }
    public var smConfig: [String: String] {
        var config: [String: String] = [:]
        for (key, value) in keys where key.hasPrefix(Key.config) {
            config[String(key.dropFirst(Key.config.count))] = value
        }
        return config
    }

    /// As the toolstack's other parts see it.
    public func volume(uuid: String) -> Volume {
        Volume(
            uuid: uuid, location: key, format: smConfig["image-format"].flatMap { ImageFormat(rawValue: $0) },
            virtualSize: virtualSize, physicalSize: physicalSize, isReadOnly: !isWritable, nameLabel: name)
    }
}

/// What `SR.stat` answers.
struct PluginRepositoryState: Hashable {
    enum Health: String {
        case healthy = "Healthy"
        case recovering = "Recovering"
        case unreachable = "Unreachable"
        case unavailable = "Unavailable"
    }

    let sr: String
    let name: String
    let text: String
    let uuid: String?
    let space: RepositorySpace
    let dataSources: [String]
    let isClustered: Bool
    let health: Health
    /// What the plugin says about it.
    let advice: String

    init(_ value: WireValue) throws(MisshapenRecord) {
        let record = try RecordReader(value)
        sr = try record.text("sr")
        name = try record.text("name")
        text = try record.text("description")
        uuid = try record.optionalText("uuid")
        let (free, total) = (try record.size("free_space"), try record.size("total_space"))
        guard free <= total else { throw MisshapenRecord(description: "free_space is more than total_space") }
        space = RepositorySpace(total: total, free: free, used: total - free)
        dataSources = try record.texts("datasources")
        isClustered = try record.flag("clustered", default: false)
        guard case .array(let parts)? = value["health"], parts.count == 2, case .string(let word) = parts[0],
            case .string(let advice) = parts[1], let health = Health(rawValue: word)
        else { throw MisshapenRecord(description: "health is no [word, text] with a known word") }
        self.health = health
        self.advice = advice
    }
}

/// One thing that `SR.probe` found.
extension RepositoryProbe {
    init(plugin value: WireValue) throws(MisshapenRecord) {
        let record = try RecordReader(value)
        var configuration = try record.map("configuration")
        let isComplete = try record.flag("complete")
        let uuid = configuration.removeValue(forKey: "sr_uuid")
        var state: PluginRepositoryState?
        if let found = value["sr"], found != .null { state = try PluginRepositoryState(found) }
        if uuid != nil, !isComplete {
            throw MisshapenRecord(description: "a result with an sr_uuid is not complete")
        }
        if state != nil, uuid == nil { throw MisshapenRecord(description: "an SR has no sr_uuid") }
        self.init(
            configuration: configuration, isComplete: isComplete, uuid: uuid, space: state?.space,
            extra: try record.map("extra_info", default: [:]))
        if let state {
            (label, description, isClustered) = (state.name, state.text, state.isClustered)
            health = state.health.rawValue.lowercased()
        }
    }
}
