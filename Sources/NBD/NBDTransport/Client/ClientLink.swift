import BlockIO
import CLinux
import Glibc
import NBDProtocol
import Synchronization

/// One connection to a server, shared by any number of calling threads. Each call takes a slot, sends its request and
/// sleeps; the receiver thread puts replies where they belong and wakes their callers.
@safe
final class ClientLink: @unchecked Sendable {
    // @unchecked: `failure`, `free` and the slots' request fields change with `table` held, a slot's result with the
    // slot's own monitor held; sends are serialised by `sending`.

    /// What one call waits for.
    @safe
    final class Slot {
        // SAFETY: `destination` is the caller's buffer of `length` bytes; the caller sleeps until `done`.
        let monitor = Monitor()
        var handle: UInt64 = 0
        var active = false
        var command: UInt16 = 0
        var offset: UInt64 = 0
        var length: UInt32 = 0
        /// Where answers have a limit.
        var start: UInt64 = 0
        var destination: UnsafeMutableRawPointer?
        // The result, written by the receiver.
        var coverage = ReadCoverage(length: 0)
        var errorChunks = 0
        var error: BlockError?
        var extents: [Extent] = []
        var done = false
        /// Its caller has not waited: the receiver gives the slot back.
        var isLeft = false
        var late: (changes: LateChanges, ticket: LateRanges.Ticket)?
    }

    /// Requests under way at once; callers beyond it wait.
    static let slotCount = 64
    let channel: Channel
    let agreement: ClientHandshake.Agreement
    let table = Monitor()
    let slots: [Slot]
    let sending = Monitor()
    /// With `sending` held: goes out before anything else.
    var unsent = UnsentBytes()
    /// Threads that send such bytes. With `table` held.
    var unsentSenders = 0
    /// Changes that were not sent because others are stuck, until something is answered. With `table` held.
    var unsentChanges: [(changes: LateChanges, ticket: LateRanges.Ticket)] = []
    let hasUnsentChanges = Atomic<Bool>(false)
    private var free: [Int]
    private var generation: UInt64 = 0
    private(set) var failure: BlockError?
    private var receiver: WorkerThread?
    private let answered = Atomic<Bool>(false)
    private let limit: AnswerLimit
    /// When a part of a large request went out last, where answers have a limit: sending it may take longer than that.
    let progress = Atomic<UInt64>(0)
    /// Seconds that the last words may take.
    private static let farewellPatience = 5
    /// Bytes of a request that are sent at once then.
    static let piece = 128 << 10

    /// Takes over the descriptor of a finished handshake.
    init(_ channel: Channel, agreement: ClientHandshake.Agreement, first: [UInt8], limit: AnswerLimit) {
        self.channel = channel
        self.limit = limit
        self.agreement = agreement
        slots = (0..<Self.slotCount).map { _ in Slot() }
        free = Array((0..<Self.slotCount).reversed())
        limit.watch(channel.descriptor)
        receiver = WorkerThread("nbd-replies") { [self] in
            let stream = ReplyStream(channel, first: first, lookPeriod: limit.isOn ? limit.lookPeriod : nil) {
                [self] in isPatient(since: $0)
            }
            receiveReplies(stream)
        }
    }

    var isFailed: Bool { table.locked { failure != nil } }

    /// The server has done something on this connection, since it was made or `forgetAnswers`.
    var hasAnswered: Bool { answered.load(ordering: .relaxed) }
    func forgetAnswers() { answered.store(false, ordering: .relaxed) }

    /// Performs a request with the data of a WRITE, or into the destination of a READ; returns the extents that it brought
    /// (BLOCK_STATUS) or none. `patience`, of changes: `.late` when it is over; the payload is not needed any more then.
    @discardableResult
    func perform(
        _ command: UInt16, _ flags: CommandFlags, at offset: UInt64, length: UInt32,
        payload: UnsafeRawBufferPointer, into destination: UnsafeMutableRawPointer?, within patience: Patience? = nil
    ) throws(BlockError) -> [Extent] {
        let index = try unsafe begin(
            command, flags, at: offset, length: length, payload: payload, into: destination, within: patience)
        return try finish(index, within: patience)
    }

    /// A slot that nobody has, for `begin`; nil where all are taken.
    private func takeIfFree() -> Int? { table.locked { free.popLast() } }

    /// Takes a slot, unless the caller has `taken` one, and sends the request. To be followed by `finish`; the payload is not needed any
    /// more. Gives the slot back where it throws.
    private func begin(
        _ command: UInt16, _ flags: CommandFlags, at offset: UInt64, length: UInt32,
        payload: UnsafeRawBufferPointer, into destination: UnsafeMutableRawPointer?, within patience: Patience? = nil,
        taken: Int? = nil
    ) throws(BlockError) -> Int {
        table.lock()
        while taken == nil, free.isEmpty, failure == nil {
            guard let patience else {
                table.wait()
                continue
            }
            guard case let rest = patience.rest, rest > 0 else {
                noteUnsent(offset, length, patience)
                table.unlock()
                endUnsentIfNothingIsOwed()
                throw Patience.isOver(at: offset)
            }
            table.wait(nanoseconds: rest)
        }
        if let failure {
            if let taken { free.append(taken) }
            table.unlock()
            table.wakeAll()
            throw failure
        }
        let index = taken ?? free.removeLast()
        let slot = slots[index]
        generation += 1
        slot.handle = generation << 8 | UInt64(index)
        slot.active = true
        slot.command = command
        slot.offset = offset
        slot.length = length
        slot.start = limit.isOn ? gantry_now() : 0
        unsafe slot.destination = destination
        slot.coverage = ReadCoverage(length: command == NBDCommand.read ? length : 0)
        slot.errorChunks = 0
        slot.error = nil
        slot.done = false
        slot.isLeft = false
        let handle = slot.handle
        table.unlock()

        let request = NBDRequest(command: command, flags: flags, handle: handle, offset: offset, length: length)
        if let patience, unsafe !send(request, payload, within: patience) {
            table.lock()
            let failure = failure
            if failure == nil { noteUnsent(offset, length, patience) }
            table.unlock()
            giveBack(index)
            if failure == nil { endUnsentIfNothingIsOwed() }
            throw failure ?? Patience.isOver(at: offset)
        } else if patience == nil {
            unsafe send(request, payload)
        }
        // What we took to send it is not the server's silence.
        if limit.isOn { table.locked { slot.start = gantry_now() } }
        return index
    }

    /// Waits for the answer, and gives the slot back.
    private func finish(_ index: Int, within patience: Patience? = nil) throws(BlockError) -> [Extent] {
        let slot = slots[index]
        let range = slot.offset..<slot.offset + UInt64(slot.length)
        slot.monitor.lock()
        while !slot.done {
            guard let patience else {
                slot.monitor.wait()
                continue
            }
            guard case let rest = patience.rest, rest > 0 else {
                slot.isLeft = true
                slot.late = (patience.late, patience.late.add(range))
                slot.monitor.unlock()
                throw Patience.isOver(at: range.lowerBound)
            }
            slot.monitor.wait(nanoseconds: rest)
        }
        let error = slot.error
        let extents = slot.extents
        slot.extents = []
        slot.monitor.unlock()

        giveBack(index)
        if let error { throw error }
        answered.store(true, ordering: .relaxed)
        return extents
    }

    /// WRITEs of parts of the data that are under way at a time; each thread that does so takes no more slots than these.
    private static let together = 8

    /// WRITEs of parts of the data, whose first byte belongs to `offset`. Returns when all are answered; the first error is thrown then.
    func write(_ parts: [Range<Int>], of data: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {
        var failure: BlockError?
        var begun: [Int] = []
        func finishFirst() {
            do throws(BlockError) {
                _ = try finish(begun.removeFirst())
            } catch { failure = failure ?? error }
        }
        for part in parts {
            if begun.count == Self.together { finishFirst() }
            // Whoever waits for a slot has none: all would wait for each other.
            var slot = takeIfFree()
            while slot == nil, !begun.isEmpty {
                finishFirst()
                slot = takeIfFree()
            }
            if failure != nil {
                if let slot { giveBack(slot) }
                break
            }
            do throws(BlockError) {
                begun.append(
                    try unsafe begin(
                        NBDCommand.write, [], at: offset + UInt64(part.lowerBound), length: UInt32(part.count),
                        payload: UnsafeRawBufferPointer(rebasing: data[part]), into: nil, taken: slot))
            } catch { failure = failure ?? error }
        }
        while !begun.isEmpty { finishFirst() }
        if let failure { throw failure }
    }

    func giveBack(_ index: Int) {
        table.lock()
        slots[index].active = false
        free.append(index)
        table.unlock()
        table.wakeAll()
    }

    private func send(_ request: NBDRequest, _ payload: UnsafeRawBufferPointer) {
        let status = unsafe withUnsafeTemporaryAllocation(byteCount: NBDRequest.size, alignment: 8) { head in
            // SAFETY: 28 bytes, as `store` needs.
            guard let base = head.baseAddress else { return ENOMEM }
            unsafe request.store(to: base)
            sending.lock()
            defer { sending.unlock() }
            if case let status = sendUnsent(), status != 0 { return status }
            return limit.isOn
                ? unsafe sendInPieces(head, payload) : unsafe channel.send(head: head, payload: payload)
        }
        if status != 0 { failSending(status) }
    }

    func failSending(_ status: Int32) {
        fail(
            BlockError(
                .disconnected, "the connection to the NBD server broke while a request was sent", systemError: status))
    }

    /// While it makes progress the server takes something: it is not silent.
    private func sendInPieces(_ head: UnsafeMutableRawBufferPointer, _ payload: UnsafeRawBufferPointer) -> Int32 {
        var sent = min(payload.count, Self.piece)
        var status = unsafe channel.send(head: head, payload: UnsafeRawBufferPointer(rebasing: payload[..<sent]))
        while status == 0, sent < payload.count, let base = payload.baseAddress {
            progress.store(gantry_now(), ordering: .relaxed)
            let part = min(payload.count - sent, Self.piece)
            // SAFETY: `sent` and `part` stay within the caller's buffer.
            status = unsafe channel.send(base + sent, part)
            sent += part
        }
        return status
    }

    /// Ends the connection for everyone: the receiver notices and wakes all callers.
    func fail(_ error: BlockError) {
        table.locked { if failure == nil { failure = error } }
        channel.interrupt()
        table.wakeAll()
    }

    /// On the receiver's thread, which nothing has come to for a while. False: the server is taken for hung, the link is failed.
    private func isPatient(since arrival: UInt64) -> Bool {
        let now = gantry_now()
        let arrival = max(arrival, progress.load(ordering: .relaxed))
        table.lock()
        let waiting = slots.filter { slot in
            slot.active
                && (limit.isOver(slot.command, since: max(slot.start, arrival), at: now)
                    || limit.isNeverAnswered(slot.command, since: slot.start, at: now))
        }
        table.unlock()
        let isHung = waiting.contains { slot in slot.monitor.locked { !slot.done } }
        if isHung {
            fail(
                BlockError(
                    .disconnected,
                    "the NBD server has not answered a request within its limit (\(limit.seconds) seconds of silence)"))
        }
        return !isHung
    }

    /// Says goodbye and returns when no thread uses the connection any more; callers still waiting get an error.
    func close() {
        table.lock()
        let receiver = receiver
        self.receiver = nil
        table.unlock()
        guard let receiver else { return }
        if !isFailed {
            // Nobody waits for one who answers without having read.
            HandshakeDeadline.boundSends(channel.descriptor, seconds: Self.farewellPatience)
            if !isStuck(nanoseconds: UInt64(Self.farewellPatience) * 1_000_000_000) {
                unsafe send(
                    NBDRequest(command: NBDCommand.disconnect, handle: 0), UnsafeRawBufferPointer(start: nil, count: 0))
                channel.tls?.finish()
            }
        }
        fail(BlockError(.disconnected, "the NBD connection has been closed"))
        receiver.join()
        table.lock()
        while free.count < Self.slotCount || unsentSenders > 0 { table.wait() }
        table.unlock()
        Glibc.close(channel.descriptor)
    }
}
