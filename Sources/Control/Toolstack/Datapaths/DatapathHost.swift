import APITypes
import CLinux
import DatapathControl
import Foundation
import Logging

/// Starts, adopts and ends this host's data-path processes. They run in sessions of their own and outlive the toolstack;
/// each leaves a record in the run folder by which the next toolstack finds it.
actor DatapathHost {
    private let folder: String
    private let program: String
    private let logger: Logger
    private var running: [String: DatapathRecord] = [:]

    /// `folder` is `RUN/dp`; `program` the path of gantry-datapath.
    init(folder: String, program: String, logger: Logger) {
        self.folder = folder
        self.program = program
        self.logger = logger
    }

    /// Finds the processes that an earlier toolstack left running; removes what the dead ones left. Returns their ids.
    func adoptAll() async -> [String] {
        let manager = FileManager.default
        for id in (try? manager.contentsOfDirectory(atPath: folder)) ?? [] {
            let path = folder + "/" + id + "/record.json"
            if let data = manager.contents(atPath: path),
                let record = try? JSONDecoder().decode(DatapathRecord.self, from: data), Self.lives(record)
            {
                running[id] = record
                logger.info("adopted a data path", metadata: ["id": "\(id)", "pid": "\(record.pid)"])
            } else {
                try? manager.removeItem(atPath: folder + "/" + id)
            }
        }
        return Array(running.keys)
    }

    /// The data path `id` when its process lives.
    func handle(_ id: String) -> DatapathHandle? {
        guard let record = running[id] else { return nil }
        guard Self.lives(record) else {
            forget(id)
            return nil
        }
        return makeHandle(id)
    }

    /// Ids of all that run.
    var ids: [String] { running.filter { Self.lives($0.value) }.map(\.key) }

    /// Starts a process that serves `image`. The sockets of an earlier process of the same id are taken over, so that its
    /// clients reconnect. Throws `DatapathClient.Failure` with the process's own words.
    func start(_ id: String, image: ImageSpecification) async throws -> DatapathHandle {
        let home = folder + "/" + id
        try FileManager.default.createDirectory(
            atPath: home, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let handle = makeHandle(id)
        var arguments = [
            program, "serve", "--image", image.path, "--format", image.format, "--nbd", handle.nbdSocket, "--control",
            handle.controlSocket,
        ]
        if image.readOnly { arguments.append("--read-only") }
        let child = try ChildProcess.start(arguments, logPath: home + "/log", detached: true)
        let record = DatapathRecord(
            id: id, pid: child.pid, startTime: gantry_process_start_time(child.pid), image: image)
        do {
            // The record is there before anybody can use the process: no process without a record.
            try JSONEncoder().encode(record).write(to: URL(fileURLWithPath: home + "/record.json"), options: .atomic)
            let line = try await child.firstLine()
            guard line.contains("\"ready\":true") else { throw child.failure() }
        } catch {
            kill(child.pid, SIGKILL)
            await child.reap()
            try? FileManager.default.removeItem(atPath: home)
            throw error
        }
        running[id] = record
        logger.info("started a data path", metadata: ["id": "\(id)", "pid": "\(child.pid)", "image": "\(image.path)"])
        return handle
    }

    /// Closes the images and ends the process; returns when it is gone. Fine when it is gone already.
    func stop(_ id: String) async {
        guard let record = running[id] else { return }
        if Self.lives(record) {
            do {
                _ = try await makeHandle(id).client.call(.quit)
            } catch {
                logger.warning("a data path does not answer and is killed", metadata: ["id": "\(id)", "error": "\(error)"])
                kill(record.pid, SIGKILL)
            }
            await ChildProcess.awaitEnd(of: record.pid, startedAt: record.startTime)
        }
        forget(id)
        logger.info("ended a data path", metadata: ["id": "\(id)"])
    }

    private func forget(_ id: String) {
        running[id] = nil
        try? FileManager.default.removeItem(atPath: folder + "/" + id)
    }

    private func makeHandle(_ id: String) -> DatapathHandle {
        DatapathHandle(id: id, nbdSocket: "\(folder)/\(id)/nbd", controlSocket: "\(folder)/\(id)/control")
    }

    private static func lives(_ record: DatapathRecord) -> Bool {
        var status: Int32 = 0
        _ = unsafe gantry_reap(record.pid, &status)
        return gantry_process_start_time(record.pid) == record.startTime
    }
}
