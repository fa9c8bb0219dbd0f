extension XenAPISession {
    /// How calls travel.
    public enum Encoding: Hashable, Sendable {
        /// What every server understands.
        case xmlRPC
        /// JSON-RPC 2.0, since XenServer 7: shorter, and quicker to read.
        case jsonRPC
    }

    /// How a session behaves. What is not said here has no option.
    public struct Options: Hashable, Sendable {
        /// Which program this is, for the server's log and its limits on sessions.
        public var originator = "gantry-sdk"
        public var userAgent = "XenAPIClient"
        public var encoding = Encoding.xmlRPC
        /// A host that is no coordinator answers `HOST_IS_SLAVE` and the coordinator's address: log in there instead, over
        /// the same port, with the same certificate policy. Not over a Unix socket.
        public var followsCoordinator = true
        /// Log in again when the server no longer knows the session, and make the call once more: it had no effect. Keeps
        /// the password in memory.
        public var reconnects = true
        /// Bytes of the longest answer to a call that is accepted.
        public var longestReply = 512 << 20
        /// How long a call may take, to the end of its answer; nil: as long as it does. Transfers of disks are not limited;
        /// calls that wait for events may take two minutes longer than they were told to wait.
        public var callTimeout: Duration?

        public init() {}
    }
}

/// Who logs in.
struct Credentials: Sendable {
    let user: String
    let password: String
}
