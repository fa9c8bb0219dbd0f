/// One run of a third-party program.
public struct PluginCommand: Sendable {
    /// Absolute path of the program.
    public var program: String
    /// What follows the program's name.
    public var arguments: [String]
    /// All of its environment.
    public var environment: [String: String]
    /// What it reads from its standard input.
    public var input: [UInt8]
    /// The folder where its run is recorded while it lasts, for whoever comes after us when we are killed; nil: nowhere,
    /// for what changes nothing.
    public var records: String?

    public init(
        program: String, arguments: [String], environment: [String: String], input: [UInt8] = [],
        records: String? = nil
    ) {
        self.program = program
        self.arguments = arguments
        self.environment = environment
        self.input = input
        self.records = records
    }
}

/// What one run may take.
public struct PluginLimits: Sendable, Hashable {
    /// After so long the program and what it started are killed.
    public var time: Duration
    /// Bytes of standard output; beyond, the program is killed.
    public var output: Int
    /// Bytes of standard error that are kept; the rest is read and dropped.
    public var errors: Int

    public init(time: Duration = .seconds(1800), output: Int = 4 << 20, errors: Int = 64 << 10) {
        self.time = time
        self.output = output
        self.errors = errors
    }
}

/// How a run ended, and what was said in it.
public struct PluginOutcome: Sendable {
    public enum Ending: Sendable, Hashable {
        case exited(Int32)
        case signalled(Int32)
        case timedOut
        /// It wrote more than `PluginLimits.output`.
        case flooded
        /// An errno.
        case notStarted(Int32)
    }

    public let ending: Ending
    public let output: [UInt8]
    public let errors: [UInt8]
}
