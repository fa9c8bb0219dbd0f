import DatapathControl
import Foundation
import Logging
import TestSupport
import Testing

@testable import Toolstack

@Suite struct DatapathUpgradeTests {
    /// The program is replaced while a process of it runs: another takes its place on the same sockets, with what was written.
    @Test func aProcessOfAnEarlierProgramGivesWay() async throws {
        let folder = try ScratchFolder("upgrade")
        let manager = FileManager.default
        let (program, image) = (folder.file("gantry-datapath"), folder.file("a.raw"))
        try manager.copyItem(atPath: try Tool.find("gantry-datapath"), toPath: program)
        _ = manager.createFile(atPath: image, contents: Data(count: 1 << 20))
        let host = DatapathHost(folder: folder.file("dp"), program: program, logger: Logger(label: "test"))
        let specification = ImageSpecification(path: image, format: "raw")
        let handle = try await host.start("one", image: specification)
        let uri = "nbd+unix:///disk?socket=\(handle.nbdSocket)"
        try Tool.check("qemu-io", ["-f", "raw", "-c", "write -P 7 0 64k", uri])
        #expect(await host.outdatedIDs == [])
        let first = try await handle.client.status().pid

        try manager.copyItem(atPath: program, toPath: folder.file("new"))
        try #require(unsafe rename(folder.file("new"), program) == 0)
        #expect(await host.outdatedIDs == ["one"])
        try await host.replace("one", image: specification)
        #expect(await host.outdatedIDs == [])
        #expect(try await handle.client.status().pid != first)
        try Tool.check("qemu-io", ["-f", "raw", "-c", "read -P 7 0 64k", uri])
        await host.stop("one")
    }

    /// Who is connected meanwhile, as a guest's QEMU is, connects to the next process and repeats what was not answered: no
    /// request of it fails, and all that was answered is there.
    @Test(arguments: ["raw", "qcow2"]) func aClientGoesOnWhileItsProcessGivesWay(format: String) async throws {
        let folder = try ScratchFolder("upgrade")
        let manager = FileManager.default
        let (program, path) = (folder.file("gantry-datapath"), folder.file("a"))
        try manager.copyItem(atPath: try Tool.find("gantry-datapath"), toPath: program)
        try Tool.check("qemu-img", ["create", "-q", "-f", format, path, "32M"])
        let host = DatapathHost(folder: folder.file("dp"), program: program, logger: Logger(label: "test"))
        let image = ImageSpecification(path: path, format: format)
        let handle = try await host.start("one", image: image)
        // The first process takes longer than its life for all that is written.
        var limits = DiskLimitSettings()
        limits.writeBytes = .init(perSecond: 2 << 20)
        _ = try await handle.client.call(.setLimits(limits))
        let export =
            "{\"driver\":\"nbd\",\"export\":\"disk\",\"reconnect-delay\":60,"
            + "\"server\":{\"type\":\"unix\",\"path\":\"\(handle.nbdSocket)\"}}"
        let client = Process()
        client.executableURL = URL(fileURLWithPath: try Tool.find("qemu-img"))
        client.arguments = [
            "bench", "-q", "-w", "-c", "8192", "-s", "4096", "-d", "8", "--flush-interval=64", "--no-drain",
            "--pattern=7", "json:{\"driver\":\"raw\",\"file\":\(export)}",
        ]
        try manager.copyItem(atPath: program, toPath: folder.file("new"))
        try client.run()
        while client.isRunning, try await handle.client.status().counters?.writes ?? 0 < 100 {}
        try #require(unsafe rename(folder.file("new"), program) == 0)
        let first = try await handle.client.status().pid
        try await host.replace("one", image: image)
        client.waitUntilExit()
        #expect(client.terminationStatus == 0)
        let status = try await handle.client.status()
        #expect(status.pid != first && status.counters?.writes ?? 0 > 0, "nothing was written by the next one")
        let uri = "nbd+unix:///disk?socket=\(handle.nbdSocket)"
        try Tool.check("qemu-io", ["-f", "raw", "-r", "-c", "read -P 7 0 32M", uri])
        await host.stop("one")
    }

    /// A program that does not start, or says what is not so, is found out before anything is given up for it.
    @Test(arguments: ["exit 1", "echo '{\"ready\":true}'; exit 0", "exec true"])
    func aProgramThatDoesNotWorkLeavesAllWhatTheyHave(words: String) async throws {
        let folder = try ScratchFolder("upgrade")
        let manager = FileManager.default
        let program = folder.file("gantry-datapath")
        try manager.copyItem(atPath: try Tool.find("gantry-datapath"), toPath: program)
        let host = DatapathHost(folder: folder.file("dp"), program: program, logger: Logger(label: "test"))
        let images = ["one", "two"].map { ImageSpecification(path: folder.file($0), format: "raw") }
        for image in images {
            _ = manager.createFile(atPath: image.path, contents: Data(count: 1 << 20))
        }
        let one = try await host.start("one", image: images[0])
        let other = try await host.start("two", image: images[1])
        let pid = try await one.client.status().pid

        let script = Data("#!/bin/sh\nread line\n\(words)\n".utf8)
        _ = manager.createFile(
            atPath: folder.file("new"), contents: script, attributes: [.posixPermissions: 0o755])
        try #require(unsafe rename(folder.file("new"), program) == 0)
        #expect(await host.outdatedIDs.sorted() == ["one", "two"])
        await #expect(throws: DatapathProbe.Refusal.self) { try await host.replace("one", image: images[0]) }
        #expect(await host.outdatedIDs == [])
        #expect(try await one.client.status().pid == pid)
        #expect(try await other.client.status().isPaused != true)
        #expect(!manager.fileExists(atPath: host.probeFolder))

        // The next one is tried.
        try manager.copyItem(atPath: try Tool.find("gantry-datapath"), toPath: folder.file("new"))
        try #require(unsafe rename(folder.file("new"), program) == 0)
        #expect(await host.outdatedIDs.sorted() == ["one", "two"])
        try await host.replace("one", image: images[0])
        #expect(try await one.client.status().pid != pid)
        await host.stop("one")
        await host.stop("two")
    }

    /// A program that says nothing is not waited for without end.
    @Test func aProgramThatHangsIsKilled() async throws {
        let folder = try ScratchFolder("upgrade")
        let program = folder.file("program")
        _ = FileManager.default.createFile(
            atPath: program, contents: Data("#!/bin/sh\nexec sleep 1000000\n".utf8),
            attributes: [.posixPermissions: 0o755])
        let probe = DatapathProbe(program: program, folder: folder.file("probe"), patience: .milliseconds(50))
        await #expect(throws: DatapathProbe.Refusal.self) { try await probe.run() }
    }
}
