import APITypes
import PoolDatabase
import Synchronization
import TestSupport
import Testing

@Suite struct ConcurrencyTests {
    private final class Counts: Sendable {
        private let counts = Mutex<[String: Int]>([:])
        func add(_ name: String) { counts.withLock { $0[name, default: 0] += 1 } }
        var all: [String: Int] { counts.withLock { $0 } }
    }

    @Test func transactionsThatQueueShareACommit() async throws {
        let folder = try ScratchFolder("database")
        let database = try await PoolDatabase.open(path: folder.file("pool.db"))
        let before = database.commitCount
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<400 {
                group.addTask {
                    let ref = Ref<VDI>.new()
                    try await database.transaction { $0.insert(VDI.self, ref: ref) { $0[VDI.nameLabel] = "\(index)" } }
                    #expect(database.read { $0.row(ref) != nil }, "a reply means that it is there")
                }
            }
            try await group.waitForAll()
        }
        let commits = database.commitCount - before
        #expect(commits > 0 && commits < 400, "\(commits) commits")
        try await database.close()
        let again = try await PoolDatabase.open(path: folder.file("pool.db"))
        #expect(again.read { $0.count(className: "VDI") } == 400)
        try await again.close()
    }

    @Test func onlyThoseWhomAChangeConcernsAreWoken() async throws {
        let database = try await PoolDatabase.open(path: nil)
        let refs = (0..<1000).map { _ in Ref<VDI>.new() }
        try await database.transaction { transaction in
            for ref in refs { transaction.insert(VDI.self, ref: ref) { _ in } }
        }
        let wakes = Counts()
        let watches = refs.map { database.watch(ChangeFilter(objects: ["VDI": [$0.opaque]])) }
        let concerned = Set(refs.prefix(5).map(\.opaque))
        try await withThrowingTaskGroup(of: String?.self) { group in
            for (ref, watch) in zip(refs, watches) {
                group.addTask {
                    await watch.wait()
                    wakes.add(ref.opaque)
                    return concerned.contains(ref.opaque) ? ref.opaque : nil
                }
            }
            for ref in refs.prefix(5) { try await database.transaction { try $0.set(ref, VDI.nameLabel, "new") } }
            // Changes of another class and of memory-only rows concern nobody here.
            try await database.transaction { $0.insert(SR.self, ref: .new()) { _ in } }
            try await database.transaction { $0.insert(XenTask.self, ref: .new()) { _ in } }
            var seen: Set<String> = []
            while seen.count < 5, let next = try await group.next() {
                if let next { seen.insert(next) }
            }
            #expect(Set(wakes.all.keys) == concerned)
            for watch in watches { watch.end() }
            try await group.waitForAll()
        }
        #expect(wakes.all.count == 1000 && wakes.all.values.allSatisfy { $0 == 1 })
    }

    @Test func watchesEndByTheirDeadlineAndByCancellation() async throws {
        let database = try await PoolDatabase.open(path: nil)
        let timed = database.watch(.all, until: .now + .milliseconds(1))
        await timed.wait()
        timed.end()
        let endless = database.watch(.all)
        let waiting = Task { await endless.wait() }
        waiting.cancel()
        await waiting.value
        endless.end()
        // What was committed before the wait began is not missed.
        let early = database.watch(ChangeFilter(classes: ["VDI"]))
        try await database.transaction { $0.insert(VDI.self, ref: .new()) { _ in } }
        await early.wait()
        early.end()
    }
}
