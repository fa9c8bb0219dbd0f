extension ClassDeclaration {
    /// In datamodel order.
    static let all: [ClassDeclaration] = [
        .session, .auth, .subject, .role, .task, .event, .pool, .poolPatch, .poolUpdate, .vm, .vmMetrics,
        .vmGuestMetrics, .vmpp, .vmss, .vmAppliance, .drTask, .host, .hostCrashdump, .hostPatch, .hostMetrics, .hostCPU,
        .network, .vif, .vifMetrics, .pif, .pifMetrics, .bond, .vlan, .sm, .sr, .srStat, .probeResult, .lvhd, .vdi,
        .vbd, .vbdMetrics, .pbd, .crashdump, .vtpm, .console, .user, .dataSource, .blob, .message, .secret, .tunnel,
        .networkSRIOV, .pci, .pgpu, .gpuGroup, .vgpu, .vgpuType, .pvsSite, .pvsServer, .pvsProxy, .pvsCacheStorage,
        .feature, .sdnController, .vdiNBDServerInfo, .pusb, .usbGroup, .vusb, .cluster, .clusterHost, .certificate,
        .diagnostics, .repository, .observer, .vmGroup, .hostDriver, .driverVariant, .caller, .rateLimit,
    ]
}
