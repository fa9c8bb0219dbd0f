import APITypes
import CoreTypes

/// An offer that the other side takes once moves that are under way there have given room back: it is asked again and again. As a
/// machine's disks are made when its offer is taken, nothing of it is there meanwhile, neither images nor a place in a line: of those
/// who ask, whoever asks first when there is room gets it, after those whom that pool has accepted to wait.
struct WaitingOffer: Sendable {
    typealias Ask = @Sendable () async throws -> MoveAcceptance

    var pause = Duration.seconds(1)
    var patience = OfferPatience()
    let ask: Ask

    /// Returns what the other side has made. Throws `CancellationError`; SR_BACKEND_FAILURE_44 when nothing is given back there any
    /// more, or not within a day; and what else the other side says.
    func accepted(_ progress: any TaskProgress) async throws -> MoveAcceptance {
        var patience = patience
        var told: String?
        while true {
            if progress.cancellation.isCancelled { throw CancellationError() }
            let refusal: APIError
            let answer: OfferPatience.Answer
            let asked = ContinuousClock.now
            do {
                // To make disks takes as long as it does; whoever cancels does not wait for that, and tells the other side.
                let acceptance = try await LongRequest.answer(cancellation: progress.cancellation, to: ask)
                guard let repository = acceptance.waitsFor else {
                    if told != nil { progress.annotate(["phase": "starting", "queue_position": "0", "waits_for": ""]) }
                    return acceptance
                }
                answer = .waits
                refusal = Self.late(repository)
                if told != repository {
                    progress.annotate([
                        "phase": "queued", "waits_for": "room in the SR \(repository) of the other pool",
                    ])
                    told = repository
                }
            } catch let error as APIError where error.code == "SR_BACKEND_FAILURE_44" {
                (answer, refusal) = (.full, error)
            } catch let error as APIError where error.code == "CANNOT_CONTACT_HOST" {
                (answer, refusal) = (.silent, error)
            }
            guard patience.lasts(after: answer, asked: asked, at: .now) else { throw refusal }
            let end = ContinuousClock.now + pause
            while !progress.cancellation.isCancelled, ContinuousClock.now < end {
                try await Task.sleep(for: min(.milliseconds(50), pause))
            }
        }
    }

    private static func late(_ repository: String) -> APIError {
        APIError(
            "SR_BACKEND_FAILURE_44", "",
            "moves under way have not given room back in the SR \(repository) within a day: move it again later", "")
    }
}

/// How long an offer is made again. A value.
struct OfferPatience: Sendable {
    enum Answer: Sendable { case waits, full, silent }

    static let longest = Duration.seconds(86_400)
    /// How often in a row there is to be no room and nobody to give any: a file system may be slow to count what was removed.
    private static let looks = 3

    /// How long the other side may say nothing to one who waits.
    var silence = Duration.seconds(60)
    private var since: ContinuousClock.Instant?
    private var silentSince: ContinuousClock.Instant?
    private var refusals = 0

    init() {}

    /// Whoever was never told to wait does not: the first refusal counts. `asked`: when the question was put; who does not answer it
    /// has said nothing since.
    mutating func lasts(
        after answer: Answer, asked: ContinuousClock.Instant, at now: ContinuousClock.Instant
    ) -> Bool {
        guard answer == .waits || since != nil else { return false }
        switch answer {
        case .waits:
            (refusals, silentSince) = (0, nil)
            let begun = since ?? now
            since = begun
            return now - begun < Self.longest
        case .full:
            silentSince = nil
            refusals += 1
            return refusals < Self.looks
        case .silent:
            let begun = silentSince ?? asked
            silentSince = begun
            return now - begun < silence
        }
    }
}
