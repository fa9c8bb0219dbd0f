import BlockIO

/// The mirrors that were asked for and are not there yet: until a destination is open, which may take long, a cancellation
/// finds nothing that it could end. A value.
struct MirrorStarts {
    /// What was asked for, and when.
    struct Ticket: Equatable {
        fileprivate let cancellations: UInt64
    }

    private var cancellations: UInt64 = 0
    private var underWay = 0

    /// Somebody asks for a mirror. To be followed by `end`.
    mutating func begin() -> Ticket {
        underWay += 1
        return Ticket(cancellations: cancellations)
    }

    /// It is there, or will not be.
    mutating func end() { underWay -= 1 }

    /// None of those that were asked for before will be there. Whether there are any.
    mutating func cancel() -> Bool {
        cancellations += 1
        return underWay > 0
    }

    /// `.cancelled` for a mirror that is not wanted any more.
    func check(_ ticket: Ticket) throws(BlockError) {
        guard ticket.cancellations == cancellations else {
            throw BlockError(.cancelled, "the mirror was cancelled while its destination was opened")
        }
    }
}
