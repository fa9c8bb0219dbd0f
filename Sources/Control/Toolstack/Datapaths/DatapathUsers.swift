import Glibc
import Synchronization

/// The numbers of users that data paths are, each its own. Nobody of the system has them, and they have no names: what a process
/// made as one of them is its own folder in RUN, and gone with it.
final class DatapathUsers: Sendable {
    /// So many from the first one on.
    static let count = DatapathUserRange.count

    private struct State {
        var used: Set<UInt32> = []
        var position: UInt32 = 0
    }

    private let first: UInt32
    private let range: DatapathUserRange?
    private let state: Mutex<State>

    /// `first` 0: data paths are the toolstack's user. So they are where that is not root, who alone can change users.
    init(first: UInt32, isRoot: Bool = geteuid() == 0) {
        self.first = isRoot ? first : 0
        range = nil
        state = Mutex(State())
    }

    /// Those of a range that is this toolstack's as long as this lives; nil: as 0. What processes of the machine are already, one
    /// of an earlier toolstack or of another, is given to nobody else.
    init(_ range: DatapathUserRange?) {
        first = range?.first ?? 0
        self.range = range
        state = Mutex(State(used: range?.present ?? []))
    }

    /// One that no process is, nor was lately; nil when there are none.
    func next() -> UInt32? {
        if first == 0 { return nil }
        return state.withLock { state in
            for _ in 0..<Self.count {
                let user = first + state.position
                state.position = (state.position + 1) % Self.count
                if state.used.insert(user).inserted { return user }
            }
            return nil
        }
    }

    /// The same for as long as the loan lives.
    func lend() -> DatapathUserLoan? { next().map { DatapathUserLoan($0, of: self) } }

    /// A process of an earlier toolstack is it.
    func take(_ user: UInt32) { state.withLock { _ = $0.used.insert(user) } }

    /// Its process is gone.
    func giveBack(_ user: UInt32) { state.withLock { _ = $0.used.remove(user) } }
}

/// The user of a process that ends with its work. To be kept until that is gone.
final class DatapathUserLoan: Sendable {
    let user: UInt32
    private let users: DatapathUsers

    fileprivate init(_ user: UInt32, of users: DatapathUsers) {
        self.user = user
        self.users = users
    }

    /// What gantry-datapath is told.
    var arguments: [String] { ["--user", "\(user)"] }

    deinit { users.giveBack(user) }
}
