import BlockIO
import CoreTypes
import TestSupport
import Testing

@testable import DiskImages

/// Sizes at the boundaries of clusters, integers and formats: section 1 of the test vectors.
@Suite struct BoundaryTests {
    private func options(_ clusterBits: Int) -> CreateOptions { CreateOptions(clusterSize: 1 << UInt64(clusterBits)) }

    @Test("the end of a disk inside its last cluster is read and written (case 1.3)", arguments: 9...21)
    func theEndOfADiskInsideItsLastClusterIsWritten(_ clusterBits: Int) throws {
        let cluster: UInt64 = 1 << UInt64(clusterBits)
        let folder = try ScratchFolder("boundary")
        for (number, size) in [3 * cluster - 512, 3 * cluster + 512].enumerated() {
            let path = folder.file("\(number).qcow2")
            let device = try DiskImage.create(path: path, format: .qcow2, size: size, options: options(clusterBits))
            try device.store([UInt8](repeating: 7, count: 700), at: size - 700)
            #expect(code { try device.store([1], at: size) } == .outOfRange)
            #expect(device.size == size)
            try device.close()
            try qemuCheck(path)
            let words = ["read -P 7 \(size - 700) 700", "read -P 0 0 \(size - 700)"].flatMap { ["-c", $0] }
            try Tool.check("qemu-io", ["-r", "-f", "qcow2"] + words + [path])
            #expect(try DiskImage.info(path: path, format: .qcow2).virtualSize == size)
        }
    }

    /// Sector numbers of more than 31 and 32 bits, and a cluster around 4 GiB.
    @Test("places beyond 32 bits are not cut short (case 1.5)", arguments: [ImageFormat.raw, .qcow2])
    func placesBeyond32BitsAreNotCutShort(_ format: ImageFormat) throws {
        let folder = try ScratchFolder("boundary")
        let (two, four): (UInt64, UInt64) = (2 << 40, 4 << 30)
        for (number, size) in [two - 512, two, two + 512].enumerated() {
            let path = folder.file("\(number)")
            let device = try DiskImage.create(path: path, format: format, size: size)
            // 2³¹ sectors are 1 TiB, 2³² are 2 TiB.
            let places: [UInt64] = [
                four - 65536, four - 3, four + 65536, (1 << 40) - 3, (1 << 40) + 65536, min(two - 3, size - 6),
                size - 6,
            ]
            for (mark, place) in places.enumerated() {
                try device.store([UInt8](repeating: UInt8(mark + 1), count: 6), at: place)
            }
            try device.close()
            let again = try DiskImage.open(path: path, format: format, readOnly: true)
            #expect(again.size == size)
            for (mark, place) in places.enumerated() where mark != 5 || size > two {
                let isEqual = try again.bytes(at: place, count: 6) == [UInt8](repeating: UInt8(mark + 1), count: 6)
                #expect(isEqual, "\(size) bytes, at \(place)")
            }
            var position: UInt64 = 0
            for extent in try again.extents(at: 0, length: size) {
                #expect(extent.offset == position)
                position = extent.end
            }
            #expect(position == size)
            try again.close()
            try Tool.check(
                "qemu-io", ["-r", "-f", format.rawValue, "-c", "read -P 7 \(size - 6) 6", path])
        }
    }

    @Test("16 TiB with one cluster at the very end cost little (case 1.6)")
    func aSparseDiskOf16TiBCostsLittle() throws {
        let store = StoreInMemory()
        let size: UInt64 = 16 << 40
        try QCOW2Image.create(storage: store, size: size, options: CreateOptions())
        let image = try QCOW2Image.open(storage: store, readOnly: false)
        try image.store([1, 2, 3], Int(size) - 3)
        try image.close()
        #expect(try store.size() < 4 << 20)
        let before = store.readCount
        let again = try QCOW2Image.open(storage: store, readOnly: true)
        #expect(try again.bytes(Int(size) - 4, 4) == [0, 1, 2, 3])
        let map = try again.extents(at: 0, length: size)
        #expect(map.count == 2 && map[1].offset == size - 65536)
        #expect(store.readCount - before < 100, "\(store.readCount - before) reads")
        #expect(again.tables.capacity * again.geometry.clusterBytes <= 64 << 20)
        try again.close()
        // Host offsets end at 64 PiB: an entry cannot even say more, and what lies behind the file is told.
        let knife = try ImageUnderKnife(store.bytes)
        let l1 = knife.l1Place(Int(size / (65536 * 8192)) - 1)
        try knife.set(try knife.word(l1) & QCOW2Entry.offsetMask + 8191 * 8, 1 << 63 | ((1 << 56) - 65536))
        #expect(try knife.check().corruptions > 0)
        let far = try QCOW2Image.open(storage: knife.store, readOnly: false)
        #expect(code { try far.store([1], Int(size) - 1) } == .corrupt)
        try? far.close()
    }

    @Test("a size above a format's limit is refused and leaves no file (case 1.7)")
    func aSizeAboveTheLimitLeavesNoFile() throws {
        let folder = try ScratchFolder("boundary")
        var extended = CreateOptions()
        extended.extendedL2 = true
        let limits: [(ImageFormat, CreateOptions, UInt64)] = [
            (.vhd, CreateOptions(), 2040 << 30), (.vhd, CreateOptions(vhdSubformat: .fixed), 2040 << 30),
            (.qcow2, options(9), 128 << 30), (.qcow2, CreateOptions(), 2 << 50), (.qcow2, extended, 1 << 50),
            (.qcow2, options(21), 2 << 60),
        ]
        for (format, options, limit) in limits {
            for size in [limit + 1, limit + 512, .max] {
                let error = #expect(throws: BlockError.self) {
                    _ = try DiskImage.create(path: folder.file("a"), format: format, size: size, options: options)
                }
                #expect(error?.code == .limitExceeded, "\(format) of \(size) bytes: \(error as Any)")
                #expect(try folder.contents() == [])
            }
        }
        // Exactly the limit is made where a file can be so long.
        let device = try DiskImage.create(path: folder.file("a"), format: .qcow2, size: 128 << 30, options: options(9))
        try device.store([9], at: (128 << 30) - 1)
        try device.close()
        try qemuCheck(folder.file("a"))
    }
}
