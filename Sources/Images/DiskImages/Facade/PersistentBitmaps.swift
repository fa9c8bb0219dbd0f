public import BlockIO

/// A record of what was written since it was made, kept inside the image (qcow2).
public struct BitmapInfo: Hashable, Sendable {
    public var name: String
    /// Bytes of the disk that one bit stands for.
    public var granularity: UInt64
    /// Writes are noted in it.
    public var isEnabled: Bool
    /// It missed writes (a crash, or a writer that does not maintain it): of no more use than to be deleted.
    public var isInconsistent: Bool

    public init(name: String, granularity: UInt64, isEnabled: Bool, isInconsistent: Bool) {
        self.name = name
        self.granularity = granularity
        self.isEnabled = isEnabled
        self.isInconsistent = isInconsistent
    }
}

/// A device that keeps records of what was written. `.notFound` for a name that it does not have.
public protocol BitmapKeeper: BlockDevice {
    func bitmaps() throws(BlockError) -> [BitmapInfo]
    func createBitmap(name: String, granularity: UInt64) throws(BlockError)
    func deleteBitmap(_ name: String) throws(BlockError)
    /// Sets every bit to zero.
    func clearBitmap(_ name: String) throws(BlockError)
    /// Starts or stops noting writes; what is noted stays.
    func setBitmap(_ name: String, isEnabled: Bool) throws(BlockError)
    /// Notes ranges as if they had been written, such as those of another bitmap of a disk of this size: `.outOfRange`
    /// for what lies behind the end. What the bitmap has already stays.
    func mergeIntoBitmap(_ name: String, _ ranges: [Range<UInt64>]) throws(BlockError)
    /// The ranges that were written, joined, in order. `.corrupt` for an inconsistent bitmap.
    func dirtyRanges(ofBitmap name: String) throws(BlockError) -> [Range<UInt64>]
}
