import BlockIO
import CoreTypes
import Foundation
import TestSupport
import Testing

@testable import DiskImages

/// New images with every option, judged by qemu-img.
@Suite struct QCOW2CreateTests {
    static let texts = [
        "compat=0.10", "compat=0.10,cluster_size=512", "compat=0.10,cluster_size=2M,preallocation=metadata",
        "refcount_bits=1,cluster_size=1k", "refcount_bits=64,cluster_size=2M", "lazy_refcounts=on",
        "compression_type=zstd", "extended_l2=on", "extended_l2=on,cluster_size=16k,preallocation=metadata",
        "preallocation=metadata", "preallocation=falloc,cluster_size=4k,refcount_bits=8",
        "preallocation=full,cluster_size=512", "preallocation=full,cluster_size=2M",
        "preallocation=metadata,cluster_size=512,refcount_bits=64",
    ]

    @Test("new images are what was asked for (case 4.2)", arguments: texts)
    func newImagesAreWhatWasAskedFor(_ text: String) throws {
        let folder = try ScratchFolder("qcow2-options")
        let path = folder.file("a.qcow2")
        let size: UInt64 = (3 << 20) + 512
        let options = try CreateOptions(parsing: text)
        let file = try ImageFile(path: path, access: .create)
        try QCOW2Image.create(storage: file, size: size, options: options)
        let allocated = try file.allocatedSize()
        file.close()
        try qemuCheck(path)
        let info = try Tool.check("qemu-img", ["info", "--output=json", path])
        #expect(info.contains("\"virtual-size\": \(size)"))
        #expect(info.contains("\"cluster-size\": \(options.clusterSize)"))
        #expect(info.contains("\"compat\": \"\(options.qcow2Version == 2 ? "0.10" : "1.1")\""))
        if options.qcow2Version == 3 {
            #expect(info.contains("\"refcount-bits\": \(options.refcountBits)"))
            #expect(info.contains("\"compression-type\": \"\(options.compression.rawValue)\""))
            #expect(info.contains("\"lazy-refcounts\": \(options.lazyRefcounts)"))
            #expect(info.contains("\"extended-l2\": \(options.extendedL2)"))
        }
        switch options.preallocation {
        case .off, .metadata: #expect(allocated < size || options.clusterSize > size / 2)
        case .falloc, .full: #expect(allocated >= size)
        }
        let map = try Tool.check("qemu-img", ["map", "--output=json", path])
        #expect(map.contains("\"offset\"") == (options.preallocation != .off), "\(map)")
        try Tool.check("qemu-io", ["-f", "qcow2", "-c", "read -P 0 0 \(size)", path])
        try Tool.check(
            "qemu-io", ["-f", "qcow2", "-c", "write -P 9 1000 100000", "-c", "read -P 0 0 1000", path])
        try qemuCheck(path)
    }

    @Test(arguments: [
        ("compat=0.10,refcount_bits=8", "refcount_bits"), ("compat=0.10,lazy_refcounts=on", "lazy_refcounts"),
        ("compat=0.10,extended_l2=on", "extended_l2"), ("compat=0.10,compression_type=zstd", "compression_type"),
        ("compat=0.10,data_file=x", "data_file"), ("extended_l2=on,cluster_size=8k", "16 KiB"),
        ("data_file_raw=on", "data_file"), ("data_file=x,data_file_raw=on,backing_file=y,backing_fmt=raw", "parent"),
        ("data_file=x,compression_type=zstd", "compress"),
        ("backing_file=x,backing_fmt=raw,preallocation=full", "preallocation"),
        ("backing_file=x,backing_fmt=raw,preallocation=metadata", "preallocation"), ("cluster_size=3000", "power"),
        ("refcount_bits=3", "refcount_bits"), ("backing_file=x", "backing_fmt"),
    ])
    func optionsThatExcludeEachOtherAreRefusedByName(_ text: String, _ word: String) throws {
        let error = #expect(throws: BlockError.self) {
            let options = try CreateOptions(parsing: text)
            try QCOW2Image.create(storage: StoreInMemory(), size: 1 << 20, options: options)
        }
        #expect(error?.code == .unsupported)
        #expect(error?.message.contains(word) == true, "\(error?.message ?? "")")
    }

    @Test func theLimitOfExtendedEntriesIsHalfOfTheOthers() throws {
        let full = FormatCapabilities.largestQCOW2(clusterSize: 16384)
        let half = FormatCapabilities.largestQCOW2(clusterSize: 16384, hasExtendedL2: true)
        #expect(half == full / 2)
        let folder = try ScratchFolder("qcow2-limit")
        let options = try CreateOptions(parsing: "extended_l2=on,cluster_size=16k")
        let found = code {
            _ = try DiskImage.create(path: folder.file("a"), format: .qcow2, size: half + 512, options: options)
        }
        #expect(found == .limitExceeded)
        let store = StoreInMemory()
        try QCOW2Image.create(storage: store, size: half, options: options)
        #expect(try QCOW2Image.readHeader(store, fileSize: store.size()).l1Entries == 1 << 22)
    }
}
