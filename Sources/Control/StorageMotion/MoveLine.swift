/// The moves that want to begin and those that copy: who may, and who waits in which place. A pure value.
///
/// A move begins when each of its SRs has fewer copying moves than its limit and nobody before it waits for one of them. Who called
/// earlier comes before who called later: the line is fair, and nobody waits for an SR that only others need.
public struct MoveLine: Sendable {
    private struct Waiting: Sendable {
        let id: Int
        let repositories: Set<String>
        /// When its call came; nil: not known.
        let called: Int64?
    }

    private var waiting: [Waiting] = []
    private var copying: [Int: Set<String>] = [:]
    private var next = 0

    public init() {}

    /// Puts a move at the end of the line, before those there whose calls came after `called`: what is found out before it joins takes
    /// one longer than another. Returns its number.
    public mutating func join(_ repositories: Set<String>, called: Int64? = nil) -> Int {
        next += 1
        var place = waiting.count
        if let called {
            while place > 0, let other = waiting[place - 1].called, other > called { place -= 1 }
        }
        waiting.insert(Waiting(id: next, repositories: repositories, called: called), at: place)
        return next
    }

    /// Notes a move that copies already, whatever the limits say. Returns its number.
    public mutating func resume(_ repositories: Set<String>) -> Int {
        next += 1
        copying[next] = repositories
        return next
    }

    /// Lets those begin who may now; returns their numbers. A limit is 1 at least.
    public mutating func advance(limit: (String) -> Int) -> [Int] {
        var taken: [String: Int] = [:]
        for repositories in copying.values { for each in repositories { taken[each, default: 0] += 1 } }
        var blocked: Set<String> = []
        var begun: [Int] = []
        waiting.removeAll { move in
            let mayBegin = move.repositories.allSatisfy {
                !blocked.contains($0) && taken[$0, default: 0] < max(1, limit($0))
            }
            guard mayBegin else {
                blocked.formUnion(move.repositories)
                return false
            }
            for each in move.repositories { taken[each, default: 0] += 1 }
            copying[move.id] = move.repositories
            begun.append(move.id)
            return true
        }
        return begun
    }

    /// The move's copy is over, or it waits no longer.
    public mutating func leave(_ id: Int) {
        copying[id] = nil
        waiting.removeAll { $0.id == id }
    }

    /// 1 for the first that waits for any of the SRs that this one waits for, itself included; nil when it does not wait.
    public func position(of id: Int) -> Int? {
        guard let own = waiting.first(where: { $0.id == id }) else { return nil }
        return 1 + waiting.prefix { $0.id != id }.count { !$0.repositories.isDisjoint(with: own.repositories) }
    }

    /// What a copying move may use of its SRs' rates, bytes per second: an SR's copies share its rate evenly. Nil: no limit.
    public func share(of id: Int, rate: (String) -> UInt64?) -> UInt64? {
        guard let own = copying[id] else { return nil }
        return own.compactMap { place in
            rate(place).map { max(1, $0 / UInt64(copying.values.count { $0.contains(place) })) }
        }.min()
    }

    public var isEmpty: Bool { waiting.isEmpty && copying.isEmpty }
}
