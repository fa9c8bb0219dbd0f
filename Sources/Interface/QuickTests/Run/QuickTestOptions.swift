import ArgumentParser
import Foundation
import XenAPIClient

/// The command line of `quicktest`.
struct QuickTestOptions: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quicktest",
        abstract: "Test the storage of a XenAPI server, by the API alone.",
        discussion: """
            Makes small disks in the repositories that are chosen, and removes them again. What a repository lacks is \
            skipped, with the reason. The last line is "N passed, N failed".

            Exit codes: 0 nothing failed; 1 something failed; 2 wrong usage.
            """)

    @Option(help: "The server, as http[s]://HOST[:PORT].") var url: String?
    @Option(help: "The server's name or address.") var host: String?
    @Option(help: "Its port, if it is not 443 (80 with --no-tls).") var port: Int?
    @Option(help: "A server of this machine, by its Unix socket.") var socket: String?
    @Flag(help: "Plain HTTP: passwords can be read on the way.") var noTLS = false
    @Option(help: "A PEM file with the authority, or the server's certificate itself.") var ca: String?
    @Option(help: "The SHA-256 of the server's certificate, in hexadecimal digits.") var fingerprint: String?
    @Flag(help: "Accept every certificate.") var insecure = false
    @Option(help: "The user's name.") var user = "root"
    @Option(help: "The password. Others on this machine can see it; better is --password-file.") var password: String?
    @Option(help: "A file with the password in its first line.") var passwordFile: String?

    @Option(help: "A server of another pool, as http[s]://HOST[:PORT]: VMs are moved there, too.") var to: String?
    @Option(help: "The user's name there.") var toUser = "root"
    @Option(help: "The password there. Better is --to-password-file.") var toPassword: String?
    @Option(help: "A file with the password there in its first line.") var toPasswordFile: String?
    @Option(help: "A PEM file with the authority there, or the certificate itself.") var toCa: String?
    @Option(help: "The SHA-256 of the certificate there, in hexadecimal digits.") var toFingerprint: String?
    @Flag(help: "Accept every certificate there.") var toInsecure = false
    @Option(help: "Only this repository of the other pool, by UUID or name. May be repeated.") var toSr: [String] = []

    @Option(help: "Only this repository, by UUID or name. May be repeated, as those that follow.") var sr: [String] = []
    @Option(help: "Only repositories of this type.") var srType: [String] = []
    @Option(help: "Only repositories whose manager has this feature (SM.features).") var srFeature: [String] = []
    @Option(help: "Only repositories that allow this (SR.allowed_operations).") var srOperation: [String] = []
    @Option(help: "Only disks of this format (SM.supported_image_formats).") var format: [String] = []
    @Option(help: "Only cases whose name contains this regular expression.") var filter: String?

    @Flag(help: "Say which cases there are and which would be skipped, and do nothing.") var list = false
    @Flag(help: "Remove the disks that runs left which were killed. Disks of runs under way go, too.") var clean = false
    @Option(help: "Write the results to this file as JUnit's XML.") var junit: String?
    @Option(help: "MiB of each disk, 4 to 65536.") var size: UInt64 = 16
    @Option(help: "Seconds that a case may take.") var timeout = 600
    @Option(help: "What the disks' contents are made from.") var seed: UInt64?

    /// Reads a command line without the program's name. Throws what `fullMessage(for:)` explains.
    static func reading(_ words: [String]) throws -> QuickTestOptions { try parse(words) }

    func validate() throws {
        _ = try address
        _ = try certificates
        guard password == nil || passwordFile == nil else {
            throw ValidationError("Give one of --password and --password-file.")
        }
        try validateOtherPool()
        guard (4...65536).contains(size) else { throw ValidationError("--size takes 4 to 65536 MiB.") }
        guard (1...86400).contains(timeout) else { throw ValidationError("--timeout takes 1 to 86400 seconds.") }
        if let filter {
            do { _ = try Regex(filter) } catch {
                throw ValidationError("--filter is no regular expression: \(error)")
            }
        }
    }

    var address: ServerAddress {
        get throws {
            guard [url, host, socket].count(where: { $0 != nil }) == 1 else {
                throw ValidationError("Give one of --url, --host and --socket.")
            }
            if let port, !(1...65535).contains(port) { throw ValidationError("--port takes 1 to 65535.") }
            if let socket { return .unixSocket(path: socket) }
            if let host { return .tcp(host: host, port: port ?? (noTLS ? 80 : 443), tls: !noTLS) }
            return try Self.address(url ?? "", option: "--url", port: port)
        }
    }

    /// `option`: where it was given. `port`: where it names none.
    static func address(_ url: String, option: String, port: Int? = nil) throws -> ServerAddress {
        guard let parts = URLComponents(string: url), let name = parts.host, !name.isEmpty,
            ["http", "https"].contains(parts.scheme), ["", "/"].contains(parts.path), parts.user == nil,
            parts.query == nil
        else { throw ValidationError("\(option) takes http://HOST[:PORT] or https://HOST[:PORT].") }
        let isSecure = parts.scheme == "https"
        let bare = name.hasPrefix("[") ? String(name.dropFirst().dropLast()) : name
        return .tcp(host: bare, port: parts.port ?? port ?? (isSecure ? 443 : 80), tls: isSecure)
    }

    var certificates: CertificatePolicy {
        get throws { try Self.policy(ca, fingerprint, insecure, prefix: "--") }
    }

    /// `prefix`: that of the options' names.
    static func policy(
        _ ca: String?, _ fingerprint: String?, _ insecure: Bool, prefix: String
    ) throws -> CertificatePolicy {
        guard [ca != nil, fingerprint != nil, insecure].count(where: { $0 }) <= 1 else {
            throw ValidationError("Give one of \(prefix)ca, \(prefix)fingerprint and \(prefix)insecure.")
        }
        if insecure { return .unchecked }
        if let ca { return .authorities(file: ca) }
        guard let fingerprint else { return .system }
        guard let known = CertificateFingerprint(fingerprint) else {
            throw ValidationError("\(prefix)fingerprint takes 64 hexadecimal digits.")
        }
        return .pinned([known])
    }

    /// The password; empty where none was given, as for a Unix socket.
    var secret: String {
        get throws { try Self.secret(password, passwordFile) }
    }

    static func secret(_ password: String?, _ file: String?) throws -> String {
        guard let file else { return password ?? "" }
        let text = try String(contentsOfFile: file, encoding: .utf8)
        return text.split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
    }

    var repositories: RepositoryFilter {
        RepositoryFilter(
            names: sr, types: srType, features: srFeature, operations: srOperation, formats: format)
    }
}
