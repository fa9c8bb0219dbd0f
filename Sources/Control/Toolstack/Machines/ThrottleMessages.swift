import APITypes
import DatapathControl
import PoolDatabase

/// Setters of a VBD's `qos` fields. What is in use is held to the new limits from the next request on.
struct ThrottleMessages: Sendable {
    let context: StorageContext

    private typealias Edit = @Sendable (inout [String: String], Ref<VBD>, Arguments) throws -> Void

    func register(in table: inout MessageTable) {
        table.on("VBD.set_qos_algorithm_type") { _, arguments in
            let type: String = try arguments.get(1)
            return try await change(arguments.get(0)) { tx, vbd, row in
                _ = try ThrottleParameters.limits(type: type, row[VBD.qosAlgorithmParams])
                try tx.set(vbd, VBD.qosAlgorithmType, type)
            }
        }
        on("set", in: &table) { entries, _, arguments in entries = try arguments.get(1) }
        on("add_to", in: &table) { entries, vbd, arguments in
            let key: String = try arguments.get(1)
            if entries[key] != nil {
                throw APIError("MAP_DUPLICATE_KEY", "VBD", "qos__algorithm_params", vbd.opaque, key)
            }
            entries[key] = try arguments.get(2)
        }
        on("remove_from", in: &table) { entries, _, arguments in entries[try arguments.get(1)] = nil }
    }

    private func on(_ prefix: String, in table: inout MessageTable, _ edit: @escaping Edit) {
        table.on("VBD.\(prefix)_qos_algorithm_params") { _, arguments in
            try await change(arguments.get(0)) { tx, vbd, row in
                var entries = row[VBD.qosAlgorithmParams]
                try edit(&entries, vbd, arguments)
                _ = try ThrottleParameters.limits(type: row[VBD.qosAlgorithmType], entries)
                try tx.set(vbd, VBD.qosAlgorithmParams, entries)
            }
        }
    }

    private func change(
        _ vbd: Ref<VBD>, _ body: @escaping @Sendable (Transaction, Ref<VBD>, Row) throws -> Void
    ) async throws -> APIValue {
        let uuid = try await context.database.transaction { tx in
            let row = try tx.require(vbd)
            try body(tx, vbd, row)
            return tx.row(row[VBD.vdi])?[VDI.uuid]
        }
        if let uuid { await context.holdToLimits(uuid) }
        return .void
    }
}
