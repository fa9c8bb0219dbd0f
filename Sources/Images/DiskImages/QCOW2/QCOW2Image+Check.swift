import BlockIO
import CoreTypes

extension QCOW2Image {
    static func check(
        storage: any ImageStorage, repair: RepairChoice?, policy: OpenPolicy, cancellation: CancellationFlag
    ) throws(BlockError) -> CheckReport {
        throw BlockError(.unsupported, "qcow2 images cannot be checked yet; use qemu-img check")
    }
}
