import APITypes
import RPCCodec
import Toolstack

/// How the answer to one call is written.
enum AnswerForm: Hashable, Sendable {
    case xml
    /// XML without the `Status` envelope.
    case bareXML
    case json(JSONRPC.Version, JSONRPC.Identifier)

    func encode(_ value: APIValue) -> [UInt8] {
        switch self {
        case .xml: encode(value, in: .xml)
        case .bareXML: XMLRPC.encodeBare(value.wire)
        case .json(let version, let id): encode(value, in: .json(version, id))
        }
    }

    private func encode<Writer: ValueWriter>(_ value: APIValue, in envelope: AnswerEnvelope<Writer>) -> [UInt8] {
        var writer = envelope.empty
        envelope.begin(&writer)
        writer.write(value)
        envelope.end(&writer)
        return writer.bytes
    }

    func encode(failure error: APIError) -> [UInt8] {
        switch self {
        case .xml, .bareXML: XMLRPC.encode(.failure(error.wire))
        case .json(let version, let id): JSONRPC.encode(failure: error.wire, version: version, id: id)
        }
    }
}

extension ValueWriter {
    /// A value of the API in its form on the wire.
    mutating func write(_ value: APIValue) {
        switch value {
        case .string(let text), .ref(let text): string(text)
        case .int(let number): int(number)
        case .bool(let flag): bool(flag)
        case .float(let number): double(number)
        case .datetime(let seconds): dateTime(seconds)
        case .set(let values):
            beginArray()
            for (index, value) in values.enumerated() {
                beginElement(isFirst: index == 0)
                write(value)
            }
            endArray()
        case .map(let entries):
            beginStructure()
            var isFirst = true
            for (name, value) in entries.count > 1 ? entries.sorted(by: { $0.key < $1.key }) : Array(entries) {
                beginMember(name, isFirst: isFirst)
                write(value)
                endMember()
                isFirst = false
            }
            endStructure()
        case .record(let members):
            beginStructure()
            for (index, member) in members.enumerated() {
                beginMember(member.name, isFirst: index == 0)
                write(member)
                endMember()
            }
            endStructure()
        case .void: string("")
        }
    }

    /// The counts in the answer of `event.from` are the only numbers of the API that travel as `i4`.
    mutating func write(_ member: APIMember) {
        guard member.name == "valid_ref_counts", case .map(let counts) = member.value else {
            return write(member.value)
        }
        beginStructure()
        var isFirst = true
        for (name, count) in counts.sorted(by: { $0.key < $1.key }) {
            beginMember(name, isFirst: isFirst)
            if case .int(let number) = count, let small = Int32(exactly: number) { int32(small) } else { write(count) }
            endMember()
            isFirst = false
        }
        endStructure()
    }
}
