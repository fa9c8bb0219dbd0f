/// JSON-RPC 1.0 and 2.0 as XenAPI speaks them. The version is chosen by each request.
public enum JSONRPC {
    public static let contentType = "application/json"

    public enum Version: Hashable, Sendable { case v1, v2 }

    /// What ties an answer to its request.
    public enum Identifier: Hashable, Sendable {
        case int(Int64)
        case string(String)

        var wire: WireValue {
            switch self {
            case .int(let number): .int(number)
            case .string(let text): .string(text)
            }
        }
    }

    /// A call, and what its answer must repeat.
    public struct Request: Hashable, Sendable {
        public let version: Version
        public let id: Identifier
        public let call: RPCCall

        public init(_ call: RPCCall, id: Identifier, version: Version = .v2) {
            self.call = call
            self.id = id
            self.version = version
        }
    }

    // MARK: - Server

    /// No `jsonrpc` member: version 1.0. An object as params of 2.0 is one struct. An id is required.
    public static func decodeRequest(_ bytes: [UInt8]) throws(RPCError) -> Request {
        let envelope = try JSONReader.read(bytes)
        guard case .structure = envelope else { throw malformed("a request is an object") }
        let version: Version
        switch envelope["jsonrpc"] {
        case nil: version = .v1
        case .string("2.0")?: version = .v2
        case .string("1.0")?: version = .v1
        default: throw malformed("jsonrpc is neither 1.0 nor 2.0")
        }
        guard case .string(let method)? = envelope["method"] else { throw malformed("the method is missing") }
        let parameters: [WireValue]
        switch (envelope["params"], version) {
        case (.array(let values)?, _): parameters = values
        case (.structure(let members)?, .v2): parameters = [.structure(members)]
        case (nil, .v2): parameters = []
        default: throw malformed("params is not an array")
        }
        return Request(RPCCall(method, parameters), id: try identifier(envelope["id"]), version: version)
    }

    /// An answer in the version of its request.
    public static func encode(_ reply: RPCReply, to request: Request) -> [UInt8] {
        switch reply {
        case .failure(let error): return encode(failure: error, version: request.version, id: request.id)
        case .success(let value):
            var writer = JSONWriter()
            writer.beginSuccess(request.version)
            writer.value(value)
            writer.endSuccess(request.version, request.id)
            return writer.bytes
        }
    }

    /// The answer of a failed call: `error` is the code and its parameters.
    public static func encode(failure error: [String], version: Version, id: Identifier) -> [UInt8] {
        let id = WireMember("id", id.wire)
        let members: [WireMember] =
            switch version {
            case .v1: [WireMember("result", .null), WireMember("error", strings(error)), id]
            case .v2:
                [
                    WireMember("jsonrpc", .string("2.0")),
                    WireMember(
                        "error",
                        .structure([
                            WireMember("code", .int(1)),
                            WireMember("message", .string(error.first ?? "INTERNAL_ERROR")),
                            WireMember("data", strings(Array(error.dropFirst()))),
                        ])), id,
                ]
            }
        return JSONWriter.write(.structure(members))
    }

    /// The answer when the call was refused before it was looked at: the host is starting or in an emergency.
    public static func encodeEarlyFailure(_ error: [String]) -> [UInt8] {
        JSONWriter.write(
            .structure([
                WireMember("jsonrpc", .string("2.0")), WireMember("error", strings(error)), WireMember("id", .int(0)),
            ]))
    }

    // MARK: - Client

    /// A call as a client sends it.
    public static func encode(_ request: Request) -> [UInt8] {
        var members = [
            WireMember("method", .string(request.call.method)), WireMember("params", .array(request.call.parameters)),
            WireMember("id", request.id.wire),
        ]
        if request.version == .v2 { members.insert(WireMember("jsonrpc", .string("2.0")), at: 0) }
        return JSONWriter.write(.structure(members))
    }

    /// The answer of either version, and which request it is for.
    public static func decodeReply(_ bytes: [UInt8]) throws(RPCError) -> (reply: RPCReply, id: Identifier) {
        let envelope = try JSONReader.read(bytes)
        guard case .structure = envelope else { throw malformed("an answer is an object") }
        let id = try identifier(envelope["id"])
        switch envelope["error"] {
        case nil, .null?:
            guard let result = envelope["result"] else { throw malformed("an answer has a result or an error") }
            return (.success(result), id)
        case .array(let items)?:
            return (.failure(items.map(\.plainText)), id)
        case .structure(let members)?:
            let error = WireValue.structure(members)
            var description = [error["message"]?.plainText ?? "INTERNAL_ERROR"]
            if case .array(let items)? = error["data"] { description += items.map(\.plainText) }
            return (.failure(description), id)
        default:
            throw malformed("the error is neither an array nor an object")
        }
    }

    // MARK: - Parts

    private static func identifier(_ value: WireValue?) throws(RPCError) -> Identifier {
        switch value {
        case .int(let number)?: return .int(number)
        case .string(let text)?: return .string(text)
        default: throw malformed("the id is neither a number nor a string")
        }
    }

    private static func strings(_ texts: [String]) -> WireValue { .array(texts.map(WireValue.string)) }

    private static func malformed(_ message: String) -> RPCError { RPCError(.malformed, message, at: 0) }
}

/// Plain JSON, for everything that is not an RPC.
public enum JSONText {
    /// The value as text, without blanks.
    public static func encode(_ value: WireValue) -> String { String(decoding: JSONWriter.write(value), as: UTF8.self) }
    /// Throws for what is no JSON, nests too deeply, or has something behind its end.
    public static func decode(_ text: String) throws(RPCError) -> WireValue { try JSONReader.read(Array(text.utf8)) }
}
