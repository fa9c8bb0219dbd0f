import BlockIO
import CoreTypes
import Foundation
import TestSupport
import Testing

@testable import DiskImages

/// Counting units straight from the tables, beside the same count from the extents of the device.
@Suite struct QCOW2CountingTests {
    struct Shape: CustomTestStringConvertible, Sendable {
        var clusterBits: Int
        var size: UInt64
        var isExtended = false
        var hasBacking = false
        var isExternal = false
        var rounds = 2
        var damages = 3
        var testDescription: String {
            "2^\(clusterBits), \(size) bytes\(isExtended ? ", extended" : "")\(hasBacking ? ", backing" : "")"
                + (isExternal ? ", external data" : "")
        }
        var counts: Bool { !isExtended && !hasBacking && !isExternal }
    }

    @Test(
        "counts what the extents say, holes of the file, compressed clusters and damage included",
        arguments: [
            Shape(clusterBits: 9, size: (2 << 20) + 1536), Shape(clusterBits: 12, size: (24 << 20) + 512),
            Shape(clusterBits: 16, size: (80 << 20) + 5120), Shape(clusterBits: 16, size: 3 << 40, rounds: 1),
            // Each opening looks at tables of 2 MiB.
            Shape(clusterBits: 21, size: (40 << 20) + 512, rounds: 1, damages: 1),
            Shape(clusterBits: 16, size: 20 << 20, isExtended: true, rounds: 1),
            Shape(clusterBits: 16, size: 20 << 20, hasBacking: true, rounds: 1),
            Shape(clusterBits: 16, size: 20 << 20, isExternal: true, rounds: 1),
        ])
    func countsWhatTheExtentsSay(_ shape: Shape) throws {
        var random = SeededRandom.printed("\(#function) \(shape.testDescription)")
        for _ in 0..<shape.rounds {
            let folder = try ScratchFolder("counting")
            let path = folder.file("a.qcow2")
            try make(shape, path, folder, &random)
            try expectSameCounts(shape, path, folder)
            if !shape.counts { continue }
            try punch(path, &random)
            try expectSameCounts(shape, path, folder)
            for _ in 0..<shape.damages {
                try damage(path, &random)
                try expectSameCounts(shape, path, folder)
            }
        }
    }

    private func policy(_ shape: Shape, _ folder: ScratchFolder) -> OpenPolicy {
        OpenPolicy(
            parents: shape.hasBacking ? .within(folder: folder.path) : .refused,
            dataFile: shape.isExternal ? folder.file("data.raw") : nil)
    }

    private func make(_ shape: Shape, _ path: String, _ folder: ScratchFolder, _ random: inout SeededRandom) throws {
        var options = CreateOptions(clusterSize: 1 << UInt64(shape.clusterBits))
        options.extendedL2 = shape.isExtended
        if shape.isExternal { options.dataFile = "data.raw" }
        if shape.hasBacking {
            try DiskImage.create(path: folder.file("b.raw"), format: .raw, size: shape.size).close()
            options.parent = .init(name: "b.raw", format: .raw)
        }
        let image = try DiskImage.create(
            path: path, format: .qcow2, size: shape.size, options: options, policy: policy(shape, folder))
        let cluster = Int(options.clusterSize)
        let clusters = Int(min(shape.size, 96 << 20)) / cluster
        let most = max(1, min(clusters / 8, 40))
        for _ in 0..<24 {
            let first = Int.random(in: 0..<clusters, using: &random)
            let count = min(Int.random(in: 1...most, using: &random), clusters - first, max(1, (1 << 20) / cluster))
            // Some near the end of a large disk.
            let isFar = shape.size > 1 << 30 && Bool.random(using: &random)
            let offset = UInt64(first * cluster) + (isFar ? (shape.size - (96 << 20)) & ~(options.clusterSize - 1) : 0)
            let data = [UInt8](repeating: 7, count: count * cluster)
            switch Int.random(in: 0..<6, using: &random) {
            case 0, 1, 2: try image.store(data, at: offset)
            case 3 where !shape.isExternal:
                guard let target = image as? any CompressingDestination else { break }
                let isFree = try image.extents(at: offset, length: UInt64(data.count)).allSatisfy { $0.kind == .hole }
                if isFree { try unsafe data.withUnsafeBytes { unsafe try target.writeCompressed($0, at: offset) } }
            default:
                try image.writeZeroes(
                    at: offset, length: UInt64(data.count), mayUnmap: Bool.random(using: &random))
            }
        }
        if shape.size % options.clusterSize != 0, Bool.random(using: &random) {
            try image.store([UInt8](repeating: 7, count: 512), at: shape.size - 512)
        }
        try image.close()
    }

    /// Holes in the data, of whole clusters and of parts of them; sometimes the file ends too early as well.
    private func punch(_ path: String, _ random: inout SeededRandom) throws {
        let image = try DiskImage.open(path: path, format: .qcow2, readOnly: true)
        var walk = HostExtentWalk(image)
        var places: [Range<UInt64>] = []
        while let extent = try walk.next() {
            if extent.kind == .data, extent.file == 0 { places.append(extent.host..<extent.host + extent.length) }
        }
        try image.close()
        let file = try ImageFile(path: path, access: .readWrite)
        defer { file.close() }
        for place in places.shuffled(using: &random).prefix(6) {
            let start = UInt64.random(in: place, using: &random) & ~4095
            let length = UInt64.random(in: 1...64, using: &random) * 4096
            if start >= place.lowerBound {
                _ = try file.punch(at: start, length: min(length, place.upperBound - start))
            }
        }
        guard let last = places.map(\.upperBound).max(), try file.size() == last, Bool.random(using: &random) else {
            return
        }
        try file.truncate(to: last - UInt64.random(in: 1..<512, using: &random))
    }

    /// One L2 entry becomes any word, or nearly what it was.
    private func damage(_ path: String, _ random: inout SeededRandom) throws {
        let file = try ImageFile(path: path, access: .readWrite)
        defer { file.close() }
        let header = try QCOW2Image.readHeader(file, fileSize: file.size())
        let l1 = try file.words(at: header.l1Offset, count: Int(header.l1Entries))
        guard let table = l1.filter({ $0 != 0 }).randomElement(using: &random) else { return }
        let entries = header.clusterSize / 8
        let place = (table & QCOW2Entry.offsetMask) + UInt64.random(in: 0..<entries, using: &random) * 8
        let old = try file.words(at: place, count: 1)[0]
        var bytes: [UInt8] = []
        bytes.appendBigEndian(
            Bool.random(using: &random) ? old ^ 1 << UInt64.random(in: 0..<64, using: &random) : random.next())
        try file.store(bytes, at: place)
    }

    private func expectSameCounts(_ shape: Shape, _ path: String, _ folder: ScratchFolder) throws {
        for readOnly in [true, false] {
            guard
                let image = try? DiskImage.open(
                    path: path, format: .qcow2, readOnly: readOnly, policy: policy(shape, folder))
            else { continue }
            defer { try? image.close() }
            let device = try #require(image as? QCOW2Image)
            for unit in [512, 4096, 65536, 2 << 20, 16 << 20] as [UInt64] {
                let counted = try outcome { try device.unitsWithData(unit, CancellationFlag()) }
                if !shape.counts || unit < 1 << UInt64(shape.clusterBits) {
                    #expect(counted == Outcome(units: nil, code: nil))
                    continue
                }
                let listed = try outcome {
                    try DiskImage.unitsByExtents(of: device, unit: unit, CancellationFlag())
                }
                #expect(counted == listed, "units of \(unit), \(readOnly ? "read-only" : "writable")")
            }
        }
    }

    /// The count, or what is wrong with the image.
    private struct Outcome: Equatable {
        var units: UInt64?
        var code: BlockError.Code?
    }

    private func outcome(_ body: () throws -> UInt64?) throws -> Outcome {
        do {
            return Outcome(units: try body(), code: nil)
        } catch let error as BlockError { return Outcome(units: nil, code: error.code) }
    }
}
