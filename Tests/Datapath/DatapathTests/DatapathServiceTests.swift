import BlockIO
import CoreTypes
import DatapathControl
import DiskImages
import Foundation
import NBDTransport
import TestSupport
import Testing

@Suite struct DatapathServiceTests: ImagesOfOneSize {
    static let size: UInt64 = 16 << 20

    /// A crash at either side of the pivot's decision: the image that is then authoritative holds every flushed write.
    @Test(arguments: [false, true])
    func aKilledProcessLosesNoFlushedWriteOnEitherSideOfThePivot(prepared: Bool) throws {
        let folder = try ScratchFolder("dp")
        let (a, b) = (try image(folder, "a.vhd", "vhd"), try image(folder, "b.qcow2", "qcow2"))
        let process = try DatapathProcess(folder, image: a.path, format: a.format)
        let client = try process.connect()
        try fill(client, 1, at: 0, count: 3 << 20)
        try client.flush()
        _ = try process.control.callBlocking(.mirrorStart(destination: b, bytesPerSecond: 0))
        _ = try process.awaitPhase(.synchronised)
        if prepared { _ = try process.control.callBlocking(.pivotPrepare) }
        try fill(client, 2, at: 5 << 20, count: 1 << 20)
        try client.flush()
        process.kill()
        // The source is authoritative; once prepared, both are and must be identical.
        try Tool.check("qemu-io", ["-f", "vpc", "-r", "-c", "read -P 1 0 3M", "-c", "read -P 2 5M 1M", a.path])
        if prepared {
            try Tool.check("qemu-io", ["-f", "qcow2", "-r", "-c", "read -P 1 0 3M", "-c", "read -P 2 5M 1M", b.path])
            let check = try Tool.run("qemu-img", ["check", "-f", "qcow2", b.path])
            #expect(check.status == 0 || check.status == 3, "at most leaks: \(check.output)")
        }
    }

    @Test func theImageIsItsOwnWhileItIsServed() throws {
        let folder = try ScratchFolder("dp")
        let a = try image(folder, "a.qcow2", "qcow2")
        let process = try DatapathProcess(folder, image: a.path, format: a.format)
        #expect(
            try Tool.run("qemu-img", ["check", "-f", "qcow2", a.path]).status != 0, "QEMU must see that it is in use")
        let second = try ScratchFolder("dp2")
        #expect(throws: DatapathProcess.Failure.self) {
            try DatapathProcess(second, image: a.path, format: a.format)
        }
        #expect(try process.quit() == 0)
        try Tool.check("qemu-img", ["check", "-f", "qcow2", a.path])
    }

    @Test func aDestinationThatCannotBeUsedIsRefusedAndTheDiskGoesOn() throws {
        let folder = try ScratchFolder("dp")
        let a = try image(folder, "a.raw", "raw")
        let process = try DatapathProcess(folder, image: a.path, format: a.format)
        let client = try process.connect()
        let missing = ImageSpecification(path: folder.file("none.qcow2"), format: "qcow2")
        let failure = #expect(throws: DatapathClient.Failure.self) {
            try process.control.callBlocking(.mirrorStart(destination: missing, bytesPerSecond: 0))
        }
        #expect(failure?.code == "notFound")
        try Data("not an image".utf8).write(to: URL(fileURLWithPath: missing.path))
        #expect(throws: DatapathClient.Failure.self) {
            try process.control.callBlocking(.mirrorStart(destination: missing, bytesPerSecond: 0))
        }
        #expect(throws: DatapathClient.Failure.self) { try process.control.callBlocking(.pivotCommit) }
        try fill(client, 3, at: 0, count: 4096)
        #expect(try process.status().mirror == nil)
        #expect(try process.quit() == 0)
    }

    /// Bytes that are no requests end their own connection only.
    @Test func garbageOnTheControlSocketHurtsNobodyElse() throws {
        let folder = try ScratchFolder("dp")
        let a = try image(folder, "a.raw", "raw")
        let process = try DatapathProcess(folder, image: a.path, format: a.format)
        for text in [
            "garbage\n", "{\"mirrorStart\":{}}\n", "{\"status\":{}", "\n\n\n", String(repeating: "x", count: 2 << 20),
        ] {
            let script =
                "import socket,sys;s=socket.socket(socket.AF_UNIX);s.connect(sys.argv[1]);\n"
                + "try: s.sendall(sys.stdin.buffer.read()); s.shutdown(1); s.recv(100)\nexcept OSError: pass"
            try Tool.check("python3", ["-c", script, process.control.socketPath], input: text)
        }
        #expect(try process.status().image.path == a.path)
        #expect(try process.quit() == 0)
    }

    @Test func cancelLeavesTheSourceAndTheDestinationMayBeDeleted() throws {
        let folder = try ScratchFolder("dp")
        let (a, b) = (try image(folder, "a.qcow2", "qcow2"), try image(folder, "b.raw", "raw"))
        let process = try DatapathProcess(folder, image: a.path, format: a.format)
        let client = try process.connect()
        try fill(client, 4, at: 1 << 20, count: 8 << 20)
        _ = try process.control.callBlocking(.mirrorStart(destination: b, bytesPerSecond: 1 << 20))
        let mirror = try process.awaitPhase(.copying)
        #expect(mirror.destination == b)
        _ = try process.control.callBlocking(.mirrorCancel)
        #expect(try process.status().mirror == nil)
        try FileManager.default.removeItem(atPath: b.path)
        try fill(client, 5, at: 0, count: 4096)
        #expect(try process.quit() == 0)
        try Tool.check("qemu-io", ["-f", "qcow2", "-r", "-c", "read -P 5 0 4k", "-c", "read -P 4 1M 8M", a.path])
    }
}
