import Foundation
import StorageInterface
import StorageMotion
import TestSupport
import Testing

/// Room that is kept for moves which were accepted, as values.
@Suite struct RoomClaimTests {
    private func motion(
        _ id: String = "m", from source: String = "a", to destination: String = "b", room: UInt64? = 40,
        snapshots: [MovingSnapshot] = [], _ phases: DiskMotion.Phase...
    ) -> DiskMotion {
        var motion = DiskMotion(
            id: id, sourceUUID: "s" + id, sourceRef: "", sourceSR: source, sourceLocation: "s.vhd",
            destinationUUID: "d" + id, destinationRef: "", destinationSR: destination, format: "qcow2", size: 64,
            snapshots: snapshots)
        motion.room = room
        for phase in phases { motion.advance(to: phase) }
        return motion
    }

    private func waiting(_ call: String, since time: Int64, least: UInt64, frees: UInt64 = 0) -> RoomClaim {
        var claim = RoomClaim(id: call + " \(least)", call: call)
        (claim.time, claim.isWaiting, claim.least, claim.frees) = (time, true, least, frees)
        claim.returns = frees
        return claim
    }

    private func writing(_ id: String, least: UInt64, allocated: UInt64? = nil, frees: UInt64 = 0) -> RoomClaim {
        var claim = RoomClaim(id: id)
        (claim.least, claim.allocated, claim.frees, claim.returns) = (least, allocated, frees, frees)
        return claim
    }

    /// From the acceptance, in the line too, until the copy is done; one that is cancelled or has failed gives it back, and
    /// so does one whose record is gone.
    @Test func aMoveHasItsRoomUntilItsCopyIsDone() {
        func least(_ motion: DiskMotion) -> UInt64 { motion.roomClaim(in: "b")?.least ?? 0 }
        #expect(least(motion()) == 40)
        #expect(least(motion("m", .created)) == 40)
        #expect(least(motion("m", .created, .mirroring)) == 40)
        #expect(least(motion("m", .created, .mirroring, .pivoting)) == 0)
        #expect(least(motion("m", .created, .mirroring, .pivoting, .committed)) == 0)
        for phases in [[], [DiskMotion.Phase.created], [.created, .mirroring]] {
            var cancelled = motion()
            for phase in phases { cancelled.advance(to: phase) }
            cancelled.abandon(because: "cancelled")
            #expect(least(cancelled) == 0, "\(phases)")
            // What it has is on its way back.
            #expect(cancelled.roomClaim(in: "b")?.leaving.map(\.uuid) == ["dm"])
            cancelled.release()
            #expect(cancelled.roomClaim(in: "b") == nil)
        }
        // One of before room was kept; one elsewhere.
        #expect(motion(room: nil).roomClaim(in: "b") == nil)
        #expect(motion().roomClaim(in: "c") == nil)
    }

    /// A toolstack that was restarted reads it from the record, and reads records of before.
    @Test func aRestartKeepsTheRoom() throws {
        var kept = motion("m", .created)
        kept.waitsForRoom = true
        let again = try JSONDecoder().decode(DiskMotion.self, from: JSONEncoder().encode(kept))
        #expect(again == kept && again.roomClaim(in: "b") == kept.roomClaim(in: "b"))
        var members = try #require(
            JSONSerialization.jsonObject(with: JSONEncoder().encode(kept)) as? [String: Any])
        members["room"] = nil
        members["waitsForRoom"] = nil
        let old = try JSONDecoder().decode(
            DiskMotion.self, from: JSONSerialization.data(withJSONObject: members))
        #expect(old.room == nil && old.roomClaim(in: "b") == nil)
    }

    /// The driver counts it as used already: only the rest is kept, and never more than the copy has still to move.
    @Test func whatIsAllocatedIsNotCountedTwice() {
        #expect(writing("m", least: 40).left == 40)
        #expect(writing("m", least: 40, allocated: 15).left == 25)
        #expect(writing("m", least: 40, allocated: 50).left == 0)
        #expect(writing("m", least: 40, allocated: .max).left == 0)
        var nearlyDone = writing("m", least: 40, allocated: 15)
        nearlyDone.unread = 3
        #expect(nearlyDone.left == 3)
        nearlyDone.unread = 0
        #expect(nearlyDone.left == 0)
        // Storage that gives all at once has given it.
        #expect(writing("thick", least: 64, allocated: 64).left == 0)
    }

    /// What is asked about: the disk's image, and those of its snapshots that were begun.
    @Test func snapshotsImagesBelongToTheMove() {
        func snapshot(_ name: String) -> MovingSnapshot {
            MovingSnapshot(
                sourceUUID: "s" + name, sourceRef: "", sourceLocation: "", destinationUUID: "d" + name,
                destinationRef: "", format: "qcow2", size: 64, base: nil)
        }
        var first = snapshot("1")
        var moving = motion("m", snapshots: [first, snapshot("2")], .created)
        #expect(moving.roomClaim(in: "b")?.images.map(\.uuid) == ["dm"])
        first.begin()
        moving.update(first)
        #expect(moving.roomClaim(in: "b")?.images.map(\.uuid) == ["d1", "dm"])
        #expect(moving.roomClaim(in: "a")?.leaving.map(\.uuid) == ["s1", "s2", "sm"])
        #expect(motion().roomClaim(in: "b")?.images == [])
    }

    @Test func twoThatDoNotFitTogetherAreNotBothTaken() {
        let claims = RoomClaims([writing("m", least: 40)])
        #expect(RoomClaims().verdict(needed: 40, free: 50) == .fits)
        #expect(claims.verdict(needed: 40, free: 50) == .full)
        #expect(claims.verdict(needed: 10, free: 50) == .fits)
        #expect(claims.verdict(needed: 11, free: 50) == .full)
        // Half of it is written, and gone from what is free.
        #expect(RoomClaims([writing("m", least: 40, allocated: 20)]).verdict(needed: 40, free: 60) == .fits)
        #expect(
            RoomClaims([writing("m", least: .max), writing("n", least: .max)]).verdict(needed: 1, free: .max) == .full)
    }

    /// A disk that changes its format in its SR, or leaves it, gives its old image's room back.
    @Test func whatOthersGiveBackIsWaitedFor() {
        let inPlace = RoomClaims([writing("m", least: 40, frees: 40)])
        #expect(inPlace.verdict(needed: 40, free: 50) == .waits)
        // Not enough even then: its new image stays.
        #expect(inPlace.verdict(needed: 51, free: 50) == .full)
        #expect(inPlace.verdict(needed: 50, free: 50) == .waits)
        let leaving = RoomClaims([writing("m", least: 0, frees: 40)])
        #expect(leaving.verdict(needed: 60, free: 50) == .waits && leaving.verdict(needed: 91, free: 50) == .full)
        #expect(leaving.verdict(needed: 50, free: 50) == .fits)
        #expect(motion("m", to: "a", .created).roomClaim(in: "a")?.leaving.map(\.uuid) == ["sm"])
        #expect(motion("m", to: "a", .created).roomClaim(in: "a")?.least == 40)
        var waits = motion("m", to: "a")
        waits.waitsForRoom = true
        #expect(waits.roomClaim(in: "a")?.isWaiting == true)
        waits.advance(to: .created)
        #expect(waits.roomClaim(in: "a")?.isWaiting == false)
    }

    /// All disks of a call begin together: they are not in each other's way, and wait for those that began or came before.
    @Test func theDisksOfACallWaitTogether() {
        let own = waiting("call", since: 5, least: 30)
        var second = own
        second.least = 20
        let claims = RoomClaims([
            own, second, writing("begun", least: 7), waiting("earlier", since: 4, least: 8, frees: 8),
            waiting("later", since: 6, least: 9),
        ])
        let ahead = claims.ahead(of: "call", since: 5)
        #expect(ahead.all.map(\.call) == ["begun", "earlier"] && ahead.reserved == 15 && ahead.freed == 8)
        // Of two that came at once one is before the other.
        let twins = RoomClaims([waiting("a", since: 5, least: 1), waiting("b", since: 5, least: 1)])
        #expect(twins.ahead(of: "a", since: 5).all.isEmpty && twins.ahead(of: "b", since: 5).all.map(\.call) == ["a"])
    }

    /// Who waits has nothing yet, and keeps nobody from what is left beside what it will get: whoever fits into that goes first, and no more.
    @Test func whoWaitsIsInNobodysWayWhoLeavesItItsRoom() {
        // 100 are free; what leaves gives 450 back, for which a call of 500 waits.
        let leaving = writing("leaving", least: 0, frees: 450)
        let patient = waiting("patient", since: 1, least: 500)
        let claims = RoomClaims([leaving, patient])
        #expect(claims.verdict(needed: 1, free: 100) == .fits)
        #expect(claims.verdict(needed: 50, free: 100) == .fits)
        #expect(claims.verdict(needed: 51, free: 100) == .full)
        // What has begun has its room first.
        #expect(RoomClaims([leaving, patient, writing("m", least: 60)]).verdict(needed: 41, free: 100) == .full)
        // Its own old image it gives back only when it has moved: it is not there for its beginning.
        let inPlace = RoomClaims([
            writing("leaving", least: 0, frees: 20), waiting("w", since: 1, least: 110, frees: 110),
        ])
        #expect(inPlace.verdict(needed: 10, free: 100) == .fits)
        #expect(inPlace.verdict(needed: 11, free: 100) == .waits)
        // Nobody measured what is given back: then it keeps its place, as it must.
        #expect(RoomClaims([patient]).verdict(needed: 1, free: 100) == .full)
        let basis = RoomBasis(needed: 50, free: 100, waits: false, claims: claims)
        var unmeasured = leaving
        (unmeasured.frees, unmeasured.returns) = (0, 0)
        #expect(basis.holds(beside: RoomClaims([unmeasured, patient])))
        #expect(!basis.holds(beside: RoomClaims([unmeasured, patient, writing("n", least: 1)])))
        #expect(!basis.holds(beside: RoomClaims([unmeasured, patient, waiting("later", since: 2, least: 1)])))
    }

    /// A clone that leaves may give its golden image's room back, and does not while others stand on that: who waits hopes for it, and
    /// nobody who comes later gets it on the strength of that hope.
    @Test func whatMayComeBackIsPromisedToNobodyTwice() {
        var clone = writing("clone", least: 0, frees: 400)
        clone.returns = 10
        let patient = waiting("patient", since: 1, least: 105)
        #expect(RoomClaims([clone]).verdict(needed: 105, free: 100) == .waits)
        let claims = RoomClaims([clone, patient])
        #expect(claims.verdict(needed: 100, free: 100) == .waits)
        #expect(claims.verdict(needed: 6, free: 100) == .waits)
        #expect(claims.verdict(needed: 5, free: 100) == .fits)
        #expect(claims.verdict(needed: 396, free: 100) == .full)
        // The same when it is looked at again, as the records say it.
        let basis = RoomBasis(needed: 5, free: 100, waits: false, claims: claims)
        var unmeasured = clone
        (unmeasured.frees, unmeasured.returns) = (0, 0)
        #expect(basis.holds(beside: RoomClaims([unmeasured, patient])))
        #expect(!basis.holds(beside: RoomClaims([unmeasured, patient, writing("n", least: 1)])))
    }

    /// A decision is looked at again when it is noted: of two that were taken side by side the second falls.
    @Test func aDecisionHoldsAsLongAsNobodyElseWasAccepted() {
        let (before, other) = (writing("m", least: 40, allocated: 30), writing("n", least: 20))
        let basis = RoomBasis(needed: 20, free: 40, waits: false, claims: RoomClaims([before]))
        #expect(basis.holds(beside: RoomClaims([before])) && basis.holds(beside: RoomClaims()))
        // As its record says it, without what was measured.
        let unmeasured = writing("m", least: 40)
        #expect(basis.holds(beside: RoomClaims([unmeasured])))
        #expect(!basis.holds(beside: RoomClaims([unmeasured, other])))
        #expect(basis.holds(beside: RoomClaims([unmeasured, writing("n", least: 10)])))
        let patient = RoomBasis(needed: 20, free: 0, waits: true, claims: RoomClaims([before]))
        #expect(patient.holds(beside: RoomClaims([unmeasured, other])))
    }

    /// Calls come, write, end, fail and are cancelled, in any order. None that has begun ever runs out of room; whoever waits gets a
    /// turn or an answer, and when all is over nothing is kept.
    @Test func nobodyWhoWasAcceptedRunsOutOfRoomAndNobodyWaitsForEver() {
        struct Model {
            var claim: RoomClaim
            var size: UInt64
            var isInPlace: Bool
        }
        var random = SeededRandom.printed()
        for _ in 0..<300 {
            var used: UInt64 = 60
            let total: UInt64 = 200
            var live: [Model] = []
            var (came, idle) = (0, 0)
            func claims() -> RoomClaims { RoomClaims(live.map(\.claim)) }
            while came < 12 || !live.isEmpty {
                #expect(used <= total)
                let free = total - used
                if came < 12, random.next() % 2 == 0 {
                    came += 1
                    let (size, isInPlace) = (1 + random.next() % 60, random.next() % 2 == 0)
                    // Its old image is here, and was before.
                    if isInPlace, size > free { continue }
                    let before = claims()
                    if isInPlace {
                        guard before.verdict(needed: size, free: free) == .fits else { continue }
                        used += size
                    }
                    let verdict = before.verdict(needed: size, free: total - used)
                    if verdict == .full {
                        if isInPlace { used -= size }
                        continue
                    }
                    var claim = RoomClaim(id: "\(came)")
                    (claim.least, claim.allocated, claim.isWaiting) = (size, 0, verdict == .waits)
                    (claim.time, claim.frees) = (Int64(came), isInPlace ? size : 0)
                    claim.returns = claim.frees
                    live.append(Model(claim: claim, size: size, isInPlace: isInPlace))
                }
                guard let index = live.indices.randomElement(using: &random) else { continue }
                var one = live[index]
                idle += 1
                if one.claim.isWaiting {
                    let ahead = claims().ahead(of: one.claim.call, since: one.claim.time)
                    switch ahead.verdict(needed: one.size, free: total - used) {
                    case .fits: one.claim.isWaiting = false
                    case .waits:
                        // Somebody is there to wait for.
                        #expect(!ahead.all.isEmpty)
                        if idle > 10_000 {
                            Issue.record("they wait for each other")
                            return
                        }
                        continue
                    case .full:
                        live.remove(at: index)
                        continue
                    }
                    live[index] = one
                    continue
                }
                idle = 0
                let written = one.claim.allocated ?? 0
                switch random.next() % 8 {
                case 0:
                    // Cancelled, or failed.
                    used -= written
                    live.remove(at: index)
                case _ where written < one.size:
                    let step = min(one.size - written, 1 + random.next() % 20)
                    used += step
                    one.claim.allocated = written + step
                    live[index] = one
                default:
                    if one.isInPlace { used -= one.size }
                    live.remove(at: index)
                }
            }
            #expect(claims().reserved == 0)
        }
    }
}
