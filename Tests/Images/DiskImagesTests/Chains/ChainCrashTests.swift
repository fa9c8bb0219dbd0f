import BlockIO
import CoreTypes
import Foundation
import TestSupport
import Testing

@testable import DiskImages

/// Chain operations that are cut off: whatever is left opens, and doing them again gives what they were to give.
@Suite struct ChainCrashTests {
    /// 2.22, 4.23.
    @Test("a commit that was cut off is finished by another (cases 2.22, 4.23)", arguments: [ImageFormat.qcow2, .vhd])
    func aCommitThatWasCutOffIsFinishedByAnother(_ format: ImageFormat) throws {
        var random = SeededRandom.printed("\(#function) \(format)")
        let size = 1 << 20
        func open(_ store: StoreInMemory) throws -> any BlockDevice {
            format == .vhd
                ? try VHDImage.open(file: store, readOnly: false)
                : try QCOW2Image.open(storage: store, readOnly: false)
        }
        let store = StoreInMemory()
        if format == .vhd {
            try VHDImage.create(file: store, size: UInt64(size))
        } else {
            try QCOW2Image.create(storage: store, size: UInt64(size), clusterBits: 12)
        }
        var parent = try open(store)
        let base = random.bytes(400_000)
        try parent.store(base, 100_000)
        try parent.close()

        let childStore = StoreInMemory()
        try QCOW2Image.create(storage: childStore, size: UInt64(size), clusterBits: 12)
        let child = try QCOW2Image.open(storage: childStore, readOnly: false)
        var model = [UInt8](repeating: 0, count: size)
        model.replaceSubrange(100_000..<500_000, with: base)
        for step in 0..<12 {
            let start = Int.random(in: 0..<200, using: &random) * 4096
            let count = min(size - start, Int.random(in: 1...20, using: &random) * 4096)
            let value = step % 4 == 3 ? 0 : UInt8(step + 1)
            try child.store([UInt8](repeating: value, count: count), start)
            if value == 0 { try child.writeZeroes(at: UInt64(start), length: UInt64(count), mayUnmap: true) }
            model.replaceSubrange(start..<start + count, with: repeatElement(value, count: count))
        }
        let before = store.bytes
        store.recording = true
        parent = try open(store)
        let copier = ChainCopier(progress: ProgressCounter(), cancellation: CancellationFlag())
        try copier.commit(child, into: parent)
        try parent.close()
        let events = store.events
        for number in 0..<40 {
            let cut = number == 0 ? events.count : Int.random(in: 0...events.count, using: &random)
            let crashed = StoreInMemory(StoreInMemory.crashed(before, events[..<cut], &random))
            parent = try open(crashed)
            try copier.commit(child, into: parent)
            let isEqual = try parent.bytes(0, size) == model
            #expect(isEqual, "cut before \(cut) of \(events.count)")
            try parent.close()
        }
        try child.close()
    }

    @Test(arguments: [10, 16])
    func theBackingFileChangesInOneStep(_ clusterBits: Int) throws {
        var random = SeededRandom.printed("\(#function) \(clusterBits)")
        let store = StoreInMemory()
        try QCOW2Image.create(storage: store, size: 1 << 20, clusterBits: clusterBits)
        let names = [nil, "a", String(repeating: "folder/", count: 20) + "b", "c.vhd", nil, "dd"]
        var current: (name: String?, format: String?) = (nil, nil)
        for name in names {
            let format = ParentFormat.image(name == "c.vhd" ? .vhd : .qcow2)
            let before = store.bytes
            let first = store.eventCount
            store.recording = true
            try QCOW2Image.replaceParent(storage: store, name: name, format: name == nil ? nil : format)
            let events = store.events
            let new = (name: name, format: name == nil ? nil : (format == .image(.vhd) ? "vpc" : "qcow2"))
            for _ in 0..<30 {
                let cut = Int.random(in: first...events.count, using: &random)
                let crashed = StoreInMemory(StoreInMemory.crashed(before, events[first..<cut], &random))
                let header = try QCOW2Image.readHeader(crashed, fileSize: crashed.size())
                let found = (name: header.backingName, format: header.extensions.backingFormat)
                let isOneOfThem = found == current || found == new
                #expect(isOneOfThem, "\(found) between \(current) and \(new)")
            }
            current = new
            let header = try QCOW2Image.readHeader(store, fileSize: store.size())
            #expect(header.backingName == new.name && header.extensions.backingFormat == new.format)
        }
    }

    @Test func emptyingAnImageLeavesEverythingOrNothing() throws {
        var random = SeededRandom.printed()
        let store = StoreInMemory()
        try QCOW2Image.create(storage: store, size: 1 << 20, clusterBits: 12)
        let image = try QCOW2Image.open(storage: store, readOnly: false)
        let content = random.bytes(300_000)
        try image.store(content, 50_000)
        try image.createSnapshot(name: "kept")
        try image.store([1], 0)
        try image.close()
        let before = store.bytes
        store.recording = true
        let again = try QCOW2Image.open(storage: store, readOnly: false)
        try again.removeContent()
        #expect(try again.extents(at: 0, length: 1 << 20).map(\.kind) == [.hole])
        try again.close()
        let folder = try ScratchFolder("empty")
        try store.save(folder.file("a.qcow2"))
        try qemuCheck(folder.file("a.qcow2"))
        for _ in 0..<40 {
            let cut = Int.random(in: 0...store.events.count, using: &random)
            let crashed = StoreInMemory(StoreInMemory.crashed(before, store.events[..<cut], &random))
            let device = try QCOW2Image.open(storage: crashed, readOnly: false)
            let first = try device.bytes(0, 1)
            let rest = try device.bytes(50_000, 300_000)
            #expect((first == [1] && rest == content) || (first == [0] && rest.allSatisfy { $0 == 0 }))
            let view = try device.openSnapshot("kept")
            let isKept = try view.bytes(50_000, 300_000) == content
            #expect(isKept)
            try view.close()
        }
    }
}
