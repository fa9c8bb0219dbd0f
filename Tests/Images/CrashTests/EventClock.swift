import BlockIO

/// Numbers the events of all files of a machine in their order.
final class EventClock: @unchecked Sendable {
    // @unchecked: used with `lock` held.
    private let lock = Monitor()
    private var next = 0

    /// Events so far.
    var now: Int { lock.locked { next } }

    /// The number of an event that happens now.
    func tick() -> Int {
        lock.locked {
            next += 1
            return next - 1
        }
    }
}
