import CLinux
import Dispatch
import Glibc

/// Commands one data-path process over its control socket: one connection a request, so nothing is left half-said.
public struct DatapathClient: Sendable {
    /// Path of the control socket.
    public let socketPath: String

    /// The process may not open files: those that requests name are opened here and handed over.
    public let handsFilesOver: Bool

    /// The path of gantry-datapath, which connects to servers for a process that has no network either. Nil: it connects itself.
    public let dialer: String?

    public init(socketPath: String, handsFilesOver: Bool = false, dialer: String? = nil) {
        self.socketPath = socketPath
        self.handsFilesOver = handsFilesOver
        self.dialer = dialer
    }

    /// What the data path or the way to it reported.
    public struct Failure: Error, CustomStringConvertible, Sendable {
        /// A `BlockError.Code` name, or `unreachable`: the process is not there (any more).
        public let code: String
        public let message: String
        public var description: String { message }
        public var isUnreachable: Bool { code == "unreachable" }

        public init(code: String, message: String) {
            self.code = code
            self.message = message
        }
    }

    /// Sends the request and waits for the answer, off the cooperative pool. Throws `Failure`.
    public func call(_ request: DatapathRequest) async throws -> DatapathReply {
        try await Self.onOwnThread { try callBlocking(request) }
    }

    /// Runs what may wait for hours. The global queue has a thread for each processor, and one more a second when all wait: a few
    /// comparisons of images would keep all others waiting. A queue of one's own has a thread at once, of 255.
    public static func onOwnThread<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            ownThread().async { continuation.resume(with: Result { try body() }) }
        }
    }

    /// A queue for one request: one that is not shared has a thread at once.
    static func ownThread() -> DispatchQueue { DispatchQueue(label: "gantry.datapath-request") }

    /// Like `call`, on this thread. Gives up on a status, limits and what a mirror is told after 10 s, on a probe 10 s after its time
    /// and on a quit after 60; the rest may take long.
    public func callBlocking(_ request: DatapathRequest) throws -> DatapathReply {
        // SAFETY: the C string lives for the call.
        let descriptor = unsafe socketPath.withCString { unsafe gantry_unix_connect($0) }
        guard descriptor >= 0 else {
            throw Failure(
                code: "unreachable",
                message: "no data path answers on \(socketPath): \(unsafe String(cString: strerror(-descriptor)))")
        }
        let channel = ControlChannel(descriptor: descriptor)
        switch request {
        case .status, .setLimits, .mirrorSet: Self.limitWait(on: descriptor, seconds: 10)
        case .mirrorProbe(let milliseconds):
            Self.limitWait(on: descriptor, seconds: 10 + Int(min(milliseconds, 60_000) / 1000))
        case .quit: Self.limitWait(on: descriptor, seconds: 60)
        default: break
        }
        do {
            if handsFilesOver { try handOver(request, over: channel) }
            try channel.send(request)
            guard let reply = try channel.receive(DatapathReply.self) else {
                throw Failure(code: "unreachable", message: "the data path at \(socketPath) ended without an answer")
            }
            if case .failed(let code, let message) = reply { throw Failure(code: code, message: message) }
            return reply
        } catch let failure as Failure {
            throw failure
        } catch is ControlChannel.TimedOut {
            throw Failure(code: "unreachable", message: "the data path at \(socketPath) does not answer")
        } catch {
            throw Failure(code: "unreachable", message: "\(error)")
        }
    }

    private func handOver(_ request: DatapathRequest, over channel: ControlChannel) throws {
        let opened = request.files.prefix(NamedFile.most - 1).map { (path: $0.path, descriptor: $0.open()) }
        defer { for file in opened where file.descriptor >= 0 { close(file.descriptor) } }
        let handed = opened.filter { $0.descriptor >= 0 }
        var failures: [String: Int32] = [:]
        for file in opened where file.descriptor < 0 { failures[file.path] = -file.descriptor }
        var line: (server: String, descriptor: Int32)?
        if let dialer, let export = request.export, let server = export.server {
            line = (server.name, try export.dial(with: dialer))
        }
        defer { if let line { close(line.descriptor) } }
        if handed.isEmpty, line == nil, failures.isEmpty { return }
        try channel.send(
            DatapathRequest.handOver(
                paths: handed.map(\.path), servers: line.map { [$0.server] },
                failures: failures.isEmpty ? nil : failures),
            files: handed.map(\.descriptor) + (line.map { [$0.descriptor] } ?? []))
        let reply = try channel.receive(DatapathReply.self)
        if case .failed(let code, let message)? = reply { throw Failure(code: code, message: message) }
    }

    private static func limitWait(on descriptor: Int32, seconds: Int) {
        var limit = timeval(tv_sec: seconds, tv_usec: 0)
        // SAFETY: the option's value is the structure, for the call.
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    /// What the data path serves, and how far its mirror is. Throws `Failure`, with the code `unreachable` when nobody answers.
    public func status() async throws -> DatapathStatus {
        guard case .status(let status) = try await call(.status) else {
            throw Failure(code: "unreachable", message: "the data path at \(socketPath) gave no status")
        }
        return status
    }
}
