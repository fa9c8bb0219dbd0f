import BlockIO
import CoreTypes
import DatapathControl
import DiskImages
import Foundation
import NBDTransport
import Synchronization
import TestSupport
import Testing

/// Changed blocks are marked by real data paths: killed, paused, and moved to other formats.
@Suite struct ChangeLogTests {
    private static let size: UInt64 = 64 << 20
    private static let parent = "0a1b2c3d-0000-4000-8000-00000000000a"

    private func fill(_ device: any BlockDevice, _ byte: UInt8, at offset: UInt64, count: Int = 4096) throws {
        let bytes = [UInt8](repeating: byte, count: count)
        // SAFETY: the array lives for the call.
        try unsafe bytes.withUnsafeBytes { try unsafe device.write($0, at: offset) }
    }

    private func marked(_ path: String) throws -> Set<UInt64> {
        let log = try ChangeLogFile.read(path: path)
        return Set((0..<Self.size / ChangeLog.block).filter { log.isChanged(block: $0) })
    }

    /// Those of 64 KiB in which two images differ.
    private func different(_ one: ImageReference, _ other: ImageReference) throws -> Set<UInt64> {
        let images = try [one, other].map { try DiskImage.open(path: $0.path, format: $0.format, readOnly: true) }
        defer { for image in images { try? image.close() } }
        var buffers = [[UInt8]](repeating: [UInt8](repeating: 0, count: Int(ChangeLog.block)), count: 2)
        var different: Set<UInt64> = []
        for block in 0..<Self.size / ChangeLog.block {
            for index in 0..<2 {
                // SAFETY: the array lives for the call.
                try unsafe buffers[index].withUnsafeMutableBytes {
                    try unsafe images[index].read(into: $0, at: block * ChangeLog.block)
                }
            }
            // Arrays are compared byte by byte where nothing is optimised.
            // SAFETY: both arrays live for the call, and each has the block's size.
            let isSame = unsafe buffers[0].withUnsafeBytes { one in
                unsafe buffers[1].withUnsafeBytes { other in
                    guard let one = one.baseAddress, let other = other.baseAddress else { return true }
                    return unsafe memcmp(one, other, Int(ChangeLog.block)) == 0
                }
            }
            if !isSame { different.insert(block) }
        }
        return different
    }

    @Test func everyAnsweredWriteOfAKilledProcessIsMarked() throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("cbt")
        let (path, log, before) = (folder.file("a.qcow2"), folder.file("a.cbtlog"), folder.file("before.raw"))
        try DiskImage.create(path: path, format: .qcow2, size: Self.size).close()
        try DiskImage.create(path: before, format: .raw, size: Self.size).close()
        try ChangeLogFile.create(path: log, ChangeLog(size: Self.size))
        var answered: Set<UInt64> = []
        for _ in 0..<3 {
            let process = try DatapathProcess(folder, image: path, format: "qcow2", changeLog: log)
            #expect(try process.status().tracksChanges == true)
            let client = try process.connect()
            let done = Mutex<Set<UInt64>>([])
            let offsets = (0..<4000).map { _ in UInt64.random(in: 0..<Self.size / 4096, using: &random) * 4096 }
            let started = DispatchSemaphore(value: 0)
            let writer = WorkerThread("writer") {
                defer { started.signal() }
                for (index, offset) in offsets.enumerated() {
                    if index == 100 { started.signal() }
                    guard (try? self.fill(client, 7, at: offset)) != nil else { return }
                    done.withLock { _ = $0.insert(offset / ChangeLog.block) }
                }
            }
            started.wait()
            process.kill()
            writer.join()
            answered.formUnion(done.withLock { $0 })
            let marks = try marked(log)
            #expect(marks.isSuperset(of: answered))
            #expect(try !ChangeLogFile.readHeader(path: log).isConsistent)
            let changed = try different(.init(path: path, format: .qcow2), .init(path: before, format: .raw))
            #expect(marks.isSuperset(of: changed))
        }
    }

    @Test func marksGoOverPausesAndIntoTheLogThatComesNext() throws {
        let folder = try ScratchFolder("cbt")
        let (path, one, two) = (folder.file("a.vhd"), folder.file("one.cbtlog"), folder.file("two.cbtlog"))
        try DiskImage.create(path: path, format: .vhd, size: Self.size).close()
        let process = try DatapathProcess(folder, image: path, format: "vhd")
        let client = try process.connect()
        #expect(try process.status().tracksChanges == false)
        try fill(client, 1, at: 0)
        var image = ImageSpecification(path: path, format: "vhd")
        for (log, offset) in [(one, ChangeLog.block), (two, 2 * ChangeLog.block)] {
            _ = try process.control.callBlocking(.pause)
            // A request that waits is marked in the log of whoever takes it.
            let worker = WorkerThread("writer") { try? self.fill(client, 2, at: offset) }
            try ChangeLogFile.create(path: log, ChangeLog(size: Self.size, parent: DiskID(Self.parent)))
            image.changeLog = log
            _ = try process.control.callBlocking(.resume(image: image))
            worker.join()
            #expect(try process.status().tracksChanges == true)
            #expect(try marked(log) == [offset / ChangeLog.block])
        }
        #expect(try ChangeLogFile.readHeader(path: one).isConsistent)
        // A snapshot between goes: its marks come in, by the process that writes the log.
        #expect(throws: BlockError.self) { try ChangeLogFile(path: two) }
        _ = try process.control.callBlocking(.mergeChanges(log: one, parent: nil))
        #expect(try marked(two) == [1, 2])
        #expect(try ChangeLogFile.readHeader(path: two).parent == nil)
        try fill(client, 3, at: 9 * ChangeLog.block)
        #expect(try process.quit() == 0)
        #expect(try marked(two) == [1, 2, 9])
        #expect(try ChangeLogFile.readHeader(path: two).isConsistent)
    }

    /// vhd → qcow2 → raw under a writer; what differs from the beginning is marked at each end.
    @Test func marksMoveWithTheDisk() throws {
        let folder = try ScratchFolder("cbt")
        let first = folder.file("a.vhd")
        let source = try DiskImage.create(path: first, format: .vhd, size: Self.size)
        for block in 0..<Self.size / ChangeLog.block / 2 { try fill(source, 9, at: block * 2 * ChangeLog.block) }
        try source.close()
        let before = folder.file("before.vhd")
        try FileManager.default.copyItem(atPath: first, toPath: before)
        let log = folder.file("a.cbtlog")
        try ChangeLogFile.create(path: log, ChangeLog(size: Self.size, parent: DiskID(Self.parent)))
        let process = try DatapathProcess(folder, image: first, format: "vhd", changeLog: log)
        let client = try process.connect()
        let isOver = Flag()
        let writer = WorkerThread("writer") {
            var random = SeededRandom(seed: 11)
            // Some of the blocks only.
            while !isOver.value.load(ordering: .relaxed) {
                let block = UInt64.random(in: 0..<200, using: &random) * 5
                try? self.fill(client, UInt8.random(in: 1...255, using: &random), at: block * ChangeLog.block + 4096)
            }
        }
        var last = log
        for format in [ImageFormat.qcow2, .raw] {
            let path = folder.file("b.\(format.rawValue)")
            try DiskImage.create(path: path, format: format, size: Self.size).close()
            let previous = last
            last = folder.file("\(format.rawValue).cbtlog")
            try ChangeLogFile.create(path: last, ChangeLog(size: Self.size))
            var image = ImageSpecification(path: path, format: format.rawValue)
            image.changeLog = last
            _ = try process.control.callBlocking(.mirrorStart(destination: image, bytesPerSecond: 0))
            _ = try process.awaitPhase(.synchronised, .dual)
            while (try? process.control.callBlocking(.pivotPrepare)) == nil {}
            // Both logs have all that is answered: either image may be the disk after a crash.
            let known = try marked(previous)
            #expect(try marked(last).isSuperset(of: known))
            _ = try process.control.callBlocking(.pivotCommit)
        }
        isOver.value.store(true, ordering: .relaxed)
        writer.join()
        #expect(try process.quit() == 0)
        let marks = try marked(last)
        let changed = try different(
            ImageReference(path: folder.file("b.raw"), format: .raw), ImageReference(path: before, format: .vhd))
        #expect(!changed.isEmpty)
        #expect(marks.isSuperset(of: changed))
        // And not everything: what the copies wrote is no change.
        #expect(marks.allSatisfy { $0 % 5 == 0 })
        let header = try ChangeLogFile.readHeader(path: last)
        #expect(header.parent?.text == Self.parent)
        #expect(header.isConsistent)
    }

    private final class Flag: Sendable { let value = Atomic<Bool>(false) }

    @Test func whatACopyAndAnImportWriteIsMarked() throws {
        let folder = try ScratchFolder("cbt")
        let (path, log, from) = (folder.file("a.qcow2"), folder.file("a.cbtlog"), folder.file("b.raw"))
        try DiskImage.create(path: path, format: .qcow2, size: Self.size).close()
        try ChangeLogFile.create(path: log, ChangeLog(size: Self.size))
        let source = try DiskImage.create(path: from, format: .raw, size: Self.size)
        try fill(source, 5, at: 3 * ChangeLog.block)
        try source.close()
        let plan =
            #"{"destination":{"path":"\#(path)","format":"qcow2","readOnly":false,"changeLog":"\#(log)"}}"#
        let program = try Tool.find("gantry-datapath")
        try Tool.check(program, ["copy", "--image", from, "--format", "raw", "--plan", plan])
        #expect(try marked(log).contains(3))
        #expect(try ChangeLogFile.readHeader(path: log).isConsistent)
        try Tool.check(
            "sh",
            [
                "-c",
                "head -c 4096 /dev/urandom | \"$0\" import --image \(path) --format qcow2 --as raw --change-log \(log)",
                program,
            ])
        #expect(try marked(log).isSuperset(of: [0, 3]))
    }
}
