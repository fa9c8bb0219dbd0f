/// A command of the table: what it takes, what it does.
struct Command: Sendable {
    enum Flag: Sendable {
        /// Listed by plain `xe help`.
        case standard
        /// Not listed at all.
        case hidden
        /// Chooses virtual machines with `vm=`, `uuid=` and field filters.
        case selectsVMs
        /// The same of hosts, with `host=`, and of storage repositories, with `sr=`.
        case selectsHosts, selectsSRs
    }

    let name: String
    let required: [String]
    let optional: [String]
    let flags: Set<Flag>
    /// One sentence for `xe help NAME`.
    let summary: String
    let run: @Sendable (CommandContext) async throws -> Void

    init(
        _ name: String, _ required: [String] = [], optional: [String] = [], flags: Set<Flag> = [], _ summary: String,
        run: @escaping @Sendable (CommandContext) async throws -> Void
    ) {
        self.name = name
        self.required = required
        self.optional = optional
        self.flags = flags
        self.summary = summary
        self.run = run
    }
}

extension Command {
    /// Every command there is. Names are unique.
    static let all: [Command] =
        [
            sessionless, storageRepository, hostConnection, disk, migration, blockDevice, drive, machine, machineFile,
            machineTree, machineDisk, machineMemory, task, message, host, dataSource, access, network, poolDatabase,
            Family.all.flatMap(generated(for:)),
        ].flatMap { $0 }.sorted { $0.name < $1.name }

    static func named(_ name: String) -> Command? { byName[name] }

    private static let byName: [String: Command] = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })
}
