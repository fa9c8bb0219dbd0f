import Foundation
import TestSupport

/// The minimal Linux guest of the tests: a kernel and an initramfs whose init writes and verifies data for ever.
/// `scripts/make-guest.sh` makes them and `scripts/guest/init` says what the guest does and prints.
public struct GuestFiles: Sendable {
    public enum Work: String, Sendable {
        /// Works on the ext4 file system of the first disk, and checks its `/tree/MANIFEST`.
        case ext4
        /// Works on the bare disk and destroys what it holds.
        case raw
        /// Only says which disks come and go.
        case idle
    }

    public let kernel: String
    public let initrd: String

    /// Where they are: `GANTRY_TEST_SCRATCH/guest`, else `/var/tmp/gantry-test-guest`.
    public static var folder: String {
        let scratch = ProcessInfo.processInfo.environment["GANTRY_TEST_SCRATCH"]
        return scratch.map { $0 + "/guest" } ?? "/var/tmp/gantry-test-guest"
    }

    /// Makes the files, or finds them there.
    public static func make() throws -> GuestFiles {
        try Tool.check("bash", [SourceTree.url("scripts/make-guest.sh").path, folder])
        return GuestFiles(kernel: folder + "/vmlinuz", initrd: folder + "/initrd.img")
    }

    /// The kernel command line for a kind of work. A kernel that finds its own data wrong ends at once. `slots`: how many records the
    /// guest keeps, each overwritten in turn. `twin`: a bare disk as large, which gets the same records.
    public static func arguments(
        _ work: Work, disk: String = "vda", twin: String? = nil, slots: Int = 256
    ) -> String {
        "console=ttyS0 quiet oops=panic gantry.work=\(work.rawValue) gantry.disk=\(disk) gantry.slots=\(slots)"
            + (twin.map { " gantry.twin=\($0)" } ?? "")
    }
}
