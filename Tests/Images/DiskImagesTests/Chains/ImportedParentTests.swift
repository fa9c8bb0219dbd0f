import BlockIO
import CoreTypes
import Foundation
import TestSupport
import Testing

@testable import DiskImages

/// Chains whose last image can only be read.
@Suite struct ImportedParentTests {
    struct Kind: CustomTestStringConvertible, Sendable {
        let format: ImportFormat
        let subformat: String
        var testDescription: String { "\(format.rawValue) \(subformat)" }

        static let all =
            ["monolithicSparse", "streamOptimized", "monolithicFlat", "twoGbMaxExtentSparse"].map {
                Kind(format: .vmdk, subformat: $0)
            } + ["dynamic", "fixed"].map { Kind(format: .vhdx, subformat: $0) }
    }

    private static let size = 5 << 20

    /// A folder with `base.raw`, the parent `base` of it, and the child `child` of QEMU's on that; what the child shows.
    private func chain(_ kind: Kind, child: Int, _ folder: ScratchFolder) throws -> [UInt8] {
        var random = SeededRandom.printed("\(kind)")
        var content = [UInt8](repeating: 0, count: Self.size)
        for _ in 0..<6 {
            let start = Int.random(in: 0..<Self.size - 100_000, using: &random)
            content.replaceSubrange(start..<start + 100_000, with: random.bytes(100_000))
        }
        // Wherever those are, the child shows some of the parent, and the last sectors are no whole cluster.
        content.replaceSubrange(300_000..<400_000, with: random.bytes(100_000))
        content.replaceSubrange(Self.size - 700..<Self.size, with: random.bytes(700))
        try save(folder.file("base.raw"), content)
        let format = kind.format.rawValue
        try Tool.check(
            "qemu-img",
            [
                "convert", "-f", "raw", "-O", format, "-o", "subformat=\(kind.subformat)", folder.file("base.raw"),
                folder.file("base"),
            ])
        let path = folder.file("child")
        try Tool.check(
            "qemu-img", ["create", "-q", "-f", "qcow2", "-b", "base", "-F", format, path, String(child)])
        try Tool.check("qemu-io", ["-f", "qcow2", "-c", "write -P 7 70k 90k", "-c", "write -z 1M 300k", path])
        content += [UInt8](repeating: 0, count: max(0, child - content.count))
        content.removeLast(content.count - child)
        content.replaceSubrange(70 << 10..<160 << 10, with: repeatElement(7, count: 90 << 10))
        content.replaceSubrange(1 << 20..<(1 << 20) + (300 << 10), with: repeatElement(0, count: 300 << 10))
        return content
    }

    private func policies(_ kind: Kind, _ folder: ScratchFolder) throws -> [OpenPolicy] {
        var given = OpenPolicy(parents: .given([]))
        given.foundation = ImportReference(path: folder.file("base"), format: kind.format)
        given.imports.extents = .given(try folder.contents().map { folder.file($0) })
        return [given, OpenPolicy(parents: .within(folder: folder.path))]
    }

    @Test(
        "a qcow2 image is read on a parent that can only be read (case 4.5)", arguments: Kind.all,
        [5 << 20, 7 << 20, 3 << 20])
    func aChildIsReadOnAParentThatCanOnlyBeRead(_ kind: Kind, _ size: Int) throws {
        let folder = try ScratchFolder("imported-parent")
        let content = try chain(kind, child: size, folder)
        let path = folder.file("child")
        #expect(code { try DiskImage.open(path: path, format: .qcow2, readOnly: true).close() } == .denied)
        for policy in try policies(kind, folder) {
            let device = try DiskImage.open(path: path, format: .qcow2, readOnly: true, policy: policy)
            let isEqual = try device.bytes(at: 0, count: size) == content
            #expect(isEqual)
            let extents = try device.extents(at: 0, length: UInt64(size))
            #expect(extents.contains { $0.kind == .data && $0.depth == 1 })
            #expect(extents.last?.end == UInt64(size))
            try device.close()
            let lineage = try DiskImage.lineage(path: path, format: .qcow2, policy: policy)
            #expect(lineage.images == [ImageReference(path: path, format: .qcow2)])
            #expect(lineage.foundation.map(\.format) == [kind.format])
            #expect(lineage.all.count == 2)
        }
    }

    @Test func whatIsNotAllowedIsRefused() throws {
        let kind = Kind.all[0]
        let folder = try ScratchFolder("imported-parent")
        _ = try chain(kind, child: Self.size, folder)
        let path = folder.file("child")
        func open(_ policy: OpenPolicy) -> BlockError.Code? {
            code { try DiskImage.open(path: path, format: .qcow2, readOnly: true, policy: policy).close() }
        }
        // Another format than the image says, too long a chain, too large a disk.
        var policy = try policies(kind, folder)[0]
        policy.foundation = ImportReference(path: folder.file("base"), format: .vhdx)
        #expect(open(policy) == .invalidImage)
        policy = try policies(kind, folder)[1]
        policy.longestChain = 1
        #expect(open(policy) == .limitExceeded)
        policy.longestChain = 2
        #expect(open(policy) == nil)
        policy.largestVirtualSize = 1 << 20
        #expect(open(policy) == .limitExceeded)
        // A VHD cannot say what its parent is.
        var options = CreateOptions()
        options.parent = CreateOptions.Parent(name: "base", format: .imported(.vmdk))
        for format in [ImageFormat.vhd, .raw] {
            let refusal = code {
                try DiskImage.create(
                    path: folder.file("other"), format: format, size: 1 << 20, options: options
                ).close()
            }
            #expect(refusal == .unsupported)
        }
        // And one that stands on something without an identity is not opened on it.
        try save(folder.file("raw"), [UInt8](repeating: 1, count: 1 << 20))
        options.parent = CreateOptions.Parent(name: "raw", format: .raw)
        try DiskImage.create(path: folder.file("v"), format: .vhd, size: 1 << 20, options: options).close()
        var given = OpenPolicy(parents: .given([]))
        given.foundation = ImportReference(path: folder.file("base"), format: .vmdk)
        let refusal = code {
            try DiskImage.open(path: folder.file("v"), format: .vhd, readOnly: true, policy: given).close()
        }
        #expect(refusal == .unsupported)
        #expect(try !folder.contents().contains("other"))
    }

    /// One entry of the child's L1 table covers all of the parent, which says something else of each grain.
    @Test("a parent's map comes in pieces, however much a small image says (case 4.5)")
    func aParentsMapComesInPieces() throws {
        let folder = try ScratchFolder("striped-parent")
        let grains: UInt64 = 40_000
        var builder = VMDKBuilder(capacity: grains * 8, grain: 8)
        builder.zeroed = Set(stride(from: 0, to: grains, by: 2))
        try save(folder.file("base"), builder.sparse())
        var options = CreateOptions()
        options.clusterSize = 2 << 20
        options.parent = CreateOptions.Parent(name: "base", format: .imported(.vmdk))
        let (path, policy) = (folder.file("child"), OpenPolicy(parents: .within(folder: folder.path)))
        try DiskImage.create(
            path: path, format: .qcow2, size: builder.capacity * 512, options: options, policy: policy
        ).close()
        let device = try DiskImage.open(path: path, format: .qcow2, readOnly: true, policy: policy)
        defer { try? device.close() }
        let mapped = try #require(device as? any HostMappedDevice)
        var position: UInt64 = 0
        var found: UInt64 = 0
        while position < device.size {
            var extents: [HostExtent] = []
            try mapped.appendHostExtents(to: &extents, at: position, length: device.size - position)
            #expect(extents.count <= 16384 + 1024 && extents.first?.offset == position)
            found += UInt64(extents.count)
            position = try #require(extents.last).end
        }
        // One that goes on where a call stopped is counted twice.
        #expect((grains..<grains + 4).contains(found))
    }

    /// The parent's format has no writer: nothing is committed to it, and an image goes away from it, or to it.
    @Test(arguments: [Kind.all[0], Kind.all[4]])
    func chainsAreChangedAboveAParentThatCanOnlyBeRead(_ kind: Kind) throws {
        let folder = try ScratchFolder("imported-parent")
        let content = try chain(kind, child: 6 << 20, folder)
        let path = folder.file("child")
        let (policy, format) = (OpenPolicy(parents: .within(folder: folder.path)), ImageFormat.qcow2)
        func shown(_ path: String, _ policy: OpenPolicy) throws -> [UInt8] {
            let device = try DiskImage.open(path: path, format: format, readOnly: true, policy: policy)
            defer { try? device.close() }
            return try device.bytes(at: 0, count: Int(device.size))
        }
        let refusal = #expect(throws: BlockError.self) {
            try DiskImage.commit(path: path, format: format, policy: policy)
        }
        #expect(refusal?.code == .unsupported && refusal?.message.contains("can only be read") == true)
        // A grandchild goes into the child, which stays on its parent.
        var options = CreateOptions()
        options.parent = CreateOptions.Parent(name: "child", format: .qcow2)
        let top = try DiskImage.create(
            path: folder.file("top"), format: format, size: 6 << 20, options: options, policy: policy)
        try top.store([9, 9, 9], at: 4 << 20)
        try top.close()
        try DiskImage.commit(path: folder.file("top"), format: format, policy: policy)
        var changed = content
        changed.replaceSubrange(4 << 20..<(4 << 20) + 3, with: [9, 9, 9])
        #expect(try shown(path, policy) == changed)
        // To another one that can only be read, made of other content, and at last to none.
        try Tool.check(
            "qemu-img", ["create", "-q", "-f", kind.format.rawValue, folder.file("empty"), "8M"])
        let empty = ParentReference(path: folder.file("empty"), format: .imported(kind.format))
        try DiskImage.rebase(path: path, format: format, to: empty, mode: .safe, policy: policy)
        #expect(try shown(path, policy) == changed)
        try Tool.check("qemu-img", ["check", "-q", "-f", "qcow2", path])
        let report = try Tool.check("qemu-img", ["info", "-U", path])
        #expect(report.contains("empty") && report.contains(kind.format.rawValue))
        try DiskImage.rebase(path: path, format: format, to: nil, mode: .safe, policy: policy)
        #expect(try shown(path, .standalone) == changed)
    }
}
