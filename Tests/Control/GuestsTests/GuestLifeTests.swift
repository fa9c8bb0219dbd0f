import CLinux
import Foundation
import GuestFixture
import TestSupport
import Testing

@testable import Guests

/// Real guests that check their own data. Emulated, so that every machine runs the same test.
@Suite(.serialized) struct GuestLifeTests {
    private struct Stage {
        let folder: ScratchFolder
        let run: String
        let uuid = UUID().uuidString.lowercased()
        let files: GuestFiles

        init() throws {
            folder = try ScratchFolder("g")
            run = folder.file("run")
            try FileManager.default.createDirectory(atPath: run, withIntermediateDirectories: true)
            files = try GuestFiles.make()
        }

        func host(_ acceleration: Acceleration = .tcg) -> GuestHost {
            GuestHost(
                runDirectory: run, acceleration: acceleration, bootFiles: BootFiles(folders: [GuestFiles.folder]),
                logger: GuestHost.silent)
        }

        func specification(_ work: GuestFiles.Work, _ disks: [GuestDisk], slots: Int = 64) -> GuestSpecification {
            GuestSpecification(
                uuid: uuid, name: "test, with=a comma", memoryBytes: 192 << 20, vcpus: 1,
                boot: .kernel(
                    kernel: files.kernel, initrd: files.initrd, arguments: GuestFiles.arguments(work, slots: slots)),
                disks: disks)
        }

        func disk(_ export: NBDExport, _ id: String, _ position: Int) -> GuestDisk {
            GuestDisk(
                id: id, nbdSocket: export.socket, exportName: NBDExport.exportName, position: position)
        }

        /// Nothing of any guest is left: no folder, no process with this run directory.
        func expectNothingLeft() throws {
            #expect(try FileManager.default.contentsOfDirectory(atPath: run + "/guests") == [])
        }
    }

    private func stopped(_ host: GuestHost) async -> GuestStopReason? {
        for await event in host.events {
            if case .stopped(_, let reason) = event { return reason }
        }
        return nil
    }

    @Test func aDiskIsTakenFromAGuestThatDoesNotLetGoOfIt() async throws {
        let stage = try Stage()
        let image = stage.folder.file("disk.img")
        try Data(repeating: 7, count: 1 << 20).write(to: URL(fileURLWithPath: image))
        let export = try await NBDExport(file: image, socket: stage.folder.file("disk.sock"))
        var host: GuestHost? = stage.host()
        // Its processors are held: it answers nobody.
        try await host?.start(stage.specification(.idle, [stage.disk(export, "stuck", 0)]), paused: true)
        try await host?.cutOff(diskID: "stuck", from: stage.uuid, atMost: .milliseconds(200))
        let guest = try #require(host).find(stage.uuid)
        #expect(guest.specification.disks == [] && guest.abandonedPorts == [0])
        // Its server sees the connection end, and no other come: state 03 is a connected one.
        func isConnected() throws -> Bool {
            try String(contentsOfFile: "/proc/net/unix", encoding: .utf8).split(separator: "\n").contains {
                $0.hasSuffix(export.socket) && $0.split(separator: " ").dropFirst(5).first == "03"
            }
        }
        while try isConnected() { try await Task.sleep(for: .milliseconds(20)) }
        _ = try await guest.monitor.execute(
            "human-monitor-command", ["command-line": .string("qemu-io node0 \"read 0 512\"")])
        #expect(try !isConnected())
        // Its port is not another disk's, also for the next daemon.
        host = nil
        let next = stage.host()
        #expect(await next.adoptAll().count == 1)
        try await next.plug(stage.disk(export, "next", 0), into: stage.uuid)
        #expect(try next.find(stage.uuid).port(of: "next") == 1)
        await #expect { try await next.cutOff(diskID: "stuck", from: stage.uuid) } throws: {
            ($0 as? GuestError)?.code == .invalidSpecification
        }
        try await next.hardShutdown(stage.uuid)
        try stage.expectNothingLeft()
    }

    @Test func aGuestKeepsItsDataThroughHotPlugRestartsOfDaemonAndServerAndShutsDownCleanly() async throws {
        var random = SeededRandom.printed()
        let stage = try Stage()
        let image = stage.folder.file("root.img")
        try GuestDiskImage.make(at: image, bytes: 96 << 20, random: &random)
        let root = try await NBDExport(file: image, socket: stage.folder.file("root.sock"))
        let second = stage.folder.file("second.img")
        let content = random.bytes(3 << 20)
        try Data(content).write(to: URL(fileURLWithPath: second))
        let extra = try await NBDExport(file: second, socket: stage.folder.file("extra.sock"))

        var host: GuestHost? = stage.host()
        var specification = stage.specification(.ext4, [stage.disk(root, "root", 0)])
        specification.drives = [GuestDrive(id: "cd", position: 5)]
        try await host?.start(specification)
        #expect(host?.state(stage.uuid) == .running)
        await #expect { try await host?.start(stage.specification(.ext4, [])) } throws: {
            ($0 as? GuestError)?.code == .exists
        }
        let console = try ConsoleReader(path: stage.host().consolePath(stage.uuid))
        try await console.waitFor(writes: 40)

        // A disk comes, is read by the guest, and goes.
        try await host?.plug(stage.disk(extra, "extra", 3), into: stage.uuid)
        let seen = try await console.waitFor(line: "DISK vdb appeared")
        let sum = try Tool.check("bash", ["-c", "head -c 1048576 \(second) | md5sum"]).prefix(32)
        #expect(seen.hasSuffix("bytes=\(content.count) md5=\(sum)"))
        await #expect { try await host?.plug(stage.disk(extra, "extra", 4), into: stage.uuid) } throws: {
            ($0 as? GuestError)?.code == .exists
        }
        try await host?.unplug(diskID: "extra", from: stage.uuid)
        try await console.waitFor(line: "DISK vdb removed")

        // A disc is put into its drive.
        let disc = GuestDisc(nbdSocket: extra.socket, exportName: NBDExport.exportName)
        try await host?.insert(disc, intoDrive: "cd", of: stage.uuid)
        try await console.waitFor(line: "DISC sr0 bytes=\(content.count) md5=\(sum)")

        // The disk's place is free again; the second disk stays for the next daemon to know.
        try await host?.plug(stage.disk(extra, "extra2", 3), into: stage.uuid)
        let pid = try #require(host?.processID(stage.uuid))

        // The daemon goes without a word; the next one takes over.
        host = nil
        let next = stage.host()
        #expect(await next.adoptAll() == [stage.uuid: .running])
        #expect(next.processID(stage.uuid) == pid)
        #expect(next.specification(stage.uuid)?.disks.map(\.id).sorted() == ["extra2", "root"])
        #expect(next.specification(stage.uuid)?.drives == [GuestDrive(id: "cd", position: 5, disc: disc)])
        try await console.waitFor(moreWrites: 20)
        try await console.waitFor(line: "DISK vdb appeared", occurrences: 2)
        // One disc in place of the other, and none.
        try await next.insert(disc, intoDrive: "cd", of: stage.uuid)
        try await next.eject(drive: "cd", of: stage.uuid)
        try await console.waitFor(line: "DISC sr0 empty", occurrences: 2)
        try await next.eject(drive: "cd", of: stage.uuid)
        await #expect { try await next.eject(drive: "root", of: stage.uuid) } throws: {
            ($0 as? GuestError)?.code == .invalidSpecification
        }
        #expect(next.specification(stage.uuid)?.drives == [GuestDrive(id: "cd", position: 5)])
        try await next.unplug(diskID: "extra2", from: stage.uuid)

        // The server of its root disk is killed and comes back: the guest's requests wait.
        root.kill()
        try await root.restart()
        try await console.waitFor(moreWrites: 20)

        try await next.cleanShutdown(stage.uuid)
        let final = try await console.waitForFinal()
        #expect(final.isClean && final.verified > 0 && final.tree > 0, "\(console.lines.suffix(20))")
        #expect(await stopped(next) == .guestShutdown)
        #expect(next.state(stage.uuid) == nil)
        try stage.expectNothingLeft()
        try Tool.check("e2fsck", ["-fn", image])
    }

    @Test func aHardShutdownLeavesNoProcessAndNoFileEvenWhileTheServerIsAway() async throws {
        let stage = try Stage()
        let image = stage.folder.file("raw.img")
        try Tool.check("truncate", ["-s", "20M", image])
        let export = try await NBDExport(file: image, socket: stage.folder.file("raw.sock"))
        let host = stage.host()
        try await host.start(stage.specification(.raw, [stage.disk(export, "raw", 0)], slots: 32))
        let pid = try #require(host.processID(stage.uuid))
        let console = try ConsoleReader(path: host.consolePath(stage.uuid))
        try await console.waitFor(writes: 40)
        let verified = try await console.verify()
        #expect(verified.isClean && verified.verified == 32)
        export.kill()
        try await host.hardShutdown(stage.uuid)
        #expect(gantry_process_start_time(pid) == 0)
        #expect(host.state(stage.uuid) == nil)
        try stage.expectNothingLeft()
        #expect(await stopped(host) == .hostRequest)
        await #expect { try await host.hardShutdown(stage.uuid) } throws: { ($0 as? GuestError)?.code == .notRunning }
    }

    @Test func aGuestThatIsHeldStaysSoAcrossRestartsOfTheDaemon() async throws {
        let stage = try Stage()
        var host: GuestHost? = stage.host()
        try await host?.start(stage.specification(.idle, []), paused: true)
        #expect(host?.state(stage.uuid) == .paused)
        let console = try ConsoleReader(path: stage.host().consolePath(stage.uuid))
        // The next daemon does not let it begin; whoever may does.
        host = nil
        host = stage.host()
        #expect(await host?.adoptAll() == [stage.uuid: .paused])
        try await host?.unpause(stage.uuid)
        #expect(host?.state(stage.uuid) == .running)
        try await console.waitFor(line: "GANTRY READY")
        try await host?.pause(stage.uuid)
        host = nil
        host = stage.host()
        #expect(await host?.adoptAll() == [stage.uuid: .paused])
        try await host?.unpause(stage.uuid)
        host = nil
        host = stage.host()
        #expect(await host?.adoptAll() == [stage.uuid: .running])
        try await host?.hardShutdown(stage.uuid)
        try stage.expectNothingLeft()
    }

    @Test func aGuestThatDoesNotStartSaysWhyAndLeavesNothing() async throws {
        let stage = try Stage()
        let host = stage.host()
        let missing = GuestDisk(id: "d", nbdSocket: stage.folder.file("none.sock"), exportName: "x", position: 0)
        await #expect { try await host.start(stage.specification(.idle, [missing])) } throws: {
            ($0 as? GuestError)?.code == .startFailed && "\($0)".contains("none.sock")
        }
        #expect(host.state(stage.uuid) == nil)
        try stage.expectNothingLeft()
    }

    @Test func aGuestThatEndedWhileNoDaemonRanIsReportedAndCleared() async throws {
        let stage = try Stage()
        var host: GuestHost? = stage.host()
        try await host?.start(stage.specification(.idle, []))
        let pid = try #require(host?.processID(stage.uuid))
        host = nil
        kill(pid, SIGKILL)
        let process = gantry_pidfd_open(pid)
        var set = [pollfd(fd: process, events: Int16(POLLIN), revents: 0)]
        if process >= 0 { _ = unsafe poll(&set, 1, -1) }
        close(process)
        var status: Int32 = 0
        #expect(unsafe gantry_reap(pid, &status) == pid)
        #expect(await stage.host().adoptAll() == [stage.uuid: .stopped])
        try stage.expectNothingLeft()
    }

    @Test func theTrialOfAnAcceleratorSucceedsWhereKernelsBootAndFailsWhereTheyDoNot() throws {
        let stage = try Stage()
        let probe = KVMProbe(runDirectory: stage.run, logger: GuestHost.silent)
        // Emulated and beside other tests it takes as long as it takes.
        #expect(probe.boot(stage.files.kernel, on: "tcg", processor: "qemu64", limit: .max / 4))
        #expect(!probe.boot("/nonexistent", on: "tcg", processor: "qemu64"))
        #expect(!FileManager.default.fileExists(atPath: stage.run + "/acceleration.log"))
    }

    @Test func aCrashOfQEMUIsAnEventAndAnotherGuestOfThatNameMayStart() async throws {
        let stage = try Stage()
        // `auto` must end in a guest that runs, whatever /dev/kvm promises.
        let host = stage.host(.auto)
        for _ in 0..<2 {
            try await host.start(stage.specification(.idle, []))
            let console = try ConsoleReader(path: host.consolePath(stage.uuid))
            try await console.waitFor(line: "GANTRY READY")
            kill(try #require(host.processID(stage.uuid)), SIGSEGV)
            guard case .crashed(let text) = await stopped(host) else {
                Issue.record("no crash was reported")
                return
            }
            #expect(text.contains("signal 11"))
            try stage.expectNothingLeft()
        }
    }
}
