import BlockIO
import CoreTypes
import Foundation
import TestSupport
import Testing

@testable import DiskImages

/// Internal snapshots against a model for each state, judged by qemu-img (4.14).
@Suite struct QCOW2SnapshotTests {
    struct Shape: CustomTestStringConvertible, Sendable {
        var clusterBits: Int
        var refcountOrder: Int
        var size: Int
        var operations: Int
        var testDescription: String { "2^\(clusterBits), refcounts 2^\(refcountOrder) bits, \(size) bytes" }
    }

    /// A disk and its snapshots as arrays of bytes.
    private struct Model {
        var disk: GrowingBytes
        var kept: [(name: String, bytes: [UInt8])] = []
    }

    @Test(
        "every snapshot holds what the disk held (case 4.14)",
        arguments: [
            Shape(clusterBits: 9, refcountOrder: 4, size: (1 << 20) + 512, operations: 220),
            Shape(clusterBits: 9, refcountOrder: 6, size: 600 << 10, operations: 180),
            Shape(clusterBits: 12, refcountOrder: 3, size: 2 << 20, operations: 200),
            Shape(clusterBits: 16, refcountOrder: 4, size: (6 << 20) + 1024, operations: 160),
            Shape(clusterBits: 16, refcountOrder: 2, size: 3 << 20, operations: 120),
        ])
    func everySnapshotHoldsWhatTheDiskHeld(_ shape: Shape) throws {
        var random = SeededRandom.printed("\(#function) \(shape.testDescription)")
        let folder = try ScratchFolder("qcow2-snapshots")
        let store = StoreInMemory()
        try QCOW2Image.create(
            storage: store, size: UInt64(shape.size), clusterBits: shape.clusterBits,
            refcountOrder: shape.refcountOrder)
        var image = try QCOW2Image.open(storage: store, readOnly: false)
        var model = Model(disk: GrowingBytes())
        model.disk.resize(shape.size)
        let cluster = 1 << shape.clusterBits
        for step in 0..<shape.operations {
            let start = Int.random(in: 0..<shape.size, using: &random)
            let range = start..<min(shape.size, start + Int.random(in: 1...8 * cluster, using: &random))
            switch Int.random(in: 0..<20, using: &random) {
            case 0...9:
                let content = [UInt8](repeating: UInt8(truncatingIfNeeded: step | 1), count: range.count)
                try image.store(content, start)
                model.disk.write(content, at: start)
            case 10, 11:
                try image.writeZeroes(
                    at: UInt64(start), length: UInt64(range.count), mayUnmap: Bool.random(using: &random))
                model.disk.write([UInt8](repeating: 0, count: range.count), at: start)
            case 12:
                try image.discard(at: UInt64(start), length: UInt64(range.count))
                model.disk.write(try image.bytes(start, range.count), at: start)
            case 13, 14:
                if model.kept.count >= 8 || (shape.refcountOrder == 2 && model.kept.count >= 5) { continue }
                try image.createSnapshot(name: "s\(step)")
                model.kept.append(("s\(step)", model.disk.array))
            case 15, 16:
                guard let index = model.kept.indices.randomElement(using: &random) else { continue }
                try image.deleteSnapshot(model.kept.remove(at: index).name)
            case 17:
                guard let kept = model.kept.randomElement(using: &random) else { continue }
                try image.applySnapshot(kept.name)
                model.disk = GrowingBytes(kept.bytes)
            case 18:
                try image.close()
                image = try QCOW2Image.open(storage: store, readOnly: false)
            default: try image.flush()
            }
            if step % 40 == 39 {
                try image.flush()
                try image.flush()
                try store.save(folder.file("now.qcow2"))
                try qemuCheck(folder.file("now.qcow2"))
            }
        }
        try expectEqual(image, model)
        try image.close()
        try store.save(folder.file("a.qcow2"))
        try qemuCheck(folder.file("a.qcow2"))
        for kept in model.kept.prefix(3) + [("", model.disk.array)] {
            let option = kept.name.isEmpty ? [] : ["-l", "snapshot.name=\(kept.name)"]
            try Tool.check(
                "qemu-img",
                ["convert", "-f", "qcow2", "-O", "raw"] + option + [folder.file("a.qcow2"), folder.file("a.raw")])
            let isEqual = try [UInt8](Data(contentsOf: URL(fileURLWithPath: folder.file("a.raw")))) == kept.bytes
            #expect(isEqual, "qemu-img reads snapshot “\(kept.name)” otherwise")
        }
        // Everything goes again, with nothing left behind.
        image = try QCOW2Image.open(storage: store, readOnly: false)
        for kept in model.kept { try image.deleteSnapshot(kept.name) }
        try expectEqual(image, Model(disk: model.disk))
        try image.close()
        try store.save(folder.file("b.qcow2"))
        try qemuCheck(folder.file("b.qcow2"))
    }

    private func expectEqual(_ image: QCOW2Image, _ model: Model) throws {
        var isEqual = try image.bytes(0, Int(image.size)) == model.disk.array
        #expect(isEqual, "the disk")
        #expect(try image.snapshots().map(\.name) == model.kept.map(\.name))
        for kept in model.kept {
            let view = try image.openSnapshot(kept.name)
            isEqual = try view.bytes(0, Int(view.size)) == kept.bytes
            #expect(isEqual, "snapshot \(kept.name)")
            #expect(code { try view.store([1], 0) } == .readOnly)
            #expect(code { try image.deleteSnapshot(kept.name) } == .busy)
            try view.close()
        }
    }

    /// 3.2 and 3.3: width 1 cannot count a second reference; 2, 4 and 8 bits end at the 3rd, 15th and 255th snapshot.
    @Test(
        "a refcount that would overflow fails the snapshot and changes nothing (cases 3.2, 3.3)",
        arguments: [(0, 0), (1, 2), (2, 14), (3, 254)])
    func aRefcountThatWouldOverflowFailsTheSnapshotAndChangesNothing(_ order: Int, _ possible: Int) throws {
        let folder = try ScratchFolder("qcow2-overflow")
        let store = StoreInMemory()
        try QCOW2Image.create(storage: store, size: 1 << 20, clusterBits: 12, refcountOrder: order)
        let image = try QCOW2Image.open(storage: store, readOnly: false)
        try image.store([UInt8](repeating: 7, count: 100_000), 5000)
        for number in 0..<possible { try image.createSnapshot(name: "s\(number)") }
        try image.flush()
        try image.flush()
        let before = store.bytes
        #expect(code { try image.createSnapshot(name: "one more") } == .limitExceeded)
        try image.flush()
        try image.flush()
        let isUnchanged = store.bytes == before
        #expect(isUnchanged)
        #expect(try image.snapshots().count == possible)
        try image.store([UInt8](repeating: 8, count: 100_000), 5000)
        try image.close()
        try store.save(folder.file("a.qcow2"))
        try qemuCheck(folder.file("a.qcow2"))
    }

    @Test func longTablesFindAdjoiningClustersInSmallOnes() throws {
        // A disk of 192 MiB in clusters of 512 bytes: an L1 table of 48 KiB, where a block counts 64 clusters.
        let folder = try ScratchFolder("qcow2-adjoining")
        let store = StoreInMemory()
        try QCOW2Image.create(storage: store, size: 192 << 20, clusterBits: 9, refcountOrder: 6)
        let image = try QCOW2Image.open(storage: store, readOnly: false)
        for number in 0..<5 {
            try image.store([UInt8](repeating: UInt8(number + 1), count: 20_000), number * 30_000_000)
            try image.createSnapshot(name: "s\(number)")
        }
        try image.applySnapshot("s1")
        #expect(try image.bytes(60_000_000, 10) == [UInt8](repeating: 0, count: 10))
        #expect(try image.bytes(30_000_000, 10) == [UInt8](repeating: 2, count: 10))
        try image.close()
        try store.save(folder.file("a.qcow2"))
        try qemuCheck(folder.file("a.qcow2"))
        let again = try QCOW2Image.open(storage: store, readOnly: false)
        for number in 0..<5 { try again.deleteSnapshot("s\(number)") }
        try again.close()
        try store.save(folder.file("a.qcow2"))
        try qemuCheck(folder.file("a.qcow2"))
    }

    /// A name may be another snapshot's id.
    @Test func aNameThatIsAnotherSnapshotsIDMeansWhatIsAskedFor() throws {
        let folder = try ScratchFolder("qcow2-snapshot-selector")
        let path = folder.file("a.qcow2")
        let image = try DiskImage.create(path: path, format: .qcow2, size: 1 << 20)
        let keeper = try #require(image as? any SnapshotKeeper)
        for (value, name) in [(UInt8(1), "a"), (2, "1")] {
            try image.store([value], 0)
            try keeper.createSnapshot(name: name)
        }
        try image.close()
        func first(_ snapshot: SnapshotSelector) throws -> UInt8 {
            let view = try DiskImage.open(path: path, format: .qcow2, snapshot: snapshot)
            defer { try? view.close() }
            return try view.bytes(0, 1)[0]
        }
        #expect(try first(.name("1")) == 2)
        #expect(try first(.id("1")) == 1)
        #expect(try first(.either("1")) == 1)
        #expect(try first(.either("a")) == 1)
        #expect(code { _ = try first(.name("2")) } == .notFound)
        #expect(code { _ = try first(.id("a")) } == .notFound)
    }

    @Test(arguments: ["0.10", "1.1"])
    func snapshotsOfQemuAreReadAppliedAndDeletedAndOursByIt(_ compat: String) throws {
        let folder = try ScratchFolder("qcow2-interop-snapshots")
        let path = folder.file("a.qcow2")
        try Tool.check("qemu-img", ["create", "-q", "-f", "qcow2", "-o", "compat=\(compat)", path, "8M"])
        func fill(_ pattern: Int) throws {
            try Tool.check("qemu-io", ["-f", "qcow2", "-c", "write -P \(pattern) 1M 3M", path])
        }
        try fill(1)
        try Tool.check("qemu-img", ["snapshot", "-c", "first", path])
        try fill(2)
        #expect(try DiskImage.snapshots(path: path, format: .qcow2).map(\.id) == ["1"])
        let made = try DiskImage.createSnapshot(path: path, format: .qcow2, name: "second")
        #expect(made.id == "2" && made.diskSize == 8 << 20 && made.stateSize == 0)
        try fill(3)
        try qemuCheck(path)
        for (name, value) in [("first", 1), ("2", 2)] {
            let view = try DiskImage.open(path: path, format: .qcow2, snapshot: .either(name))
            #expect(try view.bytes(1 << 20, 3 << 20).allSatisfy { $0 == UInt8(value) })
            try view.close()
        }
        try DiskImage.renameSnapshot(path: path, format: .qcow2, "second", to: "zwei")
        let list = try Tool.check("qemu-img", ["snapshot", "-l", path])
        #expect(list.contains("first") && list.contains("zwei") && !list.contains("second"))
        try Tool.check("qemu-img", ["snapshot", "-a", "zwei", path])
        let disk = try DiskImage.open(path: path, format: .qcow2, readOnly: true)
        #expect(try disk.bytes(2 << 20, 100).allSatisfy { $0 == 2 })
        try disk.close()
        try DiskImage.applySnapshot(path: path, format: .qcow2, "first")
        try Tool.check("qemu-io", ["-f", "qcow2", "-c", "read -P 1 1M 3M", path])
        try qemuCheck(path)
        try DiskImage.deleteSnapshot(path: path, format: .qcow2, "first")
        try Tool.check("qemu-img", ["snapshot", "-d", "zwei", path])
        try qemuCheck(path)
        #expect(code { try DiskImage.applySnapshot(path: path, format: .qcow2, "first") } == .notFound)
    }

    /// Equal names, ids that are no numbers, other disk sizes, machine state, and extra data of every length (4.14, 4.15).
    @Test("odd tables are kept as they are (cases 4.14, 4.15)")
    func oddTablesAreKeptAsTheyAre() throws {
        let folder = try ScratchFolder("qcow2-odd-snapshots")
        let store = StoreInMemory()
        try QCOW2Image.create(storage: store, size: 1 << 20, clusterBits: 12)
        let image = try QCOW2Image.open(storage: store, readOnly: false)
        try image.store([UInt8](repeating: 5, count: 50_000), 0)
        for name in ["a", "b", "c"] { try image.createSnapshot(name: name) }
        try image.close()
        let header = try QCOW2Image.readHeader(store, fileSize: store.size())
        var table = try QCOW2SnapshotTable(header, store)
        table.entries[0].id = Array("tuesday".utf8)
        table.entries[0].name = Array("b".utf8)
        table.entries[0].extra += [1, 2, 3, 4, 5, 6, 7, 8, 9]
        table.entries[0].extra.replaceSubrange(0..<8, with: [0, 0, 0, 1, 0, 0, 0, 9])
        table.entries[2].extra.replaceSubrange(8..<16, with: [0, 0, 0, 0, 0, 0x08, 0, 0])
        try store.store(try table.encoded(), at: header.snapshotsOffset)

        let again = try QCOW2Image.open(storage: store, readOnly: false)
        #expect(try again.snapshots().map(\.id) == ["tuesday", "2", "3"])
        #expect(try again.snapshots()[0].stateSize == (1 << 32) + 9)
        #expect(code { try again.applySnapshot("b") } == .notFound)
        #expect(try again.createSnapshot(name: "d").id == "4")
        try again.applySnapshot("c")
        #expect(again.size == 0x80000)
        #expect(try again.bytes(49_999, 2) == [5, 0])
        try again.store([6], 0x7FFFF)
        try again.applySnapshot("2")
        #expect(again.size == 1 << 20)
        try again.deleteSnapshot("3")
        try again.close()
        let kept = try QCOW2SnapshotTable(try QCOW2Image.readHeader(store, fileSize: store.size()), store)
        #expect(kept.entries[0].extra == table.entries[0].extra)
        try store.save(folder.file("a.qcow2"))
        try qemuCheck(folder.file("a.qcow2"))
        let info = try Tool.check("qemu-img", ["info", folder.file("a.qcow2")])
        #expect(info.contains("tuesday"))
    }

    @Test("short extra data is completed and too much is refused (case 4.14)")
    func shortExtraDataIsCompletedAndTooMuchIsRefused() throws {
        var entry = QCOW2Snapshot(
            l1Offset: 4096, l1Entries: 1, id: [49], name: [65], seconds: 1, nanoseconds: 2, guestClock: 3,
            shortStateSize: 77, extra: [], diskSize: 512)
        var bytes: [UInt8] = []
        entry.append(to: &bytes)
        #expect(bytes.count == 64)
        // An entry without extra data, as version 2 has it, and one with more than is legal.
        var old = bytes
        old.replaceSubrange(36..<56, with: [0, 0, 0, 0])
        let store = StoreInMemory([UInt8](repeating: 0, count: 4096) + old + [UInt8](repeating: 0, count: 8000))
        var header = QCOW2Header()
        header.size = 1 << 20
        header.snapshotsOffset = 4096
        header.clusterBits = 12
        header.snapshotCount = 1
        let table = try QCOW2SnapshotTable(header, store)
        #expect(table.entries[0].diskSize == 1 << 20 && table.entries[0].stateSize == 77)
        #expect(table.entries[0].info.name == "A")
        entry.extra = [UInt8](repeating: 1, count: 1025)
        var large: [UInt8] = []
        entry.append(to: &large)
        try store.store(large, at: 4096)
        #expect(code { _ = try QCOW2SnapshotTable(header, store) } == .limitExceeded)
        var full = table
        full.entries = Array(repeating: table.entries[0], count: Int(QCOW2Limits.snapshots))
        #expect(code { _ = try full.encoded() } == nil)
        full.entries.append(table.entries[0])
        #expect(code { _ = try full.encoded() } == .limitExceeded)
        header.snapshotCount = 65536
        try store.store(bytes + [UInt8](repeating: 0, count: 4000), at: 4096)
        #expect(code { _ = try QCOW2SnapshotTable(header, store) } == .corrupt)
    }
}
