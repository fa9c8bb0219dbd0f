import CLinux
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Guests

/// The supervisor against a peer that speaks as the test wants: a `sleep` stands for QEMU's process.
@Suite struct QEMUMonitorTests {
    private final class Listener: QEMUMonitorListener {
        let heard = Mutex<[String]>([])
        func qemuSaid(event: String, data: QMPValue) { heard.withLock { $0.append(event) } }
        func qemuEnded(status: Int32?) -> GuestError {
            GuestError(.disconnected, status.map(Guest.describe) ?? "not ours")
        }
    }

    /// Accepts on QEMU's socket; each connection is answered by the next script. `answer` gets each received line.
    private final class Peer: Sendable {
        private let listener: Int32

        init(path: String, connections: [@Sendable (_ line: String) -> String?]) throws {
            let descriptor = unsafe path.withCString { unsafe gantry_unix_listen($0, 4) }
            guard descriptor >= 0 else { throw GuestError.system("listen", descriptor) }
            listener = descriptor
            Thread.detachNewThread {
                for answer in connections { Self.serve(gantry_accept(descriptor), answer) }
            }
        }

        deinit { close(listener) }

        private static func serve(_ socket: Int32, _ answer: (String) -> String?) {
            defer { close(socket) }
            func say(_ text: String) {
                let bytes = Array(text.utf8)
                _ = unsafe bytes.withUnsafeBytes { unsafe gantry_send(socket, $0.baseAddress, $0.count) }
            }
            say("{\"QMP\": {}}\r\n")
            var splitter = QMPLineSplitter()
            var chunk = [UInt8](repeating: 0, count: 4096)
            while true {
                let count = unsafe chunk.withUnsafeMutableBytes {
                    unsafe gantry_receive(socket, $0.baseAddress, $0.count)
                }
                guard count > 0, let lines = try? splitter.feed(chunk[..<Int(count)]) else { return }
                for line in lines {
                    let text = String(decoding: line, as: UTF8.self)
                    if text.contains("qmp_capabilities") {
                        say("{\"return\": {}, \"id\": 0}\r\n")
                    } else if let reply = answer(text) {
                        say(reply)
                    } else {
                        return
                    }
                }
            }
        }
    }

    private func withMonitor(
        _ connections: [@Sendable (String) -> String?],
        _ body: (QEMUMonitor, Listener) async throws -> Void
    ) async throws {
        let scratch = try ScratchFolder("qmp")
        defer { scratch.remove() }
        let folder = try GuestFolder(runDirectory: scratch.path, uuid: "g")
        try folder.make()
        let peer = try Peer(path: folder.qmp, connections: connections)
        let pid = try QEMUProcess.spawn("/usr/bin/sleep", ["3600"], in: -1, out: -1, err: -1, detached: true)
        let monitor = try QEMUMonitor(pid: pid, folder: folder)
        let listener = Listener()
        monitor.start(listener)
        do { try await body(monitor, listener) } catch { Issue.record(error) }
        monitor.kill()
        #expect(await monitor.ended(within: .seconds(60)))
        #expect(gantry_process_start_time(pid) == 0)
        withExtendedLifetime(peer) {}
    }

    private static func id(_ line: String) -> String {
        line.split(whereSeparator: { ":,}".contains($0) }).drop { $0 != "\"id\"" }.dropFirst().first.map(String.init)
            ?? ""
    }

    private static let garbage = [
        "garbage\n", "{\"return\": \n", "{}\n", String(repeating: "x", count: QMPLineSplitter.limit + 10),
    ]

    @Test(arguments: garbage.indices)
    func garbledBytesFailTheCommandAndTheConnectionIsMadeAnew(_ index: Int) async throws {
        let bytes = Self.garbage[index]
        try await withMonitor([
            { _ in bytes }, { "{\"event\": \"STOP\"}\n{\"return\": 7, \"id\": \(Self.id($0))}\n" },
        ]) { monitor, listener in
            await #expect { try await monitor.execute("first") } throws: { ($0 as? GuestError)?.code == .disconnected }
            let second = try await monitor.execute("second")
            #expect(second == 7)
            #expect(listener.heard.withLock { $0 } == ["STOP"])
        }
    }

    @Test func refusalsAndUnaskedAnswersAreToldApart() async throws {
        try await withMonitor([
            {
                "{\"return\": 1, \"id\": 999}\n{\"return\": 1}\n{\"id\": \(Self.id($0)), \"error\": {\"desc\": \"no such node\"}}\n"
            }
        ]) { monitor, _ in
            await #expect { try await monitor.execute("x") } throws: {
                ($0 as? GuestError)?.code == .refused && "\($0)".contains("no such node")
            }
        }
    }

    @Test func anAnswerThatNeverComesEndsWithItsTimeLimit() async throws {
        try await withMonitor([{ _ in "" }]) { monitor, _ in
            await #expect { try await monitor.execute("x", atMost: .milliseconds(200)) } throws: {
                ($0 as? GuestError)?.code == .timedOut
            }
        }
    }

    @Test func theEndOfTheProcessFailsWhoWaitsAndWhoComesLater() async throws {
        try await withMonitor([{ _ in "" }]) { monitor, _ in
            let waiting = Task { try await monitor.execute("x") }
            try await monitor.connected(within: .seconds(30))
            monitor.kill()
            await #expect { try await waiting.value } throws: { "\($0)".contains("killed by signal 9") }
            await #expect { try await monitor.execute("y") } throws: { "\($0)".contains("killed by signal 9") }
        }
    }
}
