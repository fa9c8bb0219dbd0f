import Foundation
import RPCCodec
import TestSupport
import Testing

extension EndToEnd {
    @Suite struct Monitoring {
        /// The unmodified Python SDK and plain HTTP, as monitoring programs use them.
        @Test func aHostLooksRealAndItsNumbersAreRead() async throws {
            try await withToolstack { toolstack in
                let sr = try await toolstack.makeRepository("a", formats: "qcow2")
                let vdi = try await toolstack.makeDisk(in: sr.ref, bytes: 16 << 20, format: "qcow2")
                let disk = try await toolstack.plugHere(vdi)
                let script = toolstack.folder.file("monitor.py")
                try Data(Self.program.utf8).write(to: URL(fileURLWithPath: script))
                let output = try Tool.check(
                    "python3", [script, toolstack.httpURL, toolstack.password, disk.socket, toolstack.socket])
                for line in [
                    "host ok", "messages ok", "secrets ok", "blobs ok", "numbers ok", "limits ok", "prometheus ok",
                    "health ok",
                ] {
                    #expect(output.contains(line), "\(output)")
                }
                // What was seen is there after a restart.
                await toolstack.stop()
                let names = try FileManager.default.contentsOfDirectory(atPath: toolstack.stateDirectory + "/metrics")
                #expect(names.contains { $0.hasPrefix("host-") } && names.contains { $0.hasPrefix("sr-") })
                let mode = try FileManager.default.attributesOfItem(atPath: toolstack.stateDirectory + "/pool.db")
                #expect(mode[.posixPermissions] as? Int == 0o600)
                try await toolstack.start()
                let again = try Tool.check(
                    "python3", [script, toolstack.httpURL, toolstack.password, disk.socket, toolstack.socket, "again"])
                #expect(again.contains("history ok"), "\(again)")
                try await toolstack.call("VBD.unplug", .string(disk.vbd))
            }
        }

        private static let program = """
            import base64, json, os, socket, subprocess, sys, time, urllib.error, urllib.request, xmlrpc.client
            import xml.etree.ElementTree as E
            import XenAPI
            url, password, nbd, local = sys.argv[1:5]
            session = XenAPI.Session(url)
            session.xenapi.login_with_password("root", password, "2.23", "monitor")
            x, sid = session.xenapi, session._session

            def get(path, **fields):
                request = urllib.request.Request(url + path, headers=fields)
                with urllib.request.urlopen(request) as answer:
                    return answer.status, answer.headers, answer.read()

            def status(path, method="GET", data=None, **fields):
                try:
                    request = urllib.request.Request(url + path, method=method, data=data, headers=fields)
                    with urllib.request.urlopen(request) as answer:
                        return answer.status
                except urllib.error.HTTPError as error:
                    return error.code

            def fails(code, call, *arguments):
                try:
                    call(*arguments)
                except XenAPI.Failure as failure:
                    assert failure.details[0] == code, failure.details
                    return
                assert False, code

            host = x.host.get_all()[0]
            record = x.host.get_record(host)

            if len(sys.argv) > 5:
                root = E.fromstring(get(f"/host_rrd?session_id={sid}")[2])
                rows = [[v.text for v in row] for row in root.find("rra").find("database")]
                assert sum(any(v != "NaN" for v in row) for row in rows) >= 2, rows[-5:]
                print("history ok")
                sys.exit()

            # The host.
            assert len(x.host_cpu.get_all()) == os.cpu_count() == int(record["cpu_info"]["cpu_count"])
            assert int(x.host_metrics.get_memory_total(record["metrics"])) > 1 << 28
            assert x.host_metrics.get_live(record["metrics"]) is True
            assert 0 < int(x.host.compute_free_memory(host)) <= int(x.host_metrics.get_memory_total(record["metrics"]))
            assert record["software_version"]["xapi"] == "2.23" and record["API_version_minor"] == "23"
            assert "system-manufacturer" in record["bios_strings"] and record["chipset_info"]["iommu"] in ("true", "false")
            assert any(c.startswith("hvm-") for c in record["capabilities"]) and record["patches"] == []
            assert float(record["other_config"]["boot_time"]) < time.time()
            pif = x.PIF.get_record(x.host.get_management_interface(host))
            assert pif["device"] in os.listdir("/sys/class/net")
            assert pif["MAC"] == open(f"/sys/class/net/{pif['device']}/address").read().strip()
            assert x.PIF_metrics.get_carrier(pif["metrics"]) in (True, False)
            now = x.host.get_servertime(host)
            assert abs(time.mktime(time.strptime(str(now), "%Y%m%dT%H:%M:%SZ")) - time.timezone - time.time()) < 5
            assert "VM.start" in x.host.list_methods() and x.host.get_vms_which_prevent_evacuation(host) == {}
            x.host.disable(host)
            assert x.host.get_enabled(host) is False
            x.host.enable(host)
            pool = x.pool.get_all()[0]
            x.pool.set_default_SR(pool, x.SR.get_by_name_label("a")[0])
            assert x.pool.get_license_state(pool)["expiry"] == "never"
            network = x.network.create({"name_label": "n", "name_description": "", "MTU": "1500", "other_config": {},
                                        "tags": []})
            assert x.network.get_bridge(network).startswith("xapi")
            fails("NETWORK_CONTAINS_PIF", x.network.destroy, pif["network"])
            fails("BRIDGE_NAME_EXISTS", x.network.create,
                  {"name_label": "m", "name_description": "", "other_config": {}, "bridge": x.network.get_bridge(network)})
            print("host ok")

            # Messages, by events as well.
            token = x.event_from(["message"], "", 0.0)["token"]
            message = x.message.create("ALARM", "2", "Host", record["uuid"], "value: 1")
            batch = x.event_from(["message"], token, 10.0)
            assert [(e["ref"], e["operation"]) for e in batch["events"]] == [(message, "add")], batch
            assert batch["events"][0]["snapshot"]["body"] == "value: 1"
            assert list(x.message.get("Host", record["uuid"], xmlrpc.client.DateTime("20000101T00:00:00Z"))) == [message]
            fails("UUID_INVALID", x.message.create, "ALARM", "2", "VM", record["uuid"], "")
            x.message.destroy(message)
            fails("HANDLE_INVALID", x.message.get_record, message)
            print("messages ok")

            secret = x.secret.create({"value": "hush", "other_config": {}})
            assert x.secret.get_value(secret) == "hush"
            x.secret.destroy(secret)
            print("secrets ok")

            # Blobs.
            blob = x.network.create_new_blob(network, "picture", "image/png", False)
            content = os.urandom(300_000)
            assert status(f"/blob?ref={blob}", "PUT", content) == 401
            assert status(f"/blob?ref={blob}&session_id={sid}", "PUT", content) == 200
            assert status(f"/blob?ref={blob}") == 401 and status("/blob?ref=OpaqueRef:none") == 401
            answer = get(f"/blob?ref={blob}", Cookie=f"session_id={sid}")
            assert answer[2] == content and answer[1]["Content-Type"] == "image/png"
            assert x.blob.get_size(blob) == "300000" and x.network.get_blobs(network) == {"picture": blob}
            x.blob.set_public(blob, True)
            assert get(f"/blob?uuid={x.blob.get_uuid(blob)}")[2] == content
            x.blob.destroy(blob)
            assert x.network.get_blobs(network) == {} and status(f"/blob?ref={blob}&session_id={sid}") == 404
            x.network.destroy(network)
            print("blobs ok")

            # Numbers: something is to be seen on the disk's repository, then wait for two looks.
            assert status("/rrd_updates?start=0") == 401 and status(f"/rrd_updates?session_id={sid}") == 400
            assert status(f"/rrd_updates?start=1&cf=x&session_id={sid}") == 400
            sr = x.SR.get_record(x.SR.get_by_name_label("a")[0])
            begin = int(time.time()) - 10
            def updates(extra=""):
                return json.loads(get(f"/rrd_updates?start={begin}&cf=AVERAGE&interval=5&host=true&json=true{extra}"
                                      f"&session_id={sid}")[2])
            name = f"AVERAGE:host:{record['uuid']}:io_throughput_write_{sr['uuid'][:8]}"
            seen = []
            for _ in range(200):
                subprocess.run(["qemu-io", "-f", "raw", "-c", "write 0 1M", "-c", "flush",
                                f"nbd+unix:///disk?socket={nbd}"], check=True, stdout=subprocess.DEVNULL)
                data = updates()
                assert data["meta"]["step"] == "5"
                if name in data["meta"]["legend"]:
                    place = data["meta"]["legend"].index(name)
                    seen = [float(row["values"][place]) for row in data["data"]]
                    if any(value > 0 for value in seen):
                        break
                time.sleep(0.2)
            assert any(value > 0 for value in seen), seen
            legend = data["meta"]["legend"]
            for source in ("cpu0", "cpu_avg", "memory_total_kib", "memory_free_kib", "loadavg", f"pif_{pif['device']}_rx"):
                assert f"AVERAGE:host:{record['uuid']}:{source}" in legend, source
            assert {e.split(":")[1] for e in updates("&sr_uuid=" + sr["uuid"])["meta"]["legend"]} == {"host", "sr"}
            xml = E.fromstring(get(f"/rrd_updates?start={begin}&host=true&session_id={sid}")[2])
            assert xml.tag == "xport" and xml.find("meta").find("step").text == "5"
            whole = E.fromstring(get("/host_rrd", Cookie=f"session_id={sid}")[2])
            assert {ds.find("name").text for ds in whole.findall("ds")} >= {"cpu0", "loadavg"}
            assert len(whole.findall("rra")) == 10
            basic = "Basic " + base64.b64encode(f"root:{password}".encode()).decode()
            assert "rra" in json.loads(get(f"/sr_rrd?uuid={sr['uuid']}&json=true", Authorization=basic)[2])
            assert status(f"/vm_rrd?uuid=../../pool&session_id={sid}") == 404
            sources = {s["name_label"]: s for s in x.host.get_data_sources(host)}
            assert sources["memory_total_kib"]["units"] == "KiB" and sources["cpu0"]["enabled"] is True
            assert x.host.query_data_source(host, "memory_total_kib") > 1000
            fails("INVALID_VALUE", x.host.query_data_source, host, "nonsense")
            x.host.forget_data_source_archives(host, "loadavg")
            assert not any(e.endswith(":loadavg") for e in updates()["meta"]["legend"])
            x.host.record_data_source(host, "loadavg")
            ref = x.SR.get_by_name_label("a")[0]
            assert {"io_throughput_read", "iops_write", "physical_utilisation"} <= {
                s["name_label"] for s in x.SR.get_data_sources(ref)}
            print("numbers ok")

            # Limits of the disk: 20 reads of which 5 pass at once, the rest at 50 a second.
            vbd = [ref for ref, row in x.VBD.get_all_records().items() if row["currently_attached"]][0]
            x.VBD.set_qos_algorithm_type(vbd, "throttle")
            fails("INVALID_VALUE", x.VBD.add_to_qos_algorithm_params, vbd, "iops", "many")
            x.VBD.set_qos_algorithm_params(vbd, {"read-iops": "50", "read-iops-burst": "5"})
            def reads():
                before = time.monotonic()
                subprocess.run(["qemu-io", "-f", "raw"] + ["-c", "read -q 0 512"] * 20
                               + [f"nbd+unix:///disk?socket={nbd}"], check=True, stdout=subprocess.DEVNULL)
                return time.monotonic() - before
            assert reads() > 0.29
            x.VBD.remove_from_qos_algorithm_params(vbd, "read-iops-burst")
            x.VBD.set_qos_algorithm_type(vbd, "")
            assert x.VBD.get_qos_algorithm_params(vbd) == {"read-iops": "50"}
            print("limits ok")

            assert status("/metrics") == 401
            text = get("/metrics", Authorization=basic)[2].decode()
            assert f'gantry_sr_written_bytes_total{{sr="{sr["uuid"]}",name="a"}} ' in text, text
            families = [line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")]
            assert len(families) == len(set(families)) and "gantry_host_cpu_busy_seconds_total" in families
            for line in text.splitlines():
                assert line.startswith("# ") or float(line.rsplit(" ", 1)[1]) >= 0, line
            unix = socket.socket(socket.AF_UNIX)
            unix.connect(local)
            unix.sendall(b"GET /metrics HTTP/1.0\\r\\n\\r\\n")
            assert b" 200 " in unix.makefile("rb").readline()
            print("prometheus ok")

            # A busy machine may have been too slow at the last look.
            for _ in range(60):
                if status("/health") == 200: break
                time.sleep(1)
            health = get("/health")
            body = json.loads(health[2])
            assert body["status"] == "ok" and body["database"]["writable"] and body["datapaths"]["answering"] == 1, body
            assert time.time() - body["database"]["last_commit"] < 60
            print("health ok")
            """
    }
}
