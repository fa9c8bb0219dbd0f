import RPCCodec

/// A call of the storage layer's interface: its arguments have names, and are the members of its one parameter. Names that nobody asks
/// for are later versions', and left alone.
struct StorageLayerCall: Sendable {
    /// E.g. `DATA.MIRROR.receive_start2`.
    let method: String
    private let arguments: WireValue

    init(_ call: RPCCall) {
        method = call.method
        arguments =
            call.parameters.first { parameter in
                if case .structure = parameter { return true }
                return false
            } ?? .structure([])
    }

    /// Bytes of a name.
    static let longest = 1024

    func text(_ name: String) throws(StorageLayerError) -> String {
        guard let text = arguments[name]?.storageText else { throw lacks(name) }
        guard text.utf8.count <= Self.longest else {
            throw .internalError("the argument '\(name)' of \(method.prefix(100)) is longer than \(Self.longest) bytes")
        }
        return text
    }

    func text(_ name: String, default missing: String) -> String { arguments[name]?.storageText ?? missing }

    func flag(_ name: String, default missing: Bool) -> Bool { arguments[name]?.storageFlag ?? missing }

    func number(_ name: String) throws(StorageLayerError) -> Int64 {
        guard let number = arguments[name]?.storageNumber else { throw lacks(name) }
        return number
    }

    func disk(_ name: String) throws(StorageLayerError) -> StorageLayerDisk {
        guard let value = arguments[name], let disk = StorageLayerDisk(value) else { throw lacks(name) }
        return disk
    }

    /// A list of pairs, each of a place and a disk. Earlier versions write such a list, later ones a structure.
    func disksByPlace(_ name: String) throws(StorageLayerError) -> [(place: String, disk: StorageLayerDisk)] {
        let pairs: [(String, WireValue)]
        switch arguments[name] {
        case .structure(let members)?: pairs = members.map { ($0.name, $0.value) }
        case .array(let items)?:
            pairs = items.compactMap { item in
                guard case .array(let pair) = item, pair.count == 2, let place = pair[0].storageText else { return nil }
                return (place, pair[1])
            }
            if pairs.count != items.count { throw lacks(name) }
        default: throw lacks(name)
        }
        var disks: [(String, StorageLayerDisk)] = []
        for (place, value) in pairs {
            guard let disk = StorageLayerDisk(value) else { throw lacks(name) }
            disks.append((place, disk))
        }
        return disks
    }

    private func lacks(_ name: String) -> StorageLayerError {
        .internalError("the call \(method.prefix(100)) lacks its argument '\(name)', or that is not of its type")
    }
}

/// How the values of the interface's types may be written.
extension WireValue {
    var storageText: String? {
        switch self {
        case .string(let text), .dateTime(let text): text
        case .int(let number): String(number)
        default: nil
        }
    }

    var storageFlag: Bool? {
        switch self {
        case .bool(let flag): flag
        case .string("true"), .int(1): true
        case .string("false"), .int(0): false
        default: nil
        }
    }

    /// Integers of 64 bits come without a tag.
    var storageNumber: Int64? {
        switch self {
        case .int(let number): number
        case .int32(let number): Int64(number)
        case .string(let text): Int64(text)
        default: nil
        }
    }

    /// A member that need not be there: earlier versions write a list of one or none.
    var storageOption: WireValue? {
        switch self {
        case .array(let items): items.first
        case .null: nil
        default: self
        }
    }

    /// A dictionary of texts, or a list of pairs of them. Nil when it is neither.
    var storageMap: [String: String]? {
        var map: [String: String] = [:]
        switch self {
        case .structure(let members):
            for member in members {
                guard let text = member.value.storageText else { return nil }
                map[member.name] = text
            }
        case .array(let items):
            for item in items {
                guard case .array(let pair) = item, pair.count == 2, let key = pair[0].storageText,
                    let text = pair[1].storageText
                else { return nil }
                map[key] = text
            }
        default: return nil
        }
        return map
    }

    static func storageMap(_ map: [String: String]) -> WireValue {
        .structure(map.sorted { $0.key < $1.key }.map { WireMember($0.key, .string($0.value)) })
    }
}
