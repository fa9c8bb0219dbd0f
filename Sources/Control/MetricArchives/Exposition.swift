/// How a number looks at `/metrics` (Prometheus text format, version 0.0.4).
public struct Exposition: Hashable, Sendable {
    public enum Kind: String, Sendable { case gauge, counter }

    /// E.g. `gantry_host_memory_total_bytes`; counters end with `_total`.
    public let family: String
    public let kind: Kind
    /// One sentence for the family.
    public let help: String
    /// In the order they are written.
    public let labels: [Label]
    /// What the sample is multiplied with to be in the family's unit.
    public let scale: Double

    public struct Label: Hashable, Sendable {
        public let name: String
        public let value: String
        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    public init(_ family: String, _ kind: Kind, _ help: String, labels: [Label] = [], scale: Double = 1) {
        self.family = family
        self.kind = kind
        self.help = help
        self.labels = labels
        self.scale = scale
    }

    public static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// The text of all readings that have an exposition: each family once, its lines together.
    public static func text(_ readings: [Reading]) -> String {
        var order: [String] = []
        var lines: [String: [String]] = [:]
        var heads: [String: String] = [:]
        var seen: Set<String> = []
        for reading in readings {
            guard let shown = reading.exposition, !reading.sample.isNaN else { continue }
            if heads[shown.family] == nil {
                order.append(shown.family)
                heads[shown.family] =
                    "# HELP \(shown.family) \(escapeHelp(shown.help))\n# TYPE \(shown.family) \(shown.kind.rawValue)\n"
            }
            let name = shown.family + shown.labelText
            // The format allows a series once.
            guard seen.insert(name).inserted else { continue }
            lines[shown.family, default: []].append("\(name) \(number(reading.sample * shown.scale))\n")
        }
        return order.map { (heads[$0] ?? "") + (lines[$0] ?? []).joined() }.joined()
    }

    private var labelText: String {
        if labels.isEmpty { return "" }
        return "{" + labels.map { "\($0.name)=\"\(Self.escape($0.value))\"" }.joined(separator: ",") + "}"
    }

    static func escape(_ value: String) -> String {
        var all = ""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\\": all += "\\\\"
            case "\"": all += "\\\""
            case "\n": all += "\\n"
            default: all.unicodeScalars.append(scalar)
            }
        }
        return all
    }

    private static func escapeHelp(_ text: String) -> String {
        var all = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": all += "\\\\"
            case "\n": all += "\\n"
            default: all.unicodeScalars.append(scalar)
            }
        }
        return all
    }

    private static func number(_ value: Double) -> String {
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        if let whole = Int64(exactly: value) { return String(whole) }
        return String(describing: value)
    }
}
