import CoreTypes
import RPCCodec
import StorageInterface

/// What `Plugin.Query` answers, as what a storage manager says about itself.
struct PluginDescription {
    let info: StorageManagerInfo
    /// Version 3.0, which has peculiarities.
    let isLegacy: Bool
    /// `Volume.create` takes `image_format`.
    let takesFormat: Bool
    /// What was left out of it, for the log.
    let warnings: [String]

    static let versions = ["3.0", "5.0"]
    /// An extension of ours: the plugin's `Volume.create` takes the format of the image.
    static let formatFeature = "VDI_IMAGE_FORMAT"

    /// Features that a script by its being there stands for.
    static let features = [
        ("SR.attach", "SR_ATTACH"), ("SR.create", "SR_CREATE"), ("SR.destroy", "SR_DELETE"),
        ("SR.detach", "SR_DETACH"), ("SR.ls", "SR_SCAN"), ("SR.stat", "SR_UPDATE"), ("SR.probe", "SR_PROBE"),
        ("Volume.create", "VDI_CREATE"), ("Volume.clone", "VDI_CLONE"), ("Volume.snapshot", "VDI_SNAPSHOT"),
        ("Volume.resize", "VDI_RESIZE"), ("Volume.destroy", "VDI_DELETE"), ("Volume.stat", "VDI_UPDATE"),
    ]

    init(_ value: WireValue, type: String, folder: ScriptFolder) throws(MisshapenRecord) {
        let record = try RecordReader(value)
        let version = try record.text("required_api_version")
        guard Self.versions.contains(version) else {
            throw MisshapenRecord(
                description: "required_api_version is \(version.prefix(20)), not 3.0 or 5.0")
        }
        isLegacy = version == "3.0"
        _ = try record.text("plugin")
        var warnings: [String] = []
        var features: [String: Int64] = [:]
        var takesFormat = false
        for word in try record.texts("features") {
            let (name, version) = DriverDescription.feature(word)
            if name == Self.formatFeature {
                takesFormat = true
                continue
            }
            let known = name == "VDI_DESTROY" ? "VDI_DELETE" : name
            guard DriverDescription.knownFeatures.contains(known) else {
                warnings.append("unknown feature \(word.prefix(100))")
                continue
            }
            features[known] = features[known] ?? version
        }
        for (script, feature) in Self.features where folder.has(script) { features[feature] = features[feature] ?? 1 }
        for feature in ["VDI_ATTACH", "VDI_DETACH", "VDI_ACTIVATE", "VDI_DEACTIVATE", "VDI_INTRODUCE"] {
            features[feature] = features[feature] ?? 1
        }
        // A guest gets a clone of a disk that is reset when it boots, and the disk says which.
        let resets = ["Volume.clone", "Volume.destroy", "Volume.set", "Volume.unset"].allSatisfy(folder.has)
        features["VDI_RESET_ON_BOOT"] = resets ? 2 : nil
        var formats: [ImageFormat] = []
        var unknown: [String] = []
        for word in try record.texts("supported_image_formats", default: []) {
            // Exactly the enum's words: `vpc` is not one.
            if let format = ImageFormat(rawValue: word.lowercased()) {
                if !formats.contains(format) { formats.append(format) }
            } else {
                unknown.append(String(word.prefix(100)))
            }
        }
        if !takesFormat, formats.count > 1 {
            warnings.append("it declares several image formats but not \(Self.formatFeature): only the first counts")
            formats = [formats[0]]
        }
        if takesFormat, formats.isEmpty { takesFormat = false }
        var info = StorageManagerInfo(
            type: type, name: try record.text("name"), description: try record.text("description"),
            vendor: try record.text("vendor"), copyright: try record.text("copyright"),
            version: try record.text("version"), requiredAPIVersion: version, features: features,
            configuration: try record.map("configuration"), supportedImageFormats: formats,
            driverFilename: folder.path, requiredClusterStack: try record.texts("required_cluster_stack", default: []),
            writesRows: true)
        info.unknownImageFormats = unknown
        self.info = info
        self.takesFormat = takesFormat
        self.warnings = warnings
    }
}
