import APITypes
import RPCCodec
import Testing
import XenAPIClient

@testable import XECommands

@Suite struct CommandTests {
    let disk = "OpaqueRef:\(SamplePool.diskUUID)"
    let source = "OpaqueRef:\(SamplePool.sourceUUID)"
    let target = "OpaqueRef:\(SamplePool.targetUUID)"
    let machine = "OpaqueRef:\(SamplePool.machineUUID)"

    @Test(arguments: [
        ("vdi-list name-label=disk0", 1), ("vdi-list name-label=DISK0", 0), ("vdi-list tags:contains=gold", 1),
        ("vdi-list other-config:owner=me", 2), ("vdi-list other-config:owner=you", 0), ("vdi-list type=User", 2),
        ("vdi-list name-label=disk1 tags:contains=gold", 0), ("vdi-list name-label=disk1 tags:contains=gold --all", 2),
        ("vm-list", 1), ("template-list", 1), ("vm-list is-a-template=true", 1), ("vm-list --all", 2),
        ("snapshot-list", 0),
    ])
    func filtersAreExactAndAreAnded(line: String, expected: Int) async {
        let result = await xe("\(line) params=uuid", on: SamplePool.make())
        #expect(result.out.split(separator: "\n").count == expected && result.code == 0)
    }

    @Test func unknownFilterIsAnErrorOnlyWhenThereIsARecord() async {
        let some = await xe("vdi-list colour=blue", on: SamplePool.make())
        #expect(some.code == 1 && some.err == "Error: Unknown field 'colour'\n")
        let none = await xe("vbd-list colour=blue", on: SamplePool.make())
        #expect(none.code == 0 && none.err.isEmpty)
    }

    @Test(arguments: [
        ("name-label=x", ["VDI.set_name_label('D', 'x')"]),
        ("allow-caching=yes", ["VDI.set_allow_caching('D', 'yes')"]),
        (
            "other-config:owner=you",
            ["VDI.remove_from_other_config('D', 'owner')", "VDI.add_to_other_config('D', 'owner', 'you')"]
        ),
    ])
    func settingCallsTheSetters(change: String, expected: [String]) async {
        let pool = SamplePool.make()
        let result = await xe("vdi-param-set uuid=\(SamplePool.diskUUID) \(change)", on: pool)
        #expect(result.code == 0 && result.out.isEmpty)
        #expect(pool.changes == expected.map { $0.replacing("'D'", with: "'\(disk)'") })
    }

    @Test func valuesTakeTheTypeTheFieldHas() async {
        let pool = SamplePool.make()
        let uuid = "uuid=00000000-0000-4000-8000-000000000001"
        _ = await xe("pool-param-set \(uuid) migration-compression=yes default-SR=\(SamplePool.targetUUID)", on: pool)
        _ = await xe("pool-param-set \(uuid) default-SR=", on: pool)
        _ = await xe("vm-param-set uuid=\(SamplePool.machineUUID) memory-static-max=1GiB", on: pool)
        let pool0 = "'OpaqueRef:00000000-0000-4000-8000-000000000001'"
        #expect(
            pool.changes == [
                "pool.set_migration_compression(\(pool0), true)", "pool.set_default_SR(\(pool0), '\(target)')",
                "pool.set_default_SR(\(pool0), 'OpaqueRef:NULL')",
                "VM.set_memory_static_max('\(machine)', '1073741824')",
            ])
    }

    @Test(arguments: [
        ("vdi-param-set", "virtual-size=1", "Error: Field 'virtual-size' is read-only\n"),
        ("vdi-param-set", "nonsense=1", "Error: Unknown field 'nonsense'\n"),
        ("vm-param-set", "VCPUs-max=x", "Error: Field 'VCPUs-max' takes a whole number, not 'x'\n"),
        ("vdi-param-set", "tags=a", "Error: tags is a set or a map: use vdi-param-add\n"),
        ("vdi-param-remove", "param-name=tags param-key=none", "Error: Key none not found in tags\n"),
        ("vdi-param-get", "param-name=other-config param-key=none", "Error: Key none not found in other-config\n"),
        ("vdi-param-get", "param-name=none", "Error: Unknown field 'none'\n"),
        ("vdi-param-add", "param-name=tags", "Required parameter not found: param-key\nFor usage run: 'xe help'\n"),
    ])
    func impossibleChangesAreRefused(command: String, rest: String, expected: String) async {
        let pool = SamplePool.make()
        let uuid = command.hasPrefix("vm-") ? SamplePool.machineUUID : SamplePool.diskUUID
        let result = await xe("\(command) uuid=\(uuid) \(rest)", on: pool)
        #expect(result.code == 1 && result.err == expected && pool.changes.isEmpty)
    }

    @Test func setsAndMapsGrowShrinkAndAreEmptied() async {
        let pool = SamplePool.make()
        let uuid = "uuid=\(SamplePool.diskUUID)"
        _ = await xe("vdi-param-add \(uuid) param-name=tags param-key=new", on: pool)
        _ = await xe("vdi-param-remove \(uuid) param-name=tags param-key=gold", on: pool)
        _ = await xe("vdi-param-add \(uuid) param-name=other-config a=1 b=2", on: pool)
        _ = await xe("vdi-param-remove \(uuid) param-name=other-config param-key=owner", on: pool)
        _ = await xe("vdi-param-clear \(uuid) param-name=tags", on: pool)
        _ = await xe("vdi-param-clear \(uuid) param-name=other-config", on: pool)
        #expect(
            pool.changes == [
                "VDI.add_tags('\(disk)', 'new')", "VDI.remove_tags('\(disk)', 'gold')",
                "VDI.add_to_other_config('\(disk)', 'a', '1')", "VDI.add_to_other_config('\(disk)', 'b', '2')",
                "VDI.remove_from_other_config('\(disk)', 'owner')", "VDI.set_tags('\(disk)', [])",
                "VDI.set_other_config('\(disk)', {})",
            ])
    }

    @Test func newDiskIsCreatedAsToldAndItsUUIDPrinted() async {
        let pool = SamplePool.make()
        pool.reply(to: "VDI.create", .success(.string(disk)))
        let result = await xe(
            "vdi-create sr-uuid=\(SamplePool.sourceUUID) name-label=a virtual-size=1GiB sm-config:image-format=qcow2",
            on: pool)
        #expect(result.out == SamplePool.diskUUID + "\n")
        #expect(
            pool.changes == [
                "VDI.create({name_label: 'a', name_description: '', SR: '\(source)', virtual_size: 1073741824, "
                    + "type: 'user', sharable: false, read_only: false, other_config: {}, xenstore_data: {}, "
                    + "sm_config: {image-format: 'qcow2'}, tags: []})"
            ])
    }

    @Test func srIsCreatedOnTheCoordinatorUnlessAHostIsGiven() async {
        let pool = SamplePool.make()
        pool.reply(to: "SR.create", .success(.string(source)))
        let result = await xe(
            "sr-create name-label=s type=file device-config:location=/srv sm-config:preferred-image-formats=vhd,qcow2",
            on: pool)
        #expect(result.out == SamplePool.sourceUUID + "\n")
        #expect(
            pool.changes == [
                "SR.create('OpaqueRef:\(SamplePool.hostUUID)', {location: '/srv'}, 0, 's', '', 'file', '', false, "
                    + "{preferred-image-formats: 'vhd,qcow2'})"
            ])
    }

    @Test func severalMachinesNeedMultipleAndFailOneByOne() async {
        let pool = SamplePool.make()
        SamplePool.addMachine(pool, "44444444-0000-4000-8000-000000000003", "guest", isTemplate: false)
        let refused = await xe("vm-start vm=guest", on: pool)
        #expect(refused.code == 1 && refused.err.hasPrefix("Error: Multiple matches found."))
        #expect(pool.changes.isEmpty)
        pool.reply(to: "VM.start", .failure(APIError("VM_BAD_POWER_STATE", "r", "Halted", "Running")), .success(.void))
        let started = await xe("vm-start vm=guest --multiple", on: pool)
        #expect(started.code == 0)
        #expect(started.out.hasPrefix("operation failed on \(SamplePool.machineUUID): "))
        #expect(pool.changes.count == 2)
        let missing = await xe("vm-shutdown vm=nobody", on: pool)
        #expect(missing.code == 1 && missing.err == "Error: No matching VMs found\n")
    }

    @Test func shutdownPullsThePlugOnlyWhenForced() async {
        let pool = SamplePool.make()
        _ = await xe("vm-shutdown uuid=\(SamplePool.machineUUID)", on: pool)
        _ = await xe("vm-shutdown power-state=halted --force", on: pool)
        #expect(pool.changes == ["VM.clean_shutdown('\(machine)')", "VM.hard_shutdown('\(machine)')"])
    }

    @Test func deviceIsDetectedAndTakesItsDefaults() async {
        let pool = SamplePool.make()
        pool.reply(to: "VM.get_allowed_VBD_devices", .success(.array([.string("3"), .string("4")])))
        _ = await xe(
            "vbd-create vm-uuid=\(SamplePool.machineUUID) vdi-uuid=\(SamplePool.diskUUID) device=autodetect", on: pool)
        #expect(
            pool.changes == [
                "VBD.create({VM: '\(machine)', VDI: '\(disk)', userdevice: '3', bootable: false, mode: 'RW', "
                    + "type: 'Disk', unpluggable: true, empty: false, other_config: {}, qos_algorithm_type: '', "
                    + "qos_algorithm_params: {}})"
            ])
    }

    @Test func serverWithoutACallStillListsTheOtherFields() async {
        let pool = SamplePool.make()
        let absent = APIError("NOT_IMPLEMENTED", "VM.get_allowed_VBD_devices")
        pool.reply(to: "VM.get_allowed_VBD_devices", .failure(absent))
        let list = await xe("vm-param-list uuid=\(SamplePool.machineUUID)", on: pool)
        #expect(list.code == 0 && list.out.contains("allowed-VBD-devices (SRO): <not in database>\n"))
        pool.add("VBD", uuid: "v", [("VM", .string(machine)), ("userdevice", .string("0"))])
        _ = await xe("vbd-create vm-uuid=\(SamplePool.machineUUID) device=autodetect type=CD", on: pool)
        #expect(pool.changes.last?.contains("userdevice: '1', bootable: false, mode: 'RO', type: 'CD'") == true)
    }
}
