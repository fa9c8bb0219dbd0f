import BlockCopy
import BlockIO
import CoreTypes
import DiskImages
import TestSupport
import Testing

/// Copies that may share blocks, on file systems that cannot: the first piece has its place before anybody knows that it
/// cannot be shared, and zeroes that are left out of it then must not leave an image that ends too soon.
@Suite struct StoredZeroesCloneTests {
    struct Target: Sendable, CustomStringConvertible {
        var clusterSize: UInt64
        var options = CreateOptions()
        var description: String { "clusters of \(clusterSize) bytes, \(options.lazyRefcounts ? "lazy" : "strict")" }
    }

    static let targets = [(512, false), (4096, false), (65536, false), (65536, true), (2 << 20, false)].map {
        (size: UInt64, isLazy: Bool) in
        var options = CreateOptions(clusterSize: size)
        options.lazyRefcounts = isLazy
        return Target(clusterSize: size, options: options)
    }
    /// Formats of the source: those that tell where in a file their data lies.
    private static let sources: [(format: ImageFormat, options: CreateOptions)] = [
        (.raw, CreateOptions()), (.vhd, CreateOptions(vhdSubformat: .fixed)), (.vhd, CreateOptions()),
        (.qcow2, CreateOptions()), (.qcow2, CreateOptions(clusterSize: 4096)),
    ]
    private static let size = 1 << 20
    /// What the disk holds: nothing but zeroes, all of them stored; a little at its beginning, and just behind the first piece
    /// that could be shared.
    private static let data: [Range<Int>] = [0..<0, 0..<512, 65_536..<66_048]

    @Test("stored zeroes leave an image that is whole (case 6.5)", arguments: targets)
    func zeroesThatAreStoredLeaveAnImageThatIsWhole(_ target: Target) throws {
        let folder = try ScratchFolder("stored-zeroes")
        var number = 0
        for (format, options) in Self.sources {
            for data in Self.data {
                var content = [UInt8](repeating: 0, count: Self.size)
                for index in data { content[index] = 0xA5 }
                number += 1
                let from = folder.file("\(number).source")
                let image = try DiskImage.create(
                    path: from, format: format, size: UInt64(Self.size), options: options)
                try image.store(content, at: 0)
                try image.close()
                let source = try DiskImage.open(path: from, format: format, readOnly: true)
                for zeroes in CopyEngine.StoredZeroes.allCases {
                    let path = folder.file("\(number).\(zeroes.rawValue)")
                    let what = "\(format) with \(data), \(zeroes)"
                    try Self.copy(source, to: path, target, zeroes)
                    let report = try DiskImage.check(path: path, format: .qcow2)
                    #expect(report.isClean, "\(what): \(report.findings.prefix(3))")
                    let copy = try DiskImage.open(path: path, format: .qcow2, readOnly: true)
                    #expect(try copy.bytes(at: 0, count: Self.size) == content, "\(what)")
                    try copy.close()
                    // One program's start for each would cost more than all the rest.
                    if format == .raw, zeroes != .keep { try Tool.check("qemu-img", ["check", "-f", "qcow2", path]) }
                }
                try source.close()
            }
        }
    }

    private static func copy(
        _ source: any BlockDevice, to path: String, _ target: Target, _ zeroes: CopyEngine.StoredZeroes
    ) throws {
        let image = try DiskImage.create(
            path: path, format: .qcow2, size: source.size, options: target.options, isUnpublished: true)
        var options = CopyEngine.Options()
        options.destinationIsZero = true
        options.zeroes = zeroes
        #expect(options.clones, "what happens when nothing else is said")
        try CopyEngine.copy(from: source, to: image, options: options)
        try image.close()
    }
}
