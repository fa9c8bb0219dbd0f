"""The API under load: calls per second beside nginx, a large answer, idle connections. See docs/performance.md, "API"."""
import http.client
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import time

import setting
from daemon import Daemon, fill

TOOLS = {"wrk": "wrk", "nginx": "nginx"}

# wrk asks for one object of many, in turn.
SCRIPT = """
local bodies, n = {}, 0
for line in io.lines("%(bodies)s") do bodies[#bodies + 1] = wrk.format("POST", "%(path)s", nil, line) end
request = function() n = n %% #bodies + 1; return bodies[n] end
done = function(summary, latency, requests)
    io.stderr:write(string.format("RESULT %%d %%d %%d %%d %%d\\n", summary.requests, summary.duration,
        latency:percentile(50), latency:percentile(99),
        summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.write
        + summary.errors.timeout))
end
"""

NGINX = """
daemon off; worker_processes auto; pid %(folder)s/nginx.pid; error_log %(folder)s/nginx.log;
events { worker_connections 1024; }
http {
    access_log off; keepalive_requests 100000000; default_type text/xml;
    client_body_temp_path %(folder)s/b; proxy_temp_path %(folder)s/p; fastcgi_temp_path %(folder)s/f;
    uwsgi_temp_path %(folder)s/u; scgi_temp_path %(folder)s/s;
    server { listen 127.0.0.1:%(port)d; root %(folder)s/www; }
}
"""


def xml(method, *values):
    parameters = "".join(f"<param><value>{value}</value></param>" for value in values)
    return f'<?xml version="1.0"?><methodCall><methodName>{method}</methodName><params>{parameters}</params></methodCall>'


def wrk(url, seconds, connections, script):
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "-s", script, url]
    said = subprocess.run(command, capture_output=True, text=True)
    found = re.search(r"^RESULT (\d+) (\d+) (\d+) (\d+) (\d+)$", said.stderr, re.M)
    if not found:
        sys.exit(f"wrk: {said.stdout}{said.stderr}")
    requests, micros, p50, p99, errors = map(int, found.groups())
    if errors:
        sys.exit(f"wrk: {errors} of {requests} requests failed")
    return {"per_second": requests / micros * 1e6, "p50_ms": p50 / 1000, "p99_ms": p99 / 1000}


def rates(daemon, folder, refs, chosen):
    """get_record over keep-alive connections, and nginx with a file as long as its answer."""
    some = refs[:: max(1, len(refs) // 1000)][:1000]
    contestants = {}
    for name, path, make in [
            ("XML-RPC", "/", lambda ref: xml("VDI.get_record", daemon.session, ref)),
            ("JSON-RPC", "/jsonrpc", lambda ref: json.dumps(
                {"method": "VDI.get_record", "params": [daemon.session, ref], "id": 1}))]:
        bodies = f"{folder}/{name}.bodies"
        with open(bodies, "w") as file:
            file.write("\n".join(make(ref) for ref in some))
        script = f"{folder}/{name}.lua"
        with open(script, "w") as file:
            file.write(SCRIPT % {"bodies": bodies, "path": path})
        contestants[name] = (f"http://{daemon.address}{path}", script)
    connection = http.client.HTTPConnection(daemon.address)
    connection.request("POST", "/", xml("VDI.get_record", daemon.session, some[0]))
    size = len(connection.getresponse().read())
    os.makedirs(f"{folder}/www", exist_ok=True)
    with open(f"{folder}/www/reply", "wb") as file:
        file.write(b"x" * size)
    os.chmod(folder, 0o755)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with open(f"{folder}/nginx.conf", "w") as file:
        file.write(NGINX % {"folder": folder, "port": port})
    nginx = subprocess.Popen(["nginx", "-c", f"{folder}/nginx.conf", "-e", f"{folder}/nginx.log"])
    script = f"{folder}/nginx.lua"
    with open(script, "w") as file:
        file.write(SCRIPT.split("request =")[0].replace("for line", "-- for line") % {"bodies": "", "path": ""}
                   + "done =" + (SCRIPT % {"bodies": "", "path": ""}).split("done =")[1])
    contestants["nginx"] = (f"http://127.0.0.1:{port}/reply", script)
    try:
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                time.sleep(0.05)
        samples = {name: [] for name in contestants}
        for name, (url, script) in contestants.items():
            wrk(url, 1, chosen.api_connections, script)
        for number in range(chosen.rounds):
            for name in setting.in_turn(list(contestants), number):
                url, script = contestants[name]
                before = daemon.cpu()
                sample = wrk(url, chosen.api_seconds, chosen.api_connections, script)
                calls = sample["per_second"] * chosen.api_seconds
                sample["cpu_us_per_call"] = (daemon.cpu() - before) / calls * 1e6
                samples[name].append(sample)
                setting.log(f"{name}: {sample['per_second']:.0f}/s, p99 {sample['p99_ms']:.2f} ms")
    finally:
        nginx.terminate()
        nginx.wait()
    return {"reply_bytes": size, "connections": chosen.api_connections, "samples": samples}


def large(daemon, refs, chosen):
    """All records at once, taken by a client that throws them away."""
    cases = []
    for name, path, body in [
            ("XML-RPC", "/", xml("VDI.get_all_records", daemon.session)),
            ("JSON-RPC", "/jsonrpc", json.dumps(
                {"method": "VDI.get_all_records", "params": [daemon.session], "id": 1}))]:
        samples = []
        for _ in range(chosen.rounds):
            daemon.reset_peak()
            before, cpu = daemon.memory(), daemon.cpu()
            started = time.time()
            peer = socket.create_connection((daemon.host, daemon.port))
            peer.sendall(f"POST {path} HTTP/1.0\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
            room, got = bytearray(1 << 20), 0
            while count := peer.recv_into(room):
                got += count
            seconds = time.time() - started
            samples.append({
                "mib": got / (1 << 20), "mb_per_second": got / seconds / 1e6, "seconds": seconds,
                "cpu": daemon.cpu() - cpu, "growth_mib": (daemon.memory("VmHWM") - before) / 1024})
            setting.log(f"all records, {name}: {samples[-1]['mb_per_second']:.0f} MB/s, "
                        f"{samples[-1]['growth_mib']:.0f} MiB more memory")
        cases.append({"case": name, "objects": len(refs), "samples": samples})
    return cases


def idle(daemon, chosen):
    """What a connection costs that does nothing."""
    import resource
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    before = daemon.memory()
    peers = []
    for _ in range(chosen.api_idle):
        peer = socket.create_connection((daemon.host, daemon.port))
        peer.sendall(b"GET / HTTP/1.1\r\n\r\n")
        peer.recv(4096)
        peers.append(peer)
    after = daemon.memory()
    for peer in peers:
        peer.close()
    return {"connections": chosen.api_idle, "kib_each": (after - before) / max(1, chosen.api_idle)}


def run(gantryd, folder, chosen):
    setting.need(TOOLS)
    # Paths of Unix sockets are short.
    place = os.path.join(folder, "api")
    os.mkdir(place)
    os.chmod(folder, 0o755)
    daemon = Daemon(gantryd, place)
    try:
        refs, _ = fill(daemon, place, chosen.api_disks)
        return {"rates": rates(daemon, place, refs, chosen), "large": large(daemon, refs, chosen),
                "idle": idle(daemon, chosen), "rss_mib": daemon.memory() / 1024}
    finally:
        daemon.stop()
        shutil.rmtree(place, ignore_errors=True)


def median(samples, key):
    return statistics.median(sample[key] for sample in samples)


def text(results):
    """The table of a run."""
    rates, lines = results["rates"], []
    nginx = median(rates["samples"]["nginx"], "per_second")
    lines.append(f"VDI.get_record, {rates['reply_bytes']} bytes, {rates['connections']} connections "
                 "(nginx: a file of that size)")
    for name, samples in rates["samples"].items():
        rate = median(samples, "per_second")
        cpu = "" if name == "nginx" else f"  {median(samples, 'cpu_us_per_call'):5.1f} us CPU a call"
        lines.append(f"  {name:9} {rate:8.0f}/s  p50 {median(samples, 'p50_ms'):6.2f} ms  "
                     f"p99 {median(samples, 'p99_ms'):6.2f} ms  {rate / nginx:5.2f} x nginx{cpu}")
    for case in results["large"]:
        samples = case["samples"]
        lines.append(f"VDI.get_all_records, {case['objects']} objects, {case['case']}: "
                     f"{median(samples, 'mib'):.0f} MiB, {median(samples, 'mb_per_second'):.0f} MB/s, "
                     f"{max(s['growth_mib'] for s in samples):.0f} MiB more memory")
    lines.append(f"an idle connection: {results['idle']['kib_each']:.1f} KiB "
                 f"({results['idle']['connections']} open)")
    return "\n".join(lines)
