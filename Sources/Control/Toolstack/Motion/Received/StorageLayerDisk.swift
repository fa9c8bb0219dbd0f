import APITypes
import PoolDatabase
import RPCCodec

/// A disk as the storage layer's interface describes it: `vdi_info`. All but its place and its name may be missing.
struct StorageLayerDisk: Hashable, Sendable {
    /// What it is found by in its SR: VDI.location.
    var place: String
    var uuid: String?
    var contentID = ""
    var nameLabel = ""
    var nameDescription = ""
    /// VDI.type, as the API spells it.
    var type = "user"
    var metadataOfPool = ""
    var isSnapshot = false
    var snapshotTime = "19700101T00:00:00Z"
    var snapshotOf = ""
    var isReadOnly = false
    var tracksChanges = false
    /// Bytes.
    var virtualSize: Int64 = 0
    var physicalUtilisation: Int64 = 0
    var isPersistent = true
    var isSharable = false
    var smConfig: [String: String] = [:]

    /// Nil when it is no description of a disk, or a member is of another type than it has.
    init?(_ value: WireValue) {
        guard case .structure = value, let place = value["vdi"]?.storageText,
            let label = value["name_label"]?.storageText
        else { return nil }
        (self.place, nameLabel) = (place, label)
        uuid = value["uuid"]?.storageOption?.storageText
        let isRead =
            Self.read(value["content_id"], \.storageText, &contentID)
            && Self.read(value["name_description"], \.storageText, &nameDescription)
            && Self.read(value["ty"], \.storageText, &type)
            && Self.read(value["metadata_of_pool"], \.storageText, &metadataOfPool)
            && Self.read(value["is_a_snapshot"], \.storageFlag, &isSnapshot)
            && Self.read(value["snapshot_time"], \.storageText, &snapshotTime)
            && Self.read(value["snapshot_of"], \.storageText, &snapshotOf)
            && Self.read(value["read_only"], \.storageFlag, &isReadOnly)
            && Self.read(value["cbt_enabled"], \.storageFlag, &tracksChanges)
            && Self.read(value["virtual_size"], \.storageNumber, &virtualSize)
            && Self.read(value["physical_utilisation"], \.storageNumber, &physicalUtilisation)
            && Self.read(value["persistent"], \.storageFlag, &isPersistent)
            && Self.read(value["sharable"], \.storageFlag, &isSharable)
            && Self.read(value["sm_config"], \.storageMap, &smConfig)
        if !isRead { return nil }
    }

    /// A member that is not there keeps its value.
    private static func read<T>(_ value: WireValue?, _ decode: (WireValue) -> T?, _ into: inout T) -> Bool {
        guard let value else { return true }
        guard let decoded = decode(value) else { return false }
        into = decoded
        return true
    }

    /// The disk of a row. `contentID`: of the pool's own disks nobody knows whose content they have, so that they get one that nothing
    /// else has.
    init(_ row: Row, _ reader: any DatabaseReader) {
        place = row[VDI.location]
        uuid = row[VDI.uuid]
        contentID = row[VDI.location]
        nameLabel = row[VDI.nameLabel]
        nameDescription = row[VDI.nameDescription]
        type = row[VDI.type].rawValue
        isSnapshot = row[VDI.isASnapshot]
        snapshotTime = DateTimeText.format(row[VDI.snapshotTime].seconds)
        snapshotOf = reader.row(row[VDI.snapshotOf])?[VDI.location] ?? ""
        isReadOnly = row[VDI.readOnly]
        tracksChanges = row[VDI.cbtEnabled]
        virtualSize = row[VDI.virtualSize]
        physicalUtilisation = row[VDI.physicalUtilisation]
        isPersistent = row[VDI.onBoot] != .reset
        isSharable = row[VDI.sharable]
        smConfig = row[VDI.smConfig]
    }

    var wire: WireValue {
        var members = [WireMember("vdi", .string(place))]
        if let uuid { members.append(WireMember("uuid", .string(uuid))) }
        members += [
            WireMember("content_id", .string(contentID)), WireMember("name_label", .string(nameLabel)),
            WireMember("name_description", .string(nameDescription)), WireMember("ty", .string(type)),
            WireMember("metadata_of_pool", .string(metadataOfPool)), WireMember("is_a_snapshot", .bool(isSnapshot)),
            WireMember("snapshot_time", .string(snapshotTime)), WireMember("snapshot_of", .string(snapshotOf)),
            WireMember("read_only", .bool(isReadOnly)), WireMember("cbt_enabled", .bool(tracksChanges)),
            WireMember("virtual_size", .int(virtualSize)),
            WireMember("physical_utilisation", .int(physicalUtilisation)),
            WireMember("persistent", .bool(isPersistent)), WireMember("sharable", .bool(isSharable)),
            WireMember("sm_config", .storageMap(smConfig)),
        ]
        return .structure(members)
    }

    static let mostKeys = 64

    /// What is kept of it goes into records and events: names, and not whatever else a call may hold.
    func requireShort() throws(StorageLayerError) {
        guard smConfig.count < Self.mostKeys, nameDescription.utf8.count <= 4096,
            (smConfig.flatMap { [$0.key, $0.value] } + [nameLabel, contentID]).allSatisfy({
                $0.utf8.count <= StorageLayerCall.longest
            })
        else { throw .internalError("the disk's names are too long, or too many") }
    }

    /// The format that it has, or is to have; empty: none is said.
    var formatWord: String { smConfig["image-format"] ?? smConfig["type"] ?? "" }
}
