import APITypes
import CoreTypes
import PoolDatabase
import StorageInterface
import StorageManagers
import StorageMotion
import Testing

@testable import Toolstack

/// What machines on their way between pools take of an SR's room and give back.
@Suite struct ArrivalRoomTests {
    private static func facts() -> RepositoryFacts {
        RepositoryFacts(uuid: "", manager: FileStorageManager(), configuration: ["allocation": "thick"], free: nil)
    }

    private static func arrival(
        _ events: [MachineArrival.Event], isClean: Bool = false, format: String = "qcow2"
    ) -> ArrivingMachine {
        var state = MachineArrival()
        for event in events { _ = state.take(event) }
        let places = ["a": "s", "b": "s", "c": "elsewhere"]
        let disks = places.keys.sorted().map { name in
            ArrivingMachine.Disk(
                origin: name, uuid: "u-" + name, ref: "r-" + name, sr: places[name] ?? "", location: name,
                format: format, size: 1 << 30, row: "{}", isReadOnly: false)
        }
        let offered = disks.map {
            OfferedDisk(
                vdi: $0.origin, row: "{}", role: "disk", sr: $0.sr, choice: "", size: 1 << 30, leastBytes: 8192)
        }
        return ArrivingMachine(
            id: "move", secretDigest: "",
            offer: MoveOffer(
                id: "move", uuid: "", isCopy: false, isForced: false, machine: "{}", drives: [], interfaces: [],
                disks: offered, origin: ""),
            vm: "", uuid: "", disks: disks, state: state, isClean: isClean)
    }

    /// From when its offer was taken until its disks are whole. All its disks there are one claim: what they share is counted once.
    @Test func aMachineThatComesHasItsRoomUntilItsDisksAreWhole() {
        func claim(_ machine: ArrivingMachine) -> RoomClaim? { machine.roomClaim(in: "s", Self.facts()) }
        let least = LeastRoom.bytes(content: 8192, size: 1 << 30, format: .qcow2, isThick: false)
        #expect(claim(Self.arrival([]))?.least == 2 * least)
        #expect(claim(Self.arrival([]))?.images.map(\.uuid) == ["u-a", "u-b"])
        // Storage that gives all at once.
        #expect(claim(Self.arrival([], format: "raw"))?.least == 2 << 30)
        #expect(claim(Self.arrival([.prepare])) == nil)
        #expect(claim(Self.arrival([.prepare, .run])) == nil)
        #expect(claim(Self.arrival([.cancel]))?.least == 0)
        #expect(claim(Self.arrival([.cancel]))?.leaving.map(\.uuid) == ["u-a", "u-b"])
        #expect(claim(Self.arrival([.cancel], isClean: true)) == nil)
        #expect(Self.arrival([]).roomClaim(in: "other", Self.facts()) == nil)
    }

    /// What stays, as a copy's does, frees nothing.
    @Test func aMachineThatGoesGivesItsRoomBack() {
        func claim(_ events: [MachineDeparture.Event], stays: Bool = false) -> RoomClaim? {
            var state = MachineDeparture()
            for event in events { state.take(event) }
            return DepartingMachine(
                id: "", secret: "", place: PeerPlace(host: "far", port: 1, fingerprint: ""), session: "", vm: "",
                uuid: "", isCopy: stays,
                disks: [.init(vdi: "", uuid: "u", sr: "s", location: "u.vhd", stays: stays)], state: state
            ).roomClaim(in: "s")
        }
        for events: [MachineDeparture.Event] in [[], [.accepted], [.accepted, .synchronised, .prepared]] {
            #expect(claim(events)?.leaving.map(\.location) == ["u.vhd"] && claim(events)?.least == 0)
        }
        #expect(claim([.accepted], stays: true) == nil)
        #expect(claim([.accepted, .failed("")]) == nil)
        #expect(claim([.accepted, .synchronised, .prepared, .ran, .removed]) == nil)
    }

    /// The records of all that are under way are what counts, also after a restart; who is decided about beside another falls in
    /// the transaction that notes the second.
    @Test func theRecordsOfBothKindsCountTogether() async throws {
        let bench = try await StorageBench([])
        var motion = DiskMotion(
            id: "m", sourceUUID: "", sourceRef: "", sourceSR: "a", sourceLocation: "", destinationUUID: "",
            destinationRef: "", destinationSR: "s", format: "qcow2", size: 1)
        motion.room = 100
        let noted = motion
        var wanted = DiskToMove(
            ref: "d", source: "a", destination: "s", size: 1 << 30, format: .qcow2, leastBytes: 8192)
        wanted.choice = "qcow2"
        let least = LeastRoom.bytes(content: 8192, size: 1 << 30, format: .qcow2, isThick: false)
        var facts = Self.facts()
        facts.free = 3 * least + 99
        let survey = RoomSurvey(context: bench.context)
        let (decisions, room) = try await survey.decide([wanted], ["s": facts], mayWait: true)
        #expect(decisions.map(\.room) == [least] && decisions.map(\.waits) == [false])
        try await bench.database.transaction { tx in
            try tx.store(Self.arrival([]))
            try room.require(tx)
        }
        try await MotionStore(database: bench.database).save([noted], room: nil)
        #expect(bench.database.read { $0.roomClaims("s", facts).reserved } == 2 * least + 100)
        await #expect(throws: RoomTaken.self) {
            try await MotionStore(database: bench.database).save([noted], room: room)
        }
    }

    /// After a restart moves have their places in the line again; one that waits for room has none, as it would have to wait for those
    /// behind it.
    @Test func whoWaitsForRoomIsInNobodysWayAfterARestart() async throws {
        let bench = try await StorageBench([])
        let motions = [true, false].enumerated().map { index, waits in
            var motion = DiskMotion(
                id: "m\(index)", sourceUUID: "s\(index)", sourceRef: "", sourceSR: "a", sourceLocation: "",
                destinationUUID: "d\(index)", destinationRef: "", destinationSR: "b", format: "qcow2", size: 1)
            motion.call = MoveCall(
                task: Fresh.ref(XenTask.self).opaque, taskUUID: "", name: "", owner: "", time: Int64(index),
                machine: nil)
            motion.waitsForRoom = waits ? true : nil
            return motion
        }
        try await MotionStore(database: bench.database).save(motions)
        try await bench.database.transaction { tx in
            for pool in tx.rows(Pool.self) {
                try tx.set(pool.typedRef(Pool.self), Pool.otherConfig, [MoveTurns.key: "1"])
            }
        }
        let (context, database) = (bench.context, bench.database)
        await MotionSupervisor(
            context: context, admission: OperationAdmission(database: database, gate: context.reclaimGate)
        ).resume()
        // The other one has its turn, and this comes next.
        let answer = await context.moves.look(["b"], of: "x", isCopying: false, database: database)
        #expect(answer.position == 1)
    }

    /// What disks that stay stand on does not come back when others leave.
    @Test func whatStaysKeepsWhatItStandsOn() async throws {
        let bench = try await StorageBench([])
        let rows = try await bench.database.transaction { tx in
            let disks: [(String, String?)] = [
                ("golden", nil), ("own", "golden"), ("leaf", "own"), ("other", "golden"),
            ]
            for (uuid, parent) in disks {
                tx.insert(VDI.self, ref: Ref<VDI>.new()) { row in
                    row[VDI.uuid] = uuid
                    row[VDI.managed] = ["leaf", "other"].contains(uuid)
                    row[VDI.smConfig] = parent.map { ["vhd-parent": $0] } ?? [:]
                }
            }
            return tx.rows(VDI.self) { row in disks.contains { $0.0 == row[VDI.uuid] } }
        }
        #expect(Ancestry.ofThoseThatStay(rows, leaving: ["leaf"]) == ["other", "golden"])
        #expect(Ancestry.ofThoseThatStay(rows, leaving: ["leaf", "other"]) == [])
        #expect(Ancestry.ofThoseThatStay(rows, leaving: []) == ["leaf", "own", "golden", "other"])
    }

    /// Drivers may write what they like into their rows.
    @Test func aDiskStandsOnWhatItsRowsSay() {
        let parents: [String: String?] = ["a": "b", "b": "c", "c": nil, "x": "y", "y": "x", "z": "gone"]
        #expect(Ancestry.images(of: "a", parents) == ["a", "b", "c"])
        #expect(Ancestry.images(of: "x", parents) == ["x", "y"])
        #expect(Ancestry.images(of: "z", parents) == ["z", "gone"])
    }
}
