import BlockIO
import CoreTypes

extension VHDImage {
    static func check(
        file: any ImageStorage, repair: RepairChoice?, cancellation: CancellationFlag
    ) throws(BlockError) -> CheckReport {
        throw BlockError(.unsupported, "VHD images cannot be checked yet")
    }
}
