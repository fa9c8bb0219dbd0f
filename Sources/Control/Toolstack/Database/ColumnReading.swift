import APITypes
import DataModel
import RPCCodec

extension APIValue {
    /// Reads what `ColumnText` writes. Nil when `text` is no value of the type.
    init?(column text: String, type: ModelType) {
        switch type {
        case .string, .enumeration: self = .string(text)
        case .ref: self = .ref(text)
        case .int:
            guard let number = Int64(text) else { return nil }
            self = .int(number)
        case .bool:
            guard text == "true" || text == "false" else { return nil }
            self = .bool(text == "true")
        case .float:
            guard let number = Double(text) else { return nil }
            self = .float(number)
        case .datetime:
            guard let seconds = DateTimeText.parse(text) else { return nil }
            self = .datetime(seconds)
        case .set(let element):
            guard case .list(let items)? = ColumnList(text) else { return nil }
            var values: [APIValue] = []
            for item in items {
                guard case .atom(let text) = item, let value = APIValue(column: text, type: element) else { return nil }
                values.append(value)
            }
            self = .set(values)
        case .map(_, let valueType):
            guard case .list(let items)? = ColumnList(text) else { return nil }
            var entries: [String: APIValue] = [:]
            for item in items {
                guard case .list(let pair) = item, pair.count == 2, case .atom(let key) = pair[0] else { return nil }
                guard case .atom(let text) = pair[1], let value = APIValue(column: text, type: valueType) else {
                    guard case .set(let element) = valueType, let value = Self.inner(pair[1], element) else {
                        return nil
                    }
                    entries[key] = value
                    continue
                }
                entries[key] = value
            }
            self = .map(entries)
        case .option(let wrapped): self.init(column: text, type: wrapped)
        case .record, .void: return nil
        }
    }

    /// A set inside a map.
    private static func inner(_ list: ColumnList, _ element: ModelType) -> APIValue? {
        guard case .list(let items) = list else { return nil }
        var values: [APIValue] = []
        for item in items {
            guard case .atom(let text) = item, let value = APIValue(column: text, type: element) else { return nil }
            values.append(value)
        }
        return .set(values)
    }
}

/// The lists of atoms that sets and maps are in the database's text: `('a' 'b')`, `(('k' 'v'))`. Atoms are in single or
/// double quotes, in which a backslash stands before itself and before quotes, or bare words.
private enum ColumnList {
    case atom(String)
    case list([ColumnList])

    private static let mostDepth = 8

    init?(_ text: String) {
        var rest = Array(text.utf8)[...]
        guard let read = Self.read(&rest, depth: 0) else { return nil }
        Self.skipBlanks(&rest)
        guard rest.isEmpty else { return nil }
        self = read
    }

    private static func skipBlanks(_ rest: inout ArraySlice<UInt8>) {
        rest = rest.drop { $0 == 0x20 || $0 == 0x09 || $0 == 0x0A || $0 == 0x0D }
    }

    private static func read(_ rest: inout ArraySlice<UInt8>, depth: Int) -> ColumnList? {
        skipBlanks(&rest)
        guard depth < mostDepth, let first = rest.popFirst() else { return nil }
        switch first {
        case UInt8(ascii: "("):
            var items: [ColumnList] = []
            while true {
                skipBlanks(&rest)
                if rest.first == UInt8(ascii: ")") {
                    rest.removeFirst()
                    return .list(items)
                }
                guard let item = read(&rest, depth: depth + 1) else { return nil }
                items.append(item)
            }
        case UInt8(ascii: ")"): return nil
        case UInt8(ascii: "'"), UInt8(ascii: "\""): return quoted(&rest, by: first)
        default:
            let end =
                rest.firstIndex { $0 == 0x20 || $0 == UInt8(ascii: "(") || $0 == UInt8(ascii: ")") } ?? rest.endIndex
            let word = [first] + rest[..<end]
            rest = rest[end...]
            return .atom(String(decoding: word, as: UTF8.self))
        }
    }

    private static func quoted(_ rest: inout ArraySlice<UInt8>, by quote: UInt8) -> ColumnList? {
        var word: [UInt8] = []
        while let byte = rest.popFirst() {
            if byte == quote { return .atom(String(decoding: word, as: UTF8.self)) }
            if byte == UInt8(ascii: "\\") {
                guard let next = rest.popFirst() else { return nil }
                word.append(next)
            } else {
                word.append(byte)
            }
        }
        return nil
    }
}
