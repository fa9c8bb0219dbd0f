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
        abstract: "Serve an image and move it, live, to another image.",
        discussion: """
            Serves SRC as the NBD export `disk`. Standard input takes lines: `start` begins to copy to DST (made when it \
            is missing; otherwise it must be empty), `pivot` goes over to DST as soon as it is in sync, `status` asks, \
            `quit` (or the end of input) ends. Standard output answers with `ready {…}` when DST is in sync, `pivoted {…}` \
            when SRC is out of use, and `error {"message":…}`. Clients notice nothing.

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
        let inbox = CommandInbox()
        TerminationSignals.each { inbox.post(.end) }
        let image = try doing("cannot serve \(source)") { () throws(BlockError) in
            try DiskImage.open(path: source, format: inputFormat, readOnly: false)
        }
        let device = SwitchableDevice(image)
        let server = NBDServer(exports: [NBDExport(name: "disk", device: device)])
        do {
            try doing("cannot serve \(source)") { () throws(BlockError) in try server.start(unixSocket: socket) }
        } catch {
            try? device.close()
            throw error
        }
        TerminalOutput.standardError.write("serving \(source) on \(socket)\n")
        inbox.startReading(0)
        let session = MirrorSession(device: device, inbox: inbox) { () throws(CommandFailure) in
            try MirrorTarget(path: target, format: format, size: device.size, options: choices)
        }
        session.run()
        server.stop()
        try doing("cannot close the image") { () throws(BlockError) in try device.close() }
        if session.hasFailed { throw ExitCode(CommandFailure.Status.failed) }
    }
}
