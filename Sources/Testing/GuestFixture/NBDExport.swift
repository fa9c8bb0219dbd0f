import CLinux
import Foundation
import Synchronization
import TestSupport

/// A raw file served by qemu-nbd on a Unix socket: the disk of a guest when our own data path is not what is tested.
/// Can be killed and started again on the same socket.
public final class NBDExport: Sendable {
    /// The name of the only export.
    public static let exportName = "disk"
    public let socket: String
    private let file: String
    private let process: Mutex<Int32>

    public init(file: String, socket: String) async throws {
        self.file = file
        self.socket = socket
        process = Mutex(try Self.start(file, socket))
        try await waitUntilListening()
    }

    /// kill -9, as when the host's OOM killer meets it. What it had written stays in the page cache.
    public func kill() {
        process.withLock { process in
            guard process > 0 else { return }
            _ = Glibc.kill(process, SIGKILL)
            var status: Int32 = 0
            // SAFETY: the status is a live variable; the process is our child and not yet reaped.
            _ = unsafe waitpid(process, &status, 0)
            process = 0
        }
    }

    public func restart() async throws {
        let new = try Self.start(file, socket)
        process.withLock { $0 = new }
        try await waitUntilListening()
    }

    deinit { kill() }

    private static func start(_ file: String, _ socket: String) throws -> Int32 {
        try? FileManager.default.removeItem(atPath: socket)
        let program = try Tool.find("qemu-nbd")
        let arguments = [
            program, "--persistent", "--shared=8", "--format=raw", "--discard=unmap", "--socket", socket,
            "--export-name", exportName, file,
        ]
        // SAFETY: the vector ends with NULL and its strings live until the child has started.
        var vector: [UnsafeMutablePointer<CChar>?] = unsafe arguments.map { unsafe strdup($0) }
        unsafe vector.append(nil)
        defer { for index in 0..<arguments.count { unsafe free(vector[index]) } }
        let pid = unsafe gantry_spawn(program, vector, nil, -1, -1, -1, true)
        guard pid > 0 else { throw ConsoleReader.Failure(description: "cannot start qemu-nbd: errno \(-pid)") }
        return pid
    }

    private func waitUntilListening() async throws {
        while true {
            let descriptor = unsafe socket.withCString { unsafe gantry_unix_connect($0) }
            if descriptor >= 0 {
                close(descriptor)
                return
            }
            guard gantry_process_start_time(process.withLock { $0 }) != 0 else {
                throw ConsoleReader.Failure(description: "qemu-nbd ended at once")
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}
