import APITypes
import DatapathControl
import Logging
import PoolDatabase
import StorageInterface
import Synchronization

/// Who has volumes attached beside their data paths: copies and transfers. Images of our own are locked by whoever opens
/// them; a third-party driver's volume is not, so this says what excludes what. Per volume, attaching and releasing take
/// turns.
final class VolumeUses: Sendable {
    private struct Use {
        var readers = 0
        var isWritten = false
        var isTaken = false
        var waiting: [CheckedContinuation<Void, Never>] = []
        var isIdle: Bool { readers == 0 && !isWritten && !isTaken && waiting.isEmpty }
    }

    /// By the VDI's uuid.
    private let uses = Mutex<[String: Use]>([:])

    /// False when what the others do does not go with it.
    func begin(_ uuid: String, writing: Bool) -> Bool {
        uses.withLock { uses in
            var use = uses[uuid] ?? Use()
            guard !use.isWritten, !writing || use.readers == 0 else { return false }
            if writing { use.isWritten = true } else { use.readers += 1 }
            uses[uuid] = use
            return true
        }
    }

    func end(_ uuid: String, writing: Bool) {
        change(uuid) { use in if writing { use.isWritten = false } else { use.readers -= 1 } }
    }

    /// Whether a data path may open the volume now.
    func allowsDatapath(_ uuid: String, writing: Bool) -> Bool {
        uses.withLock { uses in
            guard let use = uses[uuid] else { return true }
            return !use.isWritten && (!writing || use.readers == 0)
        }
    }

    func isUsed(_ uuid: String) -> Bool {
        uses.withLock { uses in uses[uuid].map { $0.readers > 0 || $0.isWritten } ?? false }
    }

    /// Runs `body` while nobody else attaches or releases the volume.
    func inTurn<T: Sendable>(_ uuid: String, _ body: () async throws -> T) async rethrows -> T {
        await enter(uuid)
        defer { leave(uuid) }
        return try await body()
    }

    private func enter(_ uuid: String) async {
        await withCheckedContinuation { continuation in
            let mayGo = uses.withLock { uses in
                var use = uses[uuid] ?? Use()
                if use.isTaken { use.waiting.append(continuation) }
                let mayGo = !use.isTaken
                use.isTaken = true
                uses[uuid] = use
                return mayGo
            }
            if mayGo { continuation.resume() }
        }
    }

    private func leave(_ uuid: String) {
        var next: CheckedContinuation<Void, Never>?
        change(uuid) { use in
            if use.waiting.isEmpty { use.isTaken = false } else { next = use.waiting.removeFirst() }
        }
        next?.resume()
    }

    private func change(_ uuid: String, _ body: (inout Use) -> Void) {
        uses.withLock { uses in
            var use = uses[uuid] ?? Use()
            body(&use)
            uses[uuid] = use.isIdle ? nil : use
        }
    }
}

extension StorageContext {
    /// The image for somebody who is no data path of the VDI's own; to be paired with `endUse`. VDI_IN_USE when others
    /// do with a third-party driver's volume what does not go with it.
    func beginUse(of vdi: Row, readOnly: Bool) async throws -> ImageSpecification {
        let uuid = vdi[VDI.uuid]
        // A data path that is ending may still be at work on it, and a guest's epoch goes with it.
        await disks.ended(uuid)
        await endEpochIfUnused(uuid)
        guard uses.begin(uuid, writing: !readOnly) else { throw APIError("VDI_IN_USE", vdi.ref, "attach") }
        do {
            return try await uses.inTurn(uuid) { try await attachForeign(vdi, readOnly: readOnly) }
        } catch {
            await endUse(of: vdi, readOnly: readOnly)
            throw error
        }
    }

    /// In turn. What a killed toolstack had attached is in the database, so that the next one gives it up.
    func attachForeign(_ vdi: Row, readOnly: Bool) async throws -> ImageSpecification {
        if isForeign(vdi[VDI.sr]) {
            try await endLeftOverEpoch(vdi)
            try await note(vdi[VDI.uuid], isAttached: true)
        }
        return try await attach(vdi, readOnly: readOnly)
    }

    /// Private records: the uuids of the VDIs that third-party drivers have attached for us.
    static let attachedKind = "attached"

    private func note(_ vdiUUID: String, isAttached: Bool) async throws {
        if (database.privateRecords(kind: Self.attachedKind)[vdiUUID] != nil) == isAttached { return }
        try await database.transaction { tx in
            tx.setPrivate(kind: Self.attachedKind, key: vdiUUID, value: isAttached ? "" : nil)
        }
    }

    /// After a restart, when drivers can be asked: gives up what a killed toolstack had attached and nobody uses.
    func releaseLeftovers() async {
        for uuid in database.privateRecords(kind: Self.attachedKind).keys {
            if database.read({ $0.find(VDI.self, uuid: uuid) }) == nil {
                try? await note(uuid, isAttached: false)
            } else {
                await releaseUnused(uuid)
            }
        }
    }

    func endUse(of vdi: Row, readOnly: Bool) async {
        uses.end(vdi[VDI.uuid], writing: !readOnly)
        await releaseUnused(vdi[VDI.uuid])
    }

    func reading<T: Sendable>(_ vdi: Row, _ body: (ImageSpecification) async throws -> T) async throws -> T {
        let image = try await beginUse(of: vdi, readOnly: true)
        do {
            let result = try await body(image)
            await endUse(of: vdi, readOnly: true)
            return result
        } catch {
            await endUse(of: vdi, readOnly: true)
            throw error
        }
    }

    /// Tells the driver that nobody uses the volume any more, unless somebody does. A failure is logged.
    func releaseUnused(_ vdiUUID: String) async {
        guard let row = database.read({ $0.find(VDI.self, uuid: vdiUUID) }) else { return }
        await uses.inTurn(vdiUUID) {
            if uses.isUsed(vdiUUID) { return }
            if await disks.isInUse(vdiUUID) { return }
            do {
                try await attached(row[VDI.sr], evenUnplugged: true).release(Self.volume(row))
                try await note(vdiUUID, isAttached: false)
            } catch {
                logger.error("a disk cannot be detached", metadata: ["vdi": "\(vdiUUID)", "error": "\(error)"])
            }
        }
    }
}
