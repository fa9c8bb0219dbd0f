import BlockIO
import CoreTypes
import Foundation
import TestSupport
import Testing

@testable import DiskImages

/// Larger overlays with space made ahead: the cluster in which the disk ended shows the backing file in its first part.
@Suite struct QCOW2OverlayGrowthTests {
    /// How long the backing file is beside the overlay's 1000 KiB, which end inside a cluster.
    enum Base: Int, CaseIterable {
        case shorter = 990
        case equal = 1000
        case longer = 1023
        case muchLonger = 2000
    }

    @Test(
        "the backing file shows after growth with preallocation, and only up to the old end (case 4.4)",
        arguments: Base.allCases, [CreateOptions.Preallocation.metadata, .falloc, .full])
    func theBackingFileShowsAfterGrowth(_ base: Base, _ mode: CreateOptions.Preallocation) throws {
        var random = SeededRandom.printed("\(base) \(mode)")
        let folder = try ScratchFolder("overlay-growth")
        let content = random.bytes(base.rawValue << 10).map { $0 | 1 }
        try Data(content).write(to: URL(fileURLWithPath: folder.file("base")))
        for (number, shape) in ["plain", "version 2", "subclusters", "data file", "partly written"].enumerated() {
            var options = CreateOptions()
            options.parent = .init(name: "base", format: .raw)
            if shape == "version 2" { options.qcow2Version = 2 }
            if shape == "subclusters" { options.extendedL2 = true }
            // (QEMU looks for a relative name where it was started.)
            if shape == "data file" { options.dataFile = folder.file("data\(number)") }
            let top = folder.file("top\(number)")
            var expected = Array(content.prefix(1000 << 10))
            expected += [UInt8](repeating: 0, count: 1000 << 10 - expected.count)
            let device = try DiskImage.create(path: top, format: .qcow2, size: 1000 << 10, options: options)
            if shape == "partly written" {
                try device.store([7, 7, 7], 990 << 10)
                expected.replaceSubrange(990 << 10..<(990 << 10) + 3, with: [7, 7, 7])
            }
            try device.close()
            let policy = OpenPolicy(
                parents: .given([ImageReference(path: folder.file("base"), format: .raw)]),
                dataFile: options.dataFile)
            try DiskImage.resize(path: top, format: .qcow2, to: 3 << 20, preallocation: mode, policy: policy)
            expected += [UInt8](repeating: 0, count: 3 << 20 - expected.count)
            let grown = try DiskImage.open(path: top, format: .qcow2, readOnly: true, policy: policy)
            let isRight = try grown.bytes(0, 3 << 20) == expected
            #expect(isRight, "\(shape)")
            // What was made ahead is there: the new part has nothing but stored clusters.
            let later = try grown.extents(at: 1 << 20, length: 2 << 20)
            #expect(later.allSatisfy { $0.kind == .data || $0.kind == .zero }, "\(shape)")
            try grown.close()
            try qemuCheck(top)
        }
    }
}
