import APITypes
import Guests
import PoolDatabase

/// VM.set_bios_strings and VM.copy_bios_strings: what a machine's firmware says of itself from its next start on, decided
/// once. Source: XenAPI reference, VM.set_bios_strings.
struct BIOSStringMessages: Sendable {
    let database: PoolDatabase

    func register(in table: inout MessageTable) {
        table.on("VM.set_bios_strings") { _, arguments in
            let (vm, strings): (Ref<VM>, [String: String]) = (try arguments.get(0), try arguments.get(1))
            try await database.transaction { tx in
                guard try tx.require(vm)[VM.biosStrings].isEmpty else { throw APIError("VM_BIOS_STRINGS_ALREADY_SET") }
                for (key, value) in strings.sorted(by: { $0.key < $1.key }) where !FirmwareText.isValid(key, value) {
                    throw APIError("INVALID_VALUE", key, value)
                }
                try tx.set(vm, VM.biosStrings, strings)
            }
            return .void
        }
        table.on("VM.copy_bios_strings") { _, arguments in
            let (vm, host): (Ref<VM>, Ref<Host>) = (try arguments.get(0), try arguments.get(1))
            try await database.transaction { tx in
                guard try tx.require(vm)[VM.biosStrings].isEmpty else { throw APIError("VM_BIOS_STRINGS_ALREADY_SET") }
                // What machines say beyond the names of the API, and in other letters, is left out.
                let strings = try tx.require(host)[Host.biosStrings].filter { FirmwareText.isValid($0.key, $0.value) }
                try tx.set(vm, VM.biosStrings, strings)
            }
            return .void
        }
    }
}
