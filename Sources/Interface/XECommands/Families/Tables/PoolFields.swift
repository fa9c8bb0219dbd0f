extension Family {
    static let pool = Family(
        "pool", className: "pool",
        columns: ["uuid", "name-label", "name-description", "master", "default-SR"],
        table: poolFields)

    private static let poolFields = """
        uuid                                   RO
        name-label                             RW
        name-description                       RW
        master                                 RO  master@host
        default-SR                             RW  default_SR@SR
        crash-dump-SR                          RW  crash_dump_SR@SR
        suspend-image-SR                       RW  suspend_image_SR@SR
        supported-sr-types                     RO$ SR.get_supported_types()
        other-config                           MRW
        allowed-operations                     SRO
        current-operations                     SRO current_operations:values
        ha-enabled                             RO
        ha-configuration                       RO
        ha-statefiles                          RO
        ha-host-failures-to-tolerate           RW
        ha-plan-exists-for                     RO
        ha-allow-overcommit                    RW
        ha-overcommitted                       RO
        ha-reboot-vm-on-internal-shutdown      RW
        blobs                                  RO  blobs@blob
        wlb-url                                RO
        wlb-username                           RO
        wlb-enabled                            RW
        wlb-verify-cert                        RW
        igmp-snooping-enabled                  RW
        gui-config                             MRW
        health-check-config                    MRW
        vswitch-controller                     RO~
        restrictions                           RO
        tags                                   SRW
        license-state                          RO  pool.get_license_state(self)
        ha-cluster-stack                       RO
        guest-agent-config                     MRW
        cpu_info                               MRO
        policy-no-vendor-device                RW
        live-patching-disabled                 RW
        uefi-certificates                      RW~
        custom-uefi-certificates               RW~
        tls-verification-enabled               RO
        client-certificate-auth-enabled        RO
        client-certificate-auth-name           RO
        repositories                           SRW repositories@Repository
        repository-proxy-url                   RO
        repository-proxy-username              RO
        https-only                             RW  master@host.https_only
        migration-compression                  RW
        coordinator-bias                       RW
        telemetry-frequency                    RO
        telemetry-next-collection              RO
        last-update-sync                       RO
        update-sync-frequency                  RO
        update-sync-day                        RO
        update-sync-enabled                    RO
        auto-update-vm-secureboot-certificates RW
        recommendations                        MRO
        ext-auth-cache-enabled                 RW
        ext-auth-cache-size                    RW
        ext-auth-cache-expiry                  RW
        license-server                         MRW
        ssh-enabled                            RO  master@host.ssh_enabled
        ssh-enabled-timeout                    RW  master@host.ssh_enabled_timeout
        ssh-expiry                             RO  master@host.ssh_expiry
        console-idle-timeout                   RW  master@host.console_idle_timeout
        ssh-auto-mode                          RW  master@host.ssh_auto_mode
        limit-console-sessions                 RW
        vm-console-idle-timeout                RW
        """
}
