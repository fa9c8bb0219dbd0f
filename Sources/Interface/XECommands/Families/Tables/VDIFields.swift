extension Family {
    static let vdi = Family(
        "vdi", className: "VDI",
        columns: ["uuid", "name-label", "name-description", "virtual-size", "read-only", "sharable", "sr-uuid"],
        table: vdiFields)

    private static let vdiFields = """
        uuid                 RO
        name-label           RW
        name-description     RW
        is-a-snapshot        RO
        snapshot-of          RO  snapshot_of@VDI
        snapshots            RO  snapshots@VDI
        snapshot-time        RO
        allowed-operations   SRO
        current-operations   SRO current_operations:values
        sr-uuid              RO  SR@SR
        sr-name-label        RO  SR@SR.name_label
        vbd-uuids            SRO VBDs@VBD
        crashdump-uuids      SRO crash_dumps@crashdump
        virtual-size         RO
        physical-utilisation RO
        location             RO
        type                 RO  type:vdi-type
        sharable             RO
        read-only            RO
        storage-lock         RO
        managed              RO
        parent               RO! parent@VDI
        missing              RO
        is-tools-iso         RO
        other-config         MRW
        xenstore-data        MRO
        sm-config            MRO
        on-boot              RW
        allow-caching        RW
        metadata-latest      RO
        metadata-of-pool     RO  metadata_of_pool@pool
        tags                 SRW
        cbt-enabled          RO
        """
}
