import CLinux
import Foundation
import Synchronization

/// What a monitor's thread reports. Called on that thread, in the order things happened; must not block.
protocol QEMUMonitorListener: AnyObject, Sendable {
    func qemuSaid(event: String, data: QMPValue)
    /// QEMU is gone; `status` as waitpid gives it, nil when it was not this process's child.
    /// Returns what everyone who still waits for an answer is told.
    func qemuEnded(status: Int32?) -> GuestError
}

/// The connection to one QEMU's monitor and the watch over its process: one named thread that polls both.
///
/// The thread owns the descriptors. It connects again when the connection breaks while the process lives, so garbled
/// bytes cost the commands under way and no more. `detach` ends the thread and leaves QEMU alone.
final class QEMUMonitor: Sendable {
    let pid: Int32
    private let process: Int32
    private let wake: (read: Int32, write: Int32)
    private let folder: GuestFolder
    private struct Connection {
        /// The connected socket, -1 between connections.
        var socket: Int32 = -1
        var nextID: Int64 = 1
        var detached = false
    }
    private let connection = Mutex(Connection())

    private let replies = PendingReplies<Int64, QMPValue>()
    private let deletions = PendingReplies<String, Void>()
    private let readiness = PendingReplies<UUID, Void>()
    private let ending = PendingReplies<UUID, Void>()

    /// The id of our `qmp_capabilities`, which ends the handshake.
    private static let handshakeID: Int64 = 0
    private static let logLimit: off_t = 1 << 20

    /// Throws `.system` when the process is not there any more.
    init(pid: Int32, folder: GuestFolder) throws(GuestError) {
        self.pid = pid
        self.folder = folder
        process = gantry_pidfd_open(pid)
        guard process >= 0 else { throw .system("watch process \(pid)", process) }
        var ends: [Int32] = [-1, -1]
        // SAFETY: pipe fills the two elements.
        guard unsafe pipe(&ends) == 0 else {
            let error = -gantry_errno()
            close(process)
            throw .system("make a pipe", error)
        }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        wake = (ends[0], ends[1])
    }

    /// Begins to watch. Call once.
    func start(_ listener: any QEMUMonitorListener) {
        let thread = Thread { self.run(listener) }
        thread.name = "guest-monitor"
        thread.stackSize = 512 << 10
        thread.start()
    }

    // MARK: Commands, from any task

    /// Runs a QMP command and returns its result. Waits for the connection when there is none yet. `file`: an open file that
    /// goes with it (`getfd`).
    @discardableResult
    func execute(
        _ command: String, _ arguments: QMPValue? = nil, file: Int32? = nil, atMost limit: Duration = .seconds(30)
    ) async throws(GuestError) -> QMPValue {
        try await connected(within: limit)
        let id = connection.withLock { state in
            defer { state.nextID += 1 }
            return state.nextID
        }
        return try await replies.wait(for: id, atMost: limit, "QEMU's answer to \(command)") { () throws(GuestError) in
            try self.send(QMPMessage.command(command, arguments: arguments, id: id), file: file)
        }
    }

    /// Waits until QEMU takes commands.
    func connected(within limit: Duration) async throws(GuestError) {
        try await readiness.wait(for: UUID(), atMost: limit, "connecting to QEMU's monitor") {}
    }

    /// Asks for the removal of a device and waits until the guest has let go of it.
    func removeDevice(_ device: String, atMost limit: Duration) async throws(GuestError) {
        try await deletions.wait(for: device, atMost: limit, "the guest's release of the disk") {
            Task {
                do throws(GuestError) {
                    try await self.execute("device_del", ["id": .string(device)])
                } catch {
                    // An earlier request that the guest has not answered still stands: go on waiting.
                    if error.message.contains("unplug") { return }
                    self.deletions.resolve(device, .failure(error))
                }
            }
        }
    }

    /// True when QEMU was gone within `limit`.
    func ended(within limit: Duration) async -> Bool {
        do throws(GuestError) {
            try await ending.wait(for: UUID(), atMost: limit, "QEMU's end") {}
            return true
        } catch {
            return false
        }
    }

    /// SIGKILL, through the descriptor of the process: it cannot hit another one.
    func kill() { _ = gantry_pidfd_signal(process, SIGKILL) }

    /// Ends the thread; QEMU and its guest go on.
    func detach() {
        connection.withLock { state in
            guard !state.detached else { return }
            state.detached = true
            var byte: UInt8 = 1
            // SAFETY: one byte from a live variable.
            _ = unsafe write(wake.write, &byte, 1)
        }
    }

    deinit {
        close(process)
        close(wake.read)
        close(wake.write)
    }
}

// MARK: The thread

extension QEMUMonitor {
    private func run(_ listener: any QEMUMonitorListener) {
        unsafe gantry_name_thread("guest-monitor")
        var splitter = QMPLineSplitter()
        connect()
        while true {
            let socket = connection.withLock { $0.socket }
            var set = [process, wake.read, socket].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            // A broken connection is tried again every second; the log is looked at twice a minute.
            // SAFETY: poll writes within the array.
            _ = unsafe poll(&set, nfds_t(set.count), socket < 0 ? 1000 : 30_000)
            boundLog()
            if set[1].revents != 0 {
                let error = GuestError(.disconnected, "this guest's supervision was given up")
                disconnect(error)
                settle(error)
                return
            }
            if set[2].revents != 0, !readOnce(socket, &splitter, listener) {
                splitter = QMPLineSplitter()
                disconnect(GuestError(.disconnected, "QEMU's monitor connection broke"))
            }
            if set[0].revents != 0 {
                let last = connection.withLock { $0.socket }
                while last >= 0, Self.hasInput(last), readOnce(last, &splitter, listener) {}
                finish(listener)
                return
            }
            if socket < 0 { connect() }
        }
    }

    private static func hasInput(_ socket: Int32) -> Bool {
        var set = [pollfd(fd: socket, events: Int16(POLLIN), revents: 0)]
        // SAFETY: poll writes within the array.
        return unsafe poll(&set, 1, 0) > 0
    }

    private func finish(_ listener: any QEMUMonitorListener) {
        var status: Int32 = 0
        // SAFETY: the status is a live variable.
        let reaped = unsafe gantry_reap(pid, &status)
        let error = listener.qemuEnded(status: reaped == pid ? status : nil)
        disconnect(error)
        settle(error)
        ending.settleAll(.success(()), forGood: true)
    }

    private func settle(_ error: GuestError) {
        readiness.settleAll(.failure(error), forGood: true)
        replies.settleAll(.failure(error), forGood: true)
        deletions.settleAll(.failure(error), forGood: true)
    }

    private func connect() {
        let socket = unsafe folder.qmp.withCString { unsafe gantry_unix_connect($0) }
        connection.withLock { $0.socket = max(socket, -1) }
    }

    private func disconnect(_ error: GuestError) {
        connection.withLock { state in
            if state.socket >= 0 { close(state.socket) }
            state.socket = -1
        }
        readiness.reopen()
        replies.settleAll(.failure(error), forGood: false)
        deletions.settleAll(.failure(error), forGood: false)
    }

    /// Receives once and handles every whole line. False when the connection is of no use any more.
    private func readOnce(_ socket: Int32, _ splitter: inout QMPLineSplitter, _ listener: any QEMUMonitorListener)
        -> Bool
    {
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        // SAFETY: receives into the array's own storage, at most its count.
        let count = unsafe chunk.withUnsafeMutableBytes { unsafe gantry_receive(socket, $0.baseAddress, $0.count) }
        if count == -Int64(EINTR) { return true }
        guard count > 0 else { return false }
        do throws(GuestError) {
            for line in try splitter.feed(chunk[..<Int(count)]) { try handle(try QMPMessage(line: line), listener) }
            return true
        } catch {
            return false
        }
    }

    private func handle(_ message: QMPMessage, _ listener: any QEMUMonitorListener) throws(GuestError) {
        switch message {
        case .greeting:
            try send(QMPMessage.command("qmp_capabilities", arguments: nil, id: Self.handshakeID))
        case .result(Self.handshakeID, _):
            readiness.settleAll(.success(()), forGood: true)
        case .result(let id, let value):
            if let id { replies.resolve(id, .success(value)) }
        case .failure(let id, _, let text):
            guard let id, id != Self.handshakeID else {
                throw GuestError(.protocolViolation, "QEMU refused a line of ours: \(text)")
            }
            replies.resolve(id, .failure(GuestError(.refused, "QEMU refused: \(text)")))
        case .event(let name, let data):
            if name == "DEVICE_DELETED", let device = data["device"]?.text { deletions.resolve(device, .success(())) }
            listener.qemuSaid(event: name, data: data)
        }
    }

    /// Commands are short and QEMU reads them at once: the socket's buffer takes them without waiting.
    private func send(_ bytes: [UInt8], file: Int32? = nil) throws(GuestError) {
        let sent = connection.withLock { state -> Int64 in
            guard state.socket >= 0 else { return -Int64(ENOTCONN) }
            // SAFETY: the buffers are the arrays' own.
            return unsafe bytes.withUnsafeBytes { bytes -> Int64 in
                guard let file else { return unsafe gantry_send(state.socket, bytes.baseAddress, bytes.count) }
                return unsafe gantry_send_files(state.socket, bytes.baseAddress, bytes.count, [file], 1)
            }
        }
        guard sent == Int64(bytes.count) else { throw GuestError(.disconnected, "QEMU's monitor connection broke") }
    }

    /// QEMU appends to its log; what is above the limit is dropped whole.
    private func boundLog() {
        var status = stat()
        // SAFETY: stat fills a live variable.
        guard unsafe stat(folder.log, &status) == 0, status.st_size > Self.logLimit else { return }
        _ = unsafe truncate(folder.log, 0)
    }
}
