/// Who may do what, and what only some may know.
extension Family {
    static let subject = Family(
        "subject", className: "subject", columns: ["uuid", "subject-identifier", "other-config", "roles"],
        table: subjectFields)
    static let role = Family(
        "role", className: "role", columns: ["uuid", "name", "description"], table: roleFields)
    static let secret = Family("secret", className: "secret", columns: [], table: secretFields)

    private static let subjectFields = """
        uuid               RO
        subject-identifier RO
        other-config       MRO
        roles              SRO roles@role.name_label
        """

    private static let roleFields = """
        uuid        RO
        name        RO name_label
        description RO name_description
        """

    private static let secretFields = """
        uuid  RO
        value RW
        """
}
