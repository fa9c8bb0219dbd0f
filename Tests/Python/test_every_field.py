"""The fields that clients write, on real objects: set, add, remove, and what others see of it."""

from suite.case import Case
from suite.model import NOWHERE

#: Values where not every value of the type will do. None: the setter has a test of its own.
VALUES = {
    ("VM", "VCPUs_max"): "4",
    ("VM", "VCPUs_at_startup"): "1",
    ("VM", "memory_static_max"): None,
    ("VM", "memory_static_min"): None,
    ("VM", "memory_dynamic_max"): None,
    ("VM", "memory_dynamic_min"): None,
    ("VM", "bios_strings"): None,
    ("VM", "is_a_template"): None,
    ("VM", "ha_restart_priority"): None,
    ("VM", "ha_always_run"): None,
    ("VM", "is_default_template"): None,
    ("VM", "blocked_operations"): {"destroy": "NO"},
    ("VM", "actions_after_crash"): "preserve",
    ("VDI", "on_boot"): None,
    ("user", "other_config"): None,
    ("pool", "default_SR"): None,
    ("pool", "suspend_image_SR"): None,
    ("pool", "crash_dump_SR"): None,
    ("VM", "affinity"): None,
    # Takes an image of the same content only: test_suspend.
    ("VM", "suspend_VDI"): None,
    ("host", "suspend_image_sr"): None,
    ("host", "crash_dump_sr"): None,
}


#: What storage drivers alone write, with a session of their SR.
DRIVERS = {
    "SR": ["physical_size", "physical_utilisation", "virtual_allocation"],
    "VDI": [
        "managed", "missing", "virtual_size", "physical_utilisation", "is_a_snapshot", "snapshot_of",
        "metadata_of_pool", "cbt_enabled",
    ],
}


class EveryFieldTests(Case):
    def objects(self):
        """An object of every class that clients change, and the class."""
        sr = self.repository()
        unplugged = self.x.SR.get_PBDs(self.repository())[0]
        self.x.PBD.unplug(unplugged)
        vm = self.machine()
        vdi = self.disk(sr)
        user = self.x.user.create({"short_name": "changed", "fullname": "", "other_config": {}})
        self.addCleanup(self.x.user.destroy, user)
        subject = self.x.subject.create({"subject_identifier": "changed", "other_config": {}})
        self.addCleanup(self.x.subject.destroy, subject)
        secret = self.x.secret.create({"value": "hush", "other_config": {}})
        self.addCleanup(self.x.secret.destroy, secret)
        network = self.x.network.create({"name_label": "n", "name_description": "", "other_config": {}})
        self.addCleanup(self.x.network.destroy, network)
        blob = self.x.network.create_new_blob(network, "blob", "text/plain", False)
        host = self.x.host.get_record(self.host)
        return {
            "session": self.log_in()._session,
            "task": self.x.task.create("changed", ""),
            "pool": self.pool,
            "VM": vm,
            "VM_metrics": self.x.VM.get_metrics(vm),
            "host": self.host,
            "host_metrics": host["metrics"],
            "host_cpu": host["host_CPUs"][0],
            "network": network,
            "PIF": self.x.PIF.get_all()[0],
            "PIF_metrics": self.x.PIF_metrics.get_all()[0],
            "SM": self.x.SM.get_all()[0],
            "SR": sr,
            "VDI": vdi,
            "VBD": self.drive(vm, vdi),
            "PBD": unplugged,
            "user": user,
            "secret": secret,
            "blob": blob,
            "subject": subject,
        }

    def test_what_is_written_is_read_and_told(self):
        changed = 0
        objects = self.objects()
        driver = self.log_in()
        driver.xenapi.session.add_to_other_config(driver._session, "_sm_session", objects["SR"])
        for name, ref in objects.items():
            declared, proxy = self.model.classes[name], getattr(self.x, name)

            def setter(field):
                owner = driver.xenapi if field.name in DRIVERS.get(name, ()) else self.x
                return getattr(getattr(owner, name), "set_" + field.name)

            watch = self.watch("%s/%s" % (name, ref)) if declared.has_events else None
            before = proxy.get_record(ref)
            fields = list(self.written(declared))
            for field, value in fields:
                with self.subTest("%s.%s" % (name, field.name)):
                    get, set_ = getattr(proxy, "get_" + field.name), setter(field)
                    self.assertEqual(set_(ref, value), "")
                    self.assertEqual(get(ref), value)
                    self.change_entries(declared, field, ref, value)
                    self.assertEqual(get(ref), value)
                changed += 1
            record = proxy.get_record(ref)
            self.assertEqual({f.name: record[f.name] for f, _ in fields}, {f.name: v for f, v in fields})
            if watch and fields:
                told = watch.next()[-1]["snapshot"]
                self.assertEqual({f.name: told[f.name] for f, _ in fields}, {f.name: v for f, v in fields})
            for field, _ in fields:
                setter(field)(ref, before[field.name])
            self.assertEqual(
                {f.name: proxy.get_record(ref)[f.name] for f, _ in fields}, {f.name: before[f.name] for f, _ in fields}
            )
        self.x.task.destroy(self.x.task.get_by_name_label("changed")[0])
        self.assertGreater(changed, 60)

    def written(self, declared):
        """The fields that a message writes, each with a value that no new object has."""
        for field in declared.fields:
            setter = declared.by_name.get("set_" + field.name)
            if setter and len(setter.parameters) == 2 and setter.coverage != "missing" and not setter.is_removed:
                value = VALUES.get((declared.name, field.name), self.other(field.type))
                if value is not None:
                    yield field, value

    def change_entries(self, declared, field, ref, value):
        """Entries of a map or a set come and go one by one."""
        proxy = getattr(self.x, declared.name)
        if field.type.kind == "map" and "add_to_" + field.name in declared.by_name:
            key, entry = next(iter(value.items()))
            add, remove = getattr(proxy, "add_to_" + field.name), getattr(proxy, "remove_from_" + field.name)
            self.refused(["MAP_DUPLICATE_KEY", declared.name, field.column, ref, key], add, ref, key, entry)
            for _ in range(2):
                remove(ref, key)
            self.assertEqual(getattr(proxy, "get_" + field.name)(ref), {})
            add(ref, key, entry)
        elif field.type.kind == "set" and "add_" + field.name in declared.by_name:
            add, remove = getattr(proxy, "add_" + field.name), getattr(proxy, "remove_" + field.name)
            for _ in range(2):
                add(ref, value[0])
            self.assertEqual(getattr(proxy, "get_" + field.name)(ref), value)
            for _ in range(2):
                remove(ref, value[0])
            self.assertEqual(getattr(proxy, "get_" + field.name)(ref), [])
            add(ref, value[0])

    def other(self, kind):
        """A value that no new object has."""
        name = kind.kind
        if name == "set":
            return [self.other(kind.parts[0])]
        if name == "map":
            key = self.model.enums[kind.parts[0].name][0] if kind.parts[0].kind == "enum" else "key"
            return {key: self.other(kind.parts[1])}
        if name == "enum":
            return self.model.enums[kind.name][-1]
        if name == "datetime":
            return None
        return {"string": "text ✓", "int": "7", "bool": True, "float": 0.5, "ref": NOWHERE}[name]
