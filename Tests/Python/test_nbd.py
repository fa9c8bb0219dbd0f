"""Disks for NBD clients over the network: VDI.get_nbd_info, and what programs do with it."""

import os
import socket
import ssl
import struct
import subprocess
import urllib.parse

from suite.apart import ApartCase
from suite.case import MIB, Case
from suite.model import NOWHERE

BLOCK = 65536


class NBDTests(Case):
    def setUp(self):
        super().setUp()
        pif = self.x.host.get_management_interface(self.host)
        self.network, self.address = self.x.PIF.get_network(pif), self.x.PIF.get_IP(pif)

    def serve(self, purpose):
        self.x.network.add_purpose(self.network, purpose)
        self.addCleanup(self.x.network.remove_purpose, self.network, purpose)

    def place(self, vdi, x=None):
        """What the host says of its address of version 4."""
        return next(i for i in (x or self.x).VDI.get_nbd_info(vdi) if i["address"] == self.address)

    def uri(self, info, scheme="nbds", exportname=None):
        """As programs make it of what the host says."""
        uri = "%s://%s:%s/%s" % (
            scheme, info["address"], info["port"], urllib.parse.quote(exportname or info["exportname"], safe="")
        )
        if scheme == "nbd":
            return uri
        folder = self.folder("certificates")
        with open(folder + "/ca-cert.pem", "w") as file:
            file.write(info["cert"])
        return "%s?tls-certificates=%s&tls-hostname=%s" % (uri, folder, info["subject"])

    def tool(self, *command, fails=False):
        # What the server says of why is in the library's debugging output only.
        surroundings = os.environ | ({"LIBNBD_DEBUG": "1"} if fails else {})
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=surroundings)
        self.assertEqual(done.returncode != 0, fails, done.stdout + done.stderr)
        return done.stderr if fails else done.stdout

    def put(self, vdi, content):
        status, _, _ = self.http("PUT", "/import_raw_vdi", content, session_id=self.sid, vdi=vdi, format="raw")
        self.assertEqual(status, 200)

    def exported(self, vdi):
        return [v for v in self.x.VDI.get_VBDs(vdi) if "nbd_export" in self.x.VBD.get_other_config(v)]

    def unused(self, vdi):
        self.until(lambda: not self.exported(vdi))

    def test_nothing_is_said_where_no_network_has_the_purpose(self):
        vdi = self.disk(self.repository())
        self.assertEqual(self.x.VDI.get_nbd_info(vdi), [])
        self.unknown("VDI", self.x.VDI.get_nbd_info)

    def test_a_backup_program_reads_a_snapshot_in_tls(self):
        """A snapshot's content, its allocation, and what has changed since the one before, by what the host says."""
        sr = self.repository()
        vdi = self.disk(sr)
        self.x.VDI.enable_cbt(vdi)
        first = os.urandom(MIB)
        self.put(vdi, first)
        self.x.VDI.snapshot(vdi, {})
        self.put(vdi, bytes(2 * BLOCK) + os.urandom(BLOCK))
        snapshot = self.x.VDI.snapshot(vdi, {})
        content = self.http("GET", "/export_raw_vdi", session_id=self.sid, vdi=snapshot, format="raw")[2]
        self.serve("nbd")
        info = self.place(snapshot)
        self.assertEqual(sorted(info), ["address", "cert", "exportname", "port", "subject"])
        self.assertEqual(info["exportname"], "/%s?session_id=%s" % (self.x.VDI.get_uuid(snapshot), self.sid))
        self.assertIn("BEGIN CERTIFICATE", info["cert"])
        uri, copy = self.uri(info), self.folder("copies") + "/copy"
        self.tool("nbdcopy", uri, copy)
        with open(copy, "rb") as file:
            self.assertEqual(file.read(), content)
        self.assertIn("data", self.tool("nbdinfo", "--map", uri))
        changed = self.tool("nbdinfo", "--map=qemu:dirty-bitmap:cbt", uri)
        self.assertIn("1", [line.split()[2] for line in changed.splitlines()])
        self.assertEqual(
            {n for n in range(4 * MIB // BLOCK) if self.is_marked(changed, n * BLOCK)}, {0, 1, 2}
        )
        # Nobody writes, and nobody comes in without TLS.
        self.tool("nbdinfo", self.uri(info, "nbd"), fails=True)
        self.assertTrue(self.tool("nbdinfo", "--is", "read-only", uri) == "")
        self.unused(snapshot)
        self.x.VDI.data_destroy(snapshot)
        self.refused(["VDI_INCOMPATIBLE_TYPE", snapshot, "CBT metadata"], self.x.VDI.get_nbd_info, snapshot)

    @staticmethod
    def is_marked(lines, offset):
        for line in lines.splitlines():
            start, length, mark = (int(n) for n in line.split()[:3])
            if start <= offset < start + length:
                return mark == 1
        return None

    def test_a_disk_is_in_use_while_a_client_reads_it(self):
        vdi = self.disk(self.repository())
        self.serve("insecure_nbd")
        info = self.place(vdi)
        with socket.create_connection((info["address"], int(info["port"]))) as client:
            name = info["exportname"].encode()
            client.recv(18, socket.MSG_WAITALL)
            client.sendall(struct.pack(">I", 3) + b"IHAVEOPT" + struct.pack(">II", 1, len(name)) + name)
            self.assertEqual(struct.unpack(">Q", client.recv(8, socket.MSG_WAITALL))[0], 4 * MIB)
            [vbd] = self.exported(vdi)
            self.shows(self.x.VBD.get_record(vbd), mode="RO", currently_attached=True, VDI=vdi)
            self.assertTrue(self.x.VM.get_is_control_domain(self.x.VBD.get_VM(vbd)))
            self.fails(["VDI_IN_USE"], self.x.VDI.destroy, vdi)
        # Nobody writes to it by the gate, whatever it is to others: not who believes what it says, nor who does not.
        self.assertFalse(self.x.VDI.get_read_only(vdi))
        self.tool("nbdinfo", "--is", "read-only", self.uri(info, "nbd"))
        self.assertEqual(self.written(info), 1)
        self.unused(vdi)
        content = self.http("GET", "/export_raw_vdi", session_id=self.sid, vdi=vdi, format="raw")[2]
        self.assertEqual(content, bytes(4 * MIB))
        # One that a guest writes is nobody else's.
        other = self.drive(self.x.host.get_control_domain(self.host), vdi)
        self.x.VBD.plug(other)
        self.assertIn("VDI_IN_USE", self.tool("nbdinfo", self.uri(info, "nbd"), fails=True))
        self.assertEqual(self.exported(vdi), [])
        self.x.VBD.unplug(other)
        self.x.VBD.destroy(other)
        self.tool("nbdinfo", self.uri(info, "nbd"))
        self.unused(vdi)

    def written(self, info):
        """The server's error number for a write by a client that asks nobody whether it may."""
        with socket.create_connection((info["address"], int(info["port"]))) as client:
            name = info["exportname"].encode()
            client.recv(18, socket.MSG_WAITALL)
            client.sendall(struct.pack(">I", 3) + b"IHAVEOPT" + struct.pack(">II", 1, len(name)) + name)
            client.recv(10, socket.MSG_WAITALL)
            client.sendall(struct.pack(">IHHQQI", 0x25609513, 0, 1, 1, 0, 512) + bytes([0xAB]) * 512)
            return struct.unpack(">IIQ", client.recv(16, socket.MSG_WAITALL))[1]

    def test_a_name_is_good_as_long_as_its_session(self):
        vdi = self.disk(self.repository())
        self.serve("insecure_nbd")
        info = self.place(vdi)
        mine = self.log_in()
        name = self.place(vdi, mine.xenapi)["exportname"]
        self.tool("nbdinfo", self.uri(info, "nbd", name))
        mine.xenapi.session.logout()
        self.assertIn("SESSION_INVALID", self.tool("nbdinfo", self.uri(info, "nbd", name), fails=True))
        uuid = self.x.VDI.get_uuid(vdi)
        for name, said in (
            ("/%s?session_id=%s" % (uuid, NOWHERE), "SESSION_INVALID"),
            ("/%s?session_id=%s" % (uuid[:-1] + ("0" if uuid[-1] != "0" else "1"), self.sid), "UUID_INVALID"),
            ("/%s" % uuid, "HANDLE_INVALID"),
            ("disk", "HANDLE_INVALID"),
        ):
            self.assertIn(said, self.tool("nbdinfo", self.uri(info, "nbd", name), fails=True))
        # Who may not ask for the name may not use one that somebody made up for them.
        person = self.person("read-only")
        self.fails(["RBAC_PERMISSION_DENIED"], person.xenapi.VDI.get_nbd_info, vdi)
        name = "/%s?session_id=%s" % (uuid, person._session)
        self.assertIn("RBAC_PERMISSION_DENIED", self.tool("nbdinfo", self.uri(info, "nbd", name), fails=True))
        self.unused(vdi)

    def test_strangers_end_their_own_connections_and_the_gate_is_nobody(self):
        vdi = self.disk(self.repository())
        self.serve("nbd")
        info = self.place(vdi)
        where = (info["address"], int(info["port"]))
        started = struct.pack(">I", 3) + b"IHAVEOPT"
        for words in (b"", b"GET / HTTP/1.1\r\n\r\n", os.urandom(4096), started + b"\xff" * 64):
            with socket.create_connection(where) as client:
                client.sendall(words)
                client.shutdown(socket.SHUT_WR)
                while client.recv(65536):
                    pass
        # What is said after STARTTLS and is no TLS.
        with socket.create_connection(where) as client:
            client.recv(18, socket.MSG_WAITALL)
            client.sendall(struct.pack(">I", 3) + b"IHAVEOPT" + struct.pack(">II", 5, 0))
            client.recv(20, socket.MSG_WAITALL)
            with self.assertRaises((ssl.SSLError, OSError)):
                context = ssl.create_default_context()
                context.wrap_socket(client, server_hostname="not.this.host")
        with open("/proc/%d/status" % self.gate()) as file:
            status = dict(line.split(":\t", 1) for line in file if ":\t" in line)
        if os.geteuid() == 0:
            self.assertGreater(int(status["Uid"].split()[0]), 1000)
            self.assertEqual(status["CapEff"].strip(), "0" * 16)
        self.tool("nbdinfo", self.uri(info))
        # It comes back, on a port that the host tells.
        os.kill(self.gate(), 9)
        self.until(lambda: self.answers(vdi))
        self.unused(vdi)

    def answers(self, vdi):
        found = [i for i in self.x.VDI.get_nbd_info(vdi) if i["address"] == self.address]
        if not found:
            return False
        return subprocess.run(["nbdinfo", self.uri(found[0])], capture_output=True, timeout=60).returncode == 0

    def gate(self):
        """Its process."""
        for entry in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open("/proc/%s/cmdline" % entry, "rb") as file:
                    words = file.read().split(b"\0")
            except OSError:
                continue
            if b"gate" in words and os.fsencode(str(self.daemon.folder / "r" / "nbd" / "own")) in words:
                return int(entry)
        self.fail("there is no gate")
        return 0


class KilledTests(ApartCase):
    def test_what_was_plugged_for_clients_goes_when_the_toolstack_is_killed(self):
        path = self.own.folder / "sr"
        path.mkdir()
        sr = self.x.SR.create(self.host, {"location": str(path)}, "0", "sr", "", "file", "user", False, {})
        vdi = self.disk(sr)
        pif = self.x.host.get_management_interface(self.host)
        self.x.network.add_purpose(self.x.PIF.get_network(pif), "insecure_nbd")
        info = self.x.VDI.get_nbd_info(vdi)[0]
        name = info["exportname"].encode()
        with socket.create_connection((info["address"], int(info["port"]))) as client:
            client.recv(18, socket.MSG_WAITALL)
            client.sendall(struct.pack(">I", 3) + b"IHAVEOPT" + struct.pack(">II", 1, len(name)) + name)
            self.assertEqual(struct.unpack(">Q", client.recv(8, socket.MSG_WAITALL))[0], 4 * MIB)
            self.assertEqual(len(self.x.VDI.get_VBDs(vdi)), 1)
            self.own.process.kill()
            self.own.process.wait()
            # The gate ends with it, and the connection with the gate.
            while client.recv(65536):
                pass
        self.start()
        self.assertEqual(self.x.VDI.get_VBDs(vdi), [])
        self.assertNotEqual(self.x.VDI.get_nbd_info(vdi), [])
        self.x.VDI.destroy(vdi)
