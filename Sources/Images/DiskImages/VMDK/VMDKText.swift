import Glibc

/// The encodings that VMDK descriptors are written in. Only those of this list are ever handed to the converter: the
/// name is a stranger's.
enum VMDKText {
    private static let encodings: [String: String] = [
        "windows-1250": "CP1250", "windows-1251": "CP1251", "windows-1252": "CP1252", "windows-1253": "CP1253",
        "windows-1254": "CP1254", "windows-1255": "CP1255", "windows-1256": "CP1256", "windows-1257": "CP1257",
        "windows-949": "CP949", "euc-kr": "EUC-KR", "iso-8859-1": "ISO-8859-1", "gbk": "GBK", "gb18030": "GB18030",
        "gb2312": "GBK", "big5": "BIG5", "shift_jis": "SHIFT_JIS", "windows-31j": "CP932", "euc-jp": "EUC-JP",
    ]

    /// The text; nil when the bytes are not of the encoding, or it is not known and they are not plain ASCII.
    static func decode(_ bytes: [UInt8], encoding: String) -> String? {
        let name = encoding.lowercased()
        if name == "utf-8" || name.isEmpty || bytes.allSatisfy({ $0 < 0x80 }) {
            return String(validating: bytes, as: UTF8.self)
        }
        guard let known = encodings[name] else { return nil }
        // SAFETY: the converter is closed before this returns; it reads and writes no more than the counts it is given,
        // and four bytes of UTF-8 are enough for each byte.
        let converter = unsafe iconv_open("UTF-8", known)
        guard Int(bitPattern: converter) != -1 else { return nil }
        defer { unsafe iconv_close(converter) }
        var source = bytes.map { CChar(bitPattern: $0) }
        var target = [CChar](repeating: 0, count: bytes.count * 4)
        let rest: (source: Int, target: Int, result: UInt) = unsafe source.withUnsafeMutableBufferPointer { source in
            unsafe target.withUnsafeMutableBufferPointer { target in
                var from = source.baseAddress
                var left = source.count
                var into = target.baseAddress
                var room = target.count
                let result = unsafe iconv(converter, &from, &left, &into, &room)
                return (left, room, UInt(bitPattern: result))
            }
        }
        guard rest.result != UInt.max, rest.source == 0 else { return nil }
        return String(validating: target.dropLast(rest.target).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
