/// The line that a data path writes to its standard output when it serves.
public struct DatapathReady: Codable, Sendable {
    public var ready = true
    /// What of its isolation the system does not permit, each in a word: `root`, `namespaces`, `files`, `user`. Nil where none
    /// was asked for.
    public var without: [String]?

    public init(without: [String]? = nil) { self.without = without }
}
