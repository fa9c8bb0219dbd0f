public import XenAPIClient

/// Moves a disk to another repository and gives it another format, while it is in use or not. Returns the new disk.
public func moveDisk(
    _ disk: Ref<VDI>, to repository: Ref<SR>, format: DiskFormat, _ session: XenAPISession,
    report: (TaskStatus) -> Void
) async throws -> Ref<VDI> {
    let task = try await session.vdi.asyncPoolMigrate(
        disk, sr: repository, options: ["dest-img-format": format.rawValue])
    for try await status in task.progress { report(status) }
    return try await task.value
}
