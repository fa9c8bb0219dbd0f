"""All messages alike: names, numbers and types of arguments, unknown objects, rights, tasks, what is missing."""

from suite.case import Case
from suite.model import NOWHERE, ROLES

#: Messages whose first argument is a reference that is looked at after something else, or not at all; with the reason.
NOT_BY_REFERENCE = {
    "session.slave_login": "refused before: a pool of one host has no secret",
    "session.logout": "takes no object but the session",
}


class EveryMessageTests(Case):
    sweeping = True

    def setUp(self):
        super().setUp()
        self.client = self.json()
        self.differences = []

    def messages(self, choose=lambda message: True):
        for message in self.model.messages.values():
            if choose(message):
                yield message

    def expect(self, message, expected, error):
        """Notes a difference; the test goes on with the next message."""
        same = (
            error is not None
            and len(error) == len(expected)
            and all(e is ... or e == d for e, d in zip(expected, error))
        )
        if not same:
            self.differences.append("%s: %s instead of %s" % (message.name, error, expected))

    def agree(self):
        self.assertEqual(self.differences, [])

    def session(self, message):
        return [self.sid] if message.needs_session else []

    def test_both_encodings_list_every_message(self):
        names = sorted(self.model.messages)
        # Four of them ours: the plans of moves, and moves to other pools that wait for an answer.
        self.assertEqual(len(names), 2258 + 4)
        self.assertEqual(self.proxy().server.system.listMethods(), names)
        self.assertEqual(self.client.call("system.listMethods"), names)

    def test_a_wrong_number_of_arguments_is_counted(self):
        for message in self.messages():
            given = [NOWHERE] * len(message.parameters)
            wrong = [given[: message.required - 1]] if message.required else []
            # Getters are many and all alike.
            if message.is_exact and (message.kind != "getter" or not wrong):
                wrong.append(given + ["more"])
            for arguments in wrong:
                error = self.client.error(message.name, *self.session(message), *arguments)
                self.expect(
                    message,
                    ["MESSAGE_PARAMETER_COUNT_MISMATCH", message.name, str(message.required), str(len(arguments))],
                    error,
                )
        self.agree()

    def test_messages_of_a_session_need_one(self):
        for message in self.messages(lambda m: m.needs_session and m.kind != "getter"):
            error = self.client.error(message.name, NOWHERE, *self.model.arguments(message, json=True))
            self.expect(message, ["SESSION_INVALID", NOWHERE], error)
        self.agree()

    def test_a_value_of_a_wrong_type_is_named(self):
        wrong = {
            "string": [],
            "int": "many",
            "bool": "yes",
            "float": "much",
            "datetime": "today",
            "ref": 7,
            "enum": "no such",
            "set": {},
            "map": [],
            "record": [],
        }
        for message in self.messages(lambda m: m.needs_session and not m.is_removed and not m.is_pool_internal):
            if message.kind == "getter":
                continue
            for index, (name, kind, _) in enumerate(message.parameters):
                arguments = self.model.arguments(message, json=True)
                arguments[index] = wrong[(kind.parts[0] if kind.kind == "option" else kind).kind]
                error = self.client.error(message.name, self.sid, *arguments)
                self.expect(message, ["INTERNAL_ERROR", ...], error)
                if error and kind.kind != "record" and name not in error[1]:
                    self.differences.append("%s: %s does not name %s" % (message.name, error, name))
        self.agree()

    def test_an_unknown_object_is_named_with_its_class(self):
        for message in self.messages(lambda m: m.object_class and m.needs_session and not m.is_removed):
            if message.coverage == "missing" or message.is_pool_internal or message.name in NOT_BY_REFERENCE:
                continue
            error = self.client.error(message.name, self.sid, *self.model.arguments(message, json=True))
            self.expect(message, ["HANDLE_INVALID", message.object_class, NOWHERE], error)
        self.agree()

    def test_what_is_missing_or_removed_says_so(self):
        for message in self.messages(lambda m: m.needs_session and not m.is_pool_internal):
            if message.is_removed:
                expected = ["MESSAGE_REMOVED"]
            elif message.coverage == "missing":
                expected = ["NOT_IMPLEMENTED", message.name]
            else:
                continue
            error = self.client.error(message.name, self.sid, *self.model.arguments(message, json=True))
            self.expect(message, expected, error)
        self.agree()

    def test_what_is_for_hosts_of_a_pool_is_for_nobody_else(self):
        for message in self.messages(lambda m: m.is_pool_internal):
            error = self.client.error(message.name, *self.session(message), *self.model.arguments(message, json=True))
            self.expect(message, ["INTERNAL_ERROR", ...], error)
        self.agree()

    def test_names_that_are_no_messages(self):
        client, proxy = self.client, self.proxy()
        for name in [
            "VM.no_such",
            "vm.start",
            "NoClass.get_all",
            "VM",
            "",
            "InternalAsync.VM.start",
            "system.multicall",
        ]:
            for call in (client.call, lambda name, *rest: getattr(proxy.server, name)(*rest)):
                if name == "" and call != client.call:
                    continue
                details = client.error(name) if call == client.call else call(name).get("ErrorDescription")
                self.assertEqual(details, ["MESSAGE_METHOD_UNKNOWN", name])
            self.assertEqual(client.error(name, self.sid), ["MESSAGE_METHOD_UNKNOWN", name])
            self.assertEqual(client.error(name, NOWHERE), ["SESSION_INVALID", NOWHERE])

    def test_a_message_answers_to_its_name_with_an_underscore(self):
        for name in ["VM", "VDI", "host", "pool_patch", "VM_guest_metrics"]:
            self.assertEqual(
                self.client.call(name + "_get_all", self.sid), self.client.call(name + ".get_all", self.sid)
            )
        self.assertEqual(self.client.error("VDI_get_record", self.sid, NOWHERE), ["HANDLE_INVALID", "VDI", NOWHERE])

    def test_messages_without_a_task_cannot_be_called_asynchronously(self):
        for message in self.messages(lambda m: not m.is_async and m.kind != "getter"):
            error = self.client.error(
                "Async." + message.name, *self.session(message), *self.model.arguments(message, json=True)
            )
            self.expect(message, ["Fault", ...], error)
            if error and message.name not in error[1]:
                self.differences.append("%s: %s" % (message.name, error))
        self.agree()

    def test_an_asynchronous_call_tells_its_failure_in_its_task(self):
        tasks = {}
        for message in self.messages(lambda m: m.is_async and m.object_class and m.coverage == "implemented"):
            if message.is_pool_internal or message.name in NOT_BY_REFERENCE:
                continue
            task = self.client.call("Async." + message.name, self.sid, *self.model.arguments(message, json=True))
            tasks[task] = message
        self.assertGreater(len(tasks), 50)
        watch = self.watch("task")
        while True:
            records = self.x.task.get_all_records()
            if all(records[task]["status"] != "pending" for task in tasks):
                break
            watch.next()
        for task, message in tasks.items():
            record = records[task]
            self.expect(message, ["HANDLE_INVALID", message.object_class, NOWHERE], record["error_info"])
            self.shows(
                record,
                status="failure",
                name_label="Async." + message.name,
                progress=1.0,
                allowed_operations=[],
                current_operations={},
                resident_on=self.host,
                result="",
            )
            self.x.task.destroy(task)
        self.agree()


class RightsTests(Case):
    """Each message by the roles around the one that it needs."""

    sweeping = True

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.made = cls("test_a_weaker_role_is_refused_and_the_named_one_is_let_in")
        cls.people = {role: cls.made.person(role)._session for role in ROLES}

    @classmethod
    def tearDownClass(cls):
        cls.made.doCleanups()
        super().tearDownClass()

    def test_a_weaker_role_is_refused_and_the_named_one_is_let_in(self):
        client, differences = self.json(), []
        for message in self.model.messages.values():
            if not message.needs_session or message.is_pool_internal or message.is_removed:
                continue
            # Never carried out: nothing of these is of its type.
            arguments = [7 if kind.kind != "int" else [] for _, kind, _ in message.parameters]
            if message.role == "local-root-only":
                weaker, right = "pool-admin", None
            else:
                rank = ROLES.index(message.role)
                weaker, right = ROLES[rank - 1] if rank else None, message.role
            if weaker:
                error = client.error(message.name, self.people[weaker], *arguments)
                if error is None or error[:2] != ["RBAC_PERMISSION_DENIED", message.name.lower()] or len(error) != 3:
                    differences.append("%s as %s: %s" % (message.name, weaker, error))
            if right and arguments and message.kind != "getter":
                error = client.error(message.name, self.people[right], *arguments)
                if error is None or error[0] != "INTERNAL_ERROR":
                    differences.append("%s as %s: %s" % (message.name, right, error))
        self.assertEqual(differences, [])

    def test_entries_of_maps_have_rights_of_their_own(self):
        client, seen = self.json(), 0
        for message in self.model.messages.values():
            for key, role in message.key_roles.items():
                named = key[:-1] + "anything" if key.endswith("*") else key
                rest = ["x"] * (len(message.parameters) - 2)
                rank = ROLES.index(role)
                if rank:
                    error = client.error(message.name, self.people[ROLES[rank - 1]], NOWHERE, named, *rest)
                    self.assertEqual(error[:2], ["RBAC_PERMISSION_DENIED", ("%s/key:%s" % (message.name, key)).lower()])
                error = client.error(message.name, self.people[role], NOWHERE, named, *rest)
                self.assertIn(error[0], ("HANDLE_INVALID", "NOT_IMPLEMENTED"), error)
                seen += 1
        self.assertGreater(seen, 20)

    def test_the_session_lists_what_its_role_permits(self):
        for role in ("read-only", "vm-admin", "pool-admin"):
            session = self.people[role]
            permissions = set(self.x.session.get_rbac_permissions(session))
            allowed = ROLES[: ROLES.index(role) + 1]
            for message in self.model.messages.values():
                self.assertEqual(message.name.lower() in permissions, message.role in allowed, message.name)
