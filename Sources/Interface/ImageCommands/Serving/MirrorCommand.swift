import ArgumentParser
import BlockCopy
import BlockIO
import CoreTypes
import DiskImages
import NBDTransport
import TerminalUI

struct MirrorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mirror",
        _superCommandName: ImageCommand.path,
        abstract: "Serve an image and move it, live, to another image.",
        discussion: """
            Serves SRC as the NBD export `disk`. Standard input takes lines: `start` begins to copy to DST (made when it \
            is missing; otherwise it must be empty), `pivot` goes over to DST as soon as it is in sync, `status` asks, \
            `quit` (or the end of input) ends. `pause`, `resume`, `rate BYTES`, `latency MICROSECONDS`, `mode \
            automatic|active|background`, `delay yes|no` and `retry SECONDS` change a running mirror, `verify` compares \
            both sides of one that is in sync, `cancel` gives it up. Standard output answers with `ready {…}` when DST is in sync, `pivoted {…}` \
            when SRC is out of use, and `error {"message":…}`. Clients notice nothing.

            DST may be an NBD export that is there (nbd://host[:port]/name, nbd+unix:///name?socket=path), with -O raw; all of \
            it is written. A server that goes away is tried again (`retry`), over as many connections as it allows. In TLS: \
            nbds://host/name?tls-certificates=DIR, with ca-cert.pem and, where the server asks for them, client-cert.pem and \
            client-key.pem in DIR; tls-hostname=NAME when the server's certificate names another host.

            Before `pivoted` SRC is the disk, and a DST made here has not got its name yet; `quit` then removes it.
            """)

    @Option(name: .customShort("f"), help: "Format of SRC.")
    var sourceFormat: DeclaredFormat
    @Option(name: .customShort("O"), help: "Format of DST.")
    var targetFormat: DeclaredFormat
    @Option(name: .customShort("o"), help: ArgumentHelp(stringLiteral: CreateOptions.help))
    var options: [String] = []
    @Option(name: .long, help: "Path of the Unix socket to listen on.")
    var socket: String
    @Option(name: .long, help: "Most bytes to copy in a second.")
    var rate: PlainSize?
    @Option(name: .long, help: "Microseconds that a write of clients may take on average because of the mirror.")
    var latency: UInt64 = 0
    @Option(name: .long, help: "How writes of clients reach DST: automatic, active or background.")
    var mode: String = "automatic"
    @Option(name: .long, help: "Seconds for which a DST that fails is tried again.")
    var retry: UInt64?
    @Option(name: .long, help: "Connections to a DST that is an NBD export.")
    var connections: Int = 4
    @Argument(help: ArgumentHelp("The image to serve.", valueName: "src"))
    var source: String
    @Argument(help: ArgumentHelp("The image to go over to.", valueName: "dst"))
    var target: String

    func run() throws {
        try refuseStream(source, "SRC")
        try refuseStream(target, "DST")
        let inputFormat = try sourceFormat.writable("cannot mirror \(source)")
        let format = try targetFormat.writable("cannot mirror to \(target)")
        let choices = try CreateOptions.reading(options, for: format)
        guard choices.parent == nil, choices.dataFile == nil else {
            throw CommandFailure(
                "cannot mirror to \(target)", why: "a mirror is made without a parent and without a data file",
                advice: "leaving backing_file and data_file out", status: CommandFailure.Status.usage)
        }
        let location = NBDLocation(parsing: target)
        let settings = try mirrorOptions(isRemote: location != nil, format)
        let inbox = CommandInbox()
        TerminationSignals.each { _ in inbox.post(.end) }
        let image = try doing("cannot serve \(source)") { () throws(BlockError) in
            try DiskImage.open(path: source, format: inputFormat, readOnly: false)
        }
        let device = SwitchableDevice(image, measuring: true)
        let server = NBDServer(exports: [NBDExport(name: "disk", device: device)])
        do {
            try doing("cannot serve \(source)") { () throws(BlockError) in
                try server.start(unservedSocket: socket)
            }
        } catch {
            try? device.close()
            throw error
        }
        TerminalOutput.standardError.write("serving \(source) on \(socket)\n")
        inbox.startReading(0)
        let session = MirrorSession(
            device: device, inbox: inbox, options: settings, connections: max(1, connections)
        ) { () throws(CommandFailure) in
            if let location {
                return try MirrorTarget(location, text: target, connections: max(1, connections))
            }
            return try MirrorTarget(path: target, format: format, size: device.size, options: choices)
        }
        session.run()
        server.stop()
        try doing("cannot close the image") { () throws(BlockError) in try device.close() }
        session.deviceWasClosed()
        if session.hasFailed { throw ExitCode(CommandFailure.Status.failed) }
    }

    private func mirrorOptions(isRemote: Bool, _ format: ImageFormat) throws -> MirrorOptions {
        if isRemote, format != .raw {
            throw ValidationError("An NBD export is written as raw: -O raw")
        }
        guard let mode = MirrorOptions.Mode(rawValue: mode) else {
            throw ValidationError("'\(mode)' is no mode; expected automatic, active or background")
        }
        var options = MirrorOptions()
        options.mode = mode
        options.bytesPerSecond = rate?.bytes ?? 0
        options.latencyBudget = min(latency, 3_600_000_000) * 1000
        options.retryFor = min(retry ?? (isRemote ? 60 : 0), 1_000_000) * 1_000_000_000
        return options
    }
}
