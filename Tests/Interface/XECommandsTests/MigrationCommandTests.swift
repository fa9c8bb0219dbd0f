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

    /// The old image would be gone, and the new one in another format than was asked for.
    @Test func aFormatIsNotAskedOfAServerThatPassesItOver() async {
        let pool = migrating()
        pool.add("SM", uuid: "99999999-0000-4000-8000-000000000001", [("type", .string("file"))])
        for words in [line, line + " --plan"] {
            let refused = await xe(words, on: pool)
            #expect(refused.code == 1 && refused.err.contains("takes no dest-img-format"), "\(refused.err)")
        }
        #expect(pool.changes.isEmpty)
        let plain = line.replacing("dest-img-format=qcow2", with: "dest-img-format= verify=off mirror-mode=active")
        #expect(await xe(plain, on: pool).code == 0)
        #expect(pool.changes.first?.hasSuffix("{dest-img-format: '', mirror-mode: 'active', verify: 'false'})") == true)
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

    // MARK: Machines, and plans

    private static let plan = """
        {"disks":[{"vdi":"\(SamplePool.diskUUID)","name":"disk0","role":"disk","stays":false,"snapshots":2,\
        "source":{"sr":"a","name":"fast","format":"vhd"},"destination":{"sr":"b","name":"","format":"qcow2","free":1048576},\
        "reason":"preferred","virtual_size":1,"bytes_to_move":2097152,"peak_at_destination":2097152,"peak_at_source":0,\
        "risks":["tight"],"notes":["in use"]}],"blockers":[{"vdi":"x","error":["VDI_CBT_ENABLED","OpaqueRef:x"]}],\
        "bytes_to_move":2097152,"seconds":65,"basis":"a probe"}
        """

    @Test func aPlanIsShownAsTextOrAsItCame() async {
        let pool = SamplePool.make()
        pool.reply(to: "VDI.plan_pool_migrate", .success(.string(Self.plan)))
        let shown = await xe(line + " --plan", on: pool)
        // Something speaks against it, which scripts see by the code.
        #expect(shown.code == 1 && shown.err.isEmpty)
        let lines = shown.out.split(separator: "\n").map(String.init)
        #expect(lines.count == 8, "\(shown.out)")
        #expect(
            lines.prefix(3) == [
                "VDI \(SamplePool.diskUUID) (disk0), disk", "    from: SR a (fast), vhd",
                "    to:   SR b, qcow2, 1.00 MiB free – the repository prefers it",
            ])
        #expect(
            lines.dropFirst(3).prefix(3) == [
                "    move: 2.00 MiB with 2 snapshots; takes up to 2.00 MiB there, nothing more here", "    risk: tight",
                "    note: in use",
            ])
        #expect(lines.dropFirst(6).first == "In all: 2.00 MiB to move, about 1:05 (a probe)")
        #expect(lines.last?.hasPrefix("BLOCKED: VDI x: ") == true)
        #expect(lines.last?.hasSuffix(" [VDI_CBT_ENABLED]") == true)
        let json = await xe(line + " --plan --json", on: pool)
        #expect(json.out == Self.plan + "\n" && json.code == 1)
        let free = Self.plan.replacing(#"{"vdi":"x","error":["VDI_CBT_ENABLED","OpaqueRef:x"]}"#, with: "")
        pool.reply(to: "VDI.plan_pool_migrate", .success(.string(free)))
        let open = await xe(line + " --plan", on: pool)
        #expect(open.code == 0 && open.out.hasSuffix("Nothing speaks against it.\n"), "\(open.out)")
        #expect(!pool.changes.contains { $0.contains("pool_migrate(") && !$0.contains("plan") })
    }

    /// What is read once more is a part of the time; of a copy no image goes. Earlier servers do not say how much that is.
    @Test(arguments: [
        (#""bytes_to_compare":2097152"#, ", and to compare before the old images go"),
        (#""copy":true"#, ", and to compare"),
        (#""bytes_to_compare":4194304,"copy":false"#, ", and 4.00 MiB to compare before the old images go"),
        (#""bytes_to_compare":4194304,"copy":true"#, ", and 4.00 MiB to compare"),
    ])
    func aPlanSaysWhatIsCompared(_ members: String, _ text: String) async {
        let pool = SamplePool.make()
        let plan = Self.plan.replacing(#""seconds":65"#, with: #""seconds":65,"verified":true,"# + members)
        pool.reply(to: "VDI.plan_pool_migrate", .success(.string(plan)))
        let shown = await xe(line + " --plan", on: pool)
        #expect(shown.out.contains("In all: 2.00 MiB to move\(text), about 1:05"), "\(shown.out)")
    }

    @Test func aMachinesDisksMoveAsTheMapsSay() async {
        let pool = SamplePool.make()
        let host = "OpaqueRef:\(SamplePool.hostUUID)"
        let network = pool.add("network", uuid: "66666666-0000-4000-8000-000000000001", [("bridge", .string("br0"))])
        pool.add(
            "PIF", uuid: "77777777-0000-4000-8000-000000000001",
            [("host", .string(host)), ("network", .string(network)), ("management", .bool(true))])
        let vm = "OpaqueRef:\(SamplePool.machineUUID)"
        for (uuid, disk) in [("8", "1"), ("9", "2")] {
            pool.add(
                "VBD", uuid: "\(uuid)8888888-0000-4000-8000-000000000001",
                [
                    ("VM", .string(vm)), ("VDI", .string("OpaqueRef:33333333-0000-4000-8000-00000000000\(disk)")),
                    ("type", .string("Disk")), ("empty", .bool(false)),
                ])
        }
        pool.reply(
            to: "host.migrate_receive",
            .success(.members([("host", .string(host)), ("session_id", .string("OpaqueRef:s"))])))
        pool.reply(to: "Async.VM.migrate_send", .success(.string("OpaqueRef:t")))
        pool.reply(to: "event.from", .success(event("success", progress: 1, result: "<value>\(vm)</value>")))
        let command =
            "vm-migrate uuid=\(SamplePool.machineUUID) vdi:\(SamplePool.diskUUID)=\(SamplePool.targetUUID) "
            + "image-format:\(SamplePool.diskUUID)=qcow2 host=alpha live=true"
        let result = await xe(command, on: pool)
        #expect(result.code == 0, "\(result.err)")
        #expect(
            result.out == """
                VDI \(SamplePool.diskUUID) -> SR \(SamplePool.targetUUID)
                VDI 33333333-0000-4000-8000-000000000002 -> SR \(SamplePool.sourceUUID)

                """)
        let disk = "OpaqueRef:\(SamplePool.diskUUID)"
        #expect(
            pool.changes == [
                "host.migrate_receive('\(host)', '\(network)', {})",
                "Async.VM.migrate_send('\(vm)', {host: '\(host)', session_id: 'OpaqueRef:s'}, true, "
                    + "{\(disk): 'OpaqueRef:\(SamplePool.targetUUID)', "
                    + "OpaqueRef:33333333-0000-4000-8000-000000000002: 'OpaqueRef:\(SamplePool.sourceUUID)'}, {}, {}, {}, "
                    + "{\(disk): 'qcow2'})", "task.destroy('OpaqueRef:t')", "the session OpaqueRef:s is ended",
            ])
        // However it ends, the token is nobody's then; one whose end was not seen may go on, and keeps it.
        let ends: [(name: String, code: String, isOver: Bool)] = [
            ("Async.VM.migrate_send", "HOST_DISABLED", true), ("event.from", "HANDLE_INVALID", false),
        ]
        for (message, code, isOver) in ends {
            let before = pool.changes.count
            pool.reply(to: message, .failure(APIError(code, "x", "y")))
            #expect(await xe(command, on: pool).code == 1)
            let made = pool.changes.dropFirst(before)
            #expect(made.contains("the session OpaqueRef:s is ended") == isOver, "\(made)")
            pool.reply(to: "Async.VM.migrate_send", .success(.string("OpaqueRef:t")))
        }
        pool.reply(to: "event.from", .success(event("failure", progress: 1, error: ["SR_FULL", "10", "5"])))
        #expect(await xe(command, on: pool).code == 1)
        #expect(pool.changes.last == "the session OpaqueRef:s is ended")
        // Truth values in the words of people and of the API, understood before anything is asked for.
        pool.reply(to: "event.from", .success(event("success", progress: 1, result: "<value>\(vm)</value>")))
        let wishes = [
            ("copy=on", "copy: 'true'"), ("copy=Yes", "copy: 'true'"), ("copy=off", "copy: 'false'"),
            ("force=t compress=n verify=NO", "force: 'true', compress: 'false', verify: 'false'"),
            (
                "guest-latency-us=9 may-delay=off paused=y retry-seconds=3 mirror-mode=active",
                "guest-latency-us: '9', mirror-mode: 'active', may-delay: 'false', retry-seconds: '3', paused: 'true'"
            ),
        ]
        for (words, options) in wishes {
            let done = await xe("\(command) \(words)", on: pool)
            #expect(done.code == 0, "\(words): \(done.err)")
            #expect(pool.changes.contains { $0.contains("migrate_send(") && $0.contains("{\(options)}") }, "\(words)")
            #expect(done.out.hasSuffix("\n\(SamplePool.machineUUID)\n") == options.contains("copy: 'true'"))
        }
        let before = pool.changes.count
        for words in ["copy=perhaps", "verify=perhaps", "paused=perhaps"] {
            let refused = await xe("\(command) \(words)", on: pool)
            #expect(refused.code == 1 && refused.err.contains("expecting a boolean"), "\(refused.err)")
        }
        let idle = await xe("vm-migrate uuid=\(SamplePool.machineUUID) host=alpha verify=false", on: pool)
        #expect(idle.code == 1 && idle.err.contains("verify is about moves of disks"))
        #expect(pool.changes.count == before)
        let elsewhere = await xe(command + " remote-master=10.9.9.9", on: pool)
        #expect(elsewhere.code == 1 && elsewhere.err.contains("needs remote-username and remote-password"))
        let nowhere = await xe(command + " remote-master=10.9.9.9:x", on: pool)
        #expect(nowhere.code == 1 && nowhere.err.contains("remote-master takes HOST or HOST:PORT"))
        #expect(await xe("vm-migrate uuid=\(SamplePool.machineUUID)", on: pool).code == 1)
    }

    /// `--json` is a form of the plan: without one it begins no move, and asks for nothing. So does a plan of what has none.
    @Test func whatBelongsToAPlanBeginsNoMove() async {
        let machine = "vm-migrate uuid=\(SamplePool.machineUUID)"
        let disk = "vdi:\(SamplePool.diskUUID)=\(SamplePool.targetUUID)"
        for words in ["\(line) --json", "\(machine) \(disk) --json", "\(machine) host=alpha --json"] {
            let pool = migrating()
            let result = await xe(words, on: pool)
            #expect(result.code == 1 && result.err.contains("--json belongs to --plan"), "\(words): \(result.err)")
            #expect(result.out.isEmpty && pool.changes.isEmpty, "\(pool.changes)")
        }
        let pool = migrating()
        let whole = await xe("\(machine) host=alpha --plan", on: pool)
        #expect(whole.code == 1 && whole.err.contains("--plan shows moves of disks") && pool.changes.isEmpty)
        #expect(await xe("\(line) json=false", on: migrating()).code == 0)
    }

    /// A name, an address of either kind, and a port that may follow.
    @Test(arguments: [
        ("alpha", "alpha", 443), ("10.0.0.1:8443", "10.0.0.1", 8443), ("fd00::1", "fd00::1", 443),
        ("[fd00::1]:8443", "fd00::1", 8443), ("[fd00::1]", "fd00::1", 443),
    ])
    func otherPoolsAreNamedWithOrWithoutAPort(_ text: String, _ host: String, _ port: Int) {
        #expect(MachineMigration.address(text) == .tcp(host: host, port: port, tls: true))
    }

    @Test(arguments: ["", ":443", "alpha:", "alpha:99999", "[fd00::1]443", "[fd00::1"])
    func whatNamesNoPoolIsRefused(_ text: String) {
        let address = MachineMigration.address(text)
        #expect(address == nil || address == .tcp(host: text, port: 443, tls: true) && text == "[fd00::1")
    }
}
