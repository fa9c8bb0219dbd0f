import BlockCopy
import BlockIO
import CLinux
import CoreTypes
public import DatapathControl
import Foundation
import NBDTransport
import Synchronization

/// One disk's data path: its image behind a switchable device, the NBD export above it, the control socket beside it.
///
/// It needs nobody to go on: when the toolstack dies, the export and a running mirror continue, and whoever connects to
/// the control socket next learns from `status` where things are.
public final class DatapathService: Sendable {
    /// Control connections at once; more are closed as they come.
    private static let mostConnections = 64
    /// Nanoseconds that a mirror's destination may keep the end waiting.
    private static let destinationPatience: UInt64 = 5_000_000_000

    /// Milliseconds.
    private static let longestProbe: UInt64 = 60_000

    private let device: SwitchableDevice
    /// What clients see: the device, below a crash mark when there is one.
    private let front: any BlockDevice
    private let mark: CrashMark?
    private let server: NBDServer
    private let throttle = DiskThrottle()
    private let images: ImagePair
    private let listener: Int32
    private let connections = Atomic<Int>(0)
    private let exports = DriverExports()
    private let mirrorMap: String?
    private let tracked = TrackedImages()
    private let sparing = SparedDestination()
    /// One mirror is started at a time: who comes second finds the first, and undoes nothing of it.
    private let starting = Mutex(())
    /// Held from the moment at which a destination is open until the mirror to it is there: then a cancellation finds it.
    private let starts = Mutex(MirrorStarts())

    /// Opens the image and serves it. `nbdSocket` and `controlSocket` are paths for new Unix sockets.
    /// `crashMark`: the file in which a killed process leaves word that it lost changes (`CrashMark`). `mirrorMap`: the one
    /// in which it leaves how far its mirror was (`MirrorLog`).
    public convenience init(
        image: ImageSpecification, nbdSocket: String, controlSocket: String, crashMark: String? = nil,
        mirrorMap: String? = nil
    ) throws {
        try self.init(image: image, crashMark: crashMark, mirrorMap: mirrorMap) { server in
            try server.start(unixSocket: nbdSocket)
            // SAFETY: the C string lives for the call.
            let listener = unsafe controlSocket.withCString { unsafe gantry_unix_listen($0, 16) }
            guard listener >= 0 else { throw BlockError(call: "listen", errno: -listener, path: controlSocket) }
            return listener
        }
    }

    /// Opens the image and serves it on sockets that listen already, with the mirror's map where this process sees it now.
    public convenience init(
        image: ImageSpecification, prepared: DatapathIsolation.Prepared, crashMark: String? = nil
    ) throws {
        try self.init(image: image, crashMark: crashMark, mirrorMap: prepared.mirrorMap) { server in
            try server.start(listening: prepared.nbdListener)
            return prepared.controlListener
        }
        prepared.release()
    }

    /// `listen` has the server listen, and returns the control socket's listener.
    private init(
        image: ImageSpecification, crashMark: String?, mirrorMap: String?, listen: (NBDServer) throws -> Int32
    ) throws {
        gantry_ignore_sigpipe()
        let first = try Self.disk(image)
        let device = SwitchableDevice(first)
        self.mirrorMap = mirrorMap
        if let mirrorMap, !image.readOnly { try MirrorMaps.takeUp(mirrorMap, image, device) }
        exports.disk.withLock { $0 = first as? DriverExport }
        tracked.setDisk(first)
        if image.readOnly, let log = image.changeLog { tracked.freeze(log: log) }
        self.device = device
        if let crashMark, !image.readOnly { mark = try CrashMark(device, path: crashMark) } else { mark = nil }
        front = mark ?? device
        // The mark has the device.
        device.watchFlushes { [weak mark] in try? mark?.noteFailure($0) }
        images = ImagePair(image)
        let export = NBDExport(
            name: DatapathExport.disk, device: front, readOnly: image.readOnly, throttle: throttle,
            changes: { [tracked] in [tracked] })
        server = NBDServer(
            exports: [export, export.readOnly(named: DatapathExport.readOnly)]
                + Self.filling(front, throttle, isReadOnly: image.readOnly))
        listener = try listen(server)
    }

    /// The two ways to a disk that is filled from both at once.
    private static func filling(
        _ device: any BlockDevice, _ throttle: DiskThrottle, isReadOnly: Bool
    ) -> [NBDExport] {
        if isReadOnly { return [] }
        let writes = NewerWrites()
        return [(DatapathExport.newer, true), (DatapathExport.older, false)].map { name, isNewer in
            NBDExport(name: name, device: FilledDisk(device, writes, isNewer: isNewer), throttle: throttle)
        }
    }

    /// Says on standard output that both sockets answer.
    public func announce(_ ready: DatapathReady) throws {
        FileHandle.standardOutput.write(try JSONEncoder().encode(ready) + Data("\n".utf8))
    }

    /// Answers control connections until `quit`; then closes everything. Each connection has a thread of its own, so a
    /// pivot that waits for a slow flush does not keep a status away.
    public func run() throws {
        let ended = Monitor()
        let quit = QuitFlag()
        let acceptor = WorkerThread("control") { [self] in
            accept {
                ended.locked {
                    quit.isSet = true
                    ended.wakeAll()
                }
            }
        }
        ended.locked {
            while !quit.isSet { ended.wait() }
        }
        shutdown(listener, Int32(SHUT_RDWR))
        acceptor.join()
        close(listener)
        // Requests that wait for a pivot's decision, or for a pause to end, would keep the server from ending. They fail, but
        // nobody is told: a client that reconnects to the next process repeats them.
        server.cut()
        device.abandonUndecided()
        // A mirror's destination that does not answer would keep guests' writes, and so the server, and the copier.
        let hasEnded = Monitor()
        let end = QuitFlag()
        let watch = WorkerThread(ifPossible: "quit-watch") { [device] in
            let patience = gantry_now() + Self.destinationPatience
            hasEnded.locked {
                while !end.isSet, case let now = gantry_now(), now < patience {
                    hasEnded.wait(nanoseconds: patience - now)
                }
                if !end.isSet { device.interruptMirror() }
            }
        }
        defer {
            hasEnded.locked {
                end.isSet = true
                hasEnded.wakeAll()
            }
            watch?.join()
        }
        server.stop()
        try front.close()
    }

    /// Takes control connections until the listener is shut down; what else goes wrong passes.
    private func accept(quit: @escaping @Sendable () -> Void) {
        while true {
            let descriptor = gantry_accept(listener)
            if descriptor == -EINTR || descriptor == -ECONNABORTED { continue }
            if descriptor == -EINVAL || descriptor == -EBADF { return }
            if descriptor < 0 {
                // Out of descriptors or memory; the callers wait in the backlog meanwhile.
                usleep(50_000)
                continue
            }
            if connections.add(1, ordering: .relaxed).newValue > Self.mostConnections {
                connections.subtract(1, ordering: .relaxed)
                close(descriptor)
                continue
            }
            let started = WorkerThread(ifPossible: "control-conn") { [self] in
                serve(ControlChannel(descriptor: descriptor, takesFiles: true), quit: quit)
                connections.subtract(1, ordering: .relaxed)
            }
            if started == nil {
                connections.subtract(1, ordering: .relaxed)
                close(descriptor)
                usleep(50_000)
            }
        }
    }

    private func serve(_ channel: ControlChannel, quit: () -> Void) {
        var handed: [(path: String, descriptor: Int32)] = []
        defer {
            for file in handed {
                HandedFiles.remove(file.path, file.descriptor)
                close(file.descriptor)
            }
        }
        while true {
            let request: DatapathRequest?
            do {
                request = try channel.receive(DatapathRequest.self)
            } catch {
                try? channel.send(DatapathReply.failed(code: "unsupported", message: "not understood: \(error)"))
                return
            }
            guard let request else { return }
            if case .quit = request {
                // The answer comes before the end: the caller then waits for the process.
                try? channel.send(DatapathReply.ok)
                quit()
                return
            }
            let reply: DatapathReply
            do {
                if case .handOver(let paths, let servers, let failures) = request {
                    handed += try Self.takeOver(paths, servers ?? [], channel.takeFiles())
                    for (path, number) in failures ?? [:] { HandedFiles.addFailure(path, number) }
                }
                reply = try answer(request)
            } catch let error as BlockError {
                reply = .failed(code: error.code.name, message: error.description)
            } catch {
                reply = .failed(code: "io", message: "\(error)")
            }
            guard (try? channel.send(reply)) != nil else { return }
        }
    }

    private static func takeOver(
        _ paths: [String], _ servers: [String], _ files: [Int32]
    ) throws(BlockError) -> [(path: String, descriptor: Int32)] {
        guard paths.count + servers.count == files.count else {
            for file in files { close(file) }
            throw BlockError(
                .io, "\(files.count) files were handed over with \(paths.count) paths and \(servers.count) servers")
        }
        for (server, file) in zip(servers, files[paths.count...]) { Dialers.add(server, file) }
        let handed = zip(paths, files).map { (path: $0, descriptor: $1) }
        for file in handed { HandedFiles.add(file.path, file.descriptor) }
        return handed
    }

    private func answer(_ request: DatapathRequest) throws -> DatapathReply {
        switch request {
        case .status: return .status(status)
        case .mirrorStart(let destination, let bytesPerSecond, let settings, let resume):
            let ticket = starts.withLock { $0.begin() }
            defer { starts.withLock { $0.end() } }
            try starting.withLock { _ in
                try startMirror(to: destination, bytesPerSecond, settings, resume ?? false, ticket)
            }
        case .mirrorSet(let settings):
            let change = try settings.change()
            try device.changeMirror(change)
        case .mirrorVerify: _ = try device.verifyMirror()
        case .mirrorProbe(let milliseconds):
            try device.probeMirror(within: min(milliseconds, Self.longestProbe) * 1_000_000)
        case .mirrorSetRate(let bytesPerSecond): device.setMirrorRate(bytesPerSecond: bytesPerSecond)
        case .pivotPrepare:
            sparing.stop()
            try preparePatiently()
        case .pivotCommit:
            try device.commitPivot {
                images.commit()
                tracked.commit()
                // Not after the source's close, which storage that does not answer keeps for ever.
                exports.commit()
            }
            // The disk is not connected to again, nor is what a cancelled mirror filled.
            Dialers.removeAll()
        case .mirrorCancel:
            let wasStarting = starts.withLock { $0.cancel() }
            // When it has ended: perhaps after this has been answered.
            let ended: @Sendable () -> Void = { [exports, tracked, images] in
                Dialers.removeAll()
                exports.cancel()
                tracked.cancel()
                images.setDestination(nil)
            }
            do throws(BlockError) {
                try device.cancelMirror(ended) { [tracked] in tracked.closeReleased() }
            } catch {
                guard wasStarting, error.code == .notFound else { throw error }
                ended()
                tracked.closeReleased()
            }
        case .pause:
            guard let mark else {
                try device.pause()
                break
            }
            try mark.settling { () throws(BlockError) in try device.pause() }
        case .resume(let image):
            let next = try Self.disk(image)
            do {
                try device.resume(on: next)
            } catch {
                try? next.close()
                throw error
            }
            exports.disk.withLock { $0 = next as? DriverExport }
            tracked.setDisk(next)
            images.replace(image)
            Dialers.removeAll()
        case .setLimits(let settings): throttle.set(DiskLimits(settings))
        case .mergeChanges(let log, let parent): try tracked.merge(log: log, parent: parent)
        case .disconnectClients: server.disconnectClients()
        case .handOver, .quit: break
        }
        return .ok
    }

    private func startMirror(
        to destination: ImageSpecification, _ bytesPerSecond: UInt64, _ settings: MirrorSettings?, _ resume: Bool,
        _ ticket: MirrorStarts.Ticket
    ) throws {
        var options = MirrorOptions()
        options.bytesPerSecond = bytesPerSecond
        // A server may come back; a file that failed is asked again only by who says so.
        if destination.isExport { options.retryFor = 60_000_000_000 }
        try settings?.change()(&options)
        do {
            try startMirror(to: destination, options, resume, ticket)
        } catch {
            // The way to it was for this mirror only.
            let (image, other) = images.both
            if let server = destination.server?.name, ![image.server?.name, other?.server?.name].contains(server) {
                Dialers.remove(server)
            }
            throw error
        }
    }

    private func startMirror(
        to destination: ImageSpecification, _ options: MirrorOptions, _ resume: Bool, _ ticket: MirrorStarts.Ticket
    ) throws(BlockError) {
        let opened = try Self.disk(destination, isTheDisk: false)
        var isBegun = false
        do throws(BlockError) {
            try starts.withLock { starts throws(BlockError) in
                try starts.check(ticket)
                isBegun = true
                try startMirror(to: destination, opened, options, resume)
            }
        } catch {
            // Not with the lock: storage may not answer.
            if !isBegun { try? opened.close() }
            throw error
        }
    }

    private func startMirror(
        to destination: ImageSpecification, _ opened: any BlockDevice, _ options: MirrorOptions, _ resume: Bool
    ) throws(BlockError) {
        // Another mirror's log of changes is not for this one to end.
        if device.mirrorProgress != nil {
            try? opened.close()
            throw BlockError(.busy, "the device is being mirrored already; cancel that mirror first")
        }
        do throws(BlockError) {
            let followed = try tracked.follow(sparing.spare(opened, destination), log: destination.changeLog)
            let log = try MirrorMaps.log(mirrorMap, images.both.image, destination, device, resume: resume)
            let reopen: @Sendable () throws(BlockError) -> any BlockDevice = { () throws(BlockError) in
                try Self.disk(destination, isTheDisk: false)
            }
            exports.setDestination(opened)
            try device.startMirror(
                to: followed, options: options, log: log, threads: destination.isExport ? 4 : 2,
                // What goes on is what a process before this one wrote to, and its server may not be done with that.
                trust: MirrorTrust(isDoubtful: resume && destination.isExport),
                reopen: destination.isExport ? reopen : nil,
                adopt: { [exports, tracked, sparing] next in
                    // It is what the pivot makes the disk: in the place of the one that failed, also for these.
                    exports.setDestination(next)
                    return tracked.reopened(sparing.again(next))
                })
            images.setDestination(destination)
        } catch {
            exports.setDestination(nil)
            tracked.cancel()
            sparing.stop()
            try? opened.close()
            throw error
        }
    }

    /// A mirror that somebody waits for nears its end: once it is active nothing becomes dirty any more.
    /// One whose destination is being tried again is waited for too.
    private func preparePatiently() throws(BlockError) {
        // One that answers each write too late is silent nearly always, and never given up by its connection.
        var (attempts, silent) = (0, 0)
        while attempts < 1000, silent < 60_000 {
            let started = gantry_now()
            do throws(BlockError) {
                return try prepare()
            } catch {
                let progress = device.mirrorProgress
                if error.code != .busy, progress?.isRetrying != true { throw error }
                // How long it may say nothing is its connection's to know. A look at one that hangs takes its time.
                let took = Int(min(gantry_now() - started, 1_000_000_000) / 10_000_000)
                if progress?.isSilent == true { silent += 1 + took } else { attempts += 1 }
            }
            usleep(10_000)
        }
        try prepare()
    }

    /// Until the pivot is prepared the disk rests on the source alone; then the loss of one side is the mirror's to decide.
    private func prepare() throws(BlockError) { try device.preparePivot { exports.setDisk(false) } }

    private static func disk(
        _ image: ImageSpecification, isTheDisk: Bool = true
    ) throws(BlockError) -> any BlockDevice {
        let device = try image.open(answerSeconds: isTheDisk ? nil : ImageSpecification.destinationSilence)
        guard let client = device as? NBDClient else { return isTheDisk ? try image.tracked(device) : device }
        return DriverExport(client, isTheDisk: isTheDisk) {
            // As if it had been killed: nothing more is answered, and what was promised stays promised by the mark.
            FileHandle.standardError.write(Data("gantry-datapath: the storage driver's NBD server is gone\n".utf8))
            _exit(70)
        }
    }

    private var status: DatapathStatus {
        let (image, destination) = images.both
        var mirror: MirrorStatus?
        if let progress = device.mirrorProgress, let destination {
            mirror = MirrorStatus(
                phase: progress.phase.wire, destination: destination, totalBytes: progress.totalBytes,
                copiedBytes: progress.copiedBytes, dirtyBytes: progress.dirtyBytes,
                bytesPerSecond: progress.bytesPerSecond, error: progress.error?.description,
                failedSide: progress.failedSide?.rawValue, details: MirrorDetails(progress))
        }
        return DatapathStatus(
            pid: getpid(), image: image, virtualSize: device.size, mirror: mirror,
            connections: server.connectionCount, counters: DatapathCounters(server.requestCounts),
            isPaused: device.isHeld, tracksChanges: tracked.isTracking)
    }
}

extension DatapathCounters {
    init(_ counts: RequestCounts) {
        self.init()
        (reads, readBytes, readNanoseconds) = (counts.reads, counts.readBytes, counts.readNanoseconds)
        (writes, writtenBytes, writeNanoseconds) = (counts.writes, counts.writtenBytes, counts.writeNanoseconds)
        (flushes, flushNanoseconds) = (counts.flushes, counts.flushNanoseconds)
        (discards, discardedBytes) = (counts.discards, counts.discardedBytes)
        readLatency = counts.readLatency?.buckets
        writeLatency = counts.writeLatency?.buckets
        flushLatency = counts.flushLatency?.buckets
    }
}

/// Set once, under the monitor of `run`.
private final class QuitFlag: @unchecked Sendable {
    var isSet = false
}

extension MirrorState.Phase {
    /// The protocol's word; a finished mirror is not reported at all.
    var wire: MirrorPhase {
        switch self {
        case .copying: .copying
        // Nobody may take the destination for the disk before it is durable.
        case .synchronised, .joining, .finished: .synchronised
        case .dual: .dual
        case .undecided: .undecided
        case .broken: .broken
        }
    }
}
