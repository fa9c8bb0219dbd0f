"""What well-known programs ask of a XenAPI server, in their order and in their ways."""

import json
import os
import socket
import struct
import urllib.parse
import urllib.request
import xmlrpc.client

import XenAPI

from suite import clients
from suite.case import MIB, Case, drive_record, machine_record
from suite.model import NOWHERE


class OrchestratorTests(Case):
    """A web front end: JSON-RPC 2.0, everything at log-in, then events; disks over HTTP with a task."""

    def setUp(self):
        super().setUp()
        self.rpc = self.json()
        self.session = self.rpc.call("session.login_with_password", "root", self.daemon.password, "1.0", "orchestrator")
        self.addCleanup(self.rpc.error, "session.logout", self.session)

    def test_it_loads_everything_and_follows_the_changes(self):
        call = lambda method, *rest: self.rpc.call(method, self.session, *rest)
        methods = self.rpc.call("system.listMethods")
        pools = call("pool.get_all_records")
        self.assertEqual(len(pools), 1)
        pool = next(iter(pools))
        objects, token = {}, call("event.from", [], "", 0.1)["token"]
        removed = set()
        for name in sorted({m.split(".")[0] for m in methods if m.endswith(".get_all_records")}):
            try:
                records = call(name + ".get_all_records")
            except XenAPI.Failure as failure:
                # Such clients know that of classes that are no more, and of nothing else.
                self.assertEqual(failure.details, ["MESSAGE_REMOVED"])
                removed.add(name)
                continue
            for ref, record in records.items():
                objects[ref] = dict(record, type=name.lower())
        self.assertIn("VMPP", removed)
        self.assertNotIn("VM", removed)
        self.assertLessEqual(
            {"pool", "host", "vm", "sm", "network", "pif", "host_cpu"}, {o["type"] for o in objects.values()}
        )
        # A barrier: an event of its own that must come after all that was before.
        call("pool.add_to_other_config", pool, "barrier", "1")
        try:
            token = self.follow(objects, token, lambda: objects[pool]["other_config"].get("barrier") == "1")
            network = call(
                "network.create", {"name_label": "n", "name_description": "", "other_config": {}, "tags": []}
            )
            token = self.follow(objects, token, lambda: network in objects)
            self.assertEqual(objects[network]["MTU"], 1500)
            call("network.destroy", network)
            self.follow(objects, token, lambda: network not in objects)
        finally:
            call("pool.remove_from_other_config", pool, "barrier")

    def follow(self, objects, token, until):
        for _ in range(100):
            batch = self.rpc.call("event.from", self.session, ["*"], token, 60.1)
            token = batch["token"]
            for event in batch["events"]:
                if event["operation"] == "del":
                    objects.pop(event["ref"], None)
                else:
                    objects[event["ref"]] = dict(event["snapshot"], type=event["class"])
            if until():
                return token
        self.fail("the change was not told")

    def test_it_backs_a_disk_up_and_restores_it(self):
        call = lambda method, *rest: self.rpc.call(method, self.session, *rest)
        sr = self.repository("vhd")
        record = {
            "name_label": "disk",
            "name_description": "",
            "other_config": {},
            "read_only": False,
            "sharable": False,
            "SR": sr,
            "sm_config": {},
            "tags": [],
            "type": "user",
            "virtual_size": 4 * MIB,
            "xenstore_data": {},
        }
        first, second = call("VDI.create", record), call("VDI.create", record)
        content = os.urandom(MIB) + bytes(2 * MIB) + os.urandom(MIB)
        self.transfer("PUT", "/import_raw_vdi/", content, vdi=first, format="raw")
        backup = self.transfer("GET", "/export_raw_vdi/", None, vdi=first, format="vhd")
        self.assertEqual((backup[:8], backup[-512:-504]), (b"conectix", b"conectix"))
        self.assertEqual(struct.unpack(">Q", backup[48:56])[0], 4 * MIB)
        self.transfer("PUT", "/import_raw_vdi/", backup, vdi=second, format="vhd")
        self.assertEqual(self.transfer("GET", "/export_raw_vdi/", None, vdi=second, format="raw"), content)

    def test_it_sends_images_of_a_length_that_it_does_not_know(self):
        """It names a pebibyte, sends the image, and hangs up."""
        x, sr = self.x, self.repository("vhd")
        first = self.disk(sr)
        content = bytes(MIB) + os.urandom(MIB) + bytes(2 * MIB)
        self.transfer("PUT", "/import_raw_vdi/", content, vdi=first, format="raw")
        for form in ("vhd", "qcow2"):
            image = self.transfer("GET", "/export_raw_vdi/", None, vdi=first, format=form)
            vdi = self.disk(sr)
            for body, error in ((image, []), (image[: len(image) // 2], ["IMPORT_ERROR_PREMATURE_EOF"])):
                task = x.task.create("import", "")
                place = urllib.parse.urlparse(self.daemon.url)
                query = urllib.parse.urlencode({"session_id": self.sid, "vdi": vdi, "format": form, "task_id": task})
                head = "PUT /import_raw_vdi/?%s HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % (query, 1 << 50)
                with socket.create_connection((place.hostname, place.port)) as connection:
                    connection.sendall(head.encode())
                    # All of it: what is left unread when the client hangs up resets the connection.
                    answer = b""
                    while b"\r\n\r\n" not in answer:
                        piece = connection.recv(4096)
                        self.assertTrue(piece, "hung up after %r" % answer)
                        answer += piece
                    self.assertIn(b" 200 ", answer)
                    connection.sendall(body)
                self.assertEqual(self.finished(task)["error_info"], error, form)
                if not error:
                    self.assertTrue(self.transfer("GET", "/export_raw_vdi/", None, vdi=vdi, format="raw") == content)
        status, _, _ = self.http("GET", "/export_raw_vdi", session_id=self.sid, vdi=first, format="tar")
        self.assertEqual(status, 404)

    def transfer(self, method, path, body, **query):
        """One transfer that a task of the client's stands for, and which succeeds."""
        call = lambda name, *rest: self.rpc.call(name, self.session, *rest)
        task = call("task.create", "%s %s" % (method, path), "")
        status, _, answer = self.http(method, path, body, session_id=self.session, task_id=task, **query)
        self.assertEqual(status, 200)
        token = ""
        while call("task.get_status", task) == "pending":
            token = call("event.from", ["task/" + task], token, 60)["token"]
        self.assertEqual(call("task.get_record", task)["status"], "success")
        call("task.destroy", task)
        return answer

    def test_it_begins_long_calls_and_reads_their_results_from_tasks(self):
        sr = self.repository()
        vdi = self.disk(sr)
        task = self.rpc.call("Async.VDI.pool_migrate", self.session, vdi, self.repository("vhd"), {})
        token, record = "", {"status": "pending"}
        while record["status"] == "pending":
            batch = self.rpc.call("event.from", self.session, ["task"], token, 60)
            token = batch["token"]
            record = next((e["snapshot"] for e in batch["events"] if e["ref"] == task), record)
        self.assertRegex(record["result"], "^<value>OpaqueRef:.*</value>$")
        self.assertEqual(record["progress"], 1)
        self.rpc.call("task.destroy", self.session, task)


class AutomationTests(Case):
    """Configuration management: the Python SDK, objects by name or by query, idempotent changes."""

    def test_it_finds_a_machine_changes_it_and_finds_nothing_to_change(self):
        session = XenAPI.Session(self.daemon.url, transport=clients.NotingTransport())
        session.login_with_password("root", self.daemon.password, "2.0", "automation")
        self.addCleanup(self.log_out, session)
        x = session.xenapi
        host = x.session.get_this_host(session._session)
        self.assertIn("product_version", x.host.get_software_version(host))
        vm = self.machine(name_label="web-1")
        vdi = self.disk(self.repository())
        self.drive(vm, vdi)
        query = 'field "name__label" = "web-1" and field "is_a_template" = "false" and field "is_a_snapshot" = "false"'
        found = x.VM.get_all_records_where(query)
        self.assertEqual(list(found), [vm])
        self.assertEqual(x.VM.get_by_uuid(found[vm]["uuid"]), vm)
        # Everything around it.
        record = found[vm]
        drives = [x.VBD.get_record(ref) for ref in record["VBDs"]]
        disks = [x.VDI.get_record(d["VDI"]) for d in drives if d["type"] == "Disk" and d["VDI"] != "OpaqueRef:NULL"]
        self.assertEqual([x.SR.get_name_label(d["SR"]) for d in disks], [x.SR.get_name_label(x.VDI.get_SR(vdi))])
        self.assertEqual([record["VIFs"], record["guest_metrics"]], [[], "OpaqueRef:NULL"])
        wanted = {"name_description": "by automation", "memory": str(512 * MIB), "cpus": "2"}
        for expected in (True, False):
            changed = False
            record = x.VM.get_record(vm)
            if record["name_description"] != wanted["name_description"]:
                x.VM.set_name_description(vm, wanted["name_description"])
                changed = True
            if record["memory_dynamic_max"] != wanted["memory"]:
                x.VM.set_memory_limits(vm, *[wanted["memory"]] * 4)
                changed = True
            if record["VCPUs_max"] != wanted["cpus"]:
                x.VM.set_VCPUs_max(vm, wanted["cpus"])
                x.VM.set_VCPUs_at_startup(vm, wanted["cpus"])
                changed = True
            self.assertEqual(changed, expected)
        self.assertEqual(x.VM.get_by_name_label("no such machine"), [])

    def test_it_reads_lists_with_nothing_but_pythons_own_library(self):
        server = xmlrpc.client.ServerProxy(self.daemon.url + "/RPC2")
        answer = server.session.login_with_password("root", self.daemon.password)
        self.assertEqual(sorted(answer), ["Status", "Value"])
        session = answer["Value"]
        # Several calls in one request are no part of the API.
        self.assertEqual(
            server.system.multicall(),
            {"Status": "Failure", "ErrorDescription": ["MESSAGE_METHOD_UNKNOWN", "system.multicall"]},
        )
        for name in ("SR", "VDI", "PBD", "host", "pool", "network"):
            answer = getattr(server, name).get_all_records(session)
            self.assertEqual(answer["Status"], "Success")
        self.assertEqual(server.session.logout(session), {"Status": "Success", "Value": ""})
        server("close")()

    def test_it_speaks_json_with_urllib(self):
        def call(method, *params):
            body = json.dumps({"jsonrpc": "2.0", "method": method, "params": params, "id": "a text"}).encode()
            request = urllib.request.Request(
                self.daemon.url + "/jsonrpc", body, {"Content-Type": "application/json", "Accept": "application/json"}
            )
            with urllib.request.urlopen(request) as answer:
                answer = json.load(answer)
            self.assertEqual(answer["id"], "a text")
            return answer

        session = call("session.login_with_password", "root", self.daemon.password)["result"]
        self.assertEqual(call("host.get_all", session)["result"], [self.host])
        error = call("VM.get_record", session, NOWHERE)["error"]
        self.assertEqual(error, {"code": 1, "message": "HANDLE_INVALID", "data": ["VM", NOWHERE]})
        self.assertEqual(call("session.logout", session)["result"], "")


class FenceTests(Case):
    """A fence agent: finds a machine by its label, looks whether it is on, switches it off and on."""

    def test_it_switches_a_machine_off_and_on(self):
        vm = self.machine(name_label="fenced")
        session = self.log_in()
        x = session.xenapi

        def status():
            found = x.VM.get_by_name_label("fenced")
            self.assertEqual(len(found), 1)
            record = x.VM.get_record(found[0])
            self.assertFalse(record["is_a_template"] or record["is_control_domain"])
            return "on" if record["power_state"].lower() == "running" else "off"

        self.assertEqual(status(), "off")
        # Paused: no; forced: yes.
        x.VM.start(vm, False, True)
        self.assertEqual(status(), "on")
        if self.model.is_implemented("VM.hard_reboot"):
            x.VM.hard_reboot(vm)
            self.assertEqual(status(), "on")
        else:
            self.refused(["NOT_IMPLEMENTED", "VM.hard_reboot"], x.VM.hard_reboot, vm)
        x.VM.hard_shutdown(vm)
        self.assertEqual(status(), "off")
        names = {r["name_label"] for r in x.VM.get_all_records().values() if not r["is_control_domain"]}
        self.assertIn("fenced", names)


class ProvisionerTests(Case):
    """A provisioning tool written in a typed language: records with every member, empty where nothing is known."""

    EMPTY = {
        "string": "",
        "int": "0",
        "bool": False,
        "float": 0.0,
        "ref": "",
        "set": [],
        "map": {},
        "datetime": xmlrpc.client.DateTime("00010101T00:00:00Z"),
    }

    def whole(self, name, **members):
        """A record with all members of the class, as such a language marshals it."""
        record = {}
        for field in self.model.classes[name].fields:
            kind = field.type.parts[0] if field.type.kind == "option" else field.type
            record[field.name] = self.model.enums[kind.name][0] if kind.kind == "enum" else self.EMPTY[kind.kind]
        return record | members

    def test_members_that_nobody_may_set_are_ignored(self):
        sr = self.repository("qcow2")
        vdi = self.x.VDI.create(self.whole("VDI", name_label="disk", SR=sr, virtual_size=str(4 * MIB), type="user"))
        record = self.x.VDI.get_record(vdi)
        self.shows(record, name_label="disk", managed=True, virtual_size=str(4 * MIB))
        self.assertNotEqual(record["uuid"], "")
        vm = self.x.VM.create(self.whole("VM", **machine_record(name_label="typed")))
        self.addCleanup(self.drop_machine, vm)
        self.assertEqual([self.x.VM.get_power_state(vm), self.x.VM.get_domid(vm)], ["Halted", "-1"])
        vbd = self.x.VBD.create(self.whole("VBD", **drive_record(vm, vdi)))
        self.assertEqual([self.x.VBD.get_VM(vbd), self.x.VBD.get_currently_attached(vbd)], [vm, False])
        network = self.x.network.create(self.whole("network", name_label="typed", MTU="1500", managed=True))
        self.assertRegex(self.x.network.get_bridge(network), "^xapi")
        self.x.network.destroy(network)

    def test_numbers_come_as_int_elements_and_calls_without_optional_arguments(self):
        call = (
            '<?xml version="1.0"?><methodCall><methodName>%s</methodName><params><param><value><string>%s</string>'
            "</value></param>%s</params></methodCall>"
        )

        def post(method, *values):
            parts = "".join("<param><value>%s</value></param>" % v for v in values)
            _, _, body = self.http("POST", "/", call % (method, self.sid, parts), {"Content-Type": "text/xml"})
            return xmlrpc.client.loads(body)[0][0]

        vm = self.machine()
        for number in ("<int>512</int>", "<i4>512</i4>", "<i8>512</i8>", "<string>512</string>", "512"):
            self.x.VM.set_user_version(vm, "1")
            self.assertEqual(post("VM.set_user_version", "<string>%s</string>" % vm, number)["Status"], "Success")
            self.assertEqual(self.x.VM.get_user_version(vm), "512")
        blob = post("VM.create_new_blob", vm, "note", "text/plain")["Value"]
        self.assertIs(self.x.blob.get_public(blob), False)
        self.x.blob.destroy(blob)
        self.assertEqual(
            post("VM.create_new_blob", vm, "note")["ErrorDescription"],
            ["MESSAGE_PARAMETER_COUNT_MISMATCH", "VM.create_new_blob", "3", "2"],
        )
