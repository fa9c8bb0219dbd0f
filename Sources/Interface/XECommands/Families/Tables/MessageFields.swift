extension Family {
    /// What the toolstack tells the administrator.
    static let message = Family("message", className: "message", columns: [], table: messageFields)

    private static let messageFields = """
        uuid      RO
        name      RO
        priority  RO
        class     RO cls
        obj-uuid  RO
        timestamp RO
        body      RO
        """
}
