// Generated from DataModel by scripts/generate.sh. Do not edit.

public import APITypes
public import RPCCodec

/// A record of the class `PVS_cache_storage`.
public struct PVSCacheStorageRecord: XenRecord {
    public var uuid: String
    public var host: Ref<Host>
    public var sr: Ref<SR>
    public var site: Ref<PVSSite>
    public var size: Int64
    public var vdi: Ref<VDI>

    public init(wire: WireValue) throws(WireMismatch) {
        var record = try RecordReader(wire, of: "PVS_cache_storage")
        uuid = try record.field("uuid")
        host = try record.field("host")
        sr = try record.field("SR")
        site = try record.field("site")
        size = try record.field("size")
        vdi = try record.field("VDI")
    }
}

extension PVSCacheStorage: RecordClass { public typealias Record = PVSCacheStorageRecord }

/// What `PVS_cache_storage.create` takes. The server has its own value for a member that is nil.
public struct PVSCacheStorageCreation: WireWritable {
    public var host: Ref<Host>?
    public var sr: Ref<SR>?
    public var site: Ref<PVSSite>?
    public var size: Int64?

    public init(
        host: Ref<Host>? = nil,
        sr: Ref<SR>? = nil,
        site: Ref<PVSSite>? = nil,
        size: Int64? = nil
    ) {
        self.host = host
        self.sr = sr
        self.site = site
        self.size = size
    }

    public var wire: WireValue {
        var record = RecordWriter()
        record.putIfGiven("host", host)
        record.putIfGiven("SR", sr)
        record.putIfGiven("site", site)
        record.putIfGiven("size", size)
        return record.wire
    }
}

extension PVSCacheStorage: CreatableClass { public typealias Creation = PVSCacheStorageCreation }

/// The messages of the class `PVS_cache_storage`.
public struct PVSCacheStorageCalls: ObjectCalls, ListingCalls, CreatableCalls {
    public typealias Class = PVSCacheStorage
    public let caller: any XenAPICaller
    init(_ caller: any XenAPICaller) { self.caller = caller }
}
