import BlockIO
import TestSupport

extension BlockDevice {
    /// `count` bytes from `offset`.
    func bytes(_ offset: UInt64, _ count: Int) throws -> [UInt8] { try bytes(at: offset, count: count) }
}
