/// Machines, templates and snapshots are one class and share one table of fields.
extension Family {
    static let vm = Family(
        "vm", className: "VM", columns: ["name-label", "uuid", "power-state"],
        filters: [("is-a-template", "false")], table: machineFields)
    static let template = Family(
        "template", className: "VM", columns: ["name-label", "name-description", "uuid"],
        filters: [("is-a-template", "true"), ("is-a-snapshot", "false")], table: machineFields)
    static let snapshot = Family(
        "snapshot", className: "VM",
        columns: ["name-label", "name-description", "uuid", "snapshot_of", "snapshot_time", "is-vmss-snapshot"],
        filters: [("is-a-snapshot", "true")], table: machineFields)

    private static let machineFields = """
        uuid                          RO
        name-label                    RW
        name-description              RW
        user-version                  RW
        is-a-template                 RW
        is-default-template           RW
        is-a-snapshot                 RO
        snapshot-of                   RO   snapshot_of@VM
        snapshots                     RO   snapshots@VM
        snapshot-time                 RO
        transportable-snapshot-id     RO~
        snapshot-info                 RO
        parent                        RO   parent@VM
        children                      RO   children@VM
        is-control-domain             RO
        power-state                   RO   power_state:lowercase
        memory-actual                 RO   metrics@VM_metrics.memory_actual
        memory-target                 RO$
        memory-overhead               RO
        memory-static-max             RW   memory_static_max:bytes
        memory-dynamic-max            RW   memory_dynamic_max:bytes
        memory-dynamic-min            RW   memory_dynamic_min:bytes
        memory-static-min             RW   memory_static_min:bytes
        suspend-VDI-uuid              RW   suspend_VDI@VDI
        suspend-SR-uuid               RW   suspend_SR@SR
        VCPUs-params                  MRW
        VCPUs-max                     RW
        VCPUs-at-startup              RW
        actions-after-shutdown        RW
        actions-after-softreboot      RW
        actions-after-reboot          RW
        actions-after-crash           RW
        console-uuids                 SRO  consoles@console
        hvm                           RO   metrics@VM_metrics.hvm
        nomigrate                     RO~  metrics@VM_metrics.nomigrate
        nested-virt                   RO~  metrics@VM_metrics.nested_virt
        platform                      MRW
        numa-optimised                RO   metrics@VM_metrics.numa_optimised
        numa-nodes                    RO   metrics@VM_metrics.numa_nodes
        numa-node-memory              MRO  metrics@VM_metrics.numa_node_memory
        allowed-operations            SRO
        current-operations            SRO  current_operations:values
        blocked-operations            MRW
        allowed-VBD-devices           SRO$ VM.get_allowed_VBD_devices(self)
        allowed-VIF-devices           SRO$ VM.get_allowed_VIF_devices(self)
        possible-hosts                RO$  VM.get_possible_hosts(self)@host
        domain-type                   RW
        current-domain-type           RO   metrics@VM_metrics.current_domain_type
        HVM-boot-policy               RW
        HVM-boot-params               MRW
        HVM-shadow-multiplier         RW
        NVRAM                         MRW~
        PV-kernel                     RW
        PV-ramdisk                    RW
        PV-args                       RW
        PV-legacy-args                RW
        PV-bootloader                 RW
        PV-bootloader-args            RW
        last-boot-CPU-flags           RO
        last-boot-record              RO$  last_booted_record
        resident-on                   RO   resident_on@host
        affinity                      RW   affinity@host
        other-config                  MRW
        dom-id                        RO   domid
        recommendations               RO
        xenstore-data                 MRW
        ha-always-run                 RW!
        ha-restart-priority           RW
        blobs                         RO   blobs@blob
        start-time                    RO   metrics@VM_metrics.start_time
        install-time                  RO   metrics@VM_metrics.install_time
        VCPUs-number                  RO   metrics@VM_metrics.VCPUs_number
        VCPUs-utilisation             MRO$ metrics@VM_metrics.VCPUs_utilisation
        os-version                    MRO  guest_metrics@VM_guest_metrics.os_version
        netbios-name                  MRO  guest_metrics@VM_guest_metrics.netbios_name
        PV-drivers-version            MRO  guest_metrics@VM_guest_metrics.PV_drivers_version
        PV-drivers-up-to-date         RO!  guest_metrics@VM_guest_metrics.PV_drivers_up_to_date
        memory                        MRO  guest_metrics@VM_guest_metrics.memory
        disks                         MRO  guest_metrics@VM_guest_metrics.disks
        VBDs                          SRO  VBDs@VBD
        networks                      MRO  guest_metrics@VM_guest_metrics.networks
        services                      MRO  guest_metrics@VM_guest_metrics.services
        PV-drivers-detected           RO   guest_metrics@VM_guest_metrics.PV_drivers_detected
        other                         MRO  guest_metrics@VM_guest_metrics.other
        live                          RO   guest_metrics@VM_guest_metrics.live
        guest-metrics-last-updated    RO   guest_metrics@VM_guest_metrics.last_updated
        can-use-hotplug-vbd           RO   guest_metrics@VM_guest_metrics.can_use_hotplug_vbd
        can-use-hotplug-vif           RO   guest_metrics@VM_guest_metrics.can_use_hotplug_vif
        cooperative                   RO!$ VM.get_cooperative(self)
        tags                          SRW
        appliance                     RW   appliance@VM_appliance
        groups                        RW   groups@VM_group
        secureboot-certificates-state RO
        snapshot-schedule             RW   snapshot_schedule@VMSS
        is-vmss-snapshot              RO
        start-delay                   RW
        shutdown-delay                RW
        order                         RW
        version                       RO
        generation-id                 RO
        hardware-platform-version     RO
        has-vendor-device             RW
        requires-reboot               RO
        reference-label               RO
        bios-strings                  MRO
        pending-guidances             RO
        vtpms                         RO   VTPMs@VTPM
        pending-guidances-recommended RO
        pending-guidances-full        RO
        """
}
