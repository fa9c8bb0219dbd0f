import BlockIO
import CoreTypes
import Foundation
import NBDTransport
import TestSupport
import Testing

@Suite struct MirrorToExportTests {
    /// The destination is qemu-nbd's export, which is killed and started again meanwhile; lines change the mirror as it runs.
    @Test func anExportThatGoesAwayIsFilledAgainAndTheMirrorIsToldThings() throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("mirror")
        let sample = try SampleImage(in: folder, size: 8 << 20, random: &random)
        let content = try Data(contentsOf: URL(fileURLWithPath: sample.raw))
        let (far, target) = (folder.file("far.sock"), folder.file("far.qcow2"))
        try Tool.check("qemu-img", ["create", "-q", "-f", "qcow2", target, "8M"])
        func serve() throws -> Process {
            let server = Process()
            server.executableURL = URL(fileURLWithPath: try Tool.find("qemu-nbd"))
            server.arguments = ["-t", "-e", "8", "-f", "qcow2", "-x", "disk", "-k", far, target]
            try server.run()
            while (try? NBDClient.connect(unixSocket: far, exportName: "disk").close()) == nil, server.isRunning {}
            return server
        }
        var server = try serve()
        let process = try GantryProcess([
            "image", "mirror", "-f", "raw", "-O", "raw", "--socket", folder.file("nbd.sock"), "--retry", "600",
            "--mode", "background", sample.raw, "nbd+unix:///disk?socket=\(far)",
        ])
        while process.process.isRunning, !FileManager.default.fileExists(atPath: folder.file("nbd.sock")) {
            sched_yield()
        }
        let client = try NBDClient.connect(unixSocket: folder.file("nbd.sock"), exportName: "disk")
        let writer = WritingClient(device: client, content: [UInt8](content), random: random)
        writer.start()
        try process.say("pause")
        try process.say("start")
        try process.say("status")
        #expect(try process.answer("status")["paused"] as? Bool == true)
        kill(server.processIdentifier, SIGKILL)
        server.waitUntilExit()
        try process.say("resume")
        var retries = 0
        while retries == 0 {
            try process.say("status")
            retries = try #require(try process.answer("status")["retries"] as? Int)
        }
        server = try serve()
        try writer.awaitMoreWrites(5)
        try process.say("mode active")
        _ = try process.answer("ready")
        try process.say("verify")
        #expect(try process.answer("verified")["compared_bytes"] as? Int == 8 << 20)
        // Lost since it was in sync: the pivot waits until it was tried again, and compared.
        kill(server.processIdentifier, SIGKILL)
        server.waitUntilExit()
        try process.say("pivot")
        try writer.awaitMoreWrites(5)
        server = try serve()
        let pivoted = try process.answer("pivoted")
        let writes = try #require(pivoted["writes"] as? [String: [String: Double]])
        #expect(try #require(writes["mirroring"]?["count"]) > 0)
        #expect(writes["pivoting"]?["longest_ms"] != nil && writes["before"]?["p99_ms"] != nil)
        try writer.awaitMoreWrites(5)
        let model = try writer.stop()
        try client.flush()
        try client.close()
        try process.say("quit")
        #expect(process.end() == 0)
        // Not SIGTERM, which it inherits blocked; what is flushed is in the file.
        kill(server.processIdentifier, SIGKILL)
        server.waitUntilExit()
        try Data(model).write(to: URL(fileURLWithPath: folder.file("model")))
        try Tool.check("qemu-img", ["compare", "-f", "raw", "-F", "qcow2", folder.file("model"), target])
    }
}
