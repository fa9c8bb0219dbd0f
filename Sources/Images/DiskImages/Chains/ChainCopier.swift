import BlockIO
import CoreTypes

/// Moves content between the images of a chain, a mebibyte at a time, with an account of how far it is.
struct ChainCopier {
    let progress: ProgressCounter
    let cancellation: CancellationFlag
    private let buffer = AlignedBuffer(count: Self.step)
    private let other = AlignedBuffer(count: Self.step)

    /// Bytes moved at once.
    static let step = 1 << 20
    /// Bytes whose extents are asked for at once.
    private static let window: UInt64 = 1 << 30

    init(progress: ProgressCounter, cancellation: CancellationFlag) {
        self.progress = progress
        self.cancellation = cancellation
    }

    func checkCancelled() throws(BlockError) {
        if cancellation.isCancelled { throw BlockError(.cancelled, "stopped as asked") }
    }

    /// Calls `body` with the extents of `device`, some at a time and in order.
    func forEachExtent(
        of device: any BlockDevice, _ body: (Extent) throws(BlockError) -> Void
    ) throws(BlockError) {
        var position: UInt64 = 0
        while position < device.size {
            let length = min(Self.window, device.size - position)
            for extent in try device.extents(at: position, length: length) {
                try checkCancelled()
                try body(extent)
                progress.add(extent.length)
            }
            position += length
        }
    }

    /// Puts what `child` itself holds, seen without its parents, into `parent`, which is at least as large. Repeating it
    /// is harmless.
    func commit(_ child: any BlockDevice, into parent: any BlockDevice) throws(BlockError) {
        progress.expectMore(child.size)
        try forEachExtent(of: child) { (extent) throws(BlockError) in
            switch extent.kind {
            case .hole: return
            case .zero: try parent.writeZeroes(at: extent.offset, length: extent.length, mayUnmap: true)
            case .data:
                var position = extent.offset
                while position < extent.end {
                    try checkCancelled()
                    let count = Int(min(UInt64(Self.step), extent.end - position))
                    // SAFETY: count is at most the buffer's.
                    let part = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[..<count])
                    try unsafe child.read(into: part, at: position)
                    if unsafe isZero(UnsafeRawBufferPointer(part)) {
                        try parent.writeZeroes(at: position, length: UInt64(count), mayUnmap: true)
                    } else {
                        try unsafe parent.write(UnsafeRawBufferPointer(part), at: position)
                    }
                    position += UInt64(count)
                }
            }
        }
    }

    /// Stores in `child` itself what it shows of its parents and `newParent` (nil: zeroes) would not show the same,
    /// `unit` bytes at a time.
    func keep(_ child: any BlockDevice, over newParent: (any BlockDevice)?, unit: UInt64) throws(BlockError) {
        progress.expectMore(child.size)
        try forEachExtent(of: child) { (extent) throws(BlockError) in
            // What the child holds itself stays whatever lies below.
            if extent.kind != .hole && extent.depth == 0 { return }
            var position = extent.offset
            while position < extent.end {
                let end = min(extent.end, (position / UInt64(Self.step) + 1) * UInt64(Self.step))
                var mayDiffer = extent.kind == .data
                if !mayDiffer { mayDiffer = try !isEmpty(newParent, position, end - position) }
                if mayDiffer {
                    try checkCancelled()
                    try keepPart(child, over: newParent, position..<end, unit: unit)
                }
                position = end
            }
        }
    }

    private func isEmpty(
        _ device: (any BlockDevice)?, _ offset: UInt64, _ length: UInt64
    ) throws(BlockError) -> Bool {
        guard let device, offset < device.size else { return true }
        return try device.extents(at: offset, length: min(length, device.size - offset))
            .allSatisfy { $0.kind != .data }
    }

    private func keepPart(
        _ child: any BlockDevice, over newParent: (any BlockDevice)?, _ range: Range<UInt64>, unit: UInt64
    ) throws(BlockError) {
        let count = range.count
        // SAFETY: a part has at most `step` bytes, the size of both buffers; every piece below is inside it.
        let mine = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[..<count])
        let theirs = unsafe UnsafeMutableRawBufferPointer(rebasing: other.bytes[..<count])
        try unsafe child.read(into: mine, at: range.lowerBound)
        unsafe _ = theirs.initializeMemory(as: UInt8.self, repeating: 0)
        if let newParent, range.lowerBound < newParent.size {
            let known = Int(min(range.upperBound, newParent.size) - range.lowerBound)
            try unsafe newParent.read(
                into: UnsafeMutableRawBufferPointer(rebasing: theirs[..<known]), at: range.lowerBound)
        }
        var position = range.lowerBound
        while position < range.upperBound {
            let end = min(range.upperBound, (position / unit + 1) * unit)
            let piece = Int(position - range.lowerBound)..<Int(end - range.lowerBound)
            let a = unsafe UnsafeRawBufferPointer(rebasing: mine[piece])
            if unsafe !a.elementsEqual(UnsafeRawBufferPointer(rebasing: theirs[piece])) {
                // Zeroes too are stored: the present parent may show zeroes already, and the new one does not.
                try unsafe child.write(a, at: position)
            }
            position = end
        }
    }
}
