import DataModel

/// The Swift spelling of the datamodel's names.
enum SwiftNames {
    /// `name_label` → `nameLabel`, `VBDs` → `vbds`, `suspend_SR` → `suspendSR`; keywords in backticks.
    static func member(_ wire: String) -> String {
        let words = words(of: wire)
        guard let first = words.first else { return "_" }
        let head = first.first?.isLowercase == true ? first : first.lowercased()
        let name = head + words.dropFirst().map(capitalized).joined()
        return keywords.contains(name) ? "`\(name)`" : name
    }

    /// `VDI_IN_USE` → `vdiInUse`.
    static func constant(_ code: String) -> String { member(code.lowercased()) }

    /// `vdi_type` → `VDIType`.
    static func enumType(_ name: String) -> String {
        switch name {
        case "cls": "MessageTargetClass"
        case "origin": "UpdateOrigin"
        default: words(of: name).map(capitalized).joined()
        }
    }

    /// `VM_metrics` → `VMMetrics`; names that Swift or Foundation has already get the prefix Xen.
    static func classType(_ name: String) -> String {
        let plain = words(of: name).map(capitalized).joined()
        return ["Task", "Event", "Message", "Console"].contains(plain) ? "Xen" + plain : plain
    }

    /// The Swift type of the values of `type`.
    static func valueType(_ type: ModelType) -> String {
        switch type {
        case .string: "String"
        case .int: "Int64"
        case .bool: "Bool"
        case .float: "Double"
        case .datetime: "APIDate"
        case .enumeration(let name): enumType(name)
        case .ref(let name): "Ref<\(classType(name))>"
        case .set(let element): "[\(valueType(element))]"
        case .map(let key, let value): "[\(valueType(key)): \(valueType(value))]"
        case .option(let wrapped): valueType(wrapped)
        case .record, .void: "APIValue"
        }
    }

    /// The Swift type of the values of `type` as a client receives them: words of enums that it does not know are kept.
    static func receivedType(_ type: ModelType) -> String {
        switch type {
        case .enumeration(let name): "Open<\(enumType(name))>"
        case .set(let element): "[\(receivedType(element))]"
        case .map(let key, let value): "[\(receivedType(key)): \(receivedType(value))]"
        case .option(let wrapped): receivedType(wrapped)
        case .record(let name): "\(classType(name))Record"
        case .void: "NoValue"
        default: valueType(type)
        }
    }

    /// The Swift type of the values of `type` as a client gives them.
    static func givenType(_ type: ModelType) -> String {
        switch type {
        case .record(let name): "\(classType(name))Creation"
        default: valueType(type)
        }
    }

    private static func words(of name: String) -> [String] {
        name.split { $0 == "_" || $0 == "-" }.map(String.init)
    }

    private static func capitalized(_ word: String) -> String {
        acronyms[word] ?? word.prefix(1).uppercased() + word.dropFirst()
    }

    private static let acronyms: [String: String] = {
        let plain = [
            "id", "uuid", "sr", "vdi", "vm", "vbd", "vif", "pif", "pbd", "ip", "mac", "tls", "ssl", "cbt", "ha", "url",
            "iscsi", "nbd", "iqn", "vlan", "dns", "cpu", "gpu", "vgpu", "pgpu", "usb", "vusb", "pusb", "pci", "iso",
            "ntp", "sdn", "ssh", "xml", "http", "https", "igmp", "mtu", "numa", "uefi", "bios", "hvm", "pv", "pvh",
            "os", "sriov", "vtpm", "pvs", "vmpp", "vmss", "sm", "dr", "api", "ca", "nvram", "rbac", "rrd", "db",
        ]
        var all = ["ipv4": "IPv4", "ipv6": "IPv6", "vms": "VMs", "srs": "SRs", "vdis": "VDIs", "vbds": "VBDs"]
        for (word, spelling) in ["ips": "IPs", "cpus": "CPUs", "vcpus": "VCPUs", "pbds": "PBDs", "vifs": "VIFs"] {
            all[word] = spelling
        }
        for word in plain { all[word] = word.uppercased() }
        return all
    }()

    private static let keywords: Set<String> = [
        "as", "break", "case", "catch", "class", "continue", "default", "defer", "deinit", "do", "else", "enum",
        "extension", "fallthrough", "false", "fileprivate", "for", "func", "guard", "if", "import", "in", "init",
        "inout", "internal", "is", "let", "nil", "operator", "private", "protocol", "public", "repeat", "rethrows",
        "return", "self", "static", "struct", "subscript", "super", "switch", "throw", "throws", "true", "try",
        "typealias", "var", "where", "while",
    ]
}
