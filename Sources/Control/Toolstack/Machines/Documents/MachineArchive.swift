import APITypes

/// The tar archive in which XenAPI's clients keep a machine's document: the one file `ova.xml`.
enum MachineArchive {
    static let fileName = "ova.xml"
    /// The longest document that is taken, bytes.
    static let longest = 64 << 20
    /// Bytes of a header and what contents are padded to. Source: POSIX.1-1988, ustar.
    static let block = 512

    private enum Field {
        static let name = 0..<100
        static let mode = 100..<108
        static let owner = 108..<116
        static let group = 116..<124
        static let size = 124..<136
        static let time = 136..<148
        static let sum = 148..<156
        static let kind = 156
        static let magic = 257..<265
    }

    static func wrap(_ document: [UInt8], time: Int64) -> [UInt8] {
        var header = [UInt8](repeating: 0, count: block)
        func put(_ text: String, _ place: Range<Int>) { header.replaceSubrange(place, with: padded(text, place.count)) }
        put(fileName, Field.name)
        put("0000600\0", Field.mode)
        put("0000000\0", Field.owner)
        put("0000000\0", Field.group)
        put(octal(document.count), Field.size)
        put(octal(Int(max(0, time))), Field.time)
        put("        ", Field.sum)
        put("0", Field.kind..<Field.kind + 1)
        put("ustar\u{0}00", Field.magic)
        put("\(octal(header.reduce(0) { $0 + Int($1) }).suffix(6))\0 ", Field.sum)
        let padding = [UInt8](repeating: 0, count: (block - document.count % block) % block)
        return header + document + padding + [UInt8](repeating: 0, count: 2 * block)
    }

    /// The document in an archive; what follows it is not looked at. IMPORT_ERROR_PREMATURE_EOF,
    /// IMPORT_ERROR_UNEXPECTED_FILE [expected, found], IMPORT_ERROR [text].
    static func unwrap(_ archive: [UInt8]) throws(APIError) -> [UInt8] {
        guard archive.count >= block else { throw APIError("IMPORT_ERROR_PREMATURE_EOF") }
        let found = String(decoding: archive[Field.name].prefix { $0 != 0 }, as: UTF8.self)
        guard found == fileName else {
            // A stream of something else altogether has anything there.
            let isPlain = found.unicodeScalars.allSatisfy { $0.value > 0x1F && $0 != "\u{FFFD}" }
            throw APIError("IMPORT_ERROR_UNEXPECTED_FILE", fileName, isPlain ? found : "")
        }
        var sum = Int(UInt8(ascii: " ")) * Field.sum.count
        for (position, byte) in archive.prefix(block).enumerated() where !Field.sum.contains(position) {
            sum += Int(byte)
        }
        guard number(archive[Field.sum]) == sum else { throw damaged("the sum of its header is another") }
        guard let size = number(archive[Field.size]) else { throw damaged("the size of \(fileName) is no number") }
        guard size <= longest else { throw tooLong }
        guard archive.count - block >= size else { throw APIError("IMPORT_ERROR_PREMATURE_EOF") }
        return Array(archive[block..<block + size])
    }

    static let tooLong = APIError("IMPORT_ERROR", "a document has at most \(longest) bytes")

    private static func damaged(_ reason: String) -> APIError {
        APIError("IMPORT_ERROR", "the archive is damaged: \(reason)")
    }

    private static func padded(_ text: String, _ count: Int) -> [UInt8] {
        let bytes = Array(text.utf8.prefix(count))
        return bytes + [UInt8](repeating: 0, count: count - bytes.count)
    }

    /// Eleven digits, as sizes have them.
    private static func octal(_ number: Int) -> String {
        let digits = String(number, radix: 8)
        return String(repeating: "0", count: max(0, 11 - digits.count)) + digits
    }

    /// Octal digits between blanks; nil for anything else and for what no file has.
    private static func number(_ field: ArraySlice<UInt8>) -> Int? {
        let digits = field.drop { $0 == UInt8(ascii: " ") }.prefix { $0 != 0 && $0 != UInt8(ascii: " ") }
        guard !digits.isEmpty, digits.count <= 12 else { return nil }
        return Int(String(decoding: digits, as: UTF8.self), radix: 8).flatMap { $0 >= 0 ? $0 : nil }
    }
}
