/// What a number in an archive means.
public struct MetricSource: Hashable, Sendable {
    /// How the samples of a source become its values.
    public enum Kind: String, Sendable {
        /// The sample is the value.
        case gauge = "GAUGE"
        /// The samples count up; the value is the increase per second.
        case counter = "DERIVE"
    }

    /// E.g. `cpu0`, `vbd_xvda_read`; unique within an archive.
    public let name: String
    public let description: String
    /// For people: `B/s`, `KiB`, `(fraction)`, …
    public let units: String
    public let kind: Kind
    public let minimum: Double
    public let maximum: Double

    public init(
        _ name: String, _ description: String, units: String, kind: Kind = .gauge, minimum: Double = 0,
        maximum: Double = .infinity
    ) {
        self.name = name
        self.description = description
        self.units = units
        self.kind = kind
        self.minimum = minimum
        self.maximum = maximum
    }
}

/// One look at a source.
public struct Reading: Sendable {
    public let source: MetricSource
    /// The value of a gauge, or how far a counter has come. NaN: not known now.
    public let sample: Double
    /// How `/metrics` shows it; nil for numbers that follow from others.
    public let exposition: Exposition?
    /// False for numbers that only `/metrics` shows.
    public var isArchived: Bool

    public init(_ source: MetricSource, _ sample: Double, _ exposition: Exposition? = nil, isArchived: Bool = true) {
        self.source = source
        self.sample = sample
        self.exposition = exposition
        self.isArchived = isArchived
    }
}

/// How several points in time become one.
public enum Consolidation: String, Sendable, CaseIterable {
    case average = "AVERAGE"
    case minimum = "MIN"
    case maximum = "MAX"
}

/// Who an archive is about.
public enum MetricOwner: Hashable, Sendable {
    case host(String)
    case vm(String)
    case sr(String)

    public var uuid: String {
        switch self {
        case .host(let uuid), .vm(let uuid), .sr(let uuid): uuid
        }
    }

    /// The word in legends and file names.
    public var word: String {
        switch self {
        case .host: "host"
        case .vm: "vm"
        case .sr: "sr"
        }
    }

    /// The owner by its word; nil for other words.
    public init?(word: String, uuid: String) {
        switch word {
        case "host": self = .host(uuid)
        case "vm": self = .vm(uuid)
        case "sr": self = .sr(uuid)
        default: return nil
        }
    }
}
