import BlockIO
import CoreTypes
import Foundation
import TestSupport
import Testing

@testable import DiskImages

/// Parts of numbered cases that no other suite looks at: the data path and chains.
@Suite struct RestOfTheDataPathTests {
    private func store(_ options: CreateOptions = CreateOptions(), size: UInt64 = 1 << 20) throws -> StoreInMemory {
        let store = StoreInMemory()
        try QCOW2Image.create(storage: store, size: size, options: options)
        return store
    }

    /// L2 entry `index` of a small image.
    private func entry(_ store: StoreInMemory, _ index: Int) throws -> UInt64 {
        let knife = try ImageUnderKnife(store.bytes)
        return try knife.word(knife.l2(0) + UInt64(index) * 8)
    }

    @Test("zeroes and discards are the entries that they should be (case 4.1)")
    func zeroesAndDiscardsAreTheEntriesThatTheyShouldBe() throws {
        let store = try store()
        let image = try QCOW2Image.open(storage: store, readOnly: false)
        for cluster in 0..<4 { try image.store([UInt8](repeating: 7, count: 65536), cluster << 16) }
        try image.flush()
        let before = try (0..<5).map { try entry(store, $0) }
        #expect(before[..<4].allSatisfy { $0 >> 62 == 2 && $0 & 1 == 0 } && before[4] == 0)
        try image.writeZeroes(at: 0, length: 65536, mayUnmap: false)
        try image.writeZeroes(at: 1 << 16, length: 65536, mayUnmap: true)
        try image.discard(at: 2 << 16, length: 65536)
        try image.flush()
        let after = try (0..<5).map { try entry(store, $0) }
        #expect(after[0] == before[0] | 1, "zero, and its cluster kept")
        #expect(after[1] == 1 && after[2] <= 1, "\(after)")
        #expect(after[3] == before[3])
        // Written again, the cluster that was kept is used, and the rest of it is zero.
        try image.store([9], 100)
        try image.close()
        #expect(try entry(store, 0) == before[0])
        let again = try QCOW2Image.open(storage: store, readOnly: true)
        #expect(try again.bytes(99, 3) == [0, 9, 0] && again.bytes(65_535, 2) == [0, 0])
    }

    @Test("a preallocated cluster is written where it is (case 4.2)", arguments: 9...21)
    func aPreallocatedClusterIsWrittenWhereItIs(_ bits: Int) throws {
        var options = CreateOptions(clusterSize: 1 << UInt64(bits))
        options.preallocation = .metadata
        let store = try store(options, size: 3 << UInt64(bits))
        let before = try (0..<3).map { try entry(store, $0) }
        let length = try store.size()
        let image = try QCOW2Image.open(storage: store, readOnly: false)
        try image.writeZeroes(at: 0, length: 1 << UInt64(bits), mayUnmap: false)
        try image.store([5], 3)
        try image.store([6], (1 << bits) + 7)
        try image.close()
        #expect(try (0..<3).map { try entry(store, $0) } == before && store.size() == length)
        let again = try QCOW2Image.open(storage: store, readOnly: true)
        #expect(try again.bytes(2, 3) == [0, 5, 0] && again.bytes((1 << bits) + 6, 3) == [0, 6, 0])
        #expect(try again.bytes((1 << bits) - 1, 1) == [0])
    }

    @Test("three blobs in one cluster are counted and given back one by one (case 4.10)")
    func threeBlobsInOneClusterAreCounted() throws {
        let store = try store()
        var image = try QCOW2Image.open(storage: store, readOnly: false)
        let text = (0..<3 << 16).map { UInt8($0 >> 16 + 1) }
        try unsafe text.withUnsafeBytes { try unsafe image.writeCompressed($0, at: 0) }
        try image.close()
        let host = try entry(store, 0) & (1 << 54 - 1) & ~65_535
        func count() throws -> UInt64 {
            let knife = try ImageUnderKnife(store.bytes)
            return try knife.word((knife.block() + host >> 16 * 2) & ~7) >> (48 - 16 * (host >> 16 & 3)) & 0xFFFF
        }
        #expect(try count() == 3)
        for (left, cluster) in [(2, 1), (1, 0)] as [(UInt64, Int)] {
            image = try QCOW2Image.open(storage: store, readOnly: false)
            if cluster == 1 {
                try image.discard(at: 65536, length: 65536)
            } else {
                try image.store([UInt8](repeating: 9, count: 65536), 0)
            }
            try image.close()
            #expect(try count() == left)
            image = try QCOW2Image.open(storage: store, readOnly: true)
            #expect(try image.bytes(2 << 16, 65536) == Array(text[(2 << 16)...]))
            #expect(try image.bytes(0, 1) == [cluster == 1 ? text[0] : 9])
        }
        let report = try ImageUnderKnife(store.bytes).check()
        #expect(report.isClean && report.leaks == 0, "\(report.findings.prefix(3))")
    }

    @Test("a blob above four gibibytes is found again (case 4.12)")
    func aBlobAboveFourGibibytesIsFoundAgain() throws {
        let folder = try ScratchFolder("rest-far")
        let path = folder.file("a.qcow2")
        let (start, more): (UInt64, UInt64) = (4 << 30, 1 << 20)
        var options = CreateOptions()
        options.preallocation = .metadata
        try DiskImage.create(path: path, format: .qcow2, size: start, options: options).close()
        try DiskImage.resize(path: path, format: .qcow2, to: start + more)
        let device = try DiskImage.open(path: path, format: .qcow2, readOnly: false)
        let text = [UInt8](repeating: 3, count: 65536) + [UInt8](repeating: 4, count: 65536)
        let image = try #require(device as? QCOW2Image)
        try unsafe text.withUnsafeBytes { try unsafe image.writeCompressed($0, at: start) }
        try device.close()
        let again = try DiskImage.open(path: path, format: .qcow2, readOnly: true)
        #expect(try again.bytes(at: start, count: text.count) == text)
        try again.close()
        let report = try DiskImage.check(path: path, format: .qcow2)
        #expect(report.isClean && report.compressedClusters == 2 && report.imageEnd > start)
        try Tool.check(
            "qemu-io", ["-r", "-f", "qcow2", "-c", "read -P 3 4G 64k", "-c", "read -P 4 \(start + 65536) 64k", path])
    }

    // MARK: Chains, other files

    @Test("a data file without a name in the image is one that the caller names (case 4.17)")
    func aDataFileWithoutANameIsNamedByTheCaller() throws {
        let folder = try ScratchFolder("rest-data")
        let (path, data) = (folder.file("a"), folder.file("data"))
        var options = CreateOptions()
        options.dataFile = data
        let made = try DiskImage.create(path: path, format: .qcow2, size: 1 << 20, options: options)
        try made.store([6], at: 70_000)
        try made.close()
        let file = try ImageFile(path: path, access: .readWrite)
        var header = try QCOW2Image.readHeader(file, fileSize: file.size())
        header.extensions.dataFile = nil
        try header.rewrite(on: file)
        file.close()
        #expect(code { _ = try DiskImage.open(path: path, format: .qcow2, readOnly: true) } == .denied)
        let named = OpenPolicy(dataFile: data)
        let device = try DiskImage.open(path: path, format: .qcow2, readOnly: true, policy: named)
        #expect(try device.bytes(at: 70_000, count: 1) == [6])
        try device.close()
    }

    @Test("a chain of two hundred images is refused, or read where it is allowed (case 4.21)")
    func aChainOfTwoHundredImages() throws {
        let folder = try ScratchFolder("rest-deep")
        try save(folder.file("0"), [8] + [UInt8](repeating: 0, count: 4095))
        for number in 1...200 {
            var options = CreateOptions(clusterSize: 512)
            options.parent = .init(name: "\(number - 1)", format: number == 1 ? .raw : .qcow2)
            let store = try store(options, size: 4096)
            try store.save(folder.file("\(number)"))
        }
        var policy = OpenPolicy(parents: .within(folder: folder.path))
        func read() throws -> [UInt8] {
            let device = try DiskImage.open(path: folder.file("200"), format: .qcow2, readOnly: true, policy: policy)
            defer { try? device.close() }
            return try device.bytes(at: 0, count: 1)
        }
        #expect(code { _ = try read() } == .limitExceeded)
        policy.longestChain = 201
        #expect(try read() == [8])
    }

    @Test("a commit into what is read-only changes neither (case 4.23)")
    func aCommitIntoWhatIsReadOnlyChangesNeither() throws {
        let folder = try ScratchFolder("rest-commit")
        let mount = try ScratchMount("tmpfs", size: "4m", in: folder)
        let (base, top) = (mount.file("base"), folder.file("top"))
        try save(base, [UInt8](repeating: 1, count: 65536))
        var options = CreateOptions()
        options.parent = .init(name: base, format: .raw)
        let device = try DiskImage.create(path: top, format: .qcow2, size: 65536, options: options)
        try device.store([2], at: 100)
        try device.close()
        try Tool.check("mount", ["-o", "remount,ro", mount.path])
        let before = try Data(contentsOf: URL(fileURLWithPath: top))
        let given = OpenPolicy(parents: .given([ImageReference(path: base, format: .raw)]))
        #expect(code { try DiskImage.commit(path: top, format: .qcow2, policy: given, empties: true) } != nil)
        #expect(try Data(contentsOf: URL(fileURLWithPath: top)) == before)
        #expect(try Data(contentsOf: URL(fileURLWithPath: base)) == Data(repeating: 1, count: 65536))
    }

    @Test("an image in an image is bytes (case 4.26)")
    func anImageInAnImageIsBytes() throws {
        let inner = try store(size: 1 << 20)
        let outer = try store(size: 1 << 20)
        let image = try QCOW2Image.open(storage: outer, readOnly: false)
        try image.store(inner.bytes, 0)
        try image.close()
        let again = try QCOW2Image.open(storage: outer, readOnly: true)
        #expect(try again.bytes(0, inner.bytes.count) == inner.bytes)
        #expect(try again.extents(at: 0, length: 1 << 20).allSatisfy { $0.depth == 0 })
    }
}
