import CLinux
import DatapathControl
import Foundation
import Synchronization

/// The process that strangers' NBD clients reach first (`gantry-datapath gate`), as long as it is wanted. It lives no longer
/// than this process.
final class ExportGate: @unchecked Sendable {
    // @unchecked: one thread receives from the channel, and whoever sends has `sending`.

    /// What it shows its clients.
    struct Certificate: Sendable {
        /// Paths of PEM files.
        let certificate: String
        let key: String
    }

    /// What comes from the gate, until it ends.
    let events: AsyncStream<GateEvent>

    private let child: ChildProcess
    private let logPath: String
    private let descriptor: Int32
    private let channel: ControlChannel
    private let sending = Mutex(())

    /// That wait to be taken.
    private static let mostEvents = 1024

    private init(child: ChildProcess, descriptor: Int32, logPath: String) {
        self.child = child
        self.logPath = logPath
        self.descriptor = descriptor
        channel = ControlChannel(descriptor: descriptor)
        let (events, told) = AsyncStream.makeStream(
            of: GateEvent.self, bufferingPolicy: .bufferingOldest(Self.mostEvents))
        self.events = events
        Thread.detachNewThread { [self] in
            // A gate that says what is not understood is over, too, and one that says more than its clients can have it say:
            // strangers may have it in their hands.
            while let event = try? channel.receive(GateEvent.self) {
                if case .dropped = told.yield(event) { break }
            }
            told.finish()
        }
    }

    /// `folder`: of its own, made anew. `user`: whose process it is; nil: this one's.
    static func start(
        program: String, folder: String, certificate: Certificate?, user: UInt32?
    ) throws -> ExportGate {
        let own = folder + "/own"
        try FileManager.default.createDirectory(
            atPath: own, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        var (near, far): (Int32, Int32) = (-1, -1)
        // SAFETY: the call fills the two integers.
        let paired = unsafe gantry_socket_pair(&near, &far)
        guard paired == 0 else { throw DatapathClient.Failure(code: "io", message: "no pair of sockets: \(-paired)") }
        defer { close(far) }
        // A gate that takes nothing any more must not hold up who tells it something.
        var limit = timeval(tv_sec: 5, tv_usec: 0)
        // SAFETY: the option's value is the structure, for the call.
        unsafe setsockopt(near, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var arguments = [program, "gate", "--folder", own]
        if let certificate { arguments += ["--certificate", certificate.certificate, "--key", certificate.key] }
        if let user { arguments += ["--user", "\(user)"] }
        do {
            // Not tied to the thread that starts it: it ends when the socket does.
            let child = try ChildProcess.start(arguments, input: far, logPath: folder + "/log", detached: true)
            return ExportGate(child: child, descriptor: near, logPath: folder + "/log")
        } catch {
            close(near)
            throw error
        }
    }

    /// False: it is gone, or takes nothing. The files stay the caller's.
    @discardableResult
    func send(_ order: GateOrder, files: [Int32] = []) -> Bool {
        sending.withLock { _ in
            if (try? channel.send(order, files: files)) != nil { return true }
            shutdown(descriptor, Int32(SHUT_RDWR))
            return false
        }
    }

    /// Returns when the process is gone, and its clients' connections with it.
    func stop() async {
        shutdown(descriptor, Int32(SHUT_RDWR))
        if await !ChildProcess.awaitEnd(
            of: child.pid, startedAt: gantry_process_start_time(child.pid), seconds: 10)
        {
            kill(child.pid, SIGKILL)
            await child.reap()
        }
    }

    /// What it said last.
    var lastWords: String { Self.lastWords(in: logPath) }

    static func lastWords(in path: String) -> String {
        let text = String(decoding: FileEnds.last(4096, of: path) ?? Data(), as: UTF8.self).suffix(500)
        return text.isEmpty ? "it said nothing" : String(text)
    }
}
