import NIOCore

/// What a connection waits for. Each has its own patience.
enum Waiting: Int, CaseIterable {
    /// The first byte of a request.
    case request
    /// The rest of a head.
    case head
    /// The body of a call.
    case call
    /// The next piece of an upload.
    case upload
    /// The client takes what is ready for it.
    case reader
    /// The end, when the client has closed its side.
    case farewell
    /// The client stops sending what nobody reads.
    case linger
}

/// The connections of one listener on one event loop, by what they wait for, longest first. Makes room when there are
/// too many: the connection that has been idle longest goes first, then the one that has been sending its head longest.
///
/// SAFETY of the Sendable conformance: used on its event loop only.
final class ConnectionGroup: @unchecked Sendable {
    let eventLoop: any EventLoop
    let limits: HTTPLimits
    private let budget: ConnectionBudget
    private var queues = Waiting.allCases.map { _ in ConnectionQueue() }
    private var connections: [ObjectIdentifier: HTTPConnection] = [:]
    private var sweeping: RepeatedTask?
    private(set) var isStopping = false
    private var emptied: EventLoopPromise<Void>?

    init(eventLoop: any EventLoop, limits: HTTPLimits, budget: ConnectionBudget) {
        self.eventLoop = eventLoop
        self.limits = limits
        self.budget = budget
    }

    /// Takes a new connection in. False: there is no room, all others are at work.
    func admit(_ connection: HTTPConnection) -> Bool {
        if sweeping == nil {
            sweeping = eventLoop.scheduleRepeatedTask(initialDelay: .seconds(1), delay: .seconds(1)) { _ in self.sweep()
            }
        }
        if !budget.take() {
            guard let oldest = queues[Waiting.request.rawValue].first ?? queues[Waiting.head.rawValue].first else {
                return false
            }
            oldest.abandon()
            guard budget.take() else { return false }
        }
        connections[ObjectIdentifier(connection)] = connection
        return true
    }

    func remove(_ connection: HTTPConnection) {
        wait(connection, for: nil)
        guard connections.removeValue(forKey: ObjectIdentifier(connection)) != nil else { return }
        budget.give()
        reportIfEmpty()
    }

    /// Puts the connection behind the others that wait for the same.
    func wait(_ connection: HTTPConnection, for waiting: Waiting?) {
        if let old = connection.waiting { queues[old.rawValue].remove(connection) }
        connection.waiting = waiting
        guard let waiting else { return }
        connection.waitingSince = .now()
        queues[waiting.rawValue].append(connection)
    }

    /// Lets the connections at work finish their answers and ends the others. The future is done when none is left.
    func beginStop() -> EventLoopFuture<Void> {
        isStopping = true
        let emptied = eventLoop.makePromise(of: Void.self)
        self.emptied = emptied
        for connection in Array(connections.values) { connection.stopWhenDone() }
        reportIfEmpty()
        return emptied.futureResult
    }

    /// Ends what is left.
    func endStop() {
        for connection in Array(connections.values) { connection.drop() }
        sweeping?.cancel()
        sweeping = nil
        // Their ends are under way; nobody is to wait for a client that takes its time to say goodbye.
        emptied?.succeed()
        emptied = nil
    }

    private func reportIfEmpty() {
        guard isStopping, connections.isEmpty else { return }
        emptied?.succeed()
        emptied = nil
    }

    /// Whether a connection may be listened to after its last answer: not when too many are already.
    var mayLinger: Bool { queues[Waiting.linger.rawValue].count < 256 }

    private func sweep() {
        let now = NIODeadline.now()
        for waiting in Waiting.allCases {
            let patience = patience(waiting)
            while let first = queues[waiting.rawValue].first, first.waitingSince + patience <= now {
                wait(first, for: nil)
                first.expire(waiting)
            }
        }
    }

    private func patience(_ waiting: Waiting) -> TimeAmount {
        switch waiting {
        case .request: limits.idle
        case .head: limits.headTime
        case .call: limits.callTime
        case .upload: limits.uploadStall
        case .reader: limits.readerStall
        case .farewell: limits.farewell
        case .linger: limits.linger
        }
    }
}

/// A list that its members carry: nothing is allocated when one changes its place.
private struct ConnectionQueue {
    private(set) var first: HTTPConnection?
    private(set) var count = 0
    private var last: HTTPConnection?

    mutating func append(_ connection: HTTPConnection) {
        connection.before = last
        connection.after = nil
        last?.after = connection
        last = connection
        count += 1
        if first == nil { first = connection }
    }

    mutating func remove(_ connection: HTTPConnection) {
        if let before = connection.before { before.after = connection.after } else { first = connection.after }
        if let after = connection.after { after.before = connection.before } else { last = connection.before }
        connection.before = nil
        connection.after = nil
        count -= 1
    }
}
