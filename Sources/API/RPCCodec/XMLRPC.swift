/// XML-RPC as XenAPI speaks it: answers are a struct of `Status` and `Value` or `ErrorDescription`, never a fault.
public enum XMLRPC {
    public static let contentType = "text/xml"

    static let declaration: StaticString = "<?xml version=\"1.0\"?>"

    /// A call as a client sends it.
    public static func encode(_ call: RPCCall) -> [UInt8] {
        var writer = XMLRPCWriter()
        writer.markup(declaration)
        writer.markup("<methodCall><methodName>")
        writer.escaped(call.method)
        writer.markup("</methodName><params>")
        for parameter in call.parameters {
            writer.markup("<param>")
            writer.value(parameter)
            writer.markup("</param>")
        }
        writer.markup("</params></methodCall>")
        return writer.bytes
    }

    /// The call in the body of a request. Throws for what is none, nests too deeply or is not UTF-8.
    public static func decodeCall(_ bytes: [UInt8]) throws(RPCError) -> RPCCall {
        var decoder = try XMLRPCDecoder(bytes)
        return try decoder.call()
    }

    /// An answer in its envelope.
    public static func encode(_ reply: RPCReply) -> [UInt8] {
        let members: [WireMember] =
            switch reply {
            case .success(let value): [WireMember("Status", .string("Success")), WireMember("Value", value)]
            case .failure(let description):
                [
                    WireMember("Status", .string("Failure")),
                    WireMember("ErrorDescription", .array(description.map(WireValue.string))),
                ]
            }
        return encodeBare(.structure(members))
    }

    /// An answer without the `Status` envelope: `system.listMethods` has none.
    public static func encodeBare(_ value: WireValue) -> [UInt8] {
        var writer = XMLRPCWriter()
        writer.markup(declaration)
        writer.markup("<methodResponse><params><param>")
        writer.value(value)
        writer.markup("</param></params></methodResponse>")
        return writer.bytes
    }

    /// An answer, with or without envelope. A fault becomes a failure with the code `Fault`.
    public static func decodeReply(_ bytes: [UInt8]) throws(RPCError) -> RPCReply {
        var decoder = try XMLRPCDecoder(bytes)
        let (value, isFault) = try decoder.response()
        if isFault {
            guard case .string(let text)? = value["faultString"] else { return .failure(["Fault"]) }
            return .failure(["Fault", text])
        }
        switch value["Status"] {
        case .string("Success")?:
            return .success(value["Value"] ?? .void)
        case .string("Failure")?:
            guard case .array(let items)? = value["ErrorDescription"] else { return .failure(["INTERNAL_ERROR"]) }
            return .failure(items.map(\.plainText))
        default:
            return .success(value)
        }
    }

    /// What a program that speaks plain XML-RPC answers.
    public enum Response: Hashable, Sendable {
        case value(WireValue)
        case fault(code: Int64, text: String)
    }

    /// An answer without XenAPI's envelope. Throws when a fault has no number or no text.
    public static func decodeResponse(_ bytes: [UInt8]) throws(RPCError) -> Response {
        var decoder = try XMLRPCDecoder(bytes)
        let (value, isFault) = try decoder.response()
        guard isFault else { return .value(value) }
        let code: Int64? =
            switch value["faultCode"] {
            case .int(let number)?: number
            case .string(let text)?: Int64(text)
            default: nil
            }
        guard let code, case .string(let text)? = value["faultString"] else {
            throw RPCError(.malformed, "a fault without a number and a text", at: 0)
        }
        return .fault(code: code, text: text)
    }

    /// `<value>…</value>` alone, as `task.result` has it.
    public static func encodeValue(_ value: WireValue) -> String {
        var writer = XMLRPCWriter()
        writer.value(value)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    /// Reads what `encodeValue` writes.
    public static func decodeValue(_ text: String) throws(RPCError) -> WireValue {
        var decoder = try XMLRPCDecoder(Array(text.utf8))
        return try decoder.single()
    }
}

extension WireValue {
    /// What a person would read; for the items of an error, which are strings unless the peer is odd.
    var plainText: String {
        switch self {
        case .string(let text), .dateTime(let text), .base64(let text): text
        case .int(let number): String(number)
        case .int32(let number): String(number)
        case .bool(let flag): String(flag)
        case .double(let number): FloatText.format(number)
        case .array, .structure: XMLRPC.encodeValue(self)
        case .null: ""
        }
    }
}
