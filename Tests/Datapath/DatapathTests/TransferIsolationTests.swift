import BlockIO
import CLinux
import CoreTypes
import DatapathControl
import DiskImages
import Foundation
import NBDTransport
import TestSupport
import Testing

@testable import Datapath

/// Who a process is that moves a disk's content and ends, and that it gets done all the same. As root, who alone can give it
/// another user; a program with a sanitizer gives up nothing.
@Suite(.enabled(if: geteuid() == 0 && DatapathConfinement.canKeepFiles && !gantry_is_sanitized()))
struct TransferIsolationTests {
    private static let user: UInt32 = 1_900_123_457

    private func image(_ path: String, _ format: ImageFormat, size: UInt64) throws {
        try DiskImage.create(path: path, format: format, size: size).close()
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
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

    @Test func anUploadIsTakenInByNobodyWhoSeesNothing() throws {
        let folder = try ScratchFolder("transfer-isolation")
        try image(folder.file("image"), .qcow2, size: 4 << 20)
        let (process, input) = (Process(), Pipe())
        process.executableURL = URL(fileURLWithPath: try Tool.find("gantry-datapath"))
        process.arguments = [
            "import", "--image", folder.file("image"), "--format", "qcow2", "--as", "raw", "--user", "\(Self.user)",
        ]
        process.standardInput = input
        try process.run()
        let pid = process.processIdentifier
        // It waits for the stream with all given up.
        while try status(pid)["Seccomp_filters"].flatMap({ Int($0) }) ?? 0 < 2 { usleep(1000) }
        let lines = try status(pid)
        for name in ["Uid", "Gid"] {
            #expect(lines[name]?.split(separator: "\t").map(String.init) == Array(repeating: "\(Self.user)", count: 4))
        }
        #expect(lines["Groups"] == "")
        for name in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] { #expect(lines[name] == "0000000000000000") }
        for name in ["net", "mnt", "ipc", "uts"] {
            let manager = FileManager.default
            #expect(
                try manager.destinationOfSymbolicLink(atPath: "/proc/\(pid)/ns/\(name)")
                    != manager.destinationOfSymbolicLink(atPath: "/proc/self/ns/\(name)"))
        }
        let mounts = try String(contentsOfFile: "/proc/\(pid)/mountinfo", encoding: .utf8)
        #expect(
            mounts.split(separator: "\n").map { $0.split(separator: " ")[4] } == [
                "/", "/proc/sys/kernel/random/boot_id",
            ])
        try input.fileHandleForWriting.write(contentsOf: Data(repeating: 5, count: 4 << 20))
        try input.fileHandleForWriting.close()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        let output = try Tool.check("qemu-io", ["-r", "-f", "qcow2", "-c", "read -P 5 0 4M", folder.file("image")])
        #expect(!output.contains("verification failed"))
    }

    /// With parts of the stream that come too early, a chain, a base that is a part of it, and images that are root's alone.
    @Test func everythingIsReadAndWrittenAllTheSame() throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("transfer-isolation")
        let (model, upload, image, child) = (
            folder.file("model"), folder.file("upload"), folder.file("image"), folder.file("child")
        )
        let disk = MemoryDevice(size: 4 << 20)
        let content = random.bytes(3 << 20)
        try unsafe content.withUnsafeBytes { try unsafe disk.write($0, at: 4096) }
        try ImageTransferTests.write(disk, to: model)
        try Tool.check(
            "qemu-img", ["convert", "-f", "raw", "-O", "qcow2", "-o", "cluster_size=512", model, upload])
        // Enlarging moves the first table to the end.
        for path in [upload, model] {
            try Tool.check("qemu-img", ["resize", "-f", path == upload ? "qcow2" : "raw", path, "100M"])
        }
        try self.image(image, .qcow2, size: 100 << 20)
        let user = "--user \(Self.user)"
        var outcome = try ImageTransferTests.shell(
            "cat \(upload) | $DP import --image \(image) --format qcow2 --as qcow2 \(user)")
        #expect(outcome.succeeded && outcome.errors.isEmpty, "\(outcome.errors)")
        try Tool.check("qemu-img", ["compare", "-f", "raw", "-F", "qcow2", model, image])
        try Tool.check("qemu-img", ["create", "-q", "-f", "qcow2", "-b", image, "-F", "qcow2", child])
        try Tool.check("qemu-io", ["-f", "qcow2", "-c", "write -P 9 50M 64k", child])
        try Tool.check("qemu-io", ["-f", "raw", "-c", "write -P 9 50M 64k", model])
        let base = try String(
            decoding: JSONEncoder().encode(ImageSpecification(path: image, format: "qcow2")), as: UTF8.self)
        let (download, difference) = (folder.file("download"), folder.file("difference"))
        outcome = try ImageTransferTests.shell(
            """
            $DP export --image \(child) --format qcow2 --parent qcow2:\(image) --as vhd \(user) > \(download) &&
            $DP export --image \(child) --format qcow2 --parent qcow2:\(image) --as qcow2 --base '\(base)' \(user) \
            > \(difference)
            """)
        #expect(outcome.succeeded && outcome.errors.isEmpty, "\(outcome.errors)")
        try Tool.check("qemu-img", ["compare", "-f", "raw", "-F", "vpc", model, download])
        let map = try Tool.check("qemu-img", ["map", "-f", "qcow2", "--output=json", difference])
        // It names what it goes over, which lies beside it here: what it stores itself.
        let own = map.components(separatedBy: "}").filter { $0.contains("\"depth\": 0") }
        #expect(own.filter { $0.contains("\"data\": true") }.count == 1)
        #expect(try folder.contents() == ["child", "difference", "download", "image", "model", "upload"])
        outcome = try ImageTransferTests.shell(
            "$DP export --image \(folder.file("none")) --format raw --as raw \(user)")
        #expect(outcome.status == 1 && outcome.errors.contains("\"notFound\""), "\(outcome.errors)")
    }

    /// A copy into a driver's server goes by a way of its own, as it has no network, and into a file.
    @Test func aCopyReachesItsServerAndNothingElse() throws {
        let folder = try ScratchFolder("transfer-isolation")
        let source = folder.file("source")
        try image(source, .qcow2, size: 4 << 20)
        try Tool.check("qemu-io", ["-f", "qcow2", "-c", "write -P 7 1M 64k", source])
        let copy = MemoryDevice(size: 4 << 20)
        let server = NBDServer(exports: [NBDExport(name: "copy", device: copy)])
        try server.start(unixSocket: folder.file("server"))
        defer { server.stop() }
        try image(folder.file("target"), .vhd, size: 4 << 20)
        for destination in [
            ImageSpecification(
                path: "nbd:unix:\(folder.file("server")):exportname=copy", format: ImageSpecification.nbd),
            ImageSpecification(path: folder.file("target"), format: "vhd"),
        ] {
            let plan = try JSONEncoder().encode(DiskCopyPlan(destination: destination, base: nil))
            let outcome = try Tool.run(
                try Tool.find("gantry-datapath"),
                [
                    "copy", "--image", source, "--format", "qcow2", "--plan", String(decoding: plan, as: UTF8.self),
                    "--user", "\(Self.user)",
                ])
            #expect(outcome.succeeded && outcome.errors.isEmpty, "\(outcome.errors)")
        }
        var bytes = [UInt8](repeating: 0, count: 65536)
        try unsafe bytes.withUnsafeMutableBytes { try unsafe copy.read(into: $0, at: 1 << 20) }
        #expect(bytes.allSatisfy { $0 == 7 })
        try Tool.check("qemu-img", ["compare", "-f", "qcow2", "-F", "vpc", source, folder.file("target")])
    }
}
