// Generated from DataModel by scripts/generate.sh. Do not edit.

public import APITypes
public import RPCCodec

/// A record of the class `host`. A machine that runs VMs, here the one that the daemon runs on.
public struct HostRecord: XenRecord {
    /// Identifies the host.
    public var uuid: String
    /// The host's name.
    public var nameLabel: String
    /// What the administrator wrote about it.
    public var nameDescription: String
    /// Memory that the host needs for itself, bytes.
    public var memoryOverhead: Int64
    /// What may be asked of the host now.
    public var allowedOperations: [Open<HostAllowedOperations>]
    /// What is being done with it, by task.
    public var currentOperations: [String: Open<HostAllowedOperations>]
    /// First number of the API's version.
    public var apiVersionMajor: Int64
    /// Second number of the API's version.
    public var apiVersionMinor: Int64
    /// Who made this implementation of the API.
    public var apiVersionVendor: String
    /// More about the implementation.
    public var apiVersionVendorImplementation: [String: String]
    /// Whether VMs may be started here.
    public var enabled: Bool
    /// Names and versions of the software, by name.
    public var softwareVersion: [String: String]
    /// For notes.
    public var otherConfig: [String: String]
    /// What kinds of VMs the host can run.
    public var capabilities: [String]
    /// How processors are arranged.
    public var cpuConfiguration: [String: String]
    /// How processors are shared out.
    public var schedPolicy: String
    /// What can start a guest's kernel.
    public var supportedBootloaders: [String]
    /// The VMs that run here.
    public var residentVMs: [Ref<VM>]
    /// Where logs go.
    public var logging: [String: String]
    /// The host's network interfaces.
    public var pifs: [Ref<PIF>]
    /// Where the memory of suspended VMs of this host goes.
    public var suspendImageSR: Ref<SR>
    /// Where crash dumps of this host go.
    public var crashDumpSR: Ref<SR>
    public var crashdumps: [Ref<HostCrashdump>]
    public var patches: [Ref<HostPatch>]
    public var updates: [Ref<PoolUpdate>]
    /// The host's connections to storage repositories.
    public var pbds: [Ref<PBD>]
    /// The host's processors.
    public var hostCPUs: [Ref<HostCPU>]
    /// The processors, in short: number, model, speed, features.
    public var cpuInfo: [String: String]
    /// The name on the network.
    public var hostname: String
    /// The address that others reach the host at.
    public var address: String
    /// What is measured of the host.
    public var metrics: Ref<HostMetrics>
    /// What the license says; there is none.
    public var licenseParams: [String: String]
    public var haStatefiles: [String]
    public var haNetworkPeers: [String]
    public var blobs: [String: Ref<Blob>]
    /// Words to find the host by.
    public var tags: [String]
    public var externalAuthType: String
    public var externalAuthServiceName: String
    public var externalAuthConfiguration: [String: String]
    /// The edition of the software; there is one.
    public var edition: String
    public var licenseServer: [String: String]
    public var biosStrings: [String: String]
    /// How the host can be switched on from afar.
    public var powerOnMode: String
    public var powerOnConfig: [String: String]
    /// Where disks are cached.
    public var localCacheSR: Ref<SR>
    public var chipsetInfo: [String: String]
    public var pcis: [Ref<PCI>]
    public var pgpus: [Ref<PGPU>]
    public var pusbs: [Ref<PUSB>]?
    public var sslLegacy: Bool
    public var guestVCPUsParams: [String: String]
    public var display: Open<HostDisplay>
    public var virtualHardwarePlatformVersions: [Int64]
    /// The VM object that stands for the host's own system.
    public var controlDomain: Ref<VM>
    public var updatesRequiringReboot: [Ref<PoolUpdate>]
    public var features: [Ref<Feature>]?
    /// The name as an iSCSI initiator.
    public var iscsiIQN: String?
    /// Whether storage is reached over several paths.
    public var multipathing: Bool?
    public var uefiCertificates: String?
    public var certificates: [Ref<Certificate>]?
    public var editions: [String]?
    public var pendingGuidances: [Open<UpdateGuidances>]?
    public var tlsVerificationEnabled: Bool?
    public var lastSoftwareUpdate: APIDate?
    public var httpsOnly: Bool?
    public var latestSyncedUpdatesApplied: Open<LatestSyncedUpdatesAppliedState>?
    public var numaAffinityPolicy: Open<HostNUMAAffinityPolicy>?
    public var pendingGuidancesRecommended: [Open<UpdateGuidances>]?
    public var pendingGuidancesFull: [Open<UpdateGuidances>]?
    public var lastUpdateHash: String?
    public var sshEnabled: Bool?
    public var sshEnabledTimeout: Int64?
    public var sshExpiry: APIDate?
    public var consoleIdleTimeout: Int64?
    public var sshAutoMode: Bool?
    public var maxCstate: String?
    public var secureBoot: Bool?
    public var ntpMode: Open<HostNTPMode>?
    public var ntpCustomServers: [String]?
    public var timezone: String?

    public init(wire: WireValue) throws(WireMismatch) {
        var record = try RecordReader(wire, of: "host")
        uuid = try record.field("uuid")
        nameLabel = try record.field("name_label")
        nameDescription = try record.field("name_description")
        memoryOverhead = try record.field("memory_overhead")
        allowedOperations = try record.field("allowed_operations")
        currentOperations = try record.field("current_operations")
        apiVersionMajor = try record.field("API_version_major")
        apiVersionMinor = try record.field("API_version_minor")
        apiVersionVendor = try record.field("API_version_vendor")
        apiVersionVendorImplementation = try record.field("API_version_vendor_implementation")
        enabled = try record.field("enabled")
        softwareVersion = try record.field("software_version")
        otherConfig = try record.field("other_config")
        capabilities = try record.field("capabilities")
        cpuConfiguration = try record.field("cpu_configuration")
        schedPolicy = try record.field("sched_policy")
        supportedBootloaders = try record.field("supported_bootloaders")
        residentVMs = try record.field("resident_VMs")
        logging = try record.field("logging")
        pifs = try record.field("PIFs")
        suspendImageSR = try record.field("suspend_image_sr")
        crashDumpSR = try record.field("crash_dump_sr")
        crashdumps = try record.field("crashdumps")
        patches = try record.field("patches")
        updates = try record.field("updates")
        pbds = try record.field("PBDs")
        hostCPUs = try record.field("host_CPUs")
        cpuInfo = try record.field("cpu_info")
        hostname = try record.field("hostname")
        address = try record.field("address")
        metrics = try record.field("metrics")
        licenseParams = try record.field("license_params")
        haStatefiles = try record.field("ha_statefiles")
        haNetworkPeers = try record.field("ha_network_peers")
        blobs = try record.field("blobs")
        tags = try record.field("tags")
        externalAuthType = try record.field("external_auth_type")
        externalAuthServiceName = try record.field("external_auth_service_name")
        externalAuthConfiguration = try record.field("external_auth_configuration")
        edition = try record.field("edition")
        licenseServer = try record.field("license_server")
        biosStrings = try record.field("bios_strings")
        powerOnMode = try record.field("power_on_mode")
        powerOnConfig = try record.field("power_on_config")
        localCacheSR = try record.field("local_cache_sr")
        chipsetInfo = try record.field("chipset_info")
        pcis = try record.field("PCIs")
        pgpus = try record.field("PGPUs")
        pusbs = try record.optional("PUSBs")
        sslLegacy = try record.field("ssl_legacy")
        guestVCPUsParams = try record.field("guest_VCPUs_params")
        display = try record.field("display")
        virtualHardwarePlatformVersions = try record.field("virtual_hardware_platform_versions")
        controlDomain = try record.field("control_domain")
        updatesRequiringReboot = try record.field("updates_requiring_reboot")
        features = try record.optional("features")
        iscsiIQN = try record.optional("iscsi_iqn")
        multipathing = try record.optional("multipathing")
        uefiCertificates = try record.optional("uefi_certificates")
        certificates = try record.optional("certificates")
        editions = try record.optional("editions")
        pendingGuidances = try record.optional("pending_guidances")
        tlsVerificationEnabled = try record.optional("tls_verification_enabled")
        lastSoftwareUpdate = try record.optional("last_software_update")
        httpsOnly = try record.optional("https_only")
        latestSyncedUpdatesApplied = try record.optional("latest_synced_updates_applied")
        numaAffinityPolicy = try record.optional("numa_affinity_policy")
        pendingGuidancesRecommended = try record.optional("pending_guidances_recommended")
        pendingGuidancesFull = try record.optional("pending_guidances_full")
        lastUpdateHash = try record.optional("last_update_hash")
        sshEnabled = try record.optional("ssh_enabled")
        sshEnabledTimeout = try record.optional("ssh_enabled_timeout")
        sshExpiry = try record.optional("ssh_expiry")
        consoleIdleTimeout = try record.optional("console_idle_timeout")
        sshAutoMode = try record.optional("ssh_auto_mode")
        maxCstate = try record.optional("max_cstate")
        secureBoot = try record.optional("secure_boot")
        ntpMode = try record.optional("ntp_mode")
        ntpCustomServers = try record.optional("ntp_custom_servers")
        timezone = try record.optional("timezone")
    }
}

extension Host: RecordClass { public typealias Record = HostRecord }

/// The messages of the class `host`.
public struct HostCalls: ObjectCalls, NamedCalls, ListingCalls {
    public typealias Class = Host
    public let caller: any XenAPICaller
    init(_ caller: any XenAPICaller) { self.caller = caller }

    /// Keeps new VMs from starting on the host. Those that run go on, and may reboot.
    ///
    /// Since rio. Role: pool-operator+client-cert.
    public func disable(_ host: Ref<Host>, autoEnable: Bool = true) async throws {
        try await self.caller.perform("host.disable", [host.wire, autoEnable.wire], defaults: [.bool(true)])
    }

    /// Starts `host.disable` and answers with its task.
    public func asyncDisable(_ host: Ref<Host>, autoEnable: Bool = true) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("host.disable", [host.wire, autoEnable.wire], defaults: [.bool(true)])
    }

    /// Lets VMs start on the host again.
    ///
    /// Since rio. Role: pool-operator+client-cert.
    public func enable(_ host: Ref<Host>) async throws {
        try await self.caller.perform("host.enable", [host.wire])
    }

    /// Starts `host.enable` and answers with its task.
    public func asyncEnable(_ host: Ref<Host>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("host.enable", [host.wire])
    }

    /// Calls `host.shutdown`.
    ///
    /// Since rio. Role: pool-operator.
    public func shutdown(_ host: Ref<Host>) async throws {
        try await self.caller.perform("host.shutdown", [host.wire])
    }

    /// Starts `host.shutdown` and answers with its task.
    public func asyncShutdown(_ host: Ref<Host>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("host.shutdown", [host.wire])
    }

    /// Calls `host.reboot`.
    ///
    /// Since rio. Role: pool-operator.
    public func reboot(_ host: Ref<Host>) async throws {
        try await self.caller.perform("host.reboot", [host.wire])
    }

    /// Starts `host.reboot` and answers with its task.
    public func asyncReboot(_ host: Ref<Host>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("host.reboot", [host.wire])
    }

    /// Calls `host.prepare_for_poweroff`.
    ///
    /// Since kolkata. Role: local-root-only.
    public func prepareForPoweroff(_ host: Ref<Host>) async throws {
        try await self.caller.perform("host.prepare_for_poweroff", [host.wire])
    }

    /// Starts `host.prepare_for_poweroff` and answers with its task.
    public func asyncPrepareForPoweroff(_ host: Ref<Host>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("host.prepare_for_poweroff", [host.wire])
    }

    /// The messages of the host's kernel.
    ///
    /// Since rio. Role: pool-operator.
    public func dmesg(_ host: Ref<Host>) async throws -> String {
        try await self.caller.invoke("host.dmesg", [host.wire])
    }

    /// Starts `host.dmesg` and answers with its task.
    public func asyncDmesg(_ host: Ref<Host>) async throws -> XenTaskHandle<String> {
        try await self.caller.launch("host.dmesg", [host.wire])
    }

    /// The messages of the host's kernel, which forgets them.
    ///
    /// Since rio. Role: pool-operator.
    public func dmesgClear(_ host: Ref<Host>) async throws -> String {
        try await self.caller.invoke("host.dmesg_clear", [host.wire])
    }

    /// Starts `host.dmesg_clear` and answers with its task.
    public func asyncDmesgClear(_ host: Ref<Host>) async throws -> XenTaskHandle<String> {
        try await self.caller.launch("host.dmesg_clear", [host.wire])
    }

    /// Calls `host.get_log`.
    ///
    /// Since rio. Role: read-only.
    public func getLog(_ host: Ref<Host>) async throws -> String {
        try await self.caller.invoke("host.get_log", [host.wire])
    }

    /// Starts `host.get_log` and answers with its task.
    public func asyncGetLog(_ host: Ref<Host>) async throws -> XenTaskHandle<String> {
        try await self.caller.launch("host.get_log", [host.wire])
    }

    /// Calls `host.send_debug_keys`.
    ///
    /// Since rio. Role: pool-admin.
    public func sendDebugKeys(_ host: Ref<Host>, keys: String) async throws {
        try await self.caller.perform("host.send_debug_keys", [host.wire, keys.wire])
    }

    /// Starts `host.send_debug_keys` and answers with its task.
    public func asyncSendDebugKeys(_ host: Ref<Host>, keys: String) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("host.send_debug_keys", [host.wire, keys.wire])
    }

    /// Calls `host.bugreport_upload`.
    ///
    /// Since rio. Role: pool-operator.
    public func bugreportUpload(_ host: Ref<Host>, url: String, options: [String: String]) async throws {
        try await self.caller.perform("host.bugreport_upload", [host.wire, url.wire, options.wire])
    }

    /// Starts `host.bugreport_upload` and answers with its task.
    public func asyncBugreportUpload(_ host: Ref<Host>, url: String, options: [String: String]) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("host.bugreport_upload", [host.wire, url.wire, options.wire])
    }

    /// The names of all messages.
    ///
    /// Since rio. Role: read-only.
    public func listMethods() async throws -> [String] {
        try await self.caller.invoke("host.list_methods", [])
    }

    /// Calls `host.license_apply`.
    ///
    /// Since rio, deprecated in clearwater, removed in clearwater. Role: pool-operator. Errors: `LICENSE_PROCESSING_ERROR`.
    public func licenseApply(_ host: Ref<Host>, contents: String) async throws {
        try await self.caller.perform("host.license_apply", [host.wire, contents.wire])
    }

    /// Starts `host.license_apply` and answers with its task.
    public func asyncLicenseApply(_ host: Ref<Host>, contents: String) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("host.license_apply", [host.wire, contents.wire])
    }

    /// Calls `host.license_add`.
    ///
    /// Since indigo. Role: pool-operator. Errors: `LICENSE_PROCESSING_ERROR`.
    public func licenseAdd(_ host: Ref<Host>, contents: String) async throws {
        try await self.caller.perform("host.license_add", [host.wire, contents.wire])
    }

    /// Starts `host.license_add` and answers with its task.
    public func asyncLicenseAdd(_ host: Ref<Host>, contents: String) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("host.license_add", [host.wire, contents.wire])
    }

    /// Calls `host.license_remove`.
    ///
    /// Since indigo. Role: pool-operator.
    public func licenseRemove(_ host: Ref<Host>) async throws {
        try await self.caller.perform("host.license_remove", [host.wire])
    }

    /// Starts `host.license_remove` and answers with its task.
    public func asyncLicenseRemove(_ host: Ref<Host>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("host.license_remove", [host.wire])
    }

    /// Calls `host.create`.
    ///
    /// Since rio. Role: pool-operator.
    public func create(uuid: String, nameLabel: String, nameDescription: String, hostname: String, address: String, externalAuthType: String = "", externalAuthServiceName: String = "", externalAuthConfiguration: [String: String] = [:], licenseParams: [String: String] = [:], edition: String = "", licenseServer: [String: String] = ["address": "localhost", "port": "27000"], localCacheSR: Ref<SR> = .null, chipsetInfo: [String: String] = [:], sslLegacy: Bool = true, lastSoftwareUpdate: APIDate = .never, lastUpdateHash: String = "", sshEnabled: Bool = true, sshEnabledTimeout: Int64 = 0, sshExpiry: APIDate = .never, consoleIdleTimeout: Int64 = 0, sshAutoMode: Bool = false, secureBoot: Bool = false, softwareVersion: [String: String] = [:], httpsOnly: Bool = false, maxCstate: String = "", ntpMode: HostNTPMode = .factory, ntpCustomServers: [String] = [], timezone: String = "UTC", numaAffinityPolicy: HostNUMAAffinityPolicy = .defaultPolicy, latestSyncedUpdatesApplied: LatestSyncedUpdatesAppliedState = .unknown, pendingGuidancesFull: [UpdateGuidances] = [], pendingGuidancesRecommended: [UpdateGuidances] = []) async throws -> Ref<Host> {
        try await self.caller.invoke("host.create", [uuid.wire, nameLabel.wire, nameDescription.wire, hostname.wire, address.wire, externalAuthType.wire, externalAuthServiceName.wire, externalAuthConfiguration.wire, licenseParams.wire, edition.wire, licenseServer.wire, localCacheSR.wire, chipsetInfo.wire, sslLegacy.wire, lastSoftwareUpdate.wire, lastUpdateHash.wire, sshEnabled.wire, sshEnabledTimeout.wire, sshExpiry.wire, consoleIdleTimeout.wire, sshAutoMode.wire, secureBoot.wire, softwareVersion.wire, httpsOnly.wire, maxCstate.wire, ntpMode.wire, ntpCustomServers.wire, timezone.wire, numaAffinityPolicy.wire, latestSyncedUpdatesApplied.wire, pendingGuidancesFull.wire, pendingGuidancesRecommended.wire], defaults: [.string(""), .string(""), .structure([]), .structure([]), .string(""), .structure([WireMember("address", .string("localhost")), WireMember("port", .string("27000"))]), .string("OpaqueRef:NULL"), .structure([]), .bool(true), APIDate(seconds: 0).wire, .string(""), .bool(true), .int(0), APIDate(seconds: 0).wire, .int(0), .bool(false), .bool(false), .structure([]), .bool(false), .string(""), .string("Factory"), .array([]), .string("UTC"), .string("default_policy"), .string("unknown"), .array([]), .array([])])
    }

    /// Starts `host.create` and answers with its task.
    public func asyncCreate(uuid: String, nameLabel: String, nameDescription: String, hostname: String, address: String, externalAuthType: String = "", externalAuthServiceName: String = "", externalAuthConfiguration: [String: String] = [:], licenseParams: [String: String] = [:], edition: String = "", licenseServer: [String: String] = ["address": "localhost", "port": "27000"], localCacheSR: Ref<SR> = .null, chipsetInfo: [String: String] = [:], sslLegacy: Bool = true, lastSoftwareUpdate: APIDate = .never, lastUpdateHash: String = "", sshEnabled: Bool = true, sshEnabledTimeout: Int64 = 0, sshExpiry: APIDate = .never, consoleIdleTimeout: Int64 = 0, sshAutoMode: Bool = false, secureBoot: Bool = false, softwareVersion: [String: String] = [:], httpsOnly: Bool = false, maxCstate: String = "", ntpMode: HostNTPMode = .factory, ntpCustomServers: [String] = [], timezone: String = "UTC", numaAffinityPolicy: HostNUMAAffinityPolicy = .defaultPolicy, latestSyncedUpdatesApplied: LatestSyncedUpdatesAppliedState = .unknown, pendingGuidancesFull: [UpdateGuidances] = [], pendingGuidancesRecommended: [UpdateGuidances] = []) async throws -> XenTaskHandle<Ref<Host>> {
        try await self.caller.launch("host.create", [uuid.wire, nameLabel.wire, nameDescription.wire, hostname.wire, address.wire, externalAuthType.wire, externalAuthServiceName.wire, externalAuthConfiguration.wire, licenseParams.wire, edition.wire, licenseServer.wire, localCacheSR.wire, chipsetInfo.wire, sslLegacy.wire, lastSoftwareUpdate.wire, lastUpdateHash.wire, sshEnabled.wire, sshEnabledTimeout.wire, sshExpiry.wire, consoleIdleTimeout.wire, sshAutoMode.wire, secureBoot.wire, softwareVersion.wire, httpsOnly.wire, maxCstate.wire, ntpMode.wire, ntpCustomServers.wire, timezone.wire, numaAffinityPolicy.wire, latestSyncedUpdatesApplied.wire, pendingGuidancesFull.wire, pendingGuidancesRecommended.wire], defaults: [.string(""), .string(""), .structure([]), .structure([]), .string(""), .structure([WireMember("address", .string("localhost")), WireMember("port", .string("27000"))]), .string("OpaqueRef:NULL"), .structure([]), .bool(true), APIDate(seconds: 0).wire, .string(""), .bool(true), .int(0), APIDate(seconds: 0).wire, .int(0), .bool(false), .bool(false), .structure([]), .bool(false), .string(""), .string("Factory"), .array([]), .string("UTC"), .string("default_policy"), .string("unknown"), .array([]), .array([])])
    }

    /// Calls `host.destroy`.
    ///
    /// Since rio. Role: pool-operator.
    public func destroy(_ host: Ref<Host>) async throws {
        try await self.caller.perform("host.destroy", [host.wire])
    }

    /// Starts `host.destroy` and answers with its task.
    public func asyncDestroy(_ host: Ref<Host>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("host.destroy", [host.wire])
    }

    /// Calls `host.power_on`.
    ///
    /// Since orlando. Role: pool-operator.
    public func powerOn(_ host: Ref<Host>) async throws {
        try await self.caller.perform("host.power_on", [host.wire])
    }

    /// Starts `host.power_on` and answers with its task.
    public func asyncPowerOn(_ host: Ref<Host>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("host.power_on", [host.wire])
    }

    /// Calls `host.set_license_params`.
    ///
    /// Since orlando. Role: local-root-only. Between the hosts of a pool only.
    public func setLicenseParams(_ host: Ref<Host>, value: [String: String]) async throws {
        try await self.caller.perform("host.set_license_params", [host.wire, value.wire])
    }

    /// Starts `host.set_license_params` and answers with its task.
    public func asyncSetLicenseParams(_ host: Ref<Host>, value: [String: String]) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("host.set_license_params", [host.wire, value.wire])
    }

    /// Calls `host.emergency_ha_disable`.
    ///
    /// Since orlando. Role: pool-operator.
    public func emergencyHADisable(soft: Bool = false) async throws {
        try await self.caller.perform("host.emergency_ha_disable", [soft.wire], defaults: [.bool(false)])
    }

    /// Calls `host.ha_disarm_fencing`.
    ///
    /// Since orlando. Role: local-root-only. Between the hosts of a pool only.
    public func haDisarmFencing(_ host: Ref<Host>) async throws {
        try await self.caller.perform("host.ha_disarm_fencing", [host.wire])
    }

    /// Starts `host.ha_disarm_fencing` and answers with its task.
    public func asyncHaDisarmFencing(_ host: Ref<Host>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("host.ha_disarm_fencing", [host.wire])
    }

    /// Calls `host.preconfigure_ha`.
    ///
    /// Since miami. Role: local-root-only. Between the hosts of a pool only.
    public func preconfigureHA(_ host: Ref<Host>, statefiles: [Ref<VDI>], metadataVDI: Ref<VDI>, generation: String) async throws {
        try await self.caller.perform("host.preconfigure_ha", [host.wire, statefiles.wire, metadataVDI.wire, generation.wire])
    }

    /// Starts `host.preconfigure_ha` and answers with its task.
    public func asyncPreconfigureHA(_ host: Ref<Host>, statefiles: [Ref<VDI>], metadataVDI: Ref<VDI>, generation: String) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("host.preconfigure_ha", [host.wire, statefiles.wire, metadataVDI.wire, generation.wire])
    }

    /// Calls `host.ha_join_liveset`.
    ///
    /// Since orlando. Role: local-root-only. Between the hosts of a pool only.
    public func haJoinLiveset(_ host: Ref<Host>) async throws {
        try await self.caller.perform("host.ha_join_liveset", [host.wire])
    }

    /// Starts `host.ha_join_liveset` and answers with its task.
    public func asyncHaJoinLiveset(_ host: Ref<Host>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("host.ha_join_liveset", [host.wire])
    }

    /// Calls `host.ha_disable_failover_decisions`.
    ///
    /// Since orlando. Role: local-root-only. Between the hosts of a pool only.
    public func haDisableFailoverDecisions(_ host: Ref<Host>) async throws {
        try await self.caller.perform("host.ha_disable_failover_decisions", [host.wire])
    }

    /// Starts `host.ha_disable_failover_decisions` and answers with its task.
    public func asyncHaDisableFailoverDecisions(_ host: Ref<Host>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("host.ha_disable_failover_decisions", [host.wire])
    }

    /// Calls `host.ha_wait_for_shutdown_via_statefile`.
    ///
    /// Since orlando. Role: local-root-only. Between the hosts of a pool only.
    public func haWaitForShutdownViaStatefile(_ host: Ref<Host>) async throws {
        try await self.caller.perform("host.ha_wait_for_shutdown_via_statefile", [host.wire])
    }

    /// Starts `host.ha_wait_for_shutdown_via_statefile` and answers with its task.
    public func asyncHaWaitForShutdownViaStatefile(_ host: Ref<Host>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("host.ha_wait_for_shutdown_via_statefile", [host.wire])
    }

    /// Calls `host.ha_stop_daemon`.
    ///
    /// Since orlando. Role: local-root-only. Between the hosts of a pool only.
    public func haStopDaemon(_ host: Ref<Host>) async throws {
        try await self.caller.perform("host.ha_stop_daemon", [host.wire])
    }

    /// Starts `host.ha_stop_daemon` and answers with its task.
    public func asyncHaStopDaemon(_ host: Ref<Host>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("host.ha_stop_daemon", [host.wire])
    }

    /// Calls `host.ha_release_resources`.
    ///
    /// Since orlando. Role: local-root-only. Between the hosts of a pool only.
    public func haReleaseResources(_ host: Ref<Host>) async throws {
        try await self.caller.perform("host.ha_release_resources", [host.wire])
    }

    /// Starts `host.ha_release_resources` and answers with its task.
    public func asyncHaReleaseResources(_ host: Ref<Host>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("host.ha_release_resources", [host.wire])
    }

    /// Whether the daemon is well: who gets an answer has the answer.
    ///
    /// Since orlando. Role: pool-admin.
    public func haXapiHealthcheck() async throws -> Bool {
        try await self.caller.invoke("host.ha_xapi_healthcheck", [])
    }

    /// Calls `host.local_assert_healthy`.
    ///
    /// Since miami. Role: local-root-only. Errors: `HOST_STILL_BOOTING`, `HOST_HAS_NO_MANAGEMENT_IP`, `HOST_MASTER_CANNOT_TALK_BACK`, `HOST_UNKNOWN_TO_MASTER`, `HOST_BROKEN`, `LICENCE_RESTRICTION`, `LICENSE_DOES_NOT_SUPPORT_POOLING`, `HA_SHOULD_BE_FENCED`, `HOST_XAPI_VERSION_HIGHER_THAN_COORDINATOR`. Between the hosts of a pool only.
    public func localAssertHealthy() async throws {
        try await self.caller.perform("host.local_assert_healthy", [])
    }

    /// Calls `host.request_backup`.
    ///
    /// Since rio. Role: local-root-only. Between the hosts of a pool only.
    public func requestBackup(_ host: Ref<Host>, generation: Int64, force: Bool) async throws {
        try await self.caller.perform("host.request_backup", [host.wire, generation.wire, force.wire])
    }

    /// Calls `host.request_config_file_sync`.
    ///
    /// Since rio. Role: local-root-only. Between the hosts of a pool only.
    public func requestConfigFileSync(_ host: Ref<Host>, hash: String) async throws {
        try await self.caller.perform("host.request_config_file_sync", [host.wire, hash.wire])
    }

    /// Calls `host.propose_new_master`.
    ///
    /// Since miami. Role: local-root-only. Between the hosts of a pool only.
    public func proposeNewMaster(address: String, manual: Bool) async throws {
        try await self.caller.perform("host.propose_new_master", [address.wire, manual.wire])
    }

    /// Calls `host.commit_new_master`.
    ///
    /// Since miami. Role: local-root-only. Between the hosts of a pool only.
    public func commitNewMaster(address: String) async throws {
        try await self.caller.perform("host.commit_new_master", [address.wire])
    }

    /// Calls `host.abort_new_master`.
    ///
    /// Since miami. Role: local-root-only. Between the hosts of a pool only.
    public func abortNewMaster(address: String) async throws {
        try await self.caller.perform("host.abort_new_master", [address.wire])
    }

    /// What is measured of the host.
    ///
    /// Since orlando. Role: read-only.
    public func getDataSources(_ host: Ref<Host>) async throws -> [DataSourceRecord] {
        try await self.caller.invoke("host.get_data_sources", [host.wire])
    }

    /// Begins to record a data source.
    ///
    /// Since orlando. Role: pool-operator.
    public func recordDataSource(_ host: Ref<Host>, dataSource: String) async throws {
        try await self.caller.perform("host.record_data_source", [host.wire, dataSource.wire])
    }

    /// The latest value of a data source.
    ///
    /// Since orlando. Role: read-only.
    public func queryDataSource(_ host: Ref<Host>, dataSource: String) async throws -> Double {
        try await self.caller.invoke("host.query_data_source", [host.wire, dataSource.wire])
    }

    /// Drops what was recorded of a data source.
    ///
    /// Since orlando. Role: pool-operator.
    public func forgetDataSourceArchives(_ host: Ref<Host>, dataSource: String) async throws {
        try await self.caller.perform("host.forget_data_source_archives", [host.wire, dataSource.wire])
    }

    /// Throws CANNOT_EVACUATE_HOST with the VMs that could not go elsewhere.
    ///
    /// Since miami. Role: pool-operator.
    public func assertCanEvacuate(_ host: Ref<Host>) async throws {
        try await self.caller.perform("host.assert_can_evacuate", [host.wire])
    }

    /// Starts `host.assert_can_evacuate` and answers with its task.
    public func asyncAssertCanEvacuate(_ host: Ref<Host>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("host.assert_can_evacuate", [host.wire])
    }

    /// The VMs that could not go elsewhere, each with the reason.
    ///
    /// Since orlando. Role: read-only.
    public func getVMsWhichPreventEvacuation(_ host: Ref<Host>) async throws -> [Ref<VM>: [String]] {
        try await self.caller.invoke("host.get_vms_which_prevent_evacuation", [host.wire])
    }

    /// Starts `host.get_vms_which_prevent_evacuation` and answers with its task.
    public func asyncGetVMsWhichPreventEvacuation(_ host: Ref<Host>) async throws -> XenTaskHandle<[Ref<VM>: [String]]> {
        try await self.caller.launch("host.get_vms_which_prevent_evacuation", [host.wire])
    }

    /// VMs that do not give memory back when they are asked to. Nobody asks any more: none.
    ///
    /// Since midnight-ride, deprecated in tampa. Role: read-only.
    public func getUncooperativeResidentVMs(_ host: Ref<Host>) async throws -> [Ref<VM>] {
        try await self.caller.invoke("host.get_uncooperative_resident_VMs", [host.wire])
    }

    /// Starts `host.get_uncooperative_resident_VMs` and answers with its task.
    public func asyncGetUncooperativeResidentVMs(_ host: Ref<Host>) async throws -> XenTaskHandle<[Ref<VM>]> {
        try await self.caller.launch("host.get_uncooperative_resident_VMs", [host.wire])
    }

    /// Calls `host.get_uncooperative_domains`.
    ///
    /// Since midnight-ride, deprecated in tampa. Role: local-root-only. Between the hosts of a pool only.
    public func getUncooperativeDomains(_ host: Ref<Host>) async throws -> [String] {
        try await self.caller.invoke("host.get_uncooperative_domains", [host.wire])
    }

    /// Starts `host.get_uncooperative_domains` and answers with its task.
    public func asyncGetUncooperativeDomains(_ host: Ref<Host>) async throws -> XenTaskHandle<[String]> {
        try await self.caller.launch("host.get_uncooperative_domains", [host.wire])
    }

    /// Moves all VMs off the host. Where there is no other host this fails unless none is there.
    ///
    /// Since miami. Role: pool-operator+client-cert.
    public func evacuate(_ host: Ref<Host>, network: Ref<Network> = .null, evacuateBatchSize: Int64 = 0) async throws {
        try await self.caller.perform("host.evacuate", [host.wire, network.wire, evacuateBatchSize.wire], defaults: [.string("OpaqueRef:NULL"), .int(0)])
    }

    /// Starts `host.evacuate` and answers with its task.
    public func asyncEvacuate(_ host: Ref<Host>, network: Ref<Network> = .null, evacuateBatchSize: Int64 = 0) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("host.evacuate", [host.wire, network.wire, evacuateBatchSize.wire], defaults: [.string("OpaqueRef:NULL"), .int(0)])
    }

    /// Calls `host.signal_networking_change`.
    ///
    /// Since miami. Role: local-root-only. Between the hosts of a pool only.
    public func signalNetworkingChange() async throws {
        try await self.caller.perform("host.signal_networking_change", [])
    }

    /// Calls `host.notify`.
    ///
    /// Since miami. Role: local-root-only. Between the hosts of a pool only.
    public func notify(ty: String, params: String) async throws {
        try await self.caller.perform("host.notify", [ty.wire, params.wire])
    }

    /// Starts `host.notify` and answers with its task.
    public func asyncNotify(ty: String, params: String) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("host.notify", [ty.wire, params.wire])
    }

    /// Calls `host.syslog_reconfigure`.
    ///
    /// Since miami. Role: pool-operator.
    public func syslogReconfigure(_ host: Ref<Host>) async throws {
        try await self.caller.perform("host.syslog_reconfigure", [host.wire])
    }

    /// Starts `host.syslog_reconfigure` and answers with its task.
    public func asyncSyslogReconfigure(_ host: Ref<Host>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("host.syslog_reconfigure", [host.wire])
    }

    /// Calls `host.management_reconfigure`.
    ///
    /// Since miami. Role: pool-operator.
    public func managementReconfigure(pif: Ref<PIF>) async throws {
        try await self.caller.perform("host.management_reconfigure", [pif.wire])
    }

    /// Starts `host.management_reconfigure` and answers with its task.
    public func asyncManagementReconfigure(pif: Ref<PIF>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("host.management_reconfigure", [pif.wire])
    }

    /// Calls `host.local_management_reconfigure`.
    ///
    /// Since miami. Role: pool-operator.
    public func localManagementReconfigure(interface: String) async throws {
        try await self.caller.perform("host.local_management_reconfigure", [interface.wire])
    }

    /// Calls `host.management_disable`.
    ///
    /// Since miami. Role: pool-operator.
    public func managementDisable() async throws {
        try await self.caller.perform("host.management_disable", [])
    }

    /// The PIF over which the host is managed.
    ///
    /// Since tampa. Role: pool-operator.
    public func getManagementInterface(_ host: Ref<Host>) async throws -> Ref<PIF> {
        try await self.caller.invoke("host.get_management_interface", [host.wire])
    }

    /// Starts `host.get_management_interface` and answers with its task.
    public func asyncGetManagementInterface(_ host: Ref<Host>) async throws -> XenTaskHandle<Ref<PIF>> {
        try await self.caller.launch("host.get_management_interface", [host.wire])
    }

    /// Calls `host.get_system_status_capabilities`.
    ///
    /// Since miami. Role: read-only.
    public func getSystemStatusCapabilities(_ host: Ref<Host>) async throws -> String {
        try await self.caller.invoke("host.get_system_status_capabilities", [host.wire])
    }

    /// Calls `host.get_diagnostic_timing_stats`.
    ///
    /// Since miami. Role: read-only.
    public func getDiagnosticTimingStats(_ host: Ref<Host>, counts: Bool = false) async throws -> [String: String] {
        try await self.caller.invoke("host.get_diagnostic_timing_stats", [host.wire, counts.wire], defaults: [.bool(false)])
    }

    /// Calls `host.restart_agent`.
    ///
    /// Since rio. Role: pool-operator.
    public func restartAgent(_ host: Ref<Host>) async throws {
        try await self.caller.perform("host.restart_agent", [host.wire])
    }

    /// Starts `host.restart_agent` and answers with its task.
    public func asyncRestartAgent(_ host: Ref<Host>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("host.restart_agent", [host.wire])
    }

    /// Calls `host.shutdown_agent`.
    ///
    /// Since orlando. Role: pool-operator.
    public func shutdownAgent() async throws {
        try await self.caller.perform("host.shutdown_agent", [])
    }

    /// Calls `host.set_hostname_live`.
    ///
    /// Since miami. Role: pool-operator. Errors: `HOST_NAME_INVALID`.
    public func setHostnameLive(_ host: Ref<Host>, hostname: String) async throws {
        try await self.caller.perform("host.set_hostname_live", [host.wire, hostname.wire])
    }

    /// Whether the host has lost its coordinator. It is its own.
    ///
    /// Since miami. Role: read-only.
    public func isInEmergencyMode() async throws -> Bool {
        try await self.caller.invoke("host.is_in_emergency_mode", [])
    }

    /// Memory that guests can still be started with, bytes.
    ///
    /// Since orlando. Role: read-only.
    public func computeFreeMemory(_ host: Ref<Host>) async throws -> Int64 {
        try await self.caller.invoke("host.compute_free_memory", [host.wire])
    }

    /// Starts `host.compute_free_memory` and answers with its task.
    public func asyncComputeFreeMemory(_ host: Ref<Host>) async throws -> XenTaskHandle<Int64> {
        try await self.caller.launch("host.compute_free_memory", [host.wire])
    }

    /// Memory that the host keeps for itself, bytes.
    ///
    /// Since midnight-ride. Role: read-only.
    public func computeMemoryOverhead(_ host: Ref<Host>) async throws -> Int64 {
        try await self.caller.invoke("host.compute_memory_overhead", [host.wire])
    }

    /// Starts `host.compute_memory_overhead` and answers with its task.
    public func asyncComputeMemoryOverhead(_ host: Ref<Host>) async throws -> XenTaskHandle<Int64> {
        try await self.caller.launch("host.compute_memory_overhead", [host.wire])
    }

    /// Calls `host.tickle_heartbeat`.
    ///
    /// Since orlando. Role: local-root-only. Between the hosts of a pool only.
    public func tickleHeartbeat(_ host: Ref<Host>, stuff: [String: String]) async throws -> [String: String] {
        try await self.caller.invoke("host.tickle_heartbeat", [host.wire, stuff.wire])
    }

    /// Calls `host.sync_data`.
    ///
    /// Since orlando. Role: pool-admin.
    public func syncData(_ host: Ref<Host>) async throws {
        try await self.caller.perform("host.sync_data", [host.wire])
    }

    /// Writes the recorded measurements to the disk.
    ///
    /// Since orlando. Role: pool-admin.
    public func backupRrds(_ host: Ref<Host>, delay: Double) async throws {
        try await self.caller.perform("host.backup_rrds", [host.wire, delay.wire])
    }

    /// Makes an empty blob of the host, whose content is put and read at /blob.
    ///
    /// Since orlando. Role: pool-operator.
    public func createNewBlob(_ host: Ref<Host>, name: String, mimeType: String, `public`: Bool = false) async throws -> Ref<Blob> {
        try await self.caller.invoke("host.create_new_blob", [host.wire, name.wire, mimeType.wire, `public`.wire], defaults: [.bool(false)])
    }

    /// Starts `host.create_new_blob` and answers with its task.
    public func asyncCreateNewBlob(_ host: Ref<Host>, name: String, mimeType: String, `public`: Bool = false) async throws -> XenTaskHandle<Ref<Blob>> {
        try await self.caller.launch("host.create_new_blob", [host.wire, name.wire, mimeType.wire, `public`.wire], defaults: [.bool(false)])
    }

    /// Runs a plugin of the host. There is one, tapdisk-pause, with which storage drivers hold a disk that is in use; every other name is answered with XENAPI_MISSING_PLUGIN.
    ///
    /// Since orlando. Role: pool-admin.
    public func callPlugin(_ host: Ref<Host>, plugin: String, fn: String, args: [String: String]) async throws -> String {
        try await self.caller.invoke("host.call_plugin", [host.wire, plugin.wire, fn.wire, args.wire])
    }

    /// Starts `host.call_plugin` and answers with its task.
    public func asyncCallPlugin(_ host: Ref<Host>, plugin: String, fn: String, args: [String: String]) async throws -> XenTaskHandle<String> {
        try await self.caller.launch("host.call_plugin", [host.wire, plugin.wire, fn.wire, args.wire])
    }

    /// Whether the host has an extension of this name. It has none.
    ///
    /// Since ely. Role: pool-admin.
    public func hasExtension(_ host: Ref<Host>, name: String) async throws -> Bool {
        try await self.caller.invoke("host.has_extension", [host.wire, name.wire])
    }

    /// Starts `host.has_extension` and answers with its task.
    public func asyncHasExtension(_ host: Ref<Host>, name: String) async throws -> XenTaskHandle<Bool> {
        try await self.caller.launch("host.has_extension", [host.wire, name.wire])
    }

    /// Calls `host.call_extension`.
    ///
    /// Since ely. Role: pool-admin.
    public func callExtension(_ host: Ref<Host>, call: String) async throws -> String {
        try await self.caller.invoke("host.call_extension", [host.wire, call.wire])
    }

    /// The host's clock.
    ///
    /// Since orlando. Role: read-only.
    public func getServertime(_ host: Ref<Host>) async throws -> APIDate {
        try await self.caller.invoke("host.get_servertime", [host.wire])
    }

    /// The host's clock in its own time zone.
    ///
    /// Since cowley. Role: read-only.
    public func getServerLocaltime(_ host: Ref<Host>) async throws -> APIDate {
        try await self.caller.invoke("host.get_server_localtime", [host.wire])
    }

    /// Calls `host.enable_binary_storage`.
    ///
    /// Since orlando. Role: local-root-only. Between the hosts of a pool only.
    public func enableBinaryStorage(_ host: Ref<Host>) async throws {
        try await self.caller.perform("host.enable_binary_storage", [host.wire])
    }

    /// Starts `host.enable_binary_storage` and answers with its task.
    public func asyncEnableBinaryStorage(_ host: Ref<Host>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("host.enable_binary_storage", [host.wire])
    }

    /// Calls `host.disable_binary_storage`.
    ///
    /// Since orlando. Role: local-root-only. Between the hosts of a pool only.
    public func disableBinaryStorage(_ host: Ref<Host>) async throws {
        try await self.caller.perform("host.disable_binary_storage", [host.wire])
    }

    /// Starts `host.disable_binary_storage` and answers with its task.
    public func asyncDisableBinaryStorage(_ host: Ref<Host>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("host.disable_binary_storage", [host.wire])
    }

    /// Calls `host.enable_external_auth`.
    ///
    /// Since george. Role: pool-admin.
    public func enableExternalAuth(_ host: Ref<Host>, config: [String: String], serviceName: String, authType: String) async throws {
        try await self.caller.perform("host.enable_external_auth", [host.wire, config.wire, serviceName.wire, authType.wire])
    }

    /// Calls `host.disable_external_auth`.
    ///
    /// Since george. Role: pool-admin.
    public func disableExternalAuth(_ host: Ref<Host>, config: [String: String] = [:], force: Bool = false) async throws {
        try await self.caller.perform("host.disable_external_auth", [host.wire, config.wire, force.wire], defaults: [.structure([]), .bool(false)])
    }

    /// Calls `host.external_auth_set_ldaps`.
    ///
    /// Since 26.16.0. Role: pool-admin.
    public func externalAuthSetLdaps(_ host: Ref<Host>, ldaps: Bool, force: Bool = false) async throws {
        try await self.caller.perform("host.external_auth_set_ldaps", [host.wire, ldaps.wire, force.wire], defaults: [.bool(false)])
    }

    /// Calls `host.retrieve_wlb_evacuate_recommendations`.
    ///
    /// Since george. Role: read-only.
    public func retrieveWlbEvacuateRecommendations(_ host: Ref<Host>) async throws -> [Ref<VM>: [String]] {
        try await self.caller.invoke("host.retrieve_wlb_evacuate_recommendations", [host.wire])
    }

    /// Starts `host.retrieve_wlb_evacuate_recommendations` and answers with its task.
    public func asyncRetrieveWlbEvacuateRecommendations(_ host: Ref<Host>) async throws -> XenTaskHandle<[Ref<VM>: [String]]> {
        try await self.caller.launch("host.retrieve_wlb_evacuate_recommendations", [host.wire])
    }

    /// Calls `host.install_ca_certificate`.
    ///
    /// Since 1.290.0. Role: local-root-only. Between the hosts of a pool only.
    public func installCACertificate(_ host: Ref<Host>, name: String, cert: String) async throws {
        try await self.caller.perform("host.install_ca_certificate", [host.wire, name.wire, cert.wire])
    }

    /// Starts `host.install_ca_certificate` and answers with its task.
    public func asyncInstallCACertificate(_ host: Ref<Host>, name: String, cert: String) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("host.install_ca_certificate", [host.wire, name.wire, cert.wire])
    }

    /// Calls `host.uninstall_ca_certificate`.
    ///
    /// Since 1.290.0. Role: local-root-only. Between the hosts of a pool only.
    public func uninstallCACertificate(_ host: Ref<Host>, name: String, force: Bool = false) async throws {
        try await self.caller.perform("host.uninstall_ca_certificate", [host.wire, name.wire, force.wire], defaults: [.bool(false)])
    }

    /// Starts `host.uninstall_ca_certificate` and answers with its task.
    public func asyncUninstallCACertificate(_ host: Ref<Host>, name: String, force: Bool = false) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("host.uninstall_ca_certificate", [host.wire, name.wire, force.wire], defaults: [.bool(false)])
    }

    /// Calls `host.certificate_list`.
    ///
    /// Since george, deprecated in 1.290.0. Role: local-root-only. Between the hosts of a pool only.
    public func certificateList(_ host: Ref<Host>) async throws -> [String] {
        try await self.caller.invoke("host.certificate_list", [host.wire])
    }

    /// Starts `host.certificate_list` and answers with its task.
    public func asyncCertificateList(_ host: Ref<Host>) async throws -> XenTaskHandle<[String]> {
        try await self.caller.launch("host.certificate_list", [host.wire])
    }

    /// Calls `host.crl_install`.
    ///
    /// Since george. Role: local-root-only. Between the hosts of a pool only.
    public func crlInstall(_ host: Ref<Host>, name: String, crl: String) async throws {
        try await self.caller.perform("host.crl_install", [host.wire, name.wire, crl.wire])
    }

    /// Starts `host.crl_install` and answers with its task.
    public func asyncCrlInstall(_ host: Ref<Host>, name: String, crl: String) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("host.crl_install", [host.wire, name.wire, crl.wire])
    }

    /// Calls `host.crl_uninstall`.
    ///
    /// Since george. Role: local-root-only. Between the hosts of a pool only.
    public func crlUninstall(_ host: Ref<Host>, name: String) async throws {
        try await self.caller.perform("host.crl_uninstall", [host.wire, name.wire])
    }

    /// Starts `host.crl_uninstall` and answers with its task.
    public func asyncCrlUninstall(_ host: Ref<Host>, name: String) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("host.crl_uninstall", [host.wire, name.wire])
    }

    /// Calls `host.crl_list`.
    ///
    /// Since george. Role: local-root-only. Between the hosts of a pool only.
    public func crlList(_ host: Ref<Host>) async throws -> [String] {
        try await self.caller.invoke("host.crl_list", [host.wire])
    }

    /// Starts `host.crl_list` and answers with its task.
    public func asyncCrlList(_ host: Ref<Host>) async throws -> XenTaskHandle<[String]> {
        try await self.caller.launch("host.crl_list", [host.wire])
    }

    /// Calls `host.certificate_sync`.
    ///
    /// Since george. Role: local-root-only. Between the hosts of a pool only.
    public func certificateSync(_ host: Ref<Host>) async throws {
        try await self.caller.perform("host.certificate_sync", [host.wire])
    }

    /// Starts `host.certificate_sync` and answers with its task.
    public func asyncCertificateSync(_ host: Ref<Host>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("host.certificate_sync", [host.wire])
    }

    /// Calls `host.get_server_certificate`.
    ///
    /// Since george. Role: read-only.
    public func getServerCertificate(_ host: Ref<Host>) async throws -> String {
        try await self.caller.invoke("host.get_server_certificate", [host.wire])
    }

    /// Starts `host.get_server_certificate` and answers with its task.
    public func asyncGetServerCertificate(_ host: Ref<Host>) async throws -> XenTaskHandle<String> {
        try await self.caller.launch("host.get_server_certificate", [host.wire])
    }

    /// Calls `host.refresh_server_certificate`.
    ///
    /// Since 1.307.0. Role: pool-admin.
    public func refreshServerCertificate(_ host: Ref<Host>) async throws {
        try await self.caller.perform("host.refresh_server_certificate", [host.wire])
    }

    /// Starts `host.refresh_server_certificate` and answers with its task.
    public func asyncRefreshServerCertificate(_ host: Ref<Host>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("host.refresh_server_certificate", [host.wire])
    }

    /// Calls `host.install_server_certificate`.
    ///
    /// Since stockholm. Role: pool-admin.
    public func installServerCertificate(_ host: Ref<Host>, certificate: String, privateKey: String, certificateChain: String = "") async throws {
        try await self.caller.perform("host.install_server_certificate", [host.wire, certificate.wire, privateKey.wire, certificateChain.wire], defaults: [.string("")])
    }

    /// Starts `host.install_server_certificate` and answers with its task.
    public func asyncInstallServerCertificate(_ host: Ref<Host>, certificate: String, privateKey: String, certificateChain: String = "") async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("host.install_server_certificate", [host.wire, certificate.wire, privateKey.wire, certificateChain.wire], defaults: [.string("")])
    }

    /// Calls `host.emergency_reset_server_certificate`.
    ///
    /// Since stockholm. Role: local-root-only.
    public func emergencyResetServerCertificate() async throws {
        try await self.caller.perform("host.emergency_reset_server_certificate", [])
    }

    /// Calls `host.reset_server_certificate`.
    ///
    /// Since 1.290.0. Role: pool-admin.
    public func resetServerCertificate(_ host: Ref<Host>) async throws {
        try await self.caller.perform("host.reset_server_certificate", [host.wire])
    }

    /// Starts `host.reset_server_certificate` and answers with its task.
    public func asyncResetServerCertificate(_ host: Ref<Host>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("host.reset_server_certificate", [host.wire])
    }

    /// Calls `host.update_pool_secret`.
    ///
    /// Since midnight-ride. Role: local-root-only. Between the hosts of a pool only.
    public func updatePoolSecret(_ host: Ref<Host>, poolSecret: String) async throws {
        try await self.caller.perform("host.update_pool_secret", [host.wire, poolSecret.wire])
    }

    /// Starts `host.update_pool_secret` and answers with its task.
    public func asyncUpdatePoolSecret(_ host: Ref<Host>, poolSecret: String) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("host.update_pool_secret", [host.wire, poolSecret.wire])
    }

    /// Calls `host.update_master`.
    ///
    /// Since midnight-ride. Role: local-root-only. Between the hosts of a pool only.
    public func updateMaster(_ host: Ref<Host>, masterAddress: String) async throws {
        try await self.caller.perform("host.update_master", [host.wire, masterAddress.wire])
    }

    /// Starts `host.update_master` and answers with its task.
    public func asyncUpdateMaster(_ host: Ref<Host>, masterAddress: String) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("host.update_master", [host.wire, masterAddress.wire])
    }

    /// Calls `host.attach_static_vdis`.
    ///
    /// Since midnight-ride. Role: local-root-only. Between the hosts of a pool only.
    public func attachStaticVDIs(_ host: Ref<Host>, vdiReasonMap: [Ref<VDI>: String]) async throws {
        try await self.caller.perform("host.attach_static_vdis", [host.wire, vdiReasonMap.wire])
    }

    /// Starts `host.attach_static_vdis` and answers with its task.
    public func asyncAttachStaticVDIs(_ host: Ref<Host>, vdiReasonMap: [Ref<VDI>: String]) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("host.attach_static_vdis", [host.wire, vdiReasonMap.wire])
    }

    /// Calls `host.detach_static_vdis`.
    ///
    /// Since midnight-ride. Role: local-root-only. Between the hosts of a pool only.
    public func detachStaticVDIs(_ host: Ref<Host>, vdis: [Ref<VDI>]) async throws {
        try await self.caller.perform("host.detach_static_vdis", [host.wire, vdis.wire])
    }

    /// Starts `host.detach_static_vdis` and answers with its task.
    public func asyncDetachStaticVDIs(_ host: Ref<Host>, vdis: [Ref<VDI>]) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("host.detach_static_vdis", [host.wire, vdis.wire])
    }

    /// Calls `host.set_localdb_key`.
    ///
    /// Since midnight-ride. Role: local-root-only. Between the hosts of a pool only.
    public func setLocaldbKey(_ host: Ref<Host>, key: String, value: String) async throws {
        try await self.caller.perform("host.set_localdb_key", [host.wire, key.wire, value.wire])
    }

    /// Starts `host.set_localdb_key` and answers with its task.
    public func asyncSetLocaldbKey(_ host: Ref<Host>, key: String, value: String) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("host.set_localdb_key", [host.wire, key.wire, value.wire])
    }

    /// Applies an edition to the host. There is one, and it is applied already: another is refused by name.
    ///
    /// Since midnight-ride. Role: pool-operator.
    public func applyEdition(_ host: Ref<Host>, edition: String, force: Bool = false) async throws {
        try await self.caller.perform("host.apply_edition", [host.wire, edition.wire, force.wire], defaults: [.bool(false)])
    }

    /// Calls `host.refresh_pack_info`.
    ///
    /// Since midnight-ride, deprecated in ely. Role: pool-operator.
    public func refreshPackInfo(_ host: Ref<Host>) async throws {
        try await self.caller.perform("host.refresh_pack_info", [host.wire])
    }

    /// Starts `host.refresh_pack_info` and answers with its task.
    public func asyncRefreshPackInfo(_ host: Ref<Host>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("host.refresh_pack_info", [host.wire])
    }

    /// Sets how the host can be switched on from afar, and with which settings.
    ///
    /// Since cowley. Role: pool-operator.
    public func setPowerOnMode(_ host: Ref<Host>, powerOnMode: String, powerOnConfig: [String: String]) async throws {
        try await self.caller.perform("host.set_power_on_mode", [host.wire, powerOnMode.wire, powerOnConfig.wire])
    }

    /// Starts `host.set_power_on_mode` and answers with its task.
    public func asyncSetPowerOnMode(_ host: Ref<Host>, powerOnMode: String, powerOnConfig: [String: String]) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("host.set_power_on_mode", [host.wire, powerOnMode.wire, powerOnConfig.wire])
    }

    /// Calls `host.set_cpu_features`.
    ///
    /// Since midnight-ride, deprecated in dundee, removed in dundee. Role: pool-operator.
    public func setCPUFeatures(_ host: Ref<Host>, features: String) async throws {
        try await self.caller.perform("host.set_cpu_features", [host.wire, features.wire])
    }

    /// Calls `host.reset_cpu_features`.
    ///
    /// Since midnight-ride, deprecated in dundee, removed in dundee. Role: pool-operator.
    public func resetCPUFeatures(_ host: Ref<Host>) async throws {
        try await self.caller.perform("host.reset_cpu_features", [host.wire])
    }

    /// Calls `host.reset_networking`.
    ///
    /// Since boston. Role: pool-operator.
    public func resetNetworking(_ host: Ref<Host>) async throws {
        try await self.caller.perform("host.reset_networking", [host.wire])
    }

    /// Starts `host.reset_networking` and answers with its task.
    public func asyncResetNetworking(_ host: Ref<Host>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("host.reset_networking", [host.wire])
    }

    /// Calls `host.enable_local_storage_caching`.
    ///
    /// Since cowley. Role: pool-operator.
    public func enableLocalStorageCaching(_ host: Ref<Host>, sr: Ref<SR>) async throws {
        try await self.caller.perform("host.enable_local_storage_caching", [host.wire, sr.wire])
    }

    /// Calls `host.disable_local_storage_caching`.
    ///
    /// Since cowley. Role: pool-operator.
    public func disableLocalStorageCaching(_ host: Ref<Host>) async throws {
        try await self.caller.perform("host.disable_local_storage_caching", [host.wire])
    }

    /// Calls `host.get_sm_diagnostics`.
    ///
    /// Since boston. Role: pool-operator.
    public func getSMDiagnostics(_ host: Ref<Host>) async throws -> String {
        try await self.caller.invoke("host.get_sm_diagnostics", [host.wire])
    }

    /// Calls `host.get_thread_diagnostics`.
    ///
    /// Since boston. Role: pool-operator.
    public func getThreadDiagnostics(_ host: Ref<Host>) async throws -> String {
        try await self.caller.invoke("host.get_thread_diagnostics", [host.wire])
    }

    /// Calls `host.sm_dp_destroy`.
    ///
    /// Since boston. Role: pool-operator.
    public func smDpDestroy(_ host: Ref<Host>, dp: String, allowLeak: Bool) async throws {
        try await self.caller.perform("host.sm_dp_destroy", [host.wire, dp.wire, allowLeak.wire])
    }

    /// Calls `host.sync_vlans`.
    ///
    /// Since boston. Role: pool-operator. Between the hosts of a pool only.
    public func syncVlans(_ host: Ref<Host>) async throws {
        try await self.caller.perform("host.sync_vlans", [host.wire])
    }

    /// Calls `host.sync_tunnels`.
    ///
    /// Since boston. Role: pool-operator. Between the hosts of a pool only.
    public func syncTunnels(_ host: Ref<Host>) async throws {
        try await self.caller.perform("host.sync_tunnels", [host.wire])
    }

    /// Calls `host.sync_pif_currently_attached`.
    ///
    /// Since boston. Role: pool-operator. Between the hosts of a pool only.
    public func syncPIFCurrentlyAttached(_ host: Ref<Host>, bridges: [String]) async throws {
        try await self.caller.perform("host.sync_pif_currently_attached", [host.wire, bridges.wire])
    }

    /// Makes the token by which VM.migrate_send finds this host, over an address on the network.
    ///
    /// Since tampa. Role: vm-power-admin.
    public func migrateReceive(_ host: Ref<Host>, network: Ref<Network>, options: [String: String]) async throws -> [String: String] {
        try await self.caller.invoke("host.migrate_receive", [host.wire, network.wire, options.wire])
    }

    /// Starts `host.migrate_receive` and answers with its task.
    public func asyncMigrateReceive(_ host: Ref<Host>, network: Ref<Network>, options: [String: String]) async throws -> XenTaskHandle<[String: String]> {
        try await self.caller.launch("host.migrate_receive", [host.wire, network.wire, options.wire])
    }

    /// Calls `host.declare_dead`.
    ///
    /// Since clearwater. Role: pool-operator.
    public func declareDead(_ host: Ref<Host>) async throws {
        try await self.caller.perform("host.declare_dead", [host.wire])
    }

    /// Starts `host.declare_dead` and answers with its task.
    public func asyncDeclareDead(_ host: Ref<Host>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("host.declare_dead", [host.wire])
    }

    /// Calls `host.enable_display`.
    ///
    /// Since cream. Role: pool-operator.
    public func enableDisplay(_ host: Ref<Host>) async throws -> Open<HostDisplay> {
        try await self.caller.invoke("host.enable_display", [host.wire])
    }

    /// Starts `host.enable_display` and answers with its task.
    public func asyncEnableDisplay(_ host: Ref<Host>) async throws -> XenTaskHandle<Open<HostDisplay>> {
        try await self.caller.launch("host.enable_display", [host.wire])
    }

    /// Calls `host.disable_display`.
    ///
    /// Since cream. Role: pool-operator.
    public func disableDisplay(_ host: Ref<Host>) async throws -> Open<HostDisplay> {
        try await self.caller.invoke("host.disable_display", [host.wire])
    }

    /// Starts `host.disable_display` and answers with its task.
    public func asyncDisableDisplay(_ host: Ref<Host>) async throws -> XenTaskHandle<Open<HostDisplay>> {
        try await self.caller.launch("host.disable_display", [host.wire])
    }

    /// Calls `host.set_ssl_legacy`.
    ///
    /// Since dundee. Role: pool-operator.
    public func setSSLLegacy(_ host: Ref<Host>, value: Bool) async throws {
        try await self.caller.perform("host.set_ssl_legacy", [host.wire, value.wire])
    }

    /// Starts `host.set_ssl_legacy` and answers with its task.
    public func asyncSetSSLLegacy(_ host: Ref<Host>, value: Bool) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("host.set_ssl_legacy", [host.wire, value.wire])
    }

    /// Calls `host.apply_guest_agent_config`.
    ///
    /// Since dundee. Role: pool-admin.
    public func applyGuestAgentConfig(_ host: Ref<Host>) async throws {
        try await self.caller.perform("host.apply_guest_agent_config", [host.wire])
    }

    /// Starts `host.apply_guest_agent_config` and answers with its task.
    public func asyncApplyGuestAgentConfig(_ host: Ref<Host>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("host.apply_guest_agent_config", [host.wire])
    }

    /// Calls `host.mxgpu_vf_setup`.
    ///
    /// Since falcon. Role: vm-operator. Between the hosts of a pool only.
    public func mxgpuVfSetup(_ host: Ref<Host>) async throws {
        try await self.caller.perform("host.mxgpu_vf_setup", [host.wire])
    }

    /// Starts `host.mxgpu_vf_setup` and answers with its task.
    public func asyncMxgpuVfSetup(_ host: Ref<Host>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("host.mxgpu_vf_setup", [host.wire])
    }

    /// Calls `host.nvidia_vf_setup`.
    ///
    /// Since quebec. Role: vm-operator. Between the hosts of a pool only.
    public func nvidiaVfSetup(_ host: Ref<Host>, pf: Ref<PCI>, enable: Bool) async throws {
        try await self.caller.perform("host.nvidia_vf_setup", [host.wire, pf.wire, enable.wire])
    }

    /// Starts `host.nvidia_vf_setup` and answers with its task.
    public func asyncNvidiaVfSetup(_ host: Ref<Host>, pf: Ref<PCI>, enable: Bool) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("host.nvidia_vf_setup", [host.wire, pf.wire, enable.wire])
    }

    /// Looks that host and VM are there; what the VM needs is taken when it starts.
    ///
    /// Since inverness. Role: vm-operator.
    public func allocateResourcesForVM(_ host: Ref<Host>, vm: Ref<VM>, live: Bool) async throws {
        try await self.caller.perform("host.allocate_resources_for_vm", [host.wire, vm.wire, live.wire])
    }

    /// Starts `host.allocate_resources_for_vm` and answers with its task.
    public func asyncAllocateResourcesForVM(_ host: Ref<Host>, vm: Ref<VM>, live: Bool) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("host.allocate_resources_for_vm", [host.wire, vm.wire, live.wire])
    }

    /// Calls `host.set_iscsi_iqn`.
    ///
    /// Since kolkata. Role: pool-operator.
    public func setISCSIIQN(_ host: Ref<Host>, value: String) async throws {
        try await self.caller.perform("host.set_iscsi_iqn", [host.wire, value.wire])
    }

    /// Starts `host.set_iscsi_iqn` and answers with its task.
    public func asyncSetISCSIIQN(_ host: Ref<Host>, value: String) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("host.set_iscsi_iqn", [host.wire, value.wire])
    }

    /// Calls `host.set_multipathing`.
    ///
    /// Since kolkata. Role: pool-operator.
    public func setMultipathing(_ host: Ref<Host>, value: Bool) async throws {
        try await self.caller.perform("host.set_multipathing", [host.wire, value.wire])
    }

    /// Starts `host.set_multipathing` and answers with its task.
    public func asyncSetMultipathing(_ host: Ref<Host>, value: Bool) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("host.set_multipathing", [host.wire, value.wire])
    }

    /// Calls `host.write_uefi_certificates_to_disk`.
    ///
    /// Since 22.16.0. Role: local-root-only. Between the hosts of a pool only.
    public func writeUEFICertificatesToDisk(_ host: Ref<Host>) async throws {
        try await self.caller.perform("host.write_uefi_certificates_to_disk", [host.wire])
    }

    /// Starts `host.write_uefi_certificates_to_disk` and answers with its task.
    public func asyncWriteUEFICertificatesToDisk(_ host: Ref<Host>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("host.write_uefi_certificates_to_disk", [host.wire])
    }

    /// Calls `host.set_uefi_certificates`.
    ///
    /// Since quebec, deprecated in 22.16.0. Role: local-root-only.
    public func setUEFICertificates(_ host: Ref<Host>, value: String) async throws {
        try await self.caller.perform("host.set_uefi_certificates", [host.wire, value.wire])
    }

    /// Starts `host.set_uefi_certificates` and answers with its task.
    public func asyncSetUEFICertificates(_ host: Ref<Host>, value: String) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("host.set_uefi_certificates", [host.wire, value.wire])
    }

    /// Calls `host.notify_accept_new_pool_secret`.
    ///
    /// Since stockholm_psr. Role: local-root-only.
    public func notifyAcceptNewPoolSecret(_ host: Ref<Host>, oldPs: String, newPs: String) async throws {
        try await self.caller.perform("host.notify_accept_new_pool_secret", [host.wire, oldPs.wire, newPs.wire])
    }

    /// Starts `host.notify_accept_new_pool_secret` and answers with its task.
    public func asyncNotifyAcceptNewPoolSecret(_ host: Ref<Host>, oldPs: String, newPs: String) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("host.notify_accept_new_pool_secret", [host.wire, oldPs.wire, newPs.wire])
    }

    /// Calls `host.notify_send_new_pool_secret`.
    ///
    /// Since stockholm_psr. Role: local-root-only.
    public func notifySendNewPoolSecret(_ host: Ref<Host>, oldPs: String, newPs: String) async throws {
        try await self.caller.perform("host.notify_send_new_pool_secret", [host.wire, oldPs.wire, newPs.wire])
    }

    /// Starts `host.notify_send_new_pool_secret` and answers with its task.
    public func asyncNotifySendNewPoolSecret(_ host: Ref<Host>, oldPs: String, newPs: String) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("host.notify_send_new_pool_secret", [host.wire, oldPs.wire, newPs.wire])
    }

    /// Calls `host.cleanup_pool_secret`.
    ///
    /// Since stockholm_psr. Role: local-root-only.
    public func cleanupPoolSecret(_ host: Ref<Host>, oldPs: String, newPs: String) async throws {
        try await self.caller.perform("host.cleanup_pool_secret", [host.wire, oldPs.wire, newPs.wire])
    }

    /// Starts `host.cleanup_pool_secret` and answers with its task.
    public func asyncCleanupPoolSecret(_ host: Ref<Host>, oldPs: String, newPs: String) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("host.cleanup_pool_secret", [host.wire, oldPs.wire, newPs.wire])
    }

    /// Calls `host.set_sched_gran`.
    ///
    /// Since 1.271.0. Role: local-root-only.
    public func setSchedGran(_ host: Ref<Host>, value: HostSchedGran) async throws {
        try await self.caller.perform("host.set_sched_gran", [host.wire, value.wire])
    }

    /// Starts `host.set_sched_gran` and answers with its task.
    public func asyncSetSchedGran(_ host: Ref<Host>, value: HostSchedGran) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("host.set_sched_gran", [host.wire, value.wire])
    }

    /// Calls `host.get_sched_gran`.
    ///
    /// Since 1.271.0. Role: local-root-only.
    public func getSchedGran(_ host: Ref<Host>) async throws -> Open<HostSchedGran> {
        try await self.caller.invoke("host.get_sched_gran", [host.wire])
    }

    /// Starts `host.get_sched_gran` and answers with its task.
    public func asyncGetSchedGran(_ host: Ref<Host>) async throws -> XenTaskHandle<Open<HostSchedGran>> {
        try await self.caller.launch("host.get_sched_gran", [host.wire])
    }

    /// Calls `host.set_numa_affinity_policy`.
    ///
    /// Since 24.0.0. Role: pool-admin.
    public func setNUMAAffinityPolicy(_ host: Ref<Host>, value: HostNUMAAffinityPolicy) async throws {
        try await self.caller.perform("host.set_numa_affinity_policy", [host.wire, value.wire])
    }

    /// Starts `host.set_numa_affinity_policy` and answers with its task.
    public func asyncSetNUMAAffinityPolicy(_ host: Ref<Host>, value: HostNUMAAffinityPolicy) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("host.set_numa_affinity_policy", [host.wire, value.wire])
    }

    /// Calls `host.emergency_disable_tls_verification`.
    ///
    /// Since 1.290.0. Role: local-root-only.
    public func emergencyDisableTLSVerification() async throws {
        try await self.caller.perform("host.emergency_disable_tls_verification", [])
    }

    /// Calls `host.emergency_reenable_tls_verification`.
    ///
    /// Since 1.298.0. Role: local-root-only.
    public func emergencyReenableTLSVerification() async throws {
        try await self.caller.perform("host.emergency_reenable_tls_verification", [])
    }

    /// Calls `host.cert_distrib_atom`.
    ///
    /// Since 1.295.0. Role: local-root-only. Between the hosts of a pool only.
    public func certDistribAtom(_ host: Ref<Host>, command: String) async throws -> String {
        try await self.caller.invoke("host.cert_distrib_atom", [host.wire, command.wire])
    }

    /// Starts `host.cert_distrib_atom` and answers with its task.
    public func asyncCertDistribAtom(_ host: Ref<Host>, command: String) async throws -> XenTaskHandle<String> {
        try await self.caller.launch("host.cert_distrib_atom", [host.wire, command.wire])
    }

    /// Calls `host.apply_updates`.
    ///
    /// Since 1.301.0. Role: pool-operator+client-cert.
    public func applyUpdates(_ host: Ref<Host>, hash: String) async throws -> [[String]] {
        try await self.caller.invoke("host.apply_updates", [host.wire, hash.wire])
    }

    /// Starts `host.apply_updates` and answers with its task.
    public func asyncApplyUpdates(_ host: Ref<Host>, hash: String) async throws -> XenTaskHandle<[[String]]> {
        try await self.caller.launch("host.apply_updates", [host.wire, hash.wire])
    }

    /// Calls `host.rescan_drivers`.
    ///
    /// Since 25.2.0. Role: pool-admin.
    public func rescanDrivers(_ host: Ref<Host>) async throws {
        try await self.caller.perform("host.rescan_drivers", [host.wire])
    }

    /// Starts `host.rescan_drivers` and answers with its task.
    public func asyncRescanDrivers(_ host: Ref<Host>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("host.rescan_drivers", [host.wire])
    }

    /// Calls `host.copy_primary_host_certs`.
    ///
    /// Since 1.307.0. Role: pool-admin. Between the hosts of a pool only.
    public func copyPrimaryHostCerts(_ host: Ref<Host>) async throws {
        try await self.caller.perform("host.copy_primary_host_certs", [host.wire])
    }

    /// Starts `host.copy_primary_host_certs` and answers with its task.
    public func asyncCopyPrimaryHostCerts(_ host: Ref<Host>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("host.copy_primary_host_certs", [host.wire])
    }

    /// Calls `host.set_https_only`.
    ///
    /// Since 22.27.0. Role: pool-operator.
    public func setHTTPSOnly(_ host: Ref<Host>, value: Bool) async throws {
        try await self.caller.perform("host.set_https_only", [host.wire, value.wire])
    }

    /// Starts `host.set_https_only` and answers with its task.
    public func asyncSetHTTPSOnly(_ host: Ref<Host>, value: Bool) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("host.set_https_only", [host.wire, value.wire])
    }

    /// Calls `host.apply_recommended_guidances`.
    ///
    /// Since 23.18.0, removed in 23.25.0. Role: pool-operator.
    public func applyRecommendedGuidances(_ host: Ref<Host>) async throws {
        try await self.caller.perform("host.apply_recommended_guidances", [host.wire])
    }

    /// Starts `host.apply_recommended_guidances` and answers with its task.
    public func asyncApplyRecommendedGuidances(_ host: Ref<Host>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("host.apply_recommended_guidances", [host.wire])
    }

    /// Calls `host.emergency_clear_mandatory_guidance`.
    ///
    /// Since 24.10.0. Role: local-root-only.
    public func emergencyClearMandatoryGuidance() async throws {
        try await self.caller.perform("host.emergency_clear_mandatory_guidance", [])
    }

    /// Calls `host.enable_ssh`.
    ///
    /// Since 25.13.0. Role: pool-admin.
    public func enableSSH(_ host: Ref<Host>) async throws {
        try await self.caller.perform("host.enable_ssh", [host.wire])
    }

    /// Starts `host.enable_ssh` and answers with its task.
    public func asyncEnableSSH(_ host: Ref<Host>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("host.enable_ssh", [host.wire])
    }

    /// Calls `host.disable_ssh`.
    ///
    /// Since 25.13.0. Role: pool-admin.
    public func disableSSH(_ host: Ref<Host>) async throws {
        try await self.caller.perform("host.disable_ssh", [host.wire])
    }

    /// Starts `host.disable_ssh` and answers with its task.
    public func asyncDisableSSH(_ host: Ref<Host>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("host.disable_ssh", [host.wire])
    }

    /// Calls `host.set_ssh_enabled_timeout`.
    ///
    /// Since 25.21.0. Role: pool-admin.
    public func setSSHEnabledTimeout(_ host: Ref<Host>, value: Int64) async throws {
        try await self.caller.perform("host.set_ssh_enabled_timeout", [host.wire, value.wire])
    }

    /// Starts `host.set_ssh_enabled_timeout` and answers with its task.
    public func asyncSetSSHEnabledTimeout(_ host: Ref<Host>, value: Int64) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("host.set_ssh_enabled_timeout", [host.wire, value.wire])
    }

    /// Calls `host.set_console_idle_timeout`.
    ///
    /// Since 25.21.0. Role: pool-admin.
    public func setConsoleIdleTimeout(_ host: Ref<Host>, value: Int64) async throws {
        try await self.caller.perform("host.set_console_idle_timeout", [host.wire, value.wire])
    }

    /// Starts `host.set_console_idle_timeout` and answers with its task.
    public func asyncSetConsoleIdleTimeout(_ host: Ref<Host>, value: Int64) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("host.set_console_idle_timeout", [host.wire, value.wire])
    }

    /// Calls `host.set_ssh_auto_mode`.
    ///
    /// Since 25.27.0. Role: pool-admin.
    public func setSSHAutoMode(_ host: Ref<Host>, value: Bool) async throws {
        try await self.caller.perform("host.set_ssh_auto_mode", [host.wire, value.wire])
    }

    /// Starts `host.set_ssh_auto_mode` and answers with its task.
    public func asyncSetSSHAutoMode(_ host: Ref<Host>, value: Bool) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("host.set_ssh_auto_mode", [host.wire, value.wire])
    }

    /// Calls `host.get_tracked_user_agents`.
    ///
    /// Since 25.34.0. Role: read-only.
    public func getTrackedUserAgents(_ host: Ref<Host>) async throws -> [String: String] {
        try await self.caller.invoke("host.get_tracked_user_agents", [host.wire])
    }

    /// Starts `host.get_tracked_user_agents` and answers with its task.
    public func asyncGetTrackedUserAgents(_ host: Ref<Host>) async throws -> XenTaskHandle<[String: String]> {
        try await self.caller.launch("host.get_tracked_user_agents", [host.wire])
    }

    /// Calls `host.update_firewalld_service_status`.
    ///
    /// Since 25.34.0. Role: pool-operator. Between the hosts of a pool only.
    public func updateFirewalldServiceStatus() async throws {
        try await self.caller.perform("host.update_firewalld_service_status", [])
    }

    /// Calls `host.set_max_cstate`.
    ///
    /// Since 26.0.0. Role: pool-operator.
    public func setMaxCstate(_ host: Ref<Host>, value: String) async throws {
        try await self.caller.perform("host.set_max_cstate", [host.wire, value.wire])
    }

    /// Starts `host.set_max_cstate` and answers with its task.
    public func asyncSetMaxCstate(_ host: Ref<Host>, value: String) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("host.set_max_cstate", [host.wire, value.wire])
    }

    /// Calls `host.set_ntp_mode`.
    ///
    /// Since 26.0.0. Role: pool-operator.
    public func setNTPMode(_ host: Ref<Host>, value: HostNTPMode) async throws {
        try await self.caller.perform("host.set_ntp_mode", [host.wire, value.wire])
    }

    /// Starts `host.set_ntp_mode` and answers with its task.
    public func asyncSetNTPMode(_ host: Ref<Host>, value: HostNTPMode) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("host.set_ntp_mode", [host.wire, value.wire])
    }

    /// Calls `host.set_ntp_custom_servers`.
    ///
    /// Since 26.0.0. Role: pool-operator.
    public func setNTPCustomServers(_ host: Ref<Host>, value: [String]) async throws {
        try await self.caller.perform("host.set_ntp_custom_servers", [host.wire, value.wire])
    }

    /// Starts `host.set_ntp_custom_servers` and answers with its task.
    public func asyncSetNTPCustomServers(_ host: Ref<Host>, value: [String]) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("host.set_ntp_custom_servers", [host.wire, value.wire])
    }

    /// Calls `host.get_ntp_servers_status`.
    ///
    /// Since 26.0.0. Role: read-only.
    public func getNTPServersStatus(_ host: Ref<Host>) async throws -> [String: String] {
        try await self.caller.invoke("host.get_ntp_servers_status", [host.wire])
    }

    /// Starts `host.get_ntp_servers_status` and answers with its task.
    public func asyncGetNTPServersStatus(_ host: Ref<Host>) async throws -> XenTaskHandle<[String: String]> {
        try await self.caller.launch("host.get_ntp_servers_status", [host.wire])
    }

    /// Calls `host.set_timezone`.
    ///
    /// Since 26.0.0. Role: pool-operator.
    public func setTimezone(_ host: Ref<Host>, value: String) async throws {
        try await self.caller.perform("host.set_timezone", [host.wire, value.wire])
    }

    /// Starts `host.set_timezone` and answers with its task.
    public func asyncSetTimezone(_ host: Ref<Host>, value: String) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("host.set_timezone", [host.wire, value.wire])
    }

    /// Calls `host.list_timezones`.
    ///
    /// Since 26.0.0. Role: read-only.
    public func listTimezones(_ host: Ref<Host>) async throws -> [String] {
        try await self.caller.invoke("host.list_timezones", [host.wire])
    }

    /// Starts `host.list_timezones` and answers with its task.
    public func asyncListTimezones(_ host: Ref<Host>) async throws -> XenTaskHandle<[String]> {
        try await self.caller.launch("host.list_timezones", [host.wire])
    }

    /// Calls `host.get_ntp_synchronized`.
    ///
    /// Since 26.0.0. Role: read-only.
    public func getNTPSynchronized(_ host: Ref<Host>) async throws -> Bool {
        try await self.caller.invoke("host.get_ntp_synchronized", [host.wire])
    }

    /// Starts `host.get_ntp_synchronized` and answers with its task.
    public func asyncGetNTPSynchronized(_ host: Ref<Host>) async throws -> XenTaskHandle<Bool> {
        try await self.caller.launch("host.get_ntp_synchronized", [host.wire])
    }

    /// Calls `host.set_servertime`.
    ///
    /// Since 26.0.0. Role: pool-operator.
    public func setServertime(_ host: Ref<Host>, value: APIDate) async throws {
        try await self.caller.perform("host.set_servertime", [host.wire, value.wire])
    }

    /// Starts `host.set_servertime` and answers with its task.
    public func asyncSetServertime(_ host: Ref<Host>, value: APIDate) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("host.set_servertime", [host.wire, value.wire])
    }
}
