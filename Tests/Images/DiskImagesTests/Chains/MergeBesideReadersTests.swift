import BlockIO
import CoreTypes
import Foundation
import TestSupport
import Testing

@testable import DiskImages

/// A merge of an image into its parent while others have both open: nobody ever sees it.
@Suite struct MergeBesideReadersTests {
    private static let size = 3 << 20

    /// How the images of a chain are made, the topmost last: the one at the bottom, the merged one's parent, the merged one,
    /// and the disk above.
    struct Chain: Sendable, CustomTestStringConvertible {
        var formats: [ImageFormat]
        var clusters: [UInt64]
        var isExtended = false
        var compresses = false

        var testDescription: String { "\(formats) \(clusters) \(isExtended) \(compresses)" }
    }

    static let chains = [
        Chain(formats: [.qcow2, .qcow2, .qcow2, .qcow2], clusters: [65536, 65536, 65536, 65536]),
        Chain(formats: [.qcow2, .qcow2, .qcow2, .qcow2], clusters: [4096, 4096, 65536, 4096], compresses: true),
        Chain(formats: [.raw, .qcow2, .qcow2, .qcow2], clusters: [0, 512, 512, 65536]),
        Chain(formats: [.qcow2, .qcow2, .qcow2, .qcow2], clusters: [65536, 16384, 65536, 512], isExtended: true),
        Chain(formats: [.raw, .qcow2, .qcow2], clusters: [0, 4096, 65536]),
        Chain(formats: [.vhd, .vhd, .vhd, .vhd], clusters: [0, 0, 0, 0]),
        Chain(formats: [.raw, .vhd, .vhd], clusters: [0, 0, 0]),
        Chain(formats: [.raw, .vhd, .vhd, .vhd], clusters: [0, 0, 0, 0]),
    ]

    private struct Disk {
        /// The disk's own image last.
        var images: [ImageReference]
        var model: [UInt8]

        func open(readOnly: Bool) throws -> any BlockDevice {
            var policy = OpenPolicy.standalone
            policy.parents = .given(images.dropLast().reversed())
            let top = images[images.count - 1]
            return try DiskImage.open(path: top.path, format: top.format, readOnly: readOnly, policy: policy)
        }

        mutating func write(_ device: any BlockDevice, pieces: Int, _ random: inout SeededRandom) throws {
            for _ in 0..<pieces {
                let offset = Int.random(in: 0..<model.count / 512, using: &random) * 512
                let count = min(Int.random(in: 1...200, using: &random) * 512, model.count - offset)
                switch Int.random(in: 0..<5, using: &random) {
                case 0:
                    try device.writeZeroes(
                        at: UInt64(offset), length: UInt64(count), mayUnmap: Bool.random(using: &random))
                    for index in offset..<offset + count { model[index] = 0 }
                default:
                    let bytes = random.bytes(count)
                    try device.store(bytes, at: UInt64(offset))
                    model.replaceSubrange(offset..<offset + count, with: bytes)
                }
            }
        }

        func verify(_ device: any BlockDevice, _ range: Range<Int>, _ what: String) throws {
            let isRight = try device.bytes(at: UInt64(range.lowerBound), count: range.count) == Array(model[range])
            #expect(isRight, "\(range) \(what)")
        }
    }

    private func make(_ chain: Chain, in folder: ScratchFolder, _ random: inout SeededRandom) throws -> Disk {
        var disk = Disk(images: [], model: [UInt8](repeating: 0, count: Self.size))
        for (index, format) in chain.formats.enumerated() {
            let path = folder.file("\(index).\(format.rawValue)")
            var options = CreateOptions()
            var policy = OpenPolicy.standalone
            if format == .qcow2 {
                options.clusterSize = chain.clusters[index]
                if chain.isExtended && index == 1 { options.extendedL2 = true }
            }
            if let below = disk.images.last {
                options.parent = CreateOptions.Parent(
                    name: "\(index - 1).\(below.format.rawValue)", format: below.format)
                policy.parents = .given(disk.images.reversed())
            }
            try DiskImage.create(path: path, format: format, size: UInt64(Self.size), options: options, policy: policy)
                .close()
            disk.images.append(ImageReference(path: path, format: format))
            let device = try disk.open(readOnly: false)
            if chain.compresses, index == 1, let image = device as? QCOW2Image {
                let bytes = (0..<256).flatMap { [UInt8](repeating: UInt8($0), count: 4096) }
                for cluster in 0..<128 {
                    // SAFETY: the slice lives for the call.
                    try unsafe bytes[cluster * 4096..<(cluster + 1) * 4096].withUnsafeBytes {
                        try unsafe image.writeCompressed($0, at: UInt64(cluster * 4096))
                    }
                }
                disk.model.replaceSubrange(0..<128 * 4096, with: bytes[..<(128 * 4096)])
            }
            try disk.write(device, pieces: index + 1 == chain.formats.count ? 4 : 14, &random)
            try device.close()
        }
        return disk
    }

    @Test(arguments: chains)
    func nobodySeesAMerge(_ chain: Chain) throws {
        var random = SeededRandom.printed("merge in \(chain.testDescription)")
        let folder = try ScratchFolder("merge")
        var disk = try make(chain, in: folder, &random)
        // What writes to the disk, and what only reads it, for all the time.
        let writer = try disk.open(readOnly: false)
        let count = disk.images.count
        // The last but one goes into the one below it; those that stand on it see it through it.
        let child = disk.images[count - 2]
        let ancestors = Array(disk.images[..<(count - 2)].reversed())
        let merged = try openMerged(disk)
        let shown = try merged.bytes(at: 0, count: Self.size)
        try merged.close()
        var reached: UInt64 = 0
        for round in 0..<3 {
            var steps = 0
            let cancellation = CancellationFlag()
            let last = round < 2 ? Int.random(in: 1...6, using: &random) : Int.max
            var control = MergeControl(
                cancellation: cancellation,
                exclusively: { (step) throws(BlockError) in
                    try step()
                    steps += 1
                    if steps >= last { cancellation.cancel() }
                    do {
                        // Opened long ago, and opened now.
                        try disk.write(writer, pieces: 1, &random)
                        let start = Int.random(in: 0..<Self.size - 70_000, using: &random)
                        try disk.verify(writer, start..<start + 70_000, "step \(steps)")
                        try checkBeside(disk, start..<start + 70_000, shown[start..<start + 70_000], "step \(steps)")
                    } catch {
                        Issue.record("step \(steps): \(error)")
                    }
                }, reached: { (offset) throws(BlockError) in reached = offset })
            control.interval = 1 << 20
            do {
                try DiskImage.merge(child, into: ancestors, from: reached, control)
            } catch {
                try #require(error.code == .cancelled, "\(error)")
            }
            try disk.verify(writer, 0..<Self.size, "round \(round)")
        }
        try writer.close()
        // The parent shows all that the child did: the disk can stand on it.
        try DiskImage.rebase(
            path: disk.images[count - 1].path, format: disk.images[count - 1].format, to: ancestors[0], mode: .unsafe)
        disk.images.remove(at: count - 2)
        let after = try disk.open(readOnly: true)
        try disk.verify(after, 0..<Self.size, "without the merged image")
        try after.close()
        for image in disk.images where image.format != .raw {
            let report = try DiskImage.check(path: image.path, format: image.format)
            #expect(report.corruptions == 0 && report.leaks == 0, "\(image.path): \(report)")
        }
        if disk.images.allSatisfy({ $0.format != .vhd }) {
            let model = folder.file("model")
            try Data(disk.model).write(to: URL(fileURLWithPath: model))
            try Tool.check(
                "qemu-img", ["compare", "-f", "raw", "-F", "qcow2", model, disk.images[disk.images.count - 1].path])
        }
    }

    /// A reader that opens the images between two steps: what the merged image shows at `range` is `content`.
    private func checkBeside(
        _ disk: Disk, _ range: Range<Int>, _ content: ArraySlice<UInt8>, _ what: String
    ) throws {
        let device = try openMerged(disk)
        let isSame = try device.bytes(at: UInt64(range.lowerBound), count: range.count) == Array(content)
        #expect(isSame, "\(range) \(what), opened now")
        try device.close()
    }

    /// The last but one image.
    private func openMerged(_ disk: Disk) throws -> any BlockDevice {
        let below = Array(disk.images.dropLast())
        let top = below[below.count - 1]
        var policy = OpenPolicy.standalone
        policy.parents = .given(below.dropLast().reversed())
        return try DiskImage.open(path: top.path, format: top.format, readOnly: true, policy: policy)
    }

    @Test func whatCouldMisleadReadersIsRefused() throws {
        var random = SeededRandom.printed()
        for chain in [
            Chain(formats: [.qcow2, .qcow2, .qcow2], clusters: [65536, 4096, 4096]),
            Chain(formats: [.qcow2, .qcow2, .qcow2], clusters: [65536, 65536, 4096], isExtended: true),
            Chain(formats: [.vhd, .qcow2, .qcow2], clusters: [0, 65536, 4096]),
        ] {
            let folder = try ScratchFolder("merge")
            let disk = try make(chain, in: folder, &random)
            let control = MergeControl(
                exclusively: { (step) throws(BlockError) in try step() }, reached: { (_) throws(BlockError) in })
            var code: BlockError.Code?
            do throws(BlockError) {
                try DiskImage.merge(disk.images[1], into: [disk.images[0]], control)
            } catch { code = error.code }
            #expect(code == .unsupported)
            let device = try disk.open(readOnly: true)
            try disk.verify(device, 0..<Self.size, "after")
            try device.close()
        }
    }
}
