"""Class VDI: disks, their moves, and their content over HTTP."""

import contextlib
import hashlib
import http.client
import os
import urllib.parse

from suite.case import MIB, Case
from suite.model import NOWHERE

NULL = "OpaqueRef:NULL"


class DiskTests(Case):
    def test_a_new_disk_is_what_was_asked_for(self):
        sr = self.repository()
        watch = self.watch("VDI", "SR")
        vdi = self.disk(
            sr,
            5 * MIB + 1,
            name_label="mine",
            name_description="text",
            other_config={"k": "v"},
            tags=["t"],
            sm_config={"image-format": "qcow2"},
            xenstore_data={"x": "y"},
            type="system",
        )
        record = self.x.VDI.get_record(vdi)
        self.shows(
            record,
            name_label="mine",
            name_description="text",
            SR=sr,
            type="system",
            sharable=False,
            read_only=False,
            other_config={"k": "v"},
            tags=["t"],
            xenstore_data={"x": "y"},
            managed=True,
            missing=False,
            VBDs=[],
            current_operations={},
            is_a_snapshot=False,
            snapshot_of="OpaqueRef:NULL",
            snapshots=[],
            on_boot="persist",
            parent="OpaqueRef:NULL",
        )
        self.assertEqual(record["sm_config"]["image-format"], "qcow2")
        self.assertEqual(record["location"], record["uuid"] + ".qcow2")
        self.assertEqual(int(record["virtual_size"]) % 65536, 0)
        self.assertTrue(5 * MIB < int(record["virtual_size"]) < 6 * MIB)
        self.assertEqual(self.x.SR.get_VDIs(sr), [vdi])
        self.assertEqual(watch.expect(vdi, "add")["uuid"], record["uuid"])
        self.assertEqual(self.x.SR.get_virtual_allocation(sr), record["virtual_size"])

    def test_the_format_is_chosen_by_caller_or_repository(self):
        sr = self.repository("vhd,raw")
        for config, expected in [({}, "vhd"), ({"image-format": "RAW"}, "raw"), ({"type": "qcow2"}, "qcow2")]:
            vdi = self.disk(sr, sm_config=config)
            self.assertEqual(self.x.VDI.get_location(vdi), "%s.%s" % (self.x.VDI.get_uuid(vdi), expected))
        self.refused(["VDI_INCOMPATIBLE_TYPE", ..., ...], self.disk, sr, sm_config={"image-format": "vmdk"})
        # What is too large for the first goes into the next that can hold it.
        large = self.disk(self.repository("vhd,qcow2"), 3 << 40)
        self.assertTrue(self.x.VDI.get_location(large).endswith(".qcow2"))

    def test_disks_that_cannot_be_made(self):
        sr = self.repository("vhd")
        self.refused(["HANDLE_INVALID", "SR", NOWHERE], self.disk, NOWHERE)
        self.refused(["INVALID_VALUE", "virtual_size", "-1"], self.disk, sr, -1)
        self.refused(["SR_BACKEND_FAILURE_79", "", ..., ""], self.disk, sr, 3 << 40, sm_config={"image-format": "vhd"})
        self.refused(["INTERNAL_ERROR", ...], self.x.VDI.create, {"SR": sr, "name_label": "incomplete"})
        self.assertEqual(self.x.SR.get_VDIs(sr), [])

    def test_names_and_flags_are_changed(self):
        vdi = self.disk(self.repository())
        watch = self.watch("VDI/" + vdi)
        self.x.VDI.set_name_label(vdi, "new")
        self.x.VDI.set_name_description(vdi, "text")
        self.x.VDI.set_read_only(vdi, True)
        self.x.VDI.set_sharable(vdi, True)
        self.x.VDI.set_allow_caching(vdi, True)
        record = self.x.VDI.get_record(vdi)
        self.shows(
            record,
            name_label="new",
            name_description="text",
            read_only=True,
            sharable=True,
            on_boot="persist",
            allow_caching=True,
        )
        self.assertEqual(watch.next()[-1]["snapshot"], record)

    def test_a_disk_grows_and_does_not_shrink(self):
        sr = self.repository()
        for form in ("qcow2", "vhd", "raw"):
            vdi = self.disk(sr, 4 * MIB, sm_config={"image-format": form})
            self.x.VDI.resize(vdi, str(8 * MIB))
            self.assertEqual(self.x.VDI.get_virtual_size(vdi), str(8 * MIB))
            self.succeeded(self.x.Async.VDI.resize(vdi, str(10 * MIB)))
            self.assertEqual(self.x.VDI.get_virtual_size(vdi), str(10 * MIB))
            self.refused(["SR_BACKEND_FAILURE_79", "", ..., ""], self.x.VDI.resize, vdi, str(4 * MIB))
            self.refused(["INVALID_VALUE", "size", "-1"], self.x.VDI.resize, vdi, "-1")
            self.assertEqual(self.x.VDI.get_virtual_size(vdi), str(10 * MIB))

    def test_sizes_are_read_again(self):
        sr = self.repository()
        vdi = self.disk(sr, 4 * MIB, sm_config={"image-format": "raw"})
        path = self.x.PBD.get_device_config(self.x.SR.get_PBDs(sr)[0])["location"]
        os.truncate("%s/%s" % (path, self.x.VDI.get_location(vdi)), 6 * MIB)
        self.x.VDI.update(vdi)
        self.assertEqual(self.x.VDI.get_virtual_size(vdi), str(6 * MIB))

    def test_a_destroyed_disk_takes_its_drives_along(self):
        sr = self.repository()
        vdi, vm = self.disk(sr), self.machine()
        vbd = self.drive(vm, vdi)
        path = self.x.PBD.get_device_config(self.x.SR.get_PBDs(sr)[0])["location"]
        location = self.x.VDI.get_location(vdi)
        self.assertTrue(os.path.exists("%s/%s" % (path, location)))
        watch = self.watch("VDI", "VBD")
        self.succeeded(self.x.Async.VDI.destroy(vdi))
        watch.expect(vdi, "del")
        self.refused(["HANDLE_INVALID", "VBD", vbd], self.x.VBD.get_record, vbd)
        self.assertEqual(self.x.VM.get_VBDs(vm), [])
        self.assertFalse(os.path.exists("%s/%s" % (path, location)))

    def test_a_forgotten_disk_is_found_by_the_next_scan(self):
        sr = self.repository()
        vdi = self.disk(sr)
        uuid = self.x.VDI.get_uuid(vdi)
        self.x.VDI.forget(vdi)
        self.refused(["UUID_INVALID", "VDI", uuid], self.x.VDI.get_by_uuid, uuid)
        self.x.SR.scan(sr)
        self.assertEqual(self.x.VDI.get_SR(self.x.VDI.get_by_uuid(uuid)), sr)

    def test_a_disk_in_use_stays_as_it_is(self):
        vdi = self.disk(self.repository())
        vbd = self.drive(self.x.host.get_control_domain(self.host), vdi)
        self.x.VBD.plug(vbd)
        try:
            self.refused(["VDI_IN_USE", vdi, "destroy"], self.x.VDI.destroy, vdi)
            self.refused(["VDI_IN_USE", vdi, "forget"], self.x.VDI.forget, vdi)
            self.refused(["VDI_IN_USE", vdi, "update"], self.x.VDI.update, vdi)
        finally:
            self.x.VBD.unplug(vbd)
        self.x.VBD.destroy(vbd)

    def test_a_disk_in_use_grows(self):
        for form in ("raw", "vhd", "qcow2"):
            vdi = self.disk(self.repository(form))
            vbd = self.drive(self.x.host.get_control_domain(self.host), vdi)
            self.x.VBD.plug(vbd)
            self.x.VDI.snapshot(vdi)
            self.x.VDI.resize(vdi, str(8 * MIB))
            self.assertEqual(self.x.VDI.get_virtual_size(vdi), str(8 * MIB))
            self.refused(["SR_BACKEND_FAILURE_79", "", ..., ""], self.x.VDI.resize, vdi, str(4 * MIB))
            self.x.VDI.resize(vdi, str(8 * MIB))
            self.x.VBD.unplug(vbd)
            self.x.VBD.destroy(vbd)
            self.assertEqual(self.x.VDI.get_virtual_size(vdi), str(8 * MIB))
            self.x.VDI.update(vdi)
            self.assertEqual(self.x.VDI.get_virtual_size(vdi), str(8 * MIB))


class BootTests(Case):
    def test_a_disk_that_is_reset_takes_only_what_makes_sense(self):
        x, sr = self.x, self.repository("qcow2")
        vdi = self.disk(sr)
        self.assertEqual(x.SM.get_all_records_where('field "type" = "file"').popitem()[1]["features"]["VDI_RESET_ON_BOOT"], "2")
        x.VDI.set_on_boot(vdi, "reset")
        self.assertEqual(x.VDI.get_on_boot(vdi), "reset")
        code = ["VDI_ON_BOOT_MODE_INCOMPATIBLE_WITH_OPERATION"]
        self.refused(code, x.VDI.snapshot, vdi, {})
        self.refused(code, x.VDI.copy, vdi, sr, NULL, NULL)
        # The control domain writes the disk itself, which stays.
        vbd = self.drive(x.host.get_control_domain(self.host), vdi)
        x.VBD.plug(vbd)
        self.refused(["VDI_IN_USE", vdi, "set_on_boot"], x.VDI.set_on_boot, vdi, "persist")
        self.refused(code, x.VDI.resize, vdi, str(8 * MIB))
        self.refused(code, x.VDI.clone, vdi, {})
        x.VBD.unplug(vbd)
        x.VBD.destroy(vbd)
        x.VDI.resize(vdi, str(8 * MIB))
        x.VDI.set_sharable(vdi, True)
        vm = self.machine()
        self.drive(vm, vdi)
        self.refused(code, x.VM.start, vm, False, False)
        x.VDI.set_on_boot(vdi, "persist")
        x.VDI.set_sharable(vdi, False)
        self.assertTrue(x.VDI.snapshot(vdi, {}))


class SnapshotTests(Case):
    def test_a_snapshot_says_what_it_is_of(self):
        for form in ("raw", "vhd", "qcow2"):
            sr = self.repository(form)
            vdi = self.disk(sr, 8 * MIB, name_label="mine", other_config={"k": "v"}, sm_config={"image-format": form})
            self.assertIn("snapshot", self.x.VDI.get_allowed_operations(vdi))
            snapshot = self.x.VDI.snapshot(vdi, {})
            record = self.x.VDI.get_record(snapshot)
            self.shows(
                record,
                name_label="mine",
                other_config={"k": "v"},
                SR=sr,
                virtual_size=str(8 * MIB),
                is_a_snapshot=True,
                snapshot_of=vdi,
                read_only=True,
                managed=True,
                type="user",
            )
            self.assertNotEqual(str(record["snapshot_time"]), "19700101T00:00:00Z")
            self.assertEqual(self.x.VDI.get_snapshots(vdi), [snapshot])
            self.agrees(sr)
            clone = self.succeeded(self.x.Async.VDI.clone(snapshot, {}))
            self.shows(self.x.VDI.get_record(clone), is_a_snapshot=False, snapshot_of=NULL, read_only=False)
            self.x.VDI.resize(clone, str(10 * MIB))
            self.assertEqual(self.x.VDI.get_virtual_size(clone), str(10 * MIB))
            self.agrees(sr)
            for node in self.x.SR.get_VDIs(sr):
                if not self.x.VDI.get_managed(node):
                    self.refused(["VDI_NOT_MANAGED", node], self.x.VDI.destroy, node)
                    self.assertEqual(self.x.VDI.get_allowed_operations(node), ["forget", "update"])
            self.x.VDI.resize(vdi, str(12 * MIB))
            self.x.VDI.revert(snapshot)
            self.assertEqual(self.x.VDI.get_virtual_size(vdi), str(8 * MIB))
            self.agrees(sr)
            self.x.VDI.destroy(vdi)
            self.assertEqual(self.x.VDI.get_snapshot_of(snapshot), NULL)
            self.x.VDI.destroy(snapshot)
            self.x.VDI.destroy(clone)
            self.assertEqual(self.x.SR.get_VDIs(sr), [])
            self.assertEqual(self.images(sr), [])

    def images(self, sr):
        path = self.x.PBD.get_device_config(self.x.SR.get_PBDs(sr)[0])["location"]
        return sorted(name for name in os.listdir(path) if not name.startswith(".gantry"))

    def agrees(self, sr):
        """The rows are the files, before and after a scan."""
        fields = ("uuid", "location", "managed", "virtual_size", "sm_config", "snapshot_of", "name_label")
        before = {ref: [r[f] for f in fields] for ref, r in self.x.VDI.get_all_records().items() if r["SR"] == sr}
        self.assertEqual(sorted(row[1] for row in before.values()), self.images(sr))
        self.x.SR.scan(sr)
        after = {ref: [r[f] for f in fields] for ref, r in self.x.VDI.get_all_records().items() if r["SR"] == sr}
        self.assertEqual(after, before)

    def test_a_disk_is_copied(self):
        source, destination = self.repository("qcow2"), self.repository("vhd")
        vdi = self.disk(source, 8 * MIB, name_label="mine")
        copy = self.x.VDI.copy(vdi, destination, NULL, NULL)
        self.shows(self.x.VDI.get_record(copy), SR=destination, name_label="mine", virtual_size=str(8 * MIB))
        self.assertEqual(self.x.VDI.get_sm_config(copy)["image-format"], "vhd")
        snapshot = self.x.VDI.snapshot(vdi, {})
        other = self.x.VDI.copy(snapshot, source, NULL, NULL)
        self.shows(self.x.VDI.get_record(other), SR=source, is_a_snapshot=False, read_only=False)
        self.assertNotIn("vhd-parent", self.x.VDI.get_sm_config(other))
        self.agrees(destination)

    def test_a_disk_or_its_changes_are_copied_into_another(self):
        sr, other = self.repository("qcow2"), self.repository("vhd,raw")
        first = os.urandom(MIB) + bytes(MIB) + os.urandom(MIB) + bytes(MIB)
        second = bytes(MIB) + os.urandom(70000) + first[MIB + 70000 :]
        vdi, into = self.disk(sr), self.disk(other, 8 * MIB)
        filler = os.urandom(8 * MIB)
        self.put(into, filler)
        self.put(vdi, first)
        self.assertEqual(self.x.VDI.copy(vdi, NULL, NULL, into), into)
        self.assertEqual(self.get(into), first + filler[4 * MIB :])
        base = self.x.VDI.snapshot(vdi, {})
        self.put(vdi, second)
        self.assertEqual(self.succeeded(self.x.Async.VDI.copy(vdi, NULL, base, into)), into)
        self.assertEqual(self.get(into), second + filler[4 * MIB :])
        # Into a new disk: the changes, and zeroes around them.
        changes = self.x.VDI.copy(vdi, other, base, NULL)
        self.assertEqual(self.get(changes)[MIB : MIB + 70000], second[MIB : MIB + 70000])
        self.assertEqual(self.get(changes)[2 * MIB :], bytes(2 * MIB))
        # What cannot be.
        copy = self.x.VDI.copy
        self.refused(["OPERATION_NOT_ALLOWED", ...], copy, vdi, NULL, NULL, vdi)
        self.refused(["VDI_TOO_SMALL", vdi, str(8 * MIB)], copy, into, NULL, NULL, vdi)
        self.refused(["VDI_READONLY", base], copy, vdi, NULL, NULL, base)
        self.refused(["HANDLE_INVALID", "VDI", NOWHERE], copy, vdi, NULL, NULL, NOWHERE)
        self.refused(["HANDLE_INVALID", "VDI", NOWHERE], copy, vdi, NULL, NOWHERE, into)
        vbd = self.drive(self.x.host.get_control_domain(self.host), into)
        self.addCleanup(self.x.VBD.destroy, vbd)
        self.x.VBD.plug(vbd)
        self.refused(["VDI_IN_USE", into, "update"], copy, vdi, NULL, NULL, into)
        self.x.VBD.unplug(vbd)
        self.assertEqual(self.x.VDI.get_current_operations(vdi), {})

    def put(self, vdi, content):
        status, _, _ = self.http("PUT", "/import_raw_vdi", content, session_id=self.sid, vdi=vdi, format="raw")
        self.assertEqual(status, 200)

    def get(self, vdi):
        return self.http("GET", "/export_raw_vdi", session_id=self.sid, vdi=vdi, format="raw")[2]

    def test_a_disk_in_use_is_snapshotted_and_not_copied(self):
        vdi = self.disk(self.repository("raw"))
        vbd = self.drive(self.x.host.get_control_domain(self.host), vdi)
        self.x.VBD.plug(vbd)
        try:
            snapshot = self.x.VDI.snapshot(vdi)
            self.refused(["VDI_IN_USE", vdi, "copy"], self.x.VDI.copy, vdi, NULL, NULL, NULL)
            self.refused(["VDI_IN_USE", vdi, "revert_from"], self.x.VDI.revert, snapshot)
        finally:
            self.x.VBD.unplug(vbd)
        self.x.VDI.revert(snapshot)


class MoveTests(Case):
    def test_a_disk_moves_between_repositories_and_formats(self):
        source, destination = self.repository("qcow2"), self.repository("vhd")
        vdi = self.disk(source, name_label="moving", other_config={"k": "v"}, tags=["t"])
        vbd = self.drive(self.machine(), vdi)
        uuid = self.x.VDI.get_uuid(vdi)
        new = self.succeeded(self.x.Async.VDI.pool_migrate(vdi, destination, {}))
        record = self.x.VDI.get_record(new)
        self.assertEqual(
            [
                record["name_label"],
                record["other_config"],
                record["tags"],
                record["SR"],
                record["VBDs"],
                record["sm_config"]["image-format"],
            ],
            ["moving", {"k": "v"}, ["t"], destination, [vbd], "vhd"],
        )
        self.assertEqual(self.x.VBD.get_VDI(vbd), new)
        self.refused(["UUID_INVALID", "VDI", uuid], self.x.VDI.get_by_uuid, uuid)
        again = self.x.VDI.pool_migrate(new, source, {"dest-img-format": "raw"})
        self.assertEqual(self.x.VDI.get_sm_config(again)["image-format"], "raw")
        # Nothing to do is no error, and the same disk.
        self.assertEqual(self.x.VDI.pool_migrate(again, source, {}), again)

    def test_moves_that_cannot_be_done(self):
        source, destination = self.repository(), self.repository()
        vdi = self.disk(source)
        self.refused(["HANDLE_INVALID", "SR", NOWHERE], self.x.VDI.pool_migrate, vdi, NOWHERE, {})
        self.refused(
            ["VDI_INCOMPATIBLE_TYPE", vdi, ...], self.x.VDI.pool_migrate, vdi, destination, {"dest-img-format": "tar"}
        )
        self.refused(
            ["INVALID_VALUE", "bytes-per-second", "fast"],
            self.x.VDI.pool_migrate,
            vdi,
            destination,
            {"bytes-per-second": "fast"},
        )
        # A destination is plugged for it; a disk whose own repository is not there cannot be read.
        pbd = self.x.SR.get_PBDs(source)[0]
        self.x.PBD.unplug(pbd)
        self.refused(["SR_NOT_ATTACHED", source], self.x.VDI.pool_migrate, vdi, destination, {})
        self.x.PBD.plug(pbd)
        self.assertEqual(self.x.SR.get_VDIs(source), [vdi])

    def test_a_move_is_watched_and_cancelled(self):
        source, destination = self.repository("raw"), self.repository("raw")
        vdi = self.disk(source, 32 * MIB)
        status, _, _ = self.http(
            "PUT", "/import_raw_vdi", os.urandom(32 * MIB), session_id=self.sid, vdi=vdi, format="raw"
        )
        self.assertEqual(status, 200)
        task = self.x.Async.VDI.pool_migrate(vdi, destination, {"bytes-per-second": "2MiB"})
        watch = self.watch("task/" + task, "VDI/" + vdi)
        self.assertIn("cancel", self.x.task.get_allowed_operations(task))
        while "mirror" not in self.x.VDI.get_current_operations(vdi).values():
            watch.next()
        self.assertEqual(self.x.VDI.get_current_operations(vdi), {task: "mirror"})
        self.refused(["OTHER_OPERATION_IN_PROGRESS", "VDI", vdi, "mirror", task], self.x.VDI.resize, vdi, str(64 * MIB))
        self.x.task.cancel(task)
        record = self.finished(task)
        self.assertEqual([record["status"], record["error_info"]], ["cancelled", ["TASK_CANCELLED", task]])
        self.assertEqual([self.x.VDI.get_current_operations(vdi), self.x.SR.get_VDIs(destination)], [{}, []])


class TransferTests(Case):
    """Content over HTTP, with sessions and tasks in the query and in cookies."""

    def test_what_is_imported_is_exported_in_every_format(self):
        sr, content = self.repository("qcow2"), os.urandom(MIB) + bytes(3 * MIB)
        vdi = self.disk(sr, 4 * MIB)
        status, headers, _ = self.http("PUT", "/import_raw_vdi", content, session_id=self.sid, vdi=vdi, format="raw")
        self.assertEqual(status, 200)
        self.assertEqual(self.finished(headers["task-id"])["result"], "<value>%s</value>" % vdi)
        uuid = self.x.VDI.get_uuid(vdi)
        for form, kind in [("raw", "octet-stream"), ("vhd", "vhd"), ("qcow2", "x-qemu-disk")]:
            status, headers, body = self.http(
                "GET", "/export_raw_vdi", headers={"Cookie": "session_id=" + self.sid}, vdi=uuid, format=form
            )
            self.assertEqual(
                [status, headers["Content-Type"], headers["Content-Disposition"]],
                [200, "application/" + kind, 'attachment; filename="%s.%s"' % (uuid, form)],
            )
            self.x.task.destroy(headers["task-id"])
            other = self.disk(sr, 4 * MIB)
            status, headers, _ = self.http("PUT", "/import_raw_vdi", body, session_id=self.sid, vdi=other, format=form)
            self.finished(headers["task-id"])
            _, headers, back = self.http("GET", "/export_raw_vdi", session_id=self.sid, vdi=other)
            self.x.task.destroy(headers["task-id"])
            self.assertEqual(hashlib.sha256(back).digest(), hashlib.sha256(content).digest(), form)

    def test_an_upload_is_read_by_nobody(self):
        """By a process that is a user of its own, has no capability, and in whose file system there is nothing."""
        vdi = self.disk(self.repository("qcow2"))
        image = os.fsencode(self.x.VDI.get_uuid(vdi))
        place = urllib.parse.urlparse(self.daemon.url)
        with contextlib.closing(http.client.HTTPConnection(place.hostname, place.port)) as connection:
            query = urllib.parse.urlencode({"session_id": self.sid, "vdi": vdi, "format": "raw"})
            connection.putrequest("PUT", "/import_raw_vdi?" + query)
            connection.putheader("Content-Length", str(4 * MIB))
            connection.endheaders()
            connection.send(b"7" * MIB)
            self.until(lambda: self.importer(image) is not None)
            process = self.importer(image)
            if os.geteuid() == 0:
                self.until(lambda: self.status(process)["Seccomp"].strip() == "2")
                status = self.status(process)
                self.assertGreater(int(status["Uid"].split()[0]), 1000)
                self.assertEqual(status["CapEff"].strip(), "0" * 16)
                with open("/proc/%d/mountinfo" % process) as mounts:
                    self.assertEqual([line.split()[4] for line in mounts], ["/", "/proc/sys/kernel/random/boot_id"])
            connection.send(b"7" * 3 * MIB)
            answer = connection.getresponse()
            self.assertEqual(answer.status, 200)
            self.finished(answer.headers["task-id"])
        _, _, content = self.http("GET", "/export_raw_vdi", session_id=self.sid, vdi=vdi)
        self.assertEqual(content, b"7" * 4 * MIB)

    @staticmethod
    def importer(image):
        for entry in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open("/proc/%s/cmdline" % entry, "rb") as file:
                    words = file.read().split(b"\0")
            except OSError:
                continue
            if b"import" in words and any(image in word for word in words):
                return int(entry)
        return None

    @staticmethod
    def status(process):
        with open("/proc/%d/status" % process) as file:
            return dict(line.split(":\t", 1) for line in file if ":\t" in line)

    def test_a_clients_task_follows_its_transfer(self):
        vdi = self.disk(self.repository())
        task = self.x.task.create("export", "")
        status, headers, body = self.http("GET", "/export_raw_vdi", session_id=self.sid, task_id=task, vdi=vdi)
        self.assertEqual([status, headers["task-id"], len(body)], [200, task, 4 * MIB])
        self.assertEqual([self.finished(task)["status"]], ["success"])

    def test_transfers_that_are_refused(self):
        vdi = self.disk(self.repository())
        for status, query in [
            (401, {"vdi": vdi}),
            (401, {"vdi": vdi, "session_id": NOWHERE}),
            (400, {"session_id": self.sid}),
            (400, {"session_id": self.sid, "vdi": NOWHERE}),
            (404, {"session_id": self.sid, "vdi": vdi, "format": "tgz"}),
            (403, {"session_id": self.person("vm-operator")._session, "vdi": vdi}),
        ]:
            with self.subTest(str(query)):
                self.assertEqual(self.http("GET", "/export_raw_vdi", **query)[0], status)
        task = self.x.task.create("export", "")
        self.assertEqual(self.http("GET", "/export_raw_vdi", session_id=self.sid, task_id=task, vdi=NOWHERE)[0], 400)
        self.assertEqual(self.finished(task)["error_info"], ["HANDLE_INVALID", "VDI", NOWHERE])

    def test_a_disk_is_made_of_what_is_sent_to_a_repository(self):
        sr, content = self.repository("raw"), os.urandom(MIB)
        status, headers, _ = self.http(
            "PUT", "/import_raw_vdi", content, session_id=self.sid, sr_uuid=self.x.SR.get_uuid(sr), format="raw"
        )
        self.assertEqual(status, 200)
        vdi = self.finished(headers["task-id"])["result"][len("<value>") : -len("</value>")]
        record = self.x.VDI.get_record(vdi)
        self.shows(record, name_label="Imported VDI", SR=sr, virtual_size=str(MIB))
