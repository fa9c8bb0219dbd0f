import GuestFixture
import RPCCodec
import XenAPIClient

/// VMs as tests make them.
enum Machines {
    /// Halted, with the guest of these files and no disk.
    static func make(
        _ toolstack: RunningToolstack, _ files: GuestFiles, memory bytes: Int = 256 << 20
    ) async throws -> String {
        try await toolstack.text("VM.create", record(files, memory: bytes))
    }

    /// Of a machine that is not to be started.
    static let bare = record(nil)

    private static func record(_ files: GuestFiles?, memory bytes: Int = 256 << 20) -> WireValue {
        let memory = WireValue.string(String(bytes))
        return .members([
            ("name_label", .string("guest, with \"odd\" -name")), ("name_description", .string("")),
            ("user_version", .string("1")),
            ("is_a_template", .bool(false)), ("affinity", .string("OpaqueRef:NULL")),
            ("memory_static_max", memory), ("memory_dynamic_max", memory),
            ("memory_dynamic_min", memory), ("memory_static_min", .string("0")),
            ("VCPUs_params", .members([])), ("VCPUs_max", .string("1")), ("VCPUs_at_startup", .string("1")),
            ("actions_after_shutdown", .string("destroy")), ("actions_after_reboot", .string("restart")),
            ("actions_after_crash", .string("destroy")), ("PV_bootloader", .string("")),
            ("PV_kernel", .string(files?.kernel ?? "")), ("PV_ramdisk", .string(files?.initrd ?? "")),
            ("PV_args", .string(GuestFiles.arguments(.ext4))), ("PV_bootloader_args", .string("")),
            ("PV_legacy_args", .string("")), ("HVM_boot_policy", .string("")),
            ("HVM_boot_params", .members([])),
            ("platform", .members([])), ("PCI_bus", .string("")), ("other_config", .members([])),
            ("recommendations", .string("")),
        ])
    }
}
