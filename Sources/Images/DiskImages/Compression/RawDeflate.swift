import CDeflate
import CZlib

/// Raw deflate, without a zlib or gzip frame, a piece at a time. One thread at a time.
@safe
final class RawDeflate {
    /// Level of the compressor. On data of file systems it makes less of it than zlib's default with a window of 4 KiB,
    /// which is what qemu-img uses, in a fraction of the time (docs/adr/0007-deflate-window.md).
    static let level: Int32 = 3

    // SAFETY (whole file): both are made once, used by one thread at a time and freed in deinit; buffers are the
    // caller's, passed with their counts.
    private var decompressor: OpaquePointer?
    private var compressor: OpaquePointer?

    deinit {
        if let decompressor = unsafe decompressor { unsafe libdeflate_free_decompressor(decompressor) }
        if let compressor = unsafe compressor { unsafe libdeflate_free_compressor(compressor) }
    }

    /// Decompresses exactly `output.count` bytes. What follows the end of the stream in `input` does not matter.
    func decompress(_ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) -> Bool {
        guard let from = input.baseAddress, let to = output.baseAddress else { return false }
        if unsafe decompressor == nil { unsafe decompressor = unsafe libdeflate_alloc_decompressor() }
        if let decompressor = unsafe decompressor {
            let result = unsafe libdeflate_deflate_decompress(decompressor, from, input.count, to, output.count, nil)
            if result == LIBDEFLATE_SUCCESS { return true }
        }
        return unsafe inflateWhole(input, into: output)
    }

    /// zlib accepts a stream whose last block has no end mark, which QEMU takes too, as all the data are there.
    private func inflateWhole(_ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) -> Bool {
        var stream = unsafe z_stream()
        return unsafe withUnsafeMutablePointer(to: &stream) { stream in
            guard
                unsafe inflateInit2_(stream, -MAX_WBITS, zlibVersion(), Int32(MemoryLayout<z_stream>.size)) == Z_OK
            else { return false }
            defer { unsafe inflateEnd(stream) }
            unsafe stream.pointee.next_in = unsafe UnsafeMutablePointer(
                mutating: input.baseAddress?.assumingMemoryBound(to: UInt8.self))
            unsafe stream.pointee.avail_in = UInt32(input.count)
            unsafe stream.pointee.next_out = unsafe output.baseAddress?.assumingMemoryBound(to: UInt8.self)
            unsafe stream.pointee.avail_out = UInt32(output.count)
            let result = unsafe inflate(stream, Z_FINISH)
            guard unsafe stream.pointee.avail_out == 0 else { return false }
            if result == Z_STREAM_END { return true }
            guard result == Z_BUF_ERROR || result == Z_OK else { return false }
            // Full, and not at the end: fine only if nothing more comes out.
            var extra: UInt8 = 0
            return unsafe withUnsafeMutablePointer(to: &extra) { extra in
                unsafe stream.pointee.next_out = unsafe extra
                unsafe stream.pointee.avail_out = 1
                let result = unsafe inflate(stream, Z_FINISH)
                return unsafe stream.pointee.avail_out == 1 && (result == Z_STREAM_END || result == Z_BUF_ERROR)
            }
        }
    }

    /// Compresses into `output`; returns the bytes used, 0 when they do not suffice.
    func compress(_ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) -> Int {
        if unsafe compressor == nil { unsafe compressor = unsafe libdeflate_alloc_compressor(Self.level) }
        guard let compressor = unsafe compressor, let from = input.baseAddress, let to = output.baseAddress else {
            return 0
        }
        return unsafe libdeflate_deflate_compress(compressor, from, input.count, to, output.count)
    }
}
