"""Changed blocks of disks: VDI.enable_cbt, disable_cbt, data_destroy and list_changed_blocks."""

import base64
import json
import os
import pathlib
import subprocess

from suite.case import MIB, Case
from suite.model import NOWHERE

NULL = "OpaqueRef:NULL"
BLOCK = 65536
UNRELATED = [
    "SR_BACKEND_FAILURE_460",
    "",
    "Failed to calculate changed blocks for given VDIs [opterr=Source and target VDI are unrelated]",
    "",
]


class ChangedBlockTests(Case):
    def put(self, vdi, content):
        status, _, _ = self.http("PUT", "/import_raw_vdi", content, session_id=self.sid, vdi=vdi, format="raw")
        self.assertEqual(status, 200)

    def get(self, vdi):
        return self.http("GET", "/export_raw_vdi", session_id=self.sid, vdi=vdi, format="raw")[2]

    def changed(self, earlier, later):
        """The numbers of the blocks, as clients read the answer: the first is the highest bit of the first byte."""
        bitmap = base64.b64decode(self.x.VDI.list_changed_blocks(earlier, later), validate=True)
        blocks = int(self.x.VDI.get_virtual_size(later)) // BLOCK
        self.assertEqual(len(bitmap), (blocks + 7) // 8)
        return {n for n in range(len(bitmap) * 8) if bitmap[n // 8] >> (7 - n % 8) & 1}

    def covers(self, earlier, later, contents):
        """All that differs is in the answer; returns it."""
        one, other = contents[earlier], contents[later]
        one += bytes(len(other) - len(one))
        differing = {n // BLOCK for n in range(0, len(other), BLOCK) if one[n : n + BLOCK] != other[n : n + BLOCK]}
        found = self.changed(earlier, later)
        self.assertLessEqual(differing, found)
        return found

    def test_a_backup_in_steps(self):
        """As backup programs do it: a snapshot, its data, and from then on what has changed."""
        x = self.x
        for form in self.some(1, ["raw", "vhd", "qcow2"]):
            sr = self.repository(form)
            self.assertIn("vdi_enable_cbt", x.SR.get_allowed_operations(sr))
            vdi = self.disk(sr, 4 * MIB, sm_config={"image-format": form})
            self.put(vdi, os.urandom(2 * MIB))
            self.assertIs(x.VDI.get_cbt_enabled(vdi), False)
            self.succeeded(x.Async.VDI.enable_cbt(vdi))
            x.VDI.enable_cbt(vdi)
            self.assertIs(x.VDI.get_cbt_enabled(vdi), True)
            contents = {}
            first = x.VDI.snapshot(vdi, {})
            self.shows(x.VDI.get_record(first), cbt_enabled=True, is_a_snapshot=True, type="user")
            contents[first] = self.get(first)
            self.assertEqual(self.changed(first, vdi), set())
            self.put(vdi, os.urandom(BLOCK + 1))
            second = x.VDI.snapshot(vdi, {})
            contents[second] = self.get(second)
            self.assertEqual(self.covers(first, second, contents), {0, 1})
            x.VDI.resize(vdi, str(6 * MIB))
            self.put(vdi, bytes(5 * MIB) + os.urandom(512))
            contents[vdi] = self.get(vdi)
            self.assertIn(80, self.covers(second, vdi, contents))
            self.covers(first, vdi, contents)
            # Without its data a snapshot is as good to compare with, and takes no room.
            self.succeeded(x.Async.VDI.data_destroy(second))
            uuid = x.VDI.get_uuid(second)
            self.shows(
                x.VDI.get_record(second), type="cbt_metadata", cbt_enabled=True, location=uuid + ".cbtlog", managed=True
            )
            self.assertEqual(x.VDI.get_allowed_operations(second), ["destroy", "forget", "update"])
            x.VDI.data_destroy(second)
            x.SR.scan(sr)
            self.shows(x.VDI.get_record(second), type="cbt_metadata", cbt_enabled=True, missing=False)
            self.covers(second, vdi, contents)
            self.assertEqual(self.covers(first, second, contents), {0, 1})
            before = self.covers(first, vdi, contents)
            # Its changes count for what comes after it when it goes.
            x.VDI.destroy(second)
            self.assertEqual(self.covers(first, vdi, contents), before)
            x.VDI.disable_cbt(vdi)
            self.assertIs(x.VDI.get_cbt_enabled(vdi), False)
            self.refused(UNRELATED, x.VDI.list_changed_blocks, first, vdi)
            x.VDI.destroy(vdi)
            x.VDI.destroy(first)
            path = x.PBD.get_device_config(x.SR.get_PBDs(sr)[0])["location"]
            self.assertEqual([name for name in os.listdir(path) if not name.startswith(".gantry")], [])

    def test_a_disk_in_use_is_tracked(self):
        x, sr = self.x, self.repository("qcow2")
        vdi = self.disk(sr)
        vbd = self.drive(x.host.get_control_domain(self.host), vdi)
        x.VBD.plug(vbd)
        self.xe("vdi-enable-cbt", "uuid=" + x.VDI.get_uuid(vdi))
        self.assertIs(x.VDI.get_cbt_enabled(vdi), True)
        snapshot = x.VDI.snapshot(vdi, {})
        self.refused(["VDI_IN_USE", vdi, "list_changed_blocks"], x.VDI.list_changed_blocks, snapshot, vdi)
        self.write(vbd, 3 * BLOCK)
        gone = x.VDI.snapshot(vdi, {})
        self.write(vbd, 7 * BLOCK)
        # The marks of a snapshot that goes come into the log that is being written.
        x.VDI.destroy(gone)
        self.write(vbd, 9 * BLOCK)
        self.assertEqual(self.dirty(vbd), {3, 7, 9})
        last = x.VDI.snapshot(vdi, {})
        x.VBD.unplug(vbd)
        self.assertEqual(self.changed(snapshot, last), {3, 7, 9})
        self.assertEqual(self.changed(snapshot, vdi), {3, 7, 9})
        self.assertEqual(self.changed(last, vdi), set())
        disks = ["vdi-from-uuid=" + x.VDI.get_uuid(snapshot), "vdi-to-uuid=" + x.VDI.get_uuid(last)]
        self.assertEqual(self.xe("vdi-list-changed-blocks", *disks), x.VDI.list_changed_blocks(snapshot, last))
        self.xe("vdi-disable-cbt", "uuid=" + x.VDI.get_uuid(vdi))
        self.assertIs(x.VDI.get_cbt_enabled(vdi), False)
        x.VBD.destroy(vbd)

    def dirty(self, vbd):
        """The numbers of the blocks that the disk's NBD server calls changed since the last snapshot."""
        uri = self.x.VBD.get_runtime_properties(vbd)["nbd-uri"]
        command = ["nbdinfo", "--json", "--map=qemu:dirty-bitmap:cbt", uri]
        extents = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
        changed = set()
        for extent in extents:
            self.assertEqual((extent["offset"] % BLOCK, extent["length"] % BLOCK), (0, 0))
            first = extent["offset"] // BLOCK
            if extent["type"] & 1:
                changed |= set(range(first, first + extent["length"] // BLOCK))
        return changed

    def write(self, vbd, offset):
        uri = self.x.VBD.get_runtime_properties(vbd)["nbd-uri"]
        commands = ["-c", "write -P 5 %d 512" % offset, "-c", "flush"]
        subprocess.run(["qemu-io", "-f", "raw", *commands, uri], check=True, stdout=subprocess.DEVNULL)

    def test_what_differs_from_a_base_is_exported(self):
        x, sr = self.x, self.repository("qcow2")
        vdi = self.disk(sr, 8 * MIB)
        self.put(vdi, os.urandom(4 * MIB))
        base = x.VDI.snapshot(vdi, {})
        was = self.get(base)
        # New data, zeroes where data were, and room behind the base's end.
        x.VDI.resize(vdi, str(12 * MIB))
        now = was[:MIB] + os.urandom(BLOCK) + bytes(BLOCK) + was[MIB + 2 * BLOCK :] + bytes(4 * MIB)
        self.put(vdi, now)
        place = self.folder("delta")
        for name, content in (("was", was), ("now", now)):
            with open(os.path.join(place, name), "wb") as file:
                file.write(content)
        words = ["uuid=" + x.VDI.get_uuid(vdi), "base=" + x.VDI.get_uuid(base)]

        def image(*command):
            subprocess.run(["qemu-img", *command], check=True, stdout=subprocess.DEVNULL, cwd=place)

        for form in ("qcow2", "vhd"):
            self.xe("vdi-export", *words, "format=" + form, "filename=" + os.path.join(place, form))
            # The way back: into a clone of the base, which is tracked; only what differs is written and marked.
            clone = x.VDI.clone(base)
            x.VDI.resize(clone, str(12 * MIB))
            x.VDI.enable_cbt(clone)
            mark = x.VDI.snapshot(clone, {})
            self.xe(
                "vdi-import", "uuid=" + x.VDI.get_uuid(clone), "format=" + form,
                "filename=" + os.path.join(place, form))
            self.assertTrue(self.get(clone) == now, form)
            # Two clusters from 1 MiB on, or a block of 2 MiB.
            self.assertEqual(self.changed(mark, clone), {16, 17} if form == "qcow2" else set(range(32)), form)
        self.assertLess(os.path.getsize(os.path.join(place, "qcow2")), MIB)
        image("rebase", "-u", "-f", "qcow2", "-F", "raw", "-b", "was", "qcow2")
        image("compare", "-f", "qcow2", "-F", "raw", "qcow2", "now")
        # A block of a VHD is all there or not at all.
        image("convert", "-f", "vpc", "-O", "raw", "vhd", "shown")
        with open(os.path.join(place, "shown"), "rb") as file:
            shown = file.read()
        self.assertTrue(shown == now[: 2 * MIB] + bytes(10 * MIB))
        self.assertLess(os.path.getsize(os.path.join(place, "vhd")), 3 * MIB)
        for wrong in ({"base": base, "format": "raw"}, {"base": NOWHERE, "format": "qcow2"}):
            status, _, _ = self.http("GET", "/export_raw_vdi", session_id=self.sid, vdi=vdi, **wrong)
            self.assertNotEqual(status, 200)
        # It is free again.
        x.VDI.destroy(base)

    def test_what_is_no_disk_or_of_another_set_is_refused(self):
        x, sr = self.x, self.repository("qcow2")
        vdi, other = self.disk(sr), self.disk(sr)
        snapshot = x.VDI.snapshot(vdi, {})
        self.refused(["VDI_NO_CBT_METADATA", snapshot], x.VDI.data_destroy, snapshot)
        for call in (x.VDI.enable_cbt, x.VDI.disable_cbt):
            self.refused(["OPERATION_NOT_ALLOWED", ...], call, snapshot)
            self.unknown("VDI", call)
            self.refused(
                ["VDI_INCOMPATIBLE_TYPE", self.suspended(sr), "suspend"], call, self.suspended(sr)
            )
        x.VDI.set_on_boot(other, "reset")
        self.refused(["VDI_ON_BOOT_MODE_INCOMPATIBLE_WITH_OPERATION"], x.VDI.enable_cbt, other)
        x.VDI.set_on_boot(other, "persist")
        self.refused(UNRELATED, x.VDI.list_changed_blocks, snapshot, vdi)
        for disk in (vdi, other):
            x.VDI.enable_cbt(disk)
        self.refused(["VDI_CBT_ENABLED", vdi], x.VDI.set_on_boot, vdi, "reset")
        self.refused(["OPERATION_NOT_ALLOWED", ...], x.VDI.data_destroy, vdi)
        first, foreign = x.VDI.snapshot(vdi, {}), x.VDI.snapshot(other, {})
        # Taken before there was a log, of another disk, in the wrong order, and the same.
        self.refused(UNRELATED, x.VDI.list_changed_blocks, snapshot, vdi)
        self.refused(UNRELATED, x.VDI.list_changed_blocks, foreign, vdi)
        self.refused(UNRELATED, x.VDI.list_changed_blocks, vdi, first)
        same = [UNRELATED[0], "", UNRELATED[2].replace("unrelated", "same"), ""]
        self.refused(same, x.VDI.list_changed_blocks, first, first)
        self.unknown("VDI", x.VDI.data_destroy)
        self.refused(["HANDLE_INVALID", "VDI", NOWHERE], x.VDI.list_changed_blocks, first, NOWHERE)
        self.refused(["HANDLE_INVALID", "VDI", NOWHERE], x.VDI.list_changed_blocks, NOWHERE, first)
        # A set ends with the tracking.
        x.VDI.disable_cbt(vdi)
        x.VDI.enable_cbt(vdi)
        self.refused(UNRELATED, x.VDI.list_changed_blocks, first, vdi)
        # Copies and clones are disks of their own.
        for made in (x.VDI.clone(first, {}), x.VDI.copy(first, sr, NULL, NULL)):
            self.assertIs(x.VDI.get_cbt_enabled(made), False)
        # A snapshot that is being read keeps its data.
        vbd = self.drive(self.machine(), first, mode="RO")
        self.refused(["VDI_IN_USE", first, "data_destroy"], x.VDI.data_destroy, first)
        x.VBD.destroy(vbd)
        x.VDI.data_destroy(first)
        kind = ["VDI_INCOMPATIBLE_TYPE", first, "CBT metadata"]
        self.refused(kind, x.VDI.snapshot, first, {})
        self.refused(kind, x.VDI.clone, first, {})
        self.refused(kind, x.VDI.copy, first, sr, NULL, NULL)
        self.refused(kind, x.VDI.resize, first, str(8 * MIB))
        self.refused(kind, x.VDI.enable_cbt, first)
        self.refused(kind, self.drive, self.machine(), first)
        self.refused(kind, x.VDI.pool_migrate, first, sr, {"dest-img-format": "vhd"})
        self.assertNotEqual(self.http("GET", "/export_raw_vdi", session_id=self.sid, vdi=first)[0], 200)

    def suspended(self, sr):
        self.image = getattr(self, "image", None) or self.disk(sr, type="suspend")
        return self.image

    def test_logs_move_with_their_disks(self):
        """To other formats and SRs, and with them the snapshots; what is only a log stays, as good to compare with."""
        x, sr, far = self.x, self.repository("vhd"), self.repository("qcow2")
        vdi = self.disk(sr, sm_config={"image-format": "vhd"})
        x.VDI.enable_cbt(vdi)
        log = x.VDI.snapshot(vdi, {})
        contents = {log: self.get(log)}
        self.put(vdi, os.urandom(BLOCK))
        first = x.VDI.snapshot(vdi, {})
        contents[first] = self.get(first)
        self.put(vdi, contents[first][:BLOCK] + os.urandom(BLOCK))
        second = x.VDI.snapshot(vdi, {})
        contents[second] = self.get(second)
        self.put(vdi, contents[second][: 2 * BLOCK] + os.urandom(BLOCK))
        contents[vdi] = self.get(vdi)
        x.VDI.set_name_label(first, "first")
        x.VDI.set_name_label(second, "second")
        x.VDI.data_destroy(log)

        def told():
            """What the API says of each two of the four; none of it is less than what differs, or everything."""
            disks = [log, first, second, vdi]
            pairs = [(one, other) for index, one in enumerate(disks) for other in disks[index + 1 :]]
            found = [self.covers(one, other, contents) for one, other in pairs]
            self.assertLessEqual(set().union(*found), {0, 1, 2})
            return found

        before = told()
        for repository, form in ((far, "qcow2"), (sr, "raw")):
            moved = self.succeeded(x.Async.VDI.pool_migrate(vdi, repository, {"dest-img-format": form}))
            snapshots = {x.VDI.get_name_label(each): each for each in x.VDI.get_snapshots(moved) if each != log}
            self.assertEqual(set(snapshots), {"first", "second"})
            for old, new in ((vdi, moved), (first, snapshots["first"]), (second, snapshots["second"])):
                contents[new] = contents.pop(old)
                self.shows(x.VDI.get_record(new), cbt_enabled=True, SR=repository)
                self.assertEqual(self.get(new), contents[new])
            vdi, first, second = moved, snapshots["first"], snapshots["second"]
            # It is where it was, and belongs to the disk.
            self.shows(x.VDI.get_record(log), type="cbt_metadata", cbt_enabled=True, SR=sr, snapshot_of=vdi)
            self.assertEqual(told(), before)
        # A snapshot by itself, too.
        moved = x.VDI.pool_migrate(second, far, {})
        contents[moved] = contents.pop(second)
        second = moved
        self.assertEqual(told(), before)
        x.VDI.destroy(second)
        self.assertEqual([self.changed(log, first), self.changed(log, vdi), self.changed(first, vdi)],
                         [before[0], before[2], before[4]])
        # Where nobody can keep a log the disk does not go.
        plain = x.SR.create(self.host, {"location": self.folder("no-log")}, "0", "made", "", "example", "user", False, {})
        self.addCleanup(self.drop_repository, plain)
        self.refused(["VDI_CBT_ENABLED", vdi], x.VDI.pool_migrate, vdi, plain, {})
        x.VDI.disable_cbt(vdi)
        # What forgets takes nothing in.
        dummy = x.SR.create(self.host, {}, "0", "dummy", "", "dummy", "user", False, {})
        self.addCleanup(self.drop_repository, dummy)
        self.refused(["SR_OPERATION_NOT_SUPPORTED", dummy], x.VDI.pool_migrate, vdi, dummy, {})
        self.refused(["SR_OPERATION_NOT_SUPPORTED", dummy], x.VDI.enable_cbt, self.disk(dummy))

    def test_a_revert_begins_anew_at_the_snapshot(self):
        x, sr = self.x, self.repository("qcow2")
        vdi = self.disk(sr)
        x.VDI.enable_cbt(vdi)
        first = x.VDI.snapshot(vdi, {})
        self.put(vdi, os.urandom(BLOCK))
        second = x.VDI.snapshot(vdi, {})
        x.VDI.revert(first)
        self.assertEqual(self.changed(first, vdi), set())
        self.refused(UNRELATED, x.VDI.list_changed_blocks, second, vdi)
        self.put(vdi, bytes(3 * BLOCK) + os.urandom(512))
        self.assertIn(3, self.changed(first, vdi))
        self.assertEqual(self.changed(first, second), {0})

    def test_a_snapshot_whose_log_is_damaged_can_go(self):
        """What was relative to it begins there, and no list goes across it."""
        x, sr = self.x, self.repository("qcow2")
        vdi = self.disk(sr)
        x.VDI.enable_cbt(vdi)
        first, second = x.VDI.snapshot(vdi, {}), x.VDI.snapshot(vdi, {})
        place = pathlib.Path(x.PBD.get_device_config(x.SR.get_PBDs(sr)[0])["location"])
        (place / (x.VDI.get_uuid(first) + ".cbtlog")).write_bytes(b"x" * 600)
        x.VDI.destroy(first)
        self.put(vdi, os.urandom(BLOCK))
        self.assertEqual(self.changed(second, vdi), {0})
