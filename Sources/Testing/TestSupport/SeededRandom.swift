import Glibc

/// A repeatable random generator (SplitMix64). The seed is printed, and `GANTRY_TEST_SEED` replays it.
public struct SeededRandom: RandomNumberGenerator, Sendable {
    public let seed: UInt64
    private var state: UInt64

    public init(seed: UInt64) {
        self.seed = seed
        state = seed
    }

    /// A generator seeded from `GANTRY_TEST_SEED` or the clock; prints the seed with the test's name.
    public static func printed(_ test: String = #function) -> SeededRandom {
        // SAFETY: getenv's text is copied at once; tests do not change the environment.
        let given = unsafe getenv("GANTRY_TEST_SEED").flatMap { unsafe UInt64(String(cString: $0)) }
        let seed = given ?? UInt64.random(in: 1...0xFFFF_FFFF)
        print("\(test): seed \(seed) (replay with GANTRY_TEST_SEED=\(seed))")
        return SeededRandom(seed: seed)
    }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    public mutating func bytes(_ count: Int) -> [UInt8] {
        var all = [UInt8](repeating: 0, count: count)
        var index = 0
        while index < count {
            var word = next()
            for _ in 0..<min(8, count - index) {
                all[index] = UInt8(truncatingIfNeeded: word)
                word >>= 8
                index += 1
            }
        }
        return all
    }
}
