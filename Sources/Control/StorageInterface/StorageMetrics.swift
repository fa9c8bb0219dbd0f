/// What a storage manager's program measures by itself, as it wrote it down last.
public struct StorageMetrics: Sendable, Hashable {
    /// When it was written: seconds since 1970.
    public var time: Double
    public var all: [StorageMetric]

    public init(time: Double, all: [StorageMetric]) {
        self.time = time
        self.all = all
    }
}

/// One of those numbers.
public struct StorageMetric: Sendable, Hashable {
    /// What it is about: the host, or the VM or SR with this uuid.
    public enum Owner: Sendable, Hashable {
        case host
        case machine(String)
        case repository(String)
    }

    public enum Kind: Sendable, Hashable {
        case gauge
        /// It counts up.
        case counter
        /// What has happened since it was written before.
        case increase
    }

    public var name: String
    public var description: String
    public var units: String
    public var owner: Owner
    public var kind: Kind
    public var value: Double
    public var minimum: Double
    public var maximum: Double
    /// It is recorded without being asked for.
    public var isDefault: Bool

    public init(
        name: String, description: String, units: String, owner: Owner, kind: Kind, value: Double,
        minimum: Double = -.infinity, maximum: Double = .infinity, isDefault: Bool = true
    ) {
        self.name = name
        self.description = description
        self.units = units
        self.owner = owner
        self.kind = kind
        self.value = value
        self.minimum = minimum
        self.maximum = maximum
        self.isDefault = isDefault
    }
}
