import APITypes
import Foundation
import RPCCodec
import TestSupport
import Testing
import XenAPIClient

extension EndToEnd {
    /// Halted machines that go to another pool.
    @Suite struct CrossPool {
        static let bytes: UInt64 = 16 << 20
        private static let pieces = 12

        /// A disk with random content, as a raw file and as a VDI of the format.
        static func filled(
            _ pools: TwoPools, in sr: String, format: String, bytes: UInt64 = bytes, _ random: inout SeededRandom
        ) async throws -> (vdi: String, model: String) {
            var content = [UInt8](repeating: 0, count: Int(bytes))
            for _ in 0..<pieces {
                let piece = random.bytes(Int.random(in: 1...300_000, using: &random))
                let offset = Int.random(in: 0...(content.count - piece.count), using: &random)
                Bytes.replace(&content, at: offset, with: piece)
            }
            let vdi = try await pools.here.makeDisk(in: sr, bytes: bytes, format: format)
            let model = pools.here.folder.file(try await pools.here.text("VDI.get_uuid", .string(vdi)))
            try Data(content).write(to: URL(fileURLWithPath: model))
            let task = try await pools.here.session.upload(
                file: model, to: "/import_raw_vdi", query: [("vdi", vdi), ("format", "raw")], onProgress: { _, _ in })
            if let task { _ = try await pools.here.session.waitForTask(task) }
            return (vdi, model)
        }

        static func machine(_ toolstack: RunningToolstack, _ disks: [String]) async throws -> String {
            let vm = try await toolstack.text(
                "VM.create",
                .members([
                    ("name_label", .string("traveller")), ("name_description", .string("a <description>")),
                    ("user_version", .string("1")), ("is_a_template", .bool(false)),
                    ("affinity", .string("OpaqueRef:NULL")),
                    ("memory_static_max", .string("268435456")), ("memory_dynamic_max", .string("268435456")),
                    ("memory_dynamic_min", .string("268435456")), ("memory_static_min", .string("0")),
                    ("VCPUs_params", .members([("weight", .string("512"))])), ("VCPUs_max", .string("2")),
                    ("VCPUs_at_startup", .string("1")), ("actions_after_shutdown", .string("destroy")),
                    ("actions_after_reboot", .string("restart")), ("actions_after_crash", .string("preserve")),
                    ("PV_bootloader", .string("")), ("PV_kernel", .string("")), ("PV_ramdisk", .string("")),
                    ("PV_args", .string("quiet")), ("PV_bootloader_args", .string("")),
                    ("PV_legacy_args", .string("")), ("HVM_boot_policy", .string("BIOS order")),
                    ("HVM_boot_params", .members([("order", .string("cd"))])),
                    ("platform", .members([("timeoffset", .string("3600"))])), ("PCI_bus", .string("")),
                    ("other_config", .members([("k", .string("v"))])), ("recommendations", .string("")),
                ]))
            for (place, disk) in disks.enumerated() {
                _ = try await toolstack.makeVBD(vm: vm, vdi: disk, position: String(place))
            }
            return vm
        }

        /// What of a machine's record is not of a place or a moment.
        private static func character(_ toolstack: RunningToolstack, _ vm: String) async throws -> WireValue {
            let record = try await toolstack.call("VM.get_record", .string(vm))
            let kept = [
                "uuid", "name_label", "name_description", "memory_static_max", "VCPUs_params", "VCPUs_max",
                "actions_after_crash", "HVM_boot_policy", "HVM_boot_params", "platform", "other_config", "power_state",
                "actions_after_shutdown", "actions_after_reboot", "ha_always_run", "ha_restart_priority", "order",
                "start_delay", "shutdown_delay",
            ]
            return .members(kept.map { (name: $0, value: record.member($0) ?? .null) })
        }

        /// From every format to every format and to none in particular, those that fail in other toolstacks included, with
        /// `xe` as the way in, over a network that was chosen: the machine is there as it was here, with what says whether and when
        /// it is restarted, its disks hold the same bytes and take at most a twentieth more room, its interfaces are in the networks
        /// that were named for them, and nothing is left here.
        @Test(arguments: Storage.formats)
        func aMachineGoesToAnotherPoolInEveryFormat(_ format: String) async throws {
            var random = SeededRandom.printed("cross-pool from \(format)")
            try await TwoPools.run { pools in
                let source = try await pools.here.makeRepository("a", formats: format)
                let destination = try await pools.there.makeRepository("b", formats: "qcow2")
                var disks: [(vdi: String, model: String)] = []
                for _ in 0..<4 {
                    disks.append(try await Self.filled(pools, in: source.ref, format: format, &random))
                }
                let plain = try await Self.machine(pools.here, disks.map(\.vdi))
                let (vm, interfaces, networks) = try await Self.connect(plain, pools)
                let before = try await Self.character(pools.here, vm)
                let room = try RunningToolstack.room(source.path)
                let sr = try await pools.there.text("SR.get_uuid", .string(destination.ref))
                var parameters = zip(interfaces, networks).map { "vif:\($0.uuid)=\($1.uuid)" }
                for (disk, wanted) in zip(disks, Storage.formats + [""]) {
                    let uuid = try await pools.here.text("VDI.get_uuid", .string(disk.vdi))
                    parameters.append("vdi:\(uuid)=\(sr)")
                    if !wanted.isEmpty { parameters.append("image-format:\(uuid)=\(wanted)") }
                }
                let planned = try await pools.migrate(vm, parameters + ["plan=true", "json=true"])
                #expect(planned.succeeded, "\(planned.errors)")
                let plan = try JSONText.decode(planned.output.trimmingCharacters(in: .whitespacesAndNewlines))
                #expect(plan.member("blockers")?.items == [])
                let formats = plan.member("disks")?.items?.map { $0.member("destination")?.member("format")?.text }
                #expect(formats == Storage.formats + ["qcow2"])
                #expect(before.member("ha_always_run") == .bool(true) && before.member("order")?.text == "3")
                // The host there has no interface in this one.
                let refused = try await pools.migrate(vm, parameters + ["remote-network=\(networks[0].uuid)"])
                #expect(refused.status == 1 && refused.errors.contains("network: "), "\(refused.errors)")
                let over = try await pools.there.text("network.get_uuid", .string(try await pools.network()))
                let outcome = try await pools.migrate(vm, parameters + ["remote-network=\(over)"])
                #expect(outcome.succeeded, "\(outcome.errors)")
                try await pools.awaitQuiet()

                #expect(try await TwoPools.machines(pools.here).isEmpty)
                #expect(try RunningToolstack.images(source.path) == [])
                #expect(try await pools.here.call("VDI.get_all").items == [])
                #expect(try await pools.here.call("VBD.get_all").items == [])
                #expect(try await pools.here.call("VIF.get_all").items == [])
                let arrived = try #require(try await TwoPools.machines(pools.there).first)
                #expect(try await Self.character(pools.there, arrived.ref) == before)
                let drives = try await pools.there.call("VBD.get_all_records").members ?? []
                #expect(drives.count == 4)
                for drive in drives.map(\.value) {
                    let place = Int(drive.member("userdevice")?.text ?? "") ?? -1
                    let record = try await pools.there.call(
                        "VDI.get_record", .string(drive.member("VDI")?.text ?? ""))
                    let wanted = place < 3 ? Storage.formats[place] : "qcow2"
                    #expect(record.member("sm_config")?.member("image-format")?.text == wanted)
                    #expect(record.member("other_config")?.member("owner")?.text == "test")
                    #expect(drive.member("mode")?.text == "RW" && drive.member("bootable") == .bool(true))
                    let path = destination.path + "/" + (record.member("location")?.text ?? "")
                    try Tool.check(
                        "qemu-img", ["compare", "-f", "raw", "-F", Storage.qemu(wanted), disks[place].model, path])
                }
                #expect(try RunningToolstack.images(destination.path).count == 4)
                // Each image has tables of its own, and clusters of which a piece may fill a part.
                let most = room * 105 / 100 + 4 * (Self.pieces << 16 + 512 << 10)
                #expect(try RunningToolstack.room(destination.path) <= most, "\(room) bytes before")
                for (interface, network) in zip(interfaces, networks) {
                    let there = try await pools.there.text("VIF.get_by_uuid", .string(interface.uuid))
                    let record = try await pools.there.call("VIF.get_record", .string(there))
                    #expect(record.member("VM")?.text == arrived.ref && record.member("network")?.text == network.ref)
                    #expect(record.member("MAC")?.text == interface.mac)
                    #expect(record.member("device")?.text == interface.device)
                }
                await pools.here.stop()
                await pools.there.stop()
                #expect(try pools.here.leftovers() == [] && pools.there.leftovers() == [])
            }
        }

        /// With each side in turn like a server of before there was a choice of formats: a format that is asked for is refused
        /// before anything is made, and without one the move is made with what both know.
        @Test(arguments: ["new to old", "old to new"])
        func poolsOfDifferentVersionsUseWhatBothKnow(_ direction: String) async throws {
            var random = SeededRandom.printed("versions \(direction)")
            let older = ["--compat", "26.14"]
            let isNewer = direction == "new to old"
            try await TwoPools.run(hereOptions: isNewer ? [] : older, thereOptions: isNewer ? older : []) { pools in
                let source = try await pools.here.makeRepository("a", formats: "vhd")
                let destination = try await pools.there.makeRepository("b", formats: "qcow2")
                let disk = try await Self.filled(pools, in: source.ref, format: "vhd", &random)
                let vm = try await Self.machine(pools.here, [disk.vdi])
                let uuid = try await pools.here.text("VDI.get_uuid", .string(disk.vdi))
                let sr = try await pools.there.text("SR.get_uuid", .string(destination.ref))
                if !isNewer {
                    // As of old, a format that is asked for is passed over.
                    let own = try await pools.here.makeRepository("c", formats: "qcow2")
                    let other = try await pools.here.session.vdi.create(
                        VDICreation(nameLabel: "o", sr: Ref(source.ref), virtualSize: 4 << 20, type: .user))
                    // `xe` knows better, and asks for none.
                    let (otherUUID, ownUUID) = (
                        try await pools.here.text("VDI.get_uuid", .string(other.opaque)),
                        try await pools.here.text("SR.get_uuid", .string(own.ref))
                    )
                    let unheard = try pools.xe(
                        "vdi-pool-migrate", "uuid=\(otherUUID)", "sr-uuid=\(ownUUID)", "dest-img-format=raw")
                    #expect(
                        unheard.status == 1 && unheard.errors.contains("of an earlier version"), "\(unheard.errors)")
                    #expect(try RunningToolstack.images(own.path) == [])
                    let moved = try await pools.here.session.vdi.poolMigrate(
                        other, sr: Ref(own.ref), options: ["dest-img-format": "raw"])
                    #expect(try RunningToolstack.images(own.path).allSatisfy { $0.hasSuffix(".qcow2") })
                    try await pools.here.session.vdi.destroy(moved)
                }
                let refused = try await pools.migrate(vm, ["vdi:\(uuid)=\(sr)", "image-format:\(uuid)=raw"])
                #expect(refused.status == 1, "\(refused.output)")
                #expect(refused.errors.contains("of an earlier version"), "\(refused.errors)")
                if isNewer {
                    do {
                        _ = try await pools.send(vm, disks: [(disk.vdi, destination.ref)], formats: [(disk.vdi, "raw")])
                        Issue.record("a format was taken that the other side was not asked about")
                    } catch let error as APIError {
                        #expect(error.code == "VDI_INCOMPATIBLE_TYPE")
                    }
                    let records = try await pools.there.call("SM.get_all_records").members ?? []
                    #expect(records.allSatisfy { $0.value.member("supported_image_formats") == nil })
                }
                #expect(try RunningToolstack.images(destination.path) == [])
                let moved = try await pools.migrate(vm, ["vdi:\(uuid)=\(sr)"])
                #expect(moved.succeeded, "\(moved.errors)")
                try await pools.awaitQuiet()
                #expect(try await TwoPools.machines(pools.here).isEmpty)
                #expect(try RunningToolstack.images(source.path) == [])
                let image = try #require(try RunningToolstack.images(destination.path).first)
                try Tool.check(
                    "qemu-img",
                    ["compare", "-f", "raw", "-F", "qcow2", disk.model, destination.path + "/" + image])
            }
        }

        /// A copy is another machine, and the first stays as it is.
        @Test func aCopyInAnotherPoolLeavesTheMachineWhereItIs() async throws {
            var random = SeededRandom.printed("cross-pool copy")
            try await TwoPools.run { pools in
                let source = try await pools.here.makeRepository("a", formats: "raw")
                let destination = try await pools.there.makeRepository("b", formats: "vhd")
                let disk = try await Self.filled(pools, in: source.ref, format: "raw", &random)
                let vm = try await Self.machine(pools.here, [disk.vdi])
                let copy = try await pools.send(
                    vm, disks: [(disk.vdi, destination.ref)], options: [("copy", "true"), ("verify", "true")])
                try await pools.awaitQuiet()
                let uuid = try await pools.here.text("VM.get_uuid", .string(vm))
                #expect(try await pools.there.text("VM.get_uuid", .string(copy)) != uuid)
                #expect(try await TwoPools.machines(pools.here).map(\.ref) == [vm])
                #expect(try await pools.here.call("VDI.get_all").items == [.string(disk.vdi)])
                for (path, format) in [(source.path, "raw"), (destination.path, "vpc")] {
                    let image = try #require(try RunningToolstack.images(path).first)
                    try Tool.check("qemu-img", ["compare", "-f", "raw", "-F", format, disk.model, path + "/" + image])
                }
                // Both may be moved again.
                #expect(
                    try await pools.here.call("VM.get_allowed_operations", .string(vm)).items?.contains(
                        .string("migrate_send")) == true)
            }
        }

        /// A destination that fills up has an error of its own, also where it is another pool's; the machine stays, and nothing is left.
        @Test func aDestinationInAnotherPoolThatFillsUpIsCalledSo() async throws {
            var random = SeededRandom.printed("full in another pool")
            try await TwoPools.run { pools in
                let loop = try SmallFileSystem(in: pools.there.folder, megabytes: 64)
                defer { loop.remove() }
                let source = try await pools.here.makeRepository("a", formats: "raw")
                let destination = try await pools.there.makeRepository(
                    "b", formats: "raw", folder: loop.mountPoint)
                let vdi = try await pools.here.makeDisk(in: source.ref, bytes: 32 << 20, format: "raw")
                let location = try await pools.here.text("VDI.get_location", .string(vdi))
                let file = try FileHandle(forWritingTo: URL(fileURLWithPath: source.path + "/" + location))
                try file.write(contentsOf: Data(random.bytes(24 << 20)))
                try file.close()
                let vm = try await Self.machine(pools.here, [vdi])
                let task = try await pools.here.text(
                    "Async.VM.migrate_send", .string(vm), try await pools.token(), .bool(true),
                    TwoPools.map([(vdi, destination.ref)]), .members([]),
                    TwoPools.map([("paused", "true"), ("retry-seconds", "1")]))
                try await pools.here.awaitPhase(of: task)
                try loop.fill(leaving: 4)
                try await pools.here.call("task.remove_from_other_config", .string(task), .string("paused"))
                try await pools.here.call(
                    "task.add_to_other_config", .string(task), .string("paused"), .string("false"))
                let status = try await pools.here.session.waitForTask(task)
                #expect(status.errorInfo.first == "SR_BACKEND_FAILURE_44", "\(status.errorInfo)")
                try await pools.awaitQuiet()
                #expect(try await TwoPools.machines(pools.here).map(\.ref) == [vm])
                #expect(try await pools.there.call("VDI.get_all").items == [])
                // Before anything is made it is said with the numbers.
                do {
                    _ = try await pools.send(vm, disks: [(vdi, destination.ref)])
                    Issue.record("a disk of 24 MiB was taken where there are 4")
                } catch let error as APIError {
                    #expect(
                        error.code == "SR_BACKEND_FAILURE_44" && error.wire.joined().contains("at least 25165824"),
                        "\(error)")
                }
            }
        }

        /// What speaks against a move is said with the same code before it begins and by the check, and nothing is made.
        @Test func whatSpeaksAgainstAMoveToAnotherPoolIsSaidBeforeAnythingIsMade() async throws {
            try await TwoPools.run { pools in
                let source = try await pools.here.makeRepository("a", formats: "qcow2")
                let destination = try await pools.there.makeRepository("b", formats: "vhd")
                let vdi = try await pools.here.makeDisk(in: source.ref, bytes: Self.bytes, format: "qcow2")
                let vm = try await Self.machine(pools.here, [vdi])
                let sr = destination.ref
                func refused(
                    _ disks: [(String, String)], formats: [(String, String)] = [], options: [(String, String)] = [],
                    token: WireValue? = nil, of machine: String? = nil
                ) async throws -> [String] {
                    var told: [[String]] = []
                    for name in ["VM.assert_can_migrate", "VM.migrate_send"] {
                        var given = token ?? .null
                        if token == nil { given = try await pools.token() }
                        do {
                            try await pools.here.call(
                                name, .string(machine ?? vm), given, .bool(true), TwoPools.map(disks), .members([]),
                                TwoPools.map(options), .members([]), TwoPools.map(formats))
                            told.append([])
                        } catch let error as APIError {
                            told.append(error.wire)
                        }
                    }
                    #expect(told[0] == told[1])
                    return told[0]
                }
                let go = [(vdi, sr)]
                let nowhere = "OpaqueRef:00000000-0000-4000-8000-000000000000"
                #expect(try await refused([]) == ["VDI_NOT_IN_MAP", vdi])
                #expect(try await refused([(vdi, nowhere)]) == ["HANDLE_INVALID", "SR", nowhere])
                #expect(
                    try await refused(go, formats: [(vdi, "vhdx")])
                        == ["VDI_INCOMPATIBLE_TYPE", vdi, "Expected one of 'raw', 'vhd', 'qcow2', got vhdx"])
                #expect(try await refused(go, options: [("force", "x")]) == ["INVALID_VALUE", "force", "x"])
                // A suspended machine's memory has to be there, too.
                let memory = try await pools.here.makeRepository("m", formats: "raw")
                let pool = try await pools.here.call("pool.get_all").items?.first?.text ?? ""
                try await pools.here.call("pool.set_suspend_image_SR", .string(pool), .string(memory.ref))
                try await pools.here.call("VM.start", .string(vm), .bool(false), .bool(false))
                try await pools.here.call("VM.suspend", .string(vm))
                let image = try await pools.here.text("VM.get_suspend_VDI", .string(vm))
                let plug = try await pools.here.call("SR.get_PBDs", .string(memory.ref)).items?.first ?? .null
                try await pools.here.call("PBD.unplug", plug)
                #expect(try await refused(go) == ["SUSPEND_IMAGE_NOT_ACCESSIBLE", image])
                try await pools.here.call("PBD.plug", plug)
                try await pools.here.call("VM.hard_shutdown", .string(vm))
                try await pools.here.call("VDI.set_on_boot", .string(vdi), .string("reset"))
                let reset = try await refused(go)
                #expect(reset == ["VDI_ON_BOOT_MODE_INCOMPATIBLE_WITH_OPERATION", vdi], "\(reset)")
                try await pools.here.call("VDI.set_on_boot", .string(vdi), .string("persist"))
                try await pools.here.call("VDI.add_to_sm_config", .string(vdi), .string("key_hash"), .string("x"))
                #expect(try await refused(go) == ["VDI_IS_ENCRYPTED", vdi])
                try await pools.here.call("VDI.remove_from_sm_config", .string(vdi), .string("key_hash"))
                // A disk that no VHD can hold, which would take no room as it is.
                let large = try await pools.here.makeDisk(in: source.ref, bytes: 3 << 40, format: "qcow2")
                _ = try await pools.here.makeVBD(vm: vm, vdi: large)
                let both = go + [(large, sr)]
                #expect(
                    try await refused(both, formats: [(large, "vhd")]) == ["VDI_TOO_LARGE", large, "2190433320960"])
                try await pools.here.call(
                    "VM.assert_can_migrate", .string(vm), try await pools.token(), .bool(true), TwoPools.map(both),
                    .members([]), .members([]), .members([]), TwoPools.map([(large, "VHD, qcow2")]))
                let host = try await pools.there.call("host.get_all").items?.first?.text ?? ""
                try await pools.there.call("host.disable", .string(host))
                #expect(try await refused(both, formats: [(large, "qcow2")]) == ["HOST_DISABLED", host])
                try await pools.there.call("host.enable", .string(host))
                let stale = WireValue.members(
                    (try await pools.token().members ?? []).map { member in
                        (name: member.name, value: member.name == "session_id" ? .string(nowhere) : member.value)
                    })
                // Not SESSION_INVALID, which clients would take for word of their own session.
                let over = try await refused(both, formats: [(large, "qcow2")], token: stale)
                #expect(over.prefix(2) == ["INVALID_VALUE", "dest"], "\(over)")
                #expect(over.last?.contains("host.migrate_receive") == true)
                try await pools.here.call("VDI.enable_cbt", .string(large))
                #expect(try await refused(both, formats: [(large, "qcow2")]) == ["VDI_CBT_ENABLED", large])
                try await pools.here.call("VDI.disable_cbt", .string(large))
                let connected = try await Self.connect(vm, pools)
                #expect(
                    try await refused(both, formats: [(large, "qcow2")], of: connected.vm)
                        == ["VIF_NOT_IN_MAP", connected.interfaces[0].ref])
                #expect(try RunningToolstack.images(destination.path) == [])
                #expect(try await pools.there.call("VDI.get_all").items == [])
                try await pools.awaitQuiet()
            }
        }
    }
}
