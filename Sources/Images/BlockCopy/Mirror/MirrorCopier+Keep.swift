import BlockIO
import CLinux
import CoreTypes
import Synchronization

/// How a destination that has failed is reached again.
struct MirrorRepair: Sendable {
    /// Opens the destination anew: a new connection, for one that is not ours. Nil: the same object is used again.
    let reopen: (@Sendable () throws(BlockError) -> any BlockDevice)?
    /// What takes the place of the one that failed when it was opened so, and not given up meanwhile.
    let adopt: @Sendable (any BlockDevice) -> any BlockDevice
    /// Runs its body with no request under way.
    let exclusively: @Sendable (() -> Void) -> Void
}

extension MirrorCopier {
    private static let tick: UInt64 = 50_000_000
    private static let shortestRest: UInt64 = 1_000_000
    private static let policyTick: UInt64 = 250_000_000
    /// What the log says is noted this often where nothing needs a flush.
    private static let notePeriod: UInt64 = 100_000_000
    private static let shortestRetry: UInt64 = 100_000_000
    private static let longestRetry: UInt64 = 5_000_000_000

    /// The keeper's thread.
    func keep() {
        estimate()
        var policy = MirrorPolicy()
        var sampled = (at: gantry_now(), copied: copiedBytes, times: mirror.times.sums, late: mirror.late.total)
        let started = gantry_now()
        var ours = FlushPace(at: started, isByBytes: false)
        var theirs = FlushPace(at: started, isByBytes: !isLocal)
        var nextNote = started + Self.notePeriod
        var retry = Retry()
        while !stopping.isCancelled {
            rest(until: theirs)
            let now = gantry_now()
            mirror.takeUpWhenLeft()
            switch mirror.phase {
            case .dual, .undecided, .finished: return
            case .broken:
                _ = mirror.controls.takeCaughtUp()
                mend(&retry, now)
                continue
            case .copying, .synchronised, .joining:
                if mirror.late.isLost {
                    mirror.noticeLoss()
                    continue
                }
                settle(&retry, now)
            }
            if now - sampled.at >= Self.policyTick {
                let current = (
                    at: now, copied: copiedBytes, times: mirror.times.sums, late: mirror.late.total
                )
                let hasCaughtUp = mirror.controls.takeCaughtUp()
                var sample = MirrorPolicy.Sample(
                    nanoseconds: now - sampled.at, dirtyBytes: mirror.dirty.dirtyBytes,
                    copiedBytes: current.copied - sampled.copied)
                sample.hasCaughtUp = hasCaughtUp
                sample.writes = current.times.writes - sampled.times.writes
                sample.sourceNanoseconds = current.times.source - sampled.times.source
                sample.mirroredWrites = current.times.mirrored - sampled.times.mirrored
                sample.destinationNanoseconds = current.times.destination - sampled.times.destination
                sample.lateWrites = current.late - sampled.late
                sampled = current
                mirror.controls.apply(policy.decide(sample, mirror.controls.options))
            }
            let copied = coveredBytes
            if now >= nextNote || theirs.isDueByBytes(at: now, copied: copied) {
                let flushed = checkpoint(
                    source: ours.isDue(at: now, copied: copied), destination: theirs.isDue(at: now, copied: copied))
                let end = gantry_now()
                // Looking at the whole map takes time, too.
                nextNote = end + max(Self.notePeriod, (end - now) * 10)
                if flushed.source { ours.flushed(from: now, to: end, copied: copied) }
                // All of it was kept already where none was needed.
                if flushed.destination || theirs.isDueByBytes(at: now, copied: copied) {
                    theirs.flushed(from: now, to: end, copied: copied)
                }
            }
        }
    }

    /// A tick, or less where a flush is due before.
    private func rest(until pace: FlushPace) {
        // Whoever copies the last of these bytes wakes this thread.
        flushAt.store(pace.dueBytes, ordering: .sequentiallyConsistent)
        var time = Self.tick
        if mirror.phase != .broken, let rest = pace.rest(at: gantry_now(), copied: coveredBytes) {
            time = min(time, max(Self.shortestRest, rest))
        }
        sleep(nanoseconds: time)
    }

    /// Lets the log say what is the same by now. `source`, `destination`: it is flushed where nothing less helps, and the guest is
    /// to wait for none of that, as long as there is time; returns which were.
    @discardableResult
    func checkpoint(source: Bool, destination: Bool) -> (source: Bool, destination: Bool) {
        let isStopping = { [stopping] in stopping.isCancelled }
        var flushed = (source: false, destination: false)
        mirror.log.rotate(forFlush: source)
        // What was under way at that moment is not covered by a flush before it has ended.
        mirror.locks.awaitEarlier()
        if !mirror.source.hasVolatileMetadata {
            mirror.log.sourceIsWritten()
        } else if source {
            flushed.source = true
            // The guest hears of what fails here by its own flush.
            if (try? mirror.writeBackSource(unless: isStopping)) != nil, (try? mirror.flushSource()) != nil {
                mirror.log.sourceIsWritten()
            }
        }
        do throws(BlockError) {
            if try !mirror.keepDestination() {
                if !destination { return flushed }
                flushed.destination = true
                do throws(BlockError) {
                    try mirror.destination.writeBack(unless: isStopping)
                    try mirror.destination.flush()
                } catch {
                    mirror.loseDestination(because: error)
                    return flushed
                }
            }
        } catch {
            mirror.handle(.destinationFailed, because: error)
            return flushed
        }
        mirror.log.settle(clean: mirror.dirty)
        return flushed
    }

    struct Retry {
        /// Since it last worked for a while.
        var attempts = 0
        var mendedAt: UInt64 = 0
        var brokenSince = gantry_now()
        var next: UInt64 = 0
    }

    /// It works again: what follows is a new failure once that has lasted.
    private func settle(_ retry: inout Retry, _ now: UInt64) {
        if retry.attempts == 0 { return }
        if now - retry.mendedAt > Self.longestRetry { retry = Retry() }
    }

    /// Tries the broken destination again, less and less often, for as long as the options say.
    private func mend(_ retry: inout Retry, _ now: UInt64) {
        if retry.attempts == 0 { retry.brokenSince = now }
        let options = mirror.controls.options
        // A pause is no time of an outage, and what was in vain before it counts no more.
        if options.isPaused { retry.attempts = 0 }
        guard let repair, options.retryFor > 0, !options.isPaused else { return }
        let isOver = now - retry.brokenSince > options.retryFor && retry.attempts > 0
        hasGivenUp.store(isOver || mirror.isDistrusted.load(ordering: .acquiring), ordering: .relaxed)
        // The copier's threads leave a broken destination alone; the last one may still wait for it.
        if hasGivenUp.load(ordering: .relaxed) || now < retry.next || !mirror.pieces.close() { return }
        defer { mirror.pieces.open() }
        // Who closes the gate keeps all guests waiting for those who hang in a file. Nobody goes into it from here on.
        if isLocal { mirror.giveUp() }
        defer { if isLocal { mirror.takeUp() } }
        if isLocal, !mirror.isLeft { return }
        // What nobody waits for any more ends with its connection.
        if mirror.late.isUnderWay {
            if repair.reopen != nil { mirror.destination.interrupt() }
            return
        }
        retry.attempts += 1
        retries.add(1, ordering: .relaxed)
        let wait = min(Self.longestRetry, Self.shortestRetry << UInt64(min(retry.attempts, 10)))
        retry.next = now + wait
        do throws(BlockError) {
            let old = mirror.destination
            let device = try reached(repair) ?? old
            if device !== old { mirror.reach.add(device) }
            do throws(BlockError) {
                guard device.size >= mirror.source.size, !device.isReadOnly else {
                    throw BlockError(.outOfRange, "the mirror's destination has become smaller, or read-only")
                }
                // Whether it takes anything at all: what is left of an old failure shows here.
                try device.flush()
            } catch {
                if device !== old {
                    mirror.reach.remove(device)
                    try? device.close()
                }
                throw error
            }
            // Whoever still reads the old one, which nobody wants any more, keeps the gate, and with it the guest.
            if device !== old { old.interrupt() }
            var isLate = false
            repair.exclusively {
                // A guest's write may have come so far since.
                isLate = mirror.late.isUnderWay
                if !isLate { mirror.recover(on: device, isElsewhere: repair.reopen != nil) }
            }
            if isLate {
                if device !== old {
                    mirror.reach.remove(device)
                    try? device.close()
                }
                retry.next = now
                return
            }
            retry.mendedAt = gantry_now()
            if device !== old {
                mirror.reach.remove(old)
                try? old.close()
            }
        } catch {
            mirror.note(error)
        }
    }

    /// The destination, opened anew. Who ends the mirror does not wait for that.
    private func reached(_ repair: MirrorRepair) throws(BlockError) -> (any BlockDevice)? {
        guard let reopen = repair.reopen else { return nil }
        return repair.adopt(
            try MirrorAttempt.reach(reopen, wokenBy: pause, unless: { [stopping] in stopping.isCancelled }))
    }
}

extension MirrorTimes {
    struct Sums {
        let writes: UInt64
        let source: UInt64
        let mirrored: UInt64
        let destination: UInt64
    }

    var sums: Sums {
        Sums(writes: source.count, source: source.total, mirrored: destination.count, destination: destination.total)
    }
}
