import Foundation
import GuestFixture
import RPCCodec
import TestSupport
import XenAPIClient

/// A gantryd of this build with folders of its own, and a session with it.
final class RunningToolstack {
    let folder: ScratchFolder
    private var daemon: Process?
    private(set) var api: XenAPISession?
    /// `http://127.0.0.1:PORT`
    private(set) var httpURL = ""
    /// `https://127.0.0.2:PORT`: clients take 127.0.0.1 for a server without TLS.
    private(set) var httpsURL = ""

    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// Folders of third-party storage drivers, for the next start.
    var driverFolders: [String] = []
    /// Where HTTPS is served, for the next start.
    var httpsAddress = "127.0.0.2:0"
    /// More options of `gantryd serve`, for the next start.
    var options: [String] = []
    /// The folder with `gantryd` and the programs that it starts, for the next start; nil: this build's.
    var programs: String?

    /// Where it is told to fail, or to wait, while it runs.
    let failures: FailureFolder

    init() throws {
        folder = try ScratchFolder("e")
        failures = try FailureFolder(folder.file("failures"))
    }

    var stateDirectory: String { folder.file("s") }
    var runDirectory: String { folder.file("r") }
    var socket: String { folder.file("api") }
    var password: String {
        (try? String(contentsOfFile: stateDirectory + "/initial-password", encoding: .utf8))?
            .trimmingCharacters(in: .whitespacesAndNewlines) ?? ""
    }

    /// Starts the daemon and logs in. `failurePoint`: where it shall kill itself.
    func start(failurePoint: String? = nil) async throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try programs.map { $0 + "/gantryd" } ?? Tool.find("gantryd"))
        process.arguments =
            [
                "serve", "--state-dir", stateDirectory, "--run-dir", runDirectory, "--http", "127.0.0.1:0", "--https",
                httpsAddress, "--socket", socket, "--accel", "tcg", "--boot-dir", GuestFiles.folder,
            ] + driverFolders.flatMap { ["--sm-dir", $0] } + options
        var environment = ProcessInfo.processInfo.environment
        environment["GANTRY_FAILURE_POINT"] = failurePoint
        environment["GANTRY_FAILURE_FOLDER"] = failures.folder
        process.environment = environment
        let output = Pipe()
        process.standardOutput = output
        let log = folder.file("log")
        if !FileManager.default.fileExists(atPath: log) { try Data().write(to: URL(fileURLWithPath: log)) }
        let errors = try FileHandle(forWritingTo: URL(fileURLWithPath: log))
        try errors.seekToEnd()
        process.standardError = errors
        process.standardInput = FileHandle.nullDevice
        try process.run()
        daemon = process
        var line = Data()
        while let byte = try output.fileHandleForReading.read(upToCount: 1), byte != Data("\n".utf8) { line += byte }
        guard let ready = try? JSONSerialization.jsonObject(with: line) as? [String: Any],
            ready["ready"] as? Bool == true
        else { throw Failure(description: "gantryd did not start: \(logText)") }
        httpURL = ready["http"] as? String ?? ""
        httpsURL = ready["https"] as? String ?? ""
        if failurePoint == nil || daemon?.isRunning == true {
            api = try await XenAPISession.login(at: .unixSocket(path: socket), user: "root", password: "")
        }
    }

    var logText: String { (try? String(contentsOfFile: folder.file("log"), encoding: .utf8)) ?? "" }
    /// A line of the daemon's `/proc/PID/status`, KiB.
    func memory(_ name: String) throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(daemon?.processIdentifier ?? 0)/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix(name + ":") }
        guard let number = line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap({ Int($0) }) else {
            throw Failure(description: "no \(name) of the daemon")
        }
        return number
    }

    var session: XenAPISession {
        get throws {
            guard let api else { throw Failure(description: "the toolstack is not running") }
            return api
        }
    }

    /// SIGKILL, as a crash would be.
    func killHard() async {
        guard let daemon else { return }
        kill(daemon.processIdentifier, SIGKILL)
        await awaitEnd()
    }

    /// Waits for a daemon that ends by itself.
    func awaitEnd() async {
        daemon?.waitUntilExit()
        daemon = nil
        await api?.logout()
        api = nil
    }

    /// Ends the daemon as an administrator does. Guests and data paths stay.
    func stop() async {
        await api?.logout()
        api = nil
        daemon?.terminate()
        daemon?.waitUntilExit()
        daemon = nil
    }

    /// What is left of all that was told to end, which may take a moment to do so.
    func leftovers() throws -> [String] {
        for _ in 0..<100 {
            if try commands().isEmpty { return [] }
            usleep(20_000)
        }
        return try commands()
    }

    /// Command lines of processes that know this toolstack's folder: guests, data paths, transfers.
    func commands() throws -> [String] {
        var found: [String] = []
        for entry in try FileManager.default.contentsOfDirectory(atPath: "/proc") where Int(entry) != nil {
            guard let data = FileManager.default.contents(atPath: "/proc/\(entry)/cmdline") else { continue }
            let text = String(decoding: data, as: UTF8.self).replacingOccurrences(of: "\0", with: " ")
            if text.contains(folder.path) { found.append(text) }
        }
        return found
    }

    /// Processes of a program that know this toolstack's folder: those that work, or, `dialing`, those that connect a data path
    /// with a mirror's destination and end a moment after it.
    func processes(_ program: String, dialing: Bool = false, doing work: String? = nil) throws -> [Int32] {
        try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { Int32($0) }.filter { pid in
            guard let data = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") else { return false }
            let words = String(decoding: data, as: UTF8.self).split(separator: "\0")
            guard (words.dropFirst().first == "dial") == dialing else { return false }
            if let work, words.dropFirst().first.map(String.init) != work { return false }
            return words.first?.contains(program) == true && words.contains { $0.contains(folder.path) }
        }
    }

    /// Does what kills the daemon at its failure point. Throws when it lives on.
    func dies(at point: String, _ body: () async throws -> Void) async throws {
        var told = "the call was answered"
        do { try await body() } catch { told = "\(error)" }
        // Whoever calls may hear of the death a moment before it is over.
        for _ in 0..<1000 where daemon?.isRunning == true { try await Task.sleep(for: .milliseconds(5)) }
        if daemon?.isRunning == true { throw Failure(description: "\(point) was not reached: \(told)") }
        await awaitEnd()
    }

    /// Kills all that runs at once, as when a host loses its power.
    func cutPower() async throws {
        for entry in try FileManager.default.contentsOfDirectory(atPath: "/proc") {
            guard let pid = Int32(entry), pid != getpid(),
                let data = FileManager.default.contents(atPath: "/proc/\(entry)/cmdline")
            else { continue }
            if String(decoding: data, as: UTF8.self).contains(folder.path + "/") { kill(pid, SIGKILL) }
        }
        if daemon != nil { await awaitEnd() }
    }

    /// Kills everything that is left: after a failed test nothing must stay on the machine.
    func cleanUp() async {
        await stop()
        _ = try? Tool.run("pkill", ["-KILL", "-f", folder.path])
        folder.remove()
    }

    // MARK: Calls

    @discardableResult
    func call(_ method: String, _ parameters: WireValue...) async throws -> WireValue {
        try await session.call(method, parameters)
    }

    func text(_ method: String, _ parameters: WireValue...) async throws -> String {
        try await session.call(method, parameters).text ?? ""
    }

    /// A file SR in a new folder. Returns its reference and the folder.
    func makeRepository(
        _ name: String, formats: String, folder path: String? = nil, type: String = "file"
    ) async throws -> (ref: String, path: String) {
        let place = path ?? folder.file(name)
        if path == nil { try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true) }
        let host = try await call("host.get_all").items?.first?.text ?? ""
        let ref = try await text(
            "SR.create", .string(host),
            .members([("location", .string(place)), ("preferred-image-formats", .string(formats))]),
            .string("0"), .string(name), .string(""), .string(type), .string("user"), .bool(false), .members([]))
        return (ref, place)
    }

    /// A VDI; `format` empty: the SR's choice.
    func makeDisk(in sr: String, bytes: UInt64, format: String) async throws -> String {
        try await text(
            "VDI.create",
            .members([
                ("name_label", .string("disk")), ("name_description", .string("")), ("SR", .string(sr)),
                ("virtual_size", .string(String(bytes))), ("type", .string("user")), ("sharable", .bool(false)),
                ("read_only", .bool(false)), ("other_config", .members([("owner", .string("test"))])),
                ("tags", .array([])),
                ("xenstore_data", .members([])),
                ("sm_config", .members(format.isEmpty ? [] : [("image-format", .string(format))])),
            ]))
    }

    /// Plugs a disk into the control domain. Returns the VBD and the NBD socket.
    func plugHere(_ vdi: String) async throws -> (vbd: String, socket: String) {
        let host = try await call("host.get_all").items?.first?.text ?? ""
        let domain = try await text("host.get_control_domain", .string(host))
        let vbd = try await makeVBD(vm: domain, vdi: vdi)
        try await call("VBD.plug", .string(vbd))
        let uri = try await call("VBD.get_runtime_properties", .string(vbd)).member("nbd-uri")?.text ?? ""
        guard let socket = uri.components(separatedBy: "socket=").last, !socket.isEmpty else {
            throw Failure(description: "no NBD address in '\(uri)'")
        }
        return (vbd, socket)
    }

    func makeVBD(vm: String, vdi: String, position: String = "autodetect") async throws -> String {
        try await text(
            "VBD.create",
            .members([
                ("VM", .string(vm)), ("VDI", .string(vdi)), ("userdevice", .string(position)),
                ("bootable", .bool(true)),
                ("mode", .string("RW")), ("type", .string("Disk")), ("empty", .bool(false)),
                ("other_config", .members([])),
                ("qos_algorithm_type", .string("")), ("qos_algorithm_params", .members([])),
            ]))
    }

    /// Moves a disk and waits. Returns the new VDI; throws the task's error.
    func move(_ vdi: String, to sr: String, format: String, bytesPerSecond: UInt64 = 0) async throws -> String {
        let task = try await startMove(vdi, to: sr, format: format, bytesPerSecond: bytesPerSecond)
        let status = try await session.waitForTask(task)
        return try status.value()
    }

    func startMove(_ vdi: String, to sr: String, format: String, bytesPerSecond: UInt64 = 0) async throws -> String {
        try await text(
            "Async.VDI.pool_migrate", .string(vdi), .string(sr),
            .members([("dest-img-format", .string(format)), ("bytes-per-second", .string(String(bytesPerSecond)))]))
    }

    /// Waits until a move was accepted and has begun.
    func awaitPhase(of task: String) async throws {
        while try await call("task.get_other_config", .string(task)).member("phase") == nil {
            let status = try await text("task.get_status", .string(task))
            if status != "pending" { throw Failure(description: "the move has ended: \(status)") }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    /// The image files in an SR's folder.
    static func images(_ path: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path).filter {
            !$0.hasPrefix(".gantry-sr") && $0 != ".sr" && $0 != "lost+found"
        }
    }

    /// What these files take, bytes.
    static func room(_ path: String) throws -> Int {
        try images(path).reduce(0) { sum, name in
            let told = try Tool.check("stat", ["-c", "%b", path + "/" + name])
            return sum + (Int(told.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0) * 512
        }
    }
}

/// Runs a test with a toolstack of its own and leaves nothing behind, whatever happens.
func withToolstack(
    driverFolders: [String] = [], options: [String] = [], _ body: (RunningToolstack) async throws -> Void
) async throws {
    let toolstack = try RunningToolstack()
    toolstack.driverFolders = driverFolders
    toolstack.options = options
    do {
        try await toolstack.start()
        try await body(toolstack)
    } catch {
        print(toolstack.logText)
        await toolstack.cleanUp()
        throw error
    }
    await toolstack.cleanUp()
}
