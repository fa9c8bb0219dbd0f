"""Third-party SMAPIv3 plugins: those in `plugins`, through the life of their disks, and one that fails in all ways."""

import json
import pathlib
import shutil

from suite.case import MIB, Case
from suite.daemon import guest_files
from suite.life import Client, broken_by_xe, kinds, life_by_xe, listed_by_xe


class PluginCase(Case):
    def make(self, kind, config, label="made"):
        return self.x.SR.create(self.host, config, "0", label, "told", kind, "user", False, {})

    def repository_of(self, kind, key="location"):
        path = self.folder("plugin-" + self.id().rsplit(".", 1)[1])
        sr = self.make(kind, {key: path})
        self.addCleanup(self.drop_repository, sr)
        return sr, pathlib.Path(path)

    def about(self, path, vdi):
        """What the plugin keeps of the volume."""
        return json.loads((path / (self.x.VDI.get_location(vdi) + ".json")).read_text())


class WatchTests(PluginCase):
    def test_plugins_come_change_and_go(self):
        watch = self.watch("sm")
        place = self.daemon.plugins / "volume" / "comes"
        (place.parent / ".comes").mkdir()
        for name in ("Plugin.Query", "SR.create"):
            shutil.copy(self.daemon.plugins / "volume" / "folder" / "plugin.py", place.parent / ".comes" / name)
        (place.parent / ".comes").rename(place)

        def row():
            return self.x.SM.get_all_records_where('field "type" = "comes"')

        while not row():
            watch.next()
        ((ref, record),) = row().items()
        self.shows(record, name_label="Folder", driver_filename=str(place), supported_image_formats=["qcow2", "raw"])
        self.assertNotIn("SR_SCAN", record["features"])
        script = place / "Plugin.Query"
        text = script.read_text().replace('"name": "Folder"', '"name": "Changed"')
        text = text.replace('["qcow2", "raw"]', '["raw"]')
        shutil.copy(script, place / "SR.ls")
        script.with_name("new").write_text(text)
        script.with_name("new").chmod(0o755)
        script.with_name("new").rename(script)
        while row()[ref]["name_label"] != "Changed":
            watch.next()
        while "SR_SCAN" not in row()[ref]["features"]:
            watch.next()
        self.assertEqual(row()[ref]["supported_image_formats"], ["raw"])
        shutil.rmtree(place)
        while row():
            watch.next()


class FolderPluginTests(PluginCase):
    def test_the_plugin_has_a_row(self):
        (record,) = self.x.SM.get_all_records_where('field "type" = "folder"').values()
        self.shows(
            record, name_label="Folder", vendor="Gantry", version="1.0", required_api_version="5.0",
            supported_image_formats=["qcow2", "raw"], configuration={"location": "absolute path of the folder"},
        )
        self.assertTrue(record["driver_filename"].endswith("/volume/folder"))
        listed_by_xe(self, record)
        self.assertLessEqual(
            {
                "SR_PROBE", "SR_SCAN", "VDI_CREATE", "VDI_DELETE", "VDI_SNAPSHOT", "VDI_CLONE", "VDI_RESIZE",
                "VDI_MIRROR",
            },
            set(record["features"]),
        )

    def test_a_disk_lives(self):
        sr, path = self.repository_of("folder")
        self.assertEqual(json.loads((path / "sr.json").read_text())["name"], "made")
        self.x.SR.set_name_label(sr, "called")
        self.x.SR.set_name_description(sr, "otherwise")

        # The plugin is told when the API has answered.
        def names():
            about = json.loads((path / "sr.json").read_text())
            return about["name"], about["description"]

        self.until(lambda: names() == ("called", "otherwise"))
        self.assertGreater(int(self.x.SR.get_physical_size(sr)), 0)
        for kind in ("qcow2",):
            vdi = self.disk(sr, 8 * MIB, sm_config={"image-format": kind}, other_config={"k": "v"})
            record = self.x.VDI.get_record(vdi)
            self.shows(
                record, name_label="disk", other_config={"k": "v"}, managed=True, virtual_size=str(8 * MIB),
                sm_config={"image-format": kind},
            )
            self.assertTrue((path / ("%s.%s" % (record["location"], kind))).exists())
            self.assertEqual(self.about(path, vdi)["keys"], {"vdi-type": "user", "_sm_config_image-format": kind})
            self.x.VDI.set_name_label(vdi, "renamed")
            self.assertEqual(self.about(path, vdi)["name"], "renamed")
            self.x.VDI.add_to_sm_config(vdi, "k", "v")
            self.assertEqual(self.about(path, vdi)["keys"]["_sm_config_k"], "v")
            self.x.VDI.remove_from_sm_config(vdi, "k")
            self.assertNotIn("_sm_config_k", self.about(path, vdi)["keys"])
            self.x.VDI.resize(vdi, str(16 * MIB))
            self.assertEqual(self.x.VDI.get_virtual_size(vdi), str(16 * MIB))
            self.refused(["SR_BACKEND_FAILURE_79", "", ..., ""], self.x.VDI.resize, vdi, str(4 * MIB))
            snapshot, clone = self.x.VDI.snapshot(vdi), self.x.VDI.clone(vdi)
            self.shows(
                self.x.VDI.get_record(snapshot), is_a_snapshot=True, snapshot_of=vdi, read_only=True,
                name_label="renamed", managed=True,
            )
            self.assertEqual(self.about(path, snapshot)["keys"]["snapshot_of"], self.x.VDI.get_uuid(vdi))
            self.x.VDI.revert(snapshot)
            self.x.VDI.update(clone)
            for disk in (clone, snapshot, vdi):
                self.x.VDI.destroy(disk)
            self.assertEqual(sorted(p.name for p in path.iterdir()), ["sr.json"])
            self.assertEqual(self.x.SR.get_VDIs(sr), [])

    def test_the_life_of_a_disk_by_xe(self):
        for kind, key in kinds(("folder", "location"), ("bare", "uri"), always=1):
            with self.subTest(kind):
                path = pathlib.Path(self.folder("xe-" + kind))
                life_by_xe(
                    self, kind, key, path, lambda: {p.stem for p in path.glob("*-*.json")}, probes=kind == "folder")
                self.assertEqual(list(path.iterdir()), [])

    def test_rows_come_back_from_what_the_plugin_keeps(self):
        sr, path = self.repository_of("folder")
        vdi = self.disk(sr, 8 * MIB, name_label="kept", sm_config={"image-format": "raw"})
        snapshot = self.x.VDI.snapshot(vdi)
        uuids = [self.x.VDI.get_uuid(d) for d in (vdi, snapshot)]
        self.x.VDI.forget(snapshot)
        self.x.VDI.forget(vdi)
        self.x.SR.scan(sr)
        vdi, snapshot = (self.x.VDI.get_by_uuid(uuid) for uuid in uuids)
        self.shows(
            self.x.VDI.get_record(vdi), name_label="kept", is_a_snapshot=False, sm_config={"image-format": "raw"})
        self.shows(self.x.VDI.get_record(snapshot), is_a_snapshot=True, snapshot_of=vdi)
        self.x.VDI.forget(snapshot)
        again = self.x.VDI.introduce(
            uuids[1], "again", "", sr, "user", False, True, {}, uuids[1], {}, {}, True, "0", "0",
            "OpaqueRef:NULL", True, self.x.VDI.get_snapshot_time(vdi), vdi,
        )
        self.shows(self.x.VDI.get_record(again), name_label="again", snapshot_of=vdi, location=uuids[1])
        self.refused(
            ["LOCATION_NOT_UNIQUE", sr, uuids[0]], self.x.VDI.introduce,
            "", "twice", "", sr, "user", False, False, {}, uuids[0], {}, {}, True, "0", "0",
            "OpaqueRef:NULL", False, self.x.VDI.get_snapshot_time(vdi), "OpaqueRef:NULL",
        )
        (path / (uuids[1] + ".json")).unlink()
        (path / (uuids[1] + ".raw")).unlink()
        self.refused(["VDI_MISSING", sr, again], self.x.VDI.update, again)
        self.x.SR.scan(sr)
        self.assertEqual(self.x.SR.get_VDIs(sr), [vdi])

    def test_the_place_is_probed(self):
        sr, path = self.repository_of("folder")
        found = self.x.SR.probe_ext(self.host, {"location": str(path)}, "folder", {})
        self.assertEqual(found[0]["configuration"], {"location": str(path), "sr_uuid": self.x.SR.get_uuid(sr)})
        self.shows(found[0]["sr"], name_label="made", name_description="told", health="healthy", clustered=False)
        (path / "health").write_text("Recovering: disk 3 of 4")
        (found,) = self.x.SR.probe_ext(self.host, {"location": str(path)}, "folder", {})
        self.assertEqual(found["sr"]["health"], "recovering")
        self.refused(["SR_UNHEALTHY", sr, "Recovering", "disk 3 of 4"], self.x.SR.scan, sr)
        (path / "health").unlink()
        self.x.SR.scan(sr)
        self.assertIn(self.x.SR.get_uuid(sr), self.x.SR.probe(self.host, {"location": str(path)}, "folder", {}))
        self.assertEqual(self.x.SR.probe_ext(self.host, {"location": "/nonexistent"}, "folder", {}), [])

    def test_a_repository_that_holds_disks_is_not_destroyed(self):
        sr, path = self.repository_of("folder")
        vdi = self.disk(sr)
        uuid = self.x.VDI.get_uuid(vdi)
        self.x.VDI.forget(vdi)
        (pbd,) = self.x.SR.get_PBDs(sr)
        self.x.PBD.unplug(pbd)
        self.refused(["SR_NOT_EMPTY"], self.x.SR.destroy, sr)
        self.x.PBD.plug(pbd)
        self.assertEqual(self.x.VDI.get_by_uuid(uuid), self.x.SR.get_VDIs(sr)[0])

    def test_a_disk_moves_in_and_out(self):
        sr, path = self.repository_of("folder")
        ours = self.repository("qcow2")
        vdi = self.disk(ours, 8 * MIB, name_label="moving")
        sentence = "Image format vhd is not supported by SR %s (it supports qcow2, raw)" % self.x.SR.get_uuid(sr)
        self.refused(["VDI_INCOMPATIBLE_TYPE", vdi, sentence], self.x.VDI.pool_migrate, vdi, sr, {"dest-img-format": "vhd"})
        moved = self.x.VDI.pool_migrate(vdi, sr, {"dest-img-format": "raw"})
        self.shows(
            self.x.VDI.get_record(moved), name_label="moving", SR=sr, sm_config={"image-format": "raw"}, managed=True)
        self.x.SR.scan(sr)
        self.assertEqual(self.about(path, moved)["name"], "moving")
        back = self.x.VDI.pool_migrate(moved, ours, {})
        self.shows(self.x.VDI.get_record(back), name_label="moving", SR=ours)
        self.assertEqual(sorted(p.name for p in path.iterdir()), ["sr.json"])
        copy = self.x.VDI.copy(back, sr)
        self.shows(self.x.VDI.get_record(copy), name_label="moving", SR=sr)

    def test_a_guest_uses_a_disk_of_the_plugin(self):
        sr, path = self.repository_of("folder")
        vdi = self.disk(sr, 8 * MIB)
        kernel, initrd = guest_files()
        vm = self.machine(
            name_label="guest", PV_kernel=kernel, PV_ramdisk=initrd,
            PV_args="console=ttyS0 quiet gantry.work=idle gantry.disk=none",
        )
        vbd = self.drive(vm, vdi, bootable=True)
        # It need not run to have its disks.
        self.x.VM.start(vm, True, False)
        self.assertIs(self.x.VBD.get_currently_attached(vbd), True)
        server = path / ("." + self.x.VDI.get_location(vdi)[:8])
        self.assertTrue(server.is_socket())
        self.refused(["VDI_IN_USE", vdi, "destroy"], self.x.VDI.destroy, vdi)
        snapshot = self.x.VDI.snapshot(vdi)
        self.shows(self.x.VDI.get_record(snapshot), snapshot_of=vdi)
        self.assertEqual(self.x.VM.get_power_state(vm), "Paused")
        self.x.VDI.destroy(snapshot)
        self.x.VM.hard_shutdown(vm)
        self.x.VDI.set_on_boot(vdi, "reset")
        self.x.VM.start(vm, True, False)
        # The guest has a clone, which is no disk.
        clone = self.about(path, vdi)["keys"]["clone-on-boot"]
        Client("nbd+unix:///disk?socket=%s" % (path / ("." + clone[:8]))).end()
        self.assertFalse(server.exists())
        self.x.SR.scan(sr)
        self.assertEqual(self.x.SR.get_VDIs(sr), [vdi])
        self.x.VM.unpause(vm)
        self.x.VBD.unplug_force(vbd)
        self.assertEqual(
            sorted(p.name for p in path.iterdir()), sorted([
                "sr.json", self.x.VDI.get_location(vdi) + ".json", self.x.VDI.get_location(vdi) + ".qcow2"]))
        self.assertNotIn("clone-on-boot", self.about(path, vdi)["keys"])
        self.x.VM.hard_shutdown(vm)
        self.keeps_apart(vm, vdi, path, server)
        self.until(lambda: not server.exists())

    def keeps_apart(self, vm, vdi, path, server):
        """A datapath that can keep writes apart does, and there is no clone."""
        (path / "scratch").touch()
        image = path / (self.x.VDI.get_location(vdi) + ".qcow2")
        before = image.read_bytes()
        self.x.VM.start(vm, True, False)
        client = Client("nbd+unix:///disk?socket=%s" % server)
        client.write("7")
        client.end()
        self.assertNotIn("clone-on-boot", self.about(path, vdi)["keys"])
        (apart,) = path.glob(".*.scratch")
        self.x.VM.hard_shutdown(vm)
        self.until(lambda: not apart.exists())
        self.assertEqual(image.read_bytes(), before)
        (path / "scratch").unlink()


class BarePluginTests(PluginCase):
    def test_a_plugin_of_version_3_that_knows_no_formats(self):
        (record,) = self.x.SM.get_all_records_where('field "type" = "bare"').values()
        self.shows(record, required_api_version="3.0", supported_image_formats=[])
        sr, path = self.repository_of("bare", "uri")
        vdi = self.disk(sr)
        self.shows(self.x.VDI.get_record(vdi), name_label="disk", virtual_size=str(4 * MIB), sm_config={})
        self.refused(
            ["SR_BACKEND_FAILURE_66", "", ..., ""],
            self.disk, sr, sm_config={"image-format": "qcow2"},
        )
        moved = self.x.VDI.pool_migrate(vdi, self.repository("vhd"), {})
        back = self.x.VDI.pool_migrate(moved, sr, {})
        self.assertEqual(self.x.SR.get_VDIs(sr), [back])
        snapshot = self.x.VDI.snapshot(back)
        self.assertEqual(self.x.VDI.get_snapshot_of(snapshot), back)


class BrokenPluginTests(PluginCase):
    def test_every_way_to_fail_is_an_error(self):
        for how, *expected in (
            ("crash", "SCRIPT_FAILED", ..., "signalled", "signal 11", ..., ...),
            ("flood", "SCRIPT_FAILED", ..., "too much output", ..., ..., ...),
            ("json", "SCRIPT_FAILED", ..., "bad json", ..., "{no json\n", ""),
            ("exit", "SCRIPT_FAILED", ..., "non-zero exit", "3", "some output\n", "some complaint\n"),
            ("type", "SCRIPT_RETURNED_RPC_ERROR", "SR.create", ...),
            ("nothing", "SCRIPT_FAILED", ..., "bad json", ..., "", ""),
            ("code", "SR_BACKEND_FAILURE_999", "a", "b", "c"),
            ("odd code", "SCRIPT_FAILED", ..., "non-zero exit", "1", ..., ...),
            ("host", "SR_BACKEND_FAILURE_46", "", ..., ""),
        ):
            with self.subTest(how):
                before = self.x.SR.get_all()
                self.refused(expected, self.make, "brokenv3", {"how": how})
                self.assertEqual(self.x.SR.get_all(), before)
        for how, told in (
            ("json", "bad json"), ("type", "SCRIPT_RETURNED_RPC_ERROR"), ("code", "SR_BACKEND_FAILURE_999")
        ):
            broken_by_xe(self, "brokenv3", how, told)

    def test_unknown_formats_are_dropped(self):
        (record,) = self.x.SM.get_all_records_where('field "type" = "brokenv3"').values()
        self.assertEqual(record["supported_image_formats"], ["raw"])
        self.assertEqual(record["features"]["VDI_MIRROR"], "1")
        self.assertNotIn("FLYING", record["features"])
