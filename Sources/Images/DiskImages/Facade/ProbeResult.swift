import BlockIO
public import CoreTypes

/// What the content of a file looks like, from strong marks only. Raw is never a result: every content is legal raw, so
/// it must be declared by whoever supplied the file.
public enum ProbeResult: Hashable, Sendable {
    /// The marks of one format that can be opened.
    case format(ImageFormat)
    /// The marks of a format that can only be imported.
    case importable(ImportFormat)
    /// The marks of something else, by name: another image format, an archive, a compressed file.
    case other(String)
    /// No marks. `hint` names recognised raw content (an ISO 9660 image).
    case rawCandidate(hint: String?)
    /// Marks of several formats at once: to be refused.
    case ambiguous([String])

    /// Reads the first 64 KiB and the last 512 bytes; 511 where old Virtual PCs may have written a footer of so many.
    init(probing file: ImageFile) throws(BlockError) {
        let length = try file.size()
        let head = try file.bytes(at: 0, count: Int(min(length, 65536)))
        var tail = length >= 512 ? try file.bytes(at: length - 512, count: 512) : []
        if length % 512 == 511, !tail.isEmpty, !Self.starts(tail, "koly") { tail = tail.dropFirst() + [0] }
        self.init(head: head, tail: tail, length: length)
    }

    /// `head`: the beginning; `tail`: the last 512 bytes, or 511 and a zero in a file that ends so, or nothing when the file is
    /// shorter.
    init(head: [UInt8], tail: [UInt8], length: UInt64) {
        var formats: [ImageFormat] = []
        var others: [String] = []
        var hint: String?

        if Self.starts(head, "QFI\u{FB}") {
            let version = head.count >= 8 ? head[4..<8].reduce(0) { $0 << 8 | UInt32($1) } : 0
            if version == 2 || version == 3 { formats.append(.qcow2) } else { others.append("qcow version \(version)") }
        }
        var headIsDamaged = false
        // One that was disabled on purpose is one, too: who opens it is told.
        func footer(_ bytes: [UInt8]) -> VHDFooter? { try? VHDFooter(checking: bytes, allowsPoison: true) }
        if VHDFooter.isMarked(head) || VHDFooter.isPoisoned(head) {
            if footer(Array(head.prefix(512))) != nil { formats.append(.vhd) } else { headIsDamaged = true }
        }
        if formats.last != .vhd, let footer = footer(tail), footer.kind == .fixed,
            footer.currentSize == length - (length % 512 == 511 ? 511 : 512)
        {
            formats.append(.vhd)
        } else if headIsDamaged {
            others.append("VHD with a damaged footer")
        }
        var imports: [ImportFormat] = []
        for (mark, format) in Self.importMarks where Self.starts(head, mark) { imports.append(format) }
        for (mark, offset, name) in Self.foreignMarks where Self.starts(head, mark, at: offset) { others.append(name) }
        if Self.starts(tail, "koly") { others.append("DMG") }
        if Self.starts(head, "CD001", at: 32769) { hint = "ISO 9660" }

        let names = formats.map(\.rawValue) + imports.map(\.rawValue) + others
        if names.count > 1 || (names.count == 1 && hint != nil) {
            self = .ambiguous(names + [hint].compactMap { $0 })
        } else if let format = formats.first {
            self = .format(format)
        } else if let format = imports.first {
            self = .importable(format)
        } else if let other = others.first {
            self = .other(other)
        } else {
            self = .rawCandidate(hint: hint)
        }
    }

    static let importMarks: [(mark: String, format: ImportFormat)] = [
        ("vhdxfile", .vhdx), ("KDMV", .vmdk), ("# Disk DescriptorFile", .vmdk),
    ]

    /// Marks of what is known and cannot be opened. One byte for each character.
    static let foreignMarks: [(mark: String, offset: Int, name: String)] = [
        ("COWD", 0, "VMDK with a COWD extent"),
        ("\u{BE}\u{BA}\u{FE}\u{CA}\0\0\0\0", 0, "VMDK with a SESPARSE extent"),
        ("\u{7F}\u{10}\u{DA}\u{BE}", 0x40, "VDI"), ("LUKS\u{BA}\u{BE}", 0, "LUKS"),
        ("QED\0", 0, "QED"), ("WithoutFreeSpace", 0, "Parallels"), ("WithouFreSpacExt", 0, "Parallels"),
        ("\u{1F}\u{8B}", 0, "gzip"), ("\u{FD}7zXZ\0", 0, "xz"), ("\u{28}\u{B5}\u{2F}\u{FD}", 0, "zstd"),
        ("BZh", 0, "bzip2"), ("PK\u{3}\u{4}", 0, "zip"), ("ustar", 257, "tar"),
    ]

    /// Compares with a mark whose characters stand for one byte each.
    static func starts(_ bytes: [UInt8], _ mark: String, at offset: Int = 0) -> Bool {
        let wanted = mark.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
        return bytes.count >= offset + wanted.count && bytes[offset..<offset + wanted.count].elementsEqual(wanted)
    }
}
