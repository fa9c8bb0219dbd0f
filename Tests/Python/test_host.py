"""Classes pool and host: what they are, what may be asked of them."""

import os
import subprocess
import time

from suite.case import Case
from suite.model import NOWHERE


class PoolTests(Case):
    def test_there_is_one_pool_and_its_master_is_the_host(self):
        records = self.x.pool.get_all_records()
        self.assertEqual(list(records), [self.pool])
        self.assertEqual(records[self.pool]["master"], self.host)
        self.assertFalse(self.x.pool.is_slave(self.host))
        self.assertEqual(self.x.pool.recover_slaves(), [])
        self.assertEqual(self.x.pool.sync_database(), "")

    def test_there_is_one_edition(self):
        state = self.x.pool.get_license_state(self.pool)
        self.assertEqual(sorted(state), ["edition", "expiry"])
        self.x.pool.apply_edition(self.pool, state["edition"])
        self.refused(["INVALID_EDITION", "enterprise"], self.x.pool.apply_edition, self.pool, "enterprise")
        self.unknown("pool", self.x.pool.apply_edition, state["edition"])
        self.x.host.apply_edition(self.host, state["edition"], False)
        # The last argument may be left out.
        self.x.host.apply_edition(self.host, state["edition"])
        self.assertEqual(self.x.host.get_edition(self.host), state["edition"])
        self.refused(["INVALID_EDITION", "enterprise"], self.x.host.apply_edition, self.host, "enterprise", True)
        self.unknown("host", self.x.host.apply_edition, state["edition"])

    def test_there_are_no_extensions(self):
        self.assertFalse(self.x.pool.has_extension(self.pool, "anything"))
        self.assertFalse(self.x.host.has_extension(self.host, "anything"))
        self.refused(["XENAPI_MISSING_PLUGIN", "raid.py"], self.x.host.call_plugin, self.host, "raid.py", "check", {})

    def test_the_default_repository_is_a_reference_like_any(self):
        sr, before = self.repository(), self.x.pool.get_default_SR(self.pool)
        watch = self.watch("pool")
        self.x.pool.set_default_SR(self.pool, sr)
        self.assertEqual(watch.expect(self.pool, "mod")["default_SR"], sr)
        self.x.pool.set_default_SR(self.pool, before)
        self.assertEqual(self.x.pool.get_default_SR(self.pool), before)


class HostTests(Case):
    def test_the_host_is_this_machine(self):
        record = self.x.host.get_record(self.host)
        self.assertEqual(len(record["host_CPUs"]), os.cpu_count())
        self.assertEqual(sorted(record["host_CPUs"]), sorted(self.x.host_cpu.get_all()))
        for ref in record["host_CPUs"]:
            self.assertEqual(self.x.host_cpu.get_host(ref), self.host)
        metrics = self.x.host_metrics.get_record(record["metrics"])
        self.assertTrue(metrics["live"])
        self.assertGreater(int(metrics["memory_total"]), int(metrics["memory_free"]))
        self.assertEqual(record["API_version_major"] + "." + record["API_version_minor"], "2.23")
        self.assertTrue(self.x.VM.get_is_control_domain(record["control_domain"]))
        self.assertIn(record["control_domain"], record["resident_VMs"])
        self.assertEqual(record["hostname"], os.uname().nodename)
        self.assertEqual(record["software_version"]["linux"], os.uname().release)

    def test_a_disabled_host_starts_nothing(self):
        vm = self.machine()
        watch = self.watch("host")
        self.x.host.disable(self.host)
        self.addCleanup(self.x.host.enable, self.host)
        self.assertIs(watch.expect(self.host, "mod")["enabled"], False)
        self.refused(["HOST_DISABLED", self.host], self.x.VM.start, vm, False, False)
        self.assertEqual(self.x.VM.get_power_state(vm), "Halted")
        self.succeeded(self.x.Async.host.enable(self.host))
        self.assertIs(self.x.host.get_enabled(self.host), True)

    def test_the_way_to_switch_it_on_is_kept(self):
        self.x.host.set_power_on_mode(self.host, "wake-on-lan", {"key": "value"})
        record = self.x.host.get_record(self.host)
        self.assertEqual([record["power_on_mode"], record["power_on_config"]], ["wake-on-lan", {"key": "value"}])
        self.x.host.set_power_on_mode(self.host, "", {})
        self.assertEqual(self.x.host.get_power_on_mode(self.host), "")
        self.unknown("host", self.x.host.set_power_on_mode, "", {})

    def test_its_clocks(self):
        now = self.x.host.get_servertime(self.host)
        seconds = time.mktime(time.strptime(now.value, "%Y%m%dT%H:%M:%SZ")) - time.timezone
        self.assertLess(abs(seconds - time.time()), 30)
        local = self.x.host.get_server_localtime(self.host)
        offset = time.localtime().tm_gmtoff
        self.assertLess(
            abs(time.mktime(time.strptime(local.value[:17], "%Y%m%dT%H:%M:%S")) - time.timezone - offset - time.time()),
            30,
        )

    def test_its_memory(self):
        total = int(self.x.host_metrics.get_memory_total(self.x.host.get_metrics(self.host)))
        self.assertTrue(0 < int(self.x.host.compute_free_memory(self.host)) < total)
        self.assertTrue(0 <= int(self.x.host.compute_memory_overhead(self.host)) < total)
        self.assertEqual(self.x.host.compute_memory_overhead(self.host), self.x.host.get_memory_overhead(self.host))

    def test_its_kernels_messages_are_those_that_the_machine_shows(self):
        shown = subprocess.run(["dmesg"], capture_output=True, text=True)
        if shown.returncode:
            self.refused(["INTERNAL_ERROR", ...], self.x.host.dmesg, self.host)
        else:
            last = shown.stdout.splitlines()[-1:]
            self.assertEqual([line for line in last if line.split("] ")[-1] not in self.x.host.dmesg(self.host)], [])

    def test_its_state_in_a_pool_of_one(self):
        self.assertEqual(self.x.host.list_methods(), sorted(self.model.messages))
        self.assertIs(self.x.host.is_in_emergency_mode(), False)
        self.assertIs(self.x.host.ha_xapi_healthcheck(), True)
        self.assertEqual(self.x.host.get_uncooperative_resident_VMs(self.host), [])
        self.assertEqual(self.x.host.get_vms_which_prevent_evacuation(self.host), {})
        self.assertEqual(self.x.host.assert_can_evacuate(self.host), "")
        self.assertEqual(self.x.host.evacuate(self.host), "")
        self.refused(["HANDLE_INVALID", "network", NOWHERE], self.x.host.evacuate, self.host, NOWHERE)

    def test_its_management_interface_has_its_address(self):
        pif = self.x.PIF.get_record(self.x.host.get_management_interface(self.host))
        self.assertTrue(pif["management"])
        self.assertEqual(self.x.host.get_address(self.host), pif["IP"])


class NetworkTests(Case):
    def network(self, **members):
        record = {"name_label": "n", "name_description": "", "other_config": {}}
        ref = self.x.network.create(record | members)
        self.addCleanup(self.drop, ref)
        return ref

    def drop(self, ref):
        if ref in self.x.network.get_all():
            self.x.network.destroy(ref)

    def test_a_new_network_gets_a_bridge_name_of_its_own(self):
        first, second = self.network(MTU="1400", tags=["a"]), self.network()
        record = self.x.network.get_record(first)
        self.shows(record, MTU="1400", tags=["a"], managed=True, VIFs=[], PIFs=[], purpose=[])
        self.assertRegex(record["bridge"], "^xapi[0-9]+$")
        self.assertNotEqual(record["bridge"], self.x.network.get_bridge(second))
        self.assertEqual(self.x.network.get_MTU(second), "1500")

    def test_what_a_network_cannot_be(self):
        bridge = self.x.network.get_bridge(self.network())
        self.refused(["BRIDGE_NAME_EXISTS", bridge], self.network, bridge=bridge)
        self.refused(["BRIDGE_NOT_AVAILABLE", "none0"], self.network, bridge="none0", managed=False)
        for name in ("sixteen-letters-", "a/b", "a b"):
            self.refused(["INVALID_VALUE", "bridge", name], self.network, bridge=name)
        for mtu in ("67", "65536", "-1"):
            self.refused(["INVALID_VALUE", "MTU", mtu], self.network, MTU=mtu)
        self.refused(["INTERNAL_ERROR", ...], self.x.network.create, {"name_label": 1})

    def test_a_network_of_an_interface_stays(self):
        pif = self.x.PIF.get_all()[0]
        network = self.x.PIF.get_network(pif)
        pifs = self.x.network.get_PIFs(network)
        self.assertIn(pif, pifs)
        self.refused(["NETWORK_CONTAINS_PIF"] + pifs, self.x.network.destroy, network)
        self.unknown("network", self.x.network.destroy)

    def test_purposes_exclude_each_other(self):
        ref = self.network()
        self.x.network.add_purpose(ref, "nbd")
        self.x.network.add_purpose(ref, "NBD")
        self.assertEqual(self.x.network.get_purpose(ref), ["nbd"])
        self.refused(
            ["NETWORK_INCOMPATIBLE_PURPOSES", "insecure_nbd", "nbd"], self.x.network.add_purpose, ref, "insecure_nbd"
        )
        self.x.network.remove_purpose(ref, "nbd")
        self.x.network.remove_purpose(ref, "nbd")
        self.x.network.add_purpose(ref, "insecure_nbd")
        self.assertEqual(self.x.network.get_purpose(ref), ["insecure_nbd"])
        self.unknown("network", self.x.network.add_purpose, "nbd")
        self.unknown("network", self.x.network.remove_purpose, "nbd")

    def test_a_network_is_introduced_with_all_that_is_known_of_it(self):
        ref = self.x.network.pool_introduce("label", "text", "1300", {"k": "v"}, "introduced0", True, ["nbd"])
        self.addCleanup(self.drop, ref)
        record = self.x.network.get_record(ref)
        self.shows(
            record,
            name_label="label",
            name_description="text",
            MTU="1300",
            other_config={"k": "v"},
            bridge="introduced0",
            managed=True,
            purpose=["nbd"],
        )
        self.x.network.set_default_locking_mode(ref, "disabled")
        self.assertEqual(self.x.network.get_default_locking_mode(ref), "disabled")
        self.unknown("network", self.x.network.set_default_locking_mode, "disabled")

    def test_interfaces_are_found_again_as_they_are(self):
        before = self.x.PIF.get_all_records()
        self.x.PIF.scan(self.host)
        after = self.x.PIF.get_all_records()
        self.assertEqual(sorted(before), sorted(after))
        devices = os.listdir("/sys/class/net")
        for ref, record in after.items():
            self.assertIn(record["device"], devices)
            with open("/sys/class/net/%s/address" % record["device"]) as file:
                self.assertEqual(record["MAC"], file.read().strip())
            self.assertEqual(record["host"], self.host)
            self.assertIn(ref, self.x.network.get_PIFs(record["network"]))
            self.assertIn(record["metrics"], self.x.PIF_metrics.get_all())
        self.unknown("host", self.x.PIF.scan)
