import APITypes
import PoolDatabase
import TestSupport
import Testing

/// Random transactions, beside a model that keeps rows in a dictionary and looks at all of them for every question.
@Suite struct ModelTests {
    private struct Model {
        struct Object: Equatable {
            var name = ""
            var sr = "OpaqueRef:NULL"
            var parent = "OpaqueRef:NULL"
            var config: [String: String] = [:]
            var groups: [String] = []
        }

        /// By class and reference, in the order in which they were made.
        var order: [String] = []
        var objects: [String: Object] = [:]

        func refs(_ className: String) -> [String] {
            order.filter { $0.hasPrefix(className + " ") }.map { String($0.dropFirst(className.count + 1)) }
        }

        mutating func insert(_ className: String, _ ref: String, _ object: Object) {
            order.append("\(className) \(ref)")
            objects["\(className) \(ref)"] = object
        }

        mutating func remove(_ className: String, _ ref: String) {
            order.removeAll { $0 == "\(className) \(ref)" }
            objects["\(className) \(ref)"] = nil
        }
    }

    private struct Refused: Error {}

    @Test(arguments: [false, true]) func randomTransactionsAgreeWithAModel(inFile: Bool) async throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("model")
        let path = inFile ? folder.file("pool.db") : nil
        var database = try await PoolDatabase.open(path: path)
        var model = Model()
        var snapshots: [(generation: Int64, records: [String: APIValue])] = []
        for round in 0..<100 {
            var draft = model
            let fails = random.next() % 6 == 0
            let steps = (0...Int(random.next() % 6)).map { _ in random.next() }
            do {
                try await database.transaction { transaction in
                    for step in steps { try Self.change(transaction, &draft, step) }
                    if fails { throw Refused() }
                }
                model = draft
            } catch is Refused {}
            Self.compare(database, model, round)
            for snapshot in snapshots.suffix(3) { Self.compareChanges(database, snapshot, round) }
            if random.next() % 4 == 0 { snapshots.append((database.generation, Self.records(database))) }
            if inFile, round % 25 == 24 {
                try await database.close()
                database = try await PoolDatabase.open(path: path)
                snapshots = []
                Self.compare(database, model, round)
            }
        }
        try await database.close()
    }

    private static func change(_ transaction: Transaction, _ model: inout Model, _ step: UInt64) throws {
        var random = SeededRandom(seed: step)
        let disks = model.refs("VDI")
        let disk = disks.randomElement(using: &random)
        // A repository that is there, one that may come later, or none.
        let repository =
            [model.refs("SR").randomElement(using: &random), "OpaqueRef:later", nil].randomElement(using: &random)
            ?? nil
        switch random.next() % 10 {
        case 0:
            let ref = model.refs("SR").contains("OpaqueRef:later") ? Ref<SR>.new().opaque : "OpaqueRef:later"
            transaction.insert(SR.self, ref: Ref(ref)) { $0[SR.nameLabel] = "sr \(step % 3)" }
            model.insert("SR", ref, .init(name: "sr \(step % 3)"))
        case 1:
            guard let ref = model.refs("SR").randomElement(using: &random), random.next() % 3 == 0 else { return }
            transaction.delete(Ref<SR>(ref))
            model.remove("SR", ref)
        case 2, 3, 4, 5:
            for _ in 0..<3 {
                let ref = Ref<VDI>.new()
                let object = Model.Object(
                    name: "disk \(step % 5)", sr: repository ?? "OpaqueRef:NULL", parent: disk ?? "OpaqueRef:NULL")
                transaction.insert(VDI.self, ref: ref) { row in
                    row[VDI.nameLabel] = object.name
                    row[VDI.sr] = Ref(object.sr)
                    row[VDI.snapshotOf] = Ref(object.parent)
                }
                model.insert("VDI", ref.opaque, object)
            }
        case 6:
            guard let disk else { return }
            transaction.delete(Ref<VDI>(disk))
            model.remove("VDI", disk)
        case 7:
            guard let disk else { return }
            try transaction.set(Ref<VDI>(disk), VDI.sr, Ref(repository ?? "OpaqueRef:NULL"))
            model.objects["VDI \(disk)"]?.sr = repository ?? "OpaqueRef:NULL"
        case 8:
            guard let disk, let other = disks.randomElement(using: &random) else { return }
            try transaction.set(Ref<VDI>(disk), VDI.snapshotOf, Ref(other))
            try transaction.set(Ref<VDI>(disk), VDI.nameLabel, "disk \(step % 7)")
            model.objects["VDI \(disk)"]?.parent = other
            model.objects["VDI \(disk)"]?.name = "disk \(step % 7)"
        default:
            guard let disk else { return }
            var config = try transaction.require(Ref<VDI>(disk))[VDI.otherConfig]
            #expect(config == model.objects["VDI \(disk)"]?.config, "a transaction sees its own changes")
            config["k\(step % 4)"] = step % 3 == 0 ? nil : "\(step)"
            try transaction.set(Ref<VDI>(disk), VDI.otherConfig, config)
            model.objects["VDI \(disk)"]?.config = config
        }
    }

    private static func compare(_ database: PoolDatabase, _ model: Model, _ round: Int) {
        database.read { reader in
            for name in ["SR", "VDI"] {
                #expect(reader.rows(className: name).map(\.ref) == model.refs(name), "round \(round), all of \(name)")
                #expect(reader.count(className: name) == model.refs(name).count)
                let single = model.refs(name).map { reader.row(className: name, ref: $0)?.record }
                #expect(reader.list(className: name)?.map(\.record) == single, "round \(round), list of \(name)")
            }
            let disks = model.refs("VDI").compactMap { ref in model.objects["VDI \(ref)"].map { (ref, $0) } }
            let bySR = Dictionary(grouping: disks, by: \.1.sr).mapValues { $0.map(\.0) }
            let byParent = Dictionary(grouping: disks, by: \.1.parent).mapValues { $0.map(\.0) }
            let byName = Dictionary(grouping: disks, by: \.1.name).mapValues { $0.map(\.0) }
            let wrong = disks.filter { ref, object in
                guard let row = reader.row(Ref<VDI>(ref)) else { return true }
                return row[VDI.otherConfig] != object.config || row[VDI.sr].opaque != object.sr
                    || row[VDI.snapshots].map(\.opaque) != byParent[ref] ?? []
                    || reader.find(VDI.self, uuid: row.uuid)?.ref != ref
            }
            #expect(wrong.isEmpty, "round \(round)")
            for ref in model.refs("SR") {
                #expect(reader.row(Ref<SR>(ref))?[SR.vdis].map(\.opaque) == bySR[ref] ?? [], "round \(round), \(ref)")
                let indexed = reader.rows(className: "VDI", field: "SR", equals: .ref(ref))
                #expect(indexed?.map(\.ref) == bySR[ref] ?? [], "round \(round), the index of \(ref)")
            }
            for label in (0..<7).map({ "disk \($0)" }) {
                #expect(
                    reader.find(VDI.self, nameLabel: label).map(\.ref) == byName[label] ?? [],
                    "round \(round), name \(label)")
            }
        }
    }

    private static func records(_ database: PoolDatabase) -> [String: APIValue] {
        database.read { reader in
            Dictionary(
                ["SR", "VDI"].flatMap { reader.rows(className: $0) }.map { ($0.ref, $0.record) },
                uniquingKeysWith: { first, _ in first })
        }
    }

    /// Whatever differs from then is told, and nothing that is older.
    private static func compareChanges(
        _ database: PoolDatabase, _ then: (generation: Int64, records: [String: APIValue]), _ round: Int
    ) {
        let changes = database.changes(since: then.generation, classes: ["SR", "VDI"])
        let now = records(database)
        let changed = Set(changes.changed.map(\.ref))
        let deleted = Set(changes.deleted.filter { $0.created <= then.generation }.map(\.ref))
        let differing = Set(now.filter { then.records[$0.key] != $0.value }.keys)
        #expect(changed.isSuperset(of: differing), "round \(round)")
        #expect(Set(then.records.keys).subtracting(now.keys).isSubset(of: deleted), "round \(round)")
        #expect(changes.changed.allSatisfy { $0.lastModified > then.generation })
        let stamps = changes.changed.map(\.lastModified)
        #expect(stamps == stamps.sorted(), "oldest change first")
        for ref in changed.union(deleted).prefix(3) {
            let one = database.changes(since: then.generation, filter: ChangeFilter(objects: ["VDI": [ref]]))
            #expect(one.changed.count + one.deleted.count <= 1)
            if changes.changed.contains(where: { $0.ref == ref && $0.className == "VDI" }) {
                #expect(one.changed.map(\.ref) == [ref])
            }
        }
    }
}
