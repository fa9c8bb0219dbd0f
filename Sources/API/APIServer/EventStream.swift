import APITypes
import NIOCore
import RPCCodec
import Toolstack

/// The answer of `event.from` that tells of many objects, written event by event. To know its length, what is sent is
/// written twice, once to be counted.
struct EventStream: AnswerStream {
    let batch: EventBatch
    let form: AnswerForm

    /// Some milliseconds.
    private static let eventsInATurn = 512

    func write<W: ValueWriter>(
        as encoding: RPCEndpoint.Encoding, _ writer: ResponseWriter, in envelope: AnswerEnvelope<W>
    ) async throws {
        var length: Int64 = 0
        try await pieces(in: envelope) { length += Int64($0.count) }
        var body = try await writer.beginCall(as: encoding, length: length)
        try await pieces(in: envelope) { try await body.write(ByteBuffer(bytes: $0)) }
        try await body.finish()
    }

    /// Gives `take` all of the answer, piece by piece.
    private func pieces<W: ValueWriter>(
        in envelope: AnswerEnvelope<W>, _ take: ([UInt8]) async throws -> Void
    ) async throws {
        var encoder = envelope.empty
        envelope.begin(&encoder)
        encoder.beginStructure()
        encoder.beginMember(EventBatch.eventsMember, isFirst: true)
        encoder.beginArray()
        for index in 0..<batch.count {
            encoder.beginElement(isFirst: index == 0)
            encoder.write(batch.event(index))
            if encoder.bytes.count >= Self.piece {
                try await take(encoder.bytes)
                encoder.clear()
            }
            // Others want the thread, too, and the client may be gone.
            if index % Self.eventsInATurn == Self.eventsInATurn - 1 {
                try Task.checkCancellation()
                await Task.yield()
            }
        }
        encoder.endArray()
        encoder.endMember()
        for member in batch.rest { encoder.write(member: member) }
        encoder.endStructure()
        envelope.end(&encoder)
        try await take(encoder.bytes)
    }
}

extension ValueWriter {
    /// A member of a structure that is not its first.
    fileprivate mutating func write(member: APIMember) {
        beginMember(member.name, isFirst: false)
        write(member)
        endMember()
    }
}
