import BlockIO
import CLinux
import Foundation
import StorageInterface
import Synchronization

/// Runs one of the system's storage programs (mkfs, blkid, mount) to its end. Blocking, but never for longer than it is
/// told to: the program and what it starts are a process group of their own, which is killed as a whole.
struct HostCommand {
    struct Outcome {
        let status: Int32
        /// Standard output and errors together, at most `longestOutput` bytes.
        let output: String
    }

    private static let longestOutput = 64 << 10
    private static let folders = ["/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/local/sbin", "/usr/local/bin"]
    /// How long the killed are waited for, seconds: one that the kernel holds may never end.
    private static let lastWait = 5
    /// Killed and not gone in that time; taken up by a later call.
    private static let unreaped = Mutex<[Int32]>([])

    /// Throws `.general` when the program is not installed, cannot be started or takes more than `seconds`.
    static func run(_ program: String, _ arguments: [String], seconds: Int) throws(StorageError) -> Outcome {
        reapTheLate()
        let path = try find(program)
        var ends: (Int32, Int32) = (-1, -1)
        // SAFETY: the call fills the two integers.
        let failure = unsafe gantry_pipe(&ends.0, &ends.1)
        guard failure == 0 else {
            throw StorageError(.general, BlockError(call: "pipe", errno: -failure, path: program).description)
        }
        let reader = PipeReader(descriptor: ends.0, limit: longestOutput)
        defer { close(ends.0) }
        let child = start(path, arguments, output: ends.1)
        close(ends.1)
        guard child > 0 else {
            throw StorageError(
                .general, "cannot start: \(BlockError(call: "spawn", errno: -child, path: path).description)")
        }
        var status: Int32 = 0
        guard awaitEnd(of: child, &status, seconds: seconds, reading: reader) else {
            kill(-child, SIGKILL)
            if !awaitEnd(of: child, &status, seconds: lastWait, reading: reader) {
                unreaped.withLock { $0.append(child) }
            }
            throw StorageError(.general, "\(program) did not end within \(seconds) s and was killed")
        }
        reader.takeRest()
        let text = String(decoding: reader.bytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        // As shells tell of one that a signal ended.
        let code = status & 0x7f == 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f)
        return Outcome(status: code, output: text)
    }

    /// The process id, or minus the error.
    private static func start(_ path: String, _ arguments: [String], output: Int32) -> Int32 {
        let environment = ["PATH=" + folders.joined(separator: ":"), "LC_ALL=C"]
        var argv: [UnsafeMutablePointer<CChar>?] = unsafe ([path] + arguments).map { unsafe strdup($0) } + [nil]
        defer { unsafe argv.forEach { unsafe free($0) } }
        var envp: [UnsafeMutablePointer<CChar>?] = unsafe environment.map { unsafe strdup($0) } + [nil]
        defer { unsafe envp.forEach { unsafe free($0) } }
        // SAFETY: both arrays end with nil and live until the call returns; the child has its own copy then.
        return unsafe gantry_spawn(path, &argv, &envp, -1, output, output, true)
    }

    /// Reads what the child says until it ends; false when it does not within `seconds`. Whoever else has the pipe is not
    /// waited for.
    private static func awaitEnd(
        of child: Int32, _ status: inout Int32, seconds: Int, reading reader: PipeReader
    ) -> Bool {
        let deadline = gantry_now() + UInt64(seconds) * 1_000_000_000
        while true {
            // SAFETY: the call fills the integer.
            if unsafe gantry_reap(child, &status) != 0 { return true }
            if gantry_now() >= deadline { return false }
            reader.take(within: 20)
        }
    }

    private static func reapTheLate() {
        unreaped.withLock { pids in
            pids.removeAll { pid in
                var status: Int32 = 0
                // SAFETY: the call fills the integer.
                return unsafe gantry_reap(pid, &status) != 0
            }
        }
    }

    /// A path is taken as it is; a name is looked up where systems keep such programs.
    private static func find(_ program: String) throws(StorageError) -> String {
        if program.hasPrefix("/") { return program }
        for folder in folders where FileManager.default.isExecutableFile(atPath: folder + "/" + program) {
            return folder + "/" + program
        }
        throw StorageError(.general, "the program \(program) is not installed on this host; install it and try again")
    }
}

/// The reading end of a pipe whose other end many may have.
private final class PipeReader {
    private let descriptor: Int32
    private let limit: Int
    private var isOpen = true
    private(set) var bytes: [UInt8] = []

    init(descriptor: Int32, limit: Int) {
        self.descriptor = descriptor
        self.limit = limit
    }

    /// Waits that many milliseconds for something to read, and takes it. False when there was nothing.
    @discardableResult
    func take(within milliseconds: Int32) -> Bool {
        var entry = pollfd(fd: isOpen ? descriptor : -1, events: Int16(POLLIN), revents: 0)
        // After its end the process itself is all there is to wait for, which takes moments.
        // SAFETY: one entry, which is this function's own.
        guard unsafe poll(&entry, 1, isOpen ? milliseconds : min(milliseconds, 2)) > 0 else { return false }
        var piece = [UInt8](repeating: 0, count: 4096)
        // SAFETY: reads into the array's own storage, at most its count.
        let count = unsafe read(descriptor, &piece, piece.count)
        guard count > 0 else {
            isOpen = count < 0 && errno == EINTR
            return false
        }
        bytes += piece.prefix(min(count, limit - bytes.count))
        return true
    }

    /// What is there already, and no more than anybody reads.
    func takeRest() {
        for _ in 0...limit / 4096 { if !take(within: 0) { return } }
    }
}
