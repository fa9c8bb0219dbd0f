import BlockIO
import CLinux
import DatapathControl
import Glibc
import NBDTransport
import Synchronization

/// The process that strangers' NBD clients talk to before they reach a disk's data path. It is nobody, as a data path is, and
/// asks the toolstack, on its standard input, for what a client names. It ends with the toolstack, and its clients' connections
/// with it.
public enum GateService {
    /// Processes and threads of its user: two for each client, and as much again.
    private static let threads: UInt64 = 512

    /// Serves until the toolstack is gone; returns the exit status. Options: `certificate` and `key`, paths that are read before
    /// the process gives up its user (without them nobody can have TLS), and `folder`, which stays empty and is its file system.
    /// `user`: whose process it is from then on; nil: it stays what it is.
    public static func run(_ options: [String: String], user: UInt32?) throws -> Int32 {
        guard let folder = options["folder"] else { return 2 }
        gantry_ignore_sigpipe()
        var security: TLSCredentials?
        if let certificate = options["certificate"], let key = options["key"] {
            security = try .server(certificate: certificate, key: key)
        }
        var without: [String] = []
        if let user { without = DatapathIsolation.enter(folder: folder, user: user, threads: threads) }
        DatapathConfinement.apply()
        let toolstack = ToolstackDirectory(0)
        let gate = NBDGate(toolstack)
        try toolstack.send(.ready(without: without))
        while let (order, files) = try toolstack.nextOrder() {
            guard files.count == order.files else { throw BlockError(.io, "an order came without its files") }
            switch order {
            case .listen(let encrypted):
                guard !encrypted || security != nil else { throw BlockError(.unsupported, "no certificate was given") }
                gate.start(
                    listening: files[0], security: security.map { ServerSecurity($0, isRequired: encrypted) })
            case .opened(let id, let export): toolstack.answer(id, .opened(export: export, sockets: files))
            case .refused(let id, let reason): toolstack.answer(id, .refused(reason))
            }
        }
        toolstack.end()
        gate.stop()
        return 0
    }
}

/// The toolstack as the gate's connections ask it.
private final class ToolstackDirectory: ExportDirectory, @unchecked Sendable {
    // @unchecked: one thread receives from the channel, and whoever sends has `sending`.
    private let channel: ControlChannel
    private let sending = Mutex(())
    private let monitor = Monitor()
    private let answers = Mutex<[UInt64: Answer]>([:])
    private let nextIdentifier = Atomic<UInt64>(1)

    enum Answer {
        case waiting
        case opened(export: String, sockets: [Int32])
        case refused(String)
    }

    /// Seconds for which a client waits for the toolstack, whose storage may not answer.
    private static let patience: UInt64 = 120

    init(_ descriptor: Int32) { channel = ControlChannel(descriptor: descriptor, takesFiles: true) }

    func send(_ event: GateEvent) throws {
        try sending.withLock { _ in try channel.send(event) }
    }

    /// Nil: the toolstack is gone.
    func nextOrder() throws -> (GateOrder, files: [Int32])? {
        guard let order = try channel.receive(GateOrder.self) else { return nil }
        return (order, channel.takeFiles(order.files))
    }

    /// The toolstack is gone: so are the disks.
    func end() {
        answers.withLock { answers in
            for id in answers.keys { answers[id] = .refused("the toolstack has ended") }
        }
        monitor.locked { monitor.wakeAll() }
    }

    func answer(_ id: UInt64, _ answer: Answer) {
        let isAwaited = answers.withLock { answers in
            guard answers[id] != nil else { return false }
            answers[id] = answer
            return true
        }
        if isAwaited { return monitor.locked { monitor.wakeAll() } }
        // Whoever asked has given up.
        if case .opened(_, let sockets) = answer {
            for socket in sockets { Glibc.close(socket) }
            try? send(.closed(id: id))
        }
    }

    func open(_ name: String, peer: String) throws(BlockError) -> GateTarget {
        let id = nextIdentifier.add(1, ordering: .relaxed).oldValue
        answers.withLock { $0[id] = .waiting }
        do {
            try send(.open(id: id, name: name, peer: peer))
        } catch {
            answers.withLock { $0[id] = nil }
            throw BlockError(.io, "the toolstack has ended")
        }
        let end = gantry_now() + Self.patience * 1_000_000_000
        let answer = monitor.locked { () -> Answer in
            while true {
                let answer = answers.withLock { $0[id] ?? .waiting }
                let now = gantry_now()
                if case .waiting = answer, now < end {
                    monitor.wait(nanoseconds: end - now)
                    continue
                }
                return answer
            }
        }
        let last = answers.withLock { answers in
            defer { answers[id] = nil }
            // It may have come just now.
            return answers[id] ?? answer
        }
        switch last {
        case .opened(let export, let sockets):
            return GateTarget(identifier: id, sockets: sockets, exportName: export)
        case .refused(let reason): throw BlockError(.notFound, reason)
        case .waiting: throw BlockError(.disconnected, "the disk's storage does not answer")
        }
    }

    func close(_ target: GateTarget) { try? send(.closed(id: target.identifier)) }
}
