import HTTPTypes
import NIOCore

/// A response whose body is small and known.
struct HTTPAnswer: Sendable {
    let status: HTTPResponse.Status
    var fields: HTTPFields
    let body: ByteBuffer

    init(_ status: HTTPResponse.Status, fields: HTTPFields = [:], contentType: String?, body: [UInt8]) {
        self.status = status
        self.fields = fields
        if let contentType { self.fields[.contentType] = contentType }
        self.fields[.contentLength] = String(body.count)
        self.body = ByteBuffer(bytes: body)
    }

    /// A small HTML page that says what is wrong.
    static func error(_ status: HTTPResponse.Status, _ text: String, fields: HTTPFields = [:]) -> HTTPAnswer {
        let page = "<html><body><h1>HTTP \(status.code) \(phrase(of: status))</h1><p>\(escape(text))</p></body></html>"
        var fields = fields
        // RFC 9110 §15.5.22.
        if status == .upgradeRequired { fields.set("Upgrade", "websocket") }
        if status == .unauthorized { fields.set("WWW-Authenticate", "Basic realm=\"Gantry\"") }
        return HTTPAnswer(status, fields: fields, contentType: "text/html", body: Array(page.utf8))
    }

    /// The words of the status line, as XenAPI clients have always seen them.
    static func phrase(of status: HTTPResponse.Status) -> String {
        status == .internalServerError ? "Internal Error" : status.reasonPhrase
    }

    func write(_ writer: consuming ResponseWriter) async throws { try await writer.write(self) }

    private static func escape(_ text: String) -> String {
        var all = ""
        for letter in text {
            switch letter {
            case "<": all += "&lt;"
            case ">": all += "&gt;"
            case "&": all += "&amp;"
            default: all.append(letter)
            }
        }
        return all
    }
}

/// A refusal to be told in HTTP rather than in the body of an RPC.
struct HTTPFailure: Error {
    let status: HTTPResponse.Status
    let text: String

    init(_ status: HTTPResponse.Status, _ text: String) {
        self.status = status
        self.text = text
    }
}

extension HTTPFields {
    /// Sets a field by the text of its name; names that HTTP does not allow are ignored.
    mutating func set(_ name: String, _ value: String) {
        if let name = HTTPField.Name(name) { self[name] = value }
    }

    subscript(text name: String) -> String? { HTTPField.Name(name).flatMap { self[$0] } }
}
