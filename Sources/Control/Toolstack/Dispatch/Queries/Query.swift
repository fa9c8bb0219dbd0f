import APITypes
import PoolDatabase

/// A filter of `get_all_where`:
///
///     expr  := value "=" value | expr "and" expr | expr "or" expr | "not" expr | "true" | "false" | "(" expr ")"
///     value := "text" | field "name"
///
/// `not` binds tightest; `and` and `or` share one level and group to the left. A text is in double quotes and has no
/// escapes. Fields have their column names; values are compared as text.
struct Query: Sendable {
    indirect enum Expression: Sendable {
        case constant(Bool)
        case equal(Value, Value)
        case not(Expression)
        /// From left to right. A list, because a client may write any number of them.
        case chain(Expression, [Link])
    }

    struct Link: Sendable {
        let isAnd: Bool
        let operand: Expression
    }

    enum Value: Sendable {
        case text(String)
        /// The position of a field in `ClassSchema.fields`.
        case field(Int)
        case reference
    }

    let root: Expression
    let schema: ClassSchema
    /// How many comparisons it has: what it costs to look at a row.
    let comparisons: Int

    /// Throws INVALID_VALUE [text, what is wrong].
    init(_ text: String, schema: ClassSchema) throws(APIError) {
        var parser = try Parser(text, schema: schema)
        root = try parser.expression()
        try parser.end()
        comparisons = parser.comparisons
        self.schema = schema
    }

    func matches(_ row: Row) -> Bool { matches(ref: row.ref) { row.value(at: $0) } }

    /// The same for an object that is no row: its reference, and its fields by their positions.
    func matches(ref: String, _ field: (Int) -> APIValue) -> Bool { Self.holds(root, ref, field) }

    private static func holds(_ expression: Expression, _ ref: String, _ field: (Int) -> APIValue) -> Bool {
        switch expression {
        case .constant(let flag): flag
        case .equal(.field(let position), .text(let text)), .equal(.text(let text), .field(let position)):
            ColumnText.isEqual(field(position), text)
        case .equal(let left, let right): text(left, ref, field) == text(right, ref, field)
        case .not(let inner): !holds(inner, ref, field)
        case .chain(let first, let links):
            links.reduce(holds(first, ref, field)) { result, link in
                // What cannot change the result is not looked at.
                result == link.isAnd ? holds(link.operand, ref, field) : result
            }
        }
    }

    private static func text(_ value: Value, _ ref: String, _ field: (Int) -> APIValue) -> String {
        switch value {
        case .text(let text): text
        case .field(let position): ColumnText.format(field(position))
        case .reference: ref
        }
    }
}
