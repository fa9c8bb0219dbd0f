import APITypes
import NIOCore
import RPCCodec
import Toolstack

/// XML-RPC and JSON-RPC over POST. Failures of the API are answers of status 200 like any other.
struct RPCEndpoint: Sendable {
    let dispatcher: Dispatcher
    private let shared = SharedAnswers()

    init(dispatcher: Dispatcher) { self.dispatcher = dispatcher }

    enum Encoding: Sendable {
        case xml
        case json

        var contentType: String {
            switch self {
            case .xml: XMLRPC.contentType
            case .json: JSONRPC.contentType
            }
        }
    }

    enum Begun: Sendable {
        /// The body of the answer.
        case reply([UInt8])
        /// The body is no call at all.
        case notACall
        case later(PendingCall)
    }

    /// Decodes a call, and answers it when that takes no waiting. Never waits for anything: the event loop calls it.
    func begin(_ head: RequestHead, _ body: [UInt8], as encoding: Encoding, isLocal: Bool) -> Begun {
        let call: RPCCall
        let form: AnswerForm
        do throws(RPCError) {
            switch encoding {
            case .xml:
                call = try XMLRPC.decodeCall(body)
                // The one answer without the envelope.
                form = call.method == "system.listMethods" ? .bareXML : .xml
            case .json:
                let request = try JSONRPC.decodeRequest(body)
                call = request.call
                form = .json(request.version, request.id)
            }
        } catch {
            // Text that is not UTF-8 is an error of the API, other mistakes are not even a call.
            guard case .xml = encoding, error.kind == .invalidUTF8 else { return .notACall }
            return .reply(
                AnswerForm.xml.encode(
                    failure: APIError("INVALID_VALUE", error.description, error.offendingText ?? "")))
        }
        switch dispatcher.answerNow(method: call.method, params: call.parameters) {
        case .success(let value)?: return .reply(form.encode(value))
        case .failure(let error)?: return .reply(form.encode(failure: error))
        case nil:
            let client = ClientInfo(
                isLocalSocket: isLocal, userAgent: head["user-agent"], originator: head["originator"],
                parentTask: head["subtask-of"].map(Ref<XenTask>.init))
            return .later(PendingCall(call: call, form: form, encoding: encoding, client: client))
        }
    }

    /// Carries out a call that has to wait for something, and writes its answer.
    func carryOut(_ pending: PendingCall, _ writer: ResponseWriter) async throws {
        let form = pending.form
        let body: [UInt8]
        switch await dispatcher.answer(
            method: pending.call.method, params: pending.call.parameters, client: pending.client)
        {
        case .success(.value(let value)):
            let isShared = SharedAnswers.areShared(of: pending.call.method)
            body = isShared ? shared.encode(value, as: form) : form.encode(value)
        case .failure(let error): body = form.encode(failure: error)
        case .success(.events(let batch)):
            return try await EventStream(batch: batch, form: form).write(as: pending.encoding, writer)
        case .success(.records(let rows)):
            return try await RecordStream(rows: rows, form: form).write(as: pending.encoding, writer)
        }
        guard body.count > Self.piece else { return try await writer.write(body, as: pending.encoding) }
        // What the client has not taken is here once, and not again on its way, or enciphered.
        var stream = try await writer.beginCall(as: pending.encoding, length: Int64(body.count))
        for start in stride(from: 0, to: body.count, by: Self.piece) {
            try await stream.write(ByteBuffer(bytes: body[start..<min(start + Self.piece, body.count)]))
        }
        try await stream.finish()
    }

    /// Longer answers are handed on in pieces of so many bytes.
    private static let piece = 128 << 10
}

/// A call that was understood and is not answered yet.
struct PendingCall: Sendable {
    let call: RPCCall
    let form: AnswerForm
    let encoding: RPCEndpoint.Encoding
    let client: ClientInfo
}
