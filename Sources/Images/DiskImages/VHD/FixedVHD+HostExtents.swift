import BlockIO
import CoreTypes

extension FixedVHD: HostMappedDevice, PlacingDevice {
    var isLinear: Bool { true }
    var knowsHoles: Bool { true }
    var hostFiles: [ImageFile] { (file as? ImageFile).map { [$0] } ?? [] }

    func appendHostExtents(to extents: inout [HostExtent], at offset: UInt64, length: UInt64) throws(BlockError) {
        try checkRange(offset, length)
        try file.appendHostRuns(to: &extents, at: offset, length: length, limit: 16384)
    }

    func place(
        at offset: UInt64, length: UInt64, put: (ImageFile, UInt64, UInt64) throws(BlockError) -> Void
    ) throws(BlockError) -> UInt64 {
        try checkRange(offset, length)
        guard !isReadOnly, let file = file as? ImageFile else { return 0 }
        try put(file, offset, length)
        return length
    }
}
