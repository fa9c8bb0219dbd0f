import APITypes
import CoreTypes
import Foundation
import PoolDatabase
import RPCCodec
import StorageMotion
import TestSupport
import Testing

@testable import Toolstack

/// Moves of a machine's disks within the host, and of disks with their snapshots, without a guest.
@Suite struct MachineMotionTests {
    private func map(_ entries: [String: String]) -> WireValue {
        .structure(entries.map { WireMember($0.key, .string($0.value)) })
    }

    private func parameters(
        _ host: OperationHost, _ vm: String, _ disks: [String: String], options: [String: String] = [:],
        formats: [String: String]? = nil, networks: [String: String] = [:], to destination: String? = nil
    ) -> [WireValue] {
        let all: [WireValue] = [
            .string(vm), map(["host": destination ?? host.host]), .bool(true), map(disks), map(networks), map(options),
        ]
        return formats.map { all + [map([:]), map($0)] } ?? all
    }

    private func refused(_ host: OperationHost, _ method: String, _ parameters: [WireValue]) async -> [String] {
        switch await host.toolstack.dispatcher.call(method: method, params: [.string(host.session)] + parameters) {
        case .success: ["accepted"]
        case .failure(let error): error.wire
        }
    }

    private func field(_ host: OperationHost, _ vdi: String, _ name: String) async throws -> String {
        let value = try await host.call("VDI.get_\(name)", .string(vdi))
        if case .ref(let ref) = value { return ref }
        return String(api: value) ?? ""
    }

    private func disks(of vm: String, _ host: OperationHost) -> [String] {
        host.database.read { reader in
            reader.rows(VBD.self) { $0[VBD.vm].opaque == vm }.sorted { $0[VBD.userdevice] < $1[VBD.userdevice] }
                .map { $0[VBD.vdi].opaque }
        }
    }

    private func images(_ host: OperationHost, _ name: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: host.folder.file(name)).filter { !$0.hasPrefix(".") }
            .sorted()
    }

    /// Two disks of a halted machine go to two repositories in two formats; a check with the same arguments says what the
    /// move would say.
    @Test func theDisksOfAMachineMoveTogether() async throws {
        let host = try await OperationHost()
        let ((a, _), (b, _), (c, _)) = (
            try await host.makeRepository("a"), try await host.makeRepository("b"), try await host.makeRepository("c")
        )
        let vm = try await host.makeMachine()
        let (one, two) = (try await host.makeDisk(in: a), try await host.makeDisk(in: a))
        for vdi in [one, two] { _ = try await host.makeVBD(vdi, in: vm) }
        func both(_ parameters: [WireValue]) async -> [String] {
            let check = await refused(host, "VM.assert_can_migrate", parameters)
            let move = check == ["accepted"] ? check : await refused(host, "VM.migrate_send", parameters)
            #expect(check == move)
            return check
        }
        #expect(await both(parameters(host, vm, [one: b])) == ["VDI_NOT_IN_MAP", two])
        let whole = [one: b, two: c]
        let unknown = await both(parameters(host, vm, whole, formats: [two: "qcow2,vhdx"]))
        #expect(unknown == ["VDI_INCOMPATIBLE_TYPE", two, "Expected one of 'raw', 'vhd', 'qcow2', got vhdx"])
        #expect(await both(parameters(host, vm, whole, options: ["copy": "true"])).first == "OPERATION_NOT_ALLOWED")
        #expect(await both(parameters(host, vm, whole, options: ["force": "x"])) == ["INVALID_VALUE", "force", "x"])
        let elsewhere = await both(parameters(host, vm, whole, to: "OpaqueRef:other"))
        #expect(elsewhere == ["INVALID_VALUE", "dest", "give all that host.migrate_receive answered"])
        #expect(
            await both(parameters(host, vm, whole, networks: ["OpaqueRef:v": "OpaqueRef:n"])).first
                == "OPERATION_NOT_ALLOWED")
        try FileManager.default.createDirectory(atPath: host.folder.file("cds"), withIntermediateDirectories: false)
        let iso = try await host.ref(
            "SR.create", .string(host.host), .structure([WireMember("location", .string(host.folder.file("cds")))]),
            .string("0"), .string("cds"), .string(""), .string("iso"), .string("iso"), .bool(false), .structure([]))
        let features = await both(parameters(host, vm, [one: b, two: iso]))
        #expect(features == ["SR_DOES_NOT_SUPPORT_MIGRATION", iso, "VDI_CREATE, VDI_MIRROR_IN"])
        // A key of what does not go with the VM is no wish that anybody could fulfil; one that asks for nothing is fine, and so is the
        // disc in a drive, which XenAPI's own clients send.
        let (other, disc) = (try await host.makeDisk(in: a), try await host.makeDisk(in: a))
        _ = try await host.makeVBD(disc, in: vm, type: "CD", mode: "RO")
        for formats in [nil, [other: "nonsense"]] {
            let foreign = await both(parameters(host, vm, whole.merging([other: c]) { $1 }, formats: formats))
            #expect(foreign.first == "OPERATION_NOT_ALLOWED" && foreign.last?.contains(other) == true, "\(foreign)")
        }
        let kept = whole.merging([other: a, disc: c]) { $1 }
        #expect(await refused(host, "VM.assert_can_migrate", parameters(host, vm, kept)) == ["accepted"])
        let graphics = parameters(host, vm, whole) + [map(["OpaqueRef:g": "OpaqueRef:group"])]
        #expect(await both(graphics) == ["HANDLE_INVALID", "VGPU", "OpaqueRef:g"])
        #expect(disks(of: vm, host).prefix(2) == [one, two])
        #expect(try images(host, "b") == [])
        for drive in host.database.read({ $0.rows(VBD.self) }) where drive[VBD.vdi].opaque == disc {
            _ = try await host.call("VBD.destroy", .string(drive.ref))
        }
        for vdi in [other, disc] { _ = try await host.call("VDI.destroy", .string(vdi)) }

        let accepted = parameters(host, vm, whole, formats: [one: "VHD", two: "vhdx,raw"])
        #expect(await both(accepted).first == "VDI_INCOMPATIBLE_TYPE")
        let send = parameters(host, vm, whole, formats: [one: "VHD", two: "qcow2"])
        #expect(await both(send) == ["accepted"])
        let result = try await host.toolstack.dispatcher.call(
            method: "VM.migrate_send", params: [.string(host.session)] + send
        ).get()
        #expect(result == .ref(vm))
        let moved = disks(of: vm, host)
        #expect(moved.count == 2 && Set(moved).isDisjoint(with: [one, two]))
        #expect(try images(host, "a") == [])
        #expect(try images(host, "b") == [try await field(host, moved[0], "location")])
        #expect(try images(host, "b")[0].hasSuffix(".vhd") && images(host, "c")[0].hasSuffix(".qcow2"))
        #expect(try await host.operations("VM", vm, "current_operations") == [])
        // Where they are to be already: nothing happens, also to disks that could not move.
        #expect(
            await refused(host, "VM.migrate_send", parameters(host, vm, [moved[0]: b, moved[1]: c])) == ["accepted"])
        #expect(disks(of: vm, host) == moved)
        await host.toolstack.stop()
    }

    /// While a pool is upgraded nothing goes to a host that knows less.
    @Test func nothingGoesToAnOlderHostOfThePool() async throws {
        let host = try await OperationHost()
        let vm = try await host.makeMachine()
        let own = host.database.read { $0.row(Ref<APITypes.Host>(host.host))?[APITypes.Host.softwareVersion] } ?? [:]
        for (version, code) in [("0.0.9", "NOT_SUPPORTED_DURING_UPGRADE"), ("99.0", "NOT_IMPLEMENTED")] {
            let other = Ref<APITypes.Host>.new()
            try await host.database.transaction { tx in
                tx.insert(APITypes.Host.self, ref: other) { row in
                    row[APITypes.Host.softwareVersion] = own.merging(["platform_version": version]) { $1 }
                }
            }
            for options in [[:], ["force": "true"]] {
                let refusal = await refused(
                    host, "VM.migrate_send", parameters(host, vm, [:], options: options, to: other.opaque))
                #expect(refusal.first == code)
            }
        }
        await host.toolstack.stop()
    }

    /// The disk and the suspend image of a suspended machine move as those of any other, and it finds both.
    @Test func aSuspendedMachineMovesWithItsImage() async throws {
        let host = try await OperationHost()
        let ((a, _), (b, _)) = (try await host.makeRepository("a"), try await host.makeRepository("b"))
        let vm = try await host.makeMachine()
        let (disk, image) = (try await host.makeDisk(in: a), try await host.makeDisk(in: a))
        _ = try await host.makeVBD(disk, in: vm)
        // A checkpoint has a memory, too.
        let older = try await host.makeDisk(in: a)
        try await host.database.transaction { tx in
            try tx.set(Ref<VM>(vm), VM.powerState, .suspended)
            try tx.set(Ref<VM>(vm), VM.suspendVDI, Ref(image))
            tx.insert(VM.self, ref: Ref("OpaqueRef:checkpoint")) { row in
                row[VM.powerState] = .suspended
                (row[VM.suspendVDI], row[VM.snapshotOf], row[VM.isASnapshot]) = (Ref(older), Ref(vm), true)
            }
        }
        let send = parameters(host, vm, [disk: b, image: b, older: b], formats: [image: "vhd", older: "qcow2"])
        #expect(await refused(host, "VM.assert_can_migrate", send) == ["accepted"])
        #expect(await refused(host, "VM.migrate_send", send) == ["accepted"])
        let moved = host.database.read { $0.row(Ref<VM>(vm))?[VM.suspendVDI].opaque } ?? ""
        #expect(try await field(host, moved, "SR") == b)
        #expect(try await field(host, moved, "location").hasSuffix(".vhd"))
        #expect(try images(host, "a") == [] && images(host, "b").count == 3)
        let memory = host.database.read { $0.row(Ref<VM>("OpaqueRef:checkpoint"))?[VM.suspendVDI].opaque } ?? ""
        #expect(memory != older)
        #expect(try await field(host, memory, "SR") == b)
        #expect(try await field(host, memory, "location").hasSuffix(".qcow2"))
        _ = try await host.ref("VDI.pool_migrate", .string(memory), .string(a), map([:]))
        // Each by itself, back.
        for vdi in [moved, disks(of: vm, host)[0]] {
            _ = try await host.ref("VDI.pool_migrate", .string(vdi), .string(a), map([:]))
        }
        #expect(try images(host, "b") == [] && images(host, "a").count == 3)
        let back = host.database.read { $0.row(Ref<VM>(vm))?[VM.suspendVDI].opaque } ?? ""
        #expect(try await field(host, back, "SR") == a)
        await host.toolstack.stop()
    }

    /// A disk with snapshots, written between them, moves as a tree: contents and rows are right, what was shared is shared,
    /// and drives of snapshots follow.
    @Test(arguments: ["qcow2", "vhd", "raw"])
    func snapshotsMoveWithTheirDisk(_ format: String) async throws {
        let host = try await OperationHost()
        let ((a, _), (b, _)) = (try await host.makeRepository("a"), try await host.makeRepository("b"))
        let vdi = try await host.makeDisk(in: a, bytes: 16 << 20)
        func write(_ pattern: Int, at megabyte: Int, length: Int) async throws {
            let location = try await field(host, vdi, "location")
            let kind = location.hasSuffix(".raw") ? "raw" : "qcow2"
            try Tool.check(
                "qemu-io",
                ["-f", kind, "-c", "write -P \(pattern) \(megabyte)M \(length)M", host.folder.file("a/" + location)])
        }
        try await write(1, at: 0, length: 4)
        let first = try await host.ref("VDI.snapshot", .string(vdi), .structure([]))
        try await write(2, at: 2, length: 1)
        _ = try await host.call("VDI.set_name_label", .string(first), .string("the first"))
        let second = try await host.ref("VDI.snapshot", .string(vdi), .structure([]))
        try await write(0, at: 0, length: 1)
        let vm = try await host.makeMachine()
        let drive = try await host.makeVBD(first, in: vm)

        let moved = try await host.ref(
            "VDI.pool_migrate", .string(vdi), .string(b), map(["dest-img-format": format]))
        #expect(try images(host, "a") == [])
        #expect(try await field(host, moved, "SR") == b)
        let rows = host.database.read { reader in
            reader.rows(VDI.self) { $0[VDI.snapshotOf].opaque == moved }.sorted {
                $0[VDI.nameLabel] > $1[VDI.nameLabel]
            }
        }
        #expect(rows.map { $0[VDI.nameLabel] } == ["the first", "disk"])
        #expect(rows.allSatisfy { $0[VDI.isASnapshot] && $0[VDI.sr].opaque == b && $0[VDI.snapshotTime].seconds > 0 })
        #expect(host.database.read { $0.row(Ref<VBD>(drive))?[VBD.vdi].opaque } == rows[0].ref)
        #expect(await host.refused("VDI.get_uuid", .string(second)).first == "HANDLE_INVALID")
        // Five megabytes differ at all; each whole copy would hold four.
        let taken = try images(host, "b").reduce(0) { sum, name in
            let words = try Tool.check("du", ["-k", host.folder.file("b/" + name)]).split(separator: "\t")
            return sum + (words.first.flatMap { Int($0) } ?? 0)
        }
        if format == "qcow2" { #expect(taken < 8 << 10, "\(taken) KiB") }
        // Rows and files agree: a scan changes nothing.
        func known() -> Set<String> { host.database.read { Set($0.rows(VDI.self).map { $0[VDI.location] }) } }
        #expect(try known() == Set(images(host, "b")))
        _ = try await host.call("SR.scan", .string(b))
        #expect(try known() == Set(images(host, "b")))
        // Each shows what it showed: copied whole, as QEMU reads no chains of VHD.
        let (c, _) = try await host.makeRepository("c")
        let expected: [[(pattern: Int, from: Int, length: Int)]] = [
            [(1, 0, 4), (0, 4, 8)], [(1, 0, 2), (2, 2, 1), (1, 3, 1)], [(0, 0, 1), (1, 1, 1), (2, 2, 1), (1, 3, 1)],
        ]
        for (disk, parts) in zip(rows.map(\.ref) + [moved], expected) {
            #expect(try await field(host, disk, "location").hasSuffix("." + format))
            let null = WireValue.string("OpaqueRef:NULL")
            let copy = try await host.ref("VDI.copy", .string(disk), .string(c), null, null)
            let image = host.folder.file("c/" + (try await field(host, copy, "location")))
            for part in parts {
                let command = "read -P \(part.pattern) \(part.from)M \(part.length)M"
                let kind = format == "vhd" ? "vpc" : format
                let output = try Tool.check("qemu-io", ["-r", "-f", kind, "-c", command, image])
                #expect(!output.contains("verification failed"), "\(disk) \(part)")
            }
        }
        await host.toolstack.stop()
    }

    @Test func aSnapshotInUseIsNotTakenAway() async throws {
        let host = try await OperationHost()
        let ((a, _), (b, _)) = (try await host.makeRepository("a"), try await host.makeRepository("b"))
        let vdi = try await host.makeDisk(in: a)
        let snapshot = try await host.ref("VDI.snapshot", .string(vdi), .structure([]))
        let vbd = try await host.ref(
            "VBD.create",
            .structure([
                WireMember("VM", .string(host.domain)), WireMember("VDI", .string(snapshot)),
                WireMember("userdevice", .string("autodetect")), WireMember("bootable", .bool(false)),
                WireMember("mode", .string("RO")), WireMember("type", .string("Disk")),
                WireMember("empty", .bool(false)), WireMember("other_config", .structure([])),
                WireMember("qos_algorithm_type", .string("")), WireMember("qos_algorithm_params", .structure([])),
            ]))
        _ = try await host.call("VBD.plug", .string(vbd))
        let refusal = await host.refused("VDI.pool_migrate", .string(vdi), .string(b), .structure([]))
        #expect(refusal == ["VDI_IN_USE", snapshot, "mirror"])
        #expect(try images(host, "b") == [])
        _ = try await host.call("VBD.unplug", .string(vbd))
        await host.toolstack.stop()
    }

    /// What would keep a move from beginning is said by its check and its plan, in the same words: a snapshot in use, operations on
    /// disks, snapshots and SRs, options that make no sense.
    @Test func aMoveItsCheckAndItsPlanSayTheSame() async throws {
        let host = try await OperationHost()
        let ((a, _), (b, _)) = (try await host.makeRepository("a"), try await host.makeRepository("b"))
        let (vdi, vm) = (try await host.makeDisk(in: a), try await host.makeMachine())
        _ = try await host.makeVBD(vdi, in: vm)
        let snapshot = try await host.ref("VDI.snapshot", .string(vdi), .structure([]))
        let one: [WireValue] = [.string(vdi), .string(b), map([:])]
        let whole = parameters(host, vm, [vdi: b])
        /// What all say; the blockers of a plan are of the disk.
        func told() async throws -> [String] {
            var all = [await refused(host, "VDI.pool_migrate", one)]
            for method in ["VM.assert_can_migrate", "VM.migrate_send"] {
                all.append(await refused(host, method, whole))
            }
            for (method, call) in [("VDI.plan_pool_migrate", one), ("VM.plan_migrate_send", whole)] {
                all.append(try await blocker(host, method, call))
            }
            #expect(Set(all).count == 1, "\(all)")
            return all[0]
        }
        let drive = try await host.makeVBD(snapshot, in: host.domain, mode: "RO")
        _ = try await host.call("VBD.plug", .string(drive))
        #expect(try await told() == ["VDI_IN_USE", snapshot, "mirror"])
        _ = try await host.call("VBD.unplug", .string(drive))
        let busy: [(OperationClaim, [String])] = [
            (.vdi(Ref(vdi), .copy), ["VDI", vdi, "copy"]), (.vdi(Ref(snapshot), .copy), ["VDI", snapshot, "copy"]),
            (.sr(Ref(a), .unplug), ["SR", a, "unplug"]), (.sr(Ref(b), .pbdCreate), ["SR", b, "pbd_create"]),
        ]
        for (claim, words) in busy {
            let entered = try await host.admission.enter([claim])
            let refusal = try await told()
            #expect(refusal.first == "OTHER_OPERATION_IN_PROGRESS" && Array(refusal.dropFirst().prefix(3)) == words)
            // What the disk would be is known nevertheless.
            let plan = try await host.toolstack.dispatcher.call(
                method: "VDI.plan_pool_migrate", params: [.string(host.session)] + one
            ).get()
            if case .array(let disks)? = try JSONText.decode(String(api: plan) ?? "")["disks"] {
                let format = disks.first?["destination"]?["format"]
                #expect(format != nil && format != .string(""))
            } else {
                Issue.record("\(plan)")
            }
            await host.admission.end(entered)
        }
        for options in [["mirror-mode": "x"], ["network": "OpaqueRef:n"], ["retry-seconds": "x"]] {
            let call = parameters(host, vm, [vdi: b], options: options)
            var answers: [[String]] = []
            for method in ["VM.assert_can_migrate", "VM.migrate_send", "VM.plan_migrate_send"] {
                answers.append(await refused(host, method, call))
            }
            for method in ["VDI.pool_migrate", "VDI.plan_pool_migrate"] {
                answers.append(await refused(host, method, Array(one.dropLast()) + [map(options)]))
            }
            #expect(Set(answers).count == 1 && answers[0].prefix(2) == ["INVALID_VALUE", options.keys.first ?? ""])
        }
        #expect(try images(host, "b") == [])
        #expect(await refused(host, "VM.assert_can_migrate", whole) == ["accepted"])
        await host.toolstack.stop()
    }

    /// The same of a machine that goes to another pool, once the other side has nothing against it.
    @Test func whatUsesAMachineThatLeavesIsInItsWay() async throws {
        let host = try await OperationHost()
        let (a, _) = try await host.makeRepository("a")
        let (vdi, vm, snapshot) = (
            try await host.makeDisk(in: a), try await host.makeMachine(), try await host.makeMachine()
        )
        _ = try await host.makeVBD(vdi, in: vm)
        let surveyed = SurveyedDeparture(
            place: PeerPlace(host: "far", port: 1, fingerprint: ""), session: "", host: "",
            offer: MoveOffer(
                id: "", uuid: "", isCopy: false, isForced: false, machine: "{}", drives: [], interfaces: [], disks: [],
                origin: ""),
            disks: [.init(vdi: vdi, uuid: "", sr: a, location: "", stays: false)], decisions: [], repositories: [:],
            snapshots: [snapshot])
        func refusal() -> [String] {
            do {
                try host.database.read { try Departures.requireFree(surveyed, vm: Ref(vm), $0) }
                return ["accepted"]
            } catch {
                return (error as? APIError)?.wire ?? ["\(error)"]
            }
        }
        #expect(refusal() == ["accepted"])
        let drive = try await host.makeVBD(vdi, in: host.domain)
        _ = try await host.call("VBD.plug", .string(drive))
        #expect(refusal() == ["VDI_IN_USE", vdi, "mirror"])
        _ = try await host.call("VBD.unplug", .string(drive))
        let busy: [(OperationClaim, [String])] = [
            (.vdi(Ref(vdi), .copy), ["VDI", vdi, "copy"]), (.sr(Ref(a), .unplug), ["SR", a, "unplug"]),
            (.vm(Ref(snapshot), .export), ["VM", snapshot, "export"]),
        ]
        for (claim, words) in busy {
            let entered = try await host.admission.enter([claim])
            #expect(Array(refusal().prefix(4)) == ["OTHER_OPERATION_IN_PROGRESS"] + words)
            await host.admission.end(entered)
        }
        #expect(refusal() == ["accepted"])
        await host.toolstack.stop()
    }

    /// The one that a plan has.
    private func blocker(_ host: OperationHost, _ method: String, _ parameters: [WireValue]) async throws -> [String] {
        let answer = try await host.toolstack.dispatcher.call(
            method: method, params: [.string(host.session)] + parameters
        ).get()
        let plan = try JSONDecoder().decode(MovePlan.self, from: Data((String(api: answer) ?? "").utf8))
        #expect(plan.blockers.count <= 1)
        return plan.blockers.first?.error ?? ["accepted"]
    }

    /// Where an SR gives all of an image's space at once a plan says so, as the refusal does, at the source, too, where it is the same.
    @Test func aPlanCountsTheSpaceThatIsGivenAtOnce() async throws {
        let host = try await OperationHost()
        let ((a, _), (b, _)) = (
            try await host.makeRepository("a"), try await host.makeRepository("b", allocation: "thick")
        )
        let size = 8 << 20
        let (there, here) = (
            try await host.makeDisk(in: a, bytes: size, format: "qcow2"),
            try await host.makeDisk(in: b, bytes: size, format: "qcow2")
        )
        for (vdi, format, isLarge) in [(there, "raw", true), (there, "vhd", false), (here, "raw", true)] {
            let answer = try await host.call(
                "VDI.plan_pool_migrate", .string(vdi), .string(b), map(["dest-img-format": format]))
            let plan = try JSONDecoder().decode(MovePlan.self, from: Data((String(api: answer) ?? "").utf8))
            let disk = try #require(plan.disks.first)
            #expect(disk.bytesToMove < 2 << 20)
            #expect(isLarge ? disk.peakAtDestination == UInt64(size) : disk.peakAtDestination < 2 << 20, "\(format)")
            #expect(disk.peakAtSource == (vdi == here ? disk.peakAtDestination : 0))
        }
        var disk = MovePlan.Disk(
            vdi: "", name: "", role: "", source: MovePlan.Place(sr: "", name: "", format: "", free: nil), virtualSize: 9
        )
        for (bytes, room, peak) in [(5, 3, 5), (5, 9, 9)] as [(UInt64, UInt64, UInt64)] {
            disk.take(bytes, room: room)
            #expect(disk.bytesToMove == bytes && disk.peakAtDestination == peak && disk.peakAtSource == 0)
        }
        await host.toolstack.stop()
    }

    @Test func aPlanSaysWhatWouldBeDoneAndDoesNothing() async throws {
        let host = try await OperationHost()
        let ((a, _), (b, _)) = (try await host.makeRepository("a"), try await host.makeRepository("b"))
        let vdi = try await host.makeDisk(in: a, bytes: 8 << 20)
        let image = try await field(host, vdi, "location")
        try Tool.check("qemu-io", ["-f", "raw", "-c", "write -P 1 0 2M", host.folder.file("a/" + image)])
        func plan(_ method: String, _ parameters: [WireValue]) async throws -> WireValue {
            let answer = try await host.toolstack.dispatcher.call(
                method: method, params: [.string(host.session)] + parameters
            ).get()
            return try JSONText.decode(String(api: answer) ?? "")
        }
        _ = try await host.call("SR.add_to_other_config", .string(b), .string("disk-moves"), .string("many"))
        let good = try await plan(
            "VDI.plan_pool_migrate", [.string(vdi), .string(b), map(["dest-img-format": "vhd"])])
        guard case .array(let disks)? = good["disks"], let disk = disks.first else {
            Issue.record("\(good)")
            return
        }
        #expect(disk["reason"] == .string("chosen") && disk["destination"]?["format"] == .string("vhd"))
        #expect(disk["source"]?["format"] == .string("raw") && Self.isAbout(disk["bytes_to_move"], 2 << 20))
        #expect(disk["peak_at_source"] == .int(0) && Self.isAbout(disk["peak_at_destination"], 2 << 20))
        #expect(good["blockers"] == .array([]) && good["seconds"] != nil && good["bytes_per_second"] != nil)
        guard case .array(let notes)? = disk["notes"] else {
            Issue.record("\(disk)")
            return
        }
        #expect(
            notes.contains { note in
                guard case .string(let text) = note else { return false }
                return text.contains("other_config:disk-moves is 'many'")
            }, "\(notes)")

        let bad = try await plan("VDI.plan_pool_migrate", [.string(vdi), .string(b), map(["dest-img-format": "x"])])
        let words = ["VDI_INCOMPATIBLE_TYPE", vdi, "Expected one of 'raw', 'vhd', 'qcow2', got x"]
        guard case .array(let blockers)? = bad["blockers"] else {
            Issue.record("\(bad)")
            return
        }
        #expect(blockers.map { $0["error"] } == [.array(words.map { .string($0) })])

        let vm = try await host.makeMachine()
        _ = try await host.makeVBD(vdi, in: vm)
        let whole = try await plan("VM.plan_migrate_send", parameters(host, vm, [vdi: b], formats: [vdi: "qcow2"]))
        #expect(whole["blockers"] == .array([]))
        let unmapped = try await plan("VM.plan_migrate_send", parameters(host, vm, [:]))
        guard case .array(let reasons)? = unmapped["blockers"], case .array(let first)? = reasons.first?["error"] else {
            Issue.record("\(unmapped)")
            return
        }
        #expect(first == [.string("VDI_NOT_IN_MAP"), .string(vdi)])
        #expect(try images(host, "b") == [])
        await host.toolstack.stop()
    }

    /// File systems round up.
    private static func isAbout(_ value: WireValue?, _ bytes: Int64) -> Bool {
        guard case .int(let number)? = value else { return false }
        return number >= bytes && number < 2 * bytes
    }

    /// A token whose session is over is refused by that name, before anything is moved, and is a plan's blocker.
    @Test func aTokenWithoutASessionIsNoLossOfTheCallersOwn() async throws {
        let host = try await OperationHost()
        let vm = try await host.makeMachine()
        var call = parameters(host, vm, [:])
        call[1] = map(["host": host.host, "session_id": "OpaqueRef:over"])
        for method in ["VM.assert_can_migrate", "VM.migrate_send"] {
            let answer = await refused(host, method, call)
            #expect(answer.prefix(2) == ["INVALID_VALUE", "dest"], "\(method): \(answer)")
            #expect(answer.last?.contains("call host.migrate_receive there again") == true)
        }
        let plan = try await host.toolstack.dispatcher.call(
            method: "VM.plan_migrate_send", params: [.string(host.session)] + call
        ).get()
        #expect(String(api: plan)?.contains("INVALID_VALUE") == true)
        await host.toolstack.stop()
    }

    /// A move within the pool uses its token as one to another pool does: it counts from then on, and one of two days ago is over.
    @Test func aTokenOfAMoveWithinThePoolIsUsedByIt() async throws {
        let host = try await OperationHost()
        let vm = try await host.makeMachine()
        let sessions = host.toolstack.dispatcher.sessions
        func token(idle: Int64) async throws -> Ref<Session> {
            let session = try await sessions.open(.superuser(name: "root"), originator: "")
            try await host.database.transaction { tx in
                try tx.set(session, Session.lastActive, APIDate(seconds: WallClock.seconds - idle))
            }
            return session
        }
        for method in ["VM.assert_can_migrate", "VM.migrate_send"] {
            for (idle, isTaken) in [(2 * 86_400, false), (80_000, true)] as [(Int64, Bool)] {
                let session = try await token(idle: idle)
                var call = parameters(host, vm, [:])
                call[1] = map(["host": host.host, "session_id": session.opaque])
                let answer = await refused(host, method, call)
                #expect(isTaken ? answer == ["accepted"] : answer.prefix(2) == ["INVALID_VALUE", "dest"], "\(answer)")
                let used = host.database.read { $0.row(session)?[Session.lastActive].seconds }
                #expect(used.map { WallClock.seconds - $0 < 600 } == (isTaken ? true : nil))
            }
        }
        await host.toolstack.stop()
    }

    /// What a network lacks to receive over it, with the codes and parameters of XenAPI.
    @Test func whatReceivesOverANetworkNeedsAnAddressThere() async throws {
        let host = try await OperationHost()
        let (network, pif) = (Ref<Network>.new(), Ref<PIF>.new())
        let call: [WireValue] = [.string(host.host), .string(network.opaque), map([:])]
        try await host.database.transaction { tx in
            tx.insert(Network.self, ref: network) { row in row[Network.uuid] = Fresh.uuid() }
        }
        #expect(
            await refused(host, "host.migrate_receive", call)
                == ["HOST_CANNOT_ATTACH_NETWORK", host.host, network.opaque])
        let cases: [(mode: IPConfigurationMode, address: String, answer: [String])] = [
            (.none, "", ["PIF_HAS_NO_NETWORK_CONFIGURATION", pif.opaque]),
            (.dhcp, "", ["INTERFACE_HAS_NO_IP", pif.opaque]), (.dhcp, "192.0.2.7", ["accepted"]),
            (.none, "192.0.2.7", ["accepted"]),
        ]
        try await host.database.transaction { tx in
            tx.insert(PIF.self, ref: pif) { row in
                (row[PIF.uuid], row[PIF.host], row[PIF.network]) = (Fresh.uuid(), Ref(host.host), network)
            }
        }
        for (mode, address, expected) in cases {
            try await host.database.transaction { tx in
                try tx.set(pif, PIF.ipConfigurationMode, mode)
                try tx.set(pif, PIF.ip, address)
            }
            #expect(await refused(host, "host.migrate_receive", call) == expected)
        }
        // Nor is there one for those who ask which is the host's own.
        try await host.database.transaction { tx in
            for row in tx.rows(PIF.self) { try tx.set(row.typedRef(PIF.self), PIF.management, false) }
        }
        #expect(
            await host.refused("host.get_management_interface", .string(host.host)) == ["HOST_HAS_NO_MANAGEMENT_IP"])
        await host.toolstack.stop()
    }

    @Test func thePortOfAnAddressIsFound() {
        #expect(MigrationTokens.port(of: "https://[::1]:8443") == ":8443")
        #expect(MigrationTokens.port(of: "https://10.0.0.1:443/x") == "")
        #expect(MigrationTokens.port(of: "https://[::1]") == "" && MigrationTokens.port(of: "") == "")
    }
}
