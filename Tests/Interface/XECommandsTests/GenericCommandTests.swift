import APITypes
import Foundation
import RPCCodec
import Testing
import XenAPIClient

@testable import XECommands

/// Commands that are a line of a table each: what they call.
@Suite struct GenericCommandTests {
    private static let message = "99999999-0000-4000-8000-000000000001"

    private func pool() -> FakeToolstack {
        let pool = SamplePool.make()
        for (number, name) in ["SR_CREATION_CUT_OFF", "VM_CRASHED"].enumerated() {
            pool.add(
                "message", uuid: "99999999-0000-4000-8000-00000000000\(number + 1)",
                [
                    ("name", .string(name)), ("priority", .string("3")), ("cls", .string("SR")),
                    ("obj_uuid", .string(SamplePool.sourceUUID)), ("timestamp", .dateTime("20260131T12:00:00Z")),
                    ("body", .string("look")),
                ])
        }
        let role = pool.add("role", uuid: "aaaaaaaa-0000-4000-8000-000000000001", [("name_label", .string("vm-admin"))])
        pool.add(
            "subject", uuid: "bbbbbbbb-0000-4000-8000-000000000001",
            [
                ("subject_identifier", .string("ann")), ("other_config", .members([])),
                ("roles", .array([.string(role)])),
            ])
        let disk = pool.add(
            "VBD", uuid: "cccccccc-0000-4000-8000-000000000001",
            [
                ("VM", .string("OpaqueRef:\(SamplePool.machineUUID)")), ("type", .string("Disk")),
                ("VDI", .string("OpaqueRef:\(SamplePool.diskUUID)")), ("userdevice", .string("1")),
            ])
        pool.reply(to: "VM.get_allowed_VBD_devices", .success(.array([.string("3")])))
        pool.reply(to: "VDI.create", .success(.string("OpaqueRef:new")))
        pool.reply(to: "role.get_by_name_label", .success(.array([.string(role)])))
        pool.reply(to: "auth.get_subject_identifier", .success(.string("u1")))
        pool.reply(to: "auth.get_subject_information_from_identifier", .success(.members([])))
        pool.reply(to: "subject.create", .success(.string("OpaqueRef:bbbbbbbb-0000-4000-8000-000000000001")))
        pool.reply(to: "message.create", .success(.string("OpaqueRef:\(Self.message)")))
        _ = disk
        return pool
    }

    /// M, H, S, D stand for the references of the machine, the host, the repository and the disk.
    private static let lines: [(String, [String])] = [
        ("message-destroy uuid=\(message)", ["message.destroy('OpaqueRef:\(message)')"]),
        (
            "message-destroy uuids=\(message),99999999-0000-4000-8000-000000000002",
            ["message.destroy_many(['OpaqueRef:\(message)', 'OpaqueRef:99999999-0000-4000-8000-000000000002'])"]
        ),
        (
            "message-destroy-all before=20260131T12:00:00Z priority=3",
            ["message.destroy_all({before: '20260131T12:00:00Z', priority: '3'})"]
        ),
        (
            "message-create name=N priority=3 body=B sr-uuid=\(SamplePool.sourceUUID)",
            ["message.create('N', 3, 'SR', '\(SamplePool.sourceUUID)', 'B')"]
        ),
        ("host-enable host=alpha", ["host.enable('H')"]),
        ("host-disable", ["host.disable('H')"]),
        ("host-disable auto-enable=false", ["host.disable('H', false)"]),
        ("host-evacuate", ["host.evacuate('H')"]),
        ("vm-reset-powerstate vm=guest --force", ["VM.power_state_reset('M')"]),
        ("vm-memory-set vm=guest memory=1GiB", ["VM.set_memory('M', 1073741824)"]),
        (
            "vm-memory-limits-set vm=guest static-min=1 static-max=4 dynamic-min=2 dynamic-max=3",
            ["VM.set_memory_limits('M', 1, 4, 2, 3)"]
        ),
        ("sr-data-source-query name-label=slow data-source=io", ["SR.query_data_source('T', 'io')"]),
        ("vm-data-source-record vm=guest data-source=cpu", ["VM.record_data_source('M', 'cpu')"]),
        ("host-data-source-forget data-source=cpu", ["host.forget_data_source_archives('H', 'cpu')"]),
        (
            "vm-disk-remove vm=guest device=1",
            ["VBD.destroy('OpaqueRef:cccccccc-0000-4000-8000-000000000001')", "VDI.destroy('D')"]
        ),
        (
            "subject-role-add uuid=bbbbbbbb-0000-4000-8000-000000000001 role-name=vm-admin",
            [
                "subject.add_to_roles('OpaqueRef:bbbbbbbb-0000-4000-8000-000000000001', "
                    + "'OpaqueRef:aaaaaaaa-0000-4000-8000-000000000001')"
            ]
        ),
        ("subject-add subject-name=ann", ["subject.create({subject_identifier: 'u1', other_config: {}})"]),
        ("user-password-change old=a new=b", ["session.change_password('a', 'b')"]),
        ("network-destroy uuid=66666666-0000-4000-8000-000000000001", ["network.destroy('N')"]),
    ]

    @Test(arguments: lines) func aCommandCallsItsMessage(line: String, expected: [String]) async {
        let pool = pool()
        pool.add("network", uuid: "66666666-0000-4000-8000-000000000001", [])
        let result = await xe(line, on: pool)
        let names = [
            ("M", SamplePool.machineUUID), ("H", SamplePool.hostUUID), ("S", SamplePool.sourceUUID),
            ("T", SamplePool.targetUUID), ("D", SamplePool.diskUUID), ("N", "66666666-0000-4000-8000-000000000001"),
        ]
        let calls = names.reduce(expected) { lines, name in
            lines.map {
                line.hasPrefix("message-create")
                    ? $0 : $0.replacing("'\(name.0)'", with: "'OpaqueRef:\(name.1)'")
            }
        }
        #expect(result.code == 0 && pool.changes == calls, "\(result.err)\(pool.changes)")
    }

    @Test func everyMessageIsListedWithAllItSays() async {
        let all = await xe("message-list", on: pool())
        #expect(all.code == 0 && all.out.components(separatedBy: "obj-uuid ( RO)").count == 3, "\(all.out)")
        for word in [
            "name ( RO)", "priority ( RO): 3", "class ( RO): SR", "timestamp ( RO): 20260131T12:00:00Z",
            "body ( RO): look",
        ] {
            #expect(all.out.contains(word), "\(word): \(all.out)")
        }
        let one = await xe("message-list name=VM_CRASHED params=name --minimal", on: pool())
        #expect(one.out == "VM_CRASHED\n")
        #expect(await xe("message-destroy", on: pool()).err.hasPrefix("Required parameter not found: uuid"))
        #expect(await xe("message-create name=N priority=3 body=B", on: pool()).code == 1)
    }

    @Test func aSubjectShowsTheNamesOfItsRoles() async {
        #expect(await xe("subject-list params=roles --minimal", on: pool()).out == "vm-admin\n")
    }

    @Test func aMachineThatMayRunIsNotCalledHaltedWithoutForce() async {
        let pool = pool()
        let refused = await xe("vm-reset-powerstate vm=guest", on: pool)
        #expect(refused.code == 1 && refused.err.contains("--force") && pool.changes.isEmpty)
    }

    @Test func disksOfAMachineAreListedAndAdded() async {
        let pool = pool()
        let listed = await xe("vm-disk-list vm=guest", on: pool)
        #expect(listed.out.contains("Disk 0 VBD:\n") && listed.out.contains("Disk 0 VDI:\n"), "\(listed)")
        #expect(listed.out.contains("userdevice ( RW): 1") && listed.out.contains(": disk0"))
        let added = await xe(
            "vm-disk-add vm=guest disk-size=1GiB device=autodetect sr-uuid=\(SamplePool.sourceUUID)", on: pool)
        #expect(added.code == 0, "\(added.err)")
        #expect(pool.changes.first?.hasPrefix("VDI.create({name_label: 'Created by xe'") == true)
        #expect(pool.changes.last?.contains("VDI: 'OpaqueRef:new', userdevice: '3'") == true)
        // A disk that nobody got does not stay.
        pool.reply(to: "VBD.create", .failure(APIError("DEVICE_ALREADY_EXISTS", "3")))
        let failed = await xe(
            "vm-disk-add vm=guest disk-size=1GiB device=3 sr-uuid=\(SamplePool.sourceUUID)", on: pool)
        #expect(failed.code == 1 && pool.changes.last == "VDI.destroy('OpaqueRef:new')")
        let missing = await xe("vm-disk-add vm=guest disk-size=1GiB device=3", on: pool)
        #expect(missing.err == "Error: The pool has no default repository: give sr-uuid=\n")
    }

    /// The server would call its own fault what is the line's.
    @Test(arguments: [
        ("vdi-create sr-uuid=\(SamplePool.sourceUUID) name-label=a virtual-size=1 type=bogus", "type"),
        ("vdi-import uuid=\(SamplePool.diskUUID) filename=/x format=tar", "format"),
        ("vdi-export uuid=\(SamplePool.diskUUID) filename=/x format=bogus", "format"),
    ])
    func wrongWordsAreNamedBeforeTheyAreSent(line: String, parameter: String) async {
        let pool = pool()
        let result = await xe(line, on: pool)
        #expect(
            result.code == 1
                && result.err.hasPrefix("Error: Failed to parse parameter '\(parameter)': expecting one of "))
        #expect(pool.changes.isEmpty)
    }
}
