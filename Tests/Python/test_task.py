"""Class task: those that clients make, and those that stand for calls."""

import XenAPI

from suite.case import Case
from suite.model import NOWHERE


class TaskTests(Case):
    def task(self, label="label", description="description"):
        ref = self.x.task.create(label, description)
        self.addCleanup(self.drop, ref)
        return ref

    def drop(self, ref):
        try:
            self.x.task.destroy(ref)
        except XenAPI.Failure as failure:
            assert failure.details[0] == "HANDLE_INVALID", failure

    def test_a_clients_task_is_pending_until_the_client_says_more(self):
        watch = self.watch("task")
        ref = self.task()
        record = watch.expect(ref, "add")
        self.shows(
            record,
            name_label="label",
            name_description="description",
            status="pending",
            progress=0.0,
            result="",
            error_info=[],
            type="<none/>",
            allowed_operations=[],
            current_operations={},
            resident_on=self.host,
            subtask_of="OpaqueRef:NULL",
            subtasks=[],
        )
        self.assertEqual(record["finished"].value, "19700101T00:00:00Z")
        self.assertGreater(record["created"].value, "20250101T00:00:00Z")

        self.x.task.set_progress(ref, 0.25)
        self.assertEqual(watch.expect(ref, "mod")["progress"], 0.25)
        self.x.task.set_result(ref, "<value>done</value>")
        self.x.task.set_status(ref, "success")
        record = self.x.task.get_record(ref)
        self.assertEqual([record["status"], record["result"]], ["success", "<value>done</value>"])
        self.assertGreater(record["finished"].value, "20250101T00:00:00Z")
        self.x.task.destroy(ref)
        self.assertIsNone(watch.expect(ref, "del"))

    def test_a_clients_task_fails_as_the_client_says(self):
        ref = self.task()
        self.x.task.set_error_info(ref, ["CODE", "parameter"])
        self.x.task.set_status(ref, "FAILURE")
        self.assertEqual(
            [self.x.task.get_status(ref), self.x.task.get_error_info(ref)], ["failure", ["CODE", "parameter"]]
        )

    def test_notes_in_other_config(self):
        ref = self.task()
        self.x.task.set_other_config(ref, {"a": "1"})
        self.x.task.add_to_other_config(ref, "b", "2")
        self.refused(
            ["MAP_DUPLICATE_KEY", "task", "other_config", ref, "b"], self.x.task.add_to_other_config, ref, "b", "2"
        )
        self.x.task.remove_from_other_config(ref, "a")
        self.x.task.remove_from_other_config(ref, "absent")
        self.assertEqual(self.x.task.get_other_config(ref), {"b": "2"})

    def test_nothing_is_to_cancel_where_nothing_runs(self):
        ref = self.task()
        self.refused(["OPERATION_NOT_ALLOWED", ...], self.x.task.cancel, ref)
        self.x.task.set_status(ref, "success")
        self.refused(["OPERATION_NOT_ALLOWED", ...], self.x.task.cancel, ref)
        self.unknown("task", self.x.task.cancel)
        self.unknown("task", self.x.task.destroy)

    def test_others_tasks_are_not_changed_by_weaker_users(self):
        mine, person, operator = self.task(), self.person("vm-admin"), self.person("pool-operator")
        theirs = person.xenapi.task.create("theirs", "")
        for call, arguments in [
            ("cancel", ()),
            ("destroy", ()),
            ("set_progress", (0.5,)),
            ("set_status", ("success",)),
            ("set_result", ("x",)),
            ("set_error_info", ([],)),
            ("set_other_config", ({},)),
            ("add_to_other_config", ("a", "b")),
            ("remove_from_other_config", ("a",)),
        ]:
            self.refused(
                ["RBAC_PERMISSION_DENIED", "task.destroy/any", ...], getattr(person.xenapi.task, call), mine, *arguments
            )
        person.xenapi.task.set_progress(theirs, 0.5)
        operator.xenapi.task.set_progress(mine, 0.5)
        operator.xenapi.task.destroy(theirs)

    def test_a_successful_call_leaves_its_result_in_its_task(self):
        task = self.x.Async.network.create({"name_label": "n", "name_description": "", "other_config": {}})
        record = self.finished(task)
        self.shows(record, status="success", name_label="Async.network.create", progress=1.0)
        self.assertRegex(record["result"], "^<value>OpaqueRef:[-0-9a-f]{36}</value>$")
        network = record["result"][len("<value>") : -len("</value>")]
        self.x.network.destroy(network)
        self.assertEqual(self.finished(self.x.Async.pool.sync_database())["result"], "<value></value>")
        self.refused(["HANDLE_INVALID", "task", task], self.x.task.get_record, task)

    def test_a_failed_call_leaves_its_error_in_its_task(self):
        record = self.finished(self.x.Async.VM.start(NOWHERE, False, False))
        self.shows(record, status="failure", error_info=["HANDLE_INVALID", "VM", NOWHERE], result="")

    def test_calls_that_are_waited_for_leave_no_task(self):
        before = self.x.task.get_all()
        network = self.x.network.create({"name_label": "n", "name_description": "", "other_config": {}})
        self.x.network.destroy(network)
        self.assertEqual(self.x.task.get_all(), before)

    def test_a_call_says_which_task_it_is_a_part_of(self):
        whole = self.task("whole")
        body = '{"jsonrpc":"2.0","id":1,"method":"Async.pool.sync_database","params":["%s"]}' % self.sid
        _, _, answer = self.http("POST", "/jsonrpc", body, {"subtask-of": whole})
        part = answer.decode().split('"result":"')[1].split('"')[0]
        self.addCleanup(self.drop, part)
        self.assertEqual(self.x.task.get_subtask_of(part), whole)
        self.assertEqual(self.x.task.get_subtasks(whole), [part])
