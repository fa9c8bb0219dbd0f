import APITypes
import PoolDatabase
import RPCCodec
import Synchronization
import Testing

@testable import Toolstack

/// What one document of machines may take of the database's time and of memory: all other transactions wait for it.
@Suite struct DocumentBoundTests {
    /// Counts how often all rows of a class, or all of an SR, are read.
    private final class CountingReader: DatabaseReader {
        let base: any DatabaseReader
        var reads = 0

        init(_ base: any DatabaseReader) { self.base = base }

        var generation: Int64 { base.generation }
        var schema: DatabaseSchema { base.schema }
        func row(className: String, ref: String) -> Row? { base.row(className: className, ref: ref) }
        func list(className: String) -> RowList? { base.list(className: className) }
        func count(className: String) -> Int { base.count(className: className) }
        func row(className: String, uuid: String) -> Row? { base.row(className: className, uuid: uuid) }
        func privateRecords(kind: String) -> [String: String] { base.privateRecords(kind: kind) }
        func privateRecord(kind: String, key: String) -> String? { base.privateRecord(kind: kind, key: key) }
        var privateKinds: [String] { base.privateKinds }
        func rows(className: String) -> [Row] {
            reads += 1
            return base.rows(className: className)
        }
        func rows(className: String, nameLabel: String) -> [Row] {
            reads += 1
            return base.rows(className: className, nameLabel: nameLabel)
        }
        func rows(className: String, field: String, equals value: APIValue) -> [Row]? {
            reads += 1
            return base.rows(className: className, field: field, equals: value)
        }
    }

    @Test func whatAnImportLooksUpIsReadOnce() async throws {
        let database = try await PoolDatabase.open(path: nil)
        let (sr, images) = (Ref<SR>.new(), Ref<SR>.new())
        let disks = (0..<20).map { _ in Ref<VDI>.new() }
        try await database.transaction { tx in
            tx.insert(SR.self, ref: sr) { $0[SR.contentType] = "user" }
            tx.insert(SR.self, ref: images) { $0[SR.contentType] = "iso" }
            for (number, disk) in disks.enumerated() {
                tx.insert(VDI.self, ref: disk) { row in
                    row[VDI.sr] = number < 10 ? sr : images
                    row[VDI.location] = "\(number % 5)"
                }
            }
            for bridge in ["xapi1", "br7", "br7", ""] {
                tx.insert(Network.self, ref: .new()) { $0[Network.bridge] = bridge }
            }
            let holder = Ref<VM>.new()
            tx.insert(VM.self, ref: holder) { row in
                row[VM.suspendVDI] = disks[0]
                row[VM.nameLabel] = "template"
                row[VM.isATemplate] = true
            }
        }
        database.read { base in
            let reader = CountingReader(base)
            var index = ImportIndex()
            var bridges: Set<String> = []
            for number in 0..<200 {
                let place = "\(number % 6)"
                let (users, discs) = (index.disks(at: place, in: sr, reader), index.images(at: place, reader))
                #expect(users.count == (number % 6 < 5 ? 2 : 0) && discs.count == users.count)
                #expect(users.allSatisfy { $0[VDI.sr] == sr } && discs.allSatisfy { $0[VDI.sr] == images })
                let known = [index.network(of: "br7", reader), index.network(of: "none", reader)]
                #expect(known.map { $0 == nil } == [false, true])
                let network = Ref<Network>.new()
                let bridge = index.takeBridge(for: network, reader)
                let isNew = bridges.insert(bridge).inserted
                #expect(bridge != "xapi1" && isNew)
                let own = index.network(of: bridge, reader)
                #expect(own == network)
                let templates = [index.template(named: "template", reader), index.template(named: "x", reader)]
                #expect(templates.map { $0 == nil } == [false, true])
                let (held, free) = (
                    index.takeSuspendImage(disks[0], reader), index.takeSuspendImage(disks[1], reader)
                )
                #expect(!held && free == (number == 0))
                _ = index.freeMemory(reader)
            }
            // The disks of each SR, the SRs of images, networks, machines twice, and two names.
            #expect(reader.reads == 8, "\(reader.reads)")
        }
    }

    @Test func aDocumentHasNoMoreNetworksThanAPoolCanBear() throws {
        func document(_ networks: Int) throws -> MachineDocument {
            let objects = (0..<networks).map {
                MachineDocument.Object(className: "network", id: "n\($0)", fields: .structure([]))
            }
            return try MachineDocument(MachineDocument(version: .init(), objects: objects).encode())
        }
        #expect(try document(MachineDocument.mostNetworks).objects.count == MachineDocument.mostNetworks)
        let refusal = #expect(throws: APIError.self) { try document(MachineDocument.mostNetworks + 1) }
        #expect(refusal?.code == "IMPORT_ERROR")
    }

    /// Before the client sends anything, and not in the middle.
    @Test func whoeverSendsADocumentHasRoomForAllOfItOrIsRefusedAtOnce() async throws {
        let database = try await PoolDatabase.open(path: nil)
        let documents = MachineDocuments(database: database, host: .new())
        var users: [Ref<XenTask>] = []
        for name in ["a", "b"] {
            let (session, task) = (Ref<Session>.new(), Ref<XenTask>.new())
            try await database.transaction { tx in
                tx.insert(Session.self, ref: session) { $0[Session.authUserSid] = name }
                tx.insert(XenTask.self, ref: task) { $0[XenTask.session] = session }
            }
            users.append(task)
        }
        func begin(_ user: Int) throws -> any DiskImportSink {
            try documents.beginImport(MachineImportRequest(), length: .max, task: users[user])
        }
        let first = [try begin(0), try begin(0)]
        #expect(throws: APIError("TOO_BUSY")) { try begin(0) }
        let second = try begin(1)
        // Nothing that was promised is refused later.
        try await second.write([UInt8](repeating: 0, count: 1 << 20))
        await second.abort()
        await first[0].abort()
        _ = try begin(0)
    }

    private final class Running: Sendable { let count = Atomic<Int>(0) }

    @Test func documentsTogetherTakeNoMoreMemoryThanThereIsForThem() async throws {
        let room = DocumentRoom(limit: 10)
        try room.take(4, for: "a")
        try room.take(4, for: "b")
        #expect(throws: APIError("TOO_BUSY")) { try room.take(3, for: "c") }
        // One user's part is half.
        #expect(throws: APIError("TOO_BUSY")) { try room.take(2, for: "a") }
        room.giveBack(4, of: "a")
        try room.take(5, for: "a")
        try room.take(1, for: "c")
        #expect(throws: APIError("TOO_BUSY")) { try room.take(1, for: "d") }
        // One after the other, also after one that failed.
        let running = Running()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<20 {
                group.addTask {
                    let work = { @Sendable in
                        #expect(running.count.add(1, ordering: .relaxed).newValue == 1)
                        await Task.yield()
                        running.count.subtract(1, ordering: .relaxed)
                        if number % 3 == 0 { throw APIError("TOO_BUSY") }
                    }
                    do { try await room.inTurn(work) } catch is APIError { #expect(number % 3 == 0) }
                }
            }
            try await group.waitForAll()
        }
    }
}
