import CoreTypes
import Foundation
import TestSupport
import Testing

/// Commands that are told to end while they wait, or before what they make is complete.
@Suite struct InterruptedTests {
    /// Returns when a file that is not complete yet is in the folder, or the process has ended.
    private func awaitPartial(_ folder: ScratchFolder, _ process: GantryProcess) throws {
        while process.process.isRunning, try !folder.contents().contains(where: { $0.hasSuffix(".partial") }) {
            sched_yield()
        }
    }

    /// The other side of the pipe neither writes nor goes away.
    @Test("a stream that stands still is given up (case 6.12)", arguments: [SIGTERM, SIGINT, SIGHUP])
    func aStreamThatStandsStillIsGivenUp(_ number: Int32) throws {
        // Under nohup it would be ignored there, too.
        let before = signal(SIGHUP, SIG_DFL)
        defer { signal(SIGHUP, before) }
        let folder = try ScratchFolder("stalled")
        let reading = try GantryProcess(["image", "convert", "-f", "raw", "-O", "qcow2", "-", folder.file("out")])
        try reading.send(Data(repeating: 7, count: 1 << 20))
        try awaitPartial(folder, reading)
        kill(reading.pid, number)
        #expect(reading.end() == 1)
        #expect(try folder.contents() == [])

        let raw = folder.file("raw")
        try Data(repeating: 7, count: 1 << 20).write(to: URL(fileURLWithPath: raw))
        let writing = try GantryProcess(["image", "convert", "-f", "raw", "-O", "raw", raw, "-"])
        writing.awaitOutput()
        kill(writing.pid, number)
        #expect(writing.end() == 1)
    }

    /// What has come waits in a file that has no name.
    @Test func aStreamThatIsKeptFirstLeavesNothing() throws {
        let folder = try ScratchFolder("stalled-kept")
        let reading = try GantryProcess(["image", "convert", "-f", "vhdx", "-O", "qcow2", "-", folder.file("out")])
        try reading.send(Data("vhdxfile".utf8) + Data(repeating: 7, count: 3 << 20))
        kill(reading.pid, SIGINT)
        #expect(reading.end() == 1)
        #expect(try folder.contents() == [])
    }

    /// A named pipe that nobody opens for writing.
    @Test func aSecondSignalEndsWhatLooksAtNothing() throws {
        let folder = try ScratchFolder("stalled-open")
        let fifo = folder.file("fifo")
        try Tool.check("mkfifo", [fifo])
        let process = try GantryProcess(
            ["image", "convert", "--decompress", "gzip", "-f", "raw", "-O", "qcow2", fifo, folder.file("out")])
        // Both signals are held back as soon as the thread that takes them is there.
        while process.process.isRunning, try threads(process).count < 2 { sched_yield() }
        while process.process.isRunning {
            kill(process.pid, SIGTERM)
            usleep(20_000)
        }
        #expect(process.end() == 1)
        #expect(try folder.contents() == ["fifo"])
    }

    private func threads(_ process: GantryProcess) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/\(process.pid)/task")
    }

    @Test(
        "an interrupted creation leaves nothing under the name (case 6.12)", arguments: ImageFormat.allCases,
        [SIGTERM, SIGKILL])
    func anInterruptedCreationLeavesNothingUnderTheName(_ format: ImageFormat, _ signal: Int32) throws {
        let folder = try ScratchFolder("interrupted-create")
        let process = try GantryProcess(
            ["image", "create", "-f", format.rawValue, "-o", "preallocation=full", folder.file("x"), "8G"])
        try awaitPartial(folder, process)
        kill(process.pid, signal)
        #expect(process.end() == (signal == SIGKILL ? -SIGKILL : 1))
        let left = try folder.contents()
        #expect(signal == SIGKILL ? !left.contains("x") : left == [], "\(left)")
    }

    /// RLIMIT_FSIZE: the signal that comes with it would end the program before it has tidied up.
    @Test func aFileThatMayNotBecomeSoLongIsAnError() throws {
        let folder = try ScratchFolder("limited-file")
        let raw = folder.file("raw")
        try Data(repeating: 7, count: 4 << 20).write(to: URL(fileURLWithPath: raw))
        let gantry = try Tool.find("gantry")
        let out = folder.file("out")
        for words in ["convert -f raw -O qcow2 \(raw) \(out)", "create -f raw -o preallocation=full \(out) 4M"] {
            let outcome = try Tool.run("bash", ["-c", "ulimit -f 1024; exec \(gantry) image \(words)"])
            #expect(outcome.status == 1 && outcome.errors.contains("File too large"), "\(outcome)")
            #expect(try folder.contents() == ["raw"])
        }
    }

    /// What took the name meanwhile stays.
    @Test func aCreationReplacesNothing() throws {
        let folder = try ScratchFolder("exclusive-create")
        let words = ["image", "create", "-f", "qcow2"]
        for name in ["file", "link"] {
            let path = folder.file(name)
            if name == "file" {
                try "mine".write(toFile: path, atomically: false, encoding: .utf8)
            } else {
                try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "nowhere")
            }
            let outcome = try Tool.run("gantry", words + [path, "1M"])
            #expect(outcome.status == 1 && outcome.errors.contains("exists"), "\(outcome.errors)")
        }
        #expect(try String(contentsOfFile: folder.file("file"), encoding: .utf8) == "mine")
        #expect(try folder.contents().sorted() == ["file", "link"])
        let outcome = try Tool.run("gantry", words + ["nbd:x", "1M"])
        #expect(outcome.status == 1 && outcome.errors.contains("protocol"), "\(outcome.errors)")
        try Tool.check("gantry", words + ["-o", "data_file=data", folder.file("whole"), "1M"])
        #expect(try folder.contents().sorted() == ["data", "file", "link", "whole"])
        try Tool.check("gantry", ["image", "check", "-f", "qcow2", folder.file("whole")])
    }
}
