import APITypes
import PoolDatabase

extension Query {
    struct Parser {
        let tokens: [QueryToken]
        let text: String
        let schema: ClassSchema
        private var position = 0
        private var depth = 0
        private(set) var comparisons = 1
        private static let deepest = 200

        init(_ text: String, schema: ClassSchema) throws(APIError) {
            tokens = try QueryToken.all(in: text)
            self.text = text
            self.schema = schema
        }

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
            guard let field = schema.position(column: name) else {
                throw QueryToken.invalid(text, "there is no field \(name)")
            }
            return .field(field)
        }

        private mutating func take(_ token: QueryToken) -> Bool {
            guard position < tokens.count, tokens[position] == token else { return false }
            position += 1
            return true
        }
    }
}
