import APITypes
import CoreTypes
import Foundation
import Logging
import PoolDatabase
import StorageInterface

/// The disks of a machine that is being made of another: all of them with the machine's rows, or none.
///
/// Before the first effect a record (kind `machine`) says which disks are to come. The transaction that inserts the
/// machine's rows removes it; until then the next start, or the next such operation, destroys what the record names and no
/// drive has. What is copied is never changed: a snapshot leaves a disk its content, and a copy only reads. Of drivers that
/// make rows themselves the disk that is made just then is not known before: it may stay, as one that nobody uses.
struct MachineDisks: Sendable {
    static let kind = "machine"

    /// By the key of its record.
    private struct Note: Codable {
        /// References of disks.
        var disks: [String]
    }

    let context: StorageContext
    let admission: OperationAdmission

    // MARK: - Snapshots and clones

    /// Makes one disk of each of `disks`, all of the same moment, and a clone of `memory`, a suspended machine's image. `commit` inserts
    /// the rows, in the transaction that makes them disks; `settle` runs just before. The caller has been admitted to all of them.
    func derive<Made: Sendable>(
        _ kind: DiskDerivation.Kind, _ disks: [Ref<VDI>], memory: Ref<VDI>? = nil, progress: any TaskProgress,
        commit: @escaping @Sendable (Transaction, [Ref<VDI>: Ref<VDI>]) throws -> Made,
        settle: () async throws -> Void = {}
    ) async throws -> Made {
        try await deriving(kind, disks, memory: memory, progress: progress) { made in
            try await made.makeVolumes()
            try await settle()
            return try await made.commit(commit)
        }
    }

    /// The same for a caller that says itself when the disks are made, and then commits. What `body` has made goes when it throws.
    func deriving<Made: Sendable>(
        _ kind: DiskDerivation.Kind, _ disks: [Ref<VDI>], memory: Ref<VDI>? = nil, progress: any TaskProgress,
        _ body: (DerivedDisks) async throws -> Made
    ) async throws -> Made {
        let epoch = Fresh.uuid()
        func plan(_ kind: DiskDerivation.Kind, _ vdi: Ref<VDI>) throws -> DiskDerivation {
            // What drivers that copy whole groups of disks want to know: which belong together.
            let attached = try context.attached(try context.row(vdi)[VDI.sr])
            let parameters = attached.manager.info.writesRows ? ["epochhint": epoch] : [:]
            return try DiskDerivation(kind, of: vdi, parameters: parameters, in: context)
        }
        let plans = try disks.map { try plan(kind, $0) } + (memory.map { [try plan(.clone, $0)] } ?? [])
        let key = Fresh.uuid()
        context.machinesBeingMade.insert(key)
        for plan in plans { context.volumesBeingMade.insert(plan.uuid) }
        defer {
            context.machinesBeingMade.remove(key)
            for plan in plans { context.volumesBeingMade.remove(plan.uuid) }
        }
        try await context.database.transaction { tx in
            for plan in plans { try plan.begin(in: tx) }
            try Self.write(Note(disks: plans.compactMap(\.planned?.opaque)), key, in: tx)
        }
        FailurePoint.reached("machine-noted")
        let made = DerivedDisks(context: context, plans: plans, key: key, progress: progress)
        do {
            let result = try await body(made)
            FailurePoint.reached("machine-committed")
            await refreshSpace(of: plans.map(\.attached))
            return result
        } catch {
            await made.discard()
            for plan in plans { await context.forgetGoneNodes(plan.attached) }
            await refreshSpace(of: plans.map(\.attached))
            throw error
        }
    }

    /// Takes disks that are gone, or were never made, out of a record.
    static func strike(_ disks: Set<String>, from key: String, in tx: Transaction) throws {
        guard var note = read(key, tx) else { return }
        note.disks.removeAll { disks.contains($0) }
        try write(note, key, in: tx)
    }

    private func refreshSpace(of repositories: [AttachedRepository]) async {
        var seen: Set<String> = []
        for attached in repositories where seen.insert(attached.uuid).inserted {
            await context.refreshSpace(attached)
        }
    }

    // MARK: - Copies

    /// Copies each of `disks` whole, to `chosen` or, where that is null, to the SR that it is in.
    func copy<Made: Sendable>(
        _ disks: [Ref<VDI>], to chosen: Ref<SR>, progress: any TaskProgress,
        commit: @escaping @Sendable (Transaction, [Ref<VDI>: Ref<VDI>]) throws -> Made
    ) async throws -> Made {
        let key = Fresh.uuid()
        context.machinesBeingMade.insert(key)
        defer { context.machinesBeingMade.remove(key) }
        let rows = try disks.map { try context.row($0) }
        let total = Double(max(1, StorageContext.sum(rows.map { $0[VDI.virtualSize] })))
        var (copies, done, used): ([Ref<VDI>: Ref<VDI>], Double, [AttachedRepository]) = ([:], 0, [])
        do {
            for (vdi, row) in zip(disks, rows) {
                let attached = try context.attached(chosen.isNull ? row[VDI.sr] : chosen)
                used.append(attached)
                let size = Double(max(0, row[VDI.virtualSize]))
                let copying = DiskCopy(context: context) { new, tx in
                    var note = Self.read(key, tx) ?? Note(disks: [])
                    note.disks.append(new.opaque)
                    try Self.write(note, key, in: tx)
                }
                copies[vdi] = try await copying.run(
                    vdi, to: attached,
                    progress: PartialProgress(whole: progress, start: 0.95 * done / total, share: 0.95 * size / total))
                done += size
                FailurePoint.reached("machine-copy-\(copies.count)")
            }
            if progress.cancellation.isCancelled { throw CancellationError() }
            let result = try await context.database.transaction { [copies] tx in
                for copy in copies.values { _ = try tx.require(copy) }
                tx.setPrivate(kind: Self.kind, key: key, value: nil)
                return try commit(tx, copies)
            }
            await refreshSpace(of: used)
            return result
        } catch {
            await destroy(key)
            throw error
        }
    }

    // MARK: - What is left

    /// A disk that a record names has got another reference: a move of it is committed in this transaction.
    static func repoint(from old: Ref<VDI>, to new: Ref<VDI>, in tx: Transaction) throws {
        for key in tx.privateRecords(kind: kind).keys {
            guard var note = read(key, tx), let place = note.disks.firstIndex(of: old.opaque) else { continue }
            note.disks[place] = new.opaque
            try write(note, key, in: tx)
        }
    }

    /// Disks that are to go: recorded in the transaction that takes them from their machine. `destroy` them then.
    static func retire(_ disks: [Ref<VDI>], _ key: String, in tx: Transaction) throws {
        try write(Note(disks: disks.map(\.opaque)), key, in: tx)
    }

    /// Destroys the disks that a record names, and that no drive and no suspended machine has. What cannot be destroyed now is left
    /// to a later sweep.
    func destroy(_ key: String, foreign: Bool? = nil) async {
        guard let note = context.database.read({ Self.read(key, $0) }) else { return }
        for disk in note.disks {
            let vdi = Ref<VDI>(disk)
            let row = context.database.read { $0.row(vdi) }
            let isUsed = context.database.read { reader in
                !reader.rows(VBD.self, where: VBD.vdi, is: vdi).isEmpty
                    || !reader.rows(VM.self, where: VM.suspendVDI, is: vdi).isEmpty
            }
            if let row, !isUsed {
                if let foreign, context.isForeign(row[VDI.sr]) != foreign { continue }
                do {
                    try await DiskMessages(context: context, admission: admission).destroy(vdi, task: .null)
                } catch {
                    context.logger.warning(
                        "a disk that no machine has any more is left to the next start",
                        metadata: ["vdi": "\(row[VDI.uuid])", "error": "\(error)"])
                    continue
                }
            } else if row == nil, context.database.read({ VolumeDerivation.isNoted(disk, $0) }) {
                // A scan is still to say whether there is such a volume.
                continue
            }
            do {
                try await context.database.transaction { tx in try Self.strike([disk], from: key, in: tx) }
            } catch {
                context.logger.warning("a record of a machine stays", metadata: ["error": "\(error)"])
            }
        }
    }

    /// Ends what others have left: a toolstack that was killed, and operations whose storage was away.
    static func sweep(_ context: StorageContext, foreign: Bool = false) async {
        let admission = OperationAdmission(database: context.database, gate: context.reclaimGate)
        let disks = MachineDisks(context: context, admission: admission)
        let active = context.machinesBeingMade.all
        for key in context.database.privateRecords(kind: kind).keys where !active.contains(key) {
            await disks.destroy(key, foreign: foreign)
        }
    }

    /// Whether anything is left.
    static func isClean(_ reader: any DatabaseReader) -> Bool { reader.privateRecords(kind: kind).isEmpty }

    /// The disks that a record names.
    static func disks(in text: String) -> [Ref<VDI>] { (read(text)?.disks ?? []).map { Ref($0) } }

    private static func read(_ key: String, _ reader: any DatabaseReader) -> Note? {
        reader.privateRecord(kind: kind, key: key).flatMap(read)
    }

    private static func read(_ text: String) -> Note? { try? JSONDecoder().decode(Note.self, from: Data(text.utf8)) }

    /// No record is kept that names nothing.
    private static func write(_ note: Note, _ key: String, in tx: Transaction) throws {
        let text = String(decoding: try JSONEncoder().encode(note), as: UTF8.self)
        tx.setPrivate(kind: kind, key: key, value: note.disks.isEmpty ? nil : text)
    }
}

/// One of several parts of a task.
struct PartialProgress: TaskProgress {
    let whole: any TaskProgress
    /// What was done before, and what this part makes up, of 1.
    let start: Double
    let share: Double

    func report(_ fraction: Double) { whole.report(start + share * fraction) }
    func annotate(_ entries: [String: String]) { whole.annotate(entries) }
    var cancellation: CancellationFlag { whole.cancellation }
    var entries: [String: String] { whole.entries }
}
