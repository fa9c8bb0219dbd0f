import BlockIO
import CoreTypes
import Foundation
import TestSupport
import Testing

@testable import DiskImages

/// What opening an image may cost, touch and believe, whatever the format.
@Suite struct OpeningTests {
    private static let content: [UInt8] = (0..<4096).map { UInt8($0 % 251) + 1 }

    private struct Kind: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var make: @Sendable () throws -> [UInt8]
        var open: @Sendable (StoreInMemory, Bool) throws -> any BlockDevice
    }

    private static let qcow2 = Kind(testDescription: "qcow2") {
        let store = StoreInMemory()
        try QCOW2Image.create(storage: store, size: 1 << 20, clusterBits: 12)
        let image = try QCOW2Image.open(storage: store, readOnly: false)
        try image.createBitmap(name: "b", granularity: 4096)
        try image.store(content, 0)
        try image.createSnapshot(name: "s")
        try image.close()
        return store.bytes
    } open: { store, readOnly in
        try QCOW2Image.open(storage: store, readOnly: readOnly)
    }

    private static func vhd(_ subformat: CreateOptions.VHDSubformat) -> Kind {
        Kind(testDescription: "\(subformat) VHD") {
            let store = StoreInMemory()
            try VHDImage.create(file: store, size: 4 << 20, options: CreateOptions(vhdSubformat: subformat))
            let device = try VHDImage.open(
                file: store, readOnly: false, chain: ChainContext(policy: .standalone))
            try device.store(content, at: 0)
            try device.close()
            return store.bytes
        } open: { store, readOnly in
            try VHDImage.open(file: store, readOnly: readOnly, chain: ChainContext(policy: .standalone))
        }
    }

    private static let vhdx = Kind(testDescription: "VHDX") {
        var builder = VHDXBuilder(size: 3 << 20)
        builder.logID = "0A0B0C0D-0102-0304-0506-0708090A0B0C"
        builder.blocks[0] = VHDXBuilder.Block(state: 6, data: content)
        let page = try builder.store().array(at: VHDXBuilder.tableOffset, count: 4096)
        builder.log = [(0, builder.logEntry(1, tail: 0, [.page(VHDXBuilder.tableOffset, page)], last: 8 << 20))]
        return try builder.store().bytes
    } open: { store, _ in
        try openVHDX(store)
    }

    private static func vmdk(_ place: VMDKBuilder.Directory?) -> Kind {
        Kind(testDescription: place.map { "VMDK stream, \($0)" } ?? "sparse VMDK") {
            var builder = VMDKBuilder(capacity: 2048, grains: [0: content + content])
            builder.grain = 16
            return place.map { builder.stream($0) } ?? builder.sparse()
        } open: { store, _ in
            try VMDKImage.open(storage: store, context: ImportContext(policy: .standalone))
        }
    }

    /// As after a failed disk under the image (CVE-2014-0146): each step of opening gives up by itself.
    @Test(
        "each read of an opening may fail",
        arguments: [
            Self.qcow2, Self.vhd(.dynamic), Self.vhd(.fixed), Self.vhdx, Self.vmdk(nil), Self.vmdk(.footer),
            Self.vmdk(VMDKBuilder.Directory.none), Self.vmdk(.front),
        ], [true, false])
    private func eachReadOfAnOpeningMayFail(_ kind: Kind, _ readOnly: Bool) throws {
        let bytes = try kind.make()
        var failed = 0
        for reads in 0..<1000 {
            let store = StoreInMemory(bytes)
            store.readsLeft = reads
            var device: (any BlockDevice)?
            let found = code { device = try kind.open(store, readOnly) }
            let isUsedUp = store.readsLeft == 0
            store.readsLeft = nil
            if let device {
                let isEqual = try device.bytes(at: 0, count: Self.content.count) == Self.content
                #expect(isEqual, "after \(reads) reads")
                if isUsedUp { continue }
                try device.close()
                break
            }
            failed += 1
            #expect(found == .io, "after \(reads) reads")
            let isUntouched = store.bytes == bytes
            #expect(isUntouched, "after \(reads) reads")
        }
        #expect(failed >= 2 && failed < 1000)
    }

    /// CVE-2024-4467, CVE-2024-32498, CVE-2022-47951: what an image names is neither needed nor opened to describe it.
    @Test("describing an image needs no other file and changes nothing")
    func describingAnImageNeedsNoOtherFile() throws {
        let folder = try ScratchFolder("opening")
        let named = folder.file("named")
        try Data(count: 1 << 20).write(to: URL(fileURLWithPath: named))
        var options = CreateOptions()
        options.parent = .init(name: "named", format: .raw)
        let overlay = folder.file("overlay.qcow2")
        let file = try ImageFile(path: overlay, access: .create)
        try QCOW2Image.create(storage: file, size: 1 << 20, options: options)
        var header = try QCOW2Image.readHeader(file, fileSize: file.size())
        header.backingName = "json:{\"driver\":\"file\",\"filename\":\"named\"}"
        try header.rewrite(on: file)
        file.close()
        let beside = folder.file("beside.qcow2")
        try Tool.check(
            "qemu-img", ["create", "-q", "-f", "qcow2", "-o", "data_file=\(named),data_file_raw=on", beside, "1M"])
        let descriptor = folder.file("text.vmdk")
        let text = """
            # Disk DescriptorFile
            version=1
            CID=12345678
            parentCID=ffffffff
            createType="monolithicFlat"
            RW 2048 FLAT "named" 0

            """
        try Data(text.utf8).write(to: URL(fileURLWithPath: descriptor))
        try FileManager.default.removeItem(atPath: named)
        let paths = [overlay, beside, descriptor]
        let before = try paths.map { try Data(contentsOf: URL(fileURLWithPath: $0)) }
        let info = try DiskImage.info(path: overlay, format: .qcow2)
        #expect(info.virtualSize == 1 << 20 && info.parentName?.hasPrefix("json:") == true)
        #expect(try DiskImage.info(path: beside, format: .qcow2).virtualSize == 1 << 20)
        #expect(try DiskImage.importInfo(path: descriptor, format: .vmdk).virtualSize == 1 << 20)
        let after = try paths.map { try Data(contentsOf: URL(fileURLWithPath: $0)) }
        #expect(before == after)
        #expect(try folder.contents().sorted() == ["beside.qcow2", "overlay.qcow2", "text.vmdk"])
        // Nor does it read the tables, however large the disk claims to be.
        let store = StoreInMemory()
        try QCOW2Image.create(storage: store, size: 1 << 40, options: CreateOptions())
        let reads = store.readCount
        _ = try QCOW2Image.info(storage: store)
        #expect(store.readCount - reads <= 4)
    }

    /// CVE-2010-2237 and its kin: a format that is not stored is not found by looking.
    @Test("the format of a parent is never guessed")
    func theFormatOfAParentIsNeverGuessed() throws {
        let folder = try ScratchFolder("opening")
        try Tool.check("qemu-img", ["create", "-q", "-f", "qcow2", folder.file("base"), "1M"])
        var options = CreateOptions()
        options.parent = .init(name: "base", format: .qcow2)
        let path = folder.file("top")
        let file = try ImageFile(path: path, access: .create)
        try QCOW2Image.create(storage: file, size: 1 << 20, options: options)
        var header = try QCOW2Image.readHeader(file, fileSize: file.size())
        header.extensions.backingFormat = nil
        try header.rewrite(on: file)
        file.close()
        func open(_ parents: OpenPolicy.Parents) throws -> any BlockDevice {
            try DiskImage.open(path: path, format: .qcow2, readOnly: true, policy: OpenPolicy(parents: parents))
        }
        #expect(code { _ = try open(.refused) } == .denied)
        #expect(code { _ = try open(.within(folder: folder.path)) } == .denied)
        let base = ImageReference(path: folder.file("base"), format: .qcow2)
        try open(.given([base])).close()
    }

    @Test("block sizes of a VHD that cannot be are refused (case 2.3)")
    func blockSizesThatCannotBeAreRefused() throws {
        let store = StoreInMemory()
        try VHDImage.make(file: store, size: 64 << 10, blockSize: 4096)
        for size in [0, 1, 256, 511, 3 << 10, 3 << 20, 4 << 20, 1 << 31, .max] as [UInt32] {
            var header = try store.array(at: 512, count: VHDHeader.size)
            header.replaceBigEndian(at: 32, with: size)
            header.replaceBigEndian(at: 36, with: VHDFooter.checksum(header, field: 36))
            try store.store(header, at: 512)
            for readOnly in [true, false] {
                let found = code {
                    _ = try VHDImage.open(
                        file: store, readOnly: readOnly, chain: ChainContext(policy: .standalone))
                }
                #expect(found == .unsupported, "\(size)")
            }
        }
    }

    /// Each at its limit, one above, and at the most a field can say (CVE-2014-0143 to 0145).
    @Test("counts of a qcow2 header end at their limits (case 3.10)")
    func countsOfAHeaderEndAtTheirLimits() throws {
        let sample = StoreInMemory()
        try QCOW2Image.create(storage: sample, size: 1 << 20, clusterBits: 12)
        let image = try QCOW2Image.open(storage: sample, readOnly: false)
        try image.createSnapshot(name: "s")
        try image.close()
        let header = try QCOW2Image.readHeader(sample, fileSize: sample.size())
        let entry = header.snapshotsOffset
        // Where, the largest value that the limit allows; it is still more than the file has.
        let fields: [(String, UInt64, UInt32, [BlockError.Code])] = [
            ("L1 entries", 36, 4 << 20, [.invalidImage]),
            ("refcount table clusters", 56, 2048, [.invalidImage]),
            ("snapshots", 60, 65536, [.corrupt, .invalidImage]),
            ("length of the backing name", 16, 1023, []),
            ("L1 entries of a snapshot", entry + 8, 4 << 20, [.corrupt]),
            ("extra data of a snapshot", entry + 36, 1024, [.corrupt]),
        ]
        for (name, offset, limit, expected) in fields {
            for value in [limit, limit + 1, 1 << 31, .max] {
                let store = StoreInMemory(sample.bytes)
                var bytes: [UInt8] = []
                bytes.appendBigEndian(value)
                try store.store(bytes, at: offset)
                // A backing name counts only where there is one.
                if offset == 16 { try store.store([0, 0, 0, 0, 0, 0, 2, 0], at: 8) }
                let found = code {
                    let image = try QCOW2Image.open(
                        storage: store, readOnly: false, chain: ChainContext(policy: .init(parents: .ignored)))
                    defer { try? image.close() }
                    _ = try image.snapshots()
                    _ = try image.openSnapshot("s")
                }
                if value == limit, expected.isEmpty {
                    #expect(found == nil, "\(name) \(value)")
                } else if value == limit {
                    #expect(found.map { expected.contains($0) || $0 == .notFound } == true, "\(name) \(value)")
                } else {
                    let refusals: [BlockError.Code] = [.limitExceeded, .invalidImage, .corrupt]
                    #expect(found.map { refusals.contains($0) } == true, "\(name) \(value)")
                }
            }
        }
    }
}
