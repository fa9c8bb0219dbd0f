import RPCCodec
import XenAPIClient

/// Values as the command line spells them.
enum ValueText {
    static let nowhere = "<not in database>"
    static let expensive = "<expensive field>"
    static let nullRef = "OpaqueRef:NULL"

    /// Text of a value that holds no references (those `resolve` has replaced by uuids already).
    static func of(_ value: WireValue, styles: Set<FieldStyle>) -> String {
        if let members = value.members {
            if styles.contains(.values) {
                return joined(members.map { scalar($0.value, styles) }, styles)
            }
            return members.map { "\($0.name): \(scalar($0.value, styles))" }.joined(separator: "; ")
        }
        if let items = value.items { return joined(items.map { scalar($0, styles) }, styles) }
        return scalar(value, styles)
    }

    private static func joined(_ items: [String], _ styles: Set<FieldStyle>) -> String {
        items.joined(separator: styles.contains(.commas) ? ", " : "; ")
    }

    private static func scalar(_ value: WireValue, _ styles: Set<FieldStyle>) -> String {
        let text = value.printed
        if styles.contains(.lowercase) { return text.lowercased() }
        if styles.contains(.vdiType) { return vdiTypes[text] ?? text }
        if styles.contains(.srOperations) { return classed(text, ["vdi": "VDI", "pbd": "PBD"]) }
        if styles.contains(.hostOperations) { return classed(text, ["vm": "VM"]) }
        if styles.contains(.taskOperations) { return text.prefix(1).uppercased() + text.dropFirst() }
        return text
    }

    /// `vdi_create` as `VDI.create`, for the prefixes in `names`.
    private static func classed(_ text: String, _ names: [String: String]) -> String {
        guard let bar = text.firstIndex(of: "_"), let name = names[String(text[..<bar])] else { return text }
        return name + "." + text[text.index(after: bar)...]
    }

    private static let vdiTypes = [
        "system": "System", "user": "User", "ephemeral": "Ephemeral", "suspend": "Suspend", "crashdump": "Crashdump",
        "ha_statefile": "HA statefile", "metadata": "Metadata", "redo_log": "Redo log", "rrd": "RRD",
        "pvs_cache": "PVS cache", "cbt_metadata": "CBT metadata",
    ]
}
