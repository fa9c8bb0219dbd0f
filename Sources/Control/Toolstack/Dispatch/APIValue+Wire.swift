public import APITypes
public import RPCCodec

extension APIValue {
    /// The value as it travels.
    public var wire: WireValue {
        switch self {
        case .string(let text), .ref(let text): .string(text)
        case .int(let number): .int(number)
        case .bool(let flag): .bool(flag)
        case .float(let number): .double(number)
        case .datetime(let seconds): .dateTime(DateTimeText.format(seconds))
        case .set(let values): .array(values.map(\.wire))
        case .map(let entries):
            .structure(entries.sorted { $0.key < $1.key }.map { WireMember($0.key, $0.value.wire) })
        case .record(let members): .structure(members.map { WireMember($0.name, $0.wireValue) })
        case .void: .void
        }
    }

    /// What came over the wire, to be sent back as it is.
    init(echo wire: WireValue) {
        self =
            switch wire {
            case .string(let text), .base64(let text): .string(text)
            case .int(let number): .int(number)
            case .int32(let number): .int(Int64(number))
            case .bool(let flag): .bool(flag)
            case .double(let number): .float(number)
            case .dateTime(let text): DateTimeText.parse(text).map(APIValue.datetime) ?? .string(text)
            case .array(let values): .set(values.map(APIValue.init(echo:)))
            case .structure(let members): .record(members.map { APIMember($0.name, APIValue(echo: $0.value)) })
            case .null: .void
            }
    }
}

extension APIMember {
    /// The counts in the answer of `event.from` are the only numbers of the API that travel as `i4`.
    fileprivate var wireValue: WireValue {
        guard name == EventBatch.countsMember, case .map(let counts) = value else { return value.wire }
        return .structure(
            counts.sorted { $0.key < $1.key }.map { name, count in
                guard case .int(let number) = count, let small = Int32(exactly: number) else {
                    return WireMember(name, count.wire)
                }
                return WireMember(name, .int32(small))
            })
    }
}
