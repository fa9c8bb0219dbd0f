import APITypes
import CoreTypes
import DatapathControl
import Foundation
import PoolDatabase
import StorageManagers
import Synchronization
import TestSupport
import Testing

@testable import Toolstack

/// What becomes of the copy of a snapshot whose process dies, or whose other side goes away.
@Suite struct CopyRetryTests {
    private static let lost = DatapathClient.Failure(code: "disconnected", message: "lost")
    private static let died = DatapathClient.Failure(code: CopyRetry.died, message: "killed")

    /// Nil: it is over; what is told then.
    private static func pause(_ step: CopyRetry.Step) -> (after: Duration?, told: String) {
        switch step {
        case .again(let pause): (pause, "")
        case .over(let failure): (nil, failure.message)
        }
    }

    private static func attempt(_ share: Double, lasting: Duration = .zero) -> CopyAttempt {
        var attempt = CopyAttempt()
        let now = ContinuousClock.now
        attempt.note(share / 2, at: now)
        attempt.note(share, at: now + lasting)
        return attempt
    }

    /// As long as is wished, from the first loss on, less and less often, the last time at the end; what is told is the first loss.
    @Test func aSideThatIsLostIsTriedAgainForAsLongAsIsWished() {
        var retry = CopyRetry()
        let start = ContinuousClock.now
        var (now, tries) = (start, 0)
        while true {
            let failure = tries == 0 ? DatapathClient.Failure(code: "disconnected", message: "first") : Self.lost
            let step = Self.pause(retry.failed(failure, at: now, after: Self.attempt(0.1), patience: .seconds(60)))
            guard let pause = step.after else {
                #expect(step.told == "first")
                break
            }
            #expect(pause > .zero && pause <= .seconds(2))
            if tries == 0 { #expect(pause == .milliseconds(100)) }
            now += pause
            tries += 1
        }
        #expect(now == start + .seconds(60) && (30...60).contains(tries) && retry.count == UInt64(tries))
        var never = CopyRetry()
        #expect(Self.pause(never.failed(Self.lost, at: start, after: CopyAttempt(), patience: .zero)).told == "lost")
    }

    /// The time is counted anew where the side was there again for a while, but not for one that hangs, or comes for moments.
    @Test func aTryThatHasWorkedMakesTheNextLossANewOne() {
        let start = ContinuousClock.now
        let minute = Duration.seconds(60)
        for (lasting, goesOn) in [(Duration.seconds(10), true), (.seconds(9), false), (.zero, false)] {
            var retry = CopyRetry()
            _ = retry.failed(Self.lost, at: start, after: Self.attempt(0.3), patience: minute)
            let later = retry.failed(
                DatapathClient.Failure(code: "disconnected", message: "again"), at: start + .seconds(61),
                after: Self.attempt(0.9, lasting: lasting), patience: minute)
            #expect((Self.pause(later).after != nil) == goesOn, "\(lasting)")
            if goesOn {
                let last = retry.failed(Self.lost, at: start + .seconds(200), after: CopyAttempt(), patience: minute)
                #expect(Self.pause(last).told == "again")
            }
        }
    }

    /// A process that is killed comes back, whatever is wished, but not for ever: only while there is one that gets farther.
    @Test func aProcessThatDiesComesBackUnlessItGetsNoFarther() {
        let now = ContinuousClock.now
        var retry = CopyRetry()
        for step in 1...100 {
            let next = retry.failed(Self.died, at: now, after: Self.attempt(Double(step) / 200), patience: .zero)
            #expect(Self.pause(next).after != nil)
        }
        for _ in 0..<CopyRetry.mostInVain {
            let next = retry.failed(Self.died, at: now, after: Self.attempt(0.5), patience: .zero)
            #expect(Self.pause(next).after != nil)
        }
        #expect(Self.pause(retry.failed(Self.died, at: now, after: CopyAttempt(), patience: .zero)).told == "killed")
        // Nor does one that is lost at the same place, each time after hours.
        var other = CopyRetry()
        var count = 0
        while Self.pause(
            other.failed(
                Self.lost, at: now + .seconds(3600 * count), after: Self.attempt(0.5, lasting: .seconds(3000)),
                patience: .seconds(60))
        ).after != nil { count += 1 }
        #expect(count == CopyRetry.mostInVain + 1)
    }

    /// What is wrong with an image, or full, is so the next time, too.
    @Test func whatAnotherTryWouldNotMendIsTold() {
        for code in ["io", "noSpace", "corrupt", "busy", DiskCopyPlan.differs] {
            var retry = CopyRetry()
            _ = retry.failed(Self.lost, at: .now, after: CopyAttempt(), patience: .seconds(60))
            let failure = DatapathClient.Failure(code: code, message: "its own")
            let step = retry.failed(failure, at: .now, after: CopyAttempt(), patience: .seconds(60))
            #expect(Self.pause(step).told == "its own", "\(code)")
        }
    }

    @Test func aTryWorksWhileItGetsFarther() {
        let now = ContinuousClock.now
        var attempt = CopyAttempt()
        let seen: [(Double, Int)] = [(0, 0), (.nan, 1), (0.2, 2), (0.1, 3), (0.4, 5), (0.4, 9), (.infinity, 10)]
        for (share, second) in seen { attempt.note(share, at: now + .seconds(second)) }
        #expect(attempt.share == 0.4 && attempt.worked == .seconds(3))
    }

    // MARK: With a process

    /// A disk whose copies are made by a program that does what a test says. It is told how often it was started before.
    private static func bench(_ body: String) async throws -> (bench: StorageBench, vdi: Ref<VDI>, sr: Ref<SR>) {
        let folder = try ScratchFolder("copier")
        let program = folder.file("copier")
        let script = """
            #!/bin/sh
            n=$(cat \(folder.file("count")) 2>/dev/null || echo 0)
            echo $((n + 1)) > \(folder.file("count"))
            for word; do case $word in *destination*) printf '%s\\n' "$word" >> \(folder.file("plans"));; esac; done
            fail() { echo "{\\"code\\":\\"$1\\",\\"message\\":\\"$2\\"}" >&2; exit 1; }
            \(body)
            """
        try Data(script.utf8).write(to: URL(fileURLWithPath: program))
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program)
        let database = try await PoolDatabase.open(
            path: folder.file("pool.db"), deriving: AllowedOperations.derivation)
        let bench = try await StorageBench([FileStorageManager()], on: database, folder, program: program)
        let sr = try await bench.makeFolder("a")
        let made = try await bench.call(
            "VDI.create",
            .record([
                APIMember("SR", .ref(sr.opaque)), APIMember("virtual_size", .int(1 << 20)),
                APIMember("name_label", .string("s")), APIMember("type", .string("user")),
                APIMember("sm_config", .map(["image-format": .string("raw")])),
            ]))
        return (bench, try #require(Ref<VDI>(api: made)), sr)
    }

    /// How often the program was started.
    private static func tries(_ bench: StorageBench) throws -> Int {
        let text = try String(contentsOfFile: bench.folder.file("count"), encoding: .utf8)
        return Int(text.trimmingCharacters(in: .newlines)) ?? 0
    }

    private static func copy(
        _ made: (bench: StorageBench, vdi: Ref<VDI>, sr: Ref<SR>), _ settings: MirrorSettings = MirrorSettings(),
        to format: String = ImageSpecification.remote, isMove: Bool = true, progress: Noted = Noted()
    ) async -> [String] {
        let limits = isMove ? CopyLimits(settings, bytesPerSecond: 0) { nil } : nil
        do {
            try await CopyInto(context: made.bench.context).copy(
                made.vdi, base: .null, to: ImageSpecification(path: "nbd+unix:///disk?socket=/s", format: format),
                of: (made.sr, made.vdi), limits: limits, progress: progress)
            return ["copied"]
        } catch let error as APIError {
            return error.wire
        } catch {
            return ["\(type(of: error))"]
        }
    }

    /// Killed, lost, and then whole: each try is the whole copy, to the same place.
    @Test func aCopyThatIsInterruptedIsMadeAgainAsAWhole() async throws {
        let made = try await Self.bench(
            """
            case $n in
            0) echo 0.4; kill -9 $$;;
            1) echo 0.2; fail disconnected cut;;
            3) echo "Fatal error: here" >&2; kill -9 $$;;
            *) echo 0.5; echo 1; exit 0;;
            esac
            """)
        let progress = Noted()
        #expect(await Self.copy(made, progress: progress) == ["copied"])
        #expect(progress.notes["mirror_retries"] == "2")
        let plans = try String(contentsOfFile: made.bench.folder.file("plans"), encoding: .utf8)
            .split(separator: "\n").map { try JSONDecoder().decode(DiskCopyPlan.self, from: Data($0.utf8)) }
        #expect(plans.count == 3 && Set(plans.map(\.destination)).count == 1 && plans.allSatisfy { $0.base == nil })
        #expect(plans.map(\.isAgain) == [nil, true, true])
        // Of one that crashes for good it is told where; what is no move makes one try into a file.
        let told = await Self.copy(made, to: "raw", isMove: false)
        #expect(told.contains { $0.contains("signal 9: Fatal error: here") }, "\(told)")
    }

    /// What is copied into an export and is no move is tried again as well: VDI.copy.
    @Test func aCopyIntoAnExportIsMadeAgain() async throws {
        let made = try await Self.bench(
            """
            case $n in
            0) echo 0.4; kill -9 $$;;
            1) echo 0.2; fail disconnected cut;;
            *) echo 1; exit 0;;
            esac
            """)
        let progress = Noted()
        #expect(await Self.copy(made, isMove: false, progress: progress) == ["copied"])
        #expect(try Self.tries(made.bench) == 3 && progress.notes["mirror_retries"] == "2")
    }

    /// So is a whole disk's, which a mirror makes: it waits for a server that its mirror tries again.
    @Test func aCopyWaitsForAServerThatIsTriedAgain() throws {
        func mirror(_ phase: MirrorPhase, isRetrying: Bool = false, error: String? = nil) -> MirrorStatus {
            var details = MirrorDetails(
                settings: MirrorSettings(), isActive: true, isConverging: true, isRetrying: isRetrying, retries: 0,
                resumedBytes: 0, remainingSeconds: nil, delayedWrites: 0, delayMicroseconds: 0,
                longestDelayMicroseconds: 0)
            details.isCompared = false
            return MirrorStatus(
                phase: phase, destination: ImageSpecification(path: "b", format: "raw"), totalBytes: 1, copiedBytes: 1,
                dirtyBytes: 0, bytesPerSecond: 0, error: error, details: details)
        }
        #expect(try DiskCopy.isWhole(mirror(.synchronised)) && DiskCopy.isWhole(mirror(.dual)))
        #expect(try !DiskCopy.isWhole(mirror(.copying)) && !DiskCopy.isWhole(mirror(.broken, isRetrying: true)))
        let lost = #expect(throws: DatapathClient.Failure.self) { try DiskCopy.isWhole(mirror(.broken, error: "cut")) }
        #expect(lost?.code == "io" && lost?.message == "cut")
    }

    /// The first loss is the error when the time is over; where none is wished, and for what is no move and no export, there is one try.
    @Test func theFirstLossIsToldWhenTheTimeIsOver() async throws {
        let made = try await Self.bench("fail disconnected \"loss $n\"")
        let told = await Self.copy(made, MirrorSettings(retrySeconds: 2))
        #expect(told == ["SR_BACKEND_FAILURE_46", "", "loss 0", ""])
        #expect(try Self.tries(made.bench) >= 2)
        for (settings, format, isMove) in [
            (MirrorSettings(retrySeconds: 0), ImageSpecification.remote, true), (MirrorSettings(), "raw", true),
            (MirrorSettings(), "raw", false),
        ] {
            let before = try Self.tries(made.bench)
            let told = await Self.copy(made, settings, to: format, isMove: isMove)
            #expect(told == ["SR_BACKEND_FAILURE_46", "", "loss \(before)", ""])
        }
    }

    /// Nobody who cancels waits for the next try, nor for the end of the time.
    @Test func aCopyIsCancelledBetweenTwoTries() async throws {
        let made = try await Self.bench("fail disconnected cut")
        let progress = Noted()
        let canceller = Task {
            while progress.notes["mirror_retries"] == nil { try await Task.sleep(for: .milliseconds(2)) }
            progress.cancellation.cancel()
        }
        let told = await Self.copy(made, MirrorSettings(retrySeconds: 100_000), progress: progress)
        #expect(told == ["CancellationError"])
        canceller.cancel()
        _ = try? await canceller.value
    }

    /// What is wished meanwhile holds for the next try as well: it begins as the one before it stood.
    @Test func whatACopyWasToldItIsToldAgain() async {
        let progress = Noted()
        let limits = CopyLimits(MirrorSettings(isPaused: true), bytesPerSecond: 70) { 50 }
        #expect(await limits.atStart(progress) == MirrorSettings(bytesPerSecond: 50, isPaused: true))
        #expect(await limits.atStart(progress) == MirrorSettings(bytesPerSecond: 50, isPaused: true))
        progress.set(["bytes-per-second": "20"])
        #expect(await limits.change(progress) == MirrorSettings(bytesPerSecond: 20))
        #expect(await limits.atStart(progress) == MirrorSettings(bytesPerSecond: 20, isPaused: true))
        progress.set(["paused": "false", "retry-seconds": "7"])
        #expect(await limits.atStart(progress).isPaused == false)
        #expect(limits.patience(isExport: false, progress) == .seconds(7))
        #expect(limits.patience(isExport: true, Noted()) == .seconds(60))
        #expect(limits.patience(isExport: false, Noted()) == .zero)
    }

    private final class Noted: TaskProgress {
        private struct State {
            var entries: [String: String] = [:]
            var notes: [String: String] = [:]
        }

        private let state = Mutex(State())
        let cancellation = CancellationFlag()
        var entries: [String: String] { state.withLock { $0.entries } }
        var notes: [String: String] { state.withLock { $0.notes } }
        func set(_ entries: [String: String]) { state.withLock { $0.entries = entries } }
        func report(_ fraction: Double) {}
        func annotate(_ entries: [String: String]) { state.withLock { $0.notes.merge(entries) { $1 } } }
        func passPointOfNoReturn() {}
    }
}
