import Glibc

/// Which cases of a test that has many and slow ones a run does: a few that the seed chooses, so that many runs do them all, or
/// all of them at once with `GANTRY_LONG=1`.
public enum GateShare {
    /// `count` of the cases, in their order. The seed is printed with the test's name, and replays the choice.
    public static func some<Case>(_ count: Int, of cases: [Case], _ test: String = #function) -> [Case] {
        // SAFETY: only the pointer is compared; tests do not change the environment.
        if unsafe getenv("GANTRY_LONG") != nil { return cases }
        var random = SeededRandom.printed("\(test): \(count) of \(cases.count)")
        return cases.indices.shuffled(using: &random).prefix(count).sorted().map { cases[$0] }
    }
}
