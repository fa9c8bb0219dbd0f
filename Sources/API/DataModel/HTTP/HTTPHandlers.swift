extension HTTPHandlerDeclaration {
    /// In datamodel order.
    static let all: [HTTPHandlerDeclaration] = [
        HTTPHandlerDeclaration("get_services", .get, "/services", role: .readOnly, isPublic: true),
        HTTPHandlerDeclaration("post_services", .post, "/services", role: .poolAdmin),
        HTTPHandlerDeclaration("put_services", .put, "/services", role: .poolAdmin),
        HTTPHandlerDeclaration("post_remote_db_access", .post, "/remote_db_access", role: .poolAdmin),
        HTTPHandlerDeclaration("post_remote_db_access_v2", .post, "/remote_db_access_v2", role: .poolAdmin),
        HTTPHandlerDeclaration("get_services_xenops", .get, "/services/xenops", role: .vmPowerAdmin),
        HTTPHandlerDeclaration(
            "post_services_xenops", .post, "/services/xenops", role: .vmPowerAdminOrClientCertificate),
        HTTPHandlerDeclaration("put_services_xenops", .put, "/services/xenops", role: .vmPowerAdminOrClientCertificate),
        HTTPHandlerDeclaration("get_services_sm", .get, "/services/SM", role: .vmPowerAdmin),
        HTTPHandlerDeclaration("post_services_sm", .post, "/services/SM", role: .vmPowerAdmin),
        HTTPHandlerDeclaration("put_services_sm", .put, "/services/SM", role: .vmPowerAdmin),
        HTTPHandlerDeclaration(
            "put_import", .put, "/import", role: .vmAdmin, isPublic: true,
            arguments: ["restore:bool", "force:bool", "sr_id:string"]),
        HTTPHandlerDeclaration(
            "put_import_metadata", .put, "/import_metadata", role: .vmAdmin, isPublic: true,
            arguments: ["restore:bool", "force:bool", "dry_run:bool"]),
        HTTPHandlerDeclaration(
            "put_import_raw_vdi", .put, "/import_raw_vdi", role: .vmAdmin, isPublic: true,
            arguments: ["vdi:string", "format:string", "chunked:bool"]),
        HTTPHandlerDeclaration(
            "get_export", .get, "/export", role: .vmAdmin, isPublic: true,
            arguments: ["uuid:string", "use_compression:string", "preserve_power_state:bool"]),
        HTTPHandlerDeclaration(
            "get_export_metadata", .get, "/export_metadata", role: .vmAdmin, isPublic: true,
            arguments: [
                "uuid:string", "all:bool", "include_dom0:bool", "include_vhd_parents:bool", "export_snapshots:bool",
                "excluded_device_types:string",
            ]),
        HTTPHandlerDeclaration(
            "get_export_raw_vdi", .get, "/export_raw_vdi", role: .vmAdmin, isPublic: true,
            arguments: ["vdi:string", "format:string"]),
        HTTPHandlerDeclaration(
            "connect_console", .connect, "/console", role: .vmOperator, subActions: ["host_console": .poolAdmin]),
        HTTPHandlerDeclaration(
            "connect_console_ws", .get, "/console", role: .vmOperator, subActions: ["host_console_ws": .poolAdmin]),
        HTTPHandlerDeclaration("get_root", .get, "/", role: .readOnly, isChecked: false),
        HTTPHandlerDeclaration("post_cli", .post, "/cli", role: .readOnly, isChecked: false),
        HTTPHandlerDeclaration("get_host_backup", .get, "/host_backup", role: .poolAdmin, isPublic: true),
        HTTPHandlerDeclaration("put_host_restore", .put, "/host_restore", role: .poolAdmin, isPublic: true),
        HTTPHandlerDeclaration(
            "get_host_logs_download", .get, "/host_logs_download", role: .poolOperator, isPublic: true),
        HTTPHandlerDeclaration(
            "put_pool_patch_upload", .put, "/pool_patch_upload", role: .poolOperator, isPublic: true,
            arguments: ["sr_id:string"]),
        HTTPHandlerDeclaration(
            "get_vncsnapshot", .get, "/vncsnapshot", role: .vmOperator, isPublic: true, arguments: ["uuid:string"],
            subActions: ["host_console": .poolAdmin]),
        HTTPHandlerDeclaration("get_pool_xml_db_sync", .get, "/pool/xmldbdump", role: .poolAdmin, isPublic: true),
        HTTPHandlerDeclaration("put_pool_xml_db_sync", .put, "/pool/xmldbdump", role: .poolAdmin),
        HTTPHandlerDeclaration("get_config_sync", .get, "/sync_config_files", role: .poolAdmin),
        HTTPHandlerDeclaration(
            "get_system_status", .get, "/system-status", role: .poolOperator, isPublic: true,
            arguments: ["entries:string", "output:string"]),
        HTTPHandlerDeclaration(
            "vm_rrd", .get, "/vm_rrd", role: .readOnly, isPublic: true, arguments: ["uuid:string", "json:bool"]),
        HTTPHandlerDeclaration(
            "get_vm_rrds", .get, "/vm_rrds", role: .readOnly, arguments: ["uuid:string", "json:bool"]),
        HTTPHandlerDeclaration(
            "host_rrd", .get, "/host_rrd", role: .readOnly, isPublic: true, arguments: ["json:bool"]),
        HTTPHandlerDeclaration("get_host_rrds", .get, "/host_rrds", role: .readOnly, arguments: ["json:bool"]),
        HTTPHandlerDeclaration("sr_rrd", .get, "/sr_rrd", role: .readOnly, isPublic: true, arguments: ["uuid:string"]),
        HTTPHandlerDeclaration(
            "rrd_updates", .get, "/rrd_updates", role: .readOnly, isPublic: true,
            arguments: ["start:int", "cf:string", "interval:int", "host:bool", "uuid:string", "json:bool"]),
        HTTPHandlerDeclaration("rrd", .put, "/rrd", role: .poolAdmin),
        HTTPHandlerDeclaration("get_blob", .get, "/blob", role: .readOnly, isChecked: false),
        HTTPHandlerDeclaration(
            "put_blob", .put, "/blob", role: .vmPowerAdmin, isPublic: true, arguments: ["ref:string"]),
        HTTPHandlerDeclaration("put_messages", .put, "/messages", role: .vmPowerAdmin),
        HTTPHandlerDeclaration("connect_remotecmd", .connect, "/remotecmd", role: .poolAdmin),
        HTTPHandlerDeclaration(
            "get_wlb_report", .get, "/wlb_report", role: .readOnly, isPublic: true, arguments: ["report:string"]),
        HTTPHandlerDeclaration("get_wlb_diagnostics", .get, "/wlb_diagnostics", role: .readOnly, isPublic: true),
        HTTPHandlerDeclaration(
            "get_audit_log", .get, "/audit_log", role: .readOnly, isPublic: true, arguments: ["since:string"]),
        HTTPHandlerDeclaration("post_root", .post, "/", role: .readOnly, isChecked: false),
        HTTPHandlerDeclaration("post_RPC2", .post, "/RPC2", role: .readOnly, isChecked: false),
        HTTPHandlerDeclaration("post_json", .post, "/json", role: .readOnly, isChecked: false),
        HTTPHandlerDeclaration("post_root_options", .options, "/", role: .readOnly, isChecked: false),
        HTTPHandlerDeclaration("post_json_options", .options, "/json", role: .readOnly, isChecked: false),
        HTTPHandlerDeclaration("post_jsonrpc", .post, "/jsonrpc", role: .readOnly, isChecked: false),
        HTTPHandlerDeclaration("post_jsonrpc_options", .options, "/jsonrpc", role: .readOnly, isChecked: false),
        HTTPHandlerDeclaration("get_pool_update_download", .get, "/update/", role: .readOnly, isChecked: false),
        HTTPHandlerDeclaration("get_repository", .get, "/repository", role: .localRootOnly),
        HTTPHandlerDeclaration(
            "get_enabled_repository", .get, "/repository/enabled", role: .poolOperatorOrClientCertificate),
        HTTPHandlerDeclaration("get_host_updates", .get, "/host_updates", role: .poolOperatorOrClientCertificate),
        HTTPHandlerDeclaration("get_updates", .get, "/updates", role: .poolOperatorOrClientCertificate, isPublic: true),
        HTTPHandlerDeclaration("put_bundle", .put, "/bundle", role: .poolOperator, isPublic: true),
    ]
}
