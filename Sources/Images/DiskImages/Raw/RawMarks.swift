/// What the first or the last sector of a raw image would look like to a program that guesses formats.
///
/// Wider than `ProbeResult`, which wants strong marks: here a mark counts that any program in use believes, with any
/// version and checksum.
enum RawMarks {
    private static let first: [(mark: String, offset: Int, name: String)] =
        ProbeResult.foreignMarks + ProbeResult.importMarks.map { ($0.mark, 0, $0.format.rawValue) } + [
            ("QFI\u{FB}", 0, "qcow2"), ("conectix", 0, "VHD"), ("Bochs Virtual HD Image", 0, "Bochs"),
            ("#!/bin/sh", 0, "cloop"), ("Virtual Disk Image", 0x40, "VDI"),
        ]

    /// The format that the first 512 bytes name; nil for none.
    static func name(ofFirst sector: [UInt8]) -> String? {
        for (mark, offset, name) in first where ProbeResult.starts(sector, mark, at: offset) { return name }
        return isDescriptor(sector) ? "VMDK" : nil
    }

    /// The format that the last 512 bytes name; nil for none.
    static func name(ofLast sector: [UInt8]) -> String? {
        if ProbeResult.starts(sector, "conectix") || ProbeResult.starts(sector, "conectix", at: 1) { return "VHD" }
        return ProbeResult.starts(sector, "koly") ? "DMG" : nil
    }

    /// QEMU believes a text of comments and blank lines up to a line with the version.
    private static func isDescriptor(_ sector: [UInt8]) -> Bool {
        for line in sector.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: true) {
            let text = line.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\r") }
            if text.isEmpty || text.first == UInt8(ascii: "#") { continue }
            return text.starts(with: Array("version=".utf8))
        }
        return false
    }
}
