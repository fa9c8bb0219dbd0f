import APITypes
import Guests
import Logging
import PoolDatabase
import StorageMotion
import TestSupport
import Testing

@testable import Toolstack

/// The tasks of machines that were on their way to another pool when the toolstack was restarted.
@Suite struct DepartureTaskTests {
    private let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

    /// After these events, in an earlier toolstack.
    private func machine(_ events: [MachineDeparture.Event], wire: [String]? = nil) -> DepartingMachine {
        var state = MachineDeparture()
        for event in events { state.take(event) }
        var machine = DepartingMachine(
            id: Fresh.uuid(), secret: "", place: PeerPlace(host: "far", port: 1, fingerprint: ""), session: "",
            vm: "OpaqueRef:vm", uuid: "vm", isCopy: false, disks: [], remoteVM: "OpaqueRef:there", state: state)
        machine.call = MoveCall(
            task: Ref<XenTask>.new().opaque, taskUUID: Fresh.uuid(), name: "Async.VM.migrate_send", owner: "",
            time: 5_000_000, machine: machine.vm)
        machine.failureWire = wire
        return machine
    }

    private func row(_ machine: DepartingMachine, _ bench: StorageBench) throws -> Row {
        try #require(bench.database.read { $0.row(Ref<XenTask>(machine.call?.task ?? "")) })
    }

    /// One that was not committed is given up, and its task fails once the machine is free; one that was ends with the machine at the
    /// other side. One that is over before calls are served says so then.
    @Test func theTaskOfAMoveComesBackAndEndsWithIt() async throws {
        let bench = try await StorageBench([])
        let host = bench.context.host
        let departures = DepartureTasks()
        let served = Tasks(database: bench.database, host: host)
        var cut = machine([.accepted])
        var committed = machine([.accepted, .synchronised, .prepared])
        var refused = machine([.accepted, .synchronised, .prepared])
        let over = machine([.accepted, .synchronised, .prepared, .ran])
        let failed = ["SR_BACKEND_FAILURE_44", "", "full", ""]
        var full = machine([.accepted, .failed("full")], wire: failed)
        var silent = machine([.accepted])
        silent.call = nil
        for each in [cut, committed, refused, over, full, silent] { await departures.expect(each, at: host) }
        cut.state.take(.restarted)
        await departures.look(cut, at: host)
        full.isFree = true
        await departures.look(full, at: host)
        await departures.takeUp(served, logger)

        #expect(try row(over, bench)[XenTask.result] == "<value>OpaqueRef:there</value>")
        #expect(try row(full, bench)[XenTask.errorInfo] == failed)
        for ended in [over, full, silent] { #expect(await !departures.isExpected(ended.id)) }
        for pending in [cut, committed, refused] {
            #expect(await departures.isExpected(pending.id))
            let row = try row(pending, bench)
            #expect(row[XenTask.status] == .pending && row[XenTask.allowedOperations].isEmpty)
            #expect(row[XenTask.uuid] == pending.call?.taskUUID && row[XenTask.nameLabel] == pending.call?.name)
        }
        cut.isFree = true
        await departures.look(cut, at: host)
        let reason = "the toolstack was restarted before the move was committed"
        #expect(
            try row(cut, bench)[XenTask.errorInfo]
                == ["VM_MIGRATE_FAILED", "OpaqueRef:vm", host.opaque, "far", reason])
        committed.state.take(.ran)
        await departures.look(committed, at: host)
        let success = try row(committed, bench)
        #expect(success[XenTask.status] == .success && success[XenTask.otherConfig]["phase"] == "done")
        refused.state.take(.refused)
        await departures.look(refused, at: host)
        #expect(try row(refused, bench)[XenTask.status] == .pending)
        refused.isFree = true
        refused.state.take(.forgotten)
        await departures.look(refused, at: host)
        #expect(try row(refused, bench)[XenTask.errorInfo].first == "VM_MIGRATE_FAILED")
        for ended in [cut, committed, refused] { #expect(await !departures.isExpected(ended.id)) }
        served.stop()
    }

    /// The call of a move has been answered, and the other pool says nothing: its task comes back once, and then never again, while the
    /// move is listed until it is settled.
    @Test func theTaskOfACallThatWasAnsweredDoesNotComeBack() async throws {
        let bench = try await StorageBench([])
        let host = bench.context.host
        var over = machine([.accepted, .failed("full")], wire: ["SR_BACKEND_FAILURE_44", "", "full", ""])
        over.isFree = true
        let open = machine([.accepted, .synchronised, .prepared])
        for each in [over, open] {
            var silent = DepartingMachine(
                id: each.id, secret: DepartureSurvey.secret(),
                place: PeerPlace(
                    host: "127.0.0.1", port: 1,
                    fingerprint: [String](repeating: "00", count: 32).joined(separator: ":")),
                session: "OpaqueRef:s", vm: Ref<VM>.new().opaque, uuid: Fresh.uuid(), isCopy: false, disks: [],
                state: each.state, call: each.call)
            (silent.isFree, silent.failureWire) = (each.isFree, each.failureWire)
            let noted = silent
            try await bench.database.transaction { tx in try tx.store(noted) }
        }
        let guests = GuestHost(runDirectory: bench.folder.file("r"), acceleration: .tcg, logger: logger)
        let consoles = ConsoleAccess(database: bench.database, guests: guests, host: host)
        func restart() async -> Departures {
            let departures = Departures(
                context: bench.context, admission: OperationAdmission(database: bench.database), guests: guests,
                lifecycle: MachineLifecycle(context: bench.context, guests: guests, consoles: consoles))
            await departures.resume()
            return departures
        }
        func isKnown(_ machine: DepartingMachine) -> Bool {
            bench.database.read { $0.row(Ref<XenTask>(machine.call?.task ?? "")) } != nil
        }
        func record(_ machine: DepartingMachine) -> DepartingMachine? {
            bench.database.departures().first { $0.id == machine.id }
        }
        let first = await restart()
        // What is open is not forgotten, however often the other side is asked.
        await first.retry()
        let served = Tasks(database: bench.database, host: host)
        await first.takeUp(served)
        #expect(isKnown(over) && isKnown(open))
        try await reach("that the call was answered is noted", atMost: .seconds(30)) {
            await first.retry()
            return record(over)?.call == nil
        }
        #expect(record(open)?.call == open.call)

        try await bench.database.transaction { tx in
            for row in tx.rows(XenTask.self) { tx.delete(row.typedRef(XenTask.self)) }
        }
        let second = await restart()
        await second.takeUp(served)
        #expect(!isKnown(over) && isKnown(open))
        var table = MessageTable()
        PeerMoveMessages(
            database: bench.database, departures: second,
            arrivals: Arrivals(
                context: bench.context, guests: guests,
                lifecycle: MachineLifecycle(context: bench.context, guests: guests, consoles: consoles))
        ).register(in: &table)
        let handler = try #require(table.handlers["VM.get_peer_moves"])
        let call = CallContext(session: .null, task: .null, progress: UnwatchedProgress())
        let listed = String(api: try await handler(call, Arguments([]))) ?? ""
        for each in [over, open] { #expect(listed.contains(each.id), "\(listed)") }
        served.stop()
    }
}
