import BlockIO

/// Where file systems, partition tables, volume managers, RAID and images have their marks on a block device, bytes from
/// either end. What is left there of an earlier owner is taken up by whoever looks for it, over a new image too.
public enum DeviceMarks {
    public static let head: UInt64 = 1 << 20
    public static let tail: UInt64 = 128 << 10
}

extension ImageStorage {
    /// Writes zeroes where an earlier owner of the device has marks. Nothing of it is durable before `sync`.
    func clearMarks() throws(BlockError) {
        let size = try size()
        let (head, tail) = (min(size, DeviceMarks.head), min(size, DeviceMarks.tail))
        try store([UInt8](repeating: 0, count: Int(head)), at: 0)
        try store([UInt8](repeating: 0, count: Int(tail)), at: size - tail)
    }
}
