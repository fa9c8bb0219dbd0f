import BlockIO
import CoreTypes
import Foundation
import TestSupport
import Testing

@testable import DiskImages

/// Commit, coalesce and rebase over all formats, against models of every image's content.
@Suite struct ChainOperationsTests {
    /// Images in one folder, each the child of the one before, with what each shows.
    private struct Chain {
        let folder: ScratchFolder
        var references: [ImageReference] = []
        var models: [[UInt8]] = []
        var policy: OpenPolicy { OpenPolicy(parents: .within(folder: folder.path)) }

        func ancestors(_ index: Int) -> [ImageReference] { Array(references[..<index].reversed()) }

        func given(_ index: Int) -> OpenPolicy { OpenPolicy(parents: .given(ancestors(index))) }

        func bytes(_ index: Int) throws -> [UInt8] {
            let device = try DiskImage.open(
                path: references[index].path, format: references[index].format, readOnly: true, policy: given(index))
            defer { try? device.close() }
            return try device.bytes(at: 0, count: Int(device.size))
        }

        mutating func add(
            _ name: String, _ format: ImageFormat, size: Int, clusterSize: UInt64 = 65536, version: UInt32 = 3,
            _ random: inout SeededRandom
        ) throws {
            var options = CreateOptions(clusterSize: clusterSize)
            options.qcow2Version = version
            if let last = references.last {
                options.parent = .init(name: String(last.path.split(separator: "/").last ?? ""), format: last.format)
            }
            let reference = ImageReference(path: folder.file(name), format: format)
            let device = try DiskImage.create(
                path: reference.path, format: format, size: UInt64(size), options: options,
                policy: OpenPolicy(parents: .given(references.reversed())))
            var model = models.last ?? []
            model = Array(model.prefix(size)) + [UInt8](repeating: 0, count: max(0, size - model.count))
            for _ in 0..<14 {
                let start = Int.random(in: 0..<size, using: &random)
                let count = min(size - start, Int.random(in: 1...90_000, using: &random))
                let value = UInt8.random(in: 1...255, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0:
                    try device.writeZeroes(at: UInt64(start), length: UInt64(count), mayUnmap: true)
                    model.replaceSubrange(start..<start + count, with: repeatElement(0, count: count))
                default:
                    try device.store([UInt8](repeating: value, count: count), at: UInt64(start))
                    model.replaceSubrange(start..<start + count, with: repeatElement(value, count: count))
                }
            }
            try device.close()
            references.append(reference)
            models.append(model)
        }
    }

    /// It can hold no other table that names nothing, so nothing is written before that is told.
    @Test func anImageWithAnExternalDataFileIsCommittedWithoutBeingEmptied() throws {
        let folder = try ScratchFolder("commit-data-file")
        let (parent, path) = (folder.file("parent"), folder.file("child"))
        try DiskImage.create(path: parent, format: .raw, size: 1 << 20).close()
        var options = CreateOptions()
        options.parent = .init(name: "parent", format: .raw)
        options.dataFile = "data"
        let child = try DiskImage.create(path: path, format: .qcow2, size: 1 << 20, options: options)
        try child.store([7], at: 70_000)
        try child.close()
        let policy = OpenPolicy(
            parents: .given([ImageReference(path: parent, format: .raw)]), dataFile: folder.file("data"))
        func first() throws -> UInt8 {
            let device = try DiskImage.open(path: parent, format: .raw, readOnly: true)
            defer { try? device.close() }
            return try device.bytes(at: 70_000, count: 1)[0]
        }
        #expect(
            code { try DiskImage.commit(path: path, format: .qcow2, policy: policy, empties: true) } == .unsupported)
        #expect(try first() == 0)
        try DiskImage.commit(path: path, format: .qcow2, policy: policy)
        #expect(try first() == 7)
    }

    /// Between the end of the image that goes and a longer parent's the child has shown zeroes, and goes on to.
    @Test(arguments: [(ImageFormat.qcow2, ImageFormat.qcow2), (.qcow2, .raw), (.vhd, .vhd)])
    func aLongerParentDoesNotShowBehindTheImageThatWentAway(_ format: ImageFormat, _ base: ImageFormat) throws {
        let folder = try ScratchFolder("coalesce-long")
        let images = [(base, 4 << 20), (format, 2 << 20), (format, 2 << 20)].enumerated().map {
            (ImageReference(path: folder.file("\($0.offset)"), format: $0.element.0), $0.element.1)
        }
        for (number, (image, size)) in images.enumerated() {
            var options = CreateOptions()
            if number > 0 { options.parent = .init(name: "\(number - 1)", format: images[number - 1].0.format) }
            let device = try DiskImage.create(
                path: image.path, format: image.format, size: UInt64(size), options: options,
                policy: OpenPolicy(parents: .given(images[..<number].reversed().map(\.0))))
            if number == 0 { try device.store([UInt8](repeating: 7, count: 4 << 20), at: 0) }
            if number == 1 { try device.store([8], at: 1 << 20) }
            try device.close()
        }
        let ancestors = [images[1].0, images[0].0]
        try DiskImage.resize(
            path: images[2].0.path, format: format, to: 3 << 20, policy: OpenPolicy(parents: .given(ancestors)))
        try DiskImage.coalesce(
            path: images[1].0.path, format: format, children: [images[2].0],
            policy: OpenPolicy(parents: .given([images[0].0])))
        let leaf = try DiskImage.open(
            path: images[2].0.path, format: format, readOnly: true,
            policy: OpenPolicy(parents: .given([images[0].0])))
        defer { try? leaf.close() }
        var expected = [UInt8](repeating: 7, count: 2 << 20) + [UInt8](repeating: 0, count: 1 << 20)
        expected[1 << 20] = 8
        let isSame = try leaf.bytes(at: 0, count: 3 << 20) == expected
        #expect(isSame)
    }

    /// 4.22, 4.23: another cluster size, another format, zeroes that hide the parent's data.
    @Test(
        "a commit puts what the child shows into its parent (case 4.23)",
        arguments: [
            [ImageFormat.qcow2, .qcow2], [.raw, .qcow2], [.vhd, .qcow2], [.vhd, .vhd], [.raw, .qcow2, .qcow2],
            [.raw, .vhd, .qcow2], [.vhd, .vhd, .vhd],
        ], [UInt64(4096), 65536])
    func aCommitPutsWhatTheChildShowsIntoItsParent(_ formats: [ImageFormat], _ clusterSize: UInt64) throws {
        var random = SeededRandom.printed("\(#function) \(formats.map(\.rawValue)) \(clusterSize)")
        var chain = Chain(folder: try ScratchFolder("commit"))
        for (number, format) in formats.enumerated() {
            let cluster = number == 0 ? 65536 : clusterSize
            try chain.add("i\(number)", format, size: 1 << 20, clusterSize: cluster, &random)
        }
        let top = chain.references.count - 1
        let image = chain.references[top]
        #expect(
            try DiskImage.chain(path: image.path, format: image.format, policy: chain.given(top))
                == chain.references.reversed())
        for empties in [false, image.format == .qcow2] {
            let progress = ProgressCounter()
            try DiskImage.commit(
                path: image.path, format: image.format, policy: chain.given(top), empties: empties, progress: progress)
            #expect(progress.done == 1 << 20 && progress.total == 1 << 20)
            let isParentEqual = try chain.bytes(top - 1) == chain.models[top]
            let isChildEqual = try chain.bytes(top) == chain.models[top]
            #expect(isParentEqual && isChildEqual)
        }
        for reference in chain.references where reference.format == .qcow2 { try qemuCheck(reference.path) }
        if image.format == .qcow2 {
            let alone = try DiskImage.open(
                path: image.path, format: .qcow2, readOnly: true, policy: OpenPolicy(parents: .ignored))
            #expect(try alone.extents(at: 0, length: 1 << 20).map(\.kind) == [.hole])
            try alone.close()
            #expect(
                code { try DiskImage.commit(path: chain.references[0].path, format: formats[0], policy: .standalone) }
                    == .unsupported)
        }
    }

    /// A snapshot shows of the parent what it does not store: neither the parent's content nor the parent is taken from below it.
    @Test func anImageWithInternalSnapshotsKeepsItsParent() throws {
        var random = SeededRandom.printed()
        var chain = Chain(folder: try ScratchFolder("snapshots-above"))
        for name in ["base", "top"] { try chain.add(name, .qcow2, size: 1 << 20, &random) }
        let (base, top) = (chain.references[0].path, chain.references[1].path)
        try DiskImage.createSnapshot(path: top, format: .qcow2, name: "before")
        let below = try Data(contentsOf: URL(fileURLWithPath: base))
        let refused: [BlockError.Code?] = [
            code { try DiskImage.commit(path: top, format: .qcow2, policy: chain.policy) },
            code { try DiskImage.coalesce(path: top, format: .qcow2, children: [], policy: chain.policy) },
            code { try DiskImage.rebase(path: top, format: .qcow2, to: nil, mode: .safe, policy: chain.policy) },
        ]
        #expect(refused == [.unsupported, .unsupported, .unsupported])
        #expect(try Data(contentsOf: URL(fileURLWithPath: base)) == below && chain.bytes(1) == chain.models[1])
        try DiskImage.deleteSnapshot(path: top, format: .qcow2, "before")
        try DiskImage.commit(path: top, format: .qcow2, policy: chain.policy)
        #expect(try chain.bytes(0) == chain.models[1])
    }

    /// Raw images have no parents, and a VHD can name none that is qcow2: to others it would be a raw disk.
    @Test(arguments: [(ImageFormat.raw, ImageFormat.raw), (.raw, .vhd), (.vhd, .qcow2)])
    func aParentThatCannotBeNamedIsRefused(_ format: ImageFormat, _ parent: ImageFormat) throws {
        var random = SeededRandom.printed()
        var chain = Chain(folder: try ScratchFolder("no-parent"))
        try chain.add("base", parent, size: 1 << 20, &random)
        let path = chain.folder.file("top")
        var options = CreateOptions()
        options.parent = CreateOptions.Parent(name: "base", format: parent)
        let refused = code { _ = try DiskImage.create(path: path, format: format, size: 1 << 20, options: options) }
        #expect(refused == .unsupported)
        #expect(try chain.folder.contents() == ["base"])
        if format != .vhd { return }
        try DiskImage.create(path: path, format: .vhd, size: 1 << 20).close()
        for mode in DiskImage.RebaseMode.allCases {
            #expect(
                code { try DiskImage.rebase(path: path, format: .vhd, to: chain.references[0], mode: mode) }
                    == .unsupported)
        }
    }

    @Test func aCancelledCommitStopsAndGoesOnLater() throws {
        var random = SeededRandom.printed()
        var chain = Chain(folder: try ScratchFolder("cancel"))
        for number in 0..<2 { try chain.add("i\(number)", .qcow2, size: 1 << 20, &random) }
        let flag = CancellationFlag()
        flag.cancel()
        let path = chain.references[1].path
        #expect(
            code {
                try DiskImage.commit(path: path, format: .qcow2, policy: chain.given(1), cancellation: flag)
            } == .cancelled)
        #expect(try chain.bytes(1) == chain.models[1])
        try DiskImage.commit(path: path, format: .qcow2, policy: chain.policy)
        #expect(try chain.bytes(0) == chain.models[1])
        try Tool.check("qemu-img", ["check", "-q", path])
    }

    /// 2.22: the middle of a chain goes, its children change their parent, and nobody sees it.
    @Test("coalescing takes an image out of the middle (case 2.22)", arguments: [ImageFormat.vhd, .qcow2])
    func coalescingTakesAnImageOutOfTheMiddle(_ format: ImageFormat) throws {
        var random = SeededRandom.printed("\(#function) \(format)")
        var chain = Chain(folder: try ScratchFolder("coalesce"))
        for number in 0..<3 { try chain.add("i\(number)", format, size: 1 << 20, &random) }
        let middle = chain.references[1]
        try DiskImage.coalesce(
            path: middle.path, format: format, children: [chain.references[2]], policy: chain.given(1))
        try FileManager.default.removeItem(atPath: middle.path)
        let device = try DiskImage.open(
            path: chain.references[2].path, format: format, readOnly: true, policy: chain.policy)
        let isEqual = try device.bytes(at: 0, count: 1 << 20) == chain.models[2]
        #expect(isEqual)
        try device.close()
        let found = try DiskImage.chain(path: chain.references[2].path, format: format, policy: chain.policy)
        #expect(found.map(\.format) == [format, format])
        if format == .qcow2 {
            try Data(chain.models[2]).write(to: URL(fileURLWithPath: chain.folder.file("model")))
            try Tool.check(
                "qemu-img",
                ["compare", "-f", "qcow2", "-F", "raw", chain.references[2].path, chain.folder.file("model")])
        }
    }

    /// 4.24: to a shorter, a longer, an unrelated and no parent, in both versions.
    @Test(
        "a safe rebase shows the same over another parent (cases 4.5, 4.24)",
        arguments: [2, 3] as [UInt32],
        [(1 << 20, 1 << 20), (1 << 20, 300 << 10), (700 << 10, 1 << 20), (1 << 20, 0)] as [(child: Int, parent: Int)])
    func aSafeRebaseShowsTheSameOverAnotherParent(_ version: UInt32, _ sizes: (child: Int, parent: Int)) throws {
        var random = SeededRandom.printed("\(#function) \(version) \(sizes)")
        let folder = try ScratchFolder("rebase")
        var chain = Chain(folder: folder)
        try chain.add("old", .raw, size: 900 << 10, &random)
        try chain.add("middle", .qcow2, size: 1 << 20, clusterSize: 4096, &random)
        try chain.add("top", .qcow2, size: sizes.child, clusterSize: 16384, version: version, &random)
        let path = folder.file("top")
        var parent: ParentReference?
        if sizes.parent > 0 {
            var other = Chain(folder: folder)
            try other.add("new", .qcow2, size: sizes.parent, &random)
            parent = .image(other.references[0])
        }
        try DiskImage.rebase(
            path: path, format: .qcow2, to: parent, mode: .safe, policy: chain.given(2), ancestors: [])
        let policy = OpenPolicy(parents: parent == nil ? .refused : .within(folder: folder.path))
        let device = try DiskImage.open(path: path, format: .qcow2, readOnly: true, policy: policy)
        let isEqual = try device.bytes(at: 0, count: sizes.child) == chain.models[2]
        #expect(isEqual)
        try device.close()
        try qemuCheck(path)
        try Data(chain.models[2]).write(to: URL(fileURLWithPath: folder.file("model")))
        try Tool.check("qemu-img", ["compare", "-f", "qcow2", "-F", "raw", path, folder.file("model")])
        let info = try DiskImage.info(path: path, format: .qcow2)
        #expect(info.parentName == (parent == nil ? nil : "new"))
    }

    /// `opensDisabled` is for all of a rebase and of a coalesce, and what was disabled stays so.
    @Test(arguments: ["safe", "unsafe", "to none", "coalesce"])
    func aDisabledVHDIsPutOnAnotherParentWhenAskedFor(_ work: String) throws {
        var random = SeededRandom.printed("\(#function) \(work)")
        let folder = try ScratchFolder("rebase-disabled")
        var chain = Chain(folder: folder)
        try chain.add("base", .vhd, size: 1 << 20, &random)
        try chain.add("old", .vhd, size: 1 << 20, &random)
        try chain.add("top", .vhd, size: 1 << 20, &random)
        try FileManager.default.copyItem(atPath: folder.file("old"), toPath: folder.file("new"))
        let path = folder.file("top")
        var bytes = try content(path)
        for start in [0, bytes.count - 512] {
            let footer = try #require(VHDFooter(Array(bytes[start..<start + 512])))
            bytes.replaceSubrange(start..<start + 512, with: footer.disabled.bytes)
        }
        try replace(path, bytes)
        func run(_ policy: OpenPolicy) throws(BlockError) {
            if work == "coalesce" {
                return try DiskImage.coalesce(
                    path: folder.file("old"), format: .vhd, children: [chain.references[2]], policy: policy)
            }
            let new = work == "to none" ? nil : ParentReference(path: folder.file("new"), format: .image(.vhd))
            try DiskImage.rebase(
                path: path, format: .vhd, to: new, mode: work == "unsafe" ? .unsafe : .safe, policy: policy)
        }
        var policy = chain.policy
        #expect(code { try run(policy) } == .invalidImage)
        #expect(try content(path) == bytes)
        policy.opensDisabled = true
        try run(policy)
        let refusal = code {
            _ = try DiskImage.open(path: path, format: .vhd, readOnly: true, policy: chain.policy)
        }
        #expect(refusal == .invalidImage)
        let device = try DiskImage.open(path: path, format: .vhd, readOnly: true, policy: policy)
        let isEqual = try device.bytes(at: 0, count: 1 << 20) == chain.models[2]
        #expect(isEqual)
        try device.close()
        let names = try DiskImage.info(path: path, format: .vhd)
        #expect(names.parentName == ["safe": "./new", "unsafe": "./new", "coalesce": "./base"][work])
    }

    @Test func aDifferencingVHDIsPutOnAnotherParentSafely() throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("rebase-vhd")
        var chain = Chain(folder: folder)
        try chain.add("old", .vhd, size: 1 << 20, &random)
        try chain.add("top", .vhd, size: 1 << 20, &random)
        var other = Chain(folder: folder)
        try other.add("new", .vhd, size: 1 << 20, &random)
        try DiskImage.rebase(
            path: folder.file("top"), format: .vhd, to: other.references[0], mode: .safe, policy: chain.policy)
        let device = try DiskImage.open(
            path: folder.file("top"), format: .vhd, readOnly: true,
            policy: OpenPolicy(parents: .given(other.references)))
        let isEqual = try device.bytes(at: 0, count: 1 << 20) == chain.models[1]
        #expect(isEqual)
        try device.close()
    }

    /// 2.17, 4.21: loops, by name, hard link and symbolic link, too many images, a missing middle.
    @Test("loops links and long chains are refused in bounded time (cases 2.17, 4.21)")
    func loopsLinksAndLongChainsAreRefusedInBoundedTime() throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("loops")
        var chain = Chain(folder: folder)
        for number in 0..<30 { try chain.add("i\(number)", .qcow2, size: 65536, clusterSize: 4096, &random) }
        try Tool.check(
            "qemu-img",
            ["create", "-q", "-u", "-f", "qcow2", "-b", "i29", "-F", "qcow2", folder.file("i30"), "64K"])
        func list(_ index: Int) throws -> Int {
            try DiskImage.chain(path: folder.file("i\(index)"), format: .qcow2, policy: chain.policy).count
        }
        #expect(try list(29) == 30)
        #expect(code { _ = try list(30) } == .limitExceeded)
        #expect(
            code {
                try DiskImage.rebase(
                    path: folder.file("i0"), format: .qcow2, to: chain.references[3], mode: .safe, policy: chain.policy)
            } == .corrupt)
        try DiskImage.rebase(path: folder.file("i0"), format: .qcow2, to: chain.references[3], mode: .unsafe)
        #expect(code { _ = try list(1) } == .corrupt)
        try FileManager.default.linkItem(atPath: folder.file("i9"), toPath: folder.file("hard"))
        try FileManager.default.createSymbolicLink(atPath: folder.file("soft"), withDestinationPath: "i9")
        for name in ["hard", "soft"] {
            let link = ImageReference(path: folder.file(name), format: .qcow2)
            #expect(
                code { try DiskImage.rebase(path: folder.file("i9"), format: .qcow2, to: link, mode: .unsafe) }
                    == .corrupt)
            try DiskImage.rebase(path: folder.file("i10"), format: .qcow2, to: link, mode: .unsafe)
            #expect((try? list(10)) == nil)
        }
        try FileManager.default.removeItem(atPath: folder.file("i20"))
        #expect(code { _ = try list(25) } == .notFound)
        #expect(
            code {
                try DiskImage.rebase(
                    path: folder.file("i12"), format: .qcow2, to: chain.references[11], storedName: "json:{}",
                    mode: .unsafe)
            } == .denied)
    }
}
