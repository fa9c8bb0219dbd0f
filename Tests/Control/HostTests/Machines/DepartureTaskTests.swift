import APITypes
import Logging
import PoolDatabase
import StorageMotion
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

    private func ended(_ machine: DepartingMachine, _ bench: StorageBench) async throws -> Row {
        while try row(machine, bench)[XenTask.status] == .pending { try await Task.sleep(for: .milliseconds(2)) }
        return try row(machine, bench)
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
        for pending in [cut, committed, refused] {
            let row = try row(pending, bench)
            #expect(row[XenTask.status] == .pending && row[XenTask.allowedOperations].isEmpty)
            #expect(row[XenTask.uuid] == pending.call?.taskUUID && row[XenTask.nameLabel] == pending.call?.name)
        }
        cut.isFree = true
        await departures.look(cut, at: host)
        let reason = "the toolstack was restarted before the move was committed"
        #expect(
            try await ended(cut, bench)[XenTask.errorInfo]
                == ["VM_MIGRATE_FAILED", "OpaqueRef:vm", host.opaque, "far", reason])
        committed.state.take(.ran)
        await departures.look(committed, at: host)
        let success = try await ended(committed, bench)
        #expect(success[XenTask.status] == .success && success[XenTask.otherConfig]["phase"] == "done")
        refused.state.take(.refused)
        await departures.look(refused, at: host)
        #expect(try row(refused, bench)[XenTask.status] == .pending)
        refused.isFree = true
        refused.state.take(.forgotten)
        await departures.look(refused, at: host)
        #expect(try await ended(refused, bench)[XenTask.errorInfo].first == "VM_MIGRATE_FAILED")
        served.stop()
    }
}
