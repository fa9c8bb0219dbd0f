import DatapathControl
import Testing

@testable import Datapath

/// How a copy hears of its pace.
@Suite struct PaceLinesTests {
    /// Nobody would end its pause, or begin one.
    @Test func aCopyThatCannotHearIsAnErrorAndNoStandstill() throws {
        for settings in [MirrorSettings(isPaused: true), MirrorSettings(bytesPerSecond: 1)] {
            #expect(throws: PaceLines.Deaf.self) { _ = try PaceLines(settings) { _ in false } }
            _ = try PaceLines(settings) { _ in true }
        }
    }
}
