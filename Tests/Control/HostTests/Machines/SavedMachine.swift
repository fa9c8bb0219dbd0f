import APITypes
import CoreTypes
import Guests
import Logging
import PoolDatabase
import StorageManagers
import TestSupport

@testable import Toolstack

/// A machine that runs, as far as its rows and its guest's monitor say, and what saves it.
struct SavedMachine {
    let bench: StorageBench
    let sr: Ref<SR>
    let vm = Ref<VM>.new()
    let guest: StubbornGuest

    init() async throws {
        bench = try await StorageBench([FileStorageManager()])
        sr = try await bench.makeFolder("a")
        let uuid = Fresh.uuid()
        guest = try StubbornGuest(uuid, runDirectory: bench.folder.file("r"))
        try await bench.database.transaction { [vm, sr] tx in
            tx.insert(VM.self, ref: vm) { row in
                (row[VM.uuid], row[VM.powerState], row[VM.suspendSR]) = (uuid, .running, sr)
            }
        }
    }

    /// As the toolstack does when it starts. `patience`: after it, a guest that does not go on is held.
    func start(patience: Duration = .milliseconds(50)) async throws -> MachineSuspension {
        let guests = GuestHost(
            runDirectory: bench.folder.file("r"), acceleration: .tcg,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
        _ = await guests.adoptAll()
        return MachineSuspension(
            context: bench.context,
            admission: OperationAdmission(database: bench.database, turns: OperationTurns()), guests: guests,
            lifecycle: MachineLifecycle(
                context: bench.context, guests: guests,
                consoles: ConsoleAccess(database: bench.database, guests: guests, host: bench.context.host)),
            program: try Tool.find("gantry-datapath"), folder: bench.folder.file("transfers"),
            patience: patience)
    }

    static func call(_ task: Ref<XenTask> = .null) -> CallContext {
        CallContext(session: .null, task: task, progress: UnwatchedProgress())
    }

    var phases: [SuspensionNote.Phase] { bench.database.read { SuspensionNote.all($0).values.map(\.phase) } }
    var images: Int { bench.disks().filter { $0[VDI.type] == .suspend }.count }
}
