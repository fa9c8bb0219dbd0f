"""kill -9 of gantryd and of third-party drivers, in the middle of what they do: afterwards a scan agrees with the
files, no disk has lost anything, and nothing is there that nobody sees.

The operations with the most to lose come first. GANTRY_TEST_ALL_DRIVERS=1 goes through all steps of all of them, which
takes a minute or two.
"""

import json
import time
import uuid

from suite.apart import ApartCase
from suite.case import MIB
from suite.life import WHOLE

#: What is done to a disk named `d`, and at which steps it is cut off.
DRIVER = {
    "snapshot": ["vdi_snapshot VDI.db_introduce before", "vdi_snapshot after"],
    "destroy": ["vdi_delete VDI.db_forget before", "vdi_delete after"],
    "create": ["vdi_create VDI.db_introduce before", "vdi_create VDI.db_introduce after"],
    "resize": ["vdi_resize VDI.set_virtual_size before"],
    "unplug": ["sr_detach after"],
}
PLUGIN = {
    "snapshot": ["Volume.snapshot after", "Volume.set after"],
    "destroy": ["Volume.destroy before", "Volume.destroy after"],
    "create": ["Volume.create after", "Volume.set before"],
    "resize": ["Volume.resize after"],
    "unplug": ["SR.detach after"],
}
MAKING = {"cutv3": ["SR.create after", "SR.attach after"], "cut": ["sr_create after"]}
BODY = b"lasting" * 64


def chosen(table, operations, steps=slice(0, 1)):
    """Of this run: all, or one step of each of that many operations."""
    return table if WHOLE else {name: all_steps[steps] for name, all_steps in list(table.items())[:operations]}


class CutOffTests(ApartCase):
    settings = {"time_limit": 600}

    def place(self):
        path = self.own.folder / ("sr-" + uuid.uuid4().hex[:8])
        path.mkdir()
        return path

    def prepare(self, kind):
        """An SR with one disk that holds something."""
        path = self.place()
        sr = self.x.SR.create(self.host, {"location": str(path)}, "0", "sr", "", kind, "user", False, {})
        return path, sr, self.filled(kind, path, sr)

    def filled(self, kind, path, sr):
        vdi = self.disk(sr, MIB, name_label="d", sm_config={"image-format": "raw"})
        with open(self.file(kind, path, vdi), "r+b") as file:
            file.write(BODY)
        return vdi

    def file(self, kind, path, vdi):
        return path / (self.x.VDI.get_location(vdi) + (".raw" if kind == "cutv3" else ""))

    def order(self, path, at, **more):
        (path / ".cut").write_text(json.dumps({"at": at, **more}))

    def begin(self, operation, sr, vdi):
        """A task."""
        asynchronous = self.x.Async
        if operation == "create":
            record = self.x.VDI.get_record(vdi)
            return asynchronous.VDI.create({**record, "name_label": "new", "sm_config": {"image-format": "raw"}})
        if operation == "resize":
            return asynchronous.VDI.resize(vdi, str(2 * MIB))
        if operation == "unplug":
            return asynchronous.PBD.unplug(self.x.SR.get_PBDs(sr)[0])
        return getattr(asynchronous.VDI, operation)(vdi)

    def agrees(self, kind, path, sr):
        """The rows are the files, and the disk that was there has its content, unless it was destroyed."""
        files = {p.name for p in path.glob("*-*.raw")}
        suffix = ".raw" if kind == "cutv3" else ""
        records = self.x.VDI.get_all_records_where('field "SR" = "%s"' % sr).values()
        self.assertEqual({r["location"] + suffix for r in records}, files)
        for record in records:
            image = path / (record["location"] + suffix)
            self.assertEqual(int(record["virtual_size"]), image.stat().st_size)
            self.assertIs(record["managed"], True)
            if record["name_label"] == "d":
                self.assertEqual(image.read_bytes()[:len(BODY)], BODY)
            elif kind == "cutv3":
                # No disk like others: nobody knows whose it is.
                self.assertIn(record["name_label"], ("unfinished snapshot of d", "unfinished disk new"))
                self.assertIn(
                    ("VDI_CREATION_CUT_OFF", record["uuid"]),
                    [(m["name"], m["obj_uuid"]) for m in self.x.message.get_all_records().values()])
        # Nothing beside them.
        own = {".sr", "sr.json"} | {name.replace(".raw", ".json") for name in files}
        self.assertLessEqual({p.name for p in path.iterdir()} - files, own)
        return records

    def test_drivers_die_at_each_step(self):
        for kind, table in (("cut", DRIVER), ("cutv3", PLUGIN)):
            path, sr, vdi = self.prepare(kind)
            for operation, steps in chosen(table, 2).items():
                for at in steps:
                    with self.subTest(kind, at=at):
                        self.order(path, at)
                        record = self.finished(self.begin(operation, sr, vdi))
                        self.assertEqual(record["status"], "failure", record)
                        self.assertIn(record["error_info"][0], ("SR_BACKEND_FAILURE", "SCRIPT_FAILED"))
                        (pbd,) = self.x.SR.get_PBDs(sr)
                        self.x.PBD.plug(pbd)
                        self.x.SR.scan(sr)
                        self.agrees(kind, path, sr)
                        if vdi not in self.x.VDI.get_all():
                            self.assertEqual(operation, "destroy")
                            vdi = self.filled(kind, path, sr)

    def test_the_toolstack_dies_at_each_step(self):
        cut = []
        for kind, table in (("cut", DRIVER), ("cutv3", PLUGIN)):
            for operation, steps in chosen(table, 3, slice(-1, None)).items():
                for number, at in enumerate(steps if operation == "create" else steps[-1:]):
                    path, sr, vdi = self.prepare(kind)
                    location = self.x.VDI.get_location(vdi)
                    then = "die" if number % 2 else "go on"
                    self.order(path, at, pid=self.own.process.pid, then=then)
                    cut.append((kind, operation, at, path, sr, vdi, location))
        made = []
        for kind, steps in chosen(MAKING, 1).items():
            for at in steps:
                path = self.place()
                self.order(path, at, pid=self.own.process.pid)
                made.append((kind, at, path))
        place = self.place()
        ended = self.x.SR.create(self.host, {"location": str(place)}, "0", "ended", "", "cutv3", "user", False, {})
        self.x.PBD.unplug(self.x.SR.get_PBDs(ended)[0])
        self.order(place, "SR.destroy after", pid=self.own.process.pid)
        self.x.Async.SR.destroy(ended)
        for kind, operation, at, path, sr, vdi, _ in cut:
            self.begin(operation, sr, vdi)
        for kind, at, path in made:
            self.x.Async.SR.create(self.host, {"location": str(path)}, "0", path.name, "", kind, "user", False, {})
        for path in [c[3] for c in cut] + [m[2] for m in made] + [place]:
            while not (path / ".reached").exists():
                time.sleep(0.01)
        self.own.process.kill()
        self.own.process.wait()
        self.own.process.stdout.close()
        self.start()

        for kind, operation, at, path, sr, vdi, location in cut:
            with self.subTest(kind, at=at):
                (pbd,) = self.x.SR.get_PBDs(sr)
                self.x.PBD.plug(pbd)
                self.x.SR.scan(sr)
                records = self.agrees(kind, path, sr)
                self.assertFalse((path / ".reached").exists())
                if operation != "destroy":
                    self.assertIn(location, [r["location"] for r in records])
        # Its plugin has destroyed it and cannot attach it again: what it finds there tells.
        self.x.SR.destroy(ended)
        self.assertNotIn(ended, self.x.SR.get_all())
        self.assertEqual(list(place.iterdir()), [])
        for kind, at, path in made:
            with self.subTest(kind, at=at):
                (sr,) = self.x.SR.get_by_name_label(path.name)
                (pbd,) = self.x.SR.get_PBDs(sr)
                self.assertIs(self.x.PBD.get_currently_attached(pbd), False)
                told = [m["name"] for m in self.x.message.get_all_records().values()
                        if m["obj_uuid"] == self.x.SR.get_uuid(sr)]
                self.assertEqual(told, ["SR_CREATION_CUT_OFF"])
                self.x.PBD.plug(pbd)
                self.x.VDI.destroy(self.disk(sr, MIB))
                self.x.PBD.unplug(pbd)
                self.x.SR.destroy(sr)
                self.assertEqual(list(path.iterdir()), [])
