import CoreTypes
import Foundation
import TestSupport
import Testing

/// Crashes at every recorded moment of random sessions. `GANTRY_CRASH_STATES` is the number of crash states for each
/// kind of image (scripts/crash-run.sh has 10,000); `GANTRY_TEST_SEED` replays a run.
@Suite(.serialized) struct CrashTests {
    @Test(arguments: shapes.filter { isChosen($0.name) })
    func everyCrashStateOpensAndHoldsWhatWasFlushed(_ shape: CrashShape) throws {
        var random = SeededRandom.printed("crash states of \(shape.name)")
        try Self.run(shape, states: Self.wanted, &random)
    }

    /// Seeds that found something, with what it was. What they replay changes with the sessions; a test of its own
    /// holds each finding in place where it is named.
    @Test(arguments: [
        // The old footer among the data: `_2_23_aFixedImageThatWasGrowingHasOneSizeOrTheOther`.
        ("VHD fixed", 1_731_963_700)
    ])
    func seedsThatFoundSomethingFindNothingAnyMore(_ kind: String, _ seed: UInt64) throws {
        let shape = try #require(Self.shapes.first { $0.name == kind })
        var random = SeededRandom(seed: seed)
        try Self.run(shape, states: 200, &random)
    }

    private static func run(_ shape: CrashShape, states wanted: Int, _ random: inout SeededRandom) throws {
        let folder = try ScratchFolder("crash")
        let fresh = try shape.make(in: folder).files
        var files = fresh
        var number: UInt64 = 0
        var (states, prefixes, sessions, asked) = (0, 0, 0, 0)
        while states < wanted {
            // Every fourth session begins with an empty image, the others where a crash left the one before.
            if sessions % 4 == 0 { files = fresh }
            sessions += 1
            var session: CrashSession
            do {
                session = try CrashSession(shape, files)
                try session.run(shape.steps, number: &number, &random)
                if Bool.random(using: &random) { try session.close() }
            } catch {
                Issue.record("\(shape.name), session \(sessions), seed \(random.seed): \(error)")
                return
            }
            let log = CrashLog(session.stores)
            session.abandon()
            let trial = CrashTrial(shape: shape, history: session.history, folder: folder)
            let share = min(wanted - states, max(100, wanted / 25))
            for index in 0..<share {
                let (cut, style) = log.moment(index, of: share, &random)
                files.contents = log.state(cut: cut, style: style, &random)
                states += 1
                if style == .everything { prefixes += 1 }
                let asksQEMU = states % 50 == 0
                if asksQEMU { asked += 1 }
                do {
                    try trial.judge(files, cut: cut, asksQEMU: asksQEMU, worksOn: asksQEMU || states % 5 == 0, &random)
                } catch {
                    Issue.record(
                        "\(shape.name), session \(sessions), seed \(random.seed), before event \(cut) of \(log.count), \(style): \(error)"
                    )
                    return
                }
            }
        }
        print("\(shape.name): \(states) crash states (\(prefixes) prefixes) of \(sessions) sessions; QEMU saw \(asked)")
    }
}
