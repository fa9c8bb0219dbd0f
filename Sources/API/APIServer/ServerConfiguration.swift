import DataModel
public import Logging
import Toolstack

/// What `gantryd serve` is started with.
public struct ServerConfiguration: Sendable {
    /// Database and passwords; survives restarts of the machine.
    public var stateDirectory: String
    /// Sockets and process records.
    public var runDirectory: String
    /// Plain HTTP; nil: none.
    public var http: HTTPAddress?
    /// HTTP over TLS; nil: none.
    public var https: HTTPAddress?
    /// Path of the Unix socket whose clients are the local superuser.
    public var socket: String
    public var initialPasswordFile: String?
    /// `auto`, `kvm` or `tcg`.
    public var acceleration: String
    /// Where NBD clients are served on networks that have that purpose; 0: on a free port of each address.
    public var nbdPort: UInt16 = 10809
    /// The first of the numbers that users of data paths have; nil: of those that no other gantryd has; 0: they are this
    /// process's user.
    public var datapathUsers: UInt32?
    /// Name of the PAM service that knows the system's accounts; nil: PAM is not asked.
    public var pamService: String?
    /// Folders of third-party SMAPIv1 drivers.
    public var driverFolders: [String] = []
    /// Folder of SMAPIv3 plugins, with `volume` and `datapath` in it.
    public var pluginRoot: String?
    /// Lower-case names of those drivers that may be used; nil: all.
    public var allowedDrivers: Set<String>?
    /// Seconds that a call of such a driver may take.
    public var driverTimeLimit: Int = 1800
    /// Drivers and plugins run in namespaces of their own, with limits.
    public var sandboxesPlugins = false
    /// The user of the system that SMAPIv3 plugins run as.
    public var pluginUser: String?
    /// The folder where SMAPIv3 plugins keep the files of their data sources.
    public var pluginMetrics = Self.standardPluginMetrics
    /// Folders with kernels and initial RAM disks that guests may boot from, besides `/var/lib/xcp/guest`.
    public var bootFolders: [String] = []
    /// The release that it is to be like on the wire; nil: the newest.
    public var compatibility: String?
    public var logger: Logger

    public init(
        stateDirectory: String, runDirectory: String, http: HTTPAddress? = nil, https: HTTPAddress? = nil,
        socket: String = Self.standardSocket, initialPasswordFile: String? = nil, acceleration: String = "auto",
        pamService: String? = nil, logger: Logger
    ) {
        self.stateDirectory = stateDirectory
        self.runDirectory = runDirectory
        self.http = http
        self.https = https
        self.socket = socket
        self.initialPasswordFile = initialPasswordFile
        self.acceleration = acceleration
        self.pamService = pamService
        self.logger = logger
    }

    /// Whether the text names a release that `compatibility` can be.
    public static func isRelease(_ text: String) -> Bool { Release(text) != nil }

    /// The path that XenAPI programs and storage drivers know.
    public static let standardSocket = "/var/lib/xcp/xapi"
    /// The folder that plugins know.
    public static let standardPluginMetrics = ToolstackConfiguration.standardPluginMetrics
}
