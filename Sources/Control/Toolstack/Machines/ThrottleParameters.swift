import APITypes
import DatapathControl
import PoolDatabase

/// What a VBD's `qos_algorithm_type` and `qos_algorithm_params` say: with the type `throttle`, the rates that its disk is held
/// to. Other types are kept and have no effect, as clients of other toolstacks expect.
///
/// Keys: `iops`, `read-iops`, `write-iops`, `bytes-per-second`, `read-bytes-per-second`, `write-bytes-per-second`, each with
/// `-burst` for what may pass at once after a rest (without it, what a tenth of a second lets pass). Values: decimal numbers of 1
/// or more; a burst alone limits nothing, as between the removal of a rate and its next value. A typing error would leave a disk
/// without its limit: what is not known is refused.
enum ThrottleParameters {
    static let algorithm = "throttle"

    private typealias Place = WritableKeyPath<DiskLimitSettings, DiskLimitSettings.Rate?> & Sendable

    private static let keys: [(name: String, rate: any Place)] = [
        ("iops", \.operations), ("read-iops", \.readOperations), ("write-iops", \.writeOperations),
        ("bytes-per-second", \.bytes), ("read-bytes-per-second", \.readBytes),
        ("write-bytes-per-second", \.writeBytes),
    ]
    private static let burst = "-burst"
    private static let most: UInt64 = 1_000_000_000_000_000

    /// Throws INVALID_VALUE [key, value].
    static func limits(type: String, _ parameters: [String: String]) throws(APIError) -> DiskLimitSettings {
        var limits = DiskLimitSettings()
        guard type == algorithm else { return limits }
        for (key, value) in parameters.sorted(by: { $0.key < $1.key }) {
            let base = key.hasSuffix(burst) ? String(key.dropLast(burst.count)) : key
            guard let known = keys.first(where: { $0.name == base }), let number = UInt64(value),
                (1...most).contains(number)
            else { throw APIError("INVALID_VALUE", "qos_algorithm_params:\(key)", value) }
            if base == key {
                let most = parameters[key + burst].flatMap { UInt64($0) }
                limits[keyPath: known.rate] = DiskLimitSettings.Rate(perSecond: number, burst: most)
            }
        }
        return limits
    }

    /// A disk that several VBDs use is held to the least of what each of them says. VBDs that say nothing sensible, from before
    /// it was looked at, say nothing.
    static func limits(of vdi: Row, _ reader: some DatabaseReader) -> DiskLimitSettings {
        let ref = vdi.typedRef(VDI.self)
        var all = DiskLimitSettings()
        for vbd in reader.rows(VBD.self, where: VBD.vdi, is: ref)
        where vbd[VBD.currentlyAttached] || vbd[VBD.reserved] {
            guard let own = try? Self.limits(type: vbd[VBD.qosAlgorithmType], vbd[VBD.qosAlgorithmParams])
            else { continue }
            for (_, rate) in keys {
                guard let new = own[keyPath: rate] else { continue }
                if let old = all[keyPath: rate], old.perSecond <= new.perSecond { continue }
                all[keyPath: rate] = new
            }
        }
        return all
    }
}
