import APITypes
import CoreTypes
import PoolDatabase

/// What an SR's other_config says of the space reclaimer.
struct ReclaimSettings: Sendable, Hashable {
    /// `coalesce`: "false" leaves the SR's chains as they are.
    var isOn = true
    /// `leaf-coalesce`: "false" leaves disks' own images where they are; only hidden images are merged.
    var mergesLeaves = true
    /// `coalesce-rate`: most bytes moved in a second, as in 50MiB; 0 for no limit.
    var bytesPerSecond: UInt64 = 100 << 20
    /// `coalesce-delay`: seconds from a change of the SR until its chains are looked at.
    var delay: Double = 10

    init() {}

    /// What is not understood counts as if it were not there.
    init(_ config: [String: String]) {
        isOn = config["coalesce"]?.lowercased() != "false"
        mergesLeaves = config["leaf-coalesce"]?.lowercased() != "false"
        if let rate = config["coalesce-rate"].flatMap({ ByteCount(parsing: $0) }) { bytesPerSecond = rate.bytes }
        if let given = config["coalesce-delay"].flatMap({ Double($0) }), given >= 0, given <= 86400 { delay = given }
    }
}
