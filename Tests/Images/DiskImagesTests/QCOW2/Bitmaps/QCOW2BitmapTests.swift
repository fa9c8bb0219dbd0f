import BlockIO
import CoreTypes
import Foundation
import TestSupport
import Testing

@testable import DiskImages

/// Persistent bitmaps against a model, and with qemu as their other user (4.16).
@Suite struct QCOW2BitmapTests {
    @Test(arguments: [(9, UInt64(512)), (9, 4096), (12, 65536), (16, 65536), (16, 1 << 20)])
    func aBitmapHasWhatWasWrittenSinceItWasMade(_ clusterBits: Int, _ granularity: UInt64) throws {
        var random = SeededRandom.printed("\(#function) \(clusterBits) \(granularity)")
        let size: UInt64 = (6 << 20) + 1024
        let store = StoreInMemory()
        try QCOW2Image.create(storage: store, size: size, clusterBits: clusterBits)
        var image = try QCOW2Image.open(storage: store, readOnly: false)
        try image.store([UInt8](repeating: 1, count: 100_000), 70_000)
        // What a bitmap must have, and what it may have: zeroing what is zero already need not be noted.
        var models: [String: (must: Set<UInt64>, may: Set<UInt64>)] = [:]
        for step in 0..<90 {
            let start = UInt64.random(in: 0..<size, using: &random)
            let length = min(size - start, UInt64.random(in: 1...60_000, using: &random))
            var changed = true
            let before = try image.bytes(Int(start), Int(length))
            switch Int.random(in: 0..<10, using: &random) {
            case 0...3: try image.store([UInt8](repeating: UInt8(step), count: Int(length)), Int(start))
            case 4: try image.writeZeroes(at: start, length: length, mayUnmap: true)
            case 5: try image.discard(at: start, length: length)
            case 6:
                changed = false
                if models.count < 4 {
                    try image.createBitmap(name: "b\(step)", granularity: granularity)
                    models["b\(step)"] = ([], [])
                } else if let name = models.keys.sorted().randomElement(using: &random) {
                    if step % 2 == 0 {
                        try image.deleteBitmap(name)
                        models[name] = nil
                    } else {
                        try image.clearBitmap(name)
                        models[name] = ([], [])
                    }
                }
            case 7:
                changed = false
                try image.close()
                image = try QCOW2Image.open(storage: store, readOnly: false)
            case 8:
                changed = false
                try image.createSnapshot(name: "s\(step)")
            default: changed = false
            }
            if changed {
                let granules = start / granularity...(start + length - 1) / granularity
                let after = try image.bytes(Int(start), Int(length))
                for name in models.keys {
                    models[name]?.may.formUnion(granules)
                    for granule in granules {
                        let low = Int(max(granule * granularity, start) - start)
                        let high = Int(min((granule + 1) * granularity - start, length))
                        if before[low..<high] != after[low..<high] { models[name]?.must.insert(granule) }
                    }
                }
            }
            if step % 9 == 0 { try expectEqual(image, models, granularity) }
        }
        try image.close()
        let folder = try ScratchFolder("qcow2-bitmaps")
        try store.save(folder.file("a.qcow2"))
        try qemuCheck(folder.file("a.qcow2"))
        image = try QCOW2Image.open(storage: StoreInMemory(store.bytes, readOnly: true), readOnly: true)
        try expectEqual(image, models, granularity)
        for name in models.keys {
            let own = granules(try image.dirtyRanges(ofBitmap: name), granularity)
            try expectQemuAgrees(folder.file("a.qcow2"), name, own, granularity)
        }
    }

    private func expectEqual(
        _ image: QCOW2Image, _ models: [String: (must: Set<UInt64>, may: Set<UInt64>)], _ granularity: UInt64
    ) throws {
        let all = try image.bitmaps()
        #expect(Set(all.map(\.name)) == Set(models.keys))
        #expect(all.allSatisfy { $0.isEnabled && !$0.isInconsistent && $0.granularity == granularity })
        for (name, expected) in models {
            var found: Set<UInt64> = []
            for range in try image.dirtyRanges(ofBitmap: name) {
                #expect(range.upperBound <= image.size && range.lowerBound % granularity == 0)
                found.formUnion(range.lowerBound / granularity...(range.upperBound - 1) / granularity)
            }
            let isRight = expected.must.isSubset(of: found) && found.isSubset(of: expected.may)
            #expect(isRight, "\(name)")
        }
    }

    @Test func bitmapsOfQemuAreGoneOnWith() throws {
        let folder = try ScratchFolder("qcow2-bitmap-qemu")
        let path = folder.file("a.qcow2")
        try Tool.check("qemu-img", ["create", "-q", "-f", "qcow2", path, "32M"])
        try Tool.check("qemu-img", ["bitmap", "--add", "-f", "qcow2", "-g", "65536", path, "on"])
        try Tool.check("qemu-img", ["bitmap", "--add", "--disable", "-f", "qcow2", path, "off"])
        try Tool.check("qemu-io", ["-f", "qcow2", "-c", "write -P 1 1M 128k", path])
        let image = try QCOW2Image.open(file: ImageFile(path: path, access: .readWrite), readOnly: false)
        #expect(try image.bitmaps().map(\.isEnabled) == [true, false])
        #expect(try image.dirtyRanges(ofBitmap: "on") == [1 << 20..<(1 << 20) + 131072])
        try image.store([2], 5 << 20)
        #expect(try image.dirtyRanges(ofBitmap: "on").count == 2)
        #expect(try image.dirtyRanges(ofBitmap: "off") == [])
        // From the first write on the image says that this process alone has the bitmap.
        let during = try Tool.check("qemu-img", ["info", "-U", path])
        #expect(during.contains("in-use"))
        try image.createBitmap(name: "ours", granularity: 1 << 20)
        try image.store([3], 9 << 20)
        try image.close()
        try qemuCheck(path)
        let info = try Tool.check("qemu-img", ["info", path])
        #expect(!info.contains("in-use") && info.contains("ours"))
        try expectQemuAgrees(path, "on", [16, 17, 80, 144], 65536)
        try expectQemuAgrees(path, "ours", [9], 1 << 20)
        try Tool.check("qemu-img", ["bitmap", "--merge", "ours", "-f", "qcow2", path, "on"])
        try Tool.check("qemu-img", ["bitmap", "--remove", "-f", "qcow2", path, "ours"])
        try Tool.check("qemu-img", ["bitmap", "--clear", "-f", "qcow2", path, "off"])
        try qemuCheck(path)
        let again = try QCOW2Image.open(file: ImageFile(path: path, access: .readWrite), readOnly: false)
        #expect(try again.dirtyRanges(ofBitmap: "on").map(\.lowerBound) == [1 << 20, 5 << 20, 9 << 20])
        for name in ["on", "off"] { try again.deleteBitmap(name) }
        try again.close()
        try qemuCheck(path)
    }

    @Test("a crash leaves a bitmap that says that it missed writes (case 4.16)")
    func aCrashLeavesABitmapThatSaysThatItMissedWrites() throws {
        let store = StoreInMemory()
        try QCOW2Image.create(storage: store, size: 1 << 20, clusterBits: 16)
        let image = try QCOW2Image.open(storage: store, readOnly: false)
        try image.createBitmap(name: "a", granularity: 65536)
        try image.store([1], 0)
        try image.close()
        let before = store.bytes
        let second = try QCOW2Image.open(storage: store, readOnly: false)
        _ = try second.bytes(0, 1)
        let isUntouched = store.bytes == before
        #expect(isUntouched, "reading marks nothing")
        store.recording = true
        try second.store([2], 100_000)
        // Whatever is lost: no data without the mark.
        let firstSync = store.events.firstIndex { if case .sync = $0 { true } else { false } } ?? 0
        let isMarkFirst = store.events[..<firstSync].allSatisfy {
            if case .write(_, let bytes) = $0 { bytes.count < 64 } else { true }
        }
        #expect(isMarkFirst && firstSync > 0)
        let crashed = StoreInMemory(store.bytes)
        let folder = try ScratchFolder("qcow2-bitmap-crash")
        try crashed.save(folder.file("a.qcow2"))
        #expect(try Tool.check("qemu-img", ["info", folder.file("a.qcow2")]).contains("in-use"))
        let again = try QCOW2Image.open(storage: crashed, readOnly: false)
        #expect(try again.bitmaps().map(\.isInconsistent) == [true])
        #expect(code { _ = try again.dirtyRanges(ofBitmap: "a") } == .corrupt)
        #expect(code { try again.clearBitmap("a") } == .corrupt)
        try again.store([3], 5)
        try again.createBitmap(name: "b", granularity: 512)
        try again.close()
        let third = try QCOW2Image.open(storage: crashed, readOnly: false)
        #expect(try third.bitmaps().map(\.isInconsistent) == [true, false])
        try third.deleteBitmap("a")
        try third.close()
        try crashed.save(folder.file("a.qcow2"))
        try qemuCheck(folder.file("a.qcow2"))
    }

    /// An older writer clears the image's word for its bitmaps; a broken directory, or a kind that is not known, never
    /// keeps the data from being used.
    @Test(
        "bad bitmaps keep nobody from the data (case 4.16)",
        arguments: ["cleared", "offset", "name", "granularity", "type", "table", "count", "overlap"])
    func badBitmapsKeepNobodyFromTheData(_ damage: String) throws {
        let folder = try ScratchFolder("qcow2-bitmap-bad")
        let store = StoreInMemory()
        try QCOW2Image.create(storage: store, size: 1 << 20, clusterBits: 12)
        let image = try QCOW2Image.open(storage: store, readOnly: false)
        try image.createBitmap(name: String(repeating: "n", count: 1023), granularity: 4096)
        try image.store([9], 1000)
        try image.close()
        var header = try QCOW2Image.readHeader(store, fileSize: store.size())
        let place = try #require(header.extensions.bitmapDirectory)
        switch damage {
        case "cleared": try store.store([UInt8](repeating: 0, count: 8), at: QCOW2Header.Offset.autoclear)
        case "offset", "count", "overlap":
            if damage == "count" { header.extensions.bitmapCount = 70000 }
            if damage == "offset" { header.extensions.bitmapDirectory = (1 << 60, place.length) }
            if damage == "overlap" { header.extensions.bitmapDirectory = (header.l1Offset, place.length) }
            try header.rewrite(on: store)
        case "name": try store.store([0, 0], at: place.offset + 18)
        case "granularity": try store.store([40], at: place.offset + 17)
        case "type": try store.store([7], at: place.offset + 16)
        default: try store.store([0xFF, 0xFF, 0xFF, 0xFF], at: place.offset)
        }
        let readOnly = try QCOW2Image.open(storage: StoreInMemory(store.bytes, readOnly: true), readOnly: true)
        #expect(try readOnly.bytes(1000, 1) == [9])
        let found = try? readOnly.bitmaps()
        #expect(found == nil || found?.first?.isInconsistent == true)
        let again = try QCOW2Image.open(storage: store, readOnly: false)
        try again.store([8], 1000)
        #expect(try again.bytes(1000, 1) == [8])
        try again.close()
        let after = try QCOW2Image.readHeader(store, fileSize: store.size())
        // Not silently stale: not valid any more, or marked as in use.
        if damage == "type" {
            #expect(try store.array(at: place.offset + 15, count: 1) == [3])
        } else {
            #expect(after.autoclear == 0)
            try store.save(folder.file("a.qcow2"))
            try qemuCheck(folder.file("a.qcow2"), allowing: [0, 3])
        }
    }

    @Test func allOnesAndTheTailAreUnderstood() throws {
        let store = StoreInMemory()
        try QCOW2Image.create(storage: store, size: (3 << 20) + 512, clusterBits: 9)
        let image = try QCOW2Image.open(storage: store, readOnly: false)
        try image.createBitmap(name: "a", granularity: 512)
        try image.store([1], 3 << 20)
        try image.close()
        let header = try QCOW2Image.readHeader(store, fileSize: store.size())
        let directory = try QCOW2BitmapDirectory(header, QCOW2Geometry(header), store)
        try store.store([0, 0, 0, 0, 0, 0, 0, 1], at: directory.entries[0].tableOffset)
        let again = try QCOW2Image.open(storage: store, readOnly: false)
        #expect(try again.dirtyRanges(ofBitmap: "a") == [0..<2 << 20, 3 << 20..<(3 << 20) + 512])
        try again.metadata.locked { () throws(BlockError) in
            try again.keepAllBitmapsInMemory()
            again.mapping.exclusive { again.resizeBits(to: 1 << 20) }
        }
    }
}
