public import BlockIO
import CoreTypes

/// Choices for a new image that go beyond format and size.
public struct CreateOptions: Hashable, Sendable {
    public enum VHDSubformat: String, CaseIterable, Sendable {
        /// Grows with what is written.
        case dynamic
        /// The data and a footer.
        case fixed
    }

    public var vhdSubformat = VHDSubformat.dynamic
    /// qcow2 cluster size in bytes, a power of two from 512 to 2 MiB.
    public var clusterSize: UInt64 = 65536

    public init(vhdSubformat: VHDSubformat = .dynamic, clusterSize: UInt64 = 65536) {
        self.vhdSubformat = vhdSubformat
        self.clusterSize = clusterSize
    }

    /// Reads `key=value,key=value`, the keys named as qemu-img names them: `subformat`, `cluster_size`. `.unsupported`
    /// names the first key or value that is none of them.
    public init(parsing text: String) throws(BlockError) {
        for part in text.split(separator: ",") {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let key = pair[0]
            let value = pair.count > 1 ? pair[1] : ""
            switch key {
            case "subformat":
                guard let known = VHDSubformat(rawValue: value.lowercased()) else {
                    throw BlockError(.unsupported, "subformat is dynamic or fixed, not '\(value)'")
                }
                vhdSubformat = known
            case "cluster_size":
                guard let size = ByteCount(parsing: value)?.bytes else {
                    throw BlockError(.unsupported, "cluster_size '\(value)' is not a size")
                }
                clusterSize = size
            default:
                throw BlockError(.unsupported, "unknown option '\(key)'; known are subformat and cluster_size")
            }
        }
        _ = try clusterBits()
    }

    /// log₂ of the cluster size; `.unsupported` when it is no power of two or out of range.
    public func clusterBits() throws(BlockError) -> Int {
        guard clusterSize.nonzeroBitCount == 1, (512...(2 << 20)).contains(clusterSize) else {
            throw BlockError(
                .unsupported, "cluster size \(clusterSize) is not a power of two from 512 bytes to 2 MiB")
        }
        return clusterSize.trailingZeroBitCount
    }
}
