extension Family {
    static let console = Family(
        "console", className: "console",
        columns: ["uuid", "vm-uuid", "vm-name-label", "protocol", "location"],
        table: consoleFields)

    private static let consoleFields = """
        uuid          RO
        vm-uuid       RO  VM@VM
        vm-name-label RO  VM@VM.name_label
        protocol      RO
        location      RO
        other-config  MRW
        """
}
