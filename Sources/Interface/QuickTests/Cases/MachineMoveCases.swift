import APITypes
import XenAPIClient

/// Moves of a halted VM with its disk, one for each direction between repositories and formats.
enum MachineMoveCases {
    static func move(along path: MigrationPath) -> QuickCase {
        QuickCase(
            name: "\(CasePlan.machineMoveCase) [\(path)]",
            needs: Need.move(along: path)
        ) { try await move($0, path) }
    }

    /// The VM is the same and has its disk, with its content, at the destination, and no longer at the source.
    private static func move(_ bench: DiskBench, _ path: MigrationPath) async throws {
        let session = bench.session
        let destination = Ref<SR>(path.destination.repository.ref)
        let disk = try await bench.makeDisk(at: path.source)
        try await bench.write(bench.pattern(1), to: disk)
        let size = try await bench.size(of: disk)
        let vm = try await bench.makeMachine()
        let drive = try await session.vbd.create(
            VBDCreation(vm: vm, vdi: disk, userdevice: "0", mode: .rw, type: .disk, qosAlgorithmType: ""))
        let formats = path.destination.format.map { [disk: $0] } ?? [:]
        let token = try await token(session, seeing: [Ref(path.source.repository.ref), destination])
        let moved = try await ending(token, of: session) {
            let task = try await session.vm.asyncMigrateSend(
                vm, dest: token, live: false, vdiMap: [disk: destination], vifMap: [:], options: [:],
                vdiFormatMap: formats)
            return try await task.value
        }
        try Mismatch.unless(moved == vm, "the VM is another one after a move within its pool: \(moved.opaque)")
        let now = try await session.vbd.get(\.vdi, of: drive)
        if now == disk, path.source.repository.ref == path.destination.repository.ref {
            throw Skip("the endpoint leaves disks whose repository stays as they are")
        }
        let record = try await session.vdi.getRecord(try await bench.adopt(now))
        try Mismatch.unless(record.sr == destination, "the disk of the moved VM is in \(record.sr.opaque)")
        try Mismatch.unless(
            record.virtualSize >= Int64(size), "the moved disk has \(record.virtualSize) bytes instead of \(size)")
        try DiskCases.checkFormat(record, path.destination)
        let state = try await session.vm.get(\.powerState, of: vm)
        try Mismatch.unless(state == .halted, "the moved VM is \(state)")
        try await bench.expect(bench.pattern(1), on: now, "the disk of the moved VM")
        guard now != disk else { return }
        do {
            _ = try await session.vdi.getRecord(disk)
        } catch let failure as XenAPIFailure where failure.code == "HANDLE_INVALID" {
            return
        }
        throw Mismatch("the disk is still at the source, too")
    }

    /// Runs `move` and ends the session of its token at the server `there`. It is the move's while that may go on, and nobody's
    /// afterwards.
    static func ending<Value>(
        _ token: [String: String], of there: XenAPISession, _ move: () async throws -> Value
    ) async throws -> Value {
        func end() async { if let ref = token["session_id"] { await there.endSession(ref) } }
        do {
            let value = try await move()
            await end()
            return value
        } catch {
            if !(error is ConnectionError) { await end() }
            throw error
        }
    }

    /// What a host that sees all the repositories answers to `host.migrate_receive`, over its management interface where it has one.
    static func token(
        _ session: XenAPISession, seeing repositories: Set<Ref<SR>>
    ) async throws -> [String: String] {
        let plugged = try await session.pbd.getAllRecords().values.filter(\.currentlyAttached)
        let hosts = try await session.host.getAll().sorted { $0.opaque < $1.opaque }
        let host = hosts.first { host in
            repositories.isSubset(of: plugged.filter { $0.host == host }.map(\.sr))
        }
        guard let host else { throw Skip("no host of the endpoint sees all the repositories") }
        let interfaces = try await session.pif.getAllRecords().sorted { $0.key.opaque < $1.key.opaque }
            .map(\.value).filter { $0.host == host && !$0.ip.isEmpty }
        guard let interface = interfaces.first(where: \.management) ?? interfaces.first else {
            throw Skip("no network interface of the host has an address that a VM could be received at")
        }
        return try await session.host.migrateReceive(host, network: interface.network, options: [:])
    }
}
