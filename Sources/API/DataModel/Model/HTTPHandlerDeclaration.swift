/// A path that is served over HTTP beside the messages.
public struct HTTPHandlerDeclaration: Hashable, Sendable {
    public enum Method: String, Sendable {
        case get = "GET"
        case put = "PUT"
        case post = "POST"
        case connect = "CONNECT"
        case options = "OPTIONS"
    }

    /// E.g. `put_import_raw_vdi`; the permission is `http/` and the name.
    public let name: String
    public let method: Method
    /// The longest declared path that a request's path begins with decides.
    public let path: String
    public let role: RequiredRole
    /// False: the handler looks at no session, or checks by itself what is asked of it.
    public let isChecked: Bool
    /// Part of what clients may rely on.
    public let isPublic: Bool
    /// Query arguments and their types, as `name:type`.
    public let arguments: [String]
    /// Permissions of their own inside the handler, by name.
    public let subActions: [String: RequiredRole]

    public init(
        _ name: String, _ method: Method, _ path: String, role: RequiredRole, isChecked: Bool = true,
        isPublic: Bool = false, arguments: [String] = [], subActions: [String: RequiredRole] = [:]
    ) {
        self.name = name
        self.method = method
        self.path = path
        self.role = role
        self.isChecked = isChecked
        self.isPublic = isPublic
        self.arguments = arguments
        self.subActions = subActions
    }
}
