import BlockIO
import CLinux
import Glibc
import NBDProtocol
import Synchronization

// Changes whose callers do not wait for ever. What they could not send belongs to the connection from then on, and goes out
// before anything else; what they sent and left is ended by the receiver.
extension ClientLink {
    /// False: the time was over before anything of it went out.
    func send(_ request: NBDRequest, _ payload: UnsafeRawBufferPointer, within patience: Patience) -> Bool {
        guard sending.lock(nanoseconds: patience.rest) else { return false }
        defer { sending.unlock() }
        // Others are stuck in the middle of a request.
        if !unsent.isEmpty { return false }
        let status = unsafe withUnsafeTemporaryAllocation(byteCount: NBDRequest.size, alignment: 8) { head in
            // SAFETY: 28 bytes, as `store` needs.
            guard let base = head.baseAddress else { return ENOMEM }
            unsafe request.store(to: base)
            return unsafe channel.send(head: head, payload: payload, within: patience, unsent: &unsent)
        }
        if status == EAGAIN { return false }
        if status != 0 {
            failSending(status)
        } else if !unsent.isEmpty {
            finishUnsent()
        }
        return true
    }

    /// With `sending` held: 0, or an errno.
    func sendUnsent() -> Int32 {
        if unsent.isEmpty { return 0 }
        defer { unsent = UnsentBytes() }
        return channel.send(unsent) { progress.store(gantry_now(), ordering: .relaxed) }
    }

    /// With `sending` held. Somebody sends what is left, when it goes.
    private func finishUnsent() {
        table.locked { unsentSenders += 1 }
        let sender = WorkerThread(ifPossible: "nbd-unsent") { [self] in
            let status = sending.locked { sendUnsent() }
            if status != 0 { failSending(status) }
            table.locked { unsentSenders -= 1 }
            table.wakeAll()
        }
        if sender == nil {
            table.locked { unsentSenders -= 1 }
            failSending(EAGAIN)
        }
    }

    /// A request is half sent, for longer than a few seconds: nothing can be said to the server.
    func isStuck(nanoseconds: UInt64) -> Bool {
        guard sending.lock(nanoseconds: nanoseconds) else { return true }
        defer { sending.unlock() }
        return !unsent.isEmpty
    }

    /// With the table held, and no failure: whoever fails the link ends these after that. The server owes answers to others, or
    /// takes nothing: until it answers anything it need not be asked. `endUnsentIfNothingIsOwed` follows.
    func noteUnsent(_ offset: UInt64, _ length: UInt32, _ patience: Patience) {
        unsentChanges.append((patience.late, patience.late.add(offset..<offset + UInt64(length))))
        hasUnsentChanges.store(true, ordering: .sequentiallyConsistent)
    }

    /// Answers to all others may have come while this one's time ended: then there is none left to wait for. Whoever notes
    /// such a change asks when its own slot is given back, and whoever gives the last one back sees what all have noted.
    func endUnsentIfNothingIsOwed() {
        let isOwed = table.locked {
            unsentSenders > 0 || slots.contains { slot in slot.active && slot.monitor.locked { !slot.done } }
        }
        if !isOwed { endUnsent() }
    }

    /// Something was answered, or nothing will be.
    func endUnsent() {
        let ended = table.locked {
            defer {
                unsentChanges = []
                hasUnsentChanges.store(false, ordering: .relaxed)
            }
            return unsentChanges
        }
        for change in ended { change.changes.end(change.ticket) }
    }

    /// On the receiver's thread: nothing more comes of the slot's request on this connection. With a failure the server may
    /// have it, and do it later.
    func end(_ slot: Slot, because failure: BlockError? = nil) {
        slot.monitor.lock()
        if let failure, !slot.done { slot.error = failure }
        let isLeft = slot.isLeft && !slot.done
        slot.done = true
        let late = slot.late
        slot.late = nil
        slot.monitor.unlock()
        slot.monitor.wakeAll()
        guard isLeft else { return }
        giveBack(Int(slot.handle & 0xFF))
        guard let late else { return }
        if failure == nil { late.changes.end(late.ticket) } else { late.changes.lose(late.ticket) }
    }
}
