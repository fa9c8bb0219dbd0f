import BlockIO
import CoreTypes
import Foundation
import TestSupport
import Testing

@testable import DiskImages

/// What a child says of its parent, and whom it may pull in: cases 2.15, 2.16 and 2.17 of the test vectors.
@Suite struct VHDParentNamesTests {
    /// A child whose locators and header name are given: code, payload, space field, length field.
    private struct Locator {
        var code: StaticString
        var payload: [UInt8]
        var space: UInt32?
        var length: UInt32?
        var offset: UInt64?
    }

    private func utf16(_ text: String, bigEndian: Bool = false) -> [UInt8] {
        text.utf16.flatMap { bigEndian ? [UInt8($0 >> 8), UInt8($0 & 0xFF)] : [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
    }

    private func names(_ locators: [Locator], header name: [UInt8] = []) throws -> VHDParentNames {
        var bytes = VHDHeader(tableOffset: 1536, entryCount: 4, blockSize: 4096).bytes
        let store = StoreInMemory([UInt8](repeating: 0, count: 16384))
        for (index, locator) in locators.enumerated() {
            let offset = UInt64(4096 + index * 1024)
            try store.store(locator.payload, at: offset)
            var entry: [UInt8] = []
            entry.appendBigEndian(VHDFooter.fourCharacters(locator.code))
            entry.appendBigEndian(locator.space ?? 512)
            entry.appendBigEndian(locator.length ?? UInt32(locator.payload.count))
            entry.appendBigEndian(UInt32(0))
            entry.appendBigEndian(locator.offset ?? offset)
            bytes.replaceSubrange(576 + 24 * index..<600 + 24 * index, with: entry)
        }
        bytes.replaceSubrange(64..<64 + name.count, with: name)
        bytes.replaceBigEndian(at: 36, with: VHDFooter.checksum(bytes, field: 36))
        try store.store(bytes, at: 512)
        let header = try VHDHeader(file: store, offset: 512, length: 16384)
        return try VHDParentNames(file: store, header: header, fileLength: 16384)
    }

    @Test("every spelling is read (case 2.15)")
    func everySpellingIsRead() throws {
        let windows = utf16(".\\sub\\b.vhd")
        #expect(try names([Locator(code: "W2ru", payload: windows)]).names == ["./sub/b.vhd"])
        #expect(try names([Locator(code: "W2ku", payload: utf16("\\dir\\b.vhd"))]).names == ["/dir/b.vhd"])
        #expect(try names([Locator(code: "MACX", payload: Array("file://./b.vhd".utf8))]).names == ["./b.vhd"])
        #expect(try names([Locator(code: "MACX", payload: Array("file:///d/b.vhd".utf8))]).names == ["/d/b.vhd"])
        #expect(try names([Locator(code: "MACX", payload: Array("file://localhost/d/b".utf8))]).names == ["/d/b"])
        #expect(try names([], header: utf16("b.vhd", bigEndian: true)).names == ["./b.vhd"])
        #expect(try names([], header: utf16("C:\\vm\\b.vhd", bigEndian: true)).names == ["./b.vhd"])
        #expect(try names([], header: [0xFF, 0xFE] + utf16("old.vhd")).names == ["./old.vhd"])
        #expect(try names([Locator(code: "W2ru", payload: utf16("ü\u{1F4BE}.vhd"))]).names == ["./ü\u{1F4BE}.vhd"])
        #expect(try names([Locator(code: "W2ru", payload: utf16("\u{FEFF}b.vhd\0\0"))]).names == ["./b.vhd"])
        // Space in sectors, and in bytes.
        for space in [1, 511, 512, 4096] as [UInt32] {
            #expect(try names([Locator(code: "W2ru", payload: windows, space: space)]).names == ["./sub/b.vhd"])
        }
    }

    @Test func theOrderIsFixedAndForeignPathsComeLast() throws {
        let found = try names(
            [
                Locator(code: "W2ku", payload: utf16("C:\\vms\\abs.vhd")),
                Locator(code: "MACX", payload: Array("file:///mac.vhd".utf8)),
                Locator(code: "Wi2r", payload: Array("ignored".utf8)),
                Locator(code: "W2ru", payload: utf16(".\\first.vhd")),
                Locator(code: "W2ru", payload: utf16("..\\second.vhd")),
                Locator(code: "W2ku", payload: utf16("\\\\host\\share\\x.vhd")),
            ], header: utf16("head.vhd", bigEndian: true))
        #expect(
            found.names == [
                "./first.vhd", "../second.vhd", "/mac.vhd", "./head.vhd", "/vms/abs.vhd", "//host/share/x.vhd",
            ])
        #expect(found.notes.isEmpty)
    }

    @Test("payloads that are no paths are passed over (case 2.15)")
    func payloadsThatAreNoPathsArePassedOver() throws {
        let bad = [
            Locator(code: "W2ru", payload: utf16("b.vhd") + [0x41]),
            Locator(code: "W2ru", payload: utf16("a") + [0x00, 0xD8] + utf16("b")),
            Locator(code: "W2ru", payload: utf16("a\0b")),
            Locator(code: "W2ru", payload: []),
            Locator(code: "W2ru", payload: utf16("b"), space: 513),
            Locator(code: "W2ru", payload: utf16("b"), space: 512, length: 514),
            Locator(code: "W2ru", payload: utf16("b"), space: 1 << 31, length: UInt32.max),
            Locator(code: "W2ru", payload: utf16("b"), offset: 16384),
            Locator(code: "W2ru", payload: utf16("b"), offset: .max),
            Locator(code: "W2ru", payload: utf16("b"), offset: 0),
            Locator(code: "MACX", payload: Array("http://x/y".utf8)),
            Locator(code: "MACX", payload: Array("file://host/x".utf8)),
            Locator(code: "MACX", payload: [0x66, 0x69, 0x6C, 0x65, 0x3A, 0x2F, 0x2F, 0xFF, 0xFE]),
        ]
        for locator in bad {
            let found = try names([locator, Locator(code: "W2ku", payload: utf16(".\\good.vhd"))])
            #expect(found.names == ["./good.vhd"] && found.notes.count == 1, "\(locator)")
        }
    }

    /// A base and a child of it in a folder of their own.
    private func pair(_ folder: ScratchFolder) throws -> (base: String, top: String) {
        let folderPath = folder.file("vms")
        try FileManager.default.createDirectory(atPath: folderPath, withIntermediateDirectories: true)
        let (base, top) = (folderPath + "/base.vhd", folderPath + "/top.vhd")
        let device = try DiskImage.create(path: base, format: .vhd, size: 4 << 20)
        try device.store([1, 2, 3], at: 0)
        try device.close()
        var options = CreateOptions()
        options.parent = .init(name: "base.vhd", format: .vhd)
        try DiskImage.create(path: top, format: .vhd, size: 4 << 20, options: options).close()
        return (base, top)
    }

    @Test("names are followed only below the folder (case 2.16)")
    func namesAreFollowedOnlyBelowTheFolder() throws {
        let folder = try ScratchFolder("vhd")
        let (base, top) = try pair(folder)
        let inside = OpenPolicy(parents: .within(folder: folder.file("vms")))
        let device = try DiskImage.open(path: top, format: .vhd, readOnly: true, policy: inside)
        #expect(try device.bytes(at: 0, count: 4) == [1, 2, 3, 0])
        try device.close()
        #expect(code { _ = try DiskImage.open(path: top, format: .vhd, readOnly: true) } == .denied)
        let info = try DiskImage.info(path: top, format: .vhd)
        #expect(info.parentName == "./base.vhd" && info.parentFormat == .vhd && info.subformat == "differencing")
        for name in [
            "../../../../../../etc/passwd", "/etc/passwd", "../elsewhere.vhd", "//host/share/x", "/x",
        ] {
            let file = try ImageFile(path: top, access: .readWrite)
            let old = try #require(try VHDLayout(file: file).header)
            try VHDImage.replaceParent(
                file: file, with: VHDParent(name: name, identifier: old.parentIdentifier, timestamp: 0))
            file.close()
            #expect(code { _ = try DiskImage.open(path: top, format: .vhd, readOnly: true, policy: inside) } == .denied)
        }
        // Named by the caller, the names in the image do not matter.
        let given = OpenPolicy(parents: .given([ImageReference(path: base, format: .vhd)]))
        try DiskImage.open(path: top, format: .vhd, readOnly: true, policy: given).close()
        // A missing parent is said to be missing.
        try FileManager.default.moveItem(atPath: base, toPath: base + ".old")
        let file = try ImageFile(path: top, access: .readWrite)
        try VHDImage.replaceParent(
            file: file, with: VHDParent(name: "base.vhd", identifier: [UInt8](repeating: 1, count: 16), timestamp: 0))
        file.close()
        #expect(code { _ = try DiskImage.open(path: top, format: .vhd, readOnly: true, policy: inside) } == .notFound)
    }

    @Test("the parent must be the one recorded (case 2.15)")
    func theParentMustBeTheOneRecorded() throws {
        let folder = try ScratchFolder("vhd")
        let (base, top) = try pair(folder)
        try DiskImage.create(path: folder.file("other"), format: .vhd, size: 4 << 20).close()
        try DiskImage.create(path: folder.file("raw"), format: .raw, size: 4 << 20).close()
        func policy(_ name: String, _ format: ImageFormat) -> OpenPolicy {
            OpenPolicy(parents: .given([ImageReference(path: folder.file(name), format: format)]))
        }
        func open(_ path: String, _ policy: OpenPolicy) throws -> any BlockDevice {
            try DiskImage.open(path: path, format: .vhd, readOnly: true, policy: policy)
        }
        #expect(code { _ = try open(top, policy("other", .vhd)) } == .corrupt)
        #expect(code { _ = try open(top, policy("raw", .raw)) } == .invalidImage)
        var forced = policy("other", .vhd)
        forced.ignoresParentIdentity = true
        let device = try open(top, forced)
        #expect((device as? any VHDDevice)?.notes.contains { $0.contains("identifier") } == true)
        try device.close()
        // Another time stamp is a note.
        try FileManager.default.setAttributes([.modificationDate: Date(timeIntervalSince1970: 1e9)], ofItemAtPath: base)
        let copied = try open(top, policy("vms/base.vhd", .vhd))
        #expect(
            (copied as? any VHDDevice)?.notes == ["the parent's file was changed or copied after the image was made"])
        try copied.close()

        // A child of a raw disk records no identity: only the caller knows the parent.
        var options = CreateOptions()
        options.parent = .init(name: "raw", format: .raw)
        try DiskImage.create(path: folder.file("over"), format: .vhd, size: 4 << 20, options: options).close()
        #expect(try DiskImage.info(path: folder.file("over"), format: .vhd).parentFormat == nil)
        try open(folder.file("over"), policy("raw", .raw)).close()
        #expect(code { _ = try open(folder.file("over"), policy("other", .vhd)) } == .corrupt)
        let inside = OpenPolicy(parents: .within(folder: folder.path))
        #expect(code { _ = try open(folder.file("over"), inside) } == .denied)
    }

    @Test("loops and long chains end (case 2.17)")
    func loopsAndLongChainsEnd() throws {
        let folder = try ScratchFolder("vhd")
        let inside = OpenPolicy(parents: .within(folder: folder.path))
        func open(_ name: String) throws {
            try DiskImage.open(path: folder.file(name), format: .vhd, readOnly: true, policy: inside).close()
        }
        var last: String?
        for step in 0..<31 {
            let store = StoreInMemory()
            let parent = try last.map { try VHDParent(ImageReference(path: folder.file($0), format: .vhd), name: $0) }
            try VHDImage.make(file: store, size: 1 << 20, blockSize: 65536, parent: parent)
            try store.save(folder.file("\(step)"))
            last = "\(step)"
        }
        try open("29")
        #expect(code { try open("30") } == .limitExceeded)
        // 0 becomes a child of 2; an image of its own; and one reached through a link.
        for (child, parent) in [("0", "2"), ("5", "5")] {
            let record = try VHDParent(ImageReference(path: folder.file(parent), format: .vhd), name: parent)
            let store = StoreInMemory()
            try VHDImage.make(file: store, size: 1 << 20, blockSize: 65536, parent: record)
            var bytes = store.bytes
            let old = try content(folder.file(child))
            for start in [0, bytes.count - 512] {
                bytes.replaceSubrange(start + 68..<start + 84, with: old[68..<84])
                let footer = VHDFooter.checksum(Array(bytes[start..<start + 512]))
                bytes.replaceBigEndian(at: start + 64, with: footer)
            }
            try replace(folder.file(child), bytes)
            #expect(code { try open(child) } == .corrupt)
            #expect(code { try open("\((Int(child) ?? 0) + 3)") } == .corrupt)
        }
        try FileManager.default.createSymbolicLink(
            atPath: folder.file("link"), withDestinationPath: folder.file("29"))
        let store = StoreInMemory()
        try VHDImage.make(
            file: store, size: 1 << 20, blockSize: 65536,
            parent: VHDParent(ImageReference(path: folder.file("29"), format: .vhd), name: "link"))
        try store.save(folder.file("viaLink"))
        #expect(code { try open("viaLink") } == .denied)
    }
}
