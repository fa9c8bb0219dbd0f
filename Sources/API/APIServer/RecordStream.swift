import HTTPTypes
import NIOCore
import PoolDatabase
import RPCCodec

/// The answer of `get_all_records`: a map of records that is written row by row, so that its size does not matter.
///
/// Clients are told the exact length, so every row is encoded twice: once to be counted, once to be sent. That costs
/// less than to hold the text of 100,000 objects.
struct RecordStream: Sendable {
    let rows: [Row]
    let form: AnswerForm

    /// Rows are sent together until they make up so many bytes.
    private static let piece = 128 << 10
    /// An answer of so few rows is made as a whole.
    private static let few = 32

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
        var encoder = empty
        guard rows.count > Self.few else {
            begin(&encoder)
            encoder.beginStructure()
            for (index, row) in rows.enumerated() { encoder.write(entry: row, isFirst: index == 0) }
            encoder.endStructure()
            end(&encoder)
            return try await writer.write(encoder.bytes, as: encoding)
        }
        let length = try await length(empty, begin: begin, end: end)
        var body = try await writer.beginCall(as: encoding, length: length)
        begin(&encoder)
        encoder.beginStructure()
        for (index, row) in rows.enumerated() {
            encoder.write(entry: row, isFirst: index == 0)
            guard encoder.bytes.count >= Self.piece else { continue }
            try await body.write(ByteBuffer(bytes: encoder.bytes))
            encoder.clear()
        }
        encoder.endStructure()
        end(&encoder)
        try await body.write(ByteBuffer(bytes: encoder.bytes))
        try await body.finish()
    }

    private func length<W: ValueWriter>(
        _ empty: W, begin: (inout W) -> Void, end: (inout W) -> Void
    ) async throws -> Int64 {
        var encoder = empty
        begin(&encoder)
        encoder.beginStructure()
        var length: Int64 = 0
        for (index, row) in rows.enumerated() {
            encoder.write(entry: row, isFirst: index == 0)
            length += Int64(encoder.bytes.count)
            encoder.clear()
            // Others want the thread, too, and the client may be gone.
            if index % 1024 == 1023 {
                try Task.checkCancellation()
                await Task.yield()
            }
        }
        encoder.endStructure()
        end(&encoder)
        return length + Int64(encoder.bytes.count)
    }
}

extension ValueWriter {
    /// One row under its reference.
    fileprivate mutating func write(entry row: Row, isFirst: Bool) {
        beginMember(row.ref, isFirst: isFirst)
        beginStructure()
        var isFirst = true
        for field in row.schema.fields where field.isPublic {
            beginMember(field.name, isFirst: isFirst)
            write(row[field: field.name])
            endMember()
            isFirst = false
        }
        endStructure()
        endMember()
    }
}
