import RPCCodec
import XenAPIClient

extension Command {
    /// The disks of virtual machines, with their devices.
    static let machineDisk: [Command] = [
        onMachines(
            "vm-disk-list", optional: ["vbd-params", "vdi-params"],
            "Lists the disks of virtual machines and their devices."
        ) { context, vm in try await listDisks(context, vm) },
        Command(
            "snapshot-disk-list", optional: ["uuid", "snapshot-uuid", "vbd-params", "vdi-params"], flags: [.standard],
            "Lists the disks of a snapshot and their devices."
        ) { context in try await listDisks(context, try await snapshot(context)) },
        onMachines(
            "vm-disk-add", ["disk-size", "device"], optional: ["sr-uuid"],
            "Makes a disk, by default in the pool's default repository, and gives it to virtual machines."
        ) { context, vm in
            let place = try await repositoryForDisk(context)
            let size = Int64(try context.arguments.size("disk-size") ?? 0)
            let device = try await deviceNumber(context, vm)
            let disk = try await context.call("VDI.create", .members(newDisk(in: place, size: size)))
            do {
                try await context.call("VBD.create", .members(newDevice(device, vm, disk)))
            } catch {
                // Nobody would know what it is for.
                _ = try? await context.call("VDI.destroy", disk)
                throw error
            }
        },
        onMachines(
            "vm-disk-remove", ["device"], optional: [],
            "Takes the disk of a device from virtual machines and destroys it."
        ) { context, vm in
            let wanted = try context.arguments.required("device")
            let found = try await devices(of: vm, context).filter { $0.record.member("userdevice")?.text == wanted }
            guard let device = found.first, let disk = device.record.member("VDI") else {
                throw CommandLineError.failed("The virtual machine has no disk at device \(wanted)")
            }
            try await context.call("VBD.destroy", .string(device.ref))
            try await context.call("VDI.destroy", disk)
        },
    ]

    /// In the order of the devices' numbers.
    private static func devices(
        of machine: WireValue, _ context: CommandContext
    ) async throws -> [(ref: String, record: WireValue)] {
        try await context.reader.store.all("VBD").filter {
            $0.record.member("VM") == machine && $0.record.member("type") == .string("Disk")
        }.sorted {
            let (one, other) = ($0.record.member("userdevice")?.text ?? "", $1.record.member("userdevice")?.text ?? "")
            return (Int(one) ?? .max, one) < (Int(other) ?? .max, other)
        }
    }

    private static func listDisks(_ context: CommandContext, _ machine: WireValue) async throws {
        let shown = (
            columns(.vbd, context.arguments["vbd-params"], else: ["uuid", "vm-name-label", "userdevice"]),
            columns(
                .vdi, context.arguments["vdi-params"],
                else: ["uuid", "name-label", "sr-name-label", "virtual-size"])
        )
        for (number, device) in try await devices(of: machine, context).enumerated() {
            context.printer.message("Disk \(number) VBD:")
            try await printRecord(shown.0, device.ref, device.record, context, listing: true)
            guard let disk = device.record.member("VDI")?.text,
                let record = try await context.reader.store.record("VDI", disk)
            else { continue }
            context.printer.message("Disk \(number) VDI:")
            try await printRecord(shown.1, disk, record, context, listing: true)
        }
    }

    private static func repositoryForDisk(_ context: CommandContext) async throws -> WireValue {
        if let given = try await context.optionalObject("SR", named: "sr-uuid") { return given }
        let pool = try await context.reader.store.all("pool").first
        guard let usual = pool?.record.member("default_SR"), let ref = usual.text, ref != ValueText.nullRef,
            !ref.isEmpty
        else { throw CommandLineError.failed("The pool has no default repository: give sr-uuid=") }
        return usual
    }

    private static func newDisk(in repository: WireValue, size: Int64) -> [(name: String, value: WireValue)] {
        [
            ("name_label", .string("Created by xe")), ("name_description", .string("")), ("SR", repository),
            ("virtual_size", .int(size)), ("type", .string("user")), ("sharable", .bool(false)),
            ("read_only", .bool(false)), ("other_config", .members([])), ("xenstore_data", .members([])),
            ("sm_config", .members([])), ("tags", .array([])),
        ]
    }

    private static func newDevice(
        _ device: String, _ machine: WireValue, _ disk: WireValue
    ) -> [(name: String, value: WireValue)] {
        [
            ("VM", machine), ("VDI", disk), ("userdevice", .string(device)), ("bootable", .bool(false)),
            ("mode", .string("RW")), ("type", .string("Disk")), ("unpluggable", .bool(true)),
            ("empty", .bool(false)), ("other_config", .members([])), ("qos_algorithm_type", .string("")),
            ("qos_algorithm_params", .members([])),
        ]
    }
}
