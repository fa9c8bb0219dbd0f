import BlockIO
import CoreTypes
import Foundation
import TestSupport
import Testing

@testable import DiskImages

/// qcow2 images over others (cases 4.3, 4.4, 4.21, 4.22), and with their data in another file (4.17).
@Suite struct QCOW2ChainTests {
    private func qemuIO(_ path: String, _ commands: [String]) throws {
        try Tool.check("qemu-io", ["-f", "qcow2", "-d", "unmap"] + commands.flatMap { ["-c", $0] } + [path])
    }

    private func create(
        _ folder: ScratchFolder, _ name: String, _ size: UInt64, over parent: (String, ImageFormat)?,
        clusterSize: UInt64 = 65536, version: UInt32 = 3, policy: OpenPolicy = .standalone
    ) throws -> any BlockDevice {
        var options = CreateOptions(clusterSize: clusterSize)
        options.parent = parent.map { .init(name: $0.0, format: $0.1) }
        options.qcow2Version = version
        return try DiskImage.create(
            path: folder.file(name), format: .qcow2, size: size, options: options, policy: policy)
    }

    /// Case 4.22: 2 MiB over 4 KiB over VHD over nothing but what each wrote.
    @Test("chains of many formats and cluster sizes read through and tell the depth (case 4.22)")
    func chainsOfManyFormatsAndClusterSizesReadThroughAndTellTheDepth() throws {
        let folder = try ScratchFolder("qcow2-mixed")
        let size: UInt64 = 8 << 20
        let vhd = try DiskImage.create(path: folder.file("base.vhd"), format: .vhd, size: size)
        try vhd.store([UInt8](repeating: 1, count: 3 << 20), at: 0)
        try vhd.close()
        let middle = try create(folder, "middle.qcow2", size, over: ("base.vhd", .vhd), clusterSize: 4096)
        try middle.store([UInt8](repeating: 2, count: 10_000), at: 1 << 20)
        try middle.close()
        let top = try create(
            folder, "top.qcow2", size, over: ("middle.qcow2", .qcow2), clusterSize: 2 << 20,
            policy: OpenPolicy(parents: .within(folder: folder.path)))
        try top.store([3], at: 7 << 20)
        #expect(try top.bytes(at: (1 << 20) - 1, count: 3) == [1, 2, 2])
        #expect(try top.bytes(at: (1 << 20) + 9999, count: 2) == [2, 1])
        #expect(try top.bytes(at: (7 << 20) - 1, count: 3) == [0, 3, 0])
        #expect(try top.extents(at: 0, length: size).map(\.depth).sorted().last == 2)
        #expect(try top.extents(at: 0, length: size).first { $0.depth == 1 }?.offset == 1 << 20)
        try top.close()
        let ignored = try DiskImage.open(
            path: folder.file("top.qcow2"), format: .qcow2, readOnly: true, policy: OpenPolicy(parents: .ignored))
        #expect(try ignored.bytes(at: 0, count: 4) == [0, 0, 0, 0])
        try ignored.close()
        let refused = code { _ = try DiskImage.open(path: folder.file("top.qcow2"), format: .qcow2, readOnly: true) }
        #expect(refused == .denied)
    }

    /// Cases 4.1, 4.3 and 4.4: what the parent holds never comes back.
    @Test(
        "zeroes and discards hide the parent for good (cases 4.1, 4.3, 4.4)",
        arguments: [2, 3] as [UInt32], [512, 65536] as [UInt64])
    func zeroesAndDiscardsHideTheParentForGood(_ version: UInt32, _ clusterSize: UInt64) throws {
        let folder = try ScratchFolder("qcow2-hide")
        try Data(repeating: 9, count: 100_000).write(to: URL(fileURLWithPath: folder.file("base.raw")))
        let size: UInt64 = 400_384
        let image = try create(
            folder, "top.qcow2", size, over: ("base.raw", .raw), clusterSize: clusterSize, version: version)
        // The end of the parent lies inside a cluster of 64 KiB.
        try image.store([1], at: 99_000)
        #expect(try image.bytes(at: 99_999, count: 2) == [9, 0])
        try image.store([2, 2], at: 120_000)
        #expect(try image.bytes(at: 99_999, count: 2) == [9, 0])
        try image.writeZeroes(at: 10, length: 70_000, mayUnmap: true)
        try image.writeZeroes(at: 300_000, length: 100_384, mayUnmap: false)
        try image.store([UInt8](repeating: 3, count: 4096), at: 8192)
        try image.discard(at: 8192, length: 4096)
        let discarded = try image.bytes(at: 8192, count: 4096)
        #expect(discarded.allSatisfy { $0 == 0 } || discarded.allSatisfy { $0 == 3 })
        #expect(try image.bytes(at: 9, count: 2) == [9, 0])
        #expect(try image.bytes(at: 70_009, count: 2) == [0, 9])
        try image.close()
        try qemuCheck(folder.file("top.qcow2"))
        try qemuIO(
            folder.file("top.qcow2"),
            [
                "read -P 9 0 10", "read -P 0 10 8182", "read -P 0 12288 57722", "read -P 9 70010 28990",
                "read -P 0 100000 20000", "read -P 2 120000 2", "read -P 0 120002 280382",
            ])
    }

    /// Case 4.21.
    @Test("chains that are too long or come back are refused (case 4.21)")
    func chainsThatAreTooLongOrComeBackAreRefused() throws {
        let folder = try ScratchFolder("qcow2-deep")
        try Data(count: 65536).write(to: URL(fileURLWithPath: folder.file("0")))
        for number in 1...30 {
            var options = CreateOptions()
            options.parent = .init(name: "\(number - 1)", format: number == 1 ? .raw : .qcow2)
            let file = try ImageFile(path: folder.file("\(number)"), access: .create)
            try QCOW2Image.create(storage: file, size: 65536, options: options)
            file.close()
        }
        let within = OpenPolicy(parents: .within(folder: folder.path))
        let deepest = try DiskImage.open(path: folder.file("29"), format: .qcow2, readOnly: false, policy: within)
        #expect(try deepest.bytes(at: 0, count: 1) == [0])
        try deepest.close()
        let found = code {
            _ = try DiskImage.open(path: folder.file("30"), format: .qcow2, readOnly: true, policy: within)
        }
        #expect(found == .limitExceeded)
        // Its own parent, by another name of the same file.
        try FileManager.default.linkItem(atPath: folder.file("30"), toPath: folder.file("again"))
        for name in ["30", "again", "./again", folder.file("30")] {
            var header = try QCOW2Image.readHeader(
                StoreInMemory(Array(Data(contentsOf: URL(fileURLWithPath: folder.file("30"))))), fileSize: 1 << 20)
            header.backingName = name
            let file = try ImageFile(path: folder.file("30"), access: .readWrite)
            try header.rewrite(on: file)
            file.close()
            let found = code {
                _ = try DiskImage.open(path: folder.file("30"), format: .qcow2, readOnly: true, policy: within)
            }
            #expect(found == .corrupt)
        }
        try FileManager.default.removeItem(atPath: folder.file("3"))
        let missing = code {
            _ = try DiskImage.open(path: folder.file("29"), format: .qcow2, readOnly: true, policy: within)
        }
        #expect(missing == .notFound)
    }

    /// What is shown of such a name is the name of another file, which may be there.
    @Test("a name that is not UTF-8 is not followed to another file (case 3.9)")
    func aNameThatIsNotUTF8IsNotFollowedToAnotherFile() throws {
        let folder = try ScratchFolder("qcow2-name")
        let path = folder.file("top")
        let other = folder.file("b\u{FFFD}.raw")
        try Data(repeating: 2, count: 65536).write(to: URL(fileURLWithPath: other))
        try create(folder, "top", 65536, over: ("b_.raw", .raw), policy: OpenPolicy(parents: .ignored)).close()
        let file = try ImageFile(path: path, access: .readWrite)
        let name = try QCOW2Image.readHeader(file, fileSize: file.size()).backingOffset
        try file.write(bytes: [0xE8], at: name + 1)
        file.close()
        var found: BlockError?
        do throws(BlockError) {
            try DiskImage.open(
                path: path, format: .qcow2, readOnly: true, policy: OpenPolicy(parents: .within(folder: folder.path))
            ).close()
        } catch { found = error }
        #expect(found?.code == .denied && found?.message.contains("name the parent explicitly") == true)
        // It is shown, and somebody who names the parent is believed; a header that is written anew keeps the bytes.
        #expect(try DiskImage.info(path: path, format: .qcow2).parentName == "b\u{FFFD}.raw")
        let given = OpenPolicy(parents: .given([ImageReference(path: other, format: .raw)]))
        let device = try DiskImage.open(path: path, format: .qcow2, readOnly: false, policy: given)
        #expect(try device.bytes(at: 0, count: 1) == [2])
        try device.close()
        let again = try ImageFile(path: path, access: .readWrite)
        try QCOW2Image.readHeader(again, fileSize: again.size()).rewrite(on: again)
        let kept = try QCOW2Image.readHeader(again, fileSize: again.size()).nameBytes
        again.close()
        #expect(kept == Array("b".utf8) + [0xE8] + Array(".raw".utf8))
    }

    /// A parent that is broken is no reason to mark its child.
    @Test func aCorruptParentDoesNotMarkTheChild() throws {
        let folder = try ScratchFolder("qcow2-badparent")
        let base = try create(folder, "base.qcow2", 1 << 20, over: nil)
        try base.store([UInt8](repeating: 1, count: 65536), at: 0)
        try base.close()
        let path = folder.file("base.qcow2")
        let file = try ImageFile(path: path, access: .readWrite)
        let header = try QCOW2Image.readHeader(file, fileSize: file.size())
        let table = try file.words(at: header.l1Offset, count: 1)[0] & QCOW2Entry.offsetMask
        try file.store([0x80, 0, 0, 0, 0, 0, 0, 0x10], at: table)
        file.close()
        let top = try create(folder, "top.qcow2", 1 << 20, over: ("base.qcow2", .qcow2))
        #expect(code { try top.store([1], at: 10) } == .io)
        try top.store([UInt8](repeating: 5, count: 65536), at: 0)
        try top.close()
        try qemuCheck(folder.file("top.qcow2"))
    }

    @Test("the data file of qemu is used when the policy names it (case 4.17)", arguments: ["off", "on"])
    func theDataFileOfQemuIsUsedWhenThePolicyNamesIt(_ isRaw: String) throws {
        let folder = try ScratchFolder("qcow2-data")
        let (path, data) = (folder.file("a.qcow2"), folder.file("a.raw"))
        try Tool.check(
            "qemu-img", ["create", "-f", "qcow2", "-o", "data_file=\(data),data_file_raw=\(isRaw)", path, "3M"])
        try qemuIO(path, ["write -P 4 100000 200000", "write -z -u 131072 65536"])
        let refused = code { _ = try DiskImage.open(path: path, format: .qcow2, readOnly: true) }
        #expect(refused == .denied)
        var policy = OpenPolicy(dataFile: folder.file("absent"))
        #expect(
            code { _ = try DiskImage.open(path: path, format: .qcow2, readOnly: true, policy: policy) } == .notFound)
        policy.dataFile = path
        #expect(code { _ = try DiskImage.open(path: path, format: .qcow2, readOnly: true, policy: policy) } != nil)
        policy.dataFile = data
        let image = try DiskImage.open(path: path, format: .qcow2, readOnly: false, policy: policy)
        #expect(try image.bytes(at: 99_999, count: 2) == [0, 4])
        #expect(try image.bytes(at: 131_071, count: 2) == [4, 0])
        try image.store([7, 7, 7], at: 1 << 20)
        try image.writeZeroes(at: 196_608, length: 65536, mayUnmap: true)
        try image.discard(at: 1 << 20, length: 65536)
        try image.store([8], at: (3 << 20) - 1)
        try image.close()
        try qemuCheck(path)
        try qemuIO(
            path,
            ["read -P 4 100000 31072", "read -P 0 131072 131072", "read -P 4 262144 37856", "read -P 8 3145727 1"])
        if isRaw == "on" { try Tool.check("qemu-img", ["compare", "-f", "qcow2", "-F", "raw", path, data]) }
    }

    @Test func aNewImageWithADataFileIsReadByQemu() throws {
        let folder = try ScratchFolder("qcow2-newdata")
        for text in ["data_file_raw=on", "data_file_raw=off", "preallocation=falloc", "extended_l2=on"] {
            let data = folder.file("\(text).raw")
            let path = folder.file("\(text).qcow2")
            let options = try CreateOptions(parsing: "\(text),data_file=\(data)")
            let image = try DiskImage.create(path: path, format: .qcow2, size: 1 << 20, options: options)
            try image.store([UInt8](repeating: 6, count: 70_000), at: 1000)
            try image.close()
            try qemuCheck(path)
            try qemuIO(path, ["read -P 0 0 1000", "read -P 6 1000 70000", "read -P 0 71000 977576"])
            #expect(
                code { _ = try DiskImage.create(path: path + "2", format: .qcow2, size: 512, options: options) }
                    == .exists)
            #expect(!FileManager.default.fileExists(atPath: path + "2"))
        }
    }

    /// Case 4.17: entries of such images that lie.
    @Test("entries beside the data file that lie are refused (case 4.17)")
    func entriesBesideTheDataFileThatLieAreRefused() throws {
        for entry: UInt64 in [1 << 63 | 65536, 1 << 62 | 65536, 131_072, 1 << 63 | 1 << 57] {
            let memory = StoreInMemory()
            var options = CreateOptions()
            options.dataFile = "data"
            try QCOW2Image.create(storage: memory, size: 1 << 20, options: options)
            let data = StoreInMemory([UInt8](repeating: 1, count: 1 << 20))
            var image = try QCOW2Image.open(storage: memory, readOnly: false, data: data)
            try image.store([UInt8](repeating: 2, count: 65536), 0)
            #expect(try image.bytes(0, 2) == [2, 2])
            try image.close()
            let header = try QCOW2Image.readHeader(memory, fileSize: memory.size())
            let table = try memory.words(at: header.l1Offset, count: 1)[0] & QCOW2Entry.offsetMask
            #expect(try memory.words(at: table, count: 1) == [1 << 63])
            var bytes: [UInt8] = []
            bytes.appendBigEndian(entry)
            try memory.store(bytes, at: table)
            image = try QCOW2Image.open(storage: memory, readOnly: false, data: data)
            #expect(code { _ = try image.bytes(0, 1) } == .corrupt)
            #expect(code { try image.store([1], 0) } == .corrupt)
        }
    }
}
