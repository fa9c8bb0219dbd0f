"""Class session: logging in and out, by every way there is."""

import concurrent.futures
import threading

import XenAPI

from suite import clients
from suite.case import Case, World
from suite.model import NOWHERE


class SessionTests(Case):
    def test_the_unmodified_sdk_logs_in_calls_and_logs_out(self):
        session = XenAPI.Session(self.daemon.url)
        session.xenapi.login_with_password("root", self.daemon.password, "2.23", "unmodified")
        ref = session._session
        self.assertEqual(session.API_version, "2.23")
        self.assertEqual(session.xenapi.session.get_originator(ref), "unmodified")
        session.xenapi.session.logout()
        self.refused(["SESSION_INVALID", ref], self.proxy().call, "VM.get_all", ref)
        session("close")()

    def test_the_sdk_takes_the_local_socket_for_root_without_a_password(self):
        session = XenAPI.Session("http://" + self.daemon.socket.replace("/", "_"), transport=XenAPI.UDSTransport())
        session.xenapi.login_with_password("", "", "2.23", "local")
        record = session.xenapi.session.get_record(session._session)
        self.assertTrue(record["is_local_superuser"])
        self.assertEqual(session.xenapi.pool.get_all(), [self.pool])
        session.xenapi.session.logout()
        session("close")()

    def test_the_sdk_works_over_tls(self):
        session = XenAPI.Session(self.daemon.https, ignore_ssl=True)
        session.xenapi.login_with_password("root", self.daemon.password)
        self.assertEqual(session.xenapi.host.get_all(), [self.host])
        session.xenapi.session.logout()
        session("close")()

    def test_optional_arguments_may_be_left_out_and_surplus_ones_are_ignored(self):
        password = self.daemon.password
        for extra in [(), ("1.1",), ("nonsense", "mine"), ("2.23", "mine", "more", "still more")]:
            for client in (self.proxy(), self.json(), self.json("1.0"), self.proxy("/RPC2")):
                ref = client.call("session.login_with_password", "root", password, *extra)
                self.assertEqual(self.x.session.get_originator(ref), "mine" if len(extra) > 1 else "")
                self.assertEqual(client.call("session.logout", ref), "")
        self.refused(
            ["MESSAGE_PARAMETER_COUNT_MISMATCH", "session.login_with_password", "2", "1"],
            self.proxy().call,
            "session.login_with_password",
            "root",
        )

    def test_a_session_says_whose_it_is(self):
        record = self.x.session.get_record(self.log_in()._session)
        self.shows(
            record,
            is_local_superuser=True,
            auth_user_sid="",
            auth_user_name="root",
            this_host=self.host,
            this_user="OpaqueRef:NULL",
            subject="OpaqueRef:NULL",
            rbac_permissions=[],
            pool=False,
            client_certificate=False,
            parent="OpaqueRef:NULL",
        )
        person = self.person("vm-operator", "somebody")
        record = self.x.session.get_record(person._session)
        self.shows(
            record,
            is_local_superuser=False,
            auth_user_sid="somebody",
            auth_user_name="somebody",
            originator="python-suite",
        )
        self.assertEqual(self.x.subject.get_subject_identifier(record["subject"]), "somebody")
        self.assertEqual(self.x.user.get_short_name(record["this_user"]), "somebody")
        self.assertIn("vm.start", record["rbac_permissions"])
        self.assertNotIn("vm.create", record["rbac_permissions"])

    def test_wrong_credentials_are_refused_after_a_while(self):
        failed = "SESSION_AUTHENTICATION_FAILED"
        attempts = [
            (["session.login_with_password", "root", "wrong"], [failed, "root", ...]),
            (["session.login_with_password", "nobody", self.daemon.password], [failed, "nobody", ...]),
            (["session.login_with_password", "", ""], [failed, "", ...]),
            (["session.slave_local_login_with_password", "root", "wrong"], [failed, "root", ...]),
            (["session.slave_local_login_with_password", "nobody", self.daemon.password], [failed, "nobody", ...]),
            (["session.slave_local_login", "secret"], [failed, "", ...]),
            (["session.slave_login", self.host, "secret"], [failed, "", ...]),
        ]
        # All at once: each waits for some seconds.
        with concurrent.futures.ThreadPoolExecutor(len(attempts)) as pool:
            clients_ = [self.proxy() for _ in attempts]
            answers = [pool.submit(c.call, *call) for c, (call, _) in zip(clients_, attempts)]
            for (_, expected), answer in zip(attempts, answers):
                self.refused(expected, answer.result)

    def test_an_emergency_login_is_roots_and_ends_by_itself(self):
        session = XenAPI.Session(self.daemon.url, transport=clients.NotingTransport())
        session.xenapi.login_with_password("root", self.daemon.password)
        ref = self.proxy().call("session.slave_local_login_with_password", "root", self.daemon.password)
        self.assertTrue(self.x.session.get_is_local_superuser(ref))
        self.assertEqual(self.proxy().call("session.local_logout", ref), "")
        self.refused(["SESSION_INVALID", ref], self.proxy().call, "session.local_logout", ref)
        self.log_out(session)

    def test_logging_out_ends_the_session_and_what_waits_in_it(self):
        session = self.log_in()
        ref, token = session._session, session.xenapi.event_from(["network"], "", 0.0)["token"]
        answers = []

        def wait():
            try:
                self.proxy().call("event.from", ref, ["network"], token, 60.0)
            except XenAPI.Failure as failure:
                answers.append(failure.details)

        waiting = threading.Thread(target=wait)
        waiting.start()
        self.proxy().call("session.logout", ref)
        waiting.join(30)
        self.assertEqual(answers, [["SESSION_INVALID", ref]])
        self.refused(["HANDLE_INVALID", "session", ref], self.x.session.get_record, ref)

    def test_the_sdk_logs_in_again_when_its_session_is_gone(self):
        session = self.log_in()
        before = session._session
        self.proxy().call("session.logout", before)
        self.assertEqual(session.xenapi.host.get_all(), [self.host])
        self.assertNotEqual(session._session, before)

    def test_roots_password_is_changed_by_who_knows_it(self):
        old, new = self.daemon.password, "new ✓ <password>"
        self.refused(["CHANGE_PASSWORD_REJECTED", ...], self.x.session.change_password, "wrong", new)
        self.x.session.change_password(old, new)
        try:
            self.log_in("root", new)
        finally:
            self.x.session.change_password(new, old)
        self.log_in("root", old)
        self.refused(
            ["RBAC_PERMISSION_DENIED", "session.change_password", ...],
            self.person("pool-admin").xenapi.session.change_password,
            old,
            new,
        )

    def test_sessions_of_a_subject_are_listed_and_ended(self):
        first = self.person("pool-operator", "logged-in")
        second = self.log_in("logged-in", "secret of logged-in")
        self.assertIn("logged-in", self.x.session.get_all_subject_identifiers())
        self.assertNotIn("", self.x.session.get_all_subject_identifiers())
        # The caller's own session stays.
        first.xenapi.session.logout_subject_identifier("logged-in")
        self.assertEqual(first.xenapi.pool.get_all(), [self.pool])
        self.refused(["SESSION_INVALID", second._session], self.proxy().call, "pool.get_all", second._session)
        task = getattr(self.x, "Async").session.logout_subject_identifier("logged-in")
        self.succeeded(task)
        self.assertNotIn("logged-in", self.x.session.get_all_subject_identifiers())
        self.x.session.logout_subject_identifier("nobody")

    def test_clients_keep_notes_in_their_session(self):
        ref = self.log_in()._session
        self.x.session.set_other_config(ref, {"a": "b"})
        self.x.session.add_to_other_config(ref, "c", "d")
        self.refused(
            ["MAP_DUPLICATE_KEY", "session", "other_config", ref, "c"],
            self.x.session.add_to_other_config,
            ref,
            "c",
            "d",
        )
        self.x.session.remove_from_other_config(ref, "a")
        self.assertEqual(self.x.session.get_other_config(ref), {"c": "d"})

    def test_the_tasks_of_a_session_are_its_own(self):
        session = self.log_in()
        task = session.xenapi.task.create("mine", "")
        self.assertEqual(self.x.session.get_tasks(session._session), [task])
        self.assertNotIn(task, self.x.session.get_tasks(self.sid))
        self.x.task.destroy(task)
        self.assertEqual(World.session.xenapi.session.get_tasks(session._session), [])


class EnvelopeTests(Case):
    """What both encodings say around values and failures."""

    def test_the_three_forms_of_a_failure(self):
        self.refused(["HANDLE_INVALID", "VM", NOWHERE], self.json("1.0").call, "VM.get_record", self.sid, NOWHERE)
        self.refused(["HANDLE_INVALID", "VM", NOWHERE], self.json("2.0").call, "VM.get_record", self.sid, NOWHERE)
        answer = self.proxy().server.VM.get_record(self.sid, NOWHERE)
        self.assertEqual(answer, {"Status": "Failure", "ErrorDescription": ["HANDLE_INVALID", "VM", NOWHERE]})

    def test_a_call_in_any_form_is_the_same_call(self):
        expected = self.x.host.get_record(self.host)["uuid"]
        for client in (self.proxy(), self.proxy("/RPC2"), self.json("1.0"), self.json("2.0")):
            self.assertEqual(client.call("host.get_uuid", self.sid, self.host), expected)
            self.assertEqual(client.call("host_get_uuid", self.sid, self.host), expected)
            self.assertEqual(client.call("pool.get_tags", self.sid, self.pool), [])

    def test_answers_forbid_caches_and_allow_browsers(self):
        status, headers, _ = self.http(
            "POST", "/jsonrpc", '{"jsonrpc":"2.0","method":"pool.get_all","params":["%s"],"id":"text"}' % self.sid
        )
        self.assertEqual(
            [status, headers["Content-Type"], headers["Cache-Control"], headers["Access-Control-Allow-Origin"]],
            [200, "application/json", "no-cache, no-store", "*"],
        )
        status, headers, _ = self.http(
            "OPTIONS", "/jsonrpc", headers={"Access-Control-Request-Headers": "content-type"}
        )
        self.assertEqual(
            [status, headers["Access-Control-Allow-Origin"], headers["Access-Control-Allow-Headers"]],
            [200, "*", "content-type, X-Requested-With"],
        )
        self.assertEqual(self.http("POST", "/jsonrpc", "{}")[0], 500)

    def test_texts_travel_unchanged(self):
        text = "<&>\"' é ✓ \U0001f600 ]]> \\ \t\n end"
        pool = self.pool
        before = self.x.pool.get_name_label(pool)
        for write, read in [(self.proxy(), self.json()), (self.json(), self.proxy())]:
            write.call("pool.set_name_label", self.sid, pool, text)
            self.assertEqual(read.call("pool.get_name_label", self.sid, pool), text)
        self.x.pool.set_name_label(pool, before)

    def test_what_is_no_value_of_the_api_is_refused(self):
        for call, arguments in [
            (self.x.VM.get_record, (None,)),
            (self.x.pool.set_other_config, (self.pool, {"key": 7})),
            (self.x.pool.set_tags, (self.pool, "no list")),
            (self.x.host.set_name_label, (self.host, ["a list"])),
        ]:
            self.refused(["INTERNAL_ERROR", ...], call, *arguments)
        self.assertEqual(self.json().error("VM.get_record", self.sid, None)[0], "INTERNAL_ERROR")
        self.assertEqual(self.x.pool.get_tags(self.pool), [])

    def test_numbers_are_taken_in_every_form(self):
        vm = self.machine()
        for client, numbers in [(self.proxy(), [7, "7"]), (self.json(), [7, "7"])]:
            for number in numbers:
                client.call("VM.set_user_version", self.sid, vm, 1)
                client.call("VM.set_user_version", self.sid, vm, number)
                self.assertEqual(self.x.VM.get_user_version(vm), "7")
        self.json().call("VM.set_user_version", self.sid, vm, 1 << 40)
        self.assertEqual(self.json().call("VM.get_user_version", self.sid, vm), 1 << 40)
