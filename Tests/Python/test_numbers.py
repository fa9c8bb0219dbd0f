"""Data sources and the archives of what was measured."""

import json
import pathlib
import time
import xml.etree.ElementTree as ElementTree

from suite import measured
from suite.case import Case


class NumberTests(Case):
    def known(self, proxy, ref):
        """The sources of an object; a new one has them from the next look at the machine on."""
        self.until(lambda: proxy.get_data_sources(ref))
        return proxy.get_data_sources(ref)

    def write_page(self, name, sr):
        """What a storage plugin measures, in the form of RRD plugins."""
        about = {"owner": "sr " + sr, "value_type": "float", "type": "gauge", "units": "K", "min": "0"}
        measured.write_page(pathlib.Path(self.folder("m"), name), {
            "heat": (about, 300.5), "heat_of_" + name: ({**about, "owner": "host"}, 299)})

    def measuring(self):
        """The SR of a plugin that measures."""
        path = pathlib.Path(self.folder("measuring"))
        sr = self.x.SR.create(self.host, {"location": str(path)}, "0", "measuring", "", "folder", "user", False, {})
        self.addCleanup(self.drop_repository, sr)
        (path / "datasources").write_text("page ../m/page")
        self.addCleanup((path / "datasources").unlink)
        self.x.SR.scan(sr)
        return sr

    def test_sources_are_listed_asked_and_switched(self):
        measuring = self.measuring()
        uuid = self.x.SR.get_uuid(measuring)
        self.write_page("page", uuid)
        machine = self.machine()
        self.x.VM.start(machine, False, False)
        for name, ref in [("host", self.host), ("SR", self.repository()), ("VM", machine)]:
            proxy = getattr(self.x, name)
            self.write_page("page", uuid)
            sources = self.known(proxy, ref)
            for source in sources:
                self.assertIsNone(self.model.record_problem(source, self.model.classes["data_source"]))
            label = sources[0]["name_label"]
            self.assertTrue(sources[0]["enabled"])
            self.assertIsInstance(proxy.query_data_source(ref, label), float)
            proxy.forget_data_source_archives(ref, label)
            self.assertFalse(self.source(proxy, ref, label)["enabled"])
            # What is not known is no number in one encoding and nothing in the other.
            value = proxy.query_data_source(ref, label)
            self.assertNotEqual(value, value)
            self.assertIsNone(self.json().call(name + ".query_data_source", self.sid, ref, label))
            proxy.record_data_source(ref, label)
            self.assertTrue(self.source(proxy, ref, label)["enabled"])
            for call in (proxy.query_data_source, proxy.record_data_source, proxy.forget_data_source_archives):
                self.refused(["INVALID_VALUE", "data_source", "no such"], call, ref, "no such")
                self.unknown(name, call, label)
            self.unknown(name, proxy.get_data_sources)
        self.assertEqual(self.source(self.x.SR, measuring, "heat")["units"], "K")
        self.assertEqual(self.x.SR.query_data_source(measuring, "heat"), 300.5)
        self.assertEqual(self.x.host.query_data_source(self.host, "heat_of_page"), 299)
        text = self.http("GET", "/metrics", session_id=self.sid)[2].decode()
        labels = 'sr="%s",owner="sr",owner_uuid="%s",source="heat"' % (uuid, uuid)
        self.assertIn("gantry_plugin_value{%s} 300.5" % labels, text)
        shown = self.http(
            "GET", "/rrd_updates", session_id=self.sid, start=str(int(time.time()) - 60), host="true", sr_uuid=uuid,
            json="true")[2]
        legend = json.loads(shown)["meta"]["legend"]
        self.assertIn("AVERAGE:sr:%s:heat" % uuid, legend)
        self.assertTrue(any(entry.endswith(":heat_of_page") for entry in legend))

    @staticmethod
    def source(proxy, ref, label):
        return next(s for s in proxy.get_data_sources(ref) if s["name_label"] == label)

    def test_a_machine_has_sources_only_while_it_runs(self):
        vm, x = self.machine(), self.x.VM
        self.assertEqual(x.get_data_sources(vm), [])
        for call in (x.query_data_source, x.record_data_source, x.forget_data_source_archives):
            self.refused(["INVALID_VALUE", "data_source", "memory"], call, vm, "memory")

    def test_archives_are_read_over_http(self):
        self.x.host.backup_rrds(self.host, 0.0)
        uuid = self.x.host.get_uuid(self.host)
        status, _, body = self.http("GET", "/host_rrd", session_id=self.sid)
        self.assertEqual([status, ElementTree.fromstring(body).tag], [200, "rrd"])
        query = {"session_id": self.sid, "start": str(int(time.time()) - 60), "host": "true", "cf": "AVERAGE"}
        status, _, body = self.http("GET", "/rrd_updates", **query)
        self.assertEqual([status, ElementTree.fromstring(body).tag], [200, "xport"])
        shown = json.loads(self.http("GET", "/rrd_updates", json="true", **query)[2])
        self.assertTrue(any(uuid in entry for entry in shown["meta"]["legend"]))
        self.assertEqual(self.http("GET", "/rrd_updates", start="0")[0], 401)
        self.assertEqual(self.http("GET", "/rrd_updates", session_id=self.sid)[0], 400)
