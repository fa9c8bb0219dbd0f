import HTTPTypes

/// A request whose head is there; its body may still be on its way.
struct Request: Sendable {
    let head: RequestHead
    let body: RequestBody
    /// It came over the local socket: its sender is the local superuser.
    let isLocal: Bool

    var method: HTTPRequest.Method { HTTPRequest.Method(rawValue: head.method) ?? .get }

    /// Path and query.
    var target: String { head.target }

    var headers: HTTPFields {
        var all = HTTPFields()
        for (name, value) in head.allFields {
            if let name = HTTPField.Name(name) { all.append(HTTPField(name: name, value: value)) }
        }
        return all
    }
}
