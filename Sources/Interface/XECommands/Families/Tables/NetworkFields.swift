extension Family {
    static let network = Family(
        "network", className: "network",
        columns: ["uuid", "name-label", "name-description", "bridge"],
        table: networkFields)

    private static let networkFields = """
        uuid                 RO
        name-label           RW
        name-description     RW
        VIF-uuids            SRO VIFs@VIF
        PIF-uuids            SRO PIFs@PIF
        MTU                  RW
        bridge               RO
        managed              RO
        other-config         MRW
        blobs                RO  blobs@blob
        tags                 SRW
        default-locking-mode RW
        purpose              SRW
        """
}
