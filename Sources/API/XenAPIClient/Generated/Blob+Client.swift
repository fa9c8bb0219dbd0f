// Generated from DataModel by scripts/generate.sh. Do not edit.

public import APITypes
public import RPCCodec

/// A record of the class `blob`. Binary data kept with an object.
public struct BlobRecord: XenRecord {
    /// Identifies the blob.
    public var uuid: String
    /// Its name.
    public var nameLabel: String
    /// What it is.
    public var nameDescription: String
    /// Its size, bytes.
    public var size: Int64
    /// Whether everybody may read it.
    public var `public`: Bool
    /// When it was written.
    public var lastUpdated: APIDate
    /// What kind of data it is.
    public var mimeType: String

    public init(wire: WireValue) throws(WireMismatch) {
        var record = try RecordReader(wire, of: "blob")
        uuid = try record.field("uuid")
        nameLabel = try record.field("name_label")
        nameDescription = try record.field("name_description")
        size = try record.field("size")
        `public` = try record.field("public")
        lastUpdated = try record.field("last_updated")
        mimeType = try record.field("mime_type")
    }
}

extension Blob: RecordClass { public typealias Record = BlobRecord }

/// The messages of the class `blob`.
public struct BlobCalls: ObjectCalls, NamedCalls, ListingCalls {
    public typealias Class = Blob
    public let caller: any XenAPICaller
    init(_ caller: any XenAPICaller) { self.caller = caller }

    /// Makes an empty blob that belongs to nothing.
    ///
    /// Since orlando. Role: pool-operator.
    public func create(mimeType: String, `public`: Bool = false) async throws -> Ref<Blob> {
        try await self.caller.invoke("blob.create", [mimeType.wire, `public`.wire], defaults: [.bool(false)])
    }

    /// Removes the blob and its content.
    ///
    /// Since orlando. Role: pool-operator.
    public func destroy(_ blob: Ref<Blob>) async throws {
        try await self.caller.perform("blob.destroy", [blob.wire])
    }
}
