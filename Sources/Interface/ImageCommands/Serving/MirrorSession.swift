import BlockCopy
import BlockIO
import CoreTypes
import DiskImages
import Glibc
import TerminalUI

/// A mirror driven by lines: `start`, `pivot`, `status`, `quit`, and what changes a running mirror. One thread runs it; the data path has its own.
/// What may take long, a comparison and the preparation of a pivot, has a thread of its own, too: every line is heard meanwhile.
///
/// The mirror's progress is sampled, as it offers no event: every 5 ms while something waits for it, else not at all.
final class MirrorSession {
    /// `ending`: it was cancelled, and waits for a destination that hangs.
    private enum Stage { case idle, copying, synchronised, pivoted, ending }

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
    /// A comparison is under way.
    private var isVerifying = false
    /// A pivot is being prepared: the attempt's number.
    private var preparing: Int?
    private var attempts = 0
    /// When that pivot began.
    private var begun = ContinuousClock.now
    /// The last mirror failed.
    private(set) var hasFailed = false
    private var options: MirrorOptions
    private let connections: Int
    private var writes = MirrorReport.Writes()

    init(
        device: SwitchableDevice, inbox: CommandInbox, options: MirrorOptions, connections: Int,
        openTarget: @escaping () throws(CommandFailure) -> MirrorTarget
    ) {
        self.options = options
        self.connections = connections
        self.device = device
        self.inbox = inbox
        self.openTarget = openTarget
    }

    /// Returns at `quit` or the end of input; a mirror that has not been pivoted is cancelled and its new image removed.
    func run() {
        while true {
            let isPivoting = stage == .synchronised && pivotWanted != nil && preparing == nil && !isVerifying
            let waiting = stage == .copying || isPivoting
            switch inbox.next(patience: waiting ? 5_000_000 : nil) {
            case .line(let line):
                let word = line.split(whereSeparator: \.isWhitespace).joined(separator: " ")
                if word == "quit" {
                    abandon()
                    return
                }
                if !word.isEmpty { obey(word) }
            case .verified(let outcome):
                isVerifying = false
                do throws(BlockError) {
                    say("verified", ["compared_bytes": try outcome.get()])
                } catch {
                    say(error: error.description)
                }
            case .prepared(let attempt, let error):
                // Of one that was given up meanwhile nobody wants to know.
                if preparing == attempt {
                    preparing = nil
                    prepared(error)
                }
            case .end:
                abandon()
                return
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
        case "status":
            last = device.mirrorProgress ?? last
            say("status", status())
        case "cancel":
            guard target != nil else { return say(error: "there is no mirror to cancel") }
            if abandon() {
                say("cancelled", status())
                last = nil
            }
        case "verify": verify()
        default:
            guard let change = MirrorLine.parse(word) else {
                return say(
                    error: "'\(word)' is not understood; expected start, pivot, status, verify, cancel, pause, resume, "
                        + "rate BYTES, latency MICROSECONDS, mode NAME, delay yes|no, retry SECONDS or quit")
            }
            change(&options)
            try? device.changeMirror { $0 = options }
        }
    }

    private func verify() {
        if isVerifying { return say(error: "both images are being compared already") }
        isVerifying = true
        _ = WorkerThread("verify") { [device, inbox] in
            inbox.post(.verified(Result { () throws(BlockError) in try device.verifyMirror() }))
        }
    }

    private func start() {
        do throws(CommandFailure) {
            let target = try openTarget()
            started = .now
            last = nil
            writes = .init()
            writes.before = device.writeTimes?.take()
            do throws(BlockError) {
                try device.startMirror(
                    to: target.device, options: options, threads: target.reopen == nil ? 2 : connections,
                    reopen: target.reopen, adopt: target.adopt)
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
        if progress.phase == .broken, !progress.isRetrying {
            return giveUp(because: progress.error ?? BlockError(.io, "the destination failed"))
        }
        if stage == .copying, progress.phase == .synchronised {
            stage = .synchronised
            synchronised = .now
            say("ready", status())
        }
        // A comparison that was asked for comes first.
        guard stage == .synchronised, let asked = pivotWanted, preparing == nil, !isVerifying else { return }
        begun = max(asked, synchronised)
        if writes.mirroring == nil { writes.mirroring = device.writeTimes?.take() }
        attempts += 1
        preparing = attempts
        _ = WorkerThread("pivot") { [device, inbox, attempts] in
            var failure: BlockError?
            do throws(BlockError) { try device.preparePivot() } catch { failure = error }
            // It is asked again then, and may be refused at once.
            if failure != nil { usleep(5_000) }
            inbox.post(.prepared(attempt: attempts, failure))
        }
    }

    /// The pivot was prepared, or was not: then it is tried again where that may help.
    private func prepared(_ error: BlockError?) {
        if let error {
            // Busy: the guest's writes went ahead of the copier once more; it catches up. One that is lost is tried again.
            if error.code != .busy, device.mirrorProgress?.isRetrying != true { giveUp(because: error) }
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
        target?.becomeTheDisk()
        target = nil
        writes.pivoting = device.writeTimes?.take()
        var done = status()
        done.pauseMilliseconds = Double(device.longestPauseNanoseconds) / 1e6
        done.pivotMilliseconds = (ContinuousClock.now - begun).inSeconds * 1000
        done.writes = writes
        say("pivoted", done)
    }

    /// Ends the mirror in favour of the source, which goes on being served.
    private func giveUp(because error: BlockError) {
        abandon()
        hasFailed = true
        say(error: error.description)
    }

    /// False: the mirror ends later, as its destination hangs, which is kept for as long; whoever asks again tries again.
    @discardableResult
    private func abandon() -> Bool {
        pivotWanted = nil
        preparing = nil
        if let target {
            do throws(BlockError) { try device.cancelMirror() } catch {
                if error.code == .busy {
                    stage = .ending
                    say(error: "\(error.description); its target is kept until then, cancel again to see")
                    return false
                }
            }
            target.discard()
        }
        target = nil
        if stage != .pivoted { stage = .idle }
        return true
    }

    /// After the device was closed: what was kept because its mirror had not ended goes.
    func deviceWasClosed() {
        target?.discard()
        target = nil
    }

    private func status() -> MirrorReport {
        MirrorReport(last, seconds: stage == .idle ? 0 : (ContinuousClock.now - started).inSeconds)
    }

    private func say(error message: String) { say("error", ["message": message]) }

    private func say(_ word: String, _ details: some Encodable) {
        let text = (try? JSONText.line(details)) ?? "{}"
        TerminalOutput.standardOutput.write("\(word) \(text)\n")
    }
}
