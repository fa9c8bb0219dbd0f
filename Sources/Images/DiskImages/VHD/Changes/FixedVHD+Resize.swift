import BlockIO
import CoreTypes
import Synchronization

/// Another size for a fixed image, whose only structure is the footer behind the data.
///
/// Larger: the footer at the new end is durable before the old one becomes data. A crash in between leaves the larger
/// disk, with the old footer's bytes in its new part. Smaller: the new footer is durable before the file ends behind
/// it; until then the old one counts.
extension FixedVHD: ResizableDevice {
    func resize(to new: UInt64, preallocation: CreateOptions.Preallocation) throws(BlockError) {
        let limit = FormatCapabilities.largestVHD
        guard new % 512 == 0, new <= limit else { throw FormatCapabilities.tooLarge(new, .vhd, limit: limit) }
        try resizing.locked { () throws(BlockError) in
            let old = size
            if new == old { return }
            let footer = layout.footer.with(size: new)
            if file.isBlockDevice {
                let place = try file.size() - UInt64(VHDFooter.size)
                guard new <= place else {
                    throw BlockError(.noSpace, "the device is too small for \(new) bytes and the footer; enlarge it")
                }
                if new > old { try file.zero(at: old, length: new - old, mayUnmap: true) }
                try file.store(footer.bytes, at: place)
                try file.sync()
            } else {
                let length = try file.size()
                try file.store(footer.bytes, at: new)
                try file.sync()
                if new > old {
                    // The old footer, and whatever an old file had behind its data.
                    try file.zero(at: old, length: min(new, max(length, old)) - old, mayUnmap: true)
                    try reserve(old..<new, preallocation)
                } else {
                    try file.truncate(to: new + UInt64(VHDFooter.size))
                }
                try file.sync()
            }
            currentSize.store(new, ordering: .releasing)
        }
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
