import Synchronization

/// A guest that leaves for another QEMU, or comes from one (`GuestMotion` has the rules).
///
/// The record says what a guest's role is before QEMU is told to do what that role allows; QEMU itself knows how far it is. A
/// new daemon reads both.
extension Guest {
    var passage: GuestPassage? { state.withLock { $0.motion.passage } }

    /// Nil, too, while the passage is another owner's.
    func passage(of owner: String?) -> GuestPassage? {
        state.withLock { $0.motion.owner == owner ? $0.motion.passage : nil }
    }

    /// Throws `.refused` while the guest is on a passage: what it is made of must not change then.
    func requireSettled(_ what: String) throws(GuestError) {
        guard let passage else { return }
        throw GuestError(.refused, "\(what) is not possible while the guest is moved (\(passage))", guest: uuid)
    }

    /// Throws `.refused` when the guest is on a passage of another owner's.
    func requireOwned(by owner: String?) throws(GuestError) {
        let isAnothers = state.withLock { $0.motion.passage != nil && $0.motion.owner != owner }
        if isAnothers { throw GuestError(.refused, "another move has the guest", guest: uuid) }
    }

    // MARK: Leaving

    /// Begins to send the guest's memory into the open file `stream`, which the caller may close when this returns. A guest
    /// that cannot be sent goes on. `isAnswered`: the receiver says when it has everything, over the same socket.
    func send(
        into stream: Int32, isAnswered: Bool, limits: MemoryTransferLimits, of owner: String?
    ) async throws(GuestError) {
        await freeAbandonedPorts()
        if !abandonedPorts.isEmpty {
            throw GuestError(
                .refused, "the guest has not let go of a disk that was taken from it: it can be moved once it has",
                guest: uuid)
        }
        try move { (motion, phase) throws(GuestError) in
            guard phase == .running || phase == .paused else {
                throw GuestError(.refused, "a guest that is \(phase) cannot be sent")
            }
            try motion.order(.send, isPaused: phase == .paused, of: owner)
        }
        do throws(GuestError) {
            try await monitor.execute(
                "migrate-set-capabilities",
                Self.capabilities([
                    "events": true, "pause-before-switchover": true, "return-path": isAnswered, "auto-converge": true,
                ]))
            try await set(limits)
            try await give(stream)
            try await monitor.execute("migrate", ["uri": .string("fd:" + Self.streamName)])
        } catch {
            // Whether it has begun or not, it is given up.
            _ = try? await monitor.execute("migrate_cancel")
            await takeStock()
            throw error
        }
    }

    func set(_ limits: MemoryTransferLimits) async throws(GuestError) {
        try await monitor.execute("migrate-set-parameters", limits.parameters)
    }

    /// Returns when the guest stands and its disks are flushed, ready for `handOver`. Throws `.transferFailed` when the sending has
    /// failed or was given up: the guest goes on.
    func switchover() async throws(GuestError) {
        let arrived = try await whenMoved { motion -> Bool? in
            switch motion.passage {
            case .atSwitchover, .handingOver, .held: true
            case nil, .waiting, .loading, .loaded, .beginning: false
            case .sending, .cancelling, .returning: nil
            }
        }
        if !arrived { throw await failure() }
    }

    /// Sends the rest of a guest that stands, and returns when QEMU holds the guest and the receiver has all of it. Throws
    /// `.transferFailed` when it has not: the guest goes on here.
    func handOver(of owner: String?) async throws(GuestError) {
        try requireOwned(by: owner)
        // Again after a restart: the order was given.
        if ![.handingOver, .held].contains(passage) {
            try move { (motion, _) throws(GuestError) in try motion.order(.handOver, of: owner) }
            do throws(GuestError) {
                try await monitor.execute("migrate-continue", ["state": "pre-switchover"])
            } catch {
                await takeStock()
                if passage == nil { throw await failure() }
                if ![.handingOver, .held].contains(passage) { throw error }
            }
        }
        let isHeld = try await whenMoved { motion -> Bool? in
            switch motion.passage {
            case .held: true
            case .handingOver, .returning: nil
            default: false
            }
        }
        if !isHeld { throw await failure() }
    }

    /// Gives the sending up, and returns when the guest goes on as before. Nothing happens when it does. Throws `.refused` when all of
    /// it was sent.
    func cancelSending(of owner: String?) async throws(GuestError) {
        if passage == nil { return }
        try move { (motion, _) throws(GuestError) in try motion.order(.cancel, of: owner) }
        if passage == .handingOver {
            // QEMU 7.2 lets the guest go on before it has its disks back when it is cancelled here; not when the connection breaks.
            _ = try? await monitor.execute("yank", ["instances": .array([["type": "migration"]])])
        } else {
            _ = try? await monitor.execute("migrate_cancel")
        }
        let isBack: Bool
        do throws(GuestError) {
            isBack = try await comesBack(atMost: Self.patience)
        } catch {
            if error.code != .timedOut { throw error }
            // What QEMU has said of it may not have been heard.
            await takeStock()
            isBack = try await comesBack(atMost: Self.patience)
        }
        if !isBack { throw GuestError(.refused, "all of the guest has been sent already", guest: uuid) }
    }

    func transfer() async throws(GuestError) -> MemoryTransfer {
        MemoryTransfer(try await monitor.execute("query-migrate"))
    }

    /// Why the sending failed, once the guest goes on.
    private func failure() async -> GuestError {
        do throws(GuestError) {
            _ = try await comesBack()
        } catch {
            return error
        }
        let reason = (try? await transfer().error) ?? "the sending was given up, or the receiver ended"
        return GuestError(.transferFailed, "its memory was not sent: \(reason)", guest: uuid)
    }

    /// Waits until the guest goes on, after a failure or `cancelSending`. False: QEMU holds it, all was sent.
    private func comesBack(atMost limit: Duration? = nil) async throws(GuestError) -> Bool {
        _ = try await whenMoved(atMost: limit) { motion -> Bool? in
            switch motion.passage {
            case nil, .returning, .held: true
            default: nil
            }
        }
        // QEMU lets it go on; should it not, we do.
        if passage == .returning, let run = try? await monitor.execute("query-status")["status"]?.text,
            run == "paused" || run == "postmigrate"
        {
            _ = try? await monitor.execute("cont")
        }
        return try await whenMoved(atMost: limit) { motion -> Bool? in
            switch motion.passage {
            case nil: true
            case .held: false
            default: nil
            }
        }
    }

    // MARK: Coming

    /// Waits for a guest, in place of `begin`. On an error QEMU is gone.
    func awaitArrival() async throws(GuestError) {
        monitor.start(self)
        do throws(GuestError) {
            try await monitor.connected(within: .seconds(30))
            // The disks stay the sender's until the guest is told to run.
            try await monitor.execute(
                "migrate-set-capabilities",
                Self.capabilities(["events": true, "return-path": true, "late-block-activate": true]))
        } catch {
            try? await end(grace: .zero)
            throw GuestError(.startFailed, error.message, guest: uuid, systemError: error.systemError)
        }
    }

    /// Begins to read the guest from the open file `stream`, which the caller may close when this returns.
    func receive(from stream: Int32, of owner: String?) async throws(GuestError) {
        try move { (motion, _) throws(GuestError) in try motion.order(.receive, of: owner) }
        try await give(stream)
        try await monitor.execute("migrate-incoming", ["uri": .string("fd:" + Self.streamName)])
    }

    /// Returns when all of the guest was read. Throws `.transferFailed` when it was not: QEMU is gone then.
    func received() async throws(GuestError) {
        let isThere: Bool
        do throws(GuestError) {
            isThere = try await whenMoved { motion -> Bool? in
                switch motion.passage {
                case .loaded, .beginning: true
                case .waiting, .loading: nil
                default: false
                }
            }
        } catch {
            throw GuestError(.transferFailed, "the guest was not received: \(error.message)", guest: uuid)
        }
        if !isThere { throw GuestError(.refused, "the guest is not one that comes", guest: uuid) }
    }

    // MARK: Either

    /// Lets the guest run that is held or was loaded; one that was paused stays so. `.refused` when QEMU does not let it: then it
    /// has not run. After any other error the order stands: call again.
    func run(of owner: String?) async throws(GuestError) {
        let hadRun = state.withLock { $0.record.hasRun }
        try move({ (motion, _) throws(GuestError) in try motion.order(.run, of: owner) }, also: { $0.hasRun = true })
        do throws(GuestError) {
            try await carryOutRun()
        } catch {
            // The answer did not come, yet QEMU has said that the guest runs.
            if passage == nil, !state.withLock({ $0.phase == .stopped }) { return }
            // Its disks do not answer, say. Anything but a refusal: nobody knows, and the order stands.
            if error.code == .refused { try move({ (motion, _) in motion.didNotRun() }, also: { $0.hasRun = hadRun }) }
            throw error
        }
    }

    func carryOutRun() async throws(GuestError) {
        let wasPaused = state.withLock { $0.motion.wasPaused }
        if !wasPaused { try await monitor.execute("cont") }
        state.withLock { state in
            if state.phase == .starting || state.phase == .running { state.phase = wasPaused ? .paused : .running }
        }
        // Of one that has not run its first instruction QEMU says the same as of one that is about to.
        try move({ (motion, _) in motion.ran() }, also: { if wasPaused { $0.waits = true } })
    }

    /// Ends the QEMU of a guest that runs elsewhere, or never will here. Nobody is told that a guest has ended.
    func dismiss() async throws(GuestError) {
        state.withLock { $0.isDismissed = true }
        try await end(grace: .zero)
    }

    // MARK: The record and QEMU

    private static let streamName = "stream"
    /// How long QEMU may take to let a guest go on whose sending it has been told to give up.
    private static let patience = Duration.seconds(15)

    private static func capabilities(_ values: KeyValuePairs<String, Bool>) -> QMPValue {
        ["capabilities": .array(values.map { ["capability": .string($0.key), "state": .bool($0.value)] })]
    }

    private func give(_ stream: Int32) async throws(GuestError) {
        try await monitor.execute("getfd", ["fdname": .string(Self.streamName)], file: stream)
    }

    /// Changes the motion, and the record when the role is another one then: both or neither.
    func move(
        _ body: (inout GuestMotion, GuestState) throws(GuestError) -> Void, also: ((inout GuestRecord) -> Void)? = nil
    ) throws(GuestError) {
        let (outcome, ready) = state.withLock { state -> (Result<Void, GuestError>, [MotionWait]) in
            do throws(GuestError) {
                var (motion, record) = (state.motion, state.record)
                try body(&motion, state.phase)
                also?(&record)
                if record.role != motion.role || also != nil {
                    record.role = motion.role
                    record.orderedFrom = motion.orderedFrom
                    record.wasPaused = motion.role == nil ? nil : motion.wasPaused
                    record.owner = motion.owner
                    try record.write(to: folder.record)
                }
                state.record = record
                state.motion = motion
                return (.success(()), state.takeReady())
            } catch {
                return (.failure(error.of(guest: uuid)), [])
            }
        }
        for wait in ready { wait.continuation.resume(returning: .success(())) }
        try outcome.get()
    }

    /// Waits until `look` finds what it wants, and returns it. Throws when QEMU ends first, and `.timedOut` after `limit`.
    private func whenMoved<Value: Sendable>(
        atMost limit: Duration? = nil, _ look: @escaping @Sendable (GuestMotion) -> Value?
    ) async throws(GuestError) -> Value {
        let id = UInt64.random(in: .min ... .max)
        let timer = limit.map { limit in
            Task {
                try await Task.sleep(for: limit)
                endWait(id, limit)
            }
        }
        defer { timer?.cancel() }
        while true {
            let answer = await withCheckedContinuation {
                (continuation: CheckedContinuation<Result<Void, GuestError>, Never>) in
                let now = state.withLock { state -> Result<Void, GuestError>? in
                    if look(state.motion) != nil { return .success(()) }
                    if let ended = state.ended { return .failure(ended) }
                    state.waits.append(MotionWait(id: id, isOver: { look($0) != nil }, continuation: continuation))
                    return nil
                }
                if let now { continuation.resume(returning: now) }
            }
            try answer.get()
            if let value = state.withLock({ look($0.motion) }) { return value }
        }
    }

    private func endWait(_ id: UInt64, _ limit: Duration) {
        let late = state.withLock { state in
            let late = state.waits.filter { $0.id == id }
            state.waits.removeAll { $0.id == id }
            return late
        }
        let error = GuestError(.timedOut, "QEMU has not said within \(limit) where the guest is", guest: uuid)
        for wait in late { wait.continuation.resume(returning: .failure(error)) }
    }

    /// Asks QEMU how far the passage is, after a restart of the daemon or an answer that did not come.
    func takeStock() async {
        let (role, wasPaused, orderedFrom) = state.withLock {
            ($0.record.role, $0.record.wasPaused ?? false, $0.record.orderedFrom)
        }
        if role == nil { return }
        // What happens while QEMU is asked is heard of, too: what is believed must be what is found once more.
        for attempt in 0..<20 {
            guard let run = try? await monitor.execute("query-status", atMost: .seconds(10))["status"]?.text,
                let info = try? await monitor.execute("query-migrate", atMost: .seconds(10))
            else { return }
            let found = GuestMotion.found(
                role, wasPaused: wasPaused, orderedFrom: orderedFrom, migration: info["status"]?.text, run: run)
            if attempt > 0, found.motion.passage == passage { return }
            try? move { (motion, _) in motion = found.motion.owned(by: motion.owner) }
            if found.duty == .run {
                try? await carryOutRun()
                return
            }
        }
    }
}

/// Somebody who waits for a passage to come somewhere.
struct MotionWait: Sendable {
    let id: UInt64
    let isOver: @Sendable (GuestMotion) -> Bool
    let continuation: CheckedContinuation<Result<Void, GuestError>, Never>
}

extension Guest.State {
    /// Those whose wait is over.
    mutating func takeReady() -> [MotionWait] {
        let ready = waits.filter { $0.isOver(motion) }
        if !ready.isEmpty { waits.removeAll { $0.isOver(motion) } }
        return ready
    }
}
