public import BlockIO
import CLinux
import Glibc
import Synchronization

extension SwitchableDevice {
    /// First half of the pivot: on return both images are identical and durable up to every answered write, and every
    /// later write is answered only when both have it. `.busy` while the copy has not caught up; it is active then, and
    /// stays so. A destination that must be compared first (`MirrorTrust`) is; `.corrupt` when it is not the same.
    ///
    /// Called again, it flushes both once more: a last look before the destination is made the disk. One that was lost since,
    /// with what it had not made durable, shows here even if nobody has written since.
    ///
    /// Requests are kept waiting twice, each time until those under way have ended, never for a flush of ours: between the two,
    /// writes and flushes go to both images, and what came before is flushed. Most of it was written before that already,
    /// a little at a time (`flushAhead`). For a request that hangs in the destination the others do not wait longer than twice the
    /// mirror's patience: `.busy` then, as after a guest's flush that takes six times that. Who cancels the mirror ends this, whatever hangs.
    /// `prepared` runs while no request is under way, at the moment from which on both images are the disk.
    public func preparePivot(_ prepared: () -> Void = {}) throws(BlockError) {
        try control.run { () throws(BlockError) in
            guard let mirror else { throw BlockError(.notFound, "there is no mirror to pivot to") }
            if mirror.phase == .dual { return try look(at: mirror) }
            if mirror.phase == .undecided { throw mirror.error ?? MirrorDevice.undecidedError }
            mirror.controls.hurry()
            if mirror.trust.withLock({ $0.mustBeCompared }), let copier {
                _ = try compareBoth(mirror, copier, isHeldBack: false)
            }
            try flushAhead(mirror)
            // The gate would wait for who hangs in the kernel, and all guests for the gate.
            if mirror.hangs || mirror.isLeftAlone { throw Self.notSynchronised(mirror) }
            var destination: any BlockDevice = mirror.source
            var generation: UInt64 = 0
            try exclusively(besides: mirror) { () throws(BlockError) in
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
            try joined(mirror, destination, generation)
            try exclusively(besides: mirror) { () throws(BlockError) in
                mirror.noticeLoss()
                // What was copied since the comparison is to be compared, too.
                let isDoubtful = mirror.trust.withLock { $0.mustBeCompared }
                if !mirror.dirty.isClean || !mirror.late.isEmpty || isDoubtful { mirror.handle(.fellBehind) }
                guard mirror.handle(.prepare) else { throw Self.notSynchronised(mirror) }
                prepared()
            }
        }
    }

    /// With everything going to both: makes durable what came before.
    private func joined(
        _ mirror: MirrorDevice, _ destination: any BlockDevice, _ generation: UInt64
    ) throws(BlockError) {
        let isOver = { mirror.reach.isCut || mirror.phase != .joining }
        // What was written out of order before is flushed, and nothing is from here on.
        let isWritten = try mirror.apart(destination, of: generation, unless: isOver) { _ throws(BlockError) in
            mirror.awaitWriteOut()
        }
        if !isWritten { throw Self.notPrepared(mirror) }
        try mirror.flushSource()
        let isFlushed = try mirror.apart(destination, of: generation, unless: isOver) { device throws(BlockError) in
            try device.flush()
        }
        if !isFlushed { throw Self.notPrepared(mirror) }
    }

    /// As `verifyMirror`. Who ends the mirror does not wait for it.
    func compareBoth(
        _ mirror: MirrorDevice, _ copier: MirrorCopier, isHeldBack: Bool
    ) throws(BlockError) -> UInt64 {
        let verifier = MirrorVerifier(mirror: mirror, gate: gate, copier: copier, isHeldBack: isHeldBack)
        let alike = try Abandonable.run("mirror-compare", unless: { mirror.reach.isCut }) {
            () throws(BlockError) -> UInt64 in try verifier.run()
        }
        guard let alike else { throw Self.notPrepared(mirror) }
        return alike
    }

    /// `exclusively`, of guests who may hang in the mirror's destination: the others wait for these no longer than `GateWait` says. `.busy`
    /// then, and the destination is left alone until all have come out of it.
    private func exclusively(
        besides mirror: MirrorDevice, _ body: () throws(BlockError) -> Void
    ) throws(BlockError) {
        let patience = mirror.controls.patience
        // What a comparison reads may take long: it gives way to this, while guests go on.
        mirror.comparing.close()
        defer { mirror.comparing.open() }
        var start = gantry_now()
        while !mirror.comparing.isEmpty {
            if gantry_now() - start > patience || mirror.reach.isCut { throw Self.notSynchronised(mirror) }
            usleep(200)
        }
        start = gantry_now()
        defer { longestPause.max(gantry_now() - start, ordering: .relaxed) }
        var wait = GateWait()
        repeat {
            for use in [mirror.use, mirror.flushing] { use.mark() }
            if gate.lockExclusive(nanoseconds: patience) {
                defer { gate.unlock() }
                return try body()
            }
        } while wait.goesOn(writesHang: mirror.use.isHeldSinceMark, flushesHang: mirror.flushing.isHeldSinceMark)
        mirror.giveUpUntilLeft()
        throw Self.notSynchronised(mirror)
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

    /// Why something that had begun was not seen to its end.
    static func notPrepared(_ mirror: MirrorDevice) -> BlockError {
        mirror.reach.isCut ? BlockError(.cancelled, "the mirror is being cancelled") : notSynchronised(mirror)
    }
}
