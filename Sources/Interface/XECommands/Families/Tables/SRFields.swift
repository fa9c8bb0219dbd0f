extension Family {
    static let sr = Family(
        "sr", className: "SR",
        columns: ["uuid", "name-label", "name-description", "host", "type", "content-type"],
        table: srFields)

    private static let srFields = """
        uuid                 RO
        name-label           RW
        name-description     RW
        host                 RO  (host)
        allowed-operations   SRO allowed_operations:sr-operations
        current-operations   SRO current_operations:values,sr-operations
        VDIs                 SRO VDIs@VDI
        PBDs                 SRO PBDs@PBD
        virtual-allocation   RO
        physical-utilisation RO
        physical-size        RO
        type                 RO
        content-type         RO
        shared               RW
        introduced-by        RO  introduced_by@DR_task
        is-tools-sr          RO
        other-config         MRW
        sm-config            MRO
        blobs                RO  blobs@blob
        local-cache-enabled  RO
        tags                 SRW
        clustered            RO
        """
}
