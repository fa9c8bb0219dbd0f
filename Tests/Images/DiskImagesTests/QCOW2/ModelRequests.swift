import BlockIO
import TestSupport
import Testing

@testable import DiskImages

/// Requests to an image and, at once, to the model of what it holds.
extension QCOW2Image {
    func storeRandom(_ range: Range<Int>, _ model: GrowingBytes, _ random: inout SeededRandom) throws {
        var content = random.bytes(min(range.count, 512))
        while content.count < range.count { content += content.prefix(range.count - content.count) }
        try store(content, range.lowerBound)
        model.write(content, at: range.lowerBound)
    }

    func zero(_ range: Range<Int>, _ model: GrowingBytes, _ random: inout SeededRandom) throws {
        try writeZeroes(
            at: UInt64(range.lowerBound), length: UInt64(range.count), mayUnmap: Bool.random(using: &random))
        model.write([UInt8](repeating: 0, count: range.count), at: range.lowerBound)
    }

    /// What was discarded is as it was or zero; the model has then what the image shows.
    func discard(_ range: Range<Int>, _ model: GrowingBytes) throws {
        try discard(at: UInt64(range.lowerBound), length: UInt64(range.count))
        let now = try bytes(range.lowerBound, range.count)
        let before = model.slice(range)
        let isHonest = now == before || zip(now, before).allSatisfy { $0 == 0 || $0 == $1 }
        #expect(isHonest, "discard invented data in \(range)")
        model.write(now, at: range.lowerBound)
    }

    /// The extents cover the disk in order, and what they call empty is.
    func expectTrueExtents(_ model: GrowingBytes) throws {
        var position: UInt64 = 0
        for extent in try extents(at: 0, length: size) {
            #expect(extent.offset == position)
            position = extent.end
            #expect(extent.depth <= (parent == nil ? 0 : 1))
            if extent.kind != .data {
                let isEmpty = model.isZero(Int(extent.offset)..<Int(extent.end))
                #expect(isEmpty, "an extent called \(extent.kind) holds data")
            }
        }
        #expect(position == size)
    }
}

extension SeededRandom {
    /// A part of a disk: small or of some clusters, a third of them whole ones.
    mutating func range(in size: Int, cluster: Int) -> Range<Int> {
        let most = min(size, Bool.random(using: &self) ? 3 * cluster + 700 : 64 * 1024)
        var start = Int.random(in: 0..<size, using: &self)
        var count = Int.random(in: 1...most, using: &self)
        if Int.random(in: 0..<3, using: &self) == 0 {
            start = start / cluster * cluster
            count = (count + cluster - 1) / cluster * cluster
        }
        return start..<min(size, start + count)
    }
}
