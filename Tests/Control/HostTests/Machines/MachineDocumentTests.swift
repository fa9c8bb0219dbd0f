import APITypes
import Foundation
import PoolDatabase
import RPCCodec
import TestSupport
import Testing

@testable import Toolstack

/// A database with a machine of two disks, a CD, an interface and a snapshot; or only what a document's machine needs.
private struct Pool {
    let folder: ScratchFolder
    let database: PoolDatabase
    let host: Ref<APITypes.Host>
    let sr = Ref<SR>.new()
    let images = Ref<SR>.new()
    let network = Ref<Network>.new()
    let disks = [Ref<VDI>.new(), .new(), .new()]
    let image = Ref<VDI>.new()
    let vm = Ref<VM>.new()
    let snapshot = Ref<VM>.new()
    let vif = Ref<VIF>.new()

    static let srUUID = Fresh.uuid()
    static let networkUUID = Fresh.uuid()
    static let diskUUIDs = [Fresh.uuid(), Fresh.uuid(), Fresh.uuid()]

    var documents: MachineDocuments { MachineDocuments(database: database, host: host) }

    init(withMachine: Bool) async throws {
        folder = try ScratchFolder("document")
        database = try await PoolDatabase.open(path: nil, deriving: AllowedOperations.derivation)
        host = try await HostBootstrap.run(database: database, stateDirectory: folder.path).host
        try await database.transaction { [self] tx in
            tx.insert(SR.self, ref: sr) { row in
                row[SR.uuid] = Self.srUUID
                row[SR.contentType] = "user"
            }
            tx.insert(SR.self, ref: images) { $0[SR.contentType] = "iso" }
            for (disk, uuid) in zip(disks, Self.diskUUIDs) {
                tx.insert(VDI.self, ref: disk) { row in
                    row[VDI.uuid] = uuid
                    row[VDI.sr] = sr
                    row[VDI.location] = "\(uuid).qcow2"
                    row[VDI.managed] = true
                    row[VDI.virtualSize] = 1 << 30
                }
            }
            tx.insert(VDI.self, ref: image) { row in
                row[VDI.sr] = images
                row[VDI.location] = "system.iso"
                row[VDI.managed] = true
            }
            tx.insert(Network.self, ref: network) { row in
                row[Network.uuid] = Self.networkUUID
                row[Network.nameLabel] = "office"
                row[Network.bridge] = "br7"
            }
            if withMachine { try insertMachine(tx) }
        }
    }

    private func insertMachine(_ tx: Transaction) throws {
        for (machine, isSnapshot) in [(vm, false), (snapshot, true)] {
            tx.insert(VM.self, ref: machine) { row in
                row[VM.nameLabel] = isSnapshot ? "before <it> & \"that\"" : "büro\n\tzwei"
                row[VM.isATemplate] = isSnapshot
                row[VM.isASnapshot] = isSnapshot
                row[VM.snapshotOf] = isSnapshot ? vm : .null
                row[VM.snapshotTime] = APIDate(seconds: isSnapshot ? 1_800_000_000 : 0)
                row[VM.snapshotInfo] = isSnapshot ? ["disk-snapshot-type": "crash_consistent"] : [:]
                row[VM.memoryStaticMax] = 256 << 20
                row[VM.memoryDynamicMax] = 256 << 20
                row[VM.vcpusMax] = 2
                row[VM.vcpusAtStartup] = 2
                row[VM.platform] = ["acpi": "1", "": "odd"]
                row[VM.otherConfig] = [MachineRows.addressSeed: "seed", "folder": "/a b"]
                row[VM.tags] = ["one", "two; three"]
                row[VM.hvmShadowMultiplier] = 1.5
                row[VM.blockedOperations] = [.destroy: "no"]
                row[VM.parent] = isSnapshot ? .null : snapshot
                row[VM.affinity] = host
            }
            let content = isSnapshot ? [disks[2]] : [disks[0], disks[1]]
            for (position, disk) in content.enumerated() {
                tx.insert(VBD.self, ref: .new()) { row in
                    row[VBD.vm] = machine
                    row[VBD.vdi] = disk
                    row[VBD.userdevice] = String(position)
                    row[VBD.mode] = position == 0 ? .rw : .ro
                    row[VBD.type] = .disk
                    row[VBD.bootable] = position == 0
                    row[VBD.otherConfig] = ["owner": ""]
                }
            }
        }
        tx.insert(VBD.self, ref: .new()) { row in
            row[VBD.vm] = vm
            row[VBD.vdi] = image
            row[VBD.userdevice] = "3"
            row[VBD.type] = .cd
            row[VBD.mode] = .ro
        }
        tx.insert(VIF.self, ref: vif) { row in
            row[VIF.vm] = vm
            row[VIF.network] = network
            row[VIF.device] = "0"
            row[VIF.mac] = "02:00:00:00:00:17"
            row[VIF.mtu] = 1500
            row[VIF.ipv4Allowed] = ["10.0.0.1"]
        }
    }

    /// The document of the machine.
    func document(_ options: MachineExport.Options = MachineExport.Options()) throws -> MachineDocument {
        try MachineDocument(try MachineArchive.unwrap(try documents.archive(of: vm, options)))
    }

    func take(
        _ document: MachineDocument, _ change: (inout MachineImport.Options) -> Void = { _ in }
    ) async throws -> MachineImport.Outcome {
        var options = MachineImport.Options()
        change(&options)
        return try await documents.take(document, options)
    }

    /// The error's code and parameters; nothing was changed.
    func refused(
        _ document: MachineDocument, _ change: (inout MachineImport.Options) -> Void = { _ in }
    ) async -> [String] {
        let before = database.generation
        do {
            _ = try await take(document, change)
            return ["accepted"]
        } catch let error as APIError {
            #expect(database.generation == before)
            return error.wire
        } catch {
            return ["\(error)"]
        }
    }

    func rows<C: XenClass>(_ type: C.Type) -> [Row] { database.read { $0.rows(type) } }
    func row<C: XenClass>(_ ref: Ref<C>) throws -> Row { try database.read { try $0.require(ref) } }
    /// The machine's drives by position.
    func drives(_ vm: Ref<VM>) -> [Row] {
        rows(VBD.self).filter { $0[VBD.vm] == vm }.sorted { $0[VBD.userdevice] < $1[VBD.userdevice] }
    }
}

extension MachineDocument {
    /// The same with other fields in the objects of a class.
    fileprivate func with(
        _ className: String, _ changes: [String: WireValue], only: (WireValue) -> Bool = { _ in true }
    ) -> MachineDocument {
        var changed = self
        changed.objects = objects.map { object in
            guard object.className == className, only(object.fields), case .structure(let members) = object.fields
            else {
                return object
            }
            let kept = members.filter { changes[$0.name] == nil }
            return Object(
                className: className, id: object.id,
                fields: .structure(kept + changes.map { WireMember($0.key, $0.value) }))
        }
        return changed
    }
}

/// Machines taken out of one database and brought into another.
@Suite struct MachineDocumentTests {
    private static let identities: Set<String> = [
        "uuid", "VBDs", "VIFs", "VIF", "VBD", "VM", "VDI", "network", "metrics", "snapshots", "snapshot_of", "parent",
        "children", "affinity", "allowed_operations", "current_operations", "generation_id", "version", "device",
        "qos_supported_algorithms", "MAC_autogenerated", "suspend_SR", "suspend_VDI", "resident_on",
    ]

    private func expectSame(_ one: Row, _ other: Row, besides: Set<String> = []) {
        for field in one.schema.fields where field.isPublic && !Self.identities.contains(field.name) {
            guard !besides.contains(field.name) else { continue }
            #expect(one[field: field.name] == other[field: field.name], "\(one.className).\(field.name)")
        }
    }

    @Test func whatIsBroughtInIsWhatWasTakenOutButForIdentities() async throws {
        let (here, there) = (try await Pool(withMachine: true), try await Pool(withMachine: false))
        for keepsIdentity in [true, false] {
            let outcome = try await there.take(try here.document()) { $0.keepsIdentity = keepsIdentity }
            let vm = try #require(outcome.machines.first)
            #expect(outcome.machines.count == 1 && outcome.created.count == 2)
            let (before, after) = (try here.row(here.vm), try there.row(vm))
            expectSame(before, after, besides: keepsIdentity ? ["domid"] : ["domid", "other_config"])
            #expect((before[VM.uuid] == after[VM.uuid]) == keepsIdentity)
            #expect(after[VM.version] == (keepsIdentity ? 1 : 0))
            #expect(after[VM.otherConfig]["folder"] == "/a b")
            #expect((after[VM.otherConfig][MachineRows.addressSeed] == "seed") == keepsIdentity)
            let drives = there.drives(vm)
            #expect(drives.map { $0[VBD.vdi] } == [there.disks[0], there.disks[1], there.image])
            for (one, other) in zip(here.drives(here.vm), drives) { expectSame(one, other) }
            let interfaces = there.rows(VIF.self).filter { $0[VIF.vm] == vm }
            let interface = try #require(interfaces.first)
            #expect(interfaces.count == 1 && interface[VIF.network] == there.network)
            expectSame(try here.row(here.vif), interface, besides: keepsIdentity ? [] : ["MAC"])
            #expect(MachineRows.isAddress(interface[VIF.mac]))
            #expect((interface[VIF.mac] == "02:00:00:00:00:17") == keepsIdentity)
            let snapshot = try there.row(try #require(after[VM.snapshots].first))
            #expect(after[VM.snapshots].count == 1 && after[VM.parent].opaque == snapshot.ref)
            expectSame(
                try here.row(here.snapshot), snapshot, besides: keepsIdentity ? ["domid"] : ["domid", "other_config"])
            #expect(there.drives(snapshot.typedRef(VM.self)).map { $0[VBD.vdi] } == [there.disks[2]])
            #expect(after[VM.allowedOperations].contains(.start) && after[VM.metrics] != before[VM.metrics])
        }
    }

    @Test func aRunWithoutAWishForSnapshotsHasNone() async throws {
        let here = try await Pool(withMachine: true)
        var options = MachineExport.Options()
        options.includesSnapshots = false
        options.leavesOut = [.vif]
        let document = try here.document(options)
        #expect(document.objects.filter { $0.className == "VM" }.count == 1)
        #expect(!document.objects.contains { $0.className == "VIF" || $0.className == "network" })
        let there = try await Pool(withMachine: false)
        let vm = try #require(try await there.take(document).machines.first)
        #expect(try there.row(vm)[VM.parent].isNull && there.row(vm)[VM.snapshots].isEmpty)
    }

    @Test func disksAndNetworksAreThoseThatTheMapNames() async throws {
        let (here, there) = (try await Pool(withMachine: true), try await Pool(withMachine: false))
        let (disk, network) = (Ref<VDI>.new(), Ref<Network>.new())
        try await there.database.transaction { tx in
            tx.insert(VDI.self, ref: disk) { row in
                row[VDI.sr] = there.sr
                row[VDI.location] = "elsewhere"
                row[VDI.managed] = true
            }
            tx.insert(Network.self, ref: network) { $0[Network.nameLabel] = "other" }
        }
        var options = MachineExport.Options()
        options.disks = [here.disks[0]: disk.opaque]
        options.interfaces = [here.vif: network.opaque]
        let generation = here.database.generation
        let vm = try #require(try await there.take(try here.document(options)).machines.first)
        #expect(here.database.generation == generation)
        #expect(there.drives(vm).map { $0[VBD.vdi] } == [disk, there.disks[1], there.image])
        let interface = try #require(there.rows(VIF.self).first)
        #expect(interface[VIF.network] == network && interface[VIF.otherConfig][MachineExport.mapKey] == nil)
    }

    @Test func aNetworkThatIsNotThereIsMadeAndACDThatIsNotThereLeavesItsDriveEmpty() async throws {
        let (here, there) = (try await Pool(withMachine: true), try await Pool(withMachine: false))
        let document = try here.document()
            .with("network", ["name_label": .string("new"), "bridge": .string("../x"), "MTU": .string("9")])
            .with("VDI", ["location": .string("gone.iso")]) { $0["location"] == .string("system.iso") }
        let vm = try #require(try await there.take(document).machines.first)
        let network = try #require(there.rows(Network.self).first { $0[Network.nameLabel] == "new" })
        #expect(network[Network.mtu] == 1500 && network[Network.bridge] == "xapi0")
        let cd = try #require(there.drives(vm).last)
        #expect(cd[VBD.type] == .cd && cd[VBD.empty] && cd[VBD.vdi].isNull)
    }

    @Test func aDryRunSaysWhatWouldFailAndChangesNothing() async throws {
        let (here, there) = (try await Pool(withMachine: true), try await Pool(withMachine: false))
        let document = try here.document()
        let generation = there.database.generation
        let outcome = try await there.take(document) { $0.isDryRun = true }
        #expect(outcome.machines.count == 1 && there.database.generation == generation)
        let lost = document.with("VDI", ["location": .string("x"), "uuid": .string(Fresh.uuid())]) {
            $0["location"] == .string("\(Pool.diskUUIDs[0]).qcow2")
        }
        #expect(await there.refused(lost) { $0.isDryRun = true } == ["VDI_LOCATION_MISSING", there.sr.opaque, "x"])
        // A machine that is still to come brings its disks.
        _ = try await there.take(lost) { ($0.isDryRun, $0.isLive) = (true, true) }
        #expect(await there.refused(lost) { $0.isLive = true } == ["VDI_LOCATION_MISSING", there.sr.opaque, "x"])
        let huge = document.with("VM", ["memory_static_max": .string(String(Int64.max))])
        #expect(await there.refused(huge) { $0.isLive = true }.first == "HOST_NOT_ENOUGH_FREE_MEMORY")
        // By force the disk is left out.
        let forced = try await there.take(lost) { $0.isForced = true }
        #expect(there.drives(try #require(forced.machines.first)).count == 2)
    }

    @Test func aMachineGivesWayOnlyToANewerOfItsOwn() async throws {
        let here = try await Pool(withMachine: true)
        let document = try here.document()
        let same = ["VM_TO_IMPORT_IS_NOT_NEWER_VERSION", here.vm.opaque, "0", "0"]
        #expect(await here.refused(document) { $0.keepsIdentity = true } == same)
        let newer = document.with("VM", ["version": .string("4"), "blocked_operations": .structure([])])
        // It may not be destroyed.
        #expect(await here.refused(newer) { $0.keepsIdentity = true } == ["OPERATION_BLOCKED", here.vm.opaque, "no"])
        try await here.database.transaction { tx in
            for vm in [here.vm, here.snapshot] { try tx.set(vm, VM.blockedOperations, [:]) }
        }
        let outcome = try await here.take(newer) { $0.keepsIdentity = true }
        let vm = try #require(outcome.machines.first)
        #expect(here.database.read { $0.row(here.vm) == nil && $0.row(here.snapshot) == nil })
        #expect(here.rows(VM.self).filter { !$0[VM.isControlDomain] }.count == 2)
        #expect(try here.row(vm)[VM.version] == 5 && here.drives(vm).count == 3)
        try await here.database.transaction { tx in try tx.set(vm, VM.powerState, .running) }
        let running = ["VM_BAD_POWER_STATE", vm.opaque, "halted", "running"]
        #expect(await here.refused(newer) { $0.keepsIdentity = true } == running)
        #expect(try await here.take(newer) { ($0.keepsIdentity, $0.isForced) = (true, true) }.machines == [])
        // Another machine with the same addresses.
        let other = newer.with("VM", ["uuid": .string(Fresh.uuid())]) { $0["is_a_snapshot"] == .bool(false) }
        let twin = await here.refused(other) { $0.keepsIdentity = true }
        #expect(twin.first == "DUPLICATE_VM")
    }

    @Test func whatOnlyTheToolstackSaysIsNotTaken() async throws {
        let (here, there) = (try await Pool(withMachine: true), try await Pool(withMachine: false))
        let document = try here.document().with(
            "VM",
            [
                "power_state": .string("Running"), "is_default_template": .bool(true), "domid": .string("7"),
                "resident_on": .string("OpaqueRef:x"), "current_operations": .structure([]),
                "metrics": .string("OpaqueRef:x"), "appliance": .string("OpaqueRef:x"),
            ])
        let row = try there.row(try #require(try await there.take(document).machines.first))
        #expect(row[VM.powerState] == .halted && row[VM.domid] == -1 && row[VM.residentOn].isNull)
        #expect(row[VM.appliance].isNull && !row[VM.isDefaultTemplate])
        // A control domain is no machine of a document.
        let domain = try here.document().with("VM", ["is_control_domain": .bool(true)])
        #expect(try await there.take(domain).created == [])
        // What can be started is no snapshot.
        let loose = try here.document().with("VM", ["is_a_template": .bool(false)])
        #expect(try await there.take(loose).created.map { try there.row($0)[VM.isATemplate] }.contains(true))
        let suspended = try here.document().with("VM", ["power_state": .string("Suspended")])
        let null = "OpaqueRef:NULL"
        #expect(await there.refused(suspended) == ["IMPORT_ERROR_FAILED_TO_FIND_OBJECT", null])
    }

    @Test func hostileDocumentsAreRefusedByName() async throws {
        let (here, there) = (try await Pool(withMachine: true), try await Pool(withMachine: false))
        let good = try here.document()
        let disk = ["type": WireValue.string("Disk")]
        for (code, document) in [
            ("IMPORT_ERROR_FAILED_TO_FIND_OBJECT", good.with("VBD", ["VDI": .string("Ref:999")])),
            ("IMPORT_ERROR_FAILED_TO_FIND_OBJECT", good.with("VBD", ["VM": .string("Ref:999")])),
            ("IMPORT_ERROR_FAILED_TO_FIND_OBJECT", good.with("VDI", ["SR": .string("Ref:0")])),
            ("IMPORT_ERROR_FAILED_TO_FIND_OBJECT", good.with("VIF", ["network": .string("Ref:0")])),
            ("IMPORT_ERROR_FAILED_TO_FIND_OBJECT", good.with("VM", ["snapshot_of": .string("Ref:999")])),
            (
                "IMPORT_ERROR_FAILED_TO_FIND_OBJECT",
                good.with("VIF", ["other_config": .structure([WireMember("maps_to", .string("OpaqueRef:x"))])])
            ),
            ("IMPORT_ERROR", good.with("VM", ["VCPUs_max": .string("two")])),
            ("IMPORT_ERROR", good.with("VM", ["name_label": .array([])])),
            ("IMPORT_ERROR", good.with("VM", ["power_state": .string("Sleeping")])),
            ("IMPORT_ERROR", good.with("VM", ["is_a_snapshot": .bool(true), "snapshot_of": .string("Ref:0")])),
            ("DEVICE_ALREADY_EXISTS", good.with("VBD", ["userdevice": .string("0")])),
            ("INVALID_DEVICE", good.with("VBD", ["userdevice": .string("99")])),
            ("INVALID_DEVICE", good.with("VIF", ["device": .string("-1")])),
            ("VBD_CDS_MUST_BE_READONLY", good.with("VBD", ["mode": .string("RW")])),
        ] {
            #expect(await there.refused(document).first == code)
        }
        let attached = good.with("VBD", ["currently_attached": .bool(true), "VDI": .string("OpaqueRef:NULL")]) {
            $0["type"] == disk["type"]
        }
        #expect(await there.refused(attached) == ["IMPORT_ERROR_ATTACHED_DISKS_NOT_FOUND"])
        for (field, value) in [("uuid", "../../x"), ("uuid", "")] {
            let document = good.with("VM", [field: .string(value)])
            #expect(await there.refused(document) { $0.keepsIdentity = true }.first == "IMPORT_ERROR")
        }
        let twins = good.with("VM", ["uuid": .string(Fresh.uuid())])
        #expect(await there.refused(twins) { $0.keepsIdentity = true }.first == "IMPORT_ERROR")
        let odd = good.with("VIF", ["MAC": .string("01:00:00:00:00:00")])
        #expect(await there.refused(odd) { $0.keepsIdentity = true } == ["MAC_INVALID", "01:00:00:00:00:00"])
        #expect(there.rows(VIF.self).isEmpty && there.rows(VBD.self).isEmpty)
        // Any field as any kind of value: read, or refused by name.
        var random = SeededRandom.printed()
        let kinds: [WireValue] = [
            .string(""), .string("x"), .int(.min), .bool(true), .array([.string("x")]), .structure([]), .null,
            .structure([WireMember("x", .structure([]))]), .double(.nan),
        ]
        for _ in 0..<60 {
            guard let object = good.objects.randomElement(using: &random),
                case .structure(let members) = object.fields, let member = members.randomElement(using: &random),
                let kind = kinds.randomElement(using: &random)
            else { continue }
            let document = good.with(object.className, [member.name: kind])
            let answer = await there.refused(document) { $0.isDryRun = true }
            #expect(answer.first != "INTERNAL_ERROR", "\(object.className).\(member.name): \(answer)")
        }
    }

    @Test func damagedArchivesAreRefusedByName() async throws {
        let (here, there) = (try await Pool(withMachine: true), try await Pool(withMachine: false))
        let good = try here.documents.archive(of: here.vm, MachineExport.Options())
        func outcome(_ bytes: [UInt8]) async -> [String] {
            do {
                _ = try await there.documents.take(bytes, MachineImport.Options(isDryRun: true))
                return ["accepted"]
            } catch let error as APIError {
                return error.wire
            } catch {
                return ["\(error)"]
            }
        }
        #expect(await outcome(good) == ["accepted"])
        #expect(await outcome([]) == ["IMPORT_ERROR_PREMATURE_EOF"])
        #expect(await outcome(Array(good.prefix(700))) == ["IMPORT_ERROR_PREMATURE_EOF"])
        #expect(
            await outcome([UInt8](repeating: 0, count: 512)) == ["IMPORT_ERROR_UNEXPECTED_FILE", "ova.xml", ""])
        func archive(_ text: String) -> [UInt8] { MachineArchive.wrap(Array(text.utf8), time: 0) }
        let deep = String(repeating: "<value><array><data>", count: 100_000)
        for text in [
            "", "<value/>", "<value><struct></struct></value>", deep,
            "<!DOCTYPE x [<!ENTITY a 'b'>]><value>&a;</value>",
        ] {
            #expect(await outcome(archive(text)).first == "IMPORT_ERROR")
        }
        let newer = String(decoding: try here.document().encode(), as: UTF8.self)
            .replacing("<name>xapi_major</name><value>1<", with: "<name>xapi_major</name><value>27<")
        #expect(await outcome(archive(newer)) == ["IMPORT_INCOMPATIBLE_VERSION"])
        var random = SeededRandom.printed()
        let known: Set<String> = [
            "accepted", "IMPORT_ERROR", "IMPORT_ERROR_FAILED_TO_FIND_OBJECT", "IMPORT_ERROR_PREMATURE_EOF",
            "IMPORT_ERROR_UNEXPECTED_FILE", "IMPORT_INCOMPATIBLE_VERSION", "VDI_LOCATION_MISSING",
            "VDI_CONTENT_ID_MISSING", "INVALID_DEVICE", "DEVICE_ALREADY_EXISTS", "VBD_CDS_MUST_BE_READONLY",
            "IMPORT_ERROR_ATTACHED_DISKS_NOT_FOUND",
        ]
        for _ in 0..<60 {
            var bytes = good
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            if Bool.random(using: &random) {
                bytes = Array(bytes.prefix(Int.random(in: 0...bytes.count, using: &random)))
            }
            let answer = await outcome(bytes)
            #expect(known.contains(answer.first ?? ""), "\(answer)")
        }
        #expect(there.rows(VM.self).allSatisfy { $0[VM.isControlDomain] })
    }
}
