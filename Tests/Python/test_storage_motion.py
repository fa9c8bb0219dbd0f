"""Storage motion from a model of another maker's toolstack, by `/services/SM`: mirrors in all their variants, copies, ends, refusals."""

import http.client
import os
import pathlib
import subprocess
import uuid

from suite.apart import ApartCase
from suite.case import MIB, Case
from suite.othermaker import SIZE, Refused, Source


class SourceCase(Case):
    url = property(lambda self: self.daemon.url)

    def source(self, formats):
        sr = self.repository(formats)
        self.place = pathlib.Path(self.x.PBD.get_device_config(self.x.SR.get_PBDs(sr)[0])["location"])
        return sr, Source(self.url, self.sid, self.x.SR.get_uuid(sr))

    def images(self):
        return [f.name for f in self.place.rglob("*") if f.suffix in (".raw", ".vhd", ".qcow2")]

    def row(self, sr, place):
        """The VDI at the place, as the source looks for it."""
        self.x.SR.scan(sr)
        (vdi,) = [v for v, r in self.x.VDI.get_all_records().items() if (r["SR"], r["location"]) == (sr, place)]
        return vdi

    def arrived(self, sr, source, place, form, content=None):
        """The disk is one like any other, and right; there is nothing else."""
        vdi = self.row(sr, place)
        record = self.x.VDI.get_record(vdi)
        self.assertNotIn("base_mirror", record["sm_config"])
        self.assertEqual(record["sm_config"]["image-format"], form)
        self.assertEqual((record["name_label"], record["managed"]), ("from elsewhere", True))
        self.assertEqual(record["current_operations"], {})
        self.assertEqual(self.x.SR.get_current_operations(sr), {})
        status, _, body = self.http("GET", "/export_raw_vdi", session_id=self.sid, vdi=vdi, format="raw")
        self.assertEqual(status, 200)
        self.assertTrue(body[:SIZE] == bytes(source.disk if content is None else content), "the content differs")
        self.assertFalse(any(body[SIZE:]))
        self.assertEqual(self.images(), [place])
        return vdi

    def told(self, expected, call, *arguments, **named):
        with self.assertRaises(Refused) as raised:
            call(*arguments, **named)
        name, content = raised.exception.args
        self.assertEqual([name, content][: len(expected)], expected)
        return content


class MirrorTests(SourceCase):
    def test_a_mirror_arrives_in_every_format(self):
        """receive_start2, the leaf's connection, the copy beside it, receive_finalize2."""
        for form in ("vhd", "qcow2", "raw"):
            with self.subTest(form):
                sr, source = self.source(form)
                # As these sources do it, unless they are told otherwise.
                source.stream_url = self.daemon.https if form != "raw" else None
                made = source.start()
                self.assertEqual(made["mirror_vdi"]["vdi"].split(".")[1], form)
                source.connect_leaf()
                seen = source.scan()
                self.assertEqual(set(seen), {source.leaf, source.parent, source.dummy})
                self.assertEqual(len({d["content_id"] for d in seen.values()}), 3)
                vdi = self.row(sr, source.leaf)
                # Nobody else has anything to do with it.
                self.fails(["OTHER_OPERATION_IN_PROGRESS"], self.x.VDI.destroy, vdi)
                self.fails(["OTHER_OPERATION_IN_PROGRESS"], self.x.PBD.unplug, self.x.SR.get_PBDs(sr)[0])
                source.mirror_and_copy()
                source.line.close()
                source.call("DATA.MIRROR.receive_finalize2", id=source.mirror)
                self.assertEqual(self.arrived(sr, source, source.leaf, form), vdi)
                # Asked again, it is over.
                source.call("DATA.MIRROR.receive_finalize2", id=source.mirror)
                source.call("DATA.MIRROR.receive_cancel", id=source.mirror)
                source.call("VDI.remove_from_sm_config", sr=source.sr, vdi=source.leaf, key="base_mirror")
                self.assertEqual(self.images(), [source.leaf])

    def test_the_oldest_sources_compose_themselves_while_the_mirror_runs(self):
        for form in ("vhd", "raw"):
            with self.subTest(form):
                sr, source = self.source(form)
                source.start("")
                source.connect_leaf(with_vm=False)
                source.mirror_and_copy(path="nbdproxy/0", chunked=True)
                here = {"sr": source.sr, "vdi1": source.parent, "vdi2": source.leaf}
                source.call("VDI.compose", **here)
                source.call("VDI.remove_from_sm_config", sr=source.sr, vdi=source.leaf, key="base_mirror")
                source.call("VDI.destroy", sr=source.sr, vdi=source.dummy)
                for _ in range(5):
                    source.line.write(*source.change(3))
                source.line.close()
                source.call("DATA.MIRROR.receive_finalize", id=source.mirror)
                self.arrived(sr, source, source.leaf, form)

    def test_later_sources_drive_leaf_parent_and_dummy_themselves(self):
        sr, source = self.source("vhd,qcow2")
        marked = {"base_mirror": source.mirror, "image-format": "qcow2"}
        here = {"sr": source.sr}
        listed, standing = source.call("SR.scan2", **here)
        self.assertEqual((listed, standing["health"], standing["sr_uuid"]), ([], "Healthy", source.sr))
        self.assertGreater(int(standing["free_space"]), 0)
        leaf = source.call("VDI.create", vdi_info=source.described(sm_config=marked), **here)
        dummy = source.call("VDI.snapshot", vdi_info=leaf, **here)
        source.leaf, source.dummy, source.datapath = leaf["vdi"], dummy["vdi"], source.call("DP.create", id="mine")
        link = {"dp": "mine", "vdi": source.leaf, "vm": "MIR1"} | here
        source.call("VDI.attach3", read_write=True, **link)
        source.call("VDI.activate3", **link)
        self.assertIn("implementations", source.call("DP.attach_info", **link))
        parent = source.call("VDI.create", vdi_info=source.described(sm_config=marked | {"type": "qcow2"}), **here)
        source.parent = parent["vdi"]
        source.connect_leaf()
        compose = {"vdi1": source.parent, "vdi2": source.leaf} | here
        self.told(["Internal_error"], source.call, "VDI.compose", **compose)
        source.mirror_and_copy()
        source.line.close()
        source.call("DP.destroy2", allow_leak=False, **link)
        source.call("VDI.compose", **compose)
        source.call("VDI.destroy", vdi=source.dummy, **here)
        source.call("VDI.remove_from_sm_config", vdi=source.leaf, key="base_mirror", **here)
        self.arrived(sr, source, source.leaf, "qcow2")

    def test_a_source_whose_storage_mirrors_by_itself_has_one_disk(self):
        sr, source = self.source("vhd")
        leaf = source.call("VDI.create", sr=source.sr, vdi_info=source.described(sm_config={"base_mirror": source.mirror}))
        source.leaf = leaf["vdi"]
        link = {"dp": "own", "sr": source.sr, "vdi": source.leaf, "vm": "MIR2"}
        backend = source.call("VDI.attach3", read_write=True, **link)
        name = backend["implementations"][0][1]["uri"].split("exportname=")[1]
        source.call("VDI.activate3", **link)
        path = "nbdproxy/import/MIR2/%s/%s/own" % (source.sr, source.leaf)
        line = source.export(path, version="1.1", handshake="new", name=name)
        line.write(0, bytes(source.disk))
        line.close()
        source.call("DP.destroy2", allow_leak=False, **link)
        source.call("VDI.remove_from_sm_config", sr=source.sr, vdi=source.leaf, key="base_mirror")
        self.arrived(sr, source, source.leaf, "vhd")

    def test_what_is_cancelled_is_gone(self):
        for form in ("vhd", "raw"):
            sr, source = self.source(form)
            source.start()
            source.connect_leaf()
            source.line.write(*source.change(8))
            # What is not whole is no disk.
            self.told(["Internal_error"], source.call, "DATA.MIRROR.receive_finalize2", id=source.mirror)
            # The same mirror, begun again: the disk has one.
            first = source.leaf
            source.start()
            self.assertNotEqual(source.leaf, first)
            self.assertEqual(self.images(), [source.leaf])
            source.connect_leaf()
            source.call("DATA.MIRROR.receive_cancel", id=source.mirror)
            with self.assertRaises((OSError, EOFError)):
                source.line.write(0, bytes(512))
            self.assertEqual((self.x.SR.get_VDIs(sr), self.images()), ([], []))
            self.assertEqual(self.x.SR.get_current_operations(sr), {})
            self.told(["Vdi_does_not_exist", source.leaf], source.call, "VDI.stat", sr=source.sr, vdi=source.leaf)
            # As those that drive it themselves take it back.
            source.start()
            for place in (source.dummy, source.leaf):
                source.call("VDI.destroy", sr=source.sr, vdi=place)
            self.assertEqual((self.x.SR.get_VDIs(sr), self.images()), ([], []))


class CopyTests(SourceCase):
    def test_a_copy_becomes_a_snapshot_of_the_disk(self):
        """Read-only disks, snapshots and suspend images come so: a copy, its snapshot, and the copy goes."""
        for form in ("vhd", "raw"):
            with self.subTest(form):
                sr, source = self.source(form)
                copy = source.call("VDI.create", sr=source.sr, vdi_info=source.described(sm_config={}))["vdi"]
                self.told(["Internal_error"], source.call, "VDI.snapshot", sr=source.sr, vdi_info=source.scan()[copy])
                source.copy(copy, source.disk)
                snapshot = source.call("VDI.snapshot", sr=source.sr, vdi_info=source.scan()[copy])
                self.assertTrue(snapshot["is_a_snapshot"])
                source.call("VDI.destroy", sr=source.sr, vdi=copy)
                vdi = self.arrived(sr, source, snapshot["vdi"], form)
                self.assertTrue(self.x.VDI.get_is_a_snapshot(vdi) and self.x.VDI.get_read_only(vdi))
                disk = self.disk(sr)
                here = {"sr": source.sr, "vdi": self.x.VDI.get_location(disk), "src_vdi": source.described()}
                seen = source.described(snapshot_time="20260102T03:04:05Z", is_a_snapshot=True)
                other = source.described(content_id="another")
                relate = "SR.update_snapshot_info_dest"
                self.told(
                    ["Content_ids_do_not_match", ["content of the source", "another"]],
                    source.call, relate, snapshot_pairs={snapshot["vdi"]: other}, **here,
                )
                # Nothing is known of the content of a disk of the pool, nor said to be.
                for pair in ({self.x.VDI.get_location(self.disk(sr)): source.described(content_id="")},
                             {here["vdi"]: {"vdi": "x", "name_label": "y"}}):
                    with self.assertRaises(Refused):
                        source.call(relate, snapshot_pairs=pair, **here)
                self.assertFalse(self.x.VDI.get_is_a_snapshot(disk))
                source.call(relate, snapshot_pairs={snapshot["vdi"]: seen}, **here)
                record = self.x.VDI.get_record(vdi)
                self.assertEqual((record["snapshot_of"], str(record["snapshot_time"])), (disk, "20260102T03:04:05Z"))

    def test_a_copy_that_nobody_wants_goes(self):
        sr, source = self.source("qcow2")
        copy = source.call("VDI.create", sr=source.sr, vdi_info=source.described(sm_config={"type": "qcow2"}))["vdi"]
        self.assertEqual(self.images(), [copy])
        source.call("VDI.destroy", sr=source.sr, vdi=copy)
        self.assertEqual((self.x.SR.get_VDIs(sr), self.images()), ([], []))


class MachineTests(SourceCase):
    def test_a_halted_machine_comes_with_its_disk(self):
        """The metadata name the leaf while it is mirrored; the mirror ends after that."""
        sr, source = self.source("vhd")
        source.start()
        source.connect_leaf()
        source.mirror_and_copy()
        leaf = self.row(sr, source.leaf)
        vm = self.machine(name_label="of another pool")
        there = self.disk(self.repository("vhd"))
        # The source says so while it exports, and at no other time: the key is made one of as many letters.
        self.x.VDI.add_to_other_config(there, "mark-of", leaf)
        self.drive(vm, there)
        query = {"session_id": self.sid, "uuid": self.x.VM.get_uuid(vm)}
        status, _, document = self.http("GET", "/export_metadata", **query)
        self.assertEqual(status, 200)
        self.assertIn(b"mark-of", document)
        document = document.replace(b"mark-of", b"maps_to")
        self.x.VM.set_name_label(vm, "the source")
        status, _, _ = self.http("PUT", "/import_metadata", document, session_id=self.sid)
        self.assertEqual(status, 200)
        (made,) = self.x.VM.get_by_name_label("of another pool")
        self.addCleanup(self.drop_machine, made)
        (drive,) = self.x.VM.get_VBDs(made)
        self.assertEqual(self.x.VBD.get_VDI(drive), leaf)
        self.fails(["OTHER_OPERATION_IN_PROGRESS"], self.x.VM.start, made, False, False)
        (host,) = self.x.host.get_all()
        self.x.host.allocate_resources_for_vm(host, made, True)
        self.x.network.attach_for_vm(host, made)
        # The source keeps what it has unless this one is answered.
        refused = self.fails(["VM_MIGRATE_FAILED", made], self.x.VM.pool_migrate_complete, made, host)
        self.assertIn("not all of the disk", str(refused))
        source.line.close()
        source.call("DATA.MIRROR.receive_finalize2", id=source.mirror)
        self.x.VM.pool_migrate_complete(made, host)
        self.x.network.detach_for_vm(host, made)
        self.assertEqual(self.arrived(sr, source, source.leaf, "vhd"), leaf)
        self.assertEqual(self.x.VBD.get_VDI(drive), leaf)


class RefusalTests(SourceCase):
    def test_calls_that_are_not_served_are_refused_by_name(self):
        sr, source = self.source("vhd")
        for name in ("SR.create", "SR.attach", "VDI.clone", "VDI.enable_cbt", "VDI.epoch_begin", "DATA.copy", "TASK.stat",
                     "DATA.MIRROR.receive_start3", "DATA.MIRROR.send_start", "UPDATES.get", "no.such"):
            self.told(["Unimplemented", name], source.call, name, sr=source.sr)
        self.assertEqual(self.http("POST", "/services/SM", b"no call", session_id=self.sid)[0], 400)
        self.assertEqual(self.http("POST", "/services/SM", b"")[0], 401)
        nowhere = str(uuid.uuid4())
        self.told(["Sr_not_attached", nowhere], source.call, "SR.scan", sr=nowhere)
        self.told(["Internal_error"], source.call, "SR.scan")
        for wrong in ({"name_label": "no place"}, {"vdi": "x", "name_label": "y", "virtual_size": "much"}):
            self.told(["Internal_error"], source.call, "VDI.create", sr=source.sr, vdi_info=wrong)
        for size in ("0", "-1"):
            told = self.told(["Backend_error"], source.call, "VDI.create", sr=source.sr, vdi_info=source.described(virtual_size=size))
            self.assertEqual(told, ["INVALID_VALUE", ["virtual_size", size]])
        large = source.described(virtual_size=str(3 << 40), sm_config={"image-format": "vhd"})
        self.assertEqual(self.told(["Backend_error"], source.call, "VDI.create", sr=source.sr, vdi_info=large)[0], "VDI_TOO_LARGE")
        self.assertEqual(source.call("Query.query")["smapi_version"], "SMAPIv2")
        self.assertEqual((self.x.SR.get_VDIs(sr), self.images()), ([], []))

    def test_disks_of_the_pool_are_looked_at_and_left_alone(self):
        sr, source = self.source("vhd")
        place = self.x.VDI.get_location(self.disk(sr, name_label="ours"))
        self.assertEqual(source.scan()[place]["name_label"], "ours")
        here = {"sr": source.sr, "vdi": place}
        self.assertEqual(source.call("VDI.stat", **here)["virtual_size"], str(4 * MIB))
        self.assertEqual(source.call("VDI.get_by_name", sr=source.sr, name="ours")["vdi"], place)
        self.assertEqual(source.call("VDI.similar_content", **here), [])
        for name, more in {
            "VDI.destroy": {}, "VDI.set_content_id": {"content_id": "x"}, "VDI.attach": {"dp": "d", "read_write": True},
            "VDI.attach2": {"dp": "d", "read_write": True}, "VDI.activate": {"dp": "d"}, "VDI.resize": {"new_size": "1"},
            "VDI.add_to_sm_config": {"key": "a", "value": "b"}, "VDI.set_persistent": {"persistent": True},
        }.items():
            self.assertEqual(self.told(["Backend_error"], source.call, name, **here, **more)[0], "OPERATION_NOT_ALLOWED")
        self.assertEqual(self.told(["Backend_error"], source.call, "VDI.snapshot", sr=source.sr, vdi_info=source.scan()[place])[0],
                         "OPERATION_NOT_ALLOWED")
        self.told(["Vdi_does_not_exist", "none"], source.call, "VDI.destroy", sr=source.sr, vdi="none")

    def test_only_an_active_datapath_is_connected(self):
        sr, source = self.source("raw")
        source.start()
        for path, status in {
            "nbd/%s/%s/none" % (source.sr, source.leaf): 404,
            "nbd/%s/%s/%s" % (source.sr, source.parent, source.datapath): 404,
            "nbd/%s/%s/%s" % (source.sr, source.dummy, source.datapath): 404,
            "nbd/%s/none/%s" % (source.sr, source.datapath): 404,
            "nbd/too/short": 404,
            "nbdproxy/export/0/%s/%s/%s" % (source.sr, source.leaf, source.datapath): 404,
        }.items():
            self.assertEqual(source.export(path).status, status, path)
        link = {"dp": "other", "sr": source.sr, "vdi": source.parent}
        self.assertTrue(source.call("VDI.attach", read_write=True, **link)["params"].startswith("nbd:unix:"))
        path = "nbdproxy/0/%s/%s/other" % (source.sr, source.parent)
        self.assertEqual(source.export(path).status, 404)
        source.call("VDI.activate", **link)
        source.call("VDI.deactivate", **link)
        self.assertEqual(source.export(path).status, 404)
        source.call("VDI.detach", **link)
        told = self.told(["Does_not_exist", ["dp", "other"]], source.call, "DP.attach_info", **link)
        self.assertEqual(told, ["dp", "other"])
        stranger = Source(self.url, "OpaqueRef:none", source.sr)
        self.assertEqual(stranger.export("nbd/%s/%s/%s" % (source.sr, source.leaf, source.datapath)).status, 401)
        source.call("DATA.MIRROR.receive_cancel", id=source.mirror)


class KilledTests(ApartCase, SourceCase):
    """What is noted outlives `kill -9` of gantryd; only the connections do not."""

    url = property(lambda self: self.own.url)
    sid = property(lambda self: self.session._session)

    @property
    def daemon(self):
        return getattr(self, "own", None) or super().daemon

    def restart(self, source, point=""):
        """`point`: where the next one ends itself."""
        self.own.process.kill()
        self.own.process.wait()
        self.own.process.stdout.close()
        os.environ["GANTRY_FAILURE_POINT"] = point
        try:
            self.start()
        finally:
            del os.environ["GANTRY_FAILURE_POINT"]
        source.url, source.session = self.own.url, self.sid

    def cut(self, source, point, call, *arguments, **named):
        """The call kills gantryd at the point; another one is there afterwards."""
        self.restart(source, point)
        with self.assertRaises((OSError, http.client.HTTPException)):
            call(*arguments, **named)
        self.assertEqual(self.own.process.wait(), -9)
        self.restart(source)

    def test_whoever_is_killed_between_two_steps_goes_on_or_leaves_nothing(self):
        sr, source = self.source("vhd")
        nothing = lambda: not self.x.SR.get_VDIs(sr) and not self.images() and not self.x.SR.get_current_operations(sr)  # noqa: E731
        # Before the image is there nobody knows what would be gone on with.
        self.cut(source, "received-noted", source.start)
        self.until(nothing)
        self.cut(source, "received-made", source.start)
        self.assertEqual(len(self.images()), 1)
        source.call("DATA.MIRROR.receive_cancel", id=source.mirror)
        self.assertTrue(nothing())
        source.start()
        self.cut(source, "received-cancelled", source.call, "DATA.MIRROR.receive_cancel", id=source.mirror)
        self.until(nothing)
        source.start()
        source.connect_leaf()
        source.mirror_and_copy()
        source.line.close()
        self.cut(source, "received-durable", source.call, "DATA.MIRROR.receive_finalize2", id=source.mirror)
        source.call("DATA.MIRROR.receive_finalize2", id=source.mirror)
        self.arrived(sr, source, source.leaf, "vhd")

    def test_a_mirror_is_finalized_or_cancelled_after_a_restart(self):
        for form in ("qcow2", "raw"):
            sr, source = self.source(form)
            source.start()
            source.connect_leaf()
            source.mirror_and_copy()
            source.line.close()
            self.restart(source)
            vdi = self.row(sr, source.leaf)
            self.fails(["OTHER_OPERATION_IN_PROGRESS"], self.x.VDI.destroy, vdi)
            source.connect_leaf()
            source.line.write(*source.change(5))
            source.line.close()
            source.call("DATA.MIRROR.receive_finalize2", id=source.mirror)
            self.arrived(sr, source, source.leaf, form)

            other = Source(source.url, source.session, source.sr)
            other.start()
            other.connect_leaf()
            self.restart(other)
            other.call("DATA.MIRROR.receive_cancel", id=other.mirror)
            self.assertEqual(self.images(), [source.leaf])

    def kill_data_paths(self):
        for pid in self.own.leftovers():
            if b"--crash-mark" in pathlib.Path("/proc", str(pid), "cmdline").read_bytes():
                os.kill(pid, 9)

    def test_what_a_source_was_told_is_durable(self):
        """It destroys what it has after the last call, and does not look at what the one before answers."""
        for form in ("qcow2", "vhd"):
            with self.subTest(form):
                sr, source = self.source(form)
                source.start()
                source.connect_leaf()
                source.mirror_and_copy()
                # What came after the copy is flushed by this, too.
                source.call("VDI.compose", sr=source.sr, vdi1=source.parent, vdi2=source.leaf)
                self.kill_data_paths()
                (image,) = self.place.rglob(source.leaf)
                raw = self.place / "told.raw"
                program = str(self.own.programs / "gantry")
                subprocess.run([program, "image", "convert", "-f", form, "-O", "raw", str(image), str(raw)], check=True)
                content = raw.read_bytes()
                self.assertTrue(content[:SIZE] == bytes(source.disk), "the content differs")
                self.assertFalse(any(content[SIZE:]))
                source.call("DATA.MIRROR.receive_cancel", id=source.mirror)

    def test_a_data_path_that_died_makes_no_disk(self):
        sr, source = self.source("vhd")
        source.start()
        source.connect_leaf()
        source.mirror_and_copy()
        self.kill_data_paths()
        told = self.told(["Internal_error"], source.call, "DATA.MIRROR.receive_finalize2", id=source.mirror)
        self.assertIn("has ended", told)
        # Nor is a copy whole that it had: this is what fails a source's copy.
        told = self.told(["Internal_error"], source.call, "VDI.set_content_id", sr=source.sr, vdi=source.parent, content_id="x")
        self.assertIn("has ended", told)
        source.call("DATA.MIRROR.receive_cancel", id=source.mirror)
        self.assertEqual((self.x.SR.get_VDIs(sr), self.images()), ([], []))
