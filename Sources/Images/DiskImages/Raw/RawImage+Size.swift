public import BlockIO
import CoreTypes
import Synchronization

extension RawImage: ResizableDevice {
    /// Makes an empty file `size` bytes long (a multiple of 512).
    static func create(
        file: any ImageStorage, size: UInt64, preallocation: CreateOptions.Preallocation
    ) throws(BlockError) {
        guard size <= FormatCapabilities.largestRaw else {
            throw FormatCapabilities.tooLarge(size, .raw, limit: FormatCapabilities.largestRaw)
        }
        try grow(file, from: 0, to: size, preallocation)
        try file.sync()
    }

    /// Requests may go on while the disk grows. Durable when this returns.
    public func resize(to size: UInt64, preallocation: CreateOptions.Preallocation) throws(BlockError) {
        guard size % 512 == 0, size <= FormatCapabilities.largestRaw else {
            throw FormatCapabilities.tooLarge(size, .raw, limit: FormatCapabilities.largestRaw)
        }
        if isReadOnly { throw BlockError(.readOnly, "the image was opened read-only", path: file.path) }
        resizing.lock()
        defer { resizing.unlock() }
        let before = self.size
        if size == before { return }
        guard !file.isBlockDevice else {
            throw BlockError(.unsupported, "the size of a raw disk on a device is the device's own", path: file.path)
        }
        try makeTailWhole()
        if size < before {
            sizeNow.store(size, ordering: .releasing)
            try file.truncate(to: size)
        } else {
            try Self.grow(file, from: before, to: size, preallocation)
        }
        try file.sync()
        sizeNow.store(size, ordering: .releasing)
    }

    static let hasNoMetadata = BlockError(
        .unsupported, "a raw image has no metadata; its preallocation is off, falloc or full")

    /// A failure leaves the length as it was.
    private static func grow(
        _ file: any ImageStorage, from before: UInt64, to size: UInt64, _ preallocation: CreateOptions.Preallocation
    ) throws(BlockError) {
        do throws(BlockError) {
            switch preallocation {
            case .off: try file.truncate(to: size)
            case .metadata:
                throw hasNoMetadata.at(path: file.path)
            case .falloc:
                // Where the file system cannot reserve, writing is the only way to have the space.
                if try !file.preallocate(at: before, length: size - before) {
                    try file.writeZeroes(at: before, length: size - before)
                }
            case .full: try file.writeZeroes(at: before, length: size - before)
            }
        } catch {
            try? file.truncate(to: before)
            throw error
        }
    }
}
