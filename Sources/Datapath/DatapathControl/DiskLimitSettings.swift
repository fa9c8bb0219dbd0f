/// What one disk's clients may do, together. Nil: no limit. Operations are reads, writes, trims and zeroings, a second; bytes
/// are those that are moved. Flushes are free.
public struct DiskLimitSettings: Codable, Hashable, Sendable {
    /// A rate, and what may pass at once after a rest.
    public struct Rate: Codable, Hashable, Sendable {
        public var perSecond: UInt64
        /// Nil: what a tenth of a second lets pass.
        public var burst: UInt64?

        public init(perSecond: UInt64, burst: UInt64? = nil) {
            self.perSecond = perSecond
            self.burst = burst
        }
    }

    public var operations: Rate?
    public var readOperations: Rate?
    public var writeOperations: Rate?
    public var bytes: Rate?
    public var readBytes: Rate?
    public var writeBytes: Rate?

    public init() {}
}
