extension Family {
    static let pbd = Family(
        "pbd", className: "PBD",
        columns: ["uuid", "host-uuid", "sr-uuid", "device-config", "currently-attached"],
        table: pbdFields)

    private static let pbdFields = """
        uuid               RO
        host               RO! host@host
        host-uuid          RO  host@host
        host-name-label    RO  host@host.name_label
        sr-uuid            RO  SR@SR
        sr-name-label      RO  SR@SR.name_label
        device-config      MRO
        currently-attached RO
        other-config       MRW
        """
}
