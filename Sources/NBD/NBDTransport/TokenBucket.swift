/// Lets a rate pass, and a burst after a rest. A value without a clock: times, in nanoseconds, come from outside.
///
/// What is taken beyond the burst is owed: whoever took it waits until the debt is paid, so that the mean is right whatever
/// the sizes, and a request larger than the burst still gets through.
public struct TokenBucket: Sendable, Equatable {
    private let perNanosecond: Double
    private let burst: Double
    private var level: Double
    private var time: UInt64

    /// Starts full. `perSecond` at least 1; `burst`: what may pass at once after a rest.
    public init(perSecond: UInt64, burst: UInt64, at now: UInt64) {
        perNanosecond = Double(max(perSecond, 1)) / 1e9
        self.burst = Double(max(burst, 1))
        level = self.burst
        time = now
    }

    /// Takes `amount`; how long the taker has to wait before it goes on, in nanoseconds.
    public mutating func take(_ amount: UInt64, at now: UInt64) -> UInt64 {
        if now > time {
            level = min(burst, level + Double(now - time) * perNanosecond)
            time = now
        }
        level -= Double(amount)
        return level >= 0 ? 0 : UInt64(min(-level / perNanosecond, 1e18).rounded(.up))
    }
}
