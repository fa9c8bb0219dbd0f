import Synchronization

/// Learns of committed changes to the rows that its filter names. While nothing of that kind is committed, it costs
/// nothing: commits find the watches that they concern by class and reference. Once it has learned of one it costs nothing
/// either, until it is armed again. To be ended with `end`.
///
///     watch.arm(); look at the database; if there is nothing: await watch.wait(); begin again
public final class ChangeWatch: Sendable {
    public let filter: ChangeFilter
    private let hub: ChangeHub
    private let timer = Mutex<Task<Void, Never>?>(nil)
    private let state = Mutex(State.idle)

    private enum State: Sendable {
        case idle
        /// Something was committed since the watch was armed.
        case due
        case waiting(CheckedContinuation<Void, Never>)
    }

    init(filter: ChangeFilter, hub: ChangeHub, deadline: ContinuousClock.Instant?) {
        self.filter = filter
        self.hub = hub
        hub.add(self)
        guard let deadline else { return }
        let alarm = Task { [weak self] in
            try? await Task.sleep(until: deadline, clock: .continuous)
            if !Task.isCancelled { self?.signal() }
        }
        timer.withLock { $0 = alarm }
    }

    /// Makes `wait` return for what is committed from now on. A new watch is armed.
    public func arm() {
        state.withLock { state in if case .due = state { state = .idle } }
        hub.add(self)
    }

    /// Returns when something was committed since the watch was armed, when the deadline came, when `wakeWatches` was
    /// called, or when the calling task was cancelled; sometimes without any reason. One caller at a time.
    public func wait() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state -> Bool in
                    if case .idle = state, !Task.isCancelled {
                        state = .waiting(continuation)
                        return false
                    }
                    state = .idle
                    return true
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            signal()
        }
    }

    /// Lets the caller that waits look again, now or when it comes to wait.
    public func wake() { signal() }

    func signal() {
        let waiting = state.withLock { state -> CheckedContinuation<Void, Never>? in
            if case .waiting(let continuation) = state {
                state = .idle
                return continuation
            }
            state = .due
            return nil
        }
        waiting?.resume()
    }

    /// Ends the watch; a caller that waits returns.
    public func end() {
        hub.remove(self)
        timer.withLock { timer in
            timer?.cancel()
            timer = nil
        }
        signal()
    }
}

/// All armed watches, by what they watch.
final class ChangeHub: Sendable {
    private typealias Watches = [ObjectIdentifier: ChangeWatch]

    private struct Table: Sendable {
        var everything: Watches = [:]
        var byClass: [String: Watches] = [:]
        var byObject: [String: [String: Watches]] = [:]

        var isEmpty: Bool { everything.isEmpty && byClass.isEmpty && byObject.isEmpty }

        mutating func remove(_ watch: ChangeWatch) {
            let id = ObjectIdentifier(watch)
            everything[id] = nil
            for name in watch.filter.classes {
                byClass[name]?[id] = nil
                if byClass[name]?.isEmpty == true { byClass[name] = nil }
            }
            for (name, refs) in watch.filter.objects {
                for ref in refs {
                    byObject[name]?[ref]?[id] = nil
                    if byObject[name]?[ref]?.isEmpty == true { byObject[name]?[ref] = nil }
                }
                if byObject[name]?.isEmpty == true { byObject[name] = nil }
            }
        }
    }

    private let table = Mutex(Table())

    func add(_ watch: ChangeWatch) {
        let id = ObjectIdentifier(watch)
        table.withLock { table in
            if watch.filter.everything { table.everything[id] = watch }
            for name in watch.filter.classes { table.byClass[name, default: [:]][id] = watch }
            for (name, refs) in watch.filter.objects {
                for ref in refs { table.byObject[name, default: [:]][ref, default: [:]][id] = watch }
            }
        }
    }

    func remove(_ watch: ChangeWatch) { table.withLock { $0.remove(watch) } }

    /// Wakes those whom the changed rows concern.
    func publish(_ journal: [RowKey], schema: DatabaseSchema) {
        let concerned = table.withLock { table -> Watches in
            guard !table.isEmpty else { return [:] }
            var concerned: Watches = [:]
            var isShown = false
            var classes: Set<Int> = []
            for key in journal {
                let declared = schema.classes[key.classIndex]
                isShown = isShown || declared.generatesEvents
                if classes.insert(key.classIndex).inserted, let all = table.byClass[declared.name] {
                    concerned.merge(all) { first, _ in first }
                }
                if let some = table.byObject[declared.name]?[key.ref] { concerned.merge(some) { first, _ in first } }
            }
            if isShown { concerned.merge(table.everything) { first, _ in first } }
            // They know now. Whatever is committed until they are armed again is found when they look.
            for watch in concerned.values { table.remove(watch) }
            return concerned
        }
        for watch in concerned.values { watch.signal() }
    }

    func wakeAll() {
        let all = table.withLock { table -> Watches in
            var all = table.everything
            for watches in table.byClass.values { all.merge(watches) { first, _ in first } }
            for objects in table.byObject.values {
                for watches in objects.values { all.merge(watches) { first, _ in first } }
            }
            return all
        }
        for watch in all.values { watch.signal() }
    }
}
