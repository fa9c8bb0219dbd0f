import BlockIO
import CDeflate

/// Inflates grains, one at a time: zlib-wrapped deflate, as all writers store it although the published text says raw
/// deflate. Used by one thread at a time.
@safe
final class VMDKInflater: @unchecked Sendable {
    // @unchecked: its owner orders the accesses (VMDKGrainSlot under its lock, a stream reader by being one thread).
    // SAFETY: made in init, freed in deinit, never shared between threads at once.
    private let decompressor: OpaquePointer?

    init() { unsafe decompressor = libdeflate_alloc_decompressor() }

    deinit { if let decompressor = unsafe decompressor { unsafe libdeflate_free_decompressor(decompressor) } }

    /// Inflates one grain into `target` (a whole grain). `length` bytes of the disk lie in the grain; the last one may
    /// be stored shortened to them, and is filled up with zeroes here. `.corrupt` when the data are damaged or not as
    /// long as a grain.
    func inflate(
        _ data: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer, length: Int, at offset: UInt64
    ) throws(BlockError) {
        guard let decompressor = unsafe decompressor, let source = data.baseAddress, let base = target.baseAddress
        else {
            throw BlockError(.io, "no memory to inflate a grain")
        }
        var produced = 0
        // SAFETY: both buffers for their whole counts; the library writes no more than `target.count`.
        let result = unsafe libdeflate_zlib_decompress(decompressor, source, data.count, base, target.count, &produced)
        guard result == LIBDEFLATE_SUCCESS else {
            throw BlockError(.corrupt, "a compressed grain of the VMDK is damaged or too long", offset: offset)
        }
        guard produced == target.count || produced == length else {
            throw BlockError(
                .corrupt, "a compressed grain of the VMDK has \(produced) bytes in place of \(target.count)",
                offset: offset)
        }
        if produced < target.count {
            unsafe UnsafeMutableRawBufferPointer(rebasing: target[produced...])
                .initializeMemory(as: UInt8.self, repeating: 0)
        }
    }
}
