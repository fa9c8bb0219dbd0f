import BlockIO
import Foundation
import TestSupport
import Testing

@testable import DiskImages

/// Files that lie. Opening, reading and writing them may fail; nothing may trap, hang or write where it must not.
@Suite struct QCOW2HostileTests {
    private func sample(clusterBits: Int = 9, size: UInt64 = 1 << 20, snapshots: Int = 0) throws -> [UInt8] {
        let store = StoreInMemory()
        try QCOW2Image.create(storage: store, size: size, clusterBits: clusterBits)
        let image = try QCOW2Image.open(storage: store, readOnly: false)
        try image.store([UInt8](repeating: 7, count: 20_000), 3000)
        try image.store([UInt8](repeating: 8, count: 5000), Int(size) - 5000)
        try image.writeZeroes(at: 8192, length: 4096, mayUnmap: false)
        for number in 0..<snapshots {
            try image.createSnapshot(name: "s\(number)")
            try image.store([UInt8](repeating: 9, count: 6000), 9000 * number)
        }
        try image.close()
        return store.bytes
    }

    /// Everything one can do with an image; errors are fine.
    private func exercise(_ bytes: [UInt8]) {
        for readOnly in [true, false] {
            let store = StoreInMemory(bytes)
            _ = try? QCOW2Image.info(storage: store)
            guard let image = try? QCOW2Image.open(storage: store, readOnly: readOnly) else { continue }
            for offset in [0, 3000, 1 << 18, max(0, Int(clamping: image.size) - 4096)] {
                _ = try? image.bytes(offset, 4096)
                if !readOnly {
                    try? image.store([UInt8](repeating: 1, count: 3000), offset)
                    try? image.discard(at: UInt64(offset), length: 4096)
                    try? image.writeZeroes(at: UInt64(offset), length: 2000, mayUnmap: true)
                }
            }
            var extents: [Extent] = []
            try? image.appendExtents(to: &extents, at: 0, length: image.size)
            for snapshot in (try? image.snapshots()) ?? [] {
                if let view = try? image.openSnapshot(snapshot.id) {
                    _ = try? view.bytes(0, Int(clamping: min(4096, view.size)))
                    try? view.close()
                }
            }
            if !readOnly {
                _ = try? image.createSnapshot(name: "new")
                if let last = try? image.snapshots().last { try? image.applySnapshot(last.id) }
                if let first = try? image.snapshots().first { try? image.deleteSnapshot(first.id) }
            }
            try? image.close()
        }
    }

    @Test("files cut at every sector open or fail precisely (case 3.23)")
    func filesCutAtEverySectorOpenOrFailPrecisely() throws {
        let bytes = try sample()
        for length in stride(from: 0, to: bytes.count, by: 512) { exercise(Array(bytes[..<length])) }
        for length in 0..<120 { exercise(Array(bytes[..<length])) }
    }

    @Test("header fields of any value are survived (cases 3.10, 3.12)")
    func headerFieldsOfAnyValueAreSurvived() throws {
        let bytes = try sample()
        let fields: [(Int, Int)] = [
            (4, 4), (8, 8), (16, 4), (20, 4), (24, 8), (32, 4), (36, 4), (40, 8), (48, 8), (56, 4), (60, 4), (64, 8),
            (72, 8), (80, 8), (88, 8), (96, 4), (100, 4), (104, 1), (112, 4), (116, 4),
        ]
        let values: [UInt64] = [
            0, 1, 2, 3, 4, 7, 8, 9, 21, 22, 31, 63, 103, 104, 105, 512, 513, 1024, 0xFFFF, 1 << 31, (1 << 32) - 1,
            1 << 40, (1 << 56) - 512, 1 << 56, 1 << 62, (1 << 63) - 512, 1 << 63, .max - 511, .max,
        ]
        for (offset, width) in fields {
            for value in values {
                var changed = bytes
                for index in 0..<width {
                    changed[offset + index] = UInt8(truncatingIfNeeded: value >> UInt64(8 * (width - 1 - index)))
                }
                exercise(changed)
            }
        }
    }

    @Test func randomDamageToTheTablesIsSurvived() throws {
        var random = SeededRandom.printed()
        let samples = [try sample(), try sample(snapshots: 2)]
        for number in 0..<1500 {
            var changed = samples[number % 2]
            for _ in 0..<Int.random(in: 1...12, using: &random) {
                // Mostly the structures at the start, and single bits as often as bytes.
                let at = Int.random(in: 0..<(Bool.random(using: &random) ? 8192 : changed.count), using: &random)
                changed[at] =
                    Bool.random(using: &random)
                    ? changed[at] ^ (1 << UInt8.random(in: 0..<8, using: &random))
                    : UInt8.random(in: 0...255, using: &random)
            }
            exercise(changed)
        }
    }

    /// An L2 entry that names a structure of the image, with and without the copied flag, or a cluster counted twice.
    @Test(
        "writing over a structure is refused and the image marked (cases 3.16, 3.17, 3.21)",
        arguments: ["header", "refcount table", "refcount block", "L1", "own L2", "other L2", "counted twice"])
    func writingOverAStructureIsRefusedAndTheImageMarked(_ target: String) throws {
        let store = StoreInMemory(try sample(clusterBits: 12, size: 8 << 20))
        let header = try QCOW2Image.readHeader(store, fileSize: store.size())
        let l1 = try store.words(at: header.l1Offset, count: 4).map { $0 & QCOW2Entry.offsetMask }
        let block = try store.words(at: header.refcountTableOffset, count: 1)[0]
        let own = l1[0]
        var host: UInt64 = 0
        switch target {
        case "header": host = 0
        case "refcount table": host = header.refcountTableOffset
        case "refcount block": host = block
        case "L1": host = header.l1Offset
        case "own L2": host = own
        case "other L2": host = l1[3]
        default:
            host = try store.words(at: own, count: 1)[0] & QCOW2Entry.offsetMask
            try store.store([0, 2], at: block + (host >> 12) * 2)
        }
        var entry: [UInt8] = []
        entry.appendBigEndian(host | QCOW2Entry.copied)
        try store.store(entry, at: own)
        let before = store.bytes
        let image = try QCOW2Image.open(storage: store, readOnly: false)
        for _ in 0..<2 {
            let error = #expect(throws: BlockError.self) { try image.store([1, 2, 3], 100) }
            #expect(error?.code == .corrupt)
        }
        #expect(throws: BlockError.self) { try image.store([1], 7 << 20) }
        if target != "header" { #expect(throws: BlockError.self, "a change was begun") { try image.flush() } }
        try? image.close()
        var after = store.bytes
        #expect(after[79] == 2, "the corrupt bit")
        after[79] = 0
        let isUntouched = after == before
        #expect(isUntouched, "nothing else was written")
        let error = #expect(throws: BlockError.self) { _ = try QCOW2Image.open(storage: store, readOnly: false) }
        #expect(error?.code == .corrupt)
        _ = try QCOW2Image.open(storage: store, readOnly: true)
    }

    @Test(
        "what is not built is refused by name (case 3.5)",
        arguments: [
            (72, [UInt8](repeating: 0, count: 7) + [4], "another file", true),
            (72, [0, 0, 1, 0, 0, 0, 0, 0], "bit 40", true),
            (72, [0x80] + [UInt8](repeating: 0, count: 7), "bit 63", true),
            (32, [0, 0, 0, 1], "encrypted", true),
            (4, [0, 0, 0, 1], "version 1", true),
        ])
    func whatIsNotBuiltIsRefusedByName(_ offset: Int, _ bytes: [UInt8], _ word: String, _ alsoToRead: Bool) throws {
        var image = try sample()
        image.replaceSubrange(offset..<offset + bytes.count, with: bytes)
        for readOnly in [true, false] {
            if readOnly && !alsoToRead {
                _ = try QCOW2Image.open(storage: StoreInMemory(image), readOnly: true)
                continue
            }
            let error = #expect(throws: BlockError.self) {
                _ = try QCOW2Image.open(storage: StoreInMemory(image), readOnly: readOnly)
            }
            #expect(error?.code == (word == "another file" ? .denied : .unsupported))
            #expect(error?.message.contains(word) == true, "\(error?.message ?? "")")
        }
    }

    @Test("unknown autoclear bits go with the first write only (case 3.6)")
    func unknownAutoclearBitsGoWithTheFirstWriteOnly() throws {
        var bytes = try sample()
        bytes[88] = 0x40
        bytes[95] = 1
        let store = StoreInMemory(bytes)
        let idle = try QCOW2Image.open(storage: store, readOnly: false)
        _ = try idle.bytes(0, 4096)
        try idle.close()
        #expect(store.bytes[88] == 0x40)
        let image = try QCOW2Image.open(storage: store, readOnly: false)
        try image.store([1], 3000)
        #expect(Array(store.bytes[88..<96]) == [UInt8](repeating: 0, count: 8))
    }

    @Test func requestsPastTheEndDoNothing() throws {
        let store = StoreInMemory(try sample())
        let image = try QCOW2Image.open(storage: store, readOnly: false)
        let before = store.bytes
        for (offset, count) in [(1 << 20, 1), ((1 << 20) - 1, 2), (Int.max - 1, 1), (Int.max, 512)] {
            #expect(throws: BlockError.self) { _ = try image.bytes(offset, count) }
            #expect(throws: BlockError.self) { try image.store([UInt8](repeating: 9, count: count), offset) }
            #expect(throws: BlockError.self) { try image.discard(at: UInt64(offset), length: UInt64(count)) }
        }
        #expect(throws: BlockError.self) { try image.discard(at: 512, length: .max) }
        try image.store([], 1 << 20)
        try image.close()
        let isUntouched = store.bytes == before
        #expect(isUntouched)
    }
}
