import RPCCodec
import XenAPIClient

extension Command {
    /// CD drives and what is in them.
    static let drive: [Command] = [
        Command("cd-list", optional: ["params"], flags: [.standard], "Lists the CD images of all repositories of them.")
        {
            context in
            let columns = columns(.vdi, context.arguments["params"], else: ["uuid", "name-label"])
            for (ref, record) in try await images(context) {
                try await printRecord(columns, ref, record, context, listing: true)
            }
        },
        Command("vbd-insert", ["uuid", "vdi-uuid"], "Puts a disc into an empty drive.") { context in
            let disc = try await context.object("VDI", named: "vdi-uuid")
            try await context.call("VBD.insert", try await context.object("VBD", named: "uuid"), disc)
        },
        onObject("vbd-eject", "VBD", "eject", "Takes the disc out of a drive."),
        onMachine("vm-cd-list", [], optional: ["vbd-params", "vdi-params"], "Lists the CD drives of virtual machines.")
        {
            context, vm in
            for (index, drive) in try await drives(of: vm, context).enumerated() {
                context.printer.message("CD \(index) VBD:")
                let columns = columns(
                    .vbd, context.arguments["vbd-params"], else: ["uuid", "vm-name-label", "userdevice", "empty"])
                try await printRecord(columns, drive.ref, drive.record, context, listing: true)
                guard let disc = try await disc(in: drive, context) else { continue }
                context.printer.message("CD \(index) VDI:")
                let fields = Command.columns(
                    .vdi, context.arguments["vdi-params"],
                    else: ["uuid", "name-label", "sr-name-label", "virtual-size"])
                try await printRecord(fields, disc.ref, disc.record, context, listing: true)
            }
        },
        onMachine("vm-cd-add", ["cd-name", "device"], "Gives virtual machines a CD drive with a disc in it.") {
            context, vm in
            let disc = try await image(context)
            let record: [(name: String, value: WireValue)] = [
                ("VM", .string(vm)), ("VDI", .string(disc)),
                ("userdevice", .string(try await deviceNumber(context, .string(vm)))), ("bootable", .bool(false)),
                ("mode", .string("RO")), ("type", .string("CD")), ("unpluggable", .bool(false)),
                ("empty", .bool(false)), ("other_config", .members([])), ("qos_algorithm_type", .string("")),
                ("qos_algorithm_params", .members([])),
            ]
            _ = try await context.call("VBD.create", .members(record))
        },
        onMachine("vm-cd-remove", ["cd-name"], "Takes the CD drive with this disc from virtual machines.") {
            context, vm in
            let wanted = try context.arguments.required("cd-name")
            var found: [String] = []
            for drive in try await drives(of: vm, context)
            where try await disc(in: drive, context)?.record.member("name_label")?.text == wanted {
                found.append(drive.ref)
            }
            let only = try one(
                found, none: "No CD drive holds the disc \(wanted)",
                several: "Several CD drives hold the disc \(wanted); choose one with vbd-destroy")
            try await context.call("VBD.destroy", .string(only))
        },
        onMachine("vm-cd-insert", ["cd-name"], "Puts a disc into the empty CD drive of virtual machines.") {
            context, vm in
            let disc = try await image(context)
            let empty = try await drives(of: vm, context).filter { $0.record.member("empty") == .bool(true) }
            let only = try one(
                empty.map(\.ref), none: "There is no empty CD drive",
                several: "There are several empty CD drives; choose one with vbd-insert")
            try await context.call("VBD.insert", .string(only), .string(disc))
        },
        onMachine("vm-cd-eject", [], "Takes the disc out of the CD drive of virtual machines.") { context, vm in
            let only = try one(
                try await drives(of: vm, context).map(\.ref), none: "There is no CD drive",
                several: "There are several CD drives; choose one with vbd-eject")
            try await context.call("VBD.eject", .string(only))
        },
    ]

    private typealias Object = (ref: String, record: WireValue)

    /// A command on the machines its filters choose.
    private static func onMachine(
        _ name: String, _ required: [String], optional: [String] = [], _ summary: String,
        operation: @escaping @Sendable (CommandContext, _ vm: String) async throws -> Void
    ) -> Command {
        Command(name, required, optional: optional, flags: [.standard, .selectsVMs], summary) { context in
            guard let command = Command.named(name) else { return }
            for parameter in required { _ = try context.arguments.required(parameter) }
            try await VMSelector(context: context, command: command).run { vm in
                try await operation(context, vm.text ?? "")
            }
        }
    }

    private static func drives(of vm: String, _ context: CommandContext) async throws -> [Object] {
        try await context.reader.store.all("VBD").filter {
            $0.record.member("VM")?.text == vm && $0.record.member("type")?.text == "CD"
        }
    }

    private static func disc(in drive: Object, _ context: CommandContext) async throws -> Object? {
        guard drive.record.member("empty") != .bool(true), let ref = drive.record.member("VDI")?.text else {
            return nil
        }
        return try await context.reader.store.all("VDI").first { $0.ref == ref }
    }

    /// The disks of repositories whose content is CD images.
    private static func images(_ context: CommandContext) async throws -> [Object] {
        let libraries = Set(
            try await context.reader.store.all("SR").filter { $0.record.member("content_type")?.text == "iso" }
                .map(\.ref))
        return try await context.reader.store.all("VDI").filter { image in
            image.record.member("SR")?.text.map(libraries.contains) ?? false
        }
    }

    /// The CD image that `cd-name` names.
    private static func image(_ context: CommandContext) async throws -> String {
        let wanted = try context.arguments.required("cd-name")
        let found = try await images(context).filter { $0.record.member("name_label")?.text == wanted }
        return try one(
            found.map(\.ref), none: "There is no CD image of the name \(wanted)",
            several: "Several CD images have the name \(wanted); choose one by its uuid, with vbd-insert or vbd-create")
    }

    private static func one(_ found: [String], none: String, several: String) throws(CommandLineError) -> String {
        guard let first = found.first else { throw .failed(none) }
        if found.count > 1 { throw .failed(several) }
        return first
    }
}
