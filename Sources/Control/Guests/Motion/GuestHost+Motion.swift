import Logging

// Guests that go from one QEMU to another.
//
// Of the side that a guest leaves: `passport`, `send`, `switchover` (the guest stands now, its disks are flushed: whoever
// mirrors them finishes), `handOver`, and then `endHeld`, or `resumeHeld` when the guest does not run on the other side.
// Of the side that it comes to: `check`, `startReceiving`, `receive`, `received`, and then `takeOver`, or `dismiss`.
// Any failure before `handOver` has returned leaves the guest running where it was. After it the caller decides, once and for
// good, which side runs the guest. `passage` has what a restarted daemon finds; each wait may be called again then.
//
// `owner`: whose the passage is, a move's id, which the guest's record keeps; nil where there is only one who could have begun
// it. Whoever is not the owner is refused: an earlier move of the guest never decides what a later one has in hand.
extension GuestHost {
    // MARK: Of the side that the guest leaves

    /// What another host must have for the guest.
    public func passport(of uuid: String) async throws(GuestError) -> GuestPassport {
        try await on(uuid) { (guest) throws(GuestError) in try await guest.passport() }
    }

    /// Begins to send the guest's memory into `stream`, an open socket that the caller may close when this returns. The guest goes on
    /// running. `isAnswered`: a QEMU on the other end says over the same socket when it has everything; without it, that all
    /// was written is all that `handOver` can know. Nothing else can be done to the guest until it is back or gone. Throws
    /// `.refused` for one that cannot be sent.
    public func send(
        _ uuid: String, into stream: Int32, isAnswered: Bool = true, limits: MemoryTransferLimits = .init(),
        owner: String? = nil
    ) async throws(GuestError) {
        try await on(uuid) { (guest) throws(GuestError) in
            try await guest.send(into: stream, isAnswered: isAnswered, limits: limits, of: owner)
        }
        logger.info("a guest is sent", metadata: ["guest": "\(uuid)"])
    }

    /// Returns when the guest stands, its disks are flushed, and what is left of its memory goes within the limit. Throws
    /// `.transferFailed` with the reason when the sending failed or was given up: the guest goes on running.
    public func switchover(of uuid: String) async throws(GuestError) {
        try await on(uuid) { (guest) throws(GuestError) in try await guest.switchover() }
    }

    /// Sends the rest, and returns when QEMU holds the guest, which does not run again by itself. Throws `.transferFailed` when not
    /// all was sent: the guest goes on running here. Any other error, or none in time: whether it was sent is not known; ask again.
    public func handOver(_ uuid: String, owner: String? = nil) async throws(GuestError) {
        try await on(uuid) { (guest) throws(GuestError) in try await guest.handOver(of: owner) }
        logger.info("a guest was handed over", metadata: ["guest": "\(uuid)"])
    }

    /// Gives the sending up at any moment and returns when the guest goes on as before; fine when it does. Throws `.refused` when all
    /// of it has been sent already, `.timedOut` when QEMU does not say what became of it.
    public func cancelSending(_ uuid: String, owner: String? = nil) async throws(GuestError) {
        try await on(uuid) { (guest) throws(GuestError) in try await guest.cancelSending(of: owner) }
    }

    /// How far it is, and how far it got.
    public func transfer(of uuid: String) async throws(GuestError) -> MemoryTransfer {
        try await on(uuid) { (guest) throws(GuestError) in try await guest.transfer() }
    }

    /// Changes what the sending may take.
    public func limit(_ uuid: String, to limits: MemoryTransferLimits) async throws(GuestError) {
        try await on(uuid) { (guest) throws(GuestError) in try await guest.set(limits) }
    }

    /// Lets a held guest go on here: it never ran on the other side, and never will. Throws `.refused` when QEMU does not let it: it
    /// is held as before. After any other error the order stands, for a restarted daemon too: call again.
    public func resumeHeld(_ uuid: String, owner: String? = nil) async throws(GuestError) {
        try await run(uuid, owner)
    }

    /// Ends the QEMU of a held guest: it runs on the other side. No event tells of it. Throws `.refused` for one that is not held.
    public func endHeld(_ uuid: String, owner: String? = nil) async throws(GuestError) {
        let guest = try find(uuid)
        try guest.requireOwned(by: owner)
        // An earlier daemon may have been told nothing when it asked.
        if guest.passage == .handingOver { await guest.takeStock() }
        guard guest.passage == .held else {
            throw GuestError(.refused, "it is not held: \(guest.passage?.rawValue ?? "on no passage")", guest: uuid)
        }
        try await guest.dismiss()
    }

    /// Ends the QEMU of a guest that is elsewhere and never runs here again, whatever QEMU answers and wherever it is on its
    /// passage: the caller has that in writing. No event tells of it; fine when it is gone. Throws `.timedOut` as `hardShutdown`.
    public func endAbandoned(_ uuid: String) async throws(GuestError) {
        guard let guest = try? find(uuid) else { return }
        try await guest.dismiss()
    }

    // MARK: Of the side that it comes to

    /// Throws `.incompatible` when this host's QEMU or processor cannot go on with such a guest, `.invalidSpecification` for what no
    /// guest can be.
    public func check(_ passport: GuestPassport) async throws(GuestError) {
        let uuid = passport.specification.uuid
        do throws(GuestError) {
            try passport.check()
            do throws(BootFiles.Refusal) {
                _ = try bootFiles.resolved(passport.specification.boot)
            } catch {
                throw GuestError(
                    .incompatible, "\(error); this host needs the guest's boot files where the other one has them")
            }
            let hardware = passport.hardware
            let known = try await machines.names()
            guard known.contains(hardware.machine) else {
                throw GuestError(
                    .incompatible,
                    "the guest's machine is a \(hardware.machine), which the QEMU of this host does not have: "
                        + "it must be as new as the sender's")
            }
            guard hardware.isAccelerated else { return }
            guard await isAccelerated(passport.specification) else {
                throw GuestError(
                    .incompatible, "the guest runs with KVM, and this host has none: a guest cannot change over")
            }
            guard hardware.traits == ProcessorTraits.current() else {
                throw GuestError(
                    .incompatible,
                    "the guest has seen another processor than this host has: shut it down and start it here")
            }
        } catch {
            throw error.of(guest: uuid)
        }
    }

    /// Starts a QEMU that waits for the guest. It asks nothing of the disks, whose servers must be there, until `takeOver`. Throws as
    /// `check` and `start` do, and then nothing is left of it.
    public func startReceiving(_ passport: GuestPassport, owner: String? = nil) async throws(GuestError) {
        try await check(passport)
        let uuid = passport.specification.uuid
        try claim(uuid)
        do throws(GuestError) {
            let guest = try await launch(passport.specification, receiving: passport, owner: owner)
            enter(guest)
            try await guest.awaitArrival()
            logger.info("a guest is waited for", metadata: ["guest": "\(uuid)", "pid": "\(guest.pid)"])
        } catch {
            remove(uuid)
            throw error.of(guest: uuid)
        }
    }

    /// Begins to read the guest from `stream`, an open socket that the caller may close when this returns.
    public func receive(_ uuid: String, from stream: Int32, owner: String? = nil) async throws(GuestError) {
        try await on(uuid) { (guest) throws(GuestError) in try await guest.receive(from: stream, of: owner) }
    }

    /// Returns when all of the guest is there; it stands. Throws `.transferFailed` when the stream broke or was not one: its QEMU and
    /// all that was of it are gone then.
    public func received(_ uuid: String) async throws(GuestError) {
        guard let guest = try? find(uuid) else {
            throw GuestError(.transferFailed, "the QEMU that waited for it has ended", guest: uuid)
        }
        try await guest.received()
    }

    /// Lets a guest that was received run here; one that was paused before stays so. It never runs on the other side again. Throws
    /// `.refused` when QEMU does not let it: it has not run, and may be dismissed. After any other error the order stands, for a
    /// restarted daemon too: call again.
    public func takeOver(_ uuid: String, owner: String? = nil) async throws(GuestError) { try await run(uuid, owner) }

    /// Ends the QEMU that waits for a guest, or has received one that will never run here. No event tells of it. Throws
    /// `.refused` when the guest was told to run.
    public func dismiss(_ uuid: String, owner: String? = nil) async throws(GuestError) {
        let guest = try find(uuid)
        try guest.requireOwned(by: owner)
        guard let passage = guest.passage, [.waiting, .loading, .loaded].contains(passage) else {
            throw GuestError(.refused, "it is no guest that is to come", guest: uuid)
        }
        try await guest.dismiss()
    }

    // MARK: Either

    /// Where the guest is on its way; nil: on none, or no such guest is here.
    public func passage(of uuid: String) -> GuestPassage? { (try? find(uuid))?.passage }

    /// The same of a passage that is this owner's; nil, too, while it is another's.
    public func passage(of uuid: String, owner: String?) -> GuestPassage? {
        (try? find(uuid))?.passage(of: owner)
    }

    private func run(_ uuid: String, _ owner: String?) async throws(GuestError) {
        try await on(uuid) { (guest) throws(GuestError) in try await guest.run(of: owner) }
        logger.info("a guest goes on", metadata: ["guest": "\(uuid)"])
    }

    private func on<Value: Sendable>(
        _ uuid: String, _ body: (Guest) async throws(GuestError) -> Value
    ) async throws(GuestError) -> Value {
        let guest = try find(uuid)
        do throws(GuestError) { return try await body(guest) } catch { throw error.of(guest: uuid) }
    }
}
