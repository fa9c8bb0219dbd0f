import CoreTypes

/// The virtual sizes that an SR offers for a format, bytes. VHD and its 2040 GiB: the 32-bit sector numbers of its block
/// table with room for bitmaps; qcow2 in 64 KiB clusters, held to 16 TiB.
struct FormatLimits {
    let minimum: UInt64
    let maximum: UInt64
    let unit: UInt64

    static func of(_ format: ImageFormat) -> FormatLimits {
        switch format {
        case .raw: FormatLimits(minimum: 512, maximum: 8 << 40, unit: 512)
        case .vhd: FormatLimits(minimum: 2 << 20, maximum: 2040 << 30, unit: 2 << 20)
        case .qcow2: FormatLimits(minimum: 65536, maximum: 16 << 40, unit: 65536)
        }
    }
}
