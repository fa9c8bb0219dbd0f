import BlockIO
import NBDProtocol
import NBDTransport
import Synchronization
import TestSupport
import Testing

/// A bitmap that says what it was made to say.
final class FixedChanges: ChangedExtentSource {
    let name: String
    let granularity: UInt64 = 65536
    private let changed: [Range<UInt64>]

    init(_ name: String, changed: [Range<UInt64>]) {
        self.name = name
        self.changed = changed
    }

    func appendChanges(
        to extents: inout [ChangedExtent], at offset: UInt64, length: UInt64
    ) throws(BlockError) {
        let isChanged = changed.contains { $0.contains(offset) }
        let borders = changed.flatMap { [$0.lowerBound, $0.upperBound] } + [offset + length]
        // One extent a call: the caller goes on from its end.
        let end = borders.filter { $0 > offset && $0 <= offset + length }.min() ?? offset + length
        extents.append(ChangedExtent(offset: offset, length: end - offset, isChanged: isChanged))
    }
}

/// Allocation and dirty bitmaps as clients ask for them, and what else nbdsh says and sees of the protocol.
struct ContextTests {
    private static let bitmaps: [any ChangedExtentSource] = [
        FixedChanges("monday", changed: [65536..<131072, 1 << 20..<2 << 20]),
        FixedChanges("tägliche", changed: []),
    ]

    private func served(_ device: any BlockDevice) throws -> (NBDServer, ScratchFolder) {
        let folder = try ScratchFolder("contexts")
        let server = NBDServer(exports: [
            NBDExport(name: "disk", device: device, changes: { Self.bitmaps }),
            NBDExport(name: "plain", device: MemoryDevice(size: 1 << 20)),
        ])
        try server.start(unixSocket: folder.file("s"))
        return (server, folder)
    }

    /// Runs Python with a libnbd handle `h` and the socket's `path`.
    private func nbdsh(_ folder: ScratchFolder, _ script: String) throws {
        // What nbdsh runs, by the Python that its package is for, whatever else is called python3.
        try Tool.check("/usr/bin/python3", ["-m", "nbd", "-c", "path = '\(folder.file("s"))'", "-c", script])
    }

    @Test func bitmapsAndAllocationAreListedChosenAndFollowed() throws {
        let device = MemoryDevice(size: 4 << 20)
        try device.put([UInt8](repeating: 1, count: 65536), at: 0)
        let (server, folder) = try served(device)
        defer { server.stop() }
        try nbdsh(
            folder,
            """
            def listed(*queries):
                l = nbd.NBD()
                l.set_opt_mode(True)
                l.set_export_name("disk")
                for query in queries: l.add_meta_context(query)
                l.connect_unix(path)
                names = []
                l.opt_list_meta_context(lambda name: names.append(name))
                l.opt_abort()
                return names
            every = ["base:allocation", "qemu:dirty-bitmap:monday", "qemu:dirty-bitmap:tägliche"]
            assert listed() == every, listed()
            assert listed("base:") == every[:1]
            assert listed("qemu:") == every[1:]
            assert listed("qemu:dirty-bitmap:") == every[1:]
            assert listed("qemu:dirty-bitmap:monday") == every[1:2]
            assert listed("qemu:dirty-bitmap:tuesday", "x:y") == []
            for context in ["base:allocation", "qemu:dirty-bitmap:monday", "qemu:dirty-bitmap:none"]:
                h.add_meta_context(context)
            h.set_export_name("disk")
            h.connect_unix(path)
            assert h.can_meta_context("base:allocation") and h.can_meta_context("qemu:dirty-bitmap:monday")
            assert not h.can_meta_context("qemu:dirty-bitmap:none")
            def status(length, offset, flags=0):
                seen = {}
                def note(context, at, entries, error):
                    assert at == offset and context not in seen
                    seen[context] = list(entries)
                h.block_status(length, offset, note, flags)
                return seen
            all = status(4 << 20, 0)
            assert all == {"base:allocation": [65536, 0, (4 << 20) - 65536, 3],
                "qemu:dirty-bitmap:monday": [65536, 0, 65536, 1, 983040 - 65536, 0, 1 << 20, 1, 2 << 20, 0]}, all
            one = status(2 << 20, 1000, nbd.CMD_FLAG_REQ_ONE)
            assert one == {"base:allocation": [64536, 0], "qemu:dirty-bitmap:monday": [64536, 0]}, one
            # A client may choose a bitmap alone, and another export has none.
            n = nbd.NBD()
            n.add_meta_context("qemu:dirty-bitmap:monday")
            n.set_export_name("plain")
            n.connect_unix(path)
            assert not n.can_meta_context("qemu:dirty-bitmap:monday")
            """)
        let map = try Tool.check(
            "nbdinfo", ["--map=qemu:dirty-bitmap:monday", "nbd+unix:///disk?socket=\(folder.file("s"))"])
        #expect(map.split(separator: "\n").count == 5)
    }

    @Test func nbdshFindsEveryRequestAsTheProtocolHasIt() throws {
        let (server, folder) = try served(MemoryDevice(size: 8 << 20))
        defer { server.stop() }
        try nbdsh(
            folder,
            """
            h.set_export_name("disk")
            h.set_strict_mode(0)
            h.connect_unix(path)
            assert h.can_multi_conn() and h.can_df() and h.can_fast_zero() and h.can_cache() and h.can_fua()
            assert h.get_block_size(nbd.SIZE_MAXIMUM) == 32 << 20
            h.pwrite(b"a" * 8192, 1000, nbd.CMD_FLAG_FUA)
            assert h.pread(8192, 1000, nbd.CMD_FLAG_DF) == b"a" * 8192
            h.zero(4096, 1000, nbd.CMD_FLAG_NO_HOLE | nbd.CMD_FLAG_FUA)
            h.zero(1 << 20, 4 << 20, nbd.CMD_FLAG_FAST_ZERO)
            h.trim(512, 5096 + 1024, nbd.CMD_FLAG_FUA)
            h.cache(8 << 20, 0)
            h.flush()
            assert h.pread(4096, 1000) == bytes(4096) and h.pread(1024, 5096) == b"a" * 1024
            chunks = []
            h.pread_structured(65536, 0, lambda data, at, state, error: chunks.append((at, len(data), state)))
            assert chunks == [(0, 65536, nbd.READ_DATA)], chunks
            def refused(number, call):
                try: call()
                except nbd.Error as error: assert error.errno == number, error
                else: raise AssertionError(number)
            refused("EINVAL", lambda: h.pread(512, 8 << 20))
            refused("ENOSPC", lambda: h.pwrite(b"x" * 512, 8 << 20))
            refused("ENOSPC", lambda: h.zero(512, (8 << 20) - 1))
            refused("EINVAL", lambda: h.trim(512, (8 << 20) - 1))
            refused("EINVAL", lambda: h.flush(0x8000))
            assert h.pread(1, 0) == bytes(1)
            """)
    }

    /// A device without a fast way says so before it does anything.
    @Test func fastZeroFailsWhereZeroesWouldBeWrittenOut() throws {
        let device = GateDevice(size: 1 << 20)
        try device.put([UInt8](repeating: 5, count: 4096), at: 0)
        let (server, folder) = try served(device)
        defer { server.stop() }
        try nbdsh(
            folder,
            """
            h.set_export_name("disk")
            h.connect_unix(path)
            try: h.zero(4096, 0, nbd.CMD_FLAG_FAST_ZERO)
            except nbd.Error as error: assert error.errno in ("ENOTSUP", "EOPNOTSUPP"), error
            else: raise AssertionError()
            assert h.pread(4096, 0) == bytes([5]) * 4096
            h.zero(4096, 0)
            assert h.pread(4096, 0) == bytes(4096)
            """)
    }

    @Test func fioVerifiesWhatItWrote() throws {
        let served = try Served(MemoryDevice(size: 8 << 20))
        try Tool.check(
            "fio",
            [
                "--name=v", "--ioengine=nbd", "--uri=\(served.uri)", "--rw=randrw", "--bs=512-32k", "--size=8M",
                "--iodepth=16", "--verify_state_save=0", "--verify=crc32c", "--verify_backlog=64", "--fsync=50",
                "--output=\(served.folder.file("report"))",
            ])
        #expect(served.server.requestCounts.writes > 100)
    }

    /// A disk that has grown: the connections end, and the next ones see it.
    @Test func aGrownDeviceShowsItsSizeToConnectionsMadeAfterwards() throws {
        let device = GrowingDevice()
        let served = try Served(device)
        let old = try served.connect()
        device.grow()
        #expect(old.size == 1 << 20)
        #expect(throws: BlockError.self) { try old.put([1], at: 1 << 20) }
        served.server.disconnectClients()
        #expect { try old.bytes(at: 0, 1) } throws: { ($0 as? BlockError)?.code == .disconnected }
        let new = try served.connect()
        #expect(new.size == 2 << 20)
        try new.put([1], at: 1 << 20)
        #expect(try Tool.check("nbdinfo", ["--size", served.uri]) == "2097152\n")
    }
}

/// Memory of 1 MiB that shows 2 after `grow`.
private final class GrowingDevice: BlockDevice {
    private let memory = MemoryDevice(size: 2 << 20)
    private let shown = Atomic<UInt64>(1 << 20)
    var size: UInt64 { shown.load(ordering: .relaxed) }
    var isReadOnly: Bool { false }
    var preferredAlignment: UInt64 { 4096 }

    func grow() { shown.store(2 << 20, ordering: .relaxed) }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        unsafe try memory.read(into: buffer, at: offset)
    }
    func write(_ data: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {
        unsafe try memory.write(data, at: offset)
    }
    func writeZeroes(at offset: UInt64, length: UInt64, mayUnmap: Bool) throws(BlockError) {
        try memory.writeZeroes(at: offset, length: length, mayUnmap: mayUnmap)
    }
    func discard(at offset: UInt64, length: UInt64) throws(BlockError) {
        try memory.discard(at: offset, length: length)
    }
    func flush() throws(BlockError) {}
    func appendExtents(to extents: inout [Extent], at offset: UInt64, length: UInt64) throws(BlockError) {
        try memory.appendExtents(to: &extents, at: offset, length: length)
    }
    func close() throws(BlockError) { try memory.close() }
}
