import APITypes
import Foundation
import Guests
import PoolDatabase
import RPCCodec
import StorageManagers
import TestSupport
import Testing

@testable import Toolstack

/// What is kept of suspended guests beside their images, and what decides about those in between. Without a guest.
@Suite struct SuspendedGuestTests {
    private func note(_ phase: SuspensionNote.Phase, _ vm: String = "v") -> SuspensionNote {
        SuspensionNote(phase: phase, vm: vm)
    }

    /// An image from which the VM was resumed, and that is there still, says nothing of the guest once a new suspension has begun.
    @Test func oneNoteDecidesAboutAGuest() async throws {
        let (old, new, other) = (Ref<VDI>("old"), Ref<VDI>("new"), Ref<VDI>("other"))
        for phase in SuspensionNote.Phase.allCases {
            let notes = [old: note(.loaded), new: note(phase), other: note(.loaded, "w")]
            var expected: Set<Ref<VDI>> = [other]
            switch phase {
            case .saving, .saved, .loading: expected.insert(new)
            case .loaded: expected.formUnion([old, new])
            case .spent: expected.insert(old)
            }
            #expect(Set(SuspensionNote.deciding(notes).keys) == expected, "\(phase)")
        }
        let database = try await PoolDatabase.open(path: nil)
        let notes = try await database.transaction { tx in
            for (vdi, vm) in [(old, "v"), (other, "w")] {
                try SuspensionNote(phase: .loaded, vm: vm).write(of: vdi, in: tx)
            }
            // That of a suspension that failed: the guest has gone on since.
            try SuspensionNote(phase: .saving, vm: "v").write(of: Ref("failed"), in: tx)
            try SuspensionNote.spendOlder(of: "v", in: tx)
            try SuspensionNote(phase: .saving, vm: "v").write(of: new, in: tx)
            return SuspensionNote.all(tx)
        }
        #expect(
            notes == [old: note(.spent), Ref("failed"): note(.spent), new: note(.saving), other: note(.loaded, "w")])
    }

    /// An image that somebody has made, however whole it is, is not the one that the guest was saved into.
    @Test func anImageIsKnownByItsSums() throws {
        var writer = SuspendImageWriter()
        _ = try writer.head(description: Data("one".utf8))
        let guest = SuspendedGuest(
            vbds: [], head: SuspendedGuest.hex(writer.headSum), sum: SuspendedGuest.hex([1, 0xAB]))
        try guest.check(head: writer.headSum)
        try guest.check(sum: [1, 0xAB])
        var forged = SuspendImageWriter()
        _ = try forged.head(description: Data("two".utf8))
        #expect(throws: SuspendImage.Damage.self) { try guest.check(head: forged.headSum) }
        #expect(throws: SuspendImage.Damage.self) { try guest.check(sum: [1]) }
        // Of one that came from elsewhere nothing is known.
        try SuspendedGuest(vbds: []).check(head: forged.headSum)
        // The sum of the head is that of what was written so far.
        var first = SuspendImageWriter()
        let (head, piece) = (try first.head(description: Data("one".utf8)), first.piece([7]))
        #expect(first.headSum == writer.headSum && !head.isEmpty && !piece.isEmpty)
        let end = first.end()
        #expect(Array(end.suffix(32)) == first.wholeSum && first.wholeSum != first.headSum)
    }

    /// Of a guest of which only its image is known, that says where its drives are.
    @Test func aGuestHasTheDrivesThatItsImageNames() async throws {
        let database = try await PoolDatabase.open(path: nil)
        let drives = try await database.transaction { tx in
            for (uuid, type, position) in [
                ("disk", VBDType.disk, "0"), ("later", .disk, "2"), ("reader", .cd, "3"), ("other", .cd, "0"),
                ("odd", .disk, "xvda"),
            ] {
                tx.insert(VBD.self, ref: .new()) { row in
                    (row[VBD.uuid], row[VBD.type], row[VBD.userdevice]) = (uuid, type, position)
                }
            }
            return tx.rows(VBD.self)
        }
        var saved = GuestSpecification(
            uuid: "g", name: "g", memoryBytes: 1, vcpus: 1, boot: .disk,
            disks: [
                GuestDisk(id: "a", nbdSocket: "", exportName: "", readOnly: false, position: 0, bootable: true),
                GuestDisk(id: "b", nbdSocket: "", exportName: "", readOnly: false, position: 1, bootable: true),
            ], drives: [GuestDrive(id: "c", position: 3)])
        #expect(SuspendedGuest(of: saved, among: drives) == SuspendedGuest(vbds: ["disk", "reader"]))
        (saved.disks, saved.drives) = ([], nil)
        #expect(SuspendedGuest(of: saved, among: drives) == SuspendedGuest(vbds: []))
    }

    /// A machine whose guest is gone, of which nobody has told, can be shut down; and one with a disk being plugged is not suspended.
    @Test func aMachineWithoutItsGuestIsShutDown() async throws {
        let host = try await OperationHost()
        let (sr, _) = try await host.makeRepository("a")
        let vm = Ref<VM>(try await host.makeMachine())
        let vbd = Ref<VBD>(try await host.makeVBD(try await host.makeDisk(in: sr), in: vm.opaque))
        try await host.database.transaction { tx in
            try tx.set(vm, VM.uuid, Fresh.uuid())
            try tx.set(vm, VM.powerState, .running)
            try tx.set(vbd, VBD.currentOperations, ["T": .plug])
        }
        #expect(
            await host.refused("VM.suspend", .string(vm.opaque)) == [
                "OTHER_OPERATION_IN_PROGRESS", "VBD", vbd.opaque, "plug", "T",
            ])
        try await host.database.transaction { tx in
            try tx.set(vbd, VBD.currentOperations, [:])
            try tx.set(vbd, VBD.currentlyAttached, true)
        }
        #expect(await host.refused("VM.hard_shutdown", .string(vm.opaque)) == ["accepted"])
        host.database.read { reader in
            #expect(reader.row(vm)?[VM.powerState] == .halted)
            #expect(reader.row(vbd)?[VBD.currentlyAttached] == false)
        }
    }

    /// A guest that was loaded and that QEMU does not let run is in its image again, unless the VM has another guest by then.
    @Test func whatDidNotRunIsInItsImageAgain() async throws {
        let bench = try await StorageBench([FileStorageManager()])
        let guests = GuestHost(runDirectory: bench.folder.file("r"), acceleration: .tcg)
        let lifecycle = MachineLifecycle(
            context: bench.context, guests: guests,
            consoles: ConsoleAccess(database: bench.database, guests: guests, host: bench.context.host))
        let (vm, vbd, image) = (Ref<VM>.new(), Ref<VBD>.new(), Ref<VDI>.new())
        try await bench.database.transaction { tx in
            tx.insert(VDI.self, ref: image) { $0[VDI.type] = .suspend }
            tx.insert(VM.self, ref: vm) { row in
                (row[VM.uuid], row[VM.domid], row[VM.powerState]) = ("v", 7, .running)
            }
            tx.insert(VBD.self, ref: vbd) { row in
                row[VBD.vm] = vm
                row[VBD.currentlyAttached] = true
            }
            try note(.loaded).write(of: image, in: tx)
        }
        func state() -> VMPowerState? { bench.database.read { $0.row(vm)?[VM.powerState] } }
        #expect(try await !lifecycle.unresume(vm, image: image, domain: 6, cutOffs: 0))
        #expect(try await !lifecycle.unresume(vm, image: image, domain: 7, cutOffs: 1))
        #expect(state() == .running)
        #expect(try await lifecycle.unresume(vm, image: image, domain: 7, cutOffs: 0))
        #expect(state() == .suspended)
        bench.database.read { reader in
            #expect(reader.row(vm)?[VM.suspendVDI] == image && reader.row(vbd)?[VBD.currentlyAttached] == false)
            #expect(SuspensionNote.all(reader) == [image: note(.loading)])
        }
        // Not twice.
        #expect(try await !lifecycle.unresume(vm, image: image, domain: 7, cutOffs: 0))
    }

    @Test func aGuestThatDoesNotGiveUpADiskIsNamedWithIt() {
        let late = GuestError(.timedOut, "the guest's release of the disk took more than 30 s")
        let vbd = Ref<VBD>("b")
        #expect(ErrorMapping.api(late, vm: Ref("v"), unplugging: vbd) == APIError("DEVICE_DETACH_TIMEOUT", "VBD", "b"))
        #expect(ErrorMapping.api(late, vm: Ref("v")).code == "INTERNAL_ERROR")
        let other = GuestError(.disconnected, "QEMU ended")
        #expect(ErrorMapping.api(other, vm: Ref("v"), unplugging: vbd).code == "INTERNAL_ERROR")
    }

    @Test func whatHangsKeepsNobodyWaiting() async {
        let (gate, opened) = AsyncStream.makeStream(of: Void.self)
        let work = Task { for await _ in gate {} }
        #expect(await !BoundedWait.wait(for: work, atMost: .milliseconds(1)))
        opened.finish()
        #expect(await BoundedWait.wait(for: work, atMost: .seconds(3600)))
    }
}
