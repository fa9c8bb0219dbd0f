import BlockIO
import CoreTypes
import TestSupport
import Testing

@testable import DiskImages

/// Every write of dynamic and differencing images, cut and reordered between barriers: cases 2.12 of the order of
/// updates and 1.13 of the test vectors. What was flushed stays, the rest is old or new, the check is clean.
@Suite struct VHDRecordedCrashTests {
    private func opened(_ store: any ImageStorage, _ parent: [UInt8]?) throws -> DynamicVHD {
        let layout = try VHDLayout(file: store)
        return try DynamicVHD(
            file: store, layout: layout, header: #require(layout.header),
            parent: parent.map { MemoryDevice(content: $0) })
    }

    private func image(_ store: any ImageStorage, blockSize: UInt64, parent: [UInt8]?) throws {
        let record = try VHDParent(name: "p", identifier: [UInt8](repeating: 9, count: 16), timestamp: 0)
        try VHDImage.make(
            file: store, size: 24 * 8192, blockSize: blockSize, parent: parent == nil ? nil : record)
    }

    @Test(arguments: [8192, 2048, 65536] as [UInt64], [false, true])
    func whatWasFlushedStays(blockSize: UInt64, withParent: Bool) throws {
        var random = SeededRandom.printed()
        let size = 24 * 8192
        let parent = withParent ? random.bytes(size - 4096) : nil
        let store = StoreInMemory()
        try image(store, blockSize: blockSize, parent: parent)
        let start = store.bytes
        store.recording = true
        let device = try opened(store, parent)
        var model = (parent ?? []) + [UInt8](repeating: 0, count: size - (parent?.count ?? 0))
        // Of each sector, the contents it had since the last flush that was complete at an event.
        var states: [(event: Int, content: [UInt8])] = [(0, model)]
        var flushes: [(event: Int, state: Int)] = [(0, 0)]
        for _ in 0..<30 {
            let length = [512, 700, 3000, 9000].randomElement(using: &random) ?? 1
            let offset =
                Int.random(in: 0...size - length, using: &random) / (length == 512 ? 512 : 1)
                * (length == 512 ? 512 : 1)
            switch Int.random(in: 0..<8, using: &random) {
            case 0:
                try device.writeZeroes(at: UInt64(offset), length: UInt64(length), mayUnmap: true)
                model.replaceSubrange(offset..<offset + length, with: [UInt8](repeating: 0, count: length))
            case 1:
                try device.flush()
                flushes.append((store.eventCount, states.count - 1))
                continue
            default:
                let bytes = random.bytes(length)
                try device.store(bytes, offset)
                model.replaceSubrange(offset..<offset + length, with: bytes)
            }
            states.append((store.eventCount, model))
        }
        try device.close()
        flushes.append((store.eventCount, states.count - 1))
        for _ in 0..<24 {
            let cut = Int.random(in: 0...store.events.count, using: &random)
            let bytes = StoreInMemory.crashed(start, store.events[..<cut], &random)
            let after = StoreInMemory(bytes)
            let report = try VHDImage.check(
                file: StoreInMemory(bytes, readOnly: true), repair: nil, cancellation: CancellationFlag())
            #expect(report.corruptions == 0, "after event \(cut): \(report.findings)")
            let device = try opened(after, parent)
            let read = try device.bytes(0, size)
            let first = flushes.last { $0.event <= cut }?.state ?? 0
            let last = states.firstIndex { $0.event >= cut } ?? states.count - 1
            for sector in stride(from: 0, to: size, by: 512) {
                let piece = read[sector..<sector + 512]
                let window = states[first...max(first, last)]
                if window.contains(where: { $0.content[sector..<sector + 512] == piece }) { continue }
                // Parts of one sector that were written apart may each be there or not.
                let isKnown = (sector..<sector + 512).allSatisfy { at in
                    window.contains { $0.content[at] == read[at] }
                }
                if !isKnown {
                    Issue.record("sector \(sector / 512) holds neither old nor new bytes after event \(cut)")
                    break
                }
            }
            // It goes on from there.
            try device.store([0x5A], 4097)
            try device.close()
            var expected = read
            expected[4097] = 0x5A
            #expect(try opened(after, parent).bytes(0, size) == expected)
            #expect(try VHDImage.check(file: after, repair: nil, cancellation: CancellationFlag()).isClean)
        }
    }

    /// A full disk or a failing barrier is an error, and what was there before is there after.
    @Test(arguments: [false, true])
    func failingWritesLoseNothing(withParent: Bool) throws {
        var random = SeededRandom.printed()
        let size = 24 * 8192
        let parent = withParent ? random.bytes(size) : nil
        for limit in 0..<24 {
            let store = StoreInMemory()
            try image(store, blockSize: 8192, parent: parent)
            let device = try opened(store, parent)
            try device.store([UInt8](repeating: 1, count: 5000), 100)
            try device.flush()
            store.writesLeft = limit
            var failures = 0
            for block in 1..<9 {
                do { try device.store([UInt8](repeating: 2, count: 3000), block * 8192) } catch { failures += 1 }
                if block % 3 == 0 { do { try device.flush() } catch { failures += 1 } }
            }
            #expect(failures > 0 || limit > 16)
            store.writesLeft = nil
            try device.store([3], 12 * 8192)
            try device.close()
            let again = try opened(StoreInMemory(store.bytes), parent)
            #expect(try again.bytes(100, 5000).allSatisfy { $0 == 1 } && again.bytes(12 * 8192, 1) == [3])
            for block in 1..<9 {
                let read = try again.bytes(block * 8192, 8192)
                let old =
                    parent.map { Array($0[block * 8192..<(block + 1) * 8192]) } ?? [UInt8](repeating: 0, count: 8192)
                #expect(Array(read[3072...]) == Array(old[3072...]))
            }
            let report = try VHDImage.check(
                file: StoreInMemory(store.bytes), repair: nil, cancellation: CancellationFlag())
            #expect(report.isClean, "\(report.findings)")
        }
    }

    /// Case 2.19: on a device the footer stays in the last sector, and old bytes of the device never show.
    @Test("devices keep the footer at their end (case 2.19)", arguments: [false, true])
    func devicesKeepTheFooterAtTheirEnd(withParent: Bool) throws {
        var random = SeededRandom.printed()
        let size = 24 * 8192
        let parent = withParent ? random.bytes(size) : nil
        let device = DeviceInMemory([UInt8](repeating: 0xDD, count: 8192 * 30))
        let store = StoreInMemory()
        try image(store, blockSize: 8192, parent: parent)
        try device.store(Array(store.bytes.dropLast(512)), at: 0)
        try device.store(Array(store.bytes.suffix(512)), at: 8192 * 30 - 512)
        let image = try opened(device, parent)
        var model = parent ?? [UInt8](repeating: 0, count: size)
        for offset in [5000, 60000, 100_000] {
            let bytes = random.bytes(700)
            try image.store(bytes, offset)
            model.replaceSubrange(offset..<offset + 700, with: bytes)
        }
        #expect(try image.bytes(0, size) == model)
        try image.resize(to: UInt64(size) + 8192, preallocation: .off)
        try image.close()
        let again = try opened(device, parent)
        #expect(try again.bytes(0, size + 8192) == model + [UInt8](repeating: 0, count: 8192))
        let layout = try VHDLayout(file: device)
        #expect(layout.footersAgree && layout.hasTail && layout.notes.isEmpty)
        let report = try VHDImage.check(file: device, repair: .all, cancellation: CancellationFlag())
        #expect(report.isClean && report.findings.isEmpty, "\(report.findings)")
        // No room left: an error, and nothing lost.
        #expect(code { for block in 0..<24 { try again.store([1], block * 8192) } } == .noSpace)
        try again.flush()
        #expect(try opened(device, parent).bytes(5000, 700) == Array(model[5000..<5700]))
    }
}

/// A block device: fixed in length, full of old bytes.
final class DeviceInMemory: ImageStorage {
    private let store: StoreInMemory
    private let length: UInt64
    var path: String { "device" }
    var isReadOnly: Bool { false }
    var isBlockDevice: Bool { true }

    init(_ content: [UInt8]) {
        store = StoreInMemory(content)
        length = UInt64(content.count)
    }

    private func check(_ offset: UInt64, _ count: UInt64) throws(BlockError) {
        if offset + count > length { throw BlockError(.noSpace, "past the end of the device", offset: offset) }
    }

    func size() throws(BlockError) -> UInt64 { length }
    func allocatedSize() throws(BlockError) -> UInt64 { length }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try unsafe store.read(into: buffer, at: offset)
    }

    func readExactly(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try unsafe store.readExactly(into: buffer, at: offset)
    }

    func write(_ data: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try check(offset, UInt64(data.count))
        try unsafe store.write(data, at: offset)
    }

    func writeZeroes(at offset: UInt64, length: UInt64) throws(BlockError) {
        try check(offset, length)
        try store.writeZeroes(at: offset, length: length)
    }

    func zero(at offset: UInt64, length: UInt64, mayUnmap: Bool) throws(BlockError) {
        try writeZeroes(at: offset, length: length)
    }

    func punch(at offset: UInt64, length: UInt64) throws(BlockError) -> Bool { false }
    func preallocate(at offset: UInt64, length: UInt64) throws(BlockError) -> Bool { false }
    func truncate(to length: UInt64) throws(BlockError) { throw BlockError(.io, "a device has one length") }
    func run(at offset: UInt64, end: UInt64) throws(BlockError) -> (isData: Bool, end: UInt64) { (true, end) }
    func sync() throws(BlockError) { try store.sync() }
    func close() {}
}
