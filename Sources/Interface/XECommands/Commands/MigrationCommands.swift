import APITypes
import RPCCodec
import XenAPIClient

extension Command {
    /// Moves of disks and machines.
    static let migration: [Command] = [
        Command(
            "vdi-pool-migrate", ["uuid", "sr-uuid"],
            optional: ["dest-img-format", "bytes-per-second", "progress", "plan", "json"],
            "Moves a disk to another storage repository, also while it is in use, and prints its new uuid; --plan shows what would be done.",
            run: migrateDisk),
        Command(
            "vm-migrate",
            optional: [
                "live", "host", "host-uuid", "host-name", "remote-master", "remote-username", "remote-password",
                "remote-network", "force", "copy", "compress", "bytes-per-second", "vif:", "vdi:", "vgpu:",
                "image-format:", "progress", "plan", "json",
            ], flags: [.standard, .selectsVMs],
            "Moves a VM to another host, or its disks to other storage repositories and formats; --plan shows what would be done."
        ) { context in
            guard let command = Command.named("vm-migrate") else { return }
            let selector = VMSelector(context: context, command: command, includesControlDomains: false)
            try await selector.run { vm in
                if movesStorage(context.arguments) {
                    try await MachineMigration(context: context, vm: vm).run()
                } else {
                    try await moveWithinPool(context, vm)
                }
            }
        },
    ]

    private static let migrateDisk: @Sendable (CommandContext) async throws -> Void = { context in
        let disk = try await context.object("VDI", named: "uuid")
        let destination = try await context.object("SR", named: "sr-uuid")
        let options = WireValue.members(
            ["dest-img-format", "bytes-per-second"].compactMap { name in
                context.arguments[name].map { (name: name, value: .string($0)) }
            })
        if try context.arguments.flag("plan") {
            return try PlanText.show(
                try await context.text("VDI.plan_pool_migrate", disk, destination, options), context)
        }
        let display = try TransferDisplay(context, label: "Migrating", onTerminal: true)
        let ref = try await display.showing {
            try await context.caller.runTask("VDI.pool_migrate", [disk, destination, options]) { status in
                display.update(status)
            }
        }
        try await context.printUUID("VDI", .string(ref))
    }

    /// Whether a parameter says that disks are to move, or that the destination is another pool.
    private static func movesStorage(_ arguments: CommandArguments) -> Bool {
        let names = [
            "remote-master", "remote-username", "remote-password", "remote-network", "vif", "vdi", "vgpu",
            "image-format",
        ]
        return arguments.parameters.contains { parameter in names.contains { parameter.name.hasPrefix($0) } }
    }

    private static func moveWithinPool(_ context: CommandContext, _ vm: WireValue) async throws {
        guard let host = try await MachineMigration(context: context, vm: vm).host() else {
            throw CommandLineError.failed("No matching hosts found: say where the VM is to go with host=")
        }
        var options: [(name: String, value: WireValue)] = []
        for name in ["force", "live", "copy"] {
            options.append((name: name, value: .string(String(try context.arguments.flag(name)))))
        }
        if let compress = context.arguments["compress"] { options.append((name: "compress", value: .string(compress))) }
        try await context.call("VM.pool_migrate", vm, .string(host), .members(options))
    }
}

/// `xe vm-migrate` with disks that move.
struct MachineMigration: Sendable {
    let context: CommandContext
    let vm: WireValue

    func run() async throws {
        let arguments = context.arguments
        try await requireOwnPool()
        let named = try await self.host()
        let own = try await ownHost()
        guard let host = named ?? own else { throw CommandLineError.failed("No matching hosts found") }
        let format = try await map("image-format", of: "VDI") { .string($0) }
        let disks = try await disks(host: host)
        let networks = try await map("vif", of: "VIF") { .string(try await context.reference("network", uuid: $0)) }
        var options: [(name: String, value: WireValue)] = []
        for name in ["force", "copy", "compress", "bytes-per-second"] {
            if let text = arguments[name] { options.append((name: name, value: .string(text))) }
        }
        let isPlanned = try arguments.flag("plan")
        // A plan begins nothing: it needs the host's name, and no session there.
        let token: WireValue =
            isPlanned
            ? .members([(name: "host", value: .string(host))])
            : try await context.call(
                "host.migrate_receive", .string(host), .string(try await network(of: host)),
                .members([(name: String, value: WireValue)]()))
        let parameters: [WireValue] = [
            vm, token, .bool(true), .members(disks), .members(networks), .members(options), .members([]),
            .members(format),
        ]
        if isPlanned {
            guard let plan = try await context.caller.call("VM.plan_migrate_send", parameters).text else {
                throw APIError.internalError("VM.plan_migrate_send did not answer with a text")
            }
            return try PlanText.show(plan, context)
        }
        let display = try TransferDisplay(context, label: "Migrating", onTerminal: true)
        // An older server takes no formats: it is not told of them unless some are asked for.
        let sent = format.isEmpty ? Array(parameters.dropLast()) : parameters
        let moved = try await display.showing {
            try await context.caller.runTask("VM.migrate_send", sent) { display.update($0) }
        }
        if try arguments.flag("copy") { try await context.printUUID("VM", .string(moved)) }
    }

    /// `remote-master` may name a host of this pool; others cannot be spoken to from here yet.
    private func requireOwnPool() async throws {
        guard let master = context.arguments["remote-master"] else { return }
        for (_, record) in try await context.reader.store.all("host")
        where ["address", "hostname", "name_label", "uuid"].contains(where: { record.member($0)?.text == master }) {
            return
        }
        throw CommandLineError.failed(
            "The host \(master) is not one of this pool, and VMs cannot be moved to another pool yet")
    }

    /// `host=`, `host-name=` or `host-uuid=`: a host by its name, host name or uuid.
    func host() async throws -> String? {
        let arguments = context.arguments
        guard let wanted = arguments["host"] ?? arguments["host-uuid"] ?? arguments["host-name"] else { return nil }
        for (ref, record) in try await context.reader.store.all("host")
        where ["hostname", "name_label", "uuid"].contains(where: { record.member($0)?.text == wanted }) {
            return ref
        }
        throw CommandLineError.failed("No matching hosts found")
    }

    private func ownHost() async throws -> String? { try await context.reader.store.all("host").first?.ref }

    /// `remote-network=` by bridge, name or uuid; else that of the host's management interface.
    private func network(of host: String) async throws -> String {
        if let wanted = context.arguments["remote-network"] {
            for (ref, record) in try await context.reader.store.all("network")
            where ["bridge", "name_label", "uuid"].contains(where: { record.member($0)?.text == wanted }) {
                return ref
            }
            throw CommandLineError.failed("No network was found that is called \(wanted)")
        }
        let interfaces = try await context.reader.store.all("PIF")
        let own = interfaces.filter { $0.record.member("host")?.text == host }
        let chosen = own.first { $0.record.member("management") == .bool(true) } ?? own.first
        guard let network = chosen?.record.member("network")?.text else {
            throw CommandLineError.failed("The host has no network interface to receive over")
        }
        return network
    }

    private func map(
        _ name: String, of className: String, _ value: (String) async throws -> WireValue
    ) async throws -> [(name: String, value: WireValue)] {
        var entries: [(name: String, value: WireValue)] = []
        for parameter in context.arguments.map(name) {
            let ref = try await context.reference(className, uuid: parameter.name)
            entries.append((name: ref, value: try await value(parameter.value)))
        }
        return entries
    }

    /// Disks that no `vdi:` names stay where they are: the destination is this pool, which sees their repositories.
    private func disks(host: String) async throws -> [(name: String, value: WireValue)] {
        var entries = try await map("vdi", of: "VDI") { .string(try await context.reference("SR", uuid: $0)) }
        let isQuiet = try context.arguments.flag("plan")
        for (_, drive) in try await context.reader.store.all("VBD") where drive.member("VM")?.text == vm.text {
            guard drive.member("type")?.text != "CD", drive.member("empty") != .bool(true),
                let disk = drive.member("VDI")?.text, !entries.contains(where: { $0.name == disk })
            else { continue }
            entries.append((name: disk, value: .string(try await context.text("VDI.get_SR", .string(disk)))))
        }
        if isQuiet { return entries }
        for entry in entries {
            let disk = try await context.text("VDI.get_uuid", .string(entry.name))
            let sr = try await context.text("SR.get_uuid", entry.value)
            context.printer.message("VDI \(disk) -> SR \(sr)")
        }
        return entries
    }
}
