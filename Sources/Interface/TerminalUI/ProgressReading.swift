/// One sample of a long operation, from whatever source: a counter in this process or a task of the server.
public struct ProgressReading: Hashable, Sendable {
    /// How long an operation takes yet, as its source has it.
    public enum TimeLeft: Hashable, Sendable {
        /// The source says nothing of it: the bar may estimate it.
        case unsaid
        /// Seconds; nil: the source knows that it cannot be said.
        case said(Double?)
    }

    /// 0…1.
    public var fraction: Double
    /// Bytes finished; nil when the source does not say.
    public var doneBytes: UInt64?
    /// Bytes in all; nil when unknown.
    public var totalBytes: UInt64?
    /// The source's own figure; nil lets the bar measure it.
    public var bytesPerSecond: Double?
    /// How long it takes yet.
    public var timeLeft = TimeLeft.unsaid
    /// What is going on, e.g. `copying`; empty for none.
    public var phase: String
    /// Bytes changed behind the copy that still have to follow; nil when there is no such thing.
    public var dirtyBytes: UInt64?

    public init(
        fraction: Double, doneBytes: UInt64? = nil, totalBytes: UInt64? = nil, bytesPerSecond: Double? = nil,
        phase: String = "", dirtyBytes: UInt64? = nil
    ) {
        self.fraction = fraction.isFinite ? min(1, max(0, fraction)) : 0
        self.doneBytes = doneBytes
        self.totalBytes = totalBytes
        self.bytesPerSecond = bytesPerSecond
        self.phase = phase
        self.dirtyBytes = dirtyBytes
    }

    /// A sample of bytes alone; the fraction is theirs.
    public init(done: UInt64, total: UInt64, phase: String = "") {
        self.init(
            fraction: total == 0 ? 0 : Double(done) / Double(total), doneBytes: done,
            totalBytes: total == 0 ? nil : total, phase: phase)
    }
}
