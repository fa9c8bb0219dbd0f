import BlockIO
import CoreTypes
import Foundation
import TestSupport
import Testing

@testable import DiskImages

/// Parts of numbered cases that no other suite looks at: sizes and headers.
@Suite struct RestOfTheVectorsTests {
    private func store(_ options: CreateOptions = CreateOptions(), size: UInt64 = 1 << 20) throws -> StoreInMemory {
        let store = StoreInMemory()
        try QCOW2Image.create(storage: store, size: size, options: options)
        return store
    }

    private func header(_ store: StoreInMemory) throws -> QCOW2Header {
        try QCOW2Image.readHeader(store, fileSize: store.size())
    }

    private func put(_ value: some FixedWidthInteger, _ store: StoreInMemory, at offset: UInt64) throws {
        try store.store(value.bytes.reversed(), at: offset)
    }

    // MARK: Sizes

    @Test("sizes are rounded up to sectors with every cluster size (case 1.2)", arguments: 9...21)
    func sizesAreRoundedUpToSectors(_ bits: Int) throws {
        let folder = try ScratchFolder("rest-sizes")
        for (size, shown) in [(1, 512), (511, 512), (512, 512), (513, 1024), (65_537, 66_048)] as [(UInt64, UInt64)] {
            let path = folder.file("\(size)")
            let options = CreateOptions(clusterSize: 1 << UInt64(bits))
            try DiskImage.create(path: path, format: .qcow2, size: size, options: options).close()
            #expect(try DiskImage.info(path: path, format: .qcow2).virtualSize == shown)
        }
    }

    @Test("a size that is no whole sectors is rounded down, and healed by a resize (case 1.4)")
    func aSizeOfNoWholeSectorsIsHealedByAResize() throws {
        let store = try store(size: 66_048)
        try put(UInt64(65_537), store, at: QCOW2Header.Offset.size)
        let image = try QCOW2Image.open(storage: store, readOnly: false)
        #expect(image.size == 65_536)
        #expect(code { try image.store([1], 65_536) } == .outOfRange)
        try image.resize(to: 131_072, preallocation: .off)
        try image.close()
        #expect(try header(store).size == 131_072)
    }

    @Test("every cluster size with every refcount width holds what was written (case 3.1)", arguments: 9...21)
    func everyClusterSizeWithEveryRefcountWidth(_ bits: Int) throws {
        var random = SeededRandom.printed("\(#function) \(bits)")
        let folder = try ScratchFolder("rest-shapes")
        for order in -1...6 {
            var options = CreateOptions(clusterSize: 1 << UInt64(bits))
            // The first is version 2.
            if order < 0 { options.qcow2Version = 2 } else { options.refcountBits = 1 << order }
            let size = (3 << bits) + 5 * 512
            let store = try store(options, size: UInt64(size))
            let image = try QCOW2Image.open(storage: store, readOnly: false)
            let model = GrowingBytes()
            model.resize(size)
            for _ in 0..<4 {
                let start = Int.random(in: 0..<size, using: &random)
                let bytes = random.bytes(min(size - start, Int.random(in: 1...6000, using: &random)))
                try image.store(bytes, start)
                model.write(bytes, at: start)
            }
            try image.close()
            let again = try QCOW2Image.open(storage: store, readOnly: true)
            let isEqual = try again.bytes(0, size) == model.array
            #expect(isEqual, "refcounts 2^\(order)")
            try store.save(folder.file("a.qcow2"))
            try qemuCheck(folder.file("a.qcow2"))
        }
    }

    // MARK: Headers

    @Test("a header length that is no multiple of 8 is made one (case 3.4)")
    func aHeaderLengthThatIsNoMultipleOf8IsMadeOne() throws {
        let store = try store()
        // The records begin behind it, so there are none.
        try store.store([UInt8](repeating: 0, count: 400), at: 105)
        try put(UInt32(105), store, at: 100)
        var found = try header(store)
        #expect(found.length == 105)
        found.backingName = "base"
        try found.rewrite(on: store)
        #expect(try header(store).length == 112 && header(store).backingName == "base")
    }

    @Test("unknown feature bits are named, kept or cleared (cases 3.5, 3.6, 3.7)")
    func unknownFeatureBitsAreNamedKeptOrCleared() throws {
        let store = try store()
        var changed = try header(store)
        changed.extensions.featureNames = [.init(kind: 0, bit: 40, name: "time travel")]
        changed.compatible = 1 << 5
        changed.autoclear = 1 << 9
        try changed.rewrite(on: store)
        try QCOW2Image.open(storage: store, readOnly: true).close()
        #expect(try header(store).autoclear == 1 << 9)
        let image = try QCOW2Image.open(storage: store, readOnly: false)
        try image.store([1], 0)
        try image.close()
        var after = try header(store)
        #expect(after.autoclear == 0 && after.compatible == 1 << 5)
        after.backingName = "b"
        try after.rewrite(on: store)
        #expect(try header(store).compatible == 1 << 5)
        for (bits, words) in [(1 << 40, "“time travel”"), (1 << 40 | 1 << 41, "bit 41")] as [(UInt64, String)] {
            try put(bits, store, at: QCOW2Header.Offset.incompatible)
            for readOnly in [true, false] {
                let error = #expect(throws: BlockError.self) {
                    _ = try QCOW2Image.open(storage: store, readOnly: readOnly)
                }
                #expect(error?.code == .unsupported && error?.message.contains(words) == true)
            }
        }
        // No room for the compression type that the bit promises.
        try put(UInt64(8), store, at: QCOW2Header.Offset.incompatible)
        try put(UInt32(104), store, at: 100)
        #expect(code { _ = try header(store) } == .invalidImage)
    }

    @Test("records and names end where they can (cases 3.8, 3.9)")
    func recordsAndNamesEndWhereTheyCan() throws {
        let store = try store()
        // One record of 8 bytes up to the name, and no end mark.
        try store.store([0x12, 0x34, 0x56, 0x78, 0, 0, 0, 8] + [UInt8](1...8) + Array("base".utf8), at: 112)
        try put(UInt64(128), store, at: 8)
        try put(UInt32(4), store, at: 16)
        let found = try header(store)
        #expect(found.backingName == "base" && found.extensions.others.map(\.content) == [[UInt8](1...8)])
        // A name that lies in the record.
        try put(UInt64(124), store, at: 8)
        #expect(code { _ = try header(store) } == .invalidImage)
        // A NUL in it: shown, and never followed.
        try put(UInt64(128), store, at: 8)
        try store.store([0], at: 130)
        let folder = try ScratchFolder("rest-name")
        try save(folder.file("ba"), [UInt8](repeating: 1, count: 512))
        try store.save(folder.file("top"))
        let within = OpenPolicy(parents: .within(folder: folder.path))
        #expect(
            code { _ = try DiskImage.open(path: folder.file("top"), format: .qcow2, readOnly: true, policy: within) }
                == .denied)
        // More snapshots than there can be.
        try put(UInt32(65_537), store, at: QCOW2Header.Offset.snapshots)
        #expect(code { _ = try header(store) } == .limitExceeded)
    }

    // MARK: Measuring

    @Test("every cluster size, and compressed data, are measured as qemu does (case 6.10)")
    func everyClusterSizeIsMeasuredAsQemuDoes() throws {
        let folder = try ScratchFolder("rest-measure")
        func qemu(_ words: [String]) throws -> [String: UInt64] {
            let text = try Tool.check("qemu-img", ["measure", "--output=json", "-O", "qcow2"] + words)
            return try JSONDecoder().decode([String: UInt64].self, from: Data(text.utf8))
        }
        let size: UInt64 = (1 << 30) + 512
        for bits in 9...21 as ClosedRange<UInt64> {
            let ours = try DiskImage.measure(size: size, as: .qcow2, options: CreateOptions(clusterSize: 1 << bits))
            let theirs = try qemu(["--size", String(size), "-o", "cluster_size=\(1 << bits)"])
            #expect(ours.required == theirs["required"] && ours.fullyAllocated == theirs["fully-allocated"])
        }
        try save(folder.file("raw"), (0..<3 << 20).map { UInt8($0 >> 15 & 63) + 1 })
        let packed = folder.file("packed")
        try Tool.check("qemu-img", ["convert", "-c", "-f", "raw", "-O", "qcow2", folder.file("raw"), packed])
        let source = try DiskImage.open(path: packed, format: .qcow2, readOnly: true)
        let ours = try DiskImage.measure(source: source, as: .qcow2)
        try source.close()
        let theirs = try qemu(["-f", "qcow2", packed])
        #expect(ours.required == theirs["required"] && ours.fullyAllocated == theirs["fully-allocated"])
    }
}
