/// All states that values can come to, and the ways between them: for tests that walk through everything that can happen to
/// a protocol's two sides and hold it to what must never be and to what must always be possible.
public struct StateSpace<State: Hashable> {
    /// In the order in which they were found; the first is where the walk began.
    public private(set) var states: [State]
    /// From which states each one comes, by their places.
    private var before: [[Int]] = [[]]

    /// Walks all that can come of `first`; `next` gives what may follow a state. The walk ends early at a state that is not
    /// sound.
    public init(from first: State, next: (State) -> [State], isSound: (State) -> Bool = { _ in true }) {
        var known = [first: 0]
        states = [first]
        var index = 0
        while index < states.count {
            guard isSound(states[index]) else { return }
            for state in next(states[index]) {
                let place = known[state] ?? states.count
                if place == states.count {
                    known[state] = place
                    states.append(state)
                    before.append([])
                }
                before[place].append(index)
            }
            index += 1
        }
    }

    /// The states from which no end can be reached any more.
    public func stuck(before isEnd: (State) -> Bool) -> [State] {
        var open = states.indices.filter { isEnd(states[$0]) }
        var reaches = Set(open)
        while let place = open.popLast() {
            for earlier in before[place] where reaches.insert(earlier).inserted { open.append(earlier) }
        }
        return states.indices.filter { !reaches.contains($0) }.map { states[$0] }
    }
}
