/// An error of the datamodel.
public struct ErrorDeclaration: Hashable, Sendable {
    /// E.g. `VDI_IN_USE`.
    public let code: String
    /// What the parameters are, in order. At run time an error may carry fewer or more.
    public let parameters: [String]
    /// One sentence for people; nil when there is none yet.
    public let text: String?

    public init(_ code: String, _ parameters: [String], text: String? = nil) {
        self.code = code
        self.parameters = parameters
        self.text = text
    }
}
