import TestSupport
import Testing

@testable import StorageMotion

/// Both sides of a machine's way to another pool, as values, and all that can happen between them.
@Suite struct MachineHandOverTests {
    private static let events: [MachineDeparture.Event] = [
        .accepted, .synchronised, .prepared, .failed("why"), .restarted, .ran, .refused, .removed, .forgotten,
    ]

    /// What each event means in each phase; where nothing is said, nothing changes.
    @Test func aDepartureTakesEachEventInEachPhaseAsTheTableSays() {
        let table: [MachineDeparture.Phase: [MachineDeparture.Event: MachineDeparture.Phase]] = [
            .planned: [
                .accepted: .copying, .failed("why"): .abandoned, .restarted: .abandoned, .refused: .retracted,
            ],
            .copying: [
                .synchronised: .preparing, .failed("why"): .abandoned, .restarted: .abandoned, .refused: .retracted,
            ],
            .preparing: [
                .prepared: .committed, .failed("why"): .abandoned, .restarted: .abandoned, .ran: .delivered,
                .refused: .retracted,
            ],
            .committed: [.ran: .delivered, .refused: .retracted],
            .delivered: [.removed: .removed],
            .removed: [.forgotten: .gone],
            .abandoned: [.refused: .retracted, .ran: .retracted],
            .retracted: [.forgotten: .gone],
            .gone: [:],
        ]
        for phase in MachineDeparture.Phase.allCases {
            for event in Self.events {
                var departure = MachineDeparture(phase: phase)
                departure.take(event)
                #expect(departure.phase == table[phase]?[event] ?? phase, "\(event) in \(phase)")
            }
        }
        var failed = MachineDeparture()
        failed.take(.failed("the first"))
        failed.take(.failed("the second"))
        failed.take(.refused)
        #expect(failed.failure == "the first")
        #expect(failed.isHere)
    }

    @Test func anArrivalAnswersEachEventInEachPhaseAsTheTableSays() {
        typealias Outcome = (MachineArrival.Phase, MachineArrival.Answer)
        let table: [MachineArrival.Phase: [MachineArrival.Event: Outcome]] = [
            .receiving: [.prepare: (.prepared, .prepared), .cancel: (.refused, .refused)],
            .prepared: [
                .prepare: (.prepared, .prepared), .run: (.running, .ran), .force: (.running, .ran),
                .cancel: (.refused, .refused),
            ],
            .running: [.forget: (.gone, .forgotten), .neverRan: (.refused, .refused)],
            .refused: [.forget: (.gone, .forgotten)],
            .gone: [:],
        ]
        let standing: [MachineArrival.Phase: MachineArrival.Answer] = [
            .receiving: .unfinished, .prepared: .prepared, .running: .ran, .refused: .refused, .gone: .forgotten,
        ]
        for phase in MachineArrival.Phase.allCases {
            for event in MachineArrival.Event.allCases {
                var arrival = MachineArrival(phase: phase)
                let answer = arrival.take(event)
                let expected = table[phase]?[event]
                #expect(arrival.phase == expected?.0 ?? phase, "\(event) in \(phase)")
                #expect(answer == expected?.1 ?? standing[phase], "\(event) in \(phase)")
            }
        }
    }

    /// What stays is freed once, and what is open there lets no other move of the machine in.
    @Test func whatIsLeftOfAMoveIsSeenToBeforeAnother() {
        for phase in MachineDeparture.Phase.allCases {
            let departure = MachineDeparture(phase: phase)
            #expect(!departure.isToBeFreed(isFree: true), "\(phase)")
            #expect(departure.isToBeFreed(isFree: false) == [.abandoned, .retracted].contains(phase), "\(phase)")
        }
        for phase in MachineArrival.Phase.allCases {
            let arrival = MachineArrival(phase: phase)
            #expect(arrival.isOpen(isClean: true) == [.receiving, .prepared].contains(phase), "\(phase)")
            #expect(arrival.isOpen(isClean: false) == [.receiving, .prepared, .refused].contains(phase), "\(phase)")
        }
        // An administrator's decision stands.
        var forced = MachineArrival(phase: .prepared)
        _ = forced.take(.force)
        #expect(forced.take(.neverRan) == .ran && forced.isHere)
    }

    // MARK: - All that can happen

    private enum Request: Hashable { case offer, prepare, run, cancel, forget }
    private enum Reply: Hashable { case accepted, prepared, ran, refused, forgotten }

    /// Both sides, what is on its way between them, and what has been.
    private struct World: Hashable {
        var departure = MachineDeparture()
        /// Nil: no record.
        var arrival: MachineArrival?
        /// The other side has had the machine.
        var landed = false
        var requests: Set<Request> = []
        var replies: Set<Reply> = []
        /// The session at the other side has been ended, as it is before that is told to forget.
        var sessionIsOver = false
        /// These are sent once.
        var hasOffered = false
        var hasPrepared = false

        /// Everything that may happen next: each side takes its step, hears something, loses its word, dies.
        func next() -> [World] {
            var all: [World] = []
            func add(_ change: (inout World) -> Void) {
                var world = self
                change(&world)
                if world != self { all.append(world) }
            }
            switch departure.step {
            case .offer where !hasOffered:
                add {
                    $0.requests.insert(.offer)
                    $0.hasOffered = true
                }
            case .copy: add { $0.departure.take(.synchronised) }
            case .prepare where !hasPrepared:
                add {
                    $0.requests.insert(.prepare)
                    $0.hasPrepared = true
                }
            case .run: add { $0.requests.insert(.run) }
            case .cancel: add { $0.requests.insert(.cancel) }
            case .forget: add { $0.requests.insert(.forget) }
            case .remove: add { $0.departure.take(.removed) }
            case .offer, .prepare, .nothing: break
            }
            add { $0.departure.take(.restarted) }
            if !departure.isDecided { add { $0.departure.take(.failed("")) } }
            for request in requests {
                // It is lost, or comes, whenever.
                add { $0.requests.remove(request) }
                for answered in answered(request) {
                    all.append(answered.world)
                    if let reply = answered.reply {
                        var heard = answered.world
                        heard.replies.insert(reply)
                        all.append(heard)
                    }
                }
            }
            for reply in replies {
                add { $0.replies.remove(reply) }
                add { world in
                    world.replies.remove(reply)
                    switch reply {
                    case .accepted: world.departure.take(.accepted)
                    case .prepared: world.departure.take(.prepared)
                    case .ran: world.departure.take(.ran)
                    case .refused: world.departure.take(.refused)
                    case .forgotten: world.departure.take(.forgotten)
                    }
                }
            }
            return all
        }

        private func answered(_ request: Request) -> [(world: World, reply: Reply?)] {
            var world = self
            world.requests.remove(request)
            // Without a session no offer is taken.
            if request == .forget {
                world.sessionIsOver = true
                world.requests.remove(.offer)
            }
            guard var there = arrival else {
                switch request {
                case .offer:
                    world.arrival = MachineArrival()
                    return [(world, .accepted)]
                case .cancel:
                    // With a session it is noted, lest the offer comes late; without one no offer can.
                    var noted = world
                    noted.arrival = .neverTaken
                    world.requests.remove(.offer)
                    return sessionIsOver ? [(world, .refused)] : [(noted, .refused), (world, .refused)]
                case .forget: return [(world, .forgotten)]
                case .prepare, .run: return [(world, nil)]
                }
            }
            let answer: MachineArrival.Answer
            switch request {
            case .offer: return [(world, there.phase == .receiving ? .accepted : nil)]
            case .prepare: answer = there.take(.prepare)
            case .run: answer = there.take(.run)
            case .cancel: answer = there.take(.cancel)
            case .forget: answer = there.take(.forget)
            }
            world.arrival = there.phase == .gone ? nil : there
            world.landed = landed || there.isHere
            return [(world, Self.reply(answer, to: request))]
        }

        /// Only what was asked for is heard.
        private static func reply(_ answer: MachineArrival.Answer, to request: Request) -> Reply? {
            switch (request, answer) {
            case (.prepare, .prepared): .prepared
            case (.run, .ran), (.cancel, .ran): .ran
            case (.run, .refused), (.cancel, .refused), (.prepare, .refused): .refused
            case (.forget, .forgotten): .forgotten
            default: nil
            }
        }

        var isAtItsEnd: Bool { departure.phase == .gone && arrival == nil }
    }

    /// However messages are lost and late, and whichever side dies when and how often: the machine is never at both sides,
    /// and from everywhere the move can come to an end, after which exactly one side has it.
    @Test func oneSideHasTheMachineWhateverHappens() {
        let space = StateSpace(from: World(), next: { $0.next() })
        for world in space.states {
            #expect(!(world.departure.isHere && world.landed), "\(world)")
            #expect(!(world.departure.isHere && world.arrival?.isHere == true), "\(world)")
            if world.departure.phase == .gone { #expect(world.departure.isHere != world.landed, "\(world)") }
        }
        let ends = space.states.filter(\.isAtItsEnd)
        #expect(ends.contains(where: \.landed) && ends.contains { !$0.landed })
        let stuck = space.stuck { $0.isAtItsEnd }
        #expect(
            stuck.isEmpty, "\(stuck.count) of \(space.states.count), as \(stuck.first.map { "\($0)" } ?? "")")
    }

    /// The word of an administrator is the only way by which both may have it, and then nothing is destroyed.
    @Test func aForcedArrivalLeavesTheOtherSideItsMachine() {
        var arrival = MachineArrival()
        #expect(arrival.take(.force) == .unfinished)
        _ = arrival.take(.prepare)
        #expect(arrival.take(.force) == .ran && arrival.isForced)
        #expect(arrival.take(.cancel) == .ran)
        var departure = MachineDeparture()
        departure.take(.failed("gone"))
        departure.take(.ran)
        #expect(departure.isHere && departure.step == .forget)
    }
}
