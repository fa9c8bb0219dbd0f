import APITypes
import DataModel
import Foundation
import PoolDatabase

/// host and pool messages that tell or change what the host is, without storage and guests.
struct HostMessages: Sendable {
    let database: PoolDatabase
    let host: Ref<APITypes.Host>

    func register(in table: inout MessageTable) {
        registerState(in: &table)
        registerFacts(in: &table)
        registerEvacuation(in: &table)
        registerPool(in: &table)
    }

    /// Throws HANDLE_INVALID for another reference than that of the only host.
    private func require(_ arguments: Arguments) throws {
        let ref: Ref<APITypes.Host> = try arguments.get(0)
        _ = try database.read { try $0.require(ref) }
    }

    private func registerState(in table: inout MessageTable) {
        for (name, enabled) in [("host.enable", true), ("host.disable", false)] {
            table.on(name) { _, arguments in
                let ref: Ref<APITypes.Host> = try arguments.get(0)
                try await database.transaction { tx in
                    _ = try tx.require(ref)
                    try tx.set(ref, APITypes.Host.enabled, enabled)
                }
                return .void
            }
        }
        table.on("host.set_power_on_mode") { _, arguments in
            let (ref, mode): (Ref<APITypes.Host>, String) = (try arguments.get(0), try arguments.get(1))
            let config: [String: String] = try arguments.get(2)
            try await database.transaction { tx in
                try tx.set(ref, APITypes.Host.powerOnMode, mode)
                try tx.set(ref, APITypes.Host.powerOnConfig, config)
            }
            return .void
        }
    }

    private func registerFacts(in table: inout MessageTable) {
        table.on("host.list_methods") { _, _ in
            .set(Datamodel.all.messages.map(\.wireName).sorted().map(APIValue.string))
        }
        table.on("host.get_servertime") { _, arguments in
            try require(arguments)
            return .datetime(WallClock.seconds)
        }
        table.on("host.get_server_localtime") { _, arguments in
            try require(arguments)
            // The wire has no place for a zone: the local time of day as it is read from a clock.
            let now = WallClock.seconds
            let offset = TimeZone.current.secondsFromGMT(for: Date(timeIntervalSince1970: Double(now)))
            return .datetime(now + Int64(offset))
        }
        table.on("host.get_management_interface") { _, arguments in
            try require(arguments)
            let ref: Ref<APITypes.Host> = try arguments.get(0)
            let rows = database.read { $0.rows(PIF.self) { $0[PIF.host] == ref && $0[PIF.management] } }
            guard let row = rows.first else { throw APIError("HOST_HAS_NO_MANAGEMENT_IP") }
            return .ref(row.ref)
        }
        table.on("host.dmesg") { _, arguments in
            try require(arguments)
            return .string(try KernelLog.read(clearing: false))
        }
        table.on("host.dmesg_clear") { _, arguments in
            try require(arguments)
            return .string(try KernelLog.read(clearing: true))
        }
        table.on("host.compute_free_memory") { _, arguments in
            try require(arguments)
            let (total, available) = HostMemory.read()
            return .int(
                HostMemory.free(
                    total: total, available: available, promised: database.read { HostMemory.promised($0) }))
        }
        table.on("host.compute_memory_overhead") { _, arguments in
            let ref: Ref<APITypes.Host> = try arguments.get(0)
            return .int(try database.read { try $0.require(ref) }[APITypes.Host.memoryOverhead])
        }
        table.on("VM.compute_memory_overhead") { _, arguments in
            let ref: Ref<VM> = try arguments.get(0)
            let row = try database.read { try $0.require(ref) }
            return .int(row[VM.isControlDomain] ? 0 : HostMemory.overhead(vcpus: max(1, row[VM.vcpusMax])))
        }
        table.on("host.is_in_emergency_mode") { _, _ in .bool(false) }
        table.on("host.ha_xapi_healthcheck") { _, _ in .bool(true) }
        table.on("host.has_extension") { _, arguments in
            try require(arguments)
            return .bool(false)
        }
    }

    /// There is no other host: whatever runs here prevents an evacuation.
    private func registerEvacuation(in table: inout MessageTable) {
        @Sendable func staying() -> [Row] {
            database.read { reader in
                reader.rows(VM.self) { $0[VM.residentOn] == host && !$0[VM.isControlDomain] }
            }
        }
        @Sendable func evacuate() throws -> APIValue {
            let vms = staying()
            if vms.isEmpty { return .void }
            throw APIError(
                "CANNOT_EVACUATE_HOST", vms.map { "NO_HOSTS_AVAILABLE,\($0.ref)" }.joined(separator: "|"))
        }
        table.on("host.get_vms_which_prevent_evacuation") { _, arguments in
            try require(arguments)
            let why = APIValue.set([.string("NO_HOSTS_AVAILABLE")])
            return .map(Dictionary(staying().map { ($0.ref, why) }) { first, _ in first })
        }
        table.on("host.get_uncooperative_resident_VMs") { _, arguments in
            try require(arguments)
            return .set([])
        }
        table.on("host.assert_can_evacuate") { _, arguments in
            try require(arguments)
            return try evacuate()
        }
        table.on("host.evacuate") { _, arguments in
            try require(arguments)
            let network: Ref<Network> = try arguments.get(1)
            if !network.isNull { _ = try database.read { try $0.require(network) } }
            return try evacuate()
        }
    }

    private func registerPool(in table: inout MessageTable) {
        table.on("pool.get_license_state") { _, arguments in
            let ref: Ref<Pool> = try arguments.get(0)
            _ = try database.read { try $0.require(ref) }
            return .map(["edition": .string(HostRows.edition), "expiry": .string("never")])
        }
        // One edition is all there is, and it is applied.
        @Sendable func apply(_ edition: String) throws -> APIValue {
            guard edition == HostRows.edition else { throw APIError("INVALID_EDITION", edition) }
            return .void
        }
        table.on("pool.apply_edition") { _, arguments in
            let ref: Ref<Pool> = try arguments.get(0)
            _ = try database.read { try $0.require(ref) }
            return try apply(try arguments.get(1))
        }
        table.on("host.apply_edition") { _, arguments in
            try require(arguments)
            return try apply(try arguments.get(1))
        }
        table.on("pool.is_slave") { _, arguments in
            try require(arguments)
            return .bool(false)
        }
        table.on("pool.sync_database") { _, _ in .void }
        table.on("pool.recover_slaves") { _, _ in .set([]) }
        table.on("pool.has_extension") { _, arguments in
            let ref: Ref<Pool> = try arguments.get(0)
            _ = try database.read { try $0.require(ref) }
            return .bool(false)
        }
    }
}
