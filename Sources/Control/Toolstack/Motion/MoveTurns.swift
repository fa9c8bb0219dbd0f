import APITypes
import CoreTypes
import Logging
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
    private let logger: Logger?
    /// The words that were passed over, by where they stand: each is told once.
    private var passedOver: [MoveLimit.Place: String] = [:]
    private var line = MoveLine()
    private var begun: Set<Int> = []
    /// Of moves that an earlier toolstack had begun, by their ids.
    private var kept: [String: Int] = [:]
    /// Of moves that have begun, by their ids.
    private var turns: [String: Int] = [:]
    /// Of moves that others carry out: when they are forgotten unless they ask again.
    private var leases: [String: (turn: Int, until: ContinuousClock.Instant)] = [:]
    private static let lease = Duration.seconds(30)

    /// `logger`: told of words that are no limits; nil: nobody.
    init(logger: Logger? = nil) { self.logger = logger }

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

    /// Returns when the move `id` may begin, whose call came at `called`; to be paired with `leave`. Throws `CancellationError` when it
    /// is cancelled first.
    func enter(
        _ repositories: Set<String>, of id: String = "", called: Int64? = nil, database: PoolDatabase,
        progress: any TaskProgress
    ) async throws -> Int {
        let turn = kept.removeValue(forKey: id) ?? line.join(repositories, called: called)
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
        var limits: [String: MoveLimit] = [:]
        begun.formUnion(
            line.advance { place in
                let limit = limits[place] ?? Self.limit(of: place, database)
                limits[place] = limit
                return limit.count
            })
        for limit in limits.values { tell(limit) }
        return begun.contains(turn)
    }

    private func tell(_ limit: MoveLimit) {
        for (place, word) in limit.passedOver where passedOver[place] != word {
            passedOver[place] = word
            logger?.warning(
                "what limits the moves at once is no number of 1 or more, and is passed over",
                metadata: ["in": "\(place)", "value": "\(word.prefix(100))", "limit": "\(limit.count)"])
        }
    }

    /// How many moves the SR or host, or the link, takes part in at once.
    static func limit(of place: String, _ database: PoolDatabase) -> MoveLimit {
        MoveLimit(words(key, of: place, database))
    }

    private static let linkPrefix = "link-"

    /// The place that stands for what goes to an address of another pool.
    static func link(to address: String) -> String { linkPrefix + address }

    /// The word of the SR or host, else of the pool.
    private static func setting(_ key: String, of place: String, _ database: PoolDatabase) -> String? {
        words(key, of: place, database).first?.word
    }

    /// What is written, and where: what counts first comes first.
    private static func words(
        _ key: String, of place: String, _ database: PoolDatabase
    ) -> [(place: MoveLimit.Place, word: String)] {
        database.read { reader in
            var found: [(place: MoveLimit.Place, word: String)] = []
            func look(_ object: String, _ row: Row?, _ config: [String: String]?, _ keys: [String]) {
                guard let row, let config, let uuid = String(api: row[field: "uuid"]) else { return }
                for key in keys {
                    guard let word = config[key] else { continue }
                    found.append((MoveLimit.Place(object: object, uuid: uuid, key: key), word))
                }
            }
            var common = [key]
            if place.hasPrefix(linkPrefix) {
                let own = "\(linkPrefix)\(key)"
                common = ["\(own):\(place.dropFirst(linkPrefix.count))", own] + (key == Self.key ? [key] : [])
            } else {
                let (sr, host) = (reader.row(Ref<SR>(place)), reader.row(Ref<Host>(place)))
                look("SR", sr, sr?[SR.otherConfig], [key])
                look("host", host, host?[Host.otherConfig], [key])
            }
            let pool = reader.rows(Pool.self).first
            look("pool", pool, pool?[Pool.otherConfig], common)
            return found
        }
    }
}
