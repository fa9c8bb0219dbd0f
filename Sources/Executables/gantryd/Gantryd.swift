import APIServer
import ArgumentParser
import Logging

@main
struct Gantryd: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gantryd", abstract: "The toolstack daemon: storage, guests and the XenAPI of one host.",
        subcommands: [Serve.self, Messages.self])
}

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Serve the XenAPI until SIGTERM; guests go on then.")

    @Option(help: "Folder of the database and the passwords.") var stateDir: String
    @Option(help: "Folder of sockets and process records.") var runDir: String
    @Option(help: "Serve HTTP on ADDR:PORT; port 0 picks a free one.") var http: String?
    @Option(help: "Serve HTTPS on ADDR:PORT; port 0 picks a free one.") var https: String?
    @Option(help: "Unix socket whose clients are the local superuser.") var socket = ServerConfiguration.standardSocket
    @OptionGroup var plugins: PluginOptions
    @Option(help: "File with root's first password.") var initialPasswordFile: String?
    @Option(help: "PAM service that knows the system's accounts, e.g. gantry; without it PAM is not asked.")
    var pamService: String?
    @Option(help: "First of 65536 users for data paths; 0: none. Else the first from 1900000000 on that are nobody's.")
    var datapathUidBase: UInt32?
    @Option(help: "Port where NBD clients are served on networks with that purpose; 0 picks free ones.")
    var nbdPort: UInt16 = 10809
    @OptionGroup var guests: GuestOptions
    @Option(help: "Know nothing on the wire that came after this release, e.g. 26.14: for tests.") var compat: String?
    @Option(help: "trace, debug, info, notice, warning, error or critical.") var logLevel = "info"

    func validate() throws {
        try requireWholeWords()
        guard http.map({ HTTPAddress($0) != nil }) ?? true else { throw ValidationError("--http takes ADDR:PORT") }
        guard https.map({ HTTPAddress($0) != nil }) ?? true else { throw ValidationError("--https takes ADDR:PORT") }
        guard compat.map(ServerConfiguration.isRelease) ?? true else {
            throw ValidationError("--compat takes a release, MAJOR.MINOR")
        }
        guard datapathUidBase.map({ $0 == 0 || 1000...(UInt32.max - 131072) ~= $0 }) ?? true else {
            throw ValidationError("--datapath-uid-base is 0, or 1000 to 4294836223")
        }
        guard Logger.Level(rawValue: logLevel) != nil else { throw ValidationError("unknown --log-level \(logLevel)") }
    }

    func run() async throws {
        let level = Logger.Level(rawValue: logLevel) ?? .info
        LoggingSystem.bootstrap { label in
            var handler = StreamLogHandler.standardError(label: label)
            handler.logLevel = level
            return handler
        }
        let logger = Logger(label: "gantryd")
        var configuration = ServerConfiguration(
            stateDirectory: stateDir, runDirectory: runDir, http: http.flatMap { HTTPAddress($0) },
            https: https.flatMap { HTTPAddress($0) }, socket: socket, initialPasswordFile: initialPasswordFile,
            acceleration: guests.accel, pamService: pamService, logger: logger)
        configuration.compatibility = compat
        configuration.nbdPort = nbdPort
        configuration.datapathUsers = datapathUidBase
        configuration.bootFolders = guests.bootDir
        plugins.apply(to: &configuration)
        try await serve(configuration)
    }
}
