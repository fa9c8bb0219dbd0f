"""Classes SM, SR and PBD: drivers, repositories and their connection to the host."""

import os
from xmlrpc.client import DateTime

from suite.case import MIB, Case
from suite.model import NOWHERE


class RepositoryTests(Case):
    def create(self, location, type_="file", host=None, **config):
        return self.x.SR.create(
            host or self.host,
            {"location": location} | config,
            "0",
            "made",
            "text",
            type_,
            "user",
            False,
            {"key": "value"},
        )

    def test_the_driver_says_what_it_can(self):
        records = self.x.SM.get_all_records()
        types = [
            "bare", "broken", "brokenv3", "cut", "cutv3", "dummy", "example", "ext", "file", "folder", "iso", "nfs", "plain",
            "xfs",
        ]
        self.assertEqual(sorted(r["type"] for r in records.values()), types)
        self.assertEqual(sorted(self.x.SR.get_supported_types()), types)
        record = next(r for r in records.values() if r["type"] == "file")
        self.assertEqual(sorted(record["supported_image_formats"]), ["qcow2", "raw", "vhd"])
        self.assertIn("location", record["configuration"])
        self.assertEqual(sorted(record["features"]), sorted(record["capabilities"]))
        for feature in ("VDI_CREATE", "VDI_DELETE", "VDI_RESIZE", "VDI_MIRROR", "SR_SCAN"):
            self.assertEqual(record["features"][feature], "1")
        listed = self.xe("sm-list", "type=file", "params=all")
        for name in ("uuid", "vendor", "supported-image-formats", "features", "configuration"):
            self.assertRegex(listed, r"(?m)^ *%s \( *M?R[OW]\) *: *\S" % name)

    def test_a_new_repository_is_attached_and_empty(self):
        watch = self.watch("SR", "PBD")
        path = self.folder("made-here")
        sr = self.create(path)
        self.addCleanup(self.drop_repository, sr)
        record = self.x.SR.get_record(sr)
        self.shows(
            record,
            name_label="made",
            name_description="text",
            type="file",
            content_type="user",
            shared=False,
            sm_config={"key": "value", "raw-snapshot-format": record["sm_config"].get("raw-snapshot-format")},
            VDIs=[],
            virtual_allocation="0",
            current_operations={},
        )
        self.assertIn(record["sm_config"]["raw-snapshot-format"], ("raw", "qcow2"))
        disk = os.statvfs(path)
        self.assertEqual(int(record["physical_size"]), disk.f_blocks * disk.f_frsize)
        pbd = self.x.PBD.get_record(record["PBDs"][0])
        self.shows(pbd, SR=sr, host=self.host, currently_attached=True, device_config={"location": path})
        self.assertIn(record["PBDs"][0], self.x.host.get_PBDs(self.host))
        self.assertEqual(watch.expect(sr, "add")["uuid"], record["uuid"])

    def test_what_cannot_become_a_repository(self):
        self.refused(["SR_UNKNOWN_DRIVER", "none"], self.create, "/tmp", "none")
        self.refused(["HANDLE_INVALID", "host", NOWHERE], self.create, "/tmp", "file", NOWHERE)
        self.refused(["SR_BACKEND_FAILURE_94", "", ..., ""], self.create, "")
        self.refused(["SR_BACKEND_FAILURE_1", "", ..., ""], self.create, "relative/path")
        used = self.folder("used")
        with open(used + "/file", "w"):
            pass
        self.refused(["SR_BACKEND_FAILURE_42", "", ..., ""], self.create, used)
        other = self.x.PBD.get_device_config(self.x.SR.get_PBDs(self.repository())[0])["location"]
        self.refused(["SR_BACKEND_FAILURE_42", "", ..., ""], self.create, other)
        self.assertEqual(self.x.SR.get_by_name_label("made"), [])

    def test_names_and_sharing_are_changed(self):
        sr = self.repository()
        watch = self.watch("SR/" + sr)
        self.x.SR.set_name_label(sr, "new name")
        self.x.SR.set_name_description(sr, "new text")
        self.x.SR.set_shared(sr, True)
        record = self.x.SR.get_record(sr)
        self.shows(record, name_label="new name", name_description="new text", shared=True)
        self.assertEqual(watch.next()[-1]["snapshot"], record)
        self.succeeded(self.x.Async.SR.set_name_label(sr, "again"))
        self.assertEqual(self.x.SR.get_by_name_label("again"), [sr])

    def test_a_scan_finds_images_and_misses_those_that_went(self):
        sr = self.repository()
        path = self.x.PBD.get_device_config(self.x.SR.get_PBDs(sr)[0])["location"]
        uuid = "01234567-89ab-cdef-0123-456789abcdef"
        with open("%s/%s.raw" % (path, uuid), "wb") as file:
            file.truncate(3 * MIB)
        self.x.SR.scan(sr)
        vdi = self.x.VDI.get_by_uuid(uuid)
        self.assertEqual([self.x.VDI.get_virtual_size(vdi), self.x.VDI.get_SR(vdi)], [str(3 * MIB), sr])
        self.assertEqual(self.x.SR.get_virtual_allocation(sr), str(3 * MIB))
        os.remove("%s/%s.raw" % (path, uuid))
        self.succeeded(self.x.Async.SR.scan(sr))
        self.refused(["UUID_INVALID", "VDI", uuid], self.x.VDI.get_by_uuid, uuid)

    def test_a_repository_in_use_is_neither_destroyed_nor_forgotten(self):
        sr = self.repository()
        pbd = self.x.SR.get_PBDs(sr)[0]
        vdi = self.disk(sr)
        for call in (self.x.SR.destroy, self.x.SR.forget):
            self.refused(["SR_HAS_PBD", sr], call, sr)
        self.x.PBD.unplug(pbd)
        self.refused(["SR_NOT_EMPTY"], self.x.SR.destroy, sr)
        self.refused(["SR_NOT_ATTACHED", sr], self.x.VDI.destroy, vdi)
        self.refused(["SR_NOT_ATTACHED", sr], self.disk, sr)
        self.refused(["SR_NOT_ATTACHED", sr], self.x.SR.scan, sr)
        self.x.PBD.plug(pbd)
        self.x.VDI.destroy(vdi)
        self.x.PBD.unplug(pbd)
        self.x.SR.destroy(sr)
        self.refused(["HANDLE_INVALID", "SR", sr], self.x.SR.get_record, sr)
        self.refused(["HANDLE_INVALID", "PBD", pbd], self.x.PBD.get_record, pbd)

    def test_a_forgotten_repository_is_introduced_again_with_its_disks(self):
        sr = self.repository()
        record = self.x.SR.get_record(sr)
        config = self.x.PBD.get_device_config(record["PBDs"][0])
        uuid = self.x.VDI.get_uuid(self.disk(sr))
        self.refused(
            ["SR_UUID_EXISTS", record["uuid"]],
            self.x.SR.introduce,
            record["uuid"],
            "again",
            "",
            "file",
            "user",
            False,
            {},
        )
        self.x.PBD.unplug(record["PBDs"][0])
        self.x.SR.forget(sr)
        self.refused(["UUID_INVALID", "VDI", uuid], self.x.VDI.get_by_uuid, uuid)
        self.refused(
            ["SR_UNKNOWN_DRIVER", "none"], self.x.SR.introduce, record["uuid"], "", "", "none", "user", False, {}
        )
        again = self.x.SR.introduce(record["uuid"], "again", "text", "file", "user", False, {})
        self.addCleanup(self.drop_repository, again)
        self.refused(["SR_HAS_NO_PBDS", again], self.x.SR.destroy, again)
        self.refused(["SR_HAS_NO_PBDS", again], self.x.SR.scan, again)
        pbd = self.x.PBD.create({"host": self.host, "SR": again, "device_config": config, "other_config": {}})
        self.x.PBD.plug(pbd)
        self.assertEqual(self.x.VDI.get_SR(self.x.VDI.get_by_uuid(uuid)), again)


    def test_what_a_driver_finds_is_told(self):
        sr = self.repository()
        uuid = self.x.SR.get_uuid(sr)
        config = self.x.PBD.get_device_config(self.x.SR.get_PBDs(sr)[0])
        document = self.x.SR.probe(self.host, config, "file", {})
        self.assertIn("<SRlist>", document)
        self.assertIn(uuid, document)
        found = self.x.SR.probe_ext(self.host, config, "file", {})
        self.assertEqual([f["sr"]["uuid"] for f in found], [uuid])
        self.shows(found[0], complete=True, configuration=config | {"sr_uuid": uuid})
        self.refused(["SR_BACKEND_FAILURE_90", "", ..., ""], self.x.SR.probe, self.host, {}, "ext", {})
        self.refused(["SR_UNKNOWN_DRIVER", "none"], self.x.SR.probe, self.host, {}, "none", {})

    def test_only_a_uuid_names_a_repository(self):
        for uuid in ["..", "../../etc", "0123", "01234567-89AB-CDEF-0123-456789ABCDEF"]:
            self.refused(
                ["UUID_INVALID", "SR", uuid], self.x.SR.introduce, uuid, "bad", "", "dummy", "user", False, {})
        made = self.x.SR.introduce("", "any", "", "dummy", "user", False, {})
        self.assertRegex(self.x.SR.get_uuid(made), "^[0-9a-f-]{36}$")
        self.x.SR.forget(made)

    def test_a_disk_that_was_forgotten_is_introduced(self):
        sr = self.repository()
        vdi = self.disk(sr)
        record = self.x.VDI.get_record(vdi)

        def introduce(uuid, location):
            return self.x.VDI.introduce(
                uuid, "again", "text", sr, "user", False, False, {"k": "v"}, location, {}, {}, True, "0", "0",
                "OpaqueRef:NULL", False, DateTime("19700101T00:00:00Z"), "OpaqueRef:NULL",
            )

        self.refused(["LOCATION_NOT_UNIQUE", sr, record["location"]], introduce, record["uuid"], record["location"])
        self.x.VDI.forget(vdi)
        gone = "01234567-89ab-cdef-0123-456789abcd00.raw"
        self.refused(["SR_BACKEND_FAILURE_144", "", ..., ""], introduce, "", gone)
        again = introduce(record["uuid"], record["location"])
        self.shows(
            self.x.VDI.get_record(again),
            uuid=record["uuid"],
            name_label="again",
            virtual_size=record["virtual_size"],
            sm_config=record["sm_config"],
            other_config={"k": "v"},
        )

    def test_space_is_read_again(self):
        sr = self.repository()
        self.x.SR.update(sr)
        self.refused(["SR_OPERATION_NOT_SUPPORTED", sr], self.x.SR.assert_supports_database_replication, sr)

    def test_what_names_the_place_stays_while_it_is_attached(self):
        sr = self.repository()
        pbd = self.x.SR.get_PBDs(sr)[0]
        config = self.x.PBD.get_device_config(pbd)
        self.refused(["OPERATION_NOT_ALLOWED", ...], self.x.PBD.set_device_config, pbd, {"location": "/tmp"})
        self.x.PBD.set_device_config(pbd, config | {"preferred-image-formats": "qcow2"})
        vdi = self.disk(sr)
        self.assertTrue(self.x.VDI.get_location(vdi).endswith(".qcow2"))
        self.x.PBD.set_device_config(pbd, config)


class ConnectionTests(Case):
    def test_a_host_has_one_connection_to_a_repository(self):
        sr = self.repository()
        pbd = self.x.SR.get_PBDs(sr)[0]
        record = {"host": self.host, "SR": sr, "device_config": {}}
        self.refused(["PBD_EXISTS", sr, self.host, pbd], self.x.PBD.create, record)
        self.refused(["HANDLE_INVALID", "SR", NOWHERE], self.x.PBD.create, record | {"SR": NOWHERE})
        self.refused(["HANDLE_INVALID", "host", NOWHERE], self.x.PBD.create, record | {"host": NOWHERE})

    def test_plugging_and_unplugging_may_be_repeated(self):
        pbd = self.x.SR.get_PBDs(self.repository())[0]
        watch = self.watch("PBD/" + pbd)
        for _ in range(2):
            self.x.PBD.unplug(pbd)
        self.assertIs(watch.expect(pbd, "mod")["currently_attached"], False)
        for _ in range(2):
            self.succeeded(self.x.Async.PBD.plug(pbd))
        self.assertIs(watch.expect(pbd, "mod")["currently_attached"], True)

    def test_a_folder_that_is_gone_cannot_be_plugged(self):
        sr = self.repository()
        pbd = self.x.SR.get_PBDs(sr)[0]
        config = self.x.PBD.get_device_config(pbd)
        self.x.PBD.unplug(pbd)
        self.x.PBD.set_device_config(pbd, {"location": "/no/such/folder"})
        self.assertEqual(self.x.PBD.get_device_config(pbd), {"location": "/no/such/folder"})
        self.refused(["SR_BACKEND_FAILURE_47", "", ..., ""], self.x.PBD.plug, pbd)
        self.assertIs(self.x.PBD.get_currently_attached(pbd), False)
        self.x.PBD.set_device_config(pbd, config)
        self.x.PBD.plug(pbd)

    def test_a_plugged_connection_is_not_destroyed(self):
        sr = self.repository()
        pbd = self.x.SR.get_PBDs(sr)[0]
        details = self.refused(["SR_HAS_PBD", sr], self.x.PBD.destroy, pbd)
        self.assertEqual(self.x.PBD.get_SR(pbd), sr, details)
        self.x.PBD.unplug(pbd)
        self.x.PBD.destroy(pbd)
        self.assertEqual(self.x.SR.get_PBDs(sr), [])
        self.x.SR.forget(sr)

    def test_a_repository_with_a_disk_in_use_is_not_unplugged(self):
        sr = self.repository()
        vdi, pbd = self.disk(sr), self.x.SR.get_PBDs(sr)[0]
        vbd = self.drive(self.x.host.get_control_domain(self.host), vdi)
        self.x.VBD.plug(vbd)
        try:
            self.refused(["VDI_IN_USE", vdi, ...], self.x.PBD.unplug, pbd)
            self.assertIs(self.x.PBD.get_currently_attached(pbd), True)
        finally:
            self.x.VBD.unplug(vbd)
        self.x.VBD.destroy(vbd)
        self.x.PBD.unplug(pbd)
        self.x.PBD.plug(pbd)
