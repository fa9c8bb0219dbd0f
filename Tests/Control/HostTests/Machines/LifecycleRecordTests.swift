import APITypes
import CoreTypes
import Foundation
import Guests
import PoolDatabase
import StorageManagers
import Synchronization
import TestSupport
import Testing

@testable import Toolstack

/// What has happened to a guest and its disks is recorded, though the database's file has no room just then.
@Suite struct LifecycleRecordTests {
    private static func lifecycle(_ bench: StorageBench) -> MachineLifecycle {
        let guests = GuestHost(runDirectory: bench.folder.path, acceleration: .tcg)
        return MachineLifecycle(
            context: bench.context, guests: guests,
            consoles: ConsoleAccess(database: bench.database, guests: guests, host: bench.context.host))
    }

    /// A bench whose file takes no changed object until there is a record of kind `room`.
    private func fill(_ bench: StorageBench) async throws -> StorageBench {
        try await bench.database.close()
        let script = """
            import sqlite3, sys
            c = sqlite3.connect(sys.argv[1])
            c.execute(\"\"\"CREATE TRIGGER full BEFORE INSERT ON objects
                WHEN NOT EXISTS (SELECT 1 FROM private_records WHERE kind = 'room')
                BEGIN SELECT RAISE(ABORT, 'the disk is full'); END\"\"\")
            c.commit()
            """
        let path = bench.folder.file("pool.db")
        try Tool.check("python3", ["-c", script, path])
        return StorageBench(
            [], on: try await PoolDatabase.open(path: path, deriving: AllowedOperations.derivation), bench.folder,
            host: bench.context.host)
    }

    private func makeMachine(
        _ bench: StorageBench, _ fill: @escaping @Sendable (inout NewRow) -> Void = { _ in }
    ) async throws -> (vm: Ref<VM>, vbd: Ref<VBD>) {
        let (vm, vbd) = (Ref<VM>.new(), Ref<VBD>.new())
        try await bench.database.transaction { tx in
            tx.insert(VM.self, ref: vm) { row in
                row[VM.uuid] = "vm"
                row[VM.domid] = -1
                fill(&row)
            }
            tx.insert(VBD.self, ref: vbd) { row in
                row[VBD.uuid] = Fresh.uuid()
                row[VBD.vm] = vm
                row[VBD.reserved] = true
            }
        }
        return (vm, vbd)
    }

    private func isReserved(_ bench: StorageBench, _ vbd: Ref<VBD>) throws -> Bool {
        try bench.context.row(vbd)[VBD.reserved]
    }

    /// A start that failed because there was no room leaves nothing reserved once there is.
    @Test func aDiskThatWasReservedIsFreeOnceThereIsRoom() async throws {
        let empty = try await StorageBench([])
        let (_, vbd) = try await makeMachine(empty)
        let bench = try await fill(empty)
        let lifecycle = Self.lifecycle(bench)
        let row = try bench.context.row(vbd)
        let (tries, tried) = AsyncStream.makeStream(of: Void.self)
        bench.database.whenLate { _ in tried.yield() }
        async let freed: Void = lifecycle.letGo(of: [row])
        var seen = tries.makeAsyncIterator()
        await seen.next()
        #expect(try isReserved(bench, vbd))
        try await bench.database.persist { $0.setPrivate(kind: "room", key: "", value: "") }
        await freed
        #expect(try !isReserved(bench, vbd))
        try await bench.database.close()
    }

    /// A guest had been given a disk, and the row had not come to say so, when it ended.
    @Test func aGuestsEndFreesWhatWasReservedForItOnly() async throws {
        let bench = try await StorageBench([])
        let lifecycle = Self.lifecycle(bench)
        let (_, halted) = try await makeMachine(bench)
        // Old news: somebody is starting the VM.
        #expect(await lifecycle.halted("vm"))
        #expect(try isReserved(bench, halted))
        let (vm, vbd) = try await makeMachine(bench) { row in
            row[VM.uuid] = "runs"
            row[VM.powerState] = .running
            row[VM.domid] = 7
        }
        let busy = Ref<VBD>.new()
        try await bench.database.transaction { tx in
            tx.insert(VBD.self, ref: busy) { row in
                row[VBD.vm] = vm
                row[VBD.uuid] = Fresh.uuid()
                row[VBD.reserved] = true
                row[VBD.currentOperations] = ["task": .plug]
            }
        }
        let before = try (vm: bench.context.row(vm), vbd: bench.context.row(vbd), busy: bench.context.row(busy))
        #expect(await lifecycle.halted("runs"))
        #expect(try bench.context.row(vm)[VM.powerState] == .halted && !isReserved(bench, vbd))
        #expect(try isReserved(bench, busy), "whoever is at it frees it")
        // What came too late says nothing of a guest that is gone.
        try await lifecycle.took(before.vbd, of: before.vm)
        #expect(try !bench.context.row(vbd)[VBD.currentlyAttached])
        // Nor is what was reserved for it left so: its end was heard of between the plug and this.
        try await lifecycle.took(before.busy, of: before.vm)
        #expect(try !bench.context.row(busy)[VBD.currentlyAttached] && !isReserved(bench, busy))
        try await bench.database.close()
    }

    @Test func noGuestIsEndedThatCannotBootAgain() async throws {
        let bench = try await StorageBench([])
        let lifecycle = Self.lifecycle(bench)
        let (vm, _) = try await makeMachine(bench) { row in
            row[VM.powerState] = .running
            row[VM.pvKernel] = "/nowhere/vmlinuz"
        }
        let isEnded = Mutex(false)
        let error = await #expect(throws: APIError.self) {
            try await lifecycle.restart(vm) { isEnded.withLock { $0 = true } }
        }
        #expect(error?.code == "INVALID_VALUE" && !isEnded.withLock { $0 })
        try await bench.database.close()
    }
}
