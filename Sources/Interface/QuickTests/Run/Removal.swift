import APITypes
import XenAPIClient

/// Removing disks and VMs of runs.
enum Removal {
    /// How often a disk that is busy is tried, a quarter of a second apart: what a cancelled case began may still end.
    private static let attempts = 40
    private static let passing = ["OTHER_OPERATION_IN_PROGRESS", "VDI_IN_USE", "OPERATION_NOT_ALLOWED"]

    /// Destroys a disk. Returns why it stays; nil when it is gone, whoever did it.
    static func destroy(_ disk: Ref<VDI>, _ session: XenAPISession) async -> String? {
        await tried(disk.opaque) { try await session.vdi.destroy(disk) }
    }

    /// Destroys a VM of a run, and the disks in its drives that have the name of a run's: those that a call moved and whose answer did
    /// not come have no mark where the endpoint does not copy it.
    static func destroy(_ machine: Ref<VM>, _ session: XenAPISession) async -> String? {
        let drives = (try? await session.vm.get(\.vbds, of: machine)) ?? []
        var disks: [Ref<VDI>] = []
        for drive in drives {
            guard let disk = try? await session.vbd.get(\.vdi, of: drive),
                let name = try? await session.vdi.get(\.nameLabel, of: disk), name == RunMark.name
            else { continue }
            disks.append(disk)
        }
        if let reason = await tried(machine.opaque, { try await session.vm.destroy(machine) }) { return reason }
        for disk in disks {
            if let reason = await destroy(disk, session) { return reason }
        }
        return nil
    }

    private static func tried(_ name: String, _ call: () async throws -> Void) async -> String? {
        var reason = ""
        for attempt in 0..<attempts {
            do {
                if attempt > 0 { try await Task.sleep(for: .milliseconds(250)) }
                try await call()
                return nil
            } catch let failure as XenAPIFailure where failure.code == "HANDLE_INVALID" {
                return nil
            } catch {
                reason = "\(name) stays: \(error)"
                guard let failure = error as? XenAPIFailure, passing.contains(failure.code) else { return reason }
            }
        }
        return reason
    }

    /// Destroys all VMs that the mark covers, and all disks; the endpoint's own lists say which there are. Returns how many disks it
    /// destroyed and why something stays.
    static func sweep(_ mark: RunMark, _ session: XenAPISession) async throws -> (removed: Int, reasons: [String]) {
        var removed = 0
        var reasons: [String] = []
        let machines = try await session.vm.getAllRecords()
            .filter { mark.covers(name: $0.value.nameLabel, otherConfig: $0.value.otherConfig) }
        for machine in machines.keys.sorted(by: { $0.opaque < $1.opaque }) {
            if let reason = await destroy(machine, session) { reasons.append(reason) }
        }
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
