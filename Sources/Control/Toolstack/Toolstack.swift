import APITypes
import CLinux
import CoreTypes
import Foundation
import Guests
public import Logging
public import PoolDatabase
import StorageManagers
import StoragePlugins

/// What a host's toolstack is started with.
public struct ToolstackConfiguration: Sendable {
    /// Database, certificates, passwords.
    public var stateDirectory: String
    /// Sockets, process records. Short: paths of Unix sockets are limited.
    public var runDirectory: String
    /// `auto`, `kvm` or `tcg`.
    public var acceleration: String
    public var initialPasswordFile: String?
    /// Path of the gantry-datapath program; nil: beside this program.
    public var datapathProgram: String?
    /// The first of the numbers that users of data paths have (65,536 of them, which no other toolstack of the machine may have);
    /// nil: the first ones that none has. 0: they are this process's user.
    public var datapathUsers: UInt32?
    /// Where NBD clients are served on networks that have that purpose; 0: on a free port of each address.
    public var nbdPort: UInt16 = 10809
    /// Name of the PAM service that knows the system's accounts; nil: only the pool's own users may log in.
    public var pamService: String?
    /// Folders of third-party SMAPIv1 drivers.
    public var driverFolders: [String] = []
    /// Folder of SMAPIv3 plugins, with `volume` and `datapath` in it.
    public var pluginRoot: String?
    /// Lower-case names of those drivers that may be used; nil: all.
    public var allowedDrivers: Set<String>?
    /// Seconds that a call of such a driver may take.
    public var driverTimeLimit: Int = 1800
    /// Drivers and plugins run in namespaces of their own, with limits.
    public var sandboxesPlugins = false
    /// The user of the system that SMAPIv3 plugins run as; nil: this process's.
    public var pluginUser: String?
    /// The folder where SMAPIv3 plugins keep the files of their data sources.
    public var pluginMetrics = Self.standardPluginMetrics
    public static let standardPluginMetrics = PluginSettings.metricsFolder
    /// Path of the API's local socket, for drivers to call back.
    public var socket: String?
    /// Folders with kernels and initial RAM disks that guests may boot from, besides `/var/lib/xcp/guest`.
    public var bootFolders: [String] = []
    /// How long a guest may take to shut itself down when it is asked to, seconds.
    public var shutdownLimit: Int
    public var logger: Logger

    public init(
        stateDirectory: String, runDirectory: String, acceleration: String = "auto", initialPasswordFile: String? = nil,
        datapathProgram: String? = nil, pamService: String? = nil, shutdownLimit: Int = 1200, logger: Logger
    ) {
        self.shutdownLimit = shutdownLimit
        self.stateDirectory = stateDirectory
        self.runDirectory = runDirectory
        self.acceleration = acceleration
        self.initialPasswordFile = initialPasswordFile
        self.datapathProgram = datapathProgram
        self.pamService = pamService
        self.logger = logger
    }
}

/// The toolstack of one host: the database, the drivers, the guests and what connects them. One per state folder.
public final class Toolstack: Sendable {
    public let dispatcher: Dispatcher
    public let database: PoolDatabase
    public let transfers: any DiskTransfers
    /// What the API server shows beside calls.
    public let services: HostServices
    private let background: [Task<Void, Never>]
    private let reclaimGate: ReclaimGate
    private let instance: InstanceLock
    private let home: DriverHome

    private init(
        dispatcher: Dispatcher, database: PoolDatabase, transfers: any DiskTransfers, services: HostServices,
        background: [Task<Void, Never>], reclaimGate: ReclaimGate, instance: InstanceLock, home: DriverHome
    ) {
        self.dispatcher = dispatcher
        self.database = database
        self.transfers = transfers
        self.services = services
        self.background = background
        self.reclaimGate = reclaimGate
        self.instance = instance
        self.home = home
    }

    /// Opens the database, adopts what an earlier toolstack left running, takes up interrupted moves, and is then ready
    /// for calls. Throws when another toolstack has the state folder or the database cannot be read.
    public static func start(configuration: ToolstackConfiguration) async throws -> Toolstack {
        gantry_ignore_sigpipe()
        let logger = configuration.logger
        for folder in [configuration.stateDirectory, configuration.runDirectory] {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        }
        let instance = try InstanceLock(
            stateDirectory: configuration.stateDirectory, runDirectory: configuration.runDirectory)
        // Made from the datamodel, which takes a while: meanwhile the rows are read.
        async let roles = RoleTable.shared
        let databaseFile = configuration.stateDirectory + "/pool.db"
        try DatabaseFiles.sweep(beside: databaseFile)
        try DatabaseFiles.adoptRestored(at: databaseFile)
        try PrivateFile.prepare(databaseFile)
        let database = try await PoolDatabase.open(path: databaseFile, deriving: AllowedOperations.derivation)
        database.whenLate { error in
            logger.error(
                "what has happened cannot be recorded; it is tried again until it can be, and some calls wait for that",
                metadata: ["error": "\(error)"])
        }
        for value in database.replacedValues {
            logger.warning(
                "a value of the database is not known to this version, which goes on without it: was it written by a later one?",
                metadata: ["value": "\(value)"])
        }
        UnreadableRecord.tell(database, logger)
        let identity = try await HostBootstrap.run(
            database: database, stateDirectory: configuration.stateDirectory,
            initialPasswordFile: configuration.initialPasswordFile)
        guard let acceleration = Acceleration(rawValue: configuration.acceleration) else {
            throw APIError("INVALID_VALUE", "accel", configuration.acceleration)
        }

        let program = configuration.datapathProgram ?? besideThisProgram("gantry-datapath")
        let datapaths = DatapathHost(
            folder: configuration.runDirectory + "/dp", program: program,
            users: DatapathUsers(try DatapathUserRange.claim(configuration.datapathUsers)), logger: logger)
        let disks = DiskActivation(database: database, host: datapaths)
        let mounts = MountFolder(path: configuration.stateDirectory + "/sr-mount")
        let home = DriverHome(database: database, host: identity.host)
        let context = StorageContext(
            database: database, host: identity.host,
            managers: [
                FileStorageManager(), DeviceStorageManager.ext(mounts: mounts),
                DeviceStorageManager.xfs(mounts: mounts),
                NFSStorageManager(mounts: mounts), ISOStorageManager(mounts: mounts),
                DummyStorageManager(folder: configuration.runDirectory + "/dummy"),
            ], disks: disks, home: home, logger: logger)
        await disks.afterStart { [weak context] uuid in await context?.holdToLimits(uuid, isNew: true) }
        await disks.afterEnd { [weak context] uuid in
            // While the toolstack starts, no driver can be asked, and nobody is to wait until it can.
            if home.isOpen { await context?.releaseUnused(uuid) } else { Task { await context?.releaseUnused(uuid) } }
        }
        var drivers = DriverWatch(
            context: context,
            folders: DriverFolders(
                folders: configuration.driverFolders,
                settings: PluginSettings(
                    limits: PluginLimits(time: .seconds(configuration.driverTimeLimit)), socket: configuration.socket,
                    allowed: configuration.allowedDrivers, records: configuration.runDirectory + "/drivers",
                    sandbox: try sandbox(configuration)),
                home: home, logger: logger), home: home,
            leftovers: DriverLeftovers(
                folder: configuration.runDirectory + "/drivers", timeLimit: .seconds(configuration.driverTimeLimit),
                logger: logger))
        drivers.plugins = try plugins(configuration, PluginRows(database: database, home: home))
        let admission = OperationAdmission(database: database, gate: context.reclaimGate, turns: OperationTurns())
        let guests = GuestHost(
            runDirectory: configuration.runDirectory, acceleration: acceleration,
            bootFiles: BootFiles(folders: [BootFiles.standardFolder] + configuration.bootFolders), logger: logger)
        let consoles = ConsoleAccess(database: database, guests: guests, host: identity.host)
        let lifecycle = MachineLifecycle(context: context, guests: guests, consoles: consoles)
        let services = try HostServices(
            context: context, guests: guests, lifecycle: lifecycle, consoles: consoles,
            stateDirectory: configuration.stateDirectory,
            exports: DiskExports.Settings(
                program: program, folder: configuration.runDirectory + "/nbd", port: configuration.nbdPort))
        let transfers = ImageTransfers(
            context: context, admission: admission, program: program, folder: configuration.runDirectory + "/transfers")

        var messages = MessageTable()
        let repositories = RepositoryMessages(context: context, admission: admission)
        repositories.register(in: &messages)
        ProbeMessages(context: context, admission: admission).register(in: &messages)
        IntroductionMessages(context: context, admission: admission).register(in: &messages)
        DiskMessages(context: context, admission: admission).register(in: &messages)
        ResizeMessages(context: context, admission: admission, guests: guests).register(in: &messages)
        ChangeTrackingMessages(context: context, admission: admission).register(in: &messages)
        ConfigurationMessages(context: context, admission: admission).register(in: &messages)
        SnapshotMessages(context: context, admission: admission).register(in: &messages)
        MigrationMessages(context: context, admission: admission).register(in: &messages)
        let tokens = MigrationTokens(database: database, consoles: services.consoles)
        let departures = Departures(
            context: context, admission: admission, guests: guests, lifecycle: lifecycle,
            belongings: DepartingBelongings(
                database: database, blobs: services.blobs, metrics: services.metrics, logger: logger))
        MachineMotionMessages(
            context: context, admission: admission, guests: guests, departures: departures, tokens: tokens
        ).register(in: &messages)
        PeerMoveMessages(database: database, departures: departures, arrivals: services.arrivals).register(
            in: &messages)
        PlanMessages(context: context, guests: guests).register(in: &messages)
        tokens.register(in: &messages)
        let suspension = MachineSuspension(
            context: context, admission: admission, guests: guests, lifecycle: lifecycle, program: program,
            folder: configuration.runDirectory + "/transfers")
        MachineMessages(
            context: context, admission: admission, guests: guests, lifecycle: lifecycle, suspension: suspension,
            shutdownLimit: configuration.shutdownLimit
        ).register(in: &messages)
        MachineTreeMessages(
            context: context, admission: admission, lifecycle: lifecycle, suspension: suspension
        ).register(in: &messages)
        PauseMessages(admission: admission, lifecycle: lifecycle).register(in: &messages)
        SuspensionMessages(context: context, admission: admission, suspension: suspension).register(in: &messages)
        VBDMessages(context: context, admission: admission, guests: guests, lifecycle: lifecycle).register(
            in: &messages)
        ThrottleMessages(context: context).register(in: &messages)
        DriverCallbacks(
            context: context,
            pauses: DriverPauses(context: context, limit: .seconds(configuration.driverTimeLimit))
        ).register(in: &messages)
        DriveMessages(context: context, admission: admission, guests: guests, lifecycle: lifecycle).register(
            in: &messages)
        MachineRuleMessages(context: context).register(in: &messages)
        MemoryMessages(context: context).register(in: &messages)
        ProcessorMessages(database: database).register(in: &messages)
        RestartMessages(database: database).register(in: &messages)
        BIOSStringMessages(database: database).register(in: &messages)
        PlainFieldMessages(database: database).register(in: &messages)
        DiskKeyMessages(context: context).register(in: &messages)
        GuardedFieldMessages(admission: admission).register(in: &messages)
        services.register(in: &messages, context)

        // Order matters: what runs is found before any row is believed, and moves are decided before calls are taken.
        _ = await drivers.look()
        try await StorageManagerRows.register(context)
        _ = await datapaths.adoptAll()
        let found = await guests.adoptAll().keys
        let settlement = await suspension.settleGuests()
        let alive = found.filter {
            [.running, .paused].contains(guests.state($0)) && !settlement.suspended.contains($0)
        }
        await StorageStart(context: context, mounts: mounts).run()
        try await lifecycle.reconcile(alive: Set(alive))
        await lifecycle.warnOfBootFiles()
        try? FileManager.default.removeItem(atPath: configuration.runDirectory + "/transfers")
        try await disks.reconcile()
        let image = { @Sendable (vdi: Row) in try await context.image(of: vdi, readOnly: vdi[VDI.readOnly]) }
        await disks.resumePaused(image) { !context.isForeign($0[VDI.sr]) }
        await repositories.adoptDerivations()
        await disks.endUnused()
        await context.endUnusedEpochs()
        await DiskCopy.sweep(context)
        await MachineDisks.sweep(context)
        await UnfinishedImports.sweep(context)
        let images = await suspension.sweep(besides: settlement.undecided)
        if !images.isEmpty { drivers.whenTakenUp = { await suspension.sweep(images) } }
        let moves = MotionSupervisor(context: context, admission: admission)
        await moves.resume()
        await departures.resume()
        await services.arrivals.resume()
        await services.received.resume()

        _ = await roles
        let dispatcher = Dispatcher(
            database: database, host: identity.host, messages: messages,
            audit: try AuditLog(path: configuration.stateDirectory + "/audit.log", logger: logger),
            pam: configuration.pamService.map { PAMService(name: $0) })
        tokens.open(dispatcher.sessions)
        await services.exports.open(dispatcher)
        await moves.takeUp(dispatcher.tasks)
        await departures.takeUp(dispatcher.tasks)
        var background =
            [
                Task { await lifecycle.follow(guests.events) },
                Task { await revive(disks, context) },
                Task { await context.holdAllToLimits() },
                Task { await moves.retryForEver() },
                Task { await suspension.finish(settlement) },
                Task { await suspension.sweepForEver() },
                Task { await retry(departures, services.arrivals, services.received) },
                Task { await SpaceReclaimer(context: context).run() },
                Task { await UnfinishedImports.sweepUntilGone(context) },
            ] + services.start(context)
        if !configuration.driverFolders.isEmpty || drivers.plugins != nil {
            background.append(Task { [drivers] in await drivers.run() })
        }
        return Toolstack(
            dispatcher: dispatcher, database: database, transfers: transfers, services: services,
            background: background, reclaimGate: context.reclaimGate, instance: instance, home: home)
    }

    /// The local socket answers: storage drivers, which call back, may be run from now on.
    public func apiAnswers() { home.open(dispatcher.sessions) }

    /// Ends this toolstack. Guests, their data paths and running mirrors go on without it.
    public func stop() async {
        dispatcher.stop()
        for task in background { task.cancel() }
        await services.exports.stop()
        // A disk that a step has paused goes on.
        await reclaimGate.clearAll()
        await services.metrics.save()
        try? await database.close()
        instance.release()
    }

    /// Goes on with machines that come from other pools or go there, at once and whenever the other side may be back.
    private static func retry(
        _ departures: Departures, _ arrivals: Arrivals, _ received: ReceivedDisks
    ) async {
        while !Task.isCancelled {
            // First what needs nobody's answer.
            await arrivals.retry()
            await received.sweep()
            await departures.retry()
            try? await Task.sleep(for: .seconds(3))
        }
    }

    /// Looks after the data paths: one that died under a guest comes back, and one that nobody holds paused goes on.
    private static func revive(_ disks: DiskActivation, _ context: StorageContext) async {
        let (rounds, upgrades) = (ResumeRounds(), ResumeRounds(patience: .seconds(1 << 30)))
        for round in 1... {
            try? await Task.sleep(for: .milliseconds(500))
            if Task.isCancelled { return }
            // The program may have been upgraded with the toolstack, or since. At first, and every minute. One at a time, in
            // nobody's way: the storage of a disk may not answer.
            if round % 120 == 1 { await upgrades.begin { await upgrade(disks, context) } }
            // One that an earlier toolstack has told to pause may come to that only now.
            if round % 4 == 0 {
                await rounds.begin {
                    await disks.resumePaused { try await context.image(of: $0, readOnly: $0[VDI.readOnly]) }
                }
            }
            await disks.revive({ try await context.image(of: $0, readOnly: $0[VDI.readOnly]) }) { uuid, error in
                context.logger.error(
                    "a disk's data path cannot be restarted", metadata: ["vdi": "\(uuid)", "error": "\(error)"])
            }
        }
    }

    private static func upgrade(_ disks: DiskActivation, _ context: StorageContext) async {
        let (failures, noted) = AsyncStream.makeStream(of: (uuid: String, error: String, isTheProgram: Bool).self)
        await disks.replaceOutdated({ try await context.image(of: $0, readOnly: $0[VDI.readOnly]) }) {
            noted.yield((uuid: $0, error: "\($1)", isTheProgram: $2))
        }
        noted.finish()
        for await (uuid, error, isTheProgram) in failures {
            context.logger.error(
                "a disk's data path cannot be upgraded", metadata: ["vdi": "\(uuid)", "error": "\(error)"])
            if !isTheProgram { continue }
            _ = try? await context.database.transaction { tx in
                Alerts.post(
                    Alerts.Kind(name: "DATAPATH_UPGRADE_FAILED", priority: 2), about: .vdi, uuid: uuid,
                    body:
                        "The new program of data paths does not start for the VDI, and other disks keep theirs: \(error)",
                    in: tx)
            }
        }
    }

    /// INVALID_VALUE [plugin-user, name] when the system has no such user.
    private static func sandbox(_ configuration: ToolstackConfiguration) throws(APIError) -> PluginSandbox {
        var user: PluginSandbox.Identity?
        if let name = configuration.pluginUser {
            user = PluginSandbox.Identity(name: name)
            if user == nil { throw APIError("INVALID_VALUE", "plugin-user", name) }
        }
        return PluginSandbox(isOn: configuration.sandboxesPlugins, user: user)
    }

    /// The SMAPIv3 plugins, whose listings may be long.
    private static func plugins(_ configuration: ToolstackConfiguration, _ rows: PluginRows) throws -> PluginFolders? {
        guard let root = configuration.pluginRoot else { return nil }
        let limits = PluginLimits(time: .seconds(configuration.driverTimeLimit), output: 64 << 20)
        let host = PluginHost(
            settings: PluginSettings(
                limits: limits, records: configuration.runDirectory + "/drivers",
                sandbox: try sandbox(configuration)), rows: rows,
            table: AttachmentTable(
                file: configuration.runDirectory + "/plugins.json", logger: configuration.logger),
            logger: configuration.logger, metricsFolder: configuration.pluginMetrics)
        host.makeMetricsFolder()
        return PluginFolders(root: root, host: host)
    }

    /// Programs of one installation lie in one folder.
    private static func besideThisProgram(_ name: String) -> String {
        let own =
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
        return URL(fileURLWithPath: own).deletingLastPathComponent().appendingPathComponent(name).path
    }
}
