import APITypes
import CLinux
import DatapathControl
import Foundation
import Guests
import PoolDatabase
import Synchronization
import TestSupport

@testable import Toolstack

/// A data path as the toolstack sees it, which has a disk already: a `sleep` stands for the process, and this answers on its
/// control socket. Its mirrors are in sync at once, and prepared when they are told so; to compare takes until they are cancelled.
final class FakeDatapath: Sendable {
    private struct State {
        var mirror: ImageSpecification?
        var requests: [String] = []
        var isStubborn = false
        var phase = MirrorPhase.synchronised
        var comparesAtOnce = false
        var hangsWhenPrepared = false
        var probes: [String] = []
        var starts: [String] = []
        var connection: UInt64 = 0
    }

    private let state: Mutex<State>
    private let listener: Int32
    private let child: ChildProcess
    private let startTime: UInt64

    /// Their names, in the order in which they came.
    var requests: [String] { state.withLock { $0.requests } }
    var mirror: ImageSpecification? { state.withLock { $0.mirror } }
    /// It ends no mirror.
    var isStubborn: Bool {
        get { state.withLock { $0.isStubborn } }
        set { state.withLock { $0.isStubborn = newValue } }
    }

    /// Of its mirror.
    var phase: MirrorPhase {
        get { state.withLock { $0.phase } }
        set { state.withLock { $0.phase = newValue } }
    }
    /// And finds both images alike.
    var comparesAtOnce: Bool {
        get { state.withLock { $0.comparesAtOnce } }
        set { state.withLock { $0.comparesAtOnce = newValue } }
    }
    /// It says nothing any more once a pivot is prepared, until there is no mirror.
    var hangsWhenPrepared: Bool {
        get { state.withLock { $0.hangsWhenPrepared } }
        set { state.withLock { $0.hangsWhenPrepared = newValue } }
    }

    /// The codes of what probes fail with, one after the other; "hangs": it says nothing until there is no mirror. A `disconnected` one
    /// has another connection after it.
    var probes: [String] {
        get { state.withLock { $0.probes } }
        set { state.withLock { $0.probes = newValue } }
    }
    /// The same of mirrors that are to be begun.
    var starts: [String] {
        get { state.withLock { $0.starts } }
        set { state.withLock { $0.starts = newValue } }
    }
    /// The process is another one, which has no mirror.
    func losesMirror() { state.withLock { $0.mirror = nil } }

    init(of vdiUUID: String, on bench: StorageBench, mirror: ImageSpecification? = nil) async throws {
        state = Mutex(State(mirror: mirror))
        let id = Fresh.uuid()
        let home = bench.folder.file("dp/\(id)")
        try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
        listener = unsafe (home + "/control").withCString { unsafe gantry_unix_listen($0, 4) }
        guard listener >= 0 else { throw APIError.internalError("no socket: \(listener)") }
        child = try ChildProcess.start(["/usr/bin/sleep", "3600"], logPath: home + "/log", detached: true)
        startTime = gantry_process_start_time(child.pid)
        let record = DatapathRecord(
            id: id, pid: child.pid, startTime: startTime, image: ImageSpecification(path: "/source", format: "raw"))
        try JSONEncoder().encode(record).write(to: URL(fileURLWithPath: home + "/record.json"))
        _ = await bench.context.disks.host.adoptAll()
        try await bench.database.transaction { tx in
            tx.setPrivate(kind: DiskActivation.recordKind, key: vdiUUID, value: id)
        }
        Thread.detachNewThread { [self] in
            while true {
                let socket = gantry_accept(listener)
                if socket < 0 {
                    close(listener)
                    return
                }
                Thread.detachNewThread { self.serve(ControlChannel(descriptor: socket)) }
            }
        }
    }

    /// Nobody needs to have waited for it.
    var hasEnded: Bool { ProcessLife(of: child.pid, startedAt: startTime) == .over }

    /// To be called once; fine when it was told to quit.
    func end() async {
        if !hasEnded { kill(child.pid, SIGKILL) }
        shutdown(listener, Int32(SHUT_RDWR))
        var status: Int32 = 0
        while unsafe gantry_reap(child.pid, &status) == 0 { try? await Task.sleep(for: .milliseconds(1)) }
    }

    private func serve(_ channel: ControlChannel) {
        while let request = try? channel.receive(DatapathRequest.self) {
            guard (try? channel.send(answer(request))) != nil else { return }
        }
    }

    private func answer(_ request: DatapathRequest) -> DatapathReply {
        let name = "\(request)".prefix { $0 != "(" }
        state.withLock { $0.requests.append(String(name)) }
        switch request {
        case .status:
            while hangsWhenPrepared, phase == .dual, mirror != nil { usleep(1000) }
            return .status(status)
        case .mirrorStart(let destination, _, _, _):
            let code = state.withLock { $0.starts.isEmpty ? nil : $0.starts.removeFirst() }
            if code == "hangs" { while !starts.isEmpty { usleep(1000) } }
            if let code, code != "hangs" { return .failed(code: code, message: "as the test wants") }
            state.withLock { $0.mirror = destination }
        case .mirrorProbe:
            let code = state.withLock { state in
                let code = state.probes.isEmpty ? nil : state.probes.removeFirst()
                if code == "disconnected" { state.connection += 1 }
                return code
            }
            if code == "hangs" { while mirror != nil { usleep(1000) } }
            if let code { return .failed(code: code, message: "as the test wants") }
        case .mirrorVerify:
            while mirror != nil {
                if comparesAtOnce { return .ok }
                usleep(1000)
            }
            return .failed(code: "notFound", message: "the mirror was cancelled")
        case .pivotPrepare: state.withLock { $0.phase = .dual }
        case .mirrorCancel:
            if isStubborn { return .failed(code: "io", message: "as the test wants") }
            state.withLock { $0.mirror = nil }
        case .quit: kill(child.pid, SIGKILL)
        default: break
        }
        return .ok
    }

    private var status: DatapathStatus {
        let connection = state.withLock { $0.connection }
        let mirror = mirror.map {
            var status = MirrorStatus(
                phase: phase, destination: $0, totalBytes: 1, copiedBytes: 1, dirtyBytes: 0, bytesPerSecond: 0)
            if connection > 0 {
                status.details = MirrorDetails(
                    settings: MirrorSettings(), isActive: true, isConverging: true, isRetrying: false,
                    retries: connection, resumedBytes: 0, remainingSeconds: nil, delayedWrites: 0,
                    delayMicroseconds: 0, longestDelayMicroseconds: 0)
            }
            return status
        }
        return DatapathStatus(
            pid: child.pid, image: ImageSpecification(path: "/source", format: "raw"), virtualSize: 1 << 20,
            mirror: mirror, connections: 0)
    }
}
