import Foundation
import StorageMotion
import Testing

@Suite struct DiskMotionTests {
    private func motion(_ phases: DiskMotion.Phase...) -> DiskMotion {
        var motion = DiskMotion(
            id: "m", sourceUUID: "s", sourceRef: "OpaqueRef:s", sourceSR: "OpaqueRef:a", sourceLocation: "s.vhd",
            destinationUUID: "d", destinationRef: "OpaqueRef:d", destinationSR: "OpaqueRef:b", format: "qcow2", size: 1)
        for phase in phases { motion.advance(to: phase) }
        return motion
    }

    /// One that an earlier version has noted is compared: nobody has said that it need not be.
    @Test func onlyWhoSaysSoDoesWithoutAComparison() throws {
        for (noted, compares) in [(nil, true), (true, true), (false, false)] as [(Bool?, Bool)] {
            var motion = motion(.created)
            motion.isVerified = noted
            let read = try JSONDecoder().decode(DiskMotion.self, from: try JSONEncoder().encode(motion))
            #expect(read == motion && read.comparesImages == compares)
        }
    }

    /// What is compared takes its time, too, as much of it as is read, and is no part of what is moved.
    @Test func aPlanCountsWhatIsComparedByItself() {
        var disks = (0..<3).map { index in
            MovePlan.Disk(
                vdi: "\(index)", name: "", role: "disk", source: .init(sr: "a", name: "", format: "raw", free: nil),
                virtualSize: 1000)
        }
        // What is moved is compared, without another word.
        for index in disks.indices { disks[index].take(100, room: 700) }
        disks[1].compareAll(of: 1)
        disks[2].stays = true
        var copies = disks[0]
        copies.take(1500, room: 0)
        copies.compareAll(of: 1)
        #expect(copies.bytesToCompare == 1500 && copies.notes.isEmpty)
        copies.compareAll(of: 3)
        #expect(copies.bytesToCompare == 3000 && copies.notes.first?.contains("3000 bytes of it and its snap") == true)
        for isVerified in [true, false] {
            var plan = MovePlan(disks: disks)
            plan.isVerified = isVerified
            plan.estimate(bytesPerSecond: 100, basis: "")
            #expect(plan.bytesToMove == 200 && plan.bytesToCompare == (isVerified ? 1100 : 0))
            #expect(plan.disks.map(\.seconds) == (isVerified ? [2, 11, 0] : [1, 1, 0]))
            #expect(plan.seconds == (isVerified ? 13 : 2))
        }
    }

    /// Two that each fit and together may not: the last says so. One that does not fit by itself has said so already.
    @Test(
        arguments: [
            ([60, 50], 100, [0, 1]), ([60, 40], 100, [0, 0]), ([60, 150], 100, [0, 0]), ([60], 50, [0]),
        ] as [([UInt64], UInt64, [Int])])
    func aPlanCountsTheRoomOfAllTogether(_ peaks: [UInt64], _ free: UInt64, _ risks: [Int]) {
        let place = MovePlan.Place(sr: "b", name: "", format: "raw", free: free)
        var plan = MovePlan(
            disks: peaks.map { peak in
                var disk = MovePlan.Disk(vdi: "", name: "", role: "disk", source: place, virtualSize: 1000)
                disk.destination = place
                disk.take(peak, room: 0)
                return disk
            })
        plan.tellSharedRoom()
        #expect(plan.disks.map(\.risks.count) == risks)
        for index in plan.disks.indices { plan.disks[index].stays = true }
        let before = plan
        plan.tellSharedRoom()
        #expect(plan == before)
    }

    private static let observations: [DiskMotion.Observation] = [
        .absent, .sourceOnly, .mirroring, .dual, .broken("cause"), .destinationOnly,
        .undecided(destinationFailed: true), .undecided(destinationFailed: false),
    ]

    /// Whatever the data path says: before the commit the source is never destroyed unless the commit comes first, after
    /// it the destination is never destroyed.
    @Test func noRecoveryDestroysTheAuthoritativeImage() {
        let uncommitted = [
            motion(), motion(.created), motion(.created, .mirroring), motion(.created, .mirroring, .pivoting),
        ]
        for start in uncommitted {
            for observed in Self.observations {
                var copy = start
                let effects = copy.recover(observed)
                if let destroyed = effects.firstIndex(of: .destroySource) {
                    #expect(
                        effects.firstIndex(of: .commit).map { $0 < destroyed } == true, "\(start.phase) \(observed)")
                }
                #expect(effects.contains(.destroySource) != effects.contains(.destroyDestination))
                #expect(effects.last == .forget)
            }
        }
        for observed in Self.observations {
            var committed = motion(.created, .mirroring, .pivoting, .committed)
            let effects = committed.recover(observed)
            #expect(!effects.contains(.destroyDestination) && effects.contains(.destroySource), "\(observed)")
            #expect(committed.phase == .committed)
        }
    }

    /// A driver of others chooses uuid and location, and its place shows in nothing but what the data path is told. Records
    /// of an earlier version are read.
    @Test func theDestinationIsWhereItsDriverSays() throws {
        var moved = motion(.created)
        #expect(moved.isDestination(path: "/b/d.qcow2") && !moved.isDestination(path: "/a/s.vhd"))
        let earlier = try JSONEncoder().encode(moved)
        moved.place(uuid: "u", ref: "OpaqueRef:u", location: "l")
        #expect(moved.destinationLocation == "l" && !moved.isDestination(path: "/b/l"))
        moved.reach(path: "nbd:unix:/b/s:exportname=u")
        #expect(moved.isDestination(path: "nbd:unix:/b/s:exportname=u") && !moved.isDestination(path: "/b/l"))
        #expect(try JSONDecoder().decode(DiskMotion.self, from: JSONEncoder().encode(moved)) == moved)
        #expect(try JSONDecoder().decode(DiskMotion.self, from: earlier) == motion(.created))
    }

    /// When only the image that lost is left, nothing else is touched again; only decided moves come to that.
    @Test func whatIsLeftOfAMoveIsDestroyedAndNothingElse() throws {
        var undecided = motion(.created, .mirroring)
        undecided.release()
        #expect(!undecided.isReleased)
        var committed = motion(.created, .mirroring, .pivoting, .committed)
        committed.release()
        var abandoned = motion(.created, .mirroring, .abandoned)
        abandoned.release()
        #expect(committed.remainsSR == "OpaqueRef:a" && abandoned.remainsSR == "OpaqueRef:b")
        for observed in Self.observations {
            var (one, other) = (committed, abandoned)
            #expect(one.recover(observed) == [.destroySource, .forget])
            #expect(other.recover(observed) == [.destroyDestination, .forget])
        }
        let read = try JSONDecoder().decode(DiskMotion.self, from: JSONEncoder().encode(committed))
        #expect(read.isReleased && read == committed)
    }

    @Test func aRunningMirrorIsTakenUpAndAPreparedPivotIsFinished() {
        var mirroring = motion(.created, .mirroring)
        #expect(mirroring.recover(.mirroring).prefix(2) == [.awaitSynchronised, .preparePivot])
        var dual = motion(.created, .mirroring, .pivoting)
        #expect(dual.recover(.dual).first == .commit)
        var early = motion(.created)
        #expect(early.recover(.mirroring).first == .awaitSynchronised)
        #expect(early.phase == .mirroring)
    }

    /// Before the commit the source decides, unless it is the side that failed: then only the destination is whole.
    @Test func anUndecidedPivotGoesToTheSideThatIsWhole() {
        var destinationFailed = motion(.created, .mirroring, .pivoting)
        #expect(destinationFailed.recover(.undecided(destinationFailed: true)).contains(.destroyDestination))
        var sourceFailed = motion(.created, .mirroring, .pivoting)
        #expect(sourceFailed.recover(.undecided(destinationFailed: false)).first == .commit)
        var committed = motion(.created, .mirroring, .pivoting, .committed)
        #expect(committed.recover(.undecided(destinationFailed: true)).first == .finishPivot)
    }

    /// What was well when the pivot was prepared is looked at again before the commit.
    @Test func aDestinationThatHasFailedSinceItsPivotWasPreparedIsNotCommitted() {
        for observed in Self.observations {
            let isWhole: [DiskMotion.Observation] = [
                .dual, .destinationOnly, .undecided(destinationFailed: false), .absent,
            ]
            #expect(observed.allowsCommit == isWhole.contains(observed), "\(observed)")
        }
    }

    @Test func aBrokenMirrorIsGivenUpWithItsCause() {
        var broken = motion(.created, .mirroring)
        #expect(broken.recover(.broken("disk full")) == [.cancelMirror, .destroyDestination, .forget])
        #expect(broken.phase == .abandoned && broken.failure == "disk full")
        #expect(broken.recover(.absent) == [.cancelMirror, .destroyDestination, .forget])
        #expect(broken.failure == "disk full", "the first cause is kept")
    }

    /// Only a move of which no data path can know begins again, under other names; the record of an earlier version never.
    @Test func aMoveOfWhichNothingIsKnownBeginsAgain() throws {
        var snapshot = MovingSnapshot(
            sourceUUID: "x", sourceRef: "OpaqueRef:x", sourceLocation: "x.vhd", destinationUUID: "y",
            destinationRef: "OpaqueRef:y", format: "qcow2", size: 1, base: nil)
        snapshot.begin()
        var moved = DiskMotion(
            id: "m", sourceUUID: "s", sourceRef: "OpaqueRef:s", sourceSR: "OpaqueRef:a", sourceLocation: "s.vhd",
            destinationUUID: "d", destinationRef: "OpaqueRef:d", destinationSR: "OpaqueRef:b", format: "qcow2", size: 1,
            snapshots: [snapshot], base: "x")
        moved.advance(to: .created)
        #expect(!moved.canBeginAgain(.absent))
        moved.call = MoveCall(task: "OpaqueRef:t", taskUUID: "t", name: "n", owner: "", time: 1, machine: nil)
        for observed in Self.observations {
            #expect(moved.canBeginAgain(observed) == [.absent, .sourceOnly].contains(observed), "\(observed)")
        }
        moved.place(uuid: "e", ref: "OpaqueRef:e", location: "e.qcow2")
        var names = ["1", "2"]
        moved.beginAgain {
            let name = names.removeFirst()
            return (uuid: name, ref: "OpaqueRef:" + name)
        }
        #expect(moved.phase == .planned && moved.destinationLocation == "1.qcow2" && moved.base == "x")
        let again = try #require(moved.snapshots.first)
        #expect(!again.isBegun && again.destinationLocation == "2.qcow2" && again.destinationRef == "OpaqueRef:2")
        for phase in [DiskMotion.Phase.created, .mirroring] { moved.advance(to: phase) }
        #expect(!moved.canBeginAgain(.absent))
        #expect(try JSONDecoder().decode(DiskMotion.self, from: JSONEncoder().encode(moved)) == moved)
    }

    @Test func survivesItsRecord() throws {
        let stored = motion(.created, .mirroring, .pivoting)
        let text = try JSONEncoder().encode(stored)
        #expect(try JSONDecoder().decode(DiskMotion.self, from: text) == stored)
    }
}
