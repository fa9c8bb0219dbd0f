/// An image that tells what damage to its tables costs, for who saves what is left of it. Nobody writes it meanwhile.
public protocol DamagedImage: BlockDevice {
    /// The file that extents without a depth lie in (file 0), also where it is none of the `hostFiles`.
    var ownFile: ImageFile? { get }
    /// What cannot be read around `offset`, inside the disk, because one table that maps all of it cannot, and why: one try. Nil
    /// where the tables for that byte can be had. A parent's table counts as far as the parent shows.
    func lostRun(at offset: UInt64) -> (range: Range<UInt64>, error: BlockError)?
    /// What of the disk is mapped by that part of a table that lies behind the end of the file, ascending: it looks as if nothing
    /// were stored.
    func cutRuns() throws(BlockError) -> [Range<UInt64>]
}

extension DamagedImage {
    public func cutRuns() throws(BlockError) -> [Range<UInt64>] { [] }
}
