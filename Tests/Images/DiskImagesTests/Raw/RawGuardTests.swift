import BlockIO
import CoreTypes
import Foundation
import Glibc
import TestSupport
import Testing

@testable import DiskImages

/// A guest must not turn its raw disk into an image that names other files.
@Suite struct RawGuardTests {
    private var guarded: OpenPolicy {
        var policy = OpenPolicy()
        policy.refusesForeignMarks = true
        return policy
    }

    /// First sectors as other programs know them.
    private func foreignSectors(_ folder: ScratchFolder) throws -> [(name: String, bytes: [UInt8])] {
        var all: [(String, [UInt8])] = []
        for format in ["qcow2", "vpc", "vhdx", "vmdk", "qed", "vdi", "qcow", "parallels"] {
            let path = folder.file(format)
            try Tool.check("qemu-img", ["create", "-q", "-f", format, path, "4M"])
            let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            all.append((format, [UInt8](try handle.read(upToCount: 512) ?? Data())))
        }
        for text in ["# Disk DescriptorFile\nversion=1\n", "# a\n\n  #b\nversion=3\n", "version=2\n", "COWD\u{1}"] {
            all.append((text, Array(text.utf8)))
        }
        all.append(("luks", Array("LUKS".utf8) + [0xBA, 0xBE, 0, 1]))
        return all.map { ($0.0, $0.1 + [UInt8](repeating: 0, count: 512 - $0.1.count)) }
    }

    /// Each mark, as a whole and in two halves that are harmless by themselves; then the same where the format is
    /// declared: everything is stored, and stays raw.
    @Test func _6_1_anUnconfirmedRawDiskTakesNoForeignMark() throws {
        let folder = try ScratchFolder("raw")
        let path = folder.file("disk")
        for (name, sector) in try foreignSectors(folder) {
            try save(path, [UInt8](repeating: 0xAA, count: 8192))
            let device = try DiskImage.open(path: path, format: .raw, readOnly: false, policy: guarded)
            #expect(code { try device.store(sector, at: 0) } == .denied, "\(name)")
            #expect(code { try device.store(sector + sector, at: 0) } == .denied, "\(name)")
            let split = name == "vdi" ? 66 : 3
            try device.store(Array(sector[split...]), at: UInt64(split))
            #expect(code { try device.store(Array(sector[..<split]), at: 0) } == .denied, "\(name)")
            #expect(try device.bytes(at: 0, count: 2) == [0xAA, 0xAA])
            try device.store(sector, at: 512)
            try device.store([UInt8](repeating: 0x33, count: 512), at: 0)
            try device.close()
            #expect(try Tool.check("qemu-img", ["info", path]).contains("file format: raw"), "\(name)")

            let declared = try DiskImage.open(path: path, format: .raw, readOnly: false)
            try declared.store(sector, at: 0)
            try declared.close()
            let again = try DiskImage.open(path: path, format: .raw, readOnly: false)
            #expect(again.size == 8192 && again is RawImage)
            #expect(try again.bytes(at: 0, count: 512) == sector)
            try again.close()
        }
    }

    @Test func theLastSectorTakesNoFooter() throws {
        let folder = try ScratchFolder("raw")
        let path = folder.file("disk")
        let device = try DiskImage.create(path: path, format: .raw, size: 1 << 20)
        try device.close()
        let guarded = try DiskImage.open(path: path, format: .raw, readOnly: false, policy: guarded)
        let footer = VHDFooter(new: .fixed, size: (1 << 20) - 512).bytes
        #expect(code { try guarded.store(footer, at: (1 << 20) - 512) } == .denied)
        #expect(code { try guarded.store([0] + footer, at: (1 << 20) - 513) } == .denied)
        try guarded.store([UInt8](repeating: 1, count: 512), at: (1 << 20) - 512)
        // Zeroes complete a mark, too.
        try guarded.store([0xBE, 0xBA, 0xFE, 0xCA, 1], at: 0)
        #expect(code { try guarded.writeZeroes(at: 4, length: 4, mayUnmap: false) } == .denied)
        #expect(code { try guarded.discard(at: 4, length: 4) } == .denied)
        try guarded.writeZeroes(at: 0, length: 4096, mayUnmap: true)
        try guarded.close()
        #expect(try DiskImage.probe(path: path) == .rawCandidate(hint: nil))
    }

    @Test func aDiskThatBecameEmptyTakesEmptyRequests() throws {
        let folder = try ScratchFolder("raw")
        let path = folder.file("disk")
        try DiskImage.create(path: path, format: .raw, size: 4096).close()
        let device = try DiskImage.open(path: path, format: .raw, readOnly: false, policy: guarded)
        try #require(device as? any ResizableDevice).resize(to: 0, preallocation: .off)
        try device.store([], at: 0)
        try device.writeZeroes(at: 0, length: 0, mayUnmap: true)
        try device.discard(at: 0, length: 0)
        #expect(code { try device.store([1], at: 0) } == .outOfRange)
        try device.close()
    }

    /// The header of an overlay names a file of the host. The kernel tells whether anybody opens it.
    @Test func _6_1_noOtherFileIsOpenedWhateverARawDiskContains() throws {
        let folder = try ScratchFolder("raw")
        let secret = folder.file("secret")
        try save(secret, [UInt8](repeating: 1, count: 1 << 20))
        let path = folder.file("disk")
        try Tool.check("qemu-img", ["create", "-q", "-f", "qcow2", "-b", secret, "-F", "raw", path, "1M"])
        let watch = inotify_init1(Int32(O_NONBLOCK))
        defer { close(watch) }
        #expect(unsafe inotify_add_watch(watch, secret, UInt32(IN_OPEN | IN_ACCESS)) >= 0)

        let device = try DiskImage.open(path: path, format: .raw, readOnly: false)
        let length = Int(device.size)
        let bytes = try device.bytes(at: 0, count: length)
        #expect(bytes[0] == 0x51)
        try device.store(bytes, at: 0)
        try device.close()
        try DiskImage.resize(path: path, format: .raw, to: UInt64(length) + 65536)
        _ = try DiskImage.info(path: path, format: .raw)
        // Asking what it looks like, and reading its header as what it claims to be, open nothing either.
        #expect(try DiskImage.probe(path: path) == .format(.qcow2))
        _ = try DiskImage.info(path: path, format: .qcow2)
        #expect(code { _ = try DiskImage.open(path: path, format: .qcow2, readOnly: true) } != nil)

        let buffer = AlignedBuffer(count: 4096)
        #expect(unsafe read(watch, buffer.bytes.baseAddress, 4096) == -1 && errno == EAGAIN)
    }
}
