"""What every test case of the suite stands on."""

import contextlib
import http.client
import os
import random
import subprocess
import time
import unittest
import urllib.parse

import XenAPI

from . import clients
from .model import NOWHERE

MIB = 1 << 20


class World:
    """What the runner made before the first test; there is one."""

    daemon = None
    model = None
    session = None
    #: Only a run of everything can say what the suite leaves out.
    is_complete = True
    repositories = 0


class Case(unittest.TestCase):
    #: Calls of this case go through all messages alike and do not count as tests of a message.
    sweeping = False
    maxDiff = None

    @property
    def x(self):
        """The SDK's proxy of root's session."""
        return World.session.xenapi

    @property
    def sid(self):
        return World.session._session

    @property
    def model(self):
        return World.model

    @property
    def daemon(self):
        return World.daemon

    @classmethod
    def setUpClass(cls):
        clients.LOG.sweeping = cls.sweeping

    def setUp(self):
        clients.LOG.sweeping = self.sweeping

    @property
    def host(self):
        return self.x.host.get_all()[0]

    @property
    def pool(self):
        return self.x.pool.get_all()[0]

    def some(self, count, cases):
        """A few of the cases of a slow test, chosen by a seed that is printed; all of them with GANTRY_LONG=1."""
        if "GANTRY_LONG" in os.environ:
            return cases
        seed = int(os.environ.get("GANTRY_TEST_SEED") or random.randrange(1, 1 << 32))
        chosen = sorted(random.Random(seed).sample(range(len(cases)), count))
        print("%s: %d of %d, seed %d (replay with GANTRY_TEST_SEED=%d)" % (self.id(), count, len(cases), seed, seed))
        return [cases[index] for index in chosen]

    # Calls

    def refused(self, expected, call, *arguments, **members):
        """The call fails with exactly this code and these parameters; `...` stands for any text."""
        with self.assertRaises(XenAPI.Failure, msg="expected %s" % (expected,)) as raised:
            call(*arguments, **members)
        details = raised.exception.details
        same = len(details) == len(expected) and all(
            isinstance(d, str) if e is ... else d == e for d, e in zip(details, expected)
        )
        self.assertTrue(same, "%s instead of %s" % (details, expected))
        return details

    def fails(self, codes, call, *arguments):
        """The call fails with one of these codes; returns the error."""
        with self.assertRaises(XenAPI.Failure) as raised:
            call(*arguments)
        self.assertIn(raised.exception.details[0], codes)
        return raised.exception.details

    def shows(self, record, **members):
        """The record has these members, among others."""
        self.assertEqual({name: record.get(name) for name in members}, members)

    def unknown(self, class_name, call, *arguments):
        """The call, with a reference that nothing has before the other arguments, names class and reference."""
        self.refused(["HANDLE_INVALID", class_name, NOWHERE], call, NOWHERE, *arguments)

    def log_in(self, user="root", password=None):
        """A session of its own, ended with the test."""
        made = clients.session(self.daemon.url, user, self.daemon.password if password is None else password)
        self.addCleanup(self.log_out, made)
        return made

    @staticmethod
    def log_out(made):
        with contextlib.suppress(XenAPI.Failure, AttributeError):
            made.xenapi.session.logout()
        made("close")()

    def json(self, version="2.0"):
        client = clients.JSON(self.daemon.url, version)
        self.addCleanup(client.close)
        return client

    def proxy(self, path=""):
        client = clients.Proxy(self.daemon.url + path)
        self.addCleanup(client.close)
        return client

    def person(self, role, name=None):
        """The session of a new user who has the role."""
        name = name or "%s-%s" % (role, os.urandom(4).hex())
        user = self.x.user.create(
            {"short_name": name, "fullname": "", "other_config": {"password": "secret of " + name}}
        )
        self.addCleanup(self.x.user.destroy, user)
        subject = self.x.subject.create({"subject_identifier": name, "other_config": {}})
        self.addCleanup(self.x.subject.destroy, subject)
        self.x.subject.add_to_roles(subject, self.x.role.get_by_name_label(role)[0])
        return self.log_in(name, "secret of " + name)

    # Tasks and events

    def finished(self, task):
        """Waits for a task, as SDKs do, and returns its record; the task is gone then."""
        token = ""
        while True:
            batch = self.x.event_from(["task/" + task], token, 30.0)
            token = batch["token"]
            record = self.x.task.get_record(task)
            if record["status"] not in ("pending", "cancelling"):
                self.x.task.destroy(task)
                clients.LOG.note(record["name_label"].removeprefix("Async."), record["error_info"] or None)
                return record

    def succeeded(self, task):
        """The result of a task that succeeds: a reference or a text, without its XML."""
        record = self.finished(task)
        self.assertEqual((record["status"], record["error_info"]), ("success", []))
        self.assertEqual(record["progress"], 1.0)
        return record["result"].removeprefix("<value>").removesuffix("</value>")

    def watch(self, *classes):
        return Watch(self, list(classes))

    # Objects

    def folder(self, name):
        path = str(self.daemon.folder / name)
        os.makedirs(path, exist_ok=True)
        return path

    def until(self, is_so):
        """Waits for what comes by itself, soon as a rule."""
        deadline = time.monotonic() + 120
        while not is_so():
            self.assertLess(time.monotonic(), deadline, "it has not come")
            time.sleep(0.05)

    def repository(self, formats="qcow2,vhd"):
        """A new file SR that is gone after the test."""
        World.repositories += 1
        name = "sr-%d" % World.repositories
        sr = self.x.SR.create(
            self.host,
            {"location": self.folder(name), "preferred-image-formats": formats},
            "0",
            name,
            "",
            "file",
            "user",
            False,
            {},
        )
        self.addCleanup(self.drop_repository, sr)
        return sr

    def disc_library(self, folder):
        """An SR of the CD images in a folder; they stay when it goes."""
        sr = self.x.SR.create(self.host, {"location": folder}, "0", "discs", "", "iso", "", True, {})
        self.addCleanup(self.x.SR.forget, sr)
        self.addCleanup(self.x.PBD.unplug, self.x.SR.get_PBDs(sr)[0])
        self.x.SR.scan(sr)
        # Without it nobody looks for discs there.
        self.assertEqual(self.x.SR.get_content_type(sr), "iso")
        return sr

    def drop_repository(self, sr):
        try:
            record = self.x.SR.get_record(sr)
        except XenAPI.Failure:
            return
        for vdi in record["VDIs"]:
            # Bases go with the last disk that stands on them.
            if vdi in self.x.VDI.get_all() and self.x.VDI.get_managed(vdi):
                self.x.VDI.destroy(vdi)
        for pbd in record["PBDs"]:
            self.x.PBD.unplug(pbd)
        self.x.SR.destroy(sr) if record["PBDs"] else self.x.SR.forget(sr)

    def disk(self, sr, size=4 * MIB, **members):
        record = {
            "name_label": "disk",
            "name_description": "",
            "SR": sr,
            "virtual_size": str(size),
            "type": "user",
            "sharable": False,
            "read_only": False,
            "other_config": {},
            "sm_config": {},
            "xenstore_data": {},
            "tags": [],
        }
        return self.x.VDI.create(record | members)

    def machine(self, **members):
        """A new halted VM that is gone after the test."""
        vm = self.x.VM.create(machine_record(**members))
        self.addCleanup(self.drop_machine, vm)
        return vm

    def drop_machine(self, vm):
        with contextlib.suppress(XenAPI.Failure):
            if self.x.VM.get_power_state(vm) != "Halted":
                self.x.VM.hard_shutdown(vm)
            if self.x.VM.get_is_a_template(vm):
                self.x.VM.set_is_a_template(vm, False)
            self.x.VM.destroy(vm)

    def drive(self, vm, vdi, **members):
        return self.x.VBD.create(drive_record(vm, vdi, **members))

    def xe(self, *words, fails=False):
        """What `xe` prints; with `fails`, what it says when it fails."""
        place = urllib.parse.urlparse(self.daemon.url)
        command = [self.daemon.programs / "xe", "-s", place.hostname, "-p", str(place.port), "--nossl"]
        done = subprocess.run(
            [*command, "-u", "root", "-pw", self.daemon.password, *words], capture_output=True, text=True, timeout=60
        )
        said = "%s: %s%s" % (words, done.stdout, done.stderr)
        self.assertEqual(done.returncode != 0, fails, said)
        return said if fails else done.stdout.strip()

    # HTTP

    def http(self, method, path, body=None, headers=None, **query):
        """Status, headers, body of one request."""
        place = urllib.parse.urlparse(self.daemon.url)
        connection = http.client.HTTPConnection(place.hostname, place.port)
        with contextlib.closing(connection):
            target = path + ("?" + urllib.parse.urlencode(query) if query else "")
            connection.request(method, target, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()


class Watch:
    """The events from now on, of some classes."""

    def __init__(self, case, classes):
        self.case, self.classes = case, classes
        self.token = case.x.event_from(classes, "", 0.0)["token"]

    def next(self):
        """The events since the last look, at least one."""
        batch = self.case.x.event_from(self.classes, self.token, 30.0)
        self.token = batch["token"]
        return batch["events"]

    def expect(self, ref, operation):
        """Looks until there is such an event; returns its record."""
        for _ in range(100):
            for event in self.next():
                if (event["ref"], event["operation"]) == (ref, operation):
                    return event.get("snapshot")
        raise AssertionError("no event %s of %s" % (operation, ref))


def machine_record(**members):
    record = {
        "name_label": "machine",
        "name_description": "",
        "user_version": "1",
        "is_a_template": False,
        "affinity": "OpaqueRef:NULL",
        "memory_static_max": str(256 * MIB),
        "memory_dynamic_max": str(256 * MIB),
        "memory_dynamic_min": str(256 * MIB),
        "memory_static_min": str(128 * MIB),
        "VCPUs_params": {},
        "VCPUs_max": "1",
        "VCPUs_at_startup": "1",
        "actions_after_shutdown": "destroy",
        "actions_after_reboot": "restart",
        "actions_after_crash": "destroy",
        "PV_bootloader": "",
        "PV_kernel": "",
        "PV_ramdisk": "",
        "PV_args": "",
        "PV_bootloader_args": "",
        "PV_legacy_args": "",
        "HVM_boot_policy": "",
        "HVM_boot_params": {},
        "platform": {},
        "PCI_bus": "",
        "other_config": {},
        "recommendations": "",
    }
    return record | members


def drive_record(vm, vdi, **members):
    record = {
        "VM": vm,
        "VDI": vdi,
        "userdevice": "autodetect",
        "bootable": False,
        "mode": "RW",
        "type": "Disk",
        "unpluggable": True,
        "empty": False,
        "other_config": {},
        "qos_algorithm_type": "",
        "qos_algorithm_params": {},
    }
    return record | members
