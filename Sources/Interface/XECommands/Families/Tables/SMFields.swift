extension Family {
    static let sm = Family(
        "sm", className: "SM",
        columns: ["uuid", "type", "name-label", "name-description", "vendor", "copyright", "configuration"],
        table: smFields)

    private static let smFields = """
        uuid                    RO
        name-label              RO
        name-description        RO
        type                    RO
        vendor                  RO
        copyright               RO
        required-api-version    RO
        capabilities            RO!
        features                MRO
        configuration           RO
        driver-filename         RO
        required-cluster-stack  RO  required_cluster_stack:commas
        supported-image-formats RO
        """
}
