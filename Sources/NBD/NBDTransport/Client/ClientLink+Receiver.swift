import BlockIO
import Glibc
import NBDProtocol
import Synchronization

// The receiver thread: reads replies until the stream ends or breaks the protocol, then fails every waiting call.
// SAFETY: heads are read from `need`-ed bytes; payloads are stored only inside the waiting caller's buffer.

extension ClientLink {
    /// A reply that the protocol does not allow.
    private struct Violation: Error {
        let what: String
        init(_ what: String) { self.what = what }
        static var endOfStream: Violation { Violation("") }
    }

    private static let extentLimit = 64 << 10
    /// Error chunks in one reply: one for each place that could not be read, and a reply that has only those ends, too.
    private static let errorLimit = 1024

    func receiveReplies(_ stream: ReplyStream) {
        do throws(Violation) {
            while true { try receiveReply(stream) }
        } catch {
            var reason = "the NBD server closed the connection"
            if !error.what.isEmpty { reason = "the NBD server broke the protocol: \(error.what)" }
            fail(BlockError(.disconnected, reason))
        }
        // No new call gets a slot any more.
        table.lock()
        let waiting = slots.filter { $0.active }
        let failure = failure
        table.unlock()
        for slot in waiting { end(slot, because: failure) }
        endUnsent()
    }

    private func receiveReply(_ stream: ReplyStream) throws(Violation) {
        guard stream.need(SimpleReply.size) else { throw .endOfStream }
        switch unsafe stream.front.big32(at: 0) {
        case NBDMagic.simpleReply:
            let reply = unsafe SimpleReply(from: stream.front)
            stream.skip(SimpleReply.size)
            let slot = try slot(of: reply.handle)
            if reply.error != 0 {
                slot.error = error(reply.error, "", slot)
            } else if slot.command == NBDCommand.read {
                guard !agreement.structuredReplies else { throw Violation("a simple reply to a read") }
                guard let destination = unsafe slot.destination, unsafe stream.take(Int(slot.length), to: destination)
                else { throw .endOfStream }
                if slot.length > 0 { _ = slot.coverage.add(0, UInt64(slot.length)) }
            }
            try complete(slot)
        case NBDMagic.structuredReply:
            guard agreement.structuredReplies else { throw Violation("a structured reply, though none was asked for") }
            guard stream.need(ChunkHead.size) else { throw .endOfStream }
            let chunk = unsafe ChunkHead(from: stream.front)
            stream.skip(ChunkHead.size)
            let slot = try slot(of: chunk.handle)
            try receiveChunk(chunk, slot, stream)
            if chunk.isLast { try complete(slot) }
        default:
            throw Violation("a reply does not begin with a magic number")
        }
    }

    private func slot(of handle: UInt64) throws(Violation) -> Slot {
        let index = Int(handle & 0xFF)
        guard index < slots.count else { throw Violation("a reply to no request") }
        let slot = slots[index]
        table.lock()
        let isKnown = slot.active && slot.handle == handle
        table.unlock()
        slot.monitor.lock()
        let isDone = slot.done
        slot.monitor.unlock()
        guard isKnown, !isDone else { throw Violation("a reply to no request") }
        return slot
    }

    private func receiveChunk(_ chunk: ChunkHead, _ slot: Slot, _ stream: ReplyStream) throws(Violation) {
        let length = Int(chunk.length)
        switch chunk.type {
        case ChunkType.none:
            guard length == 0, chunk.isLast else { throw Violation("an empty chunk with data") }
        case ChunkType.offsetData, ChunkType.offsetHole:
            let isHole = chunk.type == ChunkType.offsetHole
            guard slot.command == NBDCommand.read, let destination = unsafe slot.destination,
                isHole ? length == 12 : length > 8
            else { throw Violation("a chunk of data of the wrong size or to the wrong request") }
            guard stream.need(isHole ? 12 : 8) else { throw .endOfStream }
            let offset = unsafe stream.front.big64(at: 0)
            let count = isHole ? Int(unsafe stream.front.big32(at: 8)) : length - 8
            stream.skip(isHole ? 12 : 8)
            guard offset >= slot.offset else { throw Violation("data outside the request's range") }
            switch slot.coverage.add(offset - slot.offset, UInt64(count)) {
            case .taken: break
            case .empty: throw Violation("a chunk of data without data")
            case .outside: throw Violation("data outside the request's range")
            case .overlapping: throw Violation("the same data twice")
            case .scattered: throw Violation("data in too many pieces")
            }
            let place = unsafe destination + Int(offset - slot.offset)
            if isHole {
                unsafe memset(place, 0, count)
            } else if unsafe !stream.take(count, to: place) {
                throw .endOfStream
            }
        case ChunkType.blockStatus:
            try receiveExtents(length, slot, stream)
        case let type where ChunkType.isError(type):
            guard length >= 6, stream.need(6) else { throw Violation("an error chunk that is too short") }
            let number = unsafe stream.front.big32(at: 0)
            let textLength = Int(unsafe stream.front.big16(at: 4))
            stream.skip(6)
            guard textLength <= NBDLimits.name, textLength <= length - 6, length <= NBDLimits.optionData else {
                throw Violation("an error message that is too long")
            }
            guard stream.need(textLength) else { throw .endOfStream }
            let text = unsafe String(
                decoding: UnsafeRawBufferPointer(start: stream.front, count: textLength), as: UTF8.self)
            stream.skip(textLength)
            guard stream.drop(length - 6 - textLength) else { throw .endOfStream }
            slot.errorChunks += 1
            guard slot.errorChunks <= Self.errorLimit else { throw Violation("a reply of errors without end") }
            // The first tells most.
            if slot.error == nil { slot.error = error(number == 0 ? NBDErrno.io : number, text, slot) }
        default:
            throw Violation("a chunk of unknown type \(chunk.type)")
        }
    }

    /// Context, then (length, state) of each extent. The last may reach past the request; it is cut.
    private func receiveExtents(_ length: Int, _ slot: Slot, _ stream: ReplyStream) throws(Violation) {
        // One chunk for each context, and one context was chosen.
        guard slot.extents.isEmpty else { throw Violation("the same block status twice") }
        guard slot.command == NBDCommand.blockStatus, length >= 12, (length - 4) % 8 == 0,
            length <= 4 + 8 * Self.extentLimit, stream.need(4),
            unsafe stream.front.big32(at: 0) == agreement.allocationContext
        else { throw Violation("a malformed block status") }
        stream.skip(4)
        var position = slot.offset
        let end = slot.offset + UInt64(slot.length)
        for _ in 0..<(length - 4) / 8 {
            guard stream.need(8) else { throw .endOfStream }
            let count = unsafe UInt64(stream.front.big32(at: 0))
            let state = unsafe stream.front.big32(at: 4)
            stream.skip(8)
            guard count > 0 else { throw Violation("an empty extent") }
            if position >= end { continue }
            let kind: Extent.Kind =
                switch state & (AllocationState.hole | AllocationState.zero) {
                case AllocationState.hole | AllocationState.zero: .hole
                case AllocationState.zero: .zero
                default: .data
                }
            let part = min(count, end - position)
            slot.extents.appendJoining(Extent(offset: position, length: part, kind: kind))
            position += part
        }
    }

    private func complete(_ slot: Slot) throws(Violation) {
        if slot.error == nil {
            if slot.command == NBDCommand.read, !slot.coverage.isComplete {
                throw Violation("a read was answered in part")
            }
            if slot.command == NBDCommand.blockStatus, slot.extents.isEmpty {
                throw Violation("a block status without extents")
            }
        }
        end(slot)
        if hasUnsentChanges.load(ordering: .sequentiallyConsistent) { endUnsent() }
    }

    private func error(_ number: UInt32, _ text: String, _ slot: Slot) -> BlockError {
        let name: StaticString =
            switch slot.command {
            case NBDCommand.read: "read"
            case NBDCommand.write: "write"
            case NBDCommand.flush: "flush"
            case NBDCommand.trim: "trim"
            case NBDCommand.writeZeroes: "write zeroes"
            case NBDCommand.blockStatus: "block status"
            default: "request"
            }
        return BlockError(wireNumber: number, request: name, detail: text, offset: slot.offset)
    }
}
