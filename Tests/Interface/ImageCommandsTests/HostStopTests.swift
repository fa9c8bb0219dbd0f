import Foundation
import TestSupport
import Testing

@Suite struct HostStopTests {
    /// A process, and its record as the toolstack writes it.
    private struct Recorded {
        static let waiting = """
            import signal
            signal.pthread_sigmask(signal.SIG_SETMASK, [])
            print("up", flush=True)
            signal.pause()
            """
        let process: GantryProcess

        /// Without a program: one that waits for ever and ends on SIGTERM. (A test's children inherit a mask that blocks it.)
        init(
            _ path: String, program: String = "python3", _ arguments: [String] = ["-c", Recorded.waiting],
            startTime: UInt64? = nil
        ) throws {
            process = try GantryProcess(arguments, program: program)
            let stat = try String(contentsOfFile: "/proc/\(process.pid)/stat", encoding: .utf8)
            // Field 22, counted behind the name in parentheses, which is field 2.
            let fields = stat[stat.index(after: try #require(stat.lastIndex(of: ")")))...].split(separator: " ")
            let time = startTime ?? UInt64(fields[19]) ?? 0
            try FileManager.default.createDirectory(
                atPath: URL(fileURLWithPath: path).deletingLastPathComponent().path, withIntermediateDirectories: true)
            try "{\"pid\":\(process.pid),\"startTime\":\(time)}".write(toFile: path, atomically: true, encoding: .utf8)
        }
    }

    private func stop(_ folder: ScratchFolder, _ more: [String]) throws -> Tool.Outcome {
        try Tool.run("gantry", ["host", "stop", "--state-dir", folder.file("state"), "--run-dir", folder.path] + more)
    }

    @Test func onlyTheDaemonEndsUnlessAllIsAsked() throws {
        let folder = try ScratchFolder("host")
        let daemon = try Recorded(folder.file("gantryd.json"))
        let guest = try Recorded(folder.file("guests/a/record.json"))
        let datapath = try Recorded(folder.file("dp/b/record.json"))
        for recorded in [daemon, guest, datapath] { #expect(try recorded.process.line() == "up") }
        #expect(try stop(folder, []).status == 0)
        #expect(daemon.process.end() == -SIGTERM)
        #expect(guest.process.process.isRunning)
        #expect(datapath.process.process.isRunning)
        #expect(try stop(folder, ["--all"]).status == 0)
        #expect(guest.process.end() == -SIGTERM)
        #expect(datapath.process.end() == -SIGTERM)
        #expect(try stop(folder, ["--all"]).status == 0)
    }

    /// The images' program works by itself, and names the one that it lacks.
    @Test func administrationNeedsItsProgram() throws {
        let folder = try ScratchFolder("host")
        let lonely = folder.file("gantry")
        try FileManager.default.copyItem(atPath: Tool.find("gantry"), toPath: lonely)
        #expect(try Tool.run(lonely, ["image", "info", "-f", "raw", lonely]).status == 0)
        let refused = try Tool.run(lonely, ["host", "stop"])
        #expect(refused.status == 1)
        #expect(refused.errors.contains("gantry-host") && refused.errors.contains("No such file"))
    }

    @Test func aDataPathClosesItsImageAndEndsByItself() throws {
        let folder = try ScratchFolder("host")
        let image = folder.file("disk.qcow2")
        try Tool.check("qemu-img", ["create", "-q", "-f", "qcow2", image, "16M"])
        let datapath = try Recorded(
            folder.file("dp/x/record.json"), program: "gantry-datapath",
            [
                "serve", "--image", image, "--format", "qcow2", "--nbd", folder.file("nbd"), "--control",
                folder.file("control"),
            ])
        #expect(try datapath.process.line() == "{\"ready\":true}")
        try FileManager.default.createSymbolicLink(
            atPath: folder.file("dp/x/control"), withDestinationPath: folder.file("control"))
        try Tool.check(
            "qemu-io", ["-f", "raw", "-c", "write -P 7 1M 1M", "nbd+unix:///disk?socket=\(folder.file("nbd"))"])
        #expect(try stop(folder, ["--all"]).status == 0)
        #expect(datapath.process.end() == 0)
        try Tool.check("qemu-img", ["check", "-f", "qcow2", image])
        #expect(try Tool.check("qemu-io", ["-f", "qcow2", "-c", "read -P 7 1M 1M", image]).contains("read 1048576"))
    }

    @Test func aStubbornProcessIsKilledAndAStrangerSpared() throws {
        let folder = try ScratchFolder("host")
        let stubborn = try Recorded(
            folder.file("guests/a/record.json"), program: "sh", ["-c", "trap '' TERM; echo deaf; read line"])
        #expect(try stubborn.process.line() == "deaf")
        // The number of a process that has ended is in use by another one now.
        let stranger = try Recorded(folder.file("guests/b/record.json"), startTime: 1)
        #expect(try stop(folder, ["--all", "--grace", "0"]).status == 0)
        #expect(stubborn.process.end() == -SIGKILL)
        #expect(stranger.process.process.isRunning)
    }

    @Test func anotherStateFolderIsRefused() throws {
        let folder = try ScratchFolder("host")
        try "{\"pid\":\(getpid()),\"startTime\":1,\"stateDirectory\":\"/elsewhere\"}".write(
            toFile: folder.file("gantryd.json"), atomically: true, encoding: .utf8)
        let outcome = try stop(folder, [])
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("/elsewhere"))
    }
}
