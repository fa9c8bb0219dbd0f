public import BlockIO
import CLinux
import Synchronization

extension SwitchableDevice {
    /// Asks each connection to the mirror's destination whether somebody answers there, in any phase, and writes nothing: one that
    /// was lost since it was used last shows before somebody stands still for it. Returns when all have answered; at once where there is
    /// no peer. Throws what a connection has failed with, and the mirror knows of it then; `.busy` when not all have answered within
    /// so many nanoseconds, and where the destination hangs or is being tried again; `.notFound` without a mirror.
    public func probeMirror(within nanoseconds: UInt64) throws(BlockError) {
        let end = gantry_now() &+ nanoseconds
        guard gate.lockShared(nanoseconds: nanoseconds) else { throw Self.unanswered }
        let mirror = mirror
        let destination = mirror?.destination
        let generation = mirror?.trust.withLock { $0.generation }
        gate.unlock()
        guard let mirror, let destination, let generation else { throw BlockError(.notFound, "there is no mirror") }
        mirror.noticeLoss()
        if mirror.phase == .broken {
            let mayRetry = mirror.controls.options.retryFor > 0 && !mirror.isDistrusted.load(ordering: .acquiring)
            throw mayRetry ? Self.triedAgain : mirror.error ?? Self.triedAgain
        }
        if mirror.hangs { throw Self.unanswered }
        let answered = try Abandonable.run("mirror-probe", unless: { gantry_now() >= end }) {
            () throws(BlockError) -> Bool in
            do throws(BlockError) {
                try destination.probe()
            } catch {
                // Of one that was replaced meanwhile it says nothing about the one that is there now.
                mirror.trust.withLock {
                    if $0.generation == generation { mirror.handle(.destinationFailed, because: error) }
                }
                throw error
            }
            return true
        }
        if answered == nil { throw Self.unanswered }
    }

    private static let unanswered = BlockError(.busy, "the mirror's destination does not answer now; ask again")
    private static let triedAgain = BlockError(.busy, "the mirror's destination is being tried again; ask again")
}
