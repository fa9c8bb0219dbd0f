"""Classes message, secret and blob: what is kept with other objects."""

import os
import time
import xmlrpc.client

from suite.case import Case
from suite.model import NOWHERE


class MessageTests(Case):
    def setUp(self):
        super().setUp()
        self.uuid = self.x.host.get_uuid(self.host)

    def note(self, name="ALARM", priority="3", body="body"):
        ref = self.x.message.create(name, priority, "Host", self.uuid, body)
        self.addCleanup(self.drop, ref)
        return ref

    def drop(self, ref):
        if ref in self.x.message.get_all():
            self.x.message.destroy(ref)

    def test_a_message_is_written_read_and_removed(self):
        watch = self.watch("message")
        ref = self.note(body="<value> & ✓")
        record = self.x.message.get_record(ref)
        self.shows(record, name="ALARM", priority="3", cls="Host", obj_uuid=self.uuid, body="<value> & ✓")
        self.assertEqual(watch.expect(ref, "add"), record)
        self.assertEqual(self.x.message.get_by_uuid(record["uuid"]), ref)
        self.assertIn(ref, self.x.message.get_all())
        self.assertEqual(self.x.message.get_all_records()[ref], record)
        self.assertEqual(self.x.message.get_all_records_where('field "uuid" = "%s"' % record["uuid"]), {ref: record})
        self.x.message.destroy(ref)
        self.assertIsNone(watch.expect(ref, "del"))
        self.refused(["HANDLE_INVALID", "message", ref], self.x.message.get_record, ref)
        self.refused(["UUID_INVALID", "message", record["uuid"]], self.x.message.get_by_uuid, record["uuid"])
        self.unknown("message", self.x.message.destroy)

    def test_xe_lists_and_removes_messages(self):
        ref = self.note("OF_XE")
        uuid = self.x.message.get_record(ref)["uuid"]
        self.assertEqual(self.xe("message-list", "name=OF_XE", "--minimal"), uuid)
        self.assertIn("obj-uuid ( RO): " + self.uuid, self.xe("message-list", "uuid=" + uuid))
        self.assertEqual(self.xe("message-param-get", "uuid=" + uuid, "param-name=class"), "Host")
        self.xe("message-destroy", "uuid=" + uuid)
        self.assertNotIn(ref, self.x.message.get_all())
        made = self.xe("message-create", "name=OF_XE", "priority=78", "body=b", "host-uuid=" + self.uuid)
        self.xe("message-destroy-all", "priority=78", "after=20200101T00:00:00Z")
        self.assertEqual(self.xe("message-list", "uuid=" + made), "")

    def test_messages_are_found_by_object_and_time(self):
        ref = self.note()
        past = xmlrpc.client.DateTime("20200101T00:00:00Z")
        future = xmlrpc.client.DateTime(time.strftime("%Y%m%dT%H:%M:%SZ", time.gmtime(time.time() + 86400)))
        self.assertIn(ref, self.x.message.get("Host", self.uuid, past))
        self.assertEqual(self.x.message.get("Host", self.uuid, future), {})
        self.assertNotIn(ref, self.x.message.get("SR", self.uuid, past))
        self.assertIn(ref, self.x.message.get_since(past))
        self.assertEqual(self.x.message.get_since(future), {})

    def test_messages_about_nothing_are_refused(self):
        self.refused(["UUID_INVALID", "VM", self.uuid], self.x.message.create, "n", "1", "VM", self.uuid, "")
        self.refused(["UUID_INVALID", "SR", "x"], self.x.message.create, "n", "1", "SR", "x", "")
        self.refused(["INTERNAL_ERROR", ...], self.x.message.create, "n", "1", "no such class", self.uuid, "")
        self.refused(["INVALID_VALUE", "name", ...], self.note, "n" * 1025)
        self.refused(["INVALID_VALUE", "body", ...], self.note, "n", "1", "b" * 65537)

    def test_many_are_removed_at_once(self):
        refs = [self.note() for _ in range(3)]
        self.x.message.destroy_many(refs[:2])
        self.assertEqual([r in self.x.message.get_all() for r in refs], [False, False, True])
        other = self.note(priority="77")
        self.x.message.destroy_all({"priority": "77", "after": "20200101T00:00:00Z"})
        self.assertEqual([r in self.x.message.get_all() for r in (other, refs[2])], [False, True])
        self.refused(["INVALID_VALUE", "filters", "colour"], self.x.message.destroy_all, {"colour": "red"})
        self.refused(["INVALID_VALUE", "before", "soon"], self.x.message.destroy_all, {"before": "soon"})
        self.succeeded(self.x.Async.message.destroy_many(refs))
        self.assertNotIn(refs[2], self.x.message.get_all())


class SecretTests(Case):
    def test_a_secret_is_kept_and_told_to_those_who_may_know(self):
        ref = self.x.secret.create({"value": "hush <✓>", "other_config": {"k": "v"}})
        record = self.x.secret.get_record(ref)
        self.assertEqual([record["value"], record["other_config"]], ["hush <✓>", {"k": "v"}])
        self.refused(
            ["RBAC_PERMISSION_DENIED", "secret.get_record", ...], self.person("vm-admin").xenapi.secret.get_record, ref
        )
        self.x.secret.set_value(ref, "other")
        self.assertEqual(self.x.secret.get_value(ref), "other")
        self.x.secret.destroy(ref)
        self.refused(["HANDLE_INVALID", "secret", ref], self.x.secret.get_value, ref)
        self.unknown("secret", self.x.secret.destroy)
        self.refused(["INVALID_VALUE", "value", ...], self.x.secret.create, {"value": "v" * 65537})

    def test_a_secret_of_another_pool_keeps_its_identity(self):
        uuid = "89abcdef-0123-4567-89ab-cdef01234567"
        ref = self.x.secret.introduce(uuid, "known", {})
        self.assertEqual([self.x.secret.get_by_uuid(uuid), self.x.secret.get_value(ref)], [ref, "known"])
        self.refused(["INVALID_VALUE", "uuid", ""], self.x.secret.introduce, "", "x", {})
        self.succeeded(self.x.Async.secret.destroy(ref))


class BlobTests(Case):
    def test_a_blob_takes_content_and_gives_it_back(self):
        blob = self.x.blob.create("text/plain", False)
        record = self.x.blob.get_record(blob)
        self.shows(record, mime_type="text/plain", public=False, size="0")
        content = os.urandom(100_000)
        self.assertEqual(self.http("PUT", "/blob", content, ref=blob)[0], 401)
        self.assertEqual(self.http("PUT", "/blob", content, ref=blob, session_id=self.sid)[0], 200)
        status, headers, body = self.http("GET", "/blob", uuid=record["uuid"], session_id=self.sid)
        self.assertEqual([status, headers["Content-Type"], body == content], [200, "text/plain", True])
        self.assertEqual(self.x.blob.get_size(blob), "100000")
        self.assertEqual(self.http("GET", "/blob", ref=blob)[0], 401)
        self.x.blob.set_public(blob, True)
        self.assertEqual(self.http("GET", "/blob", ref=blob)[2], content)
        self.x.blob.destroy(blob)
        self.assertEqual(self.http("GET", "/blob", ref=blob, session_id=self.sid)[0], 404)
        self.unknown("blob", self.x.blob.destroy)
        # The second argument may be left out; not every text is a kind of content.
        self.x.blob.destroy(self.x.blob.create("image/png"))
        self.refused(["INVALID_VALUE", "mime_type", "a\nb"], self.x.blob.create, "a\nb", False)

    def test_objects_of_some_classes_have_blobs(self):
        network = self.x.network.create({"name_label": "n", "name_description": "", "other_config": {}})
        self.addCleanup(self.x.network.destroy, network)
        made = []
        for proxy, name, ref in [
            (self.x.network, "network", network),
            (self.x.host, "host", self.host),
            (self.x.pool, "pool", self.pool),
            (self.x.SR, "SR", self.repository()),
            (self.x.VM, "VM", self.machine()),
        ]:
            blob = proxy.create_new_blob(ref, "note", "text/plain", True)
            made.append(blob)
            self.assertEqual(proxy.get_blobs(ref), {"note": blob})
            self.assertEqual([self.x.blob.get_name_label(blob), self.x.blob.get_public(blob)], ["note", True])
            self.refused(
                ["MAP_DUPLICATE_KEY", name, "blobs", ref, "note"], proxy.create_new_blob, ref, "note", "text/plain"
            )
            self.unknown(name, proxy.create_new_blob, "note", "text/plain", False)
            self.x.blob.destroy(blob)
            self.assertEqual(proxy.get_blobs(ref), {})
        # Those of objects that are gone are swept later; these were destroyed.
        self.assertEqual(set(made) & set(self.x.blob.get_all()), set())
        self.refused(["HANDLE_INVALID", "blob", NOWHERE], self.x.blob.get_record, NOWHERE)
