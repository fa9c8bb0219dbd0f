// Generated from DataModel by scripts/generate.sh. Do not edit.

public import APITypes
public import RPCCodec

/// A record of the class `Certificate`.
public struct CertificateRecord: XenRecord {
    public var uuid: String
    public var name: String?
    public var type: Open<CertificateType>?
    public var host: Ref<Host>
    public var notBefore: APIDate
    public var notAfter: APIDate
    public var fingerprint: String
    public var fingerprintSha256: String?
    public var fingerprintSha1: String?
    public var purpose: [Open<CertificatePurpose>]?

    public init(wire: WireValue) throws(WireMismatch) {
        var record = try RecordReader(wire, of: "Certificate")
        uuid = try record.field("uuid")
        name = try record.optional("name")
        type = try record.optional("type")
        host = try record.field("host")
        notBefore = try record.field("not_before")
        notAfter = try record.field("not_after")
        fingerprint = try record.field("fingerprint")
        fingerprintSha256 = try record.optional("fingerprint_sha256")
        fingerprintSha1 = try record.optional("fingerprint_sha1")
        purpose = try record.optional("purpose")
    }
}

extension Certificate: RecordClass { public typealias Record = CertificateRecord }

/// The messages of the class `Certificate`.
public struct CertificateCalls: ObjectCalls, ListingCalls {
    public typealias Class = Certificate
    public let caller: any XenAPICaller
    init(_ caller: any XenAPICaller) { self.caller = caller }
}
