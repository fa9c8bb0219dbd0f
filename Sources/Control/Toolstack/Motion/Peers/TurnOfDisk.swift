import APITypes
import CoreTypes
import Synchronization

/// What a toolstack says of a disk that it wants to copy to another pool: it stands in the line of the SR there.
struct TurnQuestion: Codable, Hashable, Sendable {
    /// As in the offer.
    var vdi: String
    /// It copies already: whoever asks has had its turn, of which a toolstack that was started since knows nothing.
    var isCopying: Bool
    /// It wants nothing any more.
    var isOver: Bool
}

struct TurnAnswer: Codable, Hashable, Sendable {
    /// 0: it is its turn. Else its place among those that wait.
    var position: Int
    /// What the SR's rate leaves to it; nil: no limit.
    var bytesPerSecond: UInt64?

    /// The same: 0, which nobody is left, must not lift the limits of this side, where it is none.
    var limit: UInt64? { bytesPerSecond == 0 ? nil : bytesPerSecond }
}

/// The turn of one disk in the line of the SR of another pool that it goes to (`MoveTurns.look`). The other side is asked again and
/// again, before and while the disk is copied: it forgets whoever does not ask.
actor TurnOfDisk {
    typealias Ask = @Sendable (TurnQuestion) async throws -> TurnAnswer

    private let vdi: String
    private let ask: Ask
    private let pause: Duration
    /// How long the other side may say nothing to one who waits.
    private let patience: Duration
    private var keeper: Task<Void, Never>?
    private(set) var bytesPerSecond: UInt64?

    /// What was wished of the mirror holds before it begins, too: a minute, unless something else is said.
    static func patience(_ retrySeconds: UInt64?) -> Duration { .seconds(min(retrySeconds ?? 60, 1_000_000)) }

    init(
        _ vdi: String, pause: Duration = .milliseconds(500), patience: Duration = patience(nil), ask: @escaping Ask
    ) {
        (self.vdi, self.ask, self.pause, self.patience) = (vdi, ask, pause, patience)
    }

    /// Returns when the disk may be copied; to be paired with `leave`, also when it throws: `CancellationError`, and what the other
    /// side says to it. Its place is in the task's `queue_position`.
    func enter(_ progress: any TaskProgress) async throws {
        var (told, silent): (Int?, ContinuousClock.Instant?) = (nil, nil)
        while true {
            if progress.cancellation.isCancelled { throw CancellationError() }
            do {
                let answer = try await ask(TurnQuestion(vdi: vdi, isCopying: false, isOver: false))
                silent = nil
                bytesPerSecond = answer.limit
                if answer.position <= 0 { break }
                if answer.position != told {
                    progress.annotate(["phase": "queued", "queue_position": String(answer.position)])
                    told = answer.position
                }
            } catch let error as APIError where error.code == "CANNOT_CONTACT_HOST" {
                // It is being started again, perhaps.
                let since = silent ?? .now
                if ContinuousClock.now - since >= patience { throw error }
                silent = since
            }
            try? await Task.sleep(for: pause)
        }
        if told != nil { progress.annotate(["phase": "starting", "queue_position": "0"]) }
        keeper = Task { await keep() }
    }

    private func keep() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: pause * 2)
            if Task.isCancelled { return }
            // Who does not answer now does not end a copy: the copy's own connection is what counts.
            guard let answer = try? await ask(TurnQuestion(vdi: vdi, isCopying: true, isOver: false)) else { continue }
            bytesPerSecond = answer.limit
        }
    }

    /// Nobody waits for the other side to hear of it, which would find out by itself.
    func leave() {
        let (last, ask, vdi) = (keeper, self.ask, self.vdi)
        last?.cancel()
        (keeper, bytesPerSecond) = (nil, nil)
        Task {
            await last?.value
            _ = try? await ask(TurnQuestion(vdi: vdi, isCopying: false, isOver: true))
        }
    }
}

/// The lines of another pool that disks stand in besides those here. Two pools that send to each other never wait for each other in
/// a circle: everybody enters the line of the pool with the lesser uuid first; where both have the same, as a pool has that was restored
/// from a dump beside the first, that of the host with the lesser reference.
struct PeerLine: Sendable {
    let link: PeerLink
    let isFirst: Bool

    /// Who has a line: a toolstack, by its pool's uuid and its host's reference, which both sides know alike.
    struct Owner: Sendable {
        /// Nil: an earlier version does not say.
        let pool: String?
        let host: String
    }

    /// Nil where the other side knows no such line.
    init?(_ link: PeerLink, _ accepted: MoveAcceptance, at host: String, here: Owner) {
        guard accepted.takes?.contains(MoveAcceptance.turns) == true else { return nil }
        self.link = link
        isFirst = Self.isFirst(Owner(pool: accepted.pool, host: host), before: here)
    }

    /// Whether the line `there` is entered before the one `here`. Of two that are not the same always one is first, whoever asks.
    static func isFirst(_ there: Owner, before here: Owner) -> Bool {
        guard let far = there.pool, let near = here.pool else { return false }
        return (far, there.host) < (near, here.host)
    }

    /// `retrySeconds`: how long the other side may say nothing to one who waits; nil: as long as usual.
    func turn(of vdi: String, retrySeconds: UInt64?) -> TurnOfDisk {
        TurnOfDisk(vdi, patience: TurnOfDisk.patience(retrySeconds)) { [link] question in
            try await link.ask("turn", question, limit: .seconds(20), as: TurnAnswer.self)
        }
    }
}
