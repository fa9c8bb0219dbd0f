import ArgumentParser
import XenAPIClient

/// The other pool that VMs are moved to.
extension QuickTestOptions {
    func validateOtherPool() throws {
        _ = try otherAddress
        _ = try otherCertificates
        guard toPassword == nil || toPasswordFile == nil else {
            throw ValidationError("Give one of --to-password and --to-password-file.")
        }
        let isAsked = toPassword != nil || toPasswordFile != nil || toCa != nil || toFingerprint != nil || toInsecure
        guard to != nil || !(isAsked || !toSr.isEmpty || toUser != "root") else {
            throw ValidationError("--to names the server that the options beginning with --to- are about.")
        }
    }

    /// Nil: there is none.
    var otherAddress: ServerAddress? {
        get throws { try to.map { try Self.address($0, option: "--to") } }
    }

    var otherCertificates: CertificatePolicy {
        get throws { try Self.policy(toCa, toFingerprint, toInsecure, prefix: "--to-") }
    }

    var otherSecret: String {
        get throws { try Self.secret(toPassword, toPasswordFile) }
    }

    /// The same as here, but for the names.
    var otherRepositories: RepositoryFilter {
        var filter = repositories
        filter.names = toSr
        return filter
    }
}
