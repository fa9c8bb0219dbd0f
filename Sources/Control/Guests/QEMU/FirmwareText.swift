/// The texts of a machine's SMBIOS tables, by XenAPI's names (VM.bios_strings), as QEMU's `-smbios` takes them
/// (System Management BIOS reference specification, types 0 to 3).
public enum FirmwareText {
    /// Bytes of a text.
    public static let longest = 512

    /// Every name that there is.
    public static let names = Set(tables.flatMap { $0.keys.map(\.name) })

    private static let tables: [(type: Int, keys: [(name: String, key: String)])] = [
        (0, [("bios-vendor", "vendor"), ("bios-version", "version")]),
        (
            1,
            [
                ("system-manufacturer", "manufacturer"), ("system-product-name", "product"),
                ("system-version", "version"), ("system-serial-number", "serial"),
            ]
        ),
        (
            2,
            [
                ("baseboard-manufacturer", "manufacturer"), ("baseboard-product-name", "product"),
                ("baseboard-version", "version"), ("baseboard-serial-number", "serial"),
                ("baseboard-asset-tag", "asset"), ("baseboard-location-in-chassis", "location"),
            ]
        ),
        (3, [("enclosure-asset-tag", "asset")]),
    ]

    /// Firmware tables hold printable ASCII, and no empty text.
    public static func isValid(_ name: String, _ text: String) -> Bool {
        names.contains(name) && (1...longest).contains(text.utf8.count)
            && text.utf8.allSatisfy { (32...126).contains($0) }
    }

    /// QEMU's arguments. A comma in a text is doubled: it begins no other key.
    static func arguments(_ texts: [String: String]) -> [String] {
        tables.flatMap { table -> [String] in
            let pairs = table.keys.compactMap { entry in
                texts[entry.name].map { ",\(entry.key)=\($0.replacing(",", with: ",,"))" }
            }
            return pairs.isEmpty ? [] : ["-smbios", "type=\(table.type)" + pairs.joined()]
        }
    }
}
