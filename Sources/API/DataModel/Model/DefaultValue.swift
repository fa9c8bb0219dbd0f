/// The value a field or a parameter has when none is given.
public indirect enum DefaultValue: Hashable, Sendable {
    /// A string, or an enum by its exact spelling.
    case string(String)
    case int(Int64)
    case bool(Bool)
    case float(Double)
    /// Seconds since 1970-01-01T00:00:00Z.
    case datetime(Int64)
    case ref(String)
    case set([DefaultValue])
    /// Keys in their text form.
    case map([String: DefaultValue])

    /// `OpaqueRef:NULL`.
    public static let nullRef = DefaultValue.ref("OpaqueRef:NULL")
    /// 1970-01-01T00:00:00Z, which stands for "never".
    public static let never = DefaultValue.datetime(0)
    public static let emptySet = DefaultValue.set([])
    public static let emptyMap = DefaultValue.map([:])
}
