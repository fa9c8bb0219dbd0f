extension Family {
    static let task = Family(
        "task", className: "task",
        columns: ["uuid", "name-label", "name-description", "status", "progress"],
        table: taskFields)

    private static let taskFields = """
        uuid               RO
        name-label         RO
        name-description   RO
        subtask_of         RO  subtask_of@task
        subtasks           RO  subtasks@task
        resident-on        RO  resident_on@host
        status             RO
        progress           RO
        type               RO
        result             RO
        created            RO
        finished           RO
        error_info         RO
        allowed_operations RO  allowed_operations:task-operations
        current_operations RO  current_operations:values,task-operations
        other-config       MRW
        """
}
