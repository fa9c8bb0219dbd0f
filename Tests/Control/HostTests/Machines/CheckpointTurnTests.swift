import APITypes
import Guests
import PoolDatabase
import StorageInterface
import Testing

@testable import Toolstack

/// What goes on beside a checkpoint, and what does not.
@Suite struct CheckpointTurnTests {
    @Test func snapshotsAreMadeWhileTheMemoryOfAMachineIsSaved() async throws {
        let machine = try await SavedMachine()
        let (bench, vm, guest) = (machine.bench, machine.vm, machine.guest)
        defer { guest.kill() }
        (guest.isStubborn, guest.isLively) = (false, true)
        let made = try await bench.call(
            "VDI.create",
            .record([
                APIMember("SR", .ref(machine.sr.opaque)), APIMember("virtual_size", .int(1 << 20)),
                APIMember("name_label", .string("disk")), APIMember("type", .string("user")),
                APIMember("sm_config", .map(["image-format": .string("raw")])),
            ]))
        let disk = try #require(Ref<VDI>(api: made))
        try await bench.database.transaction { tx in
            tx.insert(VBD.self, ref: .new()) { row in
                (row[VBD.uuid], row[VBD.type], row[VBD.vm], row[VBD.vdi]) = ("b", .disk, vm, disk)
            }
        }
        let suspension = try await machine.start(patience: .seconds(60))
        var table = MessageTable()
        MachineTreeMessages(
            context: bench.context, admission: suspension.admission, lifecycle: suspension.lifecycle,
            suspension: suspension
        ).register(in: &table)
        let messages = table.handlers
        @Sendable func call(_ message: String, _ task: Ref<XenTask>) async throws -> Ref<VM> {
            let handler = try #require(messages[message])
            let made = try await handler(SavedMachine.call(task), Arguments([.ref(vm.opaque), .string("n")]))
            return try #require(Ref<VM>(api: made))
        }
        func row(_ vm: Ref<VM>) throws -> Row { try bench.context.row(vm) }

        let task = Ref<XenTask>("OpaqueRef:t")
        let making = Task { try await call("VM.checkpoint", task) }
        while !guest.isSent { try await Task.sleep(for: .milliseconds(2)) }
        #expect(try bench.context.row(disk)[VDI.allowedOperations] == [.clone, .snapshot])
        let busy = APIError("OTHER_OPERATION_IN_PROGRESS", "VM", vm.opaque, "checkpoint", task.opaque)
        for operation in [VDIOperations.resize, .mirror, .destroy, .copy] {
            #expect(throws: busy) { try bench.database.read { try OperationClaim.vdi(disk, operation).check($0) } }
        }
        let snapshot = try await call("VM.snapshot", .null)
        guest.stand()
        let checkpoint = try await making.value
        #expect(guest.runs)
        #expect(try row(snapshot)[VM.powerState] == .halted && row(checkpoint)[VM.powerState] == .suspended)
        #expect(try row(checkpoint)[VM.parent] == snapshot && row(vm)[VM.parent] == checkpoint)

        // Rows and images are those of the second snapshot after the first.
        let attached = try bench.context.attached(machine.sr)
        let found = try await attached.manager.scan(attached.repository).volumes
        let rows = bench.disks().map { [$0[VDI.location], $0[VDI.smConfig]["vhd-parent"] ?? ""] }
        #expect(Set(rows) == Set(found.map { [$0.location, $0.parentUUID ?? ""] }))
        let now = try bench.context.row(disk)
        #expect(now[VDI.currentOperations].isEmpty && now[VDI.allowedOperations].contains(.resize))
        #expect(bench.database.read { MachineDisks.isClean($0) } && machine.phases == [])
    }
}
