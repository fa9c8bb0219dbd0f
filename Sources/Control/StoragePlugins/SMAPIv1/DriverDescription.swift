import CoreTypes
import RPCCodec
import StorageInterface

/// What `sr_get_driver_info` answers, as what a storage manager says about itself.
struct DriverDescription {
    let info: StorageManagerInfo
    /// What was left out of it, for the log.
    let warnings: [String]

    /// Names of features that the toolstack knows; others are dropped. Source: SM.features.
    static let knownFeatures: Set<String> = [
        "SR_CREATE", "SR_DELETE", "SR_ATTACH", "SR_DETACH", "SR_SCAN", "SR_PROBE", "SR_UPDATE",
        "SR_SUPPORTS_LOCAL_CACHING", "SR_METADATA", "SR_TRIM", "SR_MULTIPATH", "SR_CACHING", "SR_STATS", "VDI_CREATE",
        "VDI_DELETE", "VDI_ATTACH", "VDI_DETACH", "VDI_MIRROR", "VDI_MIRROR_IN", "VDI_RESIZE", "VDI_RESIZE_ONLINE",
        "VDI_CLONE", "VDI_SNAPSHOT", "VDI_ACTIVATE", "VDI_ACTIVATE_READONLY", "VDI_DEACTIVATE", "VDI_UPDATE",
        "VDI_INTRODUCE", "VDI_GENERATE_CONFIG", "VDI_ATTACH_OFFLINE", "VDI_RESET_ON_BOOT", "VDI_CONFIG_CBT",
        "VDI_COMPOSE", "LARGE_VDI", "THIN_PROVISIONING", "VDI_READ_CACHING", "VDI_REVERT",
    ]

    /// What drivers can do and nobody here asks them for. The toolstack offers an operation by its feature and then carries
    /// it out through the storage manager, which for these drivers has no such call. Without the feature they are refused at
    /// once, with SR_OPERATION_NOT_SUPPORTED, and nothing is left half set.
    static let undrivenFeatures: Set<String> = ["VDI_COMPOSE"]

    /// Features of which the first version is another thing. With VDI_RESET_ON_BOOT/1 a disk was reset by its attachment,
    /// not when its guest boots: a data path that is started again would lose what the guest wrote.
    static let leastVersions: [String: Int64] = ["VDI_RESET_ON_BOOT": 2]

    /// Nil with the reason when something mandatory is missing or of another type.
    static func read(
        _ value: WireValue, type: String, program: String
    ) -> Result<DriverDescription, Misshapen> {
        var warnings: [String] = []
        do throws(Misshapen) {
            var info = StorageManagerInfo(
                type: type, name: try text(value, "name"), description: try text(value, "description"),
                vendor: try text(value, "vendor"), copyright: try text(value, "copyright"),
                version: try text(value, "driver_version"), requiredAPIVersion: try text(value, "required_api_version"),
                features: [:], configuration: [:], supportedImageFormats: [], driverFilename: program,
                writesRows: true)
            for word in try texts(value, "capabilities") {
                let (name, version) = feature(word)
                guard knownFeatures.contains(name) else {
                    if name != "ATOMIC_PAUSE" { warnings.append("unknown capability \(word.prefix(100))") }
                    continue
                }
                if undrivenFeatures.contains(name) || version < leastVersions[name] ?? 1 { continue }
                info.features[name] = info.features[name] ?? version
            }
            info.configuration = try configuration(value)
            if value["supported_image_formats"] != nil {
                for word in try texts(value, "supported_image_formats") {
                    // Exactly the enum's words: `vpc` is not one.
                    if let format = ImageFormat(rawValue: word.lowercased()) {
                        if !info.supportedImageFormats.contains(format) { info.supportedImageFormats.append(format) }
                    } else {
                        info.unknownImageFormats.append(String(word.prefix(100)))
                    }
                }
            }
            return .success(DriverDescription(info: info, warnings: warnings))
        } catch {
            return .failure(error)
        }
    }

    struct Misshapen: Error, CustomStringConvertible {
        let description: String
        /// The end of what the driver wrote to standard error.
        var complaint = ""
    }

    /// `NAME` or `NAME/version`.
    static func feature(_ word: String) -> (name: String, version: Int64) {
        let parts = word.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let version = parts.count > 1 ? Int64(parts[1]) ?? 1 : 1
        return (String(parts[0]), max(1, version))
    }

    private static func text(_ value: WireValue, _ name: String) throws(Misshapen) -> String {
        guard case .string(let text)? = value[name] else {
            throw Misshapen(description: "the member \(name) is missing or no string")
        }
        return text
    }

    private static func texts(_ value: WireValue, _ name: String) throws(Misshapen) -> [String] {
        guard case .array(let items)? = value[name] else {
            throw Misshapen(description: "the member \(name) is missing or no array")
        }
        var texts: [String] = []
        for case let item in items {
            guard case .string(let text) = item else { throw Misshapen(description: "\(name) holds more than strings") }
            texts.append(text)
        }
        return texts
    }

    private static func configuration(_ value: WireValue) throws(Misshapen) -> [String: String] {
        guard case .array(let items)? = value["configuration"] else {
            throw Misshapen(description: "the member configuration is missing or no array")
        }
        var keys: [String: String] = [:]
        for item in items { keys[try text(item, "key")] = try text(item, "description") }
        return keys
    }
}
