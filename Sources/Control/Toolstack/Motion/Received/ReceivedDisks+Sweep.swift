import APITypes
import CoreTypes
import Logging
import PoolDatabase

/// What nobody goes on with.
extension ReceivedDisks {
    /// What becomes of a disk without a call of the other side.
    private enum Fate {
        /// Nothing more comes for it: it is one of the pool's.
        case finished
        /// A machine has it, so that it stays, whatever became of the other side: the machine may be here only.
        case left
        case removed
    }

    /// Before calls are taken: what was held is held again. Whoever goes on with it has as long as after a call.
    func resume() async {
        for record in records() {
            lastSeen[record.id] = WallClock.seconds
            try? await context.database.transaction { tx in try OperationAdmission.enter(record.hold, in: tx) }
        }
    }

    /// Begins to end what is to end. Each by itself: storage that does not answer is no reason for another to wait. The tasks: for whoever
    /// wants to know when that is over.
    @discardableResult
    func sweep() async -> [Task<Void, Never>] {
        var ends: [Task<Void, Never>] = []
        for record in records() where !turns.isTaken(record.id) && !ending.contains(record.id) {
            guard fate(of: record) != nil else { continue }
            ending.insert(record.id)
            let id = record.id
            ends.append(Task { await end(id) })
        }
        await forgetContents()
        return ends
    }

    private func forgetContents() async {
        let gone = context.database.read { reader in
            reader.privateRecords(kind: Self.contentKind).keys.filter { reader.find(VDI.self, uuid: $0) == nil }
        }
        if gone.isEmpty { return }
        _ = try? await context.database.transaction { tx in
            for uuid in gone { tx.setPrivate(kind: Self.contentKind, key: uuid, value: nil) }
        }
    }

    func hasMachine(_ record: ReceivedDisk) -> Bool {
        context.database.read { !$0.rows(VBD.self, where: VBD.vdi, is: Ref<VDI>(record.ref)).isEmpty }
    }

    private func fate(of record: ReceivedDisk) -> Fate? {
        if record.isCancelled || unwanted.contains(record.id) { return .removed }
        let sessions = self.sessions(of: record)
        let hasSession = context.database.read { reader in
            sessions.contains { reader.row(Ref<Session>($0)) != nil }
        }
        let isAbandoned = record.isAbandoned(
            at: WallClock.seconds, lastSeen: lastSeen[record.id] ?? 0, hasSession: hasSession,
            isConnected: connections[record.id] ?? 0 > 0)
        guard hasMachine(record) else { return isAbandoned ? .removed : nil }
        if isAbandoned { return .left }
        // The other side does not look at what the last call answered, and does not call again.
        return record.isComplete ? .finished : nil
    }

    private func end(_ id: String) async {
        defer { ending.remove(id) }
        do {
            try await working(on: id) { record in
                switch fate(of: record) {
                case nil: break
                case .removed: await giveUp(&record)
                case .finished: try await finish(&record)
                case .left: try await release(&record)
                }
            }
        } catch {
            guard records().contains(where: { $0.id == id }) else { return }
            complain(id, "a disk of another maker's toolstack is not at its end yet; it is tried again", error)
        }
    }

    /// It is the machine's as it is. What is in the memory of a data path that is there is written first; until that has worked it stays
    /// with it.
    private func release(_ record: inout ReceivedDisk) async throws {
        if !record.isDurable {
            var doubt = record.isComplete ? nil : "nobody has said that all of it has come"
            do { try await makeDurable(record) } catch let error as StorageLayerError where error == Self.lost(record) {
                doubt = "the data path that it came by has ended before all was written"
            }
            if let doubt {
                context.logger.error(
                    "nobody goes on with a disk that a VM here has: it stays as it is; see that it is whole before the VM starts",
                    metadata: ["vdi": "\(record.id)", "why": "\(doubt)"])
            }
            try await change(&record) { record in
                record.isDurable = true
                record.doubt = doubt
            }
        }
        try await finish(&record)
    }
}
