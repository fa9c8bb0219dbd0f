/// Moves whose offers are not taken any more: they are over, and nothing durable is left of them. An offer needs a session, and sessions
/// end with the toolstack; so it is enough to know them for as long as that runs. A value; the latest `most` are kept.
struct ForgottenMoves: Sendable {
    /// No offer is on its way for as long as so many others take.
    static let most = 65536

    private let limit: Int
    private var ids: Set<String> = []
    /// In the order in which they are replaced, from `next` on.
    private var order: [String] = []
    private var next = 0

    init(limit: Int = Self.most) { self.limit = limit }

    func contains(_ id: String) -> Bool { ids.contains(id) }

    mutating func insert(_ id: String) {
        guard ids.insert(id).inserted else { return }
        if order.count < limit { return order.append(id) }
        ids.remove(order[next])
        order[next] = id
        next = (next + 1) % limit
    }
}
