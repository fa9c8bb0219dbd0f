import BlockIO
import CLZMA

/// Decompresses xz: one stream or several, padded as the format allows. Every check sum is checked.
@safe
final class XZSource: ByteSource {
    private var input: CompressedInput
    // SAFETY (whole file): liblzma keeps its state behind this address from init to deinit; `next_in` points into
    // `input.buffer`, and `next_out` into the caller's buffer for one call only.
    private let state: UnsafeMutablePointer<lzma_stream>
    private var isAtEnd = false
    private let memory: UInt64
    /// LZMA_CONCATENATED, a macro: another stream may follow the first.
    private static let concatenated: UInt32 = 8

    init(_ source: any ByteSource, memory: UInt64) throws(BlockError) {
        input = CompressedInput(source)
        self.memory = memory
        unsafe state = .allocate(capacity: 1)
        unsafe state.initialize(to: lzma_stream())
        guard unsafe lzma_stream_decoder(state, memory, Self.concatenated) == LZMA_OK else {
            throw StreamCompression.xz.outOfMemory
        }
    }

    deinit {
        unsafe lzma_end(state)
        unsafe state.deallocate()
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(BlockError) -> Int {
        if isAtEnd { return 0 }
        unsafe state.pointee.next_out = buffer.baseAddress?.assumingMemoryBound(to: UInt8.self)
        unsafe state.pointee.avail_out = buffer.count
        while unsafe state.pointee.avail_out == buffer.count, !isAtEnd {
            if unsafe state.pointee.avail_in == 0 {
                unsafe state.pointee.avail_in = try input.refill()
                unsafe state.pointee.next_in = UnsafePointer(
                    input.buffer.bytes.baseAddress?.assumingMemoryBound(to: UInt8.self))
            }
            switch unsafe lzma_code(state, input.isAtEnd ? LZMA_FINISH : LZMA_RUN) {
            case LZMA_OK: break
            case LZMA_STREAM_END: isAtEnd = true
            case LZMA_BUF_ERROR: throw StreamCompression.xz.damaged("ends before its content is complete")
            case LZMA_MEM_ERROR: throw StreamCompression.xz.outOfMemory
            case LZMA_MEMLIMIT_ERROR:
                throw BlockError(
                    .limitExceeded,
                    "the xz stream needs \(unsafe lzma_memusage(state)) bytes of memory; \(memory) are allowed;"
                        + " compress it with a smaller dictionary")
            default: throw StreamCompression.xz.damaged("is damaged, not xz, or followed by something else")
            }
        }
        return unsafe buffer.count - state.pointee.avail_out
    }
}
