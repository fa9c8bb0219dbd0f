import APITypes
import PoolDatabase

/// The rows of the host's interfaces and of the networks they belong to.
enum NetworkRows {
    /// Rows that exist keep their identity: interfaces are known by their names, networks by their interfaces.
    static func refresh(_ host: Ref<Host>, in tx: Transaction, _ scan: InterfaceScan) throws {
        var known: [String: Ref<PIF>] = [:]
        let names = Set(scan.interfaces.map(\.name))
        for row in tx.rows(PIF.self, where: { $0[PIF.host] == host && $0[PIF.vlan] < 0 }) {
            if names.contains(row[PIF.device]), known[row[PIF.device]] == nil {
                known[row[PIF.device]] = row.typedRef(PIF.self)
            } else {
                remove(row, in: tx)
            }
        }
        let management = scan.management?.name
        for interface in scan.interfaces {
            let pif = known[interface.name] ?? .new()
            if known[interface.name] == nil { insert(pif, interface, host, in: tx) }
            try update(pif, interface, scan, isManagement: interface.name == management, in: tx)
        }
        let address = scan.management?.ip ?? ""
        try tx.set(host, Host.address, address.isEmpty ? "127.0.0.1" : address)
    }

    private static func insert(
        _ pif: Ref<PIF>, _ interface: NetworkInterface, _ host: Ref<Host>, in tx: Transaction
    ) {
        let network = network(of: interface, in: tx)
        let metrics = Ref<PIFMetrics>.new()
        tx.insert(PIFMetrics.self, ref: metrics) { _ in }
        tx.insert(PIF.self, ref: pif) { row in
            row[PIF.device] = interface.name
            row[PIF.network] = network
            row[PIF.host] = host
            row[PIF.vlan] = -1
            row[PIF.metrics] = metrics
            row[PIF.managed] = true
        }
    }

    /// The network of a bridge is that of all its ports; an interface without a bridge has one of its own.
    private static func network(of interface: NetworkInterface, in tx: Transaction) -> Ref<Network> {
        let label = "Pool-wide network associated with \(interface.name)"
        let same = tx.rows(Network.self) {
            interface.bridge.isEmpty ? $0[Network.nameLabel] == label : $0[Network.bridge] == interface.bridge
        }
        if let row = same.first { return row.typedRef(Network.self) }
        let network = Ref<Network>.new()
        tx.insert(Network.self, ref: network) { row in
            row[Network.nameLabel] = label
            row[Network.managed] = true
        }
        return network
    }

    private static func update(
        _ pif: Ref<PIF>, _ interface: NetworkInterface, _ scan: InterfaceScan, isManagement: Bool, in tx: Transaction
    ) throws {
        try tx.set(pif, PIF.mac, interface.mac)
        try tx.set(pif, PIF.mtu, interface.mtu)
        try tx.set(pif, PIF.physical, interface.isPhysical)
        try tx.set(pif, PIF.currentlyAttached, interface.isUp)
        try tx.set(pif, PIF.ip, interface.ip)
        try tx.set(pif, PIF.netmask, interface.netmask)
        try tx.set(pif, PIF.gateway, interface.gateway)
        try tx.set(pif, PIF.dns, interface.ip.isEmpty ? "" : scan.nameServers)
        try tx.set(pif, PIF.ipv6, interface.ipv6)
        // Whoever gave the address, it stays as far as we know.
        try tx.set(pif, PIF.ipConfigurationMode, interface.ip.isEmpty ? .none : .static)
        try tx.set(pif, PIF.ipv6ConfigurationMode, interface.ipv6.isEmpty ? .none : .static)
        try tx.set(pif, PIF.management, isManagement)
        var metrics = try tx.require(pif)[PIF.metrics]
        if tx.row(metrics) == nil {
            metrics = .new()
            tx.insert(PIFMetrics.self, ref: metrics) { _ in }
            try tx.set(pif, PIF.metrics, metrics)
        }
        let before = try tx.require(metrics).record
        try tx.set(metrics, PIFMetrics.carrier, interface.hasCarrier)
        try tx.set(metrics, PIFMetrics.speed, interface.speed)
        try tx.set(metrics, PIFMetrics.duplex, interface.isFullDuplex)
        try tx.set(metrics, PIFMetrics.vendorID, interface.vendorID)
        try tx.set(metrics, PIFMetrics.deviceID, interface.deviceID)
        try tx.set(metrics, PIFMetrics.pciBusPath, interface.pciPath.isEmpty ? "N/A" : interface.pciPath)
        if try tx.require(metrics).record != before {
            try tx.set(metrics, PIFMetrics.lastUpdated, APIDate(seconds: WallClock.seconds))
        }
        let network = try tx.require(pif)[PIF.network]
        guard tx.row(network) != nil else { return }
        // A bridge is named when there is one.
        try tx.set(network, Network.bridge, interface.bridge)
        try tx.set(network, Network.mtu, interface.mtu)
    }

    /// An interface that is gone. Its network goes with it when nobody gave it a meaning.
    private static func remove(_ row: Row, in tx: Transaction) {
        let network = row[PIF.network]
        tx.delete(row[PIF.metrics])
        tx.delete(row.typedRef(PIF.self))
        guard let left = tx.row(network), left[Network.pifs].isEmpty, left[Network.vifs].isEmpty,
            left[Network.nameLabel] == "Pool-wide network associated with \(row[PIF.device])"
        else { return }
        tx.delete(network)
    }
}
