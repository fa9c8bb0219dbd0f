import BlockIO
import Synchronization
import Testing

@Suite struct HostExtentWalkTests {
    /// A disk of exabytes that knows no places, with a byte of data each `step`.
    private final class Claim: BlockDevice {
        let size: UInt64 = 1 << 62
        let step: UInt64
        let asked = Atomic<Int>(0)

        init(step: UInt64) { self.step = step }

        var isReadOnly: Bool { true }
        var preferredAlignment: UInt64 { 512 }
        func appendExtents(to extents: inout [Extent], at offset: UInt64, length: UInt64) throws(BlockError) {
            guard asked.add(1, ordering: .relaxed).newValue < 10_000 else {
                throw BlockError(.limitExceeded, "asked too often")
            }
            let within = offset % step
            let kind: Extent.Kind = within < 512 ? .data : .hole
            let end = min(offset - within + (within < 512 ? 512 : step), offset + length)
            extents.append(Extent(offset: offset, length: end - offset, kind: kind))
        }
        func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {}
        func write(_ data: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {}
        func writeZeroes(at offset: UInt64, length: UInt64, mayUnmap: Bool) throws(BlockError) {}
        func discard(at offset: UInt64, length: UInt64) throws(BlockError) {}
        func flush() throws(BlockError) {}
        func close() throws(BlockError) {}
    }

    @Test func aWalkCostsWhatThereIsAndNotWhatADiskClaims() throws {
        for (step, pieces) in [(1 << 62, 1), (1 << 57, 32)] as [(UInt64, Int)] {
            let device = Claim(step: step)
            var walk = HostExtentWalk(device)
            var (data, position) = (0, UInt64(0))
            while let extent = try walk.next() {
                #expect(extent.offset == position)
                position = extent.end
                if extent.kind == .data { data += 1 }
            }
            #expect(position == device.size && data == pieces)
        }
    }
}
