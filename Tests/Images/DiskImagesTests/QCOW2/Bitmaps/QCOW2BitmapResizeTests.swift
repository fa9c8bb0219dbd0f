import BlockIO
import CoreTypes
import Foundation
import TestSupport
import Testing

@testable import DiskImages

/// Bitmaps of disks that get another size, and of those whose bitmaps are switched and merged (4.16).
@Suite struct QCOW2BitmapResizeTests {
    @Test("bitmaps follow the disk to another size as qemu's do (cases 4.16, 4.25)", arguments: [1, 9, 32, 33, 300])
    func bitmapsFollowTheDiskToAnotherSize(_ megabytes: Int) throws {
        let folder = try ScratchFolder("qcow2-bitmap-resize")
        let (path, theirs) = (folder.file("a.qcow2"), folder.file("b.qcow2"))
        try Tool.check("qemu-img", ["create", "-q", "-f", "qcow2", "-o", "cluster_size=4k", path, "32M"])
        for (name, options) in [("on", ["-g", "64k"]), ("off", ["-g", "4k", "--disable"]), ("fine", ["-g", "512"])] {
            try Tool.check("qemu-img", ["bitmap", "--add", "-f", "qcow2"] + options + [path, name])
        }
        try Tool.check("qemu-img", ["bitmap", "--merge", "on", "-f", "qcow2", path, "off"])
        let words = ["-c", "write -P 1 1M 128k", "-c", "write -P 2 20M 1M", "-c", "write -P 3 32704k 64k"]
        try Tool.check("qemu-io", ["-f", "qcow2"] + words + [path])
        try Tool.check("qemu-img", ["bitmap", "--merge", "on", "-f", "qcow2", path, "off"])
        try Tool.check("cp", [path, theirs])
        let size = UInt64(megabytes) << 20
        try DiskImage.resize(path: path, format: .qcow2, to: size, shrink: true)
        try Tool.check("qemu-img", ["resize", "-q", "-f", "qcow2", "--shrink", theirs, String(size)])
        try qemuCheck(path)
        let image = try QCOW2Image.open(file: ImageFile(path: path, access: .readWrite), readOnly: false)
        #expect(try image.bitmaps().map(\.isInconsistent) == [false, false, false])
        #expect(try image.bitmaps().map(\.isEnabled) == [true, false, true])
        for (name, granularity) in [("on", UInt64(65536)), ("off", 4096), ("fine", 512)] {
            let expected = try granulesOfQemu(theirs, name, granularity)
            let own = granules(try image.dirtyRanges(ofBitmap: name), granularity)
            let isEqual = own == expected
            #expect(isEqual, "\(name): \(own.count) granules, \(expected.count) of qemu")
        }
        // It goes on noting, at the new end too.
        try image.store([9], Int(size) - 1)
        try image.close()
        #expect(try granulesOfQemu(path, "on", 65536).contains((size - 1) / 65536))
        #expect(try !granulesOfQemu(path, "off", 4096).contains((size - 1) / 4096) || megabytes == 32)
        let isClean = try ImageUnderKnife([UInt8](Data(contentsOf: URL(fileURLWithPath: path)))).check().isClean
        #expect(isClean)
    }

    @Test("a crash while bitmaps are resized never leaves one that is silently stale (case 4.16)")
    func aCrashDuringAResizeLeavesNoStaleBitmap() throws {
        var random = SeededRandom.printed()
        let store = StoreInMemory()
        try QCOW2Image.create(storage: store, size: 1 << 20, clusterBits: 9)
        let first = try QCOW2Image.open(storage: store, readOnly: false)
        for name in ["a", "b"] { try first.createBitmap(name: name, granularity: 512) }
        try first.setBitmap("b", isEnabled: false)
        try first.store([UInt8](repeating: 1, count: 300_000), 100_000)
        try first.close()
        let start = store.bytes
        store.recording = true
        let image = try QCOW2Image.open(storage: store, readOnly: false)
        var marks = [store.eventCount]
        for size: UInt64 in [3 << 20, 200 << 10, 2 << 20] {
            try image.resize(to: size, preallocation: .off)
            marks.append(store.eventCount)
        }
        try image.close()
        let events = store.events
        for _ in 0..<80 {
            let cut = Int.random(in: 0...events.count, using: &random)
            let crashed = StoreInMemory(StoreInMemory.crashed(start, events[..<cut], &random))
            let again = try QCOW2Image.open(storage: crashed, readOnly: false)
            for bitmap in try again.bitmaps() where !bitmap.isInconsistent {
                let found = granules(try again.dirtyRanges(ofBitmap: bitmap.name), 512)
                let end = min(again.size, 400_000)
                // Only before the first mark or after the last is it consistent.
                #expect(cut <= marks[1] || again.size == 2 << 20, "cut \(cut)")
                if bitmap.name == "a" {
                    let low: UInt64 = again.size == 2 << 20 ? 200 << 10 : end
                    let isThere = found.isSuperset(of: 100_000 / 512...(low - 1) / 512)
                    #expect(isThere, "cut \(cut)")
                }
            }
            try again.close()
            let report = try ImageUnderKnife(crashed.bytes).check()
            #expect(report.corruptions == 0, "cut \(cut): \(report.findings.prefix(3))")
        }
    }

    @Test("a resize that fails leaves bitmaps that tell of it (case 4.20)")
    func aFailedResizeIsNotedInTheBitmaps() throws {
        for failure in 0..<60 {
            let store = StoreInMemory()
            try QCOW2Image.create(storage: store, size: 1 << 20, clusterBits: 9)
            var image = try QCOW2Image.open(storage: store, readOnly: false)
            try image.createBitmap(name: "a", granularity: 512)
            try image.store([UInt8](repeating: 1, count: 1 << 20), 0)
            try image.clearBitmap("a")
            try image.close()
            image = try QCOW2Image.open(storage: store, readOnly: false)
            let before = try image.bytes(0, 1 << 20)
            store.writesLeft = failure
            let failed = code { try image.resize(to: 64 << 10, preallocation: .off) } != nil
            store.writesLeft = nil
            let size = Int(image.size)
            let after = try image.bytes(0, size)
            if let bitmap = try image.bitmaps().first, !bitmap.isInconsistent {
                let noted = granules(try image.dirtyRanges(ofBitmap: "a"), 512)
                for granule in 0..<size / 512 where after[granule * 512] != before[granule * 512] {
                    #expect(noted.contains(UInt64(granule)), "failure \(failure), granule \(granule)")
                }
            }
            try? image.close()
            if !failed { break }
        }
    }

    @Test func bitmapsOfUnknownKindsForbidAnotherSize() throws {
        let store = StoreInMemory()
        try QCOW2Image.create(storage: store, size: 1 << 20, clusterBits: 12)
        let image = try QCOW2Image.open(storage: store, readOnly: false)
        try image.createBitmap(name: "a", granularity: 4096)
        try image.close()
        let header = try QCOW2Image.readHeader(store, fileSize: store.size())
        let place = try #require(header.extensions.bitmapDirectory)
        try store.store([7], at: place.offset + 16)
        let again = try QCOW2Image.open(storage: store, readOnly: false)
        #expect(code { try again.resize(to: 2 << 20, preallocation: .off) } == .unsupported)
        #expect(again.size == 1 << 20)
        try again.deleteBitmap("a")
        // Nor has a disk of no bytes bitmaps: qemu would not open the image.
        try again.createBitmap(name: "c", granularity: 4096)
        #expect(code { try again.resize(to: 0, preallocation: .off) } == .unsupported)
        try again.deleteBitmap("c")
        try again.resize(to: 0, preallocation: .off)
        #expect(code { try again.createBitmap(name: "c", granularity: 4096) } == .unsupported)
        try again.resize(to: 2 << 20, preallocation: .off)
        // A fine bitmap on a disk that grows until its bits would take too much memory.
        try again.createBitmap(name: "b", granularity: 512)
        #expect(code { try again.resize(to: 1 << 40, preallocation: .off) } == .limitExceeded)
        #expect(try again.bitmaps().map(\.isInconsistent) == [false])
        try again.close()
    }

    /// A snapshot brings its own size, for which the bitmaps must be fit as for any other (4.16).
    @Test func aSnapshotWhoseSizeTheBitmapsCannotFollowIsNotApplied() throws {
        let folder = try ScratchFolder("qcow2-bitmap-snapshot")
        let path = folder.file("a.qcow2")
        let store = StoreInMemory()
        try QCOW2Image.create(storage: store, size: 0, clusterBits: 12)
        let image = try QCOW2Image.open(storage: store, readOnly: false)
        try image.createSnapshot(name: "nothing")
        try image.resize(to: 1 << 20, preallocation: .off)
        try image.store([3], 5000)
        try image.createSnapshot(name: "small")
        try image.resize(to: 2 << 20, preallocation: .off)
        try image.createBitmap(name: "a", granularity: 4096)
        try image.store([4], 9000)
        #expect(code { try image.applySnapshot("nothing") } == .unsupported)
        #expect(image.size == 2 << 20)
        #expect(try image.bytes(9000, 1) == [4])
        #expect(try image.dirtyRanges(ofBitmap: "a") == [8192..<12288])
        try image.applySnapshot("small")
        #expect(image.size == 1 << 20)
        #expect(try image.dirtyRanges(ofBitmap: "a") == [0..<1 << 20])
        try image.close()
        try store.save(path)
        try qemuCheck(path)
        let again = try QCOW2Image.open(storage: store, readOnly: false)
        try again.deleteBitmap("a")
        try again.applySnapshot("nothing")
        #expect(again.size == 0)
        try again.close()
        try store.save(path)
        try qemuCheck(path)

        // A bitmap of a kind that is not known would be left with the length of another disk.
        let other = StoreInMemory()
        try QCOW2Image.create(storage: other, size: 1 << 20, clusterBits: 12)
        let first = try QCOW2Image.open(storage: other, readOnly: false)
        try first.createSnapshot(name: "s")
        try first.resize(to: 2 << 20, preallocation: .off)
        try first.createBitmap(name: "b", granularity: 4096)
        try first.close()
        let place = try #require(QCOW2Image.readHeader(other, fileSize: other.size()).extensions.bitmapDirectory)
        try other.store([7], at: place.offset + 16)
        let last = try QCOW2Image.open(storage: other, readOnly: false)
        #expect(code { try last.applySnapshot("s") } == .unsupported)
        #expect(last.size == 2 << 20)
        try last.close()
    }

    /// Who learned the new size early would write where bitmaps note nothing yet, and a failure would take it back.
    @Test(arguments: [CreateOptions.Preallocation.off, .metadata, .full])
    func aGrowingDiskShowsItsNewSizeWhenItsBitmapsHaveIt(_ preallocation: CreateOptions.Preallocation) throws {
        let store = StoreInMemory()
        try QCOW2Image.create(storage: store, size: (1 << 20) - 2048, clusterBits: 12)
        let image = try QCOW2Image.open(storage: store, readOnly: false)
        try image.createBitmap(name: "a", granularity: 4096)
        try image.store([1], (1 << 20) - 2049)
        try image.clearBitmap("a")
        var sizes: Set<UInt64> = []
        store.refuses = { _ in
            sizes.insert(image.size)
            return nil
        }
        try image.resize(to: 3 << 20, preallocation: preallocation)
        store.refuses = nil
        let isOld = sizes == [1_046_528]
        #expect(isOld, "\(sizes)")
        #expect(image.size == 3 << 20)
        #expect(try image.dirtyRanges(ofBitmap: "a") == [])
        try image.store([2], (3 << 20) - 1)
        #expect(try image.dirtyRanges(ofBitmap: "a") == [(3 << 20) - 4096..<3 << 20])
        #expect(try image.bytes((1 << 20) - 2048, 2 << 20).allSatisfy { $0 == 0 })
        try image.close()
        #expect(try ImageUnderKnife(store.bytes).check().isClean)
    }

    /// Every change or barrier of going back to a smaller disk fails in turn.
    @Test("an apply that fails leaves bitmaps that miss nothing (cases 4.16, 4.20)")
    func anApplyThatFailsLeavesBitmapsThatMissNothing() throws {
        let made = StoreInMemory()
        try QCOW2Image.create(storage: made, size: 1 << 20, clusterBits: 12)
        var image = try QCOW2Image.open(storage: made, readOnly: false)
        try image.createBitmap(name: "a", granularity: 4096)
        try image.store([1], 0)
        try image.createSnapshot(name: "small")
        try image.clearBitmap("a")
        try image.resize(to: 2 << 20, preallocation: .off)
        try image.close()
        let start = made.bytes
        var place = 0
        var failures = 0
        while true {
            let store = StoreInMemory(start)
            image = try QCOW2Image.open(storage: store, readOnly: false)
            try image.store([2], 1_500_000)
            try image.flush()
            let fault = OneFault(place)
            store.fault = fault
            let isDone = code { try image.applySnapshot("small") } == nil
            fault.end()
            // The failure may have been the last that this session writes; then the bitmap stays marked as in use.
            try? image.close()
            store.fault = nil
            let again = try QCOW2Image.open(storage: store, readOnly: false)
            if again.size == 2 << 20, try !again.bitmaps()[0].isInconsistent {
                failures += 1
                let noted = try again.dirtyRanges(ofBitmap: "a")
                #expect(noted.contains { $0.contains(1_500_000) }, "\(fault.failed ?? "no fault"): \(noted)")
            }
            try again.close()
            if isDone { break }
            place += 1
        }
        #expect(failures > 3)
    }

    @Test func bitmapsAreSwitchedAndMergedAsQemuSeesThem() throws {
        let folder = try ScratchFolder("qcow2-bitmap-switch")
        let path = folder.file("a.qcow2")
        try DiskImage.create(path: path, format: .qcow2, size: 8 << 20).close()
        var image = try QCOW2Image.open(file: ImageFile(path: path, access: .readWrite), readOnly: false)
        for name in ["on", "off", "sum"] { try image.createBitmap(name: name, granularity: 65536) }
        try image.setBitmap("off", isEnabled: false)
        try image.setBitmap("off", isEnabled: false)
        try image.store([1], 1 << 20)
        #expect(try image.dirtyRanges(ofBitmap: "off") == [])
        try image.close()
        image = try QCOW2Image.open(file: ImageFile(path: path, access: .readWrite), readOnly: false)
        #expect(try image.bitmaps().map(\.isEnabled) == [true, false, true])
        try image.setBitmap("off", isEnabled: true)
        try image.store([2], 3 << 20)
        try image.setBitmap("on", isEnabled: false)
        try image.store([3], 5 << 20)
        try image.clearBitmap("sum")
        for name in ["on", "off"] {
            try image.mergeIntoBitmap("sum", try image.dirtyRanges(ofBitmap: name))
        }
        #expect(code { try image.mergeIntoBitmap("sum", [0..<9 << 20]) } == .outOfRange)
        #expect(code { try image.setBitmap("none", isEnabled: true) } == .notFound)
        try image.close()
        try qemuCheck(path)
        try expectQemuAgrees(path, "on", [16, 48], 65536)
        try expectQemuAgrees(path, "off", [48, 80], 65536)
        try expectQemuAgrees(path, "sum", [16, 48, 80], 65536)
        let info = try Tool.check("qemu-img", ["info", path])
        #expect(!info.contains("in-use"))
    }
}
