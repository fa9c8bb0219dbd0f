public import XenAPIClient

/// Removes a disk. Answers whether it is gone; a disk that is in use stays.
public func destroyDisk(_ disk: Ref<VDI>, _ session: XenAPISession) async throws -> Bool {
    do {
        try await session.vdi.destroy(disk)
        return true
    } catch let failure as XenAPIFailure {
        switch failure.reason {
        case .noSuchObject: return true
        case .diskInUse, .busy: return false
        default: throw failure
        }
    }
}
