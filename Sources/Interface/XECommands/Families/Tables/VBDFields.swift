extension Family {
    static let vbd = Family(
        "vbd", className: "VBD",
        columns: ["uuid", "vm-uuid", "vm-name-label", "vdi-uuid", "device", "empty"],
        table: vbdFields)

    private static let vbdFields = """
        uuid                     RO
        vm-uuid                  RO  VM@VM
        vm-name-label            RO  VM@VM.name_label
        vdi-uuid                 RO  VDI@VDI
        vdi-name-label           RO  VDI@VDI.name_label
        allowed-operations       SRO
        current-operations       SRO current_operations:values
        empty                    RO
        device                   RO
        userdevice               RW
        bootable                 RW
        mode                     RW
        type                     RW
        unpluggable              RW
        currently-attached       RO
        attachable               RO$ (attachable)
        storage-lock             RO
        status-code              RO
        status-detail            RO
        qos_algorithm_type       RW
        qos_algorithm_params     MRW
        qos_supported_algorithms SRO
        other-config             MRW
        io_read_kbs              RO$ metrics@VBD_metrics.io_read_kbs
        io_write_kbs             RO$ metrics@VBD_metrics.io_write_kbs
        """
}
