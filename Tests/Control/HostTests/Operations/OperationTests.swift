import APITypes
import CoreTypes
import PoolDatabase
import RPCCodec
import TestSupport
import Testing

@testable import Toolstack

/// Messages that take an object against each other, through the whole toolstack.
@Suite struct OperationTests {
    /// What a disk allows that nobody uses.
    private static let idle = [
        "clone", "copy", "resize", "resize_online", "snapshot", "destroy", "forget", "update",
    ]

    @Test func whatIsAttachedRefusesWhatWouldHurtIt() async throws {
        let host = try await OperationHost()
        let (sr, pbd) = try await host.makeRepository("a")
        let vdi = try await host.makeDisk(in: sr)
        let vbd = try await host.makeVBD(vdi, in: host.domain)
        #expect(try await host.operations("VDI", vdi) == Self.idle)
        #expect(try await host.operations("VBD", vbd) == ["attach", "plug"])
        #expect(await host.refused("VBD.unplug", .string(vbd)) == ["DEVICE_ALREADY_DETACHED", vbd])

        _ = try await host.call("VBD.plug", .string(vbd))
        #expect(try await host.operations("VBD", vbd) == ["attach", "unplug", "unplug_force"])
        #expect(try await host.operations("VDI", vdi) == ["clone", "resize_online", "snapshot"])
        #expect(await host.refused("VBD.plug", .string(vbd)) == ["DEVICE_ALREADY_ATTACHED", vbd])
        #expect(await host.refused("VBD.destroy", .string(vbd)) == ["DEVICE_ALREADY_ATTACHED", vbd])
        #expect(await host.refused("VBD.eject", .string(vbd)) == ["VBD_NOT_REMOVABLE_MEDIA", vbd])
        for method in ["destroy", "forget", "update"] {
            #expect(await host.refused("VDI.\(method)", .string(vdi)) == ["VDI_IN_USE", vdi, method])
        }
        #expect(await host.refused("VDI.resize", .string(vdi), .string("4194304")) == ["accepted"])
        #expect(await host.refused("PBD.unplug", .string(pbd)) == ["VDI_IN_USE", vdi, "PBD.unplug"])
        #expect(await host.refused("PBD.destroy", .string(pbd)) == ["SR_HAS_PBD", sr])
        for method in ["SR.forget", "SR.destroy"] {
            #expect(await host.refused(method, .string(sr)) == ["SR_HAS_PBD", sr])
        }
        // A second VBD of the disk may be asked for, and gets the disk when the first is gone.
        let second = try await host.makeVBD(vdi, in: host.domain)
        #expect(await host.refused("VBD.plug", .string(second)) == ["VDI_IN_USE", vdi])

        _ = try await host.call("VBD.unplug", .string(vbd))
        #expect(try await host.operations("VDI", vdi) == Self.idle)
        for (name, ref) in [("VBD", vbd), ("VDI", vdi), ("SR", sr), ("VM", host.domain)] {
            #expect(try await host.operations(name, ref, "current_operations") == [], "\(name)")
        }
        await host.toolstack.stop()
    }

    @Test func repositoriesGoOnlyUnpluggedAndEmpty() async throws {
        let host = try await OperationHost()
        let (sr, pbd) = try await host.makeRepository("a")
        let vdi = try await host.makeDisk(in: sr)
        #expect(try await host.operations("SR", sr).contains("destroy") == false)
        _ = try await host.call("PBD.unplug", .string(pbd))
        #expect(try await host.operations("SR", sr).starts(with: ["scan", "forget"]))
        #expect(try await host.operations("VDI", vdi) == Self.idle.filter { !$0.hasPrefix("resize") })
        #expect(await host.refused("VDI.resize", .string(vdi), .string("4194304")) == ["SR_HAS_NO_PBDS", sr])
        #expect(await host.refused("SR.destroy", .string(sr)) == ["SR_NOT_EMPTY"])
        _ = try await host.call("PBD.plug", .string(pbd))
        _ = try await host.call("VDI.destroy", .string(vdi))
        _ = try await host.call("PBD.unplug", .string(pbd))
        #expect(try await host.operations("SR", sr).starts(with: ["scan", "destroy", "forget"]))
        _ = try await host.call("PBD.destroy", .string(pbd))
        #expect(await host.refused("SR.destroy", .string(sr)) == ["SR_HAS_NO_PBDS", sr])
        _ = try await host.call("SR.forget", .string(sr))
        #expect(await host.refused("SR.get_record", .string(sr)) == ["HANDLE_INVALID", "SR", sr])
        await host.toolstack.stop()
    }

    @Test func machinesSayWhatTheirStateAllows() async throws {
        let host = try await OperationHost()
        let vm = try await host.makeMachine()
        let vbd = try await host.makeVBD(try await host.makeDisk(in: try await host.makeRepository("a").sr), in: vm)
        func allowed() async throws -> [String] { try await host.operations("VM", vm) }
        #expect(try await allowed().starts(with: ["snapshot", "clone", "copy", "start", "start_on"]))
        #expect(try await host.operations("VBD", vbd) == ["attach"])
        #expect(
            await host.refused("VM.hard_shutdown", .string(vm)) == [
                "VM_BAD_POWER_STATE", vm, "paused, suspended, running", "halted",
            ])
        #expect(await host.refused("VBD.plug", .string(vbd)) == ["VM_BAD_POWER_STATE", vm, "running", "halted"])
        _ = try await host.call("VM.add_to_blocked_operations", .string(vm), .string("start"), .string("BY_TEST"))
        #expect(try await allowed().starts(with: ["snapshot", "clone", "copy", "start_on"]))
        let start: [WireValue] = [.string(vm), .bool(false), .bool(false)]
        #expect(await host.refused("VM.start", start[0], start[1], start[2]) == ["OPERATION_BLOCKED", vm, "BY_TEST"])
        _ = try await host.call("VM.remove_from_blocked_operations", .string(vm), .string("start"))
        _ = try await host.call("VM.set_is_a_template", .string(vm), .bool(true))
        #expect(await host.refused("VM.start", start[0], start[1], start[2]) == ["VM_IS_TEMPLATE", vm, "start"])
        _ = try await host.call("VM.set_is_a_template", .string(vm), .bool(false))
        _ = try await host.call("host.disable", .string(host.host))
        #expect(try await host.operations("host", host.host) == ["enable"])
        #expect(await host.refused("VM.start", start[0], start[1], start[2]) == ["HOST_DISABLED", host.host])
        #expect(try await host.call("VM.get_possible_hosts", .string(vm)) == .set([]))
        _ = try await host.call("host.enable", .string(host.host))
        #expect(try await host.operations("host", host.host) == ["vm_start", "vm_resume", "enable"])

        // As a guest that runs would have it.
        try await host.database.transaction { tx in try tx.set(Ref<VM>(vm), VM.powerState, .running) }
        #expect(
            try await allowed() == [
                "snapshot", "checkpoint", "pause", "clean_shutdown", "clean_reboot", "hard_shutdown", "hard_reboot",
                "suspend", "migrate_send", "shutdown", "metadata_export",
            ])
        #expect(try await host.operations("VBD", vbd) == ["attach", "plug"])
        #expect(
            await host.refused("VM.start", start[0], start[1], start[2]) == [
                "VM_BAD_POWER_STATE", vm, "halted", "running",
            ])
        #expect(
            await host.refused("VM.destroy", .string(vm)) == ["VM_BAD_POWER_STATE", vm, "halted, suspended", "running"])
        // A reset of the power state is for emergencies: it can be had, and is not offered.
        for operation in VMOperations.allCases where operation != .powerStateReset {
            let answer = await host.refused("VM.assert_operation_valid", .string(vm), .string(operation.rawValue))
            #expect((answer == ["accepted"]) == (try await allowed().contains(operation.rawValue)), "\(operation)")
        }
        #expect(
            await host.refused("VM.assert_operation_valid", .string(vm), .string("pool_migrate")).first
                == "NOT_IMPLEMENTED")
        _ = try await host.call("VM.update_allowed_operations", .string(vm))
        #expect(
            await host.refused("VM.clean_shutdown", .string(host.domain)) == [
                "OPERATION_NOT_ALLOWED", "the control domain is the host itself",
            ])
        #expect(
            await host.refused("VM.destroy", .string(host.domain)) == [
                "VM_BAD_POWER_STATE", host.domain, "halted, suspended", "running",
            ])
        await host.toolstack.stop()
    }

    @Test func processorsAndMemoryTakeNumbersThatMakeSenseOnly() async throws {
        let host = try await OperationHost()
        let vm = try await host.makeMachine()
        let set = { (method: String, value: Int) async -> [String] in
            await host.refused(method, .string(vm), .string(String(value)))
        }
        #expect(await set("VM.set_VCPUs_max", 0) == ["INVALID_VALUE", "VCPUs_max", "0"])
        #expect(await set("VM.set_VCPUs_at_startup", -1) == ["INVALID_VALUE", "VCPUs_at_startup", "-1"])
        let tooMany = ["VALUE_NOT_SUPPORTED", "VCPUs_at_startup"]
        #expect(await set("VM.set_VCPUs_at_startup", 3) == tooMany + ["3", "value greater than VCPUs_max"])
        #expect(await set("VM.set_VCPUs_max", 4) == ["accepted"])
        #expect(await set("VM.set_VCPUs_at_startup", 3) == ["accepted"])
        #expect(await set("VM.set_VCPUs_max", 2) == tooMany + ["3", "value greater than VCPUs_max"])
        #expect(await set("VM.set_memory_static_min", -1).first == "MEMORY_CONSTRAINT_VIOLATION")
        #expect(await set("VM.set_memory", 1 << 28) == ["accepted"])
        _ = try await host.call("VM.add_to_blocked_operations", .string(vm), .string("changing_VCPUs"), .string("NO"))
        #expect(await set("VM.set_VCPUs_max", 8) == ["OPERATION_BLOCKED", vm, "NO"])
        _ = try await host.call("VM.remove_from_blocked_operations", .string(vm), .string("changing_VCPUs"))
        try await host.database.transaction { tx in try tx.set(Ref<VM>(vm), VM.powerState, .running) }
        let running = ["VM_BAD_POWER_STATE", vm, "halted", "running"]
        for method in ["VM.set_VCPUs_max", "VM.set_VCPUs_at_startup", "VM.set_memory", "VM.set_memory_dynamic_min"] {
            #expect(await set(method, 2) == running, "\(method)")
        }
        #expect(await set("VM.set_VCPUs_number_live", 2).first == "NOT_IMPLEMENTED")
        await host.toolstack.stop()
    }

    /// VM.create takes what templates are made of; what makes no sense is said when the VM is to start.
    @Test func aMachineThatMakesNoSenseDoesNotStart() async throws {
        let host = try await OperationHost()
        let vm = Ref<VM>(try await host.makeMachine())
        let much: Int64 = 1 << 28
        let outOfOrder = MachineValidity.memoryOutOfOrder.wire
        let table: [(most: Int64, atStartup: Int64, low: Int64, high: Int64, expected: [String])] = [
            (0, 1, 0, much, ["INVALID_VALUE", "VCPUs_max", "0"]),
            (1, 0, 0, much, ["INVALID_VALUE", "VCPUs_at_startup", "0"]),
            (1, 2, 0, much, ["VALUE_NOT_SUPPORTED", "VCPUs_at_startup", "2", "value greater than VCPUs_max"]),
            (1, 1, much, much - 1, outOfOrder), (1, 1, -1, much, outOfOrder),
        ]
        for (most, atStartup, low, high, expected) in table {
            try await host.database.transaction { tx in
                try tx.set(vm, VM.vcpusMax, most)
                try tx.set(vm, VM.vcpusAtStartup, atStartup)
                try tx.set(vm, VM.memoryStaticMin, low)
                try tx.set(vm, VM.memoryStaticMax, high)
            }
            let start = await host.refused("VM.start", .string(vm.opaque), .bool(false), .bool(false))
            #expect(start == expected)
            let question = await host.refused("VM.assert_can_boot_here", .string(vm.opaque), .string(host.host))
            #expect(question == expected)
        }
        #expect(try await host.operations("VM", vm.opaque, "current_operations") == [])
        await host.toolstack.stop()
    }

    @Test func aMachineBootsFromFilesOfTheHostsFoldersOnly() async throws {
        let host = try await OperationHost()
        let vm = Ref<VM>(try await host.makeMachine())
        func start() async -> [String] {
            await host.refused("VM.start", .string(vm.opaque), .bool(false), .bool(false))
        }
        try await host.database.transaction { tx in try tx.set(vm, VM.pvKernel, "/etc/passwd") }
        let reason = "Is not in any of the allowed kernel directories: [/var/lib/xcp/guest/]"
        #expect(await start() == ["INVALID_VALUE", "kernel", "/etc/passwd", reason])
        try await host.database.transaction { tx in try tx.set(vm, VM.pvKernel, "/etc/no such file") }
        #expect(await start() == ["INVALID_VALUE", "kernel", "/etc/no such file", "File does not exist"])
        #expect(try await host.operations("VM", vm.opaque, "current_operations") == [])
        await host.toolstack.stop()
    }

    /// A machine without a system does not hear the power button: real guests, that do nothing.
    @Test func aGuestThatDoesNotListenIsCutOffWhereThatWasAskedFor() async throws {
        let host = try await OperationHost(shutdownLimit: 1)
        let vm = try await host.makeMachine()
        _ = try await host.call("VM.start", .string(vm), .bool(false), .bool(false))
        for message in ["VM.clean_shutdown", "VM.clean_reboot"] {
            #expect(await host.refused(message, .string(vm)) == ["VM_SHUTDOWN_TIMEOUT", vm, "1"])
        }
        #expect(try await host.call("VM.get_power_state", .string(vm)) == .string("Running"))
        let domain = try await host.call("VM.get_domid", .string(vm))
        _ = try await host.call("VM.hard_reboot", .string(vm))
        #expect(try await host.call("VM.get_power_state", .string(vm)) == .string("Running"))
        #expect(try await host.call("VM.get_domid", .string(vm)) != domain)
        _ = try await host.call("VM.shutdown", .string(vm))
        #expect(try await host.call("VM.get_power_state", .string(vm)) == .string("Halted"))
        #expect(try await host.operations("VM", vm, "current_operations") == [])
        await host.toolstack.stop()
    }

    /// Whoever has a disk keeps what they were told when they got it.
    @Test func theFlagsOfAnAttachedDiskStay() async throws {
        let host = try await OperationHost()
        let sr = try await host.makeRepository("a").sr
        let (vdi, vm) = (try await host.makeDisk(in: sr), try await host.makeMachine())
        let vbd = try await host.makeVBD(vdi, in: vm)
        func set(_ name: String, _ value: WireValue) async -> [String] {
            await host.refused("VDI.set_\(name)", .string(vdi), value)
        }
        for value in [true, false] {
            #expect(await set("read_only", .bool(value)) == ["accepted"])
            #expect(await set("sharable", .bool(value)) == ["accepted"])
        }
        for value in ["reset", "persist"] { #expect(await set("on_boot", .string(value)) == ["accepted"]) }
        #expect(await host.refused("VBD.set_mode", .string(vbd), "RO") == ["accepted"])
        #expect(await host.refused("VBD.set_mode", .string(vbd), "RW") == ["accepted"])
        // As a guest that runs would have it.
        try await host.database.transaction { tx in
            try tx.set(Ref<VM>(vm), VM.powerState, .running)
            try tx.set(Ref<VBD>(vbd), VBD.currentlyAttached, true)
        }
        #expect(await set("read_only", .bool(true)) == ["VDI_IN_USE", vdi, "set_read_only"])
        #expect(await set("sharable", .bool(true)) == ["VDI_IN_USE", vdi, "set_sharable"])
        #expect(await set("on_boot", "reset") == ["VDI_IN_USE", vdi, "set_on_boot"])
        #expect(await set("read_only", .bool(false)) == ["accepted"])
        let mode = await host.refused("VBD.set_mode", .string(vbd), "RO")
        #expect(mode == ["VM_BAD_POWER_STATE", vm, "halted", "running"])
        let ours = try await host.makeVBD(vdi, in: host.domain)
        #expect(await host.refused("VBD.set_mode", .string(ours), "RO") == ["accepted"])
        try await host.database.transaction { tx in try tx.set(Ref<VBD>(ours), VBD.reserved, true) }
        #expect(await host.refused("VBD.set_mode", .string(ours), "RW") == ["DEVICE_ALREADY_ATTACHED", ours])
        let other = try await host.makeDisk(in: sr)
        let admitted = try await host.admission.begin([.vdi(Ref(other), .resize)], task: Ref("OpaqueRef:t"))
        let busy = await host.refused("VDI.set_sharable", .string(other), .bool(true))
        #expect(busy == ["OTHER_OPERATION_IN_PROGRESS", "VDI", other, "resize", "OpaqueRef:t"])
        await host.admission.end(admitted)
        let drive = try await host.makeVBD(other, in: vm)
        try await host.database.transaction { tx in try tx.set(Ref<VBD>(drive), VBD.type, .cd) }
        #expect(await host.refused("VBD.set_mode", .string(drive), "RW") == ["VBD_CDS_MUST_BE_READONLY"])
        await host.toolstack.stop()
    }

    /// Each reader of objects tells the same, and a client that waits for events is told of every change.
    @Test func everyReaderAndTheEventsTellTheSame() async throws {
        let host = try await OperationHost()
        let (sr, _) = try await host.makeRepository("a")
        let vdi = try await host.makeDisk(in: sr)
        let vbd = try await host.makeVBD(vdi, in: host.domain)
        func told(_ className: String, _ ref: String, since token: String) async throws -> (APIValue?, String) {
            let answer = try await host.call(
                "event.from", .array([.string("\(className)/\(ref)")]), .string(token), .double(5))
            guard case .set(let events)? = answer["events"] else { throw APIError.internalError("no events") }
            return (
                events.last?["snapshot"]?["allowed_operations"], answer["token"].flatMap { String(api: $0) } ?? ""
            )
        }
        var tokens: [String: String] = [:]
        for step in 0..<3 {
            if step == 1 { _ = try await host.call("VBD.plug", .string(vbd)) }
            if step == 2 { _ = try await host.call("VBD.unplug", .string(vbd)) }
            for (name, ref) in [("VBD", vbd), ("VDI", vdi)] {
                let field = try await host.call("\(name).get_allowed_operations", .string(ref))
                let (event, token) = try await told(name.lowercased(), ref, since: tokens[ref] ?? "")
                tokens[ref] = token
                let record = try await host.call("\(name).get_record", .string(ref))["allowed_operations"]
                let all = try await host.call("\(name).get_all_records")[ref]?["allowed_operations"]
                #expect(event == field && record == field && all == field, "\(name), step \(step)")
            }
        }
        await host.toolstack.stop()
    }

    @Test func aConflictIsNamedWithItsTask() async throws {
        let host = try await OperationHost()
        let (sr, pbd) = try await host.makeRepository("a")
        let (other, _) = try await host.makeRepository("b")
        let vdi = try await host.makeDisk(in: sr, bytes: 8 << 20)
        let conflict = { (name: String, ref: String, operation: String, task: String) in
            ["OTHER_OPERATION_IN_PROGRESS", name, ref, operation, task]
        }
        let admitted = try await host.admission.begin([.vdi(Ref(vdi), .resize)], task: Ref("OpaqueRef:t"))
        #expect(try await host.operations("VDI", vdi) == [])
        #expect(try await host.operations("VDI", vdi, "current_operations") == ["resize"])
        #expect(try await host.operations("SR", sr, "current_operations") == ["vdi_resize"])
        #expect(await host.refused("VDI.destroy", .string(vdi)) == conflict("VDI", vdi, "resize", "OpaqueRef:t"))
        #expect(await host.refused("PBD.unplug", .string(pbd)) == conflict("SR", sr, "vdi_resize", "OpaqueRef:t"))
        // Other disks of the SR are not held up.
        _ = try await host.call("VDI.destroy", .string(try await host.makeDisk(in: sr)))
        _ = try await host.call("SR.scan", .string(sr))
        await host.admission.end(admitted)
        #expect(try await host.operations("VDI", vdi) == Self.idle)

        // A move holds its disk and both SRs under its task, and lets them go when it is cancelled.
        let options: WireValue = .structure([WireMember("bytes-per-second", .string("65536"))])
        let task = try await host.ref("Async.VDI.pool_migrate", .string(vdi), .string(other), options)
        while try await host.operations("VDI", vdi, "current_operations").isEmpty { await Task.yield() }
        #expect(try await host.operations("task", task) == ["cancel"])
        #expect(await host.refused("VDI.destroy", .string(vdi)) == conflict("VDI", vdi, "mirror", task))
        #expect(await host.refused("PBD.unplug", .string(pbd)) == conflict("SR", sr, "vdi_mirror", task))
        #expect(try await host.operations("SR", other, "current_operations") == ["vdi_mirror"])
        _ = try await host.call("task.cancel", .string(task))
        while try await host.call("task.get_status", .string(task)) == .string("pending") {
            try await Task.sleep(for: .milliseconds(10))
        }
        #expect(try await host.operations("task", task) == [])
        for (name, ref) in [("VDI", vdi), ("SR", sr), ("SR", other)] {
            #expect(try await host.operations(name, ref, "current_operations") == [], "\(name)")
        }
        _ = try await host.call("VDI.destroy", .string(vdi))
        await host.toolstack.stop()
    }

    /// A guest that ends to boot again does so while its disks move, as it could be asked to.
    @Test func aGuestBootsAgainBesideAMoveOfItsDisks() async throws {
        let host = try await OperationHost()
        let vm = Ref<VM>(try await host.makeMachine())
        let move = try await host.admission.begin([.vm(vm, .migrateSend)], task: .null)
        await #expect(throws: APIError.self) { try await host.admission.begin([.vm(vm, .start)], task: .null) }
        let start = try await host.admission.begin([.bootAgain(vm)], task: .null)
        #expect(try await host.operations("VM", vm.opaque, "current_operations").sorted() == ["migrate_send", "start"])
        await #expect(throws: APIError.self) { try await host.admission.begin([.bootAgain(vm)], task: .null) }
        await host.admission.end(start)
        await host.admission.end(move)
        await host.toolstack.stop()
    }

    /// Calls for the same disk at once: each is done or refused by name, and nothing stays behind.
    @Test func callsAtOnceAreDoneOrRefusedByName() async throws {
        let host = try await OperationHost()
        let (sr, _) = try await host.makeRepository("a")
        let vdi = try await host.makeDisk(in: sr)
        let outcomes = await withTaskGroup(of: [String].self) { group in
            for step in 1...20 {
                group.addTask {
                    await host.refused("VDI.resize", .string(vdi), .string(String((1 + step) << 20)))
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(outcomes.contains(["accepted"]))
        for outcome in outcomes where outcome != ["accepted"] {
            // The driver refuses to make a disk smaller.
            let isConflict = outcome.starts(with: ["OTHER_OPERATION_IN_PROGRESS", "VDI", vdi, "resize"])
            #expect(isConflict || outcome.first?.hasPrefix("SR_BACKEND_FAILURE_") == true, "\(outcome)")
        }
        #expect(try await host.operations("VDI", vdi, "current_operations") == [])
        #expect(try await host.operations("SR", sr, "current_operations") == [])
        // A failure ends its operation too.
        #expect(await host.refused("VDI.resize", .string(vdi), .string("512")).first?.hasPrefix("SR_BACKEND") == true)
        #expect(try await host.operations("VDI", vdi, "current_operations") == [])
        await host.toolstack.stop()
    }

    /// A toolstack that ends in the middle of operations leaves none behind: they are not in its files.
    @Test func nothingIsInProgressAfterARestart() async throws {
        let folder = try ScratchFolder("ops")
        let (vdi, vbd) = try await leaveOperations(in: folder)
        let host = try await OperationHost(in: folder)
        host.database.read { reader in
            for row in reader.rows(VDI.self) { #expect(row[VDI.currentOperations] == [:]) }
            for row in reader.rows(SR.self) { #expect(row[SR.currentOperations] == [:]) }
            for row in reader.rows(VM.self) { #expect(row[VM.currentOperations] == [:]) }
        }
        #expect(try await host.operations("VDI", vdi) == Self.idle)
        #expect(try await host.operations("VBD", vbd) == ["attach", "plug"])
        let repositories = host.database.read { reader in reader.rows(SR.self).map { $0[SR.allowedOperations].first } }
        #expect(repositories == [.scan])
        #expect(try await host.operations("host", host.host) == ["vm_start", "vm_resume", "enable"])
        _ = try await host.call("VDI.destroy", .string(vdi))
        await host.toolstack.stop()
    }

    /// The toolstack, and its hold of the folder, are gone when this returns.
    private func leaveOperations(in folder: ScratchFolder) async throws -> (vdi: String, vbd: String) {
        let host = try await OperationHost(in: folder)
        let vdi = try await host.makeDisk(in: try await host.makeRepository("a").sr)
        let vbd = try await host.makeVBD(vdi, in: host.domain)
        _ = try await host.admission.begin(
            [.vdi(Ref(vdi), .resize), .vm(Ref(try await host.makeMachine()), .start)], task: Ref("OpaqueRef:t"))
        #expect(await host.refused("VDI.destroy", .string(vdi)).first == "OTHER_OPERATION_IN_PROGRESS")
        await host.toolstack.stop()
        return (vdi, vbd)
    }

    /// Only where somebody listens can a task be cancelled, and a client that does it anyway is told.
    @Test func onlyTasksThatListenCanBeCancelled() async throws {
        let host = try await OperationHost()
        let deaf = try await host.toolstack.dispatcher.tasks.start(
            "deaf", session: Ref(host.session), isCancellable: false)
        #expect(try await host.operations("task", deaf.ref.opaque) == [])
        #expect(await host.refused("task.cancel", .string(deaf.ref.opaque)).first == "OPERATION_NOT_ALLOWED")
        await #expect(throws: APIError.self) { try await host.toolstack.dispatcher.tasks.adopt(deaf.ref) }
        #expect(!deaf.cancellation.isCancelled)
        await host.toolstack.dispatcher.tasks.finish(deaf, .success(.void), keep: false)
        await host.toolstack.stop()
    }
}
