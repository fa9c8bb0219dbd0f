import BlockIO
import CLinux
import Glibc
import NBDTransport
import TestSupport
import Testing

/// Our client against the servers people use.
struct ClientPeerTests {
    /// A server program that puts itself in the background, killed at the end.
    final class Background {
        let folder: ScratchFolder
        var socket: String { folder.file("s") }

        init(_ tool: String, _ arguments: (ScratchFolder) -> [String]) throws {
            folder = try ScratchFolder("peer")
            let record = folder.file("pid")
            let own =
                tool == "nbdkit"
                ? ["-U", folder.file("s"), "-P", record]
                : ["--fork", "--persistent", "--shared=8", "-k", folder.file("s"), "--pid-file", record]
            // Not through Foundation, which would wait for the daemon, too: it returns once the daemon listens.
            let program = try Tool.find(tool)
            let texts = unsafe ([program] + own + arguments(folder)).map { unsafe strdup($0) }
            let pid = unsafe (texts + [nil]).withUnsafeBufferPointer { argv in
                unsafe gantry_spawn(program, argv.baseAddress, nil, -1, -1, 2, false)
            }
            unsafe texts.forEach { unsafe free($0) }
            var status: Int32 = 0
            guard pid > 0, unsafe waitpid(pid, &status, 0) == pid, status == 0 else {
                throw BlockError(.io, "\(tool) did not start: \(pid), \(status)")
            }
        }

        func kill() {
            if let text = try? Tool.check("cat", [folder.file("pid")]), let pid = pid_t(text.dropLast()) {
                Glibc.kill(pid, SIGKILL)
            }
        }

        /// Returns when the process is gone, and with it its locks.
        func killAndWait() {
            guard let text = try? Tool.check("cat", [folder.file("pid")]), let pid = pid_t(text.dropLast()) else {
                return
            }
            let process = gantry_pidfd_open(pid)
            Glibc.kill(pid, SIGKILL)
            if process < 0 { return }
            var ended = pollfd(fd: process, events: Int16(POLLIN), revents: 0)
            unsafe poll(&ended, 1, -1)
            close(process)
        }

        deinit { kill() }
    }

    struct Peer: Sendable, CustomTestStringConvertible {
        let tool: String
        let arguments: @Sendable (ScratchFolder) throws -> [String]
        let testDescription: String
        init(
            _ text: String, _ tool: String, _ arguments: @escaping @Sendable (ScratchFolder) throws -> [String]
        ) {
            testDescription = text
            self.tool = tool
            self.arguments = arguments
        }
    }

    private static func file(_ folder: ScratchFolder) throws -> String {
        try Tool.check("truncate", ["-s", "4M", folder.file("image")])
        return folder.file("image")
    }

    static let peers = [
        Peer("nbdkit memory", "nbdkit") { _ in ["memory", "4M"] },
        Peer("nbdkit file", "nbdkit") { ["file", try file($0)] },
        Peer("nbdkit, simple replies", "nbdkit") { _ in ["--no-sr", "memory", "4M"] },
        Peer("nbdkit, EXPORT_NAME only", "nbdkit") { _ in ["--mask-handshake=0", "memory", "4M"] },
        Peer("nbdkit without trim, flush and extents", "nbdkit") {
            ["--filter=nozero", "--filter=noextents", "split", try file($0)]
        },
        Peer("nbdkit with 4 KiB blocks of at most 64 KiB", "nbdkit") { _ in
            [
                "--filter=blocksize-policy", "memory", "4M", "blocksize-error-policy=error", "blocksize-minimum=4096",
                "blocksize-preferred=4096", "blocksize-maximum=65536",
            ]
        },
        Peer("qemu-nbd", "qemu-nbd") { ["-f", "raw", "--discard=unmap", try file($0)] },
    ]

    @Test(arguments: peers) func randomOperationsMatchTheModel(peer: Peer) throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("image")
        let arguments = try peer.arguments(folder)
        let server = try Background(peer.tool) { _ in arguments }
        let client = try NBDClient.connect(unixSocket: server.socket, exportName: "", readOnly: false)
        #expect(client.size == 4 << 20)
        try ModelRun.onThreads(3, [client], steps: 60, &random)
        try client.close()
    }

    /// Bytes at the end that no request reaches: nobody is let begin with such an export.
    @Test func anExportWhoseEndCannotBeReachedIsRefused() throws {
        let server = try Background("nbdkit") { _ in
            ["--filter=blocksize-policy", "memory", "1049088", "blocksize-minimum=4096", "blocksize-preferred=4096"]
        }
        let error = #expect(throws: BlockError.self) { try NBDClient.connect(unixSocket: server.socket) }
        #expect(error?.code == .unsupported && error?.message.contains("1049088") == true)
    }

    /// Blocks that are rewritten for a part of them, up to the last byte of an export that ends within a best request.
    @Test func theEndOfAnExportIsReadAndWritten() throws {
        let server = try Background("nbdkit") { _ in
            [
                "--filter=blocksize-policy", "memory", "1052672", "blocksize-error-policy=error",
                "blocksize-minimum=4096", "blocksize-preferred=65536", "blocksize-maximum=65536",
            ]
        }
        let client = try NBDClient.connect(unixSocket: server.socket)
        let size: UInt64 = 1_052_672
        #expect(client.size == size)
        try client.put([UInt8](repeating: 3, count: 70_000), at: size - 70_000)
        try client.put([1, 2], at: size - 2)
        try client.writeZeroes(at: size - 512, length: 100, mayUnmap: true)
        let end = try client.bytes(at: size - 512, 512)
        #expect(end == [UInt8](repeating: 0, count: 100) + [UInt8](repeating: 3, count: 410) + [1, 2])
        #expect(try client.bytes(at: size - 70_001, 2) == [0, 3])
        try client.close()
    }

    @Test func aKilledServerDisconnectsEveryCaller() throws {
        let server = try Background("nbdkit") { _ in ["--filter=delay", "memory", "1M", "rdelay=3600"] }
        let client = try NBDClient.connect(unixSocket: server.socket, exportName: "", readOnly: false)
        try client.put([1], at: 0)
        let failures = Failures()
        let callers = (0..<4).map { index in
            WorkerThread("caller-\(index)") {
                do { _ = try client.bytes(at: 0, 512) } catch {
                    failures.add((error as? BlockError)?.code.name ?? "?")
                }
            }
        }
        server.kill()
        for caller in callers { caller.join() }
        #expect(failures.all == [String](repeating: "disconnected", count: 4))
    }

    @Test func errorsOfAServerAreTyped() throws {
        let server = try Background("nbdkit") { _ in
            ["--filter=error", "memory", "1M", "error-pwrite=ENOSPC", "error-pwrite-rate=100%"]
        }
        let client = try NBDClient.connect(unixSocket: server.socket, exportName: "", readOnly: false)
        #expect { try client.put([1], at: 0) } throws: { ($0 as? BlockError)?.code == .noSpace }
        #expect(try client.bytes(at: 0, 1) == [0])
        try client.close()
        #expect {
            _ = try NBDClient.connect(unixSocket: server.folder.file("none"), exportName: "", readOnly: false)
        } throws: { ($0 as? BlockError)?.code == .notFound }
    }
}
