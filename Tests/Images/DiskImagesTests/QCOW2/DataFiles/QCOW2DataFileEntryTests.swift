import BlockIO
import TestSupport
import Testing

@testable import DiskImages

/// Images whose data are in another file, as strangers leave them.
@Suite struct QCOW2DataFileEntryTests {
    /// A cluster of a data file belongs to one place of one disk: an entry that says that it is shared means nothing. A write to
    /// it looked for a cluster to copy to for ever. Found by fuzzing.
    @Test(arguments: [false, true])
    func anEntryThatCallsAClusterOfADataFileSharedIsWrittenInPlace(_ isExtended: Bool) throws {
        let store = StoreInMemory()
        let data = StoreInMemory([UInt8](repeating: 0, count: 1 << 20))
        var options = CreateOptions(clusterSize: 16384)
        options.dataFile = "data"
        options.extendedL2 = isExtended
        try QCOW2Image.create(storage: store, size: 1 << 20, options: options)
        let made = try QCOW2Image.open(storage: store, readOnly: false, data: data)
        try made.store([UInt8](repeating: 1, count: 100_000), 0)
        try made.close()
        let image = try ImageUnderKnife(store.bytes)
        let table = try image.l2(0)
        // The first names byte 0 of the data file, which only that bit tells from nothing.
        for entry in 1..<5 {
            let place = table + UInt64(entry * (isExtended ? 16 : 8))
            try image.set(place, try image.word(place) & ~QCOW2Entry.copied)
        }
        let disk = try QCOW2Image.open(storage: image.store, readOnly: false, data: data)
        try disk.store([2, 2, 2], 20_000)
        try disk.writeZeroes(at: 40_000, length: 1000, mayUnmap: false)
        try disk.close()
        #expect(data.bytes[19_998..<20_005] == [1, 1, 2, 2, 2, 1, 1])
        #expect(data.bytes[40_000..<41_000].allSatisfy { $0 == 0 })
        let again = try QCOW2Image.open(storage: image.store, readOnly: true, data: data)
        #expect(try again.bytes(19_999, 3) == [1, 2, 2])
    }
}
