import CoreTypes
import Synchronization
import Testing

@testable import Toolstack

/// What one task says of several disks that move side by side.
@Suite struct SharedProgressTests {
    @Test func whatSeveralDisksReportIsAddedUp() {
        let notes: [[String: String]] = [
            ["phase": "synchronised", "bytes_total": "10", "bytes_copied": "10", "bytes_per_second": "0"],
            ["phase": "copying", "bytes_total": "30", "bytes_copied": "10", "bytes_per_second": "4"],
        ]
        #expect(
            SharedProgress.sum(notes) == [
                "phase": "copying", "bytes_total": "40", "bytes_copied": "20", "bytes_per_second": "4",
                "seconds_left": "5",
            ])
        #expect(SharedProgress.sum([["phase": "queued", "queue_position": "3"]])["queue_position"] == "3")
        // The place is that of one that waits, and not of one that had its turn; what is compared does not copy.
        let waiting = SharedProgress.sum([
            ["phase": "synchronised", "queue_position": "0", "waits_for": ""],
            ["phase": "queued", "queue_position": "2"],
            ["phase": "queued", "queue_position": "4", "waits_for": "room"],
        ])
        #expect(waiting == ["phase": "queued", "queue_position": "4", "waits_for": "room"])
        let through = SharedProgress.sum([["queue_position": "0", "waits_for": "x"], ["phase": "copying"]])
        #expect(through == ["phase": "copying", "queue_position": "0", "waits_for": ""])
        let mixed = SharedProgress.sum([notes[1], ["phase": "verifying", "bytes_per_second": "900"]])
        #expect(mixed["bytes_per_second"] == "4" && mixed["seconds_left"] == "5")
        for (words, text) in [
            (["phase": "copying", "queue_position": "2"], "copying"), (["phase": "queued"], "queued"),
            (["phase": "queued", "queue_position": "2"], "queued, place 2 in the line"),
            (["phase": "queued", "waits_for": "room"], "queued, waits for room"),
            (
                ["phase": "queued", "queue_position": "2", "waits_for": "room"],
                "queued, place 2 of those that wait for room"
            ),
        ] {
            #expect(RunningTask.describe(words) == text)
        }
    }

    /// A call with several disks offers `cancel` until the last of them has passed its point of no return.
    @Test func theLastOfSeveralDisksEndsWhatCanBeCancelled() async throws {
        final class Whole: TaskProgress {
            let cancellation = CancellationFlag()
            let hasPassed = Mutex(false)
            func report(_ fraction: Double) {}
            func annotate(_ entries: [String: String]) {}
            func passPointOfNoReturn() async throws { hasPassed.withLock { $0 = true } }
        }
        let whole = Whole()
        let shared = SharedProgress([1, 1], of: whole)
        // One more than once is one.
        for _ in 0..<2 { try await shared.part(0).passPointOfNoReturn() }
        #expect(!whole.hasPassed.withLock { $0 })
        try await shared.part(1).passPointOfNoReturn()
        #expect(whole.hasPassed.withLock { $0 })
    }
}
