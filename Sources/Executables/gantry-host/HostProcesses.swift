import DatapathControl
import FoundationEssentials
import Glibc
import ImageCommands

/// Ends the processes of one toolstack, found by the records in its run folder.
struct HostProcesses {
    let stateFolder: String
    let runFolder: String
    /// Seconds between asking and killing.
    let grace: Int

    /// The daemon, whose record `RUN/gantryd.json` says `{"pid":…,"startTime":…,"stateDirectory":…}`.
    func stopDaemon() throws {
        let path = runFolder + "/gantryd.json"
        guard let record = try record(at: path) else { return say("no toolstack runs here (no \(path))") }
        if let folder = record.stateDirectory, Self.real(folder) != Self.real(stateFolder) {
            throw CommandFailure(
                "cannot stop the toolstack of \(stateFolder)", why: "the one that \(path) names works on \(folder)",
                advice: "--state-dir \(folder)")
        }
        guard let process = RecordedProcess(record) else { return say("the toolstack has ended already") }
        try end([process], kind: "the toolstack") { _ in false }
    }

    func stopGuests() throws {
        let processes = try recorded(in: runFolder + "/guests").compactMap { RecordedProcess($0.record) }
        try end(processes, kind: "a guest") { _ in false }
    }

    /// Each is asked over its control socket, so that it closes its image; one that does not answer is signalled.
    func stopDatapaths() throws {
        var processes: [RecordedProcess] = []
        var sockets: [Int32: String] = [:]
        for (folder, record) in try recorded(in: runFolder + "/dp") {
            guard let process = RecordedProcess(record) else { continue }
            processes.append(process)
            sockets[process.pid] = folder + "/control"
        }
        try end(processes, kind: "a data path") { process in
            guard let socket = sockets[process.pid] else { return false }
            return (try? DatapathClient(socketPath: socket).callBlocking(.quit)) != nil
        }
    }

    /// Asks all, then waits for each; after the grace it is killed. `ask` tells whether it could ask in its own way.
    private func end(_ processes: [RecordedProcess], kind: String, ask: (RecordedProcess) -> Bool) throws {
        for process in processes where !ask(process) {
            let number = process.signal(SIGTERM)
            if number != 0 {
                throw CommandFailure(
                    "cannot stop \(kind) (process \(process.pid))", why: unsafe String(cString: strerror(number)),
                    advice: "the user it runs as, or root")
            }
        }
        let deadline = ContinuousClock.now + .seconds(grace)
        for process in processes {
            let left = max(0, (deadline - ContinuousClock.now).components.seconds)
            if process.hasEnded(within: Int(left)) { continue }
            say("\(kind) (process \(process.pid)) did not end within \(grace) s and is killed")
            _ = process.signal(SIGKILL)
            _ = process.hasEnded(within: -1)
        }
        if !processes.isEmpty {
            say("stopped \(kind)" + (processes.count > 1 ? " and \(processes.count - 1) more" : ""))
        }
    }

    /// The records of the folders below `folder`, with their folders.
    private func recorded(in folder: String) throws -> [(folder: String, record: RecordedProcess.Record)] {
        var found: [(String, RecordedProcess.Record)] = []
        for name in ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted() {
            let home = folder + "/" + name
            if let record = try record(at: home + "/record.json") { found.append((home, record)) }
        }
        return found
    }

    private func record(at path: String) throws -> RecordedProcess.Record? {
        do {
            return try RecordedProcess.record(at: path)
        } catch {
            throw CommandFailure(
                "cannot read \(path)", why: "\(error)", advice: "ending the process by hand and removing the file")
        }
    }

    private func say(_ text: String) {
        let line = Array((text + "\n").utf8)
        // SAFETY: the array's own bytes. What cannot be said changes nothing of what is done.
        _ = unsafe write(STDERR_FILENO, line, line.count)
    }

    /// The path without symbolic links; as it is where it leads nowhere.
    private static func real(_ path: String) -> String {
        // SAFETY: the C string that the call allocates is copied and freed.
        guard let resolved = unsafe realpath(path, nil) else { return path }
        defer { unsafe free(resolved) }
        return unsafe String(cString: resolved)
    }
}
