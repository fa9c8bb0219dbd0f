import BlockIO
import CoreTypes
import Foundation
import Glibc
import TestSupport
import Testing

@testable import DiskImages

/// What the probe says of files from outside, and what it refuses to look at.
@Suite struct ProbeTests {
    @Test func _6_3_whatIsNoFileIsRefusedAtOnce() throws {
        let folder = try ScratchFolder("probe")
        let fifo = folder.file("fifo")
        #expect(unsafe mkfifo(fifo, 0o600) == 0)
        let socket = try Self.socket(at: folder.file("socket"))
        defer { close(socket) }
        #expect(unsafe symlink("/dev/zero", folder.file("link")) == 0)
        let paths = [
            fifo, folder.file("socket"), folder.path, "/dev/zero", "/dev/null", folder.file("link"),
        ]
        for path in paths {
            #expect(code { _ = try DiskImage.probe(path: path) } == .unsupported, "\(path)")
            for format in ImageFormat.allCases {
                #expect(code { _ = try DiskImage.info(path: path, format: format) } == .unsupported, "\(path)")
                for readOnly in [true, false] {
                    #expect(
                        code { _ = try DiskImage.open(path: path, format: format, readOnly: readOnly) } == .unsupported,
                        "\(path)")
                }
            }
        }
        #expect(code { _ = try DiskImage.probe(path: folder.file("none")) } == .notFound)
    }

    @Test(arguments: [0, 1, 511, 512, 513, 65_535])
    func _6_3_shortFilesAreLookedAtWithoutFail(_ length: Int) throws {
        let folder = try ScratchFolder("probe")
        for byte: UInt8 in [0, 0x51, 0xFF] {
            try save(folder.file("a"), [UInt8](repeating: byte, count: length))
            #expect(try DiskImage.probe(path: folder.file("a")) == .rawCandidate(hint: nil))
        }
        // A mark and nothing behind it.
        let marks: [[UInt8]] = [
            Array("conectix".utf8), [0x51, 0x46, 0x49, 0xFB], Array("KDMV".utf8), Array("vhdxfile".utf8),
        ]
        for mark in marks where mark.count <= length {
            try save(folder.file("a"), mark + [UInt8](repeating: 0, count: length - mark.count))
            #expect(try DiskImage.probe(path: folder.file("a")) != .rawCandidate(hint: nil))
        }
    }

    @Test func _6_2_filesWithTwoFacesAreAmbiguous() throws {
        let folder = try ScratchFolder("probe")
        let size = 65_536
        let footer = VHDFooter(new: .fixed, size: UInt64(size)).bytes
        let iso = Array("CD001".utf8)
        func disk(_ marks: [([UInt8], Int)], footer: [UInt8] = []) -> [UInt8] {
            var bytes = [UInt8](repeating: 0, count: size)
            for (mark, offset) in marks { bytes.replaceSubrange(offset..<offset + mark.count, with: mark) }
            return bytes + footer
        }
        let qcow2: [UInt8] = [0x51, 0x46, 0x49, 0xFB, 0, 0, 0, 3]
        let text = Array("# Disk DescriptorFile\nversion=1\n".utf8)
        let cases: [(String, [UInt8], ProbeResult)] = [
            ("qcow2 head, VHD tail", disk([(qcow2, 0)], footer: footer), .ambiguous(["qcow2", "vhd"])),
            ("ISO and qcow2", disk([(qcow2, 0), (iso, 32_769)]), .ambiguous(["qcow2", "ISO 9660"])),
            ("VHD with a VMDK's text", disk([(text, 0)], footer: footer), .ambiguous(["vhd", "vmdk"])),
            ("qcow2 and VDI", disk([(qcow2, 0), ([0x7F, 0x10, 0xDA, 0xBE], 64)]), .ambiguous(["qcow2", "VDI"])),
            ("gzip head, VHD tail", disk([([0x1F, 0x8B], 0)], footer: footer), .ambiguous(["vhd", "gzip"])),
            ("VHD", disk([], footer: footer), .format(.vhd)),
            ("a footer of 511 bytes", disk([], footer: footer.dropLast()), .format(.vhd)),
            (
                "a disabled VHD", disk([], footer: VHDFooter(new: .fixed, size: UInt64(size)).disabled.bytes),
                .format(.vhd)
            ),
            (
                "a disabled one that is not fixed", disk([(VHDFooter(new: .dynamic, size: 4096).disabled.bytes, 0)]),
                .format(.vhd)
            ),
            ("ISO", disk([(iso, 32_769)]), .rawCandidate(hint: "ISO 9660")),
            // 6.4: a size field other than the length.
            (
                "a shorter VHD's footer", disk([], footer: VHDFooter(new: .fixed, size: 512).bytes),
                .rawCandidate(hint: nil)
            ),
            ("a damaged head", disk([(Array("conectix".utf8), 0)]), .other("VHD with a damaged footer")),
        ]
        for (name, bytes, expected) in cases {
            try save(folder.file("a"), bytes)
            #expect(try DiskImage.probe(path: folder.file("a")) == expected, "\(name)")
        }
    }

    /// What is neither opened nor imported is told by name, and no format accepts it.
    @Test(
        arguments: [
            ("qcow version 1", [0x51, 0x46, 0x49, 0xFB, 0, 0, 0, 1], 0), ("VDI", [0x7F, 0x10, 0xDA, 0xBE], 0x40),
            ("QED", Array("QED\0".utf8), 0), ("Parallels", Array("WithoutFreeSpace".utf8), 0),
            ("Parallels", Array("WithouFreSpacExt".utf8), 0), ("DMG", Array("koly".utf8), 65_536 - 512),
            ("LUKS", Array("LUKS".utf8) + [0xBA, 0xBE], 0), ("VMDK with a COWD extent", Array("COWD".utf8), 0),
            ("VMDK with a SESPARSE extent", [0xBE, 0xBA, 0xFE, 0xCA, 0, 0, 0, 0], 0), ("gzip", [0x1F, 0x8B, 8], 0),
            ("xz", [0xFD] + Array("7zXZ\0".utf8), 0), ("zstd", [0x28, 0xB5, 0x2F, 0xFD], 0),
            ("bzip2", Array("BZh9".utf8), 0), ("zip", Array("PK\u{3}\u{4}".utf8), 0), ("tar", Array("ustar".utf8), 257),
        ] as [(String, [UInt8], Int)])
    func whatIsNotReadIsRefusedByName(_ name: String, _ mark: [UInt8], _ offset: Int) throws {
        let folder = try ScratchFolder("probe")
        let path = folder.file("a")
        var bytes = [UInt8](repeating: 0, count: 65_536)
        bytes.replaceSubrange(offset..<offset + mark.count, with: mark)
        try save(path, bytes)
        #expect(try DiskImage.probe(path: path) == .other(name))
        for format in [ImageFormat.vhd, .qcow2] {
            #expect(code { _ = try DiskImage.open(path: path, format: format, readOnly: true) } != nil)
        }
        for format in [ImportFormat.vhdx, .vmdk] {
            #expect(code { _ = try DiskImage.openImport(path: path, format: format) } != nil)
        }
    }

    @Test func _6_11_namesAreTakenLiterally() throws {
        let folder = try ScratchFolder("probe")
        for name in [
            "a b", "a,b=c", "-rf", "a:b", "json:{\"driver\":\"raw\"}", "nbd:unix:x", "%2e%2e", "ünï", "\u{1F4BE}",
        ] {
            let path = folder.file(name)
            try DiskImage.create(path: path, format: .qcow2, size: 1 << 20).close()
            #expect(try DiskImage.probe(path: path) == .format(.qcow2))
            #expect(FileManager.default.fileExists(atPath: path))
        }
        for name in ["json:{}", "nbd://localhost/x", "file:x"] {
            #expect(code { _ = try DiskImage.open(path: name, format: .raw, readOnly: true) } == .notFound)
            #expect(code { _ = try DiskImage.create(path: name, format: .raw, size: 512) } == .denied)
        }
        let long = folder.file(String(repeating: "x", count: 4096))
        #expect(code { _ = try DiskImage.create(path: long, format: .raw, size: 512) } == .io)
        #expect(code { _ = try DiskImage.probe(path: long) } == .io)
    }

    /// A stranger's header may claim any size; the caller's limit decides.
    @Test func _6_13_aSmallFileThatClaimsMuchIsHeldToTheLimit() throws {
        let folder = try ScratchFolder("probe")
        try Tool.check("qemu-img", ["create", "-q", "-f", "qcow2", "-o", "cluster_size=2M", folder.file("q"), "2E"])
        try Tool.check("qemu-img", ["create", "-q", "-f", "vpc", folder.file("v"), "2000G"])
        for (name, format) in [("q", ImageFormat.qcow2), ("v", .vhd)] {
            var policy = OpenPolicy()
            policy.largestVirtualSize = 1 << 40
            #expect(
                code { _ = try DiskImage.open(path: folder.file(name), format: format, readOnly: true, policy: policy) }
                    == .limitExceeded)
            let device = try DiskImage.open(path: folder.file(name), format: format, readOnly: true)
            #expect(try device.extents(at: 0, length: device.size).allSatisfy { $0.kind != .data })
            try device.close()
        }
    }

    private static func socket(at path: String) throws -> Int32 {
        let made = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
        let result = unsafe withUnsafePointer(to: &address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(made, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard result == 0 else { throw Tool.Failure(description: "bind: \(errno)") }
        return made
    }
}
