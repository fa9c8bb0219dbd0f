"""A model of another maker's toolstack as the source of storage motion: the calls, paths and handshakes that it uses at a destination.

Made of what is known of them, not of one of them: what these tests show is that the calls are answered as described, and that the disks
are right.
"""

import contextlib
import random
import socket
import ssl
import struct
import urllib.parse
import xmlrpc.client

OLD_MAGIC = 0x00420281861253
#: No whole number of blocks of any format: tapdisk takes no disk of another size than its own.
SIZE = (4 << 20) + 512


class Refused(Exception):
    """What a call failed with: a variant's name, and what it holds."""


class Export:
    """A disk, connected by PUT. `chunked`: the client says that a body in chunks follows, and ends it at once."""

    def __init__(self, url, target, version="1.0", chunked=False, handshake="old", name=""):
        place = urllib.parse.urlparse(url)
        self.socket = socket.create_connection((place.hostname, place.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if place.scheme == "https":
            # Between pools nobody looks at certificates.
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            self.socket = context.wrap_socket(self.socket)
        head = "PUT %s HTTP/%s\r\nHost: x\r\nUser-Agent: smapiv2\r\n" % (target, version)
        head += "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" if chunked else "\r\n"
        self.socket.sendall(head.encode())
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            piece = self.socket.recv(1)
            if not piece:
                break
            answer += piece
        lines = answer.decode().split("\r\n")
        self.status = int(lines[0].split()[1])
        fields = {line.split(":")[0].lower(): line.split(":", 1)[1].strip() for line in lines[1:] if ":" in line}
        self.encoding = fields.get("transfer-encoding")
        if self.status != 200:
            self.socket.close()
            return
        hello, kind = self.receive(8), struct.unpack(">Q", self.receive(8))[0]
        assert hello == b"NBDMAGIC", hello
        if handshake == "old":
            assert kind == OLD_MAGIC, hex(kind)
            self.size, self.flags = struct.unpack(">QI", self.receive(12))
            assert self.receive(124) == bytes(124)
        else:
            assert kind == struct.unpack(">Q", b"IHAVEOPT")[0], hex(kind)
            self.receive(2)
            self.socket.sendall(struct.pack(">I", 3) + b"IHAVEOPT" + struct.pack(">II", 1, len(name)) + name.encode())
            self.size, self.flags = struct.unpack(">QH", self.receive(10))

    def receive(self, count):
        parts = b""
        while len(parts) < count:
            piece = self.socket.recv(count - len(parts))
            if not piece:
                raise EOFError("the export has ended")
            parts += piece
        return parts

    def ask(self, command, offset, length, data=b""):
        """The reply's error."""
        self.socket.sendall(struct.pack(">IHHQQI", 0x25609513, 0, command, 7, offset, length) + data)
        magic, error, cookie = struct.unpack(">IIQ", self.receive(16))
        assert (magic, cookie) == (0x67446698, 7)
        return error

    def write(self, offset, data):
        error = self.ask(1, offset, len(data), data)
        assert error == 0, error

    def close(self):
        """As these clients leave: with a word. The server has done everything when its side ends."""
        with contextlib.suppress(OSError):
            self.socket.sendall(struct.pack(">IHHQQI", 0x25609513, 0, 2, 8, 0, 0))
            while self.socket.recv(4096):
                pass
        self.socket.close()


class Source:
    """A disk of `SIZE` bytes that is being written, and its way to an SR there."""

    def __init__(self, url, session, sr_uuid, seed=None):
        self.url, self.session, self.sr = url, session, sr_uuid
        #: Where disks are connected, if elsewhere.
        self.stream_url = None
        self.random = random.Random(seed)
        self.mirror = "%032x/%032x" % (self.random.getrandbits(128), self.random.getrandbits(128))
        self.disk = bytearray(SIZE)
        for _ in range(40):
            self.change(self.random.randrange(1, 64))

    def change(self, sectors):
        """The guest writes: where, and what."""
        first = self.random.randrange(SIZE // 512 - sectors)
        data = self.random.randbytes(512 * sectors)
        self.disk[first * 512 : (first + sectors) * 512] = data
        return first * 512, data

    def call(self, method, **arguments):
        body = xmlrpc.client.dumps(({"dbg": "test"} | arguments,), method, allow_none=True).encode()
        place = urllib.parse.urlparse(self.url)
        target = "/services/SM?session_id=" + self.session
        connection = xmlrpc.client.Transport(use_builtin_types=True).make_connection(place.netloc)
        with contextlib.closing(connection):
            connection.request("POST", target, body, {"Content-Type": "text/xml"})
            answer = connection.getresponse()
            text = answer.read()
            assert answer.status == 200, (answer.status, text)
        ((value,), _) = xmlrpc.client.loads(text)
        if value["Status"] != "Success":
            raise Refused(*value["ErrorDescription"])
        return value["Value"]

    def described(self, **members):
        return {
            "vdi": "source.vhd", "uuid": "6f2f2a42-8a3a-4b1a-9c1e-000000000000", "content_id": "content of the source",
            "name_label": "from elsewhere", "name_description": "told", "ty": "user", "metadata_of_pool": "",
            "is_a_snapshot": False, "snapshot_time": "19700101T00:00:00Z", "snapshot_of": "", "read_only": False,
            "cbt_enabled": False, "virtual_size": str(SIZE), "physical_utilisation": "12345", "persistent": True,
            "sharable": False, "sm_config": {"vdi_type": "vhd"},
        } | members

    def export(self, path, **options):
        return Export(self.stream_url or self.url, "/services/SM/%s?session_id=%s" % (path, self.session), **options)

    def start(self, variant="2"):
        """The leaf, the parent and the dummy, and the leaf's datapath, connected."""
        arguments = {"sr": self.sr, "vdi_info": self.described(), "id": self.mirror, "similar": ["x", "y"]}
        if variant:
            arguments["vm"] = "MIR123456"
        tag, made = self.call("DATA.MIRROR.receive_start" + variant, **arguments)
        assert tag == "Vhd_mirror", tag
        self.leaf, self.parent = made["mirror_vdi"]["vdi"], made["copy_diffs_to"]
        self.dummy, self.datapath = made["dummy_vdi"], made["mirror_datapath"]
        assert made["mirror_vdi"]["sm_config"]["base_mirror"] == self.mirror
        return made

    def connect_leaf(self, with_vm=True):
        vm = "MIR123456/" if with_vm else ""
        self.line = self.export("nbd/%s%s/%s/%s" % (vm, self.sr, self.leaf, self.datapath))
        assert self.line.encoding == "nbd", self.line.status
        assert self.line.size == SIZE and self.line.flags == 0

    def scan(self):
        return {disk["vdi"]: disk for disk in self.call("SR.scan", sr=self.sr)}

    def copy(self, place, content, path="nbdproxy/import/CP123456", between=None, **options):
        """A sparse copy of `content`, with the guest's writes `between` its pieces."""
        assert self.sr in self.call("SR.list")
        known = self.scan()[place]
        assert int(known["virtual_size"]) == SIZE and known["content_id"] != ""
        datapath = "copy-%08x" % self.random.getrandbits(32)
        backend = self.call("VDI.attach3", dp=datapath, sr=self.sr, vdi=place, vm="CP123456", read_write=True)
        (uri,) = [way["uri"] for kind, way in backend["implementations"] if kind == "Nbd"]
        assert len(uri.split(":")) == 4 and uri.split(":")[3].startswith("exportname="), uri
        self.call("VDI.activate3", dp=datapath, sr=self.sr, vdi=place, vm="CP123456")
        line = self.export("%s/%s/%s/%s" % (path, self.sr, place, datapath), version="1.1", **options)
        assert line.encoding == "nbd" and line.size == SIZE, line.status
        step = 64 << 10
        for offset in range(0, SIZE, step):
            piece = content[offset : offset + step]
            if any(piece):
                line.write(offset, bytes(piece))
            if between:
                between()
        line.close()
        self.call("DP.destroy", dp=datapath, allow_leak=False)
        self.call("VDI.set_content_id", sr=self.sr, vdi=place, content_id="content of the source")
        # One that it knows would be cloned for the next copy.
        assert self.scan()[place]["content_id"] not in ("", "content of the source")

    def mirror_and_copy(self, **options):
        """From here on both get what the guest writes; what the disk held before is copied beside that."""
        before = bytes(self.disk)

        def guest():
            for _ in range(2):
                self.line.write(*self.change(self.random.randrange(1, 40)))

        guest()
        self.copy(self.parent, before, between=guest, **options)
        guest()
