"""Third-party SMAPIv1 drivers: the example in `drivers`, through the life of its disks, and one that fails in all ways.

GANTRY_TEST_ALL_DRIVERS=1: with all kinds of drivers (suite/life.py)."""

import pathlib
import subprocess
import time
import uuid
import xmlrpc.client

from suite.case import MIB, Case, World
from suite.daemon import guest_files
from suite.life import Client, broken_by_xe, kinds, life_by_xe, listed_by_xe

#: The last argument but one of VDI.db_introduce.
NOWHERE = "OpaqueRef:NULL"
#: Calls of drivers that never answer, by kind: tasks. They take as long as a call may, beside the other tests.
HANGING = {}


def setUpModule():
    x = World.session.xenapi
    for kind in ("broken", "brokenv3"):
        HANGING[kind] = x.Async.SR.create(
            x.host.get_all()[0], {"how": "hang"}, "0", "hanging", "", kind, "user", False, {})


class DriverCase(Case):
    def make(self, kind, config, label="made"):
        return self.x.SR.create(self.host, config, "0", label, "", kind, "user", False, {})

    def repository(self, kind="example"):
        path = self.folder("driver-%s" % uuid.uuid4().hex[:8])
        sr = self.make(kind, {"location": str(path)})
        self.addCleanup(self.drop_repository, sr)
        return sr, pathlib.Path(path)

    def content(self, vdi):
        status, _, body = self.http("GET", "/export_raw_vdi", session_id=self.sid, vdi=vdi, format="raw")
        self.assertEqual(status, 200)
        return body

    def fill(self, vdi, body):
        status, _, _ = self.http("PUT", "/import_raw_vdi", body, session_id=self.sid, vdi=vdi, format="raw")
        self.assertEqual(status, 200)

    def stored(self, image, shared=False):
        raw = image.with_name("raw")
        words = ["-U"] * shared + ["-f", image.suffix[1:], "-O", "raw", image, raw]
        subprocess.run(["qemu-img", "convert", *words], check=True)
        body = raw.read_bytes()
        raw.unlink()
        return body


class ExampleDriverTests(DriverCase):

    def new_disk(self, sr, size=8 * MIB, **config):
        record = {
            "name_label": "disk", "name_description": "text", "SR": sr, "virtual_size": str(size), "type": "user",
            "sharable": False, "read_only": False, "other_config": {"k": "v"}, "sm_config": config,
        }
        return self.x.VDI.create(record)

    def test_the_driver_has_a_row(self):
        (record,) = self.x.SM.get_all_records_where('field "type" = "example"').values()
        self.shows(
            record, name_label="Example", vendor="Gantry", version="1.0",
            supported_image_formats=["qcow2", "vhd", "raw"],
        )
        self.assertTrue(record["driver_filename"].endswith("/EXAMPLESR"))
        self.assertEqual(record["features"]["VDI_RESIZE"], "1")
        listed_by_xe(self, record)

    def test_a_disk_lives(self):
        sr, path = self.repository()
        self.assertGreater(int(self.x.SR.get_physical_size(sr)), 0)
        for kind in ("qcow2", "vhd", "raw"):
            vdi = self.new_disk(sr, **{"image-format": kind})
            record = self.x.VDI.get_record(vdi)
            self.shows(
                record, name_label="disk", name_description="text", other_config={"k": "v"}, managed=True,
                sm_config={"image-format": kind}, location="%s.%s" % (record["uuid"], kind),
            )
            self.assertGreaterEqual(int(record["virtual_size"]), 8 * MIB)
            self.assertTrue((path / record["location"]).exists())
            if kind == "qcow2":
                self.x.VDI.resize(vdi, str(16 * MIB))
                self.assertEqual(self.x.VDI.get_virtual_size(vdi), str(16 * MIB))
                # The driver is asked to look at the row.
                self.x.VDI.set_name_label(vdi, "renamed")
                self.x.VDI.update(vdi)
                text = self.x.VDI.generate_config(self.host, vdi)
                (call,), method = xmlrpc.client.loads(text)
                self.assertEqual((method, call["vdi_uuid"]), ("vdi_attach_from_config", record["uuid"]))
            self.x.VDI.destroy(vdi)
            self.assertFalse((path / record["location"]).exists())
            self.assertEqual(self.x.SR.get_VDIs(sr), [])

    def test_a_scan_follows_the_files(self):
        sr, path = self.repository()
        name = "%s.raw" % uuid.uuid4()
        (path / name).write_bytes(bytes(MIB))
        self.x.SR.scan(sr)
        (vdi,) = self.x.SR.get_VDIs(sr)
        self.shows(self.x.VDI.get_record(vdi), location=name, virtual_size=str(MIB))
        (path / name).unlink()
        self.x.SR.scan(sr)
        self.assertEqual(self.x.SR.get_VDIs(sr), [])

    def test_the_drivers_refusals_are_the_callers_errors(self):
        self.refused(
            ["SR_BACKEND_FAILURE_94", "", "The request is missing the location parameter", ""],
            self.make, "example", {},
        )
        self.refused(["SR_BACKEND_FAILURE_47", "", ..., ""], self.make, "example", {"location": "/nonexistent"})
        sr, path = self.repository()
        vdi = self.new_disk(sr)
        (path / self.x.VDI.get_location(vdi)).unlink()
        self.refused(["VDI_MISSING", sr, vdi], self.x.VDI.update, vdi)
        self.x.SR.scan(sr)

    def test_only_a_driver_of_the_repository_writes_rows(self):
        sr, path = self.repository()
        vdi = self.new_disk(sr)
        for call, *arguments in (
            (self.x.VDI.db_forget,), (self.x.VDI.set_virtual_size, "1"), (self.x.VDI.set_managed, False),
            (self.x.VDI.set_physical_utilisation, "1"), (self.x.VDI.set_missing, True),
        ):
            self.refused(["PERMISSION_DENIED", ...], call, vdi, *arguments)
        self.refused(["PERMISSION_DENIED", ...], self.x.SR.set_virtual_allocation, sr, "1")
        session = self.log_in()
        session.xenapi.session.add_to_other_config(session._session, "_sm_session", sr)
        x = session.xenapi
        x.VDI.set_managed(vdi, True)
        x.VDI.set_missing(vdi, False)
        x.VDI.set_is_a_snapshot(vdi, False)
        x.VDI.set_snapshot_of(vdi, NOWHERE)
        x.VDI.set_snapshot_time(vdi, xmlrpc.client.DateTime("20260102T03:04:05Z"))
        self.assertEqual(str(self.x.VDI.get_snapshot_time(vdi)), "20260102T03:04:05Z")
        x.VDI.set_metadata_of_pool(vdi, NOWHERE)
        x.VDI.set_cbt_enabled(vdi, False)
        self.x.VDI.destroy(vdi)
        # A row of a driver's own making, and without it again.
        made = str(uuid.uuid4())
        row = [
            made, "made", "by hand", sr, "user", False, True, {"k": "v"}, "nowhere", {}, {"mine": "1"}, True, "4096",
            "512", NOWHERE, False, xmlrpc.client.DateTime("19700101T00:00:00Z"), NOWHERE, False,
        ]
        self.refused(["PERMISSION_DENIED", ...], self.x.VDI.db_introduce, *row)
        vdi = x.VDI.db_introduce(*row)
        self.shows(
            self.x.VDI.get_record(vdi), uuid=made, name_label="made", location="nowhere", read_only=True,
            virtual_size="4096", physical_utilisation="512", sm_config={"mine": "1"}, other_config={"k": "v"}, SR=sr,
        )
        self.refused(["LOCATION_NOT_UNIQUE", sr, "nowhere"], x.VDI.db_introduce, str(uuid.uuid4()), *row[1:])
        self.assertEqual(x.VDI.db_forget(vdi), "")
        self.assertNotIn(vdi, self.x.VDI.get_all())

    def test_a_probe_finds_the_repository(self):
        sr, path = self.repository()
        config = {"location": str(path)}
        self.assertEqual(
            self.x.SR.probe(self.host, config, "example", {}),
            "<SRlist><SR><UUID>%s</UUID></SR></SRlist>" % self.x.SR.get_uuid(sr),
        )
        bare = {"location": self.folder("bare")}
        self.assertEqual(self.x.SR.probe(self.host, bare, "example", {}), "<SRlist></SRlist>")
        self.refused(
            ["SR_BACKEND_FAILURE_47", "", ..., ""], self.x.SR.probe, self.host, {"location": "/none"}, "example", {}
        )
        self.refused(["SR_OPERATION_NOT_SUPPORTED", ...], self.x.SR.probe_ext, self.host, config, "example", {})

    def test_a_disk_that_is_there_is_introduced(self):
        sr, path = self.repository()
        name = str(uuid.uuid4())
        (path / (name + ".raw")).write_bytes(bytes(MIB))

        def introduce(uuid_, location):
            return self.x.VDI.introduce(
                uuid_, "found", "again", sr, "user", False, True, {"k": "v"}, location, {}, {}, True, "0", "0",
                NOWHERE, False, xmlrpc.client.DateTime("19700101T00:00:00Z"), NOWHERE,
            )

        self.refused(["SR_BACKEND_FAILURE_1", "", ..., ""], introduce, str(uuid.uuid4()), name + ".raw")
        vdi = introduce(name, name + ".raw")
        self.shows(
            self.x.VDI.get_record(vdi), uuid=name, name_label="found", name_description="again", read_only=True,
            other_config={"k": "v"}, virtual_size=str(MIB), managed=True,
        )
        self.x.VDI.forget(vdi)
        self.assertTrue((path / (name + ".raw")).exists())
        self.x.SR.scan(sr)
        self.assertEqual(len(self.x.SR.get_VDIs(sr)), 1)

    def test_a_guest_uses_a_disk_of_the_driver(self):
        sr, path = self.repository()
        vdi = self.new_disk(sr)
        kernel, initrd = guest_files()
        vm = self.machine(
            name_label="guest",
            PV_kernel=kernel,
            PV_ramdisk=initrd,
            PV_args="console=ttyS0 quiet gantry.work=idle gantry.disk=none",
        )
        vbd = self.drive(vm, vdi, bootable=True)
        # It need not run to have its disks.
        self.x.VM.start(vm, True, False)
        self.assertIs(self.x.VBD.get_currently_attached(vbd), True)
        server = path / ("." + self.x.VDI.get_uuid(vdi)[:8])
        self.assertTrue(server.is_socket())
        self.refused(["VDI_IN_USE", vdi, "destroy"], self.x.VDI.destroy, vdi)
        snapshot = self.x.VDI.snapshot(vdi, {})
        self.shows(
            self.x.VDI.get_record(snapshot), is_a_snapshot=True, snapshot_of=vdi, name_label="disk", read_only=True,
            other_config={"k": "v"}, SR=sr, managed=True,
        )
        self.assertTrue(server.is_socket())
        self.x.VDI.resize(vdi, str(12 * MIB))
        self.assertEqual(self.x.VDI.get_virtual_size(vdi), str(12 * MIB))
        self.x.VM.hard_shutdown(vm)
        # The disk is released when the guest's end is noticed; starting again waits for that.
        self.x.VDI.set_on_boot(vdi, "reset")
        self.x.VM.start(vm, True, False)
        image = path / self.x.VDI.get_location(vdi)
        lasting = self.stored(image)
        client = Client("nbd+unix:///%s?socket=%s" % (self.x.VDI.get_uuid(vdi), server))
        client.write("7")
        client.end()
        self.assertEqual(lasting, self.stored(image))
        self.assertTrue(image.with_name(image.name + ".boot").exists())
        self.x.VM.unpause(vm)
        self.x.VBD.unplug_force(vbd)
        self.shows(self.x.VBD.get_record(vbd), currently_attached=False, VDI=vdi)
        self.assertFalse(server.exists())
        self.assertFalse(image.with_name(image.name + ".boot").exists())
        self.refused(["DEVICE_ALREADY_DETACHED", vbd], self.x.VBD.unplug_force, vbd)
        self.assertEqual(self.x.VM.get_power_state(vm), "Running")
        self.x.VM.hard_shutdown(vm)
        deadline = time.monotonic() + 60
        while server.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        self.assertFalse(server.exists())

    def test_a_driver_pauses_a_disk_that_is_in_use(self):
        sr, path = self.repository()
        vdi = self.new_disk(sr)
        uuid = self.x.VDI.get_uuid(vdi)
        vbd = self.drive(self.x.VM.get_all_records_where('field "is_control_domain" = "true"').popitem()[0], vdi)
        self.x.VBD.plug(vbd)
        self.addCleanup(self.x.VBD.destroy, vbd)
        self.addCleanup(self.x.VBD.unplug, vbd)
        client = Client(self.x.VBD.get_runtime_properties(vbd)["nbd-uri"])
        self.addCleanup(client.end)
        client.write("1")
        other = self.log_in()
        driver = self.log_in()
        driver.xenapi.session.add_to_other_config(driver._session, "_sm_session", sr)

        def call(session, function, **arguments):
            return session.xenapi.host.call_plugin(self.host, "tapdisk-pause", function, {"vdi_uuid": uuid} | arguments)

        image = path / self.x.VDI.get_location(vdi)
        # A driver changes what is below the disk, and lets it go on with that.
        self.assertEqual(call(driver, "pause"), "True")
        self.assertEqual(call(driver, "pause"), "True")
        self.refused(["XENAPI_PLUGIN_FAILURE", "unpause", "PauseError", ...], call, other, "unpause")
        self.refused(["XENAPI_PLUGIN_FAILURE", "pause", "PauseError", ...], call, other, "pause")
        self.refused(["VDI_IN_USE", vdi, ...], self.x.VDI.snapshot, vdi)
        self.refused(["VDI_IN_USE", vdi, ...], self.x.VDI.copy, vdi, sr)
        client.begin("2")
        self.assertEqual(self.stored(image, shared=True)[:4096], b"1" * 4096)
        self.assertFalse(client.answers())
        self.assertEqual(call(driver, "unpause"), "True")
        client.finish()
        self.assertEqual(call(driver, "unpause"), "True")
        self.assertEqual(call(driver, "refresh"), "True")
        client.write("3")
        # A driver that ends, or dies, without letting it go on.
        call(driver, "pause")
        client.begin("4")
        driver.xenapi.session.logout()
        client.finish()
        self.assertEqual(client.read(), "4")
        # The SR of another driver, and one that no driver has.
        driver = self.log_in()
        elsewhere, _ = self.repository()
        driver.xenapi.session.add_to_other_config(driver._session, "_sm_session", elsewhere)
        self.refused(["XENAPI_PLUGIN_FAILURE", "pause", "PauseError", ...], call, driver, "pause")
        ours = self.x.VDI.get_uuid(self.disk(Case.repository(self)))
        self.refused(["XENAPI_PLUGIN_FAILURE", "pause", "PauseError", ...], call, other, "pause", vdi_uuid=ours)
        self.refused(["XENAPI_PLUGIN_FAILURE", "stop", "UnknownFunction", ...], call, other, "stop")

    def test_disks_of_drivers_grow_while_they_are_in_use(self):
        place = self.x.VM.get_all_records_where('field "is_control_domain" = "true"').popitem()[0]
        for kind in kinds("example", "folder", "plain", always=2):
            with self.subTest(kind):
                sr, path = self.repository(kind)
                vdi = self.disk(sr, 2 * MIB)
                vbd = self.drive(place, vdi)
                self.x.VBD.plug(vbd)
                client = Client(self.x.VBD.get_runtime_properties(vbd)["nbd-uri"])
                client.write("1")
                client.end()
                self.refused(["SR_BACKEND_FAILURE_79", "", ..., ""], self.x.VDI.resize, vdi, str(MIB))
                self.x.VDI.resize(vdi, str(4 * MIB))
                self.assertEqual(self.x.VDI.get_virtual_size(vdi), str(4 * MIB))
                client = Client(self.x.VBD.get_runtime_properties(vbd)["nbd-uri"])
                self.assertEqual(client.read(), "1")
                client.write("2", 3 * MIB)
                client.end()
                self.x.VBD.unplug_force(vbd)
                self.x.VBD.destroy(vbd)
                self.assertEqual(self.content(vdi)[3 * MIB:][:4096], b"2" * 4096)

    def test_what_a_driver_does_not_offer_is_refused(self):
        sr, _ = self.repository("plain")
        vdi = self.disk(sr)
        self.refused(["SR_OPERATION_NOT_SUPPORTED", sr], self.x.VDI.set_on_boot, vdi, "reset")
        self.refused(["SR_OPERATION_NOT_SUPPORTED", sr], self.x.VDI.enable_cbt, vdi)

    def test_plugins(self):
        self.refused(["XENAPI_MISSING_PLUGIN", "none"], self.x.host.call_plugin, self.host, "none", "f", {})
        answer = self.x.host.call_plugin(self.host, "tapdisk-pause", "pause", {"vdi_uuid": str(uuid.uuid4())})
        self.assertEqual(answer, "True")


class LifeTests(DriverCase):
    """Both kinds of drivers: one that declares image formats, and one that knows nothing of them."""

    def test_content_survives_snapshots_clones_copies_and_moves(self):
        ours = Case.repository(self)
        for kind in kinds("example", "plain", always=1):
            with self.subTest(kind):
                sr, path = self.repository(kind)
                vdi = self.disk(sr, 2 * MIB)
                declared = self.x.VDI.get_sm_config(vdi).get("image-format")
                self.assertEqual(declared, "qcow2" if kind == "example" else None)
                first = b"first" * 1000 + bytes(2 * MIB - 5000)
                self.fill(vdi, first)
                snapshot = self.x.VDI.snapshot(vdi, {})
                self.shows(self.x.VDI.get_record(snapshot), snapshot_of=vdi, is_a_snapshot=True, read_only=True)
                second = b"second" * 1000 + bytes(2 * MIB - 6000)
                self.fill(vdi, second)
                expected = {snapshot: first}
                if kind == "example":
                    clone = self.x.VDI.clone(vdi, {})
                    self.shows(self.x.VDI.get_record(clone), snapshot_of=NOWHERE, is_a_snapshot=False, read_only=False)
                    copy = self.x.VDI.copy(snapshot, sr, NOWHERE, NOWHERE)
                    self.shows(self.x.VDI.get_record(copy), name_label="disk", managed=True, is_a_snapshot=False)
                    expected.update({clone: second, copy: first})
                for disk, body in expected.items():
                    self.assertEqual(self.stored(path / self.x.VDI.get_location(disk)), body)
                self.x.VDI.resize(vdi, str(4 * MIB))
                self.assertEqual(self.x.VDI.get_virtual_size(vdi), str(4 * MIB))
                moved = self.x.VDI.pool_migrate(vdi, ours, {})
                self.shows(
                    self.x.VDI.get_record(moved), SR=ours, name_label="disk", managed=True, current_operations={}
                )
                self.assertEqual(self.content(moved), second + bytes(2 * MIB))
                self.assertNotIn(vdi, self.x.VDI.get_all())
                # Its snapshots go with it.
                (with_it,) = self.x.VDI.get_snapshots(moved)
                self.shows(self.x.VDI.get_record(with_it), SR=ours, is_a_snapshot=True)
                self.assertEqual(self.content(with_it), first)
                self.assertEqual(len(list(path.glob("*-*"))), len(expected) - 1)
                self.assertEqual([p.name for p in path.glob(".*.pid")], [])

    def test_the_life_of_a_disk_by_xe(self):
        for kind in kinds("example", "plain", always=1):
            with self.subTest(kind):
                path = pathlib.Path(self.folder("xe-%s" % kind))
                suffix = ".qcow2" if kind == "example" else ".raw"
                life_by_xe(
                    self, kind, "location", path,
                    lambda: {p.name.removesuffix(suffix) for p in path.glob("*-*" + suffix)})
                self.assertEqual(list(path.iterdir()), [])


class BrokenDriverTests(DriverCase):
    def test_every_way_to_fail_is_an_error(self):
        # Calls that never answer have theirs meanwhile.
        def made():
            return {ref for ref, record in self.x.SR.get_all_records().items() if record["name_label"] != "hanging"}

        before = made()
        for how, reason in (
            ("crash", "received signal: SIGSEGV"), ("flood", ...), ("xml", ...), ("type", ""),
            ("exit", "non-zero exit"),
        ):
            with self.subTest(how):
                details = self.refused(["SR_BACKEND_FAILURE", reason, ..., ...], self.make, "broken", {"how": how})
                if how == "exit":
                    self.assertEqual(details[2:], ["some output\n", "some complaint\n"])
        # A driver is told of the task that its call is part of.
        details = self.refused(["SR_BACKEND_FAILURE", "non-zero exit", "", ...], self.make, "broken", {"how": "tell"})
        self.assertRegex(details[3], r"<name>subtask_of</name>\s*<value>(<string>)?OpaqueRef:[0-9a-f-]{36}<")
        for how, told in (("xml", "stdout: <methodResponse>"), ("exit", "some complaint")):
            broken_by_xe(self, "broken", how, told)
        self.assertLessEqual(made(), before)

    def test_unknown_formats_are_left_out_and_told(self):
        (record,) = self.x.SM.get_all_records_where('field "type" = "broken"').values()
        self.assertEqual(record["supported_image_formats"], ["raw"])
        told = [m["body"] for m in self.x.message.get_all_records().values() if "'broken'" in m["body"]]
        self.assertEqual(len(told), 1)
        self.assertTrue(told[0].endswith(": vdi"), told)


class SlowDriverTests(DriverCase):
    def test_a_call_without_an_answer_is_ended(self):
        error = self.finished(HANGING["broken"])["error_info"]
        self.assertEqual(error[:2], ["SR_BACKEND_FAILURE", "no answer within 20 s"])
        error = self.finished(HANGING["brokenv3"])["error_info"]
        self.assertEqual([error[0], *error[2:4]], ["SCRIPT_FAILED", "timeout", "no answer within 20 s"])
        self.assertEqual(self.x.SR.get_by_name_label("hanging"), [])
