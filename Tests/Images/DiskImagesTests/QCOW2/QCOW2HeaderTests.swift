import BlockIO
import CoreTypes
import Foundation
import TestSupport
import Testing

@testable import DiskImages

/// Cases 3.4 to 3.9: what headers may hold, and what a rewrite keeps of them.
@Suite struct QCOW2HeaderTests {
    private func store(_ options: CreateOptions = CreateOptions(), size: UInt64 = 1 << 20) throws -> StoreInMemory {
        let store = StoreInMemory()
        try QCOW2Image.create(storage: store, size: size, options: options)
        return store
    }

    private func header(_ store: StoreInMemory) throws -> QCOW2Header {
        try QCOW2Image.readHeader(store, fileSize: store.size())
    }

    @Test(
        "a rewrite keeps unknown records and later fields (case 3.8)",
        arguments: [2, 3] as [UInt32], [9, 12, 16] as [Int])
    func aRewriteKeepsUnknownRecordsAndLaterFields(_ version: UInt32, _ clusterBits: Int) throws {
        var options = CreateOptions(clusterSize: 1 << UInt64(clusterBits))
        options.qcow2Version = version
        let store = try store(options)
        var changed = try header(store)
        changed.extensions.others = [
            .init(kind: 0x1234_5678, content: [1, 2, 3]), .init(kind: 0x0537_BE78, content: [UInt8](1...16)),
            .init(kind: 0x1234_5678, content: []),
        ]
        if version == 3 { changed.laterFields = [UInt8](repeating: 0xA5, count: 15) }
        changed.backingName = "base.img"
        changed.extensions.backingFormat = "raw"
        try changed.rewrite(on: store)
        let again = try header(store)
        #expect(again.extensions.others == changed.extensions.others)
        #expect(again.laterFields == changed.laterFields)
        #expect(again.backingName == "base.img" && again.extensions.backingFormat == "raw")
        #expect(again.compatible == changed.compatible && again.refcountTableOffset == changed.refcountTableOffset)

        // And without the name again.
        var bare = again
        bare.backingName = nil
        bare.extensions.backingFormat = nil
        try bare.rewrite(on: store)
        let last = try header(store)
        #expect(last.backingName == nil && last.backingOffset == 0 && last.extensions.backingFormat == nil)
        #expect(last.extensions.others == changed.extensions.others)
        #expect(last.laterFields == changed.laterFields)
        let folder = try ScratchFolder("qcow2-header")
        try store.save(folder.file("a.qcow2"))
        try qemuCheck(folder.file("a.qcow2"))
    }

    /// At every point of a rewrite, whatever the store kept of it, the header is the old one or the new one.
    @Test func aRewriteSwitchesInOneSector() throws {
        var random = SeededRandom.printed()
        let store = try store()
        for _ in 0..<60 {
            var changed = try header(store)
            let length = [0, 5, 200, 600, 1023].randomElement(using: &random) ?? 0
            let letters = random.bytes(length).map { UInt8(ascii: "a") + $0 % 26 }
            changed.backingName = length == 0 ? nil : String(decoding: letters, as: UTF8.self)
            changed.extensions.backingFormat = length == 0 ? nil : ["raw", "qcow2"].randomElement(using: &random)
            let before = try header(store)
            let start = store.bytes
            let first = store.eventCount
            store.recording = true
            try changed.rewrite(on: store)
            store.recording = false
            let after = try header(store)
            #expect(after.backingName == changed.backingName)
            for cut in first..<store.eventCount {
                let bytes = StoreInMemory.crashed(start, store.events[first..<cut], &random)
                let found = try QCOW2Header(Array(bytes.prefix(65536)), fileSize: UInt64(bytes.count))
                let isOld = found.backingName == before.backingName
                let isNew = found.backingName == after.backingName
                #expect(isOld || isNew)
            }
        }
    }

    /// Case 3.9.
    @Test("names end at the format's limit (case 3.9)")
    func namesEndAtTheFormatsLimit() throws {
        var options = CreateOptions()
        options.parent = .init(name: String(repeating: "n", count: 1023), format: .qcow2)
        let long = try store(options)
        #expect(try header(long).backingName?.utf8.count == 1023)
        let refused: [(String, BlockError.Code)] = [
            (String(repeating: "n", count: 1024), .limitExceeded), ("", .denied), ("a\0b", .denied), ("a\nb", .denied),
            ("nbd:unix:/x", .denied), ("json:{}", .denied),
        ]
        for (name, expected) in refused {
            options.parent = .init(name: name, format: .raw)
            let found = code { _ = try store(options) }
            #expect(found == expected)
        }
        options.parent = .init(name: "dir/a:b", format: .raw)
        _ = try store(options)
    }

    @Test("records that run past the cluster are refused (case 3.8)")
    func recordsThatRunPastTheClusterAreRefused() throws {
        for length: UInt32 in [0xFFFF_FFFF, 65536, 65400, 0x7FFF_FFF9] {
            let store = try store()
            var bytes: [UInt8] = []
            bytes.appendBigEndian(UInt32(0x1111_2222))
            bytes.appendBigEndian(length)
            try store.store(bytes, at: 112 + 392)
            let found = code { _ = try header(store) }
            #expect(found == .invalidImage)
        }
    }

    @Test(
        "fields out of range are refused (cases 3.4, 3.7)",
        arguments: [
            (8, 8, 0x1_0001), (16, 4, 1024), (20, 4, 8), (20, 4, 22), (20, 4, 31), (20, 4, 32), (20, 4, 63),
            (100, 4, 103),
            (100, 4, 0), (100, 4, 65537), (4, 4, 0), (4, 4, 4), (72, 8, 8), (104, 1, 1), (104, 1, 2), (96, 4, 7),
        ] as [(Int, Int, UInt64)])
    func fieldsOutOfRangeAreRefused(_ offset: Int, _ width: Int, _ value: UInt64) throws {
        var options = CreateOptions()
        options.parent = .init(name: "base", format: .raw)
        let store = try store(options)
        var bytes: [UInt8] = []
        bytes.appendBigEndian(value)
        try store.store(Array(bytes.suffix(width)), at: UInt64(offset))
        let found = code { _ = try header(store) }
        #expect(found == .invalidImage)
    }
}
