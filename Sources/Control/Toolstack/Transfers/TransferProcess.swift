import CLinux
import DatapathControl
import Foundation
import Synchronization

/// A gantry-datapath that imports from or exports to its standard streams. One caller at a time. When this process dies
/// its pipes close, and the other ends by itself.
final class TransferProcess: Sendable {
    private struct State {
        var input: Int32
        var ended = false
        /// Its number may be another's.
        var isReaped = false
    }

    private let child: ChildProcess
    private let state: Mutex<State>
    private let logPath: String
    /// Who it is.
    private let user: DatapathUserLoan?
    private let bytes = Atomic<Int64>(0)

    private init(child: ChildProcess, input: Int32, logPath: String, user: DatapathUserLoan?) {
        self.child = child
        self.user = user
        state = Mutex(State(input: input))
        self.logPath = logPath
    }

    /// Bytes that went through so far.
    var moved: Int64 { bytes.load(ordering: .relaxed) }

    /// `user`: whose process it is before it looks at an image; nil: this one's.
    static func start(
        _ arguments: [String], as user: DatapathUserLoan?, folder: String, writesInput: Bool
    ) throws -> TransferProcess {
        let arguments = arguments + (user?.arguments ?? [])
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let logPath = folder + "/" + Fresh.uuid()
        guard writesInput else {
            return TransferProcess(
                child: try ChildProcess.start(arguments, logPath: logPath, detached: true), input: -1, logPath: logPath,
                user: user)
        }
        let pipe = try Pipe()
        defer { Glibc.close(pipe.readEnd) }
        do {
            let child = try ChildProcess.start(arguments, input: pipe.readEnd, logPath: logPath, detached: true)
            return TransferProcess(child: child, input: pipe.writeEnd, logPath: logPath, user: user)
        } catch {
            Glibc.close(pipe.writeEnd)
            throw error
        }
    }

    /// Writes all of it to the process; a process that has ended reports why.
    func write(_ chunk: [UInt8]) async throws {
        let input = state.withLock { $0.input }
        let complete = await onThread {
            var sent = 0
            while sent < chunk.count {
                // SAFETY: inside the array.
                let n = unsafe chunk.withUnsafeBytes {
                    unsafe Glibc.write(input, $0.baseAddress.map { unsafe $0 + sent }, chunk.count - sent)
                }
                if n < 0, errno == EINTR { continue }
                if n <= 0 { return false }
                sent += n
            }
            return true
        }
        guard complete else {
            await end(killing: false)
            throw child.failure()
        }
        bytes.wrappingAdd(Int64(chunk.count), ordering: .relaxed)
    }

    func read(limit: Int) async -> [UInt8] {
        let chunk = await child.nextOutput(limit: limit)
        bytes.wrappingAdd(Int64(chunk.count), ordering: .relaxed)
        return chunk
    }

    /// Closes the input and waits; throws what the process reported when it failed.
    func finish() async throws {
        let status = await end(killing: false)
        defer { unsafe unlink(logPath) }
        if status != 0 { throw child.failure() }
    }

    /// Ends the process, whatever it does. Fine after `finish`.
    func abort() async {
        _ = await end(killing: true)
        unsafe unlink(logPath)
    }

    /// Kills the process, whoever is waiting for it, or for its storage: a write or read under way fails soon, and so does
    /// `finish`. To be followed by `abort`.
    func interrupt() { state.withLock { if !$0.isReaped { kill(child.pid, SIGKILL) } } }

    @discardableResult
    private func end(killing: Bool) async -> Int32 {
        let (input, first) = state.withLock { state -> (Int32, Bool) in
            defer {
                state.input = -1
                state.ended = true
            }
            return (state.input, !state.ended)
        }
        if input >= 0 { Glibc.close(input) }
        guard first else { return 0 }
        if killing { kill(child.pid, SIGKILL) }
        await child.awaitExit()
        state.withLock { $0.isReaped = true }
        return await child.reap()
    }
}
