import APITypes
import XenAPIClient

/// Moves of disks, one for each direction.
enum MigrationCases {
    static func move(along path: MigrationPath) -> QuickCase {
        QuickCase(
            name: "\(CasePlan.migrationCase) [\(path)]",
            needs: Need.move(along: path)
        ) { try await move($0, path) }
    }

    /// The disk is at the destination with its content and what its owner wrote about it, and no longer at the source.
    private static func move(_ bench: DiskBench, _ path: MigrationPath) async throws {
        let vdi = bench.session.vdi
        let disk = try await bench.makeDisk(at: path.source)
        try await bench.write(bench.pattern(1), to: disk)
        try await vdi.add(to: \.otherConfig, of: disk, key: "quicktest-note", value: "kept")
        let before = try await vdi.getRecord(disk)
        let moved: Ref<VDI>
        do {
            let task = try await vdi.asyncPoolMigrate(
                disk, sr: Ref(path.destination.repository.ref),
                options: path.destination.format.map { ["dest-img-format": $0] } ?? [:])
            moved = try await task.value
        } catch let failure as XenAPIFailure where failure.code == "VDI_NEEDS_VM_FOR_MIGRATE" {
            throw Skip("the endpoint moves disks of running VMs only (\(failure.code))")
        }
        let record = try await vdi.getRecord(try await bench.adopt(moved))
        try Mismatch.unless(
            record.sr.opaque == path.destination.repository.ref, "the moved disk is in \(record.sr.opaque)")
        try Mismatch.unless(
            record.virtualSize >= before.virtualSize,
            "the moved disk has \(record.virtualSize) bytes instead of \(before.virtualSize)")
        try Mismatch.unless(record.otherConfig["quicktest-note"] == "kept", "the moved disk lost its other_config")
        try DiskCases.checkFormat(record, path.destination)
        try await bench.expect(bench.pattern(1), on: moved, "the moved disk")
        guard moved != disk else { return }
        do {
            _ = try await vdi.getRecord(disk)
        } catch let failure as XenAPIFailure where failure.code == "HANDLE_INVALID" {
            return
        }
        throw Mismatch("the disk is still at the source, too")
    }
}
