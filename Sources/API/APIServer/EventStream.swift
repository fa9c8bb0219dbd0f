import APITypes
import NIOCore
import RPCCodec
import Toolstack

/// The answer of `event.from` that tells of many objects: written event by event, so that its size does not matter. As for
/// `RecordStream`, clients are told the exact length: what is sent is written twice, once to be counted.
struct EventStream: Sendable {
    let batch: EventBatch
    let form: AnswerForm

    /// Events are sent together until they make up so many bytes.
    private static let piece = 128 << 10
    /// Some milliseconds.
    private static let eventsInATurn = 512

    func write(as encoding: RPCEndpoint.Encoding, _ writer: ResponseWriter) async throws {
        switch form {
        case .xml, .bareXML:
            try await write(
                as: encoding, writer, XMLRPCWriter(), begin: { $0.beginSuccess() }, end: { $0.endSuccess() })
        case .json(let version, let id):
            try await write(
                as: encoding, writer, JSONWriter(), begin: { $0.beginSuccess(version) },
                end: { $0.endSuccess(version, id) })
        }
    }

    private func write<W: ValueWriter>(
        as encoding: RPCEndpoint.Encoding, _ writer: ResponseWriter, _ empty: W, begin: (inout W) -> Void,
        end: (inout W) -> Void
    ) async throws {
        var length: Int64 = 0
        try await pieces(empty, begin: begin, end: end) { length += Int64($0.count) }
        var body = try await writer.beginCall(as: encoding, length: length)
        try await pieces(empty, begin: begin, end: end) { try await body.write(ByteBuffer(bytes: $0)) }
        try await body.finish()
    }

    /// Gives `take` all of the answer, piece by piece.
    private func pieces<W: ValueWriter>(
        _ empty: W, begin: (inout W) -> Void, end: (inout W) -> Void, _ take: ([UInt8]) async throws -> Void
    ) async throws {
        var encoder = empty
        begin(&encoder)
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
        end(&encoder)
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
