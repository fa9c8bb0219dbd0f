import APITypes
import RPCCodec
import Testing
import XenAPIClient

@testable import XECommands

@Suite struct MigrationCommandTests {
    private let line =
        "vdi-pool-migrate uuid=\(SamplePool.diskUUID) sr-uuid=\(SamplePool.targetUUID) dest-img-format=qcow2"
    private let moved = "33333333-0000-4000-8000-000000000002"

    private func event(
        _ status: String, progress: Double, config: [(name: String, value: WireValue)] = [], result: String = "",
        error: [String] = []
    ) -> WireValue {
        let record = WireValue.members([
            ("status", .string(status)), ("progress", .double(progress)), ("result", .string(result)),
            ("error_info", .array(error.map { .string($0) })), ("other_config", .members(config)),
        ])
        let event = WireValue.members([
            ("ref", .string("OpaqueRef:t")), ("operation", .string("mod")), ("snapshot", record),
        ])
        return .members([("events", .array([event])), ("token", .string("1,1"))])
    }

    private func migrating() -> FakeToolstack {
        let pool = SamplePool.make()
        pool.reply(to: "Async.VDI.pool_migrate", .success(.string("OpaqueRef:t")))
        let config: [(name: String, value: WireValue)] = [
            ("bytes_total", .string("1073741824")), ("bytes_copied", .string("536870912")),
            ("phase", .string("copying")),
            ("bytes_per_second", .string("104857600")),
        ]
        pool.reply(
            to: "event.from", .success(event("pending", progress: 0.5, config: config)),
            .success(event("success", progress: 1, config: config, result: "<value>OpaqueRef:\(moved)</value>")))
        return pool
    }

    @Test func migrationWaitsForItsTaskAndPrintsTheNewUUID() async {
        let pool = migrating()
        let result = await xe(line, on: pool)
        #expect(result.out == moved + "\n" && result.err.isEmpty && result.code == 0)
        #expect(
            pool.changes == [
                "Async.VDI.pool_migrate('OpaqueRef:\(SamplePool.diskUUID)', 'OpaqueRef:\(SamplePool.targetUUID)', "
                    + "{dest-img-format: 'qcow2'})", "task.destroy('OpaqueRef:t')",
            ])
    }

    @Test func terminalShowsBytesRateTimeLeftAndPhase() async {
        let result = await xe(line, on: migrating(), terminal: true)
        #expect(result.err.contains("50%  512 MiB / 1.00 GiB  100 MiB/s  5 s left  copying"))
        #expect(result.err.contains("100%  1.00 GiB / 1.00 GiB"))
        #expect(result.err.hasSuffix("\n"))
        #expect(await xe("\(line) progress=false", on: migrating(), terminal: true).err.isEmpty)
        #expect(await xe("\(line) --minimal", on: migrating(), terminal: true).err.isEmpty)
    }

    @Test func plainLinesWithoutATerminalWhenAskedFor() async {
        let result = await xe("\(line) --progress", on: migrating())
        #expect(
            result.err.split(separator: "\n").first
                == "Migrating: 50%  512 MiB / 1.00 GiB  100 MiB/s  5 s left  copying")
        #expect(!result.err.contains("\r") && !result.err.contains("\u{1B}"))
    }

    @Test func failureOfTheTaskIsTheFailureOfTheCommand() async {
        let pool = migrating()
        let error = ["SR_FULL", "10", "5"]
        pool.reply(to: "event.from", .success(event("failure", progress: 1, error: error)))
        let result = await xe(line, on: pool)
        #expect(result.code == 1 && result.out.isEmpty)
        #expect(result.err.hasSuffix("requested: 10\nmaximum: 5\n"))
    }

    @Test func serverWithoutEventsIsPolled() async {
        let pool = migrating()
        pool.reply(to: "event.from", .failure(APIError("MESSAGE_METHOD_UNKNOWN", "event.from")))
        pool.reply(
            to: "task.get_record",
            .success(
                .members([("status", .string("success")), ("result", .string("<value>OpaqueRef:\(moved)</value>"))])))
        #expect(await xe(line, on: pool).out == moved + "\n")
    }

    @Test(arguments: [
        (
            "vdi-import",
            "PUT /import_raw_vdi /tmp/f vdi=OpaqueRef:\(SamplePool.diskUUID)&format=vhd&task_id=OpaqueRef:t"
        ),
        (
            "vdi-export",
            "GET /export_raw_vdi /tmp/f vdi=OpaqueRef:\(SamplePool.diskUUID)&format=vhd&task_id=OpaqueRef:t"
        ),
    ])
    func transfersRunInATaskThatDecides(command: String, transfer: String) async {
        let line = "\(command) uuid=\(SamplePool.diskUUID) filename=/tmp/f format=vhd"
        let good = SamplePool.make()
        good.reply(to: "task.create", .success(.string("OpaqueRef:t")))
        good.reply(to: "event.from", .success(event("success", progress: 1)))
        let done = await xe(line, on: good)
        #expect(done.code == 0 && done.out.isEmpty && done.err.isEmpty)
        #expect(good.changes == ["task.create('\(command)', '')", transfer, "task.destroy('OpaqueRef:t')"])

        let bad = SamplePool.make()
        bad.reply(to: "task.create", .success(.string("OpaqueRef:t")))
        bad.reply(to: "event.from", .success(event("failure", progress: 1, error: ["VDI_IO_ERROR", "x"])))
        let failed = await xe(line, on: bad)
        #expect(failed.code == 1 && failed.err == "Error code: VDI_IO_ERROR\nError parameters: x\n")
        #expect(bad.changes.last == "task.destroy('OpaqueRef:t')")
    }

    @Test func startShowsItsTaskWhenAskedTo() async {
        let pool = SamplePool.make()
        pool.reply(to: "Async.VM.start", .success(.string("OpaqueRef:t")))
        pool.reply(to: "event.from", .success(event("pending", progress: 0.1)), .success(event("success", progress: 1)))
        let result = await xe("vm-start uuid=\(SamplePool.machineUUID) --progress", on: pool)
        let bar = String(repeating: "#", count: 70)
        #expect(result.code == 0 && result.err == "\r  10% | #######\r 100% / \(bar)\n")
    }
}
