/// The spellings of a parent's path in a VHD, made of and into plain paths with `/`.
///
/// The payloads are a stranger's: what is no text, or cannot be a path, is nil.
enum VHDPathText {
    /// Longer payloads are not paths.
    static let longest: UInt64 = 8192

    /// UTF-16 without a terminator; a byte order mark and zero units at the end are dropped. Nil for an odd length, an
    /// unpaired surrogate, a zero inside, or nothing at all.
    static func decodeUTF16(_ bytes: [UInt8], littleEndian: Bool) -> String? {
        guard bytes.count % 2 == 0 else { return nil }
        var units: [UInt16] = []
        for index in stride(from: 0, to: bytes.count, by: 2) {
            let unit = UInt16(bytes[index]) << 8 | UInt16(bytes[index + 1])
            units.append(littleEndian ? unit.byteSwapped : unit)
        }
        while units.last == 0 { units.removeLast() }
        if units.first == 0xFEFF { units.removeFirst() }
        guard !units.isEmpty, !units.contains(0) else { return nil }
        return String(validating: units, as: UTF16.self)
    }

    static func encodeUTF16LittleEndian(_ text: String) -> [UInt8] {
        text.utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
    }

    /// A Windows path as one with `/`. `isForeign`: it begins with a drive or a server, which mean nothing here; a
    /// drive is dropped.
    static func fromWindows(_ text: String) -> (path: String, isForeign: Bool) {
        var path = text.replacing("\\", with: "/")
        let start = Array(path.utf8.prefix(2))
        let letters = UInt8(ascii: "a")...UInt8(ascii: "z")
        if start.count == 2, start[1] == UInt8(ascii: ":"), letters.contains(start[0] | 0x20) {
            path.removeFirst(2)
            return (path, true)
        }
        return (path, path.hasPrefix("//"))
    }

    /// A path with `/` as a Windows one.
    static func toWindows(_ path: String) -> String { path.replacing("/", with: "\\") }

    /// The path of a `file://` URL; nil for one that names another machine, or is none.
    static func fromURL(_ bytes: [UInt8]) -> String? {
        var bytes = bytes
        while bytes.last == 0 { bytes.removeLast() }
        guard let text = String(validating: bytes, as: UTF8.self), text.hasPrefix("file://") else { return nil }
        var path = String(text.dropFirst(7))
        if path.hasPrefix("localhost/") { path.removeFirst(9) }
        // libvhd writes relative paths where a URL has the machine's name.
        let isLocal = path.hasPrefix("/") || path.hasPrefix("./") || path.hasPrefix("../") || !path.contains("/")
        return isLocal && !path.isEmpty && !path.utf8.contains(0) ? path : nil
    }
}
