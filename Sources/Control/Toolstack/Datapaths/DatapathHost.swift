import APITypes
import CLinux
import DatapathControl
import Foundation
import Guests
import Logging

/// Starts, adopts and ends this host's data-path processes. They run in sessions of their own and outlive the toolstack;
/// each leaves a record in the run folder by which the next toolstack finds it.
actor DatapathHost {
    private let folder: String
    /// Path of gantry-datapath.
    nonisolated let program: String
    /// Where processes that end with their work leave their errors until then.
    nonisolated let transferFolder: String
    private let logger: Logger
    private var running: [String: DatapathRecord] = [:]
    /// Killed at their start, and kept by their storage since: each has its image's lock until that lets it go.
    private var stuck: [String: DatapathRecord] = [:]
    /// How long a process may take to open its image.
    private let patience: Duration
    /// What identifies a program that could not take the place of its predecessor.
    var refused: [Int]?
    /// The same of the one that was tried last, and starts.
    var proved: [Int]?
    /// Where a new program is tried.
    nonisolated let probeFolder: String

    /// Those that processes of the data plane are.
    nonisolated let users: DatapathUsers
    /// What processes could not give up, as far as it was told.
    private var told: Set<String> = []

    /// `folder` is `RUN/dp`; `program` the path of gantry-datapath; `users` those that the processes may be; `patience` what one
    /// may take to open its image.
    init(
        folder: String, program: String,
        users: DatapathUsers = DatapathUsers(first: DatapathUserRange.standardFirst),
        patience: Duration = .seconds(3600), logger: Logger
    ) {
        self.patience = patience
        self.users = users
        self.folder = folder
        transferFolder = (folder as NSString).deletingLastPathComponent + "/transfers"
        probeFolder = (folder as NSString).deletingLastPathComponent + "/probe"
        self.program = program
        self.logger = logger
    }

    /// A user for another process of the data plane that strangers talk to.
    func takeUser() -> UInt32? { users.next() }

    func giveBackUser(_ user: UInt32) { users.giveBack(user) }

    /// Finds the processes that an earlier toolstack left running; removes what the dead ones left. Returns their ids.
    func adoptAll() async -> [String] {
        let manager = FileManager.default
        await Shortage.awaitEnd(at: folder)
        for id in (try? manager.contentsOfDirectory(atPath: folder)) ?? [] {
            let path = folder + "/" + id + "/record.json"
            await Shortage.awaitEnd(at: path)
            if let data = manager.contents(atPath: path),
                let record = try? JSONDecoder().decode(DatapathRecord.self, from: data),
                Self.life(record) != .over
            {
                running[id] = record
                record.user.map { users.take($0) }
                logger.info("adopted a data path", metadata: ["id": "\(id)", "pid": "\(record.pid)"])
            } else {
                sweep(id)
            }
        }
        return Array(running.keys)
    }

    /// The data path `id` when its process lives.
    func handle(_ id: String) -> DatapathHandle? {
        guard let record = running[id] else { return nil }
        guard Self.life(record) != .over else {
            record.user.map { users.giveBack($0) }
            running[id] = nil
            sweep(id)
            return nil
        }
        return makeHandle(id, isConfined: record.isConfined == true, isIsolated: record.user != nil)
    }

    /// Ids of all that run.
    var ids: [String] { running.filter { Self.life($0.value) != .over }.map(\.key) }

    var liveProcesses: [(id: String, pid: Int32)] {
        running.filter { Self.life($0.value) != .over }.map { (id: $0.key, pid: $0.value.pid) }
    }

    /// Starts a process that serves `image`. The sockets of an earlier process of the same id are taken over, so that its
    /// clients reconnect, and so is its word of changes that it lost. Throws `DatapathClient.Failure` with the process's own words,
    /// or when its storage keeps it from opening the image for longer than `patience`: it is killed then.
    func start(_ id: String, image: ImageSpecification) async throws -> DatapathHandle {
        // Another try has another id, and the same image.
        if let earlier = stuck[id] ?? stuck.values.first(where: { $0.image.path == image.path }) {
            guard Self.life(earlier) == .over else { throw Self.isHeld(earlier) }
            letGo(of: earlier)
        }
        let home = folder + "/" + id
        // The process's own is only what lies in the folder within: what is beside it the toolstack reads and believes.
        try FileManager.default.createDirectory(
            atPath: ownFolder(id), withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        keepMap(id)
        let user = users.next()
        let handle = makeHandle(id, isConfined: true, isIsolated: user != nil)
        var arguments = [
            program, "serve", "--nbd", handle.nbdSocket, "--control", handle.controlSocket, "--crash-mark",
            markPath(id), "--mirror-map", mapPath(id), "--wait", "--confine-files",
        ]
        arguments += image.arguments
        if image.readOnly { arguments.append("--read-only") }
        if let user { arguments += ["--user", "\(user)", "--folder", ownFolder(id)] }
        // The process does nothing before it is told to go on, which is when its record is there: should we die before
        // that, the pipe ends and so does it. No process without a record.
        let go = try Pipe()
        defer { close(go.writeEnd) }
        let child: ChildProcess
        do {
            defer { close(go.readEnd) }
            child = try ChildProcess.start(arguments, input: go.readEnd, logPath: home + "/log", detached: true)
        }
        let record = DatapathRecord(
            id: id, pid: child.pid, startTime: gantry_process_start_time(child.pid), image: image,
            isConfined: true, user: user)
        do {
            // Without it the process could not be found again. One that has ended at once says why.
            if record.startTime == 0, ProcessLife(of: child.pid, startedAt: .max) == .unknown {
                throw DatapathClient.Failure(
                    code: "io",
                    message: "a data path's start time cannot be read: the host has no files or memory left; try again")
            }
            try JSONEncoder().encode(record).write(to: URL(fileURLWithPath: home + "/record.json"), options: .atomic)
            // SAFETY: writes one byte from a byte. A process that is gone already is noticed by its silence.
            var byte = UInt8(ascii: "\n")
            _ = unsafe write(go.writeEnd, &byte, 1)
            guard let line = await firstLine(of: child) else {
                await giveUp(record, child)
                throw DatapathClient.Failure(
                    code: "io",
                    message: "the storage of \(image.path) does not answer: its data path was not ready after "
                        + "\(patience) and is killed")
            }
            guard let ready = try? JSONDecoder().decode(DatapathReady.self, from: Data(line.utf8)), ready.ready else {
                throw child.failure()
            }
            tell(without: ready.without ?? [])
        } catch {
            if stuck[id]?.pid == child.pid { throw error }
            user.map { users.giveBack($0) }
            kill(child.pid, SIGKILL)
            await child.reap()
            sweep(id)
            throw error
        }
        if let earlier = running[id]?.user { users.giveBack(earlier) }
        running[id] = record
        logger.info("started a data path", metadata: ["id": "\(id)", "pid": "\(child.pid)", "image": "\(image.path)"])
        return handle
    }

    /// What a process says first; nil: nothing within `patience`.
    private func firstLine(of child: ChildProcess) async -> String? {
        let line = Task { try await child.firstLine() }
        let isThere = await BoundedWait.wait(for: Task { _ = await line.result }, atMost: patience)
        return isThere ? try? await line.value : nil
    }

    /// Kills a process that is not ready. Storage that does not answer may keep it in the kernel: that is not waited for longer than
    /// a moment, and no other is started in its place before it has ended.
    private func giveUp(_ record: DatapathRecord, _ child: ChildProcess) async {
        logger.error(
            "a data path is killed, since its storage does not answer",
            metadata: ["id": "\(record.id)", "image": "\(record.image.path)"])
        kill(child.pid, SIGKILL)
        if await BoundedWait.wait(for: Task { await child.awaitExit() }, atMost: .seconds(5)) { return }
        logger.error(
            "a killed data path is held by its storage", metadata: ["id": "\(record.id)", "pid": "\(record.pid)"])
        stuck[record.id] = record
        // Whenever that is: nobody else would wait for it.
        Task {
            await child.awaitExit()
            await child.reap()
            letGo(of: record)
        }
    }

    private func letGo(of record: DatapathRecord) {
        guard stuck[record.id]?.pid == record.pid else { return }
        stuck[record.id] = nil
        record.user.map { users.giveBack($0) }
        if running[record.id] == nil { sweep(record.id) }
    }

    private static func isHeld(_ record: DatapathRecord) -> DatapathClient.Failure {
        DatapathClient.Failure(
            code: "busy",
            message: "a killed data path, process \(record.pid), is held by the storage of \(record.image.path), which "
                + "does not answer; see to that, and try again")
    }

    /// Closes the images and ends the process; returns when it is gone. Fine when it is gone already.
    /// `forGood` false: another process will take its place, and tells the guest what this one lost.
    func stop(_ id: String, forGood: Bool = true) async {
        guard let record = running[id] else {
            // What a dead one left for its successor, which will not come now. One that is being started has a record.
            if !FileManager.default.fileExists(atPath: "\(folder)/\(id)/record.json") { forget(id) }
            return
        }
        if Self.life(record) != .over {
            var isGone = false
            do {
                _ = try await makeHandle(id).client.call(.quit)
                isGone = await ChildProcess.awaitEnd(of: record.pid, startedAt: record.startTime, seconds: 60)
            } catch {
                logger.warning("a data path does not answer", metadata: ["id": "\(id)", "error": "\(error)"])
            }
            // Not one that cannot be looked at: the number may be another's by now.
            if !isGone, Self.life(record) == .lives {
                logger.warning("a data path does not end and is killed", metadata: ["id": "\(id)"])
                kill(record.pid, SIGKILL)
                // Storage that does not answer keeps it in the kernel. It ends when that lets it go, and has its image's lock
                // until then; nobody waits for it.
                if await !ChildProcess.awaitEnd(of: record.pid, startedAt: record.startTime, seconds: 60) {
                    logger.error(
                        "a killed data path is held by its storage", metadata: ["id": "\(id)", "pid": "\(record.pid)"])
                }
            }
        }
        // A successor may have been started while we waited: what lies in the folder is then its own.
        guard running[id]?.pid == record.pid, running[id]?.startTime == record.startTime else { return }
        record.user.map { users.giveBack($0) }
        if isMarked(id) { logger.error("a data path ended with unflushed changes", metadata: ["id": "\(id)"]) }
        if forGood {
            forget(id)
        } else {
            running[id] = nil
            sweep(id)
        }
        logger.info("ended a data path", metadata: ["id": "\(id)"])
    }

    private func forget(_ id: String) {
        running[id] = nil
        try? FileManager.default.removeItem(atPath: folder + "/" + id)
    }

    /// Removes what a dead data path left, but for its word of changes that it lost, which the next process under this id
    /// tells the guest, and how far its mirror was, from where that process goes on.
    private func sweep(_ id: String) {
        guard isMarked(id) || [mapPath(id), oldMapPath(id)].contains(where: FileManager.default.fileExists(atPath:))
        else {
            try? FileManager.default.removeItem(atPath: folder + "/" + id)
            return
        }
        for name in ["record.json", "log", "nbd", "control"] {
            try? FileManager.default.removeItem(atPath: "\(folder)/\(id)/\(name)")
        }
    }

    /// Without a process of that id.
    func removeMap(_ id: String) {
        if let record = running[id], Self.life(record) != .over { return }
        for path in [mapPath(id), oldMapPath(id)] { try? FileManager.default.removeItem(atPath: path) }
    }

    /// Where a process of before they had folders of their own has left it.
    private func oldMapPath(_ id: String) -> String { "\(folder)/\(id)/mirror-map" }

    /// What such a process knew of its mirror the next one goes on from.
    private func keepMap(_ id: String) {
        let manager = FileManager.default
        if !manager.fileExists(atPath: mapPath(id)) {
            try? manager.moveItem(atPath: oldMapPath(id), toPath: mapPath(id))
        }
    }

    private func isMarked(_ id: String) -> Bool {
        FileEnds.first(1, of: markPath(id))?.first.map { $0 != 0 } ?? false
    }

    /// Once for each: the system will not change.
    private func tell(without parts: [String]) {
        let new = parts.filter { told.insert($0).inserted }
        if new.isEmpty { return }
        logger.warning(
            "data paths run without a part of their isolation, which this system does not permit; their logs say why",
            metadata: ["parts": "\(new.joined(separator: " "))"])
    }

    private func ownFolder(_ id: String) -> String { "\(folder)/\(id)/own" }

    private func markPath(_ id: String) -> String { "\(folder)/\(id)/unflushed" }

    private func mapPath(_ id: String) -> String { "\(folder)/\(id)/own/mirror-map" }

    private func makeHandle(_ id: String, isConfined: Bool = false, isIsolated: Bool = false) -> DatapathHandle {
        DatapathHandle(
            id: id, nbdSocket: "\(folder)/\(id)/nbd", controlSocket: "\(folder)/\(id)/control",
            isConfined: isConfined, dialer: isIsolated ? program : nil)
    }

    private static func life(_ record: DatapathRecord) -> ProcessLife {
        // A child of ours that has ended.
        var status: Int32 = 0
        _ = unsafe gantry_reap(record.pid, &status)
        return ProcessLife(of: record.pid, startedAt: record.startTime)
    }
}
