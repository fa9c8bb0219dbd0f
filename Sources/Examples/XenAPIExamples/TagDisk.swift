public import XenAPIClient

/// Marks a disk for a department, in a field that every client may write.
public func tagDisk(_ disk: Ref<VDI>, department: String, _ session: XenAPISession) async throws {
    try await session.vdi.add(to: \.tags, of: disk, department)
    try await session.vdi.remove(from: \.otherConfig, of: disk, key: "department")
    try await session.vdi.add(to: \.otherConfig, of: disk, key: "department", value: department)
}
