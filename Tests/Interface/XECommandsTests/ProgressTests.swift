import Synchronization
import Testing

@testable import TerminalUI
@testable import XECommands

@Suite struct ProgressTests {
    /// Collects what is written.
    final class Screen: Sendable {
        private let text = Mutex("")
        var content: String { text.withLock { $0 } }
        func output(isTerminal: Bool, columns: Int = 100) -> TerminalOutput {
            TerminalOutput(
                isTerminal: isTerminal, columns: { columns }, write: { written in self.text.withLock { $0 += written } }
            )
        }
    }

    @Test func terminalRedrawsOneLineAndEndsItOnce() {
        let screen = Screen()
        let bar = ProgressBar(label: "copy", output: screen.output(isTerminal: true))
        let start = ContinuousClock.now
        bar.update(ProgressReading(done: 0, total: 4 << 20, phase: "copying"), now: start)
        bar.update(ProgressReading(done: 1, total: 4 << 20, phase: "copying"), now: start + .milliseconds(20))
        bar.update(ProgressReading(done: 2 << 20, total: 4 << 20, phase: "copying"), now: start + .seconds(2))
        bar.finish(now: start + .seconds(4))
        bar.finish(now: start + .seconds(4))
        #expect(screen.content.split(separator: "\r").count == 3)
        #expect(screen.content.contains(" 50%  2.00 MiB / 4.00 MiB  1.00 MiB/s  2 s left  copying"))
        #expect(screen.content.hasSuffix("\n") && screen.content.count { $0 == "\n" } == 1)
        #expect(screen.content.contains("100%  4.00 MiB / 4.00 MiB"))
    }

    @Test func logGetsALinePerTenthPerPhaseAndAfterSilence() {
        let screen = Screen()
        let bar = ProgressBar(label: "copy", output: screen.output(isTerminal: false))
        let start = ContinuousClock.now
        for step in 0..<100 {
            bar.update(ProgressReading(fraction: Double(step) / 100, phase: step < 95 ? "a" : "b"), now: start)
        }
        bar.update(ProgressReading(fraction: 0.99, phase: "b"), now: start + .seconds(1))
        bar.update(ProgressReading(fraction: 0.99, phase: "b"), now: start + .seconds(6))
        bar.finish(now: start + .seconds(6))
        let lines = screen.content.split(separator: "\n").map { String($0.split(separator: " ")[1]) }
        #expect(lines == ["0%", "10%", "20%", "30%", "40%", "50%", "60%", "70%", "80%", "90%", "95%", "99%", "100%"])
        #expect(!screen.content.contains("\r"))
    }

    @Test func failedOperationNeverShowsAHundred() {
        let screen = Screen()
        let bar = ProgressBar(output: screen.output(isTerminal: true))
        bar.update(ProgressReading(fraction: 0.999))
        bar.finish(completed: false)
        #expect(screen.content.contains(" 99%") && !screen.content.contains("100%") && screen.content.hasSuffix("\n"))
    }

    @Test(arguments: [10, 40, 60, 80, 200])
    func lineNeverReachesTheLastColumn(columns: Int) {
        let reading = ProgressReading(
            fraction: 0.5, doneBytes: 1 << 40, totalBytes: 1 << 41, phase: "copying", dirtyBytes: 9)
        let line = ProgressLine(label: "Migrating", reading: reading, rate: 1e9, secondsLeft: 3723)
        #expect(line.text(columns: columns, colour: false).count < columns)
        #expect(!line.text(columns: columns, colour: false).contains("\u{1B}"))
    }

    @Test func rateForgetsWhatIsLongPast() throws {
        var meter = RateMeter()
        let start = ContinuousClock.now
        for second in 0..<20 { meter.sample(bytes: UInt64(min(second, 10)) * 1000, at: start + .seconds(second)) }
        #expect(try #require(meter.bytesPerSecond) == 0)
    }

    @Test(
        arguments: [
            (nil, "-"), (0, "0 s"), (59.4, "59 s"), (60, "1:00"), (187, "3:07"), (7387, "2:03:07"), (-1, "-"),
            (.infinity, "-"),
        ] as [(Double?, String)])
    func durationsReadNaturally(seconds: Double?, expected: String) {
        #expect(SizeText.duration(seconds: seconds) == expected)
    }

    @Test func logThatReachedTheEndIsNotToldTwice() {
        let screen = Screen()
        let bar = ProgressBar(output: screen.output(isTerminal: false))
        bar.update(ProgressReading(done: 5, total: 5))
        bar.finish()
        #expect(screen.content == "100%  5 B / 5 B\n")
    }

    /// What is compared, and a guest's memory, is shown with its own bytes and the time that the server gives it, if it gives any.
    @Test(
        arguments: [
            (["phase": "copying"], "50%  8 B / 9 B  4 B/s  0 s left  copying"),
            (["phase": "verifying"], "50%  20 B / 40 B  4 B/s  5 s left  verifying"),
            (["phase": "verifying", "seconds_left": "7"], "50%  20 B / 40 B  4 B/s  7 s left  verifying"),
            (["phase": "memory", "seconds_left": "60"], "50%  70 B / 100 B  4 B/s  1:00 left  memory"),
            (["phase": "memory", "seconds_left": ""], "50%  70 B / 100 B  4 B/s  memory"),
        ])
    func eachPhaseOfAMoveHasItsOwnBytes(_ notes: [String: String], _ line: String) {
        let screen = Screen()
        let bar = ProgressBar(output: screen.output(isTerminal: false))
        let all = [
            "bytes_copied": "8", "bytes_total": "9", "bytes_compared": "20", "bytes_to_compare": "40",
            "memory_bytes_total": "100", "memory_bytes_remaining": "30", "bytes_per_second": "4",
        ].merging(notes) { $1 }
        bar.update(TransferDisplay.reading(all, progress: 0.5, isFinished: false))
        #expect(screen.content == line + "\n")
        let end = TransferDisplay.reading(all, progress: 1, isFinished: true)
        #expect(end.doneBytes == 8 && end.phase.isEmpty && end.timeLeft == .unsaid)
    }

    @Test func whatAMoveWaitsForIsSaid() {
        func phase(_ notes: [String: String]) -> String { TransferDisplay.phase(notes) }
        #expect(phase(["phase": "copying"]) == "copying" && phase([:]) == "")
        #expect(phase(["phase": "queued", "queue_position": "2"]) == "queued, place 2 in the line")
        #expect(
            phase(["phase": "queued", "queue_position": "1", "waits_for": "room in the SR s"])
                == "queued, place 1 of those that wait for room in the SR s")
        #expect(phase(["phase": "starting", "queue_position": "0", "waits_for": ""]) == "starting")
        #expect(phase(["phase": "queued", "queue_position": "x"]) == "queued")
        #expect(phase(["phase": "queued", "waits_for": "room in the SR s"]) == "queued, waits for room in the SR s")
        // Another disk of the same move may wait.
        #expect(phase(["phase": "copying", "queue_position": "2"]) == "copying")
    }
}
