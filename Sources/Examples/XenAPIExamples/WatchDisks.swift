public import XenAPIClient

/// Waits until there is a disk of this name.
public func waitForDisk(named name: String, _ session: XenAPISession) async throws -> Ref<VDI> {
    for try await change in session.changes(of: VDI.self) {
        if let disk = change.record, disk.nameLabel == name { return change.ref }
    }
    throw CancellationError()
}
