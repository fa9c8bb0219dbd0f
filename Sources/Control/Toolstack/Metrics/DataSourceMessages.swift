import APITypes
import MetricArchives
import PoolDatabase

/// `get_data_sources` and its relatives of hosts, VMs and SRs, and host.backup_rrds.
struct DataSourceMessages: Sendable {
    let database: PoolDatabase
    let metrics: MetricsService

    func register(in table: inout MessageTable) {
        register(Host.self, in: &table) { .host($0) }
        register(VM.self, in: &table) { .vm($0) }
        register(SR.self, in: &table) { .sr($0) }
        table.on("host.backup_rrds") { _, arguments in
            let ref: Ref<Host> = try arguments.get(0)
            _ = try database.read { try $0.require(ref) }
            await metrics.save()
            return .void
        }
    }

    private func register<C: XenClass>(
        _ type: C.Type, in table: inout MessageTable, _ owner: @escaping @Sendable (String) -> MetricOwner
    ) {
        @Sendable func find(_ arguments: Arguments) throws -> MetricOwner {
            let ref: Ref<C> = try arguments.get(0)
            return owner(try database.read { try $0.require(ref) }.uuid)
        }
        table.on("\(C.className).get_data_sources") { _, arguments in
            .set(
                await metrics.sources(try find(arguments)).map {
                    Self.record($0.source, isRecorded: $0.isRecorded, value: $0.value)
                })
        }
        table.on("\(C.className).query_data_source") { _, arguments in
            let name: String = try arguments.get(1)
            let all = await metrics.sources(try find(arguments))
            guard let found = all.first(where: { $0.source.name == name }) else { throw Self.unknown(name) }
            return .float(found.value)
        }
        for (message, isWanted) in [("record_data_source", true), ("forget_data_source_archives", false)] {
            table.on("\(C.className).\(message)") { _, arguments in
                let name: String = try arguments.get(1)
                guard await metrics.record(name, of: try find(arguments), isWanted) else { throw Self.unknown(name) }
                return .void
            }
        }
    }

    private static func unknown(_ name: String) -> APIError { APIError("INVALID_VALUE", "data_source", name) }

    private static func record(_ source: MetricSource, isRecorded: Bool, value: Double) -> APIValue {
        .record([
            APIMember("name_label", .string(source.name)), APIMember("name_description", .string(source.description)),
            APIMember("enabled", .bool(isRecorded)), APIMember("standard", .bool(true)),
            APIMember("units", .string(source.units)), APIMember("min", .float(source.minimum)),
            APIMember("max", .float(source.maximum)), APIMember("value", .float(value)),
        ])
    }
}
