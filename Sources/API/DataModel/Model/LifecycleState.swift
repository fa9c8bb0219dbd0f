/// Where a declaration is in its life.
public enum LifecycleState: String, Sendable {
    /// May still change.
    case prototyped
    case published
    case deprecated
    /// A removed message answers MESSAGE_REMOVED; a removed field is still part of the record.
    case removed
}
