/// What may be done with a field; printed behind its name.
enum FieldMarker: String, Sendable {
    case readOnly = "RO"
    case readWrite = "RW"
    case readOnlySet = "SRO"
    case readWriteSet = "SRW"
    case readOnlyMap = "MRO"
    case readWriteMap = "MRW"

    /// ` ( RO)`, ` (SRW)`, …
    var label: String {
        switch self {
        case .readOnly, .readWrite: " ( \(rawValue))"
        default: " (\(rawValue))"
        }
    }

    var isSet: Bool { self == .readOnlySet || self == .readWriteSet }
    var isMap: Bool { self == .readOnlyMap || self == .readWriteMap }
    var isWritable: Bool { self == .readWrite || self == .readWriteSet || self == .readWriteMap }
}
