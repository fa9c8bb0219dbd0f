import BlockIO
import CoreTypes
import Dispatch
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import DiskImages

@Suite struct QCOW2ResizeTests {
    struct Shape: CustomTestStringConvertible, Sendable {
        var clusterBits: Int
        var order = 4
        var version: UInt32 = 3
        var isExtended = false
        var isLazy = false
        var most = 6 << 20
        var testDescription: String {
            "2^\(clusterBits), refcounts 2^\(order) bits, version \(version)\(isExtended ? ", extended" : "")"
        }
        func make(size: Int) throws -> StoreInMemory {
            let store = StoreInMemory()
            var options = CreateOptions(clusterSize: 1 << UInt64(clusterBits))
            options.refcountBits = 1 << order
            options.qcow2Version = version
            options.extendedL2 = isExtended
            options.lazyRefcounts = isLazy
            try QCOW2Image.create(storage: store, size: UInt64(size), options: options)
            return store
        }
    }

    /// 4.25: past L1 boundaries both ways, with and without preallocation; what comes back reads as zeroes.
    @Test(
        "a disk keeps its content through any resizes (case 4.25)",
        arguments: [
            Shape(clusterBits: 9, order: 6, most: 1 << 20), Shape(clusterBits: 12), Shape(clusterBits: 16, order: 1),
            Shape(clusterBits: 12, version: 2), Shape(clusterBits: 14, isExtended: true),
            Shape(clusterBits: 12, isLazy: true),
        ])
    func aDiskKeepsItsContentThroughAnyResizes(_ shape: Shape) throws {
        var random = SeededRandom.printed("\(#function) \(shape.testDescription)")
        let folder = try ScratchFolder("resize")
        let store = try shape.make(size: 1 << 19)
        var model = [UInt8](repeating: 0, count: 1 << 19)
        for round in 0..<8 {
            let image = try QCOW2Image.open(storage: store, readOnly: false)
            #expect(image.size == UInt64(model.count))
            for _ in 0..<4 {
                if model.count > 512 {
                    for _ in 0..<3 {
                        let start = Int.random(in: 0..<model.count, using: &random)
                        let end = min(model.count, start + Int.random(in: 1...100_000, using: &random))
                        let value = UInt8.random(in: 1...255, using: &random)
                        try image.store([UInt8](repeating: value, count: end - start), start)
                        model.replaceSubrange(start..<end, with: repeatElement(value, count: end - start))
                    }
                }
                let size = Int.random(in: 0...shape.most / 512, using: &random) * 512
                let mode = CreateOptions.Preallocation.allCases.randomElement(using: &random) ?? .off
                try image.resize(to: UInt64(size), preallocation: mode)
                #expect(image.size == UInt64(size))
                if size < model.count {
                    model.removeLast(model.count - size)
                } else {
                    model += [UInt8](repeating: 0, count: size - model.count)
                }
                let isEqual = try image.bytes(0, size) == model
                #expect(isEqual, "round \(round), \(size) bytes")
            }
            try image.close()
            let report = try ImageUnderKnife(store.bytes).check()
            let isClean = report.isClean
            #expect(isClean, "round \(round): \(report.findings.prefix(4))")
        }
        try store.save(folder.file("a.qcow2"))
        try qemuCheck(folder.file("a.qcow2"))
    }

    @Test func whatIsGivenUpMakesTheFileShorter() throws {
        let store = try Shape(clusterBits: 16).make(size: 64 << 20)
        let image = try QCOW2Image.open(storage: store, readOnly: false)
        try image.store([UInt8](repeating: 1, count: 4 << 20), 0)
        try image.store([UInt8](repeating: 2, count: 8 << 20), 32 << 20)
        try image.resize(to: 4 << 20, preallocation: .off)
        try image.store([UInt8](repeating: 3, count: 1 << 20), 1 << 20)
        try image.close()
        #expect(try store.size() < 6 << 20)
        let isClean = try ImageUnderKnife(store.bytes).check().isClean
        #expect(isClean)
    }

    /// 4.4: what a longer backing file holds behind the old end stays hidden.
    @Test(
        "a longer backing file does not show (case 4.4)",
        arguments: [CreateOptions.Preallocation.off, .metadata], [2, 3])
    func aLongerBackingFileDoesNotShow(_ mode: CreateOptions.Preallocation, _ version: UInt32) throws {
        let folder = try ScratchFolder("resize-backing")
        let (base, top) = (folder.file("base.qcow2"), folder.file("top.qcow2"))
        try Tool.check("qemu-img", ["create", "-q", "-f", "qcow2", base, "4M"])
        try Tool.check("qemu-io", ["-f", "qcow2", "-c", "write -P 7 0 4M", base])
        try Tool.check(
            "qemu-img",
            [
                "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", base,
                "-o", "compat=\(version == 2 ? "0.10" : "1.1")", top, "1000k",
            ])
        let policy = OpenPolicy(parents: .given([ImageReference(path: base, format: .qcow2)]))
        try DiskImage.resize(path: top, format: .qcow2, to: 6 << 20, preallocation: mode, policy: policy)
        let raw = folder.file("raw")
        try Tool.check("qemu-img", ["convert", "-f", "qcow2", "-O", "raw", top, raw])
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: raw)))
        #expect(bytes.count == 6 << 20)
        #expect(bytes[..<(1000 << 10)].allSatisfy { $0 == 7 })
        #expect(bytes[(1000 << 10)...].allSatisfy { $0 == 0 })
        try qemuCheck(top)
        #expect(throws: BlockError.self, "not without the backing file") {
            try DiskImage.resize(
                path: top, format: .qcow2, to: 8 << 20, policy: OpenPolicy(parents: .ignored))
        }
        let error = #expect(throws: BlockError.self) {
            try DiskImage.resize(path: top, format: .qcow2, to: 1 << 20, policy: policy)
        }
        #expect(error?.code == .denied, "shrinking must be asked for")
        #expect(throws: BlockError.self) {
            try DiskImage.resize(path: top, format: .qcow2, to: 4 << 50, policy: policy)
        }
    }

    /// 4.14, 4.16, 4.25: snapshots of version 3 keep their size; version 2 and bitmaps are refused.
    @Test("snapshots keep their size or forbid another (cases 4.15, 4.25)")
    func snapshotsKeepTheirSizeOrForbidAnother() throws {
        let folder = try ScratchFolder("resize-snapshots")
        let store = StoreInMemory(try QemuSample.version2.make(folder))
        let image = try QCOW2Image.open(storage: store, readOnly: false)
        for size: UInt64 in [4 << 20, 16 << 20] {
            let error = #expect(throws: BlockError.self) { try image.resize(to: size, preallocation: .off) }
            #expect(error?.code == .unsupported && error?.message.contains("snapshots") == true)
        }
        try image.close()

        let three = try Shape(clusterBits: 12).make(size: 8 << 20)
        let device = try QCOW2Image.open(storage: three, readOnly: false)
        try device.store([UInt8](repeating: 5, count: 8 << 20), 0)
        try device.createSnapshot(name: "before")
        try device.resize(to: 3 << 20, preallocation: .off)
        try device.store([UInt8](repeating: 6, count: 1 << 20), 2 << 20)
        try device.resize(to: 20 << 20, preallocation: .off)
        let isZero = try device.bytes(3 << 20, 17 << 20) == [UInt8](repeating: 0, count: 17 << 20)
        #expect(isZero)
        let view = try device.openSnapshot("before")
        #expect(view.size == 8 << 20)
        let isKept = try view.bytes(0, 8 << 20) == [UInt8](repeating: 5, count: 8 << 20)
        #expect(isKept)
        try view.close()
        try device.close()
        try three.save(folder.file("three.qcow2"))
        try qemuCheck(folder.file("three.qcow2"))
        let isClean = try ImageUnderKnife(three.bytes).check().isClean
        #expect(isClean)
    }

    @Test func aDiskGrowsWhileItIsWritten() throws {
        let store = try Shape(clusterBits: 12).make(size: 1 << 20)
        let image = try QCOW2Image.open(storage: store, readOnly: false)
        let failures = Mutex<[String]>([])
        DispatchQueue.concurrentPerform(iterations: 4) { worker in
            do {
                if worker == 0 {
                    for step in 2...20 { try image.resize(to: UInt64(step) << 20, preallocation: .off) }
                } else {
                    for step in 0..<150 {
                        let offset = (step * 3 + worker) % 256 * 4096
                        let data = [UInt8](repeating: UInt8(worker), count: 512)
                        try image.store(data, offset + worker * 512)
                        if try image.bytes(offset + worker * 512, 512) != data {
                            failures.withLock { $0.append("worker \(worker), step \(step)") }
                        }
                    }
                }
            } catch { failures.withLock { $0.append("\(error)") } }
        }
        #expect(failures.withLock { $0 } == [])
        try image.close()
        let isClean = try ImageUnderKnife(store.bytes).check().isClean
        #expect(isClean)
    }

    /// A crash leaves one of the sizes around it, the content below both, and leaks at worst.
    @Test(
        "crashes during a resize lose nothing (case 4.25)",
        arguments: [Shape(clusterBits: 9, order: 6), Shape(clusterBits: 12), Shape(clusterBits: 12, version: 2)])
    func crashesDuringAResizeLoseNothing(_ shape: Shape) throws {
        var random = SeededRandom.printed("\(#function) \(shape.testDescription)")
        let store = try shape.make(size: 300 << 10)
        let start = store.bytes
        store.recording = true
        let image = try QCOW2Image.open(storage: store, readOnly: false)
        // After each step: the events so far, and how much of the disk is filled with what.
        var steps: [(event: Int, size: Int)] = [(0, 300 << 10)]
        try image.store([UInt8](repeating: 1, count: 100 << 10), 0)
        try image.store([UInt8](repeating: 1, count: 50 << 10), 250 << 10)
        try image.flush()
        let filled = store.eventCount
        for size in [1 << 20, 200 << 10, 2 << 20, 100 << 10, 3 << 20] {
            try image.resize(to: UInt64(size), preallocation: size == 2 << 20 ? .metadata : .off)
            steps.append((store.eventCount, size))
            if size > 1 << 20 {
                try image.store([UInt8](repeating: 2, count: 64 << 10), size - (64 << 10))
                try image.flush()
            }
        }
        try image.close()
        let events = store.events
        for _ in 0..<40 {
            let cut = Int.random(in: filled...events.count, using: &random)
            let crashed = StoreInMemory(StoreInMemory.crashed(start, events[..<cut], &random))
            let report = try ImageUnderKnife(crashed.bytes).check()
            #expect(report.corruptions == 0, "cut \(cut): \(report.findings.prefix(3))")
            let again = try QCOW2Image.open(storage: crashed, readOnly: false)
            let known = steps.lastIndex { $0.event <= cut } ?? 0
            let possible = steps[known...].prefix(2).map { UInt64($0.size) }
            #expect(possible.contains(again.size), "cut \(cut): \(again.size)")
            let head = try again.bytes(0, 100 << 10) == [UInt8](repeating: 1, count: 100 << 10)
            #expect(head, "cut \(cut)")
            // It grows on, over nothing old.
            let size = again.size
            try again.resize(to: 4 << 20, preallocation: .off)
            let rest = 4 << 20 - Int(size)
            let isZero = try again.bytes(Int(size), rest) == [UInt8](repeating: 0, count: rest)
            #expect(isZero, "cut \(cut)")
            try again.close()
        }
    }

    /// While the disk still has its old size, what it gives up reads as it did or as zeroes: the backing file does not show.
    @Test(arguments: [2, 3])
    func aShrinkCutShortDoesNotShowTheBackingFile(_ version: UInt32) throws {
        var random = SeededRandom.printed("\(#function) \(version)")
        let folder = try ScratchFolder("resize-crash")
        let base = folder.file("base.raw")
        try Data(repeating: 7, count: 3 << 20).write(to: URL(fileURLWithPath: base))
        let store = StoreInMemory()
        var options = CreateOptions(clusterSize: 4096)
        options.qcow2Version = version
        options.parent = .init(name: "base.raw", format: .raw)
        try QCOW2Image.create(storage: store, size: 3 << 20, options: options)
        func open(_ store: StoreInMemory) throws -> QCOW2Image {
            let policy = OpenPolicy(parents: .given([ImageReference(path: base, format: .raw)]))
            return try QCOW2Image.open(storage: store, readOnly: false, chain: ChainContext(policy: policy))
        }
        let image = try open(store)
        // Below two L2 tables, one of which goes.
        try image.writeZeroes(at: 0, length: 3 << 20, mayUnmap: true)
        try image.flush()
        let start = store.bytes
        store.recording = true
        try image.resize(to: 1 << 20, preallocation: .off)
        let events = store.events
        try image.close()
        for cut in 0...events.count {
            let again = try open(StoreInMemory(StoreInMemory.crashed(start, events[..<cut], &random)))
            let size = Int(again.size)
            #expect(size == 1 << 20 || size == 3 << 20)
            let isZero = try again.bytes(0, size) == [UInt8](repeating: 0, count: size)
            #expect(isZero, "cut \(cut) of \(events.count), \(size) bytes")
            try again.resize(to: 3 << 20, preallocation: .off)
            let isStillZero = try again.bytes(0, 3 << 20) == [UInt8](repeating: 0, count: 3 << 20)
            #expect(isStillZero, "cut \(cut) of \(events.count), grown")
            try again.close()
        }
    }
}
