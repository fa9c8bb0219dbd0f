import BlockIO
import CoreTypes
import Synchronization

/// Another size for a fixed image, whose only structure is the footer behind the data. Durable when it returns.
///
/// Larger. Two footers and the new data cannot change in one step, so the new footer says at first that the image is
/// growing, and from which size (`VHDFooter.growing`); an image that says so has its old size. With a barrier at each
/// bar:
///
///     growing footer at the new end | zeroes over the old footer | final footer
///
/// Whoever opens the image for writing after a crash puts the old end back (`undoGrowth`). Where the file system makes a
/// file longer before it has the data, the end is zeroes then and the old footer the last thing in front of them
/// (`VHDLayout.strandedFooter`): the old size, too.
///
/// Smaller: the new footer is durable before the file ends behind it; until then the old one counts, and one sector of
/// what is given up is lost already.
extension FixedVHD: ResizableDevice {
    func resize(to new: UInt64, preallocation: CreateOptions.Preallocation) throws(BlockError) {
        let limit = FormatCapabilities.largestVHD
        guard new % 512 == 0, new <= limit else { throw FormatCapabilities.tooLarge(new, .vhd, limit: limit) }
        if isReadOnly { throw BlockError(.readOnly, "the image was opened read-only", path: file.path) }
        try resizing.locked { () throws(BlockError) in
            let old = size
            if new == old { return try settle(new) }
            let footer = layout.footer.with(size: new)
            if file.isBlockDevice {
                let place = try file.size() - UInt64(VHDFooter.size)
                guard new <= place else {
                    throw BlockError(.noSpace, "the device is too small for \(new) bytes and the footer; enlarge it")
                }
                if new > old {
                    try file.zero(at: old, length: new - old, mayUnmap: true)
                    try file.sync()
                }
                try file.store(footer.bytes, at: place)
            } else if new > old {
                try grow(from: old, to: new, footer, preallocation)
            } else {
                try file.store(footer.bytes, at: new)
                try file.sync()
                try file.truncate(to: new + UInt64(VHDFooter.size))
            }
            try file.sync()
            currentSize.store(new, ordering: .releasing)
        }
    }

    /// The one of two sizes that was asked for when the image was opened becomes that of every reader: one sector.
    private func settle(_ size: UInt64) throws(BlockError) {
        if layout.footer.virtualSize == size { return }
        let length = try file.size()
        let place = length % 512 == 511 ? length - 511 : length - UInt64(VHDFooter.size)
        guard place == size || file.isBlockDevice else {
            throw BlockError(
                .unsupported,
                "its file holds \(place) bytes of the disk: a footer that says \(size) would not be found behind them",
                path: file.path)
        }
        try file.store(layout.footer.with(size: size).bytes, at: place)
        try file.sync()
    }

    private func grow(
        from old: UInt64, to new: UInt64, _ footer: VHDFooter, _ preallocation: CreateOptions.Preallocation
    ) throws(BlockError) {
        let length = try file.size()
        let end = new + UInt64(VHDFooter.size)
        if end > length {
            let tail = length - (length % 512 == 511 ? 511 : min(length, 512))
            guard new >= length || new == tail else {
                throw BlockError(
                    .unsupported, "the footer of the VHD is not on a sector boundary; copy the image", path: file.path)
            }
            try file.store(footer.growing(from: old, fileOf: length).bytes, at: new)
            try file.sync()
            do throws(BlockError) {
                // The old footer, and whatever an old file had behind its data.
                try file.zero(at: old, length: min(new, length) - old, mayUnmap: true)
                try reserve(old..<new, preallocation)
                try file.sync()
                try file.store(footer.bytes, at: new)
            } catch {
                // Else whoever opens the image next does it.
                try? restoreEnd(old)
                throw error
            }
        } else {
            // What an old file has behind its disk takes the new part in; the footer at the end counts meanwhile.
            try file.zero(at: old, length: new - old, mayUnmap: true)
            try reserve(old..<new, preallocation)
            try file.sync()
            try file.store(footer.bytes, at: new)
            try file.sync()
            if end < length { try file.truncate(to: end) }
        }
    }

    /// Gives an image whose enlargement was cut short its old end again, durable when this returns. With no requests.
    func undoGrowth() throws(BlockError) {
        guard let old = layout.interruptedGrowth else { return }
        if layout.footer.growsFrom != nil {
            let end = layout.footer.currentSize
            // A record that makes no sense says nothing of what was written: all of the new part has to be empty.
            let former = layout.footer.growsFromLength
            try requireUnwritten((former >= old && former <= end ? former : min(old + 512, end))..<end)
        }
        try restoreEnd(old)
    }

    /// Programs that do not know the record see the new size, and what they wrote there is nobody's to cut off.
    private func requireUnwritten(_ range: Range<UInt64>) throws(BlockError) {
        var position = range.lowerBound
        while position < range.upperBound {
            let run = try file.run(at: position, end: range.upperBound)
            while run.isData, position < run.end {
                let piece = try file.array(at: position, count: Int(min(run.end - position, 256 << 10)))
                guard piece.allSatisfy({ $0 == 0 }) else {
                    throw BlockError(
                        .corrupt,
                        "an enlargement of the disk was cut short and its new part was written since: open the image "
                            + "read-only and copy it", path: file.path)
                }
                position += UInt64(piece.count)
            }
            position = run.end
        }
    }

    private func restoreEnd(_ old: UInt64) throws(BlockError) {
        let footer = layout.footer.with(size: old)
        if file.isBlockDevice {
            try file.store(footer.bytes, at: try file.size() - UInt64(VHDFooter.size))
        } else {
            // The growing footer counts until the file ends here.
            try file.store(footer.bytes, at: old)
            try file.sync()
            try file.truncate(to: old + UInt64(VHDFooter.size))
        }
        try file.sync()
    }

    private func reserve(_ range: Range<UInt64>, _ choice: CreateOptions.Preallocation) throws(BlockError) {
        let length = range.upperBound - range.lowerBound
        switch choice {
        case .off, .metadata: break
        case .falloc:
            if try !file.preallocate(at: range.lowerBound, length: length) {
                try file.writeZeroes(at: range.lowerBound, length: length)
            }
        case .full: try file.writeZeroes(at: range.lowerBound, length: length)
        }
    }
}
