// Generated from DataModel by scripts/generate.sh. Do not edit.

/// The codes an `APIError` may carry.
public enum APIErrorCode {
    public static let activationWhileNotFree = "ACTIVATION_WHILE_NOT_FREE"
    /// Parameters: address.
    public static let addressViolatesLockingConstraint = "ADDRESS_VIOLATES_LOCKING_CONSTRAINT"
    /// Parameters: ref.
    public static let applyGuidanceFailed = "APPLY_GUIDANCE_FAILED"
    /// Parameters: livepatch.
    public static let applyLivepatchFailed = "APPLY_LIVEPATCH_FAILED"
    /// Parameters: ref.
    public static let applyUpdatesFailed = "APPLY_UPDATES_FAILED"
    public static let applyUpdatesInProgress = "APPLY_UPDATES_IN_PROGRESS"
    /// Parameters: current auth_type, current service_name.
    public static let authAlreadyEnabled = "AUTH_ALREADY_ENABLED"
    /// Parameters: message.
    public static let authDisableFailed = "AUTH_DISABLE_FAILED"
    /// Parameters: message.
    public static let authDisableFailedPermissionDenied = "AUTH_DISABLE_FAILED_PERMISSION_DENIED"
    /// Parameters: message.
    public static let authDisableFailedWrongCredentials = "AUTH_DISABLE_FAILED_WRONG_CREDENTIALS"
    /// Parameters: message.
    public static let authEnableFailed = "AUTH_ENABLE_FAILED"
    /// Parameters: message.
    public static let authEnableFailedDomainLookupFailed = "AUTH_ENABLE_FAILED_DOMAIN_LOOKUP_FAILED"
    /// Parameters: message.
    public static let authEnableFailedInvalidAccount = "AUTH_ENABLE_FAILED_INVALID_ACCOUNT"
    /// Parameters: message.
    public static let authEnableFailedInvalidOu = "AUTH_ENABLE_FAILED_INVALID_OU"
    /// Parameters: message.
    public static let authEnableFailedInvalidTrustedCerts = "AUTH_ENABLE_FAILED_INVALID_TRUSTED_CERTS"
    /// Parameters: message.
    public static let authEnableFailedNoTrustedCerts = "AUTH_ENABLE_FAILED_NO_TRUSTED_CERTS"
    /// Parameters: message.
    public static let authEnableFailedPermissionDenied = "AUTH_ENABLE_FAILED_PERMISSION_DENIED"
    /// Parameters: message.
    public static let authEnableFailedUnavailable = "AUTH_ENABLE_FAILED_UNAVAILABLE"
    /// Parameters: message.
    public static let authEnableFailedWrongCredentials = "AUTH_ENABLE_FAILED_WRONG_CREDENTIALS"
    /// Parameters: message.
    public static let authInvalidTrustedCerts = "AUTH_INVALID_TRUSTED_CERTS"
    public static let authIsDisabled = "AUTH_IS_DISABLED"
    /// Parameters: message.
    public static let authNoTrustedCerts = "AUTH_NO_TRUSTED_CERTS"
    /// Parameters: message.
    public static let authServiceError = "AUTH_SERVICE_ERROR"
    /// Parameters: message.
    public static let authSetupTLSConnection = "AUTH_SETUP_TLS_CONNECTION"
    /// Parameters: host, message.
    public static let authSetLdapsFailed = "AUTH_SET_LDAPS_FAILED"
    /// Parameters: type.
    public static let authUnknownType = "AUTH_UNKNOWN_TYPE"
    /// Parameters: log.
    public static let backupScriptFailed = "BACKUP_SCRIPT_FAILED"
    /// Parameters: vm.
    public static let ballooningTimeoutBeforeMigration = "BALLOONING_TIMEOUT_BEFORE_MIGRATION"
    /// Parameters: url.
    public static let blockedRepoURL = "BLOCKED_REPO_URL"
    /// Parameters: vm, msg.
    public static let bootloaderFailed = "BOOTLOADER_FAILED"
    /// Parameters: device.
    public static let bootDevicePassthroughDisallowed = "BOOT_DEVICE_PASSTHROUGH_DISALLOWED"
    /// Parameters: bridge.
    public static let bridgeNameExists = "BRIDGE_NAME_EXISTS"
    /// Parameters: bridge.
    public static let bridgeNotAvailable = "BRIDGE_NOT_AVAILABLE"
    /// Parameters: ref.
    public static let bundleRepositoryAlreadyExists = "BUNDLE_REPOSITORY_ALREADY_EXISTS"
    public static let bundleRepoNotEnabled = "BUNDLE_REPO_NOT_ENABLED"
    public static let bundleSyncFailed = "BUNDLE_SYNC_FAILED"
    /// Parameters: error.
    public static let bundleUnpackFailed = "BUNDLE_UNPACK_FAILED"
    /// Parameters: PIF.
    public static let cannotAddTunnelToBondSlave = "CANNOT_ADD_TUNNEL_TO_BOND_SLAVE"
    /// Parameters: PIF.
    public static let cannotAddTunnelToSRIOVLogical = "CANNOT_ADD_TUNNEL_TO_SRIOV_LOGICAL"
    /// Parameters: PIF.
    public static let cannotAddTunnelToVLANOnSRIOVLogical = "CANNOT_ADD_TUNNEL_TO_VLAN_ON_SRIOV_LOGICAL"
    /// Parameters: PIF.
    public static let cannotAddVLANToBondSlave = "CANNOT_ADD_VLAN_TO_BOND_SLAVE"
    /// Parameters: PIF.
    public static let cannotChangePIFProperties = "CANNOT_CHANGE_PIF_PROPERTIES"
    /// The host does not answer.
    /// Parameters: host.
    public static let cannotContactHost = "CANNOT_CONTACT_HOST"
    public static let cannotCreateStateFile = "CANNOT_CREATE_STATE_FILE"
    /// Parameters: reason.
    public static let cannotDestroyDisasterRecoveryTask = "CANNOT_DESTROY_DISASTER_RECOVERY_TASK"
    /// Parameters: network.
    public static let cannotDestroySystemNetwork = "CANNOT_DESTROY_SYSTEM_NETWORK"
    /// Parameters: reason.
    public static let cannotEnableRedoLog = "CANNOT_ENABLE_REDO_LOG"
    /// Parameters: errors.
    public static let cannotEvacuateHost = "CANNOT_EVACUATE_HOST"
    /// Parameters: uuid.
    public static let cannotFetchPatch = "CANNOT_FETCH_PATCH"
    public static let cannotFindOemBackupPartition = "CANNOT_FIND_OEM_BACKUP_PARTITION"
    public static let cannotFindPatch = "CANNOT_FIND_PATCH"
    public static let cannotFindStatePartition = "CANNOT_FIND_STATE_PARTITION"
    public static let cannotFindUpdate = "CANNOT_FIND_UPDATE"
    /// Parameters: PIF.
    public static let cannotForgetSRIOVLogical = "CANNOT_FORGET_SRIOV_LOGICAL"
    /// Parameters: PIF.
    public static let cannotPlugBondSlave = "CANNOT_PLUG_BOND_SLAVE"
    /// Parameters: VIF.
    public static let cannotPlugVIF = "CANNOT_PLUG_VIF"
    /// Parameters: vm.
    public static let cannotResetControlDomain = "CANNOT_RESET_CONTROL_DOMAIN"
    /// Parameters: ref.
    public static let cannotRestartDeviceModel = "CANNOT_RESTART_DEVICE_MODEL"
    public static let canNotPeriodicSyncUpdates = "CAN_NOT_PERIODIC_SYNC_UPDATES"
    public static let canNotSyncUpdates = "CAN_NOT_SYNC_UPDATES"
    /// Parameters: name.
    public static let certificateAlreadyExists = "CERTIFICATE_ALREADY_EXISTS"
    /// Parameters: name.
    public static let certificateCorrupt = "CERTIFICATE_CORRUPT"
    /// Parameters: name.
    public static let certificateDoesNotExist = "CERTIFICATE_DOES_NOT_EXIST"
    public static let certificateLacksPurpose = "CERTIFICATE_LACKS_PURPOSE"
    public static let certificateLibraryCorrupt = "CERTIFICATE_LIBRARY_CORRUPT"
    /// Parameters: name.
    public static let certificateNameInvalid = "CERTIFICATE_NAME_INVALID"
    /// Parameters: msg.
    public static let changePasswordRejected = "CHANGE_PASSWORD_REJECTED"
    /// Parameters: sr.
    public static let clusteredSRDegraded = "CLUSTERED_SR_DEGRADED"
    /// Parameters: cluster_host.
    public static let clusteringDisabled = "CLUSTERING_DISABLED"
    /// Parameters: cluster_host.
    public static let clusteringEnabled = "CLUSTERING_ENABLED"
    public static let clusterAlreadyExists = "CLUSTER_ALREADY_EXISTS"
    public static let clusterCreateInProgress = "CLUSTER_CREATE_IN_PROGRESS"
    /// Parameters: number_of_nodes.
    public static let clusterDoesNotHaveOneNode = "CLUSTER_DOES_NOT_HAVE_ONE_NODE"
    /// Parameters: cluster.
    public static let clusterForceDestroyFailed = "CLUSTER_FORCE_DESTROY_FAILED"
    /// Parameters: cluster_host.
    public static let clusterHostIsLast = "CLUSTER_HOST_IS_LAST"
    /// Parameters: cluster_host.
    public static let clusterHostNotJoined = "CLUSTER_HOST_NOT_JOINED"
    /// Parameters: cluster_stack.
    public static let clusterStackInUse = "CLUSTER_STACK_IN_USE"
    public static let configureRepositoriesInProgress = "CONFIGURE_REPOSITORIES_IN_PROGRESS"
    /// Parameters: device, mac.
    public static let couldNotFindNetworkInterfaceWithSpecifiedDeviceNameAndMACAddress =
        "COULD_NOT_FIND_NETWORK_INTERFACE_WITH_SPECIFIED_DEVICE_NAME_AND_MAC_ADDRESS"
    /// Parameters: reason.
    public static let couldNotImportDatabase = "COULD_NOT_IMPORT_DATABASE"
    public static let couldNotUpdateIGMPSnoopingEverywhere = "COULD_NOT_UPDATE_IGMP_SNOOPING_EVERYWHERE"
    /// Parameters: details.
    public static let cpuFeatureMaskingNotSupported = "CPU_FEATURE_MASKING_NOT_SUPPORTED"
    /// Parameters: name.
    public static let crlAlreadyExists = "CRL_ALREADY_EXISTS"
    /// Parameters: name.
    public static let crlCorrupt = "CRL_CORRUPT"
    /// Parameters: name.
    public static let crlDoesNotExist = "CRL_DOES_NOT_EXIST"
    /// Parameters: name.
    public static let crlNameInvalid = "CRL_NAME_INVALID"
    /// Another object already has this value, which must be unique.
    /// Parameters: table, field, value.
    public static let dbUniquenessConstraintViolation = "DB_UNIQUENESS_CONSTRAINT_VIOLATION"
    /// Parameters: sr.
    public static let defaultSRNotFound = "DEFAULT_SR_NOT_FOUND"
    /// The device is already attached to the running VM.
    /// Parameters: device.
    public static let deviceAlreadyAttached = "DEVICE_ALREADY_ATTACHED"
    /// The device is not attached to the VM.
    /// Parameters: device.
    public static let deviceAlreadyDetached = "DEVICE_ALREADY_DETACHED"
    /// The VM already has a device of this number.
    /// Parameters: device.
    public static let deviceAlreadyExists = "DEVICE_ALREADY_EXISTS"
    /// The guest did not accept the device in time.
    /// Parameters: type, ref.
    public static let deviceAttachTimeout = "DEVICE_ATTACH_TIMEOUT"
    /// The guest refused to give up the device.
    /// Parameters: type, ref, msg.
    public static let deviceDetachRejected = "DEVICE_DETACH_REJECTED"
    /// The guest did not give up the device in time.
    /// Parameters: type, ref.
    public static let deviceDetachTimeout = "DEVICE_DETACH_TIMEOUT"
    /// The device is not attached.
    /// Parameters: VBD.
    public static let deviceNotAttached = "DEVICE_NOT_ATTACHED"
    /// Parameters: host.
    public static let disableSSHFailed = "DISABLE_SSH_FAILED"
    /// Parameters: hosts.
    public static let disableSSHPartiallyFailed = "DISABLE_SSH_PARTIALLY_FAILED"
    /// Parameters: vbd.
    public static let diskVBDMustBeReadwriteForHVM = "DISK_VBD_MUST_BE_READWRITE_FOR_HVM"
    /// The virtual machine could not be built.
    /// Parameters: function, code, message.
    public static let domainBuilderError = "DOMAIN_BUILDER_ERROR"
    /// Parameters: vm, domid.
    public static let domainExists = "DOMAIN_EXISTS"
    /// Parameters: seed.
    public static let duplicateMACSeed = "DUPLICATE_MAC_SEED"
    /// Parameters: device.
    public static let duplicatePIFDeviceName = "DUPLICATE_PIF_DEVICE_NAME"
    /// Parameters: vm.
    public static let duplicateVM = "DUPLICATE_VM"
    /// Parameters: host.
    public static let enableSSHFailed = "ENABLE_SSH_FAILED"
    /// Parameters: hosts.
    public static let enableSSHPartiallyFailed = "ENABLE_SSH_PARTIALLY_FAILED"
    /// Events were lost; read everything again and register anew.
    public static let eventsLost = "EVENTS_LOST"
    /// The event token is malformed; start again with an empty one.
    /// Parameters: token.
    public static let eventFromTokenParseFailure = "EVENT_FROM_TOKEN_PARSE_FAILURE"
    /// The event subscription is malformed.
    /// Parameters: subscription.
    public static let eventSubscriptionParseFailure = "EVENT_SUBSCRIPTION_PARSE_FAILURE"
    /// Parameters: vm, name, msg.
    public static let failedToStartEmulator = "FAILED_TO_START_EMULATOR"
    /// Parameters: details.
    public static let featureRequiresHVM = "FEATURE_REQUIRES_HVM"
    public static let featureRestricted = "FEATURE_RESTRICTED"
    /// The value is not of the type of the field.
    /// Parameters: field.
    public static let fieldTypeError = "FIELD_TYPE_ERROR"
    /// Parameters: ref.
    public static let getHostUpdatesFailed = "GET_HOST_UPDATES_FAILED"
    public static let getUpdatesFailed = "GET_UPDATES_FAILED"
    /// Parameters: gpu_group.
    public static let gpuGroupContainsNoPgpus = "GPU_GROUP_CONTAINS_NO_PGPUS"
    /// Parameters: pgpus.
    public static let gpuGroupContainsPGPU = "GPU_GROUP_CONTAINS_PGPU"
    /// Parameters: vgpus.
    public static let gpuGroupContainsVGPU = "GPU_GROUP_CONTAINS_VGPU"
    /// There is no such object; it may have been removed.
    /// Parameters: class, handle.
    public static let handleInvalid = "HANDLE_INVALID"
    /// Parameters: reason.
    public static let haAbortNewMaster = "HA_ABORT_NEW_MASTER"
    public static let haCannotChangeBondStatusOfMgmtIface = "HA_CANNOT_CHANGE_BOND_STATUS_OF_MGMT_IFACE"
    /// Parameters: network.
    public static let haConstraintViolationNetworkNotShared = "HA_CONSTRAINT_VIOLATION_NETWORK_NOT_SHARED"
    /// Parameters: SR.
    public static let haConstraintViolationSRNotShared = "HA_CONSTRAINT_VIOLATION_SR_NOT_SHARED"
    public static let haDisableInProgress = "HA_DISABLE_IN_PROGRESS"
    public static let haEnableInProgress = "HA_ENABLE_IN_PROGRESS"
    public static let haFailedToFormLiveset = "HA_FAILED_TO_FORM_LIVESET"
    public static let haHeartbeatDaemonStartupFailed = "HA_HEARTBEAT_DAEMON_STARTUP_FAILED"
    public static let haHostCannotAccessStatefile = "HA_HOST_CANNOT_ACCESS_STATEFILE"
    /// Parameters: host, all, subset.
    public static let haHostCannotSeePeers = "HA_HOST_CANNOT_SEE_PEERS"
    /// Parameters: host.
    public static let haHostIsArmed = "HA_HOST_IS_ARMED"
    public static let haIsEnabled = "HA_IS_ENABLED"
    public static let haLostStatefile = "HA_LOST_STATEFILE"
    public static let haNotEnabled = "HA_NOT_ENABLED"
    /// Parameters: host.
    public static let haNotInstalled = "HA_NOT_INSTALLED"
    public static let haNoPlan = "HA_NO_PLAN"
    public static let haOperationWouldBreakFailoverPlan = "HA_OPERATION_WOULD_BREAK_FAILOVER_PLAN"
    public static let haPoolIsEnabledButHostIsDisabled = "HA_POOL_IS_ENABLED_BUT_HOST_IS_DISABLED"
    /// Parameters: host.
    public static let haShouldBeFenced = "HA_SHOULD_BE_FENCED"
    public static let haTooFewHosts = "HA_TOO_FEW_HOSTS"
    public static let hostsNotCompatible = "HOSTS_NOT_COMPATIBLE"
    /// Parameters: reason.
    public static let hostsNotHomogeneous = "HOSTS_NOT_HOMOGENEOUS"
    public static let hostBroken = "HOST_BROKEN"
    /// Parameters: host, network.
    public static let hostCannotAttachNetwork = "HOST_CANNOT_ATTACH_NETWORK"
    /// Parameters: host.
    public static let hostCannotDestroySelf = "HOST_CANNOT_DESTROY_SELF"
    public static let hostCannotReadMetrics = "HOST_CANNOT_READ_METRICS"
    public static let hostCdDriveEmpty = "HOST_CD_DRIVE_EMPTY"
    /// Parameters: host.
    public static let hostDisabled = "HOST_DISABLED"
    /// Parameters: host.
    public static let hostDisabledIndefinitely = "HOST_DISABLED_INDEFINITELY"
    /// Parameters: host.
    public static let hostDisabledUntilReboot = "HOST_DISABLED_UNTIL_REBOOT"
    /// Parameters: driver variant.
    public static let hostDriverNoHardware = "HOST_DRIVER_NO_HARDWARE"
    /// Parameters: host.
    public static let hostEvacuateInProgress = "HOST_EVACUATE_IN_PROGRESS"
    /// Parameters: vm.
    public static let hostEvacuateVMNotHAProtected = "HOST_EVACUATE_VM_NOT_HA_PROTECTED"
    /// Parameters: host.
    public static let hostEvacuationIsRequired = "HOST_EVACUATION_IS_REQUIRED"
    public static let hostHasNoManagementIP = "HOST_HAS_NO_MANAGEMENT_IP"
    /// Parameters: host.
    public static let hostHasResidentVMs = "HOST_HAS_RESIDENT_VMS"
    public static let hostInEmergencyMode = "HOST_IN_EMERGENCY_MODE"
    /// Parameters: host, type, ref.
    public static let hostInUse = "HOST_IN_USE"
    /// Parameters: host.
    public static let hostIsLive = "HOST_IS_LIVE"
    /// This host is a member of a pool; send the call to its coordinator.
    /// Parameters: Master IP address.
    public static let hostIsSlave = "HOST_IS_SLAVE"
    public static let hostItsOwnSlave = "HOST_ITS_OWN_SLAVE"
    /// Parameters: ip.
    public static let hostMasterCannotTalkBack = "HOST_MASTER_CANNOT_TALK_BACK"
    /// Parameters: reason.
    public static let hostNameInvalid = "HOST_NAME_INVALID"
    public static let hostNotDisabled = "HOST_NOT_DISABLED"
    /// The host has too little free memory for this.
    /// Parameters: needed, available.
    public static let hostNotEnoughFreeMemory = "HOST_NOT_ENOUGH_FREE_MEMORY"
    /// Parameters: vcpus, pcpus.
    public static let hostNotEnoughPcpus = "HOST_NOT_ENOUGH_PCPUS"
    public static let hostNotLive = "HOST_NOT_LIVE"
    /// Parameters: host.
    public static let hostOffline = "HOST_OFFLINE"
    /// Parameters: host.
    public static let hostPendingMandatoryGuidanceNotEmpty = "HOST_PENDING_MANDATORY_GUIDANCE_NOT_EMPTY"
    public static let hostPowerOnModeDisabled = "HOST_POWER_ON_MODE_DISABLED"
    /// The host is still starting; try again shortly.
    public static let hostStillBooting = "HOST_STILL_BOOTING"
    /// Parameters: host.
    public static let hostUnknownToMaster = "HOST_UNKNOWN_TO_MASTER"
    /// Parameters: host_xapi_version.
    public static let hostXapiVersionHigherThanCoordinator = "HOST_XAPI_VERSION_HIGHER_THAN_COORDINATOR"
    /// Parameters: vbd, device.
    public static let illegalVBDDevice = "ILLEGAL_VBD_DEVICE"
    /// The import failed.
    /// Parameters: msg.
    public static let importError = "IMPORT_ERROR"
    public static let importErrorAttachedDisksNotFound = "IMPORT_ERROR_ATTACHED_DISKS_NOT_FOUND"
    public static let importErrorCannotHandleChunked = "IMPORT_ERROR_CANNOT_HANDLE_CHUNKED"
    /// Parameters: id.
    public static let importErrorFailedToFindObject = "IMPORT_ERROR_FAILED_TO_FIND_OBJECT"
    /// The imported data ended too early.
    public static let importErrorPrematureEof = "IMPORT_ERROR_PREMATURE_EOF"
    public static let importErrorSomeChecksumsFailed = "IMPORT_ERROR_SOME_CHECKSUMS_FAILED"
    /// Parameters: filename_expected, filename_found.
    public static let importErrorUnexpectedFile = "IMPORT_ERROR_UNEXPECTED_FILE"
    public static let importIncompatibleVersion = "IMPORT_INCOMPATIBLE_VERSION"
    /// Parameters: cluster_stack.
    public static let incompatibleClusterStackActive = "INCOMPATIBLE_CLUSTER_STACK_ACTIVE"
    public static let incompatiblePIFProperties = "INCOMPATIBLE_PIF_PROPERTIES"
    /// Parameters: SR type.
    public static let incompatibleStatefileSR = "INCOMPATIBLE_STATEFILE_SR"
    /// Parameters: interface.
    public static let interfaceHasNoIP = "INTERFACE_HAS_NO_IP"
    /// The toolstack met a fault of its own.
    /// Parameters: message.
    public static let internalError = "INTERNAL_ERROR"
    /// Parameters: url.
    public static let invalidBaseURL = "INVALID_BASE_URL"
    /// Parameters: parameter.
    public static let invalidCidrAddressSpecified = "INVALID_CIDR_ADDRESS_SPECIFIED"
    /// Parameters: cluster_stack.
    public static let invalidClusterStack = "INVALID_CLUSTER_STACK"
    /// The device number is not usable.
    /// Parameters: device.
    public static let invalidDevice = "INVALID_DEVICE"
    /// Parameters: edition.
    public static let invalidEdition = "INVALID_EDITION"
    /// Parameters: details.
    public static let invalidFeatureString = "INVALID_FEATURE_STRING"
    /// Parameters: gpgkey_path.
    public static let invalidGpgkeyPath = "INVALID_GPGKEY_PATH"
    /// Parameters: parameter.
    public static let invalidIPAddressSpecified = "INVALID_IP_ADDRESS_SPECIFIED"
    /// Parameters: reason.
    public static let invalidNTPConfig = "INVALID_NTP_CONFIG"
    public static let invalidPatch = "INVALID_PATCH"
    /// Parameters: log.
    public static let invalidPatchWithLog = "INVALID_PATCH_WITH_LOG"
    public static let invalidRepomdXML = "INVALID_REPOMD_XML"
    /// Parameters: domains.
    public static let invalidRepositoryDomainAllowlist = "INVALID_REPOSITORY_DOMAIN_ALLOWLIST"
    public static let invalidRepositoryProxyCredential = "INVALID_REPOSITORY_PROXY_CREDENTIAL"
    /// Parameters: url.
    public static let invalidRepositoryProxyURL = "INVALID_REPOSITORY_PROXY_URL"
    /// Parameters: info.
    public static let invalidUpdate = "INVALID_UPDATE"
    public static let invalidUpdateinfoXML = "INVALID_UPDATEINFO_XML"
    /// Parameters: day.
    public static let invalidUpdateSyncDay = "INVALID_UPDATE_SYNC_DAY"
    /// The value is not valid for this field.
    /// Parameters: field, value.
    public static let invalidValue = "INVALID_VALUE"
    /// Parameters: PIF.
    public static let isTunnelAccessPIF = "IS_TUNNEL_ACCESS_PIF"
    public static let joiningHostCannotBeMasterOfOtherHosts = "JOINING_HOST_CANNOT_BE_MASTER_OF_OTHER_HOSTS"
    public static let joiningHostCannotContainSharedSRs = "JOINING_HOST_CANNOT_CONTAIN_SHARED_SRS"
    public static let joiningHostCannotHaveRunningOrSuspendedVMs = "JOINING_HOST_CANNOT_HAVE_RUNNING_OR_SUSPENDED_VMS"
    public static let joiningHostCannotHaveRunningVMs = "JOINING_HOST_CANNOT_HAVE_RUNNING_VMS"
    public static let joiningHostCannotHaveVMsWithCurrentOperations =
        "JOINING_HOST_CANNOT_HAVE_VMS_WITH_CURRENT_OPERATIONS"
    public static let joiningHostConnectionFailed = "JOINING_HOST_CONNECTION_FAILED"
    public static let joiningHostServiceFailed = "JOINING_HOST_SERVICE_FAILED"
    /// Parameters: feature.
    public static let licenceRestriction = "LICENCE_RESTRICTION"
    public static let licenseCannotDowngradeWhileInPool = "LICENSE_CANNOT_DOWNGRADE_WHILE_IN_POOL"
    /// Parameters: code, message.
    public static let licenseCheckoutError = "LICENSE_CHECKOUT_ERROR"
    public static let licenseDoesNotSupportPooling = "LICENSE_DOES_NOT_SUPPORT_POOLING"
    public static let licenseDoesNotSupportXha = "LICENSE_DOES_NOT_SUPPORT_XHA"
    public static let licenseExpired = "LICENSE_EXPIRED"
    public static let licenseFileDeprecated = "LICENSE_FILE_DEPRECATED"
    public static let licenseHostPoolMismatch = "LICENSE_HOST_POOL_MISMATCH"
    public static let licenseProcessingError = "LICENSE_PROCESSING_ERROR"
    /// The SR already has a VDI at this location.
    /// Parameters: SR, location.
    public static let locationNotUnique = "LOCATION_NOT_UNIQUE"
    /// Parameters: MAC.
    public static let macDoesNotExist = "MAC_DOES_NOT_EXIST"
    /// Parameters: MAC.
    public static let macInvalid = "MAC_INVALID"
    /// Parameters: MAC.
    public static let macStillExists = "MAC_STILL_EXISTS"
    /// The map already has this key; remove it first.
    /// Parameters: type, param_name, uuid, key.
    public static let mapDuplicateKey = "MAP_DUPLICATE_KEY"
    /// Parameters: constraint.
    public static let memoryConstraintViolation = "MEMORY_CONSTRAINT_VIOLATION"
    /// Parameters: reason.
    public static let memoryConstraintViolationMaxpin = "MEMORY_CONSTRAINT_VIOLATION_MAXPIN"
    public static let memoryConstraintViolationOrder = "MEMORY_CONSTRAINT_VIOLATION_ORDER"
    /// The call is deprecated.
    public static let messageDeprecated = "MESSAGE_DEPRECATED"
    /// There is no such call.
    /// Parameters: method.
    public static let messageMethodUnknown = "MESSAGE_METHOD_UNKNOWN"
    /// The call was given the wrong number of parameters.
    /// Parameters: method, expected, received.
    public static let messageParameterCountMismatch = "MESSAGE_PARAMETER_COUNT_MISMATCH"
    /// The call no longer exists.
    public static let messageRemoved = "MESSAGE_REMOVED"
    /// Mirroring the disk failed; the VM goes on with the original.
    /// Parameters: vdi.
    public static let mirrorFailed = "MIRROR_FAILED"
    public static let missingConnectionDetails = "MISSING_CONNECTION_DETAILS"
    public static let multipleUpdateRepositoriesEnabled = "MULTIPLE_UPDATE_REPOSITORIES_ENABLED"
    /// Parameters: network, connected PIF.
    public static let networkAlreadyConnected = "NETWORK_ALREADY_CONNECTED"
    /// Parameters: pifs.
    public static let networkContainsPIF = "NETWORK_CONTAINS_PIF"
    /// Parameters: vifs.
    public static let networkContainsVIF = "NETWORK_CONTAINS_VIF"
    /// Parameters: PIF, network.
    public static let networkHasIncompatibleSRIOVPifs = "NETWORK_HAS_INCOMPATIBLE_SRIOV_PIFS"
    /// Parameters: PIF, network.
    public static let networkHasIncompatibleVLANOnSRIOVPifs = "NETWORK_HAS_INCOMPATIBLE_VLAN_ON_SRIOV_PIFS"
    /// Parameters: new_purpose, conflicting_purpose.
    public static let networkIncompatiblePurposes = "NETWORK_INCOMPATIBLE_PURPOSES"
    /// Parameters: network.
    public static let networkIncompatibleWithBond = "NETWORK_INCOMPATIBLE_WITH_BOND"
    /// Parameters: network.
    public static let networkIncompatibleWithSRIOV = "NETWORK_INCOMPATIBLE_WITH_SRIOV"
    /// Parameters: network.
    public static let networkIncompatibleWithTrunks = "NETWORK_INCOMPATIBLE_WITH_TRUNKS"
    /// Parameters: network.
    public static let networkIncompatibleWithTunnel = "NETWORK_INCOMPATIBLE_WITH_TUNNEL"
    /// Parameters: network.
    public static let networkIncompatibleWithVLANOnBridge = "NETWORK_INCOMPATIBLE_WITH_VLAN_ON_BRIDGE"
    /// Parameters: network.
    public static let networkIncompatibleWithVLANOnSRIOV = "NETWORK_INCOMPATIBLE_WITH_VLAN_ON_SRIOV"
    /// Parameters: PIF.
    public static let networkSRIOVAlreadyEnabled = "NETWORK_SRIOV_ALREADY_ENABLED"
    /// Parameters: PIF, msg.
    public static let networkSRIOVDisableFailed = "NETWORK_SRIOV_DISABLE_FAILED"
    /// Parameters: PIF, msg.
    public static let networkSRIOVEnableFailed = "NETWORK_SRIOV_ENABLE_FAILED"
    /// Parameters: network.
    public static let networkSRIOVInsufficientCapacity = "NETWORK_SRIOV_INSUFFICIENT_CAPACITY"
    /// Parameters: network.
    public static let networkUnmanaged = "NETWORK_UNMANAGED"
    /// Parameters: command.
    public static let notAllowedOnOemEdition = "NOT_ALLOWED_ON_OEM_EDITION"
    /// Parameters: host.
    public static let notAllowedWhenNTPIsEnabled = "NOT_ALLOWED_WHEN_NTP_IS_ENABLED"
    /// This is not implemented.
    /// Parameters: function.
    public static let notImplemented = "NOT_IMPLEMENTED"
    public static let notInEmergencyMode = "NOT_IN_EMERGENCY_MODE"
    public static let notSupportedDuringUpgrade = "NOT_SUPPORTED_DURING_UPGRADE"
    /// Parameters: vm.
    public static let notSystemDomain = "NOT_SYSTEM_DOMAIN"
    /// Parameters: ref.
    public static let notTrustedCertificate = "NOT_TRUSTED_CERTIFICATE"
    /// Parameters: cluster.
    public static let noClusterHostsReachable = "NO_CLUSTER_HOSTS_REACHABLE"
    /// Parameters: host.
    public static let noCompatibleClusterHost = "NO_COMPATIBLE_CLUSTER_HOST"
    /// No host can do this.
    public static let noHostsAvailable = "NO_HOSTS_AVAILABLE"
    public static let noMoreRedoLogsAllowed = "NO_MORE_REDO_LOGS_ALLOWED"
    public static let noRepositoriesConfigured = "NO_REPOSITORIES_CONFIGURED"
    public static let noRepositoryEnabled = "NO_REPOSITORY_ENABLED"
    /// Parameters: host, device_name.
    public static let nvidiaSRIOVMisconfigured = "NVIDIA_SRIOV_MISCONFIGURED"
    /// Parameters: host.
    public static let nvidiaToolsError = "NVIDIA_TOOLS_ERROR"
    public static let objectNolongerExists = "OBJECT_NOLONGER_EXISTS"
    /// Parameters: command.
    public static let onlyAllowedOnOemEdition = "ONLY_ALLOWED_ON_OEM_EDITION"
    public static let openvswitchNotActive = "OPENVSWITCH_NOT_ACTIVE"
    /// The operation was blocked on purpose for this object.
    /// Parameters: ref, code.
    public static let operationBlocked = "OPERATION_BLOCKED"
    /// The operation is not allowed now.
    /// Parameters: reason.
    public static let operationNotAllowed = "OPERATION_NOT_ALLOWED"
    /// Parameters: operation.
    public static let operationPartiallyFailed = "OPERATION_PARTIALLY_FAILED"
    /// Another operation on the object is still running; wait for it.
    /// Parameters: class, object, operation_type, operation_ref.
    public static let otherOperationInProgress = "OTHER_OPERATION_IN_PROGRESS"
    /// Parameters: location.
    public static let outOfSpace = "OUT_OF_SPACE"
    /// Parameters: patch.
    public static let patchAlreadyApplied = "PATCH_ALREADY_APPLIED"
    /// Parameters: uuid.
    public static let patchAlreadyExists = "PATCH_ALREADY_EXISTS"
    /// Parameters: output.
    public static let patchApplyFailed = "PATCH_APPLY_FAILED"
    /// Parameters: output.
    public static let patchApplyFailedBackupFilesExist = "PATCH_APPLY_FAILED_BACKUP_FILES_EXIST"
    public static let patchIsApplied = "PATCH_IS_APPLIED"
    /// Parameters: patch.
    public static let patchPrecheckFailedISOMounted = "PATCH_PRECHECK_FAILED_ISO_MOUNTED"
    /// Parameters: patch, found_space, required_required.
    public static let patchPrecheckFailedOutOfSpace = "PATCH_PRECHECK_FAILED_OUT_OF_SPACE"
    /// Parameters: patch, prerequisite_patch_uuid_list.
    public static let patchPrecheckFailedPrerequisiteMissing = "PATCH_PRECHECK_FAILED_PREREQUISITE_MISSING"
    /// Parameters: patch, info.
    public static let patchPrecheckFailedUnknownError = "PATCH_PRECHECK_FAILED_UNKNOWN_ERROR"
    /// Parameters: patch.
    public static let patchPrecheckFailedVMRunning = "PATCH_PRECHECK_FAILED_VM_RUNNING"
    /// Parameters: patch, found_build, required_build.
    public static let patchPrecheckFailedWrongServerBuild = "PATCH_PRECHECK_FAILED_WRONG_SERVER_BUILD"
    /// Parameters: patch, found_version, required_version.
    public static let patchPrecheckFailedWrongServerVersion = "PATCH_PRECHECK_FAILED_WRONG_SERVER_VERSION"
    /// The host already has a PBD for this SR.
    /// Parameters: sr, host, pbd.
    public static let pbdExists = "PBD_EXISTS"
    /// The caller may not do this.
    /// Parameters: message.
    public static let permissionDenied = "PERMISSION_DENIED"
    /// Parameters: pgpu, vgpu_type.
    public static let pgpuInsufficientCapacityForVGPU = "PGPU_INSUFFICIENT_CAPACITY_FOR_VGPU"
    /// Parameters: VMs.
    public static let pgpuInUseByVM = "PGPU_IN_USE_BY_VM"
    /// Parameters: type, group_types.
    public static let pgpuNotCompatibleWithGPUGroup = "PGPU_NOT_COMPATIBLE_WITH_GPU_GROUP"
    /// Parameters: PIF.
    public static let pifAllowsUnplug = "PIF_ALLOWS_UNPLUG"
    /// Parameters: PIF.
    public static let pifAlreadyBonded = "PIF_ALREADY_BONDED"
    public static let pifBondMoreThanOneIP = "PIF_BOND_MORE_THAN_ONE_IP"
    public static let pifBondNeedsMoreMembers = "PIF_BOND_NEEDS_MORE_MEMBERS"
    public static let pifCannotBondCrossHost = "PIF_CANNOT_BOND_CROSS_HOST"
    /// Parameters: PIF, msg.
    public static let pifConfigurationError = "PIF_CONFIGURATION_ERROR"
    public static let pifDeviceNotFound = "PIF_DEVICE_NOT_FOUND"
    /// Parameters: PIF.
    public static let pifDoesNotAllowUnplug = "PIF_DOES_NOT_ALLOW_UNPLUG"
    /// Parameters: PIF, SR.
    public static let pifHasFcoeSRInUse = "PIF_HAS_FCOE_SR_IN_USE"
    /// Parameters: PIF.
    public static let pifHasNoNetworkConfiguration = "PIF_HAS_NO_NETWORK_CONFIGURATION"
    /// Parameters: PIF.
    public static let pifHasNoV6NetworkConfiguration = "PIF_HAS_NO_V6_NETWORK_CONFIGURATION"
    /// Parameters: PIF.
    public static let pifIncompatiblePrimaryAddressType = "PIF_INCOMPATIBLE_PRIMARY_ADDRESS_TYPE"
    /// Parameters: PIF.
    public static let pifIsManagementInterface = "PIF_IS_MANAGEMENT_INTERFACE"
    /// Parameters: PIF.
    public static let pifIsNotPhysical = "PIF_IS_NOT_PHYSICAL"
    /// Parameters: PIF.
    public static let pifIsNotSRIOVCapable = "PIF_IS_NOT_SRIOV_CAPABLE"
    /// Parameters: PIF.
    public static let pifIsPhysical = "PIF_IS_PHYSICAL"
    /// Parameters: PIF.
    public static let pifIsSRIOVLogical = "PIF_IS_SRIOV_LOGICAL"
    /// Parameters: PIF.
    public static let pifIsVLAN = "PIF_IS_VLAN"
    /// Parameters: pif, host.
    public static let pifNotAttachedToHost = "PIF_NOT_ATTACHED_TO_HOST"
    /// Parameters: host, network.
    public static let pifNotPresent = "PIF_NOT_PRESENT"
    /// Parameters: PIF.
    public static let pifSRIOVStillExists = "PIF_SRIOV_STILL_EXISTS"
    /// Parameters: PIF.
    public static let pifTunnelStillExists = "PIF_TUNNEL_STILL_EXISTS"
    /// Parameters: PIF.
    public static let pifUnmanaged = "PIF_UNMANAGED"
    /// Parameters: PIF.
    public static let pifVLANExists = "PIF_VLAN_EXISTS"
    /// Parameters: PIF.
    public static let pifVLANStillExists = "PIF_VLAN_STILL_EXISTS"
    /// Parameters: host.
    public static let poolAuthAlreadyEnabled = "POOL_AUTH_ALREADY_ENABLED"
    /// Parameters: host, message.
    public static let poolAuthDisableFailed = "POOL_AUTH_DISABLE_FAILED"
    /// Parameters: host, message.
    public static let poolAuthDisableFailedInvalidAccount = "POOL_AUTH_DISABLE_FAILED_INVALID_ACCOUNT"
    /// Parameters: host, message.
    public static let poolAuthDisableFailedPermissionDenied = "POOL_AUTH_DISABLE_FAILED_PERMISSION_DENIED"
    /// Parameters: host, message.
    public static let poolAuthDisableFailedWrongCredentials = "POOL_AUTH_DISABLE_FAILED_WRONG_CREDENTIALS"
    /// Parameters: host, message.
    public static let poolAuthEnableFailed = "POOL_AUTH_ENABLE_FAILED"
    /// Parameters: host, message.
    public static let poolAuthEnableFailedDomainLookupFailed = "POOL_AUTH_ENABLE_FAILED_DOMAIN_LOOKUP_FAILED"
    /// Parameters: host, message.
    public static let poolAuthEnableFailedDuplicateHostname = "POOL_AUTH_ENABLE_FAILED_DUPLICATE_HOSTNAME"
    /// Parameters: host, message.
    public static let poolAuthEnableFailedInvalidAccount = "POOL_AUTH_ENABLE_FAILED_INVALID_ACCOUNT"
    /// Parameters: host, message.
    public static let poolAuthEnableFailedInvalidOu = "POOL_AUTH_ENABLE_FAILED_INVALID_OU"
    /// Parameters: host, message.
    public static let poolAuthEnableFailedInvalidTrustedCerts = "POOL_AUTH_ENABLE_FAILED_INVALID_TRUSTED_CERTS"
    /// Parameters: host, message.
    public static let poolAuthEnableFailedNoSupportEncryptType = "POOL_AUTH_ENABLE_FAILED_NO_SUPPORT_ENCRYPT_TYPE"
    /// Parameters: host, message.
    public static let poolAuthEnableFailedNoTrustedCerts = "POOL_AUTH_ENABLE_FAILED_NO_TRUSTED_CERTS"
    /// Parameters: host, message.
    public static let poolAuthEnableFailedPermissionDenied = "POOL_AUTH_ENABLE_FAILED_PERMISSION_DENIED"
    /// Parameters: host, message.
    public static let poolAuthEnableFailedSetupTLSConnection = "POOL_AUTH_ENABLE_FAILED_SETUP_TLS_CONNECTION"
    /// Parameters: host, message.
    public static let poolAuthEnableFailedUnavailable = "POOL_AUTH_ENABLE_FAILED_UNAVAILABLE"
    /// Parameters: host, message.
    public static let poolAuthEnableFailedWrongCredentials = "POOL_AUTH_ENABLE_FAILED_WRONG_CREDENTIALS"
    public static let poolJoiningExternalAuthMismatch = "POOL_JOINING_EXTERNAL_AUTH_MISMATCH"
    public static let poolJoiningHostCACertificatesConflict = "POOL_JOINING_HOST_CA_CERTIFICATES_CONFLICT"
    public static let poolJoiningHostHasBonds = "POOL_JOINING_HOST_HAS_BONDS"
    public static let poolJoiningHostHasNetworkSriovs = "POOL_JOINING_HOST_HAS_NETWORK_SRIOVS"
    public static let poolJoiningHostHasNonManagementVlans = "POOL_JOINING_HOST_HAS_NON_MANAGEMENT_VLANS"
    public static let poolJoiningHostHasTunnels = "POOL_JOINING_HOST_HAS_TUNNELS"
    /// Parameters: local, remote.
    public static let poolJoiningHostManagementVLANDoesNotMatch = "POOL_JOINING_HOST_MANAGEMENT_VLAN_DOES_NOT_MATCH"
    public static let poolJoiningHostMustHaveOnlyOneIPOnClusteringNetwork =
        "POOL_JOINING_HOST_MUST_HAVE_ONLY_ONE_IP_ON_CLUSTERING_NETWORK"
    public static let poolJoiningHostMustHavePhysicalManagementNic =
        "POOL_JOINING_HOST_MUST_HAVE_PHYSICAL_MANAGEMENT_NIC"
    /// Parameters: host_api_version, master_api_version.
    public static let poolJoiningHostMustHaveSameAPIVersion = "POOL_JOINING_HOST_MUST_HAVE_SAME_API_VERSION"
    /// Parameters: host_db_schema, master_db_schema.
    public static let poolJoiningHostMustHaveSameDBSchema = "POOL_JOINING_HOST_MUST_HAVE_SAME_DB_SCHEMA"
    public static let poolJoiningHostMustHaveSameProductVersion = "POOL_JOINING_HOST_MUST_HAVE_SAME_PRODUCT_VERSION"
    public static let poolJoiningHostMustOnlyHavePhysicalPifs = "POOL_JOINING_HOST_MUST_ONLY_HAVE_PHYSICAL_PIFS"
    public static let poolJoiningHostTLSVerificationMismatch = "POOL_JOINING_HOST_TLS_VERIFICATION_MISMATCH"
    /// Parameters: ref_in_pool, ref_on_host.
    public static let poolJoiningHostTrustedCertificatesConflict = "POOL_JOINING_HOST_TRUSTED_CERTIFICATES_CONFLICT"
    /// Parameters: master_uuid.
    public static let poolJoiningMasterCertificateNotInPoolBundle = "POOL_JOINING_MASTER_CERTIFICATE_NOT_IN_POOL_BUNDLE"
    /// Parameters: bundle_path.
    public static let poolJoiningPoolBundleEmptyAfterImport = "POOL_JOINING_POOL_BUNDLE_EMPTY_AFTER_IMPORT"
    /// Parameters: vlan.
    public static let poolJoiningPoolCannotEnableClusteringOnVLANNetwork =
        "POOL_JOINING_POOL_CANNOT_ENABLE_CLUSTERING_ON_VLAN_NETWORK"
    /// Parameters: pool_sm_ref, candidate_sm_ref.
    public static let poolJoiningSMFeaturesIncompatible = "POOL_JOINING_SM_FEATURES_INCOMPATIBLE"
    public static let provisionFailedOutOfSpace = "PROVISION_FAILED_OUT_OF_SPACE"
    public static let provisionOnlyAllowedOnTemplate = "PROVISION_ONLY_ALLOWED_ON_TEMPLATE"
    /// Parameters: PUSB, VDI.
    public static let pusbVDIConflict = "PUSB_VDI_CONFLICT"
    /// Parameters: site, host.
    public static let pvsCacheStorageAlreadyPresent = "PVS_CACHE_STORAGE_ALREADY_PRESENT"
    /// Parameters: PVS_cache_storage.
    public static let pvsCacheStorageIsInUse = "PVS_CACHE_STORAGE_IS_IN_USE"
    /// Parameters: proxies.
    public static let pvsProxyAlreadyPresent = "PVS_PROXY_ALREADY_PRESENT"
    /// Parameters: device.
    public static let pvsProxyPresentOnHigherVIFDevice = "PVS_PROXY_PRESENT_ON_HIGHER_VIF_DEVICE"
    /// Parameters: address.
    public static let pvsServerAddressInUse = "PVS_SERVER_ADDRESS_IN_USE"
    /// Parameters: proxies.
    public static let pvsSiteContainsRunningProxies = "PVS_SITE_CONTAINS_RUNNING_PROXIES"
    /// Parameters: servers.
    public static let pvsSiteContainsServers = "PVS_SITE_CONTAINS_SERVERS"
    public static let pvsVIFMustBeFirstDevice = "PVS_VIF_MUST_BE_FIRST_DEVICE"
    /// The role of the user does not permit this call.
    /// Parameters: permission, message.
    public static let rbacPermissionDenied = "RBAC_PERMISSION_DENIED"
    public static let redoLogIsEnabled = "REDO_LOG_IS_ENABLED"
    /// Parameters: ref.
    public static let repositoryAlreadyExists = "REPOSITORY_ALREADY_EXISTS"
    public static let repositoryCleanupFailed = "REPOSITORY_CLEANUP_FAILED"
    public static let repositoryIsInUse = "REPOSITORY_IS_IN_USE"
    public static let reposyncFailed = "REPOSYNC_FAILED"
    public static let repoShouldBeSingleOneEnabled = "REPO_SHOULD_BE_SINGLE_ONE_ENABLED"
    /// Parameters: PIF.
    public static let requiredPIFIsUnplugged = "REQUIRED_PIF_IS_UNPLUGGED"
    public static let restoreIncompatibleVersion = "RESTORE_INCOMPATIBLE_VERSION"
    /// Parameters: log.
    public static let restoreScriptFailed = "RESTORE_SCRIPT_FAILED"
    public static let restoreTargetMgmtIfNotInBackup = "RESTORE_TARGET_MGMT_IF_NOT_IN_BACKUP"
    /// Parameters: device.
    public static let restoreTargetMissingDevice = "RESTORE_TARGET_MISSING_DEVICE"
    public static let roleAlreadyExists = "ROLE_ALREADY_EXISTS"
    public static let roleNotFound = "ROLE_NOT_FOUND"
    public static let serverCertificateChainInvalid = "SERVER_CERTIFICATE_CHAIN_INVALID"
    /// Parameters: now, not_after.
    public static let serverCertificateExpired = "SERVER_CERTIFICATE_EXPIRED"
    public static let serverCertificateInvalid = "SERVER_CERTIFICATE_INVALID"
    /// Parameters: algorithm_oid.
    public static let serverCertificateKeyAlgorithmNotSupported = "SERVER_CERTIFICATE_KEY_ALGORITHM_NOT_SUPPORTED"
    public static let serverCertificateKeyInvalid = "SERVER_CERTIFICATE_KEY_INVALID"
    public static let serverCertificateKeyMismatch = "SERVER_CERTIFICATE_KEY_MISMATCH"
    /// Parameters: length.
    public static let serverCertificateKeyRsaLengthNotSupported = "SERVER_CERTIFICATE_KEY_RSA_LENGTH_NOT_SUPPORTED"
    public static let serverCertificateKeyRsaMultiNotSupported = "SERVER_CERTIFICATE_KEY_RSA_MULTI_NOT_SUPPORTED"
    /// Parameters: now, not_before.
    public static let serverCertificateNotValidYet = "SERVER_CERTIFICATE_NOT_VALID_YET"
    public static let serverCertificateSignatureNotSupported = "SERVER_CERTIFICATE_SIGNATURE_NOT_SUPPORTED"
    /// The user name or the password is wrong.
    public static let sessionAuthenticationFailed = "SESSION_AUTHENTICATION_FAILED"
    /// The user may not log in here.
    /// Parameters: username, msg.
    public static let sessionAuthorizationFailed = "SESSION_AUTHORIZATION_FAILED"
    /// The session is unknown or has ended; log in again.
    /// Parameters: handle.
    public static let sessionInvalid = "SESSION_INVALID"
    /// The session has not registered for events.
    /// Parameters: handle.
    public static let sessionNotRegistered = "SESSION_NOT_REGISTERED"
    /// Parameters: hosts.
    public static let setConsoleTimeoutPartiallyFailed = "SET_CONSOLE_TIMEOUT_PARTIALLY_FAILED"
    /// Parameters: hosts.
    public static let setSSHAutoModePartiallyFailed = "SET_SSH_AUTO_MODE_PARTIALLY_FAILED"
    /// Parameters: hosts.
    public static let setSSHTimeoutPartiallyFailed = "SET_SSH_TIMEOUT_PARTIALLY_FAILED"
    public static let slaveRequiresManagementInterface = "SLAVE_REQUIRES_MANAGEMENT_INTERFACE"
    /// The storage driver does not answer.
    /// Parameters: sm.
    public static let smPluginCommunicationFailure = "SM_PLUGIN_COMMUNICATION_FAILURE"
    /// The SR could not be attached.
    /// Parameters: sr.
    public static let srAttachFailed = "SR_ATTACH_FAILED"
    /// The storage driver failed.
    /// Parameters: status, stdout, stderr.
    public static let srBackendFailure = "SR_BACKEND_FAILURE"
    /// The device or folder of the SR is in use by another SR.
    public static let srDeviceInUse = "SR_DEVICE_IN_USE"
    /// The SR cannot take part in a migration.
    /// Parameters: sr, capabilities.
    public static let srDoesNotSupportMigration = "SR_DOES_NOT_SUPPORT_MIGRATION"
    /// The SR has not enough free space.
    /// Parameters: requested, maximum.
    public static let srFull = "SR_FULL"
    /// The SR is connected to several hosts.
    /// Parameters: PBD.
    public static let srHasMultiplePBDs = "SR_HAS_MULTIPLE_PBDS"
    /// The SR is not connected to any host; create and plug a PBD first.
    /// Parameters: sr.
    public static let srHasNoPBDs = "SR_HAS_NO_PBDS"
    /// The SR is still connected to a host; unplug its PBDs first.
    /// Parameters: sr.
    public static let srHasPBD = "SR_HAS_PBD"
    /// The SR is marked as not to be destroyed.
    /// Parameters: sr.
    public static let srIndestructible = "SR_INDESTRUCTIBLE"
    /// Parameters: host.
    public static let srIsCacheSR = "SR_IS_CACHE_SR"
    /// The SR is not attached here; plug its PBD first.
    /// Parameters: sr.
    public static let srNotAttached = "SR_NOT_ATTACHED"
    /// The SR still has VDIs; destroy or move them first.
    public static let srNotEmpty = "SR_NOT_EMPTY"
    /// The SR cannot be shared between hosts.
    /// Parameters: sr, host.
    public static let srNotSharable = "SR_NOT_SHARABLE"
    /// The storage driver of the SR cannot do this.
    /// Parameters: sr.
    public static let srOperationNotSupported = "SR_OPERATION_NOT_SUPPORTED"
    /// Parameters: SR.
    public static let srRequiresUpgrade = "SR_REQUIRES_UPGRADE"
    /// The source SR has not enough free space for the move.
    /// Parameters: sr.
    public static let srSourceSpaceInsufficient = "SR_SOURCE_SPACE_INSUFFICIENT"
    /// Parameters: sr.
    public static let srSuspendSpaceInsufficient = "SR_SUSPEND_SPACE_INSUFFICIENT"
    /// The SR is not healthy.
    /// Parameters: sr, health, fix.
    public static let srUnhealthy = "SR_UNHEALTHY"
    /// There is no storage driver of this type.
    /// Parameters: driver.
    public static let srUnknownDriver = "SR_UNKNOWN_DRIVER"
    /// An SR with this uuid exists already.
    /// Parameters: uuid.
    public static let srUUIDExists = "SR_UUID_EXISTS"
    public static let srVDILockingFailed = "SR_VDI_LOCKING_FAILED"
    /// Parameters: reason.
    public static let sslVerifyError = "SSL_VERIFY_ERROR"
    public static let subjectAlreadyExists = "SUBJECT_ALREADY_EXISTS"
    public static let subjectCannotBeResolved = "SUBJECT_CANNOT_BE_RESOLVED"
    /// Parameters: vdi.
    public static let suspendImageNotAccessible = "SUSPEND_IMAGE_NOT_ACCESSIBLE"
    public static let syncBundleInProgress = "SYNC_BUNDLE_IN_PROGRESS"
    public static let syncUpdatesInProgress = "SYNC_UPDATES_IN_PROGRESS"
    /// Parameters: vm, message.
    public static let sysprep = "SYSPREP"
    public static let systemStatusMustUseTarOnOem = "SYSTEM_STATUS_MUST_USE_TAR_ON_OEM"
    /// Parameters: reason.
    public static let systemStatusRetrievalFailed = "SYSTEM_STATUS_RETRIEVAL_FAILED"
    /// The task was cancelled.
    /// Parameters: task.
    public static let taskCancelled = "TASK_CANCELLED"
    /// Parameters: timestamp.
    public static let telemetryNextCollectionTooLate = "TELEMETRY_NEXT_COLLECTION_TOO_LATE"
    /// Parameters: address, port.
    public static let tlsConnectionFailed = "TLS_CONNECTION_FAILED"
    public static let tlsVerificationNotEnabledInPool = "TLS_VERIFICATION_NOT_ENABLED_IN_POOL"
    /// The toolstack is too busy; try again later.
    public static let tooBusy = "TOO_BUSY"
    public static let tooManyGroups = "TOO_MANY_GROUPS"
    public static let tooManyPendingTasks = "TOO_MANY_PENDING_TASKS"
    /// Too many disk migrations are running; wait for one to end.
    /// Parameters: number.
    public static let tooManyStorageMigrates = "TOO_MANY_STORAGE_MIGRATES"
    /// Parameters: number.
    public static let tooManyVusbs = "TOO_MANY_VUSBS"
    /// Parameters: PIF.
    public static let transportPIFNotConfigured = "TRANSPORT_PIF_NOT_CONFIGURED"
    /// Parameters: fingerprint.
    public static let trustedCertificateAlreadyExists = "TRUSTED_CERTIFICATE_ALREADY_EXISTS"
    /// Parameters: now, not_after.
    public static let trustedCertificateExpired = "TRUSTED_CERTIFICATE_EXPIRED"
    public static let trustedCertificateInvalid = "TRUSTED_CERTIFICATE_INVALID"
    /// Parameters: now, not_before.
    public static let trustedCertificateNotValidYet = "TRUSTED_CERTIFICATE_NOT_VALID_YET"
    /// The storage driver does not have this operation.
    /// Parameters: message.
    public static let unimplementedInSMBackend = "UNIMPLEMENTED_IN_SM_BACKEND"
    /// Parameters: vm, bootloader.
    public static let unknownBootloader = "UNKNOWN_BOOTLOADER"
    public static let updateinfoHashMismatch = "UPDATEINFO_HASH_MISMATCH"
    /// Parameters: update.
    public static let updateAlreadyApplied = "UPDATE_ALREADY_APPLIED"
    /// Parameters: update.
    public static let updateAlreadyAppliedInPool = "UPDATE_ALREADY_APPLIED_IN_POOL"
    /// Parameters: uuid.
    public static let updateAlreadyExists = "UPDATE_ALREADY_EXISTS"
    /// Parameters: output.
    public static let updateApplyFailed = "UPDATE_APPLY_FAILED"
    public static let updateIsApplied = "UPDATE_IS_APPLIED"
    /// Parameters: hosts.
    public static let updatePoolApplyFailed = "UPDATE_POOL_APPLY_FAILED"
    /// Parameters: update, conflict_update.
    public static let updatePrecheckFailedConflictPresent = "UPDATE_PRECHECK_FAILED_CONFLICT_PRESENT"
    /// Parameters: update.
    public static let updatePrecheckFailedGpgkeyNotImported = "UPDATE_PRECHECK_FAILED_GPGKEY_NOT_IMPORTED"
    /// Parameters: update, available_space, required_space .
    public static let updatePrecheckFailedOutOfSpace = "UPDATE_PRECHECK_FAILED_OUT_OF_SPACE"
    /// Parameters: update, prerequisite_update.
    public static let updatePrecheckFailedPrerequisiteMissing = "UPDATE_PRECHECK_FAILED_PREREQUISITE_MISSING"
    /// Parameters: update, info.
    public static let updatePrecheckFailedUnknownError = "UPDATE_PRECHECK_FAILED_UNKNOWN_ERROR"
    /// Parameters: update, installed_version, required_version .
    public static let updatePrecheckFailedWrongServerVersion = "UPDATE_PRECHECK_FAILED_WRONG_SERVER_VERSION"
    public static let updateSyncingRemotePoolCoordinatorConnectionFailed =
        "UPDATE_SYNCING_REMOTE_POOL_COORDINATOR_CONNECTION_FAILED"
    public static let updateSyncingRemotePoolCoordinatorServiceFailed =
        "UPDATE_SYNCING_REMOTE_POOL_COORDINATOR_SERVICE_FAILED"
    /// Parameters: PUSB, VM.
    public static let usbAlreadyAttached = "USB_ALREADY_ATTACHED"
    /// Parameters: USB_group.
    public static let usbGroupConflict = "USB_GROUP_CONFLICT"
    /// Parameters: usb_group.
    public static let usbGroupContainsNoPusbs = "USB_GROUP_CONTAINS_NO_PUSBS"
    /// Parameters: pusbs.
    public static let usbGroupContainsPUSB = "USB_GROUP_CONTAINS_PUSB"
    /// Parameters: vusbs.
    public static let usbGroupContainsVUSB = "USB_GROUP_CONTAINS_VUSB"
    /// Only the local superuser may do this.
    /// Parameters: msg.
    public static let userIsNotLocalSuperuser = "USER_IS_NOT_LOCAL_SUPERUSER"
    /// There is no object with this uuid.
    /// Parameters: type, uuid.
    public static let uuidInvalid = "UUID_INVALID"
    public static let v6dFailure = "V6D_FAILURE"
    /// The value is not supported here.
    /// Parameters: field, value, reason.
    public static let valueNotSupported = "VALUE_NOT_SUPPORTED"
    public static let vbdCdsMustBeReadonly = "VBD_CDS_MUST_BE_READONLY"
    /// The drive is empty.
    /// Parameters: vbd.
    public static let vbdIsEmpty = "VBD_IS_EMPTY"
    /// The drive holds a medium; eject it first.
    /// Parameters: vbd.
    public static let vbdNotEmpty = "VBD_NOT_EMPTY"
    /// The device is not a drive with removable media.
    /// Parameters: vbd.
    public static let vbdNotRemovableMedia = "VBD_NOT_REMOVABLE_MEDIA"
    /// The device cannot be unplugged while the VM runs.
    /// Parameters: vbd.
    public static let vbdNotUnpluggable = "VBD_NOT_UNPLUGGABLE"
    /// Parameters: vbd.
    public static let vbdTrayLocked = "VBD_TRAY_LOCKED"
    /// Parameters: vcpu_max, cores_per_socket.
    public static let vcpuMaxNotCoresPerSocketMultiple = "VCPU_MAX_NOT_CORES_PER_SOCKET_MULTIPLE"
    /// Parameters: vdi.
    public static let vdiCBTEnabled = "VDI_CBT_ENABLED"
    /// Parameters: vdi, pool.
    public static let vdiContainsMetadataOfThisPool = "VDI_CONTAINS_METADATA_OF_THIS_POOL"
    /// Copying the disk failed.
    public static let vdiCopyFailed = "VDI_COPY_FAILED"
    /// Parameters: vdi.
    public static let vdiHasRrds = "VDI_HAS_RRDS"
    /// The operation does not exist for VDIs of this type.
    /// Parameters: vdi, type.
    public static let vdiIncompatibleType = "VDI_INCOMPATIBLE_TYPE"
    /// The disk is in use.
    /// Parameters: vdi, operation.
    public static let vdiInUse = "VDI_IN_USE"
    /// The operation does not exist for physical devices.
    /// Parameters: vdi.
    public static let vdiIsAPhysicalDevice = "VDI_IS_A_PHYSICAL_DEVICE"
    /// Parameters: vdi.
    public static let vdiIsEncrypted = "VDI_IS_ENCRYPTED"
    /// Parameters: vdi, type.
    public static let vdiIsNotISO = "VDI_IS_NOT_ISO"
    /// The SR has no VDI at this location.
    /// Parameters: sr, location.
    public static let vdiLocationMissing = "VDI_LOCATION_MISSING"
    /// The disk image is missing from its SR.
    /// Parameters: sr, vdi.
    public static let vdiMissing = "VDI_MISSING"
    /// The disk must be attached to a VM to be moved.
    /// Parameters: vdi.
    public static let vdiNeedsVMForMigrate = "VDI_NEEDS_VM_FOR_MIGRATE"
    /// The disk is not available now.
    /// Parameters: vdi.
    public static let vdiNotAvailable = "VDI_NOT_AVAILABLE"
    /// No destination was given for the disk.
    /// Parameters: vdi.
    public static let vdiNotInMap = "VDI_NOT_IN_MAP"
    /// The disk is not managed by the toolstack.
    /// Parameters: vdi.
    public static let vdiNotManaged = "VDI_NOT_MANAGED"
    /// Parameters: vdi.
    public static let vdiNotSparse = "VDI_NOT_SPARSE"
    /// Parameters: vdi.
    public static let vdiNoCBTMetadata = "VDI_NO_CBT_METADATA"
    /// The disk is reset when its VM starts, which rules out this operation.
    public static let vdiOnBootModeIncompatibleWithOperation = "VDI_ON_BOOT_MODE_INCOMPATIBLE_WITH_OPERATION"
    /// The disk is read-only.
    /// Parameters: vdi.
    public static let vdiReadonly = "VDI_READONLY"
    /// The size is larger than the image format or the SR can hold.
    /// Parameters: vdi, maximum size.
    public static let vdiTooLarge = "VDI_TOO_LARGE"
    /// The size is smaller than allowed.
    /// Parameters: vdi, minimum size.
    public static let vdiTooSmall = "VDI_TOO_SMALL"
    /// Parameters: reason, vgpu, host.
    public static let vgpuDestinationIncompatible = "VGPU_DESTINATION_INCOMPATIBLE"
    /// Parameters: reason, vm, host.
    public static let vgpuGuestDriverLimit = "VGPU_GUEST_DRIVER_LIMIT"
    /// Parameters: reason, vgpu, host.
    public static let vgpuSuspensionNotSupported = "VGPU_SUSPENSION_NOT_SUPPORTED"
    /// Parameters: type.
    public static let vgpuTypeNotCompatible = "VGPU_TYPE_NOT_COMPATIBLE"
    /// Parameters: pgpu, type, running_type.
    public static let vgpuTypeNotCompatibleWithRunningType = "VGPU_TYPE_NOT_COMPATIBLE_WITH_RUNNING_TYPE"
    /// Parameters: type, enabled_types.
    public static let vgpuTypeNotEnabled = "VGPU_TYPE_NOT_ENABLED"
    /// Parameters: type, supported_types.
    public static let vgpuTypeNotSupported = "VGPU_TYPE_NOT_SUPPORTED"
    /// Parameters: type.
    public static let vgpuTypeNoLongerSupported = "VGPU_TYPE_NO_LONGER_SUPPORTED"
    /// Parameters: network, VIF.
    public static let vifInUse = "VIF_IN_USE"
    /// Parameters: vif.
    public static let vifNotInMap = "VIF_NOT_IN_MAP"
    /// Parameters: device, vlan.
    public static let vlanInUse = "VLAN_IN_USE"
    /// Parameters: VLAN.
    public static let vlanTagInvalid = "VLAN_TAG_INVALID"
    public static let vmppArchiveMoreFrequentThanBackup = "VMPP_ARCHIVE_MORE_FREQUENT_THAN_BACKUP"
    public static let vmppHasVM = "VMPP_HAS_VM"
    public static let vmssHasVM = "VMSS_HAS_VM"
    public static let vmsFailedToCooperate = "VMS_FAILED_TO_COOPERATE"
    /// Parameters: vm, vmpp.
    public static let vmAssignedToProtectionPolicy = "VM_ASSIGNED_TO_PROTECTION_POLICY"
    /// Parameters: vm, vmss.
    public static let vmAssignedToSnapshotSchedule = "VM_ASSIGNED_TO_SNAPSHOT_SCHEDULE"
    /// Parameters: vm.
    public static let vmAttachedToMoreThanOneVDIWithTimeoffsetMarkedAsResetOnBoot =
        "VM_ATTACHED_TO_MORE_THAN_ONE_VDI_WITH_TIMEOFFSET_MARKED_AS_RESET_ON_BOOT"
    /// The VM is not in the power state that the operation needs.
    /// Parameters: vm, expected, actual.
    public static let vmBadPowerState = "VM_BAD_POWER_STATE"
    public static let vmBIOSStringsAlreadySet = "VM_BIOS_STRINGS_ALREADY_SET"
    /// Parameters: VM, interval, wait.
    public static let vmCallPluginRateLimit = "VM_CALL_PLUGIN_RATE_LIMIT"
    /// Parameters: vm.
    public static let vmCannotDeleteDefaultTemplate = "VM_CANNOT_DELETE_DEFAULT_TEMPLATE"
    /// Parameters: vm.
    public static let vmCheckpointResumeFailed = "VM_CHECKPOINT_RESUME_FAILED"
    /// Parameters: vm.
    public static let vmCheckpointSuspendFailed = "VM_CHECKPOINT_SUSPEND_FAILED"
    /// The VM crashed.
    /// Parameters: vm.
    public static let vmCrashed = "VM_CRASHED"
    /// Two disks of the VM have the same device number.
    /// Parameters: vm, vbd, device.
    public static let vmDuplicateVBDDevice = "VM_DUPLICATE_VBD_DEVICE"
    /// The guest did not accept the request to shut down.
    /// Parameters: vm.
    public static let vmFailedShutdownAcknowledgment = "VM_FAILED_SHUTDOWN_ACKNOWLEDGMENT"
    /// Parameters: vm.
    public static let vmFailedSuspendAcknowledgment = "VM_FAILED_SUSPEND_ACKNOWLEDGMENT"
    /// The VM stopped unexpectedly.
    /// Parameters: vm.
    public static let vmHalted = "VM_HALTED"
    /// Parameters: vm.
    public static let vmHasCheckpoint = "VM_HAS_CHECKPOINT"
    /// Parameters: vm.
    public static let vmHasNoSuspendVDI = "VM_HAS_NO_SUSPEND_VDI"
    /// Parameters: vm.
    public static let vmHasPCIAttached = "VM_HAS_PCI_ATTACHED"
    /// Parameters: vm.
    public static let vmHasSRIOVVIF = "VM_HAS_SRIOV_VIF"
    /// Parameters: vm.
    public static let vmHasTooManySnapshots = "VM_HAS_TOO_MANY_SNAPSHOTS"
    /// Parameters: vm.
    public static let vmHasVGPU = "VM_HAS_VGPU"
    /// Parameters: VM.
    public static let vmHasVusbs = "VM_HAS_VUSBS"
    /// Parameters: host, vm.
    public static let vmHostIncompatibleVersion = "VM_HOST_INCOMPATIBLE_VERSION"
    /// Parameters: host, vm.
    public static let vmHostIncompatibleVersionMigrate = "VM_HOST_INCOMPATIBLE_VERSION_MIGRATE"
    /// Parameters: host, host_versions, vm, vm_version.
    public static let vmHostIncompatibleVirtualHardwarePlatformVersion =
        "VM_HOST_INCOMPATIBLE_VIRTUAL_HARDWARE_PLATFORM_VERSION"
    /// Parameters: vm.
    public static let vmHVMRequired = "VM_HVM_REQUIRED"
    /// Parameters: vm, host, reason.
    public static let vmIncompatibleWithThisHost = "VM_INCOMPATIBLE_WITH_THIS_HOST"
    /// Parameters: VM.
    public static let vmIsImmobile = "VM_IS_IMMOBILE"
    /// Parameters: vm, appliance.
    public static let vmIsPartOfAnAppliance = "VM_IS_PART_OF_AN_APPLIANCE"
    /// The VM is protected by high availability.
    /// Parameters: vm.
    public static let vmIsProtected = "VM_IS_PROTECTED"
    /// The operation does not exist for templates.
    /// Parameters: vm.
    public static let vmIsTemplate = "VM_IS_TEMPLATE"
    /// Parameters: VM.
    public static let vmIsUsingNestedVirt = "VM_IS_USING_NESTED_VIRT"
    /// The guest lacks a feature that the operation needs.
    /// Parameters: vm.
    public static let vmLacksFeature = "VM_LACKS_FEATURE"
    /// Parameters: vm.
    public static let vmMemorySizeTooLow = "VM_MEMORY_SIZE_TOO_LOW"
    public static let vmMigrateContactRemoteServiceFailed = "VM_MIGRATE_CONTACT_REMOTE_SERVICE_FAILED"
    /// The migration failed.
    /// Parameters: vm, source, destination, msg.
    public static let vmMigrateFailed = "VM_MIGRATE_FAILED"
    /// The guest has no paravirtual drivers.
    /// Parameters: vm.
    public static let vmMissingPVDrivers = "VM_MISSING_PV_DRIVERS"
    /// Parameters: vm, reason.
    public static let vmNonSuspendable = "VM_NON_SUSPENDABLE"
    /// Parameters: vm, host.
    public static let vmNotResidentHere = "VM_NOT_RESIDENT_HERE"
    /// Parameters: vm.
    public static let vmNoCrashdumpSR = "VM_NO_CRASHDUMP_SR"
    /// Parameters: vm.
    public static let vmNoEmptyCdVBD = "VM_NO_EMPTY_CD_VBD"
    /// Parameters: vm.
    public static let vmNoSuspendSR = "VM_NO_SUSPEND_SR"
    /// The VM has no virtual processors.
    /// Parameters: vm.
    public static let vmNoVCPUs = "VM_NO_VCPUS"
    /// Parameters: vm, major, minor.
    public static let vmOldPVDrivers = "VM_OLD_PV_DRIVERS"
    /// Parameters: VM.
    public static let vmPCIBusFull = "VM_PCI_BUS_FULL"
    /// Parameters: vm.
    public static let vmPVDriversInUse = "VM_PV_DRIVERS_IN_USE"
    /// The VM restarted unexpectedly.
    /// Parameters: vm.
    public static let vmRebooted = "VM_REBOOTED"
    /// Parameters: vm, GPU_group.
    public static let vmRequiresGPU = "VM_REQUIRES_GPU"
    /// Parameters: host.
    public static let vmRequiresIommu = "VM_REQUIRES_IOMMU"
    /// Parameters: vm, network.
    public static let vmRequiresNetwork = "VM_REQUIRES_NETWORK"
    /// The VM needs an SR that the host does not see.
    /// Parameters: vm, sr.
    public static let vmRequiresSR = "VM_REQUIRES_SR"
    /// The VM needs a disk that is not available.
    /// Parameters: vm, vdi.
    public static let vmRequiresVDI = "VM_REQUIRES_VDI"
    /// Parameters: vm, GPU_group, vGPU_type.
    public static let vmRequiresVGPU = "VM_REQUIRES_VGPU"
    /// Parameters: vm, USB_group.
    public static let vmRequiresVUSB = "VM_REQUIRES_VUSB"
    /// Parameters: vm, snapshot.
    public static let vmRevertFailed = "VM_REVERT_FAILED"
    /// The guest did not shut down in time.
    /// Parameters: vm, timeout.
    public static let vmShutdownTimeout = "VM_SHUTDOWN_TIMEOUT"
    /// Parameters: vm.
    public static let vmSnapshotWithQuiesceFailed = "VM_SNAPSHOT_WITH_QUIESCE_FAILED"
    /// Parameters: vm, error.
    public static let vmSnapshotWithQuiesceNotSupported = "VM_SNAPSHOT_WITH_QUIESCE_NOT_SUPPORTED"
    /// Parameters: vm.
    public static let vmSnapshotWithQuiescePluginDeosNotRespond = "VM_SNAPSHOT_WITH_QUIESCE_PLUGIN_DEOS_NOT_RESPOND"
    /// Parameters: vm.
    public static let vmSnapshotWithQuiesceTimeout = "VM_SNAPSHOT_WITH_QUIESCE_TIMEOUT"
    /// Parameters: vm, timeout.
    public static let vmSuspendTimeout = "VM_SUSPEND_TIMEOUT"
    /// Parameters: vm.
    public static let vmTooManyVCPUs = "VM_TOO_MANY_VCPUS"
    /// Parameters: vm, existing_version, version_to_import.
    public static let vmToImportIsNotNewerVersion = "VM_TO_IMPORT_IS_NOT_NEWER_VERSION"
    /// Parameters: vm.
    public static let vmUnsafeBoot = "VM_UNSAFE_BOOT"
    /// Parameters: amount.
    public static let vtpmMaxAmountReached = "VTPM_MAX_AMOUNT_REACHED"
    public static let wlbAuthenticationFailed = "WLB_AUTHENTICATION_FAILED"
    public static let wlbConnectionRefused = "WLB_CONNECTION_REFUSED"
    public static let wlbConnectionReset = "WLB_CONNECTION_RESET"
    public static let wlbDisabled = "WLB_DISABLED"
    public static let wlbInternalError = "WLB_INTERNAL_ERROR"
    public static let wlbMalformedRequest = "WLB_MALFORMED_REQUEST"
    /// Parameters: method, reason, response.
    public static let wlbMalformedResponse = "WLB_MALFORMED_RESPONSE"
    public static let wlbNotInitialized = "WLB_NOT_INITIALIZED"
    /// Parameters: configured_timeout.
    public static let wlbTimeout = "WLB_TIMEOUT"
    public static let wlbUnknownHost = "WLB_UNKNOWN_HOST"
    /// Parameters: url.
    public static let wlbURLInvalid = "WLB_URL_INVALID"
    public static let wlbXenserverAuthenticationFailed = "WLB_XENSERVER_AUTHENTICATION_FAILED"
    public static let wlbXenserverConnectionRefused = "WLB_XENSERVER_CONNECTION_REFUSED"
    public static let wlbXenserverMalformedResponse = "WLB_XENSERVER_MALFORMED_RESPONSE"
    public static let wlbXenserverTimeout = "WLB_XENSERVER_TIMEOUT"
    public static let wlbXenserverUnknownHost = "WLB_XENSERVER_UNKNOWN_HOST"
    /// Parameters: hook_name, reason, stdout, exit_code.
    public static let xapiHookFailed = "XAPI_HOOK_FAILED"
    /// There is no plug-in of this name.
    /// Parameters: name.
    public static let xenapiMissingPlugin = "XENAPI_MISSING_PLUGIN"
    /// The plug-in failed.
    /// Parameters: status, stdout, stderr.
    public static let xenapiPluginFailure = "XENAPI_PLUGIN_FAILURE"
    public static let xenIncompatible = "XEN_INCOMPATIBLE"
    /// Parameters: vm, error_code.
    public static let xenVssReqErrorAddingVolumeToSnapsetFailed = "XEN_VSS_REQ_ERROR_ADDING_VOLUME_TO_SNAPSET_FAILED"
    /// Parameters: vm, error_code.
    public static let xenVssReqErrorCreatingSnapshot = "XEN_VSS_REQ_ERROR_CREATING_SNAPSHOT"
    /// Parameters: vm, error_code.
    public static let xenVssReqErrorCreatingSnapshotXMLString = "XEN_VSS_REQ_ERROR_CREATING_SNAPSHOT_XML_STRING"
    /// Parameters: vm, error_code.
    public static let xenVssReqErrorInitFailed = "XEN_VSS_REQ_ERROR_INIT_FAILED"
    /// Parameters: vm, error_code.
    public static let xenVssReqErrorNoVolumesSupported = "XEN_VSS_REQ_ERROR_NO_VOLUMES_SUPPORTED"
    /// Parameters: vm, error_code.
    public static let xenVssReqErrorPreparingWriters = "XEN_VSS_REQ_ERROR_PREPARING_WRITERS"
    /// Parameters: vm, error_code.
    public static let xenVssReqErrorProvNotLoaded = "XEN_VSS_REQ_ERROR_PROV_NOT_LOADED"
    /// Parameters: vm, error_code.
    public static let xenVssReqErrorStartSnapshotSetFailed = "XEN_VSS_REQ_ERROR_START_SNAPSHOT_SET_FAILED"
    /// The request could not be understood.
    /// Parameters: expected, received.
    public static let xmlrpcUnmarshalFailure = "XMLRPC_UNMARSHAL_FAILURE"
}
