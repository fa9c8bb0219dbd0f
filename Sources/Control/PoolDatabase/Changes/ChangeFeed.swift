/// What happened to the rows of a filter between two generations.
public struct Changes: Sendable {
    /// As they are at `generation`, oldest change first.
    public let changed: [Row]
    /// Oldest deletion first; each object once, and none that is there again.
    public let deleted: [DeletedRow]
    /// Deletions between may be missing: too many happened.
    public let isIncomplete: Bool
    private let state: DatabaseState

    init(_ state: DatabaseState, changed: [Row], deleted: [DeletedRow], isIncomplete: Bool) {
        self.state = state
        self.changed = changed
        self.deleted = deleted
        self.isIncomplete = isIncomplete
    }

    /// What this is the state of.
    public var generation: Int64 { state.generation }
    public var schema: DatabaseSchema { state.schema }
    /// How many rows of a class there are at `generation`.
    public func count(of declared: ClassSchema) -> Int { state.count(of: declared) }
}

extension PoolDatabase {
    /// What happened after generation `since` to the rows that `filter` names. Costs what it finds, not what there is.
    /// `exceptions`: classes (exact names) that are looked at since another generation.
    public func changes(since: Int64, filter: ChangeFilter, exceptions: [String: Int64] = [:]) -> Changes {
        state.changes(since: since, filter: filter, exceptions: exceptions)
    }

    /// The same for whole classes (exact names); nil: all.
    public func changes(since: Int64, classes: Set<String>? = nil) -> Changes {
        let names = classes ?? Set(schema.classes.map(\.name))
        return changes(since: since, filter: ChangeFilter(classes: names))
    }

    /// A watch for rows that `filter` names. `deadline`: when it wakes whatever happens.
    public func watch(_ filter: ChangeFilter, until deadline: ContinuousClock.Instant? = nil) -> ChangeWatch {
        ChangeWatch(filter: filter, hub: hub, deadline: deadline)
    }

    /// Lets everybody who waits look again, though there is no change.
    public func wakeWatches() { hub.wakeAll() }

    /// Returns once something was committed after `generation`, the time is over, or the calling task was cancelled.
    public func waitForChange(after generation: Int64, timeout: Duration) async {
        let deadline = ContinuousClock.now + timeout
        let watch = watch(ChangeFilter(classes: Set(schema.classes.map(\.name))), until: deadline)
        defer { watch.end() }
        while self.generation <= generation, ContinuousClock.now < deadline, !Task.isCancelled {
            await watch.wait()
            watch.arm()
        }
    }
}

extension DatabaseState {
    func changes(since: Int64, filter: ChangeFilter, exceptions: [String: Int64]) -> Changes {
        var changed: [Row] = []
        var deleted: [DeletedRow] = []
        var isIncomplete = false
        for declared in schema.classes {
            let table = table(declared.index)
            let since = exceptions[declared.name] ?? since
            if filter.everything && declared.generatesEvents || filter.classes.contains(declared.name) {
                table.forEachChange(after: since) { changed.append($0) }
                deleted += table.deletions(after: since)
                isIncomplete = isIncomplete || table.forgottenDeletions > since
            } else if let refs = filter.objects[declared.name] {
                for ref in refs {
                    if let row = table.row(ref) {
                        if row.lastModified > since { changed.append(row) }
                    } else if let gone = table.deletion(of: ref), gone.generation > since {
                        deleted.append(gone)
                    }
                }
                isIncomplete = isIncomplete || table.forgottenDeletions > since
            }
        }
        changed.sort { ($0.lastModified, $0.created, $0.ref) < ($1.lastModified, $1.created, $1.ref) }
        deleted.sort { ($0.generation, $0.ref) < ($1.generation, $1.ref) }
        return Changes(self, changed: changed, deleted: deleted, isIncomplete: isIncomplete)
    }
}
