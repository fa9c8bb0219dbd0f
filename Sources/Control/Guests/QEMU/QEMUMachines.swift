import CLinux
import Foundation
import Synchronization

/// The machine types that this host's QEMU offers. Asked for once, of the program that is installed then.
final class QEMUMachines: Sendable {
    private let attempt = Mutex<Task<Result<Set<String>, GuestError>, Never>?>(nil)

    /// Throws `.startFailed` when QEMU does not say.
    func names() async throws(GuestError) -> Set<String> {
        let task = attempt.withLock { attempt in
            if let attempt { return attempt }
            let new = Task { await Self.ask() }
            attempt = new
            return new
        }
        let answer = await task.value
        // It may be installed by the next time.
        if case .failure = answer { attempt.withLock { $0 = nil } }
        return try answer.get()
    }

    private static func ask() async -> Result<Set<String>, GuestError> {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                do throws(GuestError) {
                    continuation.resume(returning: .success(parse(try run(["-machine", "help"]))))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        }
    }

    /// Lines of QEMU's list begin with a name each.
    static func parse(_ text: String) -> Set<String> {
        Set(text.split(separator: "\n").compactMap { $0.split(separator: " ").first.map(String.init) })
    }

    /// What QEMU prints. Blocks.
    private static func run(_ arguments: [String]) throws(GuestError) -> String {
        var ends: [Int32] = [-1, -1]
        // SAFETY: pipe fills the two elements.
        guard unsafe pipe(&ends) == 0 else { throw .system("make a pipe", -gantry_errno()) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        defer { close(ends[0]) }
        let pid: Int32
        do throws(GuestError) {
            // Its end with ours: it needs this thread for the moment of its answer only.
            pid = try QEMUProcess.spawn(QEMUProcess.find(), arguments, in: -1, out: ends[1], err: -1, detached: false)
        } catch {
            close(ends[1])
            throw error
        }
        close(ends[1])
        var said: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16 << 10)
        while said.count < 1 << 20 {
            // SAFETY: reads into the array's own storage, at most its count.
            let count = unsafe chunk.withUnsafeMutableBytes { unsafe read(ends[0], $0.baseAddress, $0.count) }
            if count < 0, gantry_errno() == EINTR { continue }
            guard count > 0 else { break }
            said += chunk[..<count]
        }
        var status: Int32 = 0
        // SAFETY: the status is a live variable; the process is ours and not reaped yet.
        while unsafe waitpid(pid, &status, 0) < 0, gantry_errno() == EINTR {}
        guard status == 0 else {
            throw GuestError(.startFailed, "QEMU does not list its machines: \(Guest.describe(status))")
        }
        return String(decoding: said, as: UTF8.self)
    }
}
