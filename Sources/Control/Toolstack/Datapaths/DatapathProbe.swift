import CLinux
import DatapathControl
import Foundation
import Glibc

/// Tries a program of data paths before a running one is given up for it: it has to start on a small image of its own, to
/// speak both protocols, and to end when it is asked to.
struct DatapathProbe {
    /// Why a program is not taken; the running processes stay as they are.
    struct Refusal: Error, CustomStringConvertible {
        let description: String
    }

    let program: String
    /// Made anew, and removed.
    let folder: String
    /// For all of it. A program that says nothing is killed then.
    var patience = Duration.seconds(30)

    private static let size = 1 << 20
    /// What an NBD server says first ("Newstyle negotiation").
    private static let greeting = Array("NBDMAGICIHAVEOPT".utf8)

    private var nbdSocket: String { folder + "/nbd" }
    private var controlSocket: String { folder + "/control" }

    func run() async throws {
        let manager = FileManager.default
        try? manager.removeItem(atPath: folder)
        defer { try? manager.removeItem(atPath: folder) }
        let child: ChildProcess
        do {
            try manager.createDirectory(
                atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            child = try start()
        } catch {
            throw Refusal(description: "the data path's new program cannot be tried: \(error)")
        }
        // Nobody else reaps it: the number stays its own until we do.
        let watch = Task { [patience] in
            try await Task.sleep(for: patience)
            kill(child.pid, SIGKILL)
        }
        defer { watch.cancel() }
        var exit: Int32?
        do {
            let line = try await child.firstLine()
            guard line.contains("\"ready\":true") else { throw child.failure() }
            let client = DatapathClient(socketPath: controlSocket)
            let status = try await client.status()
            guard status.virtualSize == UInt64(Self.size), status.mirror == nil else {
                throw Refusal(description: "its status is not that of its image")
            }
            guard await greets() else { throw Refusal(description: "it does not greet NBD clients") }
            _ = try await client.call(.quit)
            exit = await child.reap()
            guard exit == 0 else { throw Refusal(description: "it ended with \(exit ?? -1)") }
        } catch {
            if exit == nil {
                kill(child.pid, SIGKILL)
                await child.reap()
            }
            throw Refusal(description: "the data path's new program does not work, and the old one goes on: \(error)")
        }
    }

    private func start() throws -> ChildProcess {
        let image = folder + "/image"
        guard FileManager.default.createFile(atPath: image, contents: Data(count: Self.size)) else {
            throw Refusal(description: "no file can be made at \(image)")
        }
        let go = try Pipe()
        defer {
            close(go.readEnd)
            close(go.writeEnd)
        }
        let specification = ImageSpecification(path: image, format: "raw")
        let child = try ChildProcess.start(
            [
                program, "serve", "--nbd", nbdSocket, "--control", controlSocket, "--crash-mark", folder + "/unflushed",
                "--mirror-map", folder + "/mirror-map", "--wait", "--confine-files",
            ] + specification.arguments, input: go.readEnd, logPath: folder + "/log", detached: false)
        var byte = UInt8(ascii: "\n")
        // SAFETY: writes one byte from a byte.
        _ = unsafe write(go.writeEnd, &byte, 1)
        return child
    }

    private func greets() async -> Bool {
        await onThread { [nbdSocket] in
            // SAFETY: the C string lives for the call.
            let socket = unsafe nbdSocket.withCString { unsafe gantry_unix_connect($0) }
            guard socket >= 0 else { return false }
            defer { close(socket) }
            var limit = timeval(tv_sec: 10, tv_usec: 0)
            // SAFETY: the option's value is the structure, for the call.
            unsafe setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
            var bytes: [UInt8] = []
            var byte: UInt8 = 0
            // SAFETY: receives one byte into a byte.
            while bytes.count < Self.greeting.count, unsafe gantry_receive(socket, &byte, 1) == 1 { bytes.append(byte) }
            return bytes == Self.greeting
        }
    }
}
