public import APITypes
public import CoreTypes
import Foundation
import Synchronization

/// What a message's implementation knows of its caller and reports back to.
public struct CallContext: Sendable {
    /// The session of the call; null for the messages that take none.
    public let session: Ref<Session>
    /// The task that stands for this call; null for messages that have none.
    public let task: Ref<XenTask>
    /// Where the implementation says how far it is and learns that it is to stop.
    public let progress: any TaskProgress
    /// How the call came in.
    public let client: ClientInfo
    /// Whose session it is, and what they may do.
    public let caller: Principal
    /// When it came, microseconds of the epoch; of two calls the later one has the greater.
    let time = CallTime.next()

    public init(
        session: Ref<Session>, task: Ref<XenTask>, progress: any TaskProgress, client: ClientInfo = ClientInfo(),
        caller: Principal = .nobody
    ) {
        self.session = session
        self.task = task
        self.progress = progress
        self.client = client
        self.caller = caller
    }
}

/// When calls come, microseconds of the epoch: never twice the same, and in their order also where the clock is set back.
private enum CallTime {
    private static let last = Mutex<Int64>(0)

    static func next() -> Int64 {
        let now = Int64(Date().timeIntervalSince1970 * 1_000_000)
        return last.withLock { last in
            last = max(last + 1, now)
            return last
        }
    }
}

/// Where a call comes from, as far as its transport tells.
public struct ClientInfo: Sendable {
    /// The call came over the local socket: its caller is the local superuser.
    public let isLocalSocket: Bool
    public let userAgent: String?
    public let originator: String?
    /// The task that the caller says this call is a part of.
    public let parentTask: Ref<XenTask>?

    public init(
        isLocalSocket: Bool = false, userAgent: String? = nil, originator: String? = nil,
        parentTask: Ref<XenTask>? = nil
    ) {
        self.isLocalSocket = isLocalSocket
        self.userAgent = userAgent
        self.originator = originator
        self.parentTask = parentTask
    }
}

/// The two-way channel between a running operation and its task row. All methods may be called from anywhere.
public protocol TaskProgress: Sendable {
    /// Stores `fraction` (0…1, never going back) in the task. Cheap to call often: only a few a second are written.
    func report(_ fraction: Double)
    /// Puts entries into the task's `other_config` (phase, bytes, rate): what a progress bar shows.
    func annotate(_ entries: [String: String])
    /// Set by `task.cancel`.
    var cancellation: CancellationFlag { get }
    /// The task's `other_config` as it is now: what clients put there while the operation runs.
    var entries: [String: String] { get }
    /// From here on the operation does not stop any more: the task offers no `cancel`. Throws `CancellationError` when it
    /// was cancelled before.
    func passPointOfNoReturn() async throws
}

extension TaskProgress {
    public var entries: [String: String] { [:] }
    public func passPointOfNoReturn() async throws { if cancellation.isCancelled { throw CancellationError() } }
}

/// The arguments of a call, decoded and checked against the message's declaration: count and types are right.
public struct Arguments: Sendable {
    public let values: [APIValue]

    public init(_ values: [APIValue]) { self.values = values }

    /// Argument `index` as `T`. The declaration guarantees the type; a mismatch is a mistake of ours.
    public func get<T: APIConvertible>(_ index: Int, as type: T.Type = T.self) throws(APIError) -> T {
        guard index < values.count, let value = T(api: values[index]) else {
            throw .internalError("argument \(index + 1) is not of the declared type")
        }
        return value
    }
}

/// The implementation of one message. Throws `APIError`; anything else becomes INTERNAL_ERROR.
public typealias MessageHandler = @Sendable (CallContext, Arguments) async throws -> APIValue

/// Implementations by wire name (`VDI.create`). Filled once at start.
public struct MessageTable: Sendable {
    public private(set) var handlers: [String: MessageHandler] = [:]
    /// Those whose implementation looks at `TaskProgress.cancellation`: only their tasks can be cancelled.
    public private(set) var cancellable: Set<String> = []

    public init() {}

    public mutating func on(
        _ name: String, cancellable isCancellable: Bool = false, _ handler: @escaping MessageHandler
    ) {
        precondition(handlers[name] == nil, "\(name) is implemented twice")
        handlers[name] = handler
        if isCancellable { cancellable.insert(name) }
    }
}
