import APITypes
import CoreTypes
import StorageManagers
import StorageMotion
import Synchronization
import Testing

@testable import Toolstack

/// Machines for which there is no room in another pool yet.
@Suite struct WaitingOfferTests {
    private enum Reply: Sendable { case waits, full, silent, refused, taken }

    /// Says what it was told to say, the last of it again and again.
    private final class Peer: Sendable {
        private let replies: Mutex<[Reply]>
        private let count = Atomic<Int>(0)
        let cancellation: CancellationFlag?

        init(_ replies: [Reply], cancelling cancellation: CancellationFlag? = nil) {
            self.replies = Mutex(replies)
            self.cancellation = cancellation
        }

        var asked: Int { count.load(ordering: .relaxed) }

        func answer() throws -> MoveAcceptance {
            count.add(1, ordering: .relaxed)
            let reply = replies.withLock { $0.count > 1 ? $0.removeFirst() : $0.first }
            cancellation?.cancel()
            switch reply {
            case .waits: return MoveAcceptance(machine: "", disks: [], waitsFor: "s")
            case .full: throw APIError("SR_BACKEND_FAILURE_44", "", "full", "")
            case .silent: throw APIError("CANNOT_CONTACT_HOST", "far")
            case .refused: throw APIError("HOST_DISABLED", "h")
            case .taken, nil: return MoveAcceptance(machine: "m", disks: [])
            }
        }
    }

    private final class Seen: TaskProgress {
        let cancellation = CancellationFlag()
        private let notes = Mutex<[[String: String]]>([])
        var all: [[String: String]] { notes.withLock { $0 } }
        func report(_ fraction: Double) {}
        func annotate(_ entries: [String: String]) { notes.withLock { $0.append(entries) } }
    }

    private func outcome(_ peer: Peer, _ progress: any TaskProgress = UnwatchedProgress()) async -> String {
        do {
            return try await WaitingOffer(pause: .zero) { try peer.answer() }.accepted(progress).machine
        } catch let error as APIError {
            return error.code
        } catch {
            return "\(error is CancellationError)"
        }
    }

    @Test func whoIsToldToWaitAsksUntilThereIsRoom() async {
        let cases: [([Reply], String, Int)] = [
            ([.taken], "m", 1), ([.full], "SR_BACKEND_FAILURE_44", 1), ([.silent], "CANNOT_CONTACT_HOST", 1),
            ([.refused], "HOST_DISABLED", 1), ([.waits, .waits, .taken], "m", 3),
            // Slow to count, and cut off for a moment.
            ([.waits, .full, .full, .taken], "m", 4), ([.waits, .silent, .silent, .taken], "m", 4),
            ([.waits, .full], "SR_BACKEND_FAILURE_44", 4),
            ([.waits, .full, .waits, .full], "SR_BACKEND_FAILURE_44", 6),
            ([.waits, .refused], "HOST_DISABLED", 2),
        ]
        for (replies, end, asked) in cases {
            let peer = Peer(replies)
            let outcome = await outcome(peer)
            #expect(outcome == end && peer.asked == asked, "\(replies)")
        }
    }

    @Test func itIsSeenAndCancelled() async {
        let seen = Seen()
        #expect(await outcome(Peer([.waits, .waits, .taken]), seen) == "m")
        #expect(
            seen.all == [
                ["phase": "queued", "waits_for": "room in the SR s of the other pool"],
                ["phase": "starting", "queue_position": "0", "waits_for": ""],
            ])
        let progress = UnwatchedProgress()
        let peer = Peer([.waits], cancelling: progress.cancellation)
        let outcome = await outcome(peer, progress)
        #expect(outcome == "true" && peer.asked == 1)
    }

    /// The other side makes disks for minutes, or has died without a word.
    @Test func whoCancelsDoesNotWaitForTheAnswerToAnOffer() async {
        let progress = UnwatchedProgress()
        let offer = WaitingOffer {
            progress.cancellation.cancel()
            try await Task.sleep(for: .seconds(3600))
            return MoveAcceptance(machine: "m", disks: [])
        }
        await #expect(throws: CancellationError.self) { try await offer.accepted(progress) }
    }

    @Test func anOfferIsNotMadeForEver() {
        let begun = ContinuousClock.now
        func lasts(_ answers: [(OfferPatience.Answer, Int)]) -> [Bool] {
            var patience = OfferPatience()
            return answers.map { patience.lasts(after: $0, asked: begun + .seconds($1), at: begun + .seconds($1)) }
        }
        let day = 86_400
        #expect(
            lasts([(.waits, 0), (.waits, day - 1), (.silent, day - 1), (.waits, day)]) == [true, true, true, false])
        // Cut off: what it waited before does not count.
        #expect(lasts([(.waits, 0), (.silent, 100), (.silent, 159), (.silent, 160)]) == [true, true, true, false])
        // A question that nobody has answered for longer than that.
        var patience = OfferPatience()
        let isFirst = patience.lasts(after: .waits, asked: begun, at: begun)
        let isSecond = patience.lasts(after: .silent, asked: begun + .seconds(1), at: begun + .seconds(601))
        #expect(isFirst && !isSecond)
    }

    /// What the other side's decision says of it.
    @Test func whereThereIsNoRoomYetItIsNamed() throws {
        var facts = RepositoryFacts(uuid: "u", manager: FileStorageManager(), configuration: [:], free: 100 << 20)
        var disk = DiskToMove(
            ref: "d", source: "x", destination: "s", size: 1 << 30, format: .qcow2, leastBytes: 200 << 20)
        disk.choice = "qcow2"
        #expect(throws: MoveRefusal.self) { try MoveRules.decide([disk], repositories: ["s": facts]) }
        var leaving = RoomClaim(id: "m")
        (leaving.frees, leaving.returns) = (400 << 20, 400 << 20)
        facts.claims = RoomClaims([leaving])
        let decisions = try MoveRules.decide([disk], repositories: ["s": facts])
        #expect(DecidedRoom(decisions, ["s": facts]).waitsFor == "u")
        facts.free = 1 << 30
        let roomy = try MoveRules.decide([disk], repositories: ["s": facts])
        #expect(DecidedRoom(roomy, ["s": facts]).waitsFor == nil)
    }
}
