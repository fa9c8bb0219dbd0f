import BlockIO
import CLinux
import CoreTypes
import Glibc
import NBDProtocol

/// What a client's calls go through: one connection, and with a policy the next one when that is lost.
///
/// Without a policy a loss fails every call. With one, nothing that was acknowledged is lost and every call gets its answer
/// from some server, or an error when the outage lasts too long:
///
/// - Every caller still holds its own unanswered request and sends it again on the new connection. Requests are idempotent,
///   so it does no harm that the old server may have done it. Requests under way at the same time have no order among
///   themselves; one that was sent after another's answer is never overtaken by it, because answered ones are not sent again
///   behind it (next point).
/// - Changes that were acknowledged and that no flush has covered are kept, and repeated in the order of their
///   acknowledgements *before* any other request is sent on the new connection: a dead server may have held them, or the
///   metadata that leads to them, in its memory. So a flush that succeeds later covers them, wherever it is answered. What
///   is kept is bounded; beyond the bound the client flushes by itself.
/// - Before any of it, the old connection is closed and each of its calls has come back, so that no acknowledgement of the
///   old one can be noted after the repetition. A request that the old server received and has not done when it is cut off,
///   but lives, is that server's to finish before it takes the next client; ours does so for connections that it cuts itself.
///   Over a network that loses connections between living hosts nobody can promise it, and no policy should be given.
final class ClientLine: @unchecked Sendable {
    // @unchecked: everything mutable changes with `monitor` held; `link` is read without it only where there is no policy.

    /// Times that one request is sent before its caller is told: it may be what kills the servers.
    private static let mostAttempts = 8

    let agreement: ClientHandshake.Agreement
    private let endpoint: NBDEndpoint
    private let policy: ReconnectPolicy?
    private let monitor = Monitor()
    private var link: ClientLink
    private var state: ReconnectState
    private var changes = UnflushedChanges()
    /// Calls that use `link` now.
    private var users = 0
    private var isConnecting = false
    /// Weight of changes that are under way.
    private var reserved = 0
    private var lastFailure: BlockError?
    private let flushing = FlushGate()
    let limit: AnswerLimit

    init(_ endpoint: NBDEndpoint, _ policy: ReconnectPolicy?, _ limit: AnswerLimit) throws(BlockError) {
        self.limit = limit
        let (channel, agreement, first) = try endpoint.connect()
        self.endpoint = endpoint
        self.policy = policy
        self.agreement = agreement
        state = ReconnectState(patience: policy?.patience ?? 0)
        link = ClientLink(channel, agreement: agreement, first: first, limit: limit)
    }

    /// Calls fail, or wait for another connection.
    var isLost: Bool { monitor.locked { link }.isFailed }

    /// How often a new connection took the place of a lost one.
    var reconnections: UInt64 { monitor.locked { state.generation } }

    /// Performs a request that carries no data either way; see the other one.
    @discardableResult
    func perform(
        _ command: UInt16, _ flags: CommandFlags = [], at offset: UInt64, length: UInt32,
        within patience: Patience? = nil
    ) throws(BlockError) -> [Extent] {
        unsafe try perform(
            command, flags, at: offset, length: length, payload: UnsafeRawBufferPointer(start: nil, count: 0),
            into: nil, within: patience)
    }

    /// As `ClientLink.perform`, on the connection that there is; with a policy, on the next one when that is lost: then
    /// however long it takes.
    @discardableResult
    func perform(
        _ command: UInt16, _ flags: CommandFlags, at offset: UInt64, length: UInt32,
        payload: UnsafeRawBufferPointer, into destination: UnsafeMutableRawPointer?, within patience: Patience? = nil
    ) throws(BlockError) -> [Extent] {
        guard policy != nil else {
            return unsafe try link.perform(
                command, flags, at: offset, length: length, payload: payload, into: destination, within: patience)
        }
        let keeps = isChange(command) && agreement.export.flags.contains(.flush)
        let weight = keeps ? UnflushedChanges.weight(of: payload.count) : 0
        if keeps { try reserve(weight) }
        defer { if keeps { release(weight) } }
        var attempts = 0
        while true {
            let (link, generation) = try enter()
            attempts += 1
            var failure: BlockError?
            do throws(BlockError) {
                let mark = command == NBDCommand.flush ? monitor.locked { changes.mark } : 0
                let result = unsafe try link.perform(
                    command, flags, at: offset, length: length, payload: payload, into: destination)
                let data = keeps ? unsafe Array(payload) : []
                monitor.locked {
                    if keeps { changes.acknowledged(command, flags, offset: offset, length: length, data: data) }
                    if command == NBDCommand.flush { changes.flushed(mark) }
                }
                leave()
                return result
            } catch {
                failure = error
            }
            guard let failure else { continue }
            if failure.code == .disconnected { link.fail(failure) }
            let isLoss = link.isFailed
            if isLoss { note(failure, of: link, generation) }
            leave()
            if !isLoss || attempts >= Self.mostAttempts { throw failure }
        }
    }

    /// WRITEs of parts of the data, on their way together where nothing has to be kept of them for another connection.
    func write(
        _ parts: [Range<Int>], of data: UnsafeRawBufferPointer, at offset: UInt64
    ) throws(BlockError) {
        if policy == nil { return unsafe try link.write(parts, of: data, at: offset) }
        for part in parts {
            let payload = unsafe UnsafeRawBufferPointer(rebasing: data[part])
            unsafe try perform(
                NBDCommand.write, [], at: offset + UInt64(part.lowerBound), length: UInt32(part.count),
                payload: payload, into: nil)
        }
    }

    private func isChange(_ command: UInt16) -> Bool {
        command == NBDCommand.write || command == NBDCommand.writeZeroes || command == NBDCommand.trim
    }

    // MARK: Changes that are kept

    /// Waits, or flushes, until there is room for one more.
    private func reserve(_ weight: Int) throws(BlockError) {
        guard let limit = policy?.memory else { return }
        monitor.lock()
        while changes.weight + reserved > 0, changes.weight + reserved + weight > limit {
            if changes.weight > 0 {
                monitor.unlock()
                try flushing.flush { () throws(BlockError) in
                    try perform(NBDCommand.flush, at: 0, length: 0)
                }
                monitor.lock()
            } else {
                monitor.wait()
            }
        }
        reserved += weight
        monitor.unlock()
    }

    private func release(_ weight: Int) {
        monitor.locked { reserved -= weight }
        monitor.wakeAll()
    }

    // MARK: Connections

    /// The connection that stands now; makes one, or waits for it, when there is none.
    private func enter() throws(BlockError) -> (ClientLink, generation: UInt64) {
        monitor.lock()
        defer { monitor.unlock() }
        while true {
            if case .use = state.step(at: gantry_now()), link.isFailed {
                state.lost(generation: state.generation, answered: link.hasAnswered, at: gantry_now())
            }
            switch state.step(at: gantry_now()) {
            case .use:
                users += 1
                return (link, state.generation)
            case .giveUp:
                state.end()
                monitor.wakeAll()
                throw lastFailure ?? BlockError(.disconnected, "the NBD connection has been closed")
            case .wait(let until):
                let now = gantry_now()
                if until > now { monitor.wait(nanoseconds: until - now) }
            case .connect:
                // One does it; and not before the calls on the old connection have come back.
                if isConnecting || users > 0 {
                    monitor.wait(nanoseconds: 100_000_000)
                } else {
                    reconnect()
                }
            }
        }
    }

    private func leave() {
        monitor.locked { users -= 1 }
        monitor.wakeAll()
    }

    private func note(_ failure: BlockError, of lost: ClientLink, _ generation: UInt64) {
        monitor.locked {
            lastFailure = failure
            state.lost(generation: generation, answered: lost.hasAnswered, at: gantry_now())
        }
    }

    /// With the monitor held, which it gives up meanwhile.
    private func reconnect() {
        isConnecting = true
        let old = link
        let repeated = changes.changes
        monitor.unlock()
        old.close()
        var next: ClientLink?
        var failure: BlockError?
        do throws(BlockError) {
            next = try connected(repeating: repeated)
        } catch { failure = error }
        monitor.lock()
        isConnecting = false
        if let next, state.isOver {
            monitor.unlock()
            next.close()
            monitor.lock()
        } else if let next {
            link = next
            state.restored()
        } else {
            lastFailure = failure ?? lastFailure
            state.failed(at: gantry_now())
        }
        monitor.wakeAll()
    }

    private func connected(repeating changes: [UnflushedChanges.Change]) throws(BlockError) -> ClientLink {
        let (channel, found, first) = try endpoint.connect()
        let link = ClientLink(channel, agreement: found, first: first, limit: limit)
        do throws(BlockError) {
            let differs = [
                found.export.size < agreement.export.size,
                !found.export.flags.subtracting(.rotational).isSuperset(
                    of: agreement.export.flags.subtracting(.rotational)),
                found.export.minimumBlock > agreement.export.minimumBlock,
                found.export.maximumBlock < agreement.export.maximumBlock,
                (found.allocationContext == nil) != (agreement.allocationContext == nil),
            ]
            if differs.contains(true) {
                throw BlockError(.disconnected, "the export that has come back is not what it was")
            }
            for change in changes {
                // SAFETY: the array's own storage, for the length of the call.
                let failure = unsafe change.data.withUnsafeBytes { data -> BlockError? in
                    do throws(BlockError) {
                        unsafe try link.perform(
                            change.command, change.flags, at: change.offset, length: change.length, payload: data,
                            into: nil)
                        return nil
                    } catch { return error }
                }
                if let failure { throw failure }
            }
            link.forgetAnswers()
            return link
        } catch {
            link.close()
            throw error
        }
    }

    /// Every call fails, now and later; nobody is waited for.
    func interrupt() {
        let last = monitor.locked {
            state.end()
            return link
        }
        last.fail(BlockError(.disconnected, "the NBD connection was given up while the server did not answer"))
        monitor.wakeAll()
    }

    func close() {
        let last = monitor.locked {
            state.end()
            return link
        }
        monitor.wakeAll()
        last.close()
    }
}
