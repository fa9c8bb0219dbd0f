import TestSupport
import Testing

@testable import StorageMotion

/// A running machine's way to another pool: both toolstacks, both QEMUs, the mirrors, and all that can happen to them.
@Suite struct LiveHandOverTests {
    @Test func theStepsFollowEachOtherAndTheGuestRunsUntilItsMemoryIsThere() {
        var handOver = LiveHandOver()
        var seen: [LiveHandOver.Step] = []
        var guests: [LiveHandOver.Guest] = []
        while handOver.step != .finish {
            seen.append(handOver.step)
            guests.append(handOver.guest)
            handOver.done()
        }
        #expect(seen == [.announce, .send, .stand, .settle, .handOver, .compare])
        #expect(guests == [.runs, .runs, .runs, .stands, .stands, .isHeld])
        #expect(handOver.guest == .isHeld)
        handOver.done()
        #expect(handOver.phase == .compared)
        // Reads come from the other side until its mirrors have ended: a held guest waits for that.
        #expect(LiveHandOver.undoing(isHeld: true) == [.endMirrors, .letGoOn])
        #expect(LiveHandOver.undoing(isHeld: false) == [.letGoOn, .endMirrors])
    }

    /// A guest that would have to stand for a comparison goes on, and is handed over anew; not without end, and not where the other
    /// side knows nothing of it.
    @Test func aGuestThatWouldStandTooLongIsHandedOverAnew() {
        for steps in 0...6 {
            var handOver = LiveHandOver(mayBeginAgain: true)
            for _ in 0..<steps { handOver.done() }
            let before = handOver
            let stands = [.standing, .held].contains(handOver.phase)
            #expect(handOver.beginAgain() == stands)
            #expect(stands ? handOver.phase == .mirrored && handOver.attempt == 2 : handOver == before)
        }
        var handOver = LiveHandOver(phase: .standing, mayBeginAgain: true)
        var waits: [Duration] = []
        repeat {
            waits.append(handOver.comparisonPatience)
            while handOver.phase != .held { handOver.done() }
        } while handOver.beginAgain()
        // Where it is the last time it may stand as long as for all else.
        #expect(waits == [.seconds(2), .seconds(2), .seconds(10)])
        #expect(handOver.phase == .held && !handOver.mayBeginAgain && handOver.step == .compare)
        var only = LiveHandOver(phase: .standing)
        #expect(!only.beginAgain() && only.comparisonPatience == .seconds(10))
    }

    @Test func whatIsNotedSaysWhatBecomesOfTheGuest() {
        let here: [MachineDeparture.Phase: GuestFate] = [
            .planned: .isInHand, .copying: .isInHand, .preparing: .isInHand, .committed: .waits, .delivered: .ends,
            .removed: .ends, .abandoned: .runs, .retracted: .runs, .gone: .ends,
        ]
        for phase in MachineDeparture.Phase.allCases {
            let departure = MachineDeparture(phase: phase)
            #expect(departure.guest == here[phase], "\(phase)")
            #expect(departure.guest != .runs || departure.isHere, "\(phase)")
        }
        let there: [MachineArrival.Phase: GuestFate] = [
            .receiving: .waits, .prepared: .waits, .running: .runs, .refused: .ends, .gone: .ends,
        ]
        for phase in MachineArrival.Phase.allCases {
            let arrival = MachineArrival(phase: phase)
            #expect(arrival.guest == there[phase], "\(phase)")
            #expect((arrival.guest == .runs) == arrival.isHere, "\(phase)")
        }
        var lost = MachineArrival(phase: .prepared)
        #expect(lost.take(MachineArrival.event(toRun: false)) == .refused && !lost.isHere)
        var whole = MachineArrival(phase: .prepared)
        #expect(whole.take(MachineArrival.event(toRun: true)) == .ran && whole.isHere)
    }

    // MARK: - All that can happen

    private enum Word: Hashable { case offer, expect, expectAgain, prepare, run, cancel, forget }
    private enum Reply: Hashable { case accepted, awaited, awaitedAgain, prepared, ran, refused, forgotten }
    /// What QEMU does with the guest here. `stands`: it goes on by itself when its memory cannot be sent.
    private enum Here: Hashable { case runs, sends, stands, isHeld, isGone }
    private enum There: Hashable { case nothing, waits, hasAll, runs, ended }

    /// Both sides, what is on its way between them, and what has been. Everything in it is decided by the values that the
    /// toolstacks go by.
    private struct World: Hashable {
        var departure = MachineDeparture()
        /// Lasts as long as the call.
        var handOver: LiveHandOver?
        var hasCall = true
        /// Nil: no record.
        var arrival: MachineArrival?
        var here = Here.runs
        var there = There.nothing
        /// The mirrors have been told to make both images alike for good: reads come from the other side.
        var isDual = false
        var landed = false
        var wasKilled = false
        var words: Set<Word> = []
        var replies: Set<Reply> = []
        var sent: Set<Word> = []
        var sessionIsOver = false
        /// What the other side knows of tries.
        var attemptThere = 1
        /// The guest has run here since its memory was read there.
        var isStale = false

        func next() -> [World] {
            var all: [World] = []
            func add(_ change: (inout World) -> Void) {
                var world = self
                change(&world)
                world.settleThere()
                if world != self { all.append(world) }
            }
            addSteps(add)
            // Faults: either toolstack ends, the connection breaks, either QEMU is killed.
            add { $0.restart() }
            if !departure.isDecided { add { $0.fail() } }
            add { world in
                // A stream that breaks ends the QEMU that reads it, and the sending.
                if world.there == .waits { world.there = .nothing }
                if [.sends, .stands].contains(world.here) { world.here = .runs }
            }
            if !wasKilled {
                add { world in
                    world.wasKilled = true
                    world.here = .isGone
                }
                add { world in
                    world.wasKilled = true
                    if world.there != .nothing { world.there = world.there == .runs ? .ended : .nothing }
                }
            }
            for word in words {
                add { $0.words.remove(word) }
                for (world, reply) in answered(word) {
                    add { $0 = world }
                    if let reply {
                        add {
                            $0 = world
                            $0.replies.insert(reply)
                        }
                    }
                }
            }
            for reply in replies {
                add { $0.replies.remove(reply) }
                add {
                    $0.replies.remove(reply)
                    $0.hear(reply)
                }
            }
            return all
        }

        // MARK: This side

        private func addSteps(_ add: ((inout World) -> Void) -> Void) {
            func tell(_ word: Word) {
                add {
                    $0.words.insert(word)
                    $0.sent.insert(word)
                }
            }
            switch departure.step {
            case .offer where hasCall && !sent.contains(.offer): tell(.offer)
            case .copy where hasCall: addLiveSteps(add, tell)
            case .prepare where hasCall && !isDual: add { $0.isDual = true }
            case .prepare where hasCall && !sent.contains(.prepare): tell(.prepare)
            case .run: tell(.run)
            case .cancel: tell(.cancel)
            case .forget: tell(.forget)
            case .remove:
                add {
                    $0.here = .isGone
                    $0.isDual = false
                    $0.departure.take(.removed)
                }
            default: break
            }
            // The machine stays: part by part, in the order that the rule gives.
            if departure.guest == .runs, here != .isGone, here != .runs || isDual {
                for part in LiveHandOver.undoing(isHeld: here == .isHeld) where !isDone(part) {
                    add { $0.undo(part) }
                    break
                }
            }
        }

        private func addLiveSteps(_ add: ((inout World) -> Void) -> Void, _ tell: (Word) -> Void) {
            guard let handOver else { return add { $0.handOver = LiveHandOver(mayBeginAgain: true) } }
            // A comparison outlasts what a guest may stand for; twice is as often as thrice.
            let stands = handOver.step == .settle && here == .stands || handOver.step == .compare && here == .isHeld
            if stands, handOver.attempt == 1 {
                add { world in
                    world.isStale = world.there == .hasAll
                    world.here = .runs
                    _ = world.handOver?.beginAgain()
                }
            }
            switch handOver.step {
            case .announce:
                let word = handOver.attempt == 1 ? Word.expect : .expectAgain
                if !sent.contains(word) { tell(word) }
            case .send where here == .runs && there == .waits:
                add {
                    $0.here = .sends
                    $0.handOver?.done()
                }
            case .stand where here == .sends:
                add {
                    $0.here = .stands
                    $0.handOver?.done()
                }
            case .settle where here == .stands: add { $0.handOver?.done() }
            case .handOver where here == .stands && there == .waits:
                add {
                    $0.here = .isHeld
                    $0.there = .hasAll
                    $0.handOver?.done()
                }
                // The other side has all, and QEMU here does not hear of it.
                add {
                    $0.there = .hasAll
                    $0.here = .runs
                    $0.fail()
                }
            case .compare where here == .isHeld: add { $0.handOver?.done() }
            case .finish where here == .isHeld: add { $0.departure.take(.synchronised) }
            case .send, .stand, .settle, .handOver, .compare, .finish: break
            }
        }

        private func isDone(_ part: LiveHandOver.Undoing) -> Bool {
            switch part {
            case .endMirrors: !isDual
            case .letGoOn: here == .runs
            }
        }

        private mutating func undo(_ part: LiveHandOver.Undoing) {
            switch part {
            case .endMirrors: isDual = false
            case .letGoOn: here = .runs
            }
        }

        private mutating func fail() {
            departure.take(.failed(""))
            hasCall = false
            handOver = nil
        }

        private mutating func restart() {
            departure.take(.restarted)
            hasCall = false
            handOver = nil
        }

        private mutating func hear(_ reply: Reply) {
            switch reply {
            case .accepted: departure.take(.accepted)
            case .awaited: if handOver?.step == .announce, handOver?.attempt == 1 { handOver?.done() }
            case .awaitedAgain: if handOver?.step == .announce, handOver?.attempt == 2 { handOver?.done() }
            case .prepared:
                guard hasCall else { return }
                // In the commit's transaction: it has not ended meanwhile.
                if here == .isHeld { departure.take(.prepared) } else { fail() }
            case .ran: departure.take(.ran)
            case .refused: departure.take(.refused)
            case .forgotten: departure.take(.forgotten)
            }
        }

        // MARK: The other side

        /// What it does about its QEMU by its record, at once or after it has come back.
        private mutating func settleThere() {
            switch arrival?.guest {
            case .runs where there == .hasAll: there = .runs
            case .ends where there == .waits || there == .hasAll: there = .nothing
            default: break
            }
            landed = landed || arrival?.isHere == true
        }

        private func answered(_ word: Word) -> [(World, Reply?)] {
            var world = self
            world.words.remove(word)
            if word == .forget {
                world.sessionIsOver = true
                world.words.remove(.offer)
            }
            guard var record = arrival else {
                switch word {
                case .offer:
                    world.arrival = MachineArrival()
                    return [(world, .accepted)]
                case .cancel:
                    var noted = world
                    noted.arrival = .neverTaken
                    world.words.remove(.offer)
                    return sessionIsOver ? [(world, .refused)] : [(noted, .refused), (world, .refused)]
                case .forget: return [(world, .forgotten)]
                case .expect, .expectAgain, .prepare, .run: return [(world, nil)]
                }
            }
            var answer: MachineArrival.Answer?
            switch word {
            case .offer: return [(world, record.phase == .receiving ? .accepted : nil)]
            case .expect:
                guard record.phase == .receiving, [.nothing, .waits].contains(there) else { return [(world, nil)] }
                world.there = .waits
                return [(world, .awaited)]
            case .expectAgain:
                guard record.phase == .receiving, attemptThere == 1 || [.nothing, .waits].contains(there) else {
                    return [(world, nil)]
                }
                (world.there, world.attemptThere, world.isStale) = (.waits, 2, false)
                return [(world, .awaitedAgain)]
            case .prepare:
                guard record.phase != .receiving || there == .hasAll else { return [(world, nil)] }
                answer = record.take(.prepare)
            case .run:
                let isOpen = record.phase == .prepared
                answer = record.take(isOpen ? MachineArrival.event(toRun: there == .hasAll) : .run)
            case .cancel: answer = record.take(.cancel)
            case .forget: answer = record.take(.forget)
            }
            world.arrival = record.phase == .gone ? nil : record
            if record.isHere, world.there == .hasAll { world.there = .runs }
            if record.phase == .gone, world.there != .runs, world.there != .ended { world.there = .nothing }
            world.landed = landed || record.isHere
            return [(world, Self.reply(answer, to: word))]
        }

        private static func reply(_ answer: MachineArrival.Answer?, to word: Word) -> Reply? {
            switch (word, answer) {
            case (.prepare, .prepared): .prepared
            case (.run, .ran), (.cancel, .ran): .ran
            case (.run, .refused), (.cancel, .refused), (.prepare, .refused): .refused
            case (.forget, .forgotten): .forgotten
            default: nil
            }
        }

        /// Nil: all is well.
        var fault: String? {
            if [.runs, .sends].contains(here), there == .runs { return "both run it" }
            if there == .runs, isStale { return "it runs there as it was before" }
            if there == .runs, !landed { return "it runs there without a note" }
            if [.runs, .sends].contains(here), !departure.isHere { return "it runs here and is not here" }
            if [.runs, .sends].contains(here), isDual { return "it runs here and reads the other side's disks" }
            if departure.phase == .gone, arrival == nil, words.isEmpty, replies.isEmpty, !wasKilled {
                let runsHere = here == .runs
                // What is left to do here is done whatever the other side does.
                if departure.isHere, here == .isGone || there == .runs { return "it has ended" }
                if !departure.isHere, there != .runs || runsHere { return "it does not run there" }
            }
            return nil
        }

        var isAtItsEnd: Bool {
            departure.phase == .gone && arrival == nil && (wasKilled || here == .runs || there == .runs)
        }
    }

    /// With all that breaks at every moment the guest never runs twice, never runs on disks that are not its own, and comes
    /// to run on one side; from everywhere there is a way to the end.
    @Test func aGuestRunsOnOneSideWhateverBreaks() {
        let space = StateSpace(from: World(), next: { $0.next() }) { world in
            if let fault = world.fault { Issue.record("\(fault): \(world)") }
            return world.fault == nil
        }
        let ends = space.states.filter(\.isAtItsEnd)
        #expect(ends.contains { $0.there == .runs } && ends.contains { $0.here == .runs })
        let stuck = space.stuck { $0.isAtItsEnd }
        #expect(
            stuck.isEmpty, "\(stuck.count) of \(space.states.count), as \(stuck.first.map { "\($0)" } ?? "")")
    }
}
