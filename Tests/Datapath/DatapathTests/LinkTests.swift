import BlockIO
import CoreTypes
import DatapathControl
import DiskImages
import Foundation
import TestSupport
import Testing

@testable import Datapath

/// Whoever can write to an SR's folder puts a link in the place of an image, after the toolstack has looked at it.
@Suite struct LinkTests {
    private func chain(in folder: ScratchFolder) throws -> (base: String, leaf: String) {
        let (base, leaf) = (folder.file("base.raw"), folder.file("leaf.qcow2"))
        try DiskImage.create(path: base, format: .raw, size: 1 << 20).close()
        var options = CreateOptions()
        options.parent = CreateOptions.Parent(name: "base.raw", format: .raw)
        var policy = OpenPolicy.standalone
        policy.parents = .given([ImageReference(path: base, format: .raw)])
        try DiskImage.create(path: leaf, format: .qcow2, size: 1 << 20, options: options, policy: policy).close()
        return (base, leaf)
    }

    @Test(arguments: ["base", "leaf"]) func aLinkInAnImagesPlaceIsNotFollowed(_ swapped: String) throws {
        let (folder, elsewhere) = (try ScratchFolder("links"), try ScratchFolder("secret"))
        let chain = try chain(in: folder)
        var image = ImageSpecification(
            path: chain.leaf, format: "qcow2", parents: [.init(path: chain.base, format: "raw")], refusesLinks: true)
        try image.open().close()
        let path = swapped == "base" ? chain.base : chain.leaf
        let secret = elsewhere.file("secret")
        try FileManager.default.moveItem(atPath: path, toPath: secret)
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: secret)
        let error = #expect(throws: BlockError.self) { try image.open() }
        #expect(error?.code == .denied && error?.description.contains(path) == true)
        // The process is told, and says why it does not start.
        let process = try Tool.run(
            try Tool.find("gantry-datapath"),
            ["export"] + image.arguments + ["--as", "raw"])
        #expect(process.status == 1 && process.errors.contains("symbolic link"), "\(process.errors)")
        // Drivers of others hand out links on purpose.
        image.refusesLinks = nil
        try image.open().close()
    }
}
