// Generated from DataModel by scripts/generate.sh. Do not edit.

/// The class `Certificate`.
public enum Certificate: XenClass {
    public static let className = "Certificate"

    public static let uuid = FieldKey<Certificate, String>("uuid")
    public static let name = FieldKey<Certificate, String>("name")
    public static let type = FieldKey<Certificate, CertificateType>("type")
    public static let host = FieldKey<Certificate, Ref<Host>>("host")
    public static let notBefore = FieldKey<Certificate, APIDate>("not_before")
    public static let notAfter = FieldKey<Certificate, APIDate>("not_after")
    public static let fingerprint = FieldKey<Certificate, String>("fingerprint")
    public static let fingerprintSha256 = FieldKey<Certificate, String>("fingerprint_sha256")
    public static let fingerprintSha1 = FieldKey<Certificate, String>("fingerprint_sha1")
    public static let purpose = FieldKey<Certificate, [CertificatePurpose]>("purpose")
}
