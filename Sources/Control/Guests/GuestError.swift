/// What starting, stopping and changing guests throws: a coarse code to branch on, and what a person needs.
public struct GuestError: Error, Sendable, CustomStringConvertible {
    /// Coarse reason. New codes may be added: compare, never switch exhaustively.
    public struct Code: Hashable, Sendable {
        public let name: String
        private init(_ name: String) { self.name = name }

        /// The specification cannot be expressed to QEMU: a bad identifier, size, path or character.
        public static let invalidSpecification = Code("invalidSpecification")
        /// No guest of that identifier runs here.
        public static let notRunning = Code("notRunning")
        /// A guest of that identifier, or a disk of that identifier in the guest, is there already.
        public static let exists = Code("exists")
        /// QEMU could not be started, or ended before the guest ran; the message has what it printed last.
        public static let startFailed = Code("startFailed")
        /// QEMU refused a command.
        public static let refused = Code("refused")
        /// QEMU or the guest did not answer in time.
        public static let timedOut = Code("timedOut")
        /// QEMU's control socket broke, or QEMU ended while it was being asked.
        public static let disconnected = Code("disconnected")
        /// Another QEMU cannot go on with the guest: its machine type, accelerator or processor is not there.
        public static let incompatible = Code("incompatible")
        /// A guest's memory did not get to the other side. The guest is where it was.
        public static let transferFailed = Code("transferFailed")
        /// Something on the control socket that is not QMP.
        public static let protocolViolation = Code("protocolViolation")
        /// A system call failed.
        public static let system = Code("system")
    }

    public let code: Code
    /// What happened and what to do about it.
    public let message: String
    /// The guest concerned.
    public let guest: String?
    /// The system's error number behind it, 0 when there is none.
    public let systemError: Int32

    public init(_ code: Code, _ message: String, guest: String? = nil, systemError: Int32 = 0) {
        self.code = code
        self.message = message
        self.guest = guest
        self.systemError = systemError
    }

    public var description: String { guest.map { "guest \($0): \(message)" } ?? message }

    /// The same error with the guest named, unless it already names one.
    func of(guest: String) -> GuestError {
        self.guest == nil ? GuestError(code, message, guest: guest, systemError: systemError) : self
    }
}
