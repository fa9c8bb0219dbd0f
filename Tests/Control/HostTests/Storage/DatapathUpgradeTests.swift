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
}
