import BlockIO
import CoreTypes
import Foundation
import TestSupport
import Testing

@testable import DiskImages

/// Compressed clusters, both ways with qemu-img (cases 4.6 to 4.12).
@Suite struct QCOW2CompressionTests {
    /// Text, noise, zeroes and repeated noise in turn.
    private func mixture(_ size: Int, _ random: inout SeededRandom) -> GrowingBytes {
        let model = GrowingBytes()
        model.resize(size)
        var at = 0
        while at < size {
            let count = min(size - at, Int.random(in: 1000...90_000, using: &random))
            switch Int.random(in: 0..<4, using: &random) {
            case 0: model.write(random.bytes(count), at: at)
            case 1: break
            case 2:
                let line = Array("\(at): all work and no play makes a dull disk\n".utf8)
                var text: [UInt8] = []
                while text.count < count { text += line }
                model.write(Array(text.prefix(count)), at: at)
            default:
                let noise = random.bytes(min(count, 16384))
                for start in stride(from: 0, to: count, by: noise.count) {
                    model.write(Array(noise.prefix(count - start)), at: at + start)
                }
            }
            at += count
        }
        return model
    }

    private func store(_ image: QCOW2Image, _ bytes: ArraySlice<UInt8>, compressedAt offset: Int) throws {
        try unsafe Array(bytes).withUnsafeBytes { try unsafe image.writeCompressed($0, at: UInt64(offset)) }
    }

    private func compare(_ path: String, _ model: GrowingBytes) throws {
        let raw = path + ".raw"
        try Data(model.array).write(to: URL(fileURLWithPath: raw))
        try Tool.check("qemu-img", ["compare", "-f", "qcow2", "-F", "raw", path, raw])
    }

    @Test(
        "what qemu compresses is read written over and discarded (cases 4.6, 4.10)",
        arguments: ["zlib", "zstd"], ["512", "4k", "64k", "2M"])
    func whatQemuCompressesIsReadWrittenOverAndDiscarded(_ type: String, _ cluster: String) throws {
        var random = SeededRandom.printed("\(#function) \(type) \(cluster)")
        let folder = try ScratchFolder("qcow2-compressed")
        let size = (2 << 20) + 1024
        let model = mixture(size, &random)
        let raw = folder.file("a.raw")
        let path = folder.file("a.qcow2")
        try Data(model.array).write(to: URL(fileURLWithPath: raw))
        try Tool.check(
            "qemu-img",
            [
                "convert", "-c", "-f", "raw", "-O", "qcow2", "-o", "compression_type=\(type),cluster_size=\(cluster)",
                raw, path,
            ])
        let image = try QCOW2Image.open(file: ImageFile(path: path, access: .readWrite), readOnly: false)
        let isRead = try image.bytes(0, size) == model.array
        #expect(isRead)
        for _ in 0..<40 {
            let start = Int.random(in: 0..<size, using: &random)
            let count = min(size - start, Int.random(in: 1...20_000, using: &random))
            let isPart = try image.bytes(start, count) == model.slice(start..<start + count)
            #expect(isPart)
            let data = random.bytes(count)
            switch Int.random(in: 0..<3, using: &random) {
            case 0:
                try image.store(data, start)
                model.write(data, at: start)
            case 1:
                try image.discard(at: UInt64(start), length: UInt64(count))
                model.write(try image.bytes(start, count), at: start)
            default:
                try image.writeZeroes(
                    at: UInt64(start), length: UInt64(count), mayUnmap: Bool.random(using: &random))
                model.write([UInt8](repeating: 0, count: count), at: start)
            }
        }
        let isSame = try image.bytes(0, size) == model.array
        #expect(isSame)
        try image.close()
        try qemuCheck(path)
        try compare(path, model)
    }

    @Test(arguments: [
        "compression_type=zlib", "compression_type=zstd", "refcount_bits=1", "refcount_bits=2,cluster_size=4k",
        "cluster_size=512", "cluster_size=2M", "compat=0.10", "extended_l2=on,compression_type=zstd",
    ])
    func whatThreadsCompressAtOnceIsReadByQemu(_ text: String) throws {
        var random = SeededRandom.printed("\(#function) \(text)")
        let folder = try ScratchFolder("qcow2-compress")
        let path = folder.file("a.qcow2")
        let size = (6 << 20) + 1536
        let model = mixture(size, &random)
        let content = model.array
        let device = try DiskImage.create(
            path: path, format: .qcow2, size: UInt64(size), options: CreateOptions(parsing: text))
        let image = try #require(device as? QCOW2Image)
        let unit = max(Int(image.compressionUnit), 256 << 10)
        let failures = Failures()
        DispatchQueue.concurrentPerform(iterations: 4) { number in
            for start in stride(from: number * unit, to: size, by: 4 * unit) {
                do {
                    try store(image, content[start..<min(size, start + unit)], compressedAt: start)
                    if start % (3 * unit) == 0 { try image.flush() }
                } catch { failures.add(error) }
            }
        }
        #expect(failures.all.isEmpty, "\(failures.all)")
        let isRead = try image.bytes(0, size) == content
        #expect(isRead)
        // Over what is compressed, and over what is not: an ordinary write, never a lost one.
        try store(image, content[(4 << 20)...], compressedAt: 4 << 20)
        try image.store(content[0..<100].reversed(), 0)
        model.write(content[0..<100].reversed(), at: 0)
        try image.close()
        try qemuCheck(path)
        try compare(path, model)
        let report = try DiskImage.check(path: path, format: .qcow2)
        #expect(report.isClean, "\(report.findings)")
        #expect(report.compressedClusters > 0)
    }

    final class Failures: @unchecked Sendable {
        private let lock = Monitor()
        private var errors: [any Error] = []
        var all: [any Error] { lock.locked { errors } }
        func add(_ error: any Error) { lock.locked { errors.append(error) } }
    }

    /// Case 4.8: matches further back than the window that QEMU compresses with.
    @Test("distances beyond four kibibytes are read by qemu (case 4.8)")
    func distancesBeyondFourKibibytesAreReadByQemu() throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("qcow2-window")
        let path = folder.file("a.qcow2")
        let noise = random.bytes(16384)
        let model = GrowingBytes(noise + noise + noise + noise)
        let image = try #require(
            try DiskImage.create(path: path, format: .qcow2, size: 65536) as? QCOW2Image)
        try store(image, model.array[...], compressedAt: 0)
        try image.close()
        let report = try DiskImage.check(path: path, format: .qcow2)
        #expect(report.compressedClusters == 1, "it shrank only because of the distances")
        try qemuCheck(path)
        try compare(path, model)
    }

    @Test func onlyWholeClustersAreCompressed() throws {
        let memory = StoreInMemory()
        try QCOW2Image.create(storage: memory, size: 200_192, clusterBits: 16)
        let image = try QCOW2Image.open(storage: memory, readOnly: false)
        for (offset, count) in [(1, 65536), (0, 65535), (0, 200_000), (131_072, 66_000), (512, 0)] {
            let found = code { try store(image, [UInt8](repeating: 1, count: count)[...], compressedAt: offset) }
            #expect(found == .outOfRange)
        }
        try store(image, [UInt8](repeating: 1, count: 69_120)[...], compressedAt: 131_072)
        #expect(try image.bytes(131_071, 3) == [0, 1, 1])
    }

    /// Cases 4.7 and 4.12: entries that lie about their cluster hurt that cluster only.
    @Test("entries that lie are errors of their cluster only (cases 4.7, 4.12)")
    func entriesThatLieAreErrorsOfTheirClusterOnly() throws {
        let memory = StoreInMemory()
        try QCOW2Image.create(storage: memory, size: 1 << 20, clusterBits: 16)
        var image = try QCOW2Image.open(storage: memory, readOnly: false)
        let text = [UInt8](repeating: 7, count: 60_000) + [UInt8](repeating: 9, count: 5536)
        try store(image, text[...] + text, compressedAt: 0)
        try image.close()
        let header = try QCOW2Image.readHeader(memory, fileSize: memory.size())
        let table = try memory.words(at: header.l1Offset, count: 1)[0] & QCOW2Entry.offsetMask
        let entry = try memory.words(at: table, count: 1)[0]
        let bits: UInt64 = 54
        let host = entry & (1 << bits - 1)
        func mapped(_ entry: UInt64) throws -> [UInt8]? {
            var bytes: [UInt8] = []
            bytes.appendBigEndian(entry)
            try memory.store(bytes, at: table)
            image = try QCOW2Image.open(storage: memory, readOnly: true)
            let isNext = try image.bytes(65536, 65536) == text
            #expect(isNext)
            for _ in 0..<2 {
                do { return try image.bytes(0, 65536) } catch let error as BlockError { #expect(error.code == .io) }
            }
            return nil
        }
        #expect(try mapped(entry) == text)
        #expect(try mapped(QCOW2Entry.compressed | 255 << bits | host) == text, "an estimate may be too large")
        let past = try memory.size() + 65536
        let offsets: [UInt64] = [past, 1 << 54 - 1, 0, table, host + 1, host - 1]
        for bad in offsets {
            let found = try mapped(QCOW2Entry.compressed | bad)
            #expect(found == nil || found == text)
        }
        // A write through the table finds what is not counted, and none of the file changes but for the mark.
        _ = try mapped(QCOW2Entry.compressed | past)
        image = try QCOW2Image.open(storage: memory, readOnly: false)
        #expect(code { try image.store([1], 5) } == .corrupt)
    }

    @Test func damageInBlobsIsSurvived() throws {
        var random = SeededRandom.printed()
        for kind in [ClusterCodec.Kind.deflate, .zstd] {
            let codec = ClusterCodec(kind: kind, clusterBytes: 4096)
            let output = unsafe codec.output(8192).bytes
            let model = mixture(4096, &random).array.map { $0 & 15 }
            let count = unsafe model.withUnsafeBytes { unsafe codec.compress($0, into: output) }
            let good = unsafe Array(UnsafeRawBufferPointer(rebasing: output[..<count]))
            for _ in 0..<2000 {
                var bad = good
                for _ in 0..<Int.random(in: 1...4, using: &random) {
                    bad[Int.random(in: 0..<bad.count, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                }
                if Bool.random(using: &random) { bad.removeLast(Int.random(in: 1...bad.count, using: &random)) }
                _ = decompressed(codec, bad)
            }
            #expect(decompressed(codec, good) == model)
            #expect(decompressed(codec, good + [1, 2, 3]) == model, "trailing garbage")
        }
    }

    private func decompressed(_ codec: ClusterCodec, _ input: [UInt8]) -> [UInt8]? {
        var output = [UInt8](repeating: 0xEE, count: codec.clusterBytes)
        let isGood = unsafe input.withUnsafeBytes { input in
            unsafe output.withUnsafeMutableBytes { unsafe codec.decompress(input, into: $0) }
        }
        return isGood ? output : nil
    }

    /// Case 4.9.
    @Test("frames of zstd are bounded (case 4.9)")
    func framesOfZstdAreBounded() {
        let codec = ClusterCodec(kind: .zstd, clusterBytes: 512)
        let magic: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD]
        func raw(_ content: [UInt8]) -> [UInt8] {
            let header = UInt32(content.count) << 3 | 1
            return [UInt8(header & 255), UInt8(header >> 8 & 255), UInt8(header >> 16)] + content
        }
        func frame(_ content: [UInt8], window: UInt8 = 0) -> [UInt8] { magic + [0, window] + raw(content) }
        let half = [UInt8](repeating: 1, count: 256)
        let skipped: [UInt8] = [0x50, 0x2A, 0x4D, 0x18, 3, 0, 0, 0, 9, 9, 9]
        #expect(decompressed(codec, frame(half + half)) == half + half)
        #expect(decompressed(codec, frame(half) + frame(half)) == half + half, "two frames")
        #expect(decompressed(codec, skipped + frame(half) + skipped + frame(half)) == half + half)
        #expect(decompressed(codec, frame(half + half, window: 13 << 3)) == half + half, "a window of 8 MiB")
        #expect(decompressed(codec, frame(half + half, window: 17 << 3)) == nil, "a window of 128 MiB")
        #expect(decompressed(codec, frame(half + half + [1])) == nil, "more than a cluster")
        #expect(decompressed(codec, frame(half)) == nil, "less than a cluster")
        #expect(decompressed(codec, frame(half) + frame(half + [1])) == nil)
        #expect(decompressed(codec, [UInt8](repeating: 0, count: 600)) == nil)
    }

    @Test("streams of deflate end with the cluster (case 4.9)")
    func streamsOfDeflateEndWithTheCluster() {
        let codec = ClusterCodec(kind: .deflate, clusterBytes: 512)
        func stored(_ count: UInt16, last: Bool) -> [UInt8] {
            [last ? 1 : 0, UInt8(count & 255), UInt8(count >> 8), UInt8(~count & 255), UInt8(~count >> 8)]
                + [UInt8](repeating: 5, count: Int(count))
        }
        let all = [UInt8](repeating: 5, count: 512)
        #expect(decompressed(codec, stored(512, last: true)) == all)
        #expect(decompressed(codec, stored(512, last: true) + [0xFF, 0xFF]) == all)
        #expect(decompressed(codec, stored(512, last: false)) == all, "the end mark is missing, no data are")
        #expect(decompressed(codec, stored(511, last: true)) == nil)
        #expect(decompressed(codec, stored(513, last: true)) == nil)
        #expect(decompressed(codec, stored(512, last: false) + stored(1, last: true)) == nil)
        #expect(decompressed(codec, []) == nil)
    }
}
