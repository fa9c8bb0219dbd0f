public import BlockIO

/// Why a command did not do what it was asked: what failed, why, and what to try.
public struct CommandFailure: Error, CustomStringConvertible {
    /// The documented exit codes.
    public enum Status {
        public static let failed: Int32 = 1
        public static let usage: Int32 = 2
    }

    /// E.g. `cannot convert a.vhd to b.qcow2`.
    public let what: String
    public let why: String
    /// Nil where there is nothing better to do than to read `why`.
    public let advice: String?
    public let status: Int32

    public init(_ what: String, why: String, advice: String? = nil, status: Int32 = Status.failed) {
        self.what = what
        self.why = why
        self.advice = advice
        self.status = status
    }

    /// A library's error, with the advice that fits its kind.
    public init(_ what: String, because error: BlockError) {
        self.init(what, why: error.description, advice: ErrorAdvice.particular(to: error) ?? Self.advice(for: error))
    }

    public var description: String {
        "gantry: \(what)\n  why: \(why)" + (advice.map { "\n  try: \($0)" } ?? "")
    }

    /// The same failure under another exit code.
    func with(status: Int32) -> CommandFailure {
        CommandFailure(what, why: why, advice: advice, status: status)
    }

    private static func advice(for error: BlockError) -> String? {
        switch error.code {
        case .invalidImage: "gantry image info --probe FILE, and declare with -f what the file really is"
        case .corrupt: "gantry image check -r all on a copy (qcow2, vhd); what it leaves damaged is read by no command"
        case .noSpace: "another file system, or freeing space on this one"
        case .denied where error.systemError == 0 && error.message.contains("parent"):
            "--parent FORMAT:PATH for each ancestor, or --follow FOLDER"
        case .denied where error.systemError != 0: "another user, or the permissions of the file and its folder"
        case .limitExceeded: "a smaller size, or a format that holds more"
        default: nil
        }
    }
}

/// Runs engine calls of one purpose; what they throw is told as that purpose's failure.
func doing<T>(_ what: String, _ body: () throws(BlockError) -> T) throws(CommandFailure) -> T {
    do throws(BlockError) {
        return try body()
    } catch {
        throw CommandFailure(what, because: error)
    }
}
