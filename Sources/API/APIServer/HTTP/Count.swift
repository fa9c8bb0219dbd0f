import Synchronization

/// How many of something are in use.
final class Count: Sendable {
    private let value = Atomic<Int>(0)

    func enter(most: Int) -> Bool {
        if value.wrappingAdd(1, ordering: .relaxed).newValue <= most { return true }
        leave()
        return false
    }

    func leave() { value.wrappingSubtract(1, ordering: .relaxed) }
}
