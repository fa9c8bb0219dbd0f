// Generated from DataModel by scripts/generate.sh. Do not edit.

public import APITypes
public import RPCCodec

/// A record of the class `VM_group`.
public struct VMGroupRecord: XenRecord {
    public var uuid: String
    public var nameLabel: String
    public var nameDescription: String
    public var placement: Open<PlacementPolicy>
    public var vms: [Ref<VM>]

    public init(wire: WireValue) throws(WireMismatch) {
        var record = try RecordReader(wire, of: "VM_group")
        uuid = try record.field("uuid")
        nameLabel = try record.field("name_label")
        nameDescription = try record.field("name_description")
        placement = try record.field("placement")
        vms = try record.field("VMs")
    }
}

extension VMGroup: RecordClass { public typealias Record = VMGroupRecord }

/// What `VM_group.create` takes. The server has its own value for a member that is nil.
public struct VMGroupCreation: WireWritable {
    public var nameLabel: String?
    public var nameDescription: String?
    public var placement: PlacementPolicy?

    public init(
        nameLabel: String? = nil,
        nameDescription: String? = nil,
        placement: PlacementPolicy? = nil
    ) {
        self.nameLabel = nameLabel
        self.nameDescription = nameDescription
        self.placement = placement
    }

    public var wire: WireValue {
        var record = RecordWriter()
        record.putIfGiven("name_label", nameLabel)
        record.putIfGiven("name_description", nameDescription)
        record.putIfGiven("placement", placement)
        return record.wire
    }
}

extension VMGroup: CreatableClass { public typealias Creation = VMGroupCreation }

/// The messages of the class `VM_group`.
public struct VMGroupCalls: ObjectCalls, NamedCalls, ListingCalls, CreatableCalls {
    public typealias Class = VMGroup
    public let caller: any XenAPICaller
    init(_ caller: any XenAPICaller) { self.caller = caller }
}
