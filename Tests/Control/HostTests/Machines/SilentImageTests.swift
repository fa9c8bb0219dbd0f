import APITypes
import CLinux
import CoreTypes
import Foundation
import PoolDatabase
import TestSupport
import Testing

@testable import Toolstack

/// Images of memory whose storage takes nothing, gives nothing and says nothing: a program that only waits stands for who
/// writes or reads them. Whoever cancels is not kept waiting for it.
@Suite struct SilentImageTests {
    private func program(_ folder: ScratchFolder) throws -> String {
        let path = folder.file("silent")
        try Data("#!/bin/sh\nexec sleep 3600\n".utf8).write(to: URL(fileURLWithPath: path))
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
        return path
    }

    private func silent(_ suspension: MachineSuspension, _ folder: ScratchFolder) throws -> MachineSuspension {
        MachineSuspension(
            context: suspension.context, admission: suspension.admission, guests: suspension.guests,
            lifecycle: suspension.lifecycle, program: try program(folder), folder: suspension.folder,
            patience: suspension.patience)
    }

    @Test func aGuestGoesOnWhoseSuspensionIsCancelled() async throws {
        let machine = try await SavedMachine()
        defer { machine.guest.kill() }
        gantry_ignore_sigpipe()
        machine.guest.isStubborn = false
        let suspension = try silent(try await machine.start(), machine.bench.folder)
        let call = SavedMachine.call()
        let work = Task { try await suspension.suspend(machine.vm, call) }
        try await reach("the guest is handed over") { machine.guest.isHandedOver }
        call.progress.cancellation.cancel()
        await #expect(throws: CancellationError.self) { try await work.value }
        try await reach("the guest runs") { machine.guest.runs }
        try await reach("nothing is left of the suspension") { machine.images == 0 && machine.phases.isEmpty }
    }

    @Test func aResumptionThatIsCancelledEnds() async throws {
        let machine = try await SavedMachine()
        defer { machine.guest.kill() }
        let bench = machine.bench
        let made = try await bench.call(
            "VDI.create",
            .record([
                APIMember("SR", .ref(machine.sr.opaque)), APIMember("virtual_size", .int(1 << 20)),
                APIMember("name_label", .string("memory")), APIMember("type", .string("user")),
                APIMember("sm_config", .map(["image-format": .string("raw")])),
            ]))
        let (vm, image) = (Ref<VM>.new(), try #require(Ref<VDI>(api: made)))
        try await bench.database.transaction { tx in
            tx.insert(VM.self, ref: vm) { row in
                (row[VM.uuid], row[VM.powerState], row[VM.suspendVDI]) = (Fresh.uuid(), .suspended, image)
            }
        }
        let suspension = try silent(try await machine.start(), bench.folder)
        let call = SavedMachine.call()
        let work = Task { try await suspension.resume(vm, paused: false, call) }
        try await reach("the image is being read") {
            !((try? FileManager.default.contentsOfDirectory(atPath: suspension.folder)) ?? []).isEmpty
        }
        call.progress.cancellation.cancel()
        await #expect(throws: CancellationError.self) { try await work.value }
        #expect(bench.database.read { $0.row(vm)?[VM.powerState] } == .suspended)
    }

    /// Whoever has its pipe full, or waits for what it will say, or for its end.
    @Test(arguments: ["write", "read", "finish"])
    func aProcessThatIsHeldByItsStorageIsLeft(waiting: String) async throws {
        gantry_ignore_sigpipe()
        let folder = try ScratchFolder("silent")
        let process = try TransferProcess.start(
            [try program(folder)], as: nil, folder: folder.file("t"), writesInput: waiting != "read")
        let work = Task {
            switch waiting {
            case "write": try await process.write([UInt8](repeating: 1, count: 1 << 20))
            case "read": #expect(await process.read(limit: 1) == [])
            default: break
            }
            try await process.finish()
        }
        try await Task.sleep(for: .milliseconds(50))
        process.interrupt()
        await #expect(throws: (any Error).self) { try await work.value }
        await process.abort()
        // Its number may be another's by now.
        process.interrupt()
    }
}
