import APITypes
import CoreTypes
import DatapathControl
import Logging
import PoolDatabase
import StorageInterface
import StorageMotion

/// What moves that were accepted take of an SR's room and give back: within the pool, to other pools and from them, those that
/// stand in the line included. Read from their records, and asked of drivers and data paths where that matters.
struct RoomSurvey: Sendable {
    let context: StorageContext

    /// The rules' answer, with what is free in `repositories` and what others claim of it. The drivers are asked about the images
    /// of others only when all that these may take would leave too little. Throws `MoveRefusal`, and the error of a driver.
    /// - Parameter mayWait: what fits only when others have given back what they will is not refused.
    func decide(
        _ disks: [DiskToMove], _ given: [String: RepositoryFacts], mayWait: Bool
    ) async throws -> (decisions: [MoveDecision], room: DecidedRoom) {
        var repositories = given
        let known = context.database.read { reader in
            given.filter { $0.value.free != nil }.map { (ref: $0.key, claims: reader.roomClaims($0.key, $0.value)) }
        }
        for (ref, claims) in known { repositories[ref]?.claims = claims }
        do throws(MoveRefusal) {
            let decisions = try MoveRules.decide(disks, repositories: repositories)
            return (decisions, DecidedRoom(decisions, repositories))
        } catch {
            guard case .full = error, known.contains(where: { !$0.claims.all.isEmpty }) else { throw error }
        }
        for (ref, claims) in known where !claims.all.isEmpty {
            // Also of who may not wait: others that do are in his way only as far as nobody gives them back what they wait for.
            repositories[ref] = try await facts(
                try context.attached(Ref(ref), evenUnplugged: true), withFreed: true)
        }
        let decisions = try MoveRules.decide(disks, repositories: repositories)
        let room = DecidedRoom(decisions, repositories)
        if !mayWait, let refusal = room.refusal { throw refusal }
        return (decisions, room)
    }

    /// The SR with what is free and claimed. Throws its driver's error.
    ///
    /// What may be given back is measured first, then what is free, then what the others have written: what changes between
    /// is counted in favour of whoever asks, so that nothing is refused which fits.
    func facts(_ attached: AttachedRepository, withFreed: Bool) async throws -> RepositoryFacts {
        var facts = context.facts(attached, free: nil)
        var freed: [String: (most: UInt64, least: UInt64)] = [:]
        if withFreed {
            for claim in claims(attached, facts).all where !claim.leaving.isEmpty {
                freed[claim.id] = await givenBack(claim.leaving, in: attached)
            }
        }
        facts = try await context.factsWithSpace(attached)
        facts.claims = claims(attached, facts)
        let motions = MotionStore(database: context.database).all()
        let arrived = context.disksArrived.all
        // A data path that hangs is asked for seconds: all at once.
        let known = await withTaskGroup(of: (Int, allocated: UInt64?, unread: UInt64?).self) { [facts] tasks in
            for (index, claim) in facts.claims.all.enumerated() where claim.least > 0 {
                tasks.addTask {
                    // Of one that cannot be asked about everything may be written. So may be where a driver does not say that it
                    // shows what was written, or has given all the room already.
                    let isOpaque = facts.manager.info.writesRows && !facts.showsContent(nil) && !claim.images.isEmpty
                    let written = isOpaque ? .max : await allocated(claim.images, in: attached) ?? .max
                    if let motion = motions.first(where: { $0.id == claim.id && $0.phase == .mirroring }) {
                        return (index, written, await unread(motion))
                    }
                    let isThere = !claim.images.isEmpty && claim.images.allSatisfy { arrived.contains($0.uuid) }
                    return (index, written, isThere ? 0 : nil)
                }
            }
            return await tasks.reduce(into: [Int: (allocated: UInt64?, unread: UInt64?)]()) {
                $0[$1.0] = ($1.allocated, $1.unread)
            }
        }
        for index in facts.claims.all.indices {
            let given = freed[facts.claims.all[index].id] ?? (0, 0)
            (facts.claims.all[index].frees, facts.claims.all[index].returns) = (given.most, given.least)
            guard let known = known[index] else { continue }
            (facts.claims.all[index].allocated, facts.claims.all[index].unread) = (known.allocated, known.unread)
        }
        return facts
    }

    private func claims(_ attached: AttachedRepository, _ facts: RepositoryFacts) -> RoomClaims {
        context.database.read { $0.roomClaims(attached.ref.opaque, facts) }
    }

    /// Bytes in the images and those that they stand on, each once; nil: the driver does not say.
    private func allocated(_ images: [VolumeID], in attached: AttachedRepository) async -> UInt64? {
        await volumes(images, in: attached).map { RoomClaims.sum($0.map(\.physicalSize)) }
    }

    /// Bytes that come back when the images go: with all that they stand on, and without what disks that stay stand on, too, as the
    /// rows tell.
    private func givenBack(
        _ images: [VolumeID], in attached: AttachedRepository
    ) async -> (most: UInt64, least: UInt64) {
        guard let volumes = await volumes(images, in: attached) else { return (0, 0) }
        let rows = context.database.read { $0.rows(VDI.self, where: VDI.sr, is: attached.ref) }
        let shared = Ancestry.ofThoseThatStay(rows, leaving: Set(images.map(\.uuid)))
        let own = volumes.filter { !shared.contains($0.uuid) }
        return (RoomClaims.sum(volumes.map(\.physicalSize)), RoomClaims.sum(own.map(\.physicalSize)))
    }

    /// The images and those that they stand on, each once; nil: the driver does not say.
    private func volumes(_ images: [VolumeID], in attached: AttachedRepository) async -> [Volume]? {
        var known: [String: Volume] = [:]
        for image in images where !image.location.isEmpty {
            do throws(StorageError) {
                for volume in try await attached.manager.chain(attached.repository, image) {
                    known[volume.location] = volume
                }
            } catch {
                // Not made yet, or gone.
                if error.fault == .volumeMissing { continue }
                context.logger.debug(
                    "what an image of a move takes is not known", metadata: ["error": "\(error.message)"])
                return nil
            }
        }
        return Array(known.values)
    }

    private func unread(_ motion: DiskMotion) async -> UInt64? {
        guard let status = try? await context.disks.active(motion.sourceUUID)?.client.status(),
            let mirror = status.mirror, motion.isDestination(path: mirror.destination.path)
        else { return nil }
        switch mirror.phase {
        case .synchronised, .dual: return 0
        case .copying: return mirror.totalBytes - min(mirror.totalBytes, mirror.copiedBytes)
        case .broken, .undecided: return nil
        }
    }
}

/// Others were accepted since it was decided, and there is not room for all: it is to be decided again.
struct RoomTaken: Error {}

/// What a decision about room stands on. It is looked at again in the transaction that notes the move: of two calls that were decided
/// side by side, the second sees the first there.
struct DecidedRoom: Sendable {
    private let basis: [String: RoomBasis]
    private let repositories: [String: RepositoryFacts]

    init(_ decisions: [MoveDecision], _ repositories: [String: RepositoryFacts]) {
        basis = MoveRules.basis(of: decisions, repositories)
        self.repositories = repositories
    }

    /// Of who may not wait: what has no room now.
    var refusal: MoveRefusal? {
        basis.sorted { $0.key < $1.key }.lazy.filter(\.value.waits).compactMap { ref, basis in
            repositories[ref].map { facts in
                MoveRefusal.full(
                    repository: facts.uuid, needed: basis.needed, free: basis.free, reserved: facts.claims.reserved)
            }
        }.first
    }

    /// The uuid of an SR that has no room yet, and is to get it back; nil: there is room.
    var waitsFor: String? {
        basis.sorted { $0.key < $1.key }.lazy.filter(\.value.waits).compactMap { repositories[$0.key]?.uuid }.first
    }

    /// Throws `RoomTaken` when it holds no longer.
    func require(_ reader: any DatabaseReader) throws(RoomTaken) {
        for (ref, basis) in basis {
            guard let facts = repositories[ref] else { continue }
            if !basis.holds(beside: reader.roomClaims(ref, facts)) { throw RoomTaken() }
        }
    }
}

extension DatabaseReader {
    /// What the records of moves say about the room of the SR.
    func roomClaims(_ sr: String, _ facts: RepositoryFacts) -> RoomClaims {
        let motions = privateRecords(kind: MotionStore.kind).values.compactMap(MotionStore.read)
        return RoomClaims(
            motions.compactMap { $0.roomClaim(in: sr) } + arrivals().compactMap { $0.roomClaim(in: sr, facts) }
                + departures().compactMap { $0.roomClaim(in: sr) }
                + receivedDisks().compactMap { $0.roomClaim(in: sr) })
    }
}

extension ArrivingMachine {
    /// What the machine's disks take of the SR, as it was decided when the offer was taken; what is left of a refused one is given back.
    func roomClaim(in sr: String, _ facts: RepositoryFacts) -> RoomClaim? {
        let here = disks.filter { $0.sr == sr }
        if here.isEmpty { return nil }
        let images = here.map { VolumeID(location: $0.location, uuid: $0.uuid, ref: $0.ref) }
        var claim = RoomClaim(id: id)
        switch state.phase {
        case .receiving:
            let offered = Dictionary((offer?.disks ?? []).map { ($0.vdi, $0.leastBytes) }) { first, _ in first }
            claim.least = here.reduce(0) { total, disk in
                let format = ImageFormat(parsing: disk.format)
                let least = LeastRoom.bytes(
                    content: offered[disk.origin] ?? 0, size: disk.size, format: format,
                    isThick: facts.isThick(format))
                let (sum, overflow) = total.addingReportingOverflow(least)
                return overflow ? .max : sum
            }
            claim.images = images
        case .refused where !isClean: claim.leaving = images
        case .prepared, .running, .refused, .gone: return nil
        }
        return claim
    }
}

extension DepartingMachine {
    /// What goes from the SR with the machine.
    func roomClaim(in sr: String) -> RoomClaim? {
        switch state.phase {
        case .planned, .copying, .preparing, .committed, .delivered: break
        case .removed, .abandoned, .retracted, .gone: return nil
        }
        var claim = RoomClaim(id: id)
        claim.leaving = disks.filter { $0.sr == sr && !$0.stays }.map {
            VolumeID(location: $0.location, uuid: $0.uuid, ref: $0.vdi)
        }
        return claim.leaving.isEmpty ? nil : claim
    }
}
