import BlockIO
import CoreTypes
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import DiskImages

/// Dynamic images that go on being used after a growth that failed.
@Suite struct VHDFailedGrowthTests {
    private func opened(_ store: StoreInMemory, parent: [UInt8]?) throws -> DynamicVHD {
        let layout = try VHDLayout(file: store)
        return try DynamicVHD(
            file: store, layout: layout, header: #require(layout.header),
            parent: parent.map { MemoryDevice(content: $0) })
    }

    /// Small blocks: the table moves. The parent is longer than the disk.
    @Test(
        "after a growth that failed at any write the disk goes on, and another size is had (case 2.23)",
        // What a parent has is not taken twice: no blocks are made for a child beforehand (VHDResizeTests).
        arguments: [(false, CreateOptions.Preallocation.off), (false, .full), (true, .off)])
    func afterAGrowthThatFailedTheDiskGoesOn(_ withParent: Bool, _ mode: CreateOptions.Preallocation) throws {
        var random = SeededRandom.printed("\(withParent) \(mode)")
        let size = 30 * 4096 - 1024
        let parent = withParent ? random.bytes(40 * 4096).map { $0 | 1 } : nil
        let record = try VHDParent(name: "p", identifier: [UInt8](repeating: 1, count: 16), timestamp: 0)
        let start = StoreInMemory()
        try VHDImage.make(
            file: start, size: UInt64(size), blockSize: 4096, entries: 32, parent: withParent ? record : nil)
        var content = parent.map { Array($0.prefix(size)) } ?? [UInt8](repeating: 0, count: size)
        let first = try opened(start, parent: parent)
        for block in [29, 3, 0, 17] {
            let bytes = random.bytes(2000)
            try first.store(bytes, block * 4096 + 512)
            content.replaceSubrange(block * 4096 + 512..<block * 4096 + 2512, with: bytes)
        }
        try first.close()
        var writes = 0
        var hasFailed = true
        while hasFailed {
            let store = StoreInMemory(start.bytes)
            let device = try opened(store, parent: parent)
            // What is asked for is more than the table has room for, then less; or both times there is room.
            let sizes = writes % 2 == 0 ? (300, 34) : (32, 31)
            store.writesLeft = writes
            do throws(BlockError) {
                try device.resize(to: UInt64(sizes.0 * 4096), preallocation: mode)
                hasFailed = sizes.0 == 32
            } catch {
                guard error.code == .noSpace else { throw error }
            }
            store.writesLeft = nil
            var expected = content
            if device.size != UInt64(size) {
                writes += 1
                continue
            }
            // New blocks beside old ones.
            for block in [20, 4] {
                try device.store([9, 9], block * 4096 + 1000)
                expected.replaceSubrange(block * 4096 + 1000..<block * 4096 + 1002, with: [9, 9])
            }
            let isKept = try device.bytes(0, size) == expected
            #expect(isKept, "after \(writes) writes")
            let next = sizes.1 * 4096
            try device.resize(to: UInt64(next), preallocation: .off)
            expected += [UInt8](repeating: 0, count: next - size)
            let isGrown = try device.bytes(0, next) == expected
            #expect(isGrown, "after \(writes) writes")
            try device.close()
            let isWhole = try opened(store, parent: parent).bytes(0, next) == expected
            #expect(isWhole, "after \(writes) writes")
            let report = try VHDImage.check(file: store, repair: nil, cancellation: CancellationFlag())
            // Space that the failed growth has taken may be nobody's now.
            #expect(report.corruptions == 0, "after \(writes) writes: \(report.findings.prefix(3))")
            writes += 1
        }
        #expect(writes > 8)
    }

    /// Blocks of 2 MiB are copied in parts: what the first part left is in no later block.
    @Test("what a move that failed left behind shows nowhere (case 2.23)", arguments: [false, true])
    func whatAMoveThatFailedLeftShowsNowhere(_ withParent: Bool) throws {
        var random = SeededRandom.printed()
        let block = 2 << 20
        let record = try VHDParent(name: "p", identifier: [UInt8](repeating: 1, count: 16), timestamp: 0)
        let parent = withParent ? [UInt8](repeating: 5, count: 3 * block) : nil
        let start = StoreInMemory()
        try VHDImage.make(
            file: start, size: UInt64(3 * block), blockSize: UInt64(block), entries: 3,
            parent: withParent ? record : nil)
        let first = try opened(start, parent: parent)
        let data = [UInt8](repeating: UInt8.random(in: 1...4, using: &random), count: block)
        try first.store(data, 0)
        try first.close()
        let background: UInt8 = withParent ? 5 : 0
        var cuts = 0
        for refused in [1, 2] {
            let store = StoreInMemory(start.bytes)
            let device = try opened(store, parent: parent)
            // Large writes are those of the copy.
            let seen = Mutex(0)
            store.refuses = { range in
                if range.count < 256 << 10 { return nil }
                let number = seen.withLock { count in
                    count += 1
                    return count
                }
                return number == refused + 1 ? ENOSPC : nil
            }
            do throws(BlockError) {
                try device.resize(to: UInt64(2000 * block), preallocation: .off)
            } catch { cuts += 1 }
            store.refuses = nil
            try device.store([8], block + 100)
            var expected = [UInt8](repeating: background, count: block)
            expected[100] = 8
            let isAlone = try device.bytes(block, block) == expected
            #expect(isAlone, "\(refused)")
            let isKept = try device.bytes(0, block) == data
            #expect(isKept, "\(refused)")
            try device.close()
            let again = try opened(store, parent: parent)
            let isStill = try again.bytes(block, block) == expected
            #expect(isStill, "\(refused)")
        }
        #expect(cuts > 0)
    }

    /// A request that has looked a block up is through before the block goes.
    @Test func aSmallerSizeWaitsForRequests() throws {
        let store = StoreInMemory()
        try VHDImage.make(file: store, size: 32 * 4096, blockSize: 4096, entries: 32)
        let device = try opened(store, parent: nil)
        try device.store([1], 31 * 4096)
        try device.flush()
        let isDone = Atomic<Bool>(false)
        let hasBegun = Atomic<Bool>(false)
        let isTooSoon = Atomic<Bool>(false)
        store.refuses = { range in
            // The write of the disk's data, in flight: somebody makes the disk smaller meanwhile.
            guard range.count == 1024, !hasBegun.exchange(true, ordering: .relaxed) else { return nil }
            let thread = Thread {
                try? device.resize(to: 4 * 4096, preallocation: .off)
                isDone.store(true, ordering: .releasing)
            }
            thread.start()
            while !isDone.load(ordering: .acquiring), !device.isAwaitingQuiet.load(ordering: .acquiring) {
                sched_yield()
            }
            isTooSoon.store(isDone.load(ordering: .acquiring), ordering: .relaxed)
            return nil
        }
        try device.store([UInt8](repeating: 3, count: 1024), 31 * 4096)
        while !isDone.load(ordering: .acquiring) { sched_yield() }
        #expect(hasBegun.load(ordering: .relaxed) && !isTooSoon.load(ordering: .relaxed))
        #expect(device.size == 4 * 4096)
        try device.close()
    }
}
