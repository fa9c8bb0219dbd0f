"""Class VM: snapshots, clones and copies of machines, and machines as files without their disks."""

import io
import os
import tarfile

from suite.case import MIB, Case
from suite.daemon import guest_files
from suite.model import NOWHERE

NULL = "OpaqueRef:NULL"


class TreeCase(Case):
    def fill(self, vdi, byte):
        """Fills a disk with one byte."""
        body = bytes([byte]) * int(self.x.VDI.get_virtual_size(vdi))
        status, headers, _ = self.http("PUT", "/import_raw_vdi", body, session_id=self.sid, vdi=vdi)
        self.assertEqual(status, 200)
        self.assertEqual(self.finished(headers["task-id"])["status"], "success")

    def content(self, vdi):
        """The bytes that a disk has, as a set: one, when it was filled."""
        status, headers, body = self.http("GET", "/export_raw_vdi", session_id=self.sid, vdi=vdi)
        self.assertEqual(status, 200)
        self.x.task.destroy(headers["task-id"])
        return set(body)

    def equipped(self, **members):
        """A machine with two disks of different formats, and an empty drive."""
        vm = self.machine(other_config={"mac_seed": "s", "folder": "f"}, **members)
        repositories = [self.repository("qcow2"), self.repository("vhd")]
        disks = [self.disk(sr, MIB) for sr in repositories]
        for number, vdi in enumerate(disks):
            self.fill(vdi, number + 1)
            self.drive(vm, vdi, userdevice=str(number))
        self.drive(vm, NULL, userdevice="3", type="CD", mode="RO", empty=True)
        return vm, disks, repositories

    def disks(self, vm):
        """The disks in a machine's drives, by position."""
        records = [self.x.VBD.get_record(vbd) for vbd in self.x.VM.get_VBDs(vm)]
        return [r["VDI"] for r in sorted(records, key=lambda r: r["userdevice"]) if r["type"] == "Disk"]

    def forgotten(self, vm):
        """The machine is gone after the test."""
        self.addCleanup(self.drop_machine, vm)
        return vm

    def drop_machine(self, vm):
        """Snapshots may be removed as they are."""
        if vm in self.x.VM.get_all() and self.x.VM.get_is_a_snapshot(vm):
            return self.x.VM.destroy(vm)
        return super().drop_machine(vm)


class SnapshotTests(TreeCase):
    def test_a_snapshot_keeps_the_machine_and_a_revert_brings_it_back(self):
        x = self.x
        vm, disks, repositories = self.equipped(name_description="text", tags=["a"])
        watch = self.watch("VM")
        snapshot = self.forgotten(self.succeeded(x.Async.VM.snapshot(vm, "first", [])))
        record = x.VM.get_record(snapshot)
        self.assertEqual(watch.expect(snapshot, "add")["uuid"], record["uuid"])
        self.shows(
            record,
            name_label="first",
            name_description="text",
            tags=["a"],
            is_a_snapshot=True,
            is_a_template=True,
            snapshot_of=vm,
            power_state="Halted",
            snapshot_info={"power-state-at-snapshot": "Halted", "disk-snapshot-type": "crash_consistent"},
            parent=NULL,
            other_config={"mac_seed": "s", "folder": "f"},
            current_operations={},
        )
        self.assertIn("revert", record["allowed_operations"])
        self.assertFalse({"start", "snapshot", "make_into_template"} & set(record["allowed_operations"]))
        self.shows(x.VM.get_record(vm), snapshots=[snapshot], parent=snapshot)
        self.assertEqual(len(record["VBDs"]), 3)
        kept = self.disks(snapshot)
        for vdi, origin in zip(kept, disks):
            self.shows(x.VDI.get_record(vdi), is_a_snapshot=True, snapshot_of=origin, read_only=True)
        second = self.forgotten(x.VM.snapshot(vm, "second", [disks[1]]))
        self.shows(x.VM.get_record(second), parent=snapshot)
        self.assertEqual(len(self.disks(second)), 1)

        for vdi in disks:
            self.fill(vdi, 9)
        x.VM.set_name_label(vm, "changed")
        x.VM.set_tags(vm, ["b"])
        self.succeeded(x.Async.VM.revert(snapshot))
        self.shows(x.VM.get_record(vm), name_label="machine", tags=["b"], parent=snapshot, is_a_template=False)
        now = self.disks(vm)
        self.assertEqual([self.content(vdi) for vdi in now], [{1}, {2}])
        self.assertEqual([self.content(vdi) for vdi in kept], [{1}, {2}])
        self.assertEqual([x.VDI.get_snapshot_of(vdi) for vdi in kept], now)
        self.assertEqual(x.VDI.get_snapshot_of(self.disks(second)[0]), now[0])
        # What it had is gone, and nothing else was made.
        for vdi in disks:
            self.refused(["HANDLE_INVALID", "VDI", vdi], x.VDI.get_record, vdi)
        managed = [v for sr in repositories for v in x.SR.get_VDIs(sr) if x.VDI.get_managed(v)]
        self.assertEqual(sorted(managed), sorted(now + kept + self.disks(second)))
        # The machine that was made of it goes before it.
        x.VM.destroy(snapshot)
        self.shows(x.VM.get_record(vm), parent=NULL, snapshots=[second])

    def test_a_machine_that_is_gone_comes_back_by_its_snapshot(self):
        x = self.x
        vm, disks, _ = self.equipped()
        uuid = x.VM.get_uuid(vm)
        snapshot = self.forgotten(x.VM.snapshot(vm, "s", []))
        x.VM.destroy(vm)
        for vdi in disks:
            x.VDI.destroy(vdi)
        x.VM.revert(snapshot)
        again = self.forgotten(x.VM.get_by_uuid(uuid))
        self.shows(x.VM.get_record(again), name_label="machine", snapshots=[snapshot], is_a_template=False)
        self.assertEqual([self.content(vdi) for vdi in self.disks(again)], [{1}, {2}])

    def test_a_running_machine_is_kept_and_is_ended_by_its_revert(self):
        x = self.x
        kernel, initrd = guest_files()
        vm = self.machine(
            PV_kernel=kernel, PV_ramdisk=initrd, PV_args="console=ttyS0 quiet gantry.work=idle gantry.disk=none"
        )
        sr = self.repository("qcow2")
        disks = [self.disk(sr, MIB), self.disk(sr, MIB)]
        for vdi in disks:
            self.drive(vm, vdi)
        x.VM.start(vm, False, False)
        self.assertLessEqual({"snapshot"}, set(x.VM.get_allowed_operations(vm)))
        snapshot = self.forgotten(x.VM.snapshot(vm, "live", []))
        self.assertEqual(x.VM.get_power_state(vm), "Running")
        self.assertEqual(x.VM.get_snapshot_info(snapshot)["power-state-at-snapshot"], "Running")
        self.assertEqual([x.VDI.get_snapshot_of(vdi) for vdi in self.disks(snapshot)], disks)
        self.refused(["VM_BAD_POWER_STATE", vm, "halted", "running"], x.VM.clone, vm, "no")
        x.VM.revert(snapshot)
        self.assertEqual(x.VM.get_power_state(vm), "Halted")
        self.assertEqual(set(x.VDI.get_all()) & set(disks), set())
        self.assertEqual(len(self.disks(vm)), 2)

    def test_what_cannot_be_done_is_said(self):
        x = self.x
        vm, _, _ = self.equipped()
        self.unknown("VM", x.VM.snapshot, "n", [])
        self.unknown("VM", x.VM.clone, "n")
        self.unknown("VM", x.VM.copy, "n", NULL)
        self.unknown("VM", x.VM.revert)
        self.refused(["HANDLE_INVALID", "SR", NOWHERE], x.VM.copy, vm, "n", NOWHERE)
        x.VM.set_blocked_operations(vm, {"snapshot": "because"})
        self.refused(["OPERATION_BLOCKED", vm, "because"], x.VM.snapshot, vm, "n", [])
        x.VM.set_blocked_operations(vm, {})


class CloneTests(TreeCase):
    def test_a_clone_shares_and_a_copy_does_not(self):
        x = self.x
        vm, disks, _ = self.equipped(is_a_template=False)
        clone = self.forgotten(self.succeeded(x.Async.VM.clone(vm, "clone")))
        there = self.repository("qcow2")
        copy = self.forgotten(self.succeeded(x.Async.VM.copy(vm, "copy", there)))
        same = self.forgotten(x.VM.copy(vm, "same", NULL))
        for made, name in [(clone, "clone"), (copy, "copy"), (same, "same")]:
            record = x.VM.get_record(made)
            self.shows(
                record, name_label=name, is_a_snapshot=False, is_a_template=False, snapshot_of=NULL, parent=NULL
            )
            self.assertNotEqual(record["other_config"]["mac_seed"], "s")
            self.assertEqual(record["other_config"]["folder"], "f")
            self.assertEqual(len(record["VBDs"]), 3)
            self.assertEqual([self.content(vdi) for vdi in self.disks(made)], [{1}, {2}])
            owners = [x.VBD.get_other_config(vbd) for vbd in record["VBDs"] if x.VBD.get_type(vbd) == "Disk"]
            self.assertEqual(owners, [{"owner": ""}] * 2)
        self.assertEqual({x.VDI.get_SR(vdi) for vdi in self.disks(copy)}, {there})
        self.assertEqual([x.VDI.get_SR(v) for v in self.disks(same)], [x.VDI.get_SR(v) for v in disks])
        for vdi in self.disks(clone):
            self.fill(vdi, 7)
        self.assertEqual([self.content(vdi) for vdi in disks], [{1}, {2}])

    def test_a_template_and_a_snapshot_are_cloned_to_templates(self):
        x = self.x
        vm, _, _ = self.equipped()
        snapshot = self.forgotten(x.VM.snapshot(vm, "s", []))
        x.VM.set_is_a_template(vm, True)
        for origin in [vm, snapshot]:
            made = self.forgotten(x.VM.clone(origin, "made"))
            self.shows(x.VM.get_record(made), is_a_template=True, is_a_snapshot=False, snapshot_of=NULL)
            x.VM.set_is_a_template(made, False)
            self.assertIn("start", x.VM.get_allowed_operations(made))
        self.assertEqual(x.VM.get_other_config(x.VM.get_by_name_label("made")[0])["base_template_name"], "machine")

    def test_xe_makes_reverts_and_removes_them(self):
        x = self.x
        vm, _, repositories = self.equipped()
        uuid = x.VM.get_uuid(vm)
        snapshot = self.xe("vm-snapshot", "uuid=" + uuid, "new-name-label=s", "new-name-description=d")
        self.assertEqual(self.xe("snapshot-list", "--minimal", "snapshot-of=" + uuid), snapshot)
        self.assertEqual(self.xe("snapshot-param-get", "uuid=" + snapshot, "param-name=name-description"), "d")
        self.xe("snapshot-revert", "snapshot-uuid=" + snapshot)
        clone = self.xe("vm-clone", "uuid=" + uuid, "new-name-label=c")
        copy = self.xe("vm-copy", "uuid=" + uuid, "new-name-label=c2", "sr-uuid=" + x.SR.get_uuid(repositories[0]))
        made = self.xe("snapshot-clone", "uuid=" + snapshot, "new-name-label=c3")
        self.assertIn("force=true", self.xe("vm-uninstall", "uuid=" + clone, fails=True))
        self.xe("vm-uninstall", "uuid=" + clone, "force=true")
        self.xe("vm-uninstall", "uuid=" + copy, "force=true")
        self.xe("template-uninstall", "template-uuid=" + made, "force=true")
        self.xe("snapshot-uninstall", "snapshot-uuid=" + snapshot, "force=true")
        self.assertEqual(x.VM.get_snapshots(vm), [])
        managed = [v for sr in repositories for v in x.SR.get_VDIs(sr) if x.VDI.get_managed(v)]
        self.assertEqual(sorted(managed), sorted(self.disks(vm)))
        snapshot = self.xe("vm-snapshot", "uuid=" + uuid, "new-name-label=s")
        self.xe("snapshot-destroy", "uuid=" + snapshot)


class FileTests(TreeCase):
    def exported(self, **query):
        status, headers, body = self.http("GET", "/export_metadata", session_id=self.sid, **query)
        if status == 200:
            self.x.task.destroy(headers["task-id"])
        return status, body

    def imported(self, body, **query):
        """The task's record."""
        status, headers, _ = self.http("PUT", "/import_metadata", body, session_id=self.sid, **query)
        self.assertEqual(status, 200)
        return self.finished(headers["task-id"])

    def test_a_machine_goes_out_and_comes_in_again(self):
        x = self.x
        vm, disks, _ = self.equipped()
        self.forgotten(x.VM.snapshot(vm, "s", []))
        status, body = self.exported(ref=vm)
        self.assertEqual(status, 200)
        with tarfile.open(fileobj=io.BytesIO(body)) as archive:
            self.assertEqual(archive.getnames(), ["ova.xml"])
            text = archive.extractfile("ova.xml").read().decode()
        for name in ("class", "id", "snapshot", "version", "xapi_major", "export_vsn"):
            self.assertIn("<name>%s</name>" % name, text)
        before = set(x.VM.get_all())
        self.assertEqual(self.imported(body, dry_run="true")["status"], "success")
        self.assertEqual(set(x.VM.get_all()), before)
        record = self.imported(body)
        self.assertEqual((record["status"], record["error_info"]), ("success", []))
        made = set(x.VM.get_all()) - before
        for ref in made:
            self.forgotten(ref)
        self.assertEqual(len(made), 2)
        again = [ref for ref in made if not x.VM.get_is_a_snapshot(ref)]
        self.assertIn(again[0], record["result"])
        self.shows(x.VM.get_record(again[0]), name_label="machine", snapshots=list(made - set(again)))
        self.assertEqual(self.disks(again[0]), disks)
        same = self.imported(body, restore="true")
        self.assertEqual(same["error_info"], ["VM_TO_IMPORT_IS_NOT_NEWER_VERSION", vm, "0", "0"])
        forced = self.imported(body, restore="true", force="true")
        self.assertEqual(forced["status"], "success")
        for ref in set(x.VM.get_all()) - before - made:
            self.forgotten(ref)

    def test_what_is_no_such_file_is_refused_by_name(self):
        x = self.x
        vm = self.machine()
        snapshot = self.forgotten(x.VM.snapshot(vm, "s", []))
        status, body = self.exported(ref=snapshot)
        self.assertEqual(status, 500)
        self.assertIn(b"OPERATION_NOT_ALLOWED", body)
        self.assertEqual(self.exported(uuid="x")[0], 400)
        self.assertEqual(self.exported()[0], 400)
        self.assertEqual(self.exported(ref=vm, export_snapshots="maybe")[0], 400)
        self.assertEqual(self.exported(all="true", include_dom0="false")[0], 200)
        _, body = self.exported(ref=vm)
        self.assertEqual(self.imported(body[:600])["error_info"], ["IMPORT_ERROR_PREMATURE_EOF"])
        self.assertEqual(
            self.imported(b"x" * 2048)["error_info"], ["IMPORT_ERROR_UNEXPECTED_FILE", "ova.xml", "x" * 100]
        )
        broken = body.replace(b"<name>objects</name>", b"<name>objectz</name>")
        self.assertEqual(self.imported(broken)["error_info"][0], "IMPORT_ERROR")

    def test_xe_writes_and_reads_it(self):
        x = self.x
        vm = self.machine(name_label="in a file")
        path = os.path.join(self.folder("files"), "machine")
        uuid = x.VM.get_uuid(vm)
        self.assertIn("metadata=true", self.xe("vm-export", "uuid=" + uuid, "filename=" + path, fails=True))
        self.xe("vm-export", "uuid=" + uuid, "filename=" + path, "metadata=true", "include-snapshots=false")
        self.assertEqual(self.xe("vm-import", "filename=" + path, "metadata=true", "dry-run=true"), "")
        made = self.xe("vm-import", "filename=" + path, "metadata=true")
        self.assertEqual(x.VM.get_name_label(self.forgotten(x.VM.get_by_uuid(made))), "in a file")
        self.xe("vm-import", "filename=" + path, "metadata=true", "preserve=true", fails=True)
