/// The releases in which a declaration changed after it was first there (`since`). A declaration that only ever was
/// published has an empty one.
public struct History: Hashable, Sendable {
    /// The release that had it before it was published.
    public let prototyped: String?
    /// Releases that changed what it means, oldest first.
    public let changed: [String]
    public let deprecated: String?
    public let removed: String?

    public init(
        prototyped: String? = nil, changed: [String] = [], deprecated: String? = nil, removed: String? = nil
    ) {
        self.prototyped = prototyped
        self.changed = changed
        self.deprecated = deprecated
        self.removed = removed
    }

    public static let none = History()

    /// What messages inherit from their class or field: how it ends, not how it came about.
    var ending: History { History(deprecated: deprecated, removed: removed) }
}
