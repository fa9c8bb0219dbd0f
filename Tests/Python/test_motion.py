"""Moves of disks and machines, within one host and between pools: decisions, refusals, plans, queues, progress."""

import contextlib
import http.client
import http.server
import json
import os
import pathlib
import ssl
import subprocess
import threading
import time
import urllib.parse
import uuid
import xmlrpc.client

import XenAPI

from suite.case import MIB, Case
from suite.model import NOWHERE

NULL = "OpaqueRef:NULL"
FORMATS = ("raw", "vhd", "qcow2")


class MotionCase(Case):
    def token(self):
        for record in self.x.PIF.get_all_records().values():
            if record["host"] == self.host and record["IP"]:
                return self.x.host.migrate_receive(self.host, record["network"], {})
        self.fail("this machine has no interface with an address")

    def format(self, vdi):
        return self.x.VDI.get_sm_config(vdi)["image-format"]

    def small(self, size, formats="raw"):
        """A file SR on a file system of `size` MiB."""
        folder = self.folder(f"small-{uuid.uuid4()}")
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}M", "small", folder], check=True)
        self.addCleanup(subprocess.run, ["umount", folder], check=True)
        config = {"location": folder, "preferred-image-formats": formats}
        sr = self.x.SR.create(self.host, config, "0", "small", "", "file", "user", False, {})
        self.addCleanup(self.drop_repository, sr)
        return sr


class DecisionTests(MotionCase):
    def test_a_token_names_this_host_and_a_session_of_its_own(self):
        token = self.token()
        self.assertEqual(sorted(token), ["SM", "host", "master", "session_id", "xenops"])
        self.assertEqual(token["host"], self.host)
        self.assertNotEqual(token["session_id"], self.sid)
        self.assertTrue(token["SM"].startswith(token["master"] + "/services/SM?session_id="))
        self.assertEqual(self.x.session.get_this_host(token["session_id"]), self.host)
        self.refused(["HANDLE_INVALID", "host", NOWHERE], self.x.host.migrate_receive, NOWHERE, NULL, {})
        self.refused(["HANDLE_INVALID", "network", NOWHERE], self.x.host.migrate_receive, self.host, NOWHERE, {})
        network = self.x.network.create(
            {"name_label": "unplugged", "name_description": "", "other_config": {}, "MTU": "1500", "tags": []}
        )
        self.addCleanup(self.x.network.destroy, network)
        self.refused(
            ["HOST_CANNOT_ATTACH_NETWORK", self.host, network], self.x.host.migrate_receive, self.host, network, {}
        )

    def test_the_format_is_decided_before_anything_is_made(self):
        source, destination = self.repository("vhd"), self.repository("qcow2,vhd")
        vdi, vm, token = self.disk(source), self.machine(), self.token()
        self.drive(vm, vdi)
        uuid = self.x.SR.get_uuid(destination)
        go = {vdi: destination}
        for call in (self.x.VM.assert_can_migrate, self.x.VM.migrate_send):
            self.refused(["VDI_NOT_IN_MAP", vdi], call, vm, token, True, {}, {}, {})
            self.refused(
                ["VDI_INCOMPATIBLE_TYPE", vdi, "Expected one of 'raw', 'vhd', 'qcow2', got vhdx"],
                call, vm, token, True, go, {}, {}, {}, {vdi: "vhdx"},
            )
            self.refused(["HANDLE_INVALID", "VM", NOWHERE], call, NOWHERE, token, True, go, {}, {})
            self.refused(["INVALID_VALUE", "dest", ...], call, vm, {}, True, go, {}, {})
            self.refused(["OPERATION_NOT_ALLOWED", ...], call, vm, token, True, go, {}, {"copy": "true"})
            self.refused(["INVALID_VALUE", "bytes-per-second", "x"], call, vm, token, True, go, {}, {"bytes-per-second": "x"})
            self.refused(["INVALID_VALUE", "verify", "x"], call, vm, token, True, go, {}, {"verify": "x"})
            self.x.VDI.set_on_boot(vdi, "reset")
            self.refused(["VDI_ON_BOOT_MODE_INCOMPATIBLE_WITH_OPERATION", vdi], call, vm, token, True, go, {}, {})
            self.refused(["VDI_ON_BOOT_MODE_INCOMPATIBLE_WITH_OPERATION", vdi], self.x.VDI.pool_migrate, vdi, destination, {})
            self.x.VDI.set_on_boot(vdi, "persist")
            self.x.VDI.add_to_sm_config(vdi, "key_hash", "x")
            self.refused(["VDI_IS_ENCRYPTED", vdi], call, vm, token, True, go, {}, {})
            self.x.VDI.remove_from_sm_config(vdi, "key_hash")
        large = self.disk(source, 3 << 40, sm_config={"image-format": "qcow2"})
        self.refused(
            ["VDI_TOO_LARGE", large, "2190433320960"], self.x.VDI.pool_migrate, large, destination, {"dest-img-format": "vhd"}
        )
        self.assertEqual(self.x.SR.get_VDIs(destination), [])
        self.assertEqual(uuid, self.x.SR.get_uuid(destination))
        self.assertEqual(self.x.VM.assert_can_migrate(vm, token, True, go, {}, {}), "")
        self.assertEqual(self.x.VM.assert_can_migrate_sender(vm, token, True, go, {}, {}, {}), "")

    def test_lists_and_cases_and_no_word_at_all(self):
        vdi = self.disk(self.repository("raw"), sm_config={"image-format": "raw"})
        for preferred, choice, expected in [
            ("qcow2", "", "qcow2"), ("qcow2", "VHD", "vhd"), ("vhd", "Raw, qcow2", "raw"), ("vhd", "vhd", "vhd"),
        ]:
            vdi = self.x.VDI.pool_migrate(vdi, self.repository(preferred), {"dest-img-format": choice})
            self.assertEqual(self.format(vdi), expected)


class MachineTests(MotionCase):
    def test_the_disks_of_a_machine_go_where_the_maps_say(self):
        source = self.repository("vhd")
        places = [self.repository("vhd"), self.repository("raw")]
        vm, disks = self.machine(), [self.disk(source, tags=["t"], other_config={"k": "v"}) for _ in range(3)]
        vbds = [self.drive(vm, vdi) for vdi in disks]
        for vdi in disks:
            self.x.VDI.add_to_sm_config(vdi, "of-somebody", "a word")
        still = {disks[2]: source}
        self.assertIn("migrate_send", self.x.VM.get_allowed_operations(vm))
        token = self.token()
        task = self.x.Async.VM.migrate_send(
            vm, token, True, {disks[0]: places[0], disks[1]: places[1], **still}, {}, {"force": "false"}, {},
            {disks[0]: "QCOW2", disks[1]: ""},
        )
        self.assertEqual(self.succeeded(task), vm)
        moved = [self.x.VBD.get_VDI(vbd) for vbd in vbds]
        self.assertEqual([self.format(vdi) for vdi in moved], ["qcow2", "raw", "vhd"])
        self.assertEqual([self.x.VDI.get_SR(vdi) for vdi in moved], places + [source])
        self.assertEqual(moved[2], disks[2])
        self.shows(self.x.VDI.get_record(moved[0]), tags=["t"], other_config={"k": "v"}, current_operations={})
        self.assertEqual([self.x.VDI.get_sm_config(vdi).get("of-somebody") for vdi in moved], ["a word"] * 3)
        self.assertEqual(self.x.SR.get_VDIs(source), [disks[2]])
        self.refused(["HANDLE_INVALID", "VDI", disks[0]], self.x.VDI.get_uuid, disks[0])
        # The token serves another move, until its session ends.
        back = {moved[0]: source, moved[1]: source, moved[2]: source}
        self.assertEqual(self.x.VM.migrate_send(vm, token, True, back, {}, {}), vm)
        self.proxy().call("session.logout", token["session_id"])
        over = ["INVALID_VALUE", "dest", ...]
        self.refused(over, self.x.VM.assert_can_migrate, vm, token, True, back, {}, {})
        self.refused(over, self.x.VM.migrate_send, vm, token, True, back, {}, {})

    def test_the_disk_of_a_read_only_drive_moves_as_any_other(self):
        """While its machine runs and when it is halted; one that may be written stays so, and one that may not, too."""
        places = [self.repository("vhd"), self.repository("qcow2")]
        vm, content = self.machine(), os.urandom(4 * MIB)
        vbds = []
        for read_only in (False, True):
            vdi = self.disk(places[0], 4 * MIB)
            status, _, _ = self.http("PUT", "/import_raw_vdi", content, session_id=self.sid, vdi=vdi, format="raw")
            self.assertEqual(status, 200)
            self.x.VDI.set_read_only(vdi, read_only)
            vbds.append(self.drive(vm, vdi, mode="RO"))
        self.x.VM.start(vm, False, False)
        for state in ("Running", "Halted"):
            self.assertEqual(self.x.VM.get_power_state(vm), state)
            disks = [self.x.VBD.get_VDI(vbd) for vbd in vbds]
            self.assertEqual(self.x.VM.migrate_send(vm, self.token(), True, {vdi: places[1] for vdi in disks}, {}, {}), vm)
            self.assertEqual(self.x.SR.get_VDIs(places[0]), [])
            moved = [self.x.VBD.get_VDI(vbd) for vbd in vbds]
            self.assertEqual([self.x.VDI.get_SR(vdi) for vdi in moved], [places[1]] * 2)
            self.assertEqual([self.x.VDI.get_read_only(vdi) for vdi in moved], [False, True])
            self.assertEqual([self.x.VBD.get_mode(vbd) for vbd in vbds], ["RO"] * 2)
            self.assertEqual([self.x.VBD.get_currently_attached(vbd) for vbd in vbds], [state == "Running"] * 2)
            if state == "Running":
                self.x.VM.hard_shutdown(vm)
            for vdi in moved:
                status, _, body = self.http("GET", "/export_raw_vdi", session_id=self.sid, vdi=vdi, format="raw")
                self.assertEqual((status, body == content), (200, True))
            places.reverse()

    def test_two_disks_of_two_formats_with_three_snapshots_each(self):
        source, vm = self.repository("vhd,qcow2"), self.machine()
        places = {"vhd": self.repository("qcow2"), "qcow2": self.repository("vhd")}
        disks, contents = {}, {}
        for kind in places:
            vdi = self.disk(source, 4 * MIB, sm_config={"image-format": kind})
            vbd = self.drive(vm, vdi)
            contents[vbd] = []
            for _ in range(3):
                data = os.urandom(MIB) + bytes(3 * MIB)
                status, _, _ = self.http("PUT", "/import_raw_vdi", data, session_id=self.sid, vdi=vdi, format="raw")
                self.assertEqual(status, 200)
                self.x.VDI.set_name_label(self.x.VDI.snapshot(vdi, {}), f"{len(contents[vbd])}")
                contents[vbd].append(data)
            disks[vbd] = (vdi, kind)
        go = {vdi: places[kind] for vdi, kind in disks.values()}
        task = self.x.Async.VM.migrate_send(vm, self.token(), True, go, {}, {}, {}, {})
        self.assertEqual(self.succeeded(task), vm)
        self.assertEqual(self.x.SR.get_VDIs(source), [])
        for vbd, (_, kind) in disks.items():
            moved = self.x.VBD.get_VDI(vbd)
            self.assertEqual(self.format(moved), {"vhd": "qcow2", "qcow2": "vhd"}[kind])
            snapshots = sorted(self.x.VDI.get_snapshots(moved), key=self.x.VDI.get_name_label)
            self.assertEqual([self.x.VDI.get_SR(each) for each in snapshots], [places[kind]] * 3)
            for disk, data in zip(snapshots + [moved], contents[vbd] + contents[vbd][-1:]):
                status, _, body = self.http("GET", "/export_raw_vdi", session_id=self.sid, vdi=disk, format="raw")
                self.assertEqual((status, body == data), (200, True))

    def test_a_destination_is_plugged_for_a_move_and_a_source_is_not(self):
        source, destination = self.repository("raw"), self.repository("raw")
        vdi, vm = self.disk(source, sm_config={"image-format": "raw"}), self.machine()
        self.drive(vm, vdi)
        here, there = self.x.SR.get_PBDs(source)[0], self.x.SR.get_PBDs(destination)[0]
        self.x.PBD.unplug(there)
        token, go = self.token(), {vdi: destination}
        # What is refused, and what only asks, leaves it as it is.
        self.refused(["VDI_INCOMPATIBLE_TYPE", vdi, ...], self.x.VDI.pool_migrate, vdi, destination, {"dest-img-format": "x"})
        self.refused(["INVALID_VALUE", "network", ...], self.x.VDI.pool_migrate, vdi, destination, {"network": NOWHERE})
        self.assertEqual(self.x.VM.assert_can_migrate(vm, token, True, go, {}, {}), "")
        plan = json.loads(self.x.VDI.plan_pool_migrate(vdi, destination, {}))
        self.assertEqual(plan["blockers"], [])
        self.assertIn("not plugged", plan["disks"][0]["notes"][0])
        self.assertFalse(self.x.PBD.get_currently_attached(there))
        path = self.x.PBD.get_device_config(there)["location"]
        os.rename(path, path + ".away")
        with self.assertRaises(XenAPI.Failure) as caught:
            self.x.VDI.pool_migrate(vdi, destination, {})
        self.assertTrue(caught.exception.details[0].startswith("SR_BACKEND_FAILURE"), caught.exception.details)
        os.rename(path + ".away", path)
        vdi = self.x.VDI.pool_migrate(vdi, destination, {})
        self.assertTrue(self.x.PBD.get_currently_attached(there))
        self.x.PBD.unplug(there)
        self.refused(["SR_NOT_ATTACHED", destination], self.x.VDI.pool_migrate, vdi, source, {})
        self.refused(["SR_NOT_ATTACHED", destination], self.x.VM.assert_can_migrate, vm, token, True, {vdi: source}, {}, {})
        self.x.PBD.plug(there)
        self.x.PBD.unplug(here)
        self.assertEqual(self.x.VM.migrate_send(vm, token, True, {vdi: source}, {}, {}), vm)
        self.assertTrue(self.x.PBD.get_currently_attached(here))

    def test_a_plan_says_what_would_be_done(self):
        source, destination = self.repository("vhd"), self.repository("qcow2")
        vdi, vm = self.disk(source), self.machine()
        self.drive(vm, vdi)
        plan = json.loads(self.x.VDI.plan_pool_migrate(vdi, destination, {}))
        disk = plan["disks"][0]
        self.assertEqual([disk["vdi"], disk["reason"]], [self.x.VDI.get_uuid(vdi), "preferred"])
        self.assertEqual([disk["source"]["format"], disk["destination"]["format"]], ["vhd", "qcow2"])
        self.assertEqual([plan["blockers"], plan["verified"]], [[], True])
        plan = json.loads(self.x.VDI.plan_pool_migrate(vdi, destination, {"verify": "false"}))
        self.assertIs(plan["verified"], False)
        plan = json.loads(self.x.VM.plan_migrate_send(vm, self.token(), True, {vdi: destination}, {}, {}, {}, {vdi: "x"}))
        self.assertEqual(
            plan["blockers"][0]["error"], ["VDI_INCOMPATIBLE_TYPE", vdi, "Expected one of 'raw', 'vhd', 'qcow2', got x"]
        )
        self.refused(["HANDLE_INVALID", "VDI", NOWHERE], self.x.VDI.plan_pool_migrate, NOWHERE, destination, {})
        self.refused(["HANDLE_INVALID", "VM", NOWHERE], self.x.VM.plan_migrate_send, NOWHERE, {}, True, {}, {}, {})
        self.assertEqual(self.x.SR.get_VDIs(destination), [])

    def test_snapshots_are_copied_at_the_moves_rate_and_seen(self):
        source, destination = self.repository("vhd"), self.repository("qcow2")
        vdi, data = self.disk(source, 4 * MIB), os.urandom(3 * MIB) + bytes(MIB)
        self.assertEqual(self.http("PUT", "/import_raw_vdi", data, session_id=self.sid, vdi=vdi, format="raw")[0], 200)
        self.x.VDI.snapshot(vdi, {})
        task = self.x.Async.VDI.pool_migrate(vdi, destination, {"bytes-per-second": "512KiB"})

        def shown(key):
            return self.x.task.get_other_config(task).get(key, "")

        def copied():
            return int(shown("bytes_copied") or "0")

        self.until(lambda: copied() > 0)
        self.assertEqual((shown("phase"), shown("snapshot")), ("snapshots", "1 of 1"))
        self.assertGreater(self.x.task.get_progress(task), 0)
        # The snapshot's and the disk's own, from the beginning on; two seconds' worth and a few pieces at most.
        self.assertGreaterEqual(int(shown("bytes_total")), 6 * MIB)
        self.assertLess(copied(), 3 * MIB)
        self.x.task.add_to_other_config(task, "paused", "true")
        self.until(lambda: shown("mirror_paused") == "true")

        def stands():
            before = copied()
            time.sleep(0.5)
            return copied() == before

        # What was under way is told a moment later.
        self.until(stands)
        before = copied()
        time.sleep(0.7)
        self.assertEqual((copied(), shown("phase")), (before, "snapshots"))
        self.x.task.add_to_other_config(task, "bytes-per-second", "0")
        self.x.task.remove_from_other_config(task, "paused")
        record = self.finished(task)
        self.assertEqual((record["status"], record["error_info"]), ("success", []))
        moved, last = record["result"].removeprefix("<value>").removesuffix("</value>"), record["other_config"]
        self.assertEqual((last["phase"], last["snapshot"], last["bytes_copied"]), ("done", "", last["bytes_total"]))
        self.assertGreaterEqual(int(last["bytes_total"]), 6 * MIB)
        for disk in (moved, self.x.VDI.get_snapshots(moved)[0]):
            status, _, body = self.http("GET", "/export_raw_vdi", session_id=self.sid, vdi=disk, format="raw")
            self.assertEqual((status, body == data), (200, True))

    def test_moves_wait_in_a_line_that_their_tasks_show(self):
        source, destination = self.repository("raw"), self.repository("raw")
        self.x.SR.add_to_other_config(destination, "disk-moves", "1")
        disks = [self.disk(source, 16 * MIB) for _ in range(2)]
        status, _, _ = self.http(
            "PUT", "/import_raw_vdi", os.urandom(16 * MIB), session_id=self.sid, vdi=disks[0], format="raw"
        )
        self.assertEqual(status, 200)
        first = self.x.Async.VDI.pool_migrate(disks[0], destination, {"bytes-per-second": "2MiB"})
        watch = self.watch("task")
        while self.x.task.get_other_config(first).get("phase") != "copying":
            watch.next()
        second = self.x.Async.VDI.pool_migrate(disks[1], destination, {})
        while self.x.task.get_other_config(second).get("phase") != "queued":
            watch.next()
        self.assertEqual(self.x.task.get_other_config(second)["queue_position"], "1")
        shown = self.x.task.get_other_config(first)
        for key in ("bytes_total", "bytes_copied", "bytes_dirty", "bytes_per_second", "dirty_bytes_per_second", "seconds_left"):
            self.assertIn(key, shown)
        self.x.task.cancel(first)
        self.assertEqual(self.finished(first)["status"], "cancelled")
        self.succeeded(second)
        self.assertEqual(len(self.x.SR.get_VDIs(destination)), 1)


class RoomTests(MotionCase):
    """Room is kept for moves that are under way."""

    def filled(self, sr, size):
        """A raw disk with `size` MiB of data, and these."""
        vdi, data = self.disk(sr, size * MIB, sm_config={"image-format": "raw"}), os.urandom(size * MIB)
        self.assertEqual(self.http("PUT", "/import_raw_vdi", data, session_id=self.sid, vdi=vdi, format="raw")[0], 200)
        return vdi, data

    def holds(self, vdi, data):
        status, _, body = self.http("GET", "/export_raw_vdi", session_id=self.sid, vdi=vdi, format="raw")
        self.assertEqual((status, body == data), (200, True))

    def shown(self, task, key):
        return self.x.task.get_other_config(task).get(key, "")

    def test_of_two_moves_that_do_not_fit_together_one_is_refused_at_once(self):
        source, destination = self.repository("raw"), self.small(40)
        disks = [self.filled(source, 24) for _ in range(2)]
        slow = {"bytes-per-second": "512KiB"}
        tasks = [self.x.Async.VDI.pool_migrate(vdi, destination, slow) for vdi, _ in disks]
        self.until(lambda: "failure" in [self.x.task.get_status(task) for task in tasks])
        lost = [self.x.task.get_status(task) for task in tasks].index("failure")
        record = self.finished(tasks[lost])
        code, empty, text, last = record["error_info"]
        self.assertEqual((code, empty, last), ("SR_BACKEND_FAILURE_44", "", ""))
        self.assertIn("moves under way take", text)
        self.assertNotIn("phase", record["other_config"])
        self.until(lambda: int(self.shown(tasks[1 - lost], "bytes_copied") or "0") > 0)
        # What it has written is used already, and not kept a second time.
        refused = json.loads(self.x.VDI.plan_pool_migrate(disks[lost][0], destination, {}))
        self.assertEqual(refused["blockers"][0]["error"][0], code)
        self.assertRegex(refused["disks"][0]["notes"][0], "moves under way take [0-9]+ of the [0-9]+ bytes")
        kept = int(refused["disks"][0]["notes"][0].split()[4])
        self.assertTrue(0 < kept < 24 * MIB, kept)
        little, _ = self.filled(source, 8)
        self.succeeded(self.x.Async.VDI.pool_migrate(little, destination, {}))
        # One that is cancelled gives its room back.
        self.x.task.cancel(tasks[1 - lost])
        self.assertEqual(self.finished(tasks[1 - lost])["status"], "cancelled")
        self.holds(self.x.VDI.pool_migrate(disks[lost][0], destination, {}), disks[lost][1])

    def test_a_disk_that_changes_its_format_waits_for_the_room_of_another(self):
        sr = self.small(56)
        disks = [self.filled(sr, 16) for _ in range(2)]
        first = self.x.Async.VDI.pool_migrate(disks[0][0], sr, {"dest-img-format": "qcow2", "bytes-per-second": "1MiB"})
        self.until(lambda: self.shown(first, "phase") == "copying")
        plan = json.loads(self.x.VDI.plan_pool_migrate(disks[1][0], sr, {"dest-img-format": "vhd"}))
        self.assertEqual(plan["blockers"], [])
        self.assertIn("it waits until moves under way have given room back there", plan["disks"][0]["notes"])
        second = self.x.Async.VDI.pool_migrate(disks[1][0], sr, {"dest-img-format": "vhd"})
        self.until(lambda: self.shown(second, "waits_for") == f"room in the SR {self.x.SR.get_uuid(sr)}")
        self.assertEqual((self.shown(second, "phase"), self.shown(second, "queue_position")), ("queued", "1"))
        # It has no turn in the line either: what fits goes.
        self.x.task.add_to_other_config(first, "bytes-per-second", "0")
        for task, (_, data), kind in ((first, disks[0], "qcow2"), (second, disks[1], "vhd")):
            moved = self.succeeded(task)
            self.assertEqual(self.format(moved), kind)
            self.holds(moved, data)

    def test_a_plan_says_that_blocks_are_shared_with_a_disk_that_stays(self):
        source, destination = self.repository("qcow2"), self.repository("qcow2")
        vdi = self.disk(source)
        self.assertNotIn("shares blocks", self.x.VDI.plan_pool_migrate(vdi, destination, {}))
        self.x.VDI.snapshot(vdi, {})
        # Its own snapshots go with it.
        self.assertNotIn("shares blocks", self.x.VDI.plan_pool_migrate(vdi, destination, {}))
        clone = self.x.VDI.clone(vdi, {})
        for one, other in ((vdi, clone), (clone, vdi)):
            notes = json.loads(self.x.VDI.plan_pool_migrate(one, destination, {}))["disks"][0]["notes"]
            said = [note for note in notes if "shares blocks" in note]
            self.assertEqual(len(said), 1, notes)
            self.assertIn("is not freed at the source, and is no longer shared", said[0])
            if one == vdi:
                self.assertIn(f"the disk {self.x.VDI.get_uuid(clone)}", said[0])
        # Not of disks that go together.
        vm = self.machine()
        for one in (vdi, clone):
            self.drive(vm, one)
        go = {vdi: destination, clone: destination}
        self.assertNotIn("shares blocks", self.x.VM.plan_migrate_send(vm, self.token(), True, go, {}, {}, {}, {}))


class OtherPool(http.server.BaseHTTPRequestHandler):
    """A host of another pool over TLS, as far as the checks of a move ask for it."""

    protocol_version = "HTTP/1.1"
    #: What its software is, and what it answers to everything that is no call.
    software, status = {}, 404
    #: Which requests about moves it knows.
    verbs = ()
    #: What it says of each disk besides.
    more = {}

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        verb = self.path.rsplit("/", 1)[-1]
        if verb in self.verbs:
            value = {"answer": str(len(body))}
            if verb == "check":
                disks = [dict({"vdi": disk["vdi"], "uuid": "", "format": "vhd", "size": disk["size"]}, **self.more)
                         for disk in json.loads(body)["disks"]]
                value = {"machine": "", "disks": disks}
            return self.told(200, json.dumps({"value": value}).encode())
        if self.path != "/" or not body:
            return self.told(self.status, b"")
        _, method = xmlrpc.client.loads(body)
        results = {
            "host.get_software_version": self.software,
            "SM.get_all_records": {"OpaqueRef:m": {"type": "far", "supported_image_formats": ["vhd"]}},
            "SR.get_record": {"uuid": "far-sr", "type": "far", "name_label": "", "physical_size": "0"},
        }
        answer = {"Status": "Success", "Value": results.get(method, "")}
        return self.told(200, xmlrpc.client.dumps((answer,), methodresponse=True).encode())

    def told(self, status, body):
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class OtherPoolTests(MotionCase):
    def test_what_another_host_is_decides_before_it_is_asked_for_more(self):
        folder = pathlib.Path(self.folder("other-pool"))
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=far", "-days", "2",
             "-keyout", folder / "key", "-out", folder / "cert"], check=True, capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "cert", folder / "key")
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), OtherPool)
        server.daemon_threads = True
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        vm = self.machine()
        vdi = self.disk(self.repository("vhd"))
        self.drive(vm, vdi)
        token = {"host": "OpaqueRef:far", "session_id": "OpaqueRef:s",
                 "xenops": "http://127.0.0.1:%d/services/xenops" % server.server_port}
        own = self.x.host.get_software_version(self.host)

        def refused(expected, **options):
            move = [vm, token, True, {vdi: "OpaqueRef:sr"}, {}, options]
            self.refused(expected, self.x.VM.assert_can_migrate, *move)
            self.refused(expected, self.x.VM.migrate_send, *move)

        refused(["INVALID_VALUE", "network", ...], network="OpaqueRef:n")
        # What does not go with the VM is not passed over in silence.
        foreign = [vm, token, True, {vdi: "OpaqueRef:sr", self.disk(self.repository("vhd")): "OpaqueRef:sr"}, {}, {}]
        for call in (self.x.VM.assert_can_migrate, self.x.VM.migrate_send):
            self.refused(["OPERATION_NOT_ALLOWED", ...], call, *foreign)
        OtherPool.software = dict(own, platform_version="0.0.9")
        for options in ({}, {"force": "true"}):
            refused(["VM_HOST_INCOMPATIBLE_VERSION_MIGRATE", vm, "OpaqueRef:far"], **options)
        blockers = json.loads(self.x.VM.plan_migrate_send(vm, token, True, {vdi: "OpaqueRef:sr"}, {}, {}))["blockers"]
        self.assertEqual([each["error"][0] for each in blockers], ["VM_HOST_INCOMPATIBLE_VERSION_MIGRATE"])
        OtherPool.software = dict(own, platform_version="99.0")
        refused(["NOT_IMPLEMENTED", ...])
        OtherPool.status = 401
        refused(["INVALID_VALUE", "dest", ...])
        OtherPool.status = 503
        refused(["CANNOT_CONTACT_HOST", "127.0.0.1"])
        OtherPool.software, OtherPool.status = {"platform_name": "XCP", "platform_version": "0.0.1"}, 403
        refused(["PERMISSION_DENIED", ...])
        # What a plan knows of the network is what the other side takes, where it can say so.
        for verbs, isMeasured in ((("check",), False), (("check", "probe"), True)):
            OtherPool.verbs = verbs
            # A busy machine may let nothing through in the probe's two seconds.
            for _ in range(5):
                plan = json.loads(self.x.VM.plan_migrate_send(vm, token, True, {vdi: "OpaqueRef:sr"}, {}, {}))
                if not isMeasured or "is not measured" not in plan["basis"]:
                    break
            self.assertEqual(plan["blockers"], [])
            self.assertEqual("is not measured" not in plan["basis"] and plan["bytes_per_second"] > 0, isMeasured, plan)
            self.assertEqual(plan["disks"][0]["peak_at_destination"], plan["bytes_to_move"])
            self.assertGreater(plan["bytes_to_move"], 0)
            self.assertEqual([plan["verified"], plan["bytes_to_compare"]], [True, plan["bytes_to_move"]])
            self.assertIs(plan["copy"], False)
        options = {"copy": "true", "verify": "false"}
        plan = json.loads(self.x.VM.plan_migrate_send(vm, token, True, {vdi: "OpaqueRef:sr"}, {}, options))
        self.assertEqual([plan["copy"], plan["bytes_to_compare"]], [True, 0])
        # Of the space there what the other side counts, where it says so.
        OtherPool.more = {"room": 1 << 40}
        self.addCleanup(setattr, OtherPool, "more", {})
        disk = json.loads(self.x.VM.plan_migrate_send(vm, token, True, {vdi: "OpaqueRef:sr"}, {}, {}))["disks"][0]
        self.assertEqual(disk["peak_at_destination"], 1 << 40)

    def test_older_lists_of_arguments_are_served(self):
        """Clients of each release pass as many as their release knew; what came later has its default."""
        vm, token = self.machine(), {"host": self.host}
        for more in ([], [{}], [{}, {}]):
            self.x.VM.assert_can_migrate(vm, token, True, {}, {}, {}, *more)
            self.assertEqual(self.x.VM.migrate_send(vm, token, True, {}, {}, {}, *more), vm)
        self.x.VM.assert_can_migrate_sender(vm, token, True, {}, {}, {}, {})
        # What is more than any release knows is passed over, as of every message that has defaults.
        for name in ("assert_can_migrate", "migrate_send"):
            getattr(self.x.VM, name)(vm, token, True, {}, {}, {}, {}, {}, {"of": "later"}, "more")
        too_few = ["MESSAGE_PARAMETER_COUNT_MISMATCH", "VM.migrate_send", "6", "5"]
        self.refused(too_few, self.x.VM.migrate_send, vm, token, True, {}, {})


class PeerTests(MotionCase):
    """A machine of another pool, whose toolstack is this test."""

    def ask(self, move, verb, body, secret="s" * 40, session=True):
        query = {"session_id": self.sid} if session else {}
        status, _, answer = self.http(
            "POST", f"/services/xenops/moves/{move}/{verb}", json.dumps(body).encode(), {"x-gantry-move": secret}, **query
        )
        return json.loads(answer) if status == 200 else status

    def offer(self, move, machine, sr):
        disk = {
            "vdi": "OpaqueRef:far", "row": json.dumps({"name_label": "far disk"}), "role": "disk", "sr": sr,
            "choice": "", "size": MIB, "format": "vhd", "leastBytes": 0,
        }
        drive = {"uuid": str(uuid.uuid4()), "row": json.dumps({"userdevice": "0", "mode": "RW"}), "disk": disk["vdi"]}
        return {
            "id": move, "uuid": machine, "isCopy": False, "isForced": False, "origin": "far away", "interfaces": [],
            "machine": json.dumps({"name_label": "far machine", "VCPUs_max": 1, "hardware_platform_version": 0}),
            "drives": [drive], "disks": [disk],
        }

    def test_strangers_say_little(self):
        """The description of a machine is long, and needs a session. What needs none is a word."""
        move = str(uuid.uuid4())
        long = {"x": "y" * 5000}
        for verb in ("prepare", "run", "cancel", "forget", "stand", "nothing"):
            self.assertEqual(self.ask(move, verb, long, session=False), 413, verb)
            self.assertEqual(self.ask(move, verb, long), 413, verb)
        self.assertEqual(self.ask(move, "offer", long, session=False), 401)
        self.assertIn("error", self.ask(move, "offer", long))

    def test_the_way_is_measured_by_those_who_have_a_session(self):
        """As many bytes as a machine's description may have are counted, and no more are taken."""
        def probe(size, **query):
            field = {"x-gantry-move": "s" * 40}
            status, _, answer = self.http(
                "POST", f"/services/xenops/moves/{uuid.uuid4()}/probe", bytes(size), field, **query)
            return json.loads(answer) if status == 200 else status

        for size in (0, 2 * MIB):
            self.assertEqual(probe(size, session_id=self.sid)["value"], {"answer": str(size)})
        self.assertEqual(probe(4 * MIB + 1, session_id=self.sid), 413)
        self.assertEqual([probe(0), probe(0, session_id=NOWHERE)], [401, 401])

    def test_an_offer_that_comes_after_its_move_is_not_taken(self):
        """Its session may live on for other moves."""
        sr = self.repository("qcow2")
        move, machine = str(uuid.uuid4()), str(uuid.uuid4())
        offer = self.offer(move, machine, sr)
        self.assertIn("remembers", self.ask(move, "check", offer)["value"]["takes"])
        self.assertEqual(self.ask(move, "cancel", {})["value"]["answer"], "refused")
        self.assertEqual(self.ask(move, "offer", offer)["error"][0], "OPERATION_NOT_ALLOWED")
        self.assertEqual(self.ask(move, "forget", {})["value"]["answer"], "forgotten")
        self.assertIsNone(self.listed(move))
        self.assertEqual(self.ask(move, "offer", offer)["error"][0], "OPERATION_NOT_ALLOWED")
        self.assertEqual(self.x.SR.get_VDIs(sr), [])

    def test_an_offer_whose_session_ends_while_it_comes_in_is_not_taken(self):
        """Its `cancel` may have been answered meanwhile, and would not come again."""
        sr = self.repository("qcow2")
        for is_over in (True, False):
            move, session = str(uuid.uuid4()), self.token()["session_id"]
            body = json.dumps(self.offer(move, str(uuid.uuid4()), sr)).encode()
            place = urllib.parse.urlparse(self.daemon.url)
            with contextlib.closing(http.client.HTTPConnection(place.hostname, place.port)) as connection:
                connection.putrequest("POST", f"/services/xenops/moves/{move}/offer?session_id={session}")
                for name, value in (("content-length", len(body)), ("x-gantry-move", "s" * 40)):
                    connection.putheader(name, str(value))
                connection.endheaders()
                connection.send(body[:10])
                # The head is looked at.
                time.sleep(0.3)
                if is_over:
                    self.proxy().call("session.logout", session)
                    answer = self.ask(move, "cancel", {}, session=False)
                    self.assertEqual(answer["value"]["answer"], "refused")
                connection.send(body[10:])
                reply = connection.getresponse()
                # The head had not been looked at: not taken, either.
                if is_over and reply.status == 401:
                    continue
                answer = json.loads(reply.read())
            if is_over:
                self.assertEqual(answer["error"][0], "SESSION_INVALID")
                self.assertEqual(self.x.SR.get_VDIs(sr), [])
            else:
                self.assertIn("value", answer)
                self.assertEqual(self.ask(move, "cancel", {})["value"]["answer"], "refused")

    def test_arrivals_stand_in_the_line_of_their_repository(self):
        sr = self.repository("qcow2")
        self.x.SR.add_to_other_config(sr, "disk-moves", "1")
        self.x.SR.add_to_other_config(sr, "disk-moves-rate", "4096")
        moves = [str(uuid.uuid4()) for _ in range(2)]
        for move in moves:
            accepted = self.ask(move, "offer", self.offer(move, str(uuid.uuid4()), sr))["value"]
            self.assertIn("turns", accepted["takes"])
            self.assertEqual(accepted["pool"], self.x.pool.get_uuid(self.pool))

        def turn(move, over=False, vdi="OpaqueRef:far"):
            question = {"vdi": vdi, "isCopying": False, "isOver": over}
            answer = self.ask(move, "turn", question, session=False)
            return answer["value"] if "value" in answer else answer["error"][0]

        first, second = moves
        self.assertEqual(turn(first), {"position": 0, "bytesPerSecond": 4096})
        self.assertEqual(turn(second), {"position": 1})
        self.assertEqual(turn(second, vdi="OpaqueRef:other"), "OPERATION_NOT_ALLOWED")
        self.assertEqual(self.ask(second, "turn", {}, "x" * 40)["error"][0], "PERMISSION_DENIED")
        self.x.SR.remove_from_other_config(sr, "disk-moves-rate")
        # A move of this pool waits behind them.
        vdi = self.disk(self.repository("qcow2"))
        task = self.x.Async.VDI.pool_migrate(vdi, sr, {})
        self.until(lambda: self.x.task.get_other_config(task).get("queue_position") == "2")
        turn(first, over=True)
        self.assertEqual(turn(second)["position"], 0)
        # Who is refused stands in nobody's way.
        self.assertEqual(self.ask(second, "cancel", {})["value"]["answer"], "refused")
        self.succeeded(task)
        self.assertEqual(turn(second), "OPERATION_NOT_ALLOWED")
        self.assertEqual(self.ask(first, "cancel", {})["value"]["answer"], "refused")
        for move in moves:
            self.assertEqual(self.ask(move, "forget", {})["value"]["answer"], "forgotten")

    def test_arrivals_have_their_room_until_they_are_copied_or_cancelled(self):
        sr, moves = self.small(24), [str(uuid.uuid4()) for _ in range(2)]
        offers = [self.offer(move, str(uuid.uuid4()), sr) for move in moves]
        for offer in offers:
            offer["disks"][0].update(size=16 * MIB, leastBytes=12 * MIB, choice="qcow2")
        first, second = moves
        self.assertIn("value", self.ask(first, "offer", offers[0]))
        for verb in ("check", "offer"):
            code, _, text, _ = self.ask(second, verb, offers[1])["error"]
            self.assertEqual(code, "SR_BACKEND_FAILURE_44")
            self.assertIn("moves under way take", text)
        vdi, data = self.disk(self.repository("raw"), 16 * MIB), os.urandom(16 * MIB)
        self.assertEqual(self.http("PUT", "/import_raw_vdi", data, session_id=self.sid, vdi=vdi, format="raw")[0], 200)
        self.refused(["SR_BACKEND_FAILURE_44", "", ..., ""], self.x.VDI.pool_migrate, vdi, sr, {})
        # What it has not written when its copy is over were zeroes; if it is copied again it may write them.
        question = {"vdi": "OpaqueRef:far", "isCopying": False, "isOver": True}
        self.assertIn("value", self.ask(first, "turn", question))
        self.assertIn("value", self.ask(second, "check", offers[1]))
        self.assertIn("value", self.ask(first, "turn", question | {"isOver": False}))
        self.assertEqual(self.ask(second, "check", offers[1])["error"][0], "SR_BACKEND_FAILURE_44")
        self.assertEqual(self.ask(first, "cancel", {})["value"]["answer"], "refused")
        self.x.VDI.pool_migrate(vdi, sr, {})
        for move in moves:
            self.ask(move, "cancel", {})
            self.assertEqual(self.ask(move, "forget", {})["value"]["answer"], "forgotten")

    def test_disks_come_into_third_party_drivers(self):
        """The driver chooses uuid and place; the row is no disk before the machine is here, and nothing is left of one that is not."""
        cases = (
            ("example", "vhd", "run"), ("plain", "", "run"), ("folder", "qcow2", "run"), ("example", "vhd", "cancel"),
            ("folder", "qcow2", "cancel"),
        )
        for kind, format, word in cases:
            folder = pathlib.Path(self.folder("arrival-%s" % uuid.uuid4().hex[:8]))
            sr = self.x.SR.create(self.host, {"location": str(folder)}, "0", "made", "", kind, "user", False, {})
            self.addCleanup(self.drop_repository, sr)
            empty = set(folder.iterdir())
            move, machine = str(uuid.uuid4()), str(uuid.uuid4())
            offer = self.offer(move, machine, sr)
            decided = self.ask(move, "check", offer)["value"]["disks"][0]
            self.assertEqual(decided["format"], format)
            self.assertEqual(self.x.SR.get_VDIs(sr), [])
            made = self.ask(move, "offer", offer)["value"]["disks"][0]["uuid"]
            vdi = self.x.VDI.get_by_uuid(made)
            self.shows(self.x.VDI.get_record(vdi), SR=sr, managed=False)
            self.assertEqual(self.x.VDI.get_current_operations(vdi).popitem()[1], "blocked")
            # Who looks meanwhile changes nothing.
            self.x.SR.scan(sr)
            self.shows(self.x.VDI.get_record(vdi), SR=sr, managed=False)
            self.assertEqual(self.listed(move)["disks"], [made])
            if word == "cancel":
                self.assertEqual(self.ask(move, word, {})["value"]["answer"], "refused")
                self.assertEqual(self.x.SR.get_VDIs(sr), [])
                self.assertEqual(set(folder.iterdir()), empty)
            else:
                self.assertEqual(self.ask(move, "prepare", {}, session=False)["value"]["answer"], "prepared")
                self.assertEqual(self.ask(move, word, {}, session=False)["value"]["answer"], "ran")
                record = self.x.VDI.get_record(vdi)
                self.shows(record, managed=True, name_label="far disk", read_only=False, current_operations={})
                self.x.SR.scan(sr)
                self.assertEqual(self.x.VDI.get_by_uuid(made), vdi)
                vm = self.x.VM.get_by_uuid(machine)
                self.assertEqual(self.x.VBD.get_VDI(self.x.VM.get_VBDs(vm)[0]), vdi)
                self.x.VM.destroy(vm)
            self.assertEqual(self.ask(move, "forget", {})["value"]["answer"], "forgotten")

    def listed(self, move):
        return next((one for one in json.loads(self.x.VM.get_peer_moves()) if one["move"] == move), None)

    def test_disks_of_a_move_that_is_forgotten_stay(self):
        sr = self.repository("qcow2")
        move, machine = str(uuid.uuid4()), str(uuid.uuid4())
        vdi = self.x.VDI.get_by_uuid(self.ask(move, "offer", self.offer(move, machine, sr))["value"]["disks"][0]["uuid"])
        self.assertEqual(self.listed(move)["phase"], "receiving")
        self.refused(["OTHER_OPERATION_IN_PROGRESS", "VDI", vdi, "blocked", "OpaqueRef:" + move], self.x.VDI.destroy, vdi)
        self.x.VM.settle_peer_move(move, "forget")
        # Whoever fills it yet is told so, and ends.
        self.assertEqual(self.ask(move, "prepare", {}, session=False)["value"]["answer"], "refused")
        self.assertEqual(self.ask(move, "cancel", {}, session=False)["value"]["answer"], "refused")
        self.shows(self.x.VDI.get_record(vdi), managed=True, name_label="far disk", current_operations={})
        self.assertEqual(self.x.SR.get_current_operations(sr), {})
        self.refused(["UUID_INVALID", "VM", machine], self.x.VM.get_by_uuid, machine)
        self.x.VM.settle_peer_move(move, "forget")
        self.assertIsNone(self.listed(move))
        self.x.VDI.destroy(vdi)

    def test_an_administrator_decides_where_the_other_side_is_silent(self):
        sr = self.repository("qcow2")
        for decision, count in (("there", 0), ("here", 1)):
            move, machine = str(uuid.uuid4()), str(uuid.uuid4())
            offer = self.offer(move, machine, sr)
            self.assertEqual(self.ask(move, "offer", offer, session=False), 401)
            self.assertEqual(self.ask(move, "check", offer)["value"]["disks"][0]["format"], "qcow2")
            self.assertIsNone(self.listed(move))
            accepted = self.ask(move, "offer", offer)["value"]
            self.assertEqual(self.ask(move, "offer", offer)["value"], accepted)
            self.assertEqual(self.ask(move, "run", {}, session=False)["value"]["answer"], "unfinished")
            self.assertEqual(self.ask(move, "stand", {}, "x" * 40)["error"][0], "PERMISSION_DENIED")
            # What belongs to the machine follows it.
            message = {"uuid": str(uuid.uuid4()), "name": "FAR", "priority": 4, "time": 1_000_000_000, "body": "away"}
            for verb in ("messages", "numbers"):
                self.assertEqual(
                    self.ask(move, verb, {"messages": [message]}, session=False)["error"][0], "OPERATION_NOT_ALLOWED")
            self.refused(["OPERATION_NOT_ALLOWED", ...], self.x.VM.settle_peer_move, move, "here")
            self.assertEqual(self.ask(move, "prepare", {}, session=False)["value"]["answer"], "prepared")
            shown = self.listed(move)
            self.assertEqual([shown["direction"], shown["phase"], shown["vm"], shown["peer"]],
                             ["arrival", "prepared", machine, "far away"])
            vm = self.x.VM.get_by_uuid(machine)
            self.assertEqual(vm, accepted["machine"])
            self.refused(
                ["OTHER_OPERATION_IN_PROGRESS", "VM", vm, "migrate_send", ...], self.x.VM.start, vm, False, False
            )
            self.refused(["INVALID_VALUE", "decision", "x"], self.x.VM.settle_peer_move, move, "x")
            self.x.VM.settle_peer_move(move, decision)
            answer = {"there": "refused", "here": "ran"}[decision]
            self.assertEqual(self.ask(move, "run", {}, session=False)["value"]["answer"], answer)
            self.assertEqual(len(self.x.SR.get_VDIs(sr)), count)
            if decision == "here":
                for _ in range(2):
                    told = self.ask(move, "messages", {"messages": [message, dict(message, uuid="x")]}, session=False)
                    self.assertEqual(told["value"]["answer"], "ran")
                for verb in ("messages", "numbers"):
                    self.assertEqual(self.ask(move, verb, {"messages": 5}, session=False)["error"][0], "INTERNAL_ERROR")
                    self.assertEqual(self.ask(move, verb, {}, "x" * 40, False)["error"][0], "PERMISSION_DENIED")
                far = [each for each in self.x.message.get_all_records().values() if each["name"] == "FAR"]
                self.assertEqual(len(far), 1)
                self.shows(far[0], uuid=message["uuid"], cls="VM", obj_uuid=machine, priority="4", body="away")
                self.assertEqual(str(far[0]["timestamp"]), "20010909T01:46:40Z")
            self.x.VM.settle_peer_move(move, "forget")
            self.assertIsNone(self.listed(move))
            self.refused(["UUID_INVALID", "move", move], self.x.VM.settle_peer_move, move, "forget")
            if decision == "here":
                self.assertEqual(self.x.VM.get_name_label(vm), "far machine")
                self.assertIn("start", self.x.VM.get_allowed_operations(vm))
                self.x.VM.destroy(vm)
                for vdi in self.x.SR.get_VDIs(sr):
                    self.x.VDI.destroy(vdi)
            else:
                self.refused(["UUID_INVALID", "VM", machine], self.x.VM.get_by_uuid, machine)

    def test_what_another_pool_says_is_not_believed(self):
        sr = self.repository("qcow2")
        move = str(uuid.uuid4())
        offer = self.offer(move, str(uuid.uuid4()), sr)
        self.assertEqual(self.ask("../x", "offer", offer), 404)
        self.assertEqual(self.ask(move, "offer", offer, "short")["error"][0], "INVALID_VALUE")
        self.assertEqual(self.ask(move, "offer", {"id": move})["error"][0], "INTERNAL_ERROR")
        self.assertEqual(self.ask(move, "offer", dict(offer, id=str(uuid.uuid4())))["error"][0], "INVALID_VALUE")
        self.assertEqual(self.ask(move, "offer", dict(offer, uuid="x"))["error"][0], "INVALID_VALUE")
        self.assertEqual(self.ask(move, "offer", dict(offer, machine="no JSON"))["error"][0], "INTERNAL_ERROR")
        disk = dict(offer["disks"][0], row=json.dumps({"tags": 5}))
        self.assertEqual(self.ask(move, "offer", dict(offer, disks=[disk]))["error"][0], "INTERNAL_ERROR")
        disk = dict(offer["disks"][0], size=1 << 62)
        self.assertEqual(self.ask(move, "offer", dict(offer, disks=[disk]))["error"][0], "VDI_TOO_LARGE")
        disk = dict(offer["disks"][0], base="OpaqueRef:later")
        self.assertEqual(self.ask(move, "offer", dict(offer, disks=[disk]))["error"][0], "INVALID_VALUE")
        snapshot = {"uuid": "x", "reference": "OpaqueRef:s", "row": "{}", "time": 0, "drives": [], "interfaces": []}
        self.assertEqual(self.ask(move, "offer", dict(offer, snapshots=[snapshot]))["error"][0], "INVALID_VALUE")
        disk = dict(offer["disks"][0], sr=NOWHERE)
        self.assertEqual(self.ask(move, "offer", dict(offer, disks=[disk]))["error"], ["HANDLE_INVALID", "SR", NOWHERE])
        self.assertIsNone(self.listed(move))
        self.assertEqual(self.x.SR.get_VDIs(sr), [])
        # One that was cancelled before it came is never taken.
        self.assertEqual(self.ask(move, "cancel", {})["value"]["answer"], "refused")
        self.assertEqual(self.ask(move, "offer", offer)["error"][0], "OPERATION_NOT_ALLOWED")
        self.assertEqual(self.ask(move, "forget", {})["value"]["answer"], "forgotten")

    def passport(self, offer, **changes):
        """What a QEMU says of the guest of an offered machine."""
        drive = offer["drives"][0]["uuid"]
        disk = {"id": drive, "nbdSocket": "/nowhere", "exportName": "disk", "readOnly": False, "position": 0, "bootable": True,
                "serial": "x"}
        specification = {"uuid": offer["uuid"], "name": "far machine", "memoryBytes": 128 * MIB, "vcpus": 1,
                         "boot": {"disk": {}}, "disks": [disk]}
        hardware = {"machine": "pc-q35-7.2", "processor": "Nehalem", "isAccelerated": False, "hasScreen": False}
        hardware.update(changes.pop("hardware", {}))
        specification.update(changes)
        ports = {one["id"]: place for place, one in enumerate(specification["disks"])}
        return json.dumps({"specification": specification, "ports": ports, "hardware": hardware, "isPaused": False})

    def test_what_another_pool_says_of_a_guest_is_checked(self):
        sr = self.repository("qcow2")
        move = str(uuid.uuid4())
        offer = self.offer(move, str(uuid.uuid4()), sr)

        def told(passport):
            return self.ask(move, "check", dict(offer, passport=passport))["error"][0]

        self.assertEqual(told("no JSON"), "INTERNAL_ERROR")
        self.assertEqual(told(self.passport(offer, uuid=str(uuid.uuid4()))), "OPERATION_NOT_ALLOWED")
        disk = json.loads(self.passport(offer))["specification"]["disks"][0]
        self.assertEqual(told(self.passport(offer, disks=[disk, dict(disk, id="other", position=1)])), "OPERATION_NOT_ALLOWED")
        self.assertEqual(told(self.passport(offer, hardware={"machine": "pc-q35-99.0"})), "VM_INCOMPATIBLE_WITH_THIS_HOST")
        self.assertEqual(told(self.passport(offer, hardware={"machine": "x,y"})), "VM_INCOMPATIBLE_WITH_THIS_HOST")
        # More than its machine has.
        self.assertEqual(told(self.passport(offer, memoryBytes=1 << 40)), "OPERATION_NOT_ALLOWED")
        row = dict(json.loads(offer["machine"]), memory_static_max=1 << 40, memory_dynamic_max=1 << 40)
        large = dict(offer, machine=json.dumps(row), passport=self.passport(offer, memoryBytes=1 << 40))
        self.assertEqual(self.ask(move, "check", large)["error"][0], "HOST_NOT_ENOUGH_FREE_MEMORY")
        # A halted machine has no guest.
        accepted = self.ask(move, "offer", offer)["value"]
        self.assertIn("running", accepted["takes"])
        expected = {"passport": self.passport(offer)}
        self.assertEqual(self.ask(move, "expect", expected)["error"][0], "OPERATION_NOT_ALLOWED")
        self.assertEqual(self.ask(move, "cancel", {})["value"]["answer"], "refused")
        self.assertEqual(self.ask(move, "forget", {})["value"]["answer"], "forgotten")

        # One that runs: its QEMU waits, gets other disks than were offered from nobody, and ends when the move is given up.
        move = str(uuid.uuid4())
        offer = self.offer(move, str(uuid.uuid4()), sr)
        passport = self.passport(offer)
        self.ask(move, "offer", dict(offer, passport=passport))
        self.assertEqual(self.ask(move, "expect", {"passport": passport}, "x" * 40)["error"][0], "PERMISSION_DENIED")
        self.assertEqual(self.ask(move, "expect", {})["error"][0], "INTERNAL_ERROR")
        other = self.passport(offer, disks=[dict(disk, id="other")])
        self.assertEqual(self.ask(move, "expect", {"passport": other})["error"][0], "OPERATION_NOT_ALLOWED")
        self.assertEqual(self.ask(move, "prepare", {}, session=False)["error"][0], "VM_MIGRATE_FAILED")
        for _ in range(2):
            self.assertEqual(self.ask(move, "expect", {"passport": passport}, session=False)["value"]["answer"], "unfinished")
        self.assertEqual(self.ask(move, "run", {}, session=False)["value"]["answer"], "unfinished")
        self.assertEqual(self.listed(move)["phase"], "receiving")
        self.assertEqual(self.ask(move, "cancel", {}, session=False)["value"]["answer"], "refused")
        self.assertEqual(self.ask(move, "expect", {"passport": passport})["error"][0], "OPERATION_NOT_ALLOWED")
        self.assertEqual(self.ask(move, "forget", {})["value"]["answer"], "forgotten")
        self.assertEqual(self.x.SR.get_VDIs(sr), [])
