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

    /// How much of `amount` may be taken at a time, so that whoever comes after the taker waits for a tenth of a second at most:
    /// what is there, or what comes in that time. At least 1, unless nothing is wanted.
    public mutating func portion(of amount: UInt64, at now: UInt64) -> UInt64 {
        refill(at: now)
        let most = max(level, perNanosecond * 1e8, 1)
        return most >= Double(amount) ? amount : UInt64(most)
    }

    /// Takes `amount`; how long the taker has to wait before it goes on, in nanoseconds.
    public mutating func take(_ amount: UInt64, at now: UInt64) -> UInt64 {
        refill(at: now)
        level -= Double(amount)
        return level >= 0 ? 0 : UInt64(min(-level / perNanosecond, 1e18).rounded(.up))
    }

    private mutating func refill(at now: UInt64) {
        if now <= time { return }
        level = min(burst, level + Double(now - time) * perNanosecond)
        time = now
    }
}
