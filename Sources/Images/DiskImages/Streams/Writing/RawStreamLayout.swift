import BlockIO
import CoreTypes

/// The disk byte for byte. Holes are written without reading them.
struct RawStreamLayout: StreamLayout {
    let length: UInt64

    init(size: UInt64) { length = size }

    func write(_ device: any BlockDevice, to output: StreamOutput) throws(BlockError) {
        let start = output.position
        let units = StoredUnits(device: device, dropsZeroes: false, cancellation: output.cancellation)
        try units.forEachData { (extent) throws(BlockError) in
            try output.pad(0, to: start + extent.offset)
            try output.append(device, at: extent.offset, length: extent.length)
        }
        try output.pad(0, to: start + length)
    }
}

/// The disk byte for byte and a footer behind it.
struct FixedVHDStreamLayout: StreamLayout {
    private let data: RawStreamLayout
    private let footer: VHDFooter
    var length: UInt64 { data.length + UInt64(VHDFooter.size) }

    init(size: UInt64) throws(BlockError) {
        guard size <= FormatCapabilities.largestVHD else {
            throw FormatCapabilities.tooLarge(size, .vhd, limit: FormatCapabilities.largestVHD)
        }
        data = RawStreamLayout(size: size)
        footer = VHDFooter(new: .fixed, size: size)
    }

    func write(_ device: any BlockDevice, to output: StreamOutput) throws(BlockError) {
        try data.write(device, to: output)
        try output.append(footer.bytes)
    }
}
