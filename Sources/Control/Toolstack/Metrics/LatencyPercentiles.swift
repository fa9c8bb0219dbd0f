/// What a histogram of a data path says of single requests: element `n` counts those below `2^n` microseconds that the one
/// before does not.
enum LatencyPercentiles {
    /// Those that are kept and shown: of a hundred requests, how many are at least as quick.
    static let shown = [50, 99]

    /// Milliseconds within which `percent` of the requests between two looks were answered, taken as spread evenly over their
    /// bucket; 0 when there was none, NaN when that is not known.
    static func milliseconds(_ percent: Int, _ before: [UInt64]?, _ now: [UInt64]?) -> Double {
        guard let now else { return .nan }
        var counts = now.map(Double.init)
        if let before {
            guard before.count == now.count, zip(before, now).allSatisfy({ $0 <= $1 }) else { return .nan }
            counts = zip(before, now).map { Double($1 - $0) }
        }
        let total = counts.reduce(0, +)
        if total == 0 { return 0 }
        var rest = total * Double(percent) / 100
        var low = 0.0
        var high = 1.0
        for count in counts {
            if count > 0, rest <= count { return (low + (high - low) * rest / count) / 1000 }
            rest -= count
            (low, high) = (high, high * 2)
        }
        return low / 1000
    }
}
