import BlockIO

/// What a differencing VHDX says of its parent.
struct VHDXParentLocator: Hashable, Sendable {
    // 20 bytes: identifier of the kind, reserved, number of entries (2 bytes at 18). Then entries of 12 bytes: offsets
    // of key and value, their lengths; both in UTF-16, little-endian, without an end.
    private static let kind = WindowsGUID("b04aefb7-d19e-4a81-b789-25b8e9445913") ?? .zero
    private static let mostEntries: UInt16 = 64

    /// The parent's content, as its header identifies it; either will do.
    let linkages: [WindowsGUID]
    /// As stored.
    let relativePath: String?
    let absolutePath: String?

    init(_ fields: LittleEndianBytes) throws(BlockError) {
        guard fields.bytes.count >= 20, WindowsGUID(fields, at: 0) == Self.kind else {
            throw BlockError(.unsupported, "the VHDX file names its parent in a way that is not known")
        }
        let count = fields.u16(18)
        guard count <= Self.mostEntries else {
            throw BlockError(.corrupt, "the VHDX parent locator claims \(count) entries")
        }
        var values: [String: String] = [:]
        for index in 0..<Int(count) {
            let entry = 20 + 12 * index
            let key = try Self.text(fields, fields.u32(entry), fields.u16(entry + 8)).lowercased()
            let value = try Self.text(fields, fields.u32(entry + 4), fields.u16(entry + 10))
            guard values.updateValue(value, forKey: key) == nil else {
                throw BlockError(.corrupt, "the VHDX parent locator has the key \(key) twice")
            }
        }
        linkages = ["parent_linkage", "parent_linkage2"].compactMap { values[$0].flatMap { WindowsGUID($0) } }
            .filter { $0 != .zero }
        relativePath = values["relative_path"]
        absolutePath = values["absolute_win32_path"] ?? values["volume_path"]
        guard !linkages.isEmpty else {
            throw BlockError(.corrupt, "the VHDX file does not say which content its parent must have")
        }
    }

    private static func text(_ fields: LittleEndianBytes, _ offset: UInt32, _ length: UInt16) throws(BlockError)
        -> String
    {
        let end = UInt64(offset) + UInt64(length)
        guard end <= UInt64(fields.bytes.count), length % 2 == 0 else {
            throw BlockError(.corrupt, "an entry of the VHDX parent locator lies outside of it")
        }
        let units = stride(from: Int(offset), to: Int(end), by: 2).map { fields.u16($0) }
        guard let text = String(validating: units, as: UTF16.self) else {
            throw BlockError(.corrupt, "an entry of the VHDX parent locator is not UTF-16")
        }
        return text
    }

    /// Names to look for, with `/`: where the parent was relative to the child, then beside the child by the last part
    /// of its absolute name, for files that were moved together. Drives and servers mean nothing here.
    var names: [String] {
        var names: [String] = []
        if let relativePath {
            var name = relativePath.split(separator: "\\", omittingEmptySubsequences: false).joined(separator: "/")
            while name.hasPrefix("./") { name.removeFirst(2) }
            names.append(name)
        }
        if let last = absolutePath?.split(separator: "\\").last { names.append(String(last)) }
        return names.filter { !$0.isEmpty }
    }
}
