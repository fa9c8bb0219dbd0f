import APITypes
import CoreTypes
import DataModel
import DatapathControl
import PoolDatabase
import StorageMotion

/// Carries out decided moves of disks: claims them with their snapshots, and runs their motions together.
struct DiskMoves: Sendable {
    let context: StorageContext
    let admission: OperationAdmission

    /// The caller has been admitted to the disks themselves; this is for them to say what is wanted once nobody else
    /// changes them. Returns the new VDIs by the old ones' references; those that stay are left out.
    /// `machine`: whose disks they are, where the call moves a VM's.
    func run(
        _ wanted: [WantedMove], options: [String: String], machine: Ref<VM>? = nil, call: CallContext
    ) async throws -> [String: Ref<VDI>] {
        let limit = try Self.rate(options)
        let settings = try MirrorWishes.settings(options)
        let isVerified = try context.database.read { try MirrorWishes.wantsVerification(options, $0) }
        while true {
            do {
                return try await run(
                    wanted, machine: machine, rate: limit, settings: settings, isVerified: isVerified, call)
            } catch is RoomTaken {
                // Only who was accepted meanwhile brings one here: each time one fewer is left to come.
                continue
            }
        }
    }

    private func run(
        _ wanted: [WantedMove], machine: Ref<VM>?, rate: UInt64, settings: MirrorSettings, isVerified: Bool,
        _ call: CallContext
    ) async throws -> [String: Ref<VDI>] {
        let survey = MoveSurvey(context: context)
        let (decided, room) = try await survey.decideWithRoom(wanted, bytesPerSecond: rate)
        // Those that stay are not disturbed.
        let moving = decided.filter { !$0.decision.stays }
        if moving.isEmpty { return [:] }
        let snapshots = moving.flatMap { $0.snapshots.map { $0.typedRef(VDI.self) } }
        return try await admission.run(snapshots.map { .vdi($0, .mirror) }, task: call.task) { tx in
            for snapshot in snapshots { try Self.requireUnused(snapshot, tx) }
        } _: {
            let owner = MoveCall(call, machine: machine, in: context.database)
            // They begin together.
            let waits = moving.contains { $0.decision.waits }
            let motions = moving.enumerated().map { index, disk in
                var motion = disk.motion
                motion.call = owner
                motion.call?.index = index
                motion.settings = settings == MirrorSettings() ? nil : settings
                motion.isVerified = isVerified
                motion.waitsForRoom = waits ? true : nil
                return motion
            }
            let done = try await MotionDriver(context: context).run(motions, room: room, progress: call.progress)
            return Dictionary(done.map { ($0.sourceRef, Ref($0.destinationRef)) }) { first, _ in first }
        }
    }

    /// What is claimed of the disks that move and of where they go, before anything is made.
    static func claims(_ moves: [(vdi: Ref<VDI>, destination: Ref<SR>)]) -> [OperationClaim] {
        moves.map { .vdi($0.vdi, .mirror) }
            + Set(moves.map(\.destination)).sorted { $0.opaque < $1.opaque }.map { .sr($0, .vdiMirror) }
    }

    /// Throws what would keep the decided moves from beginning now: operations on their objects, and users of snapshots. `run` and its
    /// callers claim the same, in the same order, when they begin.
    static func requireFree(_ moving: [SurveyedMove], _ reader: any DatabaseReader) throws {
        for claim in claims(moving.map { ($0.vdi, Ref($0.decision.destination)) }) { try claim.check(reader) }
        let snapshots = moving.flatMap { $0.snapshots.map { $0.typedRef(VDI.self) } }
        for snapshot in snapshots { try OperationClaim.vdi(snapshot, .mirror).check(reader) }
        for snapshot in snapshots { try requireUnused(snapshot, reader) }
    }

    /// A snapshot that somebody reads is served from its image, which is to go.
    private static func requireUnused(_ snapshot: Ref<VDI>, _ reader: any DatabaseReader) throws {
        var facts = OperationFacts(reader)
        if !facts.vdi(try reader.require(snapshot)).users.isEmpty {
            throw APIError("VDI_IN_USE", snapshot.opaque, VDIOperations.mirror.rawValue)
        }
    }

    /// INVALID_VALUE for the first option that makes no sense. Disks that stay on their host go over no network: one that
    /// is chosen for them is a mistake.
    static func check(_ options: [String: String]) throws(APIError) {
        _ = try rate(options)
        _ = try MirrorWishes.settings(options)
        try MirrorWishes.checkedVerification(options)
        if let network = options["network"], !network.isEmpty {
            throw APIError("INVALID_VALUE", "network", "\(network): the disks stay on their host")
        }
    }

    /// Not so of a server that is to be like one of before there was a choice of formats.
    static let knowsFormats =
        Datamodel.all.message("VM.migrate_send")?.parameters.contains { $0.name == "vdi_format_map" } == true

    /// `dest-img-format`, which an older release passes over like every option that it does not know.
    static func choice(_ options: [String: String], knowsFormats: Bool = knowsFormats) -> String {
        knowsFormats ? options["dest-img-format"] ?? "" : ""
    }

    /// `bytes-per-second`: ours, and optional. The reference knows no such option and ignores it.
    static func rate(_ options: [String: String]) throws(APIError) -> UInt64 {
        let text = options["bytes-per-second"] ?? ""
        guard let limit = ByteCount(parsing: text.isEmpty ? "0" : text) else {
            throw APIError("INVALID_VALUE", "bytes-per-second", text)
        }
        return limit.bytes
    }
}
