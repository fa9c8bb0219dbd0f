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
            } else if request.command == NBDCommand.cache {
                prefetch(request, reply)
                unsafe SimpleReply(handle: request.handle).store(to: reply.base)
            } else {
                var done = RequestCounts()
                if !job.flushOnly, request.command != NBDCommand.flush {
                    try modifyWithoutData(request)
                    done.discards = 1
                    done.discardedBytes = UInt64(request.length)
                }
                if request.command == NBDCommand.flush || request.flags.contains(.forceUnitAccess) {
                    let start = gantry_now()
                    try flush()
                    done.flushes = 1
                    done.flushNanoseconds = gantry_now() - start
                }
                counts.add(done)
                counts.addTimes(of: done, done.flushNanoseconds)
                unsafe SimpleReply(handle: request.handle).store(to: reply.base)
            }
        } catch {
            size = unsafe storeError(error.wireNumber, error.message, request.handle, at: reply.base)
        }
        // A client that is gone is noticed by the connection's own thread.
        _ = unsafe transmit(reply.base, size)
    }

    /// CACHE: has the range read, so that it lies in memory for who reads it next; of a long one the beginning. A hint: what
    /// cannot be read now is not the client's concern yet.
    private func prefetch(_ request: NBDRequest, _ buffer: MappedBuffer) {
        var done: UInt64 = 0
        let length = min(UInt64(request.length), RequestPrice.longestPrefetch)
        while done < length {
            let part = min(length - done, UInt64(buffer.capacity))
            // SAFETY: the lane thread's own buffer.
            let place = unsafe UnsafeMutableRawBufferPointer(start: buffer.base, count: Int(part))
            guard (try? unsafe device.read(into: place, at: request.offset + done)) != nil else { return }
            done += part
        }
    }
}
