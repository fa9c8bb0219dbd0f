import APITypes
import Foundation
import Guests
import Logging
import PoolDatabase
import StorageMotion
import TestSupport
import Testing

@testable import Toolstack

/// Moves to another pool that a toolstack finds when it starts, with a guest that QEMU holds for one of them.
@Suite(.serialized) struct DepartingGuestTests {
    private struct Stage {
        let bench: StorageBench
        let vm = Ref<VM>.new()
        let uuid = UUID().uuidString.lowercased()

        init() async throws {
            bench = try await StorageBench([])
            try FileManager.default.createDirectory(
                atPath: bench.folder.file("r"), withIntermediateDirectories: true)
            try await bench.database.transaction { [vm, uuid] tx in
                tx.insert(VM.self, ref: vm) { row in
                    row[VM.uuid] = uuid
                    row[VM.powerState] = .running
                    row[VM.domid] = 5
                }
            }
        }

        func guests() -> GuestHost {
            GuestHost(
                runDirectory: bench.folder.file("r"), acceleration: .tcg,
                logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
        }

        func departures(_ guests: GuestHost) -> Departures {
            let consoles = ConsoleAccess(database: bench.database, guests: guests, host: bench.context.host)
            return Departures(
                context: bench.context, admission: OperationAdmission(database: bench.database), guests: guests,
                lifecycle: MachineLifecycle(context: bench.context, guests: guests, consoles: consoles))
        }

        /// A move to a pool that does not answer, as it is after these events.
        func store(_ events: [MachineDeparture.Event]) async throws -> String {
            var state = MachineDeparture()
            for event in events { state.take(event) }
            let machine = DepartingMachine(
                id: Fresh.uuid(), secret: DepartureSurvey.secret(),
                place: PeerPlace(
                    host: "127.0.0.1", port: 1,
                    fingerprint: [String](repeating: "00", count: 32).joined(separator: ":")),
                session: "OpaqueRef:none", vm: vm.opaque, uuid: uuid, isCopy: false, disks: [], domain: 5,
                state: state)
            try await bench.database.transaction { tx in try tx.store(machine) }
            return machine.id
        }

        /// The guest is held by QEMU for the move.
        func hold(_ guests: GuestHost, for move: String) async throws {
            try await guests.start(
                GuestSpecification(
                    uuid: uuid, name: "held", memoryBytes: 64 << 20, vcpus: 1, boot: .disk, disks: []))
            let pair = try SocketPair()
            try await guests.send(uuid, into: pair.near, isAnswered: false, owner: move)
            pair.closeNear()
            let reader = Task { while await !pair.read(limit: 1 << 20).isEmpty {} }
            try await guests.switchover(of: uuid)
            try await guests.handOver(uuid, owner: move)
            await reader.value
        }

        func record(_ id: String) -> DepartingMachine? { bench.database.departures().first { $0.id == id } }

        func operations() -> [VMOperations] {
            bench.database.read { reader in
                reader.row(vm).map { CurrentOperation<VMOperations>.read($0[VM.currentOperations]).map(\.operation) }
            } ?? []
        }

        func awaitFreedom(_ id: String) async throws {
            try await reach("the machine is free") { record(id)?.isToBeFreed != true }
        }
    }

    /// The move before failed, and its other side has not been told so yet; this one is committed. After a restart the guest is
    /// the other side's, whatever the first one has to put in order.
    @Test func anEarlierMoveLeavesTheGuestOfALaterOneAlone() async throws {
        let stage = try await Stage()
        for first in [[MachineDeparture.Event.failed("cut")], [.accepted, .failed("cut"), .refused]] {
            let earlier = try await stage.store(first)
            let later = try await stage.store([.accepted, .synchronised, .prepared])
            var before: GuestHost? = stage.guests()
            try await stage.hold(try #require(before), for: later)
            before = nil

            let guests = stage.guests()
            #expect(await guests.adoptAll()[stage.uuid] == .running)
            let departures = stage.departures(guests)
            await departures.resume()
            #expect(stage.operations().contains(.migrateSend))
            await departures.retry()
            try await stage.awaitFreedom(earlier)
            #expect(guests.passage(of: stage.uuid, owner: later) == .held)
            #expect(guests.passage(of: stage.uuid, owner: earlier) == nil)
            for wrong in [earlier, nil] {
                await #expect(throws: GuestError.self) { try await guests.resumeHeld(stage.uuid, owner: wrong) }
                await #expect(throws: GuestError.self) { try await guests.endHeld(stage.uuid, owner: wrong) }
                await #expect(throws: GuestError.self) { try await guests.cancelSending(stage.uuid, owner: wrong) }
            }
            #expect(guests.passage(of: stage.uuid) == .held)
            // Once is enough: another start has nothing to free.
            #expect(stage.record(earlier)?.isFree == true)
            try await guests.endHeld(stage.uuid, owner: later)
            try await stage.bench.database.transaction { tx in
                for id in [earlier, later] { tx.setPrivate(kind: DepartingMachine.kind, key: id, value: nil) }
            }
        }
    }

    /// QEMU ends while it holds the guest, and then the machine stays: it is halted, and somebody is told.
    @Test func aMachineThatStaysAndWhoseHeldGuestHasEndedIsHalted() async throws {
        let stage = try await Stage()
        let move = try await stage.store([.accepted, .synchronised, .prepared])
        let guests = stage.guests()
        try await stage.hold(guests, for: move)
        kill(try #require(guests.processID(stage.uuid)), SIGKILL)
        try await reach("its QEMU is gone") { guests.state(stage.uuid) == nil }
        let departures = stage.departures(guests)
        await departures.resume()
        #expect(stage.bench.database.read { $0.row(stage.vm)?[VM.powerState] } == .running)
        // The administrator knows that it does not run there.
        try await departures.decide(move, .here)
        let row = try #require(stage.bench.database.read { $0.row(stage.vm) })
        #expect(row[VM.powerState] == .halted && row[VM.domid] == -1)
        #expect(stage.operations() == [] && stage.record(move) == nil)
        #expect(stage.bench.database.read { $0.rows(XenMessage.self).map { $0[XenMessage.name] } } == ["VM_CRASHED"])
    }

    /// Nobody gets a machine that stays before its guest goes on, and it is told until it does.
    @Test func aMachineThatStaysIsHeldUntilItsGuestGoesOn() async throws {
        let stage = try await Stage()
        let move = try await stage.store([.accepted, .synchronised, .failed("cut"), .refused])
        let guests = stage.guests()
        try await stage.hold(guests, for: move)
        let process = try #require(guests.processID(stage.uuid))
        let departures = stage.departures(guests)
        kill(process, SIGSTOP)
        await departures.resume()
        #expect(stage.operations() == [.migrateSend])
        #expect(stage.record(move)?.isToBeFreed == true)
        kill(process, SIGCONT)
        await departures.retry()
        try await stage.awaitFreedom(move)
        #expect(guests.state(stage.uuid) == .running && guests.passage(of: stage.uuid) == nil)
        try await reach("nobody has it") { stage.operations().isEmpty }
        try await guests.hardShutdown(stage.uuid)
    }
}
