import APITypes
import CoreTypes
import DatapathControl
import Foundation
import Guests
import Logging
import PoolDatabase
import StorageInterface
import StorageMotion
import XenAPIClient

/// Machines that go to other pools: this side coordinates (`MachineDeparture`).
///
/// Every step is noted before it is taken. The disks here are the machine's until `committed` is durable, which follows
/// the other side's word that it has all of them, durably, and does not run it; from then on nothing here starts the
/// machine, and what is left of it goes only when the other side has said that it has it. A crash, at any moment, is taken
/// up from the record: before the commit by giving up, after it by asking until somebody answers.
actor Departures {
    private let context: StorageContext
    private let admission: OperationAdmission
    private let guests: GuestHost
    private let lifecycle: MachineLifecycle
    /// What goes along besides disks; nil: nothing does.
    private let belongings: DepartingBelongings?
    private var busy: Set<String> = []
    /// The tasks of moves that an earlier toolstack had begun.
    private let tasks = DepartureTasks()

    init(
        context: StorageContext, admission: OperationAdmission, guests: GuestHost, lifecycle: MachineLifecycle,
        belongings: DepartingBelongings? = nil
    ) {
        self.context = context
        self.admission = admission
        self.guests = guests
        self.lifecycle = lifecycle
        self.belongings = belongings
    }

    /// How long a caller waits for the other side behind the commit; it is asked on without him.
    private static let patience = Duration.seconds(60)
    /// How long he waits for it to answer that his move has failed, or was cancelled.
    private static let lastWord = Duration.seconds(10)
    /// How long a machine that stays waits for each of its discs.
    private static let discPatience = Duration.seconds(15)

    /// Moves a machine that has been surveyed; the caller holds it. Returns its reference at the other side. Whatever is
    /// thrown before the commit, the machine is here and whole.
    func run(
        _ surveyed: SurveyedDeparture, vm: Ref<VM>, options: [String: String], owner: MoveCall?,
        progress: any TaskProgress
    ) async throws -> Ref<VM> {
        let id = surveyed.offer.id
        var machine = DepartingMachine(
            id: id, secret: DepartureSurvey.secret(), place: surveyed.place, session: surveyed.session, vm: vm.opaque,
            uuid: surveyed.offer.uuid, isCopy: surveyed.offer.isCopy, disks: surveyed.disks,
            domain: surveyed.domain, snapshots: surveyed.snapshots.isEmpty ? nil : surveyed.snapshots,
            state: MachineDeparture(), keepsSession: surveyed.keepsSession ? true : nil, call: owner)
        busy.insert(id)
        defer { busy.remove(id) }
        let link = try PeerLink(machine.place, id: id, secret: machine.secret)
        var relays: [PeerRelay] = []
        do {
            let planned = machine
            machine = try await context.database.transaction { tx in
                try Self.requireUnshared(planned.disks, of: planned.vm, snapshots: planned.snapshots ?? [], tx)
                let noted = planned.keepingShared(tx)
                try tx.store(noted)
                try OperationAdmission.enter(noted.hold(withMachine: false), in: tx)
                return noted
            }
            try await carryOut(&machine, surveyed, link, options, &relays, progress)
        } catch {
            let error = DepartureSurvey.named(error, vm, of: context.host, in: context.database)
            // First its guest goes on: connections that say nothing any more take their time to end.
            await giveUp(&machine, because: error)
            await Self.close(relays)
            await settle(&machine, link, patience: .zero, limit: Self.lastWord, nil)
            await link.close()
            throw error
        }
        // A guest stands until the other side was told. Where there is none, nobody is to have the disks open then.
        let ending = Task { [relays] in await Self.close(relays) }
        if !machine.isLive { await ending.value }
        await settle(&machine, link, patience: Self.patience, progress)
        await ending.value
        await link.close()
        switch machine.state.phase {
        case .delivered, .removed,
            .gone where machine.state.failure == nil:
            progress.annotate(["phase": "done"])
            return Ref(machine.remoteVM ?? "")
        case .committed: throw APIError("VM_MIGRATE_CONTACT_REMOTE_SERVICE_FAILED")
        default:
            throw machine.stayed(at: context.host)
        }
    }

    private static func close(_ relays: [PeerRelay]) async {
        await withTaskGroup(of: Void.self) { tasks in
            for relay in relays { tasks.addTask { await relay.close() } }
        }
    }

    private func carryOut(
        _ machine: inout DepartingMachine, _ surveyed: SurveyedDeparture, _ link: PeerLink,
        _ options: [String: String], _ relays: inout [PeerRelay], _ progress: any TaskProgress
    ) async throws {
        FailurePoint.reached("departure-before-offer")
        let guest = self.guest(machine)
        let cutOffs = await lifecycle.cutOffCount(Ref(machine.vm))
        let accepted: MoveAcceptance
        do {
            var patience = OfferPatience()
            patience.silence = TurnOfDisk.patience(try MirrorWishes.settings(options).retrySeconds)
            let session = machine.session
            let offer = WaitingOffer(patience: patience) {
                try await link.ask("offer", surveyed.offer, session: session, limit: .seconds(600))
            }
            accepted = try await offer.accepted(progress)
        } catch {
            let named = DepartureSurvey.named(error, Ref(machine.vm), of: context.host, in: context.database)
            throw MigrationTokens.told(named, by: machine.place.host)
        }
        for index in machine.disks.indices {
            let disk = accepted.disks.first { $0.vdi == machine.disks[index].vdi }
            (machine.disks[index].remote, machine.disks[index].isClone) = (disk?.uuid, disk?.isClone)
        }
        machine.remoteVM = accepted.machine
        try await advance(&machine, .accepted)
        try await FailurePoint.pass("departure-after-offer")
        let filling: any TaskProgress =
            machine.isLive ? ProgressShare(of: progress, from: 0, to: DepartingGuest.memoryShare.from) : progress
        let shared = await DepartingDisks.shares(
            machine, sizes: surveyed.offer.disks.map(\.size), of: filling, context)
        let isVerified = try context.database.read { try MirrorWishes.wantsVerification(options, $0) }
        let disks = DepartingDisks(
            context: context, machine: machine, settings: try MirrorWishes.settings(options),
            bytesPerSecond: try DiskMoves.rate(options), isVerified: isVerified,
            line: PeerLine(
                link, accepted, at: surveyed.host,
                here: PeerLine.Owner(pool: context.poolUUID, host: context.host.opaque)), shared: shared)
        let filled = try await disks.fill(through: link, filling)
        relays = filled.relays
        FailurePoint.reached("departure-after-copy")
        var compared = filled.compared
        try await disks.verify(&compared, filling)
        if machine.isLive {
            let discs = guest.discs()
            if !discs.isEmpty {
                machine.discs = discs
                let noted = machine
                try await context.database.transaction { tx in try tx.store(noted) }
                try await guest.emptyDrives(of: discs)
            }
            let manner = DepartingGuest.Manner(
                bytesPerSecond: try DiskMoves.rate(options),
                compresses: context.database.read { MachineMove.compresses(options, $0) },
                mayBeginAgain: accepted.takes?.contains(MoveAcceptance.expectsAgain) == true)
            var memory: PeerRelay?
            defer { if let memory { relays.append(memory) } }
            try await guest.leave(through: link, disks, manner, &compared, &memory, progress)
        }
        try await progress.passPointOfNoReturn()
        let rows = try await synchronised(&machine, surveyed.offer)
        try await disks.drain(compared, progress)
        // What follows is asked once: by a connection that was there a moment ago. Nothing depends on the answer.
        _ = try? await link.tell("stand", limit: .seconds(5))
        FailurePoint.reached("departure-before-prepare")
        let answer = try await link.tell(
            "prepare", CompletedMachine(rows: rows), limit: machine.isLive ? DepartingGuest.patience : .seconds(120)
        )
        await FailurePoint.wait("departure-after-prepare")
        switch answer {
        case .prepared:
            guard await lifecycle.cutOffCount(Ref(machine.vm)) == cutOffs else {
                throw APIError("VM_HALTED", machine.vm)
            }
            let (vm, hosts) = (machine.vm, (context.host.opaque, machine.place.host))
            try await advance(&machine, .prepared) { tx in
                guard try rows == nil || LateRows.read(surveyed.offer, of: vm, between: hosts, tx) == rows else {
                    throw APIError(
                        "VM_MIGRATE_FAILED", vm, hosts.0, hosts.1, "the VM was changed while it was handed over")
                }
            }
        // By an administrator's word.
        case .ran: try await advance(&machine, .ran)
        case .refused, .forgotten, .unfinished:
            throw APIError(
                "VM_MIGRATE_FAILED", machine.vm, context.host.opaque, machine.place.host,
                "the destination answered '\(answer.rawValue)' instead of making ready")
        }
        await FailurePoint.wait("departure-after-commit")
    }

    /// Notes what has happened, and holds the machine from the commit on.
    private func advance(
        _ machine: inout DepartingMachine, _ event: MachineDeparture.Event,
        if condition: @escaping @Sendable (Transaction) throws -> Void = { _ in }
    ) async throws {
        var next = machine
        next.state.take(event)
        let noted = next
        try await context.database.transaction { tx in
            if noted.state.phase == .committed { try DepartingGuest.requireThere(noted, in: tx) }
            try condition(tx)
            try tx.store(noted)
            if [.committed, .delivered].contains(noted.state.phase) && !noted.isCopy || noted.isToBeFreed {
                try OperationAdmission.enter(noted.hold(withMachine: !noted.isCopy), in: tx)
            }
        }
        machine = next
        await tasks.look(machine, at: context.host)
    }

    /// Returns what the machine's rows say at this moment, which is what goes; nil of a copy, which is of the moment of its offer.
    private func synchronised(_ machine: inout DepartingMachine, _ offer: MoveOffer) async throws -> LateRows? {
        var next = machine
        next.state.take(.synchronised)
        let noted = next
        let hosts = (context.host.opaque, machine.place.host)
        let rows = try await context.database.transaction { tx -> LateRows? in
            try tx.store(noted)
            return noted.isCopy ? nil : try LateRows.read(offer, of: noted.vm, between: hosts, tx)
        }
        machine = next
        return rows
    }

    /// Before the commit the machine stays. When even that cannot be noted, the next start does so.
    private func giveUp(_ machine: inout DepartingMachine, because error: any Error) async {
        if machine.state.isDecided { return }
        let task = Ref<XenTask>(machine.call?.task ?? Ref<XenTask>.null.opaque)
        machine.failureWire = APIError(error, task: task).wire
        do {
            try await advance(&machine, .failed("\(error)"))
        } catch {
            context.logger.error(
                "a failed move to another pool is left to the next start",
                metadata: ["vm": "\(machine.uuid)", "error": "\(error)"])
            // What was to be noted before may be: in `preparing`, that the machine is the other side's.
            if machine.state.phase != .preparing, machine.isLive { _ = await letGoOn(machine) }
            return
        }
        await seeToFreedom(&machine)
    }

    /// The machine is as if nothing had been; once only, since others may begin something with it from then on. Throws while its
    /// guest does not go on, or a mirror of it has not ended.
    private func free(_ machine: inout DepartingMachine) async throws {
        if !machine.isToBeFreed { return }
        guard await letGoOn(machine) else { throw Standing() }
        await putBack(machine.discs ?? [], machine)
        machine.isFree = true
        let noted = machine
        do {
            try await context.database.transaction { tx in try tx.store(noted) }
        } catch {
            // Another start does it again, and finds nothing to do.
            context.logger.error(
                "that a machine stays cannot be noted", metadata: ["vm": "\(machine.uuid)", "error": "\(error)"])
        }
        await admission.end(machine.hold(withMachine: true))
        await tasks.look(machine, at: context.host)
    }

    /// What was taken out of the machine's drives, as far as it can be had: it stays without it otherwise.
    private func putBack(_ discs: [DepartingMachine.Disc], _ machine: DepartingMachine) async {
        let drives = DriveMessages(context: context, admission: admission, guests: guests, lifecycle: lifecycle)
        for disc in discs where context.database.read({ $0.row(Ref<VBD>(disc.drive))?[VBD.empty] }) == true {
            do {
                let (vdi, drive) = (Ref<VDI>(disc.vdi), Ref<VBD>(disc.drive))
                // Storage that does not answer keeps nothing else of the machine: one that is late goes on by itself.
                try await LongRequest.answer(
                    cancellation: CancellationFlag(), until: ContinuousClock.now + Self.discPatience
                ) {
                    try await drives.putBack(vdi, into: drive)
                }
            } catch {
                context.logger.warning(
                    "a disc is not back in the drive of a machine that stays",
                    metadata: ["vm": "\(machine.uuid)", "vdi": "\(disc.vdi)", "error": "\(error)"])
            }
        }
    }

    /// The same for whoever can do nothing about it: `retry` does so again.
    private func seeToFreedom(_ machine: inout DepartingMachine) async {
        do {
            try await free(&machine)
        } catch {
            context.logger.error(
                "a machine that stays is not free yet: its guest and its mirrors are told again",
                metadata: ["vm": "\(machine.uuid)", "move": "\(machine.id)"])
        }
    }

    /// Goes on with what is decided, as far as others answer.
    private func goOn(withMove id: String) async {
        guard busy.insert(id).inserted else { return }
        defer { busy.remove(id) }
        // It may have gone on since.
        guard var machine = context.database.departures().first(where: { $0.id == id }) else { return }
        await forgetCall(&machine)
        await seeToFreedom(&machine)
        if machine.isToBeFreed { return }
        guard let link = try? PeerLink(machine.place, id: machine.id, secret: machine.secret) else { return }
        await settle(&machine, link, patience: .zero, nil)
        await link.close()
    }

    /// The call has been answered, whether the move is over or not: its task does not come back with a restart. What is left of the
    /// move is listed by VM.get_peer_moves as before.
    private func forgetCall(_ machine: inout DepartingMachine) async {
        guard machine.call != nil, await !tasks.isExpected(machine.id) else { return }
        machine.call = nil
        let noted = machine
        do {
            try await context.database.transaction { tx in try tx.store(noted) }
        } catch {
            context.logger.debug(
                "that a call has ended cannot be noted yet", metadata: ["move": "\(machine.id)", "error": "\(error)"])
        }
    }

    /// A machine that stays has not been let go on yet.
    private struct Standing: Error, CustomStringConvertible {
        let description = "its guest does not go on yet, or a mirror of its disks has not ended"
    }

    /// False while the guest does not go on, or a mirror has not ended.
    private func letGoOn(_ machine: DepartingMachine) async -> Bool {
        let disks = disks(machine)
        if machine.isLive { return await guest(machine).letGoOn { await disks.release() } }
        return await disks.release()
    }

    private func guest(_ machine: DepartingMachine) -> DepartingGuest {
        DepartingGuest(context: context, guests: guests, lifecycle: lifecycle, machine: machine)
    }

    private func disks(_ machine: DepartingMachine) -> DepartingDisks {
        DepartingDisks(
            context: context, machine: machine, settings: MirrorSettings(), bytesPerSecond: 0, isVerified: false)
    }

    // MARK: - What follows a decision

    /// Takes the steps of a decided move, as far as the other side answers within `patience`.
    /// `limit`: how long each answer may take. `progress`: of whoever waits for it.
    private func settle(
        _ machine: inout DepartingMachine, _ link: PeerLink, patience: Duration, limit: Duration = .seconds(120),
        _ progress: (any TaskProgress)?
    ) async {
        let deadline = ContinuousClock.now + patience
        while machine.state.isDecided, machine.state.phase != .gone {
            do {
                try await step(&machine, link, limit, progress)
            } catch {
                context.logger.warning(
                    "a move to another pool goes on later",
                    metadata: [
                        "vm": "\(machine.uuid)", "move": "\(machine.id)", "step": "\(machine.state.step)",
                        "error": "\(error)",
                    ])
                if ContinuousClock.now >= deadline { return }
                // A test need not wait as long as its caller would.
                do { try await FailurePoint.pass("departure-unanswered") } catch { return }
                try? await Task.sleep(for: .milliseconds(500))
            }
        }
    }

    private func step(
        _ machine: inout DepartingMachine, _ link: PeerLink, _ limit: Duration, _ progress: (any TaskProgress)?
    ) async throws {
        switch machine.state.step {
        case .run:
            FailurePoint.reached("departure-before-run")
            let answer = try await link.tell("run", limit: limit)
            await FailurePoint.wait("departure-after-run")
            switch answer {
            case .ran: try await advance(&machine, .ran)
            case .refused:
                try await advance(&machine, .refused)
                try await free(&machine)
            case .prepared, .forgotten, .unfinished: throw Unexpected(answer: answer)
            }
        case .remove:
            progress?.annotate(["phase": "belongings"])
            try await remove(&machine, link)
            await FailurePoint.wait("departure-after-remove")
        case .cancel:
            let answer = try await link.tell("cancel", session: machine.session, limit: limit)
            FailurePoint.reached("departure-after-cancel")
            switch answer {
            case .refused: try await advance(&machine, .refused)
            case .ran:
                context.logger.critical(
                    "a machine was begun at another pool by an administrator's word and is here too; both are kept",
                    metadata: ["vm": "\(machine.uuid)", "peer": "\(machine.place.host)"])
                try await advance(&machine, .ran)
            case .prepared, .forgotten, .unfinished: throw Unexpected(answer: answer)
            }
        case .forget:
            // Nobody would see to its guest any more.
            try await free(&machine)
            // First the session: an offer that is late yet would be taken by whoever has forgotten that it was cancelled. Those that
            // remember it leave the session to whoever it was made for: it may serve other moves.
            if machine.keepsSession != true { try await endSession(machine, link) }
            let answer = try await link.tell("forget", limit: limit)
            guard answer == .forgotten else { throw Unexpected(answer: .unfinished) }
            try await advance(&machine, .forgotten)
        case .offer, .copy, .prepare, .nothing: return
        }
    }

    private func endSession(_ machine: DepartingMachine, _ link: PeerLink) async throws {
        let peer = link.connection.session(machine.session)
        do {
            _ = try await peer.call("session.logout", [])
        } catch let error as APIError where error.code == "SESSION_INVALID" {
            // It was restarted, or has ended it.
        } catch {
            await peer.close()
            throw error
        }
        await peer.close()
    }

    private struct Unexpected: Error {
        let answer: MachineArrival.Answer
    }

    /// The other side has the machine, and gets what belongs to it, too. Then rows go first; the images' rows go with the images.
    private func remove(_ machine: inout DepartingMachine, _ link: PeerLink) async throws {
        if machine.isLive { try await guest(machine).end() }
        await disks(machine).release()
        if !machine.isCopy {
            let machines = ((machine.snapshots ?? []) + [machine.vm]).map { Ref<VM>($0) }
            let delivered = await belongings?.send(machine, through: link)
            FailurePoint.reached("departure-belongings-sent")
            let (uuid, place, host) = (machine.uuid, machine.place.host, context.host)
            let contents = try await context.database.transaction { tx in
                let left = try delivered?.leave(machines, uuid: uuid, to: place, from: host, in: tx)
                for vm in machines where tx.row(vm) != nil { try MachineRows.remove(vm, in: tx) }
                return left ?? []
            }
            belongings?.blobs.removeContents(contents)
            // First what stands on others.
            for disk in machine.disks.reversed() where !disk.stays { try await destroy(disk) }
        }
        let gone = machine.disks.filter { !$0.stays }
        try await context.database.transaction { tx in
            for disk in gone {
                let vdi = Ref<VDI>(disk.vdi)
                for drive in tx.rows(VBD.self, where: { $0[VBD.vdi] == vdi }) { tx.delete(drive.typedRef(VBD.self)) }
                for snapshot in tx.rows(VDI.self, where: { $0[VDI.snapshotOf] == vdi }) {
                    try tx.set(snapshot.typedRef(VDI.self), VDI.snapshotOf, .null)
                }
                tx.delete(vdi)
            }
        }
        await admission.end(machine.hold(withMachine: true))
        try await advance(&machine, .removed)
    }

    private func destroy(_ disk: DepartingMachine.Disk) async throws {
        guard context.database.read({ $0.row(Ref<SR>(disk.sr)) }) != nil else { return }
        let attached = try context.attached(Ref(disk.sr))
        try await context.discard(
            VolumeID(location: disk.location, uuid: disk.uuid, ref: disk.vdi), in: attached)
        await context.forgetGoneNodes(attached)
        await context.refreshSpace(attached)
    }

    // MARK: - Without the other side

    /// UUID_INVALID [move, id]; OTHER_OPERATION_IN_PROGRESS while somebody is at it; OPERATION_NOT_ALLOWED [text] for a
    /// decision that there is not.
    func decide(_ id: String, _ decision: PeerMoveDecision) async throws {
        guard busy.insert(id).inserted else {
            throw APIError("OTHER_OPERATION_IN_PROGRESS", "move", id, "migrate_send", "")
        }
        defer { busy.remove(id) }
        guard var machine = context.database.departures().first(where: { $0.id == id }) else {
            throw APIError.uuidInvalid("move", id)
        }
        context.logger.warning(
            "an administrator decides a move to another pool",
            metadata: ["move": "\(id)", "vm": "\(machine.uuid)", "decision": "\(decision.rawValue)"])
        switch (decision, machine.state.phase) {
        case (.here, .committed):
            try await advance(&machine, .refused)
            try await freed(&machine)
            try await advance(&machine, .forgotten)
        case (.there, .committed): try await advance(&machine, .ran)
        case (.forget, .abandoned):
            try await freed(&machine)
            try await advance(&machine, .refused)
            try await advance(&machine, .forgotten)
        case (.forget, .retracted), (.forget, .removed):
            try await freed(&machine)
            try await advance(&machine, .forgotten)
        default:
            throw APIError(
                "OPERATION_NOT_ALLOWED",
                "a departure that is \(machine.state.phase.rawValue) cannot be '\(decision.rawValue)'")
        }
    }

    private func freed(_ machine: inout DepartingMachine) async throws {
        do {
            try await free(&machine)
        } catch {
            throw APIError("OPERATION_NOT_ALLOWED", "\(error): it is told again; wait, or shut the VM down")
        }
    }

    // MARK: - After a restart

    /// Before calls are taken: moves that were not decided are given up, those that were are held again.
    func resume() async {
        for record in context.database.departures() {
            var machine = record
            await tasks.expect(machine, at: context.host)
            if !machine.state.isDecided {
                context.logger.warning(
                    "a move to another pool is given up: the toolstack was restarted before its commit",
                    metadata: ["vm": "\(machine.uuid)", "move": "\(machine.id)"])
                do {
                    try await advance(&machine, .restarted)
                } catch {
                    context.logger.error("a move cannot be given up", metadata: ["error": "\(error)"])
                    continue
                }
            }
            let held = machine
            if held.isToBeFreed || !held.state.isHere && held.state.phase != .removed {
                try? await context.database.transaction { tx in
                    try OperationAdmission.enter(held.hold(withMachine: !held.isCopy), in: tx)
                }
            }
            // A driver of others is asked once calls are served. What this move has nothing to do with any more is left alone.
            if held.isToBeFreed { Task { await goOn(withMove: held.id) } }
        }
    }

    /// Shows the tasks of moves that an earlier toolstack had begun: each ends when its move does, as it would have.
    func takeUp(_ tasks: Tasks) async { await self.tasks.takeUp(tasks, context.logger) }

    /// Goes on with what is decided, each by itself: a pool that says nothing keeps no other waiting.
    func retry() async {
        for record in context.database.departures() {
            if record.state.isDecided {
                Task { await goOn(withMove: record.id) }
            } else if !busy.contains(record.id) {
                Task { await giveUp(withMove: record.id) }
            }
        }
    }

    /// A move whose end could not be noted when it failed, and which nobody carries out any more.
    private func giveUp(withMove id: String) async {
        guard busy.insert(id).inserted else { return }
        defer { busy.remove(id) }
        guard var machine = context.database.departures().first(where: { $0.id == id }), !machine.state.isDecided
        else { return }
        do {
            try await advance(&machine, .restarted)
        } catch {
            context.logger.debug("a move cannot be given up yet", metadata: ["move": "\(id)", "error": "\(error)"])
            return
        }
        await seeToFreedom(&machine)
    }
}
