import BlockIO
import Glibc

/// One accepted client.
protocol ServedConnection: Sendable {
    /// Serves the client until it leaves or is interrupted. Who accepted it closes the socket afterwards.
    func run()
    /// Makes a blocked `run` return soon. The descriptor must still be open.
    func interrupt()
}

/// The listeners of a server, the connections that they let in, each with a thread of its own, and the threads that have ended
/// and wait to be joined. A value: whoever has it keeps it under a lock, and stops listeners and joins threads without that lock,
/// which each of them takes.
struct ServedConnections<Connection: ServedConnection> {
    /// Nobody is let in any more.
    private(set) var isStopping = false
    private var listeners: [Listener] = []
    /// Connections whose sockets are open, by their numbers.
    private(set) var open: [UInt64: Connection] = [:]
    private var threads: [UInt64: WorkerThread] = [:]
    private var ended: [UInt64] = []
    private var next: UInt64 = 0

    /// Has the listener hand new sockets to `admit`, on its own thread. False, and it is the caller's to stop, when nobody is let
    /// in any more.
    mutating func accept(_ listener: Listener, _ admit: @escaping @Sendable (Int32) -> Void) -> Bool {
        if isStopping { return false }
        listeners.append(listener)
        listener.run(admit)
        return true
    }

    /// Lets nobody in any more. The listeners, to be stopped.
    mutating func stopListening() -> [Listener] {
        isStopping = true
        defer { listeners = [] }
        return listeners
    }

    /// Serves a client by a thread named `name` and a number, which calls `leave` at its end. Closes the socket when there can be
    /// no thread.
    mutating func serve(
        _ connection: Connection, _ descriptor: Int32, named name: String, _ leave: @escaping @Sendable (UInt64) -> Void
    ) {
        let number = next
        let thread = WorkerThread(ifPossible: "\(name)-\(number)") {
            connection.run()
            leave(number)
        }
        guard let thread else {
            Glibc.close(descriptor)
            return
        }
        open[number] = connection
        threads[number] = thread
        next += 1
    }

    /// On a connection's thread, at its end. Closing under the lock keeps who interrupts from a descriptor used anew.
    mutating func end(_ number: UInt64, _ descriptor: Int32) -> Connection? {
        Glibc.close(descriptor)
        ended.append(number)
        return open.removeValue(forKey: number)
    }

    func interrupt() { for connection in open.values { connection.interrupt() } }

    /// The threads that have ended, to be joined.
    mutating func takeEnded() -> [WorkerThread] {
        defer { ended = [] }
        return ended.compactMap { threads.removeValue(forKey: $0) }
    }

    /// All threads, to be joined: their connections are interrupted.
    mutating func interruptAll() -> [WorkerThread] {
        interrupt()
        ended = []
        defer { threads = [:] }
        return Array(threads.values)
    }
}
