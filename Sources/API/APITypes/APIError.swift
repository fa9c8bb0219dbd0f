/// A failure as XenAPI reports it: a code of the datamodel and its parameters, in its order.
public struct APIError: Error, Hashable, Sendable, CustomStringConvertible {
    public let code: String
    public let parameters: [String]

    public init(_ code: String, _ parameters: [String] = []) {
        self.code = code
        self.parameters = parameters
    }

    public init(_ code: String, _ parameters: String...) { self.init(code, parameters) }

    public var description: String { ([code] + parameters).joined(separator: ", ") }

    /// `ErrorDescription` of the wire: the code, then the parameters.
    public var wire: [String] { [code] + parameters }
}

extension APIError {
    public static func internalError(_ text: String) -> APIError { APIError("INTERNAL_ERROR", text) }
    public static func handleInvalid(_ className: String, _ ref: String) -> APIError {
        APIError("HANDLE_INVALID", className, ref)
    }
    public static func uuidInvalid(_ className: String, _ uuid: String) -> APIError {
        APIError("UUID_INVALID", className, uuid)
    }
}
