import APITypes
import PoolDatabase
import StorageInterface

/// SR messages that ask drivers what they find, or what they can.
struct ProbeMessages: Sendable {
    let context: StorageContext
    let admission: OperationAdmission

    func register(in table: inout MessageTable) {
        table.on("SR.probe") { _, arguments in
            let (manager, config, smConfig) = try prober(arguments)
            do {
                return .string(try await manager.probeDocument(config, smConfig: smConfig))
            } catch let error as StorageError {
                throw ErrorMapping.api(error, sr: .null)
            }
        }
        table.on("SR.probe_ext") { _, arguments in
            let (manager, config, smConfig) = try prober(arguments)
            do {
                return .set(try await manager.probe(config, smConfig: smConfig).map(Self.record))
            } catch let error as StorageError {
                throw ErrorMapping.api(error, sr: .null)
            }
        }
        table.on("SR.get_supported_types") { _, _ in
            .set(context.managers.all.map { .string($0.info.type) })
        }
        table.on("SR.update") { call, arguments in
            try await update(arguments.get(0), task: call.task)
            return .void
        }
        table.on("SR.assert_supports_database_replication") { _, arguments in
            try assertReplication(arguments.get(0))
            return .void
        }
    }

    /// The driver and the configurations of a probe on this host.
    private func prober(
        _ arguments: Arguments
    ) throws -> (manager: any StorageManager, config: [String: String], smConfig: [String: String]) {
        let host: Ref<Host> = try arguments.get(0)
        _ = try context.row(host)
        let type: String = try arguments.get(2)
        let manager = try context.manager(ofType: type)
        guard manager.info.features["SR_PROBE"] != nil else {
            throw APIError(
                "SR_BACKEND_FAILURE", "", "The SR_PROBE operation is not supported by SRs of the type \(type)", "")
        }
        return (manager, try arguments.get(1), try arguments.get(3))
    }

    private static func record(_ found: RepositoryProbe) -> APIValue {
        var configuration = found.configuration
        configuration["sr_uuid"] = found.uuid
        return .record([
            APIMember("configuration", .map(configuration.mapValues { .string($0) })),
            APIMember("complete", .bool(found.isComplete)),
            APIMember("sr", found.uuid.map { stat($0, found) } ?? .void),
            APIMember("extra_info", .map(found.extra.mapValues { .string($0) })),
        ])
    }

    private static func stat(_ uuid: String, _ found: RepositoryProbe) -> APIValue {
        let size = found.extra["size"].flatMap { UInt64($0) } ?? 0
        return .record([
            APIMember("uuid", .string(uuid)), APIMember("name_label", .string(found.label)),
            APIMember("name_description", .string(found.description)),
            APIMember("free_space", .int(Int64(clamping: found.space?.free ?? 0))),
            APIMember("total_space", .int(Int64(clamping: found.space?.total ?? size))),
            APIMember("clustered", .bool(found.isClustered)),
            APIMember("health", .string(found.health ?? SRHealth.healthy.rawValue)),
        ])
    }

    /// Reads the SR's space again.
    private func update(_ sr: Ref<SR>, task: Ref<XenTask>) async throws {
        try await admission.run([.sr(sr, .update)], task: task) {
            let attached = try context.attached(sr)
            do {
                let space = try await attached.manager.space(attached.repository)
                if !attached.manager.info.writesRows { try await context.store(space, of: sr) }
            } catch let error as StorageError {
                throw ErrorMapping.api(error, sr: sr)
            }
        }
    }

    /// No driver can hold a copy of the pool's database that disaster recovery reads.
    private func assertReplication(_ sr: Ref<SR>) throws {
        let row = try context.row(sr)
        let attached = try context.attached(sr)
        guard attached.manager.info.features["SR_METADATA"] != nil else {
            throw APIError("SR_OPERATION_NOT_SUPPORTED", row.ref)
        }
    }
}
