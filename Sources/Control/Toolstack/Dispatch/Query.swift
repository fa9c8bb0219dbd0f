import APITypes
import PoolDatabase
import RPCCodec

/// A filter of `get_all_where`:
///
///     expr  := value "=" value | expr "and" expr | expr "or" expr | "not" expr | "true" | "false" | "(" expr ")"
///     value := "text" | field "name"
///
/// `not` binds tightest; `and` and `or` share one level and group to the left. A text is in double quotes and has no
/// escapes. Fields have their column names; values are compared as text.
struct Query: Sendable {
    private indirect enum Expression: Sendable {
        case constant(Bool)
        case equal(Value, Value)
        case not(Expression)
        /// From left to right. A list, because a client may write any number of them.
        case chain(Expression, [Link])
    }

    private struct Link: Sendable {
        let isAnd: Bool
        let operand: Expression
    }

    private enum Value: Sendable {
        case text(String)
        case field(String)
        case reference
    }

    private let root: Expression
    /// How many comparisons it has: what it costs to look at a row.
    let comparisons: Int

    /// Throws INVALID_VALUE [text, what is wrong].
    init(_ text: String, schema: ClassSchema?) throws(APIError) {
        var parser = Parser(tokens: try QueryToken.all(in: text), text: text, schema: schema)
        root = try parser.expression()
        try parser.end()
        comparisons = parser.comparisons
    }

    func matches(_ row: Row) -> Bool { matches(ref: row.ref) { row[field: $0] } }

    /// The same for an object that is no row: its reference, and its fields by their wire names.
    func matches(ref: String, _ field: (String) -> APIValue) -> Bool { Self.holds(root, ref, field) }

    private static func holds(_ expression: Expression, _ ref: String, _ field: (String) -> APIValue) -> Bool {
        switch expression {
        case .constant(let flag): flag
        case .equal(let left, let right): text(left, ref, field) == text(right, ref, field)
        case .not(let inner): !holds(inner, ref, field)
        case .chain(let first, let links):
            links.reduce(holds(first, ref, field)) { result, link in
                // What cannot change the result is not looked at.
                result == link.isAnd ? holds(link.operand, ref, field) : result
            }
        }
    }

    private static func text(_ value: Value, _ ref: String, _ field: (String) -> APIValue) -> String {
        switch value {
        case .text(let text): text
        case .field(let name): ColumnText.format(field(name))
        case .reference: ref
        }
    }

    private struct Parser {
        let tokens: [QueryToken]
        let text: String
        let schema: ClassSchema?
        var position = 0
        var depth = 0
        var comparisons = 1
        static let deepest = 200

        mutating func expression() throws(APIError) -> Expression {
            depth += 1
            defer { depth -= 1 }
            guard depth <= Self.deepest else { throw QueryToken.invalid(text, "it nests too deep") }
            let first = try operand()
            var links: [Link] = []
            while true {
                if take(.and) {
                    links.append(Link(isAnd: true, operand: try operand()))
                } else if take(.or) {
                    links.append(Link(isAnd: false, operand: try operand()))
                } else {
                    return links.isEmpty ? first : .chain(first, links)
                }
            }
        }

        mutating func end() throws(APIError) {
            guard position == tokens.count else { throw QueryToken.invalid(text, "there is more after its end") }
        }

        private mutating func operand() throws(APIError) -> Expression {
            comparisons += 1
            // Loops instead of recursing: a client may write any number of "not".
            var isNegated = false
            while take(.not) { isNegated.toggle() }
            let inner: Expression
            if take(.true) {
                inner = .constant(true)
            } else if take(.false) {
                inner = .constant(false)
            } else if take(.open) {
                inner = try expression()
                guard take(.close) else { throw QueryToken.invalid(text, "a closing parenthesis is due") }
            } else {
                let left = try value()
                guard take(.equal) else { throw QueryToken.invalid(text, "an equals sign is due") }
                inner = .equal(left, try value())
            }
            return isNegated ? .not(inner) : inner
        }

        private mutating func value() throws(APIError) -> Value {
            let isField = take(.field)
            guard position < tokens.count, case .text(let name) = tokens[position] else {
                throw QueryToken.invalid(text, isField ? "the name of a field is due" : "a value is due")
            }
            position += 1
            guard isField else { return .text(name) }
            if name == "_ref" { return .reference }
            guard let field = schema?.field(column: name) else {
                throw QueryToken.invalid(text, "there is no field \(name)")
            }
            return .field(field.name)
        }

        private mutating func take(_ token: QueryToken) -> Bool {
            guard position < tokens.count, tokens[position] == token else { return false }
            position += 1
            return true
        }
    }
}

/// A word of the query language.
enum QueryToken: Hashable, Sendable {
    case text(String)
    case and, or, not, `true`, `false`, field
    case equal, open, close

    private static let words: [String: QueryToken] = [
        "and": .and, "or": .or, "not": .not, "true": .true, "false": .false, "field": .field,
    ]

    static func all(in text: String) throws(APIError) -> [QueryToken] {
        var tokens: [QueryToken] = []
        var rest = Substring(text)
        while let letter = rest.first {
            switch letter {
            case " ", "\t", "\n", "\r", "\r\n": rest = rest.dropFirst()
            case "=", "(", ")":
                tokens.append(letter == "=" ? .equal : letter == "(" ? .open : .close)
                rest = rest.dropFirst()
            case "\"":
                rest = rest.dropFirst()
                guard let end = rest.firstIndex(of: "\"") else { throw invalid(text, "a text does not end") }
                tokens.append(.text(String(rest[..<end])))
                rest = rest[end...].dropFirst()
            default:
                let word = rest.prefix { $0.isASCII && $0.isLetter }
                guard let token = words[String(word)] else {
                    throw invalid(text, "\(word.isEmpty ? String(letter) : String(word)) is not a word of it")
                }
                tokens.append(token)
                rest = rest.dropFirst(word.count)
            }
        }
        return tokens
    }

    static func invalid(_ text: String, _ detail: String) -> APIError { APIError("INVALID_VALUE", text, detail) }
}

/// A value as the text that queries compare: sets and maps are S-expressions of single-quoted atoms.
enum ColumnText {
    static func format(_ value: APIValue) -> String {
        switch value {
        case .string(let text), .ref(let text): text
        case .int(let number): String(number)
        case .bool(let flag): flag ? "true" : "false"
        case .float(let number): FloatText.format(number)
        case .datetime(let seconds): DateTimeText.format(seconds)
        case .set(let values): "(\(values.map(atom).joined(separator: " ")))"
        case .map(let entries): pairs(entries.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
        case .record(let members): pairs(members.map { ($0.name, $0.value) })
        case .void: ""
        }
    }

    private static func pairs(_ pairs: [(String, APIValue)]) -> String {
        "(\(pairs.map { "(\(atom(.string($0))) \(atom($1)))" }.joined(separator: " ")))"
    }

    private static func atom(_ value: APIValue) -> String {
        switch value {
        case .set, .map, .record: return format(value)
        default:
            let text = format(value).replacing("\\", with: "\\\\").replacing("'", with: "\\'")
            return "'\(text)'"
        }
    }
}
