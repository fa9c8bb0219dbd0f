import CLinux
import DatapathControl
import Foundation
import Guests

/// A process of ours with pipes at its ends. Waiting for it never blocks the cooperative pool.
final class ChildProcess: Sendable {
    let pid: Int32
    private let output: Int32
    private let logPath: String?

    private init(pid: Int32, output: Int32, logPath: String?) {
        self.pid = pid
        self.output = output
        self.logPath = logPath
    }

    deinit { close(output) }

    /// Starts `arguments[0]`. Standard output can be read here; errors go to a new file at `logPath`; standard input is
    /// `input` or nothing. `detached`: it survives us.
    static func start(
        _ arguments: [String], input: Int32 = -1, logPath: String, detached: Bool
    ) throws -> ChildProcess {
        let pipe = try Pipe()
        defer { close(pipe.writeEnd) }
        let log = unsafe open(logPath, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0o600)
        defer { if log >= 0 { close(log) } }
        var pointers: [UnsafeMutablePointer<CChar>?] = unsafe arguments.map { unsafe strdup($0) } + [nil]
        defer { unsafe pointers.forEach { unsafe free($0) } }
        // SAFETY: both arrays end with nil and live until the call returns; the child has its own copy then.
        let pid = unsafe gantry_spawn(arguments[0], &pointers, nil, input, pipe.writeEnd, log, detached)
        guard pid > 0 else {
            close(pipe.readEnd)
            throw DatapathClient.Failure(
                code: "notFound", message: "cannot start \(arguments[0]): \(unsafe String(cString: strerror(-pid)))")
        }
        return ChildProcess(pid: pid, output: pipe.readEnd, logPath: logPath)
    }

    /// The first line on standard output, or what there is of it when the process ends.
    func firstLine() async throws -> String {
        await onThread { [output] in
            var bytes: [UInt8] = []
            var byte: UInt8 = 0
            while bytes.count < 4096, unsafe read(output, &byte, 1) == 1, byte != UInt8(ascii: "\n") {
                bytes.append(byte)
            }
            return String(decoding: bytes, as: UTF8.self)
        }
    }

    /// Up to `limit` bytes of standard output; empty at its end.
    func nextOutput(limit: Int) async -> [UInt8] {
        await onThread { [output] in
            var bytes = [UInt8](repeating: 0, count: limit)
            var filled = 0
            while filled < limit {
                // SAFETY: reads behind what is filled, at most the rest.
                let n = unsafe bytes.withUnsafeMutableBytes {
                    unsafe read(output, $0.baseAddress.map { unsafe $0 + filled }, limit - filled)
                }
                if n <= 0 { break }
                filled += n
            }
            bytes.removeLast(limit - filled)
            return bytes
        }
    }

    /// What the process wrote as its error: the JSON line of gantry-datapath, else the text.
    func failure() -> DatapathClient.Failure {
        // However long it made the file, the last of it says why.
        let data = log
        let last = data.split(separator: UInt8(ascii: "\n")).last.map { Data($0) } ?? Data()
        if let report = try? JSONDecoder().decode([String: String].self, from: last) {
            return DatapathClient.Failure(code: report["code"] ?? "io", message: report["message"] ?? "unknown error")
        }
        return DatapathClient.Failure(code: "io", message: lastWords ?? "the data path ended at its start")
    }

    private var log: Data { logPath.flatMap { FileEnds.last(64 << 10, of: $0) } ?? Data() }

    /// The end of what the process wrote as its error, as text: of one that crashed, why. Nil: it wrote nothing.
    var lastWords: String? {
        let text = String(decoding: log.suffix(2000), as: UTF8.self)
        return text.isEmpty ? nil : text
    }

    /// Waits for the end, after which the process keeps its number until `reap`.
    func awaitExit() async {
        await onThread { [pid] in
            var info = unsafe siginfo_t()
            // SAFETY: the call fills the structure.
            while unsafe waitid(P_PID, id_t(pid), &info, WEXITED | WNOWAIT) < 0, errno == EINTR {}
        }
    }

    /// Waits for the end; the exit status, or minus the signal.
    @discardableResult
    func reap() async -> Int32 {
        await onThread { [pid] in
            var status: Int32 = 0
            while unsafe waitpid(pid, &status, 0) < 0, errno == EINTR {}
            return status & 0x7f == 0 ? (status >> 8) & 0xff : -(status & 0x7f)
        }
    }

    /// Waits until the process is gone, child of ours or not; false when it still lives after `seconds`.
    @discardableResult
    static func awaitEnd(of pid: Int32, startedAt startTime: UInt64, seconds: Int32? = nil) async -> Bool {
        await onThread {
            var isGone = true
            let descriptor = gantry_pidfd_open(pid)
            if descriptor < 0, descriptor != -ESRCH {
                // Out of descriptors or memory: looked at again and again.
                let end = seconds.map { gantry_now() + UInt64(max($0, 0)) * 1_000_000_000 } ?? .max
                while ProcessLife(of: pid, startedAt: startTime) != .over, gantry_now() < end { usleep(50_000) }
                isGone = ProcessLife(of: pid, startedAt: startTime) == .over
            } else if descriptor >= 0, ProcessLife(of: pid, startedAt: startTime) != .over {
                var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
                var result: Int32 = 0
                repeat {
                    result = unsafe poll(&entry, 1, seconds.map { $0 * 1000 } ?? -1)
                } while result < 0 && errno == EINTR
                isGone = result != 0
            }
            if descriptor >= 0 { close(descriptor) }
            var status: Int32 = 0
            _ = unsafe gantry_reap(pid, &status)
            return isGone
        }
    }
}

/// A pipe; the ends are closed by whoever holds them.
struct Pipe {
    let readEnd: Int32
    let writeEnd: Int32

    init() throws {
        var ends: (Int32, Int32) = (-1, -1)
        // SAFETY: the call fills the two integers.
        let result = unsafe gantry_pipe(&ends.0, &ends.1)
        guard result == 0 else {
            throw DatapathClient.Failure(code: "io", message: "pipe failed with error \(-result)")
        }
        (readEnd, writeEnd) = ends
    }
}

/// Runs blocking work on a dispatch thread.
func onThread<T: Sendable>(_ body: @escaping @Sendable () -> T) async -> T {
    await withCheckedContinuation { continuation in
        DispatchQueue.global().async { continuation.resume(returning: body()) }
    }
}
