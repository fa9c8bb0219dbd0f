import APITypes
import DatapathControl
import Foundation
import PoolDatabase
import StorageMotion

/// Which data path serves which VDI on this host. The table is kept in the database (private records of kind
/// `datapath`: VDI uuid → data-path id), so that the transaction that commits a move also hands over the data path.
actor DiskActivation {
    static let recordKind = "datapath"

    private let database: PoolDatabase
    let host: DatapathHost
    /// Activations in progress, so that two users of one VDI start one process.
    private var starting: [String: Task<DatapathHandle, any Error>] = [:]
    /// Ends in progress: the image's lock is held until they are over.
    private var stopping: [String: Task<Void, Never>] = [:]
    /// Looks at whether a data path is unused, by VDI and number: one that has lost its record ends before its look does.
    private var looks: [String: [UInt64: Task<Void, Never>]] = [:]
    private var lookCount: UInt64 = 0
    /// What is to be done when a VDI's data path has ended for good, before it can be started again.
    private var afterwards: @Sendable (_ vdiUUID: String) async -> Void = { _ in }
    /// What is to be done when a VDI's data path has been started, or started again.
    private var begun: @Sendable (_ vdiUUID: String) async -> Void = { _ in }
    /// VDIs whose images change just now: no data path is started for them.
    private var held: Set<String> = []
    /// VDIs whose dead data paths are being started again.
    private var reviving: Set<String> = []

    init(database: PoolDatabase, host: DatapathHost) {
        self.database = database
        self.host = host
    }

    func afterEnd(_ body: @escaping @Sendable (_ vdiUUID: String) async -> Void) { afterwards = body }

    func afterStart(_ body: @escaping @Sendable (_ vdiUUID: String) async -> Void) { begun = body }

    func afterStart(of vdiUUID: String) async { await begun(vdiUUID) }

    func afterEnd(of vdiUUID: String) async { await afterwards(vdiUUID) }

    /// The data path that serves the VDI now.
    func active(_ vdiUUID: String) async -> DatapathHandle? {
        guard let id = database.privateRecords(kind: Self.recordKind)[vdiUUID] else { return nil }
        return await host.handle(id)
    }

    /// Nobody goes on with the mirror whose map a dead data path of the VDI has left. One that runs is told itself.
    func forgetMirror(of vdiUUID: String) async {
        if let pending = starting[vdiUUID] { _ = try? await pending.value }
        guard let id = database.privateRecords(kind: Self.recordKind)[vdiUUID] else { return }
        if await host.handle(id) == nil { await host.removeMap(id) }
    }

    /// Starts the VDI's data path unless it runs. A process that died is started again under its old id, on its old
    /// sockets: the guest's client reconnects and repeats what was not answered. `busy` when the VDI is just being
    /// replaced by a move, or its image by a snapshot: the caller looks up the VDI of its VBD again. `image` is asked when
    /// nobody changes it any more.
    func activate(
        _ vdiUUID: String, image: @escaping @Sendable () async throws -> ImageSpecification
    ) async throws -> DatapathHandle {
        if let ending = stopping[vdiUUID] { await ending.value }
        if let running = await active(vdiUUID) { return running }
        // One that has lost its record just now may not have begun to end yet.
        while !hasRecord(vdiUUID), let ending = stopping[vdiUUID] ?? looks[vdiUUID]?.values.first { await ending.value }
        if let pending = starting[vdiUUID] { return try await pending.value }
        try requireSettled(vdiUUID)
        if held.contains(vdiUUID) { throw Self.beingReplaced }
        let known = database.privateRecords(kind: Self.recordKind)[vdiUUID]
        let task = Task { [database, host] in
            let id = known ?? Fresh.uuid()
            let handle = try await host.start(id, image: try await image())
            do {
                try await database.transaction { tx in
                    guard tx.find(VDI.self, uuid: vdiUUID) != nil else { throw Self.beingReplaced }
                    tx.setPrivate(kind: Self.recordKind, key: vdiUUID, value: id)
                }
            } catch {
                await host.stop(id)
                throw error
            }
            return handle
        }
        starting[vdiUUID] = task
        do {
            let handle = try await task.value
            starting[vdiUUID] = nil
            await begun(vdiUUID)
            return handle
        } catch {
            starting[vdiUUID] = nil
            // The driver may have attached it for this.
            await afterwards(vdiUUID)
            throw error
        }
    }

    /// The same for who can wait some seconds: the data path of its last user may be ending, or be replaced by one of a new
    /// program, and has the image until then.
    func activatePatiently(
        _ vdiUUID: String, image: @escaping @Sendable () async throws -> ImageSpecification
    ) async throws -> DatapathHandle {
        for _ in 0..<50 {
            do {
                return try await activate(vdiUUID, image: image)
            } catch let failure as DatapathClient.Failure where failure.code == "busy" {
                try await Task.sleep(for: .milliseconds(100))
            }
        }
        return try await activate(vdiUUID, image: image)
    }

    /// Whether a data path serves the VDI or is about to.
    func isInUse(_ vdiUUID: String) -> Bool { starting[vdiUUID] != nil || hasRecord(vdiUUID) }

    private func hasRecord(_ vdiUUID: String) -> Bool {
        database.privateRecords(kind: Self.recordKind)[vdiUUID] != nil
    }

    /// Returns when a data path of the VDI that is ending now has ended, and its driver has been told.
    func ended(_ vdiUUID: String) async {
        if let ending = stopping[vdiUUID] { await ending.value }
    }

    /// From when this returns until `release` no data path of the VDI starts; returns the one that runs. `busy` while
    /// another holds it.
    func hold(_ vdiUUID: String) async throws -> DatapathHandle? {
        if !held.insert(vdiUUID).inserted { throw Self.beingReplaced }
        if let pending = starting[vdiUUID] { _ = try? await pending.value }
        if let ending = stopping[vdiUUID] { await ending.value }
        return await active(vdiUUID)
    }

    func release(_ vdiUUID: String) { held.remove(vdiUUID) }

    /// Whether a data path of the VDI is just being started or ended.
    func isChanging(_ vdiUUID: String) -> Bool { starting[vdiUUID] != nil || stopping[vdiUUID] != nil }

    func isHeld(_ vdiUUID: String) -> Bool { held.contains(vdiUUID) }

    /// Those whose toolstack ended while it had them paused, or was about to, go on, with the image that is the disk now.
    /// Whoever works on an image holds its VDI: those are left to it.
    func resumePaused(
        _ image: @Sendable (Row) async throws -> ImageSpecification,
        where isMeant: @Sendable (Row) -> Bool = { _ in true }
    ) async {
        for (uuid, id) in database.privateRecords(kind: Self.recordKind) {
            guard !held.contains(uuid), let handle = await host.handle(id),
                let seen = try? await handle.client.status(), seen.isPaused == true,
                // Nobody pauses it from here on; who did since is not disturbed.
                held.insert(uuid).inserted
            else { continue }
            defer { held.remove(uuid) }
            guard let status = try? await handle.client.status(), status.isPaused == true,
                let vdi = database.read({ $0.find(VDI.self, uuid: uuid) }), isMeant(vdi)
            else { continue }
            do {
                // Whether it may write is not for the data path to say.
                let next = try await image(vdi)
                _ = try await handle.client.call(.resume(image: next))
            } catch {
                // Nothing is lost with it: it was flushed. `revive` starts it again.
                await host.stop(id, forGood: false)
            }
        }
    }

    private static let beingReplaced = DatapathClient.Failure(
        code: "busy", message: "the disk is being moved to another image; try again")

    /// A data path that is not there must not be started on an image that a move has left or is about to leave: the
    /// commit may be on its way.
    private func requireSettled(_ vdiUUID: String) throws {
        let leaving = MotionStore(database: database).all().contains {
            $0.sourceUUID == vdiUUID && ($0.phase == .pivoting || $0.phase == .committed)
        }
        let isThere = database.read { $0.find(VDI.self, uuid: vdiUUID) != nil }
        if leaving || !isThere { throw Self.beingReplaced }
    }

    /// Ends the VDI's data path unless a VBD or a move uses it; looked up and recorded in one transaction, so that a new
    /// user either keeps it or waits for its end and starts another. While that cannot be recorded it goes on without the
    /// caller, who has waited for some seconds.
    /// False then.
    @discardableResult
    func deactivateIfUnused(_ vdiUUID: String) async -> Bool {
        (try? await database.answering { [self] in await deactivate(vdiUUID) }) != nil
    }

    /// The same for whoever builds on the end. INTERNAL_ERROR when it cannot be recorded.
    func requireInactive(_ vdiUUID: String) async throws(APIError) {
        guard await deactivateIfUnused(vdiUUID) else {
            throw .internalError("the end of the data path of \(vdiUUID) cannot be written to the database")
        }
    }

    private func deactivate(_ vdiUUID: String) async {
        lookCount += 1
        let number = lookCount
        let look = Task {
            await endIfUnused(vdiUUID)
            looks[vdiUUID]?[number] = nil
            if looks[vdiUUID]?.isEmpty == true { looks[vdiUUID] = nil }
        }
        looks[vdiUUID, default: [:]][number] = look
        await look.value
    }

    private func endIfUnused(_ vdiUUID: String) async {
        let unused = try? await database.persist { tx -> String? in
            guard let id = tx.privateRecords(kind: Self.recordKind)[vdiUUID] else { return nil }
            if let vdi = tx.find(VDI.self, uuid: vdiUUID) {
                let ref = vdi.typedRef(VDI.self)
                let used = tx.rows(VBD.self) { $0[VBD.vdi] == ref && ($0[VBD.currentlyAttached] || $0[VBD.reserved]) }
                if !used.isEmpty { return nil }
            }
            let moves = tx.privateRecords(kind: MotionStore.kind).values.compactMap(MotionStore.read)
                .filter { !$0.isReleased }
            if moves.contains(where: { $0.sourceUUID == vdiUUID || $0.destinationUUID == vdiUUID }) { return nil }
            // A QEMU that waits for a guest of another pool comes back to the same process, or its successor.
            if tx.arrivals().contains(where: { $0.lends(vdiUUID) }) { return nil }
            // Its process knows what of a disk that is being filled has come by which way.
            if tx.receivedDisks().contains(where: { $0.keepsDatapath(of: vdiUUID) }) { return nil }
            tx.setPrivate(kind: Self.recordKind, key: vdiUUID, value: nil)
            return id
        }
        guard let id = unused ?? nil else {
            // Somebody else's end of it is not over before its process is.
            await stopping[vdiUUID]?.value
            return
        }
        let ending = Task {
            await host.stop(id)
            await afterwards(vdiUUID)
            stopping[vdiUUID] = nil
        }
        stopping[vdiUUID] = ending
        await ending.value
    }

    /// After a restart, when the rows of dead guests are settled: ends the data paths that no record names, forgets the
    /// records of dead ones that nobody uses.
    func reconcile() async throws {
        let records = database.privateRecords(kind: Self.recordKind)
        let alive = Set(await host.ids)
        for id in alive.subtracting(records.values) { await host.stop(id) }
        let dead = records.filter { !alive.contains($0.value) && !isAttached($0.key) }.map(\.key)
        // What a dead one left in the run folder goes with it.
        for uuid in dead {
            if let id = records[uuid] { await host.stop(id) }
            await afterwards(uuid)
        }
        if dead.isEmpty { return }
        try await database.transaction { tx in
            for uuid in dead { tx.setPrivate(kind: Self.recordKind, key: uuid, value: nil) }
        }
    }

    /// Ends the data paths of disks that have no user any more: the toolstack ended between a disk's release and its data
    /// path's end.
    func endUnused() async {
        for uuid in database.privateRecords(kind: Self.recordKind).keys.sorted() { await deactivateIfUnused(uuid) }
    }

    /// Ids of data paths by VDI.
    var records: [String: String] { database.privateRecords(kind: Self.recordKind) }

    func vdi(_ uuid: String) -> Row? { database.read { $0.find(VDI.self, uuid: uuid) } }

    /// Whether a move has the VDI: within this host, to another pool or from there.
    func isMoving(_ vdiUUID: String) -> Bool {
        let isMoving = MotionStore(database: database).all().contains {
            $0.sourceUUID == vdiUUID || $0.destinationUUID == vdiUUID
        }
        return isMoving || database.departures().contains { $0.hasInHand(vdiUUID) != nil }
            || database.arrivals().contains { $0.isOpen && $0.disks.contains { $0.uuid == vdiUUID } }
            || database.read { $0.receivedDisks() }.contains { $0.id == vdiUUID }
    }

    /// Restarts the data paths that died under a running guest. Each by itself: the storage of one may not answer, which
    /// is no reason for another to wait.
    func revive(
        _ image: @escaping @Sendable (Row) async throws -> ImageSpecification,
        onFailure: @escaping @Sendable (String, any Error) -> Void
    ) async {
        for (uuid, id) in database.privateRecords(kind: Self.recordKind) {
            guard await host.handle(id) == nil, isAttached(uuid), !held.contains(uuid), !reviving.contains(uuid),
                let vdi = database.read({ $0.find(VDI.self, uuid: uuid) })
            else { continue }
            let ref = vdi.typedRef(VDI.self)
            reviving.insert(uuid)
            Task {
                do {
                    _ = try await activate(uuid) { [database] in
                        guard let row = database.read({ $0.row(ref) }) else { throw Self.beingReplaced }
                        return try await image(row)
                    }
                } catch {
                    onFailure(uuid, error)
                }
                reviving.remove(uuid)
            }
        }
    }

    private func isAttached(_ vdiUUID: String) -> Bool {
        database.read { reader in
            guard let vdi = reader.find(VDI.self, uuid: vdiUUID) else { return false }
            let ref = vdi.typedRef(VDI.self)
            return reader.rows(VBD.self).contains { $0[VBD.vdi] == ref && $0[VBD.currentlyAttached] }
        }
    }
}
