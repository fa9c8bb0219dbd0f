import CoreTypes
import Foundation
import TestSupport
import Testing

@Suite struct ServeTests {
    @Test(arguments: ImageFormat.allCases)
    func clientsReadAndWriteTheServedImage(_ format: ImageFormat) throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("serve")
        let sample = try SampleImage(in: folder, size: 16 << 20, random: &random)
        let image = try sample.path(format)
        if format == .raw { try FileManager.default.copyItem(atPath: image, toPath: folder.file("copy.raw")) }
        let model = format == .raw ? folder.file("copy.raw") : sample.raw
        let socket = folder.file("nbd.sock")
        let server = try GantryProcess([
            "image", "serve", "-f", format.rawValue, "--socket", socket, "--name", "thing", image,
        ])
        let ready = try json(try server.line())
        #expect(ready["ready"] as? Bool == true)
        #expect(ready["size"] as? Int == 16 << 20)
        // What it does not need it has given up.
        #expect(try String(contentsOfFile: "/proc/\(server.pid)/status", encoding: .utf8).contains("NoNewPrivs:\t1"))
        let uri = "nbd+unix:///thing?socket=\(socket)"
        #expect(try Tool.check("nbdinfo", ["--size", uri]) == "\(16 << 20)\n")
        let copy = folder.file("copy")
        try Tool.check("nbdcopy", ["nbd+unix:///?socket=\(socket)", copy])
        try Tool.check("qemu-img", ["compare", "-f", "raw", "-F", "raw", model, copy])
        // The same writes on both sides; then the server goes, and the image must hold them.
        let writes = ["-c", "write -P 17 100k 300k", "-c", "write -z 5M 1M", "-c", "write -P 3 16776704 512"]
        try Tool.check("qemu-io", ["-f", "raw"] + writes + [uri])
        try Tool.check("qemu-io", ["-f", "raw"] + writes + [model])
        kill(server.pid, SIGTERM)
        #expect(server.end() == 0)
        #expect(!FileManager.default.fileExists(atPath: socket))
        try Tool.check("qemu-img", ["compare", "-f", "raw", "-F", format.qemuName, model, image])
        if format == .qcow2 { try Tool.check("qemu-img", ["check", "-f", "qcow2", image]) }
    }

    @Test func aReadOnlyExportOverTCPRefusesWrites() throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("serve")
        let sample = try SampleImage(in: folder, size: 1 << 20, random: &random)
        let before = try Data(contentsOf: URL(fileURLWithPath: sample.raw))
        let server = try GantryProcess(
            ["image", "serve", "-f", "raw", "--listen", "127.0.0.1:0", "--read-only", sample.raw])
        let port = try #require(try json(try server.line())["port"] as? Int)
        let uri = "nbd://127.0.0.1:\(port)/disk"
        #expect(try json(try Tool.check("nbdinfo", ["--json", uri])).description.contains("\"is_read_only\": 1"))
        #expect(try !Tool.run("qemu-io", ["-f", "raw", "-c", "write 0 512", uri]).succeeded)
        kill(server.pid, SIGINT)
        #expect(server.end() == 0)
        #expect(try Data(contentsOf: URL(fileURLWithPath: sample.raw)) == before)
    }

    /// What a client of a raw disk writes makes no image of it, when that is asked for; anything else it may write.
    @Test func aGuardedRawDiskTakesNoMarkOfAnotherFormat() throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("serve-guard")
        let sample = try SampleImage(in: folder, size: 1 << 20, random: &random)
        let overlay = folder.file("evil.qcow2")
        let evil = ["-b", "/etc/shadow", "-F", "raw"]
        try Tool.check("qemu-img", ["create", "-q", "-u", "-f", "qcow2"] + evil + [overlay, "1M"])
        let socket = folder.file("nbd.sock")
        let uri = "nbd+unix:///disk?socket=\(socket)"
        let write = ["-f", "raw", "-c", "write -s \(overlay) 0 4096", uri]
        for guarded in [false, true] {
            try Tool.check("qemu-io", ["-f", "raw", "-c", "write -P 1 0 4096", sample.raw])
            let server = try GantryProcess(
                ["image", "serve", "-f", "raw", "--socket", socket] + (guarded ? ["--guard"] : []) + [sample.raw])
            _ = try server.line()
            let outcome = try Tool.run("qemu-io", write)
            #expect(outcome.succeeded != guarded, "\(outcome.output) \(outcome.errors)")
            if guarded { #expect((outcome.output + outcome.errors).contains("Operation not permitted")) }
            try Tool.check("qemu-io", ["-f", "raw", "-c", "write -P 7 4096 1044480", uri])
            kill(server.pid, SIGTERM)
            #expect(server.end() == 0)
            let probed = try Tool.run("gantry", ["image", "info", "--probe", sample.raw])
            #expect(probed.errors.contains("no image format's marks") == guarded, "\(probed.output) \(probed.errors)")
        }
        let qcow2 = try Tool.run("gantry", ["image", "serve", "-f", "qcow2", "--guard", "--socket", socket, overlay])
        #expect(qcow2.status == 2 && qcow2.errors.contains("-f raw"))
    }

    @Test func aFileNamedAsTheSocketIsNotReplaced() throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("serve")
        let sample = try SampleImage(in: folder, size: 1 << 20, random: &random)
        let precious = folder.file("precious")
        try "old".write(toFile: precious, atomically: true, encoding: .utf8)
        let outcome = try Tool.run("gantry", ["image", "serve", "-f", "raw", "--socket", precious, sample.raw])
        #expect(outcome.status == 1)
        #expect(try String(contentsOfFile: precious, encoding: .utf8) == "old")
        #expect(try folder.contents() == ["precious", "sample.raw"])
    }

    @Test func aLiveServersSocketIsNotTakenAway() throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("serve")
        let sample = try SampleImage(in: folder, size: 1 << 20, random: &random)
        let (other, socket) = (folder.file("other.raw"), folder.file("socket"))
        try Tool.check("qemu-img", ["create", "-q", "-f", "raw", other, "2M"])
        let first = try GantryProcess(["image", "serve", "-f", "raw", "--socket", socket, sample.raw])
        _ = try first.line()
        let served = ["image", "serve", "-f", "raw", "--socket", socket, other]
        let mirror = ["image", "mirror", "-f", "raw", "-O", "raw", "--socket", socket, other, folder.file("new")]
        for words in [served, mirror] {
            let outcome = try Tool.run("gantry", words)
            #expect(outcome.status == 1 && outcome.errors.contains("another server listens"), "\(outcome.errors)")
            #expect(try Tool.check("nbdinfo", ["--size", "nbd+unix:///?socket=\(socket)"]) == "\(1 << 20)\n")
        }
        // What a killed one left is nobody's.
        kill(first.pid, SIGKILL)
        #expect(first.end() == -SIGKILL)
        let next = try GantryProcess(served)
        _ = try next.line()
        #expect(try Tool.check("nbdinfo", ["--size", "nbd+unix:///?socket=\(socket)"]) == "\(2 << 20)\n")
        kill(next.pid, SIGTERM)
        #expect(next.end() == 0)
    }

    /// Of one request all three are its time.
    @Test func noShareOfTheRequestsIsSlowerThanTheSlowest() throws {
        let folder = try ScratchFolder("bench")
        let file = folder.file("a.raw")
        try Tool.check("qemu-img", ["create", "-q", "-f", "raw", file, "1M"])
        for _ in 0..<3 {
            let report = try json(try Tool.check("gantry", ["image", "bench", "-f", "raw", "-c", "1", "--json", file]))
            let longest = try #require(report["latency-us-max"] as? Double)
            for key in ["latency-us-median", "latency-us-99"] {
                #expect(try #require(report[key] as? Double) <= longest, "\(report)")
            }
        }
    }

    @Test func anImageInUseIsNotServedTwice() throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("serve")
        let sample = try SampleImage(in: folder, size: 1 << 20, random: &random)
        let first = try GantryProcess(["image", "serve", "-f", "raw", "--socket", folder.file("one"), sample.raw])
        _ = try first.line()
        let second = try Tool.run(
            "gantry", ["image", "serve", "-f", "raw", "--socket", folder.file("two"), sample.raw])
        #expect(second.status == 1)
        #expect(second.errors.contains("in use"))
        kill(first.pid, SIGTERM)
        #expect(first.end() == 0)
    }
}
