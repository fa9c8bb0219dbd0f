// Generated from DataModel by scripts/generate.sh. Do not edit.

/// The class `task`.
public enum XenTask: XenClass {
    public static let className = "task"

    public static let uuid = FieldKey<XenTask, String>("uuid")
    public static let nameLabel = FieldKey<XenTask, String>("name_label")
    public static let nameDescription = FieldKey<XenTask, String>("name_description")
    public static let allowedOperations = FieldKey<XenTask, [TaskAllowedOperations]>("allowed_operations")
    public static let currentOperations = FieldKey<XenTask, [String: TaskAllowedOperations]>("current_operations")
    public static let created = FieldKey<XenTask, APIDate>("created")
    public static let finished = FieldKey<XenTask, APIDate>("finished")
    public static let status = FieldKey<XenTask, TaskStatusType>("status")
    /// Never sent to clients.
    public static let session = FieldKey<XenTask, Ref<Session>>("session")
    public static let residentOn = FieldKey<XenTask, Ref<Host>>("resident_on")
    public static let progress = FieldKey<XenTask, Double>("progress")
    /// Never sent to clients.
    public static let externalpid = FieldKey<XenTask, Int64>("externalpid")
    /// Never sent to clients.
    public static let stunnelpid = FieldKey<XenTask, Int64>("stunnelpid")
    /// Never sent to clients.
    public static let forwarded = FieldKey<XenTask, Bool>("forwarded")
    /// Never sent to clients.
    public static let forwardedTo = FieldKey<XenTask, Ref<Host>>("forwarded_to")
    public static let type = FieldKey<XenTask, String>("type")
    public static let result = FieldKey<XenTask, String>("result")
    public static let errorInfo = FieldKey<XenTask, [String]>("error_info")
    public static let otherConfig = FieldKey<XenTask, [String: String]>("other_config")
    public static let subtaskOf = FieldKey<XenTask, Ref<XenTask>>("subtask_of")
    public static let subtasks = FieldKey<XenTask, [Ref<XenTask>]>("subtasks")
    public static let backtrace = FieldKey<XenTask, String>("backtrace")
}
