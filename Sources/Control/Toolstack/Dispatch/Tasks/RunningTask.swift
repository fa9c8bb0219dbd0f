public import APITypes
public import CoreTypes
import PoolDatabase
import Synchronization

/// A task with an operation behind it. What the operation reports is gathered and written at most four times a second.
public final class RunningTask: TaskProgress {
    public let ref: Ref<XenTask>
    public let cancellation = CancellationFlag()
    private let database: PoolDatabase
    private let gathered = Mutex(Gathered())
    private static let pause = Duration.milliseconds(250)

    private struct Gathered: Sendable {
        var fraction = 0.0
        var notes: [String: String] = [:]
        var isDirty = false
        var lastWrite: ContinuousClock.Instant?
        /// The task that writes when the pause is over.
        var writer: Task<Void, Never>?
        var isClosed = false
        var isCancelled = false
        /// Wakes an operation that waits for something else than its flag.
        var onCancel: (@Sendable () -> Void)?
        /// What was written as the task's description, where nobody else has given it one.
        var description = ""
    }

    init(ref: Ref<XenTask>, database: PoolDatabase) {
        self.ref = ref
        self.database = database
    }

    /// Asks the operation to stop.
    func cancel() {
        cancellation.cancel()
        let wake = gathered.withLock { state in
            state.isCancelled = true
            return state.onCancel
        }
        wake?()
    }

    /// `body` is called when the operation is asked to stop, at once if it was already; nil takes the last one away.
    public func whenCancelled(_ body: (@Sendable () -> Void)?) {
        let isCancelled = gathered.withLock { state in
            state.onCancel = body
            return state.isCancelled
        }
        if isCancelled { body?() }
    }

    public func report(_ fraction: Double) {
        gather { state in
            guard fraction.isFinite, fraction > state.fraction else { return false }
            state.fraction = min(1, fraction)
            return true
        }
    }

    public func annotate(_ entries: [String: String]) {
        gather { state in
            let changed = entries.contains { state.notes[$0.key] != $0.value }
            state.notes.merge(entries) { $1 }
            return changed
        }
    }

    public var entries: [String: String] {
        database.read { $0.row(ref)?[XenTask.otherConfig] ?? [:] }
    }

    public func passPointOfNoReturn() async throws {
        // Whoever cancels does so in a transaction that finds it allowed: either before this one, or never.
        try await database.transaction { [ref] transaction in
            guard let row = transaction.row(ref), row[XenTask.status] == .pending else { return }
            guard row[XenTask.currentOperations].values.contains(.cancel) == false else { throw CancellationError() }
            try transaction.set(ref, XenTask.allowedOperations, [])
        }
        if cancellation.isCancelled { throw CancellationError() }
    }

    /// Writes what is left; nothing is written afterwards.
    func close() async {
        let writer = gathered.withLock { state -> Task<Void, Never>? in
            state.isClosed = true
            defer { state.writer = nil }
            return state.writer
        }
        writer?.cancel()
        await writer?.value
        await write()
    }

    private func gather(_ change: (inout Gathered) -> Bool) {
        gathered.withLock { state in
            guard !state.isClosed, change(&state) else { return }
            state.isDirty = true
            guard state.writer == nil else { return }
            let due = state.lastWrite.map { $0 + Self.pause }
            state.writer = Task { [self] in
                if let due { try? await Task.sleep(until: due, clock: .continuous) }
                gathered.withLock { $0.writer = nil }
                await write()
            }
        }
    }

    private func write() async {
        let (fraction, notes, isDirty, told) = gathered.withLock { state in
            defer {
                state.isDirty = false
                state.lastWrite = .now
                state.description = Self.describe(state.notes) ?? state.description
            }
            return (state.fraction, state.notes, state.isDirty, state.description)
        }
        guard isDirty else { return }
        // A task that was destroyed has nowhere to write to, and needs nothing.
        _ = try? await database.transaction { transaction in
            guard let row = transaction.row(ref), row[XenTask.status] == .pending else { return }
            try transaction.set(ref, XenTask.progress, max(fraction, row[XenTask.progress]))
            if !notes.isEmpty {
                try transaction.set(ref, XenTask.otherConfig, row[XenTask.otherConfig].merging(notes) { $1 })
            }
            if let text = Self.describe(notes), text != told, row[XenTask.nameDescription] == told {
                try transaction.set(ref, XenTask.nameDescription, text)
            }
        }
    }
}

extension RunningTask {
    /// What a list of tasks shows of a move: its phase, and of one that waits its place, or what for. Nil for what has no phases.
    static func describe(_ notes: [String: String]) -> String? {
        guard let phase = notes["phase"], !phase.isEmpty else { return nil }
        guard phase == "queued" else { return phase }
        let (place, cause) = (notes["queue_position"] ?? "0", notes["waits_for"] ?? "")
        return switch (place, cause) {
        case ("0", ""): phase
        case ("0", _): "queued, waits for \(cause)"
        case (_, ""): "queued, place \(place) in the line"
        case (_, _): "queued, place \(place) of those that wait for \(cause)"
        }
    }
}

/// For messages without a task.
struct NoProgress: TaskProgress {
    let cancellation = CancellationFlag()
    func report(_ fraction: Double) {}
    func annotate(_ entries: [String: String]) {}
}
