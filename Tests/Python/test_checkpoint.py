"""Machines that are kept with their memory, and go on from there. They have no system: they run, and do nothing."""

from suite.case import MIB
from test_suspend import NULL, SuspensionCase


class CheckpointTests(SuspensionCase):
    def setUp(self):
        super().setUp()
        self.memory = self.suspend_repository()

    def forgotten(self, vm):
        """The machine is gone after the test, whatever it is."""
        self.addCleanup(self.forget, vm)
        return vm

    def forget(self, vm):
        if vm in self.x.VM.get_all():
            if self.x.VM.get_power_state(vm) != "Halted":
                self.x.VM.hard_shutdown(vm)
            self.x.VM.destroy(vm)

    def running(self):
        """A machine that runs, with disks in two formats, and their SR."""
        sr, vm = self.repository("qcow2,vhd"), self.machine()
        disks = [self.disk(sr, MIB, sm_config={"image-format": name}) for name in ("qcow2", "vhd")]
        drives = [self.drive(vm, vdi, userdevice=str(number)) for number, vdi in enumerate(disks)]
        self.x.VM.start(vm, False, False)
        return vm, sr, disks, drives

    def images(self):
        """The images of machines' memory, without what they stand on."""
        return {v for v in self.x.SR.get_VDIs(self.memory) if self.x.VDI.get_managed(v)}

    def managed(self, sr):
        return {v for v in self.x.SR.get_VDIs(sr) if self.x.VDI.get_managed(v)}

    def test_a_running_machine_is_kept_with_its_memory_and_goes_on_from_there(self):
        x = self.x
        vm, sr, disks, drives = self.running()
        self.assertIn("checkpoint", x.VM.get_allowed_operations(vm))
        task = x.Async.VM.checkpoint(vm, "first")
        self.until(lambda: x.task.get_status(task) != "pending")
        self.assertGreaterEqual(float(x.task.get_other_config(task)["guest_stall"]), 0)
        checkpoint = self.forgotten(self.succeeded(task))
        self.shows(
            x.VM.get_record(vm), power_state="Running", snapshots=[checkpoint], parent=checkpoint, suspend_VDI=NULL,
            current_operations={},
        )
        self.assertEqual([x.VBD.get_currently_attached(vbd) for vbd in drives], [True, True])
        record = x.VM.get_record(checkpoint)
        image = record["suspend_VDI"]
        self.shows(
            record, name_label="first", power_state="Suspended", is_a_snapshot=True, is_a_template=True, snapshot_of=vm,
            resident_on=NULL, domid="-1", current_operations={},
            snapshot_info={"power-state-at-snapshot": "Running", "disk-snapshot-type": "crash_consistent"},
        )
        self.assertEqual(
            set(record["allowed_operations"]), {"clone", "copy", "revert", "hard_shutdown", "metadata_export", "destroy"}
        )
        self.shows(x.VDI.get_record(image), SR=self.memory, type="suspend", managed=True, current_operations={})
        kept = [x.VBD.get_VDI(vbd) for vbd in record["VBDs"]]
        self.assertEqual({x.VDI.get_snapshot_of(vdi) for vdi in kept}, set(disks))
        self.refused(["VM_IS_SNAPSHOT", checkpoint, "resume"], x.VM.resume, checkpoint, False, False)
        self.refused(["VDI_IN_USE", image, "destroy"], x.VDI.destroy, image)
        # Its disks are read like other snapshots'.
        domain = x.host.get_control_domain(self.host)
        reader = self.drive(domain, kept[0], mode="RO")
        x.VBD.plug(reader)
        x.VBD.unplug(reader)
        x.VBD.destroy(reader)

        # The machine is what it was, and goes on; the checkpoint stays what it is.
        self.succeeded(x.Async.VM.revert(checkpoint))
        again = x.VM.get_suspend_VDI(vm)
        self.shows(x.VM.get_record(vm), power_state="Suspended", name_label="machine", is_a_template=False)
        self.assertEqual(self.images(), {image, again})
        self.assertFalse(set(disks) & set(x.VDI.get_all()))
        x.VM.resume(vm, False, False)
        self.shows(x.VM.get_record(vm), power_state="Running", suspend_VDI=NULL)
        self.assertEqual(self.images(), {image})
        self.assertEqual({x.VBD.get_currently_attached(vbd) for vbd in x.VM.get_VBDs(vm)}, {True})
        # Also one that is suspended, whose memory goes then.
        x.VM.suspend(vm)
        before = x.VM.get_suspend_VDI(vm)
        x.VM.revert(checkpoint)
        self.assertNotIn(before, x.VDI.get_all())
        x.VM.resume(vm, False, False)
        x.VM.hard_shutdown(vm)

        # Without its memory it is a snapshot like any other.
        x.VM.hard_shutdown(checkpoint)
        self.shows(x.VM.get_record(checkpoint), power_state="Halted", suspend_VDI=NULL)
        self.assertEqual(self.images(), set())
        x.VM.revert(checkpoint)
        self.assertEqual(x.VM.get_power_state(vm), "Halted")
        names = [m["name"] for m in x.message.get_all_records().values() if m["obj_uuid"] == x.VM.get_uuid(vm)]
        self.assertEqual((names.count("VM_CHECKPOINTED"), names.count("VM_SNAPSHOT_REVERTED")), (1, 3))

    def test_clones_and_copies_of_what_is_suspended_go_on_by_themselves(self):
        x = self.x
        vm, sr, disks, _ = self.running()
        checkpoint = self.forgotten(x.VM.checkpoint(vm, "c"))
        there = self.repository("vhd")
        for made, place in [(x.VM.clone(checkpoint, "clone"), None), (x.VM.copy(checkpoint, "copy", there), there)]:
            self.forgotten(made)
            self.shows(x.VM.get_record(made), power_state="Suspended", is_a_template=True, is_a_snapshot=False)
            x.VM.set_is_a_template(made, False)
            image = x.VM.get_suspend_VDI(made)
            self.assertEqual(x.VDI.get_SR(image), place or self.memory)
            x.VM.resume(made, False, False)
            self.assertEqual(x.VM.get_power_state(made), "Running")
            self.assertNotIn(image, x.VDI.get_all())
        self.assertEqual(x.VM.get_power_state(vm), "Running")

        # A suspended machine where the pool says so, as by XenAPI.
        x.VM.suspend(vm)
        self.refused(["VM_BAD_POWER_STATE", vm, "halted", "suspended"], x.VM.clone, vm, "no")
        self.refused(["VM_BAD_POWER_STATE", vm, "halted", "suspended"], x.VM.copy, vm, "no", NULL)
        x.pool.add_to_other_config(self.pool, "allow_clone_suspended_vm", "true")
        self.addCleanup(x.pool.remove_from_other_config, self.pool, "allow_clone_suspended_vm")
        self.assertLessEqual({"clone", "copy"}, set(x.VM.get_allowed_operations(vm)))
        twin = self.forgotten(x.VM.clone(vm, "twin"))
        self.shows(x.VM.get_record(twin), power_state="Suspended", is_a_template=False)
        second = self.forgotten(x.VM.checkpoint(vm, "second"))
        self.shows(x.VM.get_record(second), power_state="Suspended", is_a_snapshot=True)
        self.assertEqual(x.VM.get_snapshot_info(second)["power-state-at-snapshot"], "Suspended")
        self.assertEqual(len(self.images()), 4)
        for machine in (vm, twin):
            x.VM.resume(machine, False, False)
            self.assertEqual(x.VM.get_power_state(machine), "Running")
        # Who removes a checkpoint removes its memory.
        for snapshot in (checkpoint, second):
            x.VM.destroy(snapshot)
        self.assertEqual(self.images(), set())

    def test_what_cannot_be_kept_goes_on(self):
        x = self.x
        self.unknown("VM", x.VM.checkpoint, "n")
        vm, sr, disks, drives = self.running()
        x.VM.pause(vm)
        # As by XenAPI: a paused machine is kept without its memory.
        paused = self.forgotten(x.VM.checkpoint(vm, "paused"))
        self.shows(x.VM.get_record(paused), power_state="Halted", suspend_VDI=NULL, is_a_snapshot=True)
        x.VM.unpause(vm)
        x.pool.set_suspend_image_SR(self.pool, NULL)
        self.refused(["VM_NO_SUSPEND_SR", vm], x.VM.checkpoint, vm, "n")
        x.pool.set_suspend_image_SR(self.pool, self.memory)
        pbd = x.SR.get_PBDs(self.memory)[0]
        x.PBD.unplug(pbd)
        self.refused(["SR_NOT_ATTACHED", self.memory], x.VM.checkpoint, vm, "n")
        x.PBD.plug(pbd)
        x.VM.set_platform(vm, {"nomigrate": "true"})
        self.refused(["VM_IS_IMMOBILE", vm], x.VM.checkpoint, vm, "n")
        x.VM.set_platform(vm, {})
        self.assertEqual((x.VM.get_power_state(vm), self.images()), ("Running", set()))
        self.assertEqual(x.VM.get_snapshots(vm), [paused])
        x.VM.hard_shutdown(vm)
        self.refused(["VM_BAD_POWER_STATE", vm, "paused, suspended, running", "halted"], x.VM.checkpoint, vm, "n")
        x.VDI.set_on_boot(disks[0], "reset")
        x.VM.start(vm, False, False)
        self.assertNotIn("checkpoint", x.VM.get_allowed_operations(vm))
        code = "VDI_ON_BOOT_MODE_INCOMPATIBLE_WITH_OPERATION"
        self.refused([code], x.VM.checkpoint, vm, "n")
        x.VM.hard_shutdown(vm)
        x.VDI.set_on_boot(disks[0], "persist")

    def test_xe_makes_and_removes_them(self):
        x = self.x
        vm, sr, disks, _ = self.running()
        uuid = x.VM.get_uuid(vm)
        made = self.xe("vm-checkpoint", "uuid=" + uuid, "new-name-label=c", "new-name-description=d")
        self.assertEqual(self.xe("snapshot-param-get", "uuid=" + made, "param-name=power-state"), "suspended")
        self.assertEqual(self.xe("snapshot-param-get", "uuid=" + made, "param-name=name-description"), "d")
        self.assertEqual(len(self.images()), 1)
        self.xe("snapshot-revert", "snapshot-uuid=" + made)
        self.xe("vm-resume", "uuid=" + uuid)
        self.xe("snapshot-uninstall", "snapshot-uuid=" + made, "force=true")
        self.assertEqual((self.images(), x.VM.get_snapshots(vm)), (set(), []))
        self.assertEqual(self.managed(sr), {x.VBD.get_VDI(vbd) for vbd in x.VM.get_VBDs(vm)})
