import Glibc

/// The numbers of users that data paths are, each its own. Nobody of the system has them, and they have no names: what a process
/// made as one of them is its own folder in RUN, and gone with it.
struct DatapathUsers: Sendable {
    /// So many from the first one on.
    static let count: UInt32 = 65536

    private let first: UInt32
    private var used: Set<UInt32> = []
    private var position: UInt32 = 0

    /// `first` 0: data paths are the toolstack's user. So they are where that is not root, who alone can change users.
    init(first: UInt32, isRoot: Bool = geteuid() == 0) {
        self.first = isRoot ? first : 0
    }

    /// One that no process is, nor was lately; nil when there are none.
    mutating func next() -> UInt32? {
        if first == 0 { return nil }
        for _ in 0..<Self.count {
            let user = first + position
            position = (position + 1) % Self.count
            if used.insert(user).inserted { return user }
        }
        return nil
    }

    /// A process of an earlier toolstack is it.
    mutating func take(_ user: UInt32) { used.insert(user) }

    /// Its process is gone.
    mutating func giveBack(_ user: UInt32) { used.remove(user) }
}
