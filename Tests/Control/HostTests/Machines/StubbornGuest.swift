import CLinux
import Foundation
import Synchronization

@testable import Guests

/// A guest whose QEMU sends it when the test wants, and refuses to let it go on for as long as that wants. A `sleep` stands for the process, and this for
/// its monitor; none of the guest's memory comes, as nobody takes the socket for it.
final class StubbornGuest: Sendable {
    private struct State {
        var migration = "none"
        var run = "running"
        var isStubborn = true
        /// It goes on while it is sent, until `stand`.
        var isLively = false
        /// Who is told what happens.
        var peers: Set<Int32> = []
        /// How often it was told to let the guest go on.
        var orders = 0
    }
    private let state = Mutex(State())
    private let listener: Int32
    private let pid: Int32

    var orders: Int { state.withLock { $0.orders } }
    var isStubborn: Bool {
        get { state.withLock { $0.isStubborn } }
        set { state.withLock { $0.isStubborn = newValue } }
    }
    var isLively: Bool {
        get { state.withLock { $0.isLively } }
        set { state.withLock { $0.isLively = newValue } }
    }
    /// All of it is sent.
    var isHandedOver: Bool { state.withLock { $0.migration == "completed" } }
    var isSent: Bool { state.withLock { $0.migration != "none" } }
    var runs: Bool { state.withLock { $0.run == "running" } }

    /// `move`: it has not come yet, and its QEMU waits for it.
    init(_ uuid: String, runDirectory: String, waitingFor move: String? = nil) throws {
        let folder = try GuestFolder(runDirectory: runDirectory, uuid: uuid)
        try folder.make()
        listener = unsafe folder.qmp.withCString { unsafe gantry_unix_listen($0, 4) }
        guard listener >= 0 else { throw GuestError.system("listen", listener) }
        pid = try QEMUProcess.spawn("/usr/bin/sleep", ["3600"], in: -1, out: -1, err: -1, detached: true)
        var record = GuestRecord(
            specification: GuestSpecification(
                uuid: uuid, name: "g", memoryBytes: 64 << 20, vcpus: 1, boot: .disk, disks: []), ports: [:])
        (record.pid, record.startTime, record.hasRun) = (pid, gantry_process_start_time(pid), move == nil)
        if let move {
            (record.role, record.owner) = (.incoming, move)
            state.withLock { $0.run = "inmigrate" }
        }
        try record.write(to: folder.record)
        Thread.detachNewThread { [self] in
            while true {
                let socket = gantry_accept(listener)
                if socket < 0 { return }
                Thread.detachNewThread { self.serve(socket) }
            }
        }
    }

    /// What is left of it goes within the limit.
    func stand() {
        state.withLock { state in
            for event in Self.standing(&state) { for peer in state.peers { Self.say(event, to: peer) } }
        }
    }

    /// Ends it, as the host's end does.
    func kill() {
        _ = Glibc.kill(pid, SIGKILL)
        // It is this process's child: one that nobody has waited for would keep those from being seen that exit tests wait for.
        _ = waitpid(pid, nil, 0)
        shutdown(listener, Int32(SHUT_RDWR))
    }

    private func serve(_ socket: Int32) {
        defer {
            state.withLock { _ = $0.peers.remove(socket) }
            close(socket)
        }
        func say(_ text: String) { Self.say(text, to: socket) }
        struct Command: Decodable {
            var execute: String
            var id: Int64
        }
        state.withLock { _ = $0.peers.insert(socket) }
        say(#"{"QMP": {}}"#)
        var splitter = QMPLineSplitter()
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = unsafe chunk.withUnsafeMutableBytes {
                unsafe gantry_receive(socket, $0.baseAddress, $0.count)
            }
            guard count > 0, let lines = try? splitter.feed(chunk[..<Int(count)]) else { return }
            for line in lines {
                guard let command = try? JSONDecoder().decode(Command.self, from: Data(line)) else { return }
                let (reply, events) = answer(command.execute)
                say("{\(reply), \"id\": \(command.id)}")
                for event in events { say(event) }
            }
        }
    }

    private static func say(_ text: String, to socket: Int32) {
        let bytes = Array((text + "\r\n").utf8)
        _ = unsafe bytes.withUnsafeBytes { unsafe gantry_send(socket, $0.baseAddress, $0.count) }
    }

    private static func standing(_ state: inout State) -> [String] {
        (state.migration, state.run) = ("pre-switchover", "finish-migrate")
        return [#"{"event": "STOP"}"#, migration("pre-switchover")]
    }

    private static func migration(_ status: String) -> String {
        #"{"event": "MIGRATION", "data": {"status": "\#(status)"}}"#
    }

    private func answer(_ command: String) -> (reply: String, events: [String]) {
        state.withLock { state in
            switch command {
            case "migrate":
                state.migration = "active"
                return (#""return": {}"#, state.isLively ? [Self.migration("active")] : Self.standing(&state))
            case "migrate-continue":
                (state.migration, state.run) = ("completed", "postmigrate")
                return (#""return": {}"#, [Self.migration("device"), Self.migration("completed")])
            case "cont":
                state.orders += 1
                if state.isStubborn { return (#""error": {"class": "GenericError", "desc": "no such server"}"#, []) }
                state.run = "running"
                return (#""return": {}"#, [#"{"event": "RESUME"}"#])
            case "query-status":
                return (#""return": {"status": "\#(state.run)", "running": \#(state.run == "running")}"#, [])
            case "query-migrate": return (#""return": {"status": "\#(state.migration)"}"#, [])
            case "query-cpus-fast": return (#""return": [{"qom-path": "/c"}]"#, [])
            case "qom-list", "query-named-block-nodes": return (#""return": []"#, [])
            default: return (#""return": {}"#, [])
            }
        }
    }
}
