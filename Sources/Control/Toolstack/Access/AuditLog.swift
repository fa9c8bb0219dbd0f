import CLinux
import Foundation
import Glibc
public import Logging
import Synchronization

/// The record of what was changed, by whom, and how it ended: a file of JSON lines, each written before the caller has the
/// answer. A file that is full is put aside under the next number, and the oldest goes. Usable from anywhere.
public final class AuditLog: Sendable {
    /// `STATE/audit.log`; older ones are `audit.log.1` and so on.
    public let path: String
    private let limit: Int
    private let kept: Int
    private let logger: Logger
    private let state: Mutex<State>

    private struct State: Sendable {
        var descriptor: Int32 = -1
        var size = 0
        /// The last write broke off inside a line.
        var isTorn = false
        /// Lines that could not be written.
        var lost = 0
    }

    /// Files of at most `limit` bytes, `kept` full ones beside the current.
    public init(path: String, limit: Int = 16 << 20, kept: Int = 8, logger: Logger) throws {
        self.path = path
        self.limit = limit
        self.kept = kept
        self.logger = logger
        state = Mutex(State())
        try state.withLock { try Self.open(path, &$0) }
    }

    deinit {
        state.withLock { state in
            if state.descriptor >= 0 { close(state.descriptor) }
        }
    }

    /// Appends a line. A failure is told in the daemon's log, once until it is over; calls go on.
    func write(_ entry: AuditEntry) {
        var line = entry.line
        line.append(UInt8(ascii: "\n"))
        state.withLock { state in
            if state.size > 0, state.size + line.count > limit { rotate(&state) }
            if state.isTorn { line.insert(UInt8(ascii: "\n"), at: 0) }
            append(line, &state)
        }
    }

    /// The files that there are, oldest first.
    public var files: [String] {
        let numbered = (1...max(1, kept)).reversed().map { "\(path).\($0)" }
        return (numbered + [path]).filter { FileManager.default.fileExists(atPath: $0) }
    }

    private func append(_ line: [UInt8], _ state: inout State) {
        var done = 0
        while done < line.count {
            let count = unsafe line.withUnsafeBytes { bytes -> Int in
                guard let base = bytes.baseAddress else { return 0 }
                // SAFETY: `done` is less than the count of the bytes that `base` points to.
                return unsafe Glibc.write(state.descriptor, base + done, bytes.count - done)
            }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return fail(&state, wrote: done) }
            done += count
            state.size += count
        }
        state.isTorn = false
        guard state.lost > 0 else { return }
        logger.notice("the audit log is written again", metadata: ["lost": "\(state.lost)"])
        state.lost = 0
    }

    private func fail(_ state: inout State, wrote done: Int) {
        if state.lost == 0 {
            logger.error(
                "the audit log cannot be written; calls go on",
                metadata: ["path": "\(path)", "error": "\(unsafe String(cString: strerror(errno)))"])
        }
        state.lost += 1
        state.isTorn = state.isTorn || done > 0
    }

    private func rotate(_ state: inout State) {
        // The new file first: where there can be none, the old ones must not be pushed out line by line. The one that is
        // open goes on then: better a file that is too long than a line that is lost.
        var next = State()
        do {
            try Self.open("\(path).new", &next)
        } catch {
            logger.error("the audit log cannot be started anew", metadata: ["error": "\(error)"])
            state.size = 0
            return
        }
        for number in (1..<max(1, kept)).reversed() { _ = unsafe rename("\(path).\(number)", "\(path).\(number + 1)") }
        guard unsafe rename(path, "\(path).1") == 0, unsafe rename("\(path).new", path) == 0 else {
            close(next.descriptor)
            state.size = 0
            return
        }
        close(state.descriptor)
        (state.descriptor, state.size) = (next.descriptor, next.size)
    }

    private static func open(_ path: String, _ state: inout State) throws {
        // The wrapped open: no link in the way is followed, and only the owner reads it.
        let descriptor = unsafe Glibc.open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw CredentialError.unreadable(
                "the audit log \(path) cannot be opened: \(unsafe String(cString: strerror(errno)))")
        }
        state.descriptor = descriptor
        state.size = Int(max(0, lseek(descriptor, 0, SEEK_END)))
    }
}
