import BlockIO
import CoreTypes
import NBDTransport
import TestSupport
import Testing

/// Our server against the clients people use.
struct ServerPeerTests {
    private func patterned(_ size: UInt64, _ random: inout SeededRandom) throws -> MemoryDevice {
        let device = MemoryDevice(size: size)
        for _ in 0..<20 {
            let count = Int.random(in: 1...300_000, using: &random)
            try device.put(random.bytes(count), at: UInt64.random(in: 0...size - UInt64(count), using: &random))
        }
        return device
    }

    private func contents(_ device: any BlockDevice, to path: String) throws {
        let image = try ImageFile(path: path, access: .create)
        defer { image.close() }
        let buffer = AlignedBuffer(count: Int(device.size))
        // SAFETY: a buffer of the device's size.
        unsafe try device.read(into: buffer.bytes, at: 0)
        unsafe try image.write(UnsafeRawBufferPointer(buffer.bytes), at: 0)
    }

    @Test func nbdinfoSeesSizeNameFlagsAndBlockSizes() throws {
        let served = try Served(GateDevice(size: 10 << 20), name: "größe")
        #expect(try Tool.check("nbdinfo", ["--size", served.uri]) == "10485760\n")
        let json = try Tool.check("nbdinfo", ["--json", "--list", served.uri])
        for part in [
            "\"export-name\": \"größe\"", "\"export-size\": 10485760", "\"structured\": true", "\"can_df\": true",
            "\"can_fua\": true", "\"can_flush\": true", "\"can_multi_conn\": true", "\"can_trim\": true",
            "\"can_zero\": true", "\"can_fast_zero\": true", "\"can_cache\": true", "\"is_read_only\": false",
            "\"block_size_minimum\": 1,", "\"block_size_preferred\": 65536", "\"block_size_maximum\": 33554432",
            "base:allocation",
        ] { #expect(json.contains(part), "\(part) is not in \(json)") }
    }

    @Test func aReadOnlyExportSaysSoAndRefusesWrites() throws {
        let served = try Served(MemoryDevice(content: [UInt8](repeating: 7, count: 1 << 20)), readOnly: true)
        #expect(try Tool.run("nbdinfo", ["--is", "read-only", served.uri]).succeeded)
        #expect(try !Tool.run("qemu-io", ["-f", "raw", "-c", "write 0 4k", served.uri]).succeeded)
        try Tool.check("qemu-io", ["-r", "-f", "raw", "-c", "read -P 7 0 1M", served.uri])
    }

    @Test func nbdinfoMapFollowsTheExtents() throws {
        let device = MemoryDevice(size: 6 << 30)
        try device.put([UInt8](repeating: 1, count: 65536), at: 1 << 20)
        try device.put([1], at: 5 << 30)
        let served = try Served(device)
        let lines = try Tool.check("nbdinfo", ["--map", served.uri]).split(separator: "\n")
            .map { $0.split(separator: " ", omittingEmptySubsequences: true).prefix(3).joined(separator: " ") }
        #expect(
            lines == [
                "0 1048576 3", "1048576 65536 0", "1114112 5367595008 3", "5368709120 65536 0",
                "5368774656 1073676288 3",
            ])
    }

    @Test func nbdcopyMovesContentBothWays() throws {
        var random = SeededRandom.printed()
        let served = try Served(try patterned(24 << 20, &random))
        let folder = try ScratchFolder("copy")
        try Tool.check("nbdcopy", [served.uri, folder.file("out")])
        try contents(served.device, to: folder.file("truth"))
        try Tool.check("cmp", [folder.file("out"), folder.file("truth")])

        let target = try Served(MemoryDevice(size: 24 << 20))
        try Tool.check("nbdcopy", ["--connections=3", "--requests=17", "--flush", folder.file("out"), target.uri])
        #expect(try target.device.bytes(at: 0, 24 << 20) == served.device.bytes(at: 0, 24 << 20))
    }

    @Test func qemuIOPatternsReadBack() throws {
        let served = try Served(MemoryDevice(size: 80 << 20))
        let commands = [
            "write -P 0x11 0 64k", "write -P 0x22 1000 3000", "read -P 0x11 0 1000", "read -P 0x22 1000 3000",
            "write -f -P 0x33 20M 33M", "read -P 0x33 20M 33M", "flush", "write -z 21M 1M", "read -P 0 21M 1M",
            "write -z -u 30M 8M", "read -P 0 30M 8M", "write -z -f 50M 4k", "read -P 0 50M 4k", "discard 22M 2M",
            "aio_write -P 0x44 60M 1M", "aio_write -P 0x55 61M 512", "aio_read 0 20M", "aio_flush",
            "read -P 0x44 60M 1M", "read -P 0x55 61M 512", "read -P 0x33 52M 1M",
        ]
        try Tool.check("qemu-io", ["-f", "raw"] + commands.flatMap { ["-c", $0] } + [served.uri])
        #expect(try served.device.bytes(at: 999, 2) == [0x11, 0x22])
        #expect(try served.device.bytes(at: 20 << 20, 1) == [0x33])
    }

    @Test func qemuImgConvertsAndComparesThroughUs() throws {
        var random = SeededRandom.printed()
        let served = try Served(try patterned(32 << 20, &random))
        let folder = try ScratchFolder("convert")
        let image = folder.file("image.qcow2")
        try Tool.check("qemu-img", ["convert", "-f", "raw", "-O", "qcow2", served.uri, image])
        try Tool.check("qemu-img", ["compare", "-f", "raw", "-F", "qcow2", served.uri, image])
        let target = try Served(MemoryDevice(size: 32 << 20))
        try Tool.check("qemu-img", ["convert", "-n", "-f", "qcow2", "-O", "raw", image, target.uri])
        #expect(try target.device.bytes(at: 0, 32 << 20) == served.device.bytes(at: 0, 32 << 20))
    }

    @Test func tcpAndSeveralExportsAreServed() throws {
        let server = NBDServer(exports: [
            NBDExport(name: "a", device: MemoryDevice(size: 1 << 20)),
            NBDExport(name: "b", device: MemoryDevice(size: 2 << 20)),
        ])
        let port = try server.start(address: "127.0.0.1", port: 0)
        defer { server.stop() }
        #expect(try Tool.check("nbdinfo", ["--size", "nbd://127.0.0.1:\(port)/b"]) == "2097152\n")
        #expect(try Tool.check("nbdinfo", ["--size", "nbd://127.0.0.1:\(port)"]) == "1048576\n")
        #expect(try !Tool.run("nbdinfo", ["--size", "nbd://127.0.0.1:\(port)/c"]).succeeded)
        let client = try NBDClient.connect(host: "127.0.0.1", port: port, exportName: "b", readOnly: false)
        try client.put([1, 2, 3], at: 2_000_000)
        #expect(try client.bytes(at: 2_000_000, 3) == [1, 2, 3])
        try client.close()
        #expect(throws: BlockError.self) {
            _ = try NBDClient.connect(host: "127.0.0.1", port: port, exportName: "none", readOnly: false)
        }
    }
}
