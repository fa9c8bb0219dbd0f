import APITypes
import PoolDatabase

extension Query {
    /// The rows that match, oldest first. Only those are looked at that an index gives; where none helps, a query may be
    /// long and the rows many, and others get their turn in between.
    func rows(in database: PoolDatabase) async throws -> RowList {
        let candidates = database.read { reader -> RowList? in
            // More rows than there are would cost more than to look at all of them.
            var budget = reader.count(className: schema.name) + Self.few
            return indexed(root, reader, &budget).map { RowList(schema: schema, $0) }
                ?? reader.list(className: schema.name)
        }
        var found = RowList(schema: schema, [])
        guard let candidates else { return found }
        let turn = max(1, Self.comparisonsInATurn / comparisons)
        for start in stride(from: 0, to: candidates.count, by: turn) {
            let end = min(candidates.count, start + turn)
            found.append(candidates, at: start..<end, where: matches)
            guard end < candidates.count else { break }
            await Task.yield()
            try Task.checkCancellation()
        }
        return found
    }

    /// Some milliseconds.
    private static let comparisonsInATurn = 50_000

    /// Rows among which are all that match the expression, in any order and perhaps more than once; nil where that is
    /// every row, as far as the indexes know.
    private func indexed(_ expression: Expression, _ reader: any DatabaseReader, _ budget: inout Int) -> [Row]? {
        switch expression {
        case .constant(let flag): flag ? nil : []
        case .equal(.field(let position), .text(let text)), .equal(.text(let text), .field(let position)):
            indexed(position, text, reader, &budget)
        case .equal(.reference, .text(let text)), .equal(.text(let text), .reference):
            reader.row(className: schema.name, ref: text).map { [$0] } ?? []
        case .equal, .not: nil
        case .chain(let first, let links):
            links.reduce(into: indexed(first, reader, &budget)) { all, link in
                if !link.isAnd {
                    // Every row already, or the rows of both.
                    guard all != nil else { return }
                    let more = indexed(link.operand, reader, &budget)
                    if let more { all?.append(contentsOf: more) } else { all = nil }
                } else if all?.count ?? .max > Self.few, let more = indexed(link.operand, reader, &budget) {
                    // Either side is enough, the shorter one is better.
                    if more.count < all?.count ?? .max { all = more }
                }
            }
        }
    }

    /// Where so few are left, no other index is asked.
    private static let few = 32

    private func indexed(
        _ position: Int, _ text: String, _ reader: any DatabaseReader, _ budget: inout Int
    ) -> [Row]? {
        let field = schema.fields[position]
        let value: APIValue
        switch field.initial {
        case .string: value = .string(text)
        case .ref: value = .ref(text)
        default: return nil
        }
        guard budget > 0 else { return nil }
        let rows = reader.rows(className: schema.name, field: field.name, equals: value)
        budget -= rows?.count ?? 0
        return rows
    }
}
