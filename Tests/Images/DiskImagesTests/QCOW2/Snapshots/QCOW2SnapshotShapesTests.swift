import BlockIO
import CoreTypes
import Foundation
import TestSupport
import Testing

@testable import DiskImages

/// Snapshots of images of every make: compressed clusters, which share host clusters, subclusters, lazy refcounts
/// (4.18), and a backing file.
@Suite struct QCOW2SnapshotShapesTests {
    @Test(arguments: [
        "cluster_size=4096", "cluster_size=65536", "cluster_size=16384,extended_l2=on", "lazy_refcounts=on",
        "cluster_size=512,refcount_bits=64", "compat=0.10",
    ])
    func anyImageOfQemuKeepsItsStates(_ options: String) throws {
        var random = SeededRandom.printed("\(#function) \(options)")
        let folder = try ScratchFolder("snapshot-shapes")
        let path = folder.file("a.qcow2")
        var text: [UInt8] = []
        while text.count < 2 << 20 { text += Array("line \(Int.random(in: 0..<1000, using: &random))\n".utf8) }
        text = Array(text.prefix(2 << 20))
        try Data(text).write(to: URL(fileURLWithPath: folder.file("raw")))
        try Tool.check(
            "qemu-img",
            ["convert", "-c", "-f", "raw", "-O", "qcow2", "-o", options, folder.file("raw"), path])
        try DiskImage.createSnapshot(path: path, format: .qcow2, name: "one")
        try qemuCheck(path)
        var model = text
        let device = try DiskImage.open(path: path, format: .qcow2, readOnly: false)
        let image = try #require(device as? QCOW2Image)
        for step in 0..<20 {
            let start = Int.random(in: 0..<2_000_000, using: &random)
            let count = Int.random(in: 1...60_000, using: &random)
            try image.store([UInt8](repeating: UInt8(step), count: count), start)
            model.replaceSubrange(start..<start + count, with: repeatElement(UInt8(step), count: count))
            if step == 10 { try image.createSnapshot(name: "two") }
        }
        let view = try image.openSnapshot("one")
        let isKept = try view.bytes(0, 2 << 20) == text
        #expect(isKept)
        try view.close()
        try image.close()
        try qemuCheck(path)
        try DiskImage.deleteSnapshot(path: path, format: .qcow2, "two")
        try qemuCheck(path)
        let now = try DiskImage.open(path: path, format: .qcow2, readOnly: true)
        let isEqual = try now.bytes(at: 0, count: 2 << 20) == model
        #expect(isEqual)
        try now.close()
        try DiskImage.applySnapshot(path: path, format: .qcow2, "one")
        try qemuCheck(path)
        try Tool.check("qemu-img", ["compare", "-f", "qcow2", "-F", "raw", path, folder.file("raw")])
        try DiskImage.deleteSnapshot(path: path, format: .qcow2, "one")
        try qemuCheck(path)
    }

    @Test func aSnapshotOverABackingFileShowsItToo() throws {
        let folder = try ScratchFolder("snapshot-backing")
        let base = folder.file("base")
        try Data([UInt8](repeating: 7, count: 1 << 20)).write(to: URL(fileURLWithPath: base))
        let path = folder.file("a.qcow2")
        try Tool.check("qemu-img", ["create", "-q", "-f", "qcow2", "-b", "base", "-F", "raw", path])
        try Tool.check("qemu-io", ["-f", "qcow2", "-c", "write -P 1 0 64k", path])
        try DiskImage.createSnapshot(path: path, format: .qcow2, name: "one")
        try Tool.check("qemu-io", ["-f", "qcow2", "-c", "write -P 2 0 128k", path])
        let policy = OpenPolicy(parents: .within(folder: folder.path))
        let image = try #require(
            try DiskImage.open(path: path, format: .qcow2, readOnly: false, policy: policy) as? QCOW2Image)
        for _ in 0..<2 {
            let view = try image.openSnapshot("one")
            #expect(try view.bytes(65535, 2) == [1, 7])
            try view.close()
        }
        #expect(try image.bytes(131071, 2) == [2, 7])
        try image.close()
    }
}
