import BlockIO
import CoreTypes
import Synchronization

/// The bitmaps of new blocks in a file that nobody knows yet: all ones, one in front of each block.
///
/// The place of each is a page of its own, which the file system has to find room for and to write; of a copy whose data is
/// shared that is most of the work. So where blocks are shared they share this page as well: it is written once and cloned
/// into the other places. Whoever writes to one of them later gets a page of his own from the file system.
extension DynamicVHD {
    /// What one page stands for at most: file systems keep a record of each use, and a page that is lost is lost for all.
    private static let mostUses = 1024
    private static let page: UInt64 = 4096

    /// Stores bitmaps of ones for the blocks that start at `starts`. With `commits` held.
    func storeNewBitmaps(_ starts: [UInt64]) throws(BlockError) {
        if starts.isEmpty { return }
        let ones = [UInt8](repeating: 0xFF, count: Int(bitmapSize))
        var shared = sharesBitmaps.load(ordering: .relaxed) && file.isUnpublished ? file as? ImageFile : nil
        var master: UInt64?
        var uses = 0
        for start in starts {
            let place = pageOfItsOwn(start)
            if let file = shared, let master, let place, uses < Self.mostUses {
                if try file.clone(from: file, at: master, length: Self.page, to: place) {
                    uses += 1
                    continue
                }
                shared = nil
            }
            try file.store(ones, at: start)
            if let place { (master, uses) = (place, 0) }
        }
    }

    /// The page that ends with a block's bitmap, when nothing else is or will be in it: it lies behind all that was in the
    /// file at first, and the block before ends where it begins. An old footer may be there, which means nothing any more.
    private func pageOfItsOwn(_ start: UInt64) -> UInt64? {
        let data = start + bitmapSize
        guard bitmapSize + UInt64(VHDFooter.size) <= Self.page, data % Self.page == 0, blockSize % Self.page == 0 else {
            return nil
        }
        let page = data - Self.page
        return page >= layout.fileLength ? page : nil
    }
}
