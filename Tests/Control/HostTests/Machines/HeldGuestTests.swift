import APITypes
import CoreTypes
import Foundation
import Guests
import PoolDatabase
import StorageManagers
import TestSupport
import Testing

@testable import Toolstack

/// A guest whose saving came to nothing, and that QEMU does not let go on.
@Suite struct HeldGuestTests {
    /// A machine that runs, its guest, and what saves that.
    private struct Scene {
        let bench: StorageBench
        let vm = Ref<VM>.new()
        let guest: StubbornGuest
        let suspension: MachineSuspension

        init() async throws {
            bench = try await StorageBench([FileStorageManager()])
            let sr = try await bench.makeFolder("memory")
            let uuid = Fresh.uuid()
            guest = try StubbornGuest(uuid, runDirectory: bench.folder.file("r"))
            suspension = try await Self.start(bench)
            try await bench.database.transaction { [vm] tx in
                tx.insert(VM.self, ref: vm) { row in
                    (row[VM.uuid], row[VM.powerState], row[VM.suspendSR]) = (uuid, .running, sr)
                }
            }
        }

        /// As the toolstack does when it starts.
        static func start(_ bench: StorageBench) async throws -> MachineSuspension {
            let guests = GuestHost(runDirectory: bench.folder.file("r"), acceleration: .tcg)
            _ = await guests.adoptAll()
            return MachineSuspension(
                context: bench.context, admission: OperationAdmission(database: bench.database), guests: guests,
                lifecycle: MachineLifecycle(
                    context: bench.context, guests: guests,
                    consoles: ConsoleAccess(database: bench.database, guests: guests, host: bench.context.host)),
                program: try Tool.find("gantry-datapath"), folder: bench.folder.file("transfers"),
                patience: .milliseconds(50))
        }

        var phases: [SuspensionNote.Phase] { bench.database.read { SuspensionNote.all($0).values.map(\.phase) } }
        var images: Int { bench.disks().count }
    }

    private func checkpoint(_ scene: Scene) async throws {
        let machine = try scene.bench.database.read { try MachineCopy(scene.vm, $0) }
        let disks = MachineDisks(context: scene.bench.context, admission: scene.suspension.admission)
        let call = CallContext(session: .null, task: .null, progress: UnwatchedProgress())
        await #expect(throws: APIError("VM_CHECKPOINT_RESUME_FAILED", scene.vm.opaque)) {
            _ = try await scene.suspension.checkpoint(machine, name: "c", with: disks, call)
        }
    }

    private func suspend(_ scene: Scene) async throws {
        // Somebody has paused it meanwhile, as far as the rows know.
        try await scene.bench.database.transaction { tx in try tx.set(scene.vm, VM.powerState, .paused) }
        let call = CallContext(session: .null, task: .null, progress: UnwatchedProgress())
        await #expect(throws: APIError("VM_BAD_POWER_STATE", scene.vm.opaque, "running", "paused")) {
            try await scene.suspension.suspend(scene.vm, call)
        }
    }

    @Test(arguments: [true, false]) func aGuestThatQEMUHoldsIsNotForgottenByARestart(_ isCheckpoint: Bool) async throws
    {
        let scene = try await Scene()
        defer { scene.guest.kill() }
        try await isCheckpoint ? checkpoint(scene) : suspend(scene)
        #expect(scene.guest.orders > 0 && scene.phases == [.saving] && scene.images == 1)
        // Nor by one during which QEMU holds it still.
        let second = try await Scene.start(scene.bench)
        let settlement = await second.settleGuests()
        _ = await second.sweep(besides: settlement.undecided)
        #expect(!scene.guest.runs && scene.phases == [.saving] && scene.images == 1)
        scene.guest.isStubborn = false
        let third = try await Scene.start(scene.bench)
        _ = await third.settleGuests()
        #expect(scene.guest.runs && scene.phases != [.saved])
        // Those that have waited for it see to its image.
        while scene.images > 0 || !scene.phases.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
    }

    @Test func theImageGoesOnceTheGuestGoesOn() async throws {
        let scene = try await Scene()
        defer { scene.guest.kill() }
        try await checkpoint(scene)
        #expect(scene.phases == [.saving])
        scene.guest.isStubborn = false
        while scene.images > 0 || !scene.phases.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
        #expect(scene.guest.runs)
    }
}
