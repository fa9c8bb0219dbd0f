"""The readers of all classes, on every object that there is: what the datamodel says is what clients get."""

import xmlrpc.client

from suite.case import Case
from suite.model import column_text

#: Objects of a class that are looked at one by one.
SOME = 4


class EveryClassTests(Case):
    sweeping = True

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Something of many classes to look at.
        case = cls("test_there_are_objects_of_many_classes")
        x = case.x
        cls.sr = case.repository()
        cls.vm = case.machine(name_label="looked at", other_config={"it's": "a\\b", "two": "2"}, tags=["one", "two"])
        cls.vdi = case.disk(cls.sr, tags=["first"])
        cls.vbd = case.drive(cls.vm, cls.vdi)
        cls.user = x.user.create({"short_name": "looked-at", "fullname": "Looked At", "other_config": {}})
        cls.subject = x.subject.create({"subject_identifier": "looked-at", "other_config": {"a": "b"}})
        cls.secret = x.secret.create({"value": "hush", "other_config": {}})
        cls.blob = x.VM.create_new_blob(cls.vm, "note", "text/plain", False)
        cls.message = x.message.create("LOOKED_AT", "3", "VM", x.VM.get_uuid(cls.vm), "body <&>")
        cls.task = x.task.create("looked at", "")
        cls.made = case

    @classmethod
    def tearDownClass(cls):
        x = cls.made.x
        x.task.destroy(cls.task)
        x.message.destroy(cls.message)
        x.blob.destroy(cls.blob)
        x.secret.destroy(cls.secret)
        x.subject.destroy(cls.subject)
        x.user.destroy(cls.user)
        cls.made.doCleanups()
        super().tearDownClass()

    def setUp(self):
        super().setUp()
        self.client = self.json()
        self.bare = self.proxy()

    def read(self, method, *parameters):
        return self.bare.call(method, self.sid, *parameters)

    def classes(self):
        for declared in self.model.classes.values():
            # The readers of a class that was removed are refused: EveryMessageTests.
            if "get_all" in declared.by_name and declared.by_name["get_all"].is_removed:
                continue
            if declared.in_database or declared.name == "message":
                with self.subTest(declared.name):
                    yield declared

    def objects(self, declared):
        """References of some objects of the class."""
        if "get_all" in declared.by_name:
            # A role has hundreds of siblings, the strongest ones last.
            return self.read(declared.name + ".get_all")[-SOME:]
        return {"session": [self.sid], "user": [self.user]}.get(declared.name, [])

    def test_there_are_objects_of_many_classes(self):
        there = {d.name for d in self.classes() if self.objects(d)}
        for name in (
            "session subject role task pool VM VM_metrics host host_metrics host_cpu network PIF PIF_metrics SM SR VDI"
            " VBD PBD user blob message secret"
        ).split():
            self.assertIn(name, there)

    def test_all_lists_of_a_class_agree(self):
        for declared in self.classes():
            if "get_all" not in declared.by_name:
                continue
            refs = self.read(declared.name + ".get_all")
            records = self.read(declared.name + ".get_all_records")
            self.assertEqual(sorted(refs), sorted(records))
            self.assertEqual(len(set(refs)), len(refs))
            self.assertEqual(self.client.call(declared.name + ".get_all", self.sid), refs)
            if "get_all_where" in declared.by_name:
                self.assertEqual(sorted(self.read(declared.name + ".get_all_where", "true")), sorted(refs))
                self.assertEqual(self.read(declared.name + ".get_all_where", "false"), [])
            chosen = self.read(declared.name + ".get_all_records_where", "true")
            self.assertEqual(sorted(chosen), sorted(refs))
            for ref, record in list(records.items())[-SOME:]:
                self.assertIsNone(self.model.record_problem(record, declared))
                self.assertEqual(list(chosen[ref]), list(record))

    def test_records_have_the_declared_fields_in_order_and_of_their_types_in_both_encodings(self):
        for declared in self.classes():
            for ref in self.objects(declared):
                record = self.read(declared.name + ".get_record", ref)
                self.assertIsNone(self.model.record_problem(record, declared))
                same = self.client.call(declared.name + ".get_record", self.sid, ref)
                self.assertIsNone(self.model.record_problem(same, declared, json=True))
                for field in declared.fields:
                    if field.name in record and not is_volatile(field.name):
                        self.assertEqual(
                            plain(record[field.name], field.type), plain(same[field.name], field.type), field.name
                        )

    def test_every_getter_returns_the_field_of_the_record(self):
        for declared in self.classes():
            if not declared.in_database:
                continue
            for ref in self.objects(declared):
                record = self.read(declared.name + ".get_record", ref)
                for field in declared.fields:
                    if declared.by_name["get_" + field.name].is_removed:
                        continue
                    value = self.read("%s.get_%s" % (declared.name, field.name), ref)
                    if not is_volatile(field.name):
                        self.assertEqual(value, record[field.name], field.name)

    def test_objects_are_found_by_uuid_and_by_label(self):
        for declared in self.classes():
            for ref in self.objects(declared):
                record = self.read(declared.name + ".get_record", ref)
                self.assertRegex(record["uuid"], "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
                self.assertEqual(self.read(declared.name + ".get_by_uuid", record["uuid"]), ref)
                if "get_by_name_label" in declared.by_name:
                    self.assertIn(ref, self.read(declared.name + ".get_by_name_label", record["name_label"]))
            self.refused(
                ["UUID_INVALID", declared.name, "no-uuid"], self.read, declared.name + ".get_by_uuid", "no-uuid"
            )
            if "get_by_name_label" in declared.by_name:
                self.assertEqual(self.read(declared.name + ".get_by_name_label", "no such label"), [])

    def test_every_column_can_be_queried_by_its_text(self):
        for declared in self.classes():
            if "get_all_records_where" not in declared.by_name:
                continue
            for ref in self.objects(declared)[:2]:
                record = self.read(declared.name + ".get_record", ref)
                for field in declared.fields:
                    text = column_text(record[field.name], field.type) if field.name in record else None
                    if text is None or '"' in text or "\\" in text or "it's" in text or is_volatile(field.name):
                        continue
                    query = 'field "_ref" = "%s" and field "%s" = "%s"' % (ref, field.column, text)
                    self.assertEqual(list(self.read(declared.name + ".get_all_records_where", query)), [ref], query)

    def test_the_query_language(self):
        uuid = self.x.VM.get_uuid(self.vm)
        own = 'field "uuid" = "%s"' % uuid
        everything = sorted(self.read("VM.get_all"))
        others = [ref for ref in everything if ref != self.vm]
        for query, expected in [
            (own, [self.vm]),
            (own.replace(" ", ""), [self.vm]),
            ("\t( %s )\n" % own, [self.vm]),
            ('"%s" = field "uuid"' % uuid, [self.vm]),
            ("not %s" % own, others),
            ("not not %s" % own, [self.vm]),
            ("not %s or true" % own, everything),
            ("not (%s or true)" % own, []),
            # One level, from the left.
            ("true or false and false", []),
            ("false and true or true", everything),
            ('field "name__label" = "looked at" and field "is_a_template" = "false"', [self.vm]),
            ('field "power_state" = "Halted" and %s' % own, [self.vm]),
            ('field "memory__static_max" = "%d" and %s' % (256 << 20, own), [self.vm]),
            ("field \"tags\" = \"('one' 'two')\"", [self.vm]),
            ('field "_ref" = "%s"' % self.vm, [self.vm]),
            ('field "uuid" = field "uuid"', everything),
            ('"" = "x"', []),
        ]:
            with self.subTest(query):
                self.assertEqual(sorted(self.read("VM.get_all_where", query)), expected)
                self.assertEqual(sorted(self.read("VM.get_all_records_where", query)), expected)
        for query in [
            "",
            "tru",
            "TRUE",
            'field "uuid"',
            'field "name_label" = "x"',
            'field "no_such" = "x"',
            "true true",
            "(true",
            "true)",
            'uuid = "x"',
            '"x = "y',
            "true and",
            "'a' = 'a'",
            'field = "x"',
            "not",
            "()",
        ]:
            with self.subTest(query):
                self.refused(["INVALID_VALUE", query, ...], self.read, "VM.get_all_records_where", query)
                self.refused(["INVALID_VALUE", query, ...], self.read, "VM.get_all_where", query)

    def test_event_from_shows_every_object_as_its_record(self):
        batch = self.x.event_from(["*"], "", 0.0)
        self.assertEqual(sorted(batch), ["events", "token", "valid_ref_counts"])
        self.assertRegex(batch["token"], r"^\d{20},\d{20}$")
        counts = batch["valid_ref_counts"]
        shown = {}
        for event in batch["events"]:
            self.assertEqual(event["operation"], "add")
            self.assertEqual((event["timestamp"], event["id"].isdigit()), ("0.0", True))
            shown.setdefault(event["class"], {})[event["ref"]] = event["snapshot"]
        for declared in self.classes():
            name = declared.name.lower()
            if declared.in_database:
                self.assertIsInstance(counts[name], int)
            if not declared.has_events or "get_all" not in declared.by_name or declared.name == "role":
                self.assertNotIn(name, shown)
                continue
            objects = shown.get(name, {})
            self.assertEqual(sorted(objects), sorted(self.read(declared.name + ".get_all")))
            if declared.in_database:
                self.assertEqual(counts[name], len(objects))
            for ref, snapshot in list(objects.items())[-SOME:]:
                self.assertIsNone(self.model.record_problem(snapshot, declared))
                record = self.read(declared.name + ".get_record", ref)
                for field, value in snapshot.items():
                    if not is_volatile(field):
                        self.assertEqual(value, record[field], field)


def is_volatile(name):
    """Whether the field may change between two calls although nobody changed the object."""
    return name in (
        "last_updated",
        "last_active",
        "memory_free",
        "utilisation",
        "physical_utilisation",
        "physical_size",
        "progress",
        "carrier",
        "speed",
        "virtual_allocation",
    )


def plain(value, kind):
    """Values of both encodings in one form: numbers as numbers, dates as text."""
    if kind.kind in ("set", "option"):
        return [plain(v, kind.parts[0]) for v in value] if kind.kind == "set" else plain(value, kind.parts[0])
    if kind.kind == "map":
        return {k: plain(v, kind.parts[1]) for k, v in value.items()}
    if kind.kind == "int":
        return int(value)
    if kind.kind == "float":
        return float(value)
    return value.value if isinstance(value, xmlrpc.client.DateTime) else value
