import HTTPTypes
import NIOCore
import RPCCodec
import Toolstack

/// The answer of `get_all_records`: a map of records that is written row by row, so that its size does not matter.
///
/// Clients are told the exact length, so every row is encoded twice: once to be counted, once to be sent. That costs
/// less than to hold the text of 100,000 objects.
struct RecordStream: Sendable {
    let records: ObjectRecords
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
        var names = MemberNames()
        guard records.count > Self.few else {
            begin(&encoder)
            encoder.beginStructure()
            for index in 0..<records.count { encoder.write(records, index, &names) }
            encoder.endStructure()
            end(&encoder)
            return try await writer.write(encoder.bytes, as: encoding)
        }
        let length = try await length(empty, begin: begin, end: end)
        var body = try await writer.beginCall(as: encoding, length: length)
        begin(&encoder)
        encoder.beginStructure()
        for index in 0..<records.count {
            encoder.write(records, index, &names)
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
        var names = MemberNames()
        begin(&encoder)
        encoder.beginStructure()
        var length: Int64 = 0
        for index in 0..<records.count {
            encoder.write(records, index, &names)
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

/// The names of a record's members as they are written: the same for every record, so they are written once.
private struct MemberNames {
    private var written: [[UInt8]] = []

    /// What begins member `index`, `name`.
    mutating func bytes<W: ValueWriter>(_ index: Int, _ name: String, like writer: W) -> [UInt8] {
        if index == written.count {
            var one = writer
            one.clear()
            one.beginMember(name, isFirst: index == 0)
            written.append(one.bytes)
        }
        return written[index]
    }
}

extension ValueWriter {
    /// One record under its reference.
    fileprivate mutating func write(_ records: ObjectRecords, _ index: Int, _ names: inout MemberNames) {
        beginMember(records.reference(index), isFirst: index == 0)
        beginStructure()
        var position = 0
        records.forEachField(index) { name, value in
            append(names.bytes(position, name, like: self))
            write(value)
            endMember()
            position += 1
        }
        endStructure()
        endMember()
    }
}
