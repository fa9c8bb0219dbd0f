import BlockIO
import CZlib
import CZstd

/// Decompresses single clusters whose compressed length is known only roughly, and tells how much of it was used.
@safe
final class ClusterDecoder {
    private let isZstd: Bool
    private let output: AlignedBuffer
    private let clusterSize: Int
    // SAFETY (whole class): the libraries' states stay at these addresses from init to deinit and see the buffers of one
    // call only.
    private let inflater: UnsafeMutablePointer<z_stream>?
    private let zstd: OpaquePointer?

    init(clusterSize: Int, isZstd: Bool) throws(BlockError) {
        self.isZstd = isZstd
        self.clusterSize = clusterSize
        output = AlignedBuffer(count: clusterSize)
        if isZstd {
            unsafe inflater = nil
            unsafe zstd = ZSTD_createDStream()
            // 2^23: a window of 8 MiB, four times the largest cluster.
            if let state = unsafe zstd { unsafe ZSTD_DCtx_setParameter(state, ZSTD_d_windowLogMax, 23) }
        } else {
            let state = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
            unsafe state.initialize(to: z_stream())
            unsafe inflater = state
            unsafe zstd = nil
            // Raw deflate; QEMU writes with a window of 4 KiB and others with the largest.
            let size = unsafe Int32(MemoryLayout<z_stream>.size)
            guard unsafe inflateInit2_(state, -15, ZLIB_VERSION, size) == Z_OK else {
                throw BlockError(.limitExceeded, "no memory to decompress clusters")
            }
        }
    }

    deinit {
        if let inflater = unsafe inflater {
            unsafe inflateEnd(inflater)
            unsafe inflater.deallocate()
        }
        unsafe ZSTD_freeDStream(zstd)
    }

    /// The cluster's content and the number of input bytes that it took; nil when the input is damaged, too short, or
    /// gives more or less than a cluster. Valid until the next call.
    func decode(_ input: UnsafeRawBufferPointer) -> (content: UnsafeRawBufferPointer, used: Int)? {
        let used = unsafe isZstd ? decodeZstd(input) : inflate(input)
        guard let used, used > 0 else { return nil }
        return unsafe (UnsafeRawBufferPointer(rebasing: output.bytes[..<clusterSize]), used)
    }

    private func inflate(_ input: UnsafeRawBufferPointer) -> Int? {
        guard let state = unsafe inflater, unsafe inflateReset(state) == Z_OK else { return nil }
        unsafe state.pointee.next_in = UnsafeMutablePointer(
            mutating: input.baseAddress?.assumingMemoryBound(to: UInt8.self))
        unsafe state.pointee.avail_in = UInt32(clamping: input.count)
        unsafe state.pointee.next_out = output.bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
        unsafe state.pointee.avail_out = UInt32(clusterSize)
        let result = unsafe CZlib.inflate(state, Z_FINISH)
        guard unsafe state.pointee.avail_out == 0 else { return nil }
        if result != Z_STREAM_END {
            // All came out and the end mark may still be in the input; what comes out beyond is too much.
            var spare: UInt8 = 0
            let isTooMuch = unsafe withUnsafeMutablePointer(to: &spare) { spare in
                unsafe state.pointee.next_out = spare
                unsafe state.pointee.avail_out = 1
                let last = unsafe CZlib.inflate(state, Z_FINISH)
                return unsafe state.pointee.avail_out == 0 || last == Z_DATA_ERROR
            }
            if isTooMuch { return nil }
        }
        return unsafe input.count - Int(state.pointee.avail_in)
    }

    private func decodeZstd(_ input: UnsafeRawBufferPointer) -> Int? {
        guard let state = unsafe zstd else { return nil }
        unsafe ZSTD_DCtx_reset(state, ZSTD_reset_session_only)
        var from = unsafe ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: 0)
        var to = unsafe ZSTD_outBuffer(dst: output.bytes.baseAddress, size: clusterSize, pos: 0)
        while true {
            let before = unsafe (from.pos, to.pos)
            let result = unsafe ZSTD_decompressStream(state, &to, &from)
            if ZSTD_isError(result) != 0 { return nil }
            // Complete frames, as many as a cluster takes.
            if unsafe result == 0 && to.pos == clusterSize { return unsafe from.pos }
            if unsafe before == (from.pos, to.pos) { return nil }
        }
    }
}
