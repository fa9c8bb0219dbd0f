import APITypes
import PoolDatabase
import TestSupport
import Testing

@testable import Toolstack

/// The stored `allowed_operations`, beside what the rules say of the rows.
@Suite struct AllowedOperationTests {
    private struct Objects {
        var repositories: [Ref<SR>] = []
        var connections: [Ref<PBD>] = []
        var disks: [Ref<VDI>] = []
        var machines: [Ref<VM>] = []
        var devices: [Ref<VBD>] = []
    }

    /// Whatever changes, in whatever order: the field says what the rules say when the change is seen.
    @Test func theFieldFollowsEveryChange() async throws {
        var random = SeededRandom.printed()
        let database = try await PoolDatabase.open(path: nil, deriving: AllowedOperations.derivation)
        var objects = Objects()
        let made = objects
        objects = try await database.transaction { tx in Self.make(made, tx) }
        try Self.compare(database, "made")
        for round in 0..<400 {
            let steps = (0...Int(random.next() % 3)).map { _ in random.next() }
            let known = objects
            try await database.transaction { tx in for step in steps { try Self.change(known, step, tx) } }
            try Self.compare(database, "round \(round)")
        }
    }

    /// A change that nobody's operations depend on is written once and tells of itself only.
    @Test func aRenamedDiskDisturbsNobody() async throws {
        let database = try await PoolDatabase.open(path: nil, deriving: AllowedOperations.derivation)
        let objects = try await database.transaction { tx in Self.make(Objects(), tx) }
        let before = database.read { reader in reader.rows(VBD.self).map(\.lastModified) }
        try await database.transaction { tx in
            for vdi in objects.disks { try tx.set(vdi, VDI.nameDescription, "changed") }
        }
        #expect(database.read { reader in reader.rows(VBD.self).map(\.lastModified) } == before)
    }

    private static func make(_ known: Objects, _ tx: Transaction) -> Objects {
        var objects = known
        for type in ["file", "other"] {
            tx.insert(SM.self, ref: .new()) { row in
                row[SM.type] = type
                row[SM.features] = [
                    "VDI_CREATE": 1, "VDI_DELETE": 1, "VDI_RESIZE": 1, "VDI_UPDATE": 1, "VDI_MIRROR": 1,
                ]
            }
            let (sr, pbd) = (Ref<SR>.new(), Ref<PBD>.new())
            tx.insert(SR.self, ref: sr) { $0[SR.type] = type }
            tx.insert(PBD.self, ref: pbd) { row in
                row[PBD.sr] = sr
                row[PBD.currentlyAttached] = true
            }
            objects.repositories.append(sr)
            objects.connections.append(pbd)
            for _ in 0..<2 {
                let (vdi, vm, vbd) = (Ref<VDI>.new(), Ref<VM>.new(), Ref<VBD>.new())
                tx.insert(VDI.self, ref: vdi) { row in
                    row[VDI.sr] = sr
                    row[VDI.managed] = true
                }
                tx.insert(VM.self, ref: vm) { $0[VM.powerState] = .halted }
                tx.insert(VBD.self, ref: vbd) { row in
                    row[VBD.vm] = vm
                    (row[VBD.type], row[VBD.mode]) = (.disk, .rw)
                    row[VBD.vdi] = vdi
                }
                objects.disks.append(vdi)
                objects.machines.append(vm)
                objects.devices.append(vbd)
            }
        }
        return objects
    }

    private static func change(_ objects: Objects, _ step: UInt64, _ tx: Transaction) throws {
        let pick = Int(step >> 32)
        let (vm, vbd) = (objects.machines[pick % 4], objects.devices[pick % 4])
        let (vdi, sr, pbd) = (objects.disks[pick % 4], objects.repositories[pick % 2], objects.connections[pick % 2])
        let flag = step >> 20 & 1 == 1
        switch step % 18 {
        case 0: try tx.set(vm, VM.powerState, VMPowerState.allCases[Int(step >> 16 & 3)])
        case 1: try tx.set(vm, VM.currentOperations, flag ? ["T": .cleanShutdown] : [:])
        case 2: try tx.set(vm, VM.isATemplate, flag)
        case 3: try tx.set(vm, VM.blockedOperations, flag ? [.destroy: "no"] : [:])
        case 4: try tx.set(vbd, VBD.currentlyAttached, flag)
        case 5: try tx.set(vbd, VBD.reserved, flag)
        case 6: try tx.set(vbd, VBD.currentOperations, flag ? ["T": .plug] : [:])
        case 7: try tx.set(vbd, VBD.vdi, vdi == objects.disks[0] ? objects.disks[3] : objects.disks[0])
        case 8: try tx.set(vdi, VDI.currentOperations, flag ? ["T": .resize] : [:])
        case 9: try tx.set(vdi, VDI.managed, flag)
        case 10: try tx.set(sr, SR.currentOperations, flag ? ["T": .unplug] : [:])
        case 11: try tx.set(pbd, PBD.currentlyAttached, flag)
        case 12:
            for manager in tx.rows(SM.self) where (manager[SM.type] == "file") == flag {
                try tx.set(
                    manager.typedRef(SM.self), SM.features,
                    step >> 21 & 1 == 1 ? ["VDI_DELETE": 1] : ["VDI_CREATE": 1, "VDI_RESIZE": 1, "VDI_UPDATE": 1])
            }
        case 13: try tx.set(vdi, VDI.type, flag ? .rrd : .user)
        case 14: try tx.set(vdi, VDI.sr, sr)
        case 15: try tx.set(vdi, VDI.onBoot, flag ? .reset : .persist)
        case 16:
            try tx.set(vdi, VDI.type, .suspend)
            try tx.set(vm, VM.suspendVDI, flag ? vdi : .null)
        default:
            // One that comes and, with the next step of its kind, goes.
            let extra = Ref<VBD>("OpaqueRef:extra")
            if tx.row(extra) == nil {
                tx.insert(VBD.self, ref: extra) { row in
                    row[VBD.vm] = vm
                    row[VBD.vdi] = vdi
                    row[VBD.currentlyAttached] = flag
                }
            } else {
                tx.delete(extra)
            }
        }
    }

    private static func compare(_ database: PoolDatabase, _ when: String) throws {
        database.read { reader in
            var facts = OperationFacts(reader)
            for row in reader.rows(SR.self) {
                #expect(row[SR.allowedOperations] == SROperationRules.allowed(facts.sr(row)), "SR, \(when)")
            }
            for row in reader.rows(VDI.self) {
                #expect(row[VDI.allowedOperations] == VDIOperationRules.allowed(facts.vdi(row)), "VDI, \(when)")
            }
            for row in reader.rows(VM.self) {
                #expect(row[VM.allowedOperations] == VMOperationRules.allowed(facts.vm(row)), "VM, \(when)")
            }
            for row in reader.rows(VBD.self) {
                #expect(row[VBD.allowedOperations] == VBDOperationRules.allowed(facts.vbd(row)), "VBD, \(when)")
            }
        }
    }
}
