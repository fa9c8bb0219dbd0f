import ArgumentParser
import BlockIO
import CoreTypes
import DiskImages
import Glibc
import NBDTransport
import TerminalUI

struct ServeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        _superCommandName: ImageCommand.path,
        abstract: "Offer an image to NBD clients.",
        discussion: """
            Prints one line of JSON when clients can connect, and serves until SIGTERM or SIGINT; then everything written \
            is on disk before it ends. The export also answers to the empty name. Nothing is encrypted unless \
            --tls-certificates names a folder with ca-cert.pem, server-cert.pem and server-key.pem (and ca-crl.pem, if \
            certificates have been revoked): then only clients with TLS 1.3 are served that show a certificate of this authority.

            --guard is for a raw disk that somebody may later open by guessing its format: a write that would put the mark of \
            another format into its first or last sector fails with EPERM, so that a client cannot make of it an image that \
            names other files. Where the format is recorded as raw, as with -f in every command of gantry, that is needless, \
            and a client may store what it likes.

            Examples: gantry image serve -f qcow2 --socket /run/disk.sock disk.qcow2; \
            gantry image serve -f raw --listen 0.0.0.0:10809 --tls-certificates /etc/pki/nbd disk.raw
            """)

    @Option(name: .customShort("f"), help: "Format of FILE.")
    var format: DeclaredFormat
    @Option(name: .long, help: "Path of the Unix socket to listen on.")
    var socket: String?
    @Option(
        name: .long,
        help: ArgumentHelp("Numeric address and port to listen on; port 0 picks one.", valueName: "addr:port"))
    var listen: ListenAddress?
    @Flag(name: .long, help: "Refuse writes.")
    var readOnly = false
    @Flag(name: .customLong("guard"), help: "Refuse writes that make a raw disk look like another format's image.")
    var guardsMarks = false
    @Option(
        name: .long,
        help: ArgumentHelp("Folder of the certificates: serve in TLS.", valueName: "dir"))
    var tlsCertificates: String?
    @Option(name: .long, help: "require: refuse clients without TLS, the default. on: serve them, too.")
    var tls: TLSUse?
    @Flag(name: .long, inversion: .prefixedNo, help: "Whether clients must show a certificate; the default.")
    var tlsVerifyPeer: Bool?
    @Option(name: .long, help: "Name of the export.")
    var name = "disk"
    @OptionGroup var chain: ChainOptions
    @Argument(help: ArgumentHelp("The image.", valueName: "file"))
    var file: String

    enum TLSUse: String, ExpressibleByArgument, CaseIterable {
        case require, on
    }

    /// The line that says that clients can connect.
    private struct Ready: Encodable {
        var ready = true
        let socket: String?
        let address: String?
        let port: UInt16?
        let export: String
        let size: UInt64
        let readOnly: Bool
        let pid: Int32

        enum CodingKeys: String, CodingKey {
            case ready, socket, address, port, export, size, pid
            case readOnly = "read-only"
        }
    }

    func validate() throws {
        if (socket == nil) == (listen == nil) {
            throw ValidationError("give either --socket PATH or --listen ADDR:PORT")
        }
        if tlsCertificates == nil, tls != nil || tlsVerifyPeer != nil {
            throw ValidationError(
                "--tls and --tls-verify-peer need --tls-certificates DIR: without it nothing would be encrypted")
        }
        if guardsMarks {
            guard case .image(.raw) = format else {
                throw ValidationError("--guard is for -f raw: other formats have marks of their own")
            }
        }
        if name.utf8.count > 4096 { throw ValidationError("an export's name has at most 4096 bytes") }
    }

    func run() throws {
        try refuseStream(file, "FILE")
        TerminationSignals.hold()
        let what = "cannot serve \(file)"
        let security = try doing(what) { () throws(BlockError) -> ServerSecurity? in
            guard let tlsCertificates else { return nil }
            return ServerSecurity(
                try .server(folder: tlsCertificates, verifiesClients: tlsVerifyPeer ?? true),
                isRequired: tls != .on)
        }
        let device = try doing(what) { () throws(BlockError) in try opened() }
        let readOnly = device.isReadOnly
        let server = NBDServer(
            exports: [NBDExport(name: name, device: device, readOnly: readOnly)], security: security)
        do {
            let port = try doing(what) { () throws(BlockError) -> UInt16? in
                if let listen { return try server.start(address: listen.address, port: listen.port) }
                if let socket { try server.start(unservedSocket: socket) }
                return nil
            }
            let ready = Ready(
                socket: socket, address: listen?.address, port: port, export: name, size: device.size,
                readOnly: readOnly, pid: getpid())
            TerminalOutput.standardOutput.write(try JSONText.line(ready) + "\n")
        } catch {
            server.stop()
            try? device.close()
            throw error
        }
        TerminationSignals.wait()
        server.stop()
        try doing("cannot close \(file)") { () throws(BlockError) in try device.close() }
    }

    /// Images that can only be read are served so without being asked.
    private func opened() throws(BlockError) -> any BlockDevice {
        if case .image(let format) = format {
            var policy = try chain.policy()
            policy.refusesForeignMarks = guardsMarks
            let device = try DiskImage.open(path: file, format: format, readOnly: readOnly, policy: policy)
            DeviceNotes.tell(device, file)
            return device
        }
        return try chain.open(file, format)
    }
}
