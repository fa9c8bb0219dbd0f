// Generated from DataModel by scripts/generate.sh. Do not edit.

/// The enum `after_apply_guidance`.
public enum AfterApplyGuidance: String, APIEnumeration {
    case restartHVM
    case restartPV
    case restartHost
    case restartXAPI
}

/// The enum `allocation_algorithm`.
public enum AllocationAlgorithm: String, APIEnumeration {
    case breadthFirst = "breadth_first"
    case depthFirst = "depth_first"
}

/// The enum `bond_mode`.
public enum BondMode: String, APIEnumeration {
    case balanceSlb = "balance-slb"
    case activeBackup = "active-backup"
    case lacp
}

/// The enum `certificate_purpose`.
public enum CertificatePurpose: String, APIEnumeration {
    case licensing
    case ldaps
}

/// The enum `certificate_type`.
public enum CertificateType: String, APIEnumeration {
    case ca
    case host
    case hostInternal = "host_internal"
    case pinned
}

/// The enum `cls`.
public enum MessageTargetClass: String, APIEnumeration {
    case vm = "VM"
    case host = "Host"
    case sr = "SR"
    case pool = "Pool"
    case vmpp = "VMPP"
    case vmss = "VMSS"
    case pvsProxy = "PVS_proxy"
    case vdi = "VDI"
    case certificate = "Certificate"
}

/// The enum `cluster_host_operation`.
public enum ClusterHostOperation: String, APIEnumeration {
    case enable
    case disable
    case destroy
}

/// The enum `cluster_operation`.
public enum ClusterOperation: String, APIEnumeration {
    case add
    case remove
    case enable
    case disable
    case destroy
}

/// The enum `console_protocol`.
public enum ConsoleProtocol: String, APIEnumeration {
    case vt100
    case rfb
    case rdp
}

/// The enum `domain_type`.
public enum DomainType: String, APIEnumeration {
    case hvm
    case pv
    case pvInPVH = "pv_in_pvh"
    case pvh
    case unspecified
}

/// The enum `event_operation`.
public enum EventOperation: String, APIEnumeration {
    case add
    case del
    case mod
}

/// The enum `hello_return`.
public enum HelloReturn: String, APIEnumeration {
    case ok
    case unknownHost = "unknown_host"
    case cannotTalkBack = "cannot_talk_back"
}

/// The enum `host_allowed_operations`.
public enum HostAllowedOperations: String, APIEnumeration {
    case provision
    case evacuate
    case shutdown
    case reboot
    case powerOn = "power_on"
    case vmStart = "vm_start"
    case vmResume = "vm_resume"
    case vmMigrate = "vm_migrate"
    case applyUpdates = "apply_updates"
    case enable
}

/// The enum `host_display`.
public enum HostDisplay: String, APIEnumeration {
    case enabled
    case disableOnReboot = "disable_on_reboot"
    case disabled
    case enableOnReboot = "enable_on_reboot"
}

/// The enum `host_ntp_mode`.
public enum HostNTPMode: String, APIEnumeration {
    case dhcp = "DHCP"
    case custom = "Custom"
    case factory = "Factory"
    case disabled = "Disabled"
}

/// The enum `host_numa_affinity_policy`.
public enum HostNUMAAffinityPolicy: String, APIEnumeration {
    case any
    case bestEffort = "best_effort"
    case defaultPolicy = "default_policy"
}

/// The enum `host_sched_gran`.
public enum HostSchedGran: String, APIEnumeration {
    case core
    case cpu
    case socket
}

/// The enum `image_format_type`.
public enum ImageFormatType: String, APIEnumeration {
    case raw
    case vhd
    case qcow2
}

/// The enum `ip_configuration_mode`.
public enum IPConfigurationMode: String, APIEnumeration {
    case none = "None"
    case dhcp = "DHCP"
    case `static` = "Static"
}

/// The enum `ipv6_configuration_mode`.
public enum IPv6ConfigurationMode: String, APIEnumeration {
    case none = "None"
    case dhcp = "DHCP"
    case `static` = "Static"
    case autoconf = "Autoconf"
}

/// The enum `latest_synced_updates_applied_state`.
public enum LatestSyncedUpdatesAppliedState: String, APIEnumeration {
    case yes
    case no
    case unknown
}

/// The enum `livepatch_status`.
public enum LivepatchStatus: String, APIEnumeration {
    case okLivepatchComplete = "ok_livepatch_complete"
    case okLivepatchIncomplete = "ok_livepatch_incomplete"
    case ok
}

/// The enum `network_default_locking_mode`.
public enum NetworkDefaultLockingMode: String, APIEnumeration {
    case unlocked
    case disabled
}

/// The enum `network_operations`.
public enum NetworkOperations: String, APIEnumeration {
    case attaching
}

/// The enum `network_purpose`.
public enum NetworkPurpose: String, APIEnumeration {
    case nbd
    case insecureNBD = "insecure_nbd"
}

/// The enum `on_boot`.
public enum OnBoot: String, APIEnumeration {
    case reset
    case persist
}

/// The enum `on_crash_behaviour`.
public enum OnCrashBehaviour: String, APIEnumeration {
    case destroy
    case coredumpAndDestroy = "coredump_and_destroy"
    case restart
    case coredumpAndRestart = "coredump_and_restart"
    case preserve
    case renameRestart = "rename_restart"
}

/// The enum `on_normal_exit`.
public enum OnNormalExit: String, APIEnumeration {
    case destroy
    case restart
}

/// The enum `on_softreboot_behavior`.
public enum OnSoftrebootBehavior: String, APIEnumeration {
    case softReboot = "soft_reboot"
    case destroy
    case restart
    case preserve
}

/// The enum `origin`.
public enum UpdateOrigin: String, APIEnumeration {
    case remote
    case bundle
    case remotePool = "remote_pool"
}

/// The enum `pci_dom0_access`.
public enum PCIDom0Access: String, APIEnumeration {
    case enabled
    case disableOnReboot = "disable_on_reboot"
    case disabled
    case enableOnReboot = "enable_on_reboot"
}

/// The enum `persistence_backend`.
public enum PersistenceBackend: String, APIEnumeration {
    case xapi
}

/// The enum `pif_igmp_status`.
public enum PIFIGMPStatus: String, APIEnumeration {
    case enabled
    case disabled
    case unknown
}

/// The enum `placement_policy`.
public enum PlacementPolicy: String, APIEnumeration {
    case antiAffinity = "anti_affinity"
    case normal
}

/// The enum `pool_allowed_operations`.
public enum PoolAllowedOperations: String, APIEnumeration {
    case haEnable = "ha_enable"
    case haDisable = "ha_disable"
    case clusterCreate = "cluster_create"
    case designateNewMaster = "designate_new_master"
    case configureRepositories = "configure_repositories"
    case syncUpdates = "sync_updates"
    case syncBundle = "sync_bundle"
    case getUpdates = "get_updates"
    case applyUpdates = "apply_updates"
    case tlsVerificationEnable = "tls_verification_enable"
    case certRefresh = "cert_refresh"
    case exchangeCertificatesOnJoin = "exchange_certificates_on_join"
    case exchangeCACertificatesOnJoin = "exchange_ca_certificates_on_join"
    case copyPrimaryHostCerts = "copy_primary_host_certs"
    case eject
    case exchangeCrlsOnJoin = "exchange_crls_on_join"
}

/// The enum `pool_guest_secureboot_readiness`.
public enum PoolGuestSecurebootReadiness: String, APIEnumeration {
    case ready
    case readyNoDbx = "ready_no_dbx"
    case notReady = "not_ready"
}

/// The enum `primary_address_type`.
public enum PrimaryAddressType: String, APIEnumeration {
    case ipv4 = "IPv4"
    case ipv6 = "IPv6"
}

/// The enum `pvs_proxy_status`.
public enum PVSProxyStatus: String, APIEnumeration {
    case stopped
    case initialised
    case caching
    case incompatibleWriteCacheMode = "incompatible_write_cache_mode"
    case incompatibleProtocolVersion = "incompatible_protocol_version"
}

/// The enum `sdn_controller_protocol`.
public enum SDNControllerProtocol: String, APIEnumeration {
    case ssl
    case pssl
}

/// The enum `sr_health`.
public enum SRHealth: String, APIEnumeration {
    case healthy
    case recovering
    case unreachable
    case unavailable
}

/// The enum `sriov_configuration_mode`.
public enum SRIOVConfigurationMode: String, APIEnumeration {
    case sysfs
    case modprobe
    case manual
    case unknown
}

/// The enum `storage_operations`.
public enum StorageOperations: String, APIEnumeration {
    case scan
    case destroy
    case forget
    case plug
    case unplug
    case update
    case vdiCreate = "vdi_create"
    case vdiIntroduce = "vdi_introduce"
    case vdiDestroy = "vdi_destroy"
    case vdiResize = "vdi_resize"
    case vdiClone = "vdi_clone"
    case vdiSnapshot = "vdi_snapshot"
    case vdiMirror = "vdi_mirror"
    case vdiEnableCBT = "vdi_enable_cbt"
    case vdiDisableCBT = "vdi_disable_cbt"
    case vdiDataDestroy = "vdi_data_destroy"
    case vdiListChangedBlocks = "vdi_list_changed_blocks"
    case vdiSetOnBoot = "vdi_set_on_boot"
    case vdiBlocked = "vdi_blocked"
    case vdiCopy = "vdi_copy"
    case vdiForceUnlock = "vdi_force_unlock"
    case vdiForget = "vdi_forget"
    case vdiGenerateConfig = "vdi_generate_config"
    case vdiResizeOnline = "vdi_resize_online"
    case vdiUpdate = "vdi_update"
    case vdiRevert = "vdi_revert"
    case pbdCreate = "pbd_create"
    case pbdDestroy = "pbd_destroy"
}

/// The enum `task_allowed_operations`.
public enum TaskAllowedOperations: String, APIEnumeration {
    case cancel
    case destroy
}

/// The enum `task_status_type`.
public enum TaskStatusType: String, APIEnumeration {
    case pending
    case success
    case failure
    case cancelling
    case cancelled
}

/// The enum `telemetry_frequency`.
public enum TelemetryFrequency: String, APIEnumeration {
    case daily
    case weekly
    case monthly
}

/// The enum `tristate_type`.
public enum TristateType: String, APIEnumeration {
    case yes
    case no
    case unspecified
}

/// The enum `tunnel_protocol`.
public enum TunnelProtocol: String, APIEnumeration {
    case gre
    case vxlan
}

/// The enum `update_after_apply_guidance`.
public enum UpdateAfterApplyGuidance: String, APIEnumeration {
    case restartHVM
    case restartPV
    case restartHost
    case restartXAPI
}

/// The enum `update_guidances`.
public enum UpdateGuidances: String, APIEnumeration {
    case rebootHost = "reboot_host"
    case rebootHostOnLivepatchFailure = "reboot_host_on_livepatch_failure"
    case rebootHostOnKernelLivepatchFailure = "reboot_host_on_kernel_livepatch_failure"
    case rebootHostOnXenLivepatchFailure = "reboot_host_on_xen_livepatch_failure"
    case restartToolstack = "restart_toolstack"
    case restartDeviceModel = "restart_device_model"
    case restartVM = "restart_vm"
}

/// The enum `update_status`.
public enum UpdateStatus: String, APIEnumeration {
    case yes
    case no
    case unspecified
}

/// The enum `update_sync_frequency`.
public enum UpdateSyncFrequency: String, APIEnumeration {
    case daily
    case weekly
}

/// The enum `vbd_mode`.
public enum VBDMode: String, APIEnumeration {
    case ro = "RO"
    case rw = "RW"
}

/// The enum `vbd_operations`.
public enum VBDOperations: String, APIEnumeration {
    case attach
    case eject
    case insert
    case plug
    case unplug
    case unplugForce = "unplug_force"
    case pause
    case unpause
}

/// The enum `vbd_type`.
public enum VBDType: String, APIEnumeration {
    case cd = "CD"
    case disk = "Disk"
    case floppy = "Floppy"
}

/// The enum `vdi_operations`.
public enum VDIOperations: String, APIEnumeration {
    case clone
    case copy
    case resize
    case resizeOnline = "resize_online"
    case snapshot
    case mirror
    case destroy
    case forget
    case update
    case forceUnlock = "force_unlock"
    case generateConfig = "generate_config"
    case enableCBT = "enable_cbt"
    case disableCBT = "disable_cbt"
    case dataDestroy = "data_destroy"
    case listChangedBlocks = "list_changed_blocks"
    case setOnBoot = "set_on_boot"
    case blocked
    case revertTo = "revert_to"
    case revertFrom = "revert_from"
}

/// The enum `vdi_type`.
public enum VDIType: String, APIEnumeration {
    case system
    case user
    case ephemeral
    case suspend
    case crashdump
    case haStatefile = "ha_statefile"
    case metadata
    case redoLog = "redo_log"
    case rrd
    case pvsCache = "pvs_cache"
    case cbtMetadata = "cbt_metadata"
}

/// The enum `vgpu_type_implementation`.
public enum VGPUTypeImplementation: String, APIEnumeration {
    case passthrough
    case nvidia
    case nvidiaSRIOV = "nvidia_sriov"
    case gvtG = "gvt_g"
    case mxgpu
}

/// The enum `vif_ipv4_configuration_mode`.
public enum VIFIPv4ConfigurationMode: String, APIEnumeration {
    case none = "None"
    case `static` = "Static"
    case dhcp = "DHCP"
}

/// The enum `vif_ipv6_configuration_mode`.
public enum VIFIPv6ConfigurationMode: String, APIEnumeration {
    case none = "None"
    case `static` = "Static"
    case autoconf = "Autoconf"
}

/// The enum `vif_locking_mode`.
public enum VIFLockingMode: String, APIEnumeration {
    case networkDefault = "network_default"
    case locked
    case unlocked
    case disabled
}

/// The enum `vif_operations`.
public enum VIFOperations: String, APIEnumeration {
    case attach
    case plug
    case unplug
}

/// The enum `vm_appliance_operation`.
public enum VMApplianceOperation: String, APIEnumeration {
    case start
    case cleanShutdown = "clean_shutdown"
    case hardShutdown = "hard_shutdown"
    case shutdown
}

/// The enum `vm_operations`.
public enum VMOperations: String, APIEnumeration {
    case snapshot
    case clone
    case copy
    case createTemplate = "create_template"
    case revert
    case checkpoint
    case snapshotWithQuiesce = "snapshot_with_quiesce"
    case provision
    case start
    case startOn = "start_on"
    case pause
    case unpause
    case cleanShutdown = "clean_shutdown"
    case cleanReboot = "clean_reboot"
    case hardShutdown = "hard_shutdown"
    case powerStateReset = "power_state_reset"
    case hardReboot = "hard_reboot"
    case suspend
    case csvm
    case resume
    case resumeOn = "resume_on"
    case poolMigrate = "pool_migrate"
    case migrateSend = "migrate_send"
    case getBootRecord = "get_boot_record"
    case sendSysrq = "send_sysrq"
    case sendTrigger = "send_trigger"
    case queryServices = "query_services"
    case shutdown
    case callPlugin = "call_plugin"
    case changingMemoryLive = "changing_memory_live"
    case awaitingMemoryLive = "awaiting_memory_live"
    case changingDynamicRange = "changing_dynamic_range"
    case changingStaticRange = "changing_static_range"
    case changingMemoryLimits = "changing_memory_limits"
    case changingShadowMemory = "changing_shadow_memory"
    case changingShadowMemoryLive = "changing_shadow_memory_live"
    case changingVCPUs = "changing_VCPUs"
    case changingVCPUsLive = "changing_VCPUs_live"
    case changingNVRAM = "changing_NVRAM"
    case assertOperationValid = "assert_operation_valid"
    case dataSourceOp = "data_source_op"
    case updateAllowedOperations = "update_allowed_operations"
    case makeIntoTemplate = "make_into_template"
    case `import`
    case export
    case metadataExport = "metadata_export"
    case reverting
    case destroy
    case createVTPM = "create_vtpm"
    case sysprep
}

/// The enum `vm_power_state`.
public enum VMPowerState: String, APIEnumeration {
    case halted = "Halted"
    case paused = "Paused"
    case running = "Running"
    case suspended = "Suspended"
}

/// The enum `vm_secureboot_certificates_state`.
public enum VMSecurebootCertificatesState: String, APIEnumeration {
    case ok
    case updateAvailable = "update_available"
    case updateOnBoot = "update_on_boot"
}

/// The enum `vm_secureboot_readiness`.
public enum VMSecurebootReadiness: String, APIEnumeration {
    case notSupported = "not_supported"
    case disabled
    case firstBoot = "first_boot"
    case ready
    case readyNoDbx = "ready_no_dbx"
    case setupMode = "setup_mode"
    case certsIncomplete = "certs_incomplete"
}

/// The enum `vm_uefi_mode`.
public enum VMUEFIMode: String, APIEnumeration {
    case setup
    case user
}

/// The enum `vmpp_archive_frequency`.
public enum VMPPArchiveFrequency: String, APIEnumeration {
    case never
    case alwaysAfterBackup = "always_after_backup"
    case daily
    case weekly
}

/// The enum `vmpp_archive_target_type`.
public enum VMPPArchiveTargetType: String, APIEnumeration {
    case none
    case cifs
    case nfs
}

/// The enum `vmpp_backup_frequency`.
public enum VMPPBackupFrequency: String, APIEnumeration {
    case hourly
    case daily
    case weekly
}

/// The enum `vmpp_backup_type`.
public enum VMPPBackupType: String, APIEnumeration {
    case snapshot
    case checkpoint
}

/// The enum `vmss_frequency`.
public enum VMSSFrequency: String, APIEnumeration {
    case hourly
    case daily
    case weekly
}

/// The enum `vmss_type`.
public enum VMSSType: String, APIEnumeration {
    case snapshot
    case checkpoint
    case snapshotWithQuiesce = "snapshot_with_quiesce"
}

/// The enum `vtpm_operations`.
public enum VTPMOperations: String, APIEnumeration {
    case destroy
}

/// The enum `vusb_operations`.
public enum VUSBOperations: String, APIEnumeration {
    case attach
    case plug
    case unplug
}
