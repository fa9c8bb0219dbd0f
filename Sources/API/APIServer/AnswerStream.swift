import RPCCodec

/// What stands around the value of a successful answer, in one encoding.
struct AnswerEnvelope<Writer: ValueWriter>: Sendable {
    /// A writer that has written nothing.
    let empty: Writer
    let begin: @Sendable (inout Writer) -> Void
    let end: @Sendable (inout Writer) -> Void
}

extension AnswerEnvelope where Writer == XMLRPCWriter {
    static var xml: AnswerEnvelope {
        AnswerEnvelope(empty: XMLRPCWriter(), begin: { $0.beginSuccess() }, end: { $0.endSuccess() })
    }
}

extension AnswerEnvelope where Writer == JSONWriter {
    static func json(_ version: JSONRPC.Version, _ id: JSONRPC.Identifier) -> AnswerEnvelope {
        AnswerEnvelope(
            empty: JSONWriter(), begin: { $0.beginSuccess(version) }, end: { $0.endSuccess(version, id) })
    }
}

/// An answer that is written piece by piece, so that its size does not matter. Clients are told its exact length.
protocol AnswerStream: Sendable {
    var form: AnswerForm { get }

    /// Writes the whole answer. Throws when the client is gone, or the task is cancelled.
    func write<Writer: ValueWriter>(
        as encoding: RPCEndpoint.Encoding, _ writer: ResponseWriter, in envelope: AnswerEnvelope<Writer>
    ) async throws
}

extension AnswerStream {
    /// Pieces are sent when they have so many bytes.
    static var piece: Int { 128 << 10 }

    func write(as encoding: RPCEndpoint.Encoding, _ writer: ResponseWriter) async throws {
        switch form {
        case .xml, .bareXML: try await write(as: encoding, writer, in: .xml)
        case .json(let version, let id): try await write(as: encoding, writer, in: .json(version, id))
        }
    }
}
