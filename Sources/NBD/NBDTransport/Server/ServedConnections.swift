import BlockIO

/// The connections of a server, each with a thread of its own, and the threads that have ended and wait to be joined. A
/// value: whoever has it keeps it under a lock, and joins threads without that lock, by which each takes its leave.
struct ServedConnections<Connection> {
    /// Connections whose sockets are open, by their numbers.
    private(set) var open: [UInt64: Connection] = [:]
    private var threads: [UInt64: WorkerThread] = [:]
    private var ended: [UInt64] = []
    private var next: UInt64 = 0

    /// Serves `connection` by the thread that is made for its number. False, and nothing has changed, when none was made.
    mutating func add(_ connection: Connection, _ makeThread: (UInt64) -> WorkerThread?) -> Bool {
        guard let thread = makeThread(next) else { return false }
        open[next] = connection
        threads[next] = thread
        next += 1
        return true
    }

    /// On a connection's thread, at its end.
    mutating func end(_ number: UInt64) -> Connection? {
        ended.append(number)
        return open.removeValue(forKey: number)
    }

    /// The threads that have ended, to be joined.
    mutating func takeEnded() -> [WorkerThread] {
        defer { ended = [] }
        return ended.compactMap { threads.removeValue(forKey: $0) }
    }

    /// All threads, to be joined.
    mutating func takeThreads() -> [WorkerThread] {
        ended = []
        defer { threads = [:] }
        return Array(threads.values)
    }
}
