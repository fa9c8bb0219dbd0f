import APITypes
import XenAPIClient

/// Moves and copies of a halted VM with its disk to another pool.
enum PoolMoveCases {
    static func move(along path: MigrationPath) -> QuickCase {
        QuickCase(name: "\(CasePlan.machineMoveCase) [\(path)]", needs: Need.move(along: path)) { bench in
            let (vm, disk) = try await carryOut(bench, path, options: [:])
            try await requireGone("the VM") { _ = try await bench.session.vm.getRecord(vm) }
            try await requireGone("the disk") { _ = try await bench.session.vdi.getRecord(disk) }
        }
    }

    /// What was copied is still here, as it was.
    static func copy(along path: MigrationPath) -> QuickCase {
        QuickCase(name: "\(CasePlan.machineMoveCase) copy=true [\(path)]", needs: Need.move(along: path)) { bench in
            let (vm, disk) = try await carryOut(bench, path, options: ["copy": "true"])
            let state = try await bench.session.vm.get(\.powerState, of: vm)
            try Mismatch.unless(state == .halted, "the copied VM is \(state) here")
            try await bench.expect(bench.pattern(1), on: disk, "the disk that was copied")
        }
    }

    /// The VM and its disk, with its content and what its owner wrote about it, are at the other pool when this returns. Returns
    /// what they were here.
    private static func carryOut(
        _ bench: DiskBench, _ path: MigrationPath, options: [String: String]
    ) async throws -> (vm: Ref<VM>, disk: Ref<VDI>) {
        guard let there = bench.other else { throw Skip("no other pool was named (--to)") }
        let session = bench.session
        let destination = Ref<SR>(path.destination.repository.ref)
        let disk = try await bench.makeDisk(at: path.source)
        try await bench.write(bench.pattern(1), to: disk)
        try await session.vdi.add(to: \.otherConfig, of: disk, key: "quicktest-note", value: "kept")
        let size = try await bench.size(of: disk)
        let vm = try await bench.makeMachine()
        _ = try await session.vbd.create(
            VBDCreation(vm: vm, vdi: disk, userdevice: "0", mode: .rw, type: .disk, qosAlgorithmType: ""))
        let uuid = try await session.vm.get(\.uuid, of: vm)
        let formats = path.destination.format.map { [disk: $0] } ?? [:]
        let token = try await MachineMoveCases.token(there.session, seeing: [destination])
        let moved = try await MachineMoveCases.ending(token, of: there.session) {
            let task = try await session.vm.asyncMigrateSend(
                vm, dest: token, live: false, vdiMap: [disk: destination], vifMap: [:], options: options,
                vdiFormatMap: formats)
            return try await task.value
        }
        let now = try await there.adopt(moved)
        let machine = try await there.session.vm.getRecord(moved)
        try Mismatch.unless(machine.powerState == .halted, "the VM is \(machine.powerState) at the other pool")
        try Mismatch.unless(
            (machine.uuid == uuid) == options.isEmpty, "the VM has the uuid \(machine.uuid) there and had \(uuid) here")
        let record = try await there.session.vdi.getRecord(now)
        try Mismatch.unless(record.sr == destination, "the disk is in \(record.sr.opaque) at the other pool")
        try Mismatch.unless(
            record.virtualSize >= Int64(size), "the disk has \(record.virtualSize) bytes there instead of \(size)")
        try Mismatch.unless(record.otherConfig["quicktest-note"] == "kept", "the disk lost its other_config on its way")
        try DiskCases.checkFormat(record, path.destination)
        try await there.expect(bench.pattern(1), on: now, "the disk at the other pool")
        return (vm, disk)
    }

    private static func requireGone(_ what: String, _ call: () async throws -> Void) async throws {
        do {
            try await call()
        } catch let failure as XenAPIFailure where failure.code == "HANDLE_INVALID" {
            return
        }
        throw Mismatch("\(what) is still here, too")
    }
}
