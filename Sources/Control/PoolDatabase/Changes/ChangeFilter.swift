/// Which rows somebody watches: all that are shown in events, whole classes, single objects.
public struct ChangeFilter: Hashable, Sendable {
    public var everything: Bool
    /// Exact names.
    public var classes: Set<String>
    /// References by class.
    public var objects: [String: Set<String>]

    public init(everything: Bool = false, classes: Set<String> = [], objects: [String: Set<String>] = [:]) {
        self.everything = everything
        self.classes = classes
        self.objects = objects
    }

    public static let all = ChangeFilter(everything: true)

    public func covers(_ className: String, _ ref: String) -> Bool {
        everything || classes.contains(className) || objects[className]?.contains(ref) ?? false
    }
}
