import APITypes
import PoolDatabase

/// network and PIF messages. A network that a client makes is a name and its settings: this version connects no guest to
/// it and makes no bridge.
struct NetworkMessages: Sendable {
    let database: PoolDatabase
    let host: Ref<Host>
    let scan: @Sendable () -> InterfaceScan
    /// When a network's purposes, or what is on one that has some, have changed.
    var purposesChanged: @Sendable () async -> Void = {}

    /// Bytes of an interface's name that Linux takes.
    private static let longestBridge = 15
    static let bridgePrefix = "xapi"
    /// Bytes that a packet may have.
    static let sizes: ClosedRange<Int64> = 68...65535
    static let usualMTU: Int64 = 1500

    func register(in table: inout MessageTable) {
        table.on("network.create") { _, arguments in
            guard case .record(let members)? = arguments.values.first else {
                throw APIError.internalError("network.create needs a record")
            }
            return .ref(try await create(members).opaque)
        }
        table.on("network.pool_introduce") { _, arguments in
            let purpose: [NetworkPurpose] = try arguments.get(6)
            return .ref(
                try await create(
                    [
                        APIMember("name_label", arguments.values[0]),
                        APIMember("name_description", arguments.values[1]),
                        APIMember("MTU", arguments.values[2]), APIMember("other_config", arguments.values[3]),
                        APIMember("bridge", arguments.values[4]), APIMember("managed", arguments.values[5]),
                    ], purpose: purpose
                ).opaque)
        }
        table.on("network.destroy") { _, arguments in
            let network: Ref<Network> = try arguments.get(0)
            try await database.transaction { tx in try Self.destroy(network, in: tx) }
            return .void
        }
        table.on("network.add_purpose") { _, arguments in
            let (network, value): (Ref<Network>, NetworkPurpose) = (try arguments.get(0), try arguments.get(1))
            try await database.transaction { tx in
                let purposes = try tx.require(network)[Network.purpose]
                if purposes.contains(value) { return }
                // NBD is either for everybody or for those who prove themselves.
                if let other = purposes.first {
                    throw APIError("NETWORK_INCOMPATIBLE_PURPOSES", value.rawValue, other.rawValue)
                }
                try tx.set(network, Network.purpose, purposes + [value])
            }
            await purposesChanged()
            return .void
        }
        table.on("network.remove_purpose") { _, arguments in
            let (network, value): (Ref<Network>, NetworkPurpose) = (try arguments.get(0), try arguments.get(1))
            try await database.transaction { tx in
                let purposes = try tx.require(network)[Network.purpose]
                try tx.set(network, Network.purpose, purposes.filter { $0 != value })
            }
            await purposesChanged()
            return .void
        }
        table.on("PIF.scan") { _, arguments in
            let ref: Ref<Host> = try arguments.get(0)
            let found = scan()
            try await database.transaction { tx in
                _ = try tx.require(ref)
                try NetworkRows.refresh(ref, in: tx, found)
            }
            await purposesChanged()
            return .void
        }
    }

    private func create(_ members: [APIMember], purpose: [NetworkPurpose] = []) async throws -> Ref<Network> {
        let record = APIValue.record(members)
        let managed = record["managed"].flatMap { Bool(api: $0) } ?? true
        let wanted = record["bridge"].flatMap { String(api: $0) } ?? ""
        let mtu = record["MTU"].flatMap { Int64(api: $0) } ?? Self.usualMTU
        guard Self.sizes.contains(mtu) else {
            throw APIError("INVALID_VALUE", "MTU", String(mtu))
        }
        guard wanted.utf8.count <= Self.longestBridge, wanted.utf8.allSatisfy(Self.isPlain) else {
            throw APIError("INVALID_VALUE", "bridge", wanted)
        }
        let bridges = scan().bridges
        // One that others look after must be there already.
        if !managed, !bridges.contains(wanted) { throw APIError("BRIDGE_NOT_AVAILABLE", wanted) }
        let ref = Ref<Network>.new()
        try await database.transaction { tx in
            let taken = Set(tx.rows(Network.self).map { $0[Network.bridge] }).union(managed ? bridges : [])
            if !wanted.isEmpty, taken.contains(wanted) { throw APIError("BRIDGE_NAME_EXISTS", wanted) }
            let free = (0...taken.count).lazy.map { "\(Self.bridgePrefix)\($0)" }.first { !taken.contains($0) }
            tx.insert(Network.self, ref: ref) { row in
                for member in members { row[field: member.name] = member.value }
                row[Network.uuid] = Fresh.uuid()
                row[Network.bridge] = wanted.isEmpty ? free ?? "" : wanted
                row[Network.managed] = managed
                row[Network.mtu] = mtu
                row[Network.purpose] = purpose
                row[Network.allowedOperations] = []
                row[Network.currentOperations] = [:]
            }
        }
        return ref
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
            true
        default: false
        }
    }

    private static func destroy(_ network: Ref<Network>, in tx: Transaction) throws {
        let row = try tx.require(network)
        let pifs = row[Network.pifs]
        if !pifs.isEmpty { throw APIError("NETWORK_CONTAINS_PIF", pifs.map(\.opaque)) }
        let vifs = row[Network.vifs]
        if !vifs.isEmpty { throw APIError("NETWORK_CONTAINS_VIF", vifs.map(\.opaque)) }
        tx.delete(network)
    }
}
