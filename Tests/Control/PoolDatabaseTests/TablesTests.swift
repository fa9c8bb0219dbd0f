import APITypes
import PoolDatabase
import TestSupport
import Testing

@Suite struct TablesTests {
    @Test func computedSetsFollowTheReferences() async throws {
        let database = try await PoolDatabase.open(path: nil)
        let (first, second, disk) = (Ref<SR>.new(), Ref<SR>.new(), Ref<VDI>.new())
        func members(_ ref: Ref<SR>) -> [Ref<VDI>]? { database.read { $0.row(ref)?[SR.vdis] } }

        // The disk comes before its repository: it joins when the repository does.
        try await database.transaction { $0.insert(VDI.self, ref: disk) { $0[VDI.sr] = first } }
        try await database.transaction { transaction in
            transaction.insert(SR.self, ref: first) { _ in }
            transaction.insert(SR.self, ref: second) { _ in }
            #expect(transaction.row(first)?[SR.vdis] == [disk])
        }
        #expect(members(first) == [disk])
        let before = database.generation
        try await database.transaction { try $0.set(disk, VDI.sr, second) }
        #expect(members(first) == [] && members(second) == [disk])
        #expect(Set(database.changes(since: before).changed.map(\.ref)) == [first.opaque, second.opaque, disk.opaque])
        await #expect(throws: APIError.self) {
            try await database.transaction { try $0.set(first, SR.vdis, [disk]) }
        }
        let snapshot = Ref<VDI>.new()
        try await database.transaction { $0.insert(VDI.self, ref: snapshot) { $0[VDI.snapshotOf] = disk } }
        #expect(database.read { $0.row(disk)?[VDI.snapshots] } == [snapshot])
        try await database.transaction { $0.delete(disk) }
        #expect(members(second) == [])
        #expect(database.read { $0.row(snapshot)?[VDI.snapshotOf] } == disk)
    }

    @Test func rowsAreFoundByUUIDAndName() async throws {
        let database = try await PoolDatabase.open(path: nil)
        let refs = (0..<3).map { _ in Ref<VDI>.new() }
        try await database.transaction { transaction in
            for ref in refs { transaction.insert(VDI.self, ref: ref) { $0[VDI.nameLabel] = "same" } }
        }
        let uuid = database.read { $0.row(refs[0])?.uuid } ?? ""
        #expect(database.read { $0.find(VDI.self, uuid: uuid)?.ref } == refs[0].opaque)
        try await database.transaction { try $0.set(refs[1], VDI.nameLabel, "other") }
        try await database.transaction { $0.delete(refs[0]) }
        #expect(database.read { $0.find(VDI.self, nameLabel: "same").map(\.ref) } == [refs[2].opaque])
        #expect(database.read { $0.find(VDI.self, nameLabel: "other").map(\.ref) } == [refs[1].opaque])
        #expect(database.read { $0.find(VDI.self, uuid: uuid) == nil })
        #expect(database.read { $0.row(refs[2])?[VDI.type] } == VDIType.system, "an enum's first word")
    }

    @Test func transactionsOfManyTasksAllCount() async throws {
        let folder = try ScratchFolder("database")
        let database = try await PoolDatabase.open(path: folder.file("pool.db"))
        let ref = Ref<VDI>.new()
        try await database.transaction { $0.insert(VDI.self, ref: ref) { _ in } }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<16 {
                group.addTask {
                    for _ in 0..<25 {
                        let seen = try await database.transaction { transaction in
                            let next = try transaction.require(ref)[VDI.virtualSize] + 1
                            try transaction.set(ref, VDI.virtualSize, next)
                            return next
                        }
                        let visible = database.read { $0.row(ref)?[VDI.virtualSize] ?? 0 }
                        #expect(visible >= seen, "a transaction is visible when it returns")
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(database.read { $0.row(ref)?[VDI.virtualSize] } == 400)
    }

    @Test func waitersSeeEveryChangeAndCanGiveUp() async throws {
        let database = try await PoolDatabase.open(path: nil)
        let start = database.generation
        await database.waitForChange(after: start - 1, timeout: .seconds(600))
        await database.waitForChange(after: start, timeout: .milliseconds(1))
        let waiting = Task { await database.waitForChange(after: start, timeout: .seconds(600)) }
        waiting.cancel()
        await waiting.value
        let changed = Task { await database.waitForChange(after: start, timeout: .seconds(600)) }
        let task = Ref<XenTask>.new()
        try await database.transaction { $0.insert(XenTask.self, ref: task) { _ in } }
        await changed.value
        #expect(database.changes(since: start, classes: ["task"]).changed.map(\.ref) == [task.opaque])
        #expect(database.changes(since: start, classes: ["VM"]).changed.isEmpty)
        let middle = database.generation
        try await database.transaction { $0.delete(task) }
        let end = database.changes(since: middle)
        #expect(end.deleted.map(\.ref) == [task.opaque] && end.changed.isEmpty)
        #expect(end.deleted.allSatisfy { $0.created <= middle && $0.generation == end.generation })
    }

    @Test func anObjectThatCameBackIsNotGone() async throws {
        let database = try await PoolDatabase.open(path: nil)
        let (back, away) = (Ref<VDI>.new(), Ref<VDI>.new())
        func insert(_ ref: Ref<VDI>) async throws {
            try await database.transaction { $0.insert(VDI.self, ref: ref) { _ in } }
        }
        func delete(_ ref: Ref<VDI>) async throws { try await database.transaction { $0.delete(ref) } }
        for ref in [back, away] { try await insert(ref) }
        let start = database.generation
        for ref in [back, away] {
            try await delete(ref)
            try await insert(ref)
        }
        try await delete(away)
        let changes = database.changes(since: start)
        #expect(changes.changed.map(\.ref) == [back.opaque])
        #expect(changes.deleted.map(\.ref) == [away.opaque], "each object once")
        #expect(changes.deleted.allSatisfy { $0.created <= start }, "it was there before")
        #expect(changes.deleted.map(\.generation) == [database.generation])
    }

    @Test func recordsHaveEveryPublicFieldInOrder() async throws {
        let database = try await PoolDatabase.open(path: nil)
        let ref = Ref<VDI>.new()
        try await database.transaction { $0.insert(VDI.self, ref: ref) { _ in } }
        guard case .record(let members)? = database.read({ $0.row(ref)?.record }) else {
            Issue.record("no record")
            return
        }
        #expect(members.map(\.name).starts(with: ["uuid", "name_label", "name_description", "allowed_operations"]))
        #expect(members.contains(APIMember("VBDs", .set([]))) && members.contains(APIMember("parent", .nullRef)))
    }
}
