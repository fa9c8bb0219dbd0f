import TestSupport
import Testing

@testable import Guests
@testable import StorageMotion

/// Two moves of one running machine to the same pool, one after the other, where the first was never heard of to its end: what
/// belongs to one must not be decided by the other's record. `LiveHandOverTests` has one move with all that can be on its way;
/// here a word is heard at once, or its answer is lost.
@Suite struct TwoMovesTests {
    /// What toolstacks go by. Without one of these the walk must find what goes wrong.
    private struct Rules: Hashable {
        /// A passage is its owner's.
        var knowsOwners = true
        /// The end of a held guest is told once it is certain that it stays.
        var tellsEnds = true
        /// A machine is not taken while an earlier move of it is not over.
        var takesOneOnly = true
    }

    private struct Move: Hashable {
        /// Nil: not begun.
        var departure: MachineDeparture?
        var isFree = false
        var arrival: MachineArrival?
        var isClean = false
        var hasCall = false
        var isToldToExpect = false

        var isToBeFreed: Bool { departure?.isToBeFreed(isFree: isFree) ?? false }
        var isOpenThere: Bool { arrival?.isOpen(isClean: isClean) ?? false }
        /// Nobody else may begin anything with the machine.
        var holds: Bool {
            guard let departure else { return false }
            return hasCall || isToBeFreed || !departure.isHere
        }
    }

    private struct World: Hashable {
        var rules = Rules()
        var moves = [Move(), Move()]
        /// Nil: its QEMU is gone.
        var here: GuestMotion? = GuestMotion()
        var there: GuestMotion?
        var runsThere = false
        /// The row here says that it runs.
        var isRunning = true
        /// It ended while it was held, and nobody was told.
        var isUntold = false
        /// A QEMU was killed; once only.
        var wasKilled = false
        /// What has come to pass and must not.
        var mistake: String?

        private func owner(_ move: Int) -> String? { rules.knowsOwners ? "\(move)" : nil }

        private func passageHere(_ move: Int) -> GuestPassage? {
            here.flatMap { $0.owner == owner(move) ? $0.passage : nil }
        }

        private func passageThere(_ move: Int) -> GuestPassage? {
            there.flatMap { $0.owner == owner(move) ? $0.passage : nil }
        }

        func next() -> [World] {
            var all: [World] = []
            func add(_ change: (inout World) throws -> Void) {
                var world = self
                do { try change(&world) } catch { return }
                if world != self { all.append(world) }
            }
            for index in moves.indices {
                add { $0.begin(index) }
                if moves[index].departure == nil { continue }
                addSteps(index, add)
                add { $0.free(index) }
                add { $0.clean(index) }
                if moves[index].hasCall { add { $0.fail(index) } }
            }
            add { $0.restartHere() }
            add { $0.restartThere() }
            if !wasKilled {
                add { world in
                    world.wasKilled = true
                    world.endHere()
                }
                add { world in
                    world.wasKilled = true
                    if !world.runsThere { world.there = nil }
                }
            }
            return all
        }

        // MARK: This side

        private mutating func begin(_ index: Int) {
            guard let motion = here, motion.passage == nil, isRunning, !runsThere else { return }
            if moves[index].departure != nil { return }
            if index == 1, moves[0].departure == nil { return }
            if moves.contains(where: \.holds) { return }
            moves[index].departure = MachineDeparture()
            moves[index].hasCall = true
        }

        private func addSteps(_ index: Int, _ add: ((inout World) throws -> Void) -> Void) {
            let move = moves[index]
            guard let departure = move.departure else { return }
            switch departure.step {
            case .offer where move.hasCall && move.arrival == nil:
                let other = moves[1 - index]
                if rules.takesOneOnly, other.isOpenThere { return add { $0.fail(index) } }
                add {
                    $0.moves[index].arrival = MachineArrival()
                    $0.moves[index].departure?.take(.accepted)
                }
                add {
                    $0.moves[index].arrival = MachineArrival()
                    $0.fail(index)
                }
            case .copy where move.hasCall: addLiveSteps(index, add)
            case .prepare where move.hasCall:
                guard passageThere(index) == .loaded else { return add { $0.fail(index) } }
                add {
                    _ = $0.moves[index].arrival?.take(.prepare)
                    $0.commit(index)
                }
                add {
                    _ = $0.moves[index].arrival?.take(.prepare)
                    $0.fail(index)
                }
            case .run:
                add { $0.run(index, isHeard: true) }
                add { $0.run(index, isHeard: false) }
            case .remove:
                add { world in
                    if world.passageHere(index) == .held { world.here = nil }
                    guard world.here == nil else { return }
                    world.isRunning = false
                    world.moves[index].departure?.take(.removed)
                }
            case .cancel:
                add {
                    guard $0.moves[index].arrival?.take(.cancel) == .refused || $0.moves[index].arrival == nil else {
                        return
                    }
                    $0.moves[index].departure?.take(.refused)
                }
                add { _ = $0.moves[index].arrival?.take(.cancel) }
            case .forget where !move.isToBeFreed:
                add {
                    $0.clean(index)
                    _ = $0.moves[index].arrival?.take(.forget)
                    if $0.moves[index].arrival?.phase == .gone { $0.moves[index].arrival = nil }
                    $0.moves[index].departure?.take(.forgotten)
                }
            case .offer, .prepare, .copy, .forget, .nothing: break
            }
        }

        private func addLiveSteps(_ index: Int, _ add: ((inout World) throws -> Void) -> Void) {
            let owner = owner(index)
            switch passageHere(index) {
            case nil where !moves[index].isToldToExpect:
                if passageThere(index) == .waiting {
                    // Fine, it is said: there is one.
                    add {
                        $0.moves[index].isToldToExpect = true
                        if !$0.isMadeFor(index) { $0.mistake = "the other move's QEMU is taken for this one's" }
                    }
                } else if there != nil {
                    add { $0.fail(index) }
                } else {
                    add {
                        $0.there = GuestMotion(.waiting).owned(by: owner)
                        $0.moves[index].isToldToExpect = true
                        $0.madeFor = index
                    }
                }
            case nil where here != nil && passageThere(index) == .waiting:
                add {
                    try $0.here?.order(.send, of: owner)
                    try $0.there?.order(.receive, of: owner)
                }
            case .sending:
                add {
                    $0.here?.heardStop()
                    $0.here?.heard(status: "pre-switchover")
                    try $0.here?.order(.handOver, of: owner)
                }
            case .handingOver where passageThere(index) == .loading:
                add {
                    $0.here?.heard(status: "completed")
                    $0.there?.heard(status: "completed")
                }
            case .held: add { $0.moves[index].departure?.take(.synchronised) }
            default: add { $0.fail(index) }
            }
        }

        /// Which move's disks the QEMU there has.
        var madeFor: Int?
        private func isMadeFor(_ index: Int) -> Bool { madeFor == index }

        private mutating func commit(_ index: Int) {
            guard here?.passage == .held, isRunning else { return fail(index) }
            moves[index].departure?.take(.prepared)
            moves[index].hasCall = false
        }

        private mutating func fail(_ index: Int) {
            moves[index].departure?.take(.failed(""))
            moves[index].hasCall = false
            breakStream(index)
        }

        /// What is under way comes to nothing: QEMU here lets its guest go on, the one that reads ends.
        private mutating func breakStream(_ index: Int) {
            if passageThere(index) == .loading { there = nil }
            guard let passage = passageHere(index), [.sending, .handingOver].contains(passage) else { return }
            here?.heard(status: "failed")
            here?.heardResume()
        }

        /// As `Departures.free` and `DepartingGuest.letGoOn` do.
        private mutating func free(_ index: Int) {
            guard moves[index].isToBeFreed else { return }
            let owner = owner(index)
            switch passageHere(index) {
            case .held, .beginning:
                do {
                    try here?.order(.run, of: owner)
                    here?.ran()
                } catch { return }
            case .sending, .handingOver: breakStream(index)
            default: break
            }
            if rules.tellsEnds, here == nil, isUntold { (isUntold, isRunning) = (false, false) }
            moves[index].isFree = true
        }

        private mutating func endHere() {
            guard let motion = here else { return }
            here = nil
            if motion.role == .held { isUntold = true } else { isRunning = false }
            if there?.passage == .loading { there = nil }
        }

        private mutating func restartHere() {
            for index in moves.indices where moves[index].departure != nil {
                moves[index].departure?.take(.restarted)
                moves[index].hasCall = false
                breakStream(index)
                // Rules of before freed again with every start.
                if !rules.knowsOwners { moves[index].isFree = false }
            }
            // The rows follow the guests.
            if here == nil { (isRunning, isUntold) = (false, false) }
        }

        // MARK: The other side

        private mutating func run(_ index: Int, isHeard: Bool) {
            guard var arrival = moves[index].arrival else { return }
            let hasMemory = passageThere(index) == .loaded
            let answer = arrival.take(arrival.phase == .prepared ? MachineArrival.event(toRun: hasMemory) : .run)
            moves[index].arrival = arrival
            beginThere(index)
            guard isHeard else { return }
            if answer == .ran { moves[index].departure?.take(.ran) }
            if answer == .refused { moves[index].departure?.take(.refused) }
        }

        private mutating func beginThere(_ index: Int) {
            guard moves[index].arrival?.guest == .runs, passageThere(index) == .loaded else { return }
            let owner = owner(index)
            do {
                try there?.order(.run, of: owner)
                there?.ran()
                runsThere = true
                if !isMadeFor(index) { mistake = "it runs there with the other move's disks" }
            } catch {}
        }

        private mutating func clean(_ index: Int) {
            guard moves[index].arrival?.phase == .refused, !moves[index].isClean else { return }
            if let passage = passageThere(index), [.waiting, .loading, .loaded].contains(passage) {
                there = nil
                if madeFor != index { mistake = "the other move's QEMU was ended" }
            }
            moves[index].isClean = true
        }

        private mutating func restartThere() {
            if there?.passage == .loading { there = nil }
            for index in moves.indices { beginThere(index) }
        }

        // MARK: What must not be

        private var runsHere: Bool { here.map { $0.passage == nil || $0.passage == .sending } ?? false }

        /// Nil: all is well.
        var fault: String? {
            if let mistake { return mistake }
            if runsHere, runsThere { return "both run it" }
            if runsHere, moves.contains(where: { $0.departure?.isHere == false }) {
                return "it runs here and is not here"
            }
            let isOver = moves.allSatisfy { !$0.hasCall && !$0.isToBeFreed && $0.departure?.isHere != false }
            if isOver, isRunning, here == nil { return "the row says that it runs" }
            return nil
        }
    }

    /// All that can come of a world; the first fault, if there is one.
    private func walk(_ rules: Rules) -> (fault: String?, ends: Set<[Bool]>, count: Int) {
        var first = World()
        first.rules = rules
        var fault: String?
        let space = StateSpace(from: first, next: { $0.next() }) { world in
            fault = world.fault
            return fault == nil
        }
        let ends = space.states.filter { world in
            world.moves.allSatisfy { $0.departure?.phase == .gone && $0.arrival == nil }
        }
        return (fault, Set(ends.map { [$0.here != nil, $0.runsThere] }), space.states.count)
    }

    @Test func noMoveDecidesWhatIsAnothers() {
        let whole = walk(Rules())
        #expect(whole.fault == nil, "in \(whole.count)")
        // Both ends are reached.
        #expect(whole.ends.contains([true, false]) && whole.ends.contains([false, true]))
    }

    @Test func theWalkFindsWhatIsWrongWithoutTheRules() {
        for rules in [
            Rules(knowsOwners: false), Rules(knowsOwners: false, takesOneOnly: false), Rules(tellsEnds: false),
        ] {
            let broken = walk(rules)
            #expect(broken.fault != nil, "\(rules)")
        }
    }
}
