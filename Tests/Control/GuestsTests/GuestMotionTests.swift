import Testing

@testable import Guests

/// The rules of a passage, every event in every state.
@Suite struct GuestMotionTests {
    private static let places: [GuestPassage?] = [nil] + GuestPassage.allCases

    /// What each order makes of each state; whatever is not here is refused and changes nothing.
    private static let orders: [GuestMotion.Order: [GuestPassage?: GuestPassage]] = [
        .send: [nil: .sending],
        .handOver: [.atSwitchover: .handingOver],
        .cancel: [
            .sending: .cancelling, .atSwitchover: .cancelling, .cancelling: .cancelling, .handingOver: .handingOver,
            .returning: .returning,
        ],
        .receive: [.waiting: .loading],
        .run: [.held: .beginning, .loaded: .beginning, .beginning: .beginning],
    ]

    @Test func anOrderIsCarriedOutWhereItHasAMeaningAndRefusedElsewhere() {
        for order in GuestMotion.Order.allCases {
            for place in Self.places {
                var motion = GuestMotion(place)
                if let next = Self.orders[order]?[place] {
                    #expect(throws: Never.self) { try motion.order(order) }
                    #expect(motion.passage == next)
                } else {
                    #expect { try motion.order(order) } throws: { ($0 as? GuestError)?.code == .refused }
                    #expect(motion.passage == place)
                }
            }
        }
    }

    /// An earlier move of the guest never decides about a later one, nor does whoever suspends it.
    @Test func aPassageIsItsOwnersAlone() throws {
        for order in GuestMotion.Order.allCases where order != .send {
            for place in GuestPassage.allCases where Self.orders[order]?[place] != nil {
                for (owner, other) in [("b", "a"), ("b", nil), (nil, "a")] as [(String?, String?)] {
                    var motion = GuestMotion(place).owned(by: owner)
                    #expect { try motion.order(order, of: other) } throws: { ($0 as? GuestError)?.code == .refused }
                    #expect(motion == GuestMotion(place).owned(by: owner))
                    #expect(throws: Never.self) { try motion.order(order, of: owner) }
                }
            }
        }
        var motion = GuestMotion()
        try motion.order(.send, of: "a")
        #expect(motion.owner == "a")
        motion.heard(status: "failed")
        #expect(motion == GuestMotion() && motion.owner == nil)
        // The next one's is the next one's.
        try motion.order(.send, of: "b")
        #expect(throws: GuestError.self) { try motion.order(.cancel, of: "a") }
        #expect(throws: GuestError.self) { try motion.order(.send, of: "a") }
        #expect(motion.owner == "b" && GuestMotion(nil).owned(by: "a").owner == nil)
    }

    /// QEMU's MigrationStatus, all of 7.2's.
    private static let statuses = [
        "none", "setup", "cancelling", "cancelled", "active", "postcopy-active", "postcopy-paused",
        "postcopy-recover", "completed", "failed", "colo", "pre-switchover", "device", "wait-unplug", "unheard of",
    ]

    @Test func aStatusOfQEMUMovesOnlyThoseWhomItConcerns() {
        let leaving: Set<GuestPassage?> = [.sending, .atSwitchover, .handingOver, .cancelling]
        for status in Self.statuses {
            for place in Self.places {
                for (wasPaused, stands) in [(false, false), (false, true), (true, false), (true, true)] {
                    var motion = GuestMotion(place, wasPaused: wasPaused, stands: stands)
                    motion.heard(status: status)
                    let next: GuestPassage? =
                        switch (place, status) {
                        case (.sending, "pre-switchover"): .atSwitchover
                        case (.loading, "completed"): .loaded
                        case (_, "completed") where leaving.contains(place): .held
                        case (_, "failed") where leaving.contains(place),
                            (_, "cancelled") where leaving.contains(place):
                            stands && !wasPaused ? .returning : nil
                        default: place
                        }
                    #expect(motion.passage == next, "\(String(describing: place)) \(status)")
                }
            }
        }
    }

    /// No event and no restart lets a guest run that was handed over; only the caller's word does.
    @Test func whatMayHaveBeenHandedOverRunsOnNobodysWordButTheCallers() {
        for status in Self.statuses {
            for run in ["postmigrate", "finish-migrate"] where status == "completed" {
                for role in [GuestRole.held, .outgoing] {
                    let found = GuestMotion.found(role, wasPaused: false, migration: status, run: run)
                    #expect(found.motion.passage == .held && found.duty == .nothing)
                }
            }
            var held = GuestMotion(.held, stands: true)
            held.heard(status: status)
            held.heardResume()
            held.heardStop()
            held.ran()
            #expect(held.passage == .held && held.role == .held)
        }
        // On the way QEMU is asked, and nothing else is done.
        for (status, passage) in [("device", GuestPassage.handingOver), ("pre-switchover", .atSwitchover)] {
            let found = GuestMotion.found(.held, wasPaused: false, migration: status, run: "finish-migrate")
            #expect(found.motion.passage == passage && found.duty == .nothing)
        }
    }

    @Test func aGuestThatIsToComeNeverRunsByAdoption() {
        for status in Self.statuses.map(Optional.some) + [nil] {
            for run in ["inmigrate", "paused", "prelaunch", "postmigrate"] {
                let found = GuestMotion.found(.incoming, wasPaused: false, migration: status, run: run)
                #expect(found.duty == .nothing && found.motion.role == .incoming)
                let expected: GuestPassage =
                    run != "inmigrate" ? .loaded : status == nil || status == "none" ? .waiting : .loading
                #expect(found.motion.passage == expected)
            }
        }
    }

    @Test func anOrderToRunStandsAcrossRestarts() {
        for run in ["inmigrate", "paused", "postmigrate", "running"] {
            let found = GuestMotion.found(.ordered, wasPaused: false, migration: "completed", run: run)
            #expect(found.motion.passage == .beginning && found.duty == .run)
        }
    }

    /// QEMU says that the guest runs before it answers, or without ever answering.
    @Test func anOrderToRunIsCarriedOutWhenQEMUSaysThatTheGuestRuns() throws {
        for place in [GuestPassage.held, .loaded] {
            var motion = GuestMotion(place, stands: true)
            try motion.order(.run)
            motion.heardResume()
            #expect(motion == GuestMotion())
            // One that was paused is to stay so: nobody has told it to run.
            var paused = GuestMotion(place, wasPaused: true)
            try paused.order(.run)
            paused.heardResume()
            #expect(paused.passage == .beginning)
        }
    }

    /// After a refusal a guest is where it was when it was told to run, for a new daemon, too.
    @Test func aGuestThatQEMUDoesNotLetRunIsWhereItWasAlsoAfterARestart() throws {
        for (place, role) in [(GuestPassage.held, GuestRole.held), (.loaded, .incoming)] {
            var motion = GuestMotion(place)
            #expect(motion.orderedFrom == nil)
            try motion.order(.run)
            #expect(motion.orderedFrom == role)
            let found = GuestMotion.found(
                .ordered, wasPaused: false, orderedFrom: role, migration: "completed", run: "paused")
            for var told in [motion, found.motion] {
                #expect(told.orderedFrom == role)
                // Again, as often as it is told.
                try told.order(.run)
                told.didNotRun()
                #expect(told.passage == place && told.orderedFrom == nil)
            }
        }
        // A record of an earlier version does not say.
        var unknown = GuestMotion.found(.ordered, wasPaused: false, migration: "completed", run: "paused").motion
        unknown.didNotRun()
        #expect(unknown.passage == .beginning)
    }

    @Test func aGuestThatWasNotSentGoesOnAfterARestart() {
        for role in [GuestRole.outgoing, .held] {
            for status in ["none", "failed", "cancelled", nil] {
                let running = GuestMotion.found(role, wasPaused: false, migration: status, run: "running")
                #expect(running.motion.passage == nil && running.duty == .nothing)
                let standing = GuestMotion.found(role, wasPaused: false, migration: status, run: "paused")
                #expect(standing.duty == .run)
                // One that was paused stays so.
                let paused = GuestMotion.found(role, wasPaused: true, migration: status, run: "paused")
                #expect(paused.motion.passage == nil && paused.duty == .nothing)
            }
            // QEMU is about to let it go on.
            let soon = GuestMotion.found(role, wasPaused: false, migration: "failed", run: "finish-migrate")
            #expect(soon.motion.passage == .returning && soon.duty == .nothing)
            // It was sent before, and goes on since.
            let before = GuestMotion.found(role, wasPaused: false, migration: "completed", run: "running")
            #expect(before.motion.passage == nil && before.duty == .nothing)
            for (status, passage) in [
                ("setup", GuestPassage.sending), ("active", .sending), ("cancelling", .cancelling),
            ] {
                let found = GuestMotion.found(role, wasPaused: false, migration: status, run: "running")
                #expect(found.motion.passage == passage && found.duty == .nothing)
            }
        }
        #expect(GuestMotion.found(nil, wasPaused: false, migration: "completed", run: "running").motion == .init())
    }

    @Test func aGuestReturnsWhenQEMULetsItGoOn() throws {
        var motion = GuestMotion()
        try motion.order(.send)
        motion.heardStop()
        motion.heard(status: "pre-switchover")
        try motion.order(.handOver)
        #expect(motion.role == .held)
        motion.heard(status: "failed")
        #expect(motion.passage == .returning && motion.role == .outgoing)
        motion.heardResume()
        #expect(motion == GuestMotion())
        // One that was paused has nothing to return to.
        try motion.order(.send, isPaused: true)
        motion.heard(status: "pre-switchover")
        motion.heard(status: "cancelled")
        #expect(motion.passage == nil)
    }

    /// What is recorded of a state leads a new daemon to one that allows no more.
    @Test func theRoleOfEachStateIsRecorded() {
        let roles: [GuestPassage: GuestRole] = [
            .sending: .outgoing, .atSwitchover: .outgoing, .cancelling: .outgoing, .returning: .outgoing,
            .handingOver: .held, .held: .held, .waiting: .incoming, .loading: .incoming, .loaded: .incoming,
            .beginning: .ordered,
        ]
        for place in GuestPassage.allCases { #expect(GuestMotion(place).role == roles[place]) }
        #expect(GuestMotion().role == nil)
    }

    @Test func queriedTransfersAreRead() {
        let ram: QMPValue = [
            "total": 200_000_000, "remaining": 50_000, "transferred": 1000, "dirty-pages-rate": 10, "page-size": 4096,
            "dirty-sync-count": 3, "mbps": .number(8),
        ]
        let transfer = MemoryTransfer(
            [
                "status": "active", "ram": ram, "expected-downtime": 12, "total-time": 2000,
                "cpu-throttle-percentage": 20, "error-desc": "why",
            ])
        #expect(transfer.status == "active" && transfer.totalBytes == 200_000_000 && transfer.remainingBytes == 50_000)
        #expect(transfer.dirtyBytesPerSecond == 40_960 && transfer.bytesPerSecond == 1_000_000 && transfer.rounds == 3)
        #expect(transfer.expectedDowntime == .milliseconds(12) && transfer.elapsed == .seconds(2))
        #expect(transfer.throttledPercent == 20 && transfer.error == "why" && transfer.downtime == nil)
        // Whatever is said, nothing traps.
        #expect(MemoryTransfer(["ram": ["total": -1, "mbps": .number(.infinity)]]).totalBytes == 0)
        #expect(MemoryTransfer(.null).status == "none")
    }

    @Test func limitsAreWhatQEMUTakes() {
        #expect(
            MemoryTransferLimits().parameters
                == ["max-bandwidth": .integer(MemoryTransferLimits.unlimited), "downtime-limit": 300])
        #expect(
            MemoryTransferLimits(bytesPerSecond: 0, downtime: .zero).parameters
                == ["max-bandwidth": 1, "downtime-limit": 1])
        #expect(
            MemoryTransferLimits(bytesPerSecond: .max, downtime: .seconds(1 << 50)).parameters
                == ["max-bandwidth": .integer(MemoryTransferLimits.unlimited), "downtime-limit": 2_000_000])
    }

    @Test func aProcessorIsKnownByWhatAGuestCanSeeOfIt() {
        let text = "processor\t: 0\nvendor_id\t: Maker\ncpu family\t: 6\nmodel\t\t: 85\nstepping\t: 7\nflags\t\t: b a\n"
        #expect(ProcessorTraits.of(text + "\nprocessor\t: 1\nmodel: 86\n") == "Maker/6/85/7 a,b")
        #expect(ProcessorTraits.of("") == "?/?/?/? ")
    }

    @Test func machinesAreReadFromQEMUsList() {
        let text = "Supported machines are:\nmicrovm              microvm (i386)\npc-q35-7.2           Standard PC\n"
        #expect(QEMUMachines.parse(text).isSuperset(of: ["microvm", "pc-q35-7.2"]))
    }
}
