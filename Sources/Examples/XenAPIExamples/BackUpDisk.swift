public import XenAPIClient

/// Writes a disk to a new qcow2 file: only what was ever written to it takes room there.
public func backUpDisk(_ disk: Ref<VDI>, to file: String, _ session: XenAPISession) async throws {
    try await session.exportDisk(disk, format: .qcow2, to: file)
}

/// Copies the content of one disk into another, at another server perhaps, without a file between.
public func copyContent(
    of disk: Ref<VDI>, _ source: XenAPISession, into copy: Ref<VDI>, _ target: XenAPISession
) async throws {
    let size = try await source.vdi.get(\.virtualSize, of: disk)
    try await target.importDisk(bytes: source.contents(of: disk), length: UInt64(size), into: copy)
}
