"""Machines whose memory goes to a disk and comes back. They have no system: they run, and do nothing."""

from suite.case import MIB
from test_motion import MotionCase

NULL = "OpaqueRef:NULL"


class SuspensionCase(MotionCase):
    def suspend_repository(self):
        """An SR for memory, which the pool names for it."""
        sr = self.repository("raw")
        self.x.pool.set_suspend_image_SR(self.pool, sr)
        self.addCleanup(self.x.pool.set_suspend_image_SR, self.pool, NULL)
        return sr

    @property
    def pool(self):
        return self.x.pool.get_all()[0]


class SuspensionTests(SuspensionCase):
    def test_a_machine_is_suspended_and_resumed(self):
        x, sr = self.x, self.suspend_repository()
        vm = self.machine()
        disk = self.disk(self.repository("qcow2"))
        drive = self.drive(vm, disk)
        self.refused(["VM_BAD_POWER_STATE", vm, "running", "halted"], x.VM.suspend, vm)
        self.refused(["VM_BAD_POWER_STATE", vm, "suspended", "halted"], x.VM.resume, vm, False, False)
        x.VM.start(vm, False, False)
        self.assertIn("suspend", x.VM.get_allowed_operations(vm))
        watch = self.watch("VM/" + vm)
        self.succeeded(x.Async.VM.suspend(vm))
        self.assertEqual(watch.next()[-1]["snapshot"]["power_state"], "Suspended")
        record = x.VM.get_record(vm)
        self.shows(record, power_state="Suspended", resident_on=NULL, domid="-1", current_operations={}, consoles=[])
        self.assertLessEqual({"resume", "resume_on", "hard_shutdown", "destroy"}, set(record["allowed_operations"]))
        self.assertIs(x.VBD.get_currently_attached(drive), False)
        image = record["suspend_VDI"]
        self.shows(x.VDI.get_record(image), SR=sr, type="suspend", managed=True, current_operations={})
        self.refused(["VM_BAD_POWER_STATE", vm, "halted", "suspended"], x.VM.start, vm, False, False)
        self.refused(["VM_BAD_POWER_STATE", vm, "running", "suspended"], x.VM.suspend, vm)

        # Nobody takes its memory away, or gets it as a disk.
        self.refused(["VDI_IN_USE", image, "destroy"], x.VDI.destroy, image)
        self.assertNotIn("destroy", x.VDI.get_allowed_operations(image))
        thief = self.machine()
        self.drive(thief, image)
        self.refused(["VDI_IN_USE", image], x.VM.start, thief, False, False)
        self.drop_machine(thief)
        # Nobody changes its disk meanwhile, or takes it away.
        self.refused(["VDI_IN_USE", disk, "destroy"], x.VDI.destroy, disk)
        self.refused(["VDI_IN_USE", disk, "resize"], x.VDI.resize, disk, str(64 * MIB))
        self.assertNotIn("destroy", x.VDI.get_allowed_operations(disk))
        rival = self.machine()
        self.drive(rival, disk)
        self.refused(["VDI_IN_USE", disk], x.VM.start, rival, False, False)
        self.drop_machine(rival)

        # A copy of the image is as good; any other disk is not.
        other = self.disk(sr, 8 * MIB)
        self.refused(["OPERATION_NOT_ALLOWED", ...], x.VM.set_suspend_VDI, vm, other)
        x.VDI.destroy(other)
        copy = x.VDI.copy(image, sr, NULL, NULL)
        x.VM.set_suspend_VDI(vm, copy)
        x.VDI.destroy(image)
        self.assertEqual(x.VM.get_suspend_VDI(vm), copy)

        # Not while its storage is away.
        pbd = x.SR.get_PBDs(sr)[0]
        x.PBD.unplug(pbd)
        self.refused(["SUSPEND_IMAGE_NOT_ACCESSIBLE", copy], x.VM.resume, vm, False, False)
        x.PBD.plug(pbd)
        self.assertEqual(x.VM.get_power_state(vm), "Suspended")

        # Its disk and its memory go elsewhere: one by one, and together.
        elsewhere = self.repository("vhd")
        image = x.VDI.pool_migrate(copy, elsewhere, {})
        self.assertEqual((x.VM.get_suspend_VDI(vm), self.format(image)), (image, "vhd"))
        disk = x.VDI.pool_migrate(disk, elsewhere, {})
        self.assertEqual(x.VBD.get_VDI(drive), disk)
        x.VM.migrate_send(vm, self.token(), True, {disk: sr, image: sr}, {}, {})
        image, disk = x.VM.get_suspend_VDI(vm), x.VBD.get_VDI(drive)
        self.assertEqual([x.VDI.get_SR(vdi) for vdi in (image, disk)], [sr, sr])
        self.shows(x.VDI.get_record(image), type="suspend")
        self.assertEqual(x.VM.get_power_state(vm), "Suspended")
        self.assertEqual(x.SR.get_VDIs(elsewhere), [])

        self.succeeded(x.Async.VM.resume(vm, False, False))
        record = x.VM.get_record(vm)
        self.shows(record, power_state="Running", resident_on=self.host, suspend_VDI=NULL, current_operations={})
        self.assertGreater(int(record["domid"]), 0)
        self.assertIs(x.VBD.get_currently_attached(drive), True)
        self.assertEqual(x.SR.get_VDIs(sr), [disk])

        # And by xe; one that is to stay paused does.
        self.xe("vm-suspend", "uuid=" + record["uuid"])
        self.assertEqual(x.VM.get_power_state(vm), "Suspended")
        self.xe("vm-resume", "uuid=" + record["uuid"])
        self.assertEqual(x.VM.get_power_state(vm), "Running")
        x.VM.suspend(vm)
        x.VM.resume_on(vm, self.host, True, False)
        self.assertEqual(x.VM.get_power_state(vm), "Paused")
        x.VM.unpause(vm)
        # Its memory is given up with a hard shutdown.
        x.VM.suspend(vm)
        x.VM.hard_shutdown(vm)
        self.shows(x.VM.get_record(vm), power_state="Halted", suspend_VDI=NULL)
        self.assertEqual(x.SR.get_VDIs(sr), [disk])
        names = [m["name"] for m in x.message.get_all_records().values() if m["obj_uuid"] == record["uuid"]]
        self.assertEqual((names.count("VM_SUSPENDED"), names.count("VM_RESUMED")), (4, 3))

    def test_a_machine_comes_back_with_the_drives_that_it_had(self):
        x, vm = self.x, self.machine()
        self.suspend_repository()
        sr = self.repository("qcow2")
        mine, other = self.disk(sr), self.disk(sr)
        drive = self.drive(vm, mine)
        x.VM.start(vm, False, False)
        # These are its rows' only: the guest has never had them.
        unplugged = self.drive(vm, other)
        reader = self.drive(vm, NULL, type="CD", mode="RO", empty=True)
        x.VM.suspend(vm)
        self.refused(["DEVICE_ALREADY_ATTACHED", drive], x.VBD.destroy, drive)
        x.VBD.destroy(self.drive(vm, NULL, type="CD", mode="RO", empty=True))
        x.VM.resume(vm, False, False)
        self.assertEqual(x.VM.get_power_state(vm), "Running")
        plugged = [x.VBD.get_currently_attached(vbd) for vbd in (drive, unplugged, reader)]
        self.assertEqual(plugged, [True, False, False])
        x.VM.hard_shutdown(vm)

    def test_a_machine_from_elsewhere_has_the_drives_that_its_image_names(self):
        x, vm = self.x, self.machine()
        sr = self.suspend_repository()
        x.VM.start(vm, False, False)
        # Nothing is plugged: no drive says in the document that the guest has it.
        self.drive(vm, self.disk(self.repository("qcow2")))
        x.VM.suspend(vm)
        status, headers, document = self.http("GET", "/export_metadata", session_id=self.sid, ref=vm)
        self.assertEqual(status, 200)
        x.task.destroy(headers["task-id"])
        # Its image becomes the other machine's.
        x.VM.set_suspend_VDI(vm, x.VDI.copy(x.VM.get_suspend_VDI(vm), sr, NULL, NULL))
        before = set(x.VM.get_all())
        status, headers, _ = self.http("PUT", "/import_metadata", document, session_id=self.sid)
        self.assertEqual((status, self.finished(headers["task-id"])["status"]), (200, "success"))
        made = (set(x.VM.get_all()) - before).pop()
        self.addCleanup(self.drop_machine, made)
        self.assertEqual(x.VM.get_power_state(made), "Suspended")
        x.VM.resume(made, False, False)
        self.assertEqual(x.VM.get_power_state(made), "Running")
        self.assertEqual([x.VBD.get_currently_attached(vbd) for vbd in x.VM.get_VBDs(made)], [False])
        x.VM.hard_shutdown(vm)

    def test_a_machine_that_writes_to_a_disk_that_is_reset_is_not_suspended(self):
        x, vm = self.x, self.machine()
        self.suspend_repository()
        disk = self.disk(self.repository("qcow2"))
        self.drive(vm, disk)
        x.VM.start(vm, False, False)
        self.assertIn("suspend", x.VM.get_allowed_operations(vm))
        x.VM.hard_shutdown(vm)
        x.VDI.set_on_boot(disk, "reset")
        x.VM.start(vm, False, False)
        self.assertNotIn("suspend", x.VM.get_allowed_operations(vm))
        self.refused(["VDI_ON_BOOT_MODE_INCOMPATIBLE_WITH_OPERATION"], x.VM.suspend, vm)
        self.assertEqual(x.VM.get_power_state(vm), "Running")
        x.VM.hard_shutdown(vm)

    def test_what_cannot_be_suspended_goes_on(self):
        x, vm = self.x, self.machine()
        x.VM.start(vm, False, False)
        self.refused(["VM_NO_SUSPEND_SR", vm], x.VM.suspend, vm)
        sr = self.suspend_repository()
        x.PBD.unplug(x.SR.get_PBDs(sr)[0])
        self.refused(["SR_NOT_ATTACHED", sr], x.VM.suspend, vm)
        self.assertEqual(x.VM.get_power_state(vm), "Running")
        x.PBD.plug(x.SR.get_PBDs(sr)[0])
        # The machine's own wish comes first.
        own = self.repository("qcow2")
        x.VM.set_suspend_SR(vm, own)
        x.VM.suspend(vm)
        self.assertEqual(x.VDI.get_SR(x.VM.get_suspend_VDI(vm)), own)
        # A machine that is destroyed takes its memory along.
        x.VM.destroy(vm)
        self.assertEqual(x.SR.get_VDIs(own), [])
