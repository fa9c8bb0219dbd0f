import BlockIO
import CoreTypes
import TestSupport
import Testing

@testable import DiskImages

/// 4.20: compressed clusters that were written, and not all of which could be entered into the tables.
@Suite struct QCOW2FailedCompressionTests {
    /// The second of two tables cannot be read: what the first names already stays counted.
    @Test("a compressed write that fails half-way frees nothing that a table names (case 4.20)")
    func aCompressedWriteThatFailsHalfWayFreesNothingThatATableNames() throws {
        let made = StoreInMemory()
        let span = 64 * 512
        try QCOW2Image.create(storage: made, size: 1 << 20, clusterBits: 9)
        let first = try QCOW2Image.open(storage: made, readOnly: false)
        // Both tables are there, and the clusters that are to be compressed are not.
        for table in 0..<2 { try first.store([9], table * span + span - 512) }
        try first.close()
        let start = made.bytes
        // Whole tables but for their last clusters.
        let content = (0..<2 * span - 512).map { UInt8(truncatingIfNeeded: $0 / 128) | 1 }
        var reads = 0
        var halves = 0
        while true {
            let store = StoreInMemory(start)
            let image = try QCOW2Image.open(storage: store, readOnly: false)
            store.readsLeft = reads
            let isDone = unsafe content.withUnsafeBytes { bytes in
                code { try unsafe image.writeCompressed(bytes, at: 0) } == nil
            }
            store.readsLeft = nil
            let now = try image.bytes(0, 2 * span)
            if !isDone, now[0] == content[0] { halves += 1 }
            // Free clusters are given away again.
            try image.store([UInt8](repeating: 5, count: 200_000), 500_000)
            let isKept = try image.bytes(0, 2 * span) == now
            #expect(isKept, "\(reads) reads")
            try image.close()
            let report = try ImageUnderKnife(store.bytes).check()
            #expect(report.corruptions == 0, "\(reads) reads: \(report.findings.prefix(2))")
            if isDone { break }
            reads += 1
        }
        #expect(halves > 0)
    }
}
