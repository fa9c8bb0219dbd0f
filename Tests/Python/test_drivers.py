"""Third-party SMAPIv1 drivers: the example in `drivers`, through the life of its disks, and one that fails in all ways."""

import pathlib
import time
import uuid

from suite.case import MIB, Case
from suite.daemon import guest_files

#: The last argument but one of VDI.db_introduce.
NOWHERE = "OpaqueRef:NULL"


class DriverCase(Case):
    def make(self, kind, config, label="made"):
        return self.x.SR.create(self.host, config, "0", label, "", kind, "user", False, {})


class ExampleDriverTests(DriverCase):
    def repository(self):
        path = self.folder("driver")
        sr = self.make("example", {"location": str(path)})
        self.addCleanup(self.drop_repository, sr)
        return sr, pathlib.Path(path)

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
            if kind != "vhd":
                self.x.VDI.resize(vdi, str(16 * MIB))
                self.assertEqual(self.x.VDI.get_virtual_size(vdi), str(16 * MIB))
            self.x.VDI.update(vdi)
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
        x.VDI.set_snapshot_time(vdi, self.x.VDI.get_snapshot_time(vdi))
        x.VDI.set_metadata_of_pool(vdi, NOWHERE)
        x.VDI.set_cbt_enabled(vdi, False)
        self.x.VDI.destroy(vdi)

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
        self.x.VM.start(vm, False, False)
        self.assertIs(self.x.VBD.get_currently_attached(vbd), True)
        server = path / ("." + self.x.VDI.get_uuid(vdi)[:8])
        self.assertTrue(server.is_socket())
        self.refused(["VDI_IN_USE", vdi, "destroy"], self.x.VDI.destroy, vdi)
        self.refused(
            ["XENAPI_PLUGIN_FAILURE", "pause", "", ...],
            self.x.host.call_plugin, self.host, "tapdisk-pause", "pause", {"vdi_uuid": self.x.VDI.get_uuid(vdi)},
        )
        self.x.VM.hard_shutdown(vm)
        # The disk is released when the guest's end is noticed; starting again waits for that.
        self.x.VM.start(vm, False, False)
        self.x.VM.hard_shutdown(vm)
        deadline = time.monotonic() + 60
        while server.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        self.assertFalse(server.exists())

    def test_plugins(self):
        self.refused(["XENAPI_MISSING_PLUGIN", "none"], self.x.host.call_plugin, self.host, "none", "f", {})
        answer = self.x.host.call_plugin(self.host, "tapdisk-pause", "pause", {"vdi_uuid": str(uuid.uuid4())})
        self.assertEqual(answer, "True")


class BrokenDriverTests(DriverCase):
    def test_every_way_to_fail_is_an_error(self):
        for how, reason in (
            ("crash", "received signal: SIGSEGV"), ("flood", ...), ("xml", ...), ("type", ""),
            ("exit", "non-zero exit"), ("hang", "no answer within 10 s"),
        ):
            with self.subTest(how):
                before = self.x.SR.get_all()
                details = self.refused(["SR_BACKEND_FAILURE", reason, ..., ...], self.make, "broken", {"how": how})
                if how == "exit":
                    self.assertEqual(details[2:], ["some output\n", "some complaint\n"])
                self.assertEqual(self.x.SR.get_all(), before)
