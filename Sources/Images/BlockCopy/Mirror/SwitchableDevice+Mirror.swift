public import BlockIO
import CLinux
import Glibc
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
            isActive: controls.isActive && mirror.late.isEmpty && !mirror.hangs,
            isConverging: controls.isConverging,
            isRetrying: isRetrying, isSilent: mirror.late.isUnderWay || mirror.hangs,
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
        try control.run { () throws(BlockError) in
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
            try compareBoth(mirror, copier, isHeldBack: true)
        }
    }

    /// Second half: the destination is the device from here on; the source is closed.
    /// `switched` runs at the moment of the change, before the source is closed.
    public func commitPivot(_ switched: () -> Void = {}) throws(BlockError) {
        try finish(.commit, of: nil, switched)
    }

    /// Ends the mirror in favour of the source; the destination is closed and may be deleted. One that does not answer
    /// keeps nobody waiting: its connections are cut first. Of a file that hangs somebody may have to wait until it lets go: `.busy` after
    /// ten seconds then, as behind another command that waits for its storage. The mirror ends by itself as soon as it can; until then
    /// the destination must not be deleted, and whoever asks again learns how it is. `ended` runs at the moment from which there is no
    /// mirror, before there can be another, whoever waits; no request is under way then, it must not ask this object, and must not
    /// wait for storage: that is `closing`'s, behind it, with requests under way again, and before there can be another mirror, too.
    public func cancelMirror(
        _ ended: @escaping @Sendable () -> Void = {}, closing: @escaping @Sendable () -> Void = {}
    ) throws(BlockError) {
        // Before anything is waited for. A prepared pivot's destination is the loser only when this has the control.
        let running = reached.withLock { $0 }
        if let running, running.phase != .dual, running.phase != .undecided { running.reach.cut() }
        let until = gantry_now() + cancelPatience
        let isLate = BlockError(
            .busy, "the mirror's destination, or the disk itself, does not answer; the mirror ends when it does")
        // One waits for the turn, however long that takes: others would be threads that gather.
        var hasWaited = false
        while isEnding.exchange(true, ordering: .acquiringAndReleasing) {
            hasWaited = true
            if gantry_now() >= until { throw isLate }
            usleep(5000)
        }
        if hasWaited, running == nil {
            // That end was the one that was wanted. There may be another mirror by now.
            isEnding.store(false, ordering: .releasing)
            throw BlockError(.notFound, "there is no mirror")
        }
        let isOver = try Abandonable.run("mirror-end", unless: { gantry_now() >= until }) {
            [self] () throws(BlockError) -> Bool in
            defer { isEnding.store(false, ordering: .releasing) }
            try finish(.cancel, of: running, ended: ended, closing: closing)
            return true
        }
        if isOver == nil { throw isLate }
    }

    /// Cuts the connections to a mirror's destination: whoever waits for it has an error. For an end of this process that
    /// it would hold up; there is no pivot to it any more. Nothing happens without a mirror.
    public func interruptMirror() { reached.withLock { $0 }?.reach.cut() }

    /// `running`: the mirror that is to be cancelled, where one is known.
    private func finish(
        _ event: MirrorState.Event, of running: MirrorDevice? = nil, _ switched: () -> Void = {},
        ended: () -> Void = {}, closing: () -> Void = {}
    ) throws(BlockError) {
        let commit = event == .commit
        var source: (any BlockDevice)?
        // What was decided is carried out, however long that takes.
        try control.run(within: nil) { () throws(BlockError) in
            guard let mirror, let copier, running == nil || running === mirror else {
                // One that was not taken up again: nothing is to be noted for it any more.
                if event == .cancel, let log = trackedLog {
                    exclusively {
                        heldLog = nil
                        ended()
                    }
                    closing()
                    return log.discard()
                }
                throw BlockError(.notFound, "there is no mirror")
            }
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
                if commit { switched() } else { ended() }
            }
            reached.withLock { $0 = nil }
            decision.locked { decision.wakeAll() }
            mirror.log.discard()
            if commit {
                source = mirror.source
                return
            }
            // The loser. What it cannot write back any more is of no consequence: nobody will read it.
            closing()
            try? mirror.destination.close()
        }
        // As that one. The next command does not wait for storage that is left because it hangs.
        try? source?.close()
    }

    /// Whoever closes the gate keeps all guests waiting for those who hang in the kernel: it stays open until nobody is in the
    /// destination any more, and they are answered by the source alone from here on. From the preparation of the pivot on both images
    /// are the disk, and nobody is counted.
    private func leave(_ mirror: MirrorDevice, _ copier: MirrorCopier) {
        mirror.giveUp()
        while !mirror.isLeftByAll { copier.sleep(nanoseconds: 5_000_000) }
    }

    /// At this process's end: the mirror ends in favour of the source, and its log tells another process where it was.
    func suspendMirror() {
        _ = control.take()
        defer { control.give() }
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
