// Generated from DataModel by scripts/generate.sh. Do not edit.

/// The codes that XenAPI declares; servers may send others.
public enum XenAPIErrorCode: String, CaseIterable, Sendable {
    case activationWhileNotFree = "ACTIVATION_WHILE_NOT_FREE"
    /// Parameters: address.
    case addressViolatesLockingConstraint = "ADDRESS_VIOLATES_LOCKING_CONSTRAINT"
    /// Parameters: ref.
    case applyGuidanceFailed = "APPLY_GUIDANCE_FAILED"
    /// Parameters: livepatch.
    case applyLivepatchFailed = "APPLY_LIVEPATCH_FAILED"
    /// Parameters: ref.
    case applyUpdatesFailed = "APPLY_UPDATES_FAILED"
    case applyUpdatesInProgress = "APPLY_UPDATES_IN_PROGRESS"
    /// Parameters: current auth_type, current service_name.
    case authAlreadyEnabled = "AUTH_ALREADY_ENABLED"
    /// Parameters: message.
    case authDisableFailed = "AUTH_DISABLE_FAILED"
    /// Parameters: message.
    case authDisableFailedPermissionDenied = "AUTH_DISABLE_FAILED_PERMISSION_DENIED"
    /// Parameters: message.
    case authDisableFailedWrongCredentials = "AUTH_DISABLE_FAILED_WRONG_CREDENTIALS"
    /// Parameters: message.
    case authEnableFailed = "AUTH_ENABLE_FAILED"
    /// Parameters: message.
    case authEnableFailedDomainLookupFailed = "AUTH_ENABLE_FAILED_DOMAIN_LOOKUP_FAILED"
    /// Parameters: message.
    case authEnableFailedInvalidAccount = "AUTH_ENABLE_FAILED_INVALID_ACCOUNT"
    /// Parameters: message.
    case authEnableFailedInvalidOu = "AUTH_ENABLE_FAILED_INVALID_OU"
    /// Parameters: message.
    case authEnableFailedInvalidTrustedCerts = "AUTH_ENABLE_FAILED_INVALID_TRUSTED_CERTS"
    /// Parameters: message.
    case authEnableFailedNoTrustedCerts = "AUTH_ENABLE_FAILED_NO_TRUSTED_CERTS"
    /// Parameters: message.
    case authEnableFailedPermissionDenied = "AUTH_ENABLE_FAILED_PERMISSION_DENIED"
    /// Parameters: message.
    case authEnableFailedUnavailable = "AUTH_ENABLE_FAILED_UNAVAILABLE"
    /// Parameters: message.
    case authEnableFailedWrongCredentials = "AUTH_ENABLE_FAILED_WRONG_CREDENTIALS"
    /// Parameters: message.
    case authInvalidTrustedCerts = "AUTH_INVALID_TRUSTED_CERTS"
    case authIsDisabled = "AUTH_IS_DISABLED"
    /// Parameters: message.
    case authNoTrustedCerts = "AUTH_NO_TRUSTED_CERTS"
    /// Parameters: message.
    case authServiceError = "AUTH_SERVICE_ERROR"
    /// Parameters: message.
    case authSetupTLSConnection = "AUTH_SETUP_TLS_CONNECTION"
    /// Parameters: host, message.
    case authSetLdapsFailed = "AUTH_SET_LDAPS_FAILED"
    /// Parameters: type.
    case authUnknownType = "AUTH_UNKNOWN_TYPE"
    /// Parameters: log.
    case backupScriptFailed = "BACKUP_SCRIPT_FAILED"
    /// Parameters: vm.
    case ballooningTimeoutBeforeMigration = "BALLOONING_TIMEOUT_BEFORE_MIGRATION"
    /// Parameters: url.
    case blockedRepoURL = "BLOCKED_REPO_URL"
    /// Parameters: vm, msg.
    case bootloaderFailed = "BOOTLOADER_FAILED"
    /// Parameters: device.
    case bootDevicePassthroughDisallowed = "BOOT_DEVICE_PASSTHROUGH_DISALLOWED"
    /// Parameters: bridge.
    case bridgeNameExists = "BRIDGE_NAME_EXISTS"
    /// Parameters: bridge.
    case bridgeNotAvailable = "BRIDGE_NOT_AVAILABLE"
    /// Parameters: ref.
    case bundleRepositoryAlreadyExists = "BUNDLE_REPOSITORY_ALREADY_EXISTS"
    case bundleRepoNotEnabled = "BUNDLE_REPO_NOT_ENABLED"
    case bundleSyncFailed = "BUNDLE_SYNC_FAILED"
    /// Parameters: error.
    case bundleUnpackFailed = "BUNDLE_UNPACK_FAILED"
    /// Parameters: PIF.
    case cannotAddTunnelToBondSlave = "CANNOT_ADD_TUNNEL_TO_BOND_SLAVE"
    /// Parameters: PIF.
    case cannotAddTunnelToSRIOVLogical = "CANNOT_ADD_TUNNEL_TO_SRIOV_LOGICAL"
    /// Parameters: PIF.
    case cannotAddTunnelToVLANOnSRIOVLogical = "CANNOT_ADD_TUNNEL_TO_VLAN_ON_SRIOV_LOGICAL"
    /// Parameters: PIF.
    case cannotAddVLANToBondSlave = "CANNOT_ADD_VLAN_TO_BOND_SLAVE"
    /// Parameters: PIF.
    case cannotChangePIFProperties = "CANNOT_CHANGE_PIF_PROPERTIES"
    /// The host does not answer.
    /// Parameters: host.
    case cannotContactHost = "CANNOT_CONTACT_HOST"
    case cannotCreateStateFile = "CANNOT_CREATE_STATE_FILE"
    /// Parameters: reason.
    case cannotDestroyDisasterRecoveryTask = "CANNOT_DESTROY_DISASTER_RECOVERY_TASK"
    /// Parameters: network.
    case cannotDestroySystemNetwork = "CANNOT_DESTROY_SYSTEM_NETWORK"
    /// Parameters: reason.
    case cannotEnableRedoLog = "CANNOT_ENABLE_REDO_LOG"
    /// Parameters: errors.
    case cannotEvacuateHost = "CANNOT_EVACUATE_HOST"
    /// Parameters: uuid.
    case cannotFetchPatch = "CANNOT_FETCH_PATCH"
    case cannotFindOemBackupPartition = "CANNOT_FIND_OEM_BACKUP_PARTITION"
    case cannotFindPatch = "CANNOT_FIND_PATCH"
    case cannotFindStatePartition = "CANNOT_FIND_STATE_PARTITION"
    case cannotFindUpdate = "CANNOT_FIND_UPDATE"
    /// Parameters: PIF.
    case cannotForgetSRIOVLogical = "CANNOT_FORGET_SRIOV_LOGICAL"
    /// Parameters: PIF.
    case cannotPlugBondSlave = "CANNOT_PLUG_BOND_SLAVE"
    /// Parameters: VIF.
    case cannotPlugVIF = "CANNOT_PLUG_VIF"
    /// Parameters: vm.
    case cannotResetControlDomain = "CANNOT_RESET_CONTROL_DOMAIN"
    /// Parameters: ref.
    case cannotRestartDeviceModel = "CANNOT_RESTART_DEVICE_MODEL"
    case canNotPeriodicSyncUpdates = "CAN_NOT_PERIODIC_SYNC_UPDATES"
    case canNotSyncUpdates = "CAN_NOT_SYNC_UPDATES"
    /// Parameters: name.
    case certificateAlreadyExists = "CERTIFICATE_ALREADY_EXISTS"
    /// Parameters: name.
    case certificateCorrupt = "CERTIFICATE_CORRUPT"
    /// Parameters: name.
    case certificateDoesNotExist = "CERTIFICATE_DOES_NOT_EXIST"
    case certificateLacksPurpose = "CERTIFICATE_LACKS_PURPOSE"
    case certificateLibraryCorrupt = "CERTIFICATE_LIBRARY_CORRUPT"
    /// Parameters: name.
    case certificateNameInvalid = "CERTIFICATE_NAME_INVALID"
    /// Parameters: msg.
    case changePasswordRejected = "CHANGE_PASSWORD_REJECTED"
    /// Parameters: sr.
    case clusteredSRDegraded = "CLUSTERED_SR_DEGRADED"
    /// Parameters: cluster_host.
    case clusteringDisabled = "CLUSTERING_DISABLED"
    /// Parameters: cluster_host.
    case clusteringEnabled = "CLUSTERING_ENABLED"
    case clusterAlreadyExists = "CLUSTER_ALREADY_EXISTS"
    case clusterCreateInProgress = "CLUSTER_CREATE_IN_PROGRESS"
    /// Parameters: number_of_nodes.
    case clusterDoesNotHaveOneNode = "CLUSTER_DOES_NOT_HAVE_ONE_NODE"
    /// Parameters: cluster.
    case clusterForceDestroyFailed = "CLUSTER_FORCE_DESTROY_FAILED"
    /// Parameters: cluster_host.
    case clusterHostIsLast = "CLUSTER_HOST_IS_LAST"
    /// Parameters: cluster_host.
    case clusterHostNotJoined = "CLUSTER_HOST_NOT_JOINED"
    /// Parameters: cluster_stack.
    case clusterStackInUse = "CLUSTER_STACK_IN_USE"
    case configureRepositoriesInProgress = "CONFIGURE_REPOSITORIES_IN_PROGRESS"
    /// Parameters: device, mac.
    case couldNotFindNetworkInterfaceWithSpecifiedDeviceNameAndMACAddress = "COULD_NOT_FIND_NETWORK_INTERFACE_WITH_SPECIFIED_DEVICE_NAME_AND_MAC_ADDRESS"
    /// Parameters: reason.
    case couldNotImportDatabase = "COULD_NOT_IMPORT_DATABASE"
    case couldNotUpdateIGMPSnoopingEverywhere = "COULD_NOT_UPDATE_IGMP_SNOOPING_EVERYWHERE"
    /// Parameters: details.
    case cpuFeatureMaskingNotSupported = "CPU_FEATURE_MASKING_NOT_SUPPORTED"
    /// Parameters: name.
    case crlAlreadyExists = "CRL_ALREADY_EXISTS"
    /// Parameters: name.
    case crlCorrupt = "CRL_CORRUPT"
    /// Parameters: name.
    case crlDoesNotExist = "CRL_DOES_NOT_EXIST"
    /// Parameters: name.
    case crlNameInvalid = "CRL_NAME_INVALID"
    /// Another object already has this value, which must be unique.
    /// Parameters: table, field, value.
    case dbUniquenessConstraintViolation = "DB_UNIQUENESS_CONSTRAINT_VIOLATION"
    /// Parameters: sr.
    case defaultSRNotFound = "DEFAULT_SR_NOT_FOUND"
    /// The device is already attached to the running VM.
    /// Parameters: device.
    case deviceAlreadyAttached = "DEVICE_ALREADY_ATTACHED"
    /// The device is not attached to the VM.
    /// Parameters: device.
    case deviceAlreadyDetached = "DEVICE_ALREADY_DETACHED"
    /// The VM already has a device of this number.
    /// Parameters: device.
    case deviceAlreadyExists = "DEVICE_ALREADY_EXISTS"
    /// The guest did not accept the device in time.
    /// Parameters: type, ref.
    case deviceAttachTimeout = "DEVICE_ATTACH_TIMEOUT"
    /// The guest refused to give up the device.
    /// Parameters: type, ref, msg.
    case deviceDetachRejected = "DEVICE_DETACH_REJECTED"
    /// The guest did not give up the device in time.
    /// Parameters: type, ref.
    case deviceDetachTimeout = "DEVICE_DETACH_TIMEOUT"
    /// The device is not attached.
    /// Parameters: VBD.
    case deviceNotAttached = "DEVICE_NOT_ATTACHED"
    /// Parameters: host.
    case disableSSHFailed = "DISABLE_SSH_FAILED"
    /// Parameters: hosts.
    case disableSSHPartiallyFailed = "DISABLE_SSH_PARTIALLY_FAILED"
    /// Parameters: vbd.
    case diskVBDMustBeReadwriteForHVM = "DISK_VBD_MUST_BE_READWRITE_FOR_HVM"
    /// The virtual machine could not be built.
    /// Parameters: function, code, message.
    case domainBuilderError = "DOMAIN_BUILDER_ERROR"
    /// Parameters: vm, domid.
    case domainExists = "DOMAIN_EXISTS"
    /// Parameters: seed.
    case duplicateMACSeed = "DUPLICATE_MAC_SEED"
    /// Parameters: device.
    case duplicatePIFDeviceName = "DUPLICATE_PIF_DEVICE_NAME"
    /// Parameters: vm.
    case duplicateVM = "DUPLICATE_VM"
    /// Parameters: host.
    case enableSSHFailed = "ENABLE_SSH_FAILED"
    /// Parameters: hosts.
    case enableSSHPartiallyFailed = "ENABLE_SSH_PARTIALLY_FAILED"
    /// Events were lost; read everything again and register anew.
    case eventsLost = "EVENTS_LOST"
    /// The event token is malformed; start again with an empty one.
    /// Parameters: token.
    case eventFromTokenParseFailure = "EVENT_FROM_TOKEN_PARSE_FAILURE"
    /// The event subscription is malformed.
    /// Parameters: subscription.
    case eventSubscriptionParseFailure = "EVENT_SUBSCRIPTION_PARSE_FAILURE"
    /// Parameters: vm, name, msg.
    case failedToStartEmulator = "FAILED_TO_START_EMULATOR"
    /// Parameters: details.
    case featureRequiresHVM = "FEATURE_REQUIRES_HVM"
    case featureRestricted = "FEATURE_RESTRICTED"
    /// The value is not of the type of the field.
    /// Parameters: field.
    case fieldTypeError = "FIELD_TYPE_ERROR"
    /// Parameters: ref.
    case getHostUpdatesFailed = "GET_HOST_UPDATES_FAILED"
    case getUpdatesFailed = "GET_UPDATES_FAILED"
    /// Parameters: gpu_group.
    case gpuGroupContainsNoPgpus = "GPU_GROUP_CONTAINS_NO_PGPUS"
    /// Parameters: pgpus.
    case gpuGroupContainsPGPU = "GPU_GROUP_CONTAINS_PGPU"
    /// Parameters: vgpus.
    case gpuGroupContainsVGPU = "GPU_GROUP_CONTAINS_VGPU"
    /// There is no such object; it may have been removed.
    /// Parameters: class, handle.
    case handleInvalid = "HANDLE_INVALID"
    /// Parameters: reason.
    case haAbortNewMaster = "HA_ABORT_NEW_MASTER"
    case haCannotChangeBondStatusOfMgmtIface = "HA_CANNOT_CHANGE_BOND_STATUS_OF_MGMT_IFACE"
    /// Parameters: network.
    case haConstraintViolationNetworkNotShared = "HA_CONSTRAINT_VIOLATION_NETWORK_NOT_SHARED"
    /// Parameters: SR.
    case haConstraintViolationSRNotShared = "HA_CONSTRAINT_VIOLATION_SR_NOT_SHARED"
    case haDisableInProgress = "HA_DISABLE_IN_PROGRESS"
    case haEnableInProgress = "HA_ENABLE_IN_PROGRESS"
    case haFailedToFormLiveset = "HA_FAILED_TO_FORM_LIVESET"
    case haHeartbeatDaemonStartupFailed = "HA_HEARTBEAT_DAEMON_STARTUP_FAILED"
    case haHostCannotAccessStatefile = "HA_HOST_CANNOT_ACCESS_STATEFILE"
    /// Parameters: host, all, subset.
    case haHostCannotSeePeers = "HA_HOST_CANNOT_SEE_PEERS"
    /// Parameters: host.
    case haHostIsArmed = "HA_HOST_IS_ARMED"
    case haIsEnabled = "HA_IS_ENABLED"
    case haLostStatefile = "HA_LOST_STATEFILE"
    case haNotEnabled = "HA_NOT_ENABLED"
    /// Parameters: host.
    case haNotInstalled = "HA_NOT_INSTALLED"
    case haNoPlan = "HA_NO_PLAN"
    case haOperationWouldBreakFailoverPlan = "HA_OPERATION_WOULD_BREAK_FAILOVER_PLAN"
    case haPoolIsEnabledButHostIsDisabled = "HA_POOL_IS_ENABLED_BUT_HOST_IS_DISABLED"
    /// Parameters: host.
    case haShouldBeFenced = "HA_SHOULD_BE_FENCED"
    case haTooFewHosts = "HA_TOO_FEW_HOSTS"
    case hostsNotCompatible = "HOSTS_NOT_COMPATIBLE"
    /// Parameters: reason.
    case hostsNotHomogeneous = "HOSTS_NOT_HOMOGENEOUS"
    case hostBroken = "HOST_BROKEN"
    /// Parameters: host, network.
    case hostCannotAttachNetwork = "HOST_CANNOT_ATTACH_NETWORK"
    /// Parameters: host.
    case hostCannotDestroySelf = "HOST_CANNOT_DESTROY_SELF"
    case hostCannotReadMetrics = "HOST_CANNOT_READ_METRICS"
    case hostCdDriveEmpty = "HOST_CD_DRIVE_EMPTY"
    /// Parameters: host.
    case hostDisabled = "HOST_DISABLED"
    /// Parameters: host.
    case hostDisabledIndefinitely = "HOST_DISABLED_INDEFINITELY"
    /// Parameters: host.
    case hostDisabledUntilReboot = "HOST_DISABLED_UNTIL_REBOOT"
    /// Parameters: driver variant.
    case hostDriverNoHardware = "HOST_DRIVER_NO_HARDWARE"
    /// Parameters: host.
    case hostEvacuateInProgress = "HOST_EVACUATE_IN_PROGRESS"
    /// Parameters: vm.
    case hostEvacuateVMNotHAProtected = "HOST_EVACUATE_VM_NOT_HA_PROTECTED"
    /// Parameters: host.
    case hostEvacuationIsRequired = "HOST_EVACUATION_IS_REQUIRED"
    case hostHasNoManagementIP = "HOST_HAS_NO_MANAGEMENT_IP"
    /// Parameters: host.
    case hostHasResidentVMs = "HOST_HAS_RESIDENT_VMS"
    case hostInEmergencyMode = "HOST_IN_EMERGENCY_MODE"
    /// Parameters: host, type, ref.
    case hostInUse = "HOST_IN_USE"
    /// Parameters: host.
    case hostIsLive = "HOST_IS_LIVE"
    /// This host is a member of a pool; send the call to its coordinator.
    /// Parameters: Master IP address.
    case hostIsSlave = "HOST_IS_SLAVE"
    case hostItsOwnSlave = "HOST_ITS_OWN_SLAVE"
    /// Parameters: ip.
    case hostMasterCannotTalkBack = "HOST_MASTER_CANNOT_TALK_BACK"
    /// Parameters: reason.
    case hostNameInvalid = "HOST_NAME_INVALID"
    case hostNotDisabled = "HOST_NOT_DISABLED"
    /// The host has too little free memory for this.
    /// Parameters: needed, available.
    case hostNotEnoughFreeMemory = "HOST_NOT_ENOUGH_FREE_MEMORY"
    /// Parameters: vcpus, pcpus.
    case hostNotEnoughPcpus = "HOST_NOT_ENOUGH_PCPUS"
    case hostNotLive = "HOST_NOT_LIVE"
    /// Parameters: host.
    case hostOffline = "HOST_OFFLINE"
    /// Parameters: host.
    case hostPendingMandatoryGuidanceNotEmpty = "HOST_PENDING_MANDATORY_GUIDANCE_NOT_EMPTY"
    case hostPowerOnModeDisabled = "HOST_POWER_ON_MODE_DISABLED"
    /// The host is still starting; try again shortly.
    case hostStillBooting = "HOST_STILL_BOOTING"
    /// Parameters: host.
    case hostUnknownToMaster = "HOST_UNKNOWN_TO_MASTER"
    /// Parameters: host_xapi_version.
    case hostXapiVersionHigherThanCoordinator = "HOST_XAPI_VERSION_HIGHER_THAN_COORDINATOR"
    /// Parameters: vbd, device.
    case illegalVBDDevice = "ILLEGAL_VBD_DEVICE"
    /// The import failed.
    /// Parameters: msg.
    case importError = "IMPORT_ERROR"
    case importErrorAttachedDisksNotFound = "IMPORT_ERROR_ATTACHED_DISKS_NOT_FOUND"
    case importErrorCannotHandleChunked = "IMPORT_ERROR_CANNOT_HANDLE_CHUNKED"
    /// Parameters: id.
    case importErrorFailedToFindObject = "IMPORT_ERROR_FAILED_TO_FIND_OBJECT"
    /// The imported data ended too early.
    case importErrorPrematureEof = "IMPORT_ERROR_PREMATURE_EOF"
    case importErrorSomeChecksumsFailed = "IMPORT_ERROR_SOME_CHECKSUMS_FAILED"
    /// Parameters: filename_expected, filename_found.
    case importErrorUnexpectedFile = "IMPORT_ERROR_UNEXPECTED_FILE"
    case importIncompatibleVersion = "IMPORT_INCOMPATIBLE_VERSION"
    /// Parameters: cluster_stack.
    case incompatibleClusterStackActive = "INCOMPATIBLE_CLUSTER_STACK_ACTIVE"
    case incompatiblePIFProperties = "INCOMPATIBLE_PIF_PROPERTIES"
    /// Parameters: SR type.
    case incompatibleStatefileSR = "INCOMPATIBLE_STATEFILE_SR"
    /// Parameters: interface.
    case interfaceHasNoIP = "INTERFACE_HAS_NO_IP"
    /// The toolstack met a fault of its own.
    /// Parameters: message.
    case internalError = "INTERNAL_ERROR"
    /// Parameters: url.
    case invalidBaseURL = "INVALID_BASE_URL"
    /// Parameters: parameter.
    case invalidCidrAddressSpecified = "INVALID_CIDR_ADDRESS_SPECIFIED"
    /// Parameters: cluster_stack.
    case invalidClusterStack = "INVALID_CLUSTER_STACK"
    /// The device number is not usable.
    /// Parameters: device.
    case invalidDevice = "INVALID_DEVICE"
    /// Parameters: edition.
    case invalidEdition = "INVALID_EDITION"
    /// Parameters: details.
    case invalidFeatureString = "INVALID_FEATURE_STRING"
    /// Parameters: gpgkey_path.
    case invalidGpgkeyPath = "INVALID_GPGKEY_PATH"
    /// Parameters: parameter.
    case invalidIPAddressSpecified = "INVALID_IP_ADDRESS_SPECIFIED"
    /// Parameters: reason.
    case invalidNTPConfig = "INVALID_NTP_CONFIG"
    case invalidPatch = "INVALID_PATCH"
    /// Parameters: log.
    case invalidPatchWithLog = "INVALID_PATCH_WITH_LOG"
    case invalidRepomdXML = "INVALID_REPOMD_XML"
    /// Parameters: domains.
    case invalidRepositoryDomainAllowlist = "INVALID_REPOSITORY_DOMAIN_ALLOWLIST"
    case invalidRepositoryProxyCredential = "INVALID_REPOSITORY_PROXY_CREDENTIAL"
    /// Parameters: url.
    case invalidRepositoryProxyURL = "INVALID_REPOSITORY_PROXY_URL"
    /// Parameters: info.
    case invalidUpdate = "INVALID_UPDATE"
    case invalidUpdateinfoXML = "INVALID_UPDATEINFO_XML"
    /// Parameters: day.
    case invalidUpdateSyncDay = "INVALID_UPDATE_SYNC_DAY"
    /// The value is not valid for this field.
    /// Parameters: field, value.
    case invalidValue = "INVALID_VALUE"
    /// Parameters: PIF.
    case isTunnelAccessPIF = "IS_TUNNEL_ACCESS_PIF"
    case joiningHostCannotBeMasterOfOtherHosts = "JOINING_HOST_CANNOT_BE_MASTER_OF_OTHER_HOSTS"
    case joiningHostCannotContainSharedSRs = "JOINING_HOST_CANNOT_CONTAIN_SHARED_SRS"
    case joiningHostCannotHaveRunningOrSuspendedVMs = "JOINING_HOST_CANNOT_HAVE_RUNNING_OR_SUSPENDED_VMS"
    case joiningHostCannotHaveRunningVMs = "JOINING_HOST_CANNOT_HAVE_RUNNING_VMS"
    case joiningHostCannotHaveVMsWithCurrentOperations = "JOINING_HOST_CANNOT_HAVE_VMS_WITH_CURRENT_OPERATIONS"
    case joiningHostConnectionFailed = "JOINING_HOST_CONNECTION_FAILED"
    case joiningHostServiceFailed = "JOINING_HOST_SERVICE_FAILED"
    /// Parameters: feature.
    case licenceRestriction = "LICENCE_RESTRICTION"
    case licenseCannotDowngradeWhileInPool = "LICENSE_CANNOT_DOWNGRADE_WHILE_IN_POOL"
    /// Parameters: code, message.
    case licenseCheckoutError = "LICENSE_CHECKOUT_ERROR"
    case licenseDoesNotSupportPooling = "LICENSE_DOES_NOT_SUPPORT_POOLING"
    case licenseDoesNotSupportXha = "LICENSE_DOES_NOT_SUPPORT_XHA"
    case licenseExpired = "LICENSE_EXPIRED"
    case licenseFileDeprecated = "LICENSE_FILE_DEPRECATED"
    case licenseHostPoolMismatch = "LICENSE_HOST_POOL_MISMATCH"
    case licenseProcessingError = "LICENSE_PROCESSING_ERROR"
    /// The SR already has a VDI at this location.
    /// Parameters: SR, location.
    case locationNotUnique = "LOCATION_NOT_UNIQUE"
    /// Parameters: MAC.
    case macDoesNotExist = "MAC_DOES_NOT_EXIST"
    /// Parameters: MAC.
    case macInvalid = "MAC_INVALID"
    /// Parameters: MAC.
    case macStillExists = "MAC_STILL_EXISTS"
    /// The map already has this key; remove it first.
    /// Parameters: type, param_name, uuid, key.
    case mapDuplicateKey = "MAP_DUPLICATE_KEY"
    /// Parameters: constraint.
    case memoryConstraintViolation = "MEMORY_CONSTRAINT_VIOLATION"
    /// Parameters: reason.
    case memoryConstraintViolationMaxpin = "MEMORY_CONSTRAINT_VIOLATION_MAXPIN"
    case memoryConstraintViolationOrder = "MEMORY_CONSTRAINT_VIOLATION_ORDER"
    /// The call is deprecated.
    case messageDeprecated = "MESSAGE_DEPRECATED"
    /// There is no such call.
    /// Parameters: method.
    case messageMethodUnknown = "MESSAGE_METHOD_UNKNOWN"
    /// The call was given the wrong number of parameters.
    /// Parameters: method, expected, received.
    case messageParameterCountMismatch = "MESSAGE_PARAMETER_COUNT_MISMATCH"
    /// The call no longer exists.
    case messageRemoved = "MESSAGE_REMOVED"
    /// Mirroring the disk failed; the VM goes on with the original.
    /// Parameters: vdi.
    case mirrorFailed = "MIRROR_FAILED"
    case missingConnectionDetails = "MISSING_CONNECTION_DETAILS"
    case multipleUpdateRepositoriesEnabled = "MULTIPLE_UPDATE_REPOSITORIES_ENABLED"
    /// Parameters: network, connected PIF.
    case networkAlreadyConnected = "NETWORK_ALREADY_CONNECTED"
    /// Parameters: pifs.
    case networkContainsPIF = "NETWORK_CONTAINS_PIF"
    /// Parameters: vifs.
    case networkContainsVIF = "NETWORK_CONTAINS_VIF"
    /// Parameters: PIF, network.
    case networkHasIncompatibleSRIOVPifs = "NETWORK_HAS_INCOMPATIBLE_SRIOV_PIFS"
    /// Parameters: PIF, network.
    case networkHasIncompatibleVLANOnSRIOVPifs = "NETWORK_HAS_INCOMPATIBLE_VLAN_ON_SRIOV_PIFS"
    /// Parameters: new_purpose, conflicting_purpose.
    case networkIncompatiblePurposes = "NETWORK_INCOMPATIBLE_PURPOSES"
    /// Parameters: network.
    case networkIncompatibleWithBond = "NETWORK_INCOMPATIBLE_WITH_BOND"
    /// Parameters: network.
    case networkIncompatibleWithSRIOV = "NETWORK_INCOMPATIBLE_WITH_SRIOV"
    /// Parameters: network.
    case networkIncompatibleWithTrunks = "NETWORK_INCOMPATIBLE_WITH_TRUNKS"
    /// Parameters: network.
    case networkIncompatibleWithTunnel = "NETWORK_INCOMPATIBLE_WITH_TUNNEL"
    /// Parameters: network.
    case networkIncompatibleWithVLANOnBridge = "NETWORK_INCOMPATIBLE_WITH_VLAN_ON_BRIDGE"
    /// Parameters: network.
    case networkIncompatibleWithVLANOnSRIOV = "NETWORK_INCOMPATIBLE_WITH_VLAN_ON_SRIOV"
    /// Parameters: PIF.
    case networkSRIOVAlreadyEnabled = "NETWORK_SRIOV_ALREADY_ENABLED"
    /// Parameters: PIF, msg.
    case networkSRIOVDisableFailed = "NETWORK_SRIOV_DISABLE_FAILED"
    /// Parameters: PIF, msg.
    case networkSRIOVEnableFailed = "NETWORK_SRIOV_ENABLE_FAILED"
    /// Parameters: network.
    case networkSRIOVInsufficientCapacity = "NETWORK_SRIOV_INSUFFICIENT_CAPACITY"
    /// Parameters: network.
    case networkUnmanaged = "NETWORK_UNMANAGED"
    /// Parameters: command.
    case notAllowedOnOemEdition = "NOT_ALLOWED_ON_OEM_EDITION"
    /// Parameters: host.
    case notAllowedWhenNTPIsEnabled = "NOT_ALLOWED_WHEN_NTP_IS_ENABLED"
    /// This is not implemented.
    /// Parameters: function.
    case notImplemented = "NOT_IMPLEMENTED"
    case notInEmergencyMode = "NOT_IN_EMERGENCY_MODE"
    case notSupportedDuringUpgrade = "NOT_SUPPORTED_DURING_UPGRADE"
    /// Parameters: vm.
    case notSystemDomain = "NOT_SYSTEM_DOMAIN"
    /// Parameters: ref.
    case notTrustedCertificate = "NOT_TRUSTED_CERTIFICATE"
    /// Parameters: cluster.
    case noClusterHostsReachable = "NO_CLUSTER_HOSTS_REACHABLE"
    /// Parameters: host.
    case noCompatibleClusterHost = "NO_COMPATIBLE_CLUSTER_HOST"
    /// No host can do this.
    case noHostsAvailable = "NO_HOSTS_AVAILABLE"
    case noMoreRedoLogsAllowed = "NO_MORE_REDO_LOGS_ALLOWED"
    case noRepositoriesConfigured = "NO_REPOSITORIES_CONFIGURED"
    case noRepositoryEnabled = "NO_REPOSITORY_ENABLED"
    /// Parameters: host, device_name.
    case nvidiaSRIOVMisconfigured = "NVIDIA_SRIOV_MISCONFIGURED"
    /// Parameters: host.
    case nvidiaToolsError = "NVIDIA_TOOLS_ERROR"
    case objectNolongerExists = "OBJECT_NOLONGER_EXISTS"
    /// Parameters: command.
    case onlyAllowedOnOemEdition = "ONLY_ALLOWED_ON_OEM_EDITION"
    case openvswitchNotActive = "OPENVSWITCH_NOT_ACTIVE"
    /// The operation was blocked on purpose for this object.
    /// Parameters: ref, code.
    case operationBlocked = "OPERATION_BLOCKED"
    /// The operation is not allowed now.
    /// Parameters: reason.
    case operationNotAllowed = "OPERATION_NOT_ALLOWED"
    /// Parameters: operation.
    case operationPartiallyFailed = "OPERATION_PARTIALLY_FAILED"
    /// Another operation on the object is still running; wait for it.
    /// Parameters: class, object, operation_type, operation_ref.
    case otherOperationInProgress = "OTHER_OPERATION_IN_PROGRESS"
    /// Parameters: location.
    case outOfSpace = "OUT_OF_SPACE"
    /// Parameters: patch.
    case patchAlreadyApplied = "PATCH_ALREADY_APPLIED"
    /// Parameters: uuid.
    case patchAlreadyExists = "PATCH_ALREADY_EXISTS"
    /// Parameters: output.
    case patchApplyFailed = "PATCH_APPLY_FAILED"
    /// Parameters: output.
    case patchApplyFailedBackupFilesExist = "PATCH_APPLY_FAILED_BACKUP_FILES_EXIST"
    case patchIsApplied = "PATCH_IS_APPLIED"
    /// Parameters: patch.
    case patchPrecheckFailedISOMounted = "PATCH_PRECHECK_FAILED_ISO_MOUNTED"
    /// Parameters: patch, found_space, required_required.
    case patchPrecheckFailedOutOfSpace = "PATCH_PRECHECK_FAILED_OUT_OF_SPACE"
    /// Parameters: patch, prerequisite_patch_uuid_list.
    case patchPrecheckFailedPrerequisiteMissing = "PATCH_PRECHECK_FAILED_PREREQUISITE_MISSING"
    /// Parameters: patch, info.
    case patchPrecheckFailedUnknownError = "PATCH_PRECHECK_FAILED_UNKNOWN_ERROR"
    /// Parameters: patch.
    case patchPrecheckFailedVMRunning = "PATCH_PRECHECK_FAILED_VM_RUNNING"
    /// Parameters: patch, found_build, required_build.
    case patchPrecheckFailedWrongServerBuild = "PATCH_PRECHECK_FAILED_WRONG_SERVER_BUILD"
    /// Parameters: patch, found_version, required_version.
    case patchPrecheckFailedWrongServerVersion = "PATCH_PRECHECK_FAILED_WRONG_SERVER_VERSION"
    /// The host already has a PBD for this SR.
    /// Parameters: sr, host, pbd.
    case pbdExists = "PBD_EXISTS"
    /// The caller may not do this.
    /// Parameters: message.
    case permissionDenied = "PERMISSION_DENIED"
    /// Parameters: pgpu, vgpu_type.
    case pgpuInsufficientCapacityForVGPU = "PGPU_INSUFFICIENT_CAPACITY_FOR_VGPU"
    /// Parameters: VMs.
    case pgpuInUseByVM = "PGPU_IN_USE_BY_VM"
    /// Parameters: type, group_types.
    case pgpuNotCompatibleWithGPUGroup = "PGPU_NOT_COMPATIBLE_WITH_GPU_GROUP"
    /// Parameters: PIF.
    case pifAllowsUnplug = "PIF_ALLOWS_UNPLUG"
    /// Parameters: PIF.
    case pifAlreadyBonded = "PIF_ALREADY_BONDED"
    case pifBondMoreThanOneIP = "PIF_BOND_MORE_THAN_ONE_IP"
    case pifBondNeedsMoreMembers = "PIF_BOND_NEEDS_MORE_MEMBERS"
    case pifCannotBondCrossHost = "PIF_CANNOT_BOND_CROSS_HOST"
    /// Parameters: PIF, msg.
    case pifConfigurationError = "PIF_CONFIGURATION_ERROR"
    case pifDeviceNotFound = "PIF_DEVICE_NOT_FOUND"
    /// Parameters: PIF.
    case pifDoesNotAllowUnplug = "PIF_DOES_NOT_ALLOW_UNPLUG"
    /// Parameters: PIF, SR.
    case pifHasFcoeSRInUse = "PIF_HAS_FCOE_SR_IN_USE"
    /// Parameters: PIF.
    case pifHasNoNetworkConfiguration = "PIF_HAS_NO_NETWORK_CONFIGURATION"
    /// Parameters: PIF.
    case pifHasNoV6NetworkConfiguration = "PIF_HAS_NO_V6_NETWORK_CONFIGURATION"
    /// Parameters: PIF.
    case pifIncompatiblePrimaryAddressType = "PIF_INCOMPATIBLE_PRIMARY_ADDRESS_TYPE"
    /// Parameters: PIF.
    case pifIsManagementInterface = "PIF_IS_MANAGEMENT_INTERFACE"
    /// Parameters: PIF.
    case pifIsNotPhysical = "PIF_IS_NOT_PHYSICAL"
    /// Parameters: PIF.
    case pifIsNotSRIOVCapable = "PIF_IS_NOT_SRIOV_CAPABLE"
    /// Parameters: PIF.
    case pifIsPhysical = "PIF_IS_PHYSICAL"
    /// Parameters: PIF.
    case pifIsSRIOVLogical = "PIF_IS_SRIOV_LOGICAL"
    /// Parameters: PIF.
    case pifIsVLAN = "PIF_IS_VLAN"
    /// Parameters: pif, host.
    case pifNotAttachedToHost = "PIF_NOT_ATTACHED_TO_HOST"
    /// Parameters: host, network.
    case pifNotPresent = "PIF_NOT_PRESENT"
    /// Parameters: PIF.
    case pifSRIOVStillExists = "PIF_SRIOV_STILL_EXISTS"
    /// Parameters: PIF.
    case pifTunnelStillExists = "PIF_TUNNEL_STILL_EXISTS"
    /// Parameters: PIF.
    case pifUnmanaged = "PIF_UNMANAGED"
    /// Parameters: PIF.
    case pifVLANExists = "PIF_VLAN_EXISTS"
    /// Parameters: PIF.
    case pifVLANStillExists = "PIF_VLAN_STILL_EXISTS"
    /// Parameters: host.
    case poolAuthAlreadyEnabled = "POOL_AUTH_ALREADY_ENABLED"
    /// Parameters: host, message.
    case poolAuthDisableFailed = "POOL_AUTH_DISABLE_FAILED"
    /// Parameters: host, message.
    case poolAuthDisableFailedInvalidAccount = "POOL_AUTH_DISABLE_FAILED_INVALID_ACCOUNT"
    /// Parameters: host, message.
    case poolAuthDisableFailedPermissionDenied = "POOL_AUTH_DISABLE_FAILED_PERMISSION_DENIED"
    /// Parameters: host, message.
    case poolAuthDisableFailedWrongCredentials = "POOL_AUTH_DISABLE_FAILED_WRONG_CREDENTIALS"
    /// Parameters: host, message.
    case poolAuthEnableFailed = "POOL_AUTH_ENABLE_FAILED"
    /// Parameters: host, message.
    case poolAuthEnableFailedDomainLookupFailed = "POOL_AUTH_ENABLE_FAILED_DOMAIN_LOOKUP_FAILED"
    /// Parameters: host, message.
    case poolAuthEnableFailedDuplicateHostname = "POOL_AUTH_ENABLE_FAILED_DUPLICATE_HOSTNAME"
    /// Parameters: host, message.
    case poolAuthEnableFailedInvalidAccount = "POOL_AUTH_ENABLE_FAILED_INVALID_ACCOUNT"
    /// Parameters: host, message.
    case poolAuthEnableFailedInvalidOu = "POOL_AUTH_ENABLE_FAILED_INVALID_OU"
    /// Parameters: host, message.
    case poolAuthEnableFailedInvalidTrustedCerts = "POOL_AUTH_ENABLE_FAILED_INVALID_TRUSTED_CERTS"
    /// Parameters: host, message.
    case poolAuthEnableFailedNoSupportEncryptType = "POOL_AUTH_ENABLE_FAILED_NO_SUPPORT_ENCRYPT_TYPE"
    /// Parameters: host, message.
    case poolAuthEnableFailedNoTrustedCerts = "POOL_AUTH_ENABLE_FAILED_NO_TRUSTED_CERTS"
    /// Parameters: host, message.
    case poolAuthEnableFailedPermissionDenied = "POOL_AUTH_ENABLE_FAILED_PERMISSION_DENIED"
    /// Parameters: host, message.
    case poolAuthEnableFailedSetupTLSConnection = "POOL_AUTH_ENABLE_FAILED_SETUP_TLS_CONNECTION"
    /// Parameters: host, message.
    case poolAuthEnableFailedUnavailable = "POOL_AUTH_ENABLE_FAILED_UNAVAILABLE"
    /// Parameters: host, message.
    case poolAuthEnableFailedWrongCredentials = "POOL_AUTH_ENABLE_FAILED_WRONG_CREDENTIALS"
    case poolJoiningExternalAuthMismatch = "POOL_JOINING_EXTERNAL_AUTH_MISMATCH"
    case poolJoiningHostCACertificatesConflict = "POOL_JOINING_HOST_CA_CERTIFICATES_CONFLICT"
    case poolJoiningHostHasBonds = "POOL_JOINING_HOST_HAS_BONDS"
    case poolJoiningHostHasNetworkSriovs = "POOL_JOINING_HOST_HAS_NETWORK_SRIOVS"
    case poolJoiningHostHasNonManagementVlans = "POOL_JOINING_HOST_HAS_NON_MANAGEMENT_VLANS"
    case poolJoiningHostHasTunnels = "POOL_JOINING_HOST_HAS_TUNNELS"
    /// Parameters: local, remote.
    case poolJoiningHostManagementVLANDoesNotMatch = "POOL_JOINING_HOST_MANAGEMENT_VLAN_DOES_NOT_MATCH"
    case poolJoiningHostMustHaveOnlyOneIPOnClusteringNetwork = "POOL_JOINING_HOST_MUST_HAVE_ONLY_ONE_IP_ON_CLUSTERING_NETWORK"
    case poolJoiningHostMustHavePhysicalManagementNic = "POOL_JOINING_HOST_MUST_HAVE_PHYSICAL_MANAGEMENT_NIC"
    /// Parameters: host_api_version, master_api_version.
    case poolJoiningHostMustHaveSameAPIVersion = "POOL_JOINING_HOST_MUST_HAVE_SAME_API_VERSION"
    /// Parameters: host_db_schema, master_db_schema.
    case poolJoiningHostMustHaveSameDBSchema = "POOL_JOINING_HOST_MUST_HAVE_SAME_DB_SCHEMA"
    case poolJoiningHostMustHaveSameProductVersion = "POOL_JOINING_HOST_MUST_HAVE_SAME_PRODUCT_VERSION"
    case poolJoiningHostMustOnlyHavePhysicalPifs = "POOL_JOINING_HOST_MUST_ONLY_HAVE_PHYSICAL_PIFS"
    case poolJoiningHostTLSVerificationMismatch = "POOL_JOINING_HOST_TLS_VERIFICATION_MISMATCH"
    /// Parameters: ref_in_pool, ref_on_host.
    case poolJoiningHostTrustedCertificatesConflict = "POOL_JOINING_HOST_TRUSTED_CERTIFICATES_CONFLICT"
    /// Parameters: master_uuid.
    case poolJoiningMasterCertificateNotInPoolBundle = "POOL_JOINING_MASTER_CERTIFICATE_NOT_IN_POOL_BUNDLE"
    /// Parameters: bundle_path.
    case poolJoiningPoolBundleEmptyAfterImport = "POOL_JOINING_POOL_BUNDLE_EMPTY_AFTER_IMPORT"
    /// Parameters: vlan.
    case poolJoiningPoolCannotEnableClusteringOnVLANNetwork = "POOL_JOINING_POOL_CANNOT_ENABLE_CLUSTERING_ON_VLAN_NETWORK"
    /// Parameters: pool_sm_ref, candidate_sm_ref.
    case poolJoiningSMFeaturesIncompatible = "POOL_JOINING_SM_FEATURES_INCOMPATIBLE"
    case provisionFailedOutOfSpace = "PROVISION_FAILED_OUT_OF_SPACE"
    case provisionOnlyAllowedOnTemplate = "PROVISION_ONLY_ALLOWED_ON_TEMPLATE"
    /// Parameters: PUSB, VDI.
    case pusbVDIConflict = "PUSB_VDI_CONFLICT"
    /// Parameters: site, host.
    case pvsCacheStorageAlreadyPresent = "PVS_CACHE_STORAGE_ALREADY_PRESENT"
    /// Parameters: PVS_cache_storage.
    case pvsCacheStorageIsInUse = "PVS_CACHE_STORAGE_IS_IN_USE"
    /// Parameters: proxies.
    case pvsProxyAlreadyPresent = "PVS_PROXY_ALREADY_PRESENT"
    /// Parameters: device.
    case pvsProxyPresentOnHigherVIFDevice = "PVS_PROXY_PRESENT_ON_HIGHER_VIF_DEVICE"
    /// Parameters: address.
    case pvsServerAddressInUse = "PVS_SERVER_ADDRESS_IN_USE"
    /// Parameters: proxies.
    case pvsSiteContainsRunningProxies = "PVS_SITE_CONTAINS_RUNNING_PROXIES"
    /// Parameters: servers.
    case pvsSiteContainsServers = "PVS_SITE_CONTAINS_SERVERS"
    case pvsVIFMustBeFirstDevice = "PVS_VIF_MUST_BE_FIRST_DEVICE"
    /// The role of the user does not permit this call.
    /// Parameters: permission, message.
    case rbacPermissionDenied = "RBAC_PERMISSION_DENIED"
    case redoLogIsEnabled = "REDO_LOG_IS_ENABLED"
    /// Parameters: ref.
    case repositoryAlreadyExists = "REPOSITORY_ALREADY_EXISTS"
    case repositoryCleanupFailed = "REPOSITORY_CLEANUP_FAILED"
    case repositoryIsInUse = "REPOSITORY_IS_IN_USE"
    case reposyncFailed = "REPOSYNC_FAILED"
    case repoShouldBeSingleOneEnabled = "REPO_SHOULD_BE_SINGLE_ONE_ENABLED"
    /// Parameters: PIF.
    case requiredPIFIsUnplugged = "REQUIRED_PIF_IS_UNPLUGGED"
    case restoreIncompatibleVersion = "RESTORE_INCOMPATIBLE_VERSION"
    /// Parameters: log.
    case restoreScriptFailed = "RESTORE_SCRIPT_FAILED"
    case restoreTargetMgmtIfNotInBackup = "RESTORE_TARGET_MGMT_IF_NOT_IN_BACKUP"
    /// Parameters: device.
    case restoreTargetMissingDevice = "RESTORE_TARGET_MISSING_DEVICE"
    case roleAlreadyExists = "ROLE_ALREADY_EXISTS"
    case roleNotFound = "ROLE_NOT_FOUND"
    case serverCertificateChainInvalid = "SERVER_CERTIFICATE_CHAIN_INVALID"
    /// Parameters: now, not_after.
    case serverCertificateExpired = "SERVER_CERTIFICATE_EXPIRED"
    case serverCertificateInvalid = "SERVER_CERTIFICATE_INVALID"
    /// Parameters: algorithm_oid.
    case serverCertificateKeyAlgorithmNotSupported = "SERVER_CERTIFICATE_KEY_ALGORITHM_NOT_SUPPORTED"
    case serverCertificateKeyInvalid = "SERVER_CERTIFICATE_KEY_INVALID"
    case serverCertificateKeyMismatch = "SERVER_CERTIFICATE_KEY_MISMATCH"
    /// Parameters: length.
    case serverCertificateKeyRsaLengthNotSupported = "SERVER_CERTIFICATE_KEY_RSA_LENGTH_NOT_SUPPORTED"
    case serverCertificateKeyRsaMultiNotSupported = "SERVER_CERTIFICATE_KEY_RSA_MULTI_NOT_SUPPORTED"
    /// Parameters: now, not_before.
    case serverCertificateNotValidYet = "SERVER_CERTIFICATE_NOT_VALID_YET"
    case serverCertificateSignatureNotSupported = "SERVER_CERTIFICATE_SIGNATURE_NOT_SUPPORTED"
    /// The user name or the password is wrong.
    case sessionAuthenticationFailed = "SESSION_AUTHENTICATION_FAILED"
    /// The user may not log in here.
    /// Parameters: username, msg.
    case sessionAuthorizationFailed = "SESSION_AUTHORIZATION_FAILED"
    /// The session is unknown or has ended; log in again.
    /// Parameters: handle.
    case sessionInvalid = "SESSION_INVALID"
    /// The session has not registered for events.
    /// Parameters: handle.
    case sessionNotRegistered = "SESSION_NOT_REGISTERED"
    /// Parameters: hosts.
    case setConsoleTimeoutPartiallyFailed = "SET_CONSOLE_TIMEOUT_PARTIALLY_FAILED"
    /// Parameters: hosts.
    case setSSHAutoModePartiallyFailed = "SET_SSH_AUTO_MODE_PARTIALLY_FAILED"
    /// Parameters: hosts.
    case setSSHTimeoutPartiallyFailed = "SET_SSH_TIMEOUT_PARTIALLY_FAILED"
    case slaveRequiresManagementInterface = "SLAVE_REQUIRES_MANAGEMENT_INTERFACE"
    /// The storage driver does not answer.
    /// Parameters: sm.
    case smPluginCommunicationFailure = "SM_PLUGIN_COMMUNICATION_FAILURE"
    /// The SR could not be attached.
    /// Parameters: sr.
    case srAttachFailed = "SR_ATTACH_FAILED"
    /// The storage driver failed.
    /// Parameters: status, stdout, stderr.
    case srBackendFailure = "SR_BACKEND_FAILURE"
    /// The device or folder of the SR is in use by another SR.
    case srDeviceInUse = "SR_DEVICE_IN_USE"
    /// The SR cannot take part in a migration.
    /// Parameters: sr, capabilities.
    case srDoesNotSupportMigration = "SR_DOES_NOT_SUPPORT_MIGRATION"
    /// The SR has not enough free space.
    /// Parameters: requested, maximum.
    case srFull = "SR_FULL"
    /// The SR is connected to several hosts.
    /// Parameters: PBD.
    case srHasMultiplePBDs = "SR_HAS_MULTIPLE_PBDS"
    /// The SR is not connected to any host; create and plug a PBD first.
    /// Parameters: sr.
    case srHasNoPBDs = "SR_HAS_NO_PBDS"
    /// The SR is still connected to a host; unplug its PBDs first.
    /// Parameters: sr.
    case srHasPBD = "SR_HAS_PBD"
    /// The SR is marked as not to be destroyed.
    /// Parameters: sr.
    case srIndestructible = "SR_INDESTRUCTIBLE"
    /// Parameters: host.
    case srIsCacheSR = "SR_IS_CACHE_SR"
    /// The SR is not attached here; plug its PBD first.
    /// Parameters: sr.
    case srNotAttached = "SR_NOT_ATTACHED"
    /// The SR still has VDIs; destroy or move them first.
    case srNotEmpty = "SR_NOT_EMPTY"
    /// The SR cannot be shared between hosts.
    /// Parameters: sr, host.
    case srNotSharable = "SR_NOT_SHARABLE"
    /// The storage driver of the SR cannot do this.
    /// Parameters: sr.
    case srOperationNotSupported = "SR_OPERATION_NOT_SUPPORTED"
    /// Parameters: SR.
    case srRequiresUpgrade = "SR_REQUIRES_UPGRADE"
    /// The source SR has not enough free space for the move.
    /// Parameters: sr.
    case srSourceSpaceInsufficient = "SR_SOURCE_SPACE_INSUFFICIENT"
    /// Parameters: sr.
    case srSuspendSpaceInsufficient = "SR_SUSPEND_SPACE_INSUFFICIENT"
    /// The SR is not healthy.
    /// Parameters: sr, health, fix.
    case srUnhealthy = "SR_UNHEALTHY"
    /// There is no storage driver of this type.
    /// Parameters: driver.
    case srUnknownDriver = "SR_UNKNOWN_DRIVER"
    /// An SR with this uuid exists already.
    /// Parameters: uuid.
    case srUUIDExists = "SR_UUID_EXISTS"
    case srVDILockingFailed = "SR_VDI_LOCKING_FAILED"
    /// Parameters: reason.
    case sslVerifyError = "SSL_VERIFY_ERROR"
    case subjectAlreadyExists = "SUBJECT_ALREADY_EXISTS"
    case subjectCannotBeResolved = "SUBJECT_CANNOT_BE_RESOLVED"
    /// Parameters: vdi.
    case suspendImageNotAccessible = "SUSPEND_IMAGE_NOT_ACCESSIBLE"
    case syncBundleInProgress = "SYNC_BUNDLE_IN_PROGRESS"
    case syncUpdatesInProgress = "SYNC_UPDATES_IN_PROGRESS"
    /// Parameters: vm, message.
    case sysprep = "SYSPREP"
    case systemStatusMustUseTarOnOem = "SYSTEM_STATUS_MUST_USE_TAR_ON_OEM"
    /// Parameters: reason.
    case systemStatusRetrievalFailed = "SYSTEM_STATUS_RETRIEVAL_FAILED"
    /// The task was cancelled.
    /// Parameters: task.
    case taskCancelled = "TASK_CANCELLED"
    /// Parameters: timestamp.
    case telemetryNextCollectionTooLate = "TELEMETRY_NEXT_COLLECTION_TOO_LATE"
    /// Parameters: address, port.
    case tlsConnectionFailed = "TLS_CONNECTION_FAILED"
    case tlsVerificationNotEnabledInPool = "TLS_VERIFICATION_NOT_ENABLED_IN_POOL"
    /// The toolstack is too busy; try again later.
    case tooBusy = "TOO_BUSY"
    case tooManyGroups = "TOO_MANY_GROUPS"
    case tooManyPendingTasks = "TOO_MANY_PENDING_TASKS"
    /// Too many disk migrations are running; wait for one to end.
    /// Parameters: number.
    case tooManyStorageMigrates = "TOO_MANY_STORAGE_MIGRATES"
    /// Parameters: number.
    case tooManyVusbs = "TOO_MANY_VUSBS"
    /// Parameters: PIF.
    case transportPIFNotConfigured = "TRANSPORT_PIF_NOT_CONFIGURED"
    /// Parameters: fingerprint.
    case trustedCertificateAlreadyExists = "TRUSTED_CERTIFICATE_ALREADY_EXISTS"
    /// Parameters: now, not_after.
    case trustedCertificateExpired = "TRUSTED_CERTIFICATE_EXPIRED"
    case trustedCertificateInvalid = "TRUSTED_CERTIFICATE_INVALID"
    /// Parameters: now, not_before.
    case trustedCertificateNotValidYet = "TRUSTED_CERTIFICATE_NOT_VALID_YET"
    /// The storage driver does not have this operation.
    /// Parameters: message.
    case unimplementedInSMBackend = "UNIMPLEMENTED_IN_SM_BACKEND"
    /// Parameters: vm, bootloader.
    case unknownBootloader = "UNKNOWN_BOOTLOADER"
    case updateinfoHashMismatch = "UPDATEINFO_HASH_MISMATCH"
    /// Parameters: update.
    case updateAlreadyApplied = "UPDATE_ALREADY_APPLIED"
    /// Parameters: update.
    case updateAlreadyAppliedInPool = "UPDATE_ALREADY_APPLIED_IN_POOL"
    /// Parameters: uuid.
    case updateAlreadyExists = "UPDATE_ALREADY_EXISTS"
    /// Parameters: output.
    case updateApplyFailed = "UPDATE_APPLY_FAILED"
    case updateIsApplied = "UPDATE_IS_APPLIED"
    /// Parameters: hosts.
    case updatePoolApplyFailed = "UPDATE_POOL_APPLY_FAILED"
    /// Parameters: update, conflict_update.
    case updatePrecheckFailedConflictPresent = "UPDATE_PRECHECK_FAILED_CONFLICT_PRESENT"
    /// Parameters: update.
    case updatePrecheckFailedGpgkeyNotImported = "UPDATE_PRECHECK_FAILED_GPGKEY_NOT_IMPORTED"
    /// Parameters: update, available_space, required_space .
    case updatePrecheckFailedOutOfSpace = "UPDATE_PRECHECK_FAILED_OUT_OF_SPACE"
    /// Parameters: update, prerequisite_update.
    case updatePrecheckFailedPrerequisiteMissing = "UPDATE_PRECHECK_FAILED_PREREQUISITE_MISSING"
    /// Parameters: update, info.
    case updatePrecheckFailedUnknownError = "UPDATE_PRECHECK_FAILED_UNKNOWN_ERROR"
    /// Parameters: update, installed_version, required_version .
    case updatePrecheckFailedWrongServerVersion = "UPDATE_PRECHECK_FAILED_WRONG_SERVER_VERSION"
    case updateSyncingRemotePoolCoordinatorConnectionFailed = "UPDATE_SYNCING_REMOTE_POOL_COORDINATOR_CONNECTION_FAILED"
    case updateSyncingRemotePoolCoordinatorServiceFailed = "UPDATE_SYNCING_REMOTE_POOL_COORDINATOR_SERVICE_FAILED"
    /// Parameters: PUSB, VM.
    case usbAlreadyAttached = "USB_ALREADY_ATTACHED"
    /// Parameters: USB_group.
    case usbGroupConflict = "USB_GROUP_CONFLICT"
    /// Parameters: usb_group.
    case usbGroupContainsNoPusbs = "USB_GROUP_CONTAINS_NO_PUSBS"
    /// Parameters: pusbs.
    case usbGroupContainsPUSB = "USB_GROUP_CONTAINS_PUSB"
    /// Parameters: vusbs.
    case usbGroupContainsVUSB = "USB_GROUP_CONTAINS_VUSB"
    /// Only the local superuser may do this.
    /// Parameters: msg.
    case userIsNotLocalSuperuser = "USER_IS_NOT_LOCAL_SUPERUSER"
    /// There is no object with this uuid.
    /// Parameters: type, uuid.
    case uuidInvalid = "UUID_INVALID"
    case v6dFailure = "V6D_FAILURE"
    /// The value is not supported here.
    /// Parameters: field, value, reason.
    case valueNotSupported = "VALUE_NOT_SUPPORTED"
    case vbdCdsMustBeReadonly = "VBD_CDS_MUST_BE_READONLY"
    /// The drive is empty.
    /// Parameters: vbd.
    case vbdIsEmpty = "VBD_IS_EMPTY"
    /// The drive holds a medium; eject it first.
    /// Parameters: vbd.
    case vbdNotEmpty = "VBD_NOT_EMPTY"
    /// The device is not a drive with removable media.
    /// Parameters: vbd.
    case vbdNotRemovableMedia = "VBD_NOT_REMOVABLE_MEDIA"
    /// The device cannot be unplugged while the VM runs.
    /// Parameters: vbd.
    case vbdNotUnpluggable = "VBD_NOT_UNPLUGGABLE"
    /// Parameters: vbd.
    case vbdTrayLocked = "VBD_TRAY_LOCKED"
    /// Parameters: vcpu_max, cores_per_socket.
    case vcpuMaxNotCoresPerSocketMultiple = "VCPU_MAX_NOT_CORES_PER_SOCKET_MULTIPLE"
    /// Parameters: vdi.
    case vdiCBTEnabled = "VDI_CBT_ENABLED"
    /// Parameters: vdi, pool.
    case vdiContainsMetadataOfThisPool = "VDI_CONTAINS_METADATA_OF_THIS_POOL"
    /// Copying the disk failed.
    case vdiCopyFailed = "VDI_COPY_FAILED"
    /// Parameters: vdi.
    case vdiHasRrds = "VDI_HAS_RRDS"
    /// The operation does not exist for VDIs of this type.
    /// Parameters: vdi, type.
    case vdiIncompatibleType = "VDI_INCOMPATIBLE_TYPE"
    /// The disk is in use.
    /// Parameters: vdi, operation.
    case vdiInUse = "VDI_IN_USE"
    /// The operation does not exist for physical devices.
    /// Parameters: vdi.
    case vdiIsAPhysicalDevice = "VDI_IS_A_PHYSICAL_DEVICE"
    /// Parameters: vdi.
    case vdiIsEncrypted = "VDI_IS_ENCRYPTED"
    /// Parameters: vdi, type.
    case vdiIsNotISO = "VDI_IS_NOT_ISO"
    /// The SR has no VDI at this location.
    /// Parameters: sr, location.
    case vdiLocationMissing = "VDI_LOCATION_MISSING"
    /// The disk image is missing from its SR.
    /// Parameters: sr, vdi.
    case vdiMissing = "VDI_MISSING"
    /// The disk must be attached to a VM to be moved.
    /// Parameters: vdi.
    case vdiNeedsVMForMigrate = "VDI_NEEDS_VM_FOR_MIGRATE"
    /// The disk is not available now.
    /// Parameters: vdi.
    case vdiNotAvailable = "VDI_NOT_AVAILABLE"
    /// No destination was given for the disk.
    /// Parameters: vdi.
    case vdiNotInMap = "VDI_NOT_IN_MAP"
    /// The disk is not managed by the toolstack.
    /// Parameters: vdi.
    case vdiNotManaged = "VDI_NOT_MANAGED"
    /// Parameters: vdi.
    case vdiNotSparse = "VDI_NOT_SPARSE"
    /// Parameters: vdi.
    case vdiNoCBTMetadata = "VDI_NO_CBT_METADATA"
    /// The disk is reset when its VM starts, which rules out this operation.
    case vdiOnBootModeIncompatibleWithOperation = "VDI_ON_BOOT_MODE_INCOMPATIBLE_WITH_OPERATION"
    /// The disk is read-only.
    /// Parameters: vdi.
    case vdiReadonly = "VDI_READONLY"
    /// The size is larger than the image format or the SR can hold.
    /// Parameters: vdi, maximum size.
    case vdiTooLarge = "VDI_TOO_LARGE"
    /// The size is smaller than allowed.
    /// Parameters: vdi, minimum size.
    case vdiTooSmall = "VDI_TOO_SMALL"
    /// Parameters: reason, vgpu, host.
    case vgpuDestinationIncompatible = "VGPU_DESTINATION_INCOMPATIBLE"
    /// Parameters: reason, vm, host.
    case vgpuGuestDriverLimit = "VGPU_GUEST_DRIVER_LIMIT"
    /// Parameters: reason, vgpu, host.
    case vgpuSuspensionNotSupported = "VGPU_SUSPENSION_NOT_SUPPORTED"
    /// Parameters: type.
    case vgpuTypeNotCompatible = "VGPU_TYPE_NOT_COMPATIBLE"
    /// Parameters: pgpu, type, running_type.
    case vgpuTypeNotCompatibleWithRunningType = "VGPU_TYPE_NOT_COMPATIBLE_WITH_RUNNING_TYPE"
    /// Parameters: type, enabled_types.
    case vgpuTypeNotEnabled = "VGPU_TYPE_NOT_ENABLED"
    /// Parameters: type, supported_types.
    case vgpuTypeNotSupported = "VGPU_TYPE_NOT_SUPPORTED"
    /// Parameters: type.
    case vgpuTypeNoLongerSupported = "VGPU_TYPE_NO_LONGER_SUPPORTED"
    /// Parameters: network, VIF.
    case vifInUse = "VIF_IN_USE"
    /// Parameters: vif.
    case vifNotInMap = "VIF_NOT_IN_MAP"
    /// Parameters: device, vlan.
    case vlanInUse = "VLAN_IN_USE"
    /// Parameters: VLAN.
    case vlanTagInvalid = "VLAN_TAG_INVALID"
    case vmppArchiveMoreFrequentThanBackup = "VMPP_ARCHIVE_MORE_FREQUENT_THAN_BACKUP"
    case vmppHasVM = "VMPP_HAS_VM"
    case vmssHasVM = "VMSS_HAS_VM"
    case vmsFailedToCooperate = "VMS_FAILED_TO_COOPERATE"
    /// Parameters: vm, vmpp.
    case vmAssignedToProtectionPolicy = "VM_ASSIGNED_TO_PROTECTION_POLICY"
    /// Parameters: vm, vmss.
    case vmAssignedToSnapshotSchedule = "VM_ASSIGNED_TO_SNAPSHOT_SCHEDULE"
    /// Parameters: vm.
    case vmAttachedToMoreThanOneVDIWithTimeoffsetMarkedAsResetOnBoot = "VM_ATTACHED_TO_MORE_THAN_ONE_VDI_WITH_TIMEOFFSET_MARKED_AS_RESET_ON_BOOT"
    /// The VM is not in the power state that the operation needs.
    /// Parameters: vm, expected, actual.
    case vmBadPowerState = "VM_BAD_POWER_STATE"
    case vmBIOSStringsAlreadySet = "VM_BIOS_STRINGS_ALREADY_SET"
    /// Parameters: VM, interval, wait.
    case vmCallPluginRateLimit = "VM_CALL_PLUGIN_RATE_LIMIT"
    /// Parameters: vm.
    case vmCannotDeleteDefaultTemplate = "VM_CANNOT_DELETE_DEFAULT_TEMPLATE"
    /// Parameters: vm.
    case vmCheckpointResumeFailed = "VM_CHECKPOINT_RESUME_FAILED"
    /// Parameters: vm.
    case vmCheckpointSuspendFailed = "VM_CHECKPOINT_SUSPEND_FAILED"
    /// The VM crashed.
    /// Parameters: vm.
    case vmCrashed = "VM_CRASHED"
    /// Two disks of the VM have the same device number.
    /// Parameters: vm, vbd, device.
    case vmDuplicateVBDDevice = "VM_DUPLICATE_VBD_DEVICE"
    /// The guest did not accept the request to shut down.
    /// Parameters: vm.
    case vmFailedShutdownAcknowledgment = "VM_FAILED_SHUTDOWN_ACKNOWLEDGMENT"
    /// Parameters: vm.
    case vmFailedSuspendAcknowledgment = "VM_FAILED_SUSPEND_ACKNOWLEDGMENT"
    /// The VM stopped unexpectedly.
    /// Parameters: vm.
    case vmHalted = "VM_HALTED"
    /// Parameters: vm.
    case vmHasCheckpoint = "VM_HAS_CHECKPOINT"
    /// Parameters: vm.
    case vmHasNoSuspendVDI = "VM_HAS_NO_SUSPEND_VDI"
    /// Parameters: vm.
    case vmHasPCIAttached = "VM_HAS_PCI_ATTACHED"
    /// Parameters: vm.
    case vmHasSRIOVVIF = "VM_HAS_SRIOV_VIF"
    /// Parameters: vm.
    case vmHasTooManySnapshots = "VM_HAS_TOO_MANY_SNAPSHOTS"
    /// Parameters: vm.
    case vmHasVGPU = "VM_HAS_VGPU"
    /// Parameters: VM.
    case vmHasVusbs = "VM_HAS_VUSBS"
    /// Parameters: host, vm.
    case vmHostIncompatibleVersion = "VM_HOST_INCOMPATIBLE_VERSION"
    /// Parameters: host, vm.
    case vmHostIncompatibleVersionMigrate = "VM_HOST_INCOMPATIBLE_VERSION_MIGRATE"
    /// Parameters: host, host_versions, vm, vm_version.
    case vmHostIncompatibleVirtualHardwarePlatformVersion = "VM_HOST_INCOMPATIBLE_VIRTUAL_HARDWARE_PLATFORM_VERSION"
    /// Parameters: vm.
    case vmHVMRequired = "VM_HVM_REQUIRED"
    /// Parameters: vm, host, reason.
    case vmIncompatibleWithThisHost = "VM_INCOMPATIBLE_WITH_THIS_HOST"
    /// Parameters: VM.
    case vmIsImmobile = "VM_IS_IMMOBILE"
    /// Parameters: vm, appliance.
    case vmIsPartOfAnAppliance = "VM_IS_PART_OF_AN_APPLIANCE"
    /// The VM is protected by high availability.
    /// Parameters: vm.
    case vmIsProtected = "VM_IS_PROTECTED"
    /// The operation does not exist for templates.
    /// Parameters: vm.
    case vmIsTemplate = "VM_IS_TEMPLATE"
    /// Parameters: VM.
    case vmIsUsingNestedVirt = "VM_IS_USING_NESTED_VIRT"
    /// The guest lacks a feature that the operation needs.
    /// Parameters: vm.
    case vmLacksFeature = "VM_LACKS_FEATURE"
    /// Parameters: vm.
    case vmMemorySizeTooLow = "VM_MEMORY_SIZE_TOO_LOW"
    case vmMigrateContactRemoteServiceFailed = "VM_MIGRATE_CONTACT_REMOTE_SERVICE_FAILED"
    /// The migration failed.
    /// Parameters: vm, source, destination, msg.
    case vmMigrateFailed = "VM_MIGRATE_FAILED"
    /// The guest has no paravirtual drivers.
    /// Parameters: vm.
    case vmMissingPVDrivers = "VM_MISSING_PV_DRIVERS"
    /// Parameters: vm, reason.
    case vmNonSuspendable = "VM_NON_SUSPENDABLE"
    /// Parameters: vm, host.
    case vmNotResidentHere = "VM_NOT_RESIDENT_HERE"
    /// Parameters: vm.
    case vmNoCrashdumpSR = "VM_NO_CRASHDUMP_SR"
    /// Parameters: vm.
    case vmNoEmptyCdVBD = "VM_NO_EMPTY_CD_VBD"
    /// Parameters: vm.
    case vmNoSuspendSR = "VM_NO_SUSPEND_SR"
    /// The VM has no virtual processors.
    /// Parameters: vm.
    case vmNoVCPUs = "VM_NO_VCPUS"
    /// Parameters: vm, major, minor.
    case vmOldPVDrivers = "VM_OLD_PV_DRIVERS"
    /// Parameters: VM.
    case vmPCIBusFull = "VM_PCI_BUS_FULL"
    /// Parameters: vm.
    case vmPVDriversInUse = "VM_PV_DRIVERS_IN_USE"
    /// The VM restarted unexpectedly.
    /// Parameters: vm.
    case vmRebooted = "VM_REBOOTED"
    /// Parameters: vm, GPU_group.
    case vmRequiresGPU = "VM_REQUIRES_GPU"
    /// Parameters: host.
    case vmRequiresIommu = "VM_REQUIRES_IOMMU"
    /// Parameters: vm, network.
    case vmRequiresNetwork = "VM_REQUIRES_NETWORK"
    /// The VM needs an SR that the host does not see.
    /// Parameters: vm, sr.
    case vmRequiresSR = "VM_REQUIRES_SR"
    /// The VM needs a disk that is not available.
    /// Parameters: vm, vdi.
    case vmRequiresVDI = "VM_REQUIRES_VDI"
    /// Parameters: vm, GPU_group, vGPU_type.
    case vmRequiresVGPU = "VM_REQUIRES_VGPU"
    /// Parameters: vm, USB_group.
    case vmRequiresVUSB = "VM_REQUIRES_VUSB"
    /// Parameters: vm, snapshot.
    case vmRevertFailed = "VM_REVERT_FAILED"
    /// The guest did not shut down in time.
    /// Parameters: vm, timeout.
    case vmShutdownTimeout = "VM_SHUTDOWN_TIMEOUT"
    /// Parameters: vm.
    case vmSnapshotWithQuiesceFailed = "VM_SNAPSHOT_WITH_QUIESCE_FAILED"
    /// Parameters: vm, error.
    case vmSnapshotWithQuiesceNotSupported = "VM_SNAPSHOT_WITH_QUIESCE_NOT_SUPPORTED"
    /// Parameters: vm.
    case vmSnapshotWithQuiescePluginDeosNotRespond = "VM_SNAPSHOT_WITH_QUIESCE_PLUGIN_DEOS_NOT_RESPOND"
    /// Parameters: vm.
    case vmSnapshotWithQuiesceTimeout = "VM_SNAPSHOT_WITH_QUIESCE_TIMEOUT"
    /// Parameters: vm, timeout.
    case vmSuspendTimeout = "VM_SUSPEND_TIMEOUT"
    /// Parameters: vm.
    case vmTooManyVCPUs = "VM_TOO_MANY_VCPUS"
    /// Parameters: vm, existing_version, version_to_import.
    case vmToImportIsNotNewerVersion = "VM_TO_IMPORT_IS_NOT_NEWER_VERSION"
    /// Parameters: vm.
    case vmUnsafeBoot = "VM_UNSAFE_BOOT"
    /// Parameters: amount.
    case vtpmMaxAmountReached = "VTPM_MAX_AMOUNT_REACHED"
    case wlbAuthenticationFailed = "WLB_AUTHENTICATION_FAILED"
    case wlbConnectionRefused = "WLB_CONNECTION_REFUSED"
    case wlbConnectionReset = "WLB_CONNECTION_RESET"
    case wlbDisabled = "WLB_DISABLED"
    case wlbInternalError = "WLB_INTERNAL_ERROR"
    case wlbMalformedRequest = "WLB_MALFORMED_REQUEST"
    /// Parameters: method, reason, response.
    case wlbMalformedResponse = "WLB_MALFORMED_RESPONSE"
    case wlbNotInitialized = "WLB_NOT_INITIALIZED"
    /// Parameters: configured_timeout.
    case wlbTimeout = "WLB_TIMEOUT"
    case wlbUnknownHost = "WLB_UNKNOWN_HOST"
    /// Parameters: url.
    case wlbURLInvalid = "WLB_URL_INVALID"
    case wlbXenserverAuthenticationFailed = "WLB_XENSERVER_AUTHENTICATION_FAILED"
    case wlbXenserverConnectionRefused = "WLB_XENSERVER_CONNECTION_REFUSED"
    case wlbXenserverMalformedResponse = "WLB_XENSERVER_MALFORMED_RESPONSE"
    case wlbXenserverTimeout = "WLB_XENSERVER_TIMEOUT"
    case wlbXenserverUnknownHost = "WLB_XENSERVER_UNKNOWN_HOST"
    /// Parameters: hook_name, reason, stdout, exit_code.
    case xapiHookFailed = "XAPI_HOOK_FAILED"
    /// There is no plug-in of this name.
    /// Parameters: name.
    case xenapiMissingPlugin = "XENAPI_MISSING_PLUGIN"
    /// The plug-in failed.
    /// Parameters: status, stdout, stderr.
    case xenapiPluginFailure = "XENAPI_PLUGIN_FAILURE"
    case xenIncompatible = "XEN_INCOMPATIBLE"
    /// Parameters: vm, error_code.
    case xenVssReqErrorAddingVolumeToSnapsetFailed = "XEN_VSS_REQ_ERROR_ADDING_VOLUME_TO_SNAPSET_FAILED"
    /// Parameters: vm, error_code.
    case xenVssReqErrorCreatingSnapshot = "XEN_VSS_REQ_ERROR_CREATING_SNAPSHOT"
    /// Parameters: vm, error_code.
    case xenVssReqErrorCreatingSnapshotXMLString = "XEN_VSS_REQ_ERROR_CREATING_SNAPSHOT_XML_STRING"
    /// Parameters: vm, error_code.
    case xenVssReqErrorInitFailed = "XEN_VSS_REQ_ERROR_INIT_FAILED"
    /// Parameters: vm, error_code.
    case xenVssReqErrorNoVolumesSupported = "XEN_VSS_REQ_ERROR_NO_VOLUMES_SUPPORTED"
    /// Parameters: vm, error_code.
    case xenVssReqErrorPreparingWriters = "XEN_VSS_REQ_ERROR_PREPARING_WRITERS"
    /// Parameters: vm, error_code.
    case xenVssReqErrorProvNotLoaded = "XEN_VSS_REQ_ERROR_PROV_NOT_LOADED"
    /// Parameters: vm, error_code.
    case xenVssReqErrorStartSnapshotSetFailed = "XEN_VSS_REQ_ERROR_START_SNAPSHOT_SET_FAILED"
    /// The request could not be understood.
    /// Parameters: expected, received.
    case xmlrpcUnmarshalFailure = "XMLRPC_UNMARSHAL_FAILURE"
}
