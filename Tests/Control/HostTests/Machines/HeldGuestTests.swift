import APITypes
import Guests
import PoolDatabase
import TestSupport
import Testing

@testable import Toolstack

/// A guest whose saving came to nothing, and that QEMU does not let go on.
@Suite struct HeldGuestTests {
    private func checkpoint(_ machine: SavedMachine, _ suspension: MachineSuspension) async throws {
        let copy = try machine.bench.database.read { try MachineCopy(machine.vm, $0) }
        let disks = MachineDisks(context: machine.bench.context, admission: suspension.admission)
        await #expect(throws: APIError("VM_CHECKPOINT_RESUME_FAILED", machine.vm.opaque)) {
            _ = try await suspension.checkpoint(copy, name: "c", with: disks, SavedMachine.call())
        }
    }

    private func suspend(_ machine: SavedMachine, _ suspension: MachineSuspension) async throws {
        // Somebody has paused it meanwhile, as far as the rows know.
        try await machine.bench.database.transaction { tx in try tx.set(machine.vm, VM.powerState, .paused) }
        await #expect(throws: APIError("VM_BAD_POWER_STATE", machine.vm.opaque, "running", "paused")) {
            try await suspension.suspend(machine.vm, SavedMachine.call())
        }
    }

    @Test(arguments: [true, false]) func aGuestThatQEMUHoldsIsNotForgottenByARestart(_ isCheckpoint: Bool) async throws
    {
        let machine = try await SavedMachine()
        defer { machine.guest.kill() }
        let first = try await machine.start()
        try await isCheckpoint ? checkpoint(machine, first) : suspend(machine, first)
        try await reach("the guest was told to go on") { machine.guest.orders > 0 }
        #expect(machine.phases == [.saving] && machine.images == 1)
        // Nor by one during which QEMU holds it still.
        let second = try await machine.start()
        let settlement = await second.settleGuests()
        _ = await second.sweep(besides: settlement.undecided)
        #expect(!machine.guest.runs && machine.phases == [.saving] && machine.images == 1)
        machine.guest.isStubborn = false
        _ = try await machine.start().settleGuests()
        try await reach("the guest runs") { machine.guest.runs }
        // Those that have waited for it see to its image.
        try await reach("its image is gone") { machine.images == 0 && machine.phases.isEmpty }
    }

    @Test func theImageGoesOnceTheGuestGoesOn() async throws {
        let machine = try await SavedMachine()
        defer { machine.guest.kill() }
        try await checkpoint(machine, try await machine.start())
        #expect(machine.phases == [.saving])
        machine.guest.isStubborn = false
        try await reach("its image is gone") { machine.images == 0 && machine.phases.isEmpty }
        #expect(machine.guest.runs)
    }
}
