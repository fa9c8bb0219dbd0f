/// A storage driver's failure, with the number that XenAPI clients know it by.
public struct StorageError: Error, Sendable, CustomStringConvertible {
    /// The driver's fault number: N of `SR_BACKEND_FAILURE_N`. Source: SMAPIv1 fault codes.
    public struct Fault: Hashable, Sendable {
        public let number: Int
        private init(_ number: Int) { self.number = number }

        /// The number that a third-party driver gave.
        public static func driver(_ number: Int) -> Fault { Fault(number) }

        public static let invalidArgument = Fault(1)
        public static let deviceInUse = Fault(16)
        public static let invalidDevice = Fault(19)
        public static let volumeInUse = Fault(24)
        public static let unimplemented = Fault(38)
        public static let repositoryNotEmpty = Fault(39)
        public static let repositoryExists = Fault(42)
        public static let volumeExists = Fault(43)
        public static let noSpace = Fault(44)
        public static let volumeUnavailable = Fault(46)
        public static let repositoryUnavailable = Fault(47)
        public static let repositoryCreation = Fault(61)
        public static let volumeType = Fault(66)
        public static let volumeCreation = Fault(78)
        public static let mount = Fault(73)
        public static let volumeSize = Fault(79)
        public static let volumeDeletion = Fault(80)
        public static let deviceMissing = Fault(90)
        public static let locationMissing = Fault(94)
        public static let volumeClone = Fault(81)
        public static let volumeSnapshot = Fault(82)
        public static let chainTooLong = Fault(109)
        public static let serverPathMissing = Fault(101)
        public static let serverMissing = Fault(102)
        public static let volumeResize = Fault(110)
        public static let volumeMissing = Fault(144)
        public static let general = Fault(202)
        public static let trackingStart = Fault(457)
        public static let trackingEnd = Fault(458)
        public static let trackingInconsistent = Fault(459)
        public static let changedBlocks = Fault(460)
        public static let imageFolderMissing = Fault(220)
        public static let imageFolderInvalid = Fault(221)
        public static let imageFolderMount = Fault(222)
    }

    public let fault: Fault
    /// What failed, why, and what to do.
    public let message: String
    /// What the driver wrote beside its answer, bounded: the last parameter of `SR_BACKEND_FAILURE_N`.
    public let details: String
    /// Code and parameters of the API error, where the driver's way to fail has one of its own.
    public let apiError: [String]?
    /// For `createRepository`: something that it made is still there.
    public var leavesSomething = false

    public init(_ fault: Fault, _ message: String, details: String = "", apiError: [String]? = nil) {
        self.fault = fault
        self.message = message
        self.details = details
        self.apiError = apiError
    }

    public var description: String { message }
}
