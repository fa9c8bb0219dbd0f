import APITypes
import CLinux
import CoreTypes
import DatapathControl
import Foundation
import Guests
import Logging
import PoolDatabase
import RPCCodec
import StorageManagers
import StorageMotion
import TestSupport
import Testing

@testable import Toolstack

/// Moves that end before they are done, and what becomes of their mirrors.
@Suite struct MirrorEndTests {
    struct Stage {
        let bench: StorageBench
        let sr: Ref<SR>
        let disk: Row

        init() async throws {
            bench = try await StorageBench([FileStorageManager()])
            sr = try await bench.makeFolder("a")
            let made = try await bench.call(
                "VDI.create",
                .record([
                    APIMember("SR", .ref(sr.opaque)), APIMember("virtual_size", .int(1 << 20)),
                    APIMember("name_label", .string("d")), APIMember("type", .string("user")),
                    APIMember("sm_config", .map(["image-format": .string("raw")])),
                ]))
            disk = try bench.context.row(try #require(Ref<VDI>(api: made)))
        }

        var uuid: String { disk[VDI.uuid] }

        /// Somebody has the disk.
        func use() async throws {
            try await bench.database.transaction { [disk] tx in
                tx.insert(VBD.self, ref: .new()) { row in
                    row[VBD.vdi] = disk.typedRef(VDI.self)
                    row[VBD.currentlyAttached] = true
                }
            }
        }

        /// A move of a halted machine with the disk, to a pool that does not answer, as it is after these events.
        func departure(_ events: [MachineDeparture.Event], isShared: Bool = false) -> DepartingMachine {
            var state = MachineDeparture()
            for event in events { state.take(event) }
            return DepartingMachine(
                id: Fresh.uuid(), secret: DepartureSurvey.secret(),
                place: PeerPlace(
                    host: "127.0.0.1", port: 1,
                    fingerprint: [String](repeating: "00", count: 32).joined(separator: ":")),
                session: "OpaqueRef:none", vm: Ref<VM>.new().opaque, uuid: Fresh.uuid(), isCopy: false,
                disks: [
                    DepartingMachine.Disk(
                        vdi: disk.ref, uuid: uuid, sr: sr.opaque, location: disk[VDI.location], stays: isShared)
                ], state: state)
        }

        func store(_ machine: DepartingMachine) async throws {
            try await bench.database.transaction { tx in try tx.store(machine) }
        }

        func departures() -> Departures {
            let guests = GuestHost(
                runDirectory: bench.folder.file("r"), acceleration: .tcg,
                logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
            let consoles = ConsoleAccess(database: bench.database, guests: guests, host: bench.context.host)
            return Departures(
                context: bench.context, admission: OperationAdmission(database: bench.database), guests: guests,
                lifecycle: MachineLifecycle(context: bench.context, guests: guests, consoles: consoles))
        }
    }

    /// To compare two images takes hours: whoever cancels the move is not kept waiting for it. `isTakenUp`: by the next toolstack.
    @Test(arguments: [false, true]) func aMoveIsCancelledWhileItsImagesAreCompared(isTakenUp: Bool) async throws {
        let stage = try await Stage()
        let (bench, disk) = (stage.bench, stage.disk)
        let other = try await bench.makeFolder("b")
        var motion = DiskMotion(
            id: Fresh.uuid(), sourceUUID: stage.uuid, sourceRef: disk.ref, sourceSR: stage.sr.opaque,
            sourceLocation: disk[VDI.location], destinationUUID: Fresh.uuid(),
            destinationRef: Fresh.ref(VDI.self).opaque, destinationSR: other.opaque, format: "raw", size: 1 << 20)
        motion.isVerified = true
        var begun: ImageSpecification?
        if isTakenUp {
            motion.advance(to: .created)
            motion.advance(to: .mirroring)
            begun = ImageSpecification(path: "/\(motion.destinationLocation)", format: "raw")
        }
        let datapath = try await FakeDatapath(of: stage.uuid, on: bench, mirror: begun)
        let progress = UnwatchedProgress()
        let move = Task { [motion] in
            let driver = MotionDriver(context: bench.context)
            if isTakenUp { return try await driver.takeUp(motion, progress).get() }
            return try await driver.run([motion], progress: progress).first?.destinationRef ?? ""
        }
        try await reach("the images are being compared") { datapath.requests.contains("mirrorVerify") }
        progress.cancellation.cancel()
        await #expect(throws: CancellationError.self) { try await move.value }
        #expect(datapath.requests.contains("mirrorCancel") && !datapath.requests.contains("pivotPrepare"))
        #expect(MotionStore(database: bench.database).all().isEmpty)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: bench.folder.file("b"))
                .filter { $0.hasSuffix(".raw") } == [])
        await datapath.end()
    }

    /// A machine that stays is nobody's to begin anything with before its mirrors have ended, and they are told again.
    @Test func aMirrorThatDoesNotEndIsToldAgain() async throws {
        let stage = try await Stage()
        try await stage.use()
        let machine = stage.departure([.accepted, .failed("cut")])
        let way = machine.socket(of: "0", in: stage.bench.context)
        let datapath = try await FakeDatapath(
            of: stage.uuid, on: stage.bench,
            mirror: ImageSpecification(path: "nbd+unix:///disk?socket=\(way)", format: ImageSpecification.remote))
        datapath.isStubborn = true
        try await stage.store(machine)
        let departures = stage.departures()
        let refusal = await #expect(throws: APIError.self) { try await departures.decide(machine.id, .forget) }
        #expect(refusal?.code == "OPERATION_NOT_ALLOWED")
        #expect(stage.bench.database.departures().map(\.isToBeFreed) == [true])
        datapath.isStubborn = false
        try await departures.decide(machine.id, .forget)
        #expect(stage.bench.database.departures() == [] && datapath.mirror == nil)
        #expect(datapath.requests.filter { $0 == "mirrorCancel" }.count == 2)
        await datapath.end()
    }

    /// What was taken out of its drives for the way is in them again.
    @Test func aMachineThatStaysHasItsDiscs() async throws {
        let stage = try await Stage()
        var machine = stage.departure([.accepted, .failed("cut")])
        let (disc, drives) = (stage.disk.ref, [Ref<VBD>.new(), Ref<VBD>.new()])
        try await stage.bench.database.transaction { [vm = Ref<VM>(machine.vm)] tx in
            tx.insert(VM.self, ref: vm) { $0[VM.uuid] = Fresh.uuid() }
            for drive in drives {
                tx.insert(VBD.self, ref: drive) { row in
                    (row[VBD.uuid], row[VBD.vm], row[VBD.type]) = (Fresh.uuid(), vm, .cd)
                    (row[VBD.mode], row[VBD.empty]) = (.ro, true)
                }
            }
        }
        // One of another's is gone.
        machine.discs = [
            .init(drive: drives[0].opaque, vdi: Ref<VDI>.new().opaque), .init(drive: drives[1].opaque, vdi: disc),
        ]
        try await stage.store(machine)
        try await stage.departures().decide(machine.id, .forget)
        let rows = stage.bench.database.read { reader in drives.map { reader.row($0) } }
        #expect(rows.map { $0?[VBD.empty] } == [true, false] && rows[1]?[VBD.vdi].opaque == disc)
        #expect(stage.bench.database.departures() == [])
    }

    /// One whose data path is gone has ended with it.
    @Test func aMirrorEndsWithItsDataPath() async throws {
        let stage = try await Stage()
        try await stage.use()
        let machine = stage.departure([.accepted, .failed("cut")])
        let datapath = try await FakeDatapath(of: stage.uuid, on: stage.bench)
        await datapath.end()
        try await stage.store(machine)
        try await stage.departures().decide(machine.id, .forget)
        #expect(stage.bench.database.departures() == [])
    }

    /// A data path is not replaced by one of a new program while a move has a mirror in it, or is about to.
    @Test func aDiskThatGoesToAnotherPoolIsMoving() async throws {
        let stage = try await Stage()
        let disks = stage.bench.context.disks
        #expect(await !disks.isMoving(stage.uuid))
        for (events, isFree) in [
            ([MachineDeparture.Event.accepted], false), ([.accepted, .failed("cut")], false),
            ([.accepted, .failed("cut")], true), ([.accepted, .synchronised, .prepared], false),
        ] {
            var machine = stage.departure(events)
            if isFree { machine.isFree = true }
            try await stage.store(machine)
            #expect(await disks.isMoving(stage.uuid) == !isFree, "\(events)")
            try await stage.bench.database.transaction { [machine] tx in
                tx.setPrivate(kind: DepartingMachine.kind, key: machine.id, value: nil)
            }
        }
    }

    /// Who begins a mirror while the data path is being replaced waits for the next.
    @Test func aDataPathThatIsBeingReplacedIsWaitedFor() async throws {
        let stage = try await Stage()
        let (disks, uuid) = (stage.bench.context.disks, stage.uuid)
        _ = try await disks.hold(uuid)
        let release = Task {
            try await Task.sleep(for: .milliseconds(150))
            await disks.release(uuid)
        }
        // The bench has no program: what is told to it is told to nobody.
        gantry_ignore_sigpipe()
        let failure = await #expect(throws: DatapathClient.Failure.self) {
            try await disks.activatePatiently(uuid) { ImageSpecification(path: "/a", format: "raw") }
        }
        #expect(failure?.code != "busy")
        try await release.value
    }

    /// Who uses a disk when its last user's data path is just given up waits for the end of that: it has the image until then.
    @Test func noDataPathIsStartedBesideOneThatIsGivenUp() async throws {
        let stage = try await Stage()
        let (disks, uuid) = (stage.bench.context.disks, stage.uuid)
        for _ in 0..<40 {
            let datapath = try await FakeDatapath(of: uuid, on: stage.bench)
            async let isEnded = disks.deactivateIfUnused(uuid)
            await withTaskGroup(of: Void.self) { users in
                for _ in 0..<4 {
                    users.addTask {
                        // Until it is gone it is found, and then another is asked for.
                        while true {
                            do {
                                _ = try await disks.activate(uuid) {
                                    #expect(datapath.hasEnded)
                                    throw CancellationError()
                                }
                            } catch {
                                return
                            }
                        }
                    }
                }
            }
            #expect(await isEnded)
            await datapath.end()
        }
    }

    /// What others have of a machine's disks by the time at which it sets out stays with them.
    @Test func aDiskThatAnotherMachineHasGotStays() async throws {
        let stage = try await Stage()
        let machine = stage.departure([])
        let read = { stage.bench.database.read { machine.keepingShared($0) }.disks.map(\.stays) }
        #expect(read() == [false])
        for owner in [machine.vm, Ref<VM>.new().opaque] {
            try await stage.bench.database.transaction { [disk = stage.disk] tx in
                tx.insert(VBD.self, ref: .new()) { row in
                    row[VBD.vdi] = disk.typedRef(VDI.self)
                    row[VBD.vm] = Ref(owner)
                }
            }
            #expect(read() == [owner != machine.vm])
        }
    }

    /// A disk that leaves with its machine is not given to another one, which would lose it.
    @Test func aDiskThatLeavesIsGivenToNobody() async throws {
        let host = try await OperationHost()
        let vdi = try await host.makeDisk(in: try await host.makeRepository("a").sr)
        let stage = try await Stage()
        let vm = try await host.makeMachine()
        for isShared in [true, false] {
            let planned = stage.departure([.accepted, .synchronised, .prepared], isShared: isShared)
            let machine = try await host.database.transaction { tx in
                var machine = planned
                let row = try tx.require(Ref<VDI>(vdi))
                (machine.disks[0].vdi, machine.disks[0].uuid) = (vdi, row[VDI.uuid])
                try tx.store(machine)
                return machine
            }
            let record = WireValue.structure([
                WireMember("VM", .string(vm)), WireMember("VDI", .string(vdi)),
                WireMember("userdevice", .string("autodetect")), WireMember("bootable", .bool(true)),
                WireMember("mode", .string("RW")), WireMember("type", .string("Disk")),
                WireMember("empty", .bool(false)), WireMember("other_config", .structure([])),
                WireMember("qos_algorithm_type", .string("")),
                WireMember("qos_algorithm_params", .structure([])),
            ])
            let expected = ["OTHER_OPERATION_IN_PROGRESS", "VDI", vdi, "blocked", "OpaqueRef:" + machine.id]
            #expect(await host.refused("VBD.create", record) == (isShared ? ["accepted"] : expected))
            try await host.database.transaction { [id = machine.id] tx in
                tx.setPrivate(kind: DepartingMachine.kind, key: id, value: nil)
            }
        }
        await host.toolstack.stop()
    }
}
