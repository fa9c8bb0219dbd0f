import BlockIO
import CoreTypes
import DatapathControl
import DiskImages
import Foundation
import NBDTransport
import Synchronization
import TestSupport
import Testing

/// A copy of a disk's content that is compared with its source.
@Suite struct VerifiedCopyTests {
    /// Where the destination does not hold what was written to it, the process says so by a code of its own, if it is to look.
    @Test func aCopyThatIsNotLikeItsSourceIsGivenUp() throws {
        let folder = try ScratchFolder("verified-copy")
        let size: UInt64 = 2 << 20
        for name in ["source", "base"] {
            try DiskImage.create(path: folder.file(name), format: .qcow2, size: size).close()
        }
        try Tool.check("qemu-io", ["-f", "qcow2", "-c", "write -P 7 1M 64k", folder.file("source")])
        let forger = ForgingDevice(MemoryDevice(size: size), at: (1 << 20) + 777)
        let server = NBDServer(exports: [NBDExport(name: "copy", device: forger)])
        try server.start(unixSocket: folder.file("server"))
        defer { server.stop() }
        let destination = ImageSpecification(
            path: "nbd:unix:\(folder.file("server")):exportname=copy", format: ImageSpecification.nbd)
        let base = ImageSpecification(path: folder.file("base"), format: "qcow2", readOnly: true)
        for below in [nil, base] {
            for (isVerified, isForged) in [(true, true), (false, true), (true, false)] {
                try forger.writeZeroes(at: 0, length: size, mayUnmap: true)
                forger.isArmed.store(isForged, ordering: .releasing)
                let plan = try JSONEncoder().encode(
                    DiskCopyPlan(destination: destination, base: below, isVerified: isVerified ? true : nil))
                let outcome = try Tool.run(
                    try Tool.find("gantry-datapath"),
                    [
                        "copy", "--image", folder.file("source"), "--format", "qcow2", "--plan",
                        String(decoding: plan, as: UTF8.self),
                    ])
                #expect(outcome.succeeded == !(isVerified && isForged), "\(outcome.errors)")
                if outcome.succeeded { continue }
                // A program with a sanitizer says before that it gives up no rights.
                let words = try #require(outcome.errors.split(separator: "\n").last)
                let report = try JSONDecoder().decode([String: String].self, from: Data(words.utf8))
                #expect(report["code"] == DiskCopyPlan.differs)
                #expect(report["message"]?.contains("(at byte \((1 << 20) + 777))") == true, "\(report)")
            }
        }
    }

    /// A server that was started again tells once of what an earlier try had written to the one before: that is written again, and lost
    /// is nothing.
    @Test func whatAnEarlierTryHasLostIsWrittenAgain() throws {
        let folder = try ScratchFolder("lost-copy")
        let size: UInt64 = 2 << 20
        try DiskImage.create(path: folder.file("source"), format: .qcow2, size: size).close()
        try Tool.check("qemu-io", ["-f", "qcow2", "-c", "write -P 7 1M 64k", folder.file("source")])
        let disk = ForgingDevice(MemoryDevice(size: size), at: 0)
        let server = NBDServer(exports: [NBDExport(name: "copy", device: disk)])
        try server.start(unixSocket: folder.file("server"))
        defer { server.stop() }
        for (path, format) in [
            ("nbd:unix:\(folder.file("server")):exportname=copy", ImageSpecification.nbd),
            ("nbd+unix:///copy?socket=\(folder.file("server"))", ImageSpecification.remote),
        ] {
            try disk.writeZeroes(at: 0, length: size, mayUnmap: true)
            disk.losses.store(1, ordering: .releasing)
            let plan = try JSONEncoder().encode(
                DiskCopyPlan(
                    destination: ImageSpecification(path: path, format: format), base: nil, isVerified: true))
            let outcome = try Tool.run(
                try Tool.find("gantry-datapath"),
                [
                    "copy", "--image", folder.file("source"), "--format", "qcow2", "--plan",
                    String(decoding: plan, as: UTF8.self),
                ])
            #expect(outcome.succeeded, "\(format): \(outcome.errors)")
            #expect(disk.losses.load(ordering: .acquiring) == 0)
            var held = [UInt8](repeating: 0, count: 1)
            // SAFETY: one byte, for the time of the call.
            try unsafe held.withUnsafeMutableBytes { try unsafe disk.read(into: $0, at: 1 << 20) }
            #expect(held == [7])
        }
    }
}

/// Holds something else than what was written, at one byte, or tells flushes of losses.
private final class ForgingDevice: BlockDevice {
    private let base: MemoryDevice
    private let place: UInt64
    let isArmed = Atomic<Bool>(false)
    /// So many flushes fail.
    let losses = Atomic<Int>(0)

    init(_ base: MemoryDevice, at place: UInt64) {
        self.base = base
        self.place = place
    }

    var size: UInt64 { base.size }
    var isReadOnly: Bool { false }
    var preferredAlignment: UInt64 { 1 }
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try unsafe base.read(into: buffer, at: offset)
    }
    func write(_ data: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try unsafe base.write(data, at: offset)
        guard isArmed.load(ordering: .acquiring), offset <= place, place < offset + UInt64(data.count) else { return }
        try base.store([99], at: place)
    }
    func writeZeroes(at offset: UInt64, length: UInt64, mayUnmap: Bool) throws(BlockError) {
        try base.writeZeroes(at: offset, length: length, mayUnmap: mayUnmap)
    }
    func discard(at offset: UInt64, length: UInt64) throws(BlockError) {}
    func flush() throws(BlockError) {
        if losses.load(ordering: .acquiring) == 0 { return }
        losses.subtract(1, ordering: .acquiringAndReleasing)
        throw BlockError(.io, "what was written before is lost")
    }
    func appendExtents(to extents: inout [Extent], at offset: UInt64, length: UInt64) throws(BlockError) {
        try base.appendExtents(to: &extents, at: offset, length: length)
    }
    func close() throws(BlockError) {}
}
