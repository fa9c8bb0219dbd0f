import BlockIO
import CoreTypes

/// Writes the content of a stream to its destination and leaves out zeroes: those that the image does not mention, and
/// those that it stores.
struct SparseWriter {
    let device: any BlockDevice
    /// Bytes of the disk in the stream.
    let size: UInt64
    /// The destination reads as zeroes where nothing was written, so zeroes need not be.
    private let isClean: Bool
    /// Zero runs of at least this many aligned bytes are not written as data.
    private let granule: Int

    /// Takes the destination of a disk of `size` bytes, and makes sure that it reads as zeroes or as the parent.
    /// - Parameter options: `parent` and `overlaysDestination` only for an image that is a difference to another.
    init(
        _ destination: StreamDestination, size: UInt64, options: StreamReadOptions, cancellation: CancellationFlag
    ) throws(BlockError) {
        guard size <= options.largestVirtualSize else {
            throw BlockError(
                .limitExceeded, "the image claims \(size) bytes; \(options.largestVirtualSize) are allowed here")
        }
        if let wanted = options.rawSize, wanted != size {
            throw BlockError(.invalidImage, "the disk in the stream has \(size) bytes, not \(wanted)")
        }
        let isFresh: Bool
        switch destination {
        case .device(let given, let fresh): (device, isFresh) = (given, fresh)
        case .make(let make): (device, isFresh) = (try make(size), true)
        }
        guard size <= device.size else { throw Self.tooLarge(size, device) }
        self.size = size
        granule = Self.granule(of: device)
        isClean = options.overlaysDestination ? isFresh : options.parent == nil
        if !isFresh && !options.overlaysDestination { try device.writeZeroes(at: 0, length: size, mayUnmap: true) }
        if let parent = options.parent { try copy(parent.device, progress: nil, cancellation) }
    }

    /// Takes a device for a stream that does not say how long it is: zeroes are written too unless it `isFresh`, and
    /// what the stream does not reach stays as it is.
    init(growingInto device: any BlockDevice, isFresh: Bool) {
        self.device = device
        size = device.size
        isClean = isFresh
        granule = Self.granule(of: device)
    }

    static func tooLarge(_ size: UInt64, _ device: any BlockDevice) -> BlockError {
        BlockError(
            .outOfRange,
            "the image in the stream has \(size) bytes and the disk only \(device.size): resize the disk first")
    }

    private static func granule(of device: any BlockDevice) -> Int {
        Int(min(max(device.preferredAlignment, 4096), 65536))
    }

    /// Writes `bytes` at `offset` of the disk; what lies behind its end is left out.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {
        guard offset < size else { return }
        let count = Int(min(UInt64(bytes.count), size - offset))
        var start = 0
        while start < count {
            var end = piece(from: start, at: offset, of: count)
            // SAFETY: all slices lie inside the caller's bytes: start < end <= count.
            let zero = unsafe isZero(UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
            while end < count {
                let next = piece(from: end, at: offset, of: count)
                if unsafe isZero(UnsafeRawBufferPointer(rebasing: bytes[end..<next])) != zero { break }
                end = next
            }
            let position = offset + UInt64(start)
            if !zero {
                try unsafe device.write(UnsafeRawBufferPointer(rebasing: bytes[start..<end]), at: position)
            } else if !isClean {
                try device.writeZeroes(at: position, length: UInt64(end - start), mayUnmap: true)
            }
            start = end
        }
    }

    /// Zeroes that the image asks for, over what the destination may hold.
    func zero(at offset: UInt64, length: UInt64) throws(BlockError) {
        guard !isClean, offset < size else { return }
        try device.writeZeroes(at: offset, length: min(length, size - offset), mayUnmap: true)
    }

    /// Where the granule ends that begins or goes on at `start`.
    private func piece(from start: Int, at offset: UInt64, of count: Int) -> Int {
        let misaligned = Int((offset + UInt64(start)) % UInt64(granule))
        return min(start + granule - misaligned, count)
    }

    /// Writes what another disk has stored. `progress` counts bytes of the disk.
    func copy(
        _ disk: any BlockDevice, progress: ProgressCounter?, _ cancellation: CancellationFlag
    ) throws(BlockError) {
        let buffer = AlignedBuffer(count: 1 << 20)
        let units = StoredUnits(device: disk, dropsZeroes: false, cancellation: cancellation)
        var counted: UInt64 = 0
        try units.forEachData { (extent) throws(BlockError) in
            var position = extent.offset
            let end = min(extent.end, size)
            while position < end {
                if cancellation.isCancelled { throw BlockError(.cancelled, "the stream was cancelled") }
                let count = unsafe Int(min(end - position, UInt64(buffer.bytes.count)))
                // SAFETY: at most the buffer's own size.
                let bytes = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[..<count])
                try unsafe disk.read(into: bytes, at: position)
                try unsafe write(UnsafeRawBufferPointer(bytes), at: position)
                position += UInt64(count)
                progress?.add(position - counted)
                counted = position
            }
        }
        progress?.add(max(disk.size, counted) - counted)
    }
}
