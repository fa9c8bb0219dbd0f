import CoreTypes
import StorageInterface

/// The virtual sizes that an SR offers for a format, bytes. VHD and its 2040 GiB: the 32-bit sector numbers of its block
/// table with room for bitmaps; qcow2 in 64 KiB clusters, held to 16 TiB unless the SR is configured otherwise.
struct FormatLimits {
    /// In device_config: the largest virtual size of qcow2 disks, with a unit as in `32TiB`.
    static let key = "qcow2-size-limit"
    /// What the tables of a qcow2 image with 64 KiB clusters can hold.
    private static let largestQCOW2: UInt64 = 2 << 60

    let minimum: UInt64
    let maximum: UInt64
    let unit: UInt64

    static func of(_ format: ImageFormat, _ configuration: [String: String] = [:]) -> FormatLimits {
        switch format {
        case .raw: FormatLimits(minimum: 512, maximum: 8 << 40, unit: 512)
        case .vhd: FormatLimits(minimum: 2 << 20, maximum: 2040 << 30, unit: 2 << 20)
        case .qcow2:
            FormatLimits(
                minimum: 65536, maximum: configuration[key].flatMap(bytes) ?? 16 << 40, unit: 65536)
        }
    }

    /// Throws for a configuration that says what is no size.
    static func check(_ configuration: [String: String]) throws(StorageError) {
        guard let text = configuration[key], bytes(text) == nil else { return }
        throw StorageError(
            .invalidArgument, "device-config:\(key) is '\(text)', not a size from 64KiB to \(largestQCOW2) bytes")
    }

    private static func bytes(_ text: String) -> UInt64? {
        let units: [(String, UInt64)] = [
            ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40), ("", 1),
        ]
        for (name, unit) in units where text.hasSuffix(name) {
            guard let number = UInt64(text.dropLast(name.utf8.count)) else { return nil }
            let (bytes, overflow) = number.multipliedReportingOverflow(by: unit)
            return overflow || bytes > largestQCOW2 || bytes < 65536 ? nil : bytes
        }
        return nil
    }
}
