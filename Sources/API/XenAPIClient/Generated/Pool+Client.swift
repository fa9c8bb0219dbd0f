// Generated from DataModel by scripts/generate.sh. Do not edit.

public import APITypes
public import RPCCodec

/// A record of the class `pool`. The hosts that share this database. There is one object of the class.
public struct PoolRecord: XenRecord {
    /// Identifies the pool.
    public var uuid: String
    /// The pool's name.
    public var nameLabel: String
    /// What the administrator wrote about it.
    public var nameDescription: String
    /// The coordinator: the host that answers calls for all.
    public var master: Ref<Host>
    /// Where disks go when a client names no repository.
    public var defaultSR: Ref<SR>
    /// Where the memory of suspended VMs goes.
    public var suspendImageSR: Ref<SR>
    /// Where crash dumps go.
    public var crashDumpSR: Ref<SR>
    /// For notes.
    public var otherConfig: [String: String]
    /// Whether the pool restarts VMs of lost hosts; not here.
    public var haEnabled: Bool
    public var haConfiguration: [String: String]
    public var haStatefiles: [String]
    public var haHostFailuresToTolerate: Int64
    public var haPlanExistsFor: Int64
    public var haAllowOvercommit: Bool
    public var haOvercommitted: Bool
    public var blobs: [String: Ref<Blob>]
    /// Words to find the pool by.
    public var tags: [String]
    /// For notes of graphical clients.
    public var guiConfig: [String: String]
    public var healthCheckConfig: [String: String]
    public var wlbURL: String
    public var wlbUsername: String
    public var wlbEnabled: Bool
    public var wlbVerifyCert: Bool
    public var redoLogEnabled: Bool
    public var redoLogVDI: Ref<VDI>
    public var vswitchController: String
    /// Features that are off, for clients that ask.
    public var restrictions: [String: String]
    public var metadataVDIs: [Ref<VDI>]
    public var haClusterStack: String
    public var allowedOperations: [Open<PoolAllowedOperations>]
    public var currentOperations: [String: Open<PoolAllowedOperations>]
    public var guestAgentConfig: [String: String]
    /// What the hosts' processors have in common.
    public var cpuInfo: [String: String]
    public var policyNoVendorDevice: Bool
    public var livePatchingDisabled: Bool
    public var igmpSnoopingEnabled: Bool?
    public var uefiCertificates: String?
    public var customUEFICertificates: String?
    public var isPsrPending: Bool?
    public var tlsVerificationEnabled: Bool?
    public var repositories: [Ref<Repository>]?
    public var clientCertificateAuthEnabled: Bool?
    public var clientCertificateAuthName: String?
    public var repositoryProxyURL: String?
    public var repositoryProxyUsername: String?
    public var repositoryProxyPassword: Ref<Secret>?
    public var migrationCompression: Bool?
    public var coordinatorBias: Bool
    public var localAuthMaxThreads: Int64?
    public var extAuthMaxThreads: Int64?
    public var extAuthCacheEnabled: Bool?
    public var extAuthCacheSize: Int64?
    public var extAuthCacheExpiry: Int64?
    public var telemetryUUID: Ref<Secret>?
    public var telemetryFrequency: Open<TelemetryFrequency>?
    public var telemetryNextCollection: APIDate?
    public var lastUpdateSync: APIDate?
    public var updateSyncFrequency: Open<UpdateSyncFrequency>?
    public var updateSyncDay: Int64?
    public var updateSyncEnabled: Bool?
    public var recommendations: [String: String]?
    public var licenseServer: [String: String]?
    public var haRebootVMOnInternalShutdown: Bool?
    public var limitConsoleSessions: Bool?
    public var vmConsoleIdleTimeout: Int64?
    public var autoUpdateVMSecurebootCertificates: Bool?

    public init(wire: WireValue) throws(WireMismatch) {
        var record = try RecordReader(wire, of: "pool")
        uuid = try record.field("uuid")
        nameLabel = try record.field("name_label")
        nameDescription = try record.field("name_description")
        master = try record.field("master")
        defaultSR = try record.field("default_SR")
        suspendImageSR = try record.field("suspend_image_SR")
        crashDumpSR = try record.field("crash_dump_SR")
        otherConfig = try record.field("other_config")
        haEnabled = try record.field("ha_enabled")
        haConfiguration = try record.field("ha_configuration")
        haStatefiles = try record.field("ha_statefiles")
        haHostFailuresToTolerate = try record.field("ha_host_failures_to_tolerate")
        haPlanExistsFor = try record.field("ha_plan_exists_for")
        haAllowOvercommit = try record.field("ha_allow_overcommit")
        haOvercommitted = try record.field("ha_overcommitted")
        blobs = try record.field("blobs")
        tags = try record.field("tags")
        guiConfig = try record.field("gui_config")
        healthCheckConfig = try record.field("health_check_config")
        wlbURL = try record.field("wlb_url")
        wlbUsername = try record.field("wlb_username")
        wlbEnabled = try record.field("wlb_enabled")
        wlbVerifyCert = try record.field("wlb_verify_cert")
        redoLogEnabled = try record.field("redo_log_enabled")
        redoLogVDI = try record.field("redo_log_vdi")
        vswitchController = try record.field("vswitch_controller")
        restrictions = try record.field("restrictions")
        metadataVDIs = try record.field("metadata_VDIs")
        haClusterStack = try record.field("ha_cluster_stack")
        allowedOperations = try record.field("allowed_operations")
        currentOperations = try record.field("current_operations")
        guestAgentConfig = try record.field("guest_agent_config")
        cpuInfo = try record.field("cpu_info")
        policyNoVendorDevice = try record.field("policy_no_vendor_device")
        livePatchingDisabled = try record.field("live_patching_disabled")
        igmpSnoopingEnabled = try record.optional("igmp_snooping_enabled")
        uefiCertificates = try record.optional("uefi_certificates")
        customUEFICertificates = try record.optional("custom_uefi_certificates")
        isPsrPending = try record.optional("is_psr_pending")
        tlsVerificationEnabled = try record.optional("tls_verification_enabled")
        repositories = try record.optional("repositories")
        clientCertificateAuthEnabled = try record.optional("client_certificate_auth_enabled")
        clientCertificateAuthName = try record.optional("client_certificate_auth_name")
        repositoryProxyURL = try record.optional("repository_proxy_url")
        repositoryProxyUsername = try record.optional("repository_proxy_username")
        repositoryProxyPassword = try record.optional("repository_proxy_password")
        migrationCompression = try record.optional("migration_compression")
        coordinatorBias = try record.field("coordinator_bias")
        localAuthMaxThreads = try record.optional("local_auth_max_threads")
        extAuthMaxThreads = try record.optional("ext_auth_max_threads")
        extAuthCacheEnabled = try record.optional("ext_auth_cache_enabled")
        extAuthCacheSize = try record.optional("ext_auth_cache_size")
        extAuthCacheExpiry = try record.optional("ext_auth_cache_expiry")
        telemetryUUID = try record.optional("telemetry_uuid")
        telemetryFrequency = try record.optional("telemetry_frequency")
        telemetryNextCollection = try record.optional("telemetry_next_collection")
        lastUpdateSync = try record.optional("last_update_sync")
        updateSyncFrequency = try record.optional("update_sync_frequency")
        updateSyncDay = try record.optional("update_sync_day")
        updateSyncEnabled = try record.optional("update_sync_enabled")
        recommendations = try record.optional("recommendations")
        licenseServer = try record.optional("license_server")
        haRebootVMOnInternalShutdown = try record.optional("ha_reboot_vm_on_internal_shutdown")
        limitConsoleSessions = try record.optional("limit_console_sessions")
        vmConsoleIdleTimeout = try record.optional("vm_console_idle_timeout")
        autoUpdateVMSecurebootCertificates = try record.optional("auto_update_vm_secureboot_certificates")
    }
}

extension Pool: RecordClass { public typealias Record = PoolRecord }

/// The messages of the class `pool`.
public struct PoolCalls: ObjectCalls, ListingCalls {
    public typealias Class = Pool
    public let caller: any XenAPICaller
    init(_ caller: any XenAPICaller) { self.caller = caller }

    /// Calls `pool.join`.
    ///
    /// Since rio. Role: pool-operator. Errors: `JOINING_HOST_CANNOT_CONTAIN_SHARED_SRS`.
    public func join(masterAddress: String, masterUsername: String, masterPassword: String) async throws {
        try await self.caller.perform("pool.join", [masterAddress.wire, masterUsername.wire, masterPassword.wire])
    }

    /// Starts `pool.join` and answers with its task.
    public func asyncJoin(masterAddress: String, masterUsername: String, masterPassword: String) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("pool.join", [masterAddress.wire, masterUsername.wire, masterPassword.wire])
    }

    /// Calls `pool.join_force`.
    ///
    /// Since rio. Role: pool-operator.
    public func joinForce(masterAddress: String, masterUsername: String, masterPassword: String) async throws {
        try await self.caller.perform("pool.join_force", [masterAddress.wire, masterUsername.wire, masterPassword.wire])
    }

    /// Starts `pool.join_force` and answers with its task.
    public func asyncJoinForce(masterAddress: String, masterUsername: String, masterPassword: String) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("pool.join_force", [masterAddress.wire, masterUsername.wire, masterPassword.wire])
    }

    /// Calls `pool.eject`.
    ///
    /// Since rio. Role: pool-operator.
    public func eject(host: Ref<Host>) async throws {
        try await self.caller.perform("pool.eject", [host.wire])
    }

    /// Starts `pool.eject` and answers with its task.
    public func asyncEject(host: Ref<Host>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("pool.eject", [host.wire])
    }

    /// Calls `pool.initial_auth`.
    ///
    /// Since rio. Role: pool-operator.
    public func initialAuth() async throws -> String {
        try await self.caller.invoke("pool.initial_auth", [])
    }

    /// Starts `pool.initial_auth` and answers with its task.
    public func asyncInitialAuth() async throws -> XenTaskHandle<String> {
        try await self.caller.launch("pool.initial_auth", [])
    }

    /// Calls `pool.exchange_certificates_on_join`.
    ///
    /// Since 1.298.0. Role: pool-operator.
    public func exchangeCertificatesOnJoin(uuid: String, certificate: String) async throws -> [String: String] {
        try await self.caller.invoke("pool.exchange_certificates_on_join", [uuid.wire, certificate.wire])
    }

    /// Starts `pool.exchange_certificates_on_join` and answers with its task.
    public func asyncExchangeCertificatesOnJoin(uuid: String, certificate: String) async throws -> XenTaskHandle<[String: String]> {
        try await self.caller.launch("pool.exchange_certificates_on_join", [uuid.wire, certificate.wire])
    }

    /// Calls `pool.exchange_ca_certificates_on_join`.
    ///
    /// Since 1.320.0. Role: pool-operator.
    public func exchangeCACertificatesOnJoin(`import`: [String: String], export: [Ref<Certificate>]) async throws -> [String: String] {
        try await self.caller.invoke("pool.exchange_ca_certificates_on_join", [`import`.wire, export.wire])
    }

    /// Starts `pool.exchange_ca_certificates_on_join` and answers with its task.
    public func asyncExchangeCACertificatesOnJoin(`import`: [String: String], export: [Ref<Certificate>]) async throws -> XenTaskHandle<[String: String]> {
        try await self.caller.launch("pool.exchange_ca_certificates_on_join", [`import`.wire, export.wire])
    }

    /// Calls `pool.emergency_transition_to_master`.
    ///
    /// Since rio. Role: pool-operator.
    public func emergencyTransitionToMaster() async throws {
        try await self.caller.perform("pool.emergency_transition_to_master", [])
    }

    /// Calls `pool.emergency_reset_master`.
    ///
    /// Since rio. Role: pool-operator.
    public func emergencyResetMaster(masterAddress: String) async throws {
        try await self.caller.perform("pool.emergency_reset_master", [masterAddress.wire])
    }

    /// Tells members that lost their coordinator where it is now; those that were told. A pool of one host has none.
    ///
    /// Since rio. Role: pool-operator.
    public func recoverSlaves() async throws -> [Ref<Host>] {
        try await self.caller.invoke("pool.recover_slaves", [])
    }

    /// Starts `pool.recover_slaves` and answers with its task.
    public func asyncRecoverSlaves() async throws -> XenTaskHandle<[Ref<Host>]> {
        try await self.caller.launch("pool.recover_slaves", [])
    }

    /// Calls `pool.hello`.
    ///
    /// Since rio. Role: pool-operator.
    public func hello(hostUUID: String, hostAddress: String) async throws -> Open<HelloReturn> {
        try await self.caller.invoke("pool.hello", [hostUUID.wire, hostAddress.wire])
    }

    /// Starts `pool.hello` and answers with its task.
    public func asyncHello(hostUUID: String, hostAddress: String) async throws -> XenTaskHandle<Open<HelloReturn>> {
        try await self.caller.launch("pool.hello", [hostUUID.wire, hostAddress.wire])
    }

    /// Whether the host that answers is a member that is not the coordinator.
    ///
    /// Since rio. Role: pool-admin.
    public func isSlave(host: Ref<Host>) async throws -> Bool {
        try await self.caller.invoke("pool.is_slave", [host.wire])
    }

    /// Calls `pool.create_VLAN`.
    ///
    /// Since rio. Role: pool-operator. Errors: `VLAN_TAG_INVALID`.
    public func createVLAN(device: String, network: Ref<Network>, vlan: Int64) async throws -> [Ref<PIF>] {
        try await self.caller.invoke("pool.create_VLAN", [device.wire, network.wire, vlan.wire])
    }

    /// Starts `pool.create_VLAN` and answers with its task.
    public func asyncCreateVLAN(device: String, network: Ref<Network>, vlan: Int64) async throws -> XenTaskHandle<[Ref<PIF>]> {
        try await self.caller.launch("pool.create_VLAN", [device.wire, network.wire, vlan.wire])
    }

    /// Calls `pool.management_reconfigure`.
    ///
    /// Since inverness. Role: pool-operator. Errors: `HA_IS_ENABLED`, `PIF_NOT_PRESENT`, `CANNOT_PLUG_BOND_SLAVE`, `PIF_INCOMPATIBLE_PRIMARY_ADDRESS_TYPE`, `PIF_HAS_NO_NETWORK_CONFIGURATION`, `PIF_HAS_NO_V6_NETWORK_CONFIGURATION`.
    public func managementReconfigure(network: Ref<Network>) async throws {
        try await self.caller.perform("pool.management_reconfigure", [network.wire])
    }

    /// Starts `pool.management_reconfigure` and answers with its task.
    public func asyncManagementReconfigure(network: Ref<Network>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("pool.management_reconfigure", [network.wire])
    }

    /// Calls `pool.create_VLAN_from_PIF`.
    ///
    /// Since rio. Role: pool-operator. Errors: `VLAN_TAG_INVALID`.
    public func createVLANFromPIF(pif: Ref<PIF>, network: Ref<Network>, vlan: Int64) async throws -> [Ref<PIF>] {
        try await self.caller.invoke("pool.create_VLAN_from_PIF", [pif.wire, network.wire, vlan.wire])
    }

    /// Starts `pool.create_VLAN_from_PIF` and answers with its task.
    public func asyncCreateVLANFromPIF(pif: Ref<PIF>, network: Ref<Network>, vlan: Int64) async throws -> XenTaskHandle<[Ref<PIF>]> {
        try await self.caller.launch("pool.create_VLAN_from_PIF", [pif.wire, network.wire, vlan.wire])
    }

    /// Calls `pool.enable_ha`.
    ///
    /// Since miami. Role: pool-operator+client-cert.
    public func enableHA(heartbeatSRs: [Ref<SR>], configuration: [String: String]) async throws {
        try await self.caller.perform("pool.enable_ha", [heartbeatSRs.wire, configuration.wire])
    }

    /// Starts `pool.enable_ha` and answers with its task.
    public func asyncEnableHA(heartbeatSRs: [Ref<SR>], configuration: [String: String]) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("pool.enable_ha", [heartbeatSRs.wire, configuration.wire])
    }

    /// Calls `pool.disable_ha`.
    ///
    /// Since miami. Role: pool-operator+client-cert.
    public func disableHA() async throws {
        try await self.caller.perform("pool.disable_ha", [])
    }

    /// Starts `pool.disable_ha` and answers with its task.
    public func asyncDisableHA() async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("pool.disable_ha", [])
    }

    /// Brings the database to all hosts. Every answered change is durable already.
    ///
    /// Since rio. Role: pool-operator.
    public func syncDatabase() async throws {
        try await self.caller.perform("pool.sync_database", [])
    }

    /// Starts `pool.sync_database` and answers with its task.
    public func asyncSyncDatabase() async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("pool.sync_database", [])
    }

    /// Calls `pool.designate_new_master`.
    ///
    /// Since miami. Role: pool-operator.
    public func designateNewMaster(host: Ref<Host>) async throws {
        try await self.caller.perform("pool.designate_new_master", [host.wire])
    }

    /// Starts `pool.designate_new_master` and answers with its task.
    public func asyncDesignateNewMaster(host: Ref<Host>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("pool.designate_new_master", [host.wire])
    }

    /// Calls `pool.ha_prevent_restarts_for`.
    ///
    /// Since orlando-update-1. Role: pool-operator.
    public func haPreventRestartsFor(seconds: Int64) async throws {
        try await self.caller.perform("pool.ha_prevent_restarts_for", [seconds.wire])
    }

    /// Calls `pool.ha_failover_plan_exists`.
    ///
    /// Since orlando. Role: pool-operator.
    public func haFailoverPlanExists(n: Int64) async throws -> Bool {
        try await self.caller.invoke("pool.ha_failover_plan_exists", [n.wire])
    }

    /// Calls `pool.ha_compute_max_host_failures_to_tolerate`.
    ///
    /// Since orlando. Role: pool-operator.
    public func haComputeMaxHostFailuresToTolerate() async throws -> Int64 {
        try await self.caller.invoke("pool.ha_compute_max_host_failures_to_tolerate", [])
    }

    /// Calls `pool.ha_compute_hypothetical_max_host_failures_to_tolerate`.
    ///
    /// Since orlando. Role: read-only.
    public func haComputeHypotheticalMaxHostFailuresToTolerate(configuration: [Ref<VM>: String]) async throws -> Int64 {
        try await self.caller.invoke("pool.ha_compute_hypothetical_max_host_failures_to_tolerate", [configuration.wire])
    }

    /// Calls `pool.ha_compute_vm_failover_plan`.
    ///
    /// Since orlando. Role: pool-operator.
    public func haComputeVMFailoverPlan(failedHosts: [Ref<Host>], failedVMs: [Ref<VM>]) async throws -> [Ref<VM>: [String: String]] {
        try await self.caller.invoke("pool.ha_compute_vm_failover_plan", [failedHosts.wire, failedVMs.wire])
    }

    /// Calls `pool.set_ha_host_failures_to_tolerate`.
    ///
    /// Since orlando. Role: pool-operator.
    public func setHAHostFailuresToTolerate(_ pool: Ref<Pool>, value: Int64) async throws {
        try await self.caller.perform("pool.set_ha_host_failures_to_tolerate", [pool.wire, value.wire])
    }

    /// Starts `pool.set_ha_host_failures_to_tolerate` and answers with its task.
    public func asyncSetHAHostFailuresToTolerate(_ pool: Ref<Pool>, value: Int64) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("pool.set_ha_host_failures_to_tolerate", [pool.wire, value.wire])
    }

    /// Makes an empty blob of the pool, whose content is put and read at /blob.
    ///
    /// Since orlando. Role: pool-operator.
    public func createNewBlob(_ pool: Ref<Pool>, name: String, mimeType: String, `public`: Bool = false) async throws -> Ref<Blob> {
        try await self.caller.invoke("pool.create_new_blob", [pool.wire, name.wire, mimeType.wire, `public`.wire], defaults: [.bool(false)])
    }

    /// Starts `pool.create_new_blob` and answers with its task.
    public func asyncCreateNewBlob(_ pool: Ref<Pool>, name: String, mimeType: String, `public`: Bool = false) async throws -> XenTaskHandle<Ref<Blob>> {
        try await self.caller.launch("pool.create_new_blob", [pool.wire, name.wire, mimeType.wire, `public`.wire], defaults: [.bool(false)])
    }

    /// Calls `pool.ha_schedule_plan_recomputation`.
    ///
    /// Since orlando. Role: local-root-only. Between the hosts of a pool only.
    public func haSchedulePlanRecomputation() async throws {
        try await self.caller.perform("pool.ha_schedule_plan_recomputation", [])
    }

    /// Starts `pool.ha_schedule_plan_recomputation` and answers with its task.
    public func asyncHaSchedulePlanRecomputation() async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("pool.ha_schedule_plan_recomputation", [])
    }

    /// Calls `pool.enable_binary_storage`.
    ///
    /// Since orlando. Role: pool-operator.
    public func enableBinaryStorage() async throws {
        try await self.caller.perform("pool.enable_binary_storage", [])
    }

    /// Starts `pool.enable_binary_storage` and answers with its task.
    public func asyncEnableBinaryStorage() async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("pool.enable_binary_storage", [])
    }

    /// Calls `pool.disable_binary_storage`.
    ///
    /// Since orlando. Role: pool-operator.
    public func disableBinaryStorage() async throws {
        try await self.caller.perform("pool.disable_binary_storage", [])
    }

    /// Starts `pool.disable_binary_storage` and answers with its task.
    public func asyncDisableBinaryStorage() async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("pool.disable_binary_storage", [])
    }

    /// Calls `pool.enable_external_auth`.
    ///
    /// Since george. Role: pool-admin.
    public func enableExternalAuth(_ pool: Ref<Pool>, config: [String: String], serviceName: String, authType: String) async throws {
        try await self.caller.perform("pool.enable_external_auth", [pool.wire, config.wire, serviceName.wire, authType.wire])
    }

    /// Calls `pool.disable_external_auth`.
    ///
    /// Since george. Role: pool-admin.
    public func disableExternalAuth(_ pool: Ref<Pool>, config: [String: String] = [:]) async throws {
        try await self.caller.perform("pool.disable_external_auth", [pool.wire, config.wire], defaults: [.structure([])])
    }

    /// Calls `pool.external_auth_set_ldaps`.
    ///
    /// Since 26.16.0. Role: pool-admin.
    public func externalAuthSetLdaps(_ pool: Ref<Pool>, ldaps: Bool, force: Bool = false) async throws {
        try await self.caller.perform("pool.external_auth_set_ldaps", [pool.wire, ldaps.wire, force.wire], defaults: [.bool(false)])
    }

    /// Calls `pool.detect_nonhomogeneous_external_auth`.
    ///
    /// Since george. Role: pool-operator.
    public func detectNonhomogeneousExternalAuth(_ pool: Ref<Pool>) async throws {
        try await self.caller.perform("pool.detect_nonhomogeneous_external_auth", [pool.wire])
    }

    /// Calls `pool.initialize_wlb`.
    ///
    /// Since george. Role: pool-operator.
    public func initializeWlb(wlbURL: String, wlbUsername: String, wlbPassword: String, xenserverUsername: String, xenserverPassword: String) async throws {
        try await self.caller.perform("pool.initialize_wlb", [wlbURL.wire, wlbUsername.wire, wlbPassword.wire, xenserverUsername.wire, xenserverPassword.wire])
    }

    /// Starts `pool.initialize_wlb` and answers with its task.
    public func asyncInitializeWlb(wlbURL: String, wlbUsername: String, wlbPassword: String, xenserverUsername: String, xenserverPassword: String) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("pool.initialize_wlb", [wlbURL.wire, wlbUsername.wire, wlbPassword.wire, xenserverUsername.wire, xenserverPassword.wire])
    }

    /// Calls `pool.deconfigure_wlb`.
    ///
    /// Since george. Role: pool-operator.
    public func deconfigureWlb() async throws {
        try await self.caller.perform("pool.deconfigure_wlb", [])
    }

    /// Starts `pool.deconfigure_wlb` and answers with its task.
    public func asyncDeconfigureWlb() async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("pool.deconfigure_wlb", [])
    }

    /// Calls `pool.send_wlb_configuration`.
    ///
    /// Since george. Role: pool-operator.
    public func sendWlbConfiguration(config: [String: String]) async throws {
        try await self.caller.perform("pool.send_wlb_configuration", [config.wire])
    }

    /// Starts `pool.send_wlb_configuration` and answers with its task.
    public func asyncSendWlbConfiguration(config: [String: String]) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("pool.send_wlb_configuration", [config.wire])
    }

    /// Calls `pool.retrieve_wlb_configuration`.
    ///
    /// Since george. Role: read-only.
    public func retrieveWlbConfiguration() async throws -> [String: String] {
        try await self.caller.invoke("pool.retrieve_wlb_configuration", [])
    }

    /// Starts `pool.retrieve_wlb_configuration` and answers with its task.
    public func asyncRetrieveWlbConfiguration() async throws -> XenTaskHandle<[String: String]> {
        try await self.caller.launch("pool.retrieve_wlb_configuration", [])
    }

    /// Calls `pool.retrieve_wlb_recommendations`.
    ///
    /// Since george. Role: read-only.
    public func retrieveWlbRecommendations() async throws -> [Ref<VM>: [String]] {
        try await self.caller.invoke("pool.retrieve_wlb_recommendations", [])
    }

    /// Starts `pool.retrieve_wlb_recommendations` and answers with its task.
    public func asyncRetrieveWlbRecommendations() async throws -> XenTaskHandle<[Ref<VM>: [String]]> {
        try await self.caller.launch("pool.retrieve_wlb_recommendations", [])
    }

    /// Calls `pool.send_test_post`.
    ///
    /// Since george. Role: pool-admin.
    public func sendTestPost(host: String, port: Int64, body: String) async throws -> String {
        try await self.caller.invoke("pool.send_test_post", [host.wire, port.wire, body.wire])
    }

    /// Starts `pool.send_test_post` and answers with its task.
    public func asyncSendTestPost(host: String, port: Int64, body: String) async throws -> XenTaskHandle<String> {
        try await self.caller.launch("pool.send_test_post", [host.wire, port.wire, body.wire])
    }

    /// Calls `pool.certificate_install`.
    ///
    /// Since george, deprecated in 1.290.0. Role: pool-operator.
    public func certificateInstall(name: String, cert: String) async throws {
        try await self.caller.perform("pool.certificate_install", [name.wire, cert.wire])
    }

    /// Starts `pool.certificate_install` and answers with its task.
    public func asyncCertificateInstall(name: String, cert: String) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("pool.certificate_install", [name.wire, cert.wire])
    }

    /// Calls `pool.certificate_uninstall`.
    ///
    /// Since george, deprecated in 1.290.0. Role: pool-operator.
    public func certificateUninstall(name: String) async throws {
        try await self.caller.perform("pool.certificate_uninstall", [name.wire])
    }

    /// Starts `pool.certificate_uninstall` and answers with its task.
    public func asyncCertificateUninstall(name: String) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("pool.certificate_uninstall", [name.wire])
    }

    /// Calls `pool.certificate_list`.
    ///
    /// Since george, deprecated in 1.290.0. Role: pool-operator.
    public func certificateList() async throws -> [String] {
        try await self.caller.invoke("pool.certificate_list", [])
    }

    /// Starts `pool.certificate_list` and answers with its task.
    public func asyncCertificateList() async throws -> XenTaskHandle<[String]> {
        try await self.caller.launch("pool.certificate_list", [])
    }

    /// Calls `pool.install_ca_certificate`.
    ///
    /// Since 1.290.0, deprecated in 26.13.0. Role: pool-operator+client-cert.
    public func installCACertificate(name: String, cert: String) async throws {
        try await self.caller.perform("pool.install_ca_certificate", [name.wire, cert.wire])
    }

    /// Starts `pool.install_ca_certificate` and answers with its task.
    public func asyncInstallCACertificate(name: String, cert: String) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("pool.install_ca_certificate", [name.wire, cert.wire])
    }

    /// Calls `pool.uninstall_ca_certificate`.
    ///
    /// Since 1.290.0, deprecated in 26.13.0. Role: pool-operator+client-cert.
    public func uninstallCACertificate(name: String, force: Bool = false) async throws {
        try await self.caller.perform("pool.uninstall_ca_certificate", [name.wire, force.wire], defaults: [.bool(false)])
    }

    /// Starts `pool.uninstall_ca_certificate` and answers with its task.
    public func asyncUninstallCACertificate(name: String, force: Bool = false) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("pool.uninstall_ca_certificate", [name.wire, force.wire], defaults: [.bool(false)])
    }

    /// Calls `pool.crl_install`.
    ///
    /// Since george. Role: pool-operator.
    public func crlInstall(name: String, cert: String) async throws {
        try await self.caller.perform("pool.crl_install", [name.wire, cert.wire])
    }

    /// Starts `pool.crl_install` and answers with its task.
    public func asyncCrlInstall(name: String, cert: String) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("pool.crl_install", [name.wire, cert.wire])
    }

    /// Calls `pool.crl_uninstall`.
    ///
    /// Since george. Role: pool-operator.
    public func crlUninstall(name: String) async throws {
        try await self.caller.perform("pool.crl_uninstall", [name.wire])
    }

    /// Starts `pool.crl_uninstall` and answers with its task.
    public func asyncCrlUninstall(name: String) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("pool.crl_uninstall", [name.wire])
    }

    /// Calls `pool.crl_list`.
    ///
    /// Since george. Role: pool-operator.
    public func crlList() async throws -> [String] {
        try await self.caller.invoke("pool.crl_list", [])
    }

    /// Starts `pool.crl_list` and answers with its task.
    public func asyncCrlList() async throws -> XenTaskHandle<[String]> {
        try await self.caller.launch("pool.crl_list", [])
    }

    /// Calls `pool.certificate_sync`.
    ///
    /// Since george. Role: pool-operator.
    public func certificateSync() async throws {
        try await self.caller.perform("pool.certificate_sync", [])
    }

    /// Starts `pool.certificate_sync` and answers with its task.
    public func asyncCertificateSync() async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("pool.certificate_sync", [])
    }

    /// Calls `pool.enable_tls_verification`.
    ///
    /// Since 1.290.0. Role: pool-admin.
    public func enableTLSVerification() async throws {
        try await self.caller.perform("pool.enable_tls_verification", [])
    }

    /// Calls `pool.enable_redo_log`.
    ///
    /// Since midnight-ride. Role: pool-operator.
    public func enableRedoLog(sr: Ref<SR>) async throws {
        try await self.caller.perform("pool.enable_redo_log", [sr.wire])
    }

    /// Starts `pool.enable_redo_log` and answers with its task.
    public func asyncEnableRedoLog(sr: Ref<SR>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("pool.enable_redo_log", [sr.wire])
    }

    /// Calls `pool.disable_redo_log`.
    ///
    /// Since midnight-ride. Role: pool-operator.
    public func disableRedoLog() async throws {
        try await self.caller.perform("pool.disable_redo_log", [])
    }

    /// Starts `pool.disable_redo_log` and answers with its task.
    public func asyncDisableRedoLog() async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("pool.disable_redo_log", [])
    }

    /// Calls `pool.audit_log_append`.
    ///
    /// Since midnight-ride. Role: pool-admin. Between the hosts of a pool only.
    public func auditLogAppend(line: String) async throws {
        try await self.caller.perform("pool.audit_log_append", [line.wire])
    }

    /// Starts `pool.audit_log_append` and answers with its task.
    public func asyncAuditLogAppend(line: String) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("pool.audit_log_append", [line.wire])
    }

    /// Calls `pool.set_vswitch_controller`.
    ///
    /// Since midnight-ride, deprecated in falcon. Role: pool-operator.
    public func setVswitchController(address: String) async throws {
        try await self.caller.perform("pool.set_vswitch_controller", [address.wire])
    }

    /// Starts `pool.set_vswitch_controller` and answers with its task.
    public func asyncSetVswitchController(address: String) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("pool.set_vswitch_controller", [address.wire])
    }

    /// Calls `pool.test_archive_target`.
    ///
    /// Since cowley. Role: pool-operator.
    public func testArchiveTarget(_ pool: Ref<Pool>, config: [String: String]) async throws -> String {
        try await self.caller.invoke("pool.test_archive_target", [pool.wire, config.wire])
    }

    /// Calls `pool.enable_local_storage_caching`.
    ///
    /// Since cowley. Role: pool-operator.
    public func enableLocalStorageCaching(_ pool: Ref<Pool>) async throws {
        try await self.caller.perform("pool.enable_local_storage_caching", [pool.wire])
    }

    /// Starts `pool.enable_local_storage_caching` and answers with its task.
    public func asyncEnableLocalStorageCaching(_ pool: Ref<Pool>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("pool.enable_local_storage_caching", [pool.wire])
    }

    /// Calls `pool.disable_local_storage_caching`.
    ///
    /// Since cowley. Role: pool-operator.
    public func disableLocalStorageCaching(_ pool: Ref<Pool>) async throws {
        try await self.caller.perform("pool.disable_local_storage_caching", [pool.wire])
    }

    /// Starts `pool.disable_local_storage_caching` and answers with its task.
    public func asyncDisableLocalStorageCaching(_ pool: Ref<Pool>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("pool.disable_local_storage_caching", [pool.wire])
    }

    /// The edition in use and when it ends: never.
    ///
    /// Since clearwater. Role: read-only.
    public func getLicenseState(_ pool: Ref<Pool>) async throws -> [String: String] {
        try await self.caller.invoke("pool.get_license_state", [pool.wire])
    }

    /// Starts `pool.get_license_state` and answers with its task.
    public func asyncGetLicenseState(_ pool: Ref<Pool>) async throws -> XenTaskHandle<[String: String]> {
        try await self.caller.launch("pool.get_license_state", [pool.wire])
    }

    /// Applies an edition to all hosts. There is one, and it is applied already: another is refused by name.
    ///
    /// Since clearwater. Role: pool-operator.
    public func applyEdition(_ pool: Ref<Pool>, edition: String) async throws {
        try await self.caller.perform("pool.apply_edition", [pool.wire, edition.wire])
    }

    /// Starts `pool.apply_edition` and answers with its task.
    public func asyncApplyEdition(_ pool: Ref<Pool>, edition: String) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("pool.apply_edition", [pool.wire, edition.wire])
    }

    /// Calls `pool.enable_ssl_legacy`.
    ///
    /// Since dundee, deprecated in dundee, removed in stockholm. Role: pool-operator.
    public func enableSSLLegacy(_ pool: Ref<Pool>) async throws {
        try await self.caller.perform("pool.enable_ssl_legacy", [pool.wire])
    }

    /// Starts `pool.enable_ssl_legacy` and answers with its task.
    public func asyncEnableSSLLegacy(_ pool: Ref<Pool>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("pool.enable_ssl_legacy", [pool.wire])
    }

    /// Calls `pool.disable_ssl_legacy`.
    ///
    /// Since dundee, deprecated in stockholm. Role: pool-operator.
    public func disableSSLLegacy(_ pool: Ref<Pool>) async throws {
        try await self.caller.perform("pool.disable_ssl_legacy", [pool.wire])
    }

    /// Starts `pool.disable_ssl_legacy` and answers with its task.
    public func asyncDisableSSLLegacy(_ pool: Ref<Pool>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("pool.disable_ssl_legacy", [pool.wire])
    }

    /// Calls `pool.set_igmp_snooping_enabled`.
    ///
    /// Since inverness. Role: pool-operator.
    public func setIGMPSnoopingEnabled(_ pool: Ref<Pool>, value: Bool) async throws {
        try await self.caller.perform("pool.set_igmp_snooping_enabled", [pool.wire, value.wire])
    }

    /// Starts `pool.set_igmp_snooping_enabled` and answers with its task.
    public func asyncSetIGMPSnoopingEnabled(_ pool: Ref<Pool>, value: Bool) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("pool.set_igmp_snooping_enabled", [pool.wire, value.wire])
    }

    /// Whether the hosts have an extension of this name. They have none.
    ///
    /// Since dundee. Role: pool-admin.
    public func hasExtension(_ pool: Ref<Pool>, name: String) async throws -> Bool {
        try await self.caller.invoke("pool.has_extension", [pool.wire, name.wire])
    }

    /// Starts `pool.has_extension` and answers with its task.
    public func asyncHasExtension(_ pool: Ref<Pool>, name: String) async throws -> XenTaskHandle<Bool> {
        try await self.caller.launch("pool.has_extension", [pool.wire, name.wire])
    }

    /// Calls `pool.add_to_guest_agent_config`.
    ///
    /// Since dundee. Role: pool-admin.
    public func addToGuestAgentConfig(_ pool: Ref<Pool>, key: String, value: String) async throws {
        try await self.caller.perform("pool.add_to_guest_agent_config", [pool.wire, key.wire, value.wire])
    }

    /// Starts `pool.add_to_guest_agent_config` and answers with its task.
    public func asyncAddToGuestAgentConfig(_ pool: Ref<Pool>, key: String, value: String) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("pool.add_to_guest_agent_config", [pool.wire, key.wire, value.wire])
    }

    /// Calls `pool.remove_from_guest_agent_config`.
    ///
    /// Since dundee. Role: pool-admin.
    public func removeFromGuestAgentConfig(_ pool: Ref<Pool>, key: String) async throws {
        try await self.caller.perform("pool.remove_from_guest_agent_config", [pool.wire, key.wire])
    }

    /// Starts `pool.remove_from_guest_agent_config` and answers with its task.
    public func asyncRemoveFromGuestAgentConfig(_ pool: Ref<Pool>, key: String) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("pool.remove_from_guest_agent_config", [pool.wire, key.wire])
    }

    /// Calls `pool.rotate_secret`.
    ///
    /// Since stockholm_psr. Role: pool-admin. Errors: `INTERNAL_ERROR`, `HOST_IS_SLAVE`, `CANNOT_CONTACT_HOST`, `HA_IS_ENABLED`, `NOT_SUPPORTED_DURING_UPGRADE`.
    public func rotateSecret() async throws {
        try await self.caller.perform("pool.rotate_secret", [])
    }

    /// Starts `pool.rotate_secret` and answers with its task.
    public func asyncRotateSecret() async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("pool.rotate_secret", [])
    }

    /// Calls `pool.set_repositories`.
    ///
    /// Since 1.301.0. Role: pool-operator+client-cert.
    public func setRepositories(_ pool: Ref<Pool>, value: [Ref<Repository>]) async throws {
        try await self.caller.perform("pool.set_repositories", [pool.wire, value.wire])
    }

    /// Starts `pool.set_repositories` and answers with its task.
    public func asyncSetRepositories(_ pool: Ref<Pool>, value: [Ref<Repository>]) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("pool.set_repositories", [pool.wire, value.wire])
    }

    /// Calls `pool.add_repository`.
    ///
    /// Since 1.301.0. Role: pool-operator+client-cert.
    public func addRepository(_ pool: Ref<Pool>, value: Ref<Repository>) async throws {
        try await self.caller.perform("pool.add_repository", [pool.wire, value.wire])
    }

    /// Starts `pool.add_repository` and answers with its task.
    public func asyncAddRepository(_ pool: Ref<Pool>, value: Ref<Repository>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("pool.add_repository", [pool.wire, value.wire])
    }

    /// Calls `pool.remove_repository`.
    ///
    /// Since 1.301.0. Role: pool-operator+client-cert.
    public func removeRepository(_ pool: Ref<Pool>, value: Ref<Repository>) async throws {
        try await self.caller.perform("pool.remove_repository", [pool.wire, value.wire])
    }

    /// Starts `pool.remove_repository` and answers with its task.
    public func asyncRemoveRepository(_ pool: Ref<Pool>, value: Ref<Repository>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("pool.remove_repository", [pool.wire, value.wire])
    }

    /// Calls `pool.sync_updates`.
    ///
    /// Since 1.329.0. Role: pool-operator+client-cert.
    public func syncUpdates(_ pool: Ref<Pool>, force: Bool, token: String = "", tokenID: String = "", username: String = "", password: String = "") async throws -> String {
        try await self.caller.invoke("pool.sync_updates", [pool.wire, force.wire, token.wire, tokenID.wire, username.wire, password.wire], defaults: [.string(""), .string(""), .string(""), .string("")])
    }

    /// Starts `pool.sync_updates` and answers with its task.
    public func asyncSyncUpdates(_ pool: Ref<Pool>, force: Bool, token: String = "", tokenID: String = "", username: String = "", password: String = "") async throws -> XenTaskHandle<String> {
        try await self.caller.launch("pool.sync_updates", [pool.wire, force.wire, token.wire, tokenID.wire, username.wire, password.wire], defaults: [.string(""), .string(""), .string(""), .string("")])
    }

    /// Calls `pool.check_update_readiness`.
    ///
    /// Since 1.304.0. Role: pool-operator+client-cert.
    public func checkUpdateReadiness(_ pool: Ref<Pool>, requiresReboot: Bool) async throws -> [[String]] {
        try await self.caller.invoke("pool.check_update_readiness", [pool.wire, requiresReboot.wire])
    }

    /// Starts `pool.check_update_readiness` and answers with its task.
    public func asyncCheckUpdateReadiness(_ pool: Ref<Pool>, requiresReboot: Bool) async throws -> XenTaskHandle<[[String]]> {
        try await self.caller.launch("pool.check_update_readiness", [pool.wire, requiresReboot.wire])
    }

    /// Calls `pool.enable_client_certificate_auth`.
    ///
    /// Since 1.318.0. Role: pool-operator+client-cert.
    public func enableClientCertificateAuth(_ pool: Ref<Pool>, name: String) async throws {
        try await self.caller.perform("pool.enable_client_certificate_auth", [pool.wire, name.wire])
    }

    /// Starts `pool.enable_client_certificate_auth` and answers with its task.
    public func asyncEnableClientCertificateAuth(_ pool: Ref<Pool>, name: String) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("pool.enable_client_certificate_auth", [pool.wire, name.wire])
    }

    /// Calls `pool.disable_client_certificate_auth`.
    ///
    /// Since 1.318.0. Role: pool-operator+client-cert.
    public func disableClientCertificateAuth(_ pool: Ref<Pool>) async throws {
        try await self.caller.perform("pool.disable_client_certificate_auth", [pool.wire])
    }

    /// Starts `pool.disable_client_certificate_auth` and answers with its task.
    public func asyncDisableClientCertificateAuth(_ pool: Ref<Pool>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("pool.disable_client_certificate_auth", [pool.wire])
    }

    /// Calls `pool.configure_repository_proxy`.
    ///
    /// Since 21.3.0. Role: pool-operator+client-cert.
    public func configureRepositoryProxy(_ pool: Ref<Pool>, url: String, username: String, password: String) async throws {
        try await self.caller.perform("pool.configure_repository_proxy", [pool.wire, url.wire, username.wire, password.wire])
    }

    /// Starts `pool.configure_repository_proxy` and answers with its task.
    public func asyncConfigureRepositoryProxy(_ pool: Ref<Pool>, url: String, username: String, password: String) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("pool.configure_repository_proxy", [pool.wire, url.wire, username.wire, password.wire])
    }

    /// Calls `pool.disable_repository_proxy`.
    ///
    /// Since 21.4.0. Role: pool-operator+client-cert.
    public func disableRepositoryProxy(_ pool: Ref<Pool>) async throws {
        try await self.caller.perform("pool.disable_repository_proxy", [pool.wire])
    }

    /// Starts `pool.disable_repository_proxy` and answers with its task.
    public func asyncDisableRepositoryProxy(_ pool: Ref<Pool>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("pool.disable_repository_proxy", [pool.wire])
    }

    /// Calls `pool.set_uefi_certificates`.
    ///
    /// Since 22.16.0, deprecated in 24.0.0. Role: pool-admin.
    public func setUEFICertificates(_ pool: Ref<Pool>, value: String) async throws {
        try await self.caller.perform("pool.set_uefi_certificates", [pool.wire, value.wire])
    }

    /// Starts `pool.set_uefi_certificates` and answers with its task.
    public func asyncSetUEFICertificates(_ pool: Ref<Pool>, value: String) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("pool.set_uefi_certificates", [pool.wire, value.wire])
    }

    /// Calls `pool.set_custom_uefi_certificates`.
    ///
    /// Since 24.0.0. Role: pool-admin.
    public func setCustomUEFICertificates(_ pool: Ref<Pool>, value: String) async throws {
        try await self.caller.perform("pool.set_custom_uefi_certificates", [pool.wire, value.wire])
    }

    /// Starts `pool.set_custom_uefi_certificates` and answers with its task.
    public func asyncSetCustomUEFICertificates(_ pool: Ref<Pool>, value: String) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("pool.set_custom_uefi_certificates", [pool.wire, value.wire])
    }

    /// Calls `pool.set_https_only`.
    ///
    /// Since 22.27.0. Role: pool-operator.
    public func setHTTPSOnly(_ pool: Ref<Pool>, value: Bool) async throws {
        try await self.caller.perform("pool.set_https_only", [pool.wire, value.wire])
    }

    /// Starts `pool.set_https_only` and answers with its task.
    public func asyncSetHTTPSOnly(_ pool: Ref<Pool>, value: Bool) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("pool.set_https_only", [pool.wire, value.wire])
    }

    /// Calls `pool.set_telemetry_next_collection`.
    ///
    /// Since 23.9.0. Role: pool-admin.
    public func setTelemetryNextCollection(_ pool: Ref<Pool>, value: APIDate) async throws {
        try await self.caller.perform("pool.set_telemetry_next_collection", [pool.wire, value.wire])
    }

    /// Starts `pool.set_telemetry_next_collection` and answers with its task.
    public func asyncSetTelemetryNextCollection(_ pool: Ref<Pool>, value: APIDate) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("pool.set_telemetry_next_collection", [pool.wire, value.wire])
    }

    /// Calls `pool.reset_telemetry_uuid`.
    ///
    /// Since 23.9.0. Role: pool-admin.
    public func resetTelemetryUUID(_ pool: Ref<Pool>) async throws {
        try await self.caller.perform("pool.reset_telemetry_uuid", [pool.wire])
    }

    /// Starts `pool.reset_telemetry_uuid` and answers with its task.
    public func asyncResetTelemetryUUID(_ pool: Ref<Pool>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("pool.reset_telemetry_uuid", [pool.wire])
    }

    /// Calls `pool.configure_update_sync`.
    ///
    /// Since 23.18.0. Role: pool-operator.
    public func configureUpdateSync(_ pool: Ref<Pool>, updateSyncFrequency: UpdateSyncFrequency, updateSyncDay: Int64) async throws {
        try await self.caller.perform("pool.configure_update_sync", [pool.wire, updateSyncFrequency.wire, updateSyncDay.wire])
    }

    /// Starts `pool.configure_update_sync` and answers with its task.
    public func asyncConfigureUpdateSync(_ pool: Ref<Pool>, updateSyncFrequency: UpdateSyncFrequency, updateSyncDay: Int64) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("pool.configure_update_sync", [pool.wire, updateSyncFrequency.wire, updateSyncDay.wire])
    }

    /// Calls `pool.set_update_sync_enabled`.
    ///
    /// Since 23.18.0. Role: pool-operator.
    public func setUpdateSyncEnabled(_ pool: Ref<Pool>, value: Bool) async throws {
        try await self.caller.perform("pool.set_update_sync_enabled", [pool.wire, value.wire])
    }

    /// Starts `pool.set_update_sync_enabled` and answers with its task.
    public func asyncSetUpdateSyncEnabled(_ pool: Ref<Pool>, value: Bool) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("pool.set_update_sync_enabled", [pool.wire, value.wire])
    }

    /// Calls `pool.set_local_auth_max_threads`.
    ///
    /// Since 23.27.0. Role: pool-operator.
    public func setLocalAuthMaxThreads(_ pool: Ref<Pool>, value: Int64) async throws {
        try await self.caller.perform("pool.set_local_auth_max_threads", [pool.wire, value.wire])
    }

    /// Calls `pool.set_ext_auth_max_threads`.
    ///
    /// Since 23.27.0. Role: pool-operator.
    public func setExtAuthMaxThreads(_ pool: Ref<Pool>, value: Int64) async throws {
        try await self.caller.perform("pool.set_ext_auth_max_threads", [pool.wire, value.wire])
    }

    /// Calls `pool.set_ext_auth_cache_enabled`.
    ///
    /// Since 24.31.0. Role: pool-operator.
    public func setExtAuthCacheEnabled(_ pool: Ref<Pool>, value: Bool) async throws {
        try await self.caller.perform("pool.set_ext_auth_cache_enabled", [pool.wire, value.wire])
    }

    /// Starts `pool.set_ext_auth_cache_enabled` and answers with its task.
    public func asyncSetExtAuthCacheEnabled(_ pool: Ref<Pool>, value: Bool) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("pool.set_ext_auth_cache_enabled", [pool.wire, value.wire])
    }

    /// Calls `pool.set_ext_auth_cache_size`.
    ///
    /// Since 24.31.0. Role: pool-operator.
    public func setExtAuthCacheSize(_ pool: Ref<Pool>, value: Int64) async throws {
        try await self.caller.perform("pool.set_ext_auth_cache_size", [pool.wire, value.wire])
    }

    /// Starts `pool.set_ext_auth_cache_size` and answers with its task.
    public func asyncSetExtAuthCacheSize(_ pool: Ref<Pool>, value: Int64) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("pool.set_ext_auth_cache_size", [pool.wire, value.wire])
    }

    /// Calls `pool.set_ext_auth_cache_expiry`.
    ///
    /// Since 24.31.0. Role: pool-operator.
    public func setExtAuthCacheExpiry(_ pool: Ref<Pool>, value: Int64) async throws {
        try await self.caller.perform("pool.set_ext_auth_cache_expiry", [pool.wire, value.wire])
    }

    /// Starts `pool.set_ext_auth_cache_expiry` and answers with its task.
    public func asyncSetExtAuthCacheExpiry(_ pool: Ref<Pool>, value: Int64) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("pool.set_ext_auth_cache_expiry", [pool.wire, value.wire])
    }

    /// Calls `pool.get_guest_secureboot_readiness`.
    ///
    /// Since 24.17.0. Role: pool-operator.
    public func getGuestSecurebootReadiness(_ pool: Ref<Pool>) async throws -> Open<PoolGuestSecurebootReadiness> {
        try await self.caller.invoke("pool.get_guest_secureboot_readiness", [pool.wire])
    }

    /// Calls `pool.enable_ssh`.
    ///
    /// Since 25.13.0. Role: pool-admin.
    public func enableSSH(_ pool: Ref<Pool>) async throws {
        try await self.caller.perform("pool.enable_ssh", [pool.wire])
    }

    /// Starts `pool.enable_ssh` and answers with its task.
    public func asyncEnableSSH(_ pool: Ref<Pool>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("pool.enable_ssh", [pool.wire])
    }

    /// Calls `pool.disable_ssh`.
    ///
    /// Since 25.13.0. Role: pool-admin.
    public func disableSSH(_ pool: Ref<Pool>) async throws {
        try await self.caller.perform("pool.disable_ssh", [pool.wire])
    }

    /// Starts `pool.disable_ssh` and answers with its task.
    public func asyncDisableSSH(_ pool: Ref<Pool>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("pool.disable_ssh", [pool.wire])
    }

    /// Calls `pool.set_ssh_enabled_timeout`.
    ///
    /// Since 25.21.0. Role: pool-admin.
    public func setSSHEnabledTimeout(_ pool: Ref<Pool>, value: Int64) async throws {
        try await self.caller.perform("pool.set_ssh_enabled_timeout", [pool.wire, value.wire])
    }

    /// Starts `pool.set_ssh_enabled_timeout` and answers with its task.
    public func asyncSetSSHEnabledTimeout(_ pool: Ref<Pool>, value: Int64) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("pool.set_ssh_enabled_timeout", [pool.wire, value.wire])
    }

    /// Calls `pool.set_console_idle_timeout`.
    ///
    /// Since 25.21.0. Role: pool-admin.
    public func setConsoleIdleTimeout(_ pool: Ref<Pool>, value: Int64) async throws {
        try await self.caller.perform("pool.set_console_idle_timeout", [pool.wire, value.wire])
    }

    /// Starts `pool.set_console_idle_timeout` and answers with its task.
    public func asyncSetConsoleIdleTimeout(_ pool: Ref<Pool>, value: Int64) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("pool.set_console_idle_timeout", [pool.wire, value.wire])
    }

    /// Calls `pool.set_ssh_auto_mode`.
    ///
    /// Since 25.27.0. Role: pool-admin.
    public func setSSHAutoMode(_ pool: Ref<Pool>, value: Bool) async throws {
        try await self.caller.perform("pool.set_ssh_auto_mode", [pool.wire, value.wire])
    }

    /// Starts `pool.set_ssh_auto_mode` and answers with its task.
    public func asyncSetSSHAutoMode(_ pool: Ref<Pool>, value: Bool) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("pool.set_ssh_auto_mode", [pool.wire, value.wire])
    }

    /// Calls `pool.install_trusted_certificate`.
    ///
    /// Since 26.13.0. Role: pool-operator+client-cert.
    public func installTrustedCertificate(_ pool: Ref<Pool>, ca: Bool, cert: String, purpose: [CertificatePurpose]) async throws {
        try await self.caller.perform("pool.install_trusted_certificate", [pool.wire, ca.wire, cert.wire, purpose.wire])
    }

    /// Starts `pool.install_trusted_certificate` and answers with its task.
    public func asyncInstallTrustedCertificate(_ pool: Ref<Pool>, ca: Bool, cert: String, purpose: [CertificatePurpose]) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("pool.install_trusted_certificate", [pool.wire, ca.wire, cert.wire, purpose.wire])
    }

    /// Calls `pool.uninstall_trusted_certificate`.
    ///
    /// Since 26.13.0. Role: pool-operator+client-cert.
    public func uninstallTrustedCertificate(_ pool: Ref<Pool>, certificate: Ref<Certificate>) async throws {
        try await self.caller.perform("pool.uninstall_trusted_certificate", [pool.wire, certificate.wire])
    }

    /// Starts `pool.uninstall_trusted_certificate` and answers with its task.
    public func asyncUninstallTrustedCertificate(_ pool: Ref<Pool>, certificate: Ref<Certificate>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("pool.uninstall_trusted_certificate", [pool.wire, certificate.wire])
    }

    /// Calls `pool.sync_trusted_certificates_from`.
    ///
    /// Since 26.16.0. Role: pool-operator+client-cert.
    public func syncTrustedCertificatesFrom(_ pool: Ref<Pool>, remotePool: String, remoteSession: Ref<Session>, remoteCertificate: String, ca: Bool) async throws -> [Ref<Certificate>] {
        try await self.caller.invoke("pool.sync_trusted_certificates_from", [pool.wire, remotePool.wire, remoteSession.wire, remoteCertificate.wire, ca.wire])
    }

    /// Starts `pool.sync_trusted_certificates_from` and answers with its task.
    public func asyncSyncTrustedCertificatesFrom(_ pool: Ref<Pool>, remotePool: String, remoteSession: Ref<Session>, remoteCertificate: String, ca: Bool) async throws -> XenTaskHandle<[Ref<Certificate>]> {
        try await self.caller.launch("pool.sync_trusted_certificates_from", [pool.wire, remotePool.wire, remoteSession.wire, remoteCertificate.wire, ca.wire])
    }

    /// Calls `pool.exchange_trusted_certificates_on_join`.
    ///
    /// Since 26.13.0. Role: pool-operator+client-cert.
    public func exchangeTrustedCertificatesOnJoin(_ pool: Ref<Pool>, ca: Bool, `import`: [String: [String]], export: [Ref<Certificate>]) async throws -> [String: [String]] {
        try await self.caller.invoke("pool.exchange_trusted_certificates_on_join", [pool.wire, ca.wire, `import`.wire, export.wire])
    }

    /// Starts `pool.exchange_trusted_certificates_on_join` and answers with its task.
    public func asyncExchangeTrustedCertificatesOnJoin(_ pool: Ref<Pool>, ca: Bool, `import`: [String: [String]], export: [Ref<Certificate>]) async throws -> XenTaskHandle<[String: [String]]> {
        try await self.caller.launch("pool.exchange_trusted_certificates_on_join", [pool.wire, ca.wire, `import`.wire, export.wire])
    }

    /// Calls `pool.exchange_crls_on_join`.
    ///
    /// Since 26.13.0. Role: pool-operator+client-cert.
    public func exchangeCrlsOnJoin(_ pool: Ref<Pool>, `import`: [String: String], export: [String]) async throws -> [String: String] {
        try await self.caller.invoke("pool.exchange_crls_on_join", [pool.wire, `import`.wire, export.wire])
    }

    /// Starts `pool.exchange_crls_on_join` and answers with its task.
    public func asyncExchangeCrlsOnJoin(_ pool: Ref<Pool>, `import`: [String: String], export: [String]) async throws -> XenTaskHandle<[String: String]> {
        try await self.caller.launch("pool.exchange_crls_on_join", [pool.wire, `import`.wire, export.wire])
    }
}
