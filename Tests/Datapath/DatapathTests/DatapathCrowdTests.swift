import BlockIO
import CLinux
import CoreTypes
import DatapathControl
import DiskImages
import Foundation
import NBDTransport
import TestSupport
import Testing

/// What a data path takes, and what becomes of a pivot, when those at its other ends do not do as they should.
struct DatapathCrowdTests {
    private struct Take {
        var threads = 0
        var descriptors = 0
        /// KiB.
        var resident = 0

        init(_ pid: Int32) throws {
            let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
            for line in status.split(separator: "\n") {
                let words = line.split(whereSeparator: \.isWhitespace)
                if words.first == "Threads:" { threads = Int(words[1]) ?? 0 }
                if words.first == "VmRSS:" { resident = Int(words[1]) ?? 0 }
            }
            descriptors = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd").count
        }
    }

    private static func isolated() -> UInt32? { geteuid() == 0 ? 1_900_345_678 : nil }

    /// 128 clients and no more; threads, memory and descriptors are bounded by that, and go with them.
    @Test func aCrowdOfClientsTakesWhatIsBoundedAndLeavesNothing() throws {
        let (own, others) = (try ScratchFolder("own"), try ScratchFolder("others"))
        let image = others.file("disk")
        try DiskImage.create(path: image, format: .qcow2, size: 16 << 20).close()
        let process = try DatapathProcess(
            own, image: image, format: "qcow2", isConfined: true, user: Self.isolated())
        let client = try process.connect()
        var byte: UInt8 = 7
        try unsafe withUnsafeBytes(of: byte) { try unsafe client.write($0, at: 4096) }
        let before = try Take(process.pid)
        var random = SeededRandom.printed()
        for _ in 0..<3 {
            // Sockets of both kinds, with words that mean nothing, whole requests that are never ended, and silence.
            let peers = (0..<200).map { number -> Int32 in
                let path = number % 8 == 0 ? process.control.socketPath : process.nbdSocket
                let descriptor = unsafe gantry_unix_connect_at_once(path)
                let words = (0..<Int.random(in: 0..<3000, using: &random)).map { _ in
                    UInt8.random(in: 0...255, using: &random)
                }
                // SAFETY: the array's own storage.
                if number % 3 != 0 {
                    unsafe words.withUnsafeBytes {
                        _ = unsafe send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                    }
                }
                return descriptor
            }
            let take = try Take(process.pid)
            #expect(try process.status().connections <= 128)
            #expect(take.threads <= before.threads + 200)
            #expect(take.descriptors <= before.descriptors + 220)
            #expect(take.resident <= before.resident + 128 << 10)
            for peer in peers where peer >= 0 { close(peer) }
        }
        // Who was there before them is served.
        byte = 0
        try unsafe withUnsafeMutableBytes(of: &byte) { try unsafe client.read(into: $0, at: 4096) }
        #expect(byte == 7)
        while try process.status().connections > 1 { usleep(1000) }
        while try Take(process.pid).threads > before.threads + 4 {
            // Threads that have ended are joined when the next client comes.
            try process.connect().close()
        }
        #expect(try Take(process.pid).descriptors <= before.descriptors + 8)
        try client.close()
        #expect(try process.quit() == 0)
    }

    private struct Mirrored {
        let (own, others): (ScratchFolder, ScratchFolder)
        let process: DatapathProcess
        let copy = MemoryDevice(size: 4 << 20)
        let server: NBDServer
        let client: NBDClient

        init() throws {
            (own, others) = (try ScratchFolder("own"), try ScratchFolder("others"))
            let image = others.file("disk")
            try DiskImage.create(path: image, format: .qcow2, size: 4 << 20).close()
            process = try DatapathProcess(
                own, image: image, format: "qcow2", mirrorMap: true, isConfined: true, user: isolated())
            server = NBDServer(exports: [NBDExport(name: "copy", device: copy)])
            try server.start(unixSocket: others.file("server"))
            client = try process.connect()
            try write(1, at: 4096)
            let destination = ImageSpecification(
                path: "nbd+unix:///copy?socket=\(others.file("server"))", format: ImageSpecification.remote)
            _ = try process.control.callBlocking(.mirrorStart(destination: destination, bytesPerSecond: 0))
            _ = try process.awaitPhase(.synchronised)
        }

        func write(_ byte: UInt8, at offset: UInt64) throws {
            try unsafe withUnsafeBytes(of: byte) { try unsafe client.write($0, at: offset) }
        }

        func byte(at offset: UInt64) throws -> UInt8 {
            var byte: UInt8 = 0xEE
            try unsafe withUnsafeMutableBytes(of: &byte) { try unsafe client.read(into: $0, at: offset) }
            return byte
        }

        func copied(at offset: UInt64) throws -> UInt8 {
            var byte: UInt8 = 0xEE
            try unsafe withUnsafeMutableBytes(of: &byte) { try unsafe copy.read(into: $0, at: offset) }
            return byte
        }
    }

    /// Who asks for the pivot while the link is down gets it when the link is there again and both are the same.
    @Test func aLinkThatIsLostBeforeThePivotIsMadeAnewFirst() throws {
        let mirrored = try Mirrored()
        for round in 2..<6 as Range<UInt8> {
            mirrored.server.disconnectClients()
            try mirrored.write(round, at: UInt64(round) << 16)
            _ = try mirrored.process.control.callBlocking(.pivotPrepare)
            #expect(try mirrored.process.status().mirror?.phase == .dual)
            #expect(try mirrored.copied(at: UInt64(round) << 16) == round)
            _ = try mirrored.process.control.callBlocking(.mirrorCancel)
            let destination = ImageSpecification(
                path: "nbd+unix:///copy?socket=\(mirrored.others.file("server"))", format: ImageSpecification.remote)
            _ = try mirrored.process.control.callBlocking(
                .mirrorStart(destination: destination, bytesPerSecond: 0, resume: true))
            _ = try mirrored.process.awaitPhase(.synchronised)
        }
        _ = try mirrored.process.control.callBlocking(.mirrorCancel)
        #expect(try mirrored.process.quit() == 0)
        mirrored.server.stop()
    }

    /// Lost while it is prepared, the destination has missed a write: nobody is answered until somebody decides, and the source,
    /// which has it, goes on.
    @Test func aLinkThatIsLostWhileThePivotIsPreparedIsDecidedForTheSource() throws {
        let mirrored = try Mirrored()
        _ = try mirrored.process.control.callBlocking(.pivotPrepare)
        try mirrored.write(2, at: 8192)
        #expect(try mirrored.copied(at: 8192) == 2)
        mirrored.server.stop()
        let written = WorkerThread("writer") { [client = mirrored.client] in
            let byte: UInt8 = 3
            try? unsafe withUnsafeBytes(of: byte) { try unsafe client.write($0, at: 8192) }
        }
        let mirror = try mirrored.process.awaitPhase(.undecided)
        #expect(mirror.failedSide == "destination")
        _ = try mirrored.process.control.callBlocking(.mirrorCancel)
        written.join()
        #expect(try mirrored.byte(at: 8192) == 3)
        #expect(try mirrored.byte(at: 4096) == 1)
        #expect(try mirrored.process.status().mirror == nil)
        #expect(try mirrored.process.quit() == 0)
    }
}
