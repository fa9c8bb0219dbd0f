import APITypes
import CoreTypes
import PoolDatabase
import StorageMotion

/// Lets moves of disks wait for their turns: an SR takes part in as many copies at once as its `other_config:disk-moves`
/// says, else the pool's, else three; together they move as many bytes a second as its `disk-moves-rate`, or the pool's,
/// says. Whoever waits sees in its task which place it has (`queue_position`). The same holds for a host, which stands for
/// its link to others, and for the link to one address of another pool: there the pool's `link-disk-moves` and `link-disk-moves-rate` count,
/// with `:ADDRESS` behind them for one of them alone, else its `disk-moves`.
actor MoveTurns {
    static let key = "disk-moves"
    static let rateKey = "disk-moves-rate"
    static let standard = 3
    private var line = MoveLine()
    private var begun: Set<Int> = []
    /// Of moves that an earlier toolstack had begun, by their ids.
    private var kept: [String: Int] = [:]
    /// Of moves that have begun, by their ids.
    private var turns: [String: Int] = [:]
    /// Of moves that others carry out: when they are forgotten unless they ask again.
    private var leases: [String: (turn: Int, until: ContinuousClock.Instant)] = [:]
    private static let lease = Duration.seconds(30)

    /// Keeps the place that a move had in an earlier toolstack's line, or, when it copies already, its part of the limits.
    /// Called in the order of the moves, before any other enters; to be paired with `enter` or `drop`.
    func keep(_ repositories: Set<String>, for id: String, isCopying: Bool) {
        kept[id] = isCopying ? line.resume(repositories) : line.join(repositories)
        if isCopying { turns[id] = kept[id] }
    }

    /// The move, of which none or the copy is over, takes no part any more.
    func drop(_ id: String) {
        if let turn = kept.removeValue(forKey: id) { leave(turn) }
    }

    /// Returns when the move `id` may begin; to be paired with `leave`. Throws `CancellationError` when it is cancelled first.
    func enter(
        _ repositories: Set<String>, of id: String = "", database: PoolDatabase, progress: any TaskProgress
    ) async throws -> Int {
        let turn = kept.removeValue(forKey: id) ?? line.join(repositories)
        var told: Int?
        while !advance(turn, database) {
            if progress.cancellation.isCancelled {
                leave(turn)
                throw CancellationError()
            }
            let position = line.position(of: turn)
            if let position, position != told {
                progress.annotate(["phase": "queued", "queue_position": String(position)])
                told = position
            }
            try? await Task.sleep(for: .milliseconds(100))
        }
        if !id.isEmpty { turns[id] = turn }
        if told != nil { progress.annotate(["phase": "starting", "queue_position": "0"]) }
        return turn
    }

    func leave(_ turn: Int) {
        line.leave(turn)
        begun.remove(turn)
        turns = turns.filter { $0.value != turn }
    }

    /// What the copy of the move `id` may use now of the rates of its SRs, bytes per second; nil: no limit.
    func share(of id: String, database: PoolDatabase) -> UInt64? {
        guard let turn = turns[id] else { return nil }
        return line.share(of: turn) { place in
            Self.setting(Self.rateKey, of: place, database).flatMap { ByteCount(parsing: $0)?.bytes }
                .flatMap { $0 == 0 ? nil : $0 }
        }
    }

    /// How the move `id` stands, which another pool's toolstack carries out: it asks again and again, and who does not is forgotten.
    /// `isCopying`: it has had its turn.
    func look(
        _ repositories: Set<String>, of id: String, isCopying: Bool, database: PoolDatabase,
        now: ContinuousClock.Instant = .now
    ) -> TurnAnswer {
        forgetSilent(now)
        let known = leases[id]?.turn
        let turn = known ?? (isCopying ? line.resume(repositories) : line.join(repositories))
        if known == nil, isCopying { begun.insert(turn) }
        leases[id] = (turn, now + Self.lease)
        guard advance(turn, database, now) else { return TurnAnswer(position: line.position(of: turn) ?? 1) }
        turns[id] = turn
        return TurnAnswer(position: 0, bytesPerSecond: share(of: id, database: database))
    }

    func forget(_ id: String) {
        if let known = leases.removeValue(forKey: id) { leave(known.turn) }
    }

    private func forgetSilent(_ now: ContinuousClock.Instant) {
        for (id, lease) in leases where lease.until < now { forget(id) }
    }

    private func advance(
        _ turn: Int, _ database: PoolDatabase, _ now: ContinuousClock.Instant = .now
    ) -> Bool {
        forgetSilent(now)
        begun.formUnion(line.advance { Self.limit($0, database) })
        return begun.contains(turn)
    }

    private static func limit(_ place: String, _ database: PoolDatabase) -> Int {
        setting(key, of: place, database).flatMap { Int($0) } ?? standard
    }

    private static let linkPrefix = "link-"

    /// The place that stands for what goes to an address of another pool.
    static func link(to address: String) -> String { linkPrefix + address }

    /// The word of the SR or host, else of the pool.
    private static func setting(_ key: String, of place: String, _ database: PoolDatabase) -> String? {
        database.read { reader in
            if place.hasPrefix(linkPrefix) {
                let config = reader.rows(Pool.self).first?[Pool.otherConfig] ?? [:]
                let own = "\(linkPrefix)\(key)"
                return config["\(own):\(place.dropFirst(linkPrefix.count))"] ?? config[own]
                    ?? (key == Self.key ? config[key] : nil)
            }
            return reader.row(Ref<SR>(place))?[SR.otherConfig][key] ?? reader.row(Ref<Host>(place))?[Host.otherConfig][
                key]
                ?? reader.rows(Pool.self).first?[Pool.otherConfig][key]
        }
    }
}
