import BlockIO
import CLinux
import NBDProtocol

// What is done ahead of reads that come from storage (`ColdReadGauge`).
// SAFETY: places in the input buffer stay at or below `end`, and `end` below the buffer's capacity.

extension ExportSession {
    /// Reads that are answered at a time, so that the client sends more while storage works on the rest.
    private static let step: UInt64 = 8
    /// Requests waiting, in bytes, from which on no more are taken in.
    private static let enough = 64 << 10

    /// Takes in what the client has sent meanwhile and tells the device of all reads that are there. Returns how many shall be
    /// done before this is called again.
    func announceArrived() -> UInt64 {
        // In TLS there is no way to receive without waiting for the rest of a record.
        let takesIn = channel.tls == nil
        if takesIn, end - begin < Self.enough {
            if begin >= Self.window { move(to: Self.aligned - NBDRequest.size) }
            // What is wrong with the socket is seen by who waits for it.
            let count = unsafe gantry_receive_at_once(channel.descriptor, input.base + end, Self.window)
            end += max(0, Int(count))
        }
        announceReads()
        return takesIn ? Self.step : .max
    }

    private func announceReads() {
        var place = max(begin, announced)
        while end - place >= NBDRequest.size, let request = unsafe NBDRequest(from: input.base + place) {
            var next = place + NBDRequest.size
            if request.command == NBDCommand.write {
                if Int(request.length) > end - next { break }
                next += Int(request.length)
            } else if request.command == NBDCommand.read, request.length <= NBDLimits.payload, isInside(request) {
                device.willRead(at: request.offset, length: UInt64(request.length))
            }
            place = next
        }
        announced = place
    }
}
