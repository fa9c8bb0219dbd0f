import Synchronization

/// What is wrong with things that are looked at again and again: each is told once, not at each look.
final class Complaints: Sendable {
    private let told = Mutex<[String: String]>([:])

    /// False: it was told of this thing already.
    func isNew(_ complaint: String, of thing: String) -> Bool {
        told.withLock { $0.updateValue(complaint, forKey: thing) != complaint }
    }

    func clear(_ thing: String) { told.withLock { $0[thing] = nil } }
}
