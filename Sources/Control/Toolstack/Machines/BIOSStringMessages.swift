import APITypes
import PoolDatabase

/// VM.set_bios_strings: what a machine's firmware says of itself, decided once. Source: XenAPI reference, VM.set_bios_strings.
struct BIOSStringMessages: Sendable {
    let database: PoolDatabase

    private static let keys: Set<String> = [
        "bios-vendor", "bios-version", "system-manufacturer", "system-product-name", "system-version",
        "system-serial-number", "baseboard-manufacturer", "baseboard-product-name", "baseboard-version",
        "baseboard-serial-number", "baseboard-asset-tag", "baseboard-location-in-chassis", "enclosure-asset-tag",
    ]
    /// Bytes of a value.
    private static let longest = 512

    func register(in table: inout MessageTable) {
        table.on("VM.set_bios_strings") { _, arguments in
            let (vm, strings): (Ref<VM>, [String: String]) = (try arguments.get(0), try arguments.get(1))
            try await database.transaction { tx in
                guard try tx.require(vm)[VM.biosStrings].isEmpty else { throw APIError("VM_BIOS_STRINGS_ALREADY_SET") }
                for (key, value) in strings.sorted(by: { $0.key < $1.key }) where !Self.isValid(key, value) {
                    throw APIError("INVALID_VALUE", key, value)
                }
                try tx.set(vm, VM.biosStrings, strings)
            }
            return .void
        }
    }

    /// Firmware tables hold printable ASCII, and no empty text.
    private static func isValid(_ key: String, _ value: String) -> Bool {
        keys.contains(key) && (1...longest).contains(value.utf8.count)
            && value.utf8.allSatisfy { (32...126).contains($0) }
    }
}
