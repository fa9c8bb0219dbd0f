import BlockIO
import CoreTypes
import TestSupport
import Testing

@testable import DiskImages

/// Differencing images: content. Case 2.14 of the test vectors, and 1.3, 1.9, 1.10 for chains.
@Suite struct VHDChainTests {
    enum Base: String, CaseIterable, Sendable {
        case dynamic, fixed, smallBlocks, raw
    }

    private func base(_ kind: Base, size: UInt64, _ random: inout SeededRandom) throws -> VHDChain {
        var chain = try VHDChain()
        let path = chain.folder.file("base")
        var format = ImageFormat.vhd
        switch kind {
        case .dynamic: try DiskImage.create(path: path, format: .vhd, size: size).close()
        case .fixed:
            try DiskImage.create(
                path: path, format: .vhd, size: size, options: CreateOptions(vhdSubformat: .fixed)
            ).close()
        case .smallBlocks:
            let file = try ImageFile(path: path, access: .create)
            try VHDImage.make(file: file, size: size, blockSize: 512 << 10)
            file.close()
        case .raw:
            format = .raw
            try DiskImage.create(path: path, format: .raw, size: size).close()
        }
        try chain.add("base", format, size: size)
        try chain.exercise(12, &random)
        return chain
    }

    @Test(
        "chains of three resolve each sector for itself (case 2.14)",
        arguments: Base.allCases,
        [(7 << 20, 7 << 20), (5 << 20, (7 << 20) + 512), ((9 << 20) + 1024, (6 << 20) + 512)] as [(UInt64, UInt64)])
    func chainsOfThreeResolveEachSectorForItself(base kind: Base, sizes: (parent: UInt64, child: UInt64)) throws {
        var random = SeededRandom.printed()
        var chain = try base(kind, size: sizes.parent, &random)
        try chain.addChild("middle", size: sizes.child, blockSize: Bool.random(using: &random) ? 512 << 10 : nil)
        try chain.exercise(18, &random)
        try chain.addChild("top", size: sizes.child)
        try chain.exercise(25, &random)

        let device = try chain.open(readOnly: true)
        let size = Int(device.size)
        // What the map says is stored in the top image is what it holds by itself.
        let own = try DiskImage.open(
            path: chain.references[2].path, format: .vhd, readOnly: true, policy: OpenPolicy(parents: .ignored))
        let depths = try device.extents(at: 0, length: device.size)
        let alone = try own.extents(at: 0, length: own.size)
        #expect(depths.filter { $0.depth == 0 && $0.kind != .hole } == alone.filter { $0.kind != .hole })
        #expect(depths.allSatisfy { $0.depth <= 2 })
        try own.close()
        let ours = try device.bytes(at: 0, count: size)
        try device.close()
        #expect(try ours == chain.model.bytes(at: 0, count: size))
    }

    /// libvhdi takes the bits of eight sectors as one, which is right for images whose writers keep to 4 KiB.
    @Test(arguments: [Base.dynamic, .fixed, .smallBlocks])
    func libvhdiReadsTheSame(base kind: Base) throws {
        var random = SeededRandom.printed()
        var chain = try base(kind, size: 6 << 20, &random)
        for (name, blockSize) in [("middle", 512 << 10 as UInt64), ("upper", nil), ("top", nil)] {
            try chain.addChild(name, size: 6 << 20, blockSize: blockSize)
            let device = try chain.open()
            for _ in 0..<12 {
                let length = Int.random(in: 1...40, using: &random) * 4096
                let offset = UInt64.random(in: 0...((6 << 20) - UInt64(length)) / 4096, using: &random) * 4096
                if Int.random(in: 0..<4, using: &random) == 0 {
                    try device.writeZeroes(at: offset, length: UInt64(length), mayUnmap: true)
                    try chain.model.writeZeroes(at: offset, length: UInt64(length), mayUnmap: true)
                } else {
                    let bytes = random.bytes(length)
                    try device.store(bytes, at: offset)
                    try chain.model.store(bytes, at: offset)
                }
            }
            try device.close()
            #expect(try chain.contentByLibvhdi() == chain.model.bytes(at: 0, count: 6 << 20))
        }
        let report = try Tool.check("vhdiinfo", [chain.references[3].path])
        #expect(report.contains("ifferential") && report.contains("upper"), "\(report)")
    }

    /// Partial sectors are completed from the parent, whoever writes beside them at the same time.
    @Test func writersOfOneSectorLoseNothing() throws {
        var random = SeededRandom.printed()
        var chain = try base(.dynamic, size: 4 << 20, &random)
        try chain.addChild("top", size: 4 << 20)
        let device = try chain.open()
        var expected = try chain.model.bytes(at: 0, count: 4 << 20)
        let threads = (0..<4).map { number in
            WorkerThread("writer \(number)") {
                for step in 0..<64 {
                    let offset = UInt64(step) * 1536 + UInt64(number) * 100 + (1 << 20)
                    do { try device.store([UInt8](repeating: UInt8(number + 1), count: 100), at: offset) } catch {
                        Issue.record(error)
                    }
                }
            }
        }
        for thread in threads { thread.join() }
        for step in 0..<64 {
            for number in 0..<4 {
                let offset = step * 1536 + number * 100 + (1 << 20)
                expected.replaceSubrange(offset..<offset + 100, with: [UInt8](repeating: UInt8(number + 1), count: 100))
            }
        }
        #expect(try device.bytes(at: 0, count: 4 << 20) == expected)
        try device.close()
        let again = try chain.open(readOnly: true)
        #expect(try again.bytes(at: 0, count: 4 << 20) == expected)
        try again.close()
    }

    /// Blocks that are partly present in many places at once: their bitmaps come and go, and requests of many threads
    /// with them.
    @Test func manyPartlyWrittenBlocksNeedLittleMemory() throws {
        let blocks = 12_000
        let store = StoreInMemory()
        let record = try VHDParent(name: "p", identifier: [UInt8](repeating: 1, count: 16), timestamp: 0)
        try VHDImage.make(file: store, size: UInt64(blocks) * 1024, blockSize: 1024, parent: record)
        func open() throws -> DynamicVHD {
            let layout = try VHDLayout(file: store)
            return try DynamicVHD(
                file: store, layout: layout, header: #require(layout.header),
                parent: MemoryDevice(content: [UInt8](repeating: 0xAA, count: blocks * 1024)))
        }
        let device = try open()
        let threads = (0..<3).map { number in
            WorkerThread("writer \(number)") {
                do {
                    // Each block is met by one thread for its first half, by another for two bytes of its second.
                    for block in stride(from: number, to: blocks, by: 3) {
                        try device.store([UInt8](repeating: 1, count: 512), block * 1024)
                        let other = (block + 6001) % blocks
                        if other % 7 == 0 { try device.store([2, 3], other * 1024 + 700) }
                        if block % 500 == 0 { try device.flush() }
                        #expect(try device.bytes(block * 1024, 2) == [1, 1])
                    }
                } catch { Issue.record(error) }
            }
        }
        for thread in threads { thread.join() }
        #expect(device.bitmaps.count <= 4096 + 4096 + 16)
        try device.close()
        let again = try open()
        for block in 0..<blocks {
            var expected = [UInt8](repeating: 1, count: 512) + [UInt8](repeating: 0xAA, count: 512)
            if block % 7 == 0 { expected.replaceSubrange(700..<702, with: [2, 3]) }
            guard try again.bytes(block * 1024, 1024) == expected else {
                Issue.record("block \(block) is wrong")
                return
            }
        }
        #expect(again.bitmaps.count <= 4096)
    }

    /// Exactly the sectors written are the child's; zeroes hide the parent's data and cost nothing where it has none.
    @Test func aChildHoldsExactlyWhatWasWritten() throws {
        var chain = try VHDChain()
        let path = chain.folder.file("base")
        let parent = try DiskImage.create(path: path, format: .vhd, size: 8 << 20)
        try parent.store([UInt8](repeating: 7, count: 65536), at: 0)
        try parent.close()
        try chain.add("base", .vhd, size: 8 << 20)
        try chain.addChild("top", size: 8 << 20)
        let device = try chain.open()
        try device.writeZeroes(at: 6 << 20, length: 2 << 20, mayUnmap: true)
        try device.writeZeroes(at: 100_000, length: 7, mayUnmap: true)
        #expect(!device.hasVolatileMetadata)
        try device.store([1], at: 511)
        #expect(device.hasVolatileMetadata)
        try device.writeZeroes(at: 4096, length: 5000, mayUnmap: true)
        try device.discard(at: 16384, length: 4096)
        try device.flush()
        #expect(!device.hasVolatileMetadata)
        let own = try device.extents(at: 0, length: 8 << 20).filter { $0.depth == 0 && $0.kind != .hole }
        #expect(own.reduce(0) { $0 + $1.length } == 512 + 5120)
        #expect(own.allSatisfy { $0.end <= 512 || ($0.offset >= 4096 && $0.end <= 9216) })
        var expected = [UInt8](repeating: 7, count: 65536)
        expected[511] = 1
        expected.replaceSubrange(4096..<9096, with: [UInt8](repeating: 0, count: 5000))
        #expect(try device.bytes(at: 0, count: 65536) == expected)
        try device.close()
        // Two sectors' worth of bits, most significant first, and no full block in the map.
        let bytes = try content(chain.folder.file("top"))
        let start = Int(BigEndianBytes(bytes).u32(1536)) * 512
        #expect(Array(bytes[start..<start + 4]) == [0b1000_0000, 0xFF, 0b1100_0000, 0] && bytes[2560] == 0)
    }
}
