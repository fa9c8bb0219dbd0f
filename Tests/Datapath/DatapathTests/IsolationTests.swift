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

/// Who a process is that serves images, and what it can reach. As root, who alone can give it another user.
@Suite(.enabled(if: geteuid() == 0 && DatapathConfinement.canKeepFiles && !gantry_is_sanitized()))
struct IsolationTests {
    private static let user: UInt32 = 1_900_123_456

    private func put(_ byte: UInt8, at offset: UInt64, _ client: NBDClient) throws {
        try unsafe withUnsafeBytes(of: byte) { try unsafe client.write($0, at: offset) }
    }

    private func byte(at offset: UInt64, _ client: NBDClient) throws -> UInt8 {
        var byte: UInt8 = 0xEE
        try unsafe withUnsafeMutableBytes(of: &byte) { try unsafe client.read(into: $0, at: offset) }
        return byte
    }

    private func image(_ folder: ScratchFolder, _ name: String) throws -> String {
        let path = folder.file(name)
        try DiskImage.create(path: path, format: .qcow2, size: 4 << 20).close()
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        return path
    }

    /// The lines of /proc/PID/status, by their names.
    private func status(_ pid: Int32) throws -> [String: String] {
        let text = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
        return Dictionary(
            text.split(separator: "\n").map { line in
                let parts = line.split(separator: ":", maxSplits: 1)
                return (String(parts[0]), parts.count < 2 ? "" : parts[1].trimmingCharacters(in: .whitespaces))
            }, uniquingKeysWith: { $1 })
    }

    @Test func itIsNobodyAndSeesNothing() throws {
        let (own, others) = (try ScratchFolder("own"), try ScratchFolder("others"))
        let process = try DatapathProcess(
            own, image: try image(others, "disk"), format: "qcow2", crashMark: true, isConfined: true, user: Self.user)
        #expect(process.ready?.without == [])
        let lines = try status(process.pid)
        let number = "\(Self.user)"
        for name in ["Uid", "Gid"] {
            #expect(lines[name]?.split(separator: "\t").map(String.init) == Array(repeating: number, count: 4))
        }
        #expect(lines["Groups"] == "")
        for name in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] { #expect(lines[name] == "0000000000000000") }
        #expect(lines["NoNewPrivs"] == "1")
        #expect(lines["Seccomp"] == "2")
        let limits = try String(contentsOfFile: "/proc/\(process.pid)/limits", encoding: .utf8)
        for (name, value) in [("core file size", "0"), ("processes", "4096"), ("open files", "4096")] {
            let line = try #require(limits.split(separator: "\n").first { $0.hasPrefix("Max \(name) ") })
            #expect(line.split(separator: " ").suffix(3).first.map(String.init) == value)
        }
        // Its namespaces are not ours, and in that of the network there is nothing that works.
        for name in ["net", "mnt", "ipc", "uts"] {
            let manager = FileManager.default
            #expect(
                try manager.destinationOfSymbolicLink(atPath: "/proc/\(process.pid)/ns/\(name)")
                    != manager.destinationOfSymbolicLink(atPath: "/proc/self/ns/\(name)"))
        }
        // What it sees: its folder and one file. No file system of the system is kept busy by it.
        let mounts = try String(contentsOfFile: "/proc/\(process.pid)/mountinfo", encoding: .utf8)
        #expect(
            mounts.split(separator: "\n").map { $0.split(separator: " ")[4] } == [
                "/", "/proc/sys/kernel/random/boot_id", "/own",
            ])
        let client = try process.connect()
        try put(7, at: 4096, client)
        try client.flush()
        #expect(try byte(at: 4096, client) == 7)
        try client.close()
        #expect(try process.quit() == 0)
    }

    /// Over TCP it reaches nobody, though somebody listens; what it is handed a way to, it reaches again and again.
    @Test func itHasNoNetworkAndMirrorsToAServerAllTheSame() throws {
        let (own, others) = (try ScratchFolder("own"), try ScratchFolder("others"))
        let process = try DatapathProcess(
            own, image: try image(others, "disk"), format: "qcow2", mirrorMap: true, isConfined: true, user: Self.user)
        let plain = DatapathClient(socketPath: process.control.socketPath)
        let copy = MemoryDevice(size: 4 << 20)
        let server = NBDServer(exports: [NBDExport(name: "copy", device: copy)])
        let port = try server.start(address: "127.0.0.1", port: 0)
        try server.start(unixSocket: others.file("server"))
        for path in ["nbd://127.0.0.1:\(port)/copy", "nbd+unix:///copy?socket=\(others.file("server"))"] {
            let destination = ImageSpecification(path: path, format: ImageSpecification.remote)
            #expect(throws: DatapathClient.Failure.self) {
                try plain.callBlocking(.mirrorStart(destination: destination, bytesPerSecond: 0))
            }
            _ = try process.control.callBlocking(.mirrorStart(destination: destination, bytesPerSecond: 0))
            _ = try process.awaitPhase(.synchronised)
            // The map lies in its own folder.
            #expect(FileManager.default.fileExists(atPath: own.file("own") + "/map"))
            // The link is cut, and made anew by the same way.
            server.disconnectClients()
            let client = try process.connect()
            try put(9, at: 8192, client)
            while try process.status().mirror?.details.map({ $0.retries > 0 && !$0.isRetrying }) != true {
                usleep(1000)
            }
            _ = try process.awaitPhase(.synchronised)
            _ = try process.control.callBlocking(.pivotPrepare)
            _ = try process.control.callBlocking(.mirrorCancel)
            try client.close()
        }
        var bytes = [UInt8](repeating: 0, count: 512)
        try unsafe bytes.withUnsafeMutableBytes { try unsafe copy.read(into: $0, at: 8192) }
        #expect(bytes[0] == 9)
        // Nobody is left who would connect for it.
        #expect(try process.quit() == 0)
        server.stop()
    }

    /// The processes that connect to `server` for others.
    private func dialers(of server: String) -> Int {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.count { name in
            let line = FileManager.default.contents(atPath: "/proc/\(name)/cmdline") ?? Data()
            let words = String(decoding: line, as: UTF8.self).split(separator: "\0")
            return words.contains("dial") && words.contains { $0.contains(server) }
        }
    }

    @Test func aMirrorThatDoesNotStartLeavesNobodyWhoWouldConnectForIt() throws {
        let (own, others) = (try ScratchFolder("own"), try ScratchFolder("others"))
        let process = try DatapathProcess(
            own, image: try image(others, "disk"), format: "qcow2", mirrorMap: true, isConfined: true, user: Self.user)
        let server = NBDServer(exports: [NBDExport(name: "small", device: MemoryDevice(size: 1 << 20))])
        try server.start(unixSocket: others.file("server"))
        let destination = ImageSpecification(
            path: "nbd+unix:///small?socket=\(others.file("server"))", format: ImageSpecification.remote)
        #expect(throws: DatapathClient.Failure.self) {
            try process.control.callBlocking(.mirrorStart(destination: destination, bytesPerSecond: 0))
        }
        while dialers(of: others.file("server")) > 0 { usleep(1000) }
        #expect(try process.quit() == 0)
        server.stop()
    }

    /// In a container whose root may not mount: what can be given up is, as long as the disk can still be moved.
    @Test func withoutAFileSystemOfItsOwnItMirrorsAllTheSame() throws {
        let (own, others) = (try ScratchFolder("own"), try ScratchFolder("others"))
        // As the toolstack's folder is: its user would not reach its own within.
        try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: own.path)
        let process = try DatapathProcess(
            own, image: try image(others, "disk"), format: "qcow2", mirrorMap: true, isConfined: true, user: Self.user,
            lacking: "sys_admin")
        #expect(process.ready?.without == ["namespaces", "root", "user"])
        _ = try process.control.callBlocking(
            .mirrorStart(
                destination: ImageSpecification(path: try image(others, "copy"), format: "qcow2"), bytesPerSecond: 0))
        _ = try process.awaitPhase(.synchronised)
        #expect(FileManager.default.fileExists(atPath: own.file("own") + "/map"))
        _ = try process.control.callBlocking(.mirrorCancel)
        #expect(try process.quit() == 0)
    }

    /// A name that it was not given says nothing, not even that there is nothing.
    @Test func whatItIsNotGivenIsDeniedAndAHandedFailureIsTold() throws {
        let (own, others) = (try ScratchFolder("own"), try ScratchFolder("others"))
        let process = try DatapathProcess(
            own, image: try image(others, "disk"), format: "qcow2", isConfined: true, user: Self.user)
        let plain = DatapathClient(socketPath: process.control.socketPath)
        let copy = try image(others, "copy")
        func start(_ path: String) -> DatapathRequest {
            .mirrorStart(destination: ImageSpecification(path: path, format: "qcow2"), bytesPerSecond: 0)
        }
        for (client, path, code) in [
            (plain, copy, "denied"), (plain, others.file("none"), "denied"),
            (process.control, others.file("none"), "notFound"),
        ] {
            #expect {
                try client.callBlocking(start(path))
            } throws: {
                ($0 as? DatapathClient.Failure)?.code == code
            }
        }
        _ = try process.control.callBlocking(start(copy))
        _ = try process.awaitPhase(.synchronised)
        _ = try process.control.callBlocking(.pivotPrepare)
        _ = try process.control.callBlocking(.pivotCommit)
        #expect(try process.quit() == 0)
    }

    /// The next process of the disk is another user, and has what the one before it left.
    @Test func theNextUserHasTheMapOfTheOneBefore() throws {
        let (own, others) = (try ScratchFolder("own"), try ScratchFolder("others"))
        let (disk, copy) = (try image(others, "disk"), others.file("copy"))
        #expect(FileManager.default.createFile(atPath: copy, contents: Data(count: 4 << 20)))
        let destination = ImageSpecification(path: copy, format: "raw")
        let first = try DatapathProcess(
            own, image: disk, format: "qcow2", mirrorMap: true, isConfined: true, user: Self.user)
        let client = try first.connect()
        for index in 0..<32 as Range<UInt64> { try put(1, at: index << 16, client) }
        try client.flush()
        _ = try first.control.callBlocking(.mirrorStart(destination: destination, bytesPerSecond: 0))
        _ = try first.awaitPhase(.synchronised)
        _ = try first.control.callBlocking(.mirrorVerify)
        first.kill()
        // Something that an earlier one may have left: a second name of a file that is not its own.
        let foreign = others.file("foreign")
        #expect(FileManager.default.createFile(atPath: foreign, contents: nil))
        #expect(unsafe link(foreign, own.file("own") + "/foreign") == 0)
        let second = try DatapathProcess(
            own, image: disk, format: "qcow2", mirrorMap: true, isConfined: true, user: Self.user + 1)
        #expect(second.ready?.without == [])
        let owner = try FileManager.default.attributesOfItem(atPath: own.file("own") + "/map")[.ownerAccountID]
        #expect(owner as? UInt32 == Self.user + 1)
        #expect(try FileManager.default.attributesOfItem(atPath: foreign)[.ownerAccountID] as? UInt32 == 0)
        _ = try second.control.callBlocking(
            .mirrorStart(destination: destination, bytesPerSecond: 0, resume: true))
        let mirror = try second.awaitPhase(.synchronised)
        #expect((mirror.details?.resumedBytes ?? 0) > 0)
        _ = try second.control.callBlocking(.mirrorCancel)
        #expect(try second.quit() == 0)
    }

    /// Nothing of a log that it may not delete is believed, though under its name there is nothing for this process.
    @Test func aLogThatNobodyWritesIsEmptied() throws {
        let (own, others) = (try ScratchFolder("own"), try ScratchFolder("others"))
        let process = try DatapathProcess(
            own, image: try image(others, "disk"), format: "qcow2", isConfined: true, user: Self.user)
        let log = others.file("copy.cbtlog")
        try ChangeLogFile.create(path: log, ChangeLog(size: 4 << 20))
        var destination = ImageSpecification(path: try image(others, "copy"), format: "qcow2")
        destination.changeLog = log
        _ = try process.control.callBlocking(.mirrorStart(destination: destination, bytesPerSecond: 0))
        #expect { try ChangeLogFile.check(path: log) } throws: { ($0 as? BlockError)?.code == .invalidImage }
        #expect(try process.quit() == 0)
    }
}
