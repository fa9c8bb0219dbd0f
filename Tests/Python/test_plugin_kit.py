"""`gantry plugin check`, on the examples of the guide (docs/plugins-v3.md), on drivers that fail, and on a SMAPIv1
driver."""

import json
import os
import pathlib
import subprocess
import threading

from suite import measured
from suite.case import Case
from suite.daemon import ROOT

PLUGINS = ROOT / "Tests" / "Python" / "plugins"

#: What the example in Swift has; each is a link to it.
METHODS = """Plugin.query SR.create SR.attach SR.detach SR.destroy SR.stat SR.ls Volume.create Volume.clone
Volume.snapshot Volume.stat Volume.resize Volume.destroy Volume.set Volume.unset Volume.set_name Volume.set_description""".split()


class PluginKitTests(Case):
    def check(self, driver, status, *words):
        """The findings of the check: check → outcome and reason."""
        ran = subprocess.run(
            [self.daemon.programs / "gantry", "plugin", "check", driver, "--json", *words],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        self.assertEqual((ran.returncode, ran.stderr), (status, ""), ran.stdout)
        return {f["check"]: (f["outcome"], f["reason"]) for f in json.loads(ran.stdout)}

    def passes(self, driver, place, *words):
        found = self.check(driver, 0, "--device-config", place, *words)
        self.assertEqual({outcome for outcome, _ in found.values()}, {"passed"})
        self.assertGreater(len(found), 15)
        return found

    def test_the_example_in_python_passes(self):
        place, pages = self.folder("kit-python"), self.folder("kit-pages")
        with open(os.path.join(place, "datasources"), "w") as file:
            file.write("late")
        # The page comes while it is waited for.
        page = threading.Timer(1.5, measured.write_page, [os.path.join(pages, "late"), {
            "heat": ({"value_type": "float"}, 300.5)}])
        page.start()
        self.addCleanup(page.join)
        found = self.passes(PLUGINS / "volume" / "folder", "location=" + place, "--metrics-dir", pages)
        self.assertLessEqual({
            "Volume.create makes a volume (raw)", "the data sources of SR.stat can be read",
            "SR.set_name changes the name",
            "Volume.set and Volume.unset change its keys (qcow2)", "a guest can have it without keeping it (qcow2)",
        }, set(found))
        self.assertEqual(os.listdir(place), ["datasources"])

    def test_the_example_in_swift_passes(self):
        place, root = self.folder("kit-swift"), pathlib.Path(self.folder("kit-root")) / "volume" / "example"
        root.mkdir(parents=True)
        for method in METHODS:
            (root / method).symlink_to((self.daemon.programs / "example-volume-plugin").resolve())
        self.passes(root, "location=" + place, "--datapath", str(PLUGINS / "datapath"))
        self.assertEqual(os.listdir(place), [])

    def test_what_is_wrong_is_told(self):
        found = self.check(PLUGINS / "volume" / "brokenv3", 1, "--device-config", "how=code")
        self.assertEqual(found["SR.create makes an SR"][0], "failed")
        self.assertIn("SR_BACKEND_FAILURE_999", found["SR.create makes an SR"][1])
        self.assertEqual(
            found["its features and image formats are known ones"],
            ("failed", "unknown feature FLYING; image format vdi"))
        self.assertEqual(found["SR.detach is there and executable"][0], "failed")

    def test_a_driver_of_smapiv1(self):
        found = self.check(ROOT / "Tests" / "Python" / "drivers" / "EXAMPLESR", 0)
        self.assertEqual(found["sr_get_driver_info says what it is"], ("passed", ""))
        self.assertEqual(found["its SRs and VDIs live"][0], "skipped")
