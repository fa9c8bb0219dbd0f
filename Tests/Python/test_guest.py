"""A machine that runs: one real guest, emulated, from its start to its end."""

import contextlib
import hashlib
import os
import socket
import urllib.parse

from suite.case import MIB, Case
from suite.daemon import guest_files

NULL = "OpaqueRef:NULL"


class RunningTests(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        kernel, initrd = guest_files()
        cls.made = made = cls("test_it_shows_that_it_runs")
        cls.sr = made.repository()
        cls.vm = made.machine(
            name_label="guest",
            PV_kernel=kernel,
            PV_ramdisk=initrd,
            PV_args="console=ttyS0 quiet gantry.work=idle gantry.disk=none",
        )
        cls.vdi = made.disk(cls.sr)
        made.x.VDI.set_on_boot(cls.vdi, "reset")
        cls.vbd = made.drive(cls.vm, cls.vdi, bootable=True)
        cls.cd = made.drive(cls.vm, NULL, userdevice="3", type="CD", mode="RO", empty=True)
        made.succeeded(made.x.Async.VM.start(cls.vm, False, False))

    @classmethod
    def tearDownClass(cls):
        cls.made.doCleanups()
        super().tearDownClass()

    def test_it_shows_that_it_runs(self):
        record = self.x.VM.get_record(self.vm)
        self.shows(record, power_state="Running", resident_on=self.host, current_operations={})
        self.assertGreater(int(record["domid"]), 0)
        self.assertLessEqual({"clean_shutdown", "hard_shutdown"}, set(record["allowed_operations"]))
        self.assertNotIn("start", record["allowed_operations"])
        self.assertIn(self.vm, self.x.host.get_resident_VMs(self.host))
        metrics = self.x.VM_metrics.get_record(record["metrics"])
        self.shows(metrics, state=["running"], memory_actual=str(256 * MIB), VCPUs_number="1", hvm=True)
        inside = self.x.VM_guest_metrics.get_record(record["guest_metrics"])
        self.assertIsNone(self.model.record_problem(inside, self.model.classes["VM_guest_metrics"]))
        self.assertIs(self.x.VBD.get_currently_attached(self.vbd), True)

    def test_one_that_is_to_be_restarted_is_to_be_kept_running(self):
        for value, kept in (("restart", True), ("best-effort", False)):
            self.x.VM.set_ha_restart_priority(self.vm, value)
            self.shows(self.x.VM.get_record(self.vm), ha_restart_priority=value, ha_always_run=kept)
        for kept in (True, False):
            self.x.VM.set_ha_always_run(self.vm, kept)
            self.shows(self.x.VM.get_record(self.vm), ha_restart_priority="restart" if kept else "", ha_always_run=kept)

    def test_its_consoles_are_its_screen_and_its_serial_port(self):
        records = {ref: self.x.console.get_record(ref) for ref in self.x.VM.get_consoles(self.vm)}
        self.assertEqual(sorted(r["protocol"] for r in records.values()), ["rfb", "vt100"])
        for ref, record in records.items():
            self.assertIsNone(self.model.record_problem(record, self.model.classes["console"]))
            self.assertEqual([record["VM"], self.x.console.get_by_uuid(record["uuid"])], [self.vm, ref])
            self.assertIn("/console?uuid=" + record["uuid"], record["location"])
        self.assertEqual(sorted(self.x.console.get_all()), sorted(records))

    def test_what_it_cannot_do_while_it_runs(self):
        vm, x = self.vm, self.x
        for call, arguments in [
            (x.VM.start, (False, False)),
            (x.VM.start_on, (self.host, False, False)),
            (x.VM.destroy, ()),
            (x.VM.set_is_a_template, (True,)),
            (x.VM.set_memory, (str(512 * MIB),)),
        ]:
            details = self.refused(["VM_BAD_POWER_STATE", vm, ..., "running"], call, vm, *arguments)
            self.assertIn("halted", details[2])
        self.refused(["VDI_IN_USE", self.vdi, "destroy"], x.VDI.destroy, self.vdi)
        self.assertEqual(x.VM.get_power_state(vm), "Running")

    def test_it_prevents_the_evacuation_of_its_host(self):
        self.assertEqual(list(self.x.host.get_vms_which_prevent_evacuation(self.host)), [self.vm])
        for call in (self.x.host.assert_can_evacuate, self.x.host.evacuate):
            details = self.refused(["CANNOT_EVACUATE_HOST", ...], call, self.host)
            self.assertIn(self.vm, details[1])

    def test_when_it_has_booted_it_takes_a_disk_and_shuts_down(self):
        # The last of its class, by its name: it is the guest's end.
        with contextlib.closing(self.serial(self.console())) as serial:
            # It says which disks come.
            vdi = self.disk(self.sr, 8 * MIB)
            vbd = self.drive(self.vm, vdi)
            self.x.VBD.plug(vbd)
            self.wait_for(serial, "bytes=%d" % (8 * MIB))
            self.assertIs(self.x.VBD.get_currently_attached(vbd), True)
            self.assertIn("resize_online", self.x.VDI.get_allowed_operations(vdi))
            self.assertNotIn("resize", self.x.VDI.get_allowed_operations(vdi))
            self.succeeded(self.x.Async.VDI.resize(vdi, str(12 * MIB)))
            self.assertEqual(self.x.VDI.get_virtual_size(vdi), str(12 * MIB))
            self.wait_for(serial, "DISK vdb bytes=%d" % (12 * MIB))
            self.x.VBD.unplug(vbd)
            self.assertIs(self.x.VBD.get_currently_attached(vbd), False)
            self.x.VBD.destroy(vbd)
            # It stands still for a while, and hears the power button again afterwards.
            self.x.VM.pause(self.vm)
            self.assertEqual(self.x.VM.get_power_state(self.vm), "Paused")
            self.x.VM.unpause(self.vm)
        # Both, always: that every message was called with success is checked at the end.
        ways = [self.is_rebooted, self.reboots_by_itself]
        for way in ways:
            self.boots_again(way)
        with contextlib.closing(self.serial(self.console())) as serial:
            vbd = self.drive(self.vm, vdi)
            self.x.VBD.plug(vbd)
            self.wait_for(serial, "bytes=%d" % (12 * MIB))
            self.x.VBD.unplug(vbd)
            self.x.VBD.destroy(vbd)
            self.discs_come_and_go(serial)
            self.x.VM.set_ha_restart_priority(self.vm, "restart")
            self.assertIs(self.x.VM.get_ha_always_run(self.vm), True)
            watch = self.watch("VM/" + self.vm, "message")
            self.succeeded(self.x.Async.VM.clean_shutdown(self.vm))
        record = self.x.VM.get_record(self.vm)
        self.shows(record, power_state="Halted", domid="-1", resident_on="OpaqueRef:NULL", consoles=[])
        # Who shut it down does not want it back.
        self.shows(record, ha_restart_priority="restart", ha_always_run=False)
        self.assertIs(self.x.VBD.get_currently_attached(self.vbd), False)
        self.x.VDI.set_on_boot(self.vdi, "persist")
        content = self.http("GET", "/export_raw_vdi", session_id=self.sid, vdi=self.vdi, format="raw")[2]
        self.assertEqual(content, bytes(4 * MIB))
        folder = self.x.PBD.get_device_config(self.x.SR.get_PBDs(self.sr)[0])["location"]
        self.assertFalse([name for name in os.listdir(folder) if name.startswith(".gantry-epoch")])
        names = [m["name"] for m in self.x.message.get_all_records().values() if m["obj_uuid"] == record["uuid"]]
        ends = ["VM_SHUTDOWN" if way == self.is_rebooted else "VM_REBOOTED" for way in ways]
        self.assertEqual(sorted(names), sorted(["VM_STARTED", *ends, *["VM_STARTED"] * len(ways), "VM_SHUTDOWN"]))
        self.assertIn("Halted", [e["snapshot"].get("power_state") for e in watch.next() if "snapshot" in e])

    def boots_again(self, way):
        """What it writes to a disk that is reset is gone when it boots again: a new guest comes up, with the same disks."""
        with contextlib.closing(self.serial(self.console())) as serial:
            serial.sendall(b"mark\n")
            self.wait_for(serial, "GANTRY MARKED")
            domain = self.x.VM.get_domid(self.vm)
            way(serial)
        self.shows(self.x.VM.get_record(self.vm), power_state="Running", current_operations={})
        self.assertNotEqual(self.x.VM.get_domid(self.vm), domain)
        self.assertIs(self.x.VBD.get_currently_attached(self.vbd), True)
        self.assertEqual(self.x.VBD.get_empty(self.cd), True)
        with contextlib.closing(self.serial(self.console())) as serial:
            self.wait_for(serial, "DISK vda appeared bytes=%d md5=%s" % (4 * MIB, hashlib.md5(bytes(MIB)).hexdigest()))

    def is_rebooted(self, _):
        self.succeeded(self.x.Async.VM.clean_reboot(self.vm))

    def reboots_by_itself(self, serial):
        """From inside, which nobody asked for: it is seen as a start while it lasts, and no other is let in."""
        domain, watch = self.x.VM.get_domid(self.vm), self.watch("VM/" + self.vm)
        serial.sendall(b"reboot\n")
        record = {"domid": domain}
        while record["domid"] == domain or record["power_state"] != "Running" or record["current_operations"]:
            for event in watch.next():
                record = event.get("snapshot", record)
                if "start" in record["current_operations"].values():
                    self.assertNotIn("start", record["allowed_operations"])

    def console(self):
        consoles = self.x.VM.get_consoles(self.vm)
        return next(c for c in consoles if self.x.console.get_protocol(c) == "vt100")

    def discs_come_and_go(self, serial):
        x, cd = self.x, self.cd
        self.shows(x.VBD.get_record(cd), currently_attached=True, empty=True, allowed_operations=["attach", "insert"])
        sr, contents = self.library(2 * MIB, 3 * MIB)
        discs = [x.VDI.get_by_name_label("disc%d.iso" % number)[0] for number in range(2)]
        x.VBD.insert(cd, discs[0])
        self.shows(x.VBD.get_record(cd), VDI=discs[0], empty=False, allowed_operations=["attach", "eject"])
        self.wait_for(serial, "DISC sr0 bytes=%d md5=%s" % (2 * MIB, contents[0]))
        self.refused(["VBD_NOT_EMPTY", cd], x.VBD.insert, cd, discs[1])
        self.refused(["VDI_IN_USE", discs[0], "PBD.unplug"], x.PBD.unplug, x.SR.get_PBDs(sr)[0])
        self.succeeded(x.Async.VBD.eject(cd))
        self.shows(x.VBD.get_record(cd), VDI=NULL, empty=True, currently_attached=True)
        self.wait_for(serial, "DISC sr0 empty")
        self.refused(["VBD_IS_EMPTY", cd], x.VBD.eject, cd)
        self.succeeded(x.Async.VBD.insert(cd, discs[1]))
        self.wait_for(serial, "md5=%s" % contents[1])
        x.VBD.eject(cd)

    def library(self, *sizes):
        """An SR of discs, and the sums of their first MiB."""
        folder, sums = self.folder("library"), []
        for number, size in enumerate(sizes):
            content = os.urandom(size)
            with open("%s/disc%d.iso" % (folder, number), "wb") as disc:
                disc.write(content)
            sums.append(hashlib.md5(content[:MIB]).hexdigest())
        return self.disc_library(folder), sums

    def serial(self, console):
        place = urllib.parse.urlparse(self.daemon.url)
        connection = socket.create_connection((place.hostname, place.port))
        connection.sendall(
            b"CONNECT /console?ref=%s HTTP/1.0\r\nCookie: session_id=%s\r\n\r\n" % (console.encode(), self.sid.encode())
        )
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            byte = connection.recv(1)
            self.assertTrue(byte, head)
            head += byte
        self.assertIn(b" 200 ", head.split(b"\r\n")[0])
        return connection

    def wait_for(self, serial, text):
        said = b""
        while text.encode() not in said:
            piece = serial.recv(4096)
            self.assertTrue(piece, "the console ended after %r" % said[-2000:])
            said += piece


class CutOffTests(Case):
    """Machines without a system: they run, and do nothing."""

    def test_a_hard_shutdown_needs_nobodys_help(self):
        vm = self.machine()
        self.assertEqual(self.x.VM.start(vm, False, True), "")
        watch = self.watch("VM/" + vm)
        self.assertEqual(self.x.VM.hard_shutdown(vm), "")
        self.assertEqual(watch.next()[-1]["snapshot"]["power_state"], "Halted")
        self.succeeded(self.x.Async.VM.start_on(vm, self.host, False, False))
        self.assertEqual(self.x.VM.get_resident_on(vm), self.host)
        self.succeeded(self.x.Async.VM.hard_shutdown(vm))
        self.assertEqual(self.x.VM.get_power_state(vm), "Halted")

    def test_a_hard_reboot_makes_a_new_guest(self):
        vm = self.machine()
        self.refused(["VM_BAD_POWER_STATE", vm, ..., "halted"], self.x.VM.hard_reboot, vm)
        self.refused(["VM_BAD_POWER_STATE", vm, "running", "halted"], self.x.VM.clean_reboot, vm)
        self.x.VM.set_bios_strings(vm, {"bios-vendor": "a, b", "system-serial-number": "1,file=/etc/shadow"})
        self.x.VM.start(vm, False, False)
        before = self.x.VM.get_domid(vm)
        self.x.VM.hard_reboot(vm)
        self.assertEqual(self.x.VM.get_power_state(vm), "Running")
        self.assertGreater(int(self.x.VM.get_domid(vm)), int(before))
        self.succeeded(self.x.Async.VM.hard_reboot(vm))

    def test_a_machine_that_does_not_listen_is_cut_off_after_its_shutdown_delay(self):
        vm = self.machine()
        self.x.VM.set_shutdown_delay(vm, "1")
        self.x.VM.start(vm, False, False)
        self.assertEqual(self.x.VM.shutdown(vm), "")
        self.assertEqual([self.x.VM.get_power_state(vm), self.x.VM.get_current_operations(vm)], ["Halted", {}])

    def test_a_machine_that_is_cut_off_while_it_reboots_stays_off(self):
        vm = self.machine()
        self.x.VM.start(vm, False, False)
        task = self.begun(vm, self.x.Async.VM.clean_reboot)
        self.x.VM.hard_shutdown(vm)
        self.assertEqual(self.finished(task)["error_info"], ["VM_HALTED", vm])
        self.assertEqual([self.x.VM.get_power_state(vm), self.x.VM.get_current_operations(vm)], ["Halted", {}])

    def test_who_waits_for_a_shutdown_may_stop_waiting(self):
        vm = self.machine()
        self.x.VM.start(vm, False, False)
        task = self.begun(vm, self.x.Async.VM.clean_shutdown)
        self.x.task.cancel(task)
        self.assertEqual(self.finished(task)["error_info"], ["TASK_CANCELLED", task])
        self.assertEqual([self.x.VM.get_power_state(vm), self.x.VM.get_current_operations(vm)], ["Running", {}])

    def test_a_shutdown_is_done_when_the_machine_is_cut_off(self):
        vm = self.machine()
        self.x.VM.start(vm, False, False)
        task = self.begun(vm, self.x.Async.VM.shutdown)
        self.x.VM.hard_shutdown(vm)
        self.succeeded(task)
        self.assertEqual([self.x.VM.get_power_state(vm), self.x.VM.get_current_operations(vm)], ["Halted", {}])

    def begun(self, vm, call):
        """Begins an operation that lasts: nothing in the machine hears the power button."""
        task = call(vm)
        watch = self.watch("VM/" + vm)
        while not self.x.VM.get_current_operations(vm):
            watch.next()
        operations = self.x.VM.get_current_operations(vm)
        self.assertEqual(list(operations), [task])
        self.refused(["OTHER_OPERATION_IN_PROGRESS", "VM", vm, operations[task], task], self.x.VM.clean_shutdown, vm)
        return task

    def test_a_machine_that_starts_paused_waits_until_it_is_let_go(self):
        vm, x = self.machine(), self.x.VM
        vbd = self.drive(vm, self.disk(self.repository()))
        for call in (x.pause, x.unpause):
            self.refused(["VM_BAD_POWER_STATE", vm, ..., "halted"], call, vm)
        watch = self.watch("VM/" + vm)
        x.start(vm, True, False)
        record = x.get_record(vm)
        self.shows(record, power_state="Paused", resident_on=self.host, current_operations={})
        self.assertEqual(watch.next()[-1]["snapshot"]["power_state"], "Paused")
        self.assertLessEqual({"unpause", "hard_shutdown", "hard_reboot"}, set(record["allowed_operations"]))
        self.assertFalse({"pause", "clean_shutdown", "start", "destroy"} & set(record["allowed_operations"]))
        self.assertIs(self.x.VBD.get_currently_attached(vbd), True)
        self.refused(["VM_BAD_POWER_STATE", vm, "running", "paused"], x.clean_shutdown, vm)
        self.refused(["VM_BAD_POWER_STATE", vm, "running", "paused"], x.pause, vm)
        self.succeeded(self.x.Async.VM.unpause(vm))
        self.assertEqual(x.get_power_state(vm), "Running")
        self.refused(["VM_BAD_POWER_STATE", vm, "paused", "running"], x.unpause, vm)
        self.succeeded(self.x.Async.VM.pause(vm))
        self.assertEqual(x.get_power_state(vm), "Paused")
        # Out of a pause comes a guest that runs, and a halted machine.
        x.hard_reboot(vm)
        self.assertEqual(x.get_power_state(vm), "Running")
        x.pause(vm)
        x.hard_shutdown(vm)
        self.assertEqual([x.get_power_state(vm), self.x.VBD.get_currently_attached(vbd)], ["Halted", False])

    def test_nobody_gets_at_the_disks_of_a_machine_that_reboots(self):
        vm, vdi = self.machine(), self.disk(self.repository())
        vbd = self.drive(vm, vdi)
        thief = self.drive(self.x.host.get_control_domain(self.host), vdi)
        self.addCleanup(self.x.VBD.destroy, thief)
        self.x.VM.start(vm, False, False)
        # A disabled host takes no new machines, and goes on with those that it has.
        self.x.host.disable(self.host)
        try:
            for _ in range(2):
                task, seen = self.x.Async.VM.hard_reboot(vm), set()
                while self.x.task.get_status(task) == "pending":
                    for call, argument in ((self.x.VDI.destroy, vdi), (self.x.VBD.plug, thief)):
                        seen.add(self.fails({"VDI_IN_USE", "OTHER_OPERATION_IN_PROGRESS"}, call, argument)[0])
                self.succeeded(task)
                self.assertIn("VDI_IN_USE", seen)
                self.assertEqual(
                    [self.x.VM.get_power_state(vm), self.x.VBD.get_currently_attached(vbd)], ["Running", True]
                )
        finally:
            self.x.host.enable(self.host)
        self.x.VM.hard_shutdown(vm)
        self.x.VBD.plug(thief)
        self.x.VBD.unplug(thief)
