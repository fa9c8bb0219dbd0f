import BlockIO
import Foundation
import TestSupport
import Testing

@testable import DiskImages

/// Which files a descriptor gets, of those that may be used.
@Suite struct VMDKExtentChoiceTests {
    private let folder: ScratchFolder

    /// Folders `a` and `b` with a disk each, of one name and other content, as the exports of one machine have them.
    init() throws {
        folder = try ScratchFolder("extent-choice")
        for (number, name) in ["a", "b"].enumerated() {
            try FileManager.default.createDirectory(
                atPath: folder.file(name), withIntermediateDirectories: false)
            let text = VMDKBuilder.text("monolithicFlat", ["RW 128 FLAT \"disk-flat.vmdk\" 0"])
            try save(folder.file(name + "/disk.vmdk"), Array(text.utf8))
            try save(
                folder.file(name + "/disk-flat.vmdk"), [UInt8](repeating: UInt8(number + 1), count: 128 * 512))
        }
    }

    private func first(_ path: String, _ policy: ImportPolicy) throws -> UInt8 {
        let device = try DiskImage.openImport(path: folder.file(path), format: .vmdk, policy: policy)
        defer { try? device.close() }
        return try device.bytes(at: 0, count: 1)[0]
    }

    @Test("a descriptor gets the file beside it, and never another of its name (case 4.5)")
    func aDescriptorGetsTheFileBesideIt() throws {
        let (a, b) = (folder.file("a/disk-flat.vmdk"), folder.file("b/disk-flat.vmdk"))
        for paths in [[a, b], [b, a], [b]] {
            #expect(try first("b/disk.vmdk", ImportPolicy(extents: .given(paths))) == 2)
        }
        #expect(code { _ = try first("b/disk.vmdk", ImportPolicy(extents: .given([a]))) } == .denied)
        // With none beside it any one may be given, and one only.
        try FileManager.default.createDirectory(atPath: folder.file("c"), withIntermediateDirectories: false)
        try FileManager.default.copyItem(atPath: folder.file("b/disk.vmdk"), toPath: folder.file("c/disk.vmdk"))
        #expect(try first("c/disk.vmdk", ImportPolicy(extents: .given([a]))) == 1)
        #expect(try first("c/disk.vmdk", ImportPolicy(extents: .given([a, a]))) == 1)
        #expect(code { _ = try first("c/disk.vmdk", ImportPolicy(extents: .given([a, b]))) } == .denied)
    }

    @Test("a parent outside of the folder brings no files that lie beside it (case 4.21)")
    func aParentOutsideOfTheFolderBringsNoOtherFiles() throws {
        func first(_ path: String, _ policy: OpenPolicy) throws -> UInt8 {
            let reference = ParentReference(path: folder.file(path), format: .imported(.vmdk))
            let device = try DiskImage.open(reference, policy: policy)
            defer { try? device.close() }
            return try device.bytes(at: 0, count: 1)[0]
        }
        var policy = OpenPolicy(parents: .within(folder: folder.file("a")))
        #expect(try first("a/disk.vmdk", policy) == 1)
        #expect(code { _ = try first("b/disk.vmdk", policy) } == .denied)
        // By a link neither.
        let link = folder.file("a/link.vmdk")
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: folder.file("b/disk.vmdk"))
        #expect(code { _ = try first("a/link.vmdk", policy) } == .denied)
        // And where others can change the folder, no link is followed at all.
        try FileManager.default.createSymbolicLink(
            atPath: folder.file("link.vmdk"), withDestinationPath: folder.file("b/disk.vmdk"))
        policy = OpenPolicy()
        policy.imports.extents = .given([folder.file("b/disk-flat.vmdk")])
        #expect(try first("link.vmdk", policy) == 2)
        policy.followsLinks = false
        #expect(throws: BlockError.self) { _ = try first("link.vmdk", policy) }
    }
}
