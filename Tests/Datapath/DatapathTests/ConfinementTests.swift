import BlockIO
import CLinux
import CoreTypes
import Datapath
import DatapathControl
import DiskImages
import Foundation
import NBDTransport
import TestSupport
import Testing

/// What a process gives up before it opens images.
@Suite struct ConfinementTests {
    private func put(_ byte: UInt8, at offset: UInt64, _ client: NBDClient) throws {
        try unsafe withUnsafeBytes(of: byte) { try unsafe client.write($0, at: offset) }
    }

    private func byte(at offset: UInt64, _ client: NBDClient) throws -> UInt8 {
        var byte: UInt8 = 0xEE
        try unsafe withUnsafeMutableBytes(of: &byte) { try unsafe client.read(into: $0, at: offset) }
        return byte
    }

    /// Whoever has taken it over can ask for any file; what the toolstack needs it to have it is given.
    @Test(.enabled(if: DatapathConfinement.canKeepFiles))
    func aDataPathOpensWhatItsChainIsMadeOfAndWhatItIsGiven() throws {
        let (own, others) = (try ScratchFolder("own"), try ScratchFolder("others"))
        let images = ["disk", "copy", "grown"].map { others.file($0) }
        for path in images {
            #expect(FileManager.default.createFile(atPath: path, contents: Data(count: 1 << 20)))
        }
        let process = try DatapathProcess(own, image: images[0], format: "raw", isConfined: true)
        // The same requests as an earlier toolstack would make them.
        let plain = DatapathClient(socketPath: process.control.socketPath)
        let client = try process.connect()
        try put(1, at: 512, client)
        try client.flush()
        let start = DatapathRequest.mirrorStart(
            destination: ImageSpecification(path: images[1], format: "raw"), bytesPerSecond: 0)
        #expect {
            try plain.callBlocking(start)
        } throws: {
            ($0 as? DatapathClient.Failure)?.code == "denied"
        }
        // It says why, not that the certificate is bad.
        #expect(FileManager.default.createFile(atPath: others.file("ca-cert.pem"), contents: nil))
        let secured = ImageSpecification(
            path: "nbds://127.0.0.1/disk?tls-certificates=\(others.path)", format: ImageSpecification.remote)
        #expect {
            try process.control.callBlocking(.mirrorStart(destination: secured, bytesPerSecond: 0))
        } throws: {
            let failure = $0 as? DatapathClient.Failure
            return failure?.code == "denied" && failure?.message.contains("cannot read certificates") == true
        }
        _ = try process.control.callBlocking(start)
        _ = try process.awaitPhase(.synchronised)
        _ = try process.control.callBlocking(.pivotPrepare)
        _ = try process.control.callBlocking(.pivotCommit)
        #expect(try byte(at: 512, client) == 1)
        try put(4, at: 512, client)
        _ = try process.control.callBlocking(.pause)
        let next = DatapathRequest.resume(image: ImageSpecification(path: images[2], format: "raw"))
        #expect {
            try plain.callBlocking(next)
        } throws: {
            ($0 as? DatapathClient.Failure)?.code == "denied"
        }
        _ = try process.control.callBlocking(next)
        #expect(try byte(at: 512, client) == 0)
        // What was handed over is closed with what it was for.
        #expect(try FileHandle(forReadingFrom: URL(fileURLWithPath: images[1])).readToEnd()?[512] == 4)
        let file = try ImageFile(path: images[1], access: .readWrite)
        file.close()
        try client.close()
        #expect(try process.quit() == 0)
    }

    /// It may not delete a log of changes that it cannot write, or that nobody will write: nobody relies on it all the same.
    @Test(.enabled(if: DatapathConfinement.canKeepFiles))
    func aLogThatItMayNotDeleteIsEmptied() throws {
        let (own, others) = (try ScratchFolder("own"), try ScratchFolder("others"))
        let (image, log) = (others.file("a.qcow2"), others.file("a.cbtlog"))
        // A small file, and marks beyond the longest that the process may write.
        let size: UInt64 = 1 << 40
        try DiskImage.create(path: image, format: .qcow2, size: size).close()
        try ChangeLogFile.create(path: log, ChangeLog(size: size))
        let process = try DatapathProcess(own, image: image, format: "qcow2", changeLog: log, isConfined: true)
        #expect(try process.status().tracksChanges == true)
        try Tool.check("prlimit", ["--pid", "\(process.pid)", "--fsize=\(1 << 20)"])
        let client = try process.connect()
        try put(1, at: size - 512, client)
        #expect(try byte(at: size - 512, client) == 1)
        #expect(try process.status().tracksChanges == false)
        #expect { try ChangeLogFile.check(path: log) } throws: { ($0 as? BlockError)?.code == .invalidImage }
        // Nothing marks what the disk does: neither does the next image's log.
        let (copy, next) = (others.file("b.qcow2"), others.file("b.cbtlog"))
        try DiskImage.create(path: copy, format: .qcow2, size: size).close()
        try ChangeLogFile.create(path: next, ChangeLog(size: size))
        var destination = ImageSpecification(path: copy, format: "qcow2")
        destination.changeLog = next
        _ = try process.control.callBlocking(.mirrorStart(destination: destination, bytesPerSecond: 0))
        #expect { try ChangeLogFile.check(path: next) } throws: { ($0 as? BlockError)?.code == .invalidImage }
        _ = try process.control.callBlocking(.mirrorCancel)
        try client.close()
        #expect(try process.quit() == 0)
    }

    /// Whoever may write to an SR's folder chooses what its names are.
    @Test(.enabled(if: DatapathConfinement.canKeepFiles))
    func noRuleIsMadeForLinksAndFolders() throws {
        let folder = try ScratchFolder("rules")
        #expect(FileManager.default.createFile(atPath: folder.file("disk"), contents: nil))
        try FileManager.default.createSymbolicLink(atPath: folder.file("link"), withDestinationPath: "disk")
        let rules = gantry_landlock_begin()
        defer { close(rules) }
        // SAFETY: Swift's own temporary C strings.
        #expect(unsafe gantry_landlock_allow_file(rules, folder.file("disk"), GANTRY_MAY_WRITE, false) == 0)
        #expect(unsafe gantry_landlock_allow_file(rules, folder.file("link"), GANTRY_MAY_WRITE, true) == 0)
        #expect(unsafe gantry_landlock_allow_file(rules, folder.file("link"), GANTRY_MAY_WRITE, false) == -ELOOP)
        #expect(unsafe gantry_landlock_allow_file(rules, folder.path, GANTRY_MAY_READ, true) == -EISDIR)
        #expect(unsafe gantry_landlock_allow_file(rules, "/dev/null", GANTRY_MAY_READ, true) == -EINVAL)
        #expect(unsafe gantry_landlock_allow_file(rules, folder.file("none"), GANTRY_MAY_READ, true) == -ENOENT)
    }

    @Test func aConfinedProcessKeepsItsUserAndItsThreads() async {
        await #expect(processExitsWith: .success) {
            DatapathConfinement.apply()
            let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
            // A sanitizer's build and an old kernel have no filter.
            if status.contains("Seccomp:\t2") {
                // Each would change nothing, and anybody may do so.
                #expect(setreuid(getuid(), geteuid()) == -1 && errno == EPERM)
                #expect(setregid(getgid(), getegid()) == -1 && errno == EPERM)
                // Of the numbers that no rule names the C library's later ones are not there: it uses the earlier.
                #expect(startsThread())
            }
        }
    }
}

/// Whether a thread can be made and ends.
private func startsThread() -> Bool {
    let ended = DispatchSemaphore(value: 0)
    Thread.detachNewThread { ended.signal() }
    ended.wait()
    return true
}
