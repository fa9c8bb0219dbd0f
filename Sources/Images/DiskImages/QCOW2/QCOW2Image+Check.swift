internal import BlockIO
internal import CoreTypes

extension QCOW2Image {
    /// Examines an image that nobody else has open and, with `repair`, puts it right. Opens no other file.
    /// - Throws: what opening throws when the header cannot be used at all; `.limitExceeded` for files of more clusters
    ///   than can be checked (2^33); `.cancelled`, after which the image is no worse than before.
    static func check(
        storage: any ImageStorage, repair: RepairChoice?, policy: OpenPolicy, cancellation: CancellationFlag
    ) throws(BlockError) -> CheckReport {
        let checker = try QCOW2Checker(storage: storage, cancellation: cancellation)
        guard checker.header.size & ~511 <= policy.largestVirtualSize else {
            throw BlockError(
                .limitExceeded,
                "the image claims \(checker.header.size) bytes; \(policy.largestVirtualSize) are allowed here")
        }
        try checker.run()
        guard let repair else { return checker.report }
        return try QCOW2Repair(storage: storage, choice: repair, cancellation: cancellation).run(checker)
    }
}
