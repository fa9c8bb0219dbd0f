public import XenAPIClient

/// Makes a disk of `size` bytes and fills it from the image in `file`. Nothing is left of it when that fails.
public func createDisk(
    _ name: String, size: Int64, in repository: Ref<SR>, from file: String, format: DiskFormat, _ session: XenAPISession
) async throws -> Ref<VDI> {
    let disk = try await session.vdi.create(
        VDICreation(
            nameLabel: name, sr: repository, virtualSize: size, type: .user,
            smConfig: ["image-format": format.rawValue]))
    do {
        try await session.importDisk(from: file, format: format, into: disk)
    } catch {
        // By another task: this one may be cancelled, and then its calls are not made.
        await Task { try? await session.vdi.destroy(disk) }.value
        throw error
    }
    return disk
}
