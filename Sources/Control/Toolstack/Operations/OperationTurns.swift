import APITypes
import CoreTypes
import PoolDatabase
import Synchronization

/// Who waits for a turn at which objects, in the order of their coming.
struct TurnQueue: Sendable, Equatable {
    /// A place in the queues of several objects at once: taken in one step, so that of two who want the same two objects
    /// the first is first at both.
    struct Place: Sendable, Hashable {
        fileprivate let number: UInt64
        fileprivate let objects: Set<String>
    }

    private var next: UInt64 = 0
    private var queues: [String: [UInt64]] = [:]

    mutating func join(_ objects: Set<String>) -> Place {
        let place = Place(number: next, objects: objects)
        next += 1
        for object in objects { queues[object, default: []].append(place.number) }
        return place
    }

    /// Nobody who came earlier wants any of the objects.
    func isFirst(_ place: Place) -> Bool { place.objects.allSatisfy { queues[$0]?.first == place.number } }

    mutating func leave(_ place: Place) {
        for object in place.objects {
            queues[object]?.removeAll { $0 == place.number }
            if queues[object]?.isEmpty == true { queues[object] = nil }
        }
    }

    var isEmpty: Bool { queues.isEmpty }
}

/// Short operations that are in each other's way wait for each other: clients clone one template many times at once and do
/// not repeat what was refused. Nobody waits for what may take long.
/// Source: XenAPI retries OTHER_OPERATION_IN_PROGRESS in the server.
final class OperationTurns: Sendable {
    /// How long somebody waits before the refusal is passed on.
    static let longest: Duration = .seconds(120)
    private static let pauses = (first: Duration.milliseconds(10), longest: Duration.milliseconds(250))

    private let queue = Mutex(TurnQueue())

    /// What takes moments whatever the disk's size. A checkpoint has its disks so from when its guest stands until it is made.
    private static let brief: Set<String> = [VDIOperations.clone.rawValue, VDIOperations.snapshot.rawValue]

    /// OTHER_OPERATION_IN_PROGRESS by an operation that is over soon.
    static func isWorthWaiting(_ error: APIError) -> Bool {
        error.code == "OTHER_OPERATION_IN_PROGRESS" && error.parameters.count > 2
            && ["VDI", "VM"].contains(error.parameters[0]) && brief.contains(error.parameters[2])
    }

    /// Tries `attempt` when it is the turn of whoever wants `objects`, until it succeeds, is refused for another reason
    /// than a short operation, or `limit` is over. Throws `CancellationError` once `cancellation` is set.
    func take<T>(
        _ objects: Set<String>, cancellation: CancellationFlag, limit: Duration = OperationTurns.longest,
        _ attempt: () async throws -> T
    ) async throws -> T {
        let place = queue.withLock { $0.join(objects) }
        defer { queue.withLock { $0.leave(place) } }
        let deadline = ContinuousClock.now + limit
        var pause = Self.pauses.first
        while true {
            if cancellation.isCancelled { throw CancellationError() }
            let isLate = ContinuousClock.now >= deadline
            if isLate || queue.withLock({ $0.isFirst(place) }) {
                do {
                    return try await attempt()
                } catch let error as APIError where !isLate && Self.isWorthWaiting(error) {
                    // Again after a pause.
                }
            }
            try await Task.sleep(for: pause)
            pause = min(pause * 2, Self.pauses.longest)
        }
    }
}
