import BlockIO
import CoreTypes
import DatapathControl
import DiskImages
import Foundation
import NBDTransport
import TestSupport
import Testing

/// How data paths end, and what they leave to their successors.
@Suite struct DatapathEndTests: ImagesOfOneSize {
    static let size: UInt64 = 32 << 20

    /// Answered changes that only the killed process's memory could find again are gone; the client hears of it once.
    @Test(arguments: [ImageFormat.qcow2, .vhd, .raw], [false, true])
    func aFlushTellsOfChangesThatAKillLost(format: ImageFormat, flushed: Bool) throws {
        let folder = try ScratchFolder("dp")
        let a = try image(folder, "a", format.rawValue)
        let first = try DatapathProcess(folder, image: a.path, format: a.format, crashMark: true)
        let client = try first.connect()
        try fill(client, 1, at: 0, count: 1 << 20)
        try client.flush()
        try fill(client, 2, at: 8 << 20, count: 1 << 20)
        if flushed {
            try client.flush()
            // In place: the kernel has it, whatever becomes of the process.
            try fill(client, 3, at: 8 << 20, count: 1 << 20)
        }
        first.kill()

        let second = try DatapathProcess(folder, image: a.path, format: a.format, crashMark: true)
        // Who only reads comes first, and is not the one who has to know.
        let reader = try NBDClient.connect(unixSocket: second.nbdSocket, exportName: DatapathExport.readOnly)
        try reader.flush()
        let next = try second.connect()
        if format != .raw && !flushed {
            let error = #expect(throws: BlockError.self) { try next.flush() }
            #expect(error?.code == .io)
        }
        try next.flush()
        second.kill()

        let third = try DatapathProcess(folder, image: a.path, format: a.format, crashMark: true)
        try third.connect().flush()
        #expect(try third.quit() == 0)
        let device = try DiskImage.open(path: a.path, format: format, readOnly: true)
        let kept = AlignedBuffer(count: 1 << 20)
        try unsafe device.read(into: kept.bytes, at: 0)
        #expect(unsafe kept.bytes.allSatisfy { $0 == 1 })
        try unsafe device.read(into: kept.bytes, at: 8 << 20)
        #expect(unsafe kept.bytes.allSatisfy { $0 == (flushed ? 3 : format == .raw ? 2 : 0) })
        try device.close()
        if format == .qcow2 {
            let check = try Tool.run("qemu-img", ["check", "-f", "qcow2", a.path])
            #expect(check.status == 0 || check.status == 3, "at most leaks: \(check.output)")
        }
    }

    /// The image writes its tables back by itself when many have changed; the change that comes right after that is as
    /// much part of the next flush as any other.
    @Test(arguments: [511, 512, 513, 514])
    func aFlushCoversTheChangeBehindAnEarlyWriteBack(tables: Int) throws {
        let folder = try ScratchFolder("dp")
        let path = folder.file("a.qcow2")
        // A table of 512 bytes maps 32 KiB; half of the 1024 that are kept may be dirty.
        try Tool.check("qemu-img", ["create", "-q", "-f", "qcow2", "-o", "cluster_size=512", path, "\(Self.size)"])
        let process = try DatapathProcess(folder, image: path, format: "qcow2", crashMark: true)
        let client = try process.connect()
        for table in 0..<tables { try fill(client, 9, at: UInt64(table) << 15, count: 512) }
        try client.flush()
        #expect(FileManager.default.contents(atPath: folder.file("mark")) == Data([0]))
        process.kill()
        let last = UInt64(tables - 1) << 15
        try Tool.check("qemu-io", ["-f", "qcow2", "-r", "-c", "read -P 9 0 512", "-c", "read -P 9 \(last) 512", path])
    }

    /// A loss that nobody was told of outlives processes that saw no flush; an orderly end leaves no mark otherwise.
    @Test func aLossIsKeptUntilSomebodyHearsOfIt() throws {
        let folder = try ScratchFolder("dp")
        let a = try image(folder, "a.qcow2", "qcow2")
        for end in ["kill", "kill", "quit"] {
            let process = try DatapathProcess(folder, image: a.path, format: a.format, crashMark: true)
            try fill(try process.connect(), 1, at: 0, count: 4096)
            if end == "kill" { process.kill() } else { #expect(try process.quit() == 0) }
        }
        let last = try DatapathProcess(folder, image: a.path, format: a.format, crashMark: true)
        let client = try last.connect()
        #expect(throws: BlockError.self) { try client.flush() }
        try fill(client, 2, at: 16 << 20, count: 4096)
        #expect(try last.quit() == 0)
        #expect(FileManager.default.contents(atPath: folder.file("mark")) == Data([0]))
    }

    /// A destination that refuses a write after the pivot was prepared keeps its writer waiting; an end does not wait.
    @Test func anUndecidedDataPathEndsWhenAsked() throws {
        let folder = try ScratchFolder("dp")
        let (a, b) = (try image(folder, "a.raw", "raw"), try image(folder, "b.qcow2", "qcow2"))
        let process = try DatapathProcess(folder, image: a.path, format: a.format)
        let client = try process.connect()
        _ = try process.control.callBlocking(.mirrorStart(destination: b, bytesPerSecond: 0))
        _ = try process.awaitPhase(.synchronised)
        _ = try process.control.callBlocking(.pivotPrepare)
        // The raw source has room for this write below the limit, the growing qcow2 has not.
        try Tool.check("prlimit", ["--pid", "\(process.pid)", "--fsize=\(8 << 20)"])
        let writer = WorkerThread("writer") {
            #expect(throws: BlockError.self) { try fill(client, 7, at: 0, count: 8 << 20) }
        }
        let mirror = try process.awaitPhase(.undecided)
        #expect(mirror.failedSide == "destination")
        #expect(try process.quit() == 0)
        writer.join()
    }

    /// With `--wait` nothing happens before the word to go on; without it the program ends and says nothing.
    @Test(arguments: [true, false])
    func aProcessThatNobodyRecordedEnds(told: Bool) throws {
        let folder = try ScratchFolder("dp")
        let a = try image(folder, "a.raw", "raw")
        let process = Process()
        let (input, output, errors) = (Pipe(), Pipe(), Pipe())
        process.executableURL = URL(fileURLWithPath: try Tool.find("gantry-datapath"))
        process.arguments = [
            "serve", "--image", a.path, "--format", "raw", "--nbd", folder.file("nbd"), "--control",
            folder.file("control"), "--wait",
        ]
        process.standardInput = input
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        if told { try input.fileHandleForWriting.write(contentsOf: Data([10])) }
        try input.fileHandleForWriting.close()
        if told {
            #expect(try output.fileHandleForReading.read(upToCount: 1) == Data("{".utf8))
            _ = try DatapathClient(socketPath: folder.file("control")).callBlocking(.quit)
        }
        process.waitUntilExit()
        #expect(process.terminationStatus == (told ? 0 : 1))
        #expect(errors.fileHandleForReading.readDataToEndOfFile().isEmpty)
        #expect(FileManager.default.fileExists(atPath: folder.file("nbd")) == false)
    }

    /// More callers than the process has room or descriptors for are turned away or wait; it answers again afterwards.
    @Test(arguments: [false, true])
    func tooManyCallersDoNotEndTheControlSocket(fewDescriptors: Bool) throws {
        let folder = try ScratchFolder("dp")
        let a = try image(folder, "a.raw", "raw")
        let process = try DatapathProcess(folder, image: a.path, format: a.format)
        if fewDescriptors {
            // Descriptor numbers count: 24 leave room for some callers and fewer than come.
            try Tool.check("prlimit", ["--pid", "\(process.pid)", "--nofile=24"])
        }
        let script = """
            import socket, sys
            held = []
            for _ in range(120):
                s = socket.socket(socket.AF_UNIX)
                s.settimeout(0.02)
                held.append(s)
                try: s.connect(sys.argv[1])
                except OSError: pass
            """
        try Tool.check("python3", ["-c", script, process.control.socketPath])
        #expect(try process.status().image == a)
        #expect(try process.quit() == 0)
    }
}
