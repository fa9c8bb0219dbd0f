/// Where a declaration is in its life.
public enum LifecycleState: String, Sendable {
    /// May still change.
    case prototyped
    case published
    case deprecated
    /// A removed message answers MESSAGE_REMOVED, also the accessors of a removed field; the field is still part of the record.
    case removed
}
