public import BlockIO

/// A device that can store what it is given compressed, as a copy into a compressed image does.
public protocol CompressingDestination: BlockDevice {
    /// Bytes that are compressed as one piece.
    var compressionUnit: UInt64 { get }

    /// Stores `data` compressed, where nothing was stored before and where that makes it smaller; as an ordinary write
    /// otherwise. The calling thread compresses, with no lock held: as many threads may call at once as there are
    /// processors, best with a MiB or so at a time.
    /// - Parameters:
    ///   - data: a multiple of `compressionUnit`, or all up to the end of the device.
    ///   - offset: a multiple of `compressionUnit`.
    /// - Throws: `.outOfRange` for other ranges; `.unsupported` when this device cannot hold compressed data.
    func writeCompressed(_ data: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError)
}
