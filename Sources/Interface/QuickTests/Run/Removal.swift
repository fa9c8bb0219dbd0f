import APITypes
import XenAPIClient

/// Removing disks of runs.
enum Removal {
    /// How often a disk that is busy is tried, a quarter of a second apart: what a cancelled case began may still end.
    private static let attempts = 40
    private static let passing = ["OTHER_OPERATION_IN_PROGRESS", "VDI_IN_USE", "OPERATION_NOT_ALLOWED"]

    /// Destroys a disk. Returns why it stays; nil when it is gone, whoever did it.
    static func destroy(_ disk: Ref<VDI>, _ session: XenAPISession) async -> String? {
        var reason = ""
        for attempt in 0..<attempts {
            do {
                if attempt > 0 { try await Task.sleep(for: .milliseconds(250)) }
                try await session.vdi.destroy(disk)
                return nil
            } catch let failure as XenAPIFailure where failure.code == "HANDLE_INVALID" {
                return nil
            } catch {
                reason = "\(disk.opaque) stays: \(error)"
                guard let failure = error as? XenAPIFailure, passing.contains(failure.code) else { return reason }
            }
        }
        return reason
    }

    /// Destroys all disks that the mark covers; the endpoint's own list says which there are. Returns how many it
    /// destroyed and why others stay.
    static func sweep(_ mark: RunMark, _ session: XenAPISession) async throws -> (removed: Int, reasons: [String]) {
        var removed = 0
        var reasons: [String] = []
        let disks = try await session.vdi.getAllRecords()
        // Snapshots after the disks that they were made of.
        let ours = disks.filter { mark.covers(name: $0.value.nameLabel, otherConfig: $0.value.otherConfig) }
            .sorted { ($0.value.isASnapshot ? 1 : 0, $0.key.opaque) < ($1.value.isASnapshot ? 1 : 0, $1.key.opaque) }
        for (disk, _) in ours {
            if let reason = await destroy(disk, session) { reasons.append(reason) } else { removed += 1 }
        }
        return (removed, reasons)
    }
}
