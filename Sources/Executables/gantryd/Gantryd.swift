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
    @Option(help: "Folder of SMAPIv1 drivers, which are programs named <TYPE>SR; may be given again.")
    var smDir: [String] = []
    @Option(help: "The SMAPIv1 drivers that may be used: types in lower case with commas between; without it all.")
    var smPlugins: String?
    @Option(help: "Seconds that a call of a driver or plugin may take before it is killed.") var smTimeLimit = 1800
    @Option(help: "none, or namespace: drivers and plugins get a private /tmp, limits and no new privileges.")
    var pluginSandbox = "none"
    @Option(help: "User of the system that SMAPIv3 plugins run as.") var pluginUser: String?
    @Option(help: "Folder of SMAPIv3 plugins: volume/<plugin> and datapath/<scheme>.") var storageScriptRoot: String?
    @Option(help: "File with root's first password.") var initialPasswordFile: String?
    @Option(help: "PAM service that knows the system's accounts, e.g. gantry; without it PAM is not asked.")
    var pamService: String?
    @Option(help: "How guests run: auto, kvm or tcg.") var accel = "auto"
    @Option(help: "Behave like this release (not used yet).") var compat: String?
    @Option(help: "trace, debug, info, notice, warning, error or critical.") var logLevel = "info"

    func validate() throws {
        guard http.map({ HTTPAddress($0) != nil }) ?? true else { throw ValidationError("--http takes ADDR:PORT") }
        guard https.map({ HTTPAddress($0) != nil }) ?? true else { throw ValidationError("--https takes ADDR:PORT") }
        guard smTimeLimit > 0 else { throw ValidationError("--sm-time-limit is at least 1") }
        guard ["none", "namespace"].contains(pluginSandbox) else {
            throw ValidationError("--plugin-sandbox is none or namespace")
        }
        guard ["auto", "kvm", "tcg"].contains(accel) else { throw ValidationError("--accel is auto, kvm or tcg") }
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
        if compat != nil { logger.warning("--compat has no effect in this version") }
        var configuration = ServerConfiguration(
            stateDirectory: stateDir, runDirectory: runDir, http: http.flatMap { HTTPAddress($0) },
            https: https.flatMap { HTTPAddress($0) }, socket: socket, initialPasswordFile: initialPasswordFile,
            acceleration: accel, pamService: pamService, logger: logger)
        configuration.driverFolders = smDir
        configuration.pluginRoot = storageScriptRoot
        configuration.driverTimeLimit = smTimeLimit
        configuration.sandboxesPlugins = pluginSandbox == "namespace"
        configuration.pluginUser = pluginUser
        configuration.allowedDrivers = smPlugins.map {
            Set($0.lowercased().split { $0 == "," || $0 == " " }.map(String.init))
        }
        try await serve(configuration)
    }
}
