import BlockIO
import CoreTypes

/// Blocks that make room for metadata.
extension DynamicVHD {
    /// Moves the blocks that lie in a range of the file behind all others. Alone. Each is copied, and the copy durable,
    /// before the one sector of the block table that names it changes; so after a crash it is at its old place or at
    /// its new one, with the same content. The new place is taken before anything is written there: when the copy
    /// fails, no later block finds the beginning of this one where it relies on zeroes.
    func moveBlocks(outOf range: Range<UInt64>) throws(BlockError) {
        let stride = bitmapSize + blockSize
        for block in 0..<table.count {
            guard let start = table.start(of: block), (start..<start + stride).overlaps(range) else { continue }
            let place = try freePlace()
            try storeFooter(behind: place + stride)
            lock.exclusive {
                end = place + stride
                footerMoved = true
            }
            var done: UInt64 = 0
            while done < stride {
                let count = min(stride - done, 1 << 20)
                let bytes = try file.array(at: start + done, count: Int(count))
                // Behind the end of a file there are zeroes already.
                let isNothing = unsafe bytes.withUnsafeBytes { unsafe isZero($0) }
                if file.isBlockDevice || !isNothing { try file.store(bytes, at: place + done) }
                done += count
            }
            lock.exclusive {
                table.assign(block, UInt32(place / 512))
                footerMoved = true
            }
            try commit()
            // Nothing names the old place any more.
            if !file.isBlockDevice { _ = try file.punch(at: start, length: stride) }
        }
    }

    /// Both copies of the footer, the one at the end at `place`; nil: where the image ends. With `commits` held.
    ///
    /// First the copy at the beginning, which is the one that counts when they differ; both states are whole images.
    /// Requests may go on: a new block never lies over the place of the footer, old or new.
    func replaceFooter(_ new: VHDFooter, tailAt place: UInt64? = nil) throws(BlockError) {
        try file.store(new.bytes, at: 0)
        try file.sync()
        let usual = lock.exclusive {
            footer = new
            return footerPlace
        }
        try file.store(new.bytes, at: place ?? usual)
        try file.sync()
    }

    /// Where the trailing footer belongs.
    var footerPlace: UInt64 { file.isBlockDevice ? layout.fileLength - UInt64(VHDFooter.size) : end }
}
