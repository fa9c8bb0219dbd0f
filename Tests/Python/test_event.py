"""Class event: what clients learn of changes, by event.from and by the older messages."""

import threading
import time

import XenAPI

from suite.case import Case
from suite.model import NOWHERE


class EventTests(Case):
    def network(self, label="n"):
        ref = self.x.network.create({"name_label": label, "name_description": "", "other_config": {}})
        self.addCleanup(self.drop, ref)
        return ref

    def drop(self, ref):
        try:
            self.x.network.destroy(ref)
        except XenAPI.Failure as failure:
            assert failure.details[0] == "HANDLE_INVALID", failure

    def token(self, *classes):
        return self.x.event_from(list(classes), "", 0.0)["token"]

    def test_adds_changes_and_deletions_are_told(self):
        watch = self.watch("network")
        ref = self.network()
        self.assertEqual(watch.expect(ref, "add")["name_label"], "n")
        self.x.network.set_name_label(ref, "m")
        self.assertEqual(watch.expect(ref, "mod"), self.x.network.get_record(ref))
        self.x.network.destroy(ref)
        events = [e for e in watch.next() if e["ref"] == ref]
        self.assertEqual([(e["class"], e["operation"], "snapshot" in e) for e in events], [("network", "del", False)])

    def test_an_object_is_told_once_as_it_is_now(self):
        token = self.token("network")
        ref = self.network("first")
        for label in ("second", "third"):
            self.x.network.set_name_label(ref, label)
        gone = self.network()
        self.x.network.destroy(gone)
        events = self.x.event_from(["network"], token, 10.0)["events"]
        mine = [(e["ref"], e["operation"], e["snapshot"]["name_label"]) for e in events if e["ref"] in (ref, gone)]
        self.assertEqual(mine, [(ref, "add", "third")])

    def test_classes_are_chosen_in_any_case_and_objects_by_reference(self):
        first, second = self.network(), self.network()
        token = self.token("network")
        for ref in (first, second):
            self.x.network.add_tags(ref, "tagged")
        for classes, expected in [
            (["NETWORK"], {first, second}),
            (["network/" + first], {first}),
            (["Network/" + second, "vm"], {second}),
            (["*"], {first, second}),
            (["vm"], set()),
            (["no_such_class"], set()),
            ([], set()),
            (["network/" + NOWHERE], set()),
        ]:
            batch = self.x.event_from(classes, token, 10.0 if expected else 0.0)
            self.assertEqual({e["ref"] for e in batch["events"] if e["class"] == "network"}, expected, classes)
            self.assertRegex(batch["token"], r"^\d{20},\d{20}$")

    def test_a_call_without_news_returns_empty_when_its_time_is_over(self):
        token = self.token("network")
        began = time.monotonic()
        batch = self.x.event_from(["network/" + NOWHERE], token, 0.3)
        self.assertEqual(batch["events"], [])
        self.assertGreaterEqual(time.monotonic() - began, 0.25)
        self.assertEqual(batch["valid_ref_counts"]["pool"], 1)
        # Whole seconds are numbers, too.
        self.assertEqual(self.x.event_from(["network/" + NOWHERE], token, 0)["events"], [])
        self.assertEqual(self.json().call("event.from", self.sid, [], token, 0)["events"], [])

    def test_a_waiting_call_returns_with_the_change(self):
        ref, answers = self.network(), []
        token, proxy = self.token("network"), self.proxy()
        waiting = threading.Thread(
            target=lambda: answers.append(proxy.call("event.from", self.sid, ["network/" + ref], token, 60.0))
        )
        waiting.start()
        self.x.network.set_name_description(ref, "changed")
        waiting.join(30)
        self.assertEqual([e["snapshot"]["name_description"] for e in answers[0]["events"]], ["changed"])

    def test_tokens_that_are_none(self):
        for token in ("x", "1", "1,", ",", "-1,0", "1,2,3", " 1,2"):
            self.refused(["EVENT_FROM_TOKEN_PARSE_FAILURE", token], self.x.event_from, ["*"], token, 0.0)

    def test_an_injected_event_is_a_change(self):
        ref = self.network()
        token = self.x.event.inject("network", ref)
        events = self.x.event_from(["network"], token, 10.0)["events"]
        self.assertIn((ref, "mod"), [(e["ref"], e["operation"]) for e in events])
        self.refused(["HANDLE_INVALID", "network", NOWHERE], self.x.event.inject, "network", NOWHERE)

    def test_the_current_number_grows_with_changes(self):
        before = int(self.x.event.get_current_id())
        self.network()
        self.assertGreater(int(self.x.event.get_current_id()), before)

    def test_json_shows_the_same_events(self):
        client, token = self.json(), self.token("network")
        ref = self.network()
        batch = client.call("event.from", self.sid, ["network"], token, 10.0)
        event = next(e for e in batch["events"] if e["ref"] == ref)
        self.assertEqual([event["operation"], event["snapshot"]["MTU"]], ["add", 1500])
        self.assertIsInstance(batch["valid_ref_counts"]["network"], int)

    def test_sessions_and_secrets_are_in_no_event(self):
        token = self.token("*")
        secret = self.x.secret.create({"value": "hush", "other_config": {}})
        self.log_in()
        ref = self.network()
        batch = self.x.event_from(["*", "session", "secret"], token, 10.0)
        self.assertIn(ref, [e["ref"] for e in batch["events"]])
        self.assertFalse({e["class"] for e in batch["events"]} & {"session", "secret", "user"})
        self.x.secret.destroy(secret)


class RegisteredEventTests(Case):
    def test_registering_asking_and_unregistering(self):
        session = self.log_in()
        x, ref = session.xenapi, session._session
        self.refused(["SESSION_NOT_REGISTERED", ref], x.event.next)
        x.event.register(["network", "secret"])
        network = x.network.create({"name_label": "n", "name_description": "", "other_config": {}})
        events = x.event.next()
        self.assertEqual(
            [(e["class"], e["operation"], e["ref"], e["snapshot"]["name_label"]) for e in events],
            [("network", "add", network, "n")],
        )
        x.network.destroy(network)
        again = x.event.next()
        self.assertEqual([(e["operation"], e["ref"]) for e in again], [("del", network)])
        # Numbered one by one.
        self.assertEqual(int(again[0]["id"]), int(events[-1]["id"]) + 1)
        x.event.unregister(["network"])
        x.event.register(["pool"])
        other = x.network.create({"name_label": "n", "name_description": "", "other_config": {}})
        x.network.destroy(other)
        x.event.inject("pool", self.pool)
        self.assertEqual({e["class"] for e in x.event.next()}, {"pool"})
        self.succeeded(x.Async.event.register(["vm"]))
        self.succeeded(x.Async.event.unregister(["vm"]))

    def test_a_waiting_call_ends_with_its_session(self):
        session = self.log_in()
        session.xenapi.event.register(["network"])
        ref, proxy, answers = session._session, self.proxy(), []

        def wait():
            try:
                proxy.call("event.next", ref)
            except XenAPI.Failure as failure:
                answers.append(failure.details)

        waiting = threading.Thread(target=wait)
        waiting.start()
        self.proxy().call("session.logout", ref)
        waiting.join(30)
        self.assertEqual(answers, [["SESSION_INVALID", ref]])
