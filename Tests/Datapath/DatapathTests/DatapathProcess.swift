import BlockIO
import DatapathControl
import Foundation
import NBDTransport
import TestSupport

/// A gantry-datapath of this build that serves one image.
final class DatapathProcess {
    let control: DatapathClient
    let nbdSocket: String
    let ready: DatapathReady?
    private let process = Process()

    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// Throws with what the process said when it does not get ready. `crashMark` and `mirrorMap` put these files into the
    /// folder. `capability`: what root lacks in many containers, as `setpriv` names it.
    init(
        _ folder: ScratchFolder, image: String, format: String, readOnly: Bool = false, crashMark: Bool = false,
        mirrorMap: Bool = false, changeLog: String? = nil, isConfined: Bool = false, user: UInt32? = nil,
        lacking capability: String? = nil
    ) throws {
        nbdSocket = folder.file("nbd")
        let program = try Tool.find("gantry-datapath")
        control = DatapathClient(
            socketPath: folder.file("control"), handsFilesOver: isConfined || user != nil,
            dialer: user == nil ? nil : program)
        let own = folder.file("own")
        if user != nil { try FileManager.default.createDirectory(atPath: own, withIntermediateDirectories: true) }
        // A file that reaches the process's size limit is an error for it, not a signal.
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments =
            ["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]
            + (capability.map { ["setpriv", "--bounding-set", "-\($0)", "--inh-caps", "-\($0)"] } ?? [])
            + [
                program, "serve", "--image", image, "--format", format, "--nbd", nbdSocket, "--control",
                control.socketPath,
            ]
            + (readOnly ? ["--read-only"] : []) + (crashMark ? ["--crash-mark", folder.file("mark")] : [])
            + (mirrorMap ? ["--mirror-map", user == nil ? folder.file("map") : own + "/map"] : [])
            + (changeLog.map { ["--change-log", $0] } ?? []) + (isConfined ? ["--confine-files"] : [])
            + (user.map { ["--user", "\($0)", "--folder", own] } ?? [])
        let (output, errors) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        var line = Data()
        while let byte = try output.fileHandleForReading.read(upToCount: 1), !byte.isEmpty, byte != Data("\n".utf8) {
            line += byte
        }
        ready = try? JSONDecoder().decode(DatapathReady.self, from: line)
        guard ready?.ready == true else {
            process.waitUntilExit()
            throw Failure(
                description: String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self))
        }
    }

    var pid: Int32 { process.processIdentifier }

    func connect() throws -> NBDClient {
        try NBDClient.connect(unixSocket: nbdSocket, exportName: "disk", readOnly: false)
    }

    func kill() {
        Foundation.kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    /// Ends it as the toolstack does and waits.
    func quit() throws -> Int32 {
        _ = try control.callBlocking(.quit)
        process.waitUntilExit()
        return process.terminationStatus
    }

    /// Its exit status, when it has ended by itself.
    func end() -> Int32 {
        process.waitUntilExit()
        return process.terminationStatus
    }

    func status() throws -> DatapathStatus {
        guard case .status(let status) = try control.callBlocking(.status) else {
            throw Failure(description: "no status")
        }
        return status
    }

    /// Waits until the mirror is in one of the phases.
    func awaitPhase(_ phases: MirrorPhase...) throws -> MirrorStatus {
        while true {
            guard let mirror = try status().mirror else { throw Failure(description: "there is no mirror") }
            if phases.contains(mirror.phase) { return mirror }
        }
    }

    deinit { if process.isRunning { kill() } }
}
