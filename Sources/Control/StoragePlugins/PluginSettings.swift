/// How third-party drivers are run.
public struct PluginSettings: Sendable {
    /// Where drivers expect the API's local socket.
    public static let expectedSocket = "/var/lib/xcp/xapi"

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

    public init(
        limits: PluginLimits = PluginLimits(), questionTime: Duration = .seconds(20), socket: String? = nil,
        allowed: Set<String>? = nil, records: String? = nil
    ) {
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

    /// The program's run, in a namespace of its own where that is needed.
    func command(_ program: String, _ arguments: [String], callsBack: Bool) -> PluginCommand {
        guard callsBack, let socket, socket != Self.expectedSocket else {
            return PluginCommand(
                program: program, arguments: arguments, environment: Self.environment,
                records: callsBack ? records : nil)
        }
        return PluginCommand(
            program: "/usr/bin/unshare",
            arguments: ["--mount", "--propagation", "slave", "--", "/bin/sh", "-c", Self.showSocket, socket, program]
                + arguments,
            environment: Self.environment, records: records)
    }

    /// Puts the socket where drivers look for it, for this process and its children only. What is mounted on the host
    /// later shows up here; what the driver mounts does not show up on the host.
    private static let showSocket = """
        set -e
        if [ -S /var/lib/xcp/xapi ]; then
          mount --bind "$0" /var/lib/xcp/xapi
        else
          mkdir -p /var/lib/xcp
          mount -t tmpfs -o mode=0755,size=64k tmpfs /var/lib/xcp
          ln -s "$0" /var/lib/xcp/xapi
        fi
        exec "$@"
        """
}
