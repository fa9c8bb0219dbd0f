import BlockIO
import CoreTypes
import Foundation
import TestSupport
import Testing

@testable import DiskImages

/// Random operations on images of random shapes against an array of bytes, judged by qemu-img: cluster size, version,
/// refcount width, extended L2, what lies below, preallocation, compression, external data.
@Suite struct QCOW2ShapeTests {
    enum Below: CaseIterable {
        case nothing
        case rawShorter
        case rawLonger
        case qcow2
        case vhd
    }

    @Test("every shape behaves like an array of bytes (case 3.1)", arguments: 0..<20)
    func everyShapeBehavesLikeAnArrayOfBytes(_ number: Int) throws {
        var random = SeededRandom.printed("\(#function) \(number)")
        let folder = try ScratchFolder("qcow2-shape")
        // Every cluster size, refcount width, kind of parent and form of entries is sure to come up.
        var shape = Shape(
            clusterBits: 9 + number % 13, refcountOrder: number % 7, version: number % 10 == 9 ? 2 : 3, &random)
        shape.below = Below.allCases[number % Below.allCases.count]
        if number % 4 == 1 { shape.makeExtended(&random) }
        if number % 6 == 5 { shape.makeExternal(&random) }
        try run(shape, folder, &random)
    }

    struct Shape: CustomStringConvertible {
        var options = CreateOptions()
        var below = Below.nothing
        var size = 0
        var description: String {
            "\(options) over \(below), \(size) bytes"
        }

        init(clusterBits bits: Int, refcountOrder: Int, version: UInt32, _ random: inout SeededRandom) {
            options.clusterSize = 1 << UInt64(bits)
            size = min(12 << bits, 6 << 20) + 512 * Int.random(in: 0..<100, using: &random)
            if bits >= 18 { size = (4 << bits) + 512 * Int.random(in: 0..<100, using: &random) }
            options.qcow2Version = version
            if version == 3 {
                options.refcountBits = 1 << refcountOrder
                options.compression = Bool.random(using: &random) ? .zstd : .zlib
            }
            if Bool.random(using: &random) {
                options.preallocation =
                    CreateOptions.Preallocation.allCases.randomElement(using: &random) ?? .off
            }
        }

        mutating func makeExtended(_ random: inout SeededRandom) {
            options.qcow2Version = 3
            options.extendedL2 = true
            options.clusterSize = max(16384, options.clusterSize)
            if options.preallocation != .off { options.preallocation = .metadata }
            size = max(size, 4 * Int(options.clusterSize) + 512 * Int.random(in: 0..<100, using: &random))
        }

        mutating func makeExternal(_ random: inout SeededRandom) {
            options.qcow2Version = 3
            options.compression = .zlib
            options.dataFile = "data.raw"
            options.dataFileIsRaw = Bool.random(using: &random)
            if options.dataFileIsRaw { below = .nothing }
        }
    }

    /// Makes what lies below, and returns its content.
    private func makeParent(_ shape: Shape, _ folder: ScratchFolder, _ random: inout SeededRandom) throws -> (
        ImageReference, [UInt8]
    )? {
        let raw = folder.file("base.raw")
        let length =
            switch shape.below {
            case .nothing: 0
            case .rawShorter: max(512, shape.size / 2 / 512 * 512 + 512)
            case .rawLonger, .qcow2, .vhd: shape.size + 70_144
            }
        if length == 0 { return nil }
        let content = GrowingBytes()
        content.resize(length)
        for _ in 0..<8 {
            let start = Int.random(in: 0..<length, using: &random)
            let count = min(length - start, Int.random(in: 1...length / 6 + 1, using: &random))
            let seed = random.bytes(min(count, 700))
            var part = seed
            while part.count < count { part += seed.prefix(count - part.count) }
            content.write(part, at: start)
        }
        try Data(content.array).write(to: URL(fileURLWithPath: raw))
        switch shape.below {
        case .nothing, .rawShorter, .rawLonger: return (ImageReference(path: raw, format: .raw), content.array)
        case .qcow2:
            let path = folder.file("base.qcow2")
            try Tool.check(
                "qemu-img",
                ["convert", "-c", "-f", "raw", "-O", "qcow2", "-o", "cluster_size=8k", raw, path])
            return (ImageReference(path: path, format: .qcow2), content.array)
        case .vhd:
            let path = folder.file("base.vhd")
            try Tool.check(
                "qemu-img", ["convert", "-f", "raw", "-O", "vpc", "-o", "subformat=fixed,force_size", raw, path])
            return (ImageReference(path: path, format: .vhd), content.array)
        }
    }

    private func run(_ wanted: Shape, _ folder: ScratchFolder, _ random: inout SeededRandom) throws {
        var shape = wanted
        let parent = try makeParent(shape, folder, &random)
        if let parent {
            let name = parent.0.path.split(separator: "/").last.map(String.init) ?? ""
            shape.options.parent = .init(name: name, format: parent.0.format)
            if shape.options.preallocation != .off && !shape.options.extendedL2 { shape.options.preallocation = .off }
        }
        if shape.options.dataFile != nil { shape.options.dataFile = folder.file("data.raw") }
        print("  \(shape)")
        let model = GrowingBytes()
        model.resize(shape.size)
        if let parent { model.write(Array(parent.1.prefix(shape.size)), at: 0) }

        let store = StoreInMemory()
        try QCOW2Image.create(storage: store, size: UInt64(shape.size), options: shape.options)
        let external = shape.options.dataFile == nil ? nil : StoreInMemory(random.bytes(shape.size / 2))
        // What nothing names may be anything; without a parent, preallocated tables name all of the data file.
        if shape.options.dataFileIsRaw || (parent == nil && shape.options.preallocation != .off) {
            try external?.truncate(to: 0)
        }
        try external?.truncate(to: UInt64(shape.size))
        func open() throws -> QCOW2Image {
            let policy = OpenPolicy(parents: parent.map { .given([$0.0]) } ?? .refused)
            return try QCOW2Image.open(
                storage: store, readOnly: false, chain: ChainContext(policy: policy), data: external)
        }
        var image = try open()
        let cluster = Int(shape.options.clusterSize)
        for _ in 0..<80 {
            let range = random.range(in: shape.size, cluster: cluster)
            switch Int.random(in: 0..<14, using: &random) {
            case 0...3:
                try image.storeRandom(range, model, &random)
            case 4, 5:
                try image.zero(range, model, &random)
            case 6:
                try image.discard(range, model)
            case 7, 8, 9:
                if external != nil { continue }
                let low = range.lowerBound / cluster * cluster
                let high = min(shape.size, (range.upperBound + cluster - 1) / cluster * cluster)
                var content: [UInt8] = []
                while content.count < high - low {
                    // Some clusters shrink, some do not, some are empty.
                    let piece = min(cluster, high - low - content.count)
                    switch Int.random(in: 0..<5, using: &random) {
                    case 0: content += random.bytes(piece)
                    case 1: content += [UInt8](repeating: 0, count: piece)
                    default:
                        let few = random.bytes(max(1, piece / Int.random(in: 2...9, using: &random)))
                        for _ in 0..<piece / few.count { content += few }
                        content += [UInt8](repeating: 3, count: piece % few.count)
                    }
                }
                try unsafe content.withUnsafeBytes { try unsafe image.writeCompressed($0, at: UInt64(low)) }
                model.write(content, at: low)
            case 10: try image.flush()
            case 11:
                if Int.random(in: 0..<3, using: &random) == 0 {
                    try image.close()
                    image = try open()
                }
            default:
                let isEqual = try image.bytes(range.lowerBound, range.count) == model.slice(range)
                #expect(isEqual, "read \(range)")
            }
        }
        let isEqual = try image.bytes(0, shape.size) == model.array
        #expect(isEqual)
        try image.expectTrueExtents(model)
        try image.close()

        let path = folder.file("top.qcow2")
        try store.save(path)
        try external?.save(folder.file("data.raw"))
        try Data(model.array).write(to: URL(fileURLWithPath: folder.file("model.raw")))
        try qemuCheck(path)
        try Tool.check("qemu-img", ["compare", "-f", "qcow2", "-F", "raw", path, folder.file("model.raw")])
        if shape.options.dataFileIsRaw {
            let isRaw = external?.bytes == model.array
            #expect(isRaw, "the raw data file is the disk")
        }
    }
}
