import APITypes
import RPCCodec
import XenAPIClient

extension Command {
    /// Moves of disks and machines.
    static let migration: [Command] = [
        Command(
            "vdi-pool-migrate", ["uuid", "sr-uuid"],
            optional: ["dest-img-format"] + MoveOptions.names + ["progress", "plan", "json"],
            "Moves a disk to another storage repository, also while it is in use, and prints its new uuid; --plan shows what would be done. The old image goes when the new one was compared with it: verify=false does without.",
            run: migrateDisk),
        Command(
            "vm-migrate",
            optional: [
                "live", "host", "host-uuid", "host-name", "remote-master", "remote-username", "remote-password",
                "remote-network", "force", "copy", "compress", "vif:", "vdi:", "vgpu:", "image-format:", "progress",
                "plan", "json",
            ] + MoveOptions.names, flags: [.standard, .selectsVMs],
            "Moves a VM to another host, or its disks to other storage repositories and formats; --plan shows what would be done. Old images go when the new ones were compared with them: verify=false does without."
        ) { context in
            guard let command = Command.named("vm-migrate") else { return }
            try requirePlanWhereMeant(context.arguments)
            if try context.arguments.flag("plan"), !movesStorage(context.arguments) {
                throw CommandLineError.failed(
                    "--plan shows moves of disks: say with vdi:UUID=SR where they are to go, or leave --plan out")
            }
            let selector = VMSelector(context: context, command: command, includesControlDomains: false)
            try await selector.run { vm in
                if movesStorage(context.arguments) {
                    try await MachineMigration(context: context, vm: vm).run()
                } else {
                    try await moveWithinPool(context, vm)
                }
            }
        },
        Command(
            "vm-peer-move-list", optional: ["json"],
            "Lists the moves of VMs to and from other pools that are not over.", run: listPeerMoves),
        Command(
            "vm-peer-move-settle", ["move", "decision"],
            "Decides a move whose other pool cannot be asked: here, there or forget.", run: settlePeerMove),
    ]

    private static let listPeerMoves: @Sendable (CommandContext) async throws -> Void = { context in
        let text = try await context.text("VM.get_peer_moves")
        if try context.arguments.flag("json") { return context.printer.value(text) }
        for move in try JSONText.decode(text).items ?? [] {
            let shown = ["direction", "vm", "peer", "phase", "failure"].compactMap { name in
                move.member(name)?.text.map { "\(name)=\($0)" }
            }
            context.printer.value(([move.member("move")?.text ?? ""] + shown).joined(separator: " "))
        }
    }

    private static let settlePeerMove: @Sendable (CommandContext) async throws -> Void = { context in
        try await context.operate(
            "VM.settle_peer_move", .string(try context.arguments.required("move")),
            .string(try context.arguments.required("decision")))
    }

    /// A script that asks for JSON wants a plan: it is not to find out that it has begun the move.
    private static func requirePlanWhereMeant(_ arguments: CommandArguments) throws(CommandLineError) {
        guard try arguments.flag("json"), try !arguments.flag("plan") else { return }
        throw .failed("--json belongs to --plan, and nothing was moved: add --plan, or leave --json out to move")
    }

    private static let migrateDisk: @Sendable (CommandContext) async throws -> Void = { context in
        try requirePlanWhereMeant(context.arguments)
        let disk = try await context.object("VDI", named: "uuid")
        let destination = try await context.object("SR", named: "sr-uuid")
        var entries = try MoveOptions.entries(context.arguments)
        if let format = context.arguments["dest-img-format"] {
            if !format.isEmpty { try await MoveOptions.requireFormats(context, "dest-img-format") }
            entries.insert((name: "dest-img-format", value: .string(format)), at: 0)
        }
        let options = WireValue.members(entries)
        if try context.arguments.flag("plan") {
            return try PlanText.show(
                try await context.text("VDI.plan_pool_migrate", disk, destination, options), context)
        }
        let display = try TransferDisplay(context, label: "Migrating", onTerminal: true)
        let ref = try await display.showing("VDI.pool_migrate", [disk, destination, options], context.caller)
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
        if let idle = MoveOptions.names.first(where: { context.arguments[$0] != nil }) {
            throw CommandLineError.failed(
                "\(idle) is about moves of disks: say with vdi:UUID=SR where they are to go, or leave \(idle) out")
        }
        guard let host = try await MachineMigration(context: context, vm: vm).host() else {
            throw CommandLineError.failed("No matching hosts found: say where the VM is to go with host=")
        }
        var options: [(name: String, value: WireValue)] = []
        for name in ["force", "live", "copy"] {
            options.append((name: name, value: .string(String(try MoveOptions.truth(name, context.arguments)))))
        }
        if context.arguments["compress"] != nil {
            options.append(
                (name: "compress", value: .string(String(try MoveOptions.truth("compress", context.arguments)))))
        }
        try await context.call("VM.pool_migrate", vm, .string(host), .members(options))
    }
}

/// `xe vm-migrate` with disks that move, within this pool or, with `remote-master`, to another one.
struct MachineMigration: Sendable {
    let context: CommandContext
    let vm: WireValue

    func run() async throws {
        // What cannot be understood is said before anything is asked for.
        _ = try options()
        _ = try context.arguments.flag("plan")
        guard let address = try await otherPool() else { return try await run(there: context, isRemote: false) }
        let session = try await login(at: address)
        do {
            let there = CommandContext(context.arguments, caller: session, printer: context.printer)
            try await run(there: there, isRemote: true)
            await session.logout()
        } catch {
            await session.logout()
            throw error
        }
    }

    /// `there`: the destination's pool.
    private func run(there: CommandContext, isRemote: Bool) async throws {
        let arguments = context.arguments
        let named = try await host(there)
        let any = try await there.reader.store.all("host").first?.ref
        guard let host = named ?? any else { throw CommandLineError.failed("No matching hosts found") }
        let format = try await map("image-format", of: "VDI") { .string($0) }
        if !format.isEmpty { try await MoveOptions.requireFormats(context, "image-format") }
        let disks = try await disks(there, host: host, isRemote: isRemote)
        var networks = try await map("vif", of: "VIF") { .string(try await there.reference("network", uuid: $0)) }
        if isRemote { networks += try await likeNamedNetworks(there, besides: networks) }
        let graphics = try await map("vgpu", of: "VGPU") { .string(try await there.reference("GPU_group", uuid: $0)) }
        let isPlanned = try arguments.flag("plan")
        let display = isPlanned ? nil : try TransferDisplay(context, label: "Migrating", onTerminal: true)
        // A plan begins nothing: in this pool it needs the host's name, and no session there.
        let token: WireValue =
            isPlanned && !isRemote
            ? .members([(name: "host", value: .string(host))])
            : try await there.call(
                "host.migrate_receive", .string(host), .string(try await network(there, of: host)),
                .members([(name: String, value: WireValue)]()))
        let parameters: [WireValue] = [
            vm, token, .bool(true), .members(disks), .members(networks), .members(try options()), .members(graphics),
            .members(format),
        ]
        // An older server takes no formats: it is not told of them unless some are asked for.
        let sent = format.isEmpty ? Array(parameters.dropLast()) : parameters
        // It is this call's alone, and would be there for a day. While the move may go on it is the move's.
        let session = token.member("session_id")?.text
        let moved: String?
        do {
            moved = try await display?.showing("VM.migrate_send", sent, context.caller)
            if display == nil { try await plan(parameters) }
        } catch {
            if let session, display?.mayGoOn != true { await there.caller.endSession(session) }
            throw error
        }
        if let session { await there.caller.endSession(session) }
        if let moved, try MoveOptions.truth("copy", arguments) { try await there.printUUID("VM", .string(moved)) }
    }

    /// As the API has them.
    private func options() throws(CommandLineError) -> [(name: String, value: WireValue)] {
        var entries: [(name: String, value: WireValue)] = []
        for name in ["force", "copy", "compress"] where context.arguments[name] != nil {
            entries.append((name: name, value: .string(String(try MoveOptions.truth(name, context.arguments)))))
        }
        return entries + (try MoveOptions.entries(context.arguments))
    }

    private func plan(_ parameters: [WireValue]) async throws {
        guard let plan = try await context.caller.call("VM.plan_migrate_send", parameters).text else {
            throw APIError.internalError("VM.plan_migrate_send did not answer with a text")
        }
        try PlanText.show(plan, context)
    }

    // MARK: - Another pool

    /// Where `remote-master=HOST[:PORT]` leads; nil when there is none, or it names a host of this pool.
    private func otherPool() async throws -> ServerAddress? {
        guard let master = context.arguments["remote-master"] else { return nil }
        for (_, record) in try await context.reader.store.all("host")
        where ["address", "hostname", "name_label", "uuid"].contains(where: { record.member($0)?.text == master }) {
            return nil
        }
        guard let address = Self.address(master) else {
            throw CommandLineError.failed("remote-master takes HOST or HOST:PORT, not '\(master)'")
        }
        return address
    }

    /// Passwords and disks go over TLS only.
    static func address(_ text: String) -> ServerAddress? {
        if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
            let host = String(text[text.index(after: text.startIndex)..<end])
            let rest = text[text.index(after: end)...]
            if rest.isEmpty { return .tcp(host: host, port: 443, tls: true) }
            guard rest.hasPrefix(":"), let port = UInt16(rest.dropFirst()) else { return nil }
            return .tcp(host: host, port: Int(port), tls: true)
        }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard let host = parts.first, !host.isEmpty else { return nil }
        // An IPv6 address without brackets has no port.
        if parts.count != 2 { return .tcp(host: text, port: 443, tls: true) }
        return UInt16(parts[1]).map { .tcp(host: String(host), port: Int($0), tls: true) }
    }

    private func login(at address: ServerAddress) async throws -> XenAPISession {
        guard let user = context.arguments["remote-username"], let password = context.arguments["remote-password"]
        else {
            throw CommandLineError.failed("Another pool needs remote-username and remote-password")
        }
        var behaviour = XenAPISession.Options()
        behaviour.originator = "cli"
        // As of the server that `xe` itself talks to.
        return try await XenAPISession.login(
            at: address, user: user, password: password, certificates: .unchecked, options: behaviour)
    }

    /// Interfaces that no `vif:` names go to the other pool's only network of the same name.
    private func likeNamedNetworks(
        _ there: CommandContext, besides named: [(name: String, value: WireValue)]
    ) async throws -> [(name: String, value: WireValue)] {
        var entries: [(name: String, value: WireValue)] = []
        for (ref, interface) in try await context.reader.store.all("VIF") where interface.member("VM")?.text == vm.text
        {
            guard !named.contains(where: { $0.name == ref }), let network = interface.member("network")?.text else {
                continue
            }
            let label = try await context.text("network.get_name_label", .string(network))
            let same = try await there.reader.store.all("network").filter {
                $0.record.member("name_label")?.text == label
            }
            if same.count == 1, let only = same.first { entries.append((name: ref, value: .string(only.ref))) }
        }
        return entries
    }

    // MARK: - Objects

    /// `host=`, `host-name=` or `host-uuid=`: a host by its name, host name or uuid.
    func host() async throws -> String? { try await host(context) }

    private func host(_ there: CommandContext) async throws -> String? {
        let arguments = context.arguments
        guard let wanted = arguments["host"] ?? arguments["host-uuid"] ?? arguments["host-name"] else { return nil }
        for (ref, record) in try await there.reader.store.all("host")
        where ["hostname", "name_label", "uuid"].contains(where: { record.member($0)?.text == wanted }) {
            return ref
        }
        throw CommandLineError.failed("No matching hosts found")
    }

    /// `remote-network=` by bridge, name or uuid; else that of the host's management interface.
    private func network(_ there: CommandContext, of host: String) async throws -> String {
        if let wanted = context.arguments["remote-network"] {
            for (ref, record) in try await there.reader.store.all("network")
            where ["bridge", "name_label", "uuid"].contains(where: { record.member($0)?.text == wanted }) {
                return ref
            }
            throw CommandLineError.failed("No network was found that is called \(wanted)")
        }
        let interfaces = try await there.reader.store.all("PIF")
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

    /// Disks that no `vdi:` names stay where they are, when the destination is this pool, which sees their repositories; to
    /// another pool they go to its default SR.
    private func disks(
        _ there: CommandContext, host: String, isRemote: Bool
    ) async throws -> [(name: String, value: WireValue)] {
        var entries = try await map("vdi", of: "VDI") { .string(try await there.reference("SR", uuid: $0)) }
        let isQuiet = try context.arguments.flag("plan")
        for (_, drive) in try await context.reader.store.all("VBD") where drive.member("VM")?.text == vm.text {
            guard drive.member("type")?.text != "CD", drive.member("empty") != .bool(true),
                let disk = drive.member("VDI")?.text, !entries.contains(where: { $0.name == disk })
            else { continue }
            let sr =
                isRemote
                ? try await defaultRepository(there, for: disk)
                : try await context.text("VDI.get_SR", .string(disk))
            entries.append((name: disk, value: .string(sr)))
        }
        if isQuiet { return entries }
        for entry in entries {
            let disk = try await context.text("VDI.get_uuid", .string(entry.name))
            let sr = try await there.text("SR.get_uuid", entry.value)
            context.printer.message("VDI \(disk) -> SR \(sr)")
        }
        return entries
    }

    private func defaultRepository(_ there: CommandContext, for disk: String) async throws -> String {
        let sr = try await there.reader.store.all("pool").first?.record.member("default_SR")?.text ?? ""
        guard try await there.reader.store.all("SR").contains(where: { $0.ref == sr }) else {
            let uuid = try await context.text("VDI.get_uuid", .string(disk))
            throw CommandLineError.failed(
                "The other pool has no default SR: say where the disk is to go with vdi:\(uuid)=<SR uuid>")
        }
        return sr
    }
}
