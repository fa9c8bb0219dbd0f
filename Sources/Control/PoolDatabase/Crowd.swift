/// How many callers write at the same time, and how long it pays to wait for them.
///
/// Callers who write again and again are all released by the same sync, and come back one after another. Who wrote as soon
/// as the first is there would sync for it alone while the others wait for the next sync. So a group is held open until as
/// many have come as were seen lately, but never for longer than a part of what a sync takes. A value without a clock.
struct Crowd: Sendable {
    struct Ticket: Equatable, Sendable { fileprivate let number: UInt64 }

    /// How many are expected.
    private var expected = 1
    /// How long a group is held open for them.
    private(set) var pause = Duration.zero
    private var last: UInt64 = 0
    private var isWaiting = false

    /// A group is never held open for longer.
    static let longestPause = Duration.milliseconds(2)
    /// Nor for longer than this part of a sync.
    static let partOfASync = 4

    /// Whether nobody else needs to be waited for when so many have come.
    func isHere(_ count: Int) -> Bool { count >= expected || pause == .zero }

    /// Begins to hold a group open.
    mutating func startWaiting() -> Ticket {
        last += 1
        isWaiting = true
        return Ticket(number: last)
    }

    /// Ends it because enough have come. False when nothing is held open.
    mutating func endWaiting() -> Bool {
        defer { isWaiting = false }
        return isWaiting
    }

    /// Ends it because the time is over. False when it was over before.
    mutating func isOver(_ ticket: Ticket) -> Bool {
        guard isWaiting, ticket.number == last else { return false }
        isWaiting = false
        return true
    }

    /// `count` callers were released after a write that took `time`, in which others came.
    mutating func wrote(_ count: Int, whileWaiting others: Int, in time: Duration) {
        expected = max(1, count + others)
        pause = min(time / Self.partOfASync, Self.longestPause)
    }
}
