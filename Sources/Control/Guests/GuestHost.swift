import CLinux
import Foundation
public import Logging
import Synchronization

/// The guests of one host: starts, stops, changes and watches one QEMU each, and takes them over after a restart.
///
/// QEMU runs in a session of its own and survives this process; `RUN/guests/UUID/` holds what `adoptAll` needs to find
/// it again. Every function may be called from any task; letting the object go leaves the guests running.
public final class GuestHost: Sendable {
    /// What happened to guests, in order. For one consumer; at most the newest 10,000 wait for it.
    public let events: AsyncStream<GuestEvent>

    private enum Entry {
        case claimed
        case guest(Guest)
    }
    /// Shared with the guests' threads, which take their guest out when it ends.
    private final class Table: Sendable {
        let entries = Mutex<[String: Entry]>([:])
        /// Why guests ended that were held, and of which no event told.
        let untold = Mutex<[String: GuestStopReason]>([:])
    }

    private let runDirectory: String
    let acceleration: Acceleration
    /// What guests may boot from, besides their disks.
    public let bootFiles: BootFiles
    private let probe: KVMProbe
    let machines = QEMUMachines()
    let logger: Logger
    private let table = Table()
    private let continuation: AsyncStream<GuestEvent>.Continuation

    public init(
        runDirectory: String, acceleration: Acceleration, bootFiles: BootFiles = BootFiles(),
        logger: Logger = Logger(label: "gantry.guests")
    ) {
        self.bootFiles = bootFiles
        self.runDirectory = runDirectory
        self.acceleration = acceleration
        self.logger = logger
        probe = KVMProbe(runDirectory: runDirectory, logger: logger)
        (events, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(10_000))
    }

    deinit {
        continuation.finish()
        table.entries.withLock { entries in
            for case .guest(let guest) in entries.values { guest.monitor.detach() }
        }
    }

    // MARK: Life of a guest

    /// Starts the guest. Returns when its processors run; throws `.exists`, `.invalidSpecification` or `.startFailed`
    /// with what QEMU printed, and then nothing is left of it. A guest that starts `paused` has not run an instruction
    /// until `unpause`.
    public func start(_ specification: GuestSpecification, paused: Bool = false) async throws(GuestError) {
        try specification.check()
        let uuid = specification.uuid
        try claim(uuid)
        do throws(GuestError) {
            let guest = try await launch(specification)
            enter(guest)
            logger.info("guest started", metadata: ["guest": "\(uuid)", "pid": "\(guest.pid)"])
            try await guest.begin(paused: paused)
        } catch {
            remove(uuid)
            logger.warning("guest did not start", metadata: ["guest": "\(uuid)", "error": "\(error.message)"])
            throw error.of(guest: uuid)
        }
    }

    /// Holds the guest's processors where they are, its disks idle and flushed.
    public func pause(_ uuid: String) async throws(GuestError) {
        let guest = try find(uuid)
        do throws(GuestError) { try await guest.pause() } catch { throw error.of(guest: uuid) }
    }

    /// Lets a guest go on that was paused, or begin that was started so.
    public func unpause(_ uuid: String) async throws(GuestError) {
        let guest = try find(uuid)
        do throws(GuestError) { try await guest.unpause() } catch { throw error.of(guest: uuid) }
    }

    /// Presses the guest's power button and returns; its end comes as an event, whenever the guest is ready.
    public func cleanShutdown(_ uuid: String) async throws(GuestError) {
        let guest = try find(uuid)
        do throws(GuestError) { try await guest.powerDown() } catch { throw error.of(guest: uuid) }
    }

    /// Ends QEMU, the hard way after 3 s. Returns when the process and its files are gone. Throws `.timedOut` when the process
    /// does not end within a minute after it was killed: the guest is there still.
    public func hardShutdown(_ uuid: String) async throws(GuestError) {
        try await (try find(uuid)).end(grace: .seconds(3))
    }

    /// Nil: no such guest runs here.
    public func state(_ uuid: String) -> GuestState? {
        table.entries.withLock { entries in
            switch entries[uuid] {
            case nil: nil
            case .claimed: .starting
            case .guest(let guest): guest.phase
            }
        }
    }

    /// The guest as it is now: its disks are those plugged. Nil: no such guest runs here.
    public func specification(_ uuid: String) -> GuestSpecification? { (try? find(uuid))?.specification }

    /// QEMU's process id. Nil: no such guest runs here.
    public func processID(_ uuid: String) -> Int32? { (try? find(uuid))?.pid }

    /// The Unix socket of the guest's serial console. What the guest prints while nobody is connected is dropped.
    public func consolePath(_ uuid: String) -> String { GuestFolder.all(in: runDirectory) + "/\(uuid)/console.sock" }

    /// The Unix socket of the guest's screen, where QEMU speaks RFB (RFC 6143). Nil: it has none.
    public func screenPath(_ uuid: String) -> String? {
        guard let path = (try? GuestFolder(runDirectory: runDirectory, uuid: uuid))?.vnc,
            FileManager.default.fileExists(atPath: path)
        else { return nil }
        return path
    }

    // MARK: Disks

    /// Plugs a disk into the running guest. Returns when QEMU has it; the guest finds it a little later.
    public func plug(_ disk: GuestDisk, into uuid: String) async throws(GuestError) {
        let guest = try find(uuid)
        do throws(GuestError) { try await guest.plug(disk) } catch { throw error.of(guest: uuid) }
    }

    /// Unplugs a disk. Returns when the guest has let go of it and QEMU has closed its connection; throws `.timedOut`
    /// when the guest does not let go within 30 s, and may then be called again.
    public func unplug(diskID: String, from uuid: String) async throws(GuestError) {
        let guest = try find(uuid)
        do throws(GuestError) {
            try await guest.unplug(diskID: diskID, atMost: .seconds(30))
        } catch {
            throw error.of(guest: uuid)
        }
    }

    /// Takes the disk from the guest, which has a moment to let go of it. Afterwards QEMU has no connection to the disk's server,
    /// whether it has or not.
    public func cutOff(
        diskID: String, from uuid: String, atMost limit: Duration = .seconds(5)
    ) async throws(GuestError) {
        let guest = try find(uuid)
        do throws(GuestError) {
            try await guest.cutOff(diskID: diskID, atMost: limit)
        } catch {
            throw error.of(guest: uuid)
        }
    }

    /// The disk's server has a larger disk now and has cut its connections: the guest learns the size, bytes.
    public func grow(diskID: String, of uuid: String, to size: UInt64) async throws(GuestError) {
        let guest = try find(uuid)
        do throws(GuestError) { try await guest.grow(diskID: diskID, to: size) } catch { throw error.of(guest: uuid) }
    }

    /// Puts a disc into a drive of the running guest, in place of one that is there. Returns when QEMU has it.
    public func insert(_ disc: GuestDisc, intoDrive id: String, of uuid: String) async throws(GuestError) {
        let guest = try find(uuid)
        do throws(GuestError) { try await guest.insert(disc, into: id) } catch { throw error.of(guest: uuid) }
    }

    /// Takes the disc out of a drive and returns when QEMU has closed its connection. A guest that has locked the drive is
    /// asked to let go, and has 3 s to do so. Fine when the drive is empty.
    public func eject(drive id: String, of uuid: String) async throws(GuestError) {
        let guest = try find(uuid)
        do throws(GuestError) { try await guest.eject(id) } catch { throw error.of(guest: uuid) }
    }

    // MARK: Adoption

    /// Takes over the guests that an earlier process left running. For the daemon's start, before anything else.
    /// Returns every guest found, `.stopped` for those that ended meanwhile, whose files it removes.
    public func adoptAll() async -> [String: GuestState] {
        await Shortage.awaitEnd(at: GuestFolder.all(in: runDirectory))
        let names = (try? FileManager.default.contentsOfDirectory(atPath: GuestFolder.all(in: runDirectory))) ?? []
        var found: [String: GuestState] = [:]
        for uuid in names.sorted() {
            guard let folder = try? GuestFolder(runDirectory: runDirectory, uuid: uuid) else { continue }
            found[uuid] = await adopt(uuid, folder)
        }
        return found
    }

    private func adopt(_ uuid: String, _ folder: GuestFolder) async -> GuestState {
        if let known = state(uuid) { return known }
        await Shortage.awaitEnd(at: folder.record)
        if let record = GuestRecord.read(from: folder.record), record.hasRun || record.role != nil,
            record.specification.uuid == uuid
        {
            if let guest = await takePatiently(record, folder) {
                enter(guest)
                await guest.resume()
                logger.info("guest adopted", metadata: ["guest": "\(uuid)", "pid": "\(guest.pid)"])
                return guest.phase
            }
            if record.life == .lives {
                // A guest that nobody has in hand would go on beside the one that is started next.
                logger.error(
                    "a guest's QEMU cannot be taken over and is killed",
                    metadata: ["guest": "\(uuid)", "pid": "\(record.pid)"])
                kill(record.pid, SIGKILL)
            }
        }
        // Whatever still listens there never ran its guest, or cannot be named.
        await AbandonedQEMU.dismiss(monitor: folder.qmp)
        folder.remove()
        logger.info("guest had ended", metadata: ["guest": "\(uuid)"])
        return .stopped
    }

    /// The guest of a process that lives, or may: a host that has no descriptors or memory for a moment ends nobody's guest. Nil: it is
    /// gone, or could not be taken for half a minute in which the host lacked nothing.
    private func takePatiently(_ record: GuestRecord, _ folder: GuestFolder) async -> Guest? {
        var failures = 0
        while failures < Shortage.mostPauses {
            let life = record.life
            if life == .over { return nil }
            if life == .lives, let guest = try? take(record, folder) { return guest }
            if life == .lives, !Shortage.keeps(folder.record) { failures += 1 }
            try? await Task.sleep(for: Shortage.pause)
        }
        return nil
    }

    // MARK: The table

    /// Starts QEMU for a guest that boots here, or for one that comes with `passport`.
    func launch(
        _ specification: GuestSpecification, receiving passport: GuestPassport? = nil, owner: String? = nil
    ) async throws(GuestError) -> Guest {
        let folder = try GuestFolder(runDirectory: runDirectory, uuid: specification.uuid)
        // Whoever asked, or sent it: nothing else of the host gets into a guest's memory.
        var bootable = specification
        do throws(BootFiles.Refusal) {
            bootable.boot = try bootFiles.resolved(specification.boot)
        } catch {
            throw GuestError(.invalidSpecification, error.description)
        }
        var ports = passport?.ports
        if ports == nil { ports = try RootPorts.assign(specification.disks) }
        var record = GuestRecord(specification: specification, ports: ports ?? [:])
        let hardware: GuestHardware
        if let passport {
            hardware = passport.hardware
            record.hardware = hardware
            record.role = .incoming
            record.wasPaused = passport.isPaused
            record.owner = owner
        } else {
            hardware = .fresh(
                isAccelerated: await isAccelerated(bootable), hasScreen: folder.vnc != nil,
                memoryBytes: specification.memoryBytes)
        }
        try folder.make()
        do throws(GuestError) {
            // Written before and after: a QEMU without a record would be found by its monitor's socket.
            try record.write(to: folder.record)
            let line = QEMUCommandLine(
                specification: bootable, ports: record.ports, hardware: hardware, screen: folder.vnc,
                receives: passport != nil)
            record.pid = try QEMUProcess.start(line.arguments, in: folder)
            record.startTime = gantry_process_start_time(record.pid)
            if record.startTime == 0, ProcessLife(of: record.pid, startedAt: .max) == .unknown {
                // Whoever comes after us could not find it.
                kill(record.pid, SIGKILL)
                throw GuestError(.system, "QEMU's start time cannot be read: the host has no files or memory left")
            }
            try record.write(to: folder.record)
            return try take(record, folder)
        } catch {
            await AbandonedQEMU.dismiss(monitor: folder.qmp)
            folder.remove()
            throw error
        }
    }

    private func take(_ record: GuestRecord, _ folder: GuestFolder) throws(GuestError) -> Guest {
        let finished: Guest.EndHandler = { [continuation, table, logger] guest, reason in
            table.entries.withLock { entries in
                if case .guest(let known)? = entries[guest.uuid], known === guest { entries[guest.uuid] = nil }
            }
            table.untold.withLock { $0[guest.uuid] = guest.untold }
            guard let reason else { return }
            logger.info("guest ended", metadata: ["guest": "\(guest.uuid)", "reason": "\(reason)"])
            continuation.yield(.stopped(guest.uuid, reason: reason))
        }
        return try Guest(
            record: record, folder: folder, report: { [continuation] in continuation.yield($0) }, finished: finished)
    }

    func isAccelerated(_ specification: GuestSpecification) async -> Bool {
        switch acceleration {
        case .kvm: return true
        case .tcg: return false
        case .auto:
            guard case .kernel(let kernel, _, _) = specification.boot else { return await probe.works(kernel: nil) }
            return await probe.works(kernel: kernel)
        }
    }

    /// Why a guest ended that was held, or may have been, if it did: of that no event tells, since whoever had it in hand decides
    /// whether it goes on elsewhere. Once it is certain that it does not, its end is news, and told once.
    public func takeUntoldEnd(of uuid: String) -> GuestStopReason? {
        table.untold.withLock { $0.removeValue(forKey: uuid) }
    }

    func claim(_ uuid: String) throws(GuestError) {
        let free = table.entries.withLock { entries in
            guard entries[uuid] == nil else { return false }
            entries[uuid] = .claimed
            return true
        }
        guard free else { throw GuestError(.exists, "it runs already", guest: uuid) }
    }

    func enter(_ guest: Guest) { table.entries.withLock { $0[guest.uuid] = .guest(guest) } }

    /// Gives a claim up that has led to no guest. A guest goes with its QEMU.
    func remove(_ uuid: String) {
        table.entries.withLock { entries in if case .claimed? = entries[uuid] { entries[uuid] = nil } }
    }

    func find(_ uuid: String) throws(GuestError) -> Guest {
        if case .guest(let guest)? = table.entries.withLock({ $0[uuid] }) { return guest }
        throw GuestError(.notRunning, "it does not run on this host", guest: uuid)
    }
}
