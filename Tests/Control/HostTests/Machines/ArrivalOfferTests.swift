import APITypes
import Foundation
import Logging
import PoolDatabase
import StorageInterface
import StorageManagers
import StorageMotion
import TestSupport
import Testing

@testable import Guests
@testable import Toolstack

/// What a toolstack answers to offers of machines, by its records.
@Suite struct ArrivalOfferTests {
    private static func offer(_ id: String, _ uuid: String) -> MoveOffer {
        MoveOffer(
            id: id, uuid: uuid, isCopy: false, isForced: false, machine: "{}", drives: [], interfaces: [], disks: [],
            origin: "elsewhere")
    }

    private static func record(_ uuid: String, _ events: [MachineArrival.Event], isClean: Bool) -> ArrivingMachine {
        var state = MachineArrival()
        for event in events { _ = state.take(event) }
        let id = Fresh.uuid()
        return ArrivingMachine(
            id: id, secretDigest: "", offer: offer(id, uuid), vm: Fresh.ref(VM.self).opaque, uuid: uuid, disks: [],
            state: state, isClean: isClean)
    }

    private static func passport(_ uuid: String, memory: UInt64, vcpus: Int) throws -> String {
        try GuestDocument.encode(
            GuestPassport(
                specification: GuestSpecification(
                    uuid: uuid, name: "", memoryBytes: memory, vcpus: vcpus, boot: .disk, disks: []), ports: [:],
                hardware: GuestHardware.fresh(isAccelerated: false, hasScreen: false, memoryBytes: 256 << 20),
                isPaused: false))
    }

    /// Memory for a guest on its way is promised to it until its row says that it runs.
    @Test func aGuestOnItsWayHasItsMemory() async throws {
        let bench = try await StorageBench([])
        let before = bench.database.read { HostMemory.promised($0) }
        let cases: [([MachineArrival.Event], Bool)] = [
            ([], true), ([.prepare], true), ([.prepare, .run], false), ([.cancel], false),
        ]
        for (events, isCounted) in cases {
            var record = Self.record(Fresh.uuid(), events, isClean: true)
            record.offer?.passport = try Self.passport(record.uuid, memory: 1 << 30, vcpus: 3)
            let noted = record
            try await bench.database.transaction { tx in try tx.store(noted) }
            let needed: Int64 = isCounted ? (1 << 30) + HostMemory.overhead(vcpus: 3) : 0
            #expect(bench.database.read { HostMemory.promised($0) } == before + needed, "\(events)")
            // Of itself it is not in its own way.
            #expect(bench.database.read { HostMemory.promised($0, besides: noted.id) } == before)
            try await bench.database.transaction { tx in
                tx.setPrivate(kind: ArrivingMachine.kind, key: noted.id, value: nil)
            }
        }
    }

    /// Whether the host has enough is decided by the row: a guest that has more than that says is refused.
    @Test func aGuestIsNoLargerThanItsMachine() async throws {
        let (bench, arrivals) = try await Self.bench()
        let machine = #"{"memory_static_max":"268435456","VCPUs_max":"2","VCPUs_at_startup":"1"}"#
        let cases: [(UInt64, Int)] = [(257 << 20, 2), (256 << 20, 3)]
        for (memory, vcpus) in cases {
            let (id, uuid) = (Fresh.uuid(), Fresh.uuid())
            var offer = Self.offer(id, uuid)
            offer.machine = machine
            offer.passport = try Self.passport(uuid, memory: memory, vcpus: vcpus)
            let answer = await arrivals.answer(
                "check", id: id, secret: DepartureSurvey.secret(), body: Array(try JSONEncoder().encode(offer)),
                hasSession: true)
            let reply = try JSONDecoder().decode(PeerReply<MoveAcceptance>.self, from: Data(answer))
            #expect(reply.error?.first == "OPERATION_NOT_ALLOWED" && reply.error?.last?.contains("offered") == true)
        }
        withExtendedLifetime(bench) {}
    }

    /// What of this host is not enough for the machine, with the codes and parameters of XenAPI.
    @Test func whatAHostLacksForAMachineIsToldByCode() async throws {
        let (bench, arrivals) = try await Self.bench()
        let host = bench.context.host
        try await bench.database.transaction { tx in
            try tx.set(host, APITypes.Host.cpuInfo, ["cpu_count": "4"])
            try tx.set(host, APITypes.Host.virtualHardwarePlatformVersions, [0, 1, 2])
        }
        func refusal(_ machine: String, isForced: Bool = false, _ uuid: String) async throws -> [String]? {
            let id = Fresh.uuid()
            var offer = Self.offer(id, uuid)
            (offer.machine, offer.isForced) = (machine, isForced)
            var errors: [[String]?] = []
            for verb in ["check", "offer"] {
                let answer = await arrivals.answer(
                    verb, id: id, secret: DepartureSurvey.secret(), body: Array(try JSONEncoder().encode(offer)),
                    hasSession: true)
                errors.append(try JSONDecoder().decode(PeerReply<MoveAcceptance>.self, from: Data(answer)).error)
            }
            #expect(errors[0] == errors[1])
            return errors[0]
        }
        let uuid = Fresh.uuid()
        let many = #"{"VCPUs_max":"5","VCPUs_at_startup":"1"}"#
        #expect(try await refusal(many, uuid) == ["HOST_NOT_ENOUGH_PCPUS", "5", "4"])
        let late = #"{"VCPUs_max":"4","hardware_platform_version":"3"}"#
        let code = "VM_HOST_INCOMPATIBLE_VIRTUAL_HARDWARE_PLATFORM_VERSION"
        for isForced in [false, true] {
            #expect(
                try await refusal(late, isForced: isForced, uuid) == [code, host.opaque, "[0; 1; 2]", uuid, "3"])
        }
        #expect(try await refusal(many, isForced: true, uuid) == nil)
        #expect(try await refusal(#"{"VCPUs_max":"4","hardware_platform_version":"2"}"#, Fresh.uuid()) == nil)
        // Who sends it says which VM that is to whoever has called.
        let vm = Ref<VM>.new()
        try await bench.database.transaction { tx in tx.insert(VM.self, ref: vm) { $0[VM.uuid] = uuid } }
        let told = [
            (APIError(code, "h", "[0]", uuid, "3"), [code, "h", "[0]", vm.opaque, "3"]),
            (
                APIError("VM_INCOMPATIBLE_WITH_THIS_HOST", uuid, "h", uuid),
                ["VM_INCOMPATIBLE_WITH_THIS_HOST", vm.opaque, "h", uuid]
            ),
            (APIError("UUID_INVALID", "move", uuid), ["UUID_INVALID", "move", uuid]), (APIError(code), [code]),
            // Here it is known by its reference, and so is its host.
            (
                APIError("VM_MIGRATE_FAILED", uuid, "its host's name", "there", "why"),
                ["VM_MIGRATE_FAILED", vm.opaque, host.opaque, "there", "why"]
            ),
        ]
        for (error, wire) in told {
            let named = DepartureSurvey.named(error, vm, of: host, in: bench.database)
            #expect((named as? APIError)?.wire == wire)
        }
    }

    /// What an offered disk takes at least where space is given at once is told to whoever asks; and so is that nothing can be made there
    /// now, as to whoever comes.
    @Test func whatAnSRHasForAMachineIsToldBeforehand() async throws {
        let (bench, arrivals) = try await Self.bench([FileStorageManager()])
        let path = bench.folder.file("thick")
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        let sr = try await bench.create("file", ["location": path, "allocation": "thick"])
        func answer(_ verb: String, choice: String) async throws -> PeerReply<MoveAcceptance> {
            let id = Fresh.uuid()
            var offer = Self.offer(id, Fresh.uuid())
            offer.disks = [
                OfferedDisk(
                    vdi: "a", row: "{}", role: "disk", sr: sr.opaque, choice: choice, size: 8 << 20, leastBytes: 4096)
            ]
            let answer = await arrivals.answer(
                verb, id: id, secret: DepartureSurvey.secret(), body: Array(try JSONEncoder().encode(offer)),
                hasSession: true)
            return try JSONDecoder().decode(PeerReply<MoveAcceptance>.self, from: Data(answer))
        }
        #expect(try await answer("check", choice: "raw").value?.disks.map(\.room) == [8 << 20])
        let thin = try await answer("check", choice: "qcow2").value?.disks.first?.room ?? 0
        #expect(thin >= 4096 && thin < 1 << 20)
        let entered = try await OperationAdmission(database: bench.database).enter([.sr(sr, .unplug)])
        for verb in ["check", "offer"] {
            let error = try await answer(verb, choice: "raw").error
            #expect(error?.prefix(4) == ["OTHER_OPERATION_IN_PROGRESS", "SR", sr.opaque, "unplug"], "\(verb)")
        }
        await OperationAdmission(database: bench.database).end(entered)
        #expect(bench.database.arrivals().isEmpty)
    }

    /// Its `cancel`, without one, may have been answered by then: nothing would ever take away what is made for it.
    @Test func anOfferWhoseSessionEndedWhileItCameInIsNotTaken() async throws {
        let (bench, arrivals) = try await Self.bench()
        let (id, secret) = (Fresh.uuid(), DepartureSurvey.secret())
        let body = Array(try JSONEncoder().encode(Self.offer(id, Fresh.uuid())))
        for isOver in [true, false] {
            let answer = await arrivals.answer("offer", id: id, secret: secret, body: body, hasSession: true) { isOver }
            let reply = try JSONDecoder().decode(PeerReply<MoveAcceptance>.self, from: Data(answer))
            #expect(reply.error?.first == (isOver ? "SESSION_INVALID" : nil))
            #expect(bench.database.arrivals().isEmpty == isOver)
        }
    }

    /// A copy is another machine; one that moves is the same.
    @Test func aCopyHasAddressesOfItsOwn() async throws {
        let bench = try await StorageBench([])
        for isCopy in [false, true] {
            var record = Self.record(Fresh.uuid(), [], isClean: false)
            record.offer?.isCopy = isCopy
            record.offer?.machine =
                #"{"other_config":{"mac_seed":"s","a":"b"},"generation_id":"1:2","ha_always_run":true}"#
            let (interface, network) = (Fresh.uuid(), Ref<Network>.new())
            record.offer?.interfaces = [
                OfferedInterface(
                    uuid: interface, row: #"{"MAC":"02:00:00:00:00:07","device":"1","MAC_autogenerated":false}"#,
                    network: network.opaque)
            ]
            let (noted, host) = (record, bench.context.host)
            try await bench.database.transaction { tx in
                tx.insert(Network.self, ref: network) { row in row[Network.uuid] = Fresh.uuid() }
                try ArrivalRows.insert(noted, host: host, in: tx)
            }
            let vm = Ref<VM>(record.vm)
            let row = try #require(bench.database.read { $0.row(vm) })
            let vif = try #require(bench.database.read { $0.rows(VIF.self) { $0[VIF.vm] == vm } }.first)
            let seed = row[VM.otherConfig][MachineRows.addressSeed] ?? ""
            #expect(row[VM.otherConfig]["a"] == "b")
            #expect(row[VM.haAlwaysRun] == !isCopy)
            #expect((seed == "s") == !isCopy && (row[VM.generationID] == "1:2") == !isCopy)
            #expect((vif[VIF.uuid] == interface) == !isCopy && vif[VIF.macAutogenerated] == isCopy)
            #expect(vif[VIF.mac] == (isCopy ? MachineRows.address(seed: seed, device: "1") : "02:00:00:00:00:07"))
        }
    }

    /// What is changed while disks are copied goes along; other devices than those that were offered do not.
    @Test func whatIsChangedMeanwhileGoesAlong() async throws {
        let bench = try await StorageBench([])
        let (vm, vbd) = (Ref<VM>.new(), Ref<VBD>.new())
        try await bench.database.transaction { tx in
            tx.insert(VM.self, ref: vm) { row in
                row[VM.uuid] = Fresh.uuid()
                row[VM.nameLabel] = "before"
            }
            tx.insert(VBD.self, ref: vbd) { row in
                (row[VBD.uuid], row[VBD.vm], row[VBD.type], row[VBD.empty]) = (Fresh.uuid(), vm, .cd, true)
            }
        }
        let offer = try bench.database.read { reader in
            let drive = try reader.require(vbd)
            var offer = Self.offer(Fresh.uuid(), try reader.require(vm)[VM.uuid])
            offer.machine = RowDocument.encode(try reader.require(vm))
            offer.drives = [OfferedDrive(uuid: drive[VBD.uuid], row: RowDocument.encode(drive), disk: nil)]
            return offer
        }
        try await bench.database.transaction { tx in try tx.set(vm, VM.nameLabel, "after") }
        let rows = try bench.database.read { try LateRows.read(offer, of: vm.opaque, between: ("h", "far"), $0) }
        let late = try rows.put(into: offer)
        #expect(offer.machine.contains("before") && late.machine.contains("after") && late.drives == offer.drives)
        var lacking = rows
        lacking.drives = [:]
        let short = lacking
        #expect(throws: APIError.self) { _ = try short.put(into: offer) }
        // A drive has come up, and gone is the one that was offered.
        try await bench.database.transaction { tx in
            tx.insert(VBD.self, ref: Ref<VBD>.new()) { row in (row[VBD.uuid], row[VBD.vm]) = (Fresh.uuid(), vm) }
        }
        let refusal = #expect(throws: APIError.self) {
            try bench.database.read { try LateRows.read(offer, of: vm.opaque, between: ("h", "far"), $0) }
        }
        #expect(refusal?.wire.prefix(4) == ["VM_MIGRATE_FAILED", vm.opaque, "h", "far"])
        try await bench.database.transaction { tx in
            for row in tx.rows(VBD.self) { tx.delete(row.typedRef(VBD.self)) }
        }
        #expect(throws: APIError.self) {
            try bench.database.read { try LateRows.read(offer, of: vm.opaque, between: ("h", "far"), $0) }
        }
        // Nobody changes them while the machine leaves.
        let cases: [([MachineDeparture.Event], Bool)] = [
            ([], true), ([.accepted, .synchronised, .prepared], true), ([.failed("")], false),
        ]
        for (events, leaves) in cases {
            var state = MachineDeparture()
            for event in events { state.take(event) }
            let departing = DepartingMachine(
                id: "m", secret: "", place: PeerPlace(host: "", port: 1, fingerprint: ""), session: "", vm: vm.opaque,
                uuid: "", isCopy: false, disks: [], state: state)
            try await bench.database.transaction { tx in try tx.store(departing) }
            var isRefused = false
            do { try bench.database.read { try $0.requireStaying(vm) } } catch { isRefused = true }
            #expect(isRefused == leaves, "\(events)")
        }
    }

    private static func bench(_ managers: [any StorageManager] = []) async throws -> (StorageBench, Arrivals) {
        let bench = try await StorageBench(managers)
        let guests = GuestHost(
            runDirectory: bench.folder.file("r"), acceleration: .tcg,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
        let consoles = ConsoleAccess(database: bench.database, guests: guests, host: bench.context.host)
        return (
            bench,
            Arrivals(
                context: bench.context, guests: guests,
                lifecycle: MachineLifecycle(context: bench.context, guests: guests, consoles: consoles))
        )
    }

    /// What an earlier move of the machine has made, a QEMU too that waits for its guest, is not the next one's.
    @Test func aMachineIsNotTakenWhileAnEarlierMoveOfItIsNotOver() async throws {
        let (bench, arrivals) = try await Self.bench()
        let secret = DepartureSurvey.secret()
        let cases: [(events: [MachineArrival.Event], isClean: Bool, isOpen: Bool)] = [
            ([], false, true), ([.prepare], false, true), ([.cancel], false, true), ([.cancel], true, false),
            ([.prepare, .run], false, false),
        ]
        for (events, isClean, isOpen) in cases {
            let earlier = Self.record(Fresh.uuid(), events, isClean: isClean)
            #expect(earlier.isOpen == isOpen)
            try await bench.database.transaction { tx in try tx.store(earlier) }
            for verb in ["check", "offer"] {
                let id = Fresh.uuid()
                let body = Array(try JSONEncoder().encode(Self.offer(id, earlier.uuid)))
                let answer = await arrivals.answer(verb, id: id, secret: secret, body: body, hasSession: true)
                let reply = try JSONDecoder().decode(PeerReply<MoveAcceptance>.self, from: Data(answer))
                #expect(
                    reply.error
                        == (isOpen ? ["OTHER_OPERATION_IN_PROGRESS", "move", earlier.id, "migrate_send", ""] : nil),
                    "\(verb) after \(events)")
            }
        }
    }
}
