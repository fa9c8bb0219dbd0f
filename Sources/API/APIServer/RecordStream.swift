import NIOCore
import PoolDatabase
import RPCCodec

/// The answer of `get_all_records`: a map of records that is written row by row.
///
/// To know its length, the values that rows have of their own are written twice: once to be counted, once to be sent. That
/// costs less than to hold the text of 100,000 objects.
struct RecordStream: AnswerStream {
    let rows: RowList
    let form: AnswerForm

    /// An answer of so few rows is made as a whole.
    private static let few = 32
    /// Some milliseconds.
    private static let rowsInATurn = 2048

    func write<W: ValueWriter>(
        as encoding: RPCEndpoint.Encoding, _ writer: ResponseWriter, in envelope: AnswerEnvelope<W>
    ) async throws {
        let template = RecordTemplate(rows.schema, like: envelope.empty)
        var encoder = envelope.empty
        guard rows.count > Self.few else {
            envelope.begin(&encoder)
            encoder.beginStructure()
            for index in rows.indices { encoder.write(rows, index, template) }
            encoder.endStructure()
            envelope.end(&encoder)
            return try await writer.write(encoder.bytes, as: encoding)
        }
        let length = try await length(template, in: envelope)
        var body = try await writer.beginCall(as: encoding, length: length)
        envelope.begin(&encoder)
        encoder.beginStructure()
        for index in rows.indices {
            encoder.write(rows, index, template)
            guard encoder.bytes.count >= Self.piece else { continue }
            try await body.write(ByteBuffer(bytes: encoder.bytes))
            encoder.clear()
        }
        encoder.endStructure()
        envelope.end(&encoder)
        try await body.write(ByteBuffer(bytes: encoder.bytes))
        try await body.finish()
    }

    private func length<W: ValueWriter>(
        _ template: RecordTemplate<W>, in envelope: AnswerEnvelope<W>
    ) async throws -> Int64 {
        // All that is not a record.
        var frame = envelope.empty
        envelope.begin(&frame)
        frame.beginStructure()
        frame.endStructure()
        envelope.end(&frame)
        var length = Int64(frame.bytes.count)
        var encoder = envelope.empty
        for index in rows.indices {
            encoder.beginMember(rows.reference(index), isFirst: index == 0)
            encoder.endMember()
            length += Int64(encoder.bytes.count)
            encoder.clear()
            length += Int64(template.length(rows, index, by: &encoder))
            // Others want the thread, too, and the client may be gone.
            if index % Self.rowsInATurn == Self.rowsInATurn - 1 {
                try Task.checkCancellation()
                await Task.yield()
            }
        }
        return length
    }
}

extension ValueWriter {
    /// One record under its reference.
    fileprivate mutating func write(_ rows: RowList, _ index: Int, _ template: RecordTemplate<Self>) {
        beginMember(rows.reference(index), isFirst: index == 0)
        template.write(rows, index, to: &self)
        endMember()
    }
}
