/// How third-party drivers are run.
public struct PluginSettings: Sendable {
    /// Where drivers expect the API's local socket.
    public static let expectedSocket = "/var/lib/xcp/xapi"
    /// Where SMAPIv3 plugins keep the files of their data sources.
    public static let metricsFolder = "/dev/shm/metrics"

    /// For calls that work.
    public var limits: PluginLimits
    /// For questions that every driver answers at once.
    public var questionTime: Duration
    /// The API's socket when it is not where drivers expect it: they are then started in a mount namespace where it is.
    public var socket: String?
    /// Lower-case names of the drivers that may be used; nil: all in the folders.
    public var allowed: Set<String>?
    /// The folder where runs that work are recorded while they last: `PluginRecord`.
    public var records: String?
    public var sandbox: PluginSandbox

    public init(
        limits: PluginLimits = PluginLimits(), questionTime: Duration = .seconds(20), socket: String? = nil,
        allowed: Set<String>? = nil, records: String? = nil, sandbox: PluginSandbox = PluginSandbox()
    ) {
        self.sandbox = sandbox
        self.limits = limits
        self.questionTime = questionTime
        self.socket = socket
        self.allowed = allowed
        self.records = records
    }

    /// What every driver finds in its environment.
    static let environment = [
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "ORIGINATOR": "SM", "LC_ALL": "C.UTF-8",
    ]

    /// The program's run. `callsBack`: it is a SMAPIv1 driver's and wants the API's socket.
    func command(
        _ program: String, _ arguments: [String], callsBack: Bool, input: [UInt8] = [], isRecorded: Bool
    ) -> PluginCommand {
        // Questions need no socket.
        let own = isRecorded ? socket ?? Self.expectedSocket : Self.expectedSocket
        let words = sandbox.wrap([program] + arguments, socket: callsBack ? own : nil)
        return PluginCommand(
            program: words[0], arguments: Array(words.dropFirst()), environment: Self.environment, input: input,
            records: isRecorded ? records : nil)
    }
}
