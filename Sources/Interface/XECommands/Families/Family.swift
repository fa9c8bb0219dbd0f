/// A family of objects on the command line: what `F-list`, `F-param-get` and the rest of them know of F.
struct Family: Sendable {
    /// The prefix of its commands.
    let name: String
    /// The XenAPI class, in wire spelling.
    let className: String
    /// What a list prints when `params` does not say; empty: everything.
    let columns: [String]
    /// Filters a list has unless it is told otherwise.
    let filters: [(name: String, value: String)]
    /// In print order.
    let fields: [Field]

    private let fieldsByName: [String: Field]

    init(
        _ name: String, className: String, columns: [String], filters: [(String, String)] = [], table: String
    ) {
        self.name = name
        self.className = className
        self.columns = columns
        self.filters = filters.map { (name: $0.0, value: $0.1) }
        fields = table.split(separator: "\n").map { line in
            guard let field = Field(line: line) else { preconditionFailure("table of \(name): \(line)") }
            return field
        }
        fieldsByName = Dictionary(fields.map { ($0.name, $0) }) { first, _ in first }
    }

    func field(_ name: String) -> Field? { fieldsByName[name] }

    /// Every family, in the order of the help text.
    static let all: [Family] = [
        pool, host, sm, sr, pbd, vdi, vbd, vm, template, snapshot, network, pif, vif, task, message, console, subject,
        role,
        secret,
    ]
}
