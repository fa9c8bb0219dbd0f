// Generated from DataModel by scripts/generate.sh. Do not edit.

public import APITypes
public import RPCCodec

/// A record of the class `SM`. A storage manager: the driver behind repositories of one type.
public struct SMRecord: XenRecord {
    /// Identifies the manager.
    public var uuid: String
    /// Its name.
    public var nameLabel: String
    /// What it is.
    public var nameDescription: String
    /// The type of the repositories that it looks after.
    public var type: String
    /// Who made it.
    public var vendor: String
    /// Whose it is.
    public var copyright: String
    /// Its version.
    public var version: String
    /// The version of the interface between toolstack and manager.
    public var requiredAPIVersion: String
    /// The entries of `device_config` that it takes, with what they mean.
    public var configuration: [String: String]
    /// What it can do, by name.
    public var capabilities: [String]
    /// What it can do, with versions.
    public var features: [String: Int64]
    /// For notes.
    public var otherConfig: [String: String]
    /// The program behind it; empty for built-in ones.
    public var driverFilename: String
    public var requiredClusterStack: [String]
    /// The formats that its disks may have, the preferred one first.
    public var supportedImageFormats: [Open<ImageFormatType>]?

    public init(wire: WireValue) throws(WireMismatch) {
        var record = try RecordReader(wire, of: "SM")
        uuid = try record.field("uuid")
        nameLabel = try record.field("name_label")
        nameDescription = try record.field("name_description")
        type = try record.field("type")
        vendor = try record.field("vendor")
        copyright = try record.field("copyright")
        version = try record.field("version")
        requiredAPIVersion = try record.field("required_api_version")
        configuration = try record.field("configuration")
        capabilities = try record.field("capabilities")
        features = try record.field("features")
        otherConfig = try record.field("other_config")
        driverFilename = try record.field("driver_filename")
        requiredClusterStack = try record.field("required_cluster_stack")
        supportedImageFormats = try record.optional("supported_image_formats")
    }
}

extension SM: RecordClass { public typealias Record = SMRecord }

/// The messages of the class `SM`.
public struct SMCalls: ObjectCalls, NamedCalls, ListingCalls {
    public typealias Class = SM
    public let caller: any XenAPICaller
    init(_ caller: any XenAPICaller) { self.caller = caller }
}
