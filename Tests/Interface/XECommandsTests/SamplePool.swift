import RPCCodec
import XenAPIClient

/// A pool of one host, two SRs, three disks, one machine and one template.
enum SamplePool {
    static let hostUUID = "11111111-0000-4000-8000-000000000001"
    static let sourceUUID = "22222222-0000-4000-8000-000000000001"
    static let targetUUID = "22222222-0000-4000-8000-000000000002"
    static let diskUUID = "33333333-0000-4000-8000-000000000001"
    static let machineUUID = "44444444-0000-4000-8000-000000000001"

    static func make() -> FakeToolstack {
        let pool = FakeToolstack()
        let host = pool.add(
            "host", uuid: hostUUID, [("name_label", .string("alpha")), ("name_description", .string(""))])
        pool.add(
            "pool", uuid: "00000000-0000-4000-8000-000000000001",
            [
                ("name_label", .string("")), ("name_description", .string("")), ("master", .string(host)),
                ("default_SR", .string("OpaqueRef:NULL")), ("migration_compression", .bool(false)),
            ])
        let sr = "OpaqueRef:\(sourceUUID)"
        let connection = pool.add(
            "PBD", uuid: "55555555-0000-4000-8000-000000000001",
            [
                ("host", .string(host)), ("SR", .string(sr)),
                ("device_config", .members([("location", .string("/srv"))])),
                ("currently_attached", .bool(true)), ("other_config", .members([])),
            ])
        addSR(pool, sourceUUID, "fast, small", [connection])
        addSR(pool, targetUUID, "slow", [connection, connection])
        addDisk(pool, diskUUID, "disk0", size: "1073741824", tags: ["gold", "db"])
        addDisk(pool, "33333333-0000-4000-8000-000000000002", "disk1", size: "512", tags: [])
        addMachine(pool, machineUUID, "guest", isTemplate: false)
        addMachine(pool, "44444444-0000-4000-8000-000000000002", "guest", isTemplate: true)
        return pool
    }

    static func addSR(_ pool: FakeToolstack, _ uuid: String, _ label: String, _ connections: [String]) {
        pool.add(
            "SR", uuid: uuid,
            [
                ("name_label", .string(label)), ("name_description", .string("")),
                ("allowed_operations", .array([.string("scan"), .string("vdi_create"), .string("pbd_create")])),
                ("current_operations", .members([("OpaqueRef:t", .string("vdi_mirror"))])),
                ("PBDs", .array(connections.map { .string($0) })), ("type", .string("file")),
                ("content_type", .string("user")),
                ("shared", .bool(false)),
            ])
    }

    static func addDisk(_ pool: FakeToolstack, _ uuid: String, _ label: String, size: String, tags: [String]) {
        pool.add(
            "VDI", uuid: uuid,
            [
                ("name_label", .string(label)), ("name_description", .string("")),
                ("SR", .string("OpaqueRef:\(sourceUUID)")),
                ("VBDs", .array([])), ("virtual_size", .string(size)), ("type", .string("user")),
                ("sharable", .bool(false)),
                ("read_only", .bool(false)),
                ("other_config", .members([("owner", .string("me")), ("colour", .string("blue"))])),
                ("parent", .string("OpaqueRef:NULL")), ("snapshot_time", .dateTime("19700101T00:00:00Z")),
                ("tags", .array(tags.map { .string($0) })), ("on_boot", .string("persist")),
                ("snapshot_of", .string("OpaqueRef:gone")),
            ])
    }

    static func addMachine(_ pool: FakeToolstack, _ uuid: String, _ label: String, isTemplate: Bool) {
        pool.add(
            "VM", uuid: uuid,
            [
                ("name_label", .string(label)), ("name_description", .string("")), ("power_state", .string("Halted")),
                ("is_a_template", .bool(isTemplate)), ("is_a_snapshot", .bool(false)),
                ("is_control_domain", .bool(false)),
                ("memory_static_max", .string("268435456")), ("affinity", .string("OpaqueRef:NULL")),
                ("HVM_shadow_multiplier", .double(1)),
            ])
    }
}
