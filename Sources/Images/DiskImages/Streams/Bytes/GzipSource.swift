import BlockIO
import CZlib

/// Decompresses gzip: one member or several, with zeroes behind the last, as tapes have them. Every check sum is checked.
@safe
final class GzipSource: ByteSource {
    private var input: CompressedInput
    // SAFETY (whole file): zlib keeps pointers to its state, which stays at this address from init to deinit; `next_in`
    // points into `input.buffer`, and `next_out` into the caller's buffer for one call only.
    private let state: UnsafeMutablePointer<z_stream>
    private enum Place {
        /// Before the first member, or between two.
        case between(first: Bool)
        case inMember
        case end
    }
    private var place = Place.between(first: true)

    init(_ source: any ByteSource) throws(BlockError) {
        input = CompressedInput(source)
        unsafe state = .allocate(capacity: 1)
        unsafe state.initialize(to: z_stream())
        // 15: the largest window; 16: gzip's wrapping and no other.
        guard unsafe inflateInit2_(state, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            throw StreamCompression.gzip.outOfMemory
        }
    }

    deinit {
        unsafe inflateEnd(state)
        unsafe state.deallocate()
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(BlockError) -> Int {
        let room = min(buffer.count, 1 << 30)
        unsafe state.pointee.next_out = buffer.baseAddress?.assumingMemoryBound(to: UInt8.self)
        unsafe state.pointee.avail_out = UInt32(room)
        while unsafe Int(state.pointee.avail_out) == room {
            if unsafe state.pointee.avail_in == 0 {
                let count = try input.refill()
                unsafe state.pointee.next_in = input.buffer.bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
                unsafe state.pointee.avail_in = UInt32(count)
            }
            switch place {
            case .end: return 0
            case .between(let first): try enterMember(first)
            case .inMember: try inflateSome()
            }
        }
        return unsafe room - Int(state.pointee.avail_out)
    }

    /// Finds out whether another member follows: zeroes and the end may, nothing else.
    private func enterMember(_ first: Bool) throws(BlockError) {
        guard unsafe state.pointee.avail_in > 0 else {
            if first { throw StreamCompression.gzip.damaged("is empty") }
            place = .end
            return
        }
        if !first, unsafe state.pointee.next_in.pointee == 0 {
            unsafe state.pointee.next_in += 1
            unsafe state.pointee.avail_in -= 1
            return
        }
        unsafe inflateReset(state)
        place = .inMember
    }

    private func inflateSome() throws(BlockError) {
        guard unsafe state.pointee.avail_in > 0 else {
            throw StreamCompression.gzip.damaged("ends before its content is complete")
        }
        switch unsafe inflate(state, Z_NO_FLUSH) {
        case Z_OK, Z_BUF_ERROR: break
        case Z_STREAM_END: place = .between(first: false)
        case Z_MEM_ERROR: throw StreamCompression.gzip.outOfMemory
        default:
            throw StreamCompression.gzip.damaged("is damaged, not gzip, or followed by something else")
        }
    }
}
