"""Paths beside the calls: the audit log, numbers for monitoring, what is not there."""

import base64
import json
import time

from suite.case import Case
from suite.model import NOWHERE


class PathTests(Case):
    def test_the_audit_log_says_who_changed_what(self):
        person = self.person("pool-operator", "audited")
        network = person.xenapi.network.create({"name_label": "n", "name_description": "", "other_config": {}})
        person.xenapi.network.destroy(network)
        status, headers, body = self.http("GET", "/audit_log", session_id=self.sid)
        self.assertEqual(status, 200)
        lines = [json.loads(line) for line in body.decode().splitlines()]
        mine = [line for line in lines if line["subject"] == "audited"]
        self.assertEqual([line["call"] for line in mine], ["network.create", "network.destroy"])
        for line in mine:
            self.shows(line, user="audited", role="pool-operator", result="ok")
        self.assertEqual(mine[1]["objects"][0]["ref"], network)
        for hidden in ("secret of audited", person._session):
            self.assertNotIn(hidden, body.decode())
        self.x.task.destroy(headers["task-id"])
        status, headers, body = self.http("GET", "/audit_log", session_id=self.sid, since="20990101T00:00:00Z")
        self.assertEqual([status, body], [200, b""])
        self.x.task.destroy(headers["task-id"])
        self.assertEqual(self.http("GET", "/audit_log", session_id=self.sid, since="yesterday")[0], 400)
        self.assertEqual(self.http("GET", "/audit_log", session_id=NOWHERE)[0], 401)

    def test_who_asks_is_known_by_cookie_query_or_password(self):
        right = base64.b64encode(b"root:" + self.daemon.password.encode()).decode()
        for headers, query in [
            ({"Cookie": "session_id=%s" % self.sid}, {}),
            ({"Cookie": "other=1; session_id=%s" % self.sid}, {"session_id": NOWHERE}),
            ({}, {"session_id": self.sid}),
            ({"Authorization": "Basic " + right}, {}),
        ]:
            self.assertEqual(self.http("GET", "/host_rrd", headers=headers, **query)[0], 200)
        for headers, query in [({}, {}), ({"Authorization": "Basic bm9ib2R5"}, {}), ({}, {"session_id": NOWHERE})]:
            self.assertEqual(self.http("GET", "/host_rrd", headers=headers, **query)[0], 401)

    def test_monitoring_reads_numbers_and_health(self):
        status, headers, body = self.http("GET", "/metrics", session_id=self.sid)
        while status == 200 and not body:
            # The machine was not looked at yet.
            time.sleep(0.2)
            status, headers, body = self.http("GET", "/metrics", session_id=self.sid)
        self.assertEqual(status, 200)
        self.assertTrue(headers["Content-Type"].startswith("text/plain"))
        self.assertIn("# TYPE ", body.decode())
        self.assertEqual(self.http("GET", "/metrics")[0], 401)
        status, headers, body = self.http("GET", "/health")
        self.assertEqual([status, headers["Content-Type"], json.loads(body)["status"]], [200, "application/json", "ok"])

    def test_what_is_not_there_and_what_is_not_done(self):
        self.assertEqual(self.http("GET", "/no/such/path")[0], 404)
        self.assertEqual(self.http("PUT", "/no/such/path", b"x")[0], 403)
        self.assertEqual(self.http("PATCH", "/", b"x")[0], 501)
        self.assertEqual(self.http("GET", "/")[0], 200)
