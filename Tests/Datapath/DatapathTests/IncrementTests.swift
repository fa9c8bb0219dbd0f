import BlockIO
import CoreTypes
import DiskImages
import Foundation
import TestSupport
import Testing

/// Images that are differences to another one, on their way into a disk that holds the other one's content.
@Suite struct IncrementTests {
    private static let size: UInt64 = 9 << 20
    private static let increments: [ImageFormat] = [.vhd, .qcow2]

    private static func content(_ path: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: path)) }

    private static func compare(_ model: String, _ format: ImageFormat, _ image: String) throws {
        try Tool.check(
            "qemu-img", ["compare", "-q", "-f", "raw", "-F", ImageTransferTests.qemu(format), model, image])
    }

    @Test("an increment leaves alone what it does not hold, also in a clone", arguments: ImageFormat.allCases)
    func incrementsGoOverTheirBase(_ stored: ImageFormat) throws {
        var random = SeededRandom.printed("\(#function) \(stored)")
        let folder = try ScratchFolder("increment")
        let (was, now) = (folder.file("was"), folder.file("now"))
        var content = Data(random.bytes(Int(Self.size)))
        try content.write(to: URL(fileURLWithPath: was))
        // A byte, and zeroes where data were; the second and third 2 MiB, and most clusters, are the same.
        content[123_456] ^= 1
        content.replaceSubrange(8 << 20..<(8 << 20) + 70_000, with: Data(count: 70_000))
        try content.write(to: URL(fileURLWithPath: now))
        for format in Self.increments {
            let (increment, full, image, clone) = (
                folder.file("increment"), folder.file("full"), folder.file("image"), folder.file("clone")
            )
            try DiskImage.create(path: image, format: stored, size: Self.size).close()
            let base = #"{"path":"\#(was)","format":"raw","readOnly":true}"#
            let made = try ImageTransferTests.shell(
                """
                $DP export --image \(now) --format raw --as \(format) --base '\(base)' >\(increment) &&
                $DP export --image \(was) --format raw --as \(format) >\(full) &&
                $DP import --image \(image) --format \(stored) --as \(format) <\(full)
                """)
            try #require(made.succeeded, "\(made.errors)")
            // It says what it is: type 4, or a backing file's name, which is no path of this host.
            let head = try Self.content(increment)
            if format == .vhd {
                #expect(head[63] == 4)
            } else {
                let info = try Tool.run("qemu-img", ["info", "--output=json", increment])
                #expect(info.output.contains(#""backing-filename": "was""#), "\(info.output)")
            }
            #expect(head.count < Int(Self.size) / 2 + (1 << 20))
            if stored != .raw {
                var options = CreateOptions()
                options.parent = CreateOptions.Parent(name: "image", format: stored)
                try DiskImage.create(path: clone, format: stored, size: Self.size, options: options).close()
                let over = try ImageTransferTests.shell(
                    """
                    $DP import --image \(clone) --format \(stored) --parent \(stored):\(image) --as \(format) <\(increment) &&
                    $DP export --image \(clone) --format \(stored) --parent \(stored):\(image) --as raw | cmp - \(now)
                    """)
                #expect(over.succeeded, "\(over.errors)")
                try Self.compare(was, stored, image)
                try FileManager.default.removeItem(atPath: clone)
            }
            let over = try ImageTransferTests.shell(
                "$DP import --image \(image) --format \(stored) --as \(format) <\(increment)")
            #expect(over.succeeded, "\(over.errors)")
            try Self.compare(now, stored, image)
            // A whole image makes the disk exactly like itself, also where it stores nothing.
            let (empty, emptied) = (folder.file("empty"), folder.file("emptied"))
            try Tool.check("truncate", ["-s", "\(Self.size)", empty])
            let whole = try ImageTransferTests.shell(
                """
                $DP export --image \(empty) --format raw --as \(format) >\(emptied) &&
                $DP import --image \(image) --format \(stored) --as \(format) <\(emptied)
                """)
            #expect(whole.succeeded, "\(whole.errors)")
            try Self.compare(empty, stored, image)
            try FileManager.default.removeItem(atPath: image)
        }
    }

    /// Made as children by others: sectors of a block that are the parent's, zero clusters, and a parent that must not be opened.
    @Test("children that others made leave alone what is their parent's", arguments: increments)
    func childrenOfOthers(_ format: ImageFormat) throws {
        var random = SeededRandom.printed("\(#function) \(format)")
        let folder = try ScratchFolder("increment")
        let (parent, child, disk) = (folder.file("parent"), folder.file("child"), folder.file("disk"))
        let below = try DiskImage.create(path: parent, format: format, size: Self.size)
        try unsafe random.bytes(1 << 20).withUnsafeBytes { try unsafe below.write($0, at: 5 << 20) }
        try below.close()
        var options = CreateOptions()
        options.parent = CreateOptions.Parent(name: "parent", format: format)
        let image = try DiskImage.create(path: child, format: format, size: Self.size, options: options)
        var content = random.bytes(Int(Self.size))
        try Data(content).write(to: URL(fileURLWithPath: disk))
        let piece = random.bytes(1536)
        try unsafe piece.withUnsafeBytes { try unsafe image.write($0, at: 3 << 20) }
        try image.writeZeroes(at: 5 << 20, length: 128 << 10, mayUnmap: true)
        try image.flush()
        try image.close()
        // The parent's own content of the written cluster belongs to the child now: a cluster of qcow2 is whole.
        let around = format == .qcow2 ? 64 << 10 : 1536
        content.replaceSubrange(3 << 20..<(3 << 20) + around, with: piece + [UInt8](repeating: 0, count: around - 1536))
        content.replaceSubrange(5 << 20..<(5 << 20) + (128 << 10), with: [UInt8](repeating: 0, count: 128 << 10))
        try FileManager.default.removeItem(atPath: parent)
        let over = try ImageTransferTests.shell("$DP import --image \(disk) --format raw --as \(format) <\(child)")
        #expect(over.succeeded, "\(over.errors)")
        #expect(try Self.content(disk) == Data(content))
    }

    @Test func theNameOfABaseIsNeverAPath() {
        for (path, name) in [
            ("/srv/sr/0a-b.qcow2", "0a-b.qcow2"), ("nbd:unix:/run/x:exportname=é", "base"), ("/a/..", "base"),
            ("/a/json:{}", "base"), ("", "base"), ("/a/-x", "base"),
        ] {
            #expect(StreamWriteOptions.Base(path: path, format: .raw).name == name)
        }
    }
}
