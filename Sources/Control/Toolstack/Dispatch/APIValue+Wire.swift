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
