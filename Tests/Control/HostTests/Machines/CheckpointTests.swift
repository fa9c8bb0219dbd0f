import APITypes
import Foundation
import Guests
import PoolDatabase
import RPCCodec
import TestSupport
import Testing

@testable import Toolstack

/// Checkpoints, and what is made of them. Without a guest: the rows and the images are what a checkpoint leaves.
@Suite struct CheckpointTests {
    /// A halted machine with a disk, and a checkpoint of it.
    private struct Kept {
        let host: OperationHost
        let sr: String
        let vm: Ref<VM>
        let checkpoint: Ref<VM>
        let image: Ref<VDI>

        init() async throws {
            let host = try await OperationHost()
            self.host = host
            sr = try await host.makeRepository("a").sr
            let vm = Ref<VM>(try await host.makeMachine())
            self.vm = vm
            let disk = try await host.makeDisk(in: sr)
            let image = Ref<VDI>(try await host.makeDisk(in: sr))
            self.image = image
            _ = try await host.makeVBD(disk, in: vm.opaque)
            try await host.database.transaction { tx in
                try tx.set(vm, VM.uuid, Fresh.uuid())
                try tx.set(image, VDI.type, .suspend)
            }
            let checkpoint = Ref<VM>(
                try await host.ref("VM.snapshot", .string(vm.opaque), .string("c"), .array([])))
            self.checkpoint = checkpoint
            try await host.database.transaction { tx in
                let drives = tx.rows(VBD.self, where: VBD.vm, is: checkpoint).map { $0[VBD.uuid] }
                let memory = MachineMemory(image: image, guest: SuspendedGuest(vbds: Set(drives), head: "h", sum: "s"))
                try memory.give(
                    to: checkpoint, drives: Dictionary(uniqueKeysWithValues: drives.map { ($0, $0) }), in: tx)
            }
        }

        func images() -> Int {
            host.database.read { $0.rows(VDI.self) { $0[VDI.type] == .suspend && $0[VDI.managed] }.count }
        }

        /// Suspended, with an image of its own, and a guest that has its drives.
        func isWhole(_ machine: Ref<VM>) throws -> Bool {
            try host.database.read { reader in
                let row = try reader.require(machine)
                let drives = reader.rows(VBD.self, where: VBD.vm, is: machine).map { $0[VBD.uuid] }
                let expected = SuspendedGuest(vbds: Set(drives), head: "h", sum: "s")
                return row[VM.powerState] == .suspended && row[VM.suspendVDI] != image && drives.count == 1
                    && reader.row(row[VM.suspendVDI])?[VDI.type] == .suspend
                    && reader.row(row[VM.suspendVDI])?[VDI.snapshotOf].isNull == true
                    && SuspendedGuest.of(machine, reader) == expected
            }
        }
    }

    @Test func whatIsMadeOfACheckpointHasItsMemory() async throws {
        let kept = try await Kept()
        let (host, its) = (kept.host, WireValue.string(kept.checkpoint.opaque))
        #expect(try await host.operations("VM", kept.checkpoint.opaque).contains("clone"))
        let clone = Ref<VM>(try await host.ref("VM.clone", its, .string("clone")))
        #expect(try kept.isWhole(clone) && kept.images() == 2)
        // Of it a machine can be made that is resumed.
        #expect(
            await host.refused("VM.set_is_a_template", .string(clone.opaque), .bool(true)).first == "VM_BAD_POWER_STATE"
        )
        #expect(await host.refused("VM.set_is_a_template", .string(clone.opaque), .bool(false)) == ["accepted"])
        #expect(try await host.operations("VM", clone.opaque).contains("resume"))
        // It is no snapshot: whether it is copied further is for the pool to say.
        #expect(try await !host.operations("VM", clone.opaque).contains("clone"))
        let pool = try #require(host.database.read { $0.rows(Pool.self).first }).ref
        let key = WireValue.string("allow_clone_suspended_vm")
        _ = try await host.call("pool.add_to_other_config", .string(pool), key, .string("true"))
        #expect(try await host.operations("VM", clone.opaque).contains("clone"))
        let second = Ref<VM>(try await host.ref("VM.clone", .string(clone.opaque), .string("second")))
        #expect(try kept.isWhole(second) && kept.images() == 3)
        let third = Ref<VM>(try await host.ref("VM.checkpoint", .string(clone.opaque), .string("third")))
        #expect(try kept.isWhole(third) && kept.images() == 4)
        #expect(host.database.read { $0.row(third)?[VM.snapshotOf] } == clone)

        // A revert, and another one: the memory that the machine had goes.
        for _ in 1...2 {
            #expect(await host.refused("VM.revert", its) == ["accepted"])
            #expect(try kept.isWhole(kept.vm) && kept.images() == 5)
        }
        for machine in [kept.checkpoint, clone, second, third] {
            #expect(await host.refused("VM.destroy", .string(machine.opaque)) == ["accepted"])
        }
        #expect(kept.images() == 1)
        #expect(host.database.read { MachineDisks.isClean($0) && SuspensionNote.all($0).isEmpty })
        await host.toolstack.stop()
    }

    @Test func whatACheckpointHasIsKeptForIt() async throws {
        let kept = try await Kept()
        let (host, image) = (kept.host, kept.image)
        let disk = try #require(
            host.database.read { $0.rows(VBD.self, where: VBD.vm, is: kept.checkpoint).first?[VBD.vdi] })
        #expect(await host.refused("VDI.destroy", .string(image.opaque)) == ["VDI_IN_USE", image.opaque, "destroy"])
        #expect(await host.refused("VDI.destroy", .string(disk.opaque)) == ["VDI_IN_USE", disk.opaque, "destroy"])
        // Others may read its disk, and nobody its memory.
        try host.database.read { reader in
            let facts = OperationFacts(reader)
            let other = try #require(reader.rows(VBD.self, where: VBD.vm, is: kept.vm).first)
            #expect(facts.disk(try reader.require(disk), besides: other).otherUsers == [])
            #expect(facts.disk(try reader.require(image), besides: other).otherUsers == [.rw])
        }
        // A record of what is to go does not take a machine's memory along.
        try await host.database.transaction { tx in try MachineDisks.retire([image], "k", in: tx) }
        _ = try await host.ref("VM.snapshot", .string(kept.vm.opaque), .string("swept"), .array([]))
        #expect(host.database.read { $0.row(image) } != nil)
        // Nor is a checkpoint of any use whose memory is gone.
        try await host.database.transaction { tx in tx.delete(image) }
        for message in ["VM.revert", "VM.clone", "VM.copy"] {
            let more: [WireValue] =
                message == "VM.revert" ? [] : [.string("n")] + (message == "VM.copy" ? [.string("OpaqueRef:NULL")] : [])
            let outcome = await host.toolstack.dispatcher.call(
                method: message, params: [.string(host.session), .string(kept.checkpoint.opaque)] + more)
            #expect(outcome == .failure(APIError("SUSPEND_IMAGE_NOT_ACCESSIBLE", image.opaque)), "\(message)")
        }
        #expect(await host.refused("VM.hard_shutdown", .string(kept.checkpoint.opaque)) == ["accepted"])
        #expect(await host.refused("VM.revert", .string(kept.checkpoint.opaque)) == ["accepted"])
        #expect(host.database.read { $0.row(kept.vm)?[VM.powerState] } == .halted)
        await host.toolstack.stop()
    }

    /// What a guest changes while it is saved makes the image larger: it has to stand before that is more than there is room for.
    @Test func aGuestThatChangesMuchHasToStand() {
        let memory: UInt64 = 1 << 30
        func mustStand(_ rounds: UInt64, _ sent: UInt64, _ status: String = "active") -> Bool {
            var transfer = MemoryTransfer()
            (transfer.status, transfer.rounds, transfer.sentBytes) = (status, rounds, sent)
            return SavingSteps.mustStand(transfer, memory: memory)
        }
        #expect(!mustStand(1, memory - 1) && !mustStand(3, memory / 2))
        #expect(mustStand(1, memory) && mustStand(4, memory / 2))
        for status in ["setup", "pre-switchover", "device", "completed"] { #expect(!mustStand(9, memory, status)) }
        // All that was sent until then, and all of it once more.
        #expect(SavingSteps.size(memory: memory) > 2 * memory + 256 << 20)
        let (live, still) = (SavingSteps(isLive: true).limits(memory: memory), SavingSteps().limits(memory: memory))
        #expect(live.downtime == SavingSteps.downtime && live.bytesPerSecond == nil)
        #expect(still.downtime == .seconds(2000) && still.bytesPerSecond == 32 << 20)
    }
}
