import BlockIO
import CoreTypes
import TestSupport
import Testing

@testable import DiskImages

/// Clusters that were given away and not written, because they read as zeroes anyway: the file reaches into the last of
/// them before an entry that names it is durable.
@Suite struct QCOW2UnwrittenEndTests {
    /// So many tables that some are flushed before the growth is done.
    @Test("a crash in a large growth with metadata leaves leaks at worst (case 4.25)", arguments: [false, true])
    func aCrashInALargeGrowthWithMetadataLeavesLeaksAtWorst(_ isLazy: Bool) throws {
        let store = StoreInMemory()
        var options = CreateOptions(clusterSize: 512)
        options.lazyRefcounts = isLazy
        try QCOW2Image.create(storage: store, size: 64 << 10, options: options)
        let start = store.bytes
        let image = try QCOW2Image.open(storage: store, readOnly: false)
        store.recording = true
        try image.resize(to: 18 << 20, preallocation: .metadata)
        store.recording = false
        #expect(image.tables.capacity / 2 * 64 * 512 < 18 << 20, "there is a flush within the growth")
        let disk = GrowingBytes(start)
        var barriers = 0
        for event in store.events {
            switch event {
            case .write(let offset, let bytes): disk.write(bytes, at: offset)
            case .truncate(let length): disk.resize(length)
            case .sync:
                // The power fails at this moment.
                barriers += 1
                let report = try ImageUnderKnife(disk.array).check()
                // Counts that are kept lazily are anew when the image is opened.
                let bad = report.findings.filter { $0.severity == .corruption && !$0.message.contains("refcount") }
                #expect(bad.isEmpty && (isLazy || report.corruptions == 0), "\(barriers): \(bad.prefix(2))")
            }
        }
        #expect(barriers > 5)
        try image.close()
        #expect(try ImageUnderKnife(store.bytes).check().isClean)
    }
}
