import BlockIO
import TestSupport
import Testing

@testable import DiskImages

/// 4.17: an external data file that is marked as a raw image by itself.
@Suite struct QCOW2RawDataFileTests {
    /// What the crash machine found (seed 1368245303): zeroes, then data that nobody flushed, then a crash that keeps the
    /// data file and nothing else. The image showed zeroes, and the file alone the data.
    @Test(arguments: [false, true], [true, false])
    func aCrashNeverMakesTheRawDataFileAnotherDiskThanTheImage(discards: Bool, mayUnmap: Bool) throws {
        let size = 1 << 20
        let store = StoreInMemory()
        let data = StoreInMemory([UInt8](repeating: 0, count: size))
        var options = CreateOptions(clusterSize: 8192)
        options.dataFile = "data"
        options.dataFileIsRaw = true
        try QCOW2Image.create(storage: store, size: UInt64(size), options: options)
        let image = try QCOW2Image.open(storage: store, readOnly: false, data: data)
        try image.store([UInt8](repeating: 1, count: 100_000), 30_000)
        if discards {
            try image.discard(at: 32_768, length: 65_536)
        } else {
            try image.writeZeroes(at: 32_768, length: 65_536, mayUnmap: mayUnmap)
        }
        try image.flush()
        #expect(try image.bytes(40_000, 1000).allSatisfy { $0 == 0 } && data.bytes[40_000] == 0)
        let durable = store.bytes
        try image.store([UInt8](repeating: 2, count: 20_000), 45_000)

        let crashed = try QCOW2Image.open(
            storage: StoreInMemory(durable), readOnly: true, data: StoreInMemory(data.bytes, readOnly: true))
        let isSame = try crashed.bytes(0, size) == data.bytes
        #expect(isSame)
        // A smaller disk, too, at any moment.
        store.recording = true
        try image.resize(to: 200 << 10, preallocation: .off)
        for cut in 0...store.events.count {
            var random = SeededRandom(seed: UInt64(cut))
            let bytes = StoreInMemory.crashed(durable, store.events[..<cut], &random)
            let crashed = try QCOW2Image.open(
                storage: StoreInMemory(bytes), readOnly: false, data: StoreInMemory(data.bytes))
            let known = min(Int(crashed.size), data.bytes.count)
            let isSame = try crashed.bytes(0, known) == Array(data.bytes[..<known])
            #expect(isSame, "before event \(cut)")
        }
    }

    /// The same where only some parts of a cluster are stored, as programs leave it that do not map everything at first.
    @Test(arguments: [false, true], [true, false])
    func partsOfAClusterStayStoredBesideARawDataFile(discards: Bool, mayUnmap: Bool) throws {
        let size = 256 << 10
        let store = StoreInMemory()
        let data = StoreInMemory([UInt8](repeating: 0, count: size))
        var options = CreateOptions()
        options.extendedL2 = true
        options.dataFile = "data"
        try QCOW2Image.create(storage: store, size: UInt64(size), options: options)
        var image = try QCOW2Image.open(storage: store, readOnly: false, data: data)
        try image.store([UInt8](repeating: 1, count: 10_000), 4096)
        try image.close()
        // The file is the disk already; now the image says so.
        try store.store([0, 0, 0, 0, 0, 0, 0, UInt8(QCOW2Header.rawExternalData)], at: QCOW2Header.Offset.autoclear)
        image = try QCOW2Image.open(storage: store, readOnly: false, data: data)
        #expect(image.isRawData)
        if discards {
            try image.discard(at: 0, length: 65_536)
        } else {
            try image.writeZeroes(at: 0, length: 65_536, mayUnmap: mayUnmap)
        }
        try image.flush()
        let areZeroes = try image.bytes(0, size).allSatisfy { $0 == 0 } && data.bytes.allSatisfy { $0 == 0 }
        #expect(areZeroes)
        let durable = store.bytes
        // Nobody flushes this before the crash, which keeps the data file only.
        try image.store([UInt8](repeating: 2, count: 8192), 4096)
        let crashed = try QCOW2Image.open(
            storage: StoreInMemory(durable), readOnly: true, data: StoreInMemory(data.bytes, readOnly: true))
        let isSame = try crashed.bytes(0, size) == data.bytes
        #expect(isSame)
    }
}
