"""Classes subject, user and role: who may log in, and what they may do then."""

import XenAPI

from suite.case import Case
from suite.model import NOWHERE, ROLES


class SubjectTests(Case):
    def subject(self, name):
        ref = self.x.subject.create({"subject_identifier": name, "other_config": {"from": "suite"}})
        self.addCleanup(self.forget, self.x.subject.destroy, ref)
        return ref

    @staticmethod
    def forget(destroy, ref):
        try:
            destroy(ref)
        except XenAPI.Failure as failure:
            assert failure.details[0] == "HANDLE_INVALID", failure

    def role(self, name):
        return self.x.role.get_by_name_label(name)[0]

    def test_a_new_subject_has_no_roles(self):
        watch = self.watch("subject")
        ref = self.subject("alice")
        record = watch.expect(ref, "add")
        self.assertEqual(record, self.x.subject.get_record(ref))
        self.shows(record, subject_identifier="alice", roles=[], other_config={"from": "suite"})
        self.assertEqual(self.x.subject.get_permissions_name_label(ref), [])
        self.x.subject.destroy(ref)
        self.assertIsNone(watch.expect(ref, "del"))
        self.unknown("subject", self.x.subject.destroy)

    def test_a_subject_exists_once_and_is_not_root(self):
        self.subject("alice")
        self.refused(["SUBJECT_ALREADY_EXISTS"], self.subject, "alice")
        for name in ("", "root"):
            self.refused(["INVALID_VALUE", "subject_identifier", name], self.subject, name)

    def test_an_account_is_found_before_it_becomes_a_subject(self):
        auth = self.x.auth
        for call in (
            auth.get_subject_identifier,
            auth.get_subject_information_from_identifier,
            auth.get_group_membership,
        ):
            for name in ("carol", "root", "", "\u00e4"):
                self.refused(["SUBJECT_CANNOT_BE_RESOLVED"], call, name)
        user = self.x.user.create({"short_name": "carol", "fullname": "Carol C", "other_config": {}})
        self.addCleanup(self.x.user.destroy, user)
        identifier = auth.get_subject_identifier("carol")
        self.shows(
            auth.get_subject_information_from_identifier(identifier),
            **{"subject-name": "carol", "subject-displayname": "Carol C", "subject-is-group": "false"},
        )
        self.assertEqual(auth.get_group_membership(identifier), [])
        self.assertEqual(self.x.subject.get_subject_identifier(self.subject(identifier)), "carol")

    def test_roles_are_given_and_taken_once(self):
        ref, reader = self.subject("alice"), self.role("read-only")
        watch = self.watch("subject/" + ref)
        self.x.subject.add_to_roles(ref, reader)
        self.assertEqual(watch.expect(ref, "mod")["roles"], [reader])
        self.refused(["ROLE_ALREADY_EXISTS"], self.x.subject.add_to_roles, ref, reader)
        self.refused(["ROLE_NOT_FOUND"], self.x.subject.remove_from_roles, ref, self.role("vm-admin"))
        # A single permission is nobody's role.
        for wrong in (self.role("vm.start"), self.role("client-cert"), NOWHERE):
            self.refused(["ROLE_NOT_FOUND"], self.x.subject.add_to_roles, ref, wrong)
        self.x.subject.remove_from_roles(ref, reader)
        self.assertEqual(self.x.subject.get_roles(ref), [])
        self.unknown("subject", self.x.subject.add_to_roles, reader)
        self.unknown("subject", self.x.subject.remove_from_roles, reader)

    def test_permissions_are_those_of_the_strongest_role(self):
        ref = self.subject("alice")
        for role in ("read-only", "vm-admin"):
            self.x.subject.add_to_roles(ref, self.role(role))
        self.assertEqual(
            sorted(self.x.subject.get_permissions_name_label(ref)),
            sorted(self.x.role.get_permissions_name_label(self.role("vm-admin"))),
        )
        self.unknown("subject", self.x.subject.get_permissions_name_label)

    def test_who_has_no_role_or_no_subject_is_not_let_in(self):
        user = self.x.user.create({"short_name": "bob", "fullname": "", "other_config": {"password": "right"}})
        self.addCleanup(self.forget, self.x.user.destroy, user)
        failed = ["SESSION_AUTHORIZATION_FAILED", "bob", ...]
        self.refused(failed, self.log_in, "bob", "right")
        ref = self.subject("bob")
        self.refused(failed, self.log_in, "bob", "right")
        self.x.subject.add_to_roles(ref, self.role("read-only"))
        self.log_in("bob", "right")

    def test_a_change_of_rights_ends_sessions(self):
        person = self.person("pool-operator", "carol")
        ref = self.x.session.get_subject(person._session)
        for change in (self.x.subject.add_to_roles, self.x.subject.remove_from_roles):
            change(ref, self.role("vm-admin"))
            self.refused(["SESSION_INVALID", person._session], self.proxy().call, "VM.get_all", person._session)
            person = self.log_in("carol", "secret of carol")
        self.x.subject.remove_from_roles(ref, self.role("pool-operator"))
        self.refused(["SESSION_INVALID", person._session], self.proxy().call, "VM.get_all", person._session)
        self.refused(["SESSION_AUTHORIZATION_FAILED", "carol", ...], self.log_in, "carol", "secret of carol")

    def test_asynchronous_creation_returns_the_subject(self):
        task = self.x.Async.subject.create({"subject_identifier": "dave", "other_config": {}})
        ref = self.succeeded(task)
        self.assertEqual(self.x.subject.get_subject_identifier(ref), "dave")
        self.succeeded(self.x.Async.subject.destroy(ref))
        self.refused(["HANDLE_INVALID", "subject", ref], self.x.subject.get_record, ref)


class UserTests(Case):
    def user(self, name, **config):
        ref = self.x.user.create({"short_name": name, "fullname": "Name of " + name, "other_config": config})
        self.addCleanup(SubjectTests.forget, self.x.user.destroy, ref)
        return ref

    def test_a_password_goes_in_and_never_comes_out(self):
        ref = self.user("erin", password="hidden", note="shown")
        self.assertEqual(self.x.user.get_other_config(ref), {"note": "shown"})
        self.x.user.set_other_config(ref, {"password": "other", "note": "new"})
        self.assertEqual(self.x.user.get_record(ref)["other_config"], {"note": "new"})
        self.x.user.remove_from_other_config(ref, "password")
        self.x.user.add_to_other_config(ref, "password", "third")
        self.x.user.add_to_other_config(ref, "more", "1")
        self.refused(
            ["MAP_DUPLICATE_KEY", "user", "other_config", ref, "more"],
            self.x.user.add_to_other_config,
            ref,
            "more",
            "2",
        )
        self.x.user.remove_from_other_config(ref, "note")
        self.assertEqual(self.x.user.get_other_config(ref), {"more": "1"})
        for call in (self.x.user.destroy, self.x.user.get_record):
            self.unknown("user", call)
        self.unknown("user", self.x.user.set_other_config, {})
        self.unknown("user", self.x.user.add_to_other_config, "password", "x")
        self.unknown("user", self.x.user.remove_from_other_config, "password")

    def test_names_are_unique_and_plain(self):
        self.user("frank")
        self.refused(["DB_UNIQUENESS_CONSTRAINT_VIOLATION", "user", "short_name", "frank"], self.user, "frank")
        for name in ("", "root", "a b", "a:b", "-x", "a/b", "x\n"):
            self.refused(["INVALID_VALUE", "short_name", name], self.user, name)

    def test_a_new_password_and_the_end_of_the_account_end_sessions(self):
        person = self.person("read-only", "grace")
        ref = self.x.session.get_this_user(person._session)
        self.x.user.add_to_other_config(ref, "password", "new")
        self.refused(["SESSION_INVALID", person._session], self.proxy().call, "VM.get_all", person._session)
        person = self.log_in("grace", "new")
        self.x.user.set_other_config(ref, {"password": "newer"})
        self.refused(["SESSION_INVALID", person._session], self.proxy().call, "VM.get_all", person._session)
        person = self.log_in("grace", "newer")
        self.x.user.set_fullname(ref, "Grace")
        self.assertEqual(person.xenapi.user.get_fullname(ref), "Grace")


class RoleTests(Case):
    def role(self, name):
        return self.x.role.get_by_name_label(name)[0]

    def test_roles_are_the_known_ones_and_a_leaf_for_each_permission(self):
        records = self.x.role.get_all_records()
        by_name = {r["name_label"]: r for r in records.values()}
        self.assertEqual(sorted(records), sorted(self.x.role.get_all()))
        for name in ROLES:
            self.assertFalse(by_name[name]["is_internal"])
            self.assertTrue(by_name[name]["subroles"] and by_name[name]["name_description"])
        self.assertTrue(by_name["client-cert"]["is_internal"])
        self.assertEqual(by_name["vm.start"]["subroles"], [])
        for message in self.model.messages.values():
            self.assertIn(message.name.lower(), by_name)

    def test_a_stronger_role_has_the_permissions_of_the_weaker(self):
        weaker = set()
        for name in ROLES:
            permissions = set(self.x.role.get_permissions_name_label(self.role(name)))
            self.assertGreater(permissions, weaker)
            refs = self.x.role.get_permissions(self.role(name))
            self.assertEqual(sorted(refs), sorted(self.x.role.get_subroles(self.role(name))))
            self.assertEqual(len(refs), len(permissions))
            weaker = permissions
        leaf = self.role("vm.start")
        self.assertEqual(self.x.role.get_permissions(leaf), [leaf])
        self.assertEqual(self.x.role.get_permissions_name_label(leaf), ["vm.start"])

    def test_who_has_a_permission(self):
        # The role that the datamodel names, and those above it.
        expected = sorted(ROLES[ROLES.index(self.model.messages["VM.start"].role) :])
        for found in (
            self.x.role.get_by_permission(self.role("vm.start")),
            self.x.role.get_by_permission_name_label("vm.start"),
        ):
            self.assertEqual(sorted(self.x.role.get_name_label(r) for r in found), expected)
        self.assertEqual(self.x.role.get_by_permission_name_label("no.such"), [])
        for call in (
            self.x.role.get_by_permission,
            self.x.role.get_permissions,
            self.x.role.get_permissions_name_label,
        ):
            self.unknown("role", call)

    def test_a_role_is_read_like_any_object(self):
        ref = self.role("vm-admin")
        record = self.x.role.get_record(ref)
        for field in self.model.classes["role"].fields:
            self.assertEqual(getattr(self.x.role, "get_" + field.name)(ref), record[field.name])
            self.unknown("role", getattr(self.x.role, "get_" + field.name))
        self.assertEqual(self.x.role.get_by_uuid(record["uuid"]), ref)
        self.assertEqual(self.x.role.get_all_where('field "name__label" = "vm-admin"'), [ref])
        self.assertEqual(self.x.role.get_all_records_where('field "uuid" = "%s"' % record["uuid"]), {ref: record})
        self.assertEqual(self.x.role.get_by_name_label("no such"), [])
        self.refused(["UUID_INVALID", "role", "x"], self.x.role.get_by_uuid, "x")
        self.unknown("role", self.x.role.get_record)
