import BlockIO
import CoreTypes
import DatapathControl
import DiskImages
import Foundation
import NBDTransport
import Synchronization
import TestSupport
import Testing

/// Pause and resume: what a snapshot does to a data path.
@Suite struct DatapathPauseTests {
    private static let size: UInt64 = 8 << 20

    private func make(_ path: String, _ format: ImageFormat, over parent: CreateOptions.Parent? = nil) throws {
        var options = CreateOptions()
        options.parent = parent
        try DiskImage.create(path: path, format: format, size: Self.size, options: options).close()
    }

    private static func fill(_ client: NBDClient, _ byte: UInt8, at offset: UInt64, count: Int = 4096) throws {
        let bytes = [UInt8](repeating: byte, count: count)
        // SAFETY: the array lives for the call.
        try unsafe bytes.withUnsafeBytes { try unsafe client.write($0, at: offset) }
    }

    private func byte(_ client: NBDClient, at offset: UInt64) throws -> UInt8 {
        var bytes = [UInt8](repeating: 0xEE, count: 512)
        // SAFETY: the array lives for the call.
        try unsafe bytes.withUnsafeMutableBytes { try unsafe client.read(into: $0, at: offset) }
        return bytes[0]
    }

    /// A disk grows while it is paused. Who is connected goes on within the old size; who connects anew sees all of it.
    @Test(arguments: [ImageFormat.raw, .vhd, .qcow2])
    func aPausedDiskGoesOnLarger(_ format: ImageFormat) throws {
        let folder = try ScratchFolder("grow")
        let path = folder.file("disk.\(format.rawValue)")
        try make(path, format)
        let process = try DatapathProcess(folder, image: path, format: format.rawValue, crashMark: true)
        let old = try process.connect()
        try Self.fill(old, 1, at: Self.size - 4096)
        _ = try process.control.callBlocking(.pause)
        try DiskImage.resize(path: path, format: format, to: 2 * Self.size)
        let image = ImageSpecification(path: path, format: format.rawValue)
        _ = try process.control.callBlocking(.resume(image: image))
        #expect(try process.status().virtualSize == 2 * Self.size)
        #expect(try byte(old, at: Self.size - 4096) == 1)
        let new = try process.connect()
        #expect(new.size == 2 * Self.size)
        try Self.fill(new, 2, at: 2 * Self.size - 4096)
        _ = try process.control.callBlocking(.disconnectClients)
        #expect(throws: BlockError.self) { try Self.fill(old, 3, at: 0) }
        let next = try process.connect()
        #expect(
            try [0, Self.size - 4096, Self.size, 2 * Self.size - 4096].map { try byte(next, at: $0) } == [0, 1, 0, 2])
        // What is smaller is not gone on with.
        let small = folder.file("small.\(format.rawValue)")
        try make(small, format)
        _ = try process.control.callBlocking(.pause)
        #expect(throws: DatapathClient.Failure.self) {
            try process.control.callBlocking(
                .resume(image: ImageSpecification(path: small, format: format.rawValue)))
        }
        _ = try process.control.callBlocking(.resume(image: image))
        try next.close()
        #expect(try process.quit() == 0)
    }

    /// A client that writes meanwhile waits and then goes on, on a chain of two images; what it wrote before is in the base.
    @Test(arguments: [ImageFormat.raw, .vhd, .qcow2])
    func aPausedDiskGoesOnOnAnotherImage(_ format: ImageFormat) throws {
        let folder = try ScratchFolder("pause")
        let (base, leaf) = (folder.file("base.\(format.rawValue)"), folder.file("leaf.qcow2"))
        try make(base, format)
        let process = try DatapathProcess(folder, image: base, format: format.rawValue, crashMark: true)
        let client = try process.connect()
        try Self.fill(client, 1, at: 0)
        _ = try process.control.callBlocking(.pause)
        _ = try process.control.callBlocking(.pause)
        #expect(try process.status().isPaused == true)
        // Closed, and durable: anybody may open it, and nothing was lost that a mark would tell of.
        let image = try DiskImage.open(path: base, format: format, readOnly: false)
        try image.close()
        #expect(FileManager.default.contents(atPath: folder.file("mark")) == Data([0]))
        let answered = Atomic<Bool>(false)
        let worker = WorkerThread("writer") {
            try? Self.fill(client, 2, at: 4096)
            answered.store(true, ordering: .releasing)
        }
        try make(leaf, .qcow2, over: CreateOptions.Parent(name: "base.\(format.rawValue)", format: format))
        // What cannot be gone on with leaves it paused.
        #expect(throws: DatapathClient.Failure.self) {
            try process.control.callBlocking(.resume(image: ImageSpecification(path: leaf, format: "qcow2")))
        }
        #expect(throws: DatapathClient.Failure.self) {
            try process.control.callBlocking(
                .mirrorStart(destination: .init(path: leaf, format: "qcow2"), bytesPerSecond: 0))
        }
        let isAnswered = answered.load(ordering: .acquiring)
        #expect(!isAnswered)
        let next = ImageSpecification(
            path: leaf, format: "qcow2", parents: [.init(path: base, format: format.rawValue)])
        _ = try process.control.callBlocking(.resume(image: next))
        worker.join()
        #expect(try process.status().isPaused == false)
        #expect(try process.status().image == next)
        #expect(try byte(client, at: 0) == 1)
        #expect(try byte(client, at: 4096) == 2)
        #expect(throws: DatapathClient.Failure.self) { try process.control.callBlocking(.resume(image: next)) }
        try client.close()
        #expect(try process.quit() == 0)
        let name = format == .vhd ? "vpc" : format.rawValue
        try Tool.check("qemu-io", ["-f", name, "-r", "-c", "read -P 1 0 4k", "-c", "read -P 0 4k 4k", base])
        try Tool.check("qemu-io", ["-f", "qcow2", "-r", "-c", "read -P 1 0 4k", "-c", "read -P 2 4k 4k", leaf])
    }

    @Test func aPausedProcessThatIsKilledLostNothing() throws {
        let folder = try ScratchFolder("pause")
        try make(folder.file("a.qcow2"), .qcow2)
        let process = try DatapathProcess(folder, image: folder.file("a.qcow2"), format: "qcow2", crashMark: true)
        let client = try process.connect()
        try Self.fill(client, 1, at: 0)
        _ = try process.control.callBlocking(.pause)
        process.kill()
        #expect(FileManager.default.contents(atPath: folder.file("mark")) == Data([0]))
        try Tool.check("qemu-io", ["-f", "qcow2", "-r", "-c", "read -P 1 0 4k", folder.file("a.qcow2")])
    }

    @Test func aPausedProcessEndsWhenItIsTold() throws {
        let folder = try ScratchFolder("pause")
        try make(folder.file("a.qcow2"), .qcow2)
        let process = try DatapathProcess(folder, image: folder.file("a.qcow2"), format: "qcow2")
        let client = try process.connect()
        _ = try process.control.callBlocking(.pause)
        let worker = WorkerThread("writer") { try? Self.fill(client, 2, at: 4096) }
        #expect(try process.quit() == 0)
        worker.join()
    }
}
