public import BlockIO
import CLinux
import Synchronization

extension SwitchableDevice {
    /// What a mirror has done so far; nil when there is none.
    public var mirrorProgress: MirrorProgress? {
        gate.lockShared()
        defer { gate.unlock() }
        guard let mirror, let copier else { return nil }
        let controls = mirror.controls
        let dirty = min(mirror.dirty.dirtyBytes, size)
        let rate = copier.bytesPerSecond
        let phase = mirror.phase
        let mayRetry = controls.options.retryFor > 0 && !mirror.isDistrusted.load(ordering: .acquiring)
        let isRetrying = phase == .broken && mayRetry && !copier.hasGivenUp.load(ordering: .relaxed)
        return MirrorProgress(
            phase: phase, totalBytes: copier.totalBytes, copiedBytes: copier.copiedBytes, dirtyBytes: dirty,
            bytesPerSecond: rate, error: mirror.error, failedSide: mirror.failedSide, options: controls.options,
            isActive: controls.isActive && mirror.late.isEmpty && !mirror.isStalled,
            isConverging: controls.isConverging,
            isRetrying: isRetrying, isSilent: mirror.late.isUnderWay || mirror.isStalled,
            retries: copier.retries.load(ordering: .relaxed), resumedBytes: copier.resumedBytes,
            mustBeCompared: mirror.trust.withLock { $0.mustBeCompared },
            isCompared: mirror.trust.withLock { $0.isCompared }, comparedBytes: mirror.comparison.comparedBytes,
            delayedWrites: mirror.times.destination.count,
            delayNanoseconds: mirror.times.destination.total, longestDelayNanoseconds: mirror.times.destination.longest,
            lateWrites: mirror.late.total)
    }

    /// The longest time, in nanoseconds, for which a change of the stack kept requests waiting.
    public var longestPauseNanoseconds: UInt64 { longestPause.load(ordering: .relaxed) }

    /// Notes in `log`, which an earlier process left, what is written from here on: the mirror that it belongs to can be
    /// taken up by `startMirror` later. To be called before any client can write.
    public func track(_ log: MirrorLog) {
        exclusively { heldLog = log }
    }

    /// The log that `track` was given and no mirror has taken up yet.
    public var trackedLog: MirrorLog? {
        gate.lockShared()
        defer { gate.unlock() }
        return heldLog
    }

    /// `startMirror` with no option but the copier's rate, 0 for no limit.
    public func startMirror(to destination: any BlockDevice, bytesPerSecond: UInt64) throws(BlockError) {
        var options = MirrorOptions()
        options.bytesPerSecond = bytesPerSecond
        try startMirror(to: destination, options: options)
    }

    /// Puts a mirror above the present image and starts copying. `destination` must be writable and at least as large; it
    /// belongs to this object from here on. `.busy` when there is a mirror already.
    /// - Parameters:
    ///   - log: what is known to be the same on both; nil: nothing, and no later process can go on. The one of `track`
    ///     goes on where it was.
    ///   - threads: pieces copied at a time.
    ///   - trust: whether what the destination shows is what was written to it.
    ///   - reopen: reaches the destination again when it has failed, if that takes more than trying again. It may be given up
    ///     by who ends the mirror; what it opens is closed then.
    ///   - adopt: what takes the destination's place when `reopen` has opened it, and is wanted.
    public func startMirror(
        to destination: any BlockDevice, options: MirrorOptions, log: MirrorLog? = nil, threads: Int = 1,
        trust: MirrorTrust = MirrorTrust(),
        reopen: (@Sendable () throws(BlockError) -> any BlockDevice)? = nil,
        adopt: @escaping @Sendable (any BlockDevice) -> any BlockDevice = { $0 }
    ) throws(BlockError) {
        try control.withLock { _ throws(BlockError) in
            if isPaused.load(ordering: .relaxed) {
                throw BlockError(.busy, "the device is paused; resume it before it is mirrored")
            }
            if mirror != nil {
                throw BlockError(.busy, "the device is being mirrored already; cancel that mirror first")
            }
            if destination.isReadOnly { throw BlockError(.readOnly, "the mirror's destination is read-only") }
            if destination.size < size {
                throw BlockError(
                    .outOfRange, "the mirror's destination has \(destination.size) bytes and the source \(size)")
            }
            let map = if let log { log } else { try MirrorLog(size: size) }
            guard map.size == size else {
                throw BlockError(.outOfRange, "the mirror's map is of \(map.size) bytes and the source has \(size)")
            }
            let repair = MirrorRepair(reopen: reopen, adopt: adopt) { [weak self] body in self?.exclusively(body) }
            exclusively {
                let filter = MirrorDevice(
                    source: current, destination: destination, log: map, options: options, trust: trust,
                    isRemote: reopen != nil, sourceNotFlushed: { [weak self] in self?.notFlushed($0) })
                let worker = MirrorCopier(mirror: filter, threads: threads, repair: repair)
                mirror = filter
                reached.withLock { $0 = filter }
                copier = worker
                heldLog = nil
                worker.start()
            }
        }
    }

    /// Changes a running mirror's options. `.notFound` without a mirror.
    public func changeMirror(_ change: (inout MirrorOptions) -> Void) throws(BlockError) {
        gate.lockShared()
        defer { gate.unlock() }
        guard let mirror, let copier else { throw BlockError(.notFound, "there is no mirror") }
        var options = mirror.controls.options
        change(&options)
        mirror.controls.options = options
        copier.optionsChanged()
    }

    /// Bytes per second for the copier, 0 for no limit. Nothing happens without a mirror.
    public func setMirrorRate(bytesPerSecond: UInt64) {
        try? changeMirror { $0.bytesPerSecond = bytesPerSecond }
    }

    /// First half of the pivot: on return both images are identical and durable up to every answered write, and every
    /// later write is answered only when both have it. `.busy` while the copy has not caught up; it is active then, and
    /// stays so. A destination that must be compared first (`MirrorTrust`) is; `.corrupt` when it is not the same.
    ///
    /// Called again, it flushes both once more: a last look before the destination is made the disk. One that was lost since,
    /// with what it had not made durable, shows here even if nobody has written since.
    ///
    /// Requests are kept waiting twice, each time until those under way have ended, never for a flush: between the two,
    /// writes and flushes go to both images, and what came before is flushed. Most of it was written before that already,
    /// a little at a time (`flushAhead`).
    /// `prepared` runs while no request is under way, at the moment from which on both images are the disk.
    public func preparePivot(_ prepared: () -> Void = {}) throws(BlockError) {
        try control.withLock { _ throws(BlockError) in
            guard let mirror else { throw BlockError(.notFound, "there is no mirror to pivot to") }
            if mirror.phase == .dual { return try look(at: mirror) }
            if mirror.phase == .undecided { throw mirror.error ?? MirrorDevice.undecidedError }
            mirror.controls.hurry()
            if mirror.trust.withLock({ $0.mustBeCompared }), let copier {
                _ = try MirrorVerifier(mirror: mirror, gate: gate, copier: copier).run()
            }
            try flushAhead(mirror)
            // The gate would wait for who hangs in the kernel, and all guests for the gate.
            if mirror.isStalled { throw Self.notSynchronised(mirror) }
            var destination: any BlockDevice = mirror.source
            var generation: UInt64 = 0
            try exclusively { () throws(BlockError) in
                destination = mirror.destination
                generation = mirror.trust.withLock { $0.generation }
                // An earlier attempt whose flush of the source failed may have stopped here.
                if mirror.phase == .joining, !mirror.dirty.isClean { mirror.handle(.fellBehind) }
                if mirror.phase == .joining { return }
                mirror.noticeLoss()
                // Perhaps not the one that was compared.
                guard !mirror.trust.withLock({ $0.mustBeCompared }) else { throw Self.notSynchronised(mirror) }
                guard mirror.phase == .synchronised, mirror.dirty.isClean, mirror.late.isEmpty, mirror.handle(.join)
                else {
                    throw Self.notSynchronised(mirror)
                }
            }
            // What was written out of order before is flushed, and nothing is from here on.
            mirror.awaitWriteOut()
            try mirror.flushSource()
            do throws(BlockError) {
                try destination.flush()
            } catch {
                // Of one that was given up meanwhile it says nothing about the one that is there now.
                mirror.trust.withLock { if $0.generation == generation { mirror.loseDestination(because: error) } }
                throw error
            }
            try exclusively { () throws(BlockError) in
                mirror.noticeLoss()
                // What was copied since the comparison is to be compared, too.
                let isDoubtful = mirror.trust.withLock { $0.mustBeCompared }
                if !mirror.dirty.isClean || !mirror.late.isEmpty || isDoubtful { mirror.handle(.fellBehind) }
                guard mirror.handle(.prepare) else { throw Self.notSynchronised(mirror) }
                prepared()
            }
        }
    }

    /// Whether a prepared pivot's images are both there, with everything that was answered.
    private func look(at mirror: MirrorDevice) throws(BlockError) {
        gate.lockShared()
        defer { gate.unlock() }
        do throws(BlockError) { try mirror.flush() } catch { throw mirror.error ?? error }
    }

    static func notSynchronised(_ mirror: MirrorDevice) -> BlockError {
        if mirror.phase == .broken, let error = mirror.error { return error }
        return BlockError(.busy, "the mirror is not synchronised yet; wait and ask again")
    }

    /// Reads both images of a mirror in sync and compares them once (`MirrorVerifier`), at the mirror's rate, while requests go
    /// on: what was alike at that moment stays so, as every write goes to both; what one that was late has left to the copier is
    /// read again. Stands while the mirror is paused. Returns the bytes that are alike. `.corrupt`, and the mirror is broken for
    /// good, where they differ; `.busy` when it is not in sync and paused at the beginning, or comes no nearer to it for ten
    /// seconds although it is active from here on; `.cancelled` when it ends. Who asks while another does has that one's answer.
    public func verifyMirror() throws(BlockError) -> UInt64 {
        gate.lockShared()
        let (mirror, copier) = (mirror, copier)
        gate.unlock()
        guard let mirror, let copier else { throw BlockError(.notFound, "there is no mirror to verify") }
        return try mirror.comparison.one.run { () throws(BlockError) in
            try MirrorVerifier(mirror: mirror, gate: gate, copier: copier, isHeldBack: true).run()
        }
    }

    /// Second half: the destination is the device from here on; the source is closed.
    /// `switched` runs at the moment of the change, before the source is closed.
    public func commitPivot(_ switched: () -> Void = {}) throws(BlockError) {
        try finish(.commit, switched)
    }

    /// Ends the mirror in favour of the source; the destination is closed and may be deleted. One that does not answer
    /// keeps nobody waiting: its connections are cut first.
    public func cancelMirror() throws(BlockError) {
        // Before anything is waited for. A prepared pivot's destination is the loser only when this has the control.
        if let running = reached.withLock({ $0 }), running.phase != .dual, running.phase != .undecided {
            running.reach.cut()
        }
        try finish(.cancel)
    }

    /// Cuts the connections to a mirror's destination: whoever waits for it has an error. For an end of this process that
    /// it would hold up; there is no pivot to it any more. Nothing happens without a mirror.
    public func interruptMirror() { reached.withLock { $0 }?.reach.cut() }

    private func finish(_ event: MirrorState.Event, _ switched: () -> Void = {}) throws(BlockError) {
        try control.withLock { _ throws(BlockError) in
            guard let mirror, let copier else {
                // One that was not taken up again: nothing is to be noted for it any more.
                if event == .cancel, let log = trackedLog {
                    exclusively { heldLog = nil }
                    return log.discard()
                }
                throw BlockError(.notFound, "there is no mirror")
            }
            let commit = event == .commit
            if commit, mirror.phase != .dual, mirror.phase != .undecided {
                throw BlockError(.busy, "the pivot has not been prepared")
            }
            if commit, mirror.reach.isCut {
                throw BlockError(.busy, "the mirror is being cancelled, and its destination is not connected any more")
            }
            if !commit {
                mirror.reach.cut()
                leave(mirror, copier)
            }
            copier.stop()
            exclusively {
                mirror.handle(event)
                current = commit ? mirror.destination : mirror.source
                self.mirror = nil
                self.copier = nil
                switched()
            }
            reached.withLock { $0 = nil }
            decision.locked { decision.wakeAll() }
            mirror.log.discard()
            // The loser. What it cannot write back any more is of no consequence: nobody will read it.
            try? (commit ? mirror.source : mirror.destination).close()
        }
    }

    /// Whoever closes the gate keeps all guests waiting for those who hang in the kernel: it stays open until nobody is in the
    /// destination any more, and they are answered by the source alone from here on. From the preparation of the pivot on both images
    /// are the disk, and nobody is counted.
    private func leave(_ mirror: MirrorDevice, _ copier: MirrorCopier) {
        mirror.giveUp()
        while !mirror.isLeft { copier.sleep(nanoseconds: 5_000_000) }
    }

    /// At this process's end: the mirror ends in favour of the source, and its log tells another process where it was.
    func suspendMirror() {
        control.withLock { _ in
            guard let mirror, let copier else { return }
            leave(mirror, copier)
            copier.stop()
            if mirror.phase == .copying || mirror.phase == .synchronised || mirror.phase == .joining {
                copier.checkpoint(source: true, destination: true)
            }
            exclusively {
                mirror.handle(.cancel)
                current = mirror.source
                self.mirror = nil
                self.copier = nil
                // Requests that come before the image is closed.
                heldLog = mirror.log
            }
            reached.withLock { $0 = nil }
            decision.locked { decision.wakeAll() }
            try? mirror.destination.close()
        }
    }
}

/// A sample of a mirror's progress. Bytes are of virtual disk.
public struct MirrorProgress: Sendable {
    public let phase: MirrorState.Phase
    public let totalBytes: UInt64
    public let copiedBytes: UInt64
    public let dirtyBytes: UInt64
    public let bytesPerSecond: UInt64
    public let error: BlockError?
    /// In `undecided`, the image that refused first.
    public let failedSide: MirrorSide?
    public let options: MirrorOptions
    /// Guest writes reach the destination before they are answered.
    public let isActive: Bool
    /// False: the guest writes faster than the destination takes, and may not be delayed.
    public let isConverging: Bool
    /// In `broken`: the destination is being tried again.
    public let isRetrying: Bool
    /// The destination owes answers that nobody waits for any more, or hangs: guests are answered by the source alone.
    public let isSilent: Bool
    public let retries: UInt64
    /// What an earlier process had copied.
    public let resumedBytes: UInt64
    /// As `MirrorTrust`.
    public let mustBeCompared: Bool
    public let isCompared: Bool
    /// Bytes of the disk that a comparison has found alike; nil while there is none.
    public let comparedBytes: UInt64?
    /// Guest writes that waited for the destination, for how long in all, and the longest.
    public let delayedWrites: UInt64
    public let delayNanoseconds: UInt64
    public let longestDelayNanoseconds: UInt64
    /// Writes of the destination that guests, and the copier where a guest might wait, have not waited for.
    public let lateWrites: UInt64

    /// Seconds until it is in sync at the present rate; nil when that cannot be said.
    public var remainingSeconds: UInt64? {
        if dirtyBytes == 0 { return 0 }
        let left = totalBytes > copiedBytes ? min(dirtyBytes, totalBytes - copiedBytes) : dirtyBytes
        return bytesPerSecond == 0 || !isConverging ? nil : left / bytesPerSecond
    }
}
