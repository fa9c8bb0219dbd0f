extension Family {
    static let host = Family(
        "host", className: "host",
        columns: ["uuid", "name-label", "name-description"],
        table: hostFields)

    private static let hostFields = """
        uuid                               RO
        name-label                         RW
        name-description                   RW
        allowed-operations                 SRO  allowed_operations:host-operations
        current-operations                 SRO  current_operations:values,host-operations
        enabled                            RO
        display                            RO
        API-version-major                  RO
        API-version-minor                  RO
        API-version-vendor                 RO
        API-version-vendor-implementation  MRO
        logging                            MRW
        suspend-image-sr-uuid              RW   suspend_image_sr@SR
        crash-dump-sr-uuid                 RW   crash_dump_sr@SR
        software-version                   MRO
        capabilities                       SRO
        other-config                       MRW
        cpu_info                           MRO
        chipset-info                       MRO
        hostname                           RO
        address                            RO
        https-only                         RW
        supported-bootloaders              SRO
        blobs                              RO   blobs@blob
        memory-overhead                    RO
        memory-total                       RO   metrics@host_metrics.memory_total
        memory-free                        RO   metrics@host_metrics.memory_free
        memory-free-computed               RO$  host.compute_free_memory(self)
        host-metrics-live                  RO   metrics@host_metrics.live
        patches                            SRO! patches@host_patch
        updates                            SRO  updates@pool_update
        ha-statefiles                      RO
        ha-network-peers                   RO
        external-auth-type                 RO
        external-auth-service-name         RO
        external-auth-configuration        MRO
        edition                            RO
        license-server                     MRO
        power-on-mode                      RO
        power-on-config                    MRO
        local-cache-sr                     RO   local_cache_sr@SR
        tags                               SRW
        ssl-legacy                         RW
        guest_VCPUs_params                 MRW
        virtual-hardware-platform-versions SRO
        control-domain-uuid                RO   control_domain@VM
        resident-vms                       SRO  resident_VMs@VM
        updates-requiring-reboot           SRO  updates_requiring_reboot@pool_update
        features                           SRO  features@Feature
        iscsi_iqn                          RW
        multipathing                       RW
        uefi-certificates                  RW~
        numa-affinity-policy               RW
        pending-guidances                  RO
        tls-verification-enabled           RO
        last-software-update               RO
        latest-synced-updates-applied      RO
        pending-guidances-recommended      RO
        pending-guidances-full             RO
        last-update-hash                   RO
        ssh-enabled                        RO
        ssh-enabled-timeout                RW
        ssh-expiry                         RO
        console-idle-timeout               RW
        ssh-auto-mode                      RW
        max-cstate                         RW
        secure-boot                        RO
        ntp-mode                           RW
        ntp-custom-servers                 SRO
        timezone                           RW
        """
}
