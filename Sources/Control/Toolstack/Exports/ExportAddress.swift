import APITypes
import PoolDatabase

/// Where a host serves disks to NBD clients: an address of one of its interfaces on a network that has that purpose.
struct ExportAddress: Hashable, Sendable {
    /// Numeric.
    let address: String
    /// Purpose `nbd`: nobody is served without TLS. Purpose `insecure_nbd`: TLS is for who wants it.
    let isEncrypted: Bool

    /// Those that the rows ask for, in the order of the addresses.
    static func wanted(_ reader: any DatabaseReader, host: Ref<APITypes.Host>) -> [ExportAddress] {
        var all: [String: ExportAddress] = [:]
        for pif in reader.rows(PIF.self) where pif[PIF.host] == host && pif[PIF.currentlyAttached] {
            guard let network = reader.row(pif[PIF.network]), let purpose = network[Network.purpose].first else {
                continue
            }
            for address in addresses(ip: pif[PIF.ip], ipv6: pif[PIF.ipv6]) {
                all[address] = ExportAddress(address: address, isEncrypted: purpose == .nbd)
            }
        }
        return all.values.sorted { $0.address < $1.address }
    }

    /// Without lengths of prefixes, and without those that mean something on one link only.
    static func addresses(ip: String, ipv6: [String]) -> [String] {
        ([ip] + ipv6.map { String($0.prefix { $0 != "/" }) }).filter {
            !$0.isEmpty && !$0.lowercased().hasPrefix("fe80:")
        }
    }
}
