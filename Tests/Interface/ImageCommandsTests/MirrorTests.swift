import BlockIO
import CoreTypes
import Foundation
import NBDTransport
import Synchronization
import TestSupport
import Testing

@Suite struct MirrorTests {
    private func mirror(_ folder: ScratchFolder, _ direction: Direction, _ source: String) throws -> GantryProcess {
        let process = try GantryProcess([
            "image", "mirror", "-f", direction.source.rawValue, "-O", direction.target.rawValue, "--socket",
            folder.file("nbd.sock"), source, folder.file("target"),
        ])
        while process.process.isRunning, !FileManager.default.fileExists(atPath: folder.file("nbd.sock")) {
            sched_yield()
        }
        return process
    }

    /// A client writes without a pause from before the start until after the pivot; in the end the target holds exactly
    /// what it wrote.
    @Test(arguments: Direction.all.filter { $0.source != $0.target })
    func aWritingClientFollowsTheDiskToItsNewImage(_ direction: Direction) throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("mirror")
        let sample = try SampleImage(in: folder, size: 24 << 20, random: &random)
        let content = try Data(contentsOf: URL(fileURLWithPath: sample.raw))
        let process = try mirror(folder, direction, try sample.path(direction.source))
        let client = try NBDClient.connect(unixSocket: folder.file("nbd.sock"), exportName: "disk")
        let writer = WritingClient(device: client, content: [UInt8](content), random: random)
        writer.start()
        try process.say("start")
        let ready = try process.answer("ready")
        #expect(try #require(ready["copied_bytes"] as? Int) > 0)
        #expect(ready["seconds"] as? Double != nil)
        try writer.awaitMoreWrites(20)
        #expect(!FileManager.default.fileExists(atPath: folder.file("target")))
        try process.say("pivot")
        let pivoted = try process.answer("pivoted")
        #expect(try #require(pivoted["pause_ms"] as? Double) >= 0)
        try writer.awaitMoreWrites(20)
        let model = try writer.stop()
        try client.close()
        try process.say("quit")
        #expect(process.end() == 0)
        try Data(model).write(to: URL(fileURLWithPath: folder.file("model")))
        let compared = try Tool.run(
            "qemu-img",
            ["compare", "-f", "raw", "-F", direction.target.qemuName, folder.file("model"), folder.file("target")])
        #expect(compared.succeeded, "\(compared.output)\(compared.errors)")
        if direction.target == .qcow2 { try Tool.check("qemu-img", ["check", "-f", "qcow2", folder.file("target")]) }
    }

    @Test func whatNbdcopyAndQemuWriteDuringTheMirrorIsInTheTarget() throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("mirror")
        let sample = try SampleImage(in: folder, size: 16 << 20, random: &random)
        let vhd = folder.file("source.vhd")
        try Tool.check("qemu-img", ["create", "-q", "-f", "vpc", "-o", "force_size=on", vhd, "16M"])
        let process = try mirror(folder, Direction(source: .vhd, target: .qcow2), vhd)
        let uri = "nbd+unix:///disk?socket=\(folder.file("nbd.sock"))"
        try process.say("start")
        try Tool.check("nbdcopy", [sample.raw, uri])
        let writes = ["-c", "write -P 9 3M 123k", "-c", "write -z 8M 64k"]
        try Tool.check("qemu-io", ["-f", "raw"] + writes + [uri])
        try Tool.check("qemu-io", ["-f", "raw"] + writes + [sample.raw])
        // Asked for at once: it comes when the mirror is in sync.
        try process.say("pivot")
        _ = try process.answer("ready")
        _ = try process.answer("pivoted")
        #expect(try Tool.check("qemu-io", ["-f", "raw", "-c", "read -P 9 3M 123k", uri]).contains("read 125952"))
        try process.closeInput()
        #expect(process.end() == 0)
        try Tool.check("qemu-img", ["compare", "-f", "raw", "-F", "qcow2", sample.raw, folder.file("target")])
    }

    @Test func quittingBeforeThePivotLeavesTheSourceAndNothingElse() throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("mirror")
        let sample = try SampleImage(in: folder, size: 8 << 20, random: &random)
        let process = try mirror(folder, Direction(source: .raw, target: .qcow2), sample.raw)
        try process.say("pivot")
        #expect(try process.answer("error")["message"] as? String != nil)
        try process.say("start")
        _ = try process.answer("ready")
        try process.say("start")
        #expect(try process.answer("error")["message"] as? String != nil)
        try process.say("sing")
        #expect(try #require(try process.answer("error")["message"] as? String).contains("sing"))
        kill(process.pid, SIGTERM)
        #expect(process.end() == 0)
        #expect(try folder.contents() == ["sample.raw"])
    }

    /// A comparison may take for ever, as in a mirror that is paused: every line is heard meanwhile, and so is who ends it all.
    @Test func everyLineIsHeardDuringAComparison() throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("mirror")
        let sample = try SampleImage(in: folder, size: 4 << 20, random: &random)
        let process = try mirror(folder, Direction(source: .raw, target: .qcow2), sample.raw)
        try process.say("start")
        _ = try process.answer("ready")
        for line in ["pause", "verify", "status"] { try process.say(line) }
        #expect(try process.answer("status")["paused"] as? Bool == true)
        try process.say("verify")
        #expect(try #require(try process.answer("error")["message"] as? String).contains("already"))
        // A pivot comes behind the comparison.
        for line in ["resume", "pivot"] { try process.say(line) }
        #expect(try process.answer("verified")["compared_bytes"] as? Int == 4 << 20)
        _ = try process.answer("pivoted")
        try process.say("quit")
        #expect(process.end() == 0)
    }

    @Test func whoEndsAComparisonThatStandsEndsTheMirror() throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("mirror")
        let sample = try SampleImage(in: folder, size: 4 << 20, random: &random)
        let process = try mirror(folder, Direction(source: .raw, target: .qcow2), sample.raw)
        try process.say("start")
        _ = try process.answer("ready")
        for line in ["pause", "verify", "cancel"] { try process.say(line) }
        // The comparison's end and the mirror's, in any order.
        let answers = [try process.line(), try process.line()].map { $0.prefix { $0 != " " } }.sorted()
        #expect(answers == ["cancelled", "error"])
        // The next one would stand as this one did.
        try process.say("resume")
        try process.say("start")
        _ = try process.answer("ready")
        for line in ["pause", "verify", "status"] { try process.say(line) }
        _ = try process.answer("status")
        kill(process.pid, SIGTERM)
        #expect(process.end() == 0)
        #expect(try folder.contents() == ["sample.raw"])
    }

    /// The name was free at the start: what has it by the pivot is not replaced.
    @Test func aFileThatHasComeToTheTargetsNameIsLeftAlone() throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("mirror")
        let sample = try SampleImage(in: folder, size: 4 << 20, random: &random)
        let process = try mirror(folder, Direction(source: .raw, target: .qcow2), sample.raw)
        try process.say("start")
        _ = try process.answer("ready")
        try Data("somebody's".utf8).write(to: URL(fileURLWithPath: folder.file("target")))
        try process.say("pivot")
        #expect(try process.answer("error")["message"] as? String != nil)
        try process.say("quit")
        #expect(process.end() == 1)
        #expect(try Data(contentsOf: URL(fileURLWithPath: folder.file("target"))) == Data("somebody's".utf8))
        #expect(try folder.contents() == ["sample.raw", "target"])
    }

    @Test func aTargetThatHoldsDataIsRefusedAndLeftAlone() throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("mirror")
        let sample = try SampleImage(in: folder, size: 4 << 20, random: &random)
        let target = folder.file("target")
        try Tool.check("qemu-img", ["create", "-q", "-f", "qcow2", target, "4M"])
        try Tool.check("qemu-io", ["-f", "qcow2", "-c", "write -P 1 0 64k", target])
        let before = try Data(contentsOf: URL(fileURLWithPath: target))
        let process = try mirror(folder, Direction(source: .raw, target: .qcow2), sample.raw)
        try process.say("start")
        #expect(try #require(try process.answer("error")["message"] as? String).contains("holds"))
        try process.say("quit")
        #expect(process.end() == 1)
        #expect(try Data(contentsOf: URL(fileURLWithPath: target)) == before)
    }
}
