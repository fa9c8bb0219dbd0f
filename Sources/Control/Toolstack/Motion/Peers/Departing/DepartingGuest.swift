import APITypes
import CLinux
import CoreTypes
import DatapathControl
import Glibc
import Guests
import Logging
import PoolDatabase
import StorageMotion
import XenAPIClient

/// The guest of a machine that goes to another pool while it runs. Its memory goes from QEMU to QEMU through the same
/// connection as its disks.
///
/// Until the commit of `MachineDeparture` the guest is here: it runs, or QEMU holds it, and goes on whatever fails
/// (`LiveHandOver`). After it QEMU holds it until the other side has said what became of it.
struct DepartingGuest: Sendable {
    let context: StorageContext
    let guests: GuestHost
    let lifecycle: MachineLifecycle
    let machine: DepartingMachine

    /// What the other side may take to make ready, with the guest standing.
    static let patience = Duration.seconds(20)
    /// What the end of its memory may take, with the guest standing: what is left goes within a third of a second, or QEMU would
    /// not have come to that.
    private static let restPatience = Duration.seconds(10)
    /// Of the task's progress, where the memory begins and ends.
    static let memoryShare = (from: 0.8, to: 0.97)

    /// How its memory goes.
    struct Manner: Sendable {
        /// Of what QEMU sends, before it is compressed; 0: as fast as it goes.
        var bytesPerSecond: UInt64
        /// Where the other side knows how.
        var compresses: Bool
        /// The other side takes it a second time.
        var mayBeginAgain = false
    }

    private var vm: Ref<VM> { Ref(machine.vm) }
    private var uuid: String { machine.uuid }
    /// Of this move, and of no other that has the guest in hand now.
    private var passage: GuestPassage? { guests.passage(of: uuid, owner: machine.id) }

    // MARK: - Leaving

    /// What is in its CD drives, which is of this pool.
    func discs() -> [DepartingMachine.Disc] {
        context.database.read { reader in
            reader.rows(VBD.self) { $0[VBD.vm] == vm && $0[VBD.type] == .cd && !$0[VBD.empty] }
                .map { DepartingMachine.Disc(drive: $0.ref, vdi: $0[VBD.vdi].opaque) }
        }
    }

    /// Takes the discs out of its drives: they stay, as XenAPI has it. Noted before, so that whoever sees to a machine that stays puts
    /// them back.
    func emptyDrives(of discs: [DepartingMachine.Disc]) async throws {
        for disc in discs {
            let drive = try context.row(Ref<VBD>(disc.drive))
            do {
                if drive[VBD.currentlyAttached] { try await guests.eject(drive: drive[VBD.uuid], of: uuid) }
            } catch {
                throw mapped(error)
            }
            try await DriveContent.clear(drive.typedRef(VBD.self), context)
        }
    }

    /// Returns when the other side has all of the guest, which QEMU holds, and both images of each disk are known to be alike. Whatever
    /// is thrown, `letGoOn` undoes it. `compared`: what need not be compared again. `relay`: the way of its memory, which is the
    /// caller's to close: the end of a connection that says nothing takes its time, and the guest stands until it was decided.
    func leave(
        through link: PeerLink, _ disks: DepartingDisks, _ manner: Manner, _ compared: inout ComparedMirrors,
        _ relay: inout PeerRelay?, _ progress: any TaskProgress
    ) async throws {
        var handOver = LiveHandOver(mayBeginAgain: manner.mayBeginAgain)
        do {
            while handOver.step != .finish {
                if progress.cancellation.isCancelled { throw CancellationError() }
                try await FailurePoint.pass("departure-\(handOver.phase)")
                do {
                    try await take(handOver, through: link, &relay, disks, manner, &compared, progress)
                    handOver.done()
                } catch let outlasted as DepartingDisks.Outlasted {
                    guard handOver.mayBeginAgain else { throw disks.failed(outlasted, progress) }
                    // It is not waited for before the guest goes on.
                    let old = relay
                    async let closed: Void? = old?.close()
                    try await goOn(because: outlasted, progress)
                    await closed
                    relay = nil
                    try await disks.holdBackAgain(progress)
                    try await disks.verify(&compared, progress)
                    guard handOver.beginAgain() else { throw disks.failed(outlasted, progress) }
                }
            }
        } catch {
            if progress.cancellation.isCancelled { throw CancellationError() }
            throw mapped(error)
        }
        progress.report(Self.memoryShare.to)
        try await FailurePoint.pass("departure-\(handOver.phase)")
    }

    private func take(
        _ handOver: LiveHandOver, through link: PeerLink, _ relay: inout PeerRelay?, _ disks: DepartingDisks,
        _ manner: Manner, _ compared: inout ComparedMirrors, _ progress: any TaskProgress
    ) async throws {
        switch handOver.step {
        case .announce: try await announce(link, attempt: handOver.attempt)
        case .send: relay = try await send(link, manner)
        case .stand: try await awaitStanding(manner, relay, disks, &compared, progress)
        case .settle, .compare:
            try await disks.outlast(at: handOver.phase.rawValue)
            try await disks.settle(
                &compared, within: handOver.comparisonPatience, isLast: handOver.guest == .isHeld, progress)
        case .handOver:
            try await self.handOver(cutting: relay, progress)
            progress.annotate(Self.told(manner, relay))
        case .finish: break
        }
    }

    /// The guest goes on here for now: what it stood for takes too long. Throws when it does not.
    private func goOn(because outlasted: DepartingDisks.Outlasted, _ progress: any TaskProgress) async throws {
        context.logger.warning(
            "a guest goes on here for now, and is handed over anew later: it would have stood for too long",
            metadata: ["vm": "\(uuid)", "disk": "\(machine.disks[outlasted.index].uuid)", "why": "\(outlasted.cause)"])
        progress.annotate(["hand_over_delayed": outlasted.cause])
        await letGoOn()
        if let passage { throw failed("its guest does not go on: it is \(passage)") }
    }

    /// The guest stands: neither a connection that says nothing any more nor a caller who gives up is waited for. What cuts the
    /// connection fails the sending, however busy QEMU is with it.
    private func handOver(cutting relay: PeerRelay?, _ progress: any TaskProgress) async throws {
        let deadline = ContinuousClock.now + Self.restPatience
        let watch = Task {
            while !progress.cancellation.isCancelled, ContinuousClock.now < deadline {
                try await Task.sleep(for: .milliseconds(50))
            }
            await relay?.close()
        }
        defer { watch.cancel() }
        try await guests.handOver(uuid, owner: machine.id)
    }

    private func announce(_ link: PeerLink, attempt: Int) async throws {
        let passport = try GuestDocument.encode(try await guests.passport(of: uuid))
        let expected = ExpectedGuest(passport: passport, attempt: attempt == 1 ? nil : attempt)
        let answer = try await link.tell("expect", expected)
        guard answer == .unfinished else { throw failed("the destination answered '\(answer.rawValue)'") }
    }

    private func send(_ link: PeerLink, _ manner: Manner) async throws -> PeerRelay {
        let socket = machine.socket(of: DepartingMachine.memory, in: context)
        let relay = try await link.relayMemory(onUnixSocket: socket, compresses: manner.compresses)
        do {
            // SAFETY: the C string lives for the call.
            let stream = unsafe socket.withCString { unsafe gantry_unix_connect($0) }
            guard stream >= 0 else { throw failed("the way for its memory does not answer: error \(-stream)") }
            // QEMU gets an own one.
            defer { close(stream) }
            try await guests.send(uuid, into: stream, limits: Self.limits(manner.bytesPerSecond), owner: machine.id)
            return relay
        } catch {
            await relay.close()
            throw error
        }
    }

    private static func limits(_ bytesPerSecond: UInt64) -> MemoryTransferLimits {
        MemoryTransferLimits(bytesPerSecond: bytesPerSecond > 0 ? bytesPerSecond : nil)
    }

    /// What a task says of the memory's way, besides what QEMU does.
    private static func told(_ manner: Manner, _ relay: PeerRelay?) -> [String: String] {
        guard manner.compresses, let relay, let isCoded = relay.isCoded else { return [:] }
        return [
            "memory_compression": isCoded ? MemoryCoding.zstd : "none",
            "memory_bytes_on_wire": String(relay.sentBytes),
        ]
    }

    /// What becomes of its disks meanwhile is seen to while it runs yet.
    private func awaitStanding(
        _ manner: Manner, _ relay: PeerRelay?, _ disks: DepartingDisks, _ compared: inout ComparedMirrors,
        _ progress: any TaskProgress
    ) async throws {
        let watch = Task { await follow(manner, relay, progress) }
        defer { watch.cancel() }
        let mirrors = Task { [compared] in
            let kept = await disks.keepAlike(compared, progress)
            // It need not stand for a move that has failed. A link that is cut ends the sending by itself, and says more.
            guard kept.failure != nil, (try? await Task.sleep(for: .seconds(2))) != nil else { return (kept, false) }
            try? await guests.cancelSending(uuid, owner: machine.id)
            return (kept, true)
        }
        let stands: Result<Void, any Error>
        do { stands = .success(try await guests.switchover(of: uuid)) } catch { stands = .failure(error) }
        mirrors.cancel()
        let (kept, isGivenUp) = await mirrors.value
        compared.add(kept.compared)
        if isGivenUp, let failure = kept.failure { throw failure }
        try stands.get()
        if let failure = kept.failure { throw failure }
    }

    /// Tells how far it is, and does what is wished meanwhile: in the task's `other_config`, or by cancelling it.
    private func follow(_ manner: Manner, _ relay: PeerRelay?, _ progress: any TaskProgress) async {
        var told = manner.bytesPerSecond
        var pace = MemoryPace()
        while !Task.isCancelled {
            if progress.cancellation.isCancelled { try? await guests.cancelSending(uuid, owner: machine.id) }
            if let wanted = (try? MirrorWishes.settings(progress.entries))?.bytesPerSecond, wanted != told,
                (try? await guests.limit(uuid, to: Self.limits(wanted))) != nil
            {
                told = wanted
            }
            if let transfer = try? await guests.transfer(of: uuid), transfer.totalBytes > 0 {
                let sent = 1 - min(1, Double(transfer.remainingBytes) / Double(transfer.totalBytes))
                let share = Self.memoryShare
                progress.report(share.from + (share.to - share.from) * sent)
                let entries = [
                    "phase": "memory", "memory_bytes_total": String(transfer.totalBytes),
                    "memory_bytes_sent": String(transfer.sentBytes),
                    "memory_bytes_remaining": String(transfer.remainingBytes),
                    "memory_dirty_bytes_per_second": String(transfer.dirtyBytesPerSecond),
                ]
                pace.look(sent: transfer.sentBytes)
                let paced = pace.notes(
                    remaining: transfer.remainingBytes, dirtied: transfer.dirtyBytesPerSecond)
                progress.annotate(entries.merging(paced) { $1 }.merging(Self.told(manner, relay)) { first, _ in first })
            }
            try? await Task.sleep(for: .milliseconds(100))
        }
    }

    // MARK: - The decision

    /// In the transaction of the commit: the guest is the one that was sent, and nobody has ended it. Throws VM_HALTED [vm].
    static func requireThere(_ machine: DepartingMachine, in tx: Transaction) throws {
        guard let domain = machine.domain else { return }
        let row = try tx.require(Ref<VM>(machine.vm))
        guard row[VM.domid] == domain, [.running, .paused].contains(row[VM.powerState]) else {
            throw APIError("VM_HALTED", machine.vm)
        }
    }

    /// The machine stays: its guest goes on, as it was. To be called after every failure, and again by whoever starts after a
    /// crash; fine when the guest is on no passage of this move, or gone: the rows say so then. False: it does not go on yet,
    /// or not all its mirrors have ended. One that was held stays so until they have: its disks would not answer.
    func letGoOn(_ endMirrors: @Sendable () async -> Bool) async -> Bool {
        let passage = passage
        for part in LiveHandOver.undoing(isHeld: passage == .held || passage == .handingOver) {
            switch part {
            case .endMirrors: if await !endMirrors() { return false }
            case .letGoOn: await letGoOn()
            }
        }
        // It may have been handed over in the meantime.
        if self.passage == .held { await letGoOn() }
        if self.passage != nil { return false }
        await noteEnd()
        return true
    }

    /// Of the end of a QEMU that held the guest nobody was told, as long as the guest might run elsewhere.
    private func noteEnd() async {
        let domain = context.database.read { $0.row(vm)?[VM.domid] }
        guard guests.state(uuid) == nil, domain == machine.domain, let reason = guests.takeUntoldEnd(of: uuid) else {
            return
        }
        context.logger.warning(
            "a guest that was to stay has ended", metadata: ["vm": "\(uuid)", "reason": "\(reason)"])
        await lifecycle.halted(uuid, reason: reason)
    }

    private func letGoOn() async {
        for attempt in 1...5 {
            guard let passage = self.passage else { return }
            do {
                if passage == .held || passage == .beginning {
                    try await guests.resumeHeld(uuid, owner: machine.id)
                } else {
                    try await guests.cancelSending(uuid, owner: machine.id)
                }
            } catch {
                // All of it may just have been sent.
                if error.code == .refused, self.passage == .held, passage != .held { continue }
                context.logger.error(
                    "a guest that stays does not go on yet",
                    metadata: ["vm": "\(uuid)", "attempt": "\(attempt)", "error": "\(error)"])
                try? await Task.sleep(for: .milliseconds(200))
            }
        }
    }

    /// The other side has the machine: what QEMU holds here goes, and the rows say that it does not run here.
    func end() async throws {
        let vm = vm
        // It may have come back since, as another one.
        let isTheOne = context.database.read { $0.row(vm)?[VM.domid] } == machine.domain
        if passage != nil || isTheOne && guests.state(uuid) != nil {
            try await guests.endHeld(uuid, owner: machine.id)
        }
        try await context.database.transaction { [domain = machine.domain] tx in
            guard let row = tx.row(vm), row[VM.domid] == domain, row[VM.powerState] != .halted else { return }
            let vbds = tx.rows(VBD.self) { $0[VBD.vm] == vm && $0[VBD.currentlyAttached] }
            try MachineLifecycle.mark(vbds, reserved: false, attached: false, in: tx)
            try tx.set(vm, power: .halted)
            try tx.set(vm, VM.residentOn, .null)
            try tx.set(vm, VM.domid, -1)
            try GuestRows.halted(vm, in: tx)
        }
    }

    // MARK: - Errors

    private func failed(_ reason: String) -> APIError {
        APIError("VM_MIGRATE_FAILED", machine.vm, context.host.opaque, machine.place.host, reason)
    }

    private func mapped(_ error: any Error) -> any Error {
        guard let error = error as? GuestError else { return error }
        return GuestDocument.mapped(error, vm: machine.vm, host: context.host) ?? failed(error.message)
    }
}
