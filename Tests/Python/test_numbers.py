"""Data sources and the archives of what was measured."""

import json
import time
import xml.etree.ElementTree as ElementTree

from suite.case import Case


class NumberTests(Case):
    def measured(self, proxy, ref):
        """The sources of an object; a new one has them from the next look at the machine on."""
        while not proxy.get_data_sources(ref):
            time.sleep(0.2)
        return proxy.get_data_sources(ref)

    def test_sources_are_listed_asked_and_switched(self):
        machine = self.machine()
        self.x.VM.start(machine, False, False)
        for name, ref in [("host", self.host), ("SR", self.repository()), ("VM", machine)]:
            proxy = getattr(self.x, name)
            sources = self.measured(proxy, ref)
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
