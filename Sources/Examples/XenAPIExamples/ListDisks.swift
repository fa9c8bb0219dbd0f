public import XenAPIClient

/// A line for every disk: its name, size, format and repository.
public func listDisks(_ session: XenAPISession) async throws -> [String] {
    let repositories = try await session.sr.getAllRecords()
    let disks = try await session.vdi.getAllRecords()
    return disks.values.map { disk in
        let format = disk.smConfig["image-format"] ?? "unknown format"
        let repository = repositories[disk.sr]?.nameLabel ?? "?"
        return "\(disk.nameLabel): \(disk.virtualSize) bytes, \(format), in \(repository)"
    }.sorted()
}
