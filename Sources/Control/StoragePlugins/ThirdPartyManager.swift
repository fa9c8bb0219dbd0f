public import CoreTypes
public import StorageInterface

/// A storage manager that is somebody else's program, whichever interface it speaks. Such programs round sizes and choose
/// formats by themselves; only what can never be is refused before they are asked.
public protocol ThirdPartyManager: StorageManager {}

extension ThirdPartyManager {
    /// The size in bytes as it is; `.volumeSize` (SR_BACKEND_FAILURE_79) above what the format can hold.
    public func roundedSize(_ size: UInt64, format: ImageFormat) throws(StorageError) -> UInt64 {
        let limit = largestSize(format)
        guard size <= limit else {
            throw StorageError(
                .volumeSize,
                "VDI Invalid size [opterr=a \(format.rawValue) VDI can have at most \(limit) bytes, not \(size)]")
        }
        return size
    }

    /// Bytes. What the common image formats allow.
    public func largestSize(_ format: ImageFormat) -> UInt64 {
        switch format {
        case .raw: UInt64(Int64.max)
        case .vhd: 2040 << 30
        case .qcow2: 16 << 40
        }
    }

    /// Those of `device_config:preferred-image-formats` that the program supports, best first.
    public func preferredFormats(_ configuration: [String: String]) -> [ImageFormat] {
        (configuration["preferred-image-formats"] ?? "").split(separator: ",")
            .compactMap { ImageFormat(parsing: $0.filter { !$0.isWhitespace }) }
            .filter(info.supportedImageFormats.contains)
    }
}
