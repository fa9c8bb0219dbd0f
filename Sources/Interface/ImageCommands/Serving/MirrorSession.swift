import BlockCopy
import BlockIO
import CoreTypes
import DiskImages
import TerminalUI

/// A mirror driven by lines: `start`, `pivot`, `status`, `quit`. One thread runs it; the data path has its own.
///
/// The mirror's progress is sampled, as it offers no event: every 5 ms while something waits for it, else not at all.
final class MirrorSession {
    private struct Done: Encodable {
        let copiedBytes: UInt64
        let totalBytes: UInt64
        let dirtyBytes: UInt64
        /// Since `start`.
        let seconds: Double
        /// The longest time for which requests were held up by a change of the stack; with `pivoted` only.
        var pauseMilliseconds: Double?
        /// From `pivot`, or from being in sync when that came later, to the answer.
        var pivotMilliseconds: Double?

        enum CodingKeys: String, CodingKey {
            case copiedBytes = "copied_bytes"
            case totalBytes = "total_bytes"
            case dirtyBytes = "dirty_bytes"
            case seconds
            case pauseMilliseconds = "pause_ms"
            case pivotMilliseconds = "pivot_ms"
        }
    }

    private enum Stage { case idle, copying, synchronised, pivoted }

    private let device: SwitchableDevice
    private let openTarget: () throws(CommandFailure) -> MirrorTarget
    private let inbox: CommandInbox
    private var stage = Stage.idle
    private var target: MirrorTarget?
    private var started = ContinuousClock.now
    private var synchronised = ContinuousClock.now
    private var last: MirrorProgress?
    /// When the pivot that is wanted was asked for.
    private var pivotWanted: ContinuousClock.Instant?
    /// The last mirror failed.
    private(set) var hasFailed = false

    init(device: SwitchableDevice, inbox: CommandInbox, openTarget: @escaping () throws(CommandFailure) -> MirrorTarget)
    {
        self.device = device
        self.inbox = inbox
        self.openTarget = openTarget
    }

    /// Returns at `quit` or the end of input; a mirror that has not been pivoted is cancelled and its new image removed.
    func run() {
        while true {
            let waiting = stage == .copying || (stage == .synchronised && pivotWanted != nil)
            switch inbox.next(patience: waiting ? 5_000_000 : nil) {
            case .line(let line):
                let word = line.split(whereSeparator: \.isWhitespace).joined(separator: " ")
                if word == "quit" { return abandon() }
                if !word.isEmpty { obey(word) }
            case .end: return abandon()
            case nil: break
            }
            advance()
        }
    }

    private func obey(_ word: String) {
        switch word {
        case "start":
            guard stage == .idle else { return say(error: "there is a mirror already") }
            start()
        case "pivot":
            guard stage == .copying || stage == .synchronised else {
                return say(error: "there is no mirror to pivot to; start one")
            }
            pivotWanted = pivotWanted ?? .now
        case "status": say("status", status())
        default: say(error: "'\(word)' is not understood; expected start, pivot, status or quit")
        }
    }

    private func start() {
        do throws(CommandFailure) {
            let target = try openTarget()
            started = .now
            do throws(BlockError) {
                try device.startMirror(to: target.device, bytesPerSecond: 0)
            } catch {
                try? target.device.close()
                target.discard()
                throw CommandFailure("cannot start the mirror", because: error)
            }
            self.target = target
            stage = .copying
            hasFailed = false
        } catch {
            hasFailed = true
            say(error: "\(error.what): \(error.why)")
        }
    }

    /// Reports what has come about since the last time, and pivots when that is wanted and possible.
    private func advance() {
        guard stage == .copying || stage == .synchronised, let progress = device.mirrorProgress else { return }
        last = progress
        if progress.phase == .broken {
            return giveUp(because: progress.error ?? BlockError(.io, "the destination failed"))
        }
        if stage == .copying, progress.phase == .synchronised {
            stage = .synchronised
            synchronised = .now
            say("ready", status())
        }
        guard stage == .synchronised, let asked = pivotWanted else { return }
        let begun = max(asked, synchronised)
        do throws(BlockError) {
            try device.preparePivot()
        } catch {
            // Busy: the guest's writes went ahead of the copier once more; it catches up, and this is tried again.
            if error.code != .busy { giveUp(because: error) }
            return
        }
        do throws(BlockError) {
            try target?.publish()
            try device.commitPivot()
        } catch {
            return giveUp(because: error)
        }
        stage = .pivoted
        pivotWanted = nil
        target = nil
        var done = status()
        done.pauseMilliseconds = Double(device.longestPauseNanoseconds) / 1e6
        done.pivotMilliseconds = (ContinuousClock.now - begun).inSeconds * 1000
        say("pivoted", done)
    }

    /// Ends the mirror in favour of the source, which goes on being served.
    private func giveUp(because error: BlockError) {
        abandon()
        hasFailed = true
        say(error: error.description)
    }

    private func abandon() {
        if let target {
            try? device.cancelMirror()
            target.discard()
        }
        target = nil
        pivotWanted = nil
        if stage != .pivoted { stage = .idle }
    }

    private func status() -> Done {
        Done(
            copiedBytes: last?.copiedBytes ?? 0, totalBytes: last?.totalBytes ?? 0, dirtyBytes: last?.dirtyBytes ?? 0,
            seconds: stage == .idle ? 0 : (ContinuousClock.now - started).inSeconds)
    }

    private func say(error message: String) { say("error", ["message": message]) }

    private func say(_ word: String, _ details: some Encodable) {
        let text = (try? JSONText.line(details)) ?? "{}"
        TerminalOutput.standardOutput.write("\(word) \(text)\n")
    }
}
