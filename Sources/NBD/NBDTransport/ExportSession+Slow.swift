import BlockIO
import CLinux
import NBDProtocol

// What the lane's threads do. Each reply is built in the thread's own buffer and sent at once.
// SAFETY: replies here are at most 24 + 8 * `NBDLimits.extents` bytes, which is less than the buffer's 64 KiB.

extension ExportSession {
    func performSlow(_ job: SlowLane.Job, reply: MappedBuffer) {
        let request = job.request
        var size = SimpleReply.size
        do throws(BlockError) {
            if request.command == NBDCommand.blockStatus {
                size = try mapExtents(request, reply)
            } else {
                var done = RequestCounts()
                if !job.flushOnly, request.command != NBDCommand.flush {
                    try modifyWithoutData(request)
                    done.discards = 1
                    done.discardedBytes = UInt64(request.length)
                }
                if request.command == NBDCommand.flush || request.flags.contains(.forceUnitAccess) {
                    let start = gantry_now()
                    try device.flush()
                    done.flushes = 1
                    done.flushNanoseconds = gantry_now() - start
                }
                counts.add(done)
                unsafe SimpleReply(handle: request.handle).store(to: reply.base)
            }
        } catch {
            size = unsafe storeError(error.wireNumber, error.message, request.handle, at: reply.base)
        }
        // A client that is gone is noticed by the connection's own thread.
        _ = unsafe transmit(reply.base, size)
    }

    /// Answers BLOCK_STATUS with one chunk: context, then (length, state) of each extent, neighbours of one state
    /// joined. Asks the device in pieces that grow while the extents are few, so that memory stays bounded.
    private func mapExtents(_ request: NBDRequest, _ reply: MappedBuffer) throws(BlockError) -> Int {
        let limit = request.flags.contains(.one) ? 1 : NBDLimits.extents
        let end = request.offset + UInt64(request.length)
        let first = ChunkHead.size + 4
        var count = 0
        var state: UInt32 = 0
        var length: UInt64 = 0
        var position = request.offset
        var piece: UInt64 = 64 << 20
        var extents: [Extent] = []
        walk: while position < end {
            let before = position
            extents.removeAll(keepingCapacity: true)
            try device.appendExtents(to: &extents, at: position, length: min(piece, end - position))
            for extent in extents {
                let stop = min(extent.end, end)
                guard extent.offset <= position, stop > position else { continue }
                if extent.kind.state != state || length == 0 {
                    if length > 0 {
                        unsafe storeExtent(count, length, state, reply.base + first)
                        count += 1
                        length = 0
                        if count == limit { break walk }
                    }
                    state = extent.kind.state
                }
                length += stop - position
                position = stop
            }
            guard position > before else {
                throw BlockError(.io, "the extent map does not advance", offset: position)
            }
            if extents.count < 64 { piece = min(piece * 2, 1 << 32) }
        }
        if length > 0 {
            unsafe storeExtent(count, length, state, reply.base + first)
            count += 1
        }
        let chunk = ChunkHead(
            isLast: true, type: ChunkType.blockStatus, handle: request.handle, length: UInt32(4 + 8 * count))
        unsafe chunk.store(to: reply.base)
        unsafe reply.base.storeBig(MetaContext.allocationIdentifier, at: ChunkHead.size)
        return first + 8 * count
    }

    /// `length` lies within one request and so within 32 bits.
    private func storeExtent(_ index: Int, _ length: UInt64, _ state: UInt32, _ base: UnsafeMutableRawPointer) {
        unsafe base.storeBig(UInt32(length), at: 8 * index)
        unsafe base.storeBig(state, at: 8 * index + 4)
    }
}

extension Extent.Kind {
    /// The status bits of `base:allocation`.
    var state: UInt32 {
        switch self {
        case .data: 0
        case .zero: AllocationState.zero
        case .hole: AllocationState.hole | AllocationState.zero
        }
    }
}
