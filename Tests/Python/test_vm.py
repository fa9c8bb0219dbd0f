"""Class VM: machines at rest, and the drives (VBD) that connect them with disks."""

from suite.case import MIB, Case, machine_record
from suite.model import NOWHERE


class MachineTests(Case):
    def test_a_new_machine_is_halted_and_has_what_was_asked_for(self):
        watch = self.watch("VM", "VM_metrics")
        vm = self.machine(
            name_label="mine",
            name_description="text",
            tags=["a", "b"],
            other_config={"k": "v"},
            platform={"acpi": "1"},
            VCPUs_max="2",
            VCPUs_at_startup="2",
            HVM_boot_policy="BIOS order",
            HVM_boot_params={"order": "dc"},
        )
        record = self.x.VM.get_record(vm)
        self.shows(
            record,
            name_label="mine",
            name_description="text",
            tags=["a", "b"],
            other_config={"k": "v"},
            platform={"acpi": "1"},
            VCPUs_max="2",
            VCPUs_at_startup="2",
            HVM_boot_policy="BIOS order",
            HVM_boot_params={"order": "dc"},
            power_state="Halted",
            is_a_template=False,
            is_control_domain=False,
            is_a_snapshot=False,
            VBDs=[],
            VIFs=[],
            consoles=[],
            domid="-1",
            resident_on="OpaqueRef:NULL",
            guest_metrics="OpaqueRef:NULL",
            current_operations={},
            blobs={},
        )
        self.assertIn("start", record["allowed_operations"])
        self.assertEqual(watch.expect(vm, "add")["uuid"], record["uuid"])
        self.assertEqual(self.x.VM_metrics.get_memory_actual(record["metrics"]), "0")
        self.assertIn(vm, self.x.VM.get_by_name_label("mine"))
        self.x.VM.destroy(vm)
        watch.expect(vm, "del")
        self.refused(
            ["HANDLE_INVALID", "VM_metrics", record["metrics"]], self.x.VM_metrics.get_record, record["metrics"]
        )

    def test_members_with_a_default_may_be_left_out_and_others_not(self):
        full = machine_record()
        needed = {f.name for f in self.model.classes["VM"].creation_fields if not f.has_default}
        vm = self.x.VM.create({k: v for k, v in full.items() if k in needed} | {"no_such_member": 7})
        self.addCleanup(self.drop_machine, vm)
        self.assertEqual(self.x.VM.get_tags(vm), [])
        for name in sorted(needed):
            details = self.refused(
                ["INTERNAL_ERROR", ...], self.x.VM.create, {k: v for k, v in full.items() if k != name}
            )
            self.assertIn(name, details[1])

    def test_asynchronous_creation_returns_the_machine(self):
        vm = self.succeeded(self.x.Async.VM.create(machine_record()))
        self.assertEqual(self.x.VM.get_power_state(vm), "Halted")
        self.succeeded(self.x.Async.VM.destroy(vm))
        self.refused(["HANDLE_INVALID", "VM", vm], self.x.VM.get_record, vm)

    def test_a_destroyed_machine_takes_its_drives_along_and_leaves_its_disks(self):
        vm, vdi = self.machine(), self.disk(self.repository())
        vbd = self.drive(vm, vdi)
        self.x.VM.destroy(vm)
        self.refused(["HANDLE_INVALID", "VBD", vbd], self.x.VBD.get_record, vbd)
        self.assertEqual(self.x.VDI.get_VBDs(vdi), [])

    def test_memory_is_kept_in_order(self):
        vm, x = self.machine(), self.x.VM
        unit = 128 * MIB

        def limits():
            record = x.get_record(vm)
            return [
                int(record["memory_" + k]) // unit for k in ("static_min", "dynamic_min", "dynamic_max", "static_max")
            ]

        x.set_memory_limits(vm, str(unit), str(8 * unit), str(2 * unit), str(4 * unit))
        self.assertEqual(limits(), [1, 2, 4, 8])
        x.set_memory_static_range(vm, str(2 * unit), str(9 * unit))
        x.set_memory_dynamic_range(vm, str(3 * unit), str(5 * unit))
        self.assertEqual(limits(), [2, 3, 5, 9])
        x.set_memory_static_min(vm, str(unit))
        x.set_memory_dynamic_min(vm, str(2 * unit))
        x.set_memory_dynamic_max(vm, str(6 * unit))
        x.set_memory_static_max(vm, str(7 * unit))
        self.assertEqual(limits(), [1, 2, 6, 7])
        for call, arguments in [
            (x.set_memory_static_min, (3 * unit,)),
            (x.set_memory_dynamic_min, (7 * unit,)),
            (x.set_memory_dynamic_max, (8 * unit,)),
            (x.set_memory_static_max, (unit,)),
            (x.set_memory_static_min, (-1,)),
            (x.set_memory_limits, (4 * unit, 3 * unit, 2 * unit, unit)),
            (x.set_memory_static_range, (3 * unit, 7 * unit)),
            (x.set_memory_dynamic_range, (5 * unit, 4 * unit)),
        ]:
            self.refused(["MEMORY_CONSTRAINT_VIOLATION", ...], call, vm, *map(str, arguments))
        self.assertEqual(limits(), [1, 2, 6, 7])
        x.set_memory(vm, str(4 * unit))
        self.assertEqual(limits(), [1, 4, 4, 4])

    def test_processors_are_counted(self):
        vm, x = self.machine(), self.x.VM
        x.set_VCPUs_max(vm, "4")
        x.set_VCPUs_at_startup(vm, "3")
        self.assertEqual([x.get_VCPUs_max(vm), x.get_VCPUs_at_startup(vm)], ["4", "3"])
        more = int(x.compute_memory_overhead(vm))
        x.set_VCPUs_at_startup(vm, "1")
        x.set_VCPUs_max(vm, "1")
        self.assertTrue(0 < int(x.compute_memory_overhead(vm)) < more)
        self.assertEqual(x.compute_memory_overhead(self.x.host.get_control_domain(self.host)), "0")

    def test_what_clients_ask_before_they_start_it(self):
        vm, x = self.machine(), self.x.VM
        self.assertEqual(x.assert_can_boot_here(vm, self.host), "")
        self.assertEqual(list(x.get_possible_hosts(vm)), [self.host])
        self.assertEqual(x.get_allowed_VIF_devices(vm), ["0", "1", "2", "3", "4", "5", "6"])
        self.assertIs(x.get_cooperative(vm), True)
        self.assertEqual(x.get_boot_record(vm)["uuid"], x.get_uuid(vm))
        self.x.host.disable(self.host)
        try:
            self.refused(["HOST_DISABLED", self.host], x.assert_can_boot_here, vm, self.host)
        finally:
            self.x.host.enable(self.host)
        sr = self.repository()
        self.drive(vm, self.disk(sr))
        pbd = self.x.SR.get_PBDs(sr)[0]
        self.x.PBD.unplug(pbd)
        self.refused(["VM_REQUIRES_SR", vm, sr], x.assert_can_boot_here, vm, self.host)
        self.x.PBD.plug(pbd)
        for members, error in [
            ({"VCPUs_max": "0"}, ["INVALID_VALUE", "VCPUs_max", "0"]),
            ({"VCPUs_at_startup": "3"}, ["VALUE_NOT_SUPPORTED", "VCPUs_at_startup", "3", ...]),
            ({"memory_static_min": str(512 * MIB)}, ["MEMORY_CONSTRAINT_VIOLATION", ...]),
        ]:
            odd = self.machine(**members)
            self.refused(error, x.assert_can_boot_here, odd, self.host)
            self.refused(error, x.start, odd, False, False)
        needed, _ = self.refused(
            ["HOST_NOT_ENOUGH_FREE_MEMORY", ..., ...],
            x.assert_can_boot_here,
            self.machine(memory_static_max=str(1 << 43), memory_dynamic_max=str(1 << 43)),
            self.host,
        )[1:]
        self.assertGreaterEqual(int(needed), 1 << 43)

    def test_how_it_starts_and_ends_is_written_down(self):
        vm, x = self.machine(), self.x.VM
        for name, value in [
            ("HVM_boot_policy", "BIOS order"),
            ("actions_after_crash", "preserve"),
            ("order", "3"),
            ("start_delay", "4"),
            ("shutdown_delay", "5"),
            ("ha_restart_priority", "best-effort"),
            ("platform", {"nx": "true"}),
            ("other_config", {"a": "b"}),
            ("blocked_operations", {"start": "because"}),
            ("bios_strings", {"bios-vendor": "us"}),
        ]:
            getattr(x, "set_" + name)(vm, value)
            self.assertEqual(getattr(x, "get_" + name)(vm), value)
        x.remove_from_blocked_operations(vm, "start")
        x.add_to_blocked_operations(vm, "start", "again")
        self.assertEqual(x.get_blocked_operations(vm), {"start": "again"})
        x.remove_from_platform(vm, "nx")
        x.add_to_platform(vm, "pae", "true")
        x.remove_from_other_config(vm, "a")
        x.add_to_other_config(vm, "c", "d")
        self.assertEqual([x.get_platform(vm), x.get_other_config(vm)], [{"pae": "true"}, {"c": "d"}])
        self.refused(["INTERNAL_ERROR", ...], x.set_actions_after_crash, vm, "explode")
        for name in ("order", "start_delay", "shutdown_delay"):
            self.refused(["INVALID_VALUE", name + " must be non-negative", "-1"], getattr(x, "set_" + name), vm, "-1")
        self.refused(["INVALID_VALUE", "ha_restart_priority", "1"], x.set_ha_restart_priority, vm, "1")
        x.set_ha_always_run(vm, True)
        # It does not run.
        self.assertEqual([x.get_ha_restart_priority(vm), x.get_ha_always_run(vm)], ["restart", False])
        x.set_ha_always_run(vm, False)
        self.assertEqual(x.get_ha_restart_priority(vm), "")
        for call, value in ((x.set_ha_restart_priority, "restart"), (x.set_ha_always_run, True), (x.set_order, "1")):
            self.refused(["HANDLE_INVALID", "VM", NOWHERE], call, NOWHERE, value)
        self.refused(["INTERNAL_ERROR", ...], x.add_to_blocked_operations, vm, "no_such_operation", "x")

    def test_what_the_firmware_says_is_decided_once(self):
        vm, x = self.machine(), self.x.VM
        for key, value in [
            ("bios-colour", "red"),
            ("bios-vendor", ""),
            ("bios-vendor", "é"),
            ("bios-vendor", "v" * 513),
        ]:
            self.refused(["INVALID_VALUE", key, value], x.set_bios_strings, vm, {key: value})
        strings = {"bios-vendor": "us", "system-serial-number": "1 2 3"}
        self.succeeded(self.x.Async.VM.set_bios_strings(vm, strings))
        self.assertEqual(x.get_bios_strings(vm), strings)
        self.refused(["VM_BIOS_STRINGS_ALREADY_SET"], x.set_bios_strings, vm, strings)

    def test_a_template_is_not_started(self):
        vm = self.machine()
        self.x.VM.set_is_a_template(vm, True)
        record = self.x.VM.get_record(vm)
        self.assertEqual([record["is_a_template"], record["power_state"]], [True, "Halted"])
        # The declaration has one parameter; some servers name the operation as well.
        for call, arguments in [(self.x.VM.start, (False, False)), (self.x.VM.start_on, (self.host, False, False))]:
            self.assertEqual(self.fails({"VM_IS_TEMPLATE"}, call, vm, *arguments)[1], vm)
        self.x.VM.set_is_default_template(vm, True)
        self.assertTrue(self.x.VM.get_is_default_template(vm))
        self.x.VM.set_is_default_template(vm, False)
        self.x.VM.set_is_a_template(vm, False)
        self.assertFalse(self.x.VM.get_is_a_template(vm))

    def test_what_a_halted_machine_cannot_do(self):
        vm = self.machine()
        for call in (self.x.VM.clean_shutdown, self.x.VM.hard_shutdown, self.x.VM.shutdown):
            details = self.refused(["VM_BAD_POWER_STATE", vm, ..., "halted"], call, vm)
            self.assertIn("running", details[2])
        self.refused(["HANDLE_INVALID", "host", NOWHERE], self.x.VM.start_on, vm, NOWHERE, False, False)
        self.unknown("VM", self.x.VM.start_on, self.host, False, False)

    def test_the_control_domain_is_no_guest(self):
        domain = self.x.host.get_control_domain(self.host)
        self.assertEqual([self.x.VM.get_power_state(domain), self.x.VM.get_domid(domain)], ["Running", "0"])
        for call in (self.x.VM.hard_shutdown, self.x.VM.clean_shutdown):
            self.refused(["OPERATION_NOT_ALLOWED", ...], call, domain)
        self.fails({"OPERATION_NOT_ALLOWED", "VM_BAD_POWER_STATE"}, self.x.VM.destroy, domain)

    def test_a_machine_of_which_no_guest_is_left_is_halted_for_good(self):
        vm = self.machine()
        self.assertEqual(self.x.VM.power_state_reset(vm), "")
        self.assertEqual(self.x.VM.get_power_state(vm), "Halted")
        self.x.VM.start(vm, False, True)
        self.refused(["OPERATION_NOT_ALLOWED", ...], self.x.VM.power_state_reset, vm)
        self.assertEqual(self.x.VM.get_power_state(vm), "Running")
        self.x.VM.hard_shutdown(vm)
        self.succeeded(self.x.Async.VM.power_state_reset(vm))
        self.unknown("VM", self.x.VM.power_state_reset)

    def test_it_may_say_what_its_host_says(self):
        vm, x = self.machine(), self.x.VM
        x.copy_bios_strings(vm, self.host)
        copied, said = x.get_bios_strings(vm), self.x.host.get_bios_strings(self.host)
        self.assertLessEqual(copied.items(), said.items())
        self.assertEqual(bool(copied), any(v.isascii() and v for k, v in said.items() if k == "bios-vendor"))
        if copied:
            self.refused(["VM_BIOS_STRINGS_ALREADY_SET"], x.copy_bios_strings, vm, self.host)
        self.unknown("VM", x.copy_bios_strings, self.host)

    def test_how_much_memory_fits(self):
        vm, x = self.machine(), self.x.VM
        total = 1 << 33
        most = int(x.maximise_memory(vm, str(total), False))
        self.assertEqual(most + int(x.compute_memory_overhead(vm)), total)
        for little in ("5", "0", str(-(1 << 63))):
            self.assertEqual(x.maximise_memory(vm, little, True), "0")

    def test_a_machine_on_shared_storage_is_agile(self):
        vm, sr = self.machine(), self.repository()
        self.assertEqual(self.x.VM.assert_agile(vm), "")
        self.drive(vm, self.disk(sr))
        self.refused(["HA_CONSTRAINT_VIOLATION_SR_NOT_SHARED", sr], self.x.VM.assert_agile, vm)

    def test_what_may_be_done_is_asked_beforehand(self):
        """Where the build offers it."""
        vm, offered = self.machine(), self.model.is_implemented
        if offered("VM.update_allowed_operations"):
            before = sorted(self.x.VM.get_allowed_operations(vm))
            self.x.VM.update_allowed_operations(vm)
            self.assertEqual(sorted(self.x.VM.get_allowed_operations(vm)), before)
        if offered("VM.assert_operation_valid"):
            self.x.VM.assert_operation_valid(vm, "start")
            self.refused(
                ["VM_BAD_POWER_STATE", vm, ..., "halted"], self.x.VM.assert_operation_valid, vm, "clean_shutdown"
            )
        if offered("VM.get_possible_hosts"):
            self.assertEqual(self.x.VM.get_possible_hosts(vm), [self.host])
        if offered("VM.assert_can_boot_here"):
            self.x.VM.assert_can_boot_here(vm, self.host)
        if offered("VBD.assert_attachable"):
            vbd = self.drive(self.x.host.get_control_domain(self.host), self.disk(self.repository()))
            self.x.VBD.assert_attachable(vbd)
            other = self.drive(self.x.host.get_control_domain(self.host), self.x.VBD.get_VDI(vbd))
            self.x.VBD.plug(vbd)
            self.refused(["VDI_IN_USE", self.x.VBD.get_VDI(vbd)], self.x.VBD.assert_attachable, other)
            self.x.VBD.unplug(vbd)
            self.x.VBD.destroy(vbd)
            self.x.VBD.destroy(other)


class DriveTests(Case):
    def setUp(self):
        super().setUp()
        self.vm, self.vdi = self.machine(), self.disk(self.repository())
        self.domain = self.x.host.get_control_domain(self.host)

    def test_a_new_drive_connects_machine_and_disk(self):
        watch = self.watch("VBD")
        vbd = self.drive(self.vm, self.vdi, userdevice="3", bootable=True, mode="RO", other_config={"k": "v"})
        record = self.x.VBD.get_record(vbd)
        self.shows(
            record,
            VM=self.vm,
            VDI=self.vdi,
            userdevice="3",
            bootable=True,
            mode="RO",
            type="Disk",
            empty=False,
            other_config={"k": "v"},
            currently_attached=False,
            current_operations={},
        )
        self.assertEqual([self.x.VM.get_VBDs(self.vm), self.x.VDI.get_VBDs(self.vdi)], [[vbd], [vbd]])
        self.assertEqual(watch.expect(vbd, "add")["uuid"], record["uuid"])
        self.x.VBD.set_mode(vbd, "RW")
        self.assertEqual(watch.expect(vbd, "mod")["mode"], "RW")
        self.x.VBD.destroy(vbd)
        watch.expect(vbd, "del")
        self.assertEqual(self.x.VM.get_VBDs(self.vm), [])

    def test_devices_are_numbered_once(self):
        self.assertEqual(self.x.VM.get_allowed_VBD_devices(self.vm)[:3], ["0", "1", "2"])
        self.drive(self.vm, self.vdi)
        self.drive(self.vm, self.vdi, userdevice="xvdc")
        self.assertEqual(self.x.VM.get_allowed_VBD_devices(self.vm)[:2], ["1", "3"])
        self.refused(["DEVICE_ALREADY_EXISTS", "2"], self.x.VBD.create, self.record(userdevice="2"))
        for device in ("16", "-1", "none", "xvdz1"):
            self.refused(["INVALID_DEVICE", device], self.x.VBD.create, self.record(userdevice=device))
        for _ in range(14):
            self.drive(self.vm, self.vdi)
        self.assertEqual(self.x.VM.get_allowed_VBD_devices(self.vm), [])
        self.refused(["INVALID_DEVICE", "autodetect"], self.x.VBD.create, self.record())
        self.unknown("VM", self.x.VM.get_allowed_VBD_devices)

    def record(self, **members):
        return {
            "VM": self.vm,
            "VDI": self.vdi,
            "userdevice": "autodetect",
            "bootable": False,
            "mode": "RW",
            "type": "Disk",
            "empty": False,
            "other_config": {},
            "qos_algorithm_type": "",
            "qos_algorithm_params": {},
        } | members

    def test_what_a_drive_cannot_connect(self):
        self.refused(["HANDLE_INVALID", "VM", NOWHERE], self.x.VBD.create, self.record(VM=NOWHERE))
        self.refused(["HANDLE_INVALID", "VDI", NOWHERE], self.x.VBD.create, self.record(VDI=NOWHERE))
        drive = self.record(VDI="OpaqueRef:NULL", empty=True, type="CD", mode="RO")
        self.refused(["VBD_CDS_MUST_BE_READONLY"], self.x.VBD.create, drive | {"mode": "RW"})
        self.refused(["VBD_NOT_REMOVABLE_MEDIA", "in constructor"], self.x.VBD.create, drive | {"type": "Disk"})
        empty = self.x.VBD.create(drive | {"VDI": self.vdi})
        self.shows(self.x.VBD.get_record(empty), empty=True, VDI="OpaqueRef:NULL", mode="RO")

    def test_discs_of_a_halted_machine(self):
        x = self.x
        cd = x.VBD.create(self.record(VDI="OpaqueRef:NULL", empty=True, type="CD", mode="RO"))
        self.unknown("VBD", x.VBD.insert, self.vdi)
        self.refused(["HANDLE_INVALID", "VDI", NOWHERE], x.VBD.insert, cd, NOWHERE)
        self.unknown("VBD", x.VBD.eject)
        disk = self.drive(self.vm, self.vdi)
        self.refused(["VBD_NOT_REMOVABLE_MEDIA", disk], x.VBD.insert, disk, self.vdi)
        self.refused(["VBD_NOT_REMOVABLE_MEDIA", disk], x.VBD.eject, disk)
        self.refused(["VBD_IS_EMPTY", cd], x.VBD.eject, cd)
        x.VBD.destroy(disk)
        watch = self.watch("VBD/" + cd)
        self.succeeded(x.Async.VBD.insert(cd, self.vdi))
        self.assertEqual([x.VBD.get_empty(cd), x.VBD.get_VDI(cd), x.VDI.get_VBDs(self.vdi)], [False, self.vdi, [cd]])
        self.assertIs(watch.next()[-1]["snapshot"]["empty"], False)
        self.refused(["VBD_NOT_EMPTY", cd], x.VBD.insert, cd, self.vdi)
        x.VBD.eject(cd)
        self.assertEqual([x.VBD.get_empty(cd), x.VBD.get_VDI(cd)], [True, "OpaqueRef:NULL"])
        # A disk that somebody writes is no disc.
        writer = self.drive(self.domain, self.vdi)
        x.VBD.plug(writer)
        self.refused(["VDI_IN_USE", self.vdi], x.VBD.insert, cd, self.vdi)
        x.VBD.unplug(writer)
        x.VBD.destroy(writer)
        self.assertEqual(x.VBD.get_allowed_operations(cd), ["attach", "insert"])

    def test_a_disk_is_plugged_into_this_host_and_out(self):
        vbd = self.drive(self.domain, self.vdi)
        self.addCleanup(self.x.VBD.destroy, vbd)
        watch = self.watch("VBD/" + vbd)
        self.refused(["DEVICE_ALREADY_DETACHED", vbd], self.x.VBD.unplug, vbd)
        self.succeeded(self.x.Async.VBD.plug(vbd))
        record = self.x.VBD.get_record(vbd)
        self.assertIs(record["currently_attached"], True)
        self.assertIn("unplug", record["allowed_operations"])
        self.assertNotIn("plug", record["allowed_operations"])
        self.assertRegex(self.x.VBD.get_runtime_properties(vbd)["nbd-uri"], "^nbd[+]unix:///")
        self.assertTrue(watch.next()[-1]["snapshot"]["currently_attached"])
        self.refused(["DEVICE_ALREADY_ATTACHED", vbd], self.x.VBD.plug, vbd)
        # A disk that is written has one user.
        other = self.drive(self.domain, self.vdi)
        self.addCleanup(self.x.VBD.destroy, other)
        self.refused(["VDI_IN_USE", self.vdi], self.x.VBD.plug, other)
        self.assertFalse(self.x.VBD.get_currently_attached(other))
        self.succeeded(self.x.Async.VBD.unplug(vbd))
        self.assertEqual([self.x.VBD.get_currently_attached(vbd), self.x.VBD.get_runtime_properties(vbd)], [False, {}])

    def test_an_attached_drive_stays(self):
        vbd = self.drive(self.domain, self.vdi)
        self.x.VBD.plug(vbd)
        self.fails({"DEVICE_ALREADY_ATTACHED", "OPERATION_NOT_ALLOWED"}, self.x.VBD.destroy, vbd)
        self.assertIs(self.x.VBD.get_currently_attached(vbd), True)
        self.x.VBD.unplug(vbd)
        self.x.VBD.destroy(vbd)

    def test_drives_of_halted_machines_are_not_plugged(self):
        vbd = self.drive(self.vm, self.vdi)
        for call in (self.x.VBD.plug, self.x.VBD.unplug):
            self.refused(["VM_BAD_POWER_STATE", self.vm, "running", "halted"], call, vbd)

    def test_a_read_only_disk_is_not_written(self):
        self.x.VDI.set_read_only(self.vdi, True)
        vbd = self.drive(self.domain, self.vdi)
        self.addCleanup(self.x.VBD.destroy, vbd)
        self.refused(["VDI_READONLY", self.vdi], self.x.VBD.plug, vbd)
        self.x.VBD.set_mode(vbd, "RO")
        self.x.VBD.plug(vbd)
        self.x.VBD.unplug(vbd)
